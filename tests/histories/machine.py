"""Random shops, roads, repeats, orders and faults: in the ERP is every settlement once, in its own shop's books."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from erphub.erp.documents import DocumentKind, Invoice, Settlement
from erphub.platform.errors import Conflict, HubError, Unavailable
from erphub.sync.canonical import entry_id
from erphub.sync.documents.saft_cash_register import read_cash_register
from erphub.sync.export_log.models import EntryStatus
from erphub.sync.export_log.schemas import RetryRequest, SkipRequest
from erphub.sync.transfers.schemas import NewTransfer
from erphub.sync.uploads.models import UploadStatus
from erphub.sync.uploads.schemas import NewUpload
from erphub.sync.uploads.service import upload_file_name
from tests.histories.chain import (
    AMOUNTS,
    COMPANIES,
    DEPARTMENTS,
    EMPTY,
    ChainErp,
    Report,
    Shop,
    Spelling,
    cash_register_file,
    days,
    lines_file,
    settlement,
)
from tests.histories.interruptions import Fault, Interruptions, Turns
from tests.histories.told import Told
from tests.support.ledger import Died
from tests.support.operators_log import LOG
from tests.support.sync import CLIENT, CONNECTION, FAULTS, SyncHub, read_incoming

Z, B = DocumentKind.SETTLEMENT, DocumentKind.INVOICE
LINE = {"description": "Kaffe", "quantity": "1", "unit_price": "10", "vat_rate": "25"}
NOT_NOW = ("another_content", "already_sent", "being_sent", "another_settlement")
"""Codes of what is refused because another was first; nothing is kept of it."""
TRY_LATER = ("transfer_running", "version_conflict", "upload_taken", "body_forgotten")
FORESEEN = {
    "a bug",
    "It was changed by somebody else in the meantime. Read it again, then decide.",
    "The table is busy. Try again in a moment.",
}
"""What operators may be told of: the bug that is one of the ERP's faults, two who met, and a table out of reach."""
RETRIED = ("period_closed", "customer_unknown", "attachment_refused")

places = st.tuples(st.sampled_from(sorted(COMPANIES)), st.sampled_from(sorted(DEPARTMENTS)))
spellings = st.builds(Spelling, st.integers(0, 3), st.booleans(), st.booleans(), st.sampled_from(["", "counted again"]))
amounts = st.sampled_from(AMOUNTS)
ways = st.integers(0, 2)
"""Which of its ids a document comes under."""
reports = st.builds(Report, st.integers(0, 4), st.sampled_from("12"), st.integers(1, 2), st.sampled_from(days(2)))
encodings = st.sampled_from(["utf-8", "utf-8", "utf-16", "iso-8859-1"])
destinations = st.sampled_from(["inbox", "ledger"])
schedules = st.lists(st.booleans(), min_size=4, max_size=40)


