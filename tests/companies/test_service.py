"""A company is connected once: what a second person is told and offered, what it costs, and who is first of many."""

import json
from dataclasses import replace

import pytest

from erphub import app
from erphub.companies.service import CompanyRegistry, company_identity
from erphub.connections.models import Company, Connection
from erphub.erp.system import FoundCompany
from erphub.platform.errors import Conflict
from erphub.tenancy.capability import MEMBERS_MANAGE
from erphub.wizards.tasks import WizardTasks
from tests.support.aws import on_both
from tests.wizards.test_editing import Edit, companies
from tests.wizards.test_service import SERVER, Wizard

PLATFORM = "platform"
SAME = "DB01\\VISMA/0f8c-broker"


@pytest.fixture
def one(hub):
    """All connections reach one and the same installation; the id of the first, which has F0001."""
    hub.system.installation = SAME
    return Wizard(hub).until("finish").get()["connection_id"]


def allow_twice(hub, twice=True):
    answer = hub.call("PATCH", f"/customers/{hub.customer}", {"allow_duplicates": twice})
    assert answer.status == 200, answer.text
    return answer.json


def licences(hub):
    return hub.call("GET", f"/customers/{hub.customer}/licences").json


def allow(hub, allowed):
    from erphub.tenancy.dynamodb import PlatformAdministratorTable

    PlatformAdministratorTable(app.services().platform.table).add(PLATFORM)
    return hub.call("PUT", f"/customers/{hub.customer}/licences", {"licences_allowed": allowed}, user=PLATFORM)


class Neighbours(Edit):
    """A new wizard of the neighbour, in the customer's other client."""

    def __init__(self, hub):
        self.hub, self.user = hub, "neighbour"
        path = f"/clients/{hub.other_client}/wizards"
        self.id = hub.call("POST", path, {"erp_system": "visma-business"}, user=self.user).json["id"]
        self.path = f"{path}/{self.id}"
        self.answer("server", {**SERVER, "server": "10.20.30.40,1433"})

    def companies(self, **query):
        return self.hub.call("GET", f"{self.path}/companies", query=query, user=self.user)


# --- what a company is -----------------------------------------------------------------------------------------------


def company(key="F0001", **attributes):
    return Company(key=key, name="A name that may change", attributes=attributes)


def test_a_company_is_the_same_however_its_server_was_called():
    here = company_identity("visma-business", company(installation="DB01\\VISMA/broker", server="DB01\\VISMA"))
    assert company_identity("visma-business", company(installation="db01\\visma/broker")) == here
    assert company_identity("visma-business", company("F0002", installation="DB01\\VISMA/broker")) != here
    assert company_identity("visma-business", company(installation="DB02\\VISMA/broker")) != here
    assert company_identity("visma-business", company(installation="DB01\\VISMA/restored")) != here
    assert company_identity("sqlserver-generic", company(installation="DB01\\VISMA/broker")) != here


def test_the_installation_is_what_the_server_says_of_itself():
    from erphub.erp.transports.sqlserver.server import Database
    from erphub.erp.transports.sqlserver.server import company as found

    database = Database("F0001", True, "ONLINE", False, "0f8c")
    assert found(database, "Bygg AS", "DB01\\VISMA").attributes["installation"] == "DB01\\VISMA/0f8c"
    nameless = Database("F0001", True, "ONLINE", False, None)
    assert found(nameless, "Bygg AS", "DB01").attributes["installation"] == "DB01/F0001"


# --- a second time ---------------------------------------------------------------------------------------------------


def test_a_company_that_is_connected_already_says_so_with_what_can_be_done(hub, one):
    second = Wizard(hub).until("server")
    listed = second.companies().json["items"]
    assert listed[0]["connected_elsewhere"] == {
        "client_id": hub.client,
        "client_name": "Client of administrator",
        "connection_id": one,
        "connection_name": "Main office",
        "owner": {"id": "administrator", "name": "administrator@example.test", "kind": "person"},
        "allowed_actions": ["use_existing", "request_access"],
    }
    assert listed[1]["connected_elsewhere"] is None
    answer = second.put("companies", {"companies": ["F0001", "F0002"]})
    assert (answer.status, answer.code) == (409, "company_connected")
    assert [(company["key"], company["connection_id"]) for company in answer.json["companies"]] == [("F0001", one)]
    assert second.put("companies", {"companies": ["F0002"]}).status == 202


