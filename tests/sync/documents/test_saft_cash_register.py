"""Audit files of cash registers become settlements by the rules that are written down."""

import re
import subprocess
import sys
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from erphub.erp.documents import PaymentMeans, Settlement
from erphub.platform.errors import Invalid
from erphub.sync.documents import saft_cash_register, saft_roundings
from erphub.sync.documents.models import IncomingDocument
from erphub.sync.documents.saft_cash_register import read_cash_register
from tests.support.integration import integration
from tests.support.saft import file, report, two_shops


def test_the_published_sample_goes_through(samples: Path) -> None:
    [file] = (samples / "saft").glob("*Cash_Register_9*.xml")
    reading = read_cash_register(file.read_bytes())
    [coming] = reading.settlements
    settlement = coming.document
    assert isinstance(settlement, Settlement)
    assert (settlement.number, str(settlement.date), settlement.department) == (
        1,
        "2020-01-01",
        "Location A: Shop Frogner",
    )
    assert {(str(line.vat_rate), str(line.amount), str(line.vat)) for line in settlement.sales} == {
        ("15.00", "102.80", "13.42"),
        ("25.00", "411.40", "82.28"),
    }
    assert {payment.means: payment.amount for payment in settlement.payments} == {
        PaymentMeans.CASH: Decimal("295.00"),
        PaymentMeans.BANKAXEPT: Decimal("218.80"),
        PaymentMeans.ROUNDING: Decimal("-0.40"),
    }
    assert not reading.refused
    assert not reading.open_transactions


def sale(when: str, rounding: str = "0.00", more: str = "") -> str:
    day, time = when.split()
    return f"""<cashtransaction><transDate>{day}</transDate><transTime>{time}</transTime>
      <rounding><roundingAmnt>{rounding}</roundingAmnt></rounding>{more}</cashtransaction>"""


def which(coming: IncomingDocument) -> str:
    """The register and number in an id, without the digest behind them."""
    return coming.external_id.rpartition(":")[0]


@pytest.mark.parametrize(
    ("second", "department"),
    [
        ("<name>Butikk 2</name>", "Butikk 2"),
        ("<streetAddress><streetname>Storgata</streetname><city>Moss</city></streetAddress>", "Storgata, Moss"),
        ("", ""),
    ],
)
def test_two_shops_whose_tills_are_named_alike_are_two_settlements(second: str, department: str) -> None:
    reading = read_cash_register(two_shops(second))
    assert [coming.document.department for coming in reading.settlements] == ["Butikk", department]
    assert len({coming.external_id for coming in reading.settlements}) == 2


@pytest.mark.parametrize(("change", "same"), [(("", ""), True), (("999999999", "888888888"), False),
                                              (("2026-01-31", "2027-01-31"), False)])  # fmt: skip
def test_a_report_is_the_same_only_of_the_same_company_and_day(change: tuple[str, str], same: bool) -> None:
    xml = file(report()).replace(b"<company>", b"<company><companyIdent>999999999</companyIdent>")
    [one] = read_cash_register(xml).settlements
    [other] = read_cash_register(xml.replace(change[0].encode(), change[1].encode())).settlements
    assert (one.external_id == other.external_id) is same


def test_a_report_that_the_file_tells_twice_and_differently_is_refused_the_second_time() -> None:
    reading = read_cash_register(file(report() + report() + report(net="200.00", vat="50.00", paid="250.00")))
    assert len(reading.settlements) == 2, "told the same way it is the same"
    assert [refused.error.code for refused in reading.refused] == ["report_twice"]


def test_each_z_report_takes_the_rounding_of_its_own_transactions() -> None:
    both = report("1", "2026-01-30", paid="124.80") + report("2", "2026-01-31", paid="125.30")
    sales = (
        sale("2026-01-30 12:00:00", "-0.20")
        + sale("2026-01-31 12:00:00", "0.30")
        + sale("2026-01-31 13:00:00", "5.00", "<trainingID>true</trainingID>")
    )
    reading = read_cash_register(file(both, sales))
    assert [which(coming) for coming in reading.settlements] == ["R-1:1", "R-1:2"]
    assert not reading.refused


def test_without_transactions_only_a_difference_of_cash_rounding_is_taken() -> None:
    assert read_cash_register(file(report(paid="125.40"))).settlements
    [refused] = read_cash_register(file(report(paid="126.00"))).refused
    assert refused.error.errors[0].code == "settlement_does_not_balance"


def test_an_x_report_is_no_settlement() -> None:
    assert not read_cash_register(file(report(kind="X"))).settlements


