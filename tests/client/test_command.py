"""The command: what it says to people and to programs, its exit codes, and that no secret shows."""

import csv
import io
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from erphub_client import problems
from erphub_client.command import application
from erphub_client.command.exits import MEANINGS, Exit, exit_of
from erphub_client.command.output import plain

from erphub.openapi_examples import BODIES
from tests.support.dialogue import OTHER_SERVER
from tests.support.hub import Hub

README = Path(__file__).resolve().parents[2] / "client/README.md"


class Said:
    """What a call wrote, and how it ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        self.exit = application.run(list(arguments))
        captured = capsys.readouterr()
        self.notes = captured.err
        # The handlers of the tests' hub log to standard output, as in Lambda.
        self.out = "".join(line for line in captured.out.splitlines(keepends=True) if '"service":"erphub"' not in line)

    @property
    def values(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def say(signed_in: str, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    return lambda *arguments: Said(capsys, *arguments)


def test_who_one_is(say: Any, whole: Hub) -> None:
    told = say("whoami")
    assert (told.exit, whole.client in told.out) == (0, True)
    (me,) = say("whoami", "--json").values
    assert whole.client in {one["id"] for one in me["clients"]}


def test_lists_are_tables_for_people_and_a_value_a_line_for_programs(say: Any, connection: str) -> None:
    assert connection in say("connections").out
    assert [one["id"] for one in say("connections", "--json").values] == [connection]
    assert {"visma-business", "sqlserver-generic", "24sevenoffice"} <= {
        one["id"] for one in say("systems", "--json").values
    }
    assert "gl_transactions" in {one["id"] for one in say("datasets", "--json").values}
    assert say("import", "jobs", "--json").exit == 0


def test_a_folder_of_documents_is_handed_in_and_the_log_tells_of_each(say: Any, tmp_path: Path) -> None:
    folder = tmp_path / "till"
    folder.mkdir()
    for kind in ("Customer", "Settlement"):
        document = {"kind": kind.lower(), "external_id": f"{kind}-1"} | BODIES["submit_document"][kind]
        (folder / f"{kind}.json").write_text(json.dumps(document))
    (folder / "wrong.json").write_text(
        '{"kind": "settlement", "external_id": "Z-2", "date": "2026-02-30", "number": 1}'
    )
    (folder / "notes.txt").write_text("not a document")
    sent = say("send", str(folder), "--no-transfer", "--json")
    assert sent.exit == Exit.FAILED, "one of them was refused"
    outcomes = {(one["file"], one["outcome"]) for one in sent.values if not one["refused"]}
    assert outcomes == {("Customer.json", "created"), ("Settlement.json", "created")}
    (wrong,) = [one for one in sent.values if one["refused"]]
    assert "/date" in wrong["outcome"]
    (folder / "wrong.json").unlink()
    again = say("send", str(folder), "--no-transfer")
    assert (again.exit, again.out.count("unchanged")) == (0, 2)
    logged = say("log", "--days", "4000", "--json").values
    assert {one["external_id"] for one in logged} == {"Customer-1", "Settlement-1"}
    followed = say("log", "--days", "4000", "--follow", "--seconds", "0.1")
    assert (followed.exit, followed.out.count("pending")) == (0, 2)


def test_without_a_terminal_the_wizard_is_answered_from_a_file(say: Any, tmp_path: Path) -> None:
    answers = {"server": OTHER_SERVER, "companies": {"companies": ["F0002"]}, "name": {"name": "From a file"}}
    file = tmp_path / "answers.json"
    file.write_text(json.dumps(answers | {"vouchers": {"voucher_provider": "none"}}))
    (done,) = say("connect", "visma-business", "--answers", str(file), "--json").values
    assert done["status"] == "finished", done
    assert done["connection_id"] in {one["id"] for one in say("connections", "--json").values}
    file.write_text(json.dumps(answers | {"server": OTHER_SERVER | {"login": ""}}))
    told = say("connect", "visma-business", "--answers", str(file))
    assert (told.exit, "/login" in told.notes) == (Exit.INVALID, True)
    file.write_text(json.dumps(answers | {"server": OTHER_SERVER | {"password": "never-right"}}))
    told = say("connect", "visma-business", "--answers", str(file))
    assert (told.exit, "credentials_refused" in told.notes) == (Exit.INVALID, True)
    assert "what was entered is forgotten" in told.notes
    assert "never-right" not in told.notes + told.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("connections", "--client", "nobody's"), Exit.USAGE),
        (("rows", "no_such_dataset"), Exit.USAGE),
        (("import", "run", "no such job"), Exit.USAGE),
        (("send", "/no/such/folder"), Exit.USAGE),
        (("no-such-command",), Exit.USAGE),
        (("import", "run", "x", "--password", "y"), Exit.USAGE),
    ],
    ids=str,
)
def test_a_wrong_call_is_told_with_its_own_exit_code(say: Any, arguments: tuple[str, ...], code: int) -> None:
    told = say(*arguments)
    assert (told.exit, told.out) == (code, "")
    assert told.notes


def test_who_is_not_signed_in_is_told_how(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ERPHUB_API_KEY")
    told = say("whoami")
    assert (told.exit, "erphub login" in told.notes) == (Exit.SIGN_IN, True)
    (value,) = say("whoami", "--json").values
    assert (value["status"], value["code"]) == (401, "not_signed_in")


def test_a_hub_that_is_not_there_is_told(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERPHUB_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("time.sleep", lambda _: None)
    told = say("whoami")
    assert told.exit == Exit.UNAVAILABLE
    assert "127.0.0.1" in told.notes


def test_an_api_key_is_read_from_standard_input_and_is_never_shown(
    say: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ERPHUB_API_KEY")
    monkeypatch.setattr("sys.stdin", io.StringIO("ehk_secret_of_mine\n"))
    told = say("login", "--api-key")
    assert told.exit == 0, told.notes
    assert "ehk_secret_of_mine" not in told.out + told.notes
    assert say("whoami").exit == 0
    assert "ehk_secret_of_mine" in (tmp_path / "config/profiles.json").read_text()
    assert say("logout").exit == 0
    assert "ehk_secret_of_mine" not in (tmp_path / "config/profiles.json").read_text()
    assert say("whoami").exit == Exit.SIGN_IN


def test_no_option_of_any_command_takes_a_secret() -> None:
    import typer

    def options(command: Any) -> list[str]:
        own = [name for one in command.params for name in one.opts]
        return own + [name for one in getattr(command, "commands", {}).values() for name in options(one)]

    command = typer.main.get_command(application.application)
    assert {name for name in options(command) if re.search("password|secret|token", name)} == set()
    key = next(one for one in command.commands["login"].params if "--api-key" in one.opts)  # type: ignore[attr-defined]
    assert key.is_flag


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("erphub im", "import"), ("erphub import ", "run"), ("erphub log --st", "--status")],
)
def test_a_shell_completes_commands_and_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, offered: str
) -> None:
    monkeypatch.setenv("_ERPHUB_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(typed.count(" ")))
    application.run([])
    assert offered in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (problems.NotSignedIn, 3),
        (problems.NotAllowed, 3),
        (problems.NotFound, 4),
        (problems.Invalid, 5),
        (problems.Conflict, 6),
        (problems.Ended, 6),
        (problems.TooManyRequests, 8),
        (problems.Unavailable, 8),
        (problems.NotReached, 8),
        (problems.ErpRefused, 9),
        (problems.HubProblem, 1),
    ],
)
def test_each_kind_of_problem_has_its_exit_code(kind: type[problems.HubProblem], code: int) -> None:
    assert exit_of(kind(0, {})) == code


def test_the_exit_codes_stand_in_the_page() -> None:
    told = dict(re.findall(r"^\| (\d+) \| (.+) \|$", README.read_text("utf-8"), re.MULTILINE))
    assert told == {str(code.value): meaning for code, meaning in MEANINGS.items()}


def test_which_version_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert application.run(["--version"]) == 0
    package = tomllib.loads((README.parent / "pyproject.toml").read_text())["project"]
    assert capsys.readouterr().out == f"{package['name']} {package['version']}\n"


def test_what_the_hub_says_cannot_steer_the_terminal() -> None:
    assert plain("a\x1b[2Jb\u202ec[red]") == "a[U+001B][2Jb[U+202E]c\\[red]"


def test_csv_holds_every_row_and_no_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    from erphub_client.command import rows
    from erphub_client.generated import models as m

    columns = [m.Column(name=name, type="string", is_key=False, description="") for name in ("text", "amount", "flag")]
    file = io.BytesIO()
    read = [{"text": "=1+1", "amount": "-12.50", "flag": True}, {"text": 'a,"b"\nc', "amount": None, "flag": False}]
    rows.WRITERS[rows.Format.CSV](file, columns, read)
    assert list(csv.reader(io.StringIO(file.getvalue().decode()))) == [
        ["text", "amount", "flag"],
        ["'=1+1", "-12.50", "true"],
        ['a,"b"\nc', "", "false"],
    ]


def test_parquet_has_the_types_of_the_lake() -> None:
    import pyarrow.parquet as pq
    from erphub_client.command import rows
    from erphub_client.generated import models as m

    types = {"id": "int64", "amount": "decimal128(18, 2)", "day": "date32", "name": "string", "gone": "string"}
    columns = [m.Column(name=name, type=kind, is_key=False, description="") for name, kind in types.items()]
    file = io.BytesIO()
    read = [{"id": number, "amount": f"{number}.10", "day": "2026-03-05", "name": "Å"} for number in range(25_000)]
    rows.WRITERS[rows.Format.PARQUET](file, columns, read)
    file.seek(0)
    table = pq.read_table(file)
    assert (table.num_rows, pq.ParquetFile(file).num_row_groups) == (25_000, 2)
    assert [str(one.type) for one in table.schema] == ["int64", "decimal128(18, 2)", "date32[day]", "string", "string"]
    assert str(table.slice(7, 1).to_pylist()[0]["amount"]) == "7.10"
