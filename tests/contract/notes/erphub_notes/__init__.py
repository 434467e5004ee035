"""Notes that people write on a connection for each other."""
