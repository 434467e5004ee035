"""A register is the same in every spelling of its name: for identity, for locations, and for what is missing."""

import unicodedata
from datetime import date

import pytest

from erphub.platform.errors import Conflict
from erphub.sync.documents.models import SubmitOutcome
from erphub.sync.locations.models import Location, register_key
from tests.support.sync import SyncHub, z_report

GAPS = "reports_missing"
ALIKE = [
    ("1", "01"),
    ("1", " 0001 "),
    ("0", "000"),
    ("1", "１"),
    ("Kasse 1", "KASSE  1"),
    ("Kasse 1", "kasse 01"),
    ("Kasse 1", "Kasse\u00a01"),
    ("Kafé", unicodedata.normalize("NFD", "KAFÉ")),
    ("Straße", "STRASSE"),
    ("", "  "),
]
DIFFERENT = [
    ("1", "2"),
    ("1", "10"),
    ("01", "10"),
    ("1", "Kasse 1"),
    ("Kasse 1", "Kasse 11"),
    ("A1", "A01"),
    ("1-1", "1-01"),
    ("1.0", "1"),
    ("Kasse", "Kassa"),
    ("1", ""),
    ("٠١", "01"),
]


def report(till: str, number: int = 1, day: str = "2026-01-05", **changes: str) -> dict[str, object]:
    return z_report(number, day, **changes) | {"department": "Oslo", "till": till}


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_these_are_one_register(hub: SyncHub, one: str, other: str) -> None:
    assert register_key(one) == register_key(other)
    hub.submit("settlement", "A", **report(one))
    again = hub.submit("settlement", "B", **report(other))
    assert (again.outcome, again.entry.external_id) == (SubmitOutcome.UNCHANGED, "A")
    with pytest.raises(Conflict) as caught:
        hub.submit("settlement", "C", **report(other, amount="250.00"))
    assert caught.value.code == "another_content"
    assert hub.submit("settlement", "A", **report(other, amount="250.00")).outcome is SubmitOutcome.REPLACED


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_these_are_two_registers(hub: SyncHub, one: str, other: str) -> None:
    assert register_key(one) != register_key(other)
    hub.submit("settlement", "A", **report(one))
    assert hub.submit("settlement", "B", **report(other)).outcome is SubmitOutcome.CREATED
    assert len(hub.gaps(to_date=date(2026, 1, 5))) == 2


@pytest.mark.parametrize(("one", "other"), [pair for pair in ALIKE if pair[0]])
def test_a_location_is_meant_by_every_spelling_of_its_registers(one: str, other: str) -> None:
    named, called = (Location(registers=(word.strip(),), department="10") for word in (one, other))
    assert named.is_of("Oslo", other)
    assert called.is_of("", one)
    assert named.overlaps(called)


@pytest.mark.parametrize(("one", "other"), [pair for pair in DIFFERENT if all(pair)])
def test_a_location_is_not_meant_by_another_register(one: str, other: str) -> None:
    assert not Location(registers=(one,), department="10").is_of("Oslo", other)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_a_register_that_changes_its_spelling_has_no_gap_there_and_is_missed_once(
    hub: SyncHub, one: str, other: str
) -> None:
    """A new till's first weeks: by hand as `Kasse 1`, by file as `KASSE 01`."""
    for number, till in ((1, one), (2, other), (4, one), (5, other)):
        hub.submit("settlement", f"Z{number}", **report(till, number, f"2026-01-{number + 4:02}"))
    [gaps] = hub.gaps(to_date=date(2026, 1, 9))
    assert (gaps["missing_numbers"], gaps["from_date"], gaps["to_date"]) == ([3], "2026-01-05", "2026-01-09")
    assert [one["missing_date"] for one in gaps["missing_days"]] == ["2026-01-07"]
    assert gaps["till"] == other.strip() or gaps["till"] == other, "as it was called last"


def test_a_shop_under_two_words_of_its_location_is_one(hub: SyncHub) -> None:
    hub.save(locations=[{"departments": ["Oslo", "2"], "department": "10"}])
    for number, shop in ((1, "Oslo"), (2, "2"), (3, "OSLO"), (5, "2")):
        document = report("1", number, f"2026-01-{number + 24:02}") | {"department": shop}
        hub.submit("settlement", f"Z{number}", **document)
    assert [gaps["missing_numbers"] for gaps in hub.gaps()] == [[4]]
    hub.transfer()
    [told] = [
        one["detail"] for one, code in zip(hub.notices.attributes, hub.notices.codes, strict=True) if code == GAPS
    ]
    assert "4" in told
