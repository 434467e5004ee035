"""The histories would tell: with one of these bugs planted, one of the first of them goes wrong."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from erphub.erp.documents import DocumentKind
from erphub.platform.errors import HubError, Unavailable
from erphub.sync.documents import decisions, identity
from erphub.sync.locations.models import Location
from erphub.sync.settings import located
from erphub.sync.settings.models import Sync, SyncSettings
from erphub.sync.transfers import delivery, locating
from erphub.sync.transfers.sending import DocumentSender
from tests.histories.machine import Chain
from tests.support.operators_log import operators_log  # noqa: F401  a fixture

pytestmark = pytest.mark.generated

ENOUGH = 150
"""Histories within which each of the bugs is met."""


def every_id_is_another_document(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(identity, "identity_of", lambda document, shop: "")


def registers_are_not_told_apart(patch: pytest.MonkeyPatch) -> None:
    right = identity.identity_of
    patch.setattr(identity, "identity_of", lambda document, shop: right(document.model_copy(update={"till": ""}), shop))


def days_are_not_told_apart(patch: pytest.MonkeyPatch) -> None:
    right = identity.identity_of
    first = {"date": date(2026, 1, 1)}
    patch.setattr(identity, "identity_of", lambda document, shop: right(document.model_copy(update=first), shop))


def shops_are_as_they_are_spelled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(identity, "shops_of", lambda sync, department, till: [department])


def what_is_of_no_known_shop_goes_to_the_first(patch: pytest.MonkeyPatch) -> None:
    right = located.settings_of

    def settings_of(sync: Sync, kind: DocumentKind, department: str, till: str) -> SyncSettings:
        try:
            return right(sync, kind, department, till)
        except Unavailable:
            return sync.settings

    for module in (decisions, locating, delivery):
        patch.setattr(module, "settings_of", settings_of)


def a_register_of_its_own_goes_with_its_shop(patch: pytest.MonkeyPatch) -> None:
    right = located.locations_of

    def found(every: Any, department: str, till: str) -> list[Location]:
        return right(every, department, "") or right(every, department, till)

    patch.setattr(located, "locations_of", found)


def the_company_of_a_shop_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    right = Location.overrides
    patch.setattr(
        Location, "overrides", lambda self: {name: one for name, one in right(self).items() if name != "company"}
    )


def what_was_tried_is_sent_again_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DocumentSender, "_find", lambda *_: None)


def it_is_looked_for_where_it_would_go_now(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DocumentSender, "_routing", lambda self, entry: self.settings.routing())


BUGS = [
    every_id_is_another_document,
    registers_are_not_told_apart,
    days_are_not_told_apart,
    shops_are_as_they_are_spelled,
    what_is_of_no_known_shop_goes_to_the_first,
    a_register_of_its_own_goes_with_its_shop,
    the_company_of_a_shop_is_forgotten,
    what_was_tried_is_sent_again_at_once,
    it_is_looked_for_where_it_would_go_now,
]


@pytest.mark.usefixtures("aws", "operators_log")
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_bug_is_found(bug: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    bug(monkeypatch)
    few = settings(
        max_examples=ENOUGH,
        stateful_step_count=10,
        deadline=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises((AssertionError, HubError)):
        run_state_machine_as_test(Chain, settings=few)
