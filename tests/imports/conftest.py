"""What tests of imports share."""

from tests.support.imports import imports, prepared, table  # noqa: F401  fixtures
