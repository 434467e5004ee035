"""What suggestions are measured by: made-up companies with the noise that was asked for, and a judgement of them."""

import pytest

from benchmarks.linking import as_business_central
from benchmarks.nordic import CrmNoise, Made, Maker, Size
from erphub.links.matching.models import SuggestionClass
from erphub.links.matching.numbers import read_numbers
from erphub.links.matching.suggestions import suggest

SMALL = Size(actors=4_000, records=1_000, without_partner=200, twice=120)
RATES = {
    "number missing": CrmNoise.number_missing,
    "form missing": CrmNoise.form_missing,
    "moved": CrmNoise.moved,
    "phone missing": CrmNoise.phone_missing,
    "mail missing": CrmNoise.mail_missing,
    "name mistyped": CrmNoise.name_mistyped,
}


@pytest.fixture(scope="module")
def made() -> Made:
    return Maker(5, SMALL).make()


def test_as_many_are_made_as_were_asked_for(made: Made):
    assert (len(made.records), len(made.actors), len(made.truth), len(made.second)) == (1_000, 4_000, 800, 120)


def test_one_seed_makes_one_set(made: Made):
    again = Maker(5, SMALL).make()
    assert (again.records, again.actors, again.truth) == (made.records, made.actors, made.truth)


@pytest.mark.parametrize("what", RATES)
def test_each_kind_of_noise_comes_about_at_its_rate(made: Made, what: str):
    assert made.noise[what] / len(made.records) == pytest.approx(RATES[what], abs=0.05)


def test_numbers_of_companies_are_valid(made: Made):
    written = [actor for actor in made.actors if actor.number]
    assert all(read_numbers(actor.number, actor.country) for actor in written)


def test_without_noise_every_record_is_written_as_its_partner(made: Made):
    none = CrmNoise(*[0.0] * len(vars(CrmNoise())))
    quiet = Maker(5, SMALL, none).make()
    actors = {actor.key: actor for actor in quiet.actors}
    pairs = [(record, actors[quiet.truth[record.key]]) for record in quiet.records if record.key in quiet.truth]
    assert all((one.street, one.postcode) == (other.street, other.postcode) for one, other in pairs)
    assert sum(one.name == other.name for one, other in pairs) >= 0.95 * len(pairs)


def test_what_is_fit_to_be_confirmed_is_right_and_more_than_by_exact_values(made: Made):
    chosen = [one for one in suggest(made.records, made.actors) if one.outcome is SuggestionClass.CONFIRMABLE]
    right = sum(made.truth.get(one.record_key) == one.candidates[0].actor_key for one in chosen)
    exact = as_business_central(made)
    assert right / len(chosen) > 0.995 > exact["P"]
    assert right / len(made.truth) > 0.8 > exact["R"]
