"""The rows of the lake; apart from the others because it carries the table engine."""

from erphub import app

handler = app.api("lake.rows")