def test_a_report_that_does_not_add_up_stops_no_other() -> None:
    reading = read_cash_register(file(report("1", paid="1.00") + report("2", "2026-02-01") + report("x", "2026-02-02")))
    assert [which(coming) for coming in reading.settlements] == ["R-1:2"]
    assert [refused.number for refused in reading.refused] == ["1", "x"]


def test_tips_are_owed_and_not_earned() -> None:
    tip = "<reportTip><tipNum>1</tipNum><tipAmnt>10.00</tipAmnt></reportTip>"
    [coming] = read_cash_register(file(report(paid="135.00", extra=tip))).settlements
    assert PaymentMeans.TIPS in {payment.means for payment in coming.document.payments}


def test_transactions_after_the_last_z_report_are_counted_not_sent() -> None:
    reading = read_cash_register(
        file(report(day="2026-01-30"), sale("2026-01-31 10:00:00") + sale("2026-01-31 11:00:00"))
    )
    assert reading.open_transactions == {"R 1": 2}


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (b"<auditfile/>", "not_a_cash_register_file"),
        (b"not xml", "malformed_xml"),
        (b"", "malformed_xml"),
        (file()[:-20], "malformed_xml"),
        (file(doctype='<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "doctype_refused"),
        (file(doctype='<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'), "doctype_refused"),
    ],
)
def test_what_is_no_such_file_is_refused(xml: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_cash_register(xml)
    assert caught.value.code == code


# --- odd but real values ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", ["true", "1", " 1\n", "\ttrue ", "<!-- yes -->true", "<![CDATA[1]]>"])
def test_training_is_no_part_of_the_day_however_it_is_said(training: str) -> None:
    sales = sale("2026-01-31 12:00:00", "-0.20") + sale(
        "2026-01-31 13:00:00", "7.00", f"<trainingID>{training}</trainingID>"
    )
    reading = read_cash_register(file(report(paid="124.80"), sales))
    assert [which(coming) for coming in reading.settlements] == ["R-1:1"]


@pytest.mark.parametrize("training", ["false", "0", "", " "])
def test_what_is_said_to_be_no_training_counts(training: str) -> None:
    sales = sale("2026-01-31 12:00:00", "-0.20", f"<trainingID>{training}</trainingID>")
    assert read_cash_register(file(report(paid="124.80"), sales)).settlements


@pytest.mark.parametrize(
    ("transaction", "code"),
    [
        (sale("2026-01-31 12:00:00", "0,20"), "amount_invalid"),
        (sale("2026-01-31 12:00:00", "NaN"), "amount_invalid"),
        (sale("2026-01-31 12:00:00", "1e2"), "amount_invalid"),
        (sale("2026-01-31 12:00:00", "²"), "amount_invalid"),
        (sale("2026-01-31 12:00:00", "0.20", "<trainingID>yes</trainingID>"), "truth_value_invalid"),
        (sale("2026-01-31 12:00:00", "0.20", "<voidTransaction>True</voidTransaction>"), "truth_value_invalid"),
    ],
)
def test_a_bad_value_in_a_transaction_refuses_the_report_it_belongs_to_and_no_other(
    transaction: str, code: str
) -> None:
    both = report("1", "2026-01-31") + report("2", "2026-02-01")
    reading = read_cash_register(file(both, transaction + sale("2026-02-01 12:00:00")))
    assert [which(coming) for coming in reading.settlements] == ["R-1:2"]
    [refused] = reading.refused
    assert (refused.register, refused.number, refused.error.code) == ("R 1", "1", code)
    assert refused.error.errors[0].pointer in ("/roundingAmnt", "/trainingID", "/voidTransaction")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"number": "9" * 5000}, "report_number_invalid"),
        ({"number": "²"}, "report_number_invalid"),
        ({"number": "１"}, "report_number_invalid"),
        ({"number": "1.0"}, "report_number_invalid"),
        ({"number": ""}, "report_number_invalid"),
        ({"net": "1e2"}, "amount_invalid"),
        ({"net": "100,00"}, "amount_invalid"),
        ({"vat": "INF"}, "amount_invalid"),
        ({"paid": "１２５"}, "amount_invalid"),
        ({"receipts": "one"}, "report_number_invalid"),
    ],
)
def test_a_bad_value_in_a_report_refuses_that_report_with_field_and_value(fields: dict[str, str], code: str) -> None:
    paid = {"paid": "125.40"} if "receipts" in fields else {}
    reading = read_cash_register(file(report(**(paid | fields)) + report("2", "2026-02-01")))  # type: ignore[arg-type]
    assert [which(coming) for coming in reading.settlements] == ["R-1:2"]
    [refused] = reading.refused
    assert refused.error.code == code
    assert len(refused.error.detail) < 200


