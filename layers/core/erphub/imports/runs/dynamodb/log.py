"""Logs of runs in the tenant table."""

import time
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import override

from erphub.imports.runs.models import LogLine, RunRef
from erphub.imports.runs.ports import RunLog
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.ids import new_id
from erphub.platform.pages import Page
from erphub.platform.redaction import clean_text
from erphub.platform.writes import Key

_KEPT = timedelta(days=400)
"""As long as the run."""


class RunLogTable(RunLog):
    """Lines: `RUN-LOG#<run>#<nanoseconds>-<chance>`: those of one moment stay in order, and two workers' apart."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def add(self, ref: RunRef, line: LogLine) -> None:
        key = run_log_key(ref.client_id, ref.run_id, f"{time.time_ns():020}-{new_id()[-8:]}")
        expires = int((datetime.fromisoformat(line.logged_at) + _KEPT).timestamp())
        self._table.put({**key, **asdict(line), "text": clean_text(line.text), "expires_at": expires})

    @override
    def page(self, ref: RunRef, limit: int, cursor: str | None) -> Page[LogLine]:
        key = run_log_key(ref.client_id, ref.run_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, cursor=cursor)
        return Page([_line(item) for item in page.items], page.next)


def _line(item: Item) -> LogLine:
    return LogLine(item["logged_at"], item["level"], item["code"], item["text"], item.get("unit"))


def run_log_key(client_id: str, run_id: str, line: str) -> Key:
    """The key of a line of a run's log."""
    return make_key(f"CLIENT#{client_id}", "RUN-LOG", run_id, line)
