"""The till scene of the demo where nobody watches: a week of settlements, two of which fail on their first way."""

import re
from pathlib import Path

import pytest

from tests.e2e.test_demo import demo


def test_each_settlement_ends_as_one_voucher_although_two_of_them_fail_at_first(tmp_path: Path):
    done = demo(tmp_path, "--scene", "till", "--days", "7")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 sent, 1" in done.stdout
    assert re.search(r"account_missing +rejected", done.stdout)
    assert re.search(r"answer_lost +uncertain", done.stdout)
    once = re.findall(r"^ +\d{4}-\d\d-\d\d +Z(\d) +1 +\d+ +[\d ]+\.\d\d +[\d.]+ kB +✓", done.stdout, re.MULTILINE)
    assert once == [str(number) for number in range(1, 8)]
    assert "Each settlement is there exactly once with its PDF" in done.stdout
    assert max(len(row) for row in done.stdout.splitlines()) <= 80
    assert list(tmp_path.iterdir()) == [], "nothing is left lying about"


@pytest.mark.parametrize("days", ["3", "32", "many"])
def test_a_number_of_days_that_leaves_no_room_for_the_story_is_refused_before_anything_starts(
    tmp_path: Path, days: str
):
    done = demo(tmp_path, "--scene", "till", "--days", days)
    assert done.returncode == 2
    assert "--days" in done.stderr
    assert done.stdout == ""
