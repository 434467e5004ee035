"""Who may do what, the catalogue, the wizard, connections and what hangs on them, for people and programs."""

from erphub import app

handler = app.api(
    "about",
    "tenancy",
    "audit",
    "erp",
    "wizards",
    "connections",
    "companies",
    "events",
    "api_keys",
    "webhooks",
    "deletions",
)
