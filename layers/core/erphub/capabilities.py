"""The capabilities of the hub, from the lowest to the uppermost: each imports only those before it."""

CAPABILITIES = (
    "audit",
    "tenancy",
    "events",
    "webhooks",
    "erp",
    "lake",
    "connections",
    "companies",
    "wizards",
    "imports",
    "sync",
    "deletions",
)
"""Their packages below `erphub`; each has a `wiring` that says how its services are made."""

API_PACKAGES = (
    "about",
    "tenancy",
    "erp",
    "wizards",
    "connections",
    "companies",
    "events",
    "webhooks",
    "deletions",
    "imports.jobs",
    "imports.runs",
    "lake.datasets",
    "lake.rows",
    "sync",
)
"""The packages that have routes, in the order of the documentation; each has an `api` with a `router`."""
