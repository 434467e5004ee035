"""Random edits on both sides, first meetings, acknowledgements early and late, and faults: in the end both agree."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from erphub.erp.documents import DocumentKind, Product
from erphub.platform.errors import Conflict
from erphub.sync.canonical import from_text
from erphub.sync.changes.merge import all_fields
from erphub.sync.changes.schemas import AcknowledgedChange
from tests.support.sync import CLIENT, CONNECTION, FAULTS, SyncHub, expect

P = DocumentKind.PRODUCT
AT_ONCE = [fault for fault in FAULTS if "late" not in fault]
"""A late request could meet a product that was made in the ERP meanwhile; what then happens is the ERP's affair."""
NUMBERS = st.sampled_from([OURS := 1, 2])
"""The first is the till's: the ERP never makes it, and changes only one field of it."""
FIELDS = st.sampled_from(["name", "ean"])
VALUES = st.sampled_from(["1", "2", "3"])


class TillAndErp(RuleBasedStateMachine):
    """The till here does what the guide says: it hands in what it edits, and takes over what it is answered."""

    def __init__(self) -> None:
        super().__init__()
        self.hub = SyncHub()
        self.till: dict[str, dict[str, Any]] = {}
        self.handed_in: dict[tuple[str, str], str] = {}
        self.read: list[Any] = []
        self.edited_in_the_erp: set[tuple[str, str]] = set()

    @initialize(master=st.sampled_from(["erp", "till"]))
    def settings_are_saved(self, master: str) -> None:
        self.hub.save(product_direction=master)

    @rule(number=NUMBERS, field=FIELDS, value=VALUES)
    def somebody_edits_in_the_till(self, number: int, field: str, value: str) -> None:
        record = dict(self.till.get(f"P{number}", {"number": f"{number}", "name": "new", "ean": "", "price": "10"}))
        record[field] = value
        try:
            self.hub.submit("product", f"P{number}", **record)
        except Conflict as error:
            expect(error, "being_sent")
        else:
            self.till[f"P{number}"] = record
            self.handed_in[f"P{number}", field] = value

    @rule(number=NUMBERS, field=FIELDS, value=VALUES)
    def somebody_edits_in_the_erp(self, number: int, field: str, value: str) -> None:
        self.hub.clock.pass_(seconds=1)
        field = "ean" if number == OURS else field
        for record in self.hub.erp.records.values():
            if isinstance(record.document, Product) and record.document.number == f"{number}":
                self.hub.erp.edit(record.reference, **{field: value})
                self.edited_in_the_erp.add((f"P{number}", field))
                return
        if number == OURS:
            return
        self.edited_in_the_erp |= {(f"P{number}", each) for each in ("name", "ean", "price")}
        fields = {"number": f"{number}", "name": "theirs", "price": 20} | {field: value}
        self.hub.erp.create(Product.model_validate(fields))

    @rule(faults=st.lists(st.sampled_from(AT_ONCE), max_size=3), read=st.booleans())
    def transfer(self, faults: list[str], read: bool) -> None:
        self.hub.erp.faults = faults
        try:
            self.hub.transfer()
        except Conflict as error:
            expect(error, "transfer_running")
        if read:
            self.the_till_reads_the_feed()

    @rule(minutes=st.sampled_from([1, 11, 60]))
    def time_passes(self, minutes: int) -> None:
        self.hub.clock.pass_(minutes=minutes)

    @rule()
    def the_till_reads_the_feed(self) -> None:
        self.read = self.hub.feed.list_after(CLIENT, CONNECTION, 0, 100)

    @rule()
    def the_till_takes_over_what_it_read(self) -> None:
        for offer in self.read:
            name = offer.external_id or f"P{offer.document['number']}"
            wanted = AcknowledgedChange(change_id=str(offer.sequence), external_id=name)
            try:
                done = self.hub.acknowledge(wanted)
            except Conflict as error:
                expect(error, "being_sent")
                continue
            if done is not None:
                told = all_fields(from_text(done.body))
                self.till[name] = {field: told[field] for field in ("number", "name", "ean", "price")}
        self.read = []

    @rule(number=NUMBERS, field=FIELDS, value=VALUES)
    def somebody_edits_in_the_till_while_it_takes_over(self, number: int, field: str, value: str) -> None:
        self.the_till_reads_the_feed()
        self.somebody_edits_in_the_till(number, field, value)
        self.the_till_takes_over_what_it_read()

    @invariant()
    def no_product_is_there_twice(self) -> None:
        numbers = [record.document.number for record in self.hub.erp.records.values()]
        assert len(numbers) == len(set(numbers))

    def teardown(self) -> None:
        """Left alone, both sides come to have the same, and nothing that only the till changed gives way unseen."""
        self.hub.erp.faults = []
        for _ in range(8):
            self.hub.clock.pass_(days=2)
            for entry in [self.hub.entry(P, name) for name in self.till]:
                if entry.status == "rejected":
                    self.hub.exports.retry(CLIENT, CONNECTION, entry.id)
            self.hub.transfer()
            self.the_till_reads_the_feed()
            self.the_till_takes_over_what_it_read()
        assert self.hub.feed.list_after(CLIENT, CONNECTION, 0, 100) == []
        for name, mine in self.till.items():
            theirs = all_fields(self.hub.erp.records[self.hub.entry(P, name).reference].document)
            assert {field: theirs[field] for field in mine} == mine
        for (name, field), value in self.handed_in.items():
            if (name, field) not in self.edited_in_the_erp:
                assert self.till[name][field] == value or self._was_told(name, field, value)

    def _was_told(self, name: str, field: str, value: str) -> bool:
        """Whether the log shows that the till's value gave way.

        A correction whose answer was lost and that the till replaces before the ERP was asked again: what the ERP has
        of it then looks like a change of the ERP's own. That is a conflict, settled as any other, and shown.
        """
        return self.hub.entry(P, name).overridden_values.get("till", {}).get(field) == value


@pytest.mark.generated
@pytest.mark.usefixtures("aws")
class TestBothSidesAgree(TillAndErp.TestCase):
    """The machine above, with tables of its own."""


TestBothSidesAgree.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
