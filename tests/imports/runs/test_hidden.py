"""What an import writes down of a server that repeats the password: its run, its units, its log, its event."""

import json
from collections.abc import Callable
from dataclasses import asdict

import pytest

from erphub.erp.transports.sqlserver import errors
from erphub.imports.runs import outcome
from erphub.imports.runs.models import LogLine
from erphub.platform import redaction
from erphub.platform.errors import ErpRefused, HubError
from tests.platform.test_redaction import ENCODINGS
from tests.support.imports import Imports

SECRET = "Hemmelig-Pass\u00f8rd'1&"


def refused(words: str) -> HubError:
    """As the driver tells it: the words come as bytes, longer than what is kept of them."""
    padded = f"{'The trigger says no. ' * 12}{words}, {words}"
    return errors.running(Exception(50000, padded.encode()), [])


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("kind", [refused, ErpRefused])
def test_nothing_an_import_writes_down_repeats_the_password(
    imports: Imports, monkeypatch: pytest.MonkeyPatch, name: str, kind: Callable[[str], HubError]
) -> None:
    redaction.redact([SECRET])
    form = ENCODINGS[name](SECRET)

    def fail(*_: object) -> None:
        raise kind(f"Rejected by a trigger, credential {form} is old.")

    monkeypatch.setattr(imports.erp, "plan_reading", fail)
    run = imports.run(imports.job(company_keys=("F0001",), dataset_ids=("accounts",)))
    ended = outcome.ended(run)
    assert ended.event is not None
    written = [
        run.problem,
        [unit.problem for unit in imports.units(run).values()],
        ended.event.detail,
        ended.event.data,
    ]
    lines = [line.text for line in imports.stores.log.page(run.ref, 200, None).items]
    shown = json.dumps([written, lines], ensure_ascii=False, default=str)
    assert "no." in shown or "Rejected" in shown
    for told in (form, form[: max(len(form) // 2, 12)]):
        assert told not in shown
        assert json.dumps(told)[1:-1] not in shown


def test_a_line_of_a_runs_log_is_searched_wherever_its_words_came_from(imports: Imports) -> None:
    redaction.redact([SECRET])
    ref = imports.queue(imports.job())
    line = LogLine("2026-01-24T08:00:00.000Z", "warning", "odd", f"The table {SECRET.encode().hex()} is odd.")
    imports.stores.log.add(ref, line)
    (kept,) = imports.stores.log.page(ref, 10, None).items
    assert asdict(kept) == asdict(line) | {"text": f"The table {redaction.HIDDEN} is odd."}
