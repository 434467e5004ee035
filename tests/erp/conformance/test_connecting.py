"""The test of a connection and its companies: in stages, honest about what failed, and silent about secrets."""

import pytest

from erphub.erp.probes import Outcome, Probe, Stage, passed
from erphub.erp.system import ErpAdapter, ListsCompanies
from erphub.platform.errors import CredentialsRefused, HubError, Unavailable
from tests.erp.conformance.subjects import Subject

WRONG = "wr0ng-CANARY-secret"


def lists_companies(system: ErpAdapter) -> ListsCompanies:
    assert isinstance(system, ListsCompanies)
    return system


def wrong(subject: Subject) -> dict[str, str]:
    return dict.fromkeys(subject.settings()[1], WRONG)


def failure(probes: list[Probe]) -> Probe:
    """The stage that failed: those before it did not, and those after it were not tried."""
    at = next(index for index, probe in enumerate(probes) if probe.outcome is Outcome.FAILED)
    assert all(probe.outcome in (Outcome.PASSED, Outcome.WARNING) for probe in probes[:at])
    assert all(probe.outcome is Outcome.SKIPPED for probe in probes[at + 1 :])
    return probes[at]


def test_a_good_connection_passes_every_stage_in_order(subject: Subject) -> None:
    probes = list(subject.open().check())
    assert passed(probes)
    order = list(Stage)
    steps = [(probe.stage, probe.area) for probe in probes]
    assert [stage for stage, _ in steps] == sorted((stage for stage, _ in steps), key=order.index)
    assert len(set(steps)) == len(steps)
    assert Stage.LOGIN in {probe.stage for probe in probes}
    assert all(probe.detail and probe.duration_ms >= 0 for probe in probes)


def test_a_wrong_secret_fails_the_login_as_refused_and_skips_the_rest(subject: Subject) -> None:
    probe = failure(list(subject.open(**wrong(subject)).check()))
    assert probe.stage is Stage.LOGIN
    assert probe.refused
    assert probe.code


def test_a_wrong_secret_is_refused_for_whoever_asks(subject: Subject) -> None:
    with pytest.raises(CredentialsRefused) as refused:
        lists_companies(subject.open(**wrong(subject))).companies()
    assert refused.value.members["refused"] == "credentials"


def test_an_erp_that_is_not_there_is_no_refusal(subject: Subject) -> None:
    away = subject.connect_away(*subject.settings())
    probe = failure(list(away.check()))
    assert not probe.refused
    assert probe.code
    with pytest.raises(Unavailable):
        lists_companies(away).companies()


def test_no_secret_is_in_anything_that_is_said(subject: Subject) -> None:
    said: list[object] = []
    for secrets in (wrong(subject), {}):
        system = subject.open(**secrets)
        said += [repr(system), str(system), *system.check()]
        try:
            said += lists_companies(system).companies()
        except HubError as error:
            said += [error.detail, error.code, error.members, str(error)]
    away = subject.connect_away(*subject.settings())
    said += list(away.check())
    text = " ".join(str(one) for one in said)
    assert WRONG not in text
    assert not [name for name, value in subject.settings()[1].items() if value in text]


def test_nothing_is_dialled_before_something_is_asked(subject: Subject) -> None:
    assert subject.connect_away(*subject.settings()) is not None


def test_companies_have_keys_that_stay_and_are_sorted_by_name(subject: Subject) -> None:
    found = lists_companies(subject.open()).companies()
    assert subject.company in {one.key for one in found if one.problem is None}
    keys = [one.key for one in found]
    assert len(set(keys)) == len(keys)
    assert all(one.key and one.name for one in found)
    assert [one.name for one in found] == sorted((one.name for one in found), key=str.casefold)
    assert lists_companies(subject.open()).companies() == found


def test_a_company_that_cannot_be_opened_is_listed_with_a_sentence(subject: Subject) -> None:
    for one in lists_companies(subject.open()).companies():
        assert one.problem is None or one.problem.endswith(".")
