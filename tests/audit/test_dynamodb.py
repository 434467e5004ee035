"""The audit log's table: places of entries, entries of before there were chains, an event that comes twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from erphub.audit.dynamodb import AuditTable, audit_event_key, audit_key, audit_write
from erphub.audit.models import AuditEntry, AuditFilter, Owner
from erphub.platform.aws.table import Table
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.ids import derived_id_at
from erphub.platform.writes import Write
from tests.support.aws import AWS, TENANTS, make_table

CLIENT, CONNECTION = "CLIENT1", "CONNECTION1"
OWNER = Owner.client(CLIENT)
AT = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.fixture(params=AWS)
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """The tenant table, in memory and in DynamoDB."""
    with AWS[request.param]():
        yield make_table(TENANTS)


@pytest.fixture
def store(table: Table) -> AuditTable:
    return AuditTable(table)


def entry(number: int, connection_id: str | None = CONNECTION, action: str = "job.created") -> AuditEntry:
    at = AT + timedelta(seconds=number)
    ident = derived_id_at(int(at.timestamp() * 1000), str(number))
    about = {"action": action, "connection_id": connection_id, "new": {"n": number}}
    return AuditEntry(id=ident, occurred_at=at, actor="U1", **about)


def test_a_connections_log_has_its_own_entries_only_the_newest_first_page_by_page(store: AuditTable):
    for number in range(1, 6):
        store.add(OWNER, entry(number, "OTHER" if number == 3 else CONNECTION), None)
    first = store.get_page_of_connection(CLIENT, CONNECTION, 3, None)
    rest = store.get_page_of_connection(CLIENT, CONNECTION, 3, first.next)
    assert [one.number for one in [*first.items, *rest.items]] == [5, 4, 2, 1]
    assert [one.entry for one in rest.items] == [entry(1)]
    assert rest.next is None
    assert store.find_break(OWNER) is None


def test_entries_of_before_there_were_chains_are_shown_without_a_number(table: Table, store: AuditTable):
    old = entry(1)
    table.put(audit_key(CLIENT, CONNECTION, old.id) | {"body": old.model_dump_json()})
    store.add(OWNER, entry(2), None)
    shown = store.get_page_of_connection(CLIENT, CONNECTION, 10, None).items
    assert [(one.number, one.entry) for one in shown] == [(1, entry(2)), (None, old)]
    assert (shown[1].digest, store.find_break(OWNER)) == (None, None)


def test_an_event_that_comes_twice_is_written_down_once_whatever_it_says_the_second_time(
    table: Table, store: AuditTable
):
    for number in (1, 2):
        store.add(OWNER, entry(number), "execution-1")
    store.add(OWNER, entry(3), "execution-2")
    store.add(OWNER, entry(4, "OTHER"), "execution-1")
    shown = store.get_page(OWNER, AuditFilter(), 10, None).items
    assert [one.entry.new for one in shown] == [{"n": 4}, {"n": 3}, {"n": 1}]
    assert table.get(audit_event_key(CLIENT, CONNECTION, "execution-1")) is not None


def test_a_change_that_is_refused_takes_its_entry_with_it(table: Table, store: AuditTable):
    table.put({"pk": "P", "sk": "S"})
    taken = Write(put={"pk": "P", "sk": "S"}, condition="attribute_not_exists(pk)")
    with pytest.raises(VersionConflict):
        table.transact([taken, audit_write(table.name, CLIENT, CONNECTION, entry(1))])
    assert store.get_page(OWNER, AuditFilter(), 10, None).items == []
    table.transact([Write(put={"pk": "P", "sk": "S2"}), audit_write(table.name, CLIENT, CONNECTION, entry(2))])
    assert [one.number for one in store.get_page(OWNER, AuditFilter(), 10, None).items] == [1]


def test_a_clients_and_a_customers_log_are_two_chains_that_are_written_together_or_not(table: Table, store: AuditTable):
    customer = Owner.customer(CLIENT)
    table.transact([*store.writes(OWNER, entry(1)), *store.writes(customer, entry(1, None))])
    store.add(customer, entry(2, None), None)
    assert [one.number for one in store.get_page(customer, AuditFilter(), 10, None).items] == [2, 1]
    assert [one.number for one in store.get_page(OWNER, AuditFilter(), 10, None).items] == [1]
    assert (store.find_break(OWNER), store.find_break(customer)) == (None, None)


def test_what_is_asked_for_is_found_among_all_page_by_page(store: AuditTable):
    for number in range(1, 8):
        store.add(OWNER, entry(number, action="job.run" if number % 3 == 1 else "job.created"), None)
    wanted = AuditFilter(action="job.run")
    first = store.get_page(OWNER, wanted, 2, None)
    rest = store.get_page(OWNER, wanted, 2, first.next)
    assert [one.number for one in [*first.items, *rest.items]] == [7, 4, 1]
