"""Wizards in the tenant table.

`status`, `version` and the token's `token` are attributes of their own, because connect.asl.json writes them. Index
`due` holds every wizard until what it leaves behind has been removed, sorted by when that should have happened.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, override

from pydantic_core import from_json

from erphub.erp.system import FoundChoice, FoundCompany
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, key_of, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.capability import Limit
from erphub.platform.limits import StockCount
from erphub.platform.text import searchable
from erphub.platform.wire import instant
from erphub.platform.writes import Key, Write
from erphub.tenancy.dynamodb import client_key
from erphub.wizards.capability import WIZARDS
from erphub.wizards.models import Wizard, WizardStatus
from erphub.wizards.ports import ListedOptions, WizardStore

_RETENTION = timedelta(days=7)
"""How long an ended wizard can still be looked at."""
_OVERDUE_AFTER = timedelta(hours=1)
"""How long after its end a wizard's machine may take to remove what it leaves; working on an answer takes minutes."""
_SHARD = "wizards"
"""The partition of index `due`."""


def wizard_item(wizard: Wizard) -> Item:
    """The item: what conditions and the machine need as attributes, the rest as one text."""
    return {
        **wizard_key(wizard.client_id, wizard.id),
        "status": wizard.status.value,
        "version": wizard.version,
        "connection_id": wizard.connection_id,
        "due_shard": _SHARD,
        "due_at": instant(wizard.expires_at + _OVERDUE_AFTER),
        "expires_at": int((wizard.expires_at + _RETENTION).timestamp()),
        "body": wizard.model_dump_json(exclude={"status", "version"}),
    }


class WizardTable(WizardStore):
    """One item per wizard, and one for what resumes its machine."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def create(self, wizard: Wizard) -> None:
        open_wizard = {
            **open_wizard_key(wizard.client_id, wizard.id),
            "expires_at": int((wizard.created_at + _RETENTION).timestamp()),
        }
        there = "attribute_not_exists(pk)"
        self._table.transact([Write(put=wizard_item(wizard), condition=there), Write(put=open_wizard)])

    @override
    def get(self, client_id: str, wizard_id: str) -> Wizard | None:
        item = self._table.get(wizard_key(client_id, wizard_id))
        if item is None:
            return None
        own = {"status": item["status"], "version": int(item["version"])}
        return Wizard.model_validate(from_json(item["body"]) | own)

    @override
    def replacing(self, wizard: Wizard) -> tuple[Wizard, Write]:
        after = wizard.model_copy(update={"version": wizard.version + 1})
        values = {"read_version": wizard.version}
        return after, Write(put=wizard_item(after), condition="version = :read_version", values=values)

    @override
    def replace(self, wizard: Wizard) -> Wizard:
        after, write = self.replacing(wizard)
        self._table.put(wizard_item(after), condition=write.condition, **write.values)
        return after

    @override
    def overdue(self, now: datetime) -> Iterator[tuple[str, str]]:
        for item in self._table.by_index("due", "due_shard", _SHARD, at_most=("due_at", instant(now))):
            yield item["pk"].removeprefix("CLIENT#"), item["sk"].removeprefix("WIZARD#")

    @override
    def of_connection(self, client_id: str, connection_id: str) -> Sequence[str]:
        found = self._table.keys_in_index("connection", ("connection_id", "sk"), connection_id, "WIZARD#")
        return [key["sk"].removeprefix("WIZARD#") for key in found if key["pk"] == client_key(client_id)["pk"]]

    @override
    def mark_cleaned_up(self, wizard: Wizard) -> None:
        key = wizard_key(wizard.client_id, wizard.id)
        self._table.delete(open_wizard_key(wizard.client_id, wizard.id))
        try:
            self._table.update(key, "REMOVE due_shard, due_at", condition="attribute_exists(pk)")
        except VersionConflict:  # it has been forgotten altogether
            return

    @override
    def token(self, wizard: Wizard) -> str | None:
        item = self._table.get(wizard_token_key(wizard.client_id, wizard.id))
        return item["token"] if item else None


@dataclass(frozen=True)
class OpenWizardCount(StockCount):
    """Counts the wizards of a client that are open, by their short items: what a wizard lists lies among the others."""

    table: Table

    @property
    @override
    def limit(self) -> Limit:
        return WIZARDS

    @override
    def count(self, owner_id: str, most: int) -> int:
        first = open_wizard_key(owner_id, "")
        ids = [item["sk"].removeprefix(first["sk"]) for item in self.table.read_all(first["pk"], first["sk"])]
        found = self.table.get_many([wizard_key(owner_id, one) for one in ids])
        return sum(WizardStatus(item["status"]).is_open for item in found)


class OptionTable(ListedOptions):
    """One item per company and choice, below their wizard's."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def put_companies(self, wizard: Wizard, companies: Sequence[FoundCompany]) -> None:
        self._keep_only([_company_item(wizard, company) for company in companies], self._companies(wizard))

    @override
    def search_companies(
        self, wizard: Wizard, search: str, limit: int, cursor: str | None
    ) -> tuple[Sequence[FoundCompany], str | None]:
        pk, prefix = _company_prefix(wizard)
        words = searchable(search)
        page = self._table.search(pk, prefix, lambda item: words in item["words"], limit=limit, cursor=cursor)
        return [_company(item) for item in page.items], page.next

    @override
    def companies(self, wizard: Wizard) -> Sequence[FoundCompany]:
        return [_company(item) for item in self._companies(wizard)]

    @override
    def put_choices(self, wizard: Wizard, field: str, choices: Sequence[FoundChoice]) -> None:
        self._keep_only([_choice_item(wizard, field, choice) for choice in choices], self._choices(wizard, field))

    @override
    def search_choices(
        self, wizard: Wizard, field: str, search: str, limit: int, cursor: str | None
    ) -> tuple[Sequence[FoundChoice], str | None]:
        words = searchable(search)
        prefix = _choice_prefix(wizard, field)
        page = self._table.search(*prefix, lambda item: words in item["words"], limit=limit, cursor=cursor)
        return [_choice(item) for item in page.items], page.next

    @override
    def choices(self, wizard: Wizard, field: str) -> Sequence[FoundChoice]:
        return [_choice(item) for item in self._choices(wizard, field)]

    @override
    def delete(self, wizard: Wizard) -> None:
        found = [*self._companies(wizard), *self._choices(wizard)]
        self._table.delete_many([wizard_token_key(wizard.client_id, wizard.id), *map(key_of, found)])

    def _keep_only(self, items: Sequence[Item], before: Sequence[Item]) -> None:
        there = {(item["pk"], item["sk"]) for item in items}
        self._table.put_many(items)
        self._table.delete_many([key_of(item) for item in before if (item["pk"], item["sk"]) not in there])

    def _choices(self, wizard: Wizard, *field: str) -> list[Item]:
        return list(self._table.read_all(*_choice_prefix(wizard, *field)))

    def _companies(self, wizard: Wizard) -> list[Item]:
        return list(self._table.read_all(*_company_prefix(wizard)))


