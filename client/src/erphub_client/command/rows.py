"""`erphub rows`: imported data as CSV, Parquet or JSON lines, page by page."""

import csv
import json
import os
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, BinaryIO, cast

import typer

from erphub_client.command.session import ClientId, ProfileName, open_session
from erphub_client.generated import models as m

PAGE = 2000
ROW_GROUP = 20_000


class Format(StrEnum):
    """How rows are written."""

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"


def rows(
    dataset: Annotated[str, typer.Argument(help="Id of the dataset: erphub datasets.")],
    company: Annotated[str | None, typer.Option(help="Only this company's, by its key.")] = None,
    connection: Annotated[str | None, typer.Option(help="Only those that came through this connection.")] = None,
    since: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="From this day on.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Up to this day.")] = None,
    columns: Annotated[str | None, typer.Option(help="These alone, with commas between.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; standard output if left out.")] = None,
    format: Annotated[Format | None, typer.Option(help="By the name of the file if left out, else CSV.")] = None,
    profile: ProfileName = "default",
    client: ClientId = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format jsonl.")] = False,
) -> None:
    """Rows of a dataset, all from one state of the lake. Amounts are exact; with Parquet they are decimals."""
    with open_session(profile, client, as_json=False) as session:
        found = next((one for one in session.hub.list_datasets(session.client).items if one.id == dataset), None)
        if found is None:
            raise typer.BadParameter(f"There is no dataset {dataset}: erphub datasets")
        wanted = [name.strip() for name in columns.split(",")] if columns else None
        kept = [one for one in found.columns if wanted is None or one.name in wanted]
        chosen = Format.JSONL if as_json else format or _by_name(output)
        read = session.hub.iterate_rows(
            session.client, dataset, limit=PAGE, company_key=company, connection_id=connection, columns=columns,
            from_date=since.date() if since else None, to_date=until.date() if until else None,
        )  # fmt: skip
        with _target(output) as file:
            WRITERS[chosen](file, kept, read)


def datasets(
    profile: ProfileName = "default", client: ClientId = None, as_json: Annotated[bool, typer.Option("--json")] = False
) -> None:
    """What can be imported, and whether anything of it is there."""
    with open_session(profile, client, as_json=as_json) as session:
        found = session.hub.list_datasets(session.client).items
        lines = [(one.id, one.title, "yes" if one.has_data else "", len(one.columns)) for one in found]
        session.output.table(("id", "dataset", "has data", "columns"), lines, found)


def _by_name(output: Path | None) -> Format:
    """By the ending of the file that is written; of a redirection too, where the system tells its name."""
    name = str(output or "")
    if output is None and not sys.stdout.isatty():
        try:
            name = Path(f"/proc/self/fd/{sys.stdout.fileno()}").readlink().name
        except OSError:
            name = ""
    return next((one for one in Format if name.endswith(f".{one}")), Format.CSV)


@contextmanager
def _target(output: Path | None) -> Generator[BinaryIO]:
    """The file, there only when it is whole; or standard output."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    fresh = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as file:
            yield file
        fresh.replace(output)
    finally:
        fresh.unlink(missing_ok=True)


def _csv(file: BinaryIO, columns: Sequence[m.Column], read: Iterable[Mapping[str, Any]]) -> None:
    names = [one.name for one in columns]
    text = csv.writer(_Encoded(file))
    text.writerow(names)
    for row in read:
        text.writerow("" if row.get(name) is None else _cell(row[name]) for name in names)


class _Encoded:
    """Text into a binary file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write it as UTF-8."""
        return self._file.write(text.encode())


def _cell(value: object) -> str:
    """A value as a spreadsheet may be given it: text that would be a formula stands behind an apostrophe."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    is_number = text.lstrip("+-").replace(".", "", 1).isdigit()
    return f"'{text}" if text[:1] in "=+-@\t\r" and text and not is_number else text


def _json_lines(file: BinaryIO, columns: Sequence[m.Column], read: Iterable[Mapping[str, Any]]) -> None:  # noqa: ARG001
    for row in read:
        file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _parquet(file: BinaryIO, columns: Sequence[m.Column], read: Iterable[Mapping[str, Any]]) -> None:
    try:
        from erphub_client.command import parquet
    except ImportError as error:
        raise typer.BadParameter("Parquet needs pyarrow: pip install 'erphub-client[parquet]'") from error
    pages = iter(read)
    groups = iter(lambda: list(islice(pages, ROW_GROUP)), cast(list[Mapping[str, Any]], []))
    parquet.write(file, columns, groups)


WRITERS = {Format.CSV: _csv, Format.PARQUET: _parquet, Format.JSONL: _json_lines}
