"""Actors: read alike however they are asked for; a system that has none of a type, or that cannot write, says so."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from erphub.erp import catalogue
from erphub.erp.actors import MARKER_PREFIX, ActorField, ActorSupport, ActorType, FieldAccess, KnowsActors, WritesActors
from erphub.erp.description import AdapterCapability
from erphub.erp.system import FoundCompany, ListsCompanies
from erphub.platform.errors import ErpRefused
from tests.erp.conformance.subjects import Subject

NEVER = datetime(2100, 1, 1, tzinfo=UTC)


class Asked(NamedTuple):
    """A system, one of its companies, and a type of actors that it has."""

    system: KnowsActors
    company: FoundCompany
    type: ActorType
    support: ActorSupport
    fields: list[ActorField]


def asked(subject: Subject) -> Iterator[Asked]:
    """Each type that the system has; nothing for a system without actors, which says so wherever it is asked."""
    system = subject.open()
    if AdapterCapability.ACTORS not in catalogue.describe(subject.erp_system).capabilities:
        assert not isinstance(system, KnowsActors | WritesActors)
        return
    assert isinstance(system, KnowsActors)
    assert isinstance(system, ListsCompanies)
    (company,) = [one for one in system.companies() if one.key == subject.company]
    for actor_type, support in system.actor_types().items():
        if isinstance(support, ActorSupport):
            yield Asked(system, company, actor_type, support, list(system.actor_fields(actor_type, company)))


def test_every_type_is_there_or_refused_in_words(subject: Subject) -> None:
    system = subject.open()
    if not isinstance(system, KnowsActors):
        return
    types = system.actor_types()
    assert types.keys() == set(ActorType)
    company = FoundCompany(subject.company, "")
    for actor_type, words in types.items():
        if isinstance(words, str):
            assert words.endswith(".")
            with pytest.raises(ErpRefused) as refused:
                system.actors(actor_type, ["1"], company)
            assert (refused.value.code, refused.value.detail) == ("actor_type_not_supported", words)


def test_fields_are_told_of_once_and_a_name_is_among_them(subject: Subject) -> None:
    for one in asked(subject):
        keys = [field.key for field in one.fields]
        assert len(keys) == len(set(keys))
        assert "NAME" in keys
        for field in one.fields:
            assert (field.type == "list") == (field.list_name is not None)
            if field.list_name is not None:
                assert one.system.actor_list(field.list_name, one.company)


def test_all_that_there_are_have_those_fields_and_are_read_by_their_keys_as_well(subject: Subject) -> None:
    for one in asked(subject):
        everyone = {actor.key: actor for actor in one.system.actors_changed_since(one.type, None, one.company)}
        assert everyone.keys() <= set(one.system.actor_keys(one.type, one.company))
        assert everyone or one.type is not ActorType.CUSTOMER, "the stand-in has customers"
        some = list(everyone)[:150]
        assert one.system.actors(one.type, some, one.company) == {key: everyone[key] for key in some}
        for actor in everyone.values():
            assert actor.type is one.type
            assert actor.values.keys() <= {field.key for field in one.fields}
            assert "" not in actor.values.values(), "an empty field is None"
            assert actor.values["NAME"]


def test_unknown_keys_are_not_there_whatever_they_look_like(subject: Subject) -> None:
    for one in asked(subject):
        odd = ["0", "-1", "99999999", "x", "", "1 OR 1=1", "\u0661", "1" * 40]
        assert one.system.actors(one.type, odd, one.company) == {}
        assert one.system.actors(one.type, [], one.company) == {}


def test_nothing_has_changed_since_what_is_still_to_come(subject: Subject) -> None:
    for one in asked(subject):
        assert list(one.system.actors_changed_since(one.type, NEVER, one.company)) == []


def test_whoever_cannot_write_says_why_and_whoever_can_does(subject: Subject) -> None:
    for one in asked(subject):
        writes = isinstance(one.system, WritesActors) and one.support.can_save and one.support.can_create
        assert writes or (one.support.reason and not one.support.can_save and not one.support.can_create)
        if not isinstance(one.system, WritesActors):
            assert {field.access for field in one.fields} == {FieldAccess.READ_ONLY}
            continue
        marker = MARKER_PREFIX + one.type
        key = one.system.create_actor(one.type, {"NAME": "New AS"}, marker, one.company)
        assert one.system.find_created(one.type, marker, one.company) == key
        one.system.save_actor(one.type, key, {"NAME": "Newer AS"}, one.company)
        assert one.system.actors(one.type, [key], one.company)[key].values["NAME"] == "Newer AS"
