"""A run of any size is cut into few enough packages for the import machine, and nothing is left out or done twice."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from erphub.imports.runs import packages
from erphub.imports.runs.models import RunRef, Unit
from erphub.platform.ids import new_id

PAYLOAD = 262_144
"""Bytes of a state's output (Step Functions quotas)."""

SIZES = st.lists(st.integers(min_value=0, max_value=3_000_000), max_size=2_000)


def units(counts: list[int]) -> list[Unit]:
    names = [f"dataset-{n}" for n, count in enumerate(counts) for _ in range(count)]
    return [Unit(number, name, "X", str(number), "Company", {}) for number, name in enumerate(names)]


@given(SIZES, st.integers(min_value=5, max_value=250_000))
def test_every_part_is_in_one_package_and_there_are_never_too_many(sizes: list[int], enough: int):
    made = packages.of_parts(sizes, enough)
    assert len(made) <= packages.MAX_PACKAGES
    assert [number for start, end in made for number in range(start, end)] == list(range(len(sizes)))


@given(st.lists(st.integers(min_value=1, max_value=400), min_size=1, max_size=8))
def test_every_unit_is_in_one_package_of_its_dataset_and_there_are_never_too_many(counts: list[int]):
    planned = units(counts)
    made = packages.of_units(planned)
    assert len(made) <= packages.MAX_PACKAGES
    assert [number for start, end in made for number in range(start, end)] == [unit.number for unit in planned]
    assert all(len({unit.dataset for unit in planned[start:end]}) == 1 for start, end in made)


def test_a_small_run_is_cut_as_finely_as_ever():
    assert packages.of_parts([50_000] * 8, 250_000) == [(n, n + 1) for n in range(8)]
    assert len(packages.of_units(units([100]))) == 4


def test_a_hundred_million_rows_in_equal_parts_are_spread_evenly():
    *most, last = [end - start for start, end in packages.of_parts([250_000] * 400, 250_000)]
    assert len(set(most)) == 1
    assert last <= most[0]


def test_a_plan_of_all_packages_fits_the_payload_many_times_over():
    ref = RunRef(new_id(), new_id(), new_id()).as_json()
    made = [ref | {"from": 10**9 + n, "to": 10**9 + n + 1} for n in range(packages.MAX_PACKAGES)]
    assert len(json.dumps({"outcome": "ready", "packages": made})) < PAYLOAD / 20


def test_packages_follow_each_other_without_a_gap():
    made = packages.of_parts([10] * 5_000, 250_000)
    assert all(before[1] == after[0] for before, after in pairwise(made))
