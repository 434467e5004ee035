"""The companies a run is about, when its connection uses all there are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from erphub.connections.models import Company, Connection
from erphub.erp.system import FoundCompany
from erphub.imports.runs.sources import ConnectedSources
from tests.support.imports import CLIENT, CONNECTION

NOW = datetime(2026, 1, 24, 8, tzinfo=UTC)


@dataclass
class Installation:
    """An ERP with companies, and a connection that uses them; satisfies what the sources ask of the world."""

    found: list[FoundCompany]
    used: list[str]
    includes_new_companies: bool = True
    refused: Sequence[str] = ()
    adopted: list[str] = field(default_factory=list[str])

    def get(self, *_: str) -> Any:
        return Connection(
            id=CONNECTION,
            client_id=CLIENT,
            erp_system="visma-business",
            name="Main office",
            owner="u",
            is_shared=False,
            settings={},
            includes_new_companies=self.includes_new_companies,
            created_at=NOW,
            updated_at=NOW,
        )

    def check(self) -> Any:
        raise AssertionError("nobody tests the connection here")

    def companies(self, *whose: str) -> Any:
        return (
            [Company(key=key, name=f"{key} AS", attributes={"database": key}) for key in self.used]
            if whose
            else self.found
        )

    def connected(self, _: Connection) -> Any:
        return self

    def claim_new_companies(self, connection: Connection, found: Sequence[FoundCompany]) -> Sequence[FoundCompany]:
        self.adopted += [company.key for company in found]
        return [company for company in found if company.key not in self.refused]

    def sources(self) -> ConnectedSources:
        stores: Any = self

        return ConnectedSources(stores, stores, stores, self)

    def problems(self) -> dict[str, str | None]:
        sources = self.sources()
        return {company.key: company.problem for company in sources.companies(sources.get(CLIENT, CONNECTION))}


def test_a_company_in_use_that_cannot_be_opened_is_not_left_out_without_a_word() -> None:
    away = FoundCompany("F2", "Two AS", "The database is being restored.")
    office = Installation([FoundCompany("F1", "One AS"), away], used=["F1", "F2"])
    assert office.problems() == {"F1": None, "F2": "The database is being restored."}
    assert office.adopted == ["F1"], "nobody takes a company that cannot be opened"


def test_a_company_in_use_that_is_gone_is_not_left_out_without_a_word() -> None:
    office = Installation([FoundCompany("F1", "One AS")], used=["F1", "F2"])
    found = office.problems()
    assert found["F1"] is None
    assert "no longer" in str(found["F2"])


def test_a_company_in_use_that_the_connection_may_no_longer_use_is_named_too() -> None:
    both = [FoundCompany("F1", "One AS"), FoundCompany("F2", "Two AS")]
    assert "another connection" in str(Installation(both, used=["F1", "F2"], refused=["F2"]).problems()["F2"])


@pytest.mark.parametrize("problem", [None, "The login may not open it."])
def test_a_company_that_was_never_used_joins_when_it_can_be_opened_and_is_nobodys_trouble_before(
    problem: str | None,
) -> None:
    office = Installation([FoundCompany("F1", "One AS"), FoundCompany("F3", "Three AS", problem)], used=["F1"])
    assert office.problems() == ({"F1": None} if problem else {"F1": None, "F3": None})


def test_chosen_companies_are_those_that_were_chosen() -> None:
    office = Installation(
        [FoundCompany("F1", "One AS"), FoundCompany("F2", "Two AS")], used=["F2"], includes_new_companies=False
    )
    assert office.problems() == {"F2": None}
