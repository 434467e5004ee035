"""`erphub send`: a folder of a till's documents to the ERP."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from erphub_client.command.exits import Exit
from erphub_client.command.output import AsJson, plain
from erphub_client.command.session import ClientId, ConnectionId, ProfileName, Session, open_session
from erphub_client.generated import models as m
from erphub_client.problems import HubProblem

SUFFIXES = frozenset({".json", ".jsonl", ".ndjson", ".xml"})
PDF_HEADERS = {"Content-Type": "application/pdf"}


@dataclass
class Outcome:
    """What became of the folder: each file with what the hub said, and how many of them were refused."""

    lines: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    values: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    refused: int = 0

    def add(self, file: Path, what: str, outcome: str, *, is_refused: bool = False, **facts: Any) -> None:
        """One document, or one file of many."""
        self.lines.append((file.name, what, outcome))
        self.values.append({"file": file.name, "document": what, "outcome": outcome, "refused": is_refused, **facts})
        self.refused += is_refused


def send(
    folder: Annotated[Path, typer.Argument(exists=True, help="A folder, or one file.")],
    connection: ConnectionId = None,
    transfer: Annotated[bool, typer.Option(help="Start a transfer to the ERP afterwards, and wait for it.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be posted.")] = False,
    profile: ProfileName = "default",
    client: ClientId = None,
    as_json: AsJson = False,
) -> None:
    """Hand in every document of a folder, then send them to the ERP. The same again changes nothing.

    A .json file is one document, or a list of them, each with its `kind` and `external_id`; a PDF of the same name goes
    along with it. A .jsonl file has a document a line, a .xml file is SAF-T Cash Register: both are handed in whole.
    """
    with open_session(profile, client, as_json=as_json) as session:
        chosen = session.connection(connection)
        files = sorted(
            one for one in (folder.iterdir() if folder.is_dir() else [folder]) if one.suffix.lower() in SUFFIXES
        )
        if not files:
            raise typer.BadParameter(f"{folder} holds no {', '.join(sorted(SUFFIXES))} file.")
        outcome = Outcome()
        sender = Sender(session, chosen.id, outcome)
        for file in files:
            with session.output.notes.status(f"{plain(file.name)} …"):
                sender.hand_in(file)
        if as_json:
            for value in outcome.values:
                session.output.value(value)
        else:
            session.output.table(("file", "document", "outcome"), outcome.lines, ())
        sent = sender.transfer(dry_run=dry_run) if transfer else None
        if outcome.refused or (sent is not None and (sent.status != "succeeded" or sent.counts.rejected)):
            raise typer.Exit(Exit.FAILED)


@dataclass
class Sender:
    """Hands in files, and starts the transfer."""

    session: Session
    connection_id: str
    outcome: Outcome

    def hand_in(self, file: Path) -> None:
        """One file; what the hub refuses of it is told, and the others go on."""
        try:
            if file.suffix.lower() == ".json":
                for document in _documents(file):
                    self._document(file, document)
            else:
                self._batch(file)
        except HubProblem as problem:
            self._refused(file, "", problem)

    def transfer(self, *, dry_run: bool) -> m.TransferDetail:
        """Send what is due, and wait for the end."""
        hub, output, client = self.session.hub, self.session.output, self.session.client
        started = hub.start_transfer(client, self.connection_id, m.CreateTransfer(dry_run=dry_run))
        with output.notes.status("Transfer to the ERP …"):
            done = hub.wait_for_transfer(client, self.connection_id, started.id)
        if output.as_json:
            output.value(done)
            return done
        counts = ", ".join(f"{count} {name}" for name, count in done.counts.model_dump().items() if count)
        output.say(f"Transfer [bold]{plain(done.status)}[/]: {plain(counts or 'nothing to do')}")
        for planned in done.preview or ():
            output.console.print(f"  {plain(planned.title)}: {plain(planned.action)}")
        return done

    def _document(self, file: Path, document: Mapping[str, Any]) -> None:
        kind, external_id = str(document.get("kind", "")), str(document.get("external_id", ""))
        if not kind or not external_id:
            self.outcome.add(file, "", "it has no `kind` or no `external_id`", is_refused=True)
            return
        body = {name: value for name, value in document.items() if name != "external_id"}
        pdf = file.with_suffix(".pdf")
        hub, client = self.session.hub, self.session.client
        try:
            made = hub.submit_document(client, self.connection_id, kind, external_id, body, pdf=pdf.is_file() or None)
        except HubProblem as problem:
            self._refused(file, f"{kind} {external_id}", problem)
            return
        slot = made.pdf_upload
        if pdf.is_file() and slot is not None:
            hub.put_file(slot.url, pdf.read_bytes(), slot.headers or PDF_HEADERS, slot.method)
        self.outcome.add(file, f"{kind} {external_id}", str(made.outcome), id=made.id)

    def _batch(self, file: Path) -> None:
        is_saft = file.suffix.lower() == ".xml"
        upload = m.CreateUpload(format=m.UploadFormat.saft_cash_register if is_saft else m.UploadFormat.json_lines)
        read = self.session.hub.upload_documents(self.session.client, self.connection_id, file.read_bytes(), upload)
        for error in read.errors:
            self.outcome.add(file, f"line {error.line_number}", error.detail, is_refused=True, code=error.code)
        counts = f"{read.accepted_count} accepted, {read.unchanged_count} unchanged, {read.refused_count} refused"
        problem = f": {read.problem.get('detail', '')}" if read.problem else ""
        self.outcome.add(file, "", f"{counts}{problem}", is_refused=read.status == "failed", id=read.id)

    def _refused(self, file: Path, what: str, problem: HubProblem) -> None:
        wrong = "; ".join(f"{one.pointer}: {one.detail}" for one in problem.errors)
        self.outcome.add(file, what, wrong or problem.detail, is_refused=True, code=problem.code)


def _documents(file: Path) -> Iterator[Mapping[str, Any]]:
    """What the file holds. Raises BadParameter when it is no JSON of documents."""
    try:
        held = json.loads(file.read_text("utf-8"), parse_float=str)
    except ValueError as error:
        raise typer.BadParameter(f"{file.name} is not JSON: {error}") from error
    for one in cast(Iterable[object], held if isinstance(held, list) else [held]):
        if not isinstance(one, dict):
            raise typer.BadParameter(f"{file.name} holds something else than documents.")
        yield cast(dict[str, Any], one)
