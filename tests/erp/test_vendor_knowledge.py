"""What one ERP is called, asks and requires is known in its own module: generic code would stay right without it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import erphub
from erphub.erp import catalogue, steps

PACKAGE = Path(erphub.__file__).parent
TDS = PACKAGE / "platform" / "outbound" / "tds"
"""The guarded way out for the protocol of SQL Server, which several ERPs are reached by: it names what it speaks to."""
ADAPTERS = (PACKAGE / "erp" / "systems", PACKAGE / "erp" / "transports", TDS)
EXAMPLES = PACKAGE / "openapi_examples.py"
"""Examples are of something: what the description shows of a request names a system, as a caller does."""
GENERIC = sorted(
    path for path in PACKAGE.rglob("*.py") if path != EXAMPLES and not any(path.is_relative_to(one) for one in ADAPTERS)
)
CATALOGUE = PACKAGE / "erp" / "catalogue.py"

SHARED_STEPS = (steps.companies_step(), steps.name_step(), steps.finish_step())
OF_EVERY_ERP = {
    *(step.id for step in SHARED_STEPS),
    *(field.name for step in SHARED_STEPS for field in step.fields),
    steps.shared_field().name,
}
OF_THE_HUB_ITSELF = {
    "client_id": "a tenant of the hub; 24SevenOffice has the same word for an OAuth client",
    "login": "a stage of every connection test",
    "vouchers": "something an ERP can be used for",
    "departments": "what a sync's settings choose from",
}
"""Words of the hub's own language that a vendor's form has too."""
IN_ONE_MODULE = {
    ("openapi.py", "mapping"): "part of a discriminator in OpenAPI's own language",
    ("capabilities.py", "sign_in"): "the package that says who is calling the hub",
    ("sign_in/capability.py", "sign_in"): "the package that says who is calling the hub",
}


def asked_by_vendors() -> set[str]:
    """The steps and fields of every system, without those that all share."""
    asked = {step.id for one in catalogue.catalogue() for step in one.steps}
    asked |= {field.name for one in catalogue.catalogue() for field in one.fields}
    return asked - OF_EVERY_ERP - OF_THE_HUB_ITSELF.keys()


def vendors() -> set[str]:
    """The systems' ids and titles, and the names of vendors and products in them."""
    return {one.id for one in catalogue.catalogue()} | {
        "visma",
        "24seven",
        "twentyfourseven",
        "sqlserver",
        "sql server",
    }


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Every text and every name in code, with its line; docstrings are prose about it."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str()) if id(node) not in prose:
                yield node.lineno, str(node.value)
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                yield node.lineno, name
            case ast.alias(name=name):
                yield node.lineno, name
            case _:
                pass


def knowledge_of_vendors(source: str) -> list[str]:
    """The lines of a module that know a vendor."""
    fields, names = asked_by_vendors(), vendors()
    # A field of a vendor's form is known where its name is a text of its own; a vendor wherever it is named.
    return [
        f"line {line}: {text[:60]!r}"
        for line, text in texts(source)
        if (text in fields and f'"{text}"' in source) or any(vendor in text.casefold() for vendor in names)
    ]


@pytest.mark.parametrize("path", GENERIC, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_generic_code_knows_no_step_name_or_rule_of_one_erp(path: Path) -> None:
    found = knowledge_of_vendors(path.read_text())
    excused = {word for module, word in IN_ONE_MODULE if path == PACKAGE / module}
    found = [one for one in found if one.split("'")[1] not in excused]
    if path == CATALOGUE:  # the list of modules is the one place that names them
        found = [one for one in found if one.split("'")[1] not in catalogue.MODULES]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        'if step.id == "mapping": pass',
        'path = settings.get("document_center_path")',
        'if connection.erp_system == "visma-business": pass',
        "from erphub.erp.systems import twentyfourseven",
        'detail = "Look into 24SevenOffice."',
        'hint = "a SQL Server can"',
    ],
)
def test_a_line_that_knows_a_vendor_is_found(line: str) -> None:
    assert knowledge_of_vendors(line)


def test_no_word_is_excused_that_no_vendor_has() -> None:
    asked = {step.id for one in catalogue.catalogue() for step in one.steps}
    asked |= {field.name for one in catalogue.catalogue() for field in one.fields}
    assert OF_THE_HUB_ITSELF.keys() <= asked
