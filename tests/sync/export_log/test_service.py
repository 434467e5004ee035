"""What did not get through can be found, understood, put right and shown to others."""

import csv
from datetime import date, timedelta
from io import StringIO

import pytest

from erphub.connections.models import ConnectionStatus
from erphub.erp.documents import DocumentKind
from erphub.platform.errors import Conflict, NotFound
from erphub.sync.export_log.models import EntryStatus
from erphub.sync.export_log.schemas import GapQuery, LogQuery, ManualPosting, RetryRequest, RetryResult, SkipRequest
from tests.support.sync import CLIENT, CONNECTION, SyncHub, z_report

Z = DocumentKind.SETTLEMENT


@pytest.fixture
def month(hub: SyncHub) -> SyncHub:
    """A month with two settlements that fail: an account that is missing, and an outage after applying."""
    for day in range(1, 21):
        hub.settlement(day, day=f"2026-01-{day:02}", means="vipps" if day == 7 else "cash")
    hub.erp.faults = ["ok"] * 10 + ["lost_after"]
    hub.transfer()
    return hub


def test_a_month_with_two_that_fail_ends_with_each_voucher_once(month: SyncHub) -> None:
    groups = [one.model_dump(mode="json") for one in month.exports.group_by_code(CLIENT, CONNECTION)]
    assert {(group["code"], group["count"]) for group in groups} == {("account_missing", 1), ("answer_lost", 1)}
    month.erp.accounts["2400"] = True
    means = month.settings["accounts"]["payment_means"] | {"vipps": "2400"}
    month.save(accounts=month.settings["accounts"] | {"payment_means": means})
    done = month.exports.retry_many(CLIENT, CONNECTION, RetryRequest(code="account_missing"))
    assert done == RetryResult(retried_count=1, failed=[])
    month.clock.pass_(minutes=21)
    month.transfer()
    for day in range(1, 21):
        assert len(month.vouchers(Z, f"Z{day}")) == 1
        assert month.entry(Z, f"Z{day}").status is EntryStatus.SENT
    assert month.exports.group_by_code(CLIENT, CONNECTION) == []


def test_the_log_is_listed_by_state_day_code_and_text(month: SyncHub) -> None:
    def found(**query: object) -> list[str]:
        return [
            entry.external_id
            for entry in month.exports.list_entries(CLIENT, CONNECTION, LogQuery.model_validate(query)).items
        ]

    assert found(limit=3) == ["Z20", "Z19", "Z18"], "the newest day first"
    assert found(status="rejected") == ["Z7"]
    assert found(from_date="2026-01-05", to_date="2026-01-06") == ["Z6", "Z5"]
    assert found(code="answer_lost") == ["Z11"]
    assert found(text="finnes ikke") == ["Z7"], "the ERP's own words count"
    assert found(kind="invoice") == []
    assert len(found(status="sent", limit=200)) == 18


def test_pages_follow_each_other_without_gaps(month: SyncHub) -> None:
    seen: list[str] = []
    query = LogQuery(limit=7)
    while True:
        page = month.exports.list_entries(CLIENT, CONNECTION, query)
        seen += [entry.external_id for entry in page.items]
        if page.next is None:
            break
        query = LogQuery(limit=7, next=page.next)
    assert seen == [f"Z{day}" for day in range(20, 0, -1)]


def test_every_attempt_is_kept_with_who_what_and_the_erps_words(month: SyncHub) -> None:
    month.exports.retry(CLIENT, CONNECTION, month.entry(Z, "Z7").id)
    month.transfer()
    _, tries = month.exports.get(CLIENT, CONNECTION, month.entry(Z, "Z7").id)
    assert [(one.number, one.outcome, one.started_by, one.code) for one in tries] == [
        (1, "rejected", "ada", "account_missing"),
        (2, "rejected", "ada", "account_missing"),
    ]
    assert tries[0].erp_message == "Konto  finnes ikke"
    assert len(tries[0].content_hash) == 64
    assert tries[0].document["number"] == 7


