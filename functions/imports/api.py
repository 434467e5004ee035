"""Import jobs, their runs, and the list of datasets, for people and programs."""

from erphub import app

handler = app.api("imports.jobs", "imports.runs", "lake.datasets")