@pytest.mark.parametrize("paid", ["125.00", "<![CDATA[125.00]]>", "12<!-- x -->5.00", "125<?p i?>.00", "\n +125.0 "])
def test_an_amount_is_all_that_stands_in_its_element(paid: str) -> None:
    [coming] = read_cash_register(file(report(paid=paid))).settlements
    assert isinstance(coming.document, Settlement)
    assert [payment.amount for payment in coming.document.payments] == [Decimal("125.00")]


@pytest.mark.parametrize(
    ("element", "instead", "code"),
    [
        ("paymentAmnt", "<paymentAmnt>12<fee>5</fee></paymentAmnt>", "value_invalid"),
        ("paymentAmnt", "<paymentAmnt><b>125.00</b></paymentAmnt>", "value_invalid"),
        ("reportID", "<reportID><b>1</b></reportID>", "value_invalid"),
        ("vatAmnt", "<vatAmnt>25.00</vatAmnt><vatAmnt>5.00</vatAmnt>", "value_repeated"),
        ("cashSaleAmnt", "<cashSaleAmnt>100.00</cashSaleAmnt><cashSaleAmnt>100.00</cashSaleAmnt>", "value_repeated"),
        ("reportID", "<reportID>1</reportID><reportID>3</reportID>", "value_repeated"),
        ("reportDate", "<reportDate>2026-01-31T00:00:00</reportDate>", "report_date_invalid"),
        ("reportDate", "<reportDate>2026-02-30</reportDate>", "report_date_invalid"),
        ("reportDate", "<reportDate/>", "report_date_invalid"),
        ("paymentAmnt", "<paymentAmnt>\u00a0125.00</paymentAmnt>", "amount_invalid"),
    ],
)
def test_a_value_that_can_be_read_in_two_ways_refuses_its_report(element: str, instead: str, code: str) -> None:
    odd = re.sub(f"<{element}>.*?</{element}>", instead, report(), count=1)
    assert odd != report()
    reading = read_cash_register(file(odd + report("2", "2026-02-01")))
    assert [which(coming) for coming in reading.settlements] == ["R-1:2"]
    [refused] = reading.refused
    assert (refused.error.code, refused.error.errors[0].pointer) == (code, f"/{element}")


def test_a_name_with_elements_inside_refuses_the_file() -> None:
    with pytest.raises(Invalid) as refused:
        read_cash_register(file(report()).replace(b"R 1", b"R <b>1</b>"))
    assert refused.value.code == "value_invalid"


@pytest.mark.parametrize("zone", ["Z", "+02:00", "-11:00"])
def test_day_and_time_of_a_report_may_have_their_zones(zone: str) -> None:
    [plain] = read_cash_register(file(report())).settlements
    zoned = report(day=f"2026-01-31{zone}").replace("23:00:00", f"23:00:00.000{zone}")
    [coming] = read_cash_register(file(zoned)).settlements
    assert coming == plain


def test_transactions_belong_to_their_report_however_their_times_are_written() -> None:
    odd = "2026-01-31 23:00:00.000Z"
    reading = read_cash_register(file(report(paid="125.40"), sale(odd, "0.40")))
    assert not reading.open_transactions
    assert not reading.refused
    [coming] = reading.settlements
    assert isinstance(coming.document, Settlement)
    assert {one.means: one.amount for one in coming.document.payments}[PaymentMeans.ROUNDING] == Decimal("0.40")


def written(encoding: str, mark: bytes = b"") -> bytes:
    """A file of a shop with letters of its own, in an encoding, with or without a byte order mark."""
    text = file(report()).decode().replace("Butikk", "Blåbær & Sønn Æ".replace("&", "&amp;"))
    declared = f'<?xml version="1.0" encoding="{encoding}"?>' if encoding else '<?xml version="1.0"?>'
    return mark + text.replace('<?xml version="1.0"?>', declared).encode(encoding or "utf-8")


@pytest.mark.parametrize(
    "xml",
    [
        pytest.param(written("utf-8", b"\xef\xbb\xbf"), id="UTF-8 with a mark"),
        pytest.param(written("iso-8859-1"), id="ISO-8859-1"),
        pytest.param(written("iso-8859-15"), id="ISO-8859-15"),
        pytest.param(written("windows-1252"), id="windows-1252"),
        pytest.param(written("utf-16"), id="UTF-16 with a mark"),
        pytest.param(written("utf-16-le", b"\xff\xfe").replace(b"-\0l\0e\0", b""), id="UTF-16 little endian"),
    ],
)
def test_the_same_file_is_the_same_settlement_in_whatever_encoding(xml: bytes) -> None:
    [expected] = read_cash_register(written("")).settlements
    [coming] = read_cash_register(xml).settlements
    assert coming == expected
    assert coming.document.department == "Blåbær & Sønn Æ"


