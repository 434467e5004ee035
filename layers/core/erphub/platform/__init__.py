"""The technique that all capabilities share. It knows none of them."""
