"""`erphub connect`: the wizard in the terminal, for any ERP system, from the forms that the hub gives."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from erphub_client.command.exits import Exit
from erphub_client.command.forms import Form, Offered
from erphub_client.command.output import AsJson, plain
from erphub_client.command.session import ClientId, ProfileName, Session, is_a_person, open_session, pick
from erphub_client.generated import models as m
from erphub_client.problems import HubProblem, Invalid

MARKS = {"passed": "[green]✓[/]", "warning": "[yellow]![/]", "failed": "[red]✗[/]", "skipped": "[dim]·[/]"}


def connect(
    system: Annotated[str | None, typer.Argument(help="Id of the ERP system; asked for if left out.")] = None,
    edit: Annotated[str | None, typer.Option(help="Id or name of a connection to edit instead.")] = None,
    step: Annotated[str | None, typer.Option(help="With --edit: the step to begin at.")] = None,
    answers: Annotated[
        Path | None, typer.Option(help='A JSON file of answers by step, {"server": {…}}; only the rest is asked.')
    ] = None,
    profile: ProfileName = "default",
    client: ClientId = None,
    as_json: AsJson = False,
) -> None:
    """Connect an ERP system: its wizard, step by step, with the tests that the hub makes of each answer."""
    with open_session(profile, client, as_json=as_json) as session:
        given: Mapping[str, Mapping[str, Any]] = json.loads(answers.read_text("utf-8")) if answers else {}
        if edit is not None:
            body = m.StartWizard(connection_id=session.connection(edit).id, step=step)
        else:
            body = m.StartWizard(erp_system=system or _system(session))
        wizard = session.hub.start_wizard(session.client, body)
        dialogue = Dialogue(session, given)
        try:
            done = dialogue.go_through(wizard)
        except (typer.Abort, KeyboardInterrupt, HubProblem):
            _forget(session, wizard.id)
            raise
        if as_json:
            session.output.value(done)
        elif done.status == "finished":
            session.output.say(f"[green]Connected.[/] The connection's id is [bold]{plain(done.connection_id)}[/].")
        if done.status != "finished":
            raise typer.Exit(Exit.FAILED)


def _forget(session: Session, wizard_id: str) -> None:
    """Cancel a wizard that somebody leaves, so that the hub forgets what was entered."""
    try:
        session.hub.cancel_wizard(session.client, wizard_id)
    except HubProblem as problem:
        session.output.note(f"The wizard was not cancelled; it ends within a day. {plain(problem.detail)}")
    else:
        session.output.note("Cancelled: what was entered is forgotten.")


def systems(profile: ProfileName = "default", as_json: AsJson = False) -> None:
    """The ERP systems that can be connected."""
    with open_session(profile, None, as_json=as_json) as session:
        found = session.hub.list_erp_systems().items
        session.output.table(("id", "system", ""), [(one.id, one.title, one.summary) for one in found], found)


def connections(profile: ProfileName = "default", client: ClientId = None, as_json: AsJson = False) -> None:
    """The client's connections and how they are doing."""
    with open_session(profile, client, as_json=as_json) as session:
        found = list(session.hub.iterate_connections(session.client, limit=200))
        rows = [(one.id, one.name, one.erp_system, one.status) for one in found]
        session.output.table(("id", "name", "system", "status"), rows, found)


def _system(session: Session) -> str:
    found = session.hub.list_erp_systems().items
    if not is_a_person():
        raise typer.BadParameter(f"Say which ERP system: {', '.join(one.id for one in found)}")
    return pick(session.output, "Which ERP system?", [(one.id, f"{one.title}: {one.summary}") for one in found])


def without_wrong(answer: Mapping[str, Any], problem: Invalid) -> dict[str, Any]:
    """What need not be typed again: the fields that nothing was said against. Nothing when no field was named."""
    wrong = {one.pointer.split("/")[1] for one in problem.errors if one.pointer.startswith("/")}
    return {name: value for name, value in answer.items() if wrong and name not in wrong}


@dataclass
class Dialogue:
    """Somebody and a wizard."""

    session: Session
    given: Mapping[str, Mapping[str, Any]]

    def go_through(self, wizard: m.Wizard) -> m.Wizard:
        """Ask step after step until the wizard has ended. Raises HubProblem, Abort."""
        hub, client, output = self.session.hub, self.session.client, self.session.output
        given = dict(self.given)
        wizard = hub.wait_for_wizard(client, wizard.id)
        while wizard.status == "waiting" and wizard.step is not None:
            step = next(one for one in wizard.steps if one.id == wizard.step)
            answer = self._answer(wizard, step, given.pop(step.id, {}))
            try:
                hub.answer_step(client, wizard.id, step.id, answer)
            except Invalid as problem:
                output.problem(problem)
                if not is_a_person():
                    raise
                given[step.id] = without_wrong(answer, problem)
                continue
            with output.notes.status("The hub tries it out …"):
                wizard = hub.wait_for_wizard(client, wizard.id)
            self._show(wizard)
            if wizard.problem and wizard.status == "waiting" and not is_a_person():
                raise Invalid(422, wizard.problem)
        return wizard

    def _answer(self, wizard: m.Wizard, step: m.Step, beforehand: Mapping[str, Any]) -> dict[str, Any]:
        form = Form(
            self.session.output, step.schema_, lambda where: self._choices(wizard, where), dict(step.answer or {})
        )
        output = self.session.output
        if not is_a_person():
            return dict(beforehand)
        output.note(f"\n[bold reverse] {plain(step.title)} [/] {plain(step.help)}")
        return form.ask(beforehand)

    def _choices(self, wizard: m.Wizard, where: str) -> Offered:
        """What the ERP offers for a field: its companies, or what a field lists under its own name."""
        hub, client = self.session.hub, self.session.client
        if where.startswith("choices/"):
            found = hub.iterate_choices(client, wizard.id, where.removeprefix("choices/"), limit=200)
            return [(one.key, f"{one.name}  ({one.company_name})") for one in found]
        companies = hub.iterate_found_companies(client, wizard.id, limit=200)
        return [(one.key, one.name) for one in companies if not one.unavailable_reason]

    def _show(self, wizard: m.Wizard) -> None:
        output = self.session.output
        for probe in wizard.probes:
            output.note(f"  {MARKS.get(probe.outcome, '·')} {plain(probe.stage):<12} {plain(probe.detail)}")
        if wizard.problem:
            problem = cast(Mapping[str, Any], wizard.problem)
            output.note(f"[bold red]{plain(problem.get('detail', ''))}[/] [dim]({plain(problem.get('code', ''))})[/]")
        if wizard.notice:
            output.note(f"[yellow]{plain(wizard.notice)}[/]")
