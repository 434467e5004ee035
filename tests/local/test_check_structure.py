"""Each rule of the code's shape notices its breach, and accepts it where a comment says why."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from local import check_structure, source_modules
from local.source_modules import Problem

REASON = "# structure: the vendor's protocol has as many, and each is one method here\n"


def found(root: Path, **modules: str) -> list[Problem]:
    """What is wrong in a tree of these modules, named by their path with `__` for a dot."""
    for name, text in modules.items():
        path = root / "layers/core" / (name.replace("__", "/").replace("INIT", "__init__") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    trees = (source_modules.SHIPPED, source_modules.CLIENT, source_modules.TOOLS)
    return check_structure.problems(*(source_modules.read(root, one) for one in trees))


def rules(problems: Sequence[Problem]) -> list[tuple[str, str]]:
    return [(one.module, one.rule) for one in problems]


def method(name: str, lines: int = 1) -> str:
    return f"    def {name}(self) -> None:\n" + "        pass\n" * lines


def test_a_port_of_nine_methods_is_too_large_also_when_it_inherits_some(tmp_path: Path):
    small = "class Small(Protocol):\n" + "".join(method(f"do_{n}") for n in range(8))
    large = "class Large(Small, Protocol):\n" + method("do_8")
    (problem,) = found(tmp_path, erphub__a__ports=small, erphub__b__ports=large)
    assert (problem.rule, problem.detail) == ("port", "Large has 9 methods")


def test_properties_of_a_port_are_data_and_a_reason_is_accepted(tmp_path: Path):
    port = "class Port(Protocol):\n" + "".join("    @property\n" + method(f"value_{n}") for n in range(9))
    excused = REASON + "class Excused(Protocol):\n" + "".join(method(f"do_{n}") for n in range(9))
    assert found(tmp_path, erphub__a__ports=port, erphub__b__ports=excused) == []


def test_an_excuse_that_says_nothing_is_none(tmp_path: Path):
    port = "# structure: has to be\nclass Port(Protocol):\n" + "".join(method(f"do_{n}") for n in range(9))
    assert rules(found(tmp_path, erphub__a__ports=port)) == [("erphub.a.ports", "port")]


FIELDS = "".join(f"    field_{n}: int\n" for n in range(9))


def test_a_constructor_of_nine_arguments_is_too_large(tmp_path: Path):
    arguments = ", ".join(f"a{n}: int" for n in range(9))
    by_hand = f"class Service:\n    def __init__(self, {arguments}) -> None:\n        pass\n"
    data_class = f"@dataclass(frozen=True)\nclass Service:\n{FIELDS}{method('work')}"
    problems = found(tmp_path, erphub__a__service=by_hand, erphub__b__service=data_class)
    assert rules(problems) == [("erphub.a.service", "arguments"), ("erphub.b.service", "arguments")]


def test_what_only_holds_data_may_hold_as_much_as_there_is(tmp_path: Path):
    shown = "    @property\n    def first(self) -> int:\n        return self.field_0\n"
    made = "    @classmethod\n    def of(cls) -> None:\n        pass\n" + method("__post_init__")
    entity = f"@dataclass\nclass Entity:\n{FIELDS}{shown}{made}"
    called = f"@dataclass\nclass Called:\n{FIELDS}{method('__call__')}"
    assert rules(found(tmp_path, erphub__a__models=entity, erphub__b__models=called)) == [
        ("erphub.b.models", "arguments")
    ]


def test_a_bare_callable_in_a_constructor_wants_a_name(tmp_path: Path):
    bare = "@dataclass\nclass Service:\n    report: Callable[[str], None]\n    clock: Clock\n" + method("work")
    quoted = "class Service:\n    def __init__(self, report: Callable[[], int] | None) -> None:\n        pass\n"
    named = "@dataclass\nclass Service:\n    report: Report\n" + method("work")
    problems = found(tmp_path, erphub__a__service=bare, erphub__b__service=quoted, erphub__c__service=named)
    assert rules(problems) == [("erphub.a.service", "callable"), ("erphub.b.service", "callable")]


def test_long_modules_and_functions_are_noticed_unless_they_say_why(tmp_path: Path):
    lines = "".join(f"VALUE_{n} = {n}\n" for n in range(401))
    function = "def work() -> None:\n" + "    pass\n" * 60
    problems = found(
        tmp_path,
        erphub__a__long=f'"""Values."""\n{lines}',
        erphub__b__long=f'"""Values."""\n\n{REASON}{lines}',
        erphub__c__long=function,
        erphub__d__long=REASON + function,
        erphub__e__short="def work() -> None:\n" + "    pass\n" * 59,
    )
    assert rules(problems) == [("erphub.a.long", "module-length"), ("erphub.c.long", "function-length")]


@pytest.mark.parametrize("module", ["local/stack", "tests/support/hub"])
def test_tools_and_what_tests_have_in_common_are_held_to_the_same_sizes(tmp_path: Path, module: str):
    path = tmp_path / f"{module}.py"
    path.parent.mkdir(parents=True)
    path.write_text("def work() -> None:\n" + "    pass\n" * 60)
    assert rules(found(tmp_path)) == [(module.replace("/", "."), "function-length")]


@pytest.mark.parametrize("module", ["local/stack", "tests/support/hub", "client/src/erphub_client/hub"])
def test_nobody_uses_words_that_stand_for_something_else(tmp_path: Path, module: str):
    path = tmp_path / f"{module}.py"
    path.parent.mkdir(parents=True)
    path.write_text("def tell() -> None:\n    pass\n")
    name = module.removeprefix("client/src/").replace("/", ".")
    assert rules(found(tmp_path)) == [(name, "name")]


CLIENT_BREACHES = {
    "module-length": '"""Values."""\n' + "".join(f"VALUE_{n} = {n}\n" for n in range(401)),
    "function-length": "def work() -> None:\n" + "    pass\n" * 60,
    "arguments": f"@dataclass\nclass Client:\n{FIELDS}" + method("work"),
    "callable": "class Client:\n    def __init__(self, sleep: Callable[[float], None]) -> None:\n        pass\n",
    "docstring": 'class Client:\n    def get(self) -> None:\n        """See the port."""\n',
    "port": "class Port(Protocol):\n" + "".join(method(f"do_{n}") for n in range(9)),
}


@pytest.mark.parametrize("rule", CLIENT_BREACHES)
def test_the_client_keeps_the_rules_too_but_for_what_is_generated(tmp_path: Path, rule: str):
    written = tmp_path / "client/src/erphub_client/hub.py"
    generated = written.parent / "generated/operations.py"
    for path in (written, generated):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CLIENT_BREACHES[rule])
    assert rules(found(tmp_path)) == [("erphub_client.hub", rule)]


def test_a_clients_package_shows_what_it_offers(tmp_path: Path):
    path = tmp_path / "client/src/erphub_client/__init__.py"
    path.parent.mkdir(parents=True)
    path.write_text('"""The hub."""\n\nfrom erphub_client.hub import Hub\n')
    assert found(tmp_path) == []


@pytest.mark.parametrize("words", ["See the port.", "See above. Raises Unavailable.", "As the protocol says."])
def test_a_docstring_that_sends_its_reader_elsewhere_is_noticed(tmp_path: Path, words: str):
    module = f'class Store:\n    def get(self) -> None:\n        """{words}"""\n'
    assert rules(found(tmp_path, erphub__a__dynamodb=module)) == [("erphub.a.dynamodb", "docstring")]


def test_a_package_holds_a_docstring_and_nothing_else(tmp_path: Path):
    problems = found(
        tmp_path,
        erphub__a__INIT='"""What a is."""\n',
        erphub__b__INIT='"""What b is."""\nfrom erphub.b.service import Service\n',
    )
    assert rules(problems) == [("erphub.b", "package")]


@pytest.mark.parametrize(
    "text",
    [
        "class WizardDesk:\n    pass\n",
        "def tell() -> None:\n    pass\n",
        "papers_of = 1\n",
        "def a(door: int) -> None: ...",
    ],
)
def test_words_that_stand_for_something_else_are_noticed_in_names(tmp_path: Path, text: str):
    assert rules(found(tmp_path, erphub__a__service=text)) == [("erphub.a.service", "name")]


def test_parts_of_other_words_are_no_metaphors(tmp_path: Path):
    text = "class Settlement:\n    pass\n\nwarehouse = doorstep = mushroom = shifted = 1\n"
    assert found(tmp_path, erphub__a__service=text) == []


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("erphub__a__service", "import boto3"),
        ("erphub__a__service", "from botocore.exceptions import ClientError"),
        ("erphub__a__service", "import socket"),
        ("erphub__a__service", "import ssl"),
        ("erphub__a__service", "from httpx import Client"),
        ("erphub__a__service", "import urllib.request"),
        ("erphub__a__service", "import os"),
        ("erphub__a__service", "from deltalake import DeltaTable"),
        ("erphub__lake__rows__service", "import arro3.core"),
        ("erphub__a__service", "import aws_lambda_powertools"),
        ("erphub__platform__wire", "from local import template"),
        ("erphub__platform__wire", "from tests.support import aws"),
        ("erphub__platform__wire", "import benchmarks"),
    ],
)
def test_what_is_not_ours_is_imported_where_it_belongs_and_nowhere_else(tmp_path: Path, module: str, imported: str):
    assert rules(found(tmp_path, **{module: imported})) == [(module.replace("__", "."), "outside")]


def test_where_it_belongs_it_may_be_imported_and_types_are_free(tmp_path: Path):
    problems = found(
        tmp_path,
        erphub__a__dynamodb="from botocore.exceptions import ClientError",
        erphub__platform__outbound__https="import socket, ssl",
        erphub__lake__delta__sql="import deltalake",
        erphub__platform__settings="import os",
        erphub__a__service="if TYPE_CHECKING:\n    import httpx\n",
    )
    assert problems == []


def test_a_manifest_imports_nothing_but_what_manifests_are_made_of(tmp_path: Path):
    problems = found(
        tmp_path,
        erphub__platform__capability="",
        erphub__a__models="",
        erphub__a__capability="from erphub.platform.capability import Capability\nfrom erphub.a.models import A\n",
        erphub__b__capability="from erphub.platform.capability import Capability\n",
    )
    assert set(rules(problems)) == {("erphub.a.capability", "order")}


@pytest.mark.parametrize(
    ("module", "imports"),
    [
        ("erphub.a.models", "erphub.a.schemas"),
        ("erphub.a.ports", "erphub.a.service"),
        ("erphub.a.service", "erphub.a.dynamodb"),
        ("erphub.a.dynamodb", "erphub.a.service"),
        ("erphub.a.pacing", "erphub.a.dynamodb"),
        ("erphub.a.service", "erphub.a.tasks"),
        ("erphub.a.jobs.models", "erphub.a.runs.service"),
        ("erphub.b.service", "erphub.a.api"),
        ("erphub.b.hooks", "erphub.a.wiring"),
    ],
)
def test_modules_of_a_package_import_only_those_below_them(tmp_path: Path, module: str, imports: str):
    texts = {imports.replace(".", "__"): "", module.replace(".", "__"): f"from {imports} import something\n"}
    assert rules(found(tmp_path, **texts)) == [(module, "order")]


def test_the_plan_of_a_package_breaks_no_rule(tmp_path: Path):
    problems = found(
        tmp_path,
        erphub__a__models="",
        erphub__a__schemas="from erphub.a.models import A\n",
        erphub__a__ports="from erphub.a.schemas import AView\n",
        erphub__a__pacing="from erphub.a.models import A\n",
        erphub__a__service="from erphub.a.ports import Store\nfrom erphub.a.pacing import pace\n",
        erphub__a__dynamodb="from erphub.a import models\n",
        erphub__a__api="from erphub.a.service import Service\n",
        erphub__a__wiring="from erphub.a.service import Service\nfrom erphub.a.dynamodb import Table\n",
    )
    assert problems == []


@pytest.mark.parametrize(
    ("module", "imports", "breaks"),
    [
        ("erphub.imports.jobs.service", "erphub.imports.runs.models", True),
        ("erphub.imports.runs.service", "erphub.imports.jobs.models", False),
        ("erphub.imports.jobs.service", "erphub.imports.scheduler", True),
        ("erphub.imports.scheduler", "erphub.imports.jobs.service", False),
        ("erphub.sync.documents.service", "erphub.sync.changes.models", True),
        ("erphub.sync.transfers.service", "erphub.sync.settings.models", False),
        ("erphub.lake.rows.service", "erphub.lake.datasets.models", False),
    ],
)
def test_sub_packages_have_an_order_too(tmp_path: Path, module: str, imports: str, *, breaks: bool):
    texts = {imports.replace(".", "__"): "", module.replace(".", "__"): f"from {imports} import something\n"}
    assert rules(found(tmp_path, **texts)) == [(module, "subpackages")] * breaks


def test_modules_that_import_each_other_in_a_circle_are_noticed(tmp_path: Path):
    problems = found(
        tmp_path,
        erphub__a__one="from erphub.a.two import x\n",
        erphub__a__two="from erphub.a.three import x\n",
        erphub__a__three="def late() -> None:\n    from erphub.a import one\n",
    )
    ((module, rule),) = rules(problems)
    assert rule == "circle"
    assert module.startswith("erphub.a.")


def test_what_is_to_be_mended_later_is_let_pass_until_it_is_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    settings = tmp_path / "pyproject.toml"
    settings.write_text("")
    found(tmp_path, erphub__a__service="class WizardDesk:\n    pass\n")
    assert check_structure.main(tmp_path) == 1
    assert "erphub.a.service:1: name: WizardDesk: desk" in capsys.readouterr().err
    settings.write_text('[tool.erphub.structure]\nnot-yet = ["a: name"]\n')
    assert check_structure.main(tmp_path) == 0
    found(tmp_path, erphub__a__service="class WizardService:\n    pass\n")
    assert check_structure.main(tmp_path) == 1
    assert "take it off the list" in capsys.readouterr().err


def test_the_code_that_ships_breaks_no_rule_that_its_package_has_got_right():
    assert check_structure.main() == 0
