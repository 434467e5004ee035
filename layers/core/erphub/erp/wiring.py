"""The catalogue has no store: it is what the adapters say of themselves."""

PROVIDES = ()
