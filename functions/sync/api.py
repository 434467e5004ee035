"""Syncs and links, for people and programs: documents to the ERP, changes from it, records of the CRM."""

from erphub import app

handler = app.api(
    "sync.settings",
    "sync.documents",
    "sync.uploads",
    "sync.changes",
    "sync.transfers",
    "sync.export_log",
    "links.records",
    "links.mappings",
)
