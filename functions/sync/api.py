"""Syncs, for people and programs: documents to the ERP, changes from it."""

from erphub import app

handler = app.api("sync")
