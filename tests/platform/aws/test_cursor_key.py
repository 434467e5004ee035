"""The key of cursors is made once, and is the same in every function."""

from erphub.platform.aws.cursor_key import KEY, StoredCursorKey
from erphub.platform.aws.table import Table
from erphub.platform.cursors import Cursors
from tests.support.aws import TENANTS, make_table


def test_functions_that_make_it_at_once_have_the_same(aws, monkeypatch):
    make_table(TENANTS, "cursor-keys")
    first, second = StoredCursorKey(Table("cursor-keys")), StoredCursorKey(Table("cursor-keys"))
    table = second._table
    look = table.get
    looked = []

    def look_too_early(key):
        looked.append(key)
        return None if len(looked) == 1 else look(key)

    one = first.read()
    monkeypatch.setattr(table, "get", look_too_early)
    assert second.read() == one
    assert len(one) == 32
    assert looked == [KEY, KEY]


def test_a_place_that_one_function_sealed_another_one_opens(aws):
    make_table(TENANTS, "cursor-keys")
    sealed = Cursors(StoredCursorKey(Table("cursor-keys"))).seal("where", "list")
    assert Cursors(StoredCursorKey(Table("cursor-keys"))).open(sealed, "list") == "where"
