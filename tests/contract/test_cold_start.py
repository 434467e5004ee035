"""A function that answers people starts light: no driver, no Arrow, no table engine before its first event."""

from pathlib import Path

import pytest

from benchmarks import imports
from benchmarks.imports import DRIVERS_AND_ENGINES, Function

FUNCTIONS = imports.functions()
LIGHT = [function for function in FUNCTIONS if function.is_light]
APIS = [function for function in FUNCTIONS if function.name.endswith("Api")]
LIBRARIES = {
    "annotated_types",
    "aws_lambda_powertools",
    "botocore",
    "dateutil",
    "jmespath",
    "pydantic",
    "pydantic_core",
    "six",
    "typing_extensions",
    "typing_inspection",
    "urllib3",
    # botocore takes them where they are: not in Lambda, where this environment's development tools are not.
    "OpenSSL",
    "certifi",
    "_cffi_backend",
    "cryptography",
}


def test_every_api_is_among_the_light_ones():
    assert {function.name for function in FUNCTIONS if function.name.endswith("Api")} <= {
        function.name for function in LIGHT
    }


@pytest.mark.parametrize("function", LIGHT, ids=lambda function: function.name)
@pytest.mark.usefixtures("fresh_python")
def test_a_light_function_starts_without_a_driver_arrow_or_a_table_engine(function: Function):
    assert imports.loaded(function) & set(DRIVERS_AND_ENGINES) == set()


@pytest.mark.parametrize("function", APIS, ids=lambda function: function.name)
@pytest.mark.usefixtures("fresh_python")
def test_an_api_starts_with_these_libraries_alone(function: Function):
    """Each costs every caller who meets a cold start: who adds one says what it costs (`python -m benchmarks e`)."""
    code = (
        f"import sys, {function.module}; print(*{{name.partition('.')[0] for name, module in sys.modules.items()"
        " if 'site-packages' in (getattr(module, '__file__', None) or '')})"
    )
    assert set(imports.run(code, imports.environment(function)).split()) <= LIBRARIES


@pytest.mark.parametrize("function", APIS, ids=lambda function: function.name)
@pytest.mark.usefixtures("fresh_python")
def test_an_api_starts_without_the_packages_of_its_routes(function: Function):
    code = f"import sys, {function.module}; print(*(name for name in sys.modules if name.startswith('erphub.')))"
    loaded = imports.run(code, imports.environment(function)).split()
    assert {name.split(".")[1] for name in loaded} <= {"app", "capabilities", "platform", "tenancy"}


@pytest.mark.parametrize("function", APIS, ids=lambda function: function.name)
@pytest.mark.usefixtures("fresh_python")
def test_an_api_is_loaded_while_the_garbage_collector_rests_which_is_at_work_afterwards(function: Function):
    code = (
        "import gc; rounds = []; gc.callbacks.append(lambda phase, info: rounds.append(phase));"
        f" import {function.module}; print(len(rounds), gc.isenabled(), gc.get_freeze_count() > 50_000)"
    )
    rounds, at_work, frozen = imports.run(code, imports.environment(function)).split()
    assert int(rounds) < 20
    assert (at_work, frozen) == ("True", "True")


@pytest.mark.usefixtures("fresh_python")
def test_no_function_loads_the_whole_of_boto3_or_tracing_at_its_start():
    slow = {
        function.name: imports.loaded(function) & {"boto3", "s3transfer", "aws_xray_sdk"} for function in FUNCTIONS[:2]
    }
    assert set().union(*slow.values()) == set()


@pytest.mark.usefixtures("fresh_python")
def test_a_function_that_loads_the_driver_would_be_noticed(tmp_path: Path):
    (tmp_path / "heavy.py").write_text("import pymssql\n")
    assert "pymssql" in imports.loaded(Function("Heavy", tmp_path, "heavy", ()))