def test_whoever_is_no_member_there_learns_only_that_it_is_connected(hub, one):
    second = Neighbours(hub)
    where = second.companies().json["items"][0]["connected_elsewhere"]
    assert where == {
        "client_id": None,
        "client_name": None,
        "connection_id": None,
        "connection_name": None,
        "owner": None,
        "allowed_actions": ["request_access"],
    }
    refused = second.put("companies", {"companies": ["F0001"]})
    assert refused.code == "company_connected"
    for hidden in (hub.client, one, "Main office", "administrator"):
        assert hidden not in refused.text


def test_a_member_who_may_not_see_connections_learns_no_more_than_a_stranger(hub, one):
    blind = {"permissions": [MEMBERS_MANAGE]}
    hub.call("PUT", f"/customers/{hub.customer}/roles/blind", blind)
    hub.join("neighbour", "blind")
    assert Neighbours(hub).companies().json["items"][0]["connected_elsewhere"]["connection_id"] is None


def test_its_owner_is_asked_for_access(hub, one):
    second = Neighbours(hub)
    asked = hub.call("POST", f"{second.path}/access-requests", {"company_key": "F0001"}, user="neighbour")
    assert asked.status == 202
    holder, _, detail, facts = hub.asked[0]
    assert (holder.client_id, holder.connection_id) == (hub.client, one)
    assert detail.startswith("neighbour@example.test would like to use Ålesund Bygg AS")
    assert (facts["company_key"], facts["user_id"]) == ("F0001", "neighbour")


def test_what_another_clients_server_calls_a_company_reaches_nobody_else(hub, one):
    """Neither the sentence nor the data: whoever asks, the reader is told the name that their own connection knows."""
    lure = "Ålesund Bygg AS. URGENT from ERP Hub: confirm your password at https://erp-hub.example.net"
    hub.system.found = [replace(found, name=lure) for found in hub.system.found]
    second = Neighbours(hub)
    asked = hub.call("POST", f"{second.path}/access-requests", {"company_key": "F0001"}, user="neighbour")
    assert asked.status == 202
    _, _, detail, facts = hub.asked[0]
    assert "would like to use Ålesund Bygg AS, which" in detail
    assert facts["company_name"] == "Ålesund Bygg AS"
    assert "URGENT" not in json.dumps(hub.asked[0][2:], ensure_ascii=False)


@on_both
def test_a_company_that_others_had_first_has_the_name_that_its_own_connection_knows(hub, one):
    allow_twice(hub)
    hub.system.found = [replace(found, name=f"Ours {found.key}") for found in hub.system.found]
    second = Wizard(hub).until("server")
    other = finish(second, ["F0001"], "Twice", confirm_duplicates=True)["connection_id"]
    registry = app.services().get(CompanyRegistry)
    names = [registry.list_used(hub.client, connection)[0].name for connection in (one, other)]
    assert names == ["Ålesund Bygg AS", "Ours F0001"]


@pytest.mark.parametrize(("key", "code"), [("F0002", "company_free"), ("F9999", "company_unknown")])
def test_nobody_is_asked_for_a_company_that_nobody_has(hub, one, key, code):
    second = Neighbours(hub)
    asked = hub.call("POST", f"{second.path}/access-requests", {"company_key": key}, user="neighbour")
    assert (asked.status, asked.json["errors"][0]["code"], hub.asked) == (422, code, [])


def finish(wizard, keys, name, **more):
    wizard.answer("companies", {"companies": keys, **more})
    wizard.answer("name", {"name": name})
    wizard.answer("vouchers", {})
    return wizard.answer("finish", {})


@on_both
def test_going_on_knowingly_needs_the_customers_leave_and_is_marked_in_every_list(hub, one):
    second = Wizard(hub).until("server")
    again = {"companies": ["F0001", "F0002"], "confirm_duplicates": True}
    assert second.put("companies", again).code == "company_connected"
    assert allow_twice(hub)["allow_duplicates"] is True
    assert "continue" in second.companies().json["items"][0]["connected_elsewhere"]["allowed_actions"]
    assert second.put("companies", {"companies": ["F0001"]}).code == "company_connected"
    other = finish(second, ["F0001", "F0002"], "Twice", confirm_duplicates=True)["connection_id"]
    for connection in (one, other):
        items = hub.call("GET", hub.in_client(f"/connections/{connection}/companies")).json["items"]
        assert {item["key"]: item["is_connected_elsewhere"] for item in items}["F0001"] is True
    assert licences(hub)["licences_used"] == 2
    assert "confirm_duplicates" not in str(hub.call("GET", hub.in_client(f"/connections/{other}")).json)


