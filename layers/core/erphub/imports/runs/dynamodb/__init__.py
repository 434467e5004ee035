"""Where runs are kept: one store for each of the ports, all in the tenant table."""
