"""What every system says of itself, and that the hub's forms, checks and catalogue can be made of it."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from erphub.erp import catalogue
from erphub.erp.approvals import ReadsApprovals
from erphub.erp.datasets import BY_ID
from erphub.erp.description import AdapterCapability, AnswerRole
from erphub.erp.forms import AnswerContext, clean_answer, step_schema
from erphub.erp.posting import ListsSetup, PostsDocuments, ReadsChanges
from erphub.erp.reading import CountsByDay, ReportsChanges
from erphub.erp.resources import UsesResources
from erphub.erp.service import ErpSystems
from erphub.erp.system import ErpAdapter, ListsOptions
from erphub.platform.errors import Invalid, NotFound
from tests.erp.conformance.subjects import SUBJECTS, Subject

OPTIONAL = frozenset(
    {UsesResources, ListsOptions, ReportsChanges, CountsByDay, ListsSetup, ReadsChanges, ReadsApprovals}
)
NOT_OF_A_SYSTEM = {"companies", "name", "finish"}


def test_every_system_of_the_catalogue_is_put_to_this_suite() -> None:
    assert {one.id for one in catalogue.catalogue()} <= {name.partition(",")[0] for name in SUBJECTS}


def test_it_is_in_the_catalogue_that_the_api_shows(subject: Subject) -> None:
    systems = ErpSystems(["203.0.113.7"])
    shown = systems.get(subject.erp_system)
    assert shown in systems.list().items
    assert shown.egress_addresses == ["203.0.113.7"]
    assert shown.title
    assert shown.summary
    assert shown.documentation
    assert all(link.url.startswith("https://") for link in shown.documentation)
    assert [step.id for step in shown.steps] == [step.id for step in catalogue.describe(subject.erp_system).steps]


@pytest.mark.parametrize("capability", AdapterCapability)
def test_it_can_do_what_it_says_and_says_what_it_cannot(subject: Subject, capability: AdapterCapability) -> None:
    """A capability without a protocol can be offered by nobody."""
    protocol = catalogue.CAPABILITIES.get(capability)
    can = protocol is not None and isinstance(subject.open(), protocol)
    assert (capability in catalogue.describe(subject.erp_system).capabilities) is can
    assert (capability in ErpSystems([]).get(subject.erp_system).capabilities) is can


def test_it_offers_exactly_the_further_abilities_that_are_known_of_it(subject: Subject) -> None:
    system = subject.open()
    assert isinstance(system, ErpAdapter)
    assert {one for one in OPTIONAL if isinstance(system, one)} == subject.optional


def test_what_its_wizard_lists_from_the_erp_it_can_be_asked_for(subject: Subject) -> None:
    listed = any(step.listed for step in catalogue.describe(subject.erp_system).steps)
    assert isinstance(subject.open(), ListsOptions) is listed


def test_its_datasets_are_ones_the_hub_knows(subject: Subject) -> None:
    description = catalogue.describe(subject.erp_system)
    assert description.datasets
    assert set(description.datasets) <= set(BY_ID)
    assert subject.datasets <= set(description.offered(subject.settings()[0]))


def test_a_dataset_that_depends_on_a_setting_names_some_of_its_choices(subject: Subject) -> None:
    description = catalogue.describe(subject.erp_system)
    fields = {field.name: field for field in description.fields}
    for dataset, (name, values) in description.datasets_when.items():
        assert dataset in description.datasets
        if values:
            assert set(values) < set(fields[name].choices)
        else:
            assert dataset in (fields[name].schema or {})["properties"], "a mapping that can name it"


def test_its_wizard_tests_the_connection_chooses_companies_names_it_and_ends(subject: Subject) -> None:
    description = catalogue.describe(subject.erp_system)
    ids = [step.id for step in description.steps]
    names = [field.name for field in description.fields]
    assert len(set(ids)) == len(ids)
    assert len(set(names)) == len(names)
    assert set(ids) >= NOT_OF_A_SYSTEM
    assert ids[-1] == "finish"
    tested = next(index for index, step in enumerate(description.steps) if step.tests)
    assert tested < ids.index("companies")
    roles = [field.role for field in description.fields if field.role]
    assert len(set(roles)) == len(roles)
    assert set(roles) >= {AnswerRole.COMPANIES, AnswerRole.NAME, AnswerRole.SHARED}


def test_every_step_is_valid_json_schema_with_titles_and_help(subject: Subject) -> None:
    for step in catalogue.describe(subject.erp_system).steps:
        schema = step_schema(step)
        Draft202012Validator.check_schema(schema)
        assert schema["title"]
        assert schema["additionalProperties"] is False
        for name, shown in schema["properties"].items():
            assert shown["title"], name
            assert shown["description"], name
        secret = {item.name for item in step.fields if item.secret}
        assert {name for name, shown in schema["properties"].items() if shown.get("writeOnly")} == secret


def test_the_examples_of_its_fields_satisfy_their_own_form(subject: Subject) -> None:
    for step in catalogue.describe(subject.erp_system).steps:
        schema = step_schema(step)
        for item in step.fields:
            if item.example is not None:
                Draft202012Validator(schema["properties"][item.name]).validate(item.example)


def test_its_steps_can_be_answered_and_keep_secrets_apart(subject: Subject) -> None:
    description = catalogue.describe(subject.erp_system)
    answered = {step.id for step in description.steps if step.tests} | set(subject.answers)
    assert answered == set(subject.answers)
    settings, secrets = subject.settings()
    hidden = {field.name for field in description.fields if field.secret}
    assert secrets.keys() == set(description.secrets(settings))
    assert not hidden & settings.keys()
    for step in description.steps:
        schema, answer = step_schema(step), dict(subject.answers.get(step.id, {}))
        if answer:
            assert Draft202012Validator(schema).is_valid(answer)
    kinds: dict[str, Any] = {"companies": {"companies": [subject.company]}, "name": {"name": "Ours"}, "finish": {}}
    for step in description.steps:
        if step.id in kinds:
            clean_answer(step, kinds[step.id])


def test_an_answer_without_what_is_needed_is_refused_field_by_field(subject: Subject) -> None:
    step = next(step for step in catalogue.describe(subject.erp_system).steps if step.tests)
    with pytest.raises(Invalid) as refused:
        clean_answer(step, {"no-such-field": 1})
    codes = {error.pointer: error.code for error in refused.value.errors}
    assert codes.pop("/no-such-field") == "unknown_field"
    needed = {f"/{one.name}" for one in step.fields if one.required and one.default is None and one.is_shown({})}
    assert needed <= codes.keys()
    assert set(codes.values()) <= {"required"}


KEEPS_SECRETS = {"database", "has_several_companies"}
"""Fields beside a secret that have no part in where it goes, each judged by a person: what is read after the sign-in on
the same server, and a question to the user that is sent to nobody. Whoever adds one here says why."""


def test_a_secret_goes_only_where_it_was_entered_for(subject: Subject) -> None:
    """Each field beside a secret, by itself, is changed in an edit that leaves the secret out."""
    description = catalogue.describe(subject.erp_system)
    settings, secret = subject.settings()
    assert description.secrets(settings)
    for step in description.steps:
        held = frozenset(item.name for item in step.fields if item.secret and item.name in secret)
        if not held:
            continue
        names = [item.name for item in step.fields]
        answer = {name: settings[name] for name in names if name in settings}
        context = AnswerContext(clean_answer(step, answer | secret)[0], held)
        assert clean_answer(step, answer, context)[1] == {}
        changed = [item for item in step.fields if not item.secret and item.role is None and item.is_shown(settings)]
        for item in changed:
            other = AnswerContext({**context.settings, item.name: "something else"}, held)
            if item.name in KEEPS_SECRETS:
                assert clean_answer(step, answer, other)[1] == {}
                continue
            with pytest.raises(Invalid) as refused:
                clean_answer(step, answer, other)
            assert {f"/{name}" for name in held} == {
                error.pointer for error in refused.value.errors if error.code == "secret_needed_again"
            }, item.name


def test_which_fields_have_no_part_in_where_a_secret_goes_is_judged_one_by_one() -> None:
    for description in catalogue.catalogue():
        for step in description.steps:
            if any(item.secret for item in step.fields):
                assert {item.name for item in step.fields if item.keeps_secrets} <= KEEPS_SECRETS
                assert step.recipient


def test_no_other_system_answers_to_its_id(subject: Subject) -> None:
    assert [one.id for one in catalogue.catalogue()].count(subject.erp_system) == 1
    with pytest.raises(NotFound):
        catalogue.describe(subject.erp_system.upper())


def test_a_capability_names_one_protocol_and_documents_are_among_them() -> None:
    assert len(set(catalogue.CAPABILITIES.values())) == len(catalogue.CAPABILITIES)
    assert catalogue.CAPABILITIES[AdapterCapability.DOCUMENTS] is PostsDocuments