def test_a_company_taken_while_the_wizard_went_on_is_asked_for_again(hub, one):
    first, second = Wizard(hub).until("server"), Wizard(hub).until("server")
    for wizard, name in ((first, "First"), (second, "Second")):
        wizard.answer("companies", {"companies": ["F0002"]})
        wizard.answer("name", {"name": name})
        wizard.answer("vouchers", {})
    assert first.answer("finish", {})["status"] == "finished"
    late = second.answer("finish", {})
    assert (late["status"], late["step"], late["problem"]["code"]) == ("waiting", "companies", "company_connected")
    assert licences(hub)["licences_used"] == 2


def test_an_edit_keeps_what_the_connection_has_and_is_refused_what_another_has(hub, one):
    second = Wizard(hub).until("server")
    other = finish(second, ["F0002"], "Second")["connection_id"]
    edit = Edit(hub, other, "companies")
    assert edit.put("companies", {"companies": ["F0002"]}).status == 202
    assert edit.put("companies", {"companies": ["F0001", "F0002"]}).code == "company_connected"


def test_a_company_that_is_let_go_is_free_for_others(hub, one):
    edit = Edit(hub, one, "companies")
    edit.answer("companies", {"companies": ["F0002"]})
    edit.answer("finish", {})
    assert companies(hub, one) == ["F0002"]
    second = Wizard(hub).until("server")
    finish(second, ["F0001"], "Second")
    assert licences(hub)["licences_used"] == 2


def test_of_two_connections_with_a_company_the_one_that_stays_keeps_it_and_its_licence(hub, one):
    allow_twice(hub)
    second = Wizard(hub).until("server")
    other = finish(second, ["F0001"], "Twice", confirm_duplicates=True)["connection_id"]
    identities = app.services().get(CompanyRegistry)
    for _ in range(2):
        identities.release(hub.client, one)
    assert [held.key for held in identities.list_used(hub.client, other)] == ["F0001"]
    assert licences(hub)["licences_used"] == 1
    identities.release(hub.client, other)
    assert licences(hub)["licences_used"] == 0


def test_a_wizard_that_ends_without_a_connection_holds_nothing(hub, monkeypatch):
    from erphub.connections.dynamodb import ConnectionTable

    wizard = Wizard(hub).until("vouchers")

    def never(*_):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(ConnectionTable, "create", never)
        wizard.answer("finish", {})
    assert licences(hub)["licences_used"] == 1
    app.services().get(WizardTasks).execution_ended(hub.client, {"wizard_id": wizard.id})
    assert licences(hub)["licences_used"] == 0
    assert hub.secrets.kept == {}


@on_both
def test_a_connection_to_all_companies_takes_new_ones_that_are_free_and_leaves_what_another_has(hub, one):
    from erphub.connections.dynamodb import ConnectionTable

    allow_twice(hub)
    wizard = Wizard(hub).until("server")
    other = finish(wizard, "all", "All", confirm_duplicates=True)["connection_id"]
    connection = ConnectionTable(app.services().platform.table).get(hub.client, other)
    assert connection is not None
    new = [
        FoundCompany(key, f"{key} AS", attributes={"installation": SAME})
        for key in ("F0001", "F0002", "F0007", "F0008")
    ]
    taker = _connection(hub, "01JCG0C0NNECT10N000000000A")
    app.services().get(CompanyRegistry).claim(
        hub.customer, taker, [Company(key="F0008", name="x", attributes=new[3].attributes)], allow_duplicates=False
    )
    skipped = []
    for _ in range(2):
        adopted = (
            app.services()
            .get(CompanyRegistry)
            .claim_new_companies(connection, new, lambda company, why: skipped.append((company.key, why.code)))
        )
        assert [company.key for company in adopted] == ["F0001", "F0002", "F0007"]
    assert skipped == [("F0008", "company_connected")] * 2
    assert companies(hub, other) == ["F0001", "F0002", "F0007"]


# --- a connection that names a company, and one that has it with all others -------------------------------------------


