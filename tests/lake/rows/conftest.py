"""Rows are read from a lake that an import has filled."""

from tests.support.imports import imports, prepared, table  # noqa: F401  fixtures
