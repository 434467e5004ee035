"""Random documents, faults, retries, crashes and clock jumps: nothing is lost, and nothing reaches the ledger twice."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from erphub.erp.documents import DocumentKind, Settlement
from erphub.platform.errors import Conflict, Invalid, Unavailable
from erphub.sync.canonical import entry_id
from erphub.sync.export_log.models import EntryStatus
from erphub.sync.export_log.schemas import RetryRequest, SkipRequest
from tests.support.sync import CLIENT, CONNECTION, FAULTS, SyncHub, expect, z_report

pytestmark = pytest.mark.generated

Z, K, B = DocumentKind.SETTLEMENT, DocumentKind.CUSTOMER, DocumentKind.INVOICE
NUMBERS = st.integers(1, 6)
LINE = {"description": "Kaffe", "quantity": "1", "unit_price": "10", "vat_rate": "25"}


def expect_wrong(error: Invalid, *codes: str) -> None:
    """Only this may be wrong."""
    assert {wrong.code for wrong in error.errors} <= set(codes)


class TillAndLedger(RuleBasedStateMachine):
    """The model: the body each document was last accepted with. The ledger must end with exactly those, once each."""

    def __init__(self) -> None:
        super().__init__()
        self.hub = SyncHub()
        self.accepted: dict[tuple[DocumentKind, str], Any] = {}
        self.late_since = self.hub.clock()
        self.hub.save(retention_days=30)

    @rule(number=NUMBERS, amount=st.sampled_from(["100.00", "125.00", "0.05"]))
    def hand_in_a_settlement(self, number: int, amount: str) -> None:
        self._hand_in(Z, f"Z{number}", amount, lambda: self.hub.settlement(number, amount=amount))

    @rule(number=NUMBERS, amount=st.sampled_from(["100.00", "125.00"]))
    def hand_in_a_settlement_once_more_under_another_id(self, number: int, amount: str) -> None:
        fields = z_report(number, amount=amount)
        self._hand_in(Z, f"again-{number}", amount, lambda: self.hub.submit("settlement", f"again-{number}", **fields))

    @rule(number=NUMBERS, name=st.sampled_from(["Fjell", "Kyst", "Vidde"]))
    def hand_in_a_customer(self, number: int, name: str) -> None:
        self._hand_in(K, f"K{number}", name, lambda: self.hub.submit("customer", f"K{number}", name=name))

    @rule(number=NUMBERS, customer=NUMBERS)
    def hand_in_an_invoice(self, number: int, customer: int) -> None:
        fields = {"date": "2026-01-31", "number": f"{number}", "customer_id": f"K{customer}", "lines": [LINE]}
        self._hand_in(B, f"I{number}", f"K{customer}", lambda: self.hub.submit("invoice", f"I{number}", **fields))

    def _hand_in(self, kind: DocumentKind, name: str, body: str, verb: Any) -> None:
        try:
            kept = verb()
        except Conflict as error:
            known = (kind, name) in self.accepted
            expect(error, "another_content", *(("already_sent", "being_sent") if known else ()))
        else:
            # Under its own id, or under that under which the same Z-report came before.
            self.accepted[kind, kept.entry.external_id] = body

    @rule(faults=st.lists(st.sampled_from(FAULTS), max_size=6))
    def transfer(self, faults: list[str]) -> None:
        self.hub.erp.faults = faults
        try:
            self.hub.transfer()
        except Conflict as error:
            expect(error, "transfer_running")

    @rule(faults=st.lists(st.sampled_from(["refuse", "down", "ok"]), max_size=3))
    def attaching_fails(self, faults: list[str]) -> None:
        self.hub.erp.attach_faults = faults

    @rule()
    def a_task_comes_a_second_time(self) -> None:
        page = self.hub.transfers.page(CLIENT, CONNECTION, 3, None)
        for transfer in page.items:
            task = {"task": "run", "client_id": CLIENT, "connection_id": CONNECTION, "transfer_id": transfer.id}
            self.hub.do(task, worker="again")

    @rule(minutes=st.sampled_from([1, 7, 11, 60, 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        for _ in range(minutes if minutes < 60 else 1):
            self.hub.clock.pass_(minutes=minutes if minutes >= 60 else 1)
            self._let_late_requests_through()

    def _let_late_requests_through(self) -> None:
        """A request that the ERP still works on is done before the resend delay is over, and not much sooner."""
        now = self.hub.clock()
        if not self.hub.erp.late:
            self.late_since = now
        elif now - self.late_since >= timedelta(minutes=8):
            self.hub.erp.let_late_requests_through()

    @rule(settlement_target=st.sampled_from(["inbox", "ledger"]))
    def somebody_chooses_where_settlements_go(self, settlement_target: str) -> None:
        self._save(settlement_target=settlement_target)

    @rule(from_date=st.sampled_from(["2026-01-01", "2026-02-01"]))
    def somebody_moves_the_from_date(self, from_date: str) -> None:
        self._save(from_date=from_date)

    @rule(company=st.sampled_from(["1", "2"]))
    def somebody_chooses_a_company(self, company: str) -> None:
        self._save(company=company)

    def _save(self, **changes: Any) -> None:
        before = self.hub.settings
        try:
            self.hub.save(**changes)
        except Unavailable:
            assert self.hub.erp.down
        except Invalid as error:
            expect_wrong(error, "company_fixed")
        else:
            return
        self.hub.settings = before

    @rule()
    def the_log_forgets(self) -> None:
        """What was sent and what was left out expires; the latter, if it was for its day, is judged anew one day."""
        self.hub.clock.pass_(days=40)
        self._let_late_requests_through()
        self.accepted = {key: body for key, body in self.accepted.items() if not self._is_left_out(*key)}
        self.hub.expire()

    def _is_left_out(self, kind: DocumentKind, name: str) -> bool:
        return self.hub.entry(kind, name).code == "before_from_date"

    @rule()
    def a_tick(self) -> None:
        self.hub.erp.faults = []
        self.hub.tick()

    @rule(down=st.booleans())
    def the_erp_goes_down_or_comes_back(self, down: bool) -> None:
        self.hub.erp.down = down

    @rule(number=NUMBERS)
    def somebody_retries(self, number: int) -> None:
        name = entry_id(CONNECTION, Z, f"Z{number}")
        if self.hub.entries.get(CLIENT, CONNECTION, name):
            try:
                self.hub.exports.retry(CLIENT, CONNECTION, name)
            except Conflict as error:
                expect(error, "already_sent")

    @rule(number=NUMBERS)
    def somebody_skips_and_thinks_again(self, number: int) -> None:
        name = entry_id(CONNECTION, Z, f"Z{number}")
        entry = self.hub.entries.get(CLIENT, CONNECTION, name)
        if entry and not entry.lacks_pdf:
            try:
                self.hub.exports.skip(CLIENT, CONNECTION, name, "ada", SkipRequest(reason="demo"))
            except Conflict as error:
                expect(error, "already_sent", "being_sent")
            else:
                self.hub.exports.retry(CLIENT, CONNECTION, name)

    @rule(code=st.sampled_from(["period_closed", "customer_unknown", "attachment_refused"]))
    def somebody_retries_all(self, code: str) -> None:
        self.hub.exports.retry_many(CLIENT, CONNECTION, RetryRequest(code=code))

    @rule()
    @precondition(lambda self: not self.hub.erp.down)
    def somebody_edits_a_customer_in_the_erp(self) -> None:
        for record in self.hub.erp.records.values():
            if record.kind is K:
                self.hub.erp.edit(record.reference, phone=str(self.hub.clock().minute))
                return

    @invariant()
    def nothing_is_in_the_ledger_twice(self) -> None:
        keys = [record.key for record in self.hub.erp.records.values() if record.key]
        assert len(keys) == len(set(keys))

    @invariant()
    def nothing_that_was_accepted_is_forgotten(self) -> None:
        for kind, name in self.accepted:
            self.hub.entry(kind, name)

    @invariant()
    def what_is_said_to_be_sent_is_there(self) -> None:
        for kind, name in self.accepted:
            entry = self.hub.entry(kind, name)
            if entry.status is EntryStatus.SENT:
                assert len(self.hub.vouchers(kind, name)) == 1
                assert self.hub.erp.records[entry.reference].kind is kind

    def teardown(self) -> None:
        """In the end everything works again, and every document that was accepted is in the ledger as it was last."""
        self.hub.erp.down, self.hub.erp.faults, self.hub.erp.attach_faults = False, [], []
        self.hub.erp.let_late_requests_through()
        self._save(from_date="2026-01-01")
        for _ in range(8):
            self.hub.clock.pass_(days=2)
            for code in ("period_closed", "customer_unknown", "attachment_refused"):
                self.hub.exports.retry_many(CLIENT, CONNECTION, RetryRequest(code=code))
            self.hub.transfer()
        for (kind, name), body in self.accepted.items():
            if kind is B and (K, body) not in self.accepted:
                assert self.hub.entry(kind, name).code == "customer_unknown"
                continue
            [record] = self.hub.vouchers(kind, name)
            document = record.document
            if isinstance(document, Settlement):
                assert f"{document.sales[0].amount:.2f}" == body
                assert len(record.pdfs) == 1
            else:
                assert body in (getattr(document, "name", None), getattr(document, "customer_id", None))


@pytest.mark.usefixtures("aws")
class TestNothingLostNothingTwice(TillAndLedger.TestCase):
    """The machine above, with tables of its own."""


TestNothingLostNothingTwice.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
