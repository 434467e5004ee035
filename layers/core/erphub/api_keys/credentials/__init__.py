"""What is kept of a key to recognise it by; read for every program that signs in, and by nobody else."""