def test_a_file_whose_bytes_are_not_what_it_declares_is_refused_and_never_read_wrong() -> None:
    with pytest.raises(Invalid) as refused:
        read_cash_register(written("windows-1252").replace(b"windows-1252", b"utf-8"))
    assert refused.value.code == "malformed_xml"


# --- long files, and files in another order --------------------------------------------------------------------------


def days(count: int) -> str:
    return "".join(report(str(n + 1), f"2026-01-{n + 1:02}", paid="124.80") for n in range(count))


def rounded(count: int, each: int = 1) -> str:
    return "".join(sale(f"2026-01-{n + 1:02} 12:{m:02}:00", "-0.20") for n in range(count) for m in range(each))


def test_reports_behind_their_transactions_are_read_alike() -> None:
    whole = read_cash_register(file(days(3), rounded(3)))
    turned = read_cash_register(file(rounded(3), days(3)))
    mixed = read_cash_register(
        file(rounded(2) + days(2), sale("2026-01-03 12:00:00", "-0.20") + days(3)[len(days(2)) :])
    )
    assert whole == turned == mixed
    assert len(whole.settlements) == 3


def test_many_transactions_are_added_up_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    few = read_cash_register(file(days(3), rounded(3) + sale("2026-01-04 09:00:00")))
    monkeypatch.setattr(saft_roundings, "MOST_WAITING", 1)
    assert read_cash_register(file(days(3), rounded(3) + sale("2026-01-04 09:00:00"))) == few
    assert few.open_transactions == {"R 1": 1}


@pytest.mark.parametrize("amount", ["x", "1e5"])
def test_a_bad_value_among_many_transactions_refuses_its_report_alone(
    monkeypatch: pytest.MonkeyPatch, amount: str
) -> None:
    monkeypatch.setattr(saft_roundings, "MOST_WAITING", 1)
    reading = read_cash_register(
        file(days(3), rounded(1) + sale("2026-01-02 12:00:00", amount) + rounded(3)[len(rounded(2)) :])
    )
    assert [refused.number for refused in reading.refused] == ["2"]
    assert len(reading.settlements) == 2


def test_a_report_behind_many_transactions_is_refused_with_its_register_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(saft_roundings, "MOST_WAITING", 2)
    one = file(days(2), rounded(2, each=2) + report("3", "2026-01-03"))
    other = f"<cashregister><registerID>R 2</registerID>{report()}</cashregister></location>"
    reading = read_cash_register(one.replace(b"</location>", other.encode()))
    assert [(refused.number, refused.error.code) for refused in reading.refused] == [
        (number, "report_behind_transactions") for number in "123"
    ]
    assert [which(coming) for coming in reading.settlements] == ["R-2:1"]


def test_a_file_with_too_many_reports_is_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saft_cash_register, "MAX_REPORTS", 2)
    assert len(read_cash_register(file(days(2), rounded(2))).settlements) == 2
    with pytest.raises(Invalid) as refused:
        read_cash_register(file(days(3), rounded(3)))
    assert refused.value.code == "too_many_reports"


def test_another_document_is_refused_before_it_is_read() -> None:
    class Endless(BytesIO):
        """A document that does not end; whoever reads on for ever takes all memory."""

        def readinto(self, buffer: Any, /) -> int:
            assert self.tell() < 1 << 20, "it is read on"
            room = memoryview(buffer)
            beginning = b"<catalogue>" if not self.tell() else b""
            room[:] = (beginning + b"<x>1</x>" * (len(room) // 8 + 1))[: len(room)]
            self.seek(self.tell() + len(room))
            return len(room)

    with pytest.raises(Invalid) as refused:
        read_cash_register(Endless())
    assert refused.value.code == "not_a_cash_register_file"


PEAK = """
import resource, sys
from benchmarks import audit_files
from erphub.sync.documents.saft_cash_register import read_cash_register
reading = read_cash_register(audit_files.stream(audit_files.cash_registers(int(sys.argv[1]) * 10**6)))
print(len(reading.settlements), len(reading.refused), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.fixture
@integration
def in_processes_of_their_own() -> None:
    """Each file is read by a fresh process, whose highest memory is its own."""


@pytest.mark.usefixtures("in_processes_of_their_own")
def test_memory_does_not_grow_with_the_length_of_a_file() -> None:
    def read(megabytes: int) -> tuple[int, int, int]:
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(megabytes)], capture_output=True, text=True, check=True, timeout=60
        )
        settlements, refused, peak = map(int, done.stdout.split())
        return settlements, refused, peak

    short, long = read(5), read(40)
    assert short[:2] == long[:2] == (1460, 0), "as many days, eight times the transactions"
    assert long[2] <= short[2] + 5, (short, long)
