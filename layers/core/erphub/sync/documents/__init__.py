"""Documents from the till, on their way in."""