class Chain(RuleBasedStateMachine):
    """Several shops of several companies behind one connection, and all that can go wrong on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.hub, self.outside, self.told = SyncHub(), Interruptions(), Told()
        self.uploads: list[str] = []
        self.tasks: list[dict[str, Any]] = []
        self.late_since = self.hub.clock()
        LOG.errors.clear()

    @initialize(books=st.lists(places, min_size=5, max_size=5), known=st.integers(1, 5), destination=destinations)
    def a_chain(self, books: list[tuple[str, str]], known: int, destination: str) -> None:
        """Two shops have the books that were drawn, a third has two registers of which each has its own."""
        self.shops = [
            Shop(("Oslo", "S1", " oslo", "Ｏslo"), ("1", "2"), *books[0]),
            Shop(("Moss", "S2", "MOSS ", "moss"), ("1", "2"), *books[1], from_date=days(2)[1]),
            Shop(("Bodø", "S3", "BODØ", "Bodø "), ("1",), *books[2]),
            Shop(("Bodø", "S3", "BODØ", "Bodø "), ("2",), *books[3], by_register=True),
            Shop(("",), ("Torg 1", "Torg 2"), *books[4], by_register=True),
        ]
        self.hub.erp = ChainErp(self.hub.clock, companies=dict(COMPANIES), shops=self.shops, interruptions=self.outside)
        self.known, self.destination = known, destination
        self._save()
        self.outside.watch_stores()

    # --- what tills hand in ------------------------------------------------------------------------------------------

    @rule(report=reports, amount=amounts, way=ways, spelling=spellings)
    def a_report_comes_as_json(self, report: Report, amount: str, way: int, spelling: Spelling) -> None:
        self._hand_in(self._of_its_shop(report), amount, way, spelling)

    @rule(told=st.lists(st.tuples(reports, amounts), min_size=1, max_size=4), spelling=spellings, encoding=encodings)
    def a_cash_register_file_comes(self, told: list[tuple[Report, str]], spelling: Spelling, encoding: str) -> None:
        self._hand_in_file(told, spelling, encoding)

    @rule(
        told=st.lists(st.tuples(reports, amounts, ways), min_size=1, max_size=5),
        spelling=spellings,
        encoding=st.none() | encodings,
    )
    def an_upload_comes(self, told: list[tuple[Report, str, int]], spelling: Spelling, encoding: str | None) -> None:
        self._upload(told, spelling, encoding)
        self._work()

    @rule(shop=st.sampled_from([0, 1]), number=st.sampled_from(["F1", "F2"]), way=ways, spelling=spellings)
    def an_invoice_comes(self, shop: int, number: str, way: int, spelling: Spelling) -> None:
        words = self.shops[shop].words
        fields = {
            "date": days(2)[1].isoformat(),
            "number": number if way != 1 else f" {number.lower()}",
            "customer_id": f"K{shop}",
            "department": words[spelling.word % len(words)],
            "lines": [LINE],
        }
        if self._tried(lambda: self.hub.submit("invoice", f"I{shop}{number}-{way}", **fields)):
            self.told.invoices.add((shop, number))

    @rule(shop=st.sampled_from([0, 1]), word=st.integers(0, 3))
    def a_customer_comes(self, shop: int, word: int) -> None:
        fields = {"name": f"Customer {shop}", "department": self.shops[shop].words[word]}
        if self._tried(lambda: self.hub.submit("customer", f"K{shop}", **fields)):
            self.told.customers.add(shop)

    def _of_its_shop(self, report: Report) -> Report:
        """The report at a register that the shop has."""
        registers = self.shops[report.shop].registers
        register = (
            report.register if report.register in registers else registers[len(registers) * (report.number - 1) // 2]
        )
        return Report(report.shop, register, report.number, report.day)

    def _hand_in(self, report: Report, amount: str, way: int, spelling: Spelling) -> None:
        self._a_moment_later()
        name = f"Z{way}-{report}".replace(" ", "-")
        coming = read_incoming("settlement", name, settlement(self.shops[report.shop], report, amount, spelling))
        try:
            kept = self.hub.documents.submit(CLIENT, CONNECTION, "till", coming)
        except (Died, Unavailable):
            self.told.perhaps(report, amount, name)
        except Conflict as error:
            self._refused(report, amount, name, error)
        else:
            self.told.kept(report, amount, kept.entry.external_id, kept.outcome)

    def _refused(self, report: Report, amount: str, name: str, error: HubError) -> None:
        if error.code == "version_conflict":  # too many at once: it may be tried again
            self.told.perhaps(report, amount, name)
            return
        assert error.code in NOT_NOW, error
        first = str(error.members.get("external_id", ""))
        if error.code == "another_content" and not self.outside.turns:
            known = self.told.amounts.get(report, {}).get(first, set())
            assert known - {amount}, f"{report} with {amount} is not refused by what was kept as {first}: {known}"

    def _hand_in_file(self, told: Sequence[tuple[Report, str]], spelling: Spelling, encoding: str) -> None:
        self._a_moment_later()
        listed = [(self._of_its_shop(report), amount) for report, amount in told]
        xml = cash_register_file(self.shops, listed, spelling, encoding)
        names = self._names_in(xml)
        try:
            done = self.hub.documents.submit_cash_register(CLIENT, CONNECTION, "till", xml)
        except (Died, Unavailable):
            for name, (report, amount) in names.items():
                self.told.perhaps(report, amount, name)
            return
        for one in done.settlements:
            report, amount = self._told_by(one.entry.body)
            self.told.kept(report, amount, one.entry.external_id, one.outcome)
        for name, error in done.refused:
            if error.code == "report_twice":
                continue
            report, amount = names[name]
            if isinstance(error, Unavailable):
                self.told.perhaps(report, amount, name)
            else:
                self._refused(report, amount, name, error)

    def _a_moment_later(self) -> None:
        """What is handed in after something else has a later time; a file that is read late is judged by it."""
        self.hub.clock.pass_(microseconds=1)

    def _names_in(self, xml: bytes) -> dict[str, tuple[Report, str]]:
        """The ids of a file's reports, and what each of them is."""
        return {one.external_id: self._told_of(one.document) for one in read_cash_register(xml).settlements}

    def _told_of(self, document: Any) -> tuple[Report, str]:
        amount = next((f"{line.amount:.2f}" for line in document.sales if line.vat_rate == 25), EMPTY)
        return self.hub.erp.report_of(document), amount

    def _told_by(self, body: str) -> tuple[Report, str]:
        return self._told_of(Settlement.model_validate_json(body))

    def _upload(self, told: Sequence[tuple[Report, str, int]], spelling: Spelling, encoding: str | None) -> None:
        self._a_moment_later()
        listed = [(self._of_its_shop(report), amount, way) for report, amount, way in told]
        if encoding:
            body = cash_register_file(self.shops, [(one, amount) for one, amount, _ in listed], spelling, encoding)
            lines = [(report, amount, name) for name, (report, amount) in self._names_in(body).items()]
        else:
            lines = [(one, amount, f"Z{way}-{one}".replace(" ", "-")) for one, amount, way in listed]
            documents = [
                ("settlement", name, settlement(self.shops[report.shop], report, amount, spelling))
                for report, amount, name in lines
            ]
            body = lines_file(documents, marked=spelling.short)
        wanted = NewUpload.model_validate({"format": "saft_cash_register" if encoding else "json_lines"})
        made = self._tried(lambda: self.hub.uploads.create(CLIENT, CONNECTION, "till", wanted))
        if made is None:
            return
        upload, _ = made
        self.hub.files.files[upload_file_name(upload)] = body
        for report, amount, name in lines:
            self.told.perhaps(report, amount, name)
        self.uploads.append(upload.id)
        self._tried(lambda: self.hub.uploads.start(CLIENT, CONNECTION, upload.id))

    # --- what the hub does -------------------------------------------------------------------------------------------

    @rule(faults=st.lists(st.sampled_from(FAULTS), max_size=5))
    def a_transfer(self, faults: list[str]) -> None:
        self.hub.erp.faults = faults
        self._transfer()

    @rule()
    def a_tick(self) -> None:
        self._tried(self.hub.scheduler.tick)
        self._work()

    @rule()
    def tasks_come_a_second_time(self) -> None:
        for task in self.tasks[-3:]:
            self.hub.do(task, worker="again")

    def _transfer(self) -> None:
        self._tried(lambda: self.hub.transfer_service.start(CLIENT, CONNECTION, "ada", NewTransfer()))
        self._work()

    def _work(self, worker: str = "w1") -> None:
        while self.hub.queue.tasks:
            task = self.hub.queue.tasks.pop(0)
            self.tasks.append(task)
            self._tried(lambda task=task: self.hub.do(task, worker=worker))

    def _tried(self, verb: Callable[[], Any]) -> Any:
        """What came of it; nothing when no answer came, or when it was not the time for it."""
        try:
            return verb()
        except (Died, Unavailable):
            return None
        except Conflict as error:
            if error.code not in NOT_NOW + TRY_LATER:
                raise
            return None

    # --- two at once -------------------------------------------------------------------------------------------------

    @rule(
        report=reports,
        both=st.tuples(amounts, amounts),
        ways=st.tuples(ways, ways),
        spelling=spellings,
        schedule=schedules,
    )
    def one_report_comes_twice_at_once(
        self, report: Report, both: tuple[str, str], ways: tuple[int, int], spelling: Spelling, schedule: list[bool]
    ) -> None:
        one = self._of_its_shop(report)
        self._at_once(
            schedule,
            lambda: self._hand_in(one, both[0], ways[0], spelling),
            lambda: self._hand_in(one, both[1], ways[1], Spelling(spelling.word + 1)),
        )

    @rule(report=reports, amount=amounts, spelling=spellings, encoding=encodings, schedule=schedules)
    def a_file_comes_during_a_transfer(
        self, report: Report, amount: str, spelling: Spelling, encoding: str, schedule: list[bool]
    ) -> None:
        self.hub.erp.faults = []
        self._at_once(schedule, self._transfer, lambda: self._hand_in_file([(report, amount)], spelling, encoding))

    @rule(schedule=schedules)
    def two_workers_take_the_same_work(self, schedule: list[bool]) -> None:
        self._tried(lambda: self.hub.transfer_service.start(CLIENT, CONNECTION, "ada", NewTransfer()))
        tasks, self.hub.queue.tasks = self.hub.queue.tasks, []
        self.tasks += tasks

        def worked(worker: str) -> Callable[[], None]:
            return lambda: [self._tried(lambda task=task: self.hub.do(task, worker=worker)) for task in tasks] and None

        self._at_once(schedule, worked("w1"), worked("w2"))

    @rule(report=reports, amount=amounts, way=ways, schedule=schedules)
    def a_shop_is_mapped_while_its_report_comes(
        self, report: Report, amount: str, way: int, schedule: list[bool]
    ) -> None:
        def mapped() -> None:
            self.known = min(self.known + 1, len(self.shops))
            self._save()

        one = self._of_its_shop(report)
        self._at_once(schedule, mapped, lambda: self._hand_in(one, amount, way, Spelling(1)))

    def _at_once(self, schedule: Sequence[bool], *works: Callable[[], Any]) -> None:
        self.outside.turns, self.told.together = Turns(schedule), {}
        try:
            self.outside.turns.run(*works)
        finally:
            self.outside.turns = None
            self.told.end_together()

    # --- what people, time and machines do ---------------------------------------------------------------------------

    @rule(after=st.integers(0, 30), fault=st.sampled_from(Fault))
    def soon_something_goes_wrong(self, after: int, fault: Fault) -> None:
        self.outside.plan(after, fault)

    @rule()
    def somebody_maps_the_next_shop(self) -> None:
        self.known = min(self.known + 1, len(self.shops))
        self._save()

    @rule(destination=destinations)
    def somebody_chooses_where_settlements_go(self, destination: str) -> None:
        self.destination = destination
        self._save()

    def _save(self) -> None:
        """The shops that are known so far; a register with books of its own is made known with its shop."""
        known = 4 if self.known == 3 else self.known
        locations = [shop.location() for shop in self.shops[:known]]
        self._tried(lambda: self.hub.save(locations=locations, settlement_target=self.destination))

    @rule(report=reports, wrong=amounts, right=amounts)
    def somebody_leaves_one_out_and_thinks_again(self, report: Report, wrong: str, right: str) -> None:
        one = self._of_its_shop(report)
        name = f"Z0-{one}".replace(" ", "-")
        self._hand_in(one, wrong, 0, Spelling())
        entry = self._tried(lambda: self.hub.entries.get(CLIENT, CONNECTION, entry_id(CONNECTION, Z, name)))
        if entry is None or entry.lacks_pdf or entry.status is EntryStatus.SENT:
            return
        if self._tried(lambda: self.hub.exports.skip(CLIENT, CONNECTION, entry.id, "ada", SkipRequest(reason="demo"))):
            self._hand_in(one, right, 1, Spelling())
        for _ in range(2):  # a fault, if there is one, is over then
            self._tried(lambda: self.hub.exports.retry(CLIENT, CONNECTION, entry.id))

    @rule(minutes=st.sampled_from([1, 7, 11, 60, 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        for _ in range(minutes if minutes < 60 else 1):
            self.hub.clock.pass_(minutes=minutes if minutes >= 60 else 1)
            now = self.hub.clock()
            if not self.hub.erp.late:
                self.late_since = now
            elif now - self.late_since >= timedelta(minutes=8):
                self.hub.erp.let_late_requests_through()

    # --- what always holds -------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_in_the_erp_twice_or_in_the_books_of_another(self) -> None:
        assert not getattr(self.hub.erp, "misplaced", []), self.hub.erp.misplaced
        self._in_the_erp()

    def _in_the_erp(self) -> tuple[dict[Report, str], set[tuple[int, str]], set[int]]:
        """The settlements that are there, with their amounts; the invoices; the customers. None is there twice."""
        settlements, invoices, customers = {}, set(), set()
        for record in self.hub.erp.records.values():
            document = record.document
            if isinstance(document, Settlement):
                report, amount = self._told_of(document)
                assert report not in settlements, f"{report} is in the ERP twice"
                settlements[report] = amount
            elif isinstance(document, Invoice):
                shop = self.shops.index(self.hub.erp.shop_of(document))
                invoice = shop, document.number.strip().upper()
                assert invoice not in invoices, f"{invoice} is in the ERP twice"
                invoices.add(invoice)
            else:
                customer = int(document.name.removeprefix("Customer "))
                assert customer not in customers, f"{document.name} is in the ERP twice"
                customers.add(customer)
        return settlements, invoices, customers

    def teardown(self) -> None:
        """In the end everything works, every shop is known, and what was told to be kept is in its books, once."""
        if not hasattr(self, "shops"):
            return
        self.outside.forget()
        self.hub.erp.faults, self.hub.erp.attach_faults = [], []
        self.hub.erp.let_late_requests_through()
        self.known, self.destination = len(self.shops), "ledger"
        self._save()
        self._read_uploads()
        self._send_all()
        settlements, invoices, customers = self._in_the_erp()
        assert not self.hub.erp.misplaced, self.hub.erp.misplaced
        assert {str(error) for error in self.hub.surprises} <= FORESEEN, self.hub.surprises
        assert customers >= self.told.customers
        for shop, number in self.told.invoices:
            assert (shop, number) in invoices or shop not in customers, f"invoice {number} of shop {shop} is missing"
        for report in self.told.amounts.keys() | settlements.keys():
            self._require(report, settlements.get(report))

    def _require(self, report: Report, there: str | None) -> None:
        """A report is in the ERP as it was kept; one of a day before its shop's first is not there."""
        if report.day < self.shops[report.shop].from_date:
            assert there is None, f"{report} is of a day of which nothing is sent"
            return
        possible = self.told.possible(report)
        assert there is None or there in possible, f"{report} is in the ERP with {there}, kept was {possible}"
        assert there is not None or not self.told.certain(report), f"{report} is missing"

    def _read_uploads(self) -> None:
        """Each file that is on its way is read to its end, and what was not refused of it is kept."""
        for upload_id in self.uploads:
            upload = self.hub.uploads.get(CLIENT, CONNECTION, upload_id)
            if upload.status is UploadStatus.OPEN:
                self.hub.uploads.start(CLIENT, CONNECTION, upload_id)
            upload = self.hub.uploads.read(CLIENT, CONNECTION, upload_id)
            assert upload.status is not UploadStatus.READING
            assert upload.line_count == upload.accepted_count + upload.unchanged_count + upload.refused_count
            assert {one.code for one in upload.errors} <= {*NOT_NOW, "report_twice", "superseded"}, upload.errors

    def _send_all(self) -> None:
        for _ in range(12):
            self.hub.queue.tasks.clear()
            self.hub.clock.pass_(days=1)
            for code in RETRIED:
                self.hub.exports.retry_many(CLIENT, CONNECTION, RetryRequest(code=code))
            self.hub.transfer()
            left = [
                one
                for queue in ("pending", "uncertain", "sending", "attach")
                for one in self.hub.entries.queue(CLIENT, CONNECTION, queue)
            ]
            if not [one for one in left if one.code != "customer_unknown"]:
                return
        raise AssertionError(
            f"not everything comes to its end: {[(one.external_id, one.status, one.code) for one in left]}"
        )