def test_what_is_in_the_erp_can_neither_be_retried_nor_skipped(month: SyncHub) -> None:
    sent = month.entry(Z, "Z1").id
    for verb in (
        lambda: month.exports.retry(CLIENT, CONNECTION, sent),
        lambda: month.exports.skip(CLIENT, CONNECTION, sent, "ada", SkipRequest(reason="x")),
        lambda: month.exports.post_manually(CLIENT, CONNECTION, sent, "ada", ManualPosting(voucher="1")),
    ):
        with pytest.raises(Conflict) as caught:
            verb()
        assert caught.value.code == "already_sent"


def test_an_uncertain_document_is_not_hurried_past_its_settle_time(month: SyncHub) -> None:
    entry = month.exports.retry(CLIENT, CONNECTION, month.entry(Z, "Z11").id)
    assert entry.retry_at is not None
    month.transfer()
    assert month.entry(Z, "Z11").status is EntryStatus.UNCERTAIN


def test_a_skipped_document_says_why_and_by_whom_and_can_be_brought_back(month: SyncHub) -> None:
    entry = month.exports.skip(
        CLIENT, CONNECTION, month.entry(Z, "Z7").id, "ada@example.test", SkipRequest(reason="Kassen var i demo")
    )
    assert (entry.status, entry.detail) == (EntryStatus.SKIPPED, "Kassen var i demo (ada@example.test)")
    assert month.exports.retry(CLIENT, CONNECTION, entry.id).status is EntryStatus.PENDING


def test_missing_numbers_and_days_are_listed(month: SyncHub) -> None:
    for day in (23, 24):
        month.settlement(day, day=f"2026-01-{day:02}")
    [gaps] = month.gaps(to_date=date(2026, 1, 24))
    assert gaps["missing_numbers"] == [21, 22]
    assert [(day["missing_date"], day["is_usually_open"]) for day in gaps["missing_days"]] == [
        ("2026-01-21", True),
        ("2026-01-22", True),
    ]


def test_a_weekday_that_is_always_closed_is_said_to_be_usual(hub: SyncHub) -> None:
    number = 0
    for offset in range(28):
        day = date(2026, 1, 1) + timedelta(days=offset)
        if day.weekday() != 6:
            number += 1
            hub.settlement(number, day=day.isoformat())
    [gaps] = hub.gaps()
    assert gaps["missing_numbers"] == []
    assert {day["missing_date"] for day in gaps["missing_days"] if not day["is_usually_open"]} == {
        f"2026-01-{sunday:02}" for sunday in (4, 11, 18, 25)
    }
    assert [day["missing_date"] for day in gaps["missing_days"] if day["is_usually_open"]] == [
        "2026-01-29",
        "2026-01-30",
        "2026-01-31",
    ], "the till has fallen silent, and only today may still come"


def test_days_after_the_last_z_report_are_missing_and_none_before_a_tills_first(hub: SyncHub) -> None:
    for number, day in ((1, "2026-01-05"), (2, "2026-01-06"), (3, "2026-01-07")):
        hub.settlement(number, day)
    [gaps] = hub.gaps(from_date=date(2026, 1, 1), to_date=date(2026, 1, 31))
    assert (gaps["from_date"], gaps["to_date"]) == ("2026-01-05", "2026-01-07")
    assert [int(day["missing_date"][-2:]) for day in gaps["missing_days"]] == [*range(8, 32)]
    assert hub.gaps(to_date=date(2027, 1, 1)) == [gaps], "tomorrow is not missing"


