"""The till scene of the demo where nobody watches: a week of settlements, two of which fail on their first way."""

import re
from pathlib import Path
from typing import Any

import pytest

from local.demo.__main__ import main
from tests.e2e.test_demo import as_a_guest


def test_each_settlement_ends_as_one_voucher_although_two_of_them_fail_at_first(hub: Any, tmp_path: Path):
    done = as_a_guest(hub, tmp_path, "--scene", "till", "--days", "7")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 sent, 1" in done.stdout
    assert re.search(r"account_missing +rejected", done.stdout)
    assert re.search(r"answer_lost +uncertain", done.stdout)
    once = re.findall(r"^ +\d{4}-\d\d-\d\d +Z(\d) +1 +\d+ +[\d ]+\.\d\d +[\d.]+ kB +✓", done.stdout, re.MULTILINE)
    assert once == [str(number) for number in range(1, 8)]
    assert "Each settlement is there exactly once with its PDF" in done.stdout
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
