"""Edits of a connection as drafts: what was, what is meant, what has changed meanwhile."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, cast

from erphub.connections.models import Company, Connection, ConnectionStatus, LastTest, Voucher
from erphub.erp.catalogue import describe
from erphub.erp.description import AnswerRole, Description
from erphub.erp.probes import ProbeView
from erphub.platform.errors import Conflict
from erphub.platform.wire import JsonObject
from erphub.wizards import problems
from erphub.wizards.models import Wizard

_MAX_COMPANIES_KEPT = 200
"""More companies than this are told as a number."""
_MAX_TEXT_KEPT = 1000
"""A longer text (a certificate) is told by its digest; drafts have only so much room."""


def answers_of(connection: Connection, companies: Sequence[str], description: Description) -> dict[str, JsonObject]:
    """The wizard's answers that would make this connection, by step; `companies` are the keys in use."""
    roles: dict[AnswerRole, Any] = {
        AnswerRole.COMPANIES: "all" if connection.includes_new_companies else list(companies),
        AnswerRole.NAME: connection.name,
        AnswerRole.SHARED: connection.is_shared,
        AnswerRole.VOUCHER_ARCHIVE: connection.voucher.provider,
        AnswerRole.VOUCHER_PATH: connection.voucher.path,
    }
    flat = {
        field.name: roles.get(field.role) if field.role else connection.settings.get(field.name)
        for field in description.fields
    }
    given = {
        step.id: {field.name: flat[field.name] for field in step.fields if flat.get(field.name) is not None}
        for step in description.steps
    }
    return {step: answer for step, answer in given.items() if answer}


def abbreviated(given: Mapping[str, JsonObject]) -> dict[str, JsonObject]:
    """The answers as a draft remembers them, to see later what has changed."""
    return {step: {name: abbreviate(value) for name, value in answer.items()} for step, answer in given.items()}


def abbreviate(value: Any) -> Any:
    """A value as it is remembered to be compared: a long list as its length, a long text as its digest."""
    if isinstance(value, list):
        items = cast(list[Any], value)
        return f"{len(items)} companies" if len(items) > _MAX_COMPANIES_KEPT else items
    if isinstance(value, str) and len(value) > _MAX_TEXT_KEPT:
        return f"{len(value)} characters, {sha256(value.encode()).hexdigest()[:16]}"
    return value


def differences(before: Mapping[str, JsonObject], now: Mapping[str, JsonObject]) -> list[JsonObject]:
    """What differs between two sets of answers, field by field."""
    one, other = _flat(before), _flat(now)
    return [
        {"field": name, "before": one.get(name), "now": other.get(name)}
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name) and name != "confirm_duplicates"
    ]


def _flat(given: Mapping[str, JsonObject]) -> dict[str, Any]:
    return {name: value for answer in given.values() for name, value in answer.items()}


def connection_changed(wizard: Wizard, live: Connection, companies: Sequence[Company], about: Description) -> Conflict:
    """That somebody else changed the connection while this draft was made, and what."""
    edit = wizard.edit
    then = edit.original_answers if edit else {}
    changed = differences(then, abbreviated(answers_of(live, [company.key for company in companies], about)))
    if edit and edit.secret_name != live.secret_name:
        changed += [{"field": name, "before": "[hidden]", "now": "[hidden]"} for name in about.secrets(live.settings)]
    return problems.CONNECTION_CHANGED(changed=changed, changed_at=live.updated_at.isoformat().replace("+00:00", "Z"))


def new_connection(wizard: Wizard, now: datetime) -> Connection:
    """The connection that a wizard's answers make."""
    settings, fields = wizard.settings, describe(wizard.erp_system).fields
    roles = {field.role: settings[field.name] for field in fields if field.role and field.name in settings}
    others = {field.name for field in fields if field.role}
    return Connection(
        id=wizard.connection_id,
        client_id=wizard.client_id,
        erp_system=wizard.erp_system,
        name=roles[AnswerRole.NAME],
        owner=wizard.owner,
        is_shared=bool(roles.get(AnswerRole.SHARED)),
        settings={name: value for name, value in settings.items() if name not in others},
        includes_new_companies=roles.get(AnswerRole.COMPANIES) == "all",
        voucher=Voucher(
            provider=roles.get(AnswerRole.VOUCHER_ARCHIVE, "none"), path=roles.get(AnswerRole.VOUCHER_PATH)
        ),
        last_test=passed_test(wizard, now),
        generation=wizard.id,
        created_at=now,
        updated_at=now,
    )


def edited_connection(before: Connection, wizard: Wizard, now: datetime, *, new_companies: bool) -> Connection:
    """The connection after an edit: what was answered, and the rest as it was. A test that it passed heals it."""
    draft, test = new_connection(wizard, now), passed_test(wizard, now)
    healed = test is not None and before.status in (ConnectionStatus.REAUTH_REQUIRED, ConnectionStatus.DEGRADED)
    changes: dict[str, Any] = {
        "name": draft.name,
        "is_shared": draft.is_shared,
        "settings": draft.settings,
        "includes_new_companies": draft.includes_new_companies,
        "voucher": draft.voucher,
        "updated_at": now,
        "status": ConnectionStatus.ACTIVE if healed else before.status,
        "last_test": test or before.last_test,
        "secret": wizard.id if wizard.edit and wizard.edit.has_own_secret else before.secret,
        "generation": wizard.id if new_companies else before.generation,
    }
    return before.model_copy(update=changes)


def passed_test(wizard: Wizard, now: datetime) -> LastTest | None:
    """The test that the wizard's answers passed; None when an edit needed none."""
    if not wizard.probes:
        return None
    probes = [ProbeView.model_validate(probe) for probe in wizard.probes]
    return LastTest(id=wizard.id, started_at=now, finished_at=now, has_passed=True, probes=probes)