def test_a_shop_that_has_stopped_sending_is_missed(hub: SyncHub) -> None:
    for day in (1, 2, 3):
        hub.submit("settlement", f"Oslo-{day}", **z_report(day, f"2026-01-{day:02}") | {"department": "Oslo"})
    hub.submit("settlement", "Moss-4", **z_report(4, "2026-01-20") | {"department": "Moss"})
    found = hub.gaps(from_date=date(2026, 1, 20), to_date=date(2026, 1, 21))
    assert {gaps["department"]: len(gaps["missing_days"]) for gaps in found} == {"Moss": 1, "Oslo": 2}


def test_two_tills_of_a_shop_do_not_hide_each_others_gaps(hub: SyncHub) -> None:
    for till, numbers in (("1", (1, 2, 4)), ("2", (3, 4, 5))):
        for day, number in enumerate(numbers, start=1):
            report = z_report(number, f"2026-01-{day:02}") | {"department": "Oslo", "till": till}
            hub.submit("settlement", f"{till}-{number}", **report)
    found = hub.gaps()
    assert [(gaps["till"], gaps["missing_numbers"]) for gaps in found] == [("1", [3]), ("2", [])]


def test_a_till_that_counts_anew_or_leaps_has_no_gap_of_a_million_numbers(hub: SyncHub) -> None:
    for day, number in enumerate((364, 365, 1, 3, 20_000_000, 20_000_002), start=1):
        hub.settlement(number, f"2026-01-{day:02}")
    [gaps] = hub.gaps(to_date=date(2026, 1, 6))
    assert gaps["missing_numbers"] == [2, 20_000_001]


def a_day_of(hub: SyncHub, *tills: str) -> list[str]:
    """A day passes; these tills hand in the Z-report of yesterday, and it is sent. What people were told since."""
    hub.clock.pass_(days=1)
    before, day = len(hub.notices.codes), hub.clock().date() - timedelta(days=1)
    for till in tills:
        report = z_report(day.toordinal(), day.isoformat()) | {"department": "Oslo", "till": till}
        hub.submit("settlement", f"{till}-{day}", **report)
    hub.transfer()
    return hub.notices.codes[before:]


def test_people_are_told_once_of_a_z_report_that_did_not_come(hub: SyncHub) -> None:
    told = [a_day_of(hub, "1") for _ in range(10)]
    told += [a_day_of(hub), *(a_day_of(hub, "1") for _ in range(10))]
    assert [notices for notices in told if notices] == [["reports_missing"]]
    [facts] = hub.notices.attributes
    day = date(2026, 2, 11)
    gap = {"department": "Oslo", "till": "1", "missing_numbers": [day.toordinal()], "missing_days": [str(day)]}
    assert facts["tills"] == [gap]
    assert facts["detail"].startswith(f"No Z-report came of {day}, nor with number {day.toordinal()}.")


def test_a_till_that_falls_silent_while_others_go_on_is_told_of_once(hub: SyncHub) -> None:
    for _ in range(10):
        assert a_day_of(hub, "1", "2") == []
    told = [a_day_of(hub, "2") for _ in range(12)]
    assert [notices for notices in told if notices] == [["reports_missing"]]
    assert [gap["till"] for gap in hub.notices.attributes[0]["tills"]] == ["1"]


def test_what_lies_before_a_tills_first_z_report_and_on_closed_days_is_not_missed(hub: SyncHub) -> None:
    for _ in range(28):
        closed = hub.clock().date().isoweekday() == 7
        assert a_day_of(hub, *([] if closed else ["1"])) in ([], ["reports_missing"])
    numbers_only = [gap["missing_days"] for facts in hub.notices.attributes for gap in facts["tills"]]
    assert not any(numbers_only), "a shop that closes on Sundays misses none"


def test_the_log_can_be_taken_away_as_csv_without_running_in_a_spreadsheet(hub: SyncHub) -> None:
    hub.submit("product", "P1", number="P1", name="x", price="1")
    entry = hub.entry(DocumentKind.PRODUCT, "P1")
    hub.exports.skip(CLIENT, CONNECTION, entry.id, "ada", SkipRequest(reason="=HYPERLINK(1)"))
    rows = list(csv.DictReader(StringIO(hub.exports.export_csv(CLIENT, CONNECTION, LogQuery()))))
    assert rows[0]["external_id"] == "P1"
    assert rows[0]["detail"].startswith("'=")


