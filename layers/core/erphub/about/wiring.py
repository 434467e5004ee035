"""The description needs no service."""

PROVIDES = ()