def _company_prefix(wizard: Wizard) -> tuple[str, str]:
    key = wizard_company_key(wizard.client_id, wizard.id, "")
    return key["pk"], key["sk"]


def _company_item(wizard: Wizard, company: FoundCompany) -> dict[str, Any]:
    return {
        **wizard_company_key(wizard.client_id, wizard.id, company.key),
        "key": company.key,
        "name": company.name,
        "problem": company.problem,
        "attributes": json.dumps(dict(company.attributes)),
        "words": searchable(f"{company.name}\n{company.key}"),
        "expires_at": int((wizard.expires_at + _RETENTION).timestamp()),
    }


def _choice_prefix(wizard: Wizard, *field: str) -> tuple[str, str]:
    """Where the choices of a field are, or those of all fields."""
    key = wizard_choice_key(wizard.client_id, wizard.id, *field, "")
    return key["pk"], key["sk"]


def _choice_item(wizard: Wizard, field: str, choice: FoundChoice) -> dict[str, Any]:
    return {
        **wizard_choice_key(wizard.client_id, wizard.id, field, choice.key),
        "company": choice.company,
        "company_name": choice.company_name,
        "own_key": choice.own_key,
        "name": choice.name,
        "words": searchable(f"{choice.name}\n{choice.key}\n{choice.company_name}"),
        "expires_at": int((wizard.expires_at + _RETENTION).timestamp()),
    }


def _choice(item: Item) -> FoundChoice:
    return FoundChoice(item["company"], item["company_name"], item["own_key"], item["name"])


def _company(item: Item) -> FoundCompany:
    return FoundCompany(item["key"], item["name"], item.get("problem"), from_json(item["attributes"]))


def wizard_key(client_id: str, wizard_id: str) -> Key:
    """The key of a wizard."""
    return make_key(f"CLIENT#{client_id}", "WIZARD", wizard_id)


def open_wizard_key(client_id: str, wizard_id: str) -> Key:
    """The key that says a wizard has not been cleaned up after."""
    return make_key(f"CLIENT#{client_id}", "WIZARD-OPEN", wizard_id)


def wizard_token_key(client_id: str, wizard_id: str) -> Key:
    """The key of a wizard token."""
    return make_key(f"CLIENT#{client_id}", "WIZARD", wizard_id, "TOKEN")


def wizard_company_key(client_id: str, wizard_id: str, company: str) -> Key:
    """The key of a wizard company."""
    return make_key(f"CLIENT#{client_id}", "WIZARD", wizard_id, "COMPANY", company)


def wizard_choice_key(client_id: str, wizard_id: str, *field_and_choice: str) -> Key:
    """The key of a wizard choice."""
    return make_key(f"CLIENT#{client_id}", "WIZARD", wizard_id, "CHOICE", *field_and_choice)