def test_another_client_sees_nothing(month: SyncHub) -> None:
    other = "0" * 26
    entry = month.entry(Z, "Z1").id
    for ask in (
        lambda: month.exports.list_entries(other, CONNECTION, LogQuery()),
        lambda: month.exports.get(other, CONNECTION, entry),
        lambda: month.settings_service.get(other, CONNECTION),
        lambda: month.exports.list_gaps(other, CONNECTION, GapQuery()),
    ):
        with pytest.raises(NotFound):
            ask()


def test_what_waits_never_expires_and_what_is_done_does(month: SyncHub) -> None:
    kept = {item["sk"]: item.get("expires_at") for item in month.items().values() if item["sk"].startswith("ENTRY#")}
    assert kept[f"ENTRY#{month.entry(Z, 'Z7').id}"] is None
    sent = kept[f"ENTRY#{month.entry(Z, 'Z1').id}"]
    assert sent == int(month.clock().timestamp()) + 1100 * 86400


def test_people_are_told_once_of_the_first_refusal(month: SyncHub) -> None:
    month.transfer()
    assert month.notices.codes == ["document_rejected"]
    month.exports.skip(CLIENT, CONNECTION, month.entry(Z, "Z7").id, "ada", SkipRequest(reason="x"))
    month.transfer()
    month.settlement(21, day="2026-01-21", means="vipps")
    month.transfer()
    assert month.notices.codes == ["document_rejected", "document_rejected"]


def habit(hub: SyncHub, first: int = 1) -> None:
    """A Z-report a day, for ten days."""
    for number in range(first, first + 10):
        hub.clock.pass_(hours=24)
        hub.settlement(number, day="2026-01-31")
        hub.transfer()


@pytest.mark.parametrize("automatic", [True, False])
def test_people_are_told_once_when_nothing_is_sent_for_longer_than_usual(hub: SyncHub, automatic: bool) -> None:
    hub.save(is_automatic=automatic)
    habit(hub)
    for _ in range(10):
        hub.clock.pass_(hours=24)
        hub.tick()
    assert hub.notices.codes == ["nothing_sent"]
    habit(hub, 11)
    for _ in range(20):
        hub.clock.pass_(hours=24)
        hub.tick()
    assert hub.notices.codes == ["nothing_sent", "nothing_sent"], "it had gone well again in between"


def test_what_is_paused_is_meant_to_be_silent(hub: SyncHub) -> None:
    habit(hub)
    connection = hub.connections.connection
    assert connection is not None
    hub.connections.connection = connection.model_copy(update={"status": ConnectionStatus.PAUSED})
    for _ in range(10):
        hub.clock.pass_(hours=24)
        hub.tick()
    assert hub.notices.codes == []


def test_silence_is_told_though_a_document_comes_in_at_that_moment(hub: SyncHub) -> None:
    habit(hub)
    hub.clock.pass_(days=4)
    stale = hub.sync()
    hub.settlement(99)
    assert hub.silence.check(stale)
    assert hub.sync().silence_alert_at is None
    hub.tick()
    assert hub.notices.codes == ["nothing_sent"]


def test_a_notice_names_the_document_that_was_refused(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.settlement(2, means="vipps")
    hub.settlement(3, means="vipps")
    transfer = hub.transfer()
    [told] = hub.notices.attributes
    assert told["entry_id"] == hub.entry(Z, "Z2").id
    assert (told["external_id"], told["kind"], told["reason"]) == ("Z2", "settlement", "account_missing")
    assert (told["transfer_id"], told["rejected_count"]) == (transfer.id, 2)
    assert "Z-report 2 of 2026-01-31" in told["detail"]
    assert "and 1 more" in told["detail"]
