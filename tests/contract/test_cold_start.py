"""A function that answers people starts light: no driver, no Arrow, no table engine before its first event."""

from pathlib import Path

import pytest

from benchmarks import imports
from benchmarks.imports import DRIVERS_AND_ENGINES, Function

FUNCTIONS = imports.functions()
LIGHT = [function for function in FUNCTIONS if function.is_light]


def test_every_api_is_among_the_light_ones():
    assert {function.name for function in FUNCTIONS if function.name.endswith("Api")} <= {
        function.name for function in LIGHT
    }


@pytest.mark.parametrize("function", LIGHT, ids=lambda function: function.name)
def test_a_light_function_starts_without_a_driver_arrow_or_a_table_engine(function: Function):
    assert imports.loaded(function) & set(DRIVERS_AND_ENGINES) == set()


def test_no_function_loads_the_whole_of_boto3_or_tracing_at_its_start():
    slow = {
        function.name: imports.loaded(function) & {"boto3", "s3transfer", "aws_xray_sdk"} for function in FUNCTIONS[:2]
    }
    assert set().union(*slow.values()) == set()


def test_a_function_that_loads_the_driver_would_be_noticed(tmp_path: Path):
    (tmp_path / "heavy.py").write_text("import pymssql\n")
    assert "pymssql" in imports.loaded(Function("Heavy", tmp_path, "heavy", ()))
