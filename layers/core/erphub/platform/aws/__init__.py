"""AWS, as the stores and services use it."""
