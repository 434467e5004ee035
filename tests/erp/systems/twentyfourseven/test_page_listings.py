"""The pages of all documents are listed once for those that were never tried, not by each of them again."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from erphub.erp.documents import DocumentKind
from erphub.erp.posting import NEVER_TRIED
from erphub.erp.systems.twentyfourseven.soap_images import SoapImages
from erphub.erp.systems.twentyfourseven.system import TwentyFourSevenOffice
from erphub.platform.errors import Uncertain
from local.erps.twentyfourseven import App
from tests.erp.systems.twentyfourseven.conftest import PDF, Connect, Time, posting, settlement

Z = DocumentKind.SETTLEMENT
LONG_AGO = timedelta(minutes=-20)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many texts each listing of pages by day held."""
    sizes, listing = list[int](), SoapImages._list  # pyright: ignore[reportPrivateUsage] — what is counted

    def counted(self: SoapImages, *asked: object) -> object:
        found = listing(self, *asked)  # pyright: ignore[reportArgumentType]
        sizes.append(sum(len(pages) for pages in found.pages.values()))
        return found

    monkeypatch.setattr(SoapImages, "_list", counted)
    return sizes


def key(number: int) -> str:
    return f"EH-{number:026}"


@pytest.mark.parametrize("count", [1, 8, 24])
def test_a_large_upload_lists_the_pages_once(
    user: TwentyFourSevenOffice, app: App, listed: list[int], count: int
) -> None:
    """Each further settlement costs the same calls, however many there are."""
    for number in range(1, count + 1):
        user.push(settlement(app, number), posting(key(number), pdf=PDF, quiet_since=NEVER_TRIED))
    assert listed == [0]
    first, calls = app.world.calls["soap:GetFileInfo"], app.world.calls
    assert first == 1 + count, "one of all, and one by the stamp number of each"
    assert calls["soap:SaveBundleList"] == count


def test_after_a_fault_those_that_were_quiet_before_share_a_listing(
    user: TwentyFourSevenOffice, app: App, clock: Time, listed: list[int]
) -> None:
    """All were tried, and each is looked for: one listing for drafts and one for pages, not two for each."""
    for number in range(1, 9):
        quiet = clock() + LONG_AGO
        how = posting(key(number), pdf=PDF, routing={"target": "inbox"}, quiet_since=quiet)
        assert user.find(Z, how, settlement(app, number)) is None
        user.push(settlement(app, number), how)
    assert len(listed) == 2


@pytest.mark.parametrize("quiet_since", [None, timedelta(minutes=5)])
def test_what_may_still_arrive_is_looked_for_anew(
    user: TwentyFourSevenOffice, app: App, clock: Time, listed: list[int], quiet_since: timedelta | None
) -> None:
    how = posting(key(1), pdf=PDF, quiet_since=NEVER_TRIED)
    user.push(settlement(app, 1), how)
    quiet = clock() + quiet_since if quiet_since else None
    user.push(settlement(app, 2), posting(key(2), pdf=PDF, quiet_since=quiet))
    assert len(listed) == 2


def test_an_earlier_day_than_was_listed_is_listed_too(user: TwentyFourSevenOffice, app: App, listed: list[int]) -> None:
    late, early = settlement(app, 2), settlement(app, 1)
    early = early.model_copy(update={"date": early.date - timedelta(days=9)})
    for number, document in enumerate((late, early, late.model_copy(update={"number": 3})), start=1):
        user.push(document, posting(key(number), pdf=PDF, quiet_since=NEVER_TRIED))
    assert len(listed) == 2, "the earlier day holds the later ones"


def test_pages_that_are_there_are_found_by_whoever_lists_later(by_user: Connect, app: App, clock: Time) -> None:
    """Uploaded by a transfer that died: the next one uses them, and saves none twice."""
    dead, living = by_user(), by_user()
    app.faults.add("soap:SaveBundleList", "error_before", times=1)
    how = posting(key(1), pdf=PDF, quiet_since=NEVER_TRIED)
    with pytest.raises(Uncertain):
        dead.push(settlement(app, 1), how)
    saves = app.world.calls["soap:Save"]
    clock.sleep(3600)
    living.push(settlement(app, 1), posting(key(1), pdf=PDF, quiet_since=clock() + LONG_AGO))
    assert app.world.calls["soap:Save"] == saves