@pytest.fixture
def has_all(hub):
    """The id of a connection that has all companies, F0001 and F0002."""
    hub.system.installation = SAME
    return finish(Wizard(hub).until("server"), "all", "All")["connection_id"]


def audited(hub, connection):
    return [one["action"] for one in hub.call("GET", hub.in_client(f"/connections/{connection}/audit")).json["items"]]


def save_sync(hub, connection, **settings):
    from datetime import UTC, date, datetime

    from erphub.sync.settings.dynamodb import SyncTable
    from erphub.sync.settings.models import Sync, SyncSettings

    wanted = SyncSettings.model_validate({"from_date": date(2026, 1, 1), **settings})
    sync = Sync(
        client_id=hub.client, connection_id=connection, settings=wanted, saved_at=datetime.now(UTC), saved_by="u"
    )
    SyncTable(app.services().platform.table).save(sync)


@on_both
def test_a_company_goes_from_a_connection_to_all_to_one_that_names_it(hub, has_all):
    second = Wizard(hub).until("server")
    listed = second.companies().json["items"]
    assert {item["key"]: item["connected_elsewhere"]["allowed_actions"] for item in listed[:2]} == {
        "F0001": ["use_existing", "request_access", "take_over"],
        "F0002": ["use_existing", "request_access", "take_over"],
    }
    other = finish(second, ["F0002"], "Its own")["connection_id"]
    assert (companies(hub, has_all), companies(hub, other)) == (["F0001"], ["F0002"])
    assert licences(hub)["licences_used"] == 2
    assert "company.given_up" in audited(hub, has_all)
    connection = app.services().get(CompanyRegistry).connections.get(hub.client, has_all)
    found = [FoundCompany(key, key, attributes={"installation": SAME}) for key in ("F0001", "F0002")]
    registry, skipped = app.services().get(CompanyRegistry), []
    mine = registry.claim_new_companies(connection, found, lambda company, why: skipped.append(company.key))
    assert ([one.key for one in mine], skipped) == (["F0001"], ["F0002"]), "its imports go on without it"


@pytest.mark.parametrize(
    ("prepare", "choice"),
    [
        (lambda hub, one: save_sync(hub, one, company="F0002"), ["F0002"]),
        (
            lambda hub, one: save_sync(hub, one, company="F0001", locations=[{"registers": ["1"], "company": "F0002"}]),
            ["F0002"],
        ),
        (lambda hub, one: edit_to(hub, one, ["F0002"]), ["F0002"]),
        (lambda hub, one: edit_to(hub, one, ["F0001", "F0002"]), ["F0002"]),
        (lambda hub, one: None, "all"),
    ],
    ids=["its sync's company", "a location's company", "its only one", "named there too", "not named"],
)
def test_a_company_that_is_wanted_where_it_is_stays_there(hub, has_all, prepare, choice):
    prepare(hub, has_all)
    had = companies(hub, has_all)
    refused = Wizard(hub).until("server").put("companies", {"companies": choice})
    assert (refused.status, refused.code) == (409, "company_connected")
    assert companies(hub, has_all) == had


def edit_to(hub, connection, keys):
    edit = Edit(hub, connection, "companies")
    edit.answer("companies", {"companies": keys})
    edit.answer("finish", {})


def test_nobody_takes_a_company_from_another_client(hub, has_all):
    second = Neighbours(hub)
    assert "take_over" not in second.companies().json["items"][0]["connected_elsewhere"]["allowed_actions"]
    assert second.put("companies", {"companies": ["F0001"]}).code == "company_connected"


def test_a_company_is_taken_from_a_private_connection_by_its_owner_alone(hub, has_all):
    registry = app.services().get(CompanyRegistry)
    from erphub.companies.models import CompanyTaker

    [one] = [held for held in registry.list_used(hub.client, has_all) if held.key == "F0001"]
    assert registry.take_overs.is_given_up(one, CompanyTaker(hub.client, "administrator"))
    assert not registry.take_overs.is_given_up(one, CompanyTaker(hub.client, "somebody else"))


def test_the_advice_to_edit_the_first_connection_works(hub, has_all):
    save_sync(hub, has_all, company="F0002")
    second = Wizard(hub).until("server")
    assert second.put("companies", {"companies": ["F0002"]}).code == "company_connected"
    edit_to(hub, has_all, ["F0001"])
    other = finish(Wizard(hub).until("server"), ["F0002"], "Its own")["connection_id"]
    assert companies(hub, other) == ["F0002"]


