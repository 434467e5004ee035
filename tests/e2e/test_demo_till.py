"""The till scene of the demo where nobody watches: four shops' settlements, two of which fail on their first way."""

import re
from pathlib import Path
from typing import Any

import pytest

from local.demo.__main__ import main
from tests.e2e.test_demo import as_a_guest


def test_each_settlement_ends_as_one_voucher_although_two_of_them_fail_at_first(hub: Any, tmp_path: Path):
    done = as_a_guest(hub, tmp_path, "--scene", "till", "--days", "4")
    assert done.returncode == 0, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "Frognerseteren is pending (location_unknown)" in said
    assert re.search(r"Aker brygge sent \d+ ", said), "approved: its number in the ledger"
    assert re.search(r"Bryggen sent Edited in the ERP before it was \d+ approved: amount", said)
    assert "Grünerløkka discarded Somebody discarded it" in said
    assert "11 sent, 1 rejected, 1 uncertain" in said
    assert re.search(r"account_missing rejected", said)
    assert re.search(r"answer_lost uncertain", said)
    assert "exported again in utf-16: 4 unchanged." in said
    once = re.findall(r"(\S+) (\S+/\d) 4 (\d) (\d) [\d ]+\.\d\d ✓", said)
    assert once == [
        ("brygge", "Kystkaffe/1", "4", "0"),
        ("Bryggen", "Kystkaffe/2", "4", "0"),
        ("Grünerløkka", "Fjellbutikken/1", "4", "0"),
        ("Frognerseteren", "Fjellbutikken/1", "3", "1"),
    ], "one still waits in the inbox"
    balances = re.findall(r"debit in all ([\d ]+\.\d\d) ([\d ]+\.\d\d) ✓", said)
    assert len(balances) == 2
    assert all(hub_said == erp for hub_said, erp in balances)
    assert "Each settlement is there exactly once, and every account is what the hub says it posted" in said
    assert max(len(row) for row in done.stdout.splitlines()) <= 80


@pytest.mark.parametrize("days", ["3", "32", "many"])
def test_a_number_of_days_that_leaves_no_room_for_the_story_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str], days: str
):
    with pytest.raises(SystemExit) as ended:
        main(["--scene", "till", "--days", days])
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert "--days" in said.err
    assert said.out == ""