@pytest.mark.parametrize("at", ["remove_company", "replace_uses"])
def test_cut_off_while_a_company_is_taken_over_it_has_one_connection(hub, has_all, monkeypatch, at):
    from erphub.companies.dynamodb import CompanyTable
    from erphub.connections.dynamodb import ConnectionTable

    second = Wizard(hub).until("server")
    for step, answer in (("companies", {"companies": ["F0002"]}), ("name", {"name": "Its own"}), ("vouchers", {})):
        second.answer(step, answer)
    owner = ConnectionTable if at == "remove_company" else CompanyTable
    real = getattr(owner, at)

    def killed(self, *given):
        real(self, *given)
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(owner, at, killed)
        second.answer("finish", {})
    store = app.services().get(CompanyRegistry)
    holders = [
        one
        for one in (has_all, second.get()["connection_id"])
        if one and "F0002" in {held.key for held in store.store.list_used(hub.customer, one)}
    ]
    assert len(holders) <= 1
    assert licences(hub)["licences_used"] == 2


# --- licences --------------------------------------------------------------------------------------------------------


@on_both
def test_licences_count_companies_and_a_selection_beyond_them_is_refused_with_the_number(hub, one):
    assert allow(hub, 2).json == {"licences_used": 1, "licences_allowed": 2, "allow_duplicates": False}
    second = Wizard(hub).until("server")
    hub.system.found = [*hub.system.found, type(hub.system.found[0])("F0004", "Fjerde AS")]
    third = Wizard(hub).until("server")
    refused = third.put("companies", {"companies": ["F0002", "F0004"]})
    assert (refused.status, refused.code) == (409, "licences_used_up")
    assert (refused.json["licences_used"], refused.json["licences_allowed"], refused.json["licences_wanted"]) == (
        1,
        2,
        2,
    )
    assert "1 of 2" in refused.json["detail"]
    finish(second, ["F0002"], "Second")
    assert licences(hub) == {"licences_used": 2, "licences_allowed": 2, "allow_duplicates": False}


def test_licences_that_ran_out_while_the_wizard_went_on_ask_for_the_companies_again(hub, one):
    second = Wizard(hub).until("server")
    second.answer("companies", {"companies": ["F0002"]})
    second.answer("name", {"name": "Second"})
    second.answer("vouchers", {})
    allow(hub, 1)
    late = second.answer("finish", {})
    assert (late["step"], late["problem"]["code"]) == ("companies", "licences_used_up")


def test_fewer_licences_than_are_used_take_nothing_away(hub, one):
    assert allow(hub, 0).json["licences_used"] == 1
    assert companies(hub, one) == ["F0001"]
    assert allow(hub, None).json["licences_allowed"] is None


def test_only_the_platform_says_how_many_licences_there_are(hub):
    refused = hub.call("PUT", f"/customers/{hub.customer}/licences", {"licences_allowed": 99})
    assert (refused.status, refused.code) == (403, "platform_administrators_only")
    unknown = allow(hub, 3).json
    assert unknown["licences_allowed"] == 3
    answer = hub.call("PUT", "/customers/01JCG0NE0000000000000000AA/licences", {"licences_allowed": 3}, user=PLATFORM)
    assert answer.status == 404


def test_a_large_selection_is_all_or_nothing(hub):
    allow(hub, 120)
    many = [
        Company(key=f"F{number:04}", name=f"Company {number}", attributes={"installation": SAME})
        for number in range(121)
    ]
    ours: CompanyRegistry = app.services().get(CompanyRegistry)
    connection = _connection(hub, "01JCG0C0NNECT10N000000000A")
    with pytest.raises(Conflict) as refused:
        ours.claim(hub.customer, connection, many, allow_duplicates=False)
    assert refused.value.code == "licences_used_up"
    assert licences(hub)["licences_used"] == 0
    ours.claim(hub.customer, connection, many[:120], allow_duplicates=False)
    ours.claim(hub.customer, connection, many[:120], allow_duplicates=False)
    assert licences(hub)["licences_used"] == 120


def _connection(hub, connection_id):
    return Connection(
        id=connection_id,
        client_id=hub.client,
        erp_system="visma-business",
        name="x",
        owner="administrator",
        is_shared=False,
        settings={},
        includes_new_companies=False,
        created_at=hub.time[0],
        updated_at=hub.time[0],
    )
