"""The life of a connection: shared, edited, never twice, out of order and mended, deleted and brought back."""

# structure: one scene, told in the order in which it is played; apart, its acts would be read in two places
import contextlib
import json
import secrets
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from local import seed
from local.demo.hub import DemoFailed, until
from local.demo.member import Member
from local.demo.receiver import Receiver, receiver
from local.demo.screen import Screen
from local.demo.stage import Stage
from local.emulator import Aws
from local.sqlserver.__main__ import DEMO

type Json = dict[str, Any]

UNDER = "Years with a connection in a few minutes, on an AWS on this machine."
_COMPANY, _ADDED, _THIRD = (key for key, _, _ in DEMO[:3])
_LOGIN_REFUSED = "18456"
"""SQL Server's number for a login that it does not accept."""
_MOST_TRIES = 2
"""So often the ERP may see a wrong password; a user that is tried more often is locked out by some."""


def play(screen: Screen, stage: Stage, lines: int) -> list[str]:
    """Set the stage and tell it all; returns what was not as told. Raises DemoFailed, StartupError."""
    described, aws = stage.open(("--demo", str(lines)), "SQL Server"), stage.stack.aws()
    with receiver() as there, _trusted(aws, described, there.authority):
        life = Life(screen, described, aws, there)
        try:
            life.play()
            stage.leave(life.neighbour, life.twin)
        finally:
            for member in life.people:
                member.close()
    return life.mistakes


@dataclass
class Life:
    """The chapters. `described` is the stack's stack.json."""

    screen: Screen
    described: Json
    aws: Aws
    receiver: Receiver
    mistakes: list[str] = field(default_factory=list[str])
    people: list[Member] = field(default_factory=list[Member])

    def play(self) -> None:
        """All chapters. Raises DemoFailed when it cannot go on; what is not as told is kept in `mistakes`."""
        self.cast()
        connection = self.connect()
        self.share(connection)
        self.edit(connection)
        self.never_twice(connection)
        self.reconnect(connection)
        self.delete(connection)

    def check(self, right: bool, sentence: str, instead: object = "") -> None:
        """Say what is so; when it is not, say so and remember it."""
        if right:
            self.screen.good(sentence)
        else:
            self.screen.bad(f"Not so: {sentence} {instead}".rstrip())
            self.mistakes.append(sentence)

    # --- the stage ---------------------------------------------------------------------------------------------------

    def cast(self) -> None:
        """A customer with two clients, and three people who know nothing of each other's passwords."""
        screen, word = self.screen, secrets.token_hex(3)
        signed_in = {one["name"].split("@")[0]: self._sign_in(one) for one in self.described["users"]}
        names = {one["name"].split("@")[0]: one["name"] for one in self.described["users"]}
        with_token = Member(self.described["api_url"], signed_in["administrator"], "")
        made = with_token.post("/customers", {"name": f"Group {word}", "administrator": names["administrator"]})
        self.customer = f"/customers/{made['id']}"
        first, second = (
            with_token.post(f"{self.customer}/clients", {"name": f"{name} {word}"})["id"] for name in ("Trade", "Rent")
        )
        manages = ["connections:manage", "connections:view", "imports:run", "data:view"]
        with_token.put(f"{self.customer}/roles/connector", {"permissions": manages})
        with_token.put(f"/clients/{first}/members/{names['outsider']}", {"role": "connector"})
        with_token.put(f"/clients/{first}/members/{names['viewer']}", {"role": "viewer"})
        with_token.put(f"/clients/{second}/members/{names['neighbour']}", {"role": "connector"})
        with_token.close()

        def member(name: str, client: str) -> Member:
            self.people.append(Member(self.described["api_url"], signed_in[name], client))
            self.people[-1].accept_invitations()
            return self.people[-1]

        self.owner, self.colleague, self.viewer = (
            member(name, first) for name in ("administrator", "outsider", "viewer")
        )
        self.neighbour, self.owner_there = (member(name, second) for name in ("neighbour", "administrator"))
        self.client = first
        rows = [
            [names["administrator"], "Trade, Rent", "makes the connection and owns it; administers the customer"],
            [names["outsider"], "Trade", "a colleague, whose role may manage connections"],
            [names["viewer"], "Trade", "may look only"],
            [names["neighbour"], "Rent", "works for the customer's other client"],
        ]
        screen.table(["signed in", "client", "who that is"], rows)

    def _sign_in(self, user: Json) -> str:
        return seed.sign_in(self.aws, self.described["outputs"]["UserPoolClientId"], user["name"], user["password"])

    def _erp(self, method: str, path: str, **body: Any) -> Json:
        """Something that is done at the ERP. Raises DemoFailed."""
        address = self.described["stand_ins"]["sqlserver"]["admin_url"] + path
        try:
            answer = httpx.request(method, address, json=body or None, timeout=20).raise_for_status()
        except httpx.HTTPError as error:
            raise DemoFailed(f"The stand-in SQL Server did not do {path}: {error}") from error
        return answer.json()

    def _set_password(self) -> str:
        """The ERP's people give the hub's login a new password; returns it."""
        password = f"Sql-{secrets.token_urlsafe(9)}"
        databases = self._erp("GET", "/")["databases"]
        self._erp("POST", "/logins", name=self.login, password=password, databases=databases)
        return password

    def _refusals(self) -> int:
        return int(self._erp("GET", "/stats")["refusals"].get(_LOGIN_REFUSED, 0))

    def connect(self) -> str:
        """A connection with its first import and a webhook; returns its id."""
        screen = self.screen
        screen.chapter("A connection")
        self.login = f"hub-{secrets.token_hex(3)}"
        server = self.described["stand_ins"]["sqlserver"]
        self.server: Json = {
            "server": f"{server['host']},{server['port']}",
            "login": self.login,
            "encryption": "verify",
            "ca_certificate": server["authority"],
            "is_shared": False,
        }
        made = self.owner
        screen.request(f'POST …/wizards {{"erp_system": "visma-business"}}, and its steps; company {_COMPANY}')
        wizard = made.begin({"erp_system": "visma-business"}, "server")
        made.answer(wizard, "server", self.server | {"password": self._set_password()}, "companies")
        made.answer(wizard, "companies", {"companies": [_COMPANY]}, "name")
        made.answer(wizard, "name", {"name": "Ledger"}, "vouchers")
        made.answer(wizard, "vouchers", {"voucher_provider": "none"}, "finish")
        connection = str(made.answer(wizard, "finish", {}, None)["connection_id"])
        with screen.doing("The first import runs"):
            run = made.ended(made.job(connection, "everything"), "first")
        self.check(run["status"] == "succeeded", "It imported everything that the company has.", run["problem"])
        screen.request(f'POST …/webhooks {{"url": "{self.receiver.url}", "events": "all"}}')
        self.secret = str(made.post("./webhooks", {"url": self.receiver.url, "events": "all"})["secret"])
        screen.say("A webhook is registered; its signing secret (whsec_…) was shown this once.")
        return connection

    # --- sharing -----------------------------------------------------------------------------------------------------

    def share(self, connection: str) -> None:
        """What a colleague sees and may, before and after."""
        screen, path = self.screen, f"./connections/{connection}"
        screen.chapter("Share it with a colleague")
        before, looks = self.colleague.get(path), self.viewer.get(path)
        problem = self.colleague.refused("PATCH", path, "connection_not_shared", {"name": "Mine now"})
        screen.request(f'PATCH …/connections/… {{"name": "Mine now"}}  as the colleague: {problem["status"]}')
        screen.say(f"“{problem['detail']}”")
        screen.request('PATCH …/connections/… {"is_shared": true}  as the owner')
        self.owner.change(path, {"is_shared": True})
        after, still = self.colleague.get(path), self.viewer.get(path)
        rows = [[word, *(_seen(one, word) for one in (before, after, still))] for word in _SHOWN]
        screen.table(["", "colleague, before", "colleague, after", "who may only look"], rows)
        self.check(
            (before["settings"], looks["settings"], before["can_edit"]) == (None, None, False),
            "Before, others saw that it exists and its companies, and nothing of how it connects.",
        )
        self.check(
            after["can_edit"] and after["settings"]["login"] == self.login and "password" not in after["settings"],
            "Shared, the colleague sees its settings and may edit it; the password is shown to nobody.",
        )
        self.check(still["settings"] is None and not still["can_edit"], "Who may only look sees as much as before.")

    # --- editing -----------------------------------------------------------------------------------------------------

    def edit(self, connection: str) -> None:
        """Two editors, one company more, no password."""
        screen, owner, colleague = self.screen, self.owner, self.colleague
        screen.chapter("Edit it on a draft")
        screen.request('POST …/wizards {"connection_id": …, "step": "companies"}  as the colleague')
        late = colleague.begin({"connection_id": connection, "step": "companies"}, "companies")
        screen.request('POST …/wizards {"connection_id": …, "step": "name"}  as the owner, meanwhile')
        draft = owner.begin({"connection_id": connection, "step": "name"}, "name")
        owner.answer(draft, "name", {"name": "Ledger and projects"}, "finish")
        name = self._shown(connection)["name"]
        self.check(name == "Ledger", f"The draft has a new name; the connection is still “{name}”.")
        owner.answer(draft, "finish", {}, None)
        name = self._shown(connection)["name"]
        self.check(name == "Ledger and projects", f"The draft is finished: the connection is “{name}”.")
        chosen = {"companies": [_COMPANY, _ADDED]}
        step = f"./wizards/{late}/steps/companies"
        problem = colleague.refused("PUT", step, "connection_changed", chosen)
        screen.say(f"The colleague's draft was made before that: {problem['status']}, “{problem['detail']}”")
        changes = problem["changed"]
        screen.table(
            ["changed", "before", "now"], [[one["field"], str(one["before"]), str(one["now"])] for one in changes]
        )
        self.check([one["field"] for one in changes] == ["name"], "The second of two editors learns what changed.")
        colleague.remove(f"./wizards/{late}")

        screen.say("The colleague begins again and adds a company, without knowing the password:")
        again = colleague.begin({"connection_id": connection, "step": "companies"}, "companies")
        screen.request(f"PUT …/steps/companies  {_COMPANY}, {_ADDED}")
        colleague.answer(again, "companies", chosen, "finish")
        self.check(self._companies(connection) == [_COMPANY], "Until it is finished, the connection has one company.")
        colleague.answer(again, "finish", {}, None)
        self.check(self._companies(connection) == [_COMPANY, _ADDED], "Finished: it has two.")
        self._trail(connection)

    def _trail(self, connection: str) -> None:
        entries = self.owner.get(f"./connections/{connection}/audit")["items"]
        rows = [
            [
                one["occurred_at"][11:19],
                (one["actor"]["name"] or one["actor"]["id"]).split("@")[0],
                one["action"],
                _short(one["new"]),
            ]
            for one in entries
        ]
        self.screen.table(["at", "who", "did what", "new"], rows, cut=[3])
        self.check(
            [one["action"] for one in entries].count("connection.edited") == 2, "The trail tells both edits, and whose."
        )

    def _shown(self, connection: str) -> Json:
        return self.owner.get(f"./connections/{connection}")

    def _companies(self, connection: str) -> list[str]:
        return sorted(one["key"] for one in self.owner.get(f"./connections/{connection}/companies")["items"])

    # --- never twice -------------------------------------------------------------------------------------------------

    def never_twice(self, connection: str) -> None:
        """Another client's user comes upon the same companies, under another name of the server."""
        screen, neighbour = self.screen, self.neighbour
        screen.chapter("The same company, from the other client")
        server = self.described["stand_ins"]["sqlserver"]
        typed = self.server | {"server": f"localhost:{server['port']}", "login": server["login"]}
        answer = typed | {"password": server["password"]}
        screen.say(f"{_who(self.described, 'neighbour')} types {typed['server']}, with another login.")
        wizard = neighbour.begin({"erp_system": "visma-business"}, "server")
        neighbour.answer(wizard, "server", answer, "companies")
        found = {one["key"]: one for one in neighbour.get(f"./wizards/{wizard}/companies", limit=200)["items"]}
        where: Json = found[_COMPANY]["connected_elsewhere"] or {}
        rows = [[one["key"], one["name"], _elsewhere(one)] for one in found.values() if not one["unavailable_reason"]]
        screen.table(["key", "company", "connected already"], rows)
        self.check(
            where.get("allowed_actions") == ["request_access"] and where.get("connection_name") is None,
            "It is said that it is connected; not by whom, because this user is no member there.",
            where,
        )
        self._as_a_member_of_both(answer, connection)
        step = f"./wizards/{wizard}/steps/companies"
        problem = neighbour.refused("PUT", step, "company_connected", {"companies": [_COMPANY]})
        screen.request(f"PUT …/steps/companies  {_COMPANY}: {problem['status']}")
        screen.say(f"“{problem['detail']}”")
        screen.request(f'POST …/wizards/…/access-requests {{"company_key": "{_COMPANY}"}}')
        neighbour.post(f"./wizards/{wizard}/access-requests", {"company_key": _COMPANY})
        asked = self._notified("company.access_requested")
        self.check(bool(asked), f"The owner's client is told: “{asked[0]['detail'] if asked else ''}”")
        self._licences(wizard, step, connection)

    def _as_a_member_of_both(self, answer: Json, connection: str) -> None:
        other = self.owner_there
        wizard = other.begin({"erp_system": "visma-business"}, "server")
        other.answer(wizard, "server", answer, "companies")
        found = {one["key"]: one for one in other.get(f"./wizards/{wizard}/companies", limit=200)["items"]}
        where: Json = found[_COMPANY]["connected_elsewhere"] or {}
        sentence = f"A member of both clients is told: “{where.get('connection_name')}” of {where.get('client_name')}."
        self.check(
            where.get("connection_id") == connection and "use_existing" in where.get("allowed_actions", []),
            sentence,
            where,
        )
        other.remove(f"./wizards/{wizard}")

    def _licences(self, wizard: str, step: str, connection: str) -> None:
        screen, owner, path = self.screen, self.owner, f"{self.customer}/licences"
        screen.request('PUT /customers/…/licences {"licences_allowed": 2}  by the platform')
        owner.put(path, {"licences_allowed": 2})
        problem = self.neighbour.refused("PUT", step, "licences_used_up", {"companies": [_THIRD]})
        screen.say(f"A third company: {problem['status']}, “{problem['detail']}”")
        screen.request('PATCH /customers/… {"allow_duplicates": true}  by the customer')
        owner.change(self.customer, {"allow_duplicates": True})
        again = {"companies": [_COMPANY], "confirm_duplicates": True}
        self.neighbour.answer(wizard, "companies", again, "name")
        self.neighbour.answer(wizard, "name", {"name": "The same again"}, "vouchers")
        self.neighbour.answer(wizard, "vouchers", {"voucher_provider": "none"}, "finish")
        self.twin = str(self.neighbour.answer(wizard, "finish", {}, None)["connection_id"])
        listed = owner.get(f"./connections/{connection}/companies")["items"]
        marked = [one["key"] for one in listed if one["is_connected_elsewhere"]]
        self.check(marked == [_COMPANY], f"Connected twice on purpose, and marked in every list: {', '.join(marked)}.")
        used = owner.get(path)
        self.check(
            used["licences_used"] == 2,
            f"Licences count companies, not connections: {used['licences_used']} of {used['licences_allowed']}.",
        )

    def _notified(self, kind: str) -> list[Json]:
        return [one for page in self.owner.pages("./notifications") for one in page if one["type"] == kind]

    # --- a changed password ------------------------------------------------------------------------------------------

    def reconnect(self, connection: str) -> None:
        """The password changes at the ERP; one import fails, everybody is told, the new password makes up for it."""
        screen, owner = self.screen, self.owner
        screen.chapter("Somebody changes the password at the ERP")
        owner.quiet(connection)
        self.neighbour.quiet(self.twin)
        password, before = self._set_password(), self._refusals()
        nightly = owner.job(connection, "days")
        screen.request("POST …/import-jobs/…/runs  the job that runs every night")
        run = owner.run(nightly)
        problem: Json = run["problem"] or {}
        screen.say(f"The run {run['status']}: “{problem.get('detail')}”")
        shown = owner.stands(connection, "reauth_required")
        screen.say(f"The connection is {shown['status']} since {shown['status_since'][11:19]}.")
        again: Json = owner.run(nightly)["problem"] or {}
        tried = self._refusals() - before
        self.check(
            problem.get("code") == "credentials_refused" and again.get("code") == "reauth_required",
            "The next run ends at once, without asking the ERP.",
            (problem, again),
        )
        often = {1: "once", 2: "twice"}.get(tried, f"{tried} times")
        self.check(1 <= tried <= _MOST_TRIES, f"The ERP was given the old password {often}; nobody is locked out.")
        self._check_messages({"connection.reauth_required", "import.failed"})

        screen.request('POST …/wizards {"connection_id": …, "step": "server"}  with the new password')
        wizard = owner.begin({"connection_id": connection, "step": "server"}, "server")
        steps = owner.get(f"./wizards/{wizard}")["steps"]
        known: Json = next(step["answer"] for step in steps if step["id"] == "server")
        owner.answer(wizard, "server", known | {"password": password}, "finish")
        owner.answer(wizard, "finish", {}, None)
        owner.stands(connection, "active")
        made_up = owner.ended(nightly, "catch_up")
        sentence = f"Active again; what was missed was caught up on: {made_up['trigger']}, {made_up['status']}."
        self.check((made_up["trigger"], made_up["status"]) == ("catch_up", "succeeded"), sentence, made_up["problem"])
        self._check_messages({"connection.healed", "import.finished"})

    def _check_messages(self, wanted: set[str]) -> None:
        """Both ways of being told: the list in the hub, and the messages at the customer's own system."""
        screen = self.screen
        until(self.receiver.types, lambda got: wanted <= got, 180)
        news = {kind: self._notified(kind) for kind in sorted(wanted)}
        messages = [message for message in self.receiver.got if message.type in wanted]
        rows = [[kind, found[0]["level"], found[0]["detail"]] for kind, found in news.items() if found]
        screen.table(["notification", "level", "what it says"], rows)
        signed = [message.signed_with(self.secret) for message in messages]
        forged = any(message.signed_with(f"whsec_{'A' * 44}") for message in messages)
        self.check(
            all(news.values()) and all(signed) and not forged,
            f"In the client's notifications, and by webhook: {len(messages)} messages, each signature verified.",
        )
        ids = [message.id for message in self.receiver.got]
        self.check(len(ids) == len(set(ids)), "Each fact was told once.")

    # --- deleting ----------------------------------------------------------------------------------------------------

    def delete(self, connection: str) -> None:
        """Shown first, unusable at once, brought back, and gone for good."""
        screen, owner, path = self.screen, self.owner, f"./connections/{connection}"
        screen.chapter("Delete it, and think again")
        owner.quiet(connection)
        job, rows = owner.job(connection, "days"), self._rows(connection)
        plan = self._preview(path)
        owner.change(path, {"name": "Ledger, soon gone"})
        problem = owner.refused("DELETE", path, "plan_changed", plan_token=plan["plan_token"])
        differs = ", ".join(one["kind"] for one in problem["difference"])
        screen.say(f"It was renamed meanwhile: {problem['status']}, “{problem['detail']}” Here: {differs}.")
        token = owner.post(f"{path}/deletion-preview", {})["plan_token"]
        screen.request("DELETE …/connections/…?plan_token=…")
        owner.remove(path, plan_token=token)
        for wanted in (f"./import-jobs/{job}/runs", f"{path}/test", f"{path}/deletion-preview"):
            owner.refused("POST", wanted, "connection_deleting", {})
        none = self._rows(connection)
        sentence = f"Unusable at once: no run, no test, and its {rows} accounts in the lake are no longer shown."
        self.check((rows > 0, none) == (True, 0), sentence, (rows, none))
        screen.request("POST …/connections/…/restore")
        restored = owner.post(f"{path}/restore", {})
        back = self._rows(connection)
        self.check(
            (restored["status"], back) == ("paused", rows), "Everything is back; its schedules are paused.", back
        )
        owner.post(f"{path}/resume", {})
        owner.quiet(connection)
        self._for_good(connection)

    def _preview(self, path: str) -> Json:
        self.screen.request("POST …/connections/…/deletion-preview")
        plan = self.owner.post(f"{path}/deletion-preview", {})
        deleted = [[one["title"], str(one["count"]), _named(one)] for one in plan["deleted"] if one["count"]]
        self.screen.table(["deleted", "", "of it"], deleted, numbers=[1])
        self.screen.table(["kept", "why"], [[one["title"], one["reason"]] for one in plan["kept"]])
        counts = {one["kind"]: one["count"] for one in plan["deleted"]}
        self.check(
            (counts.get("companies"), counts.get("licences"), counts.get("import_jobs")) == (2, 1, 3),
            "Two companies and three jobs are deleted, one licence is freed: the other client has the other company.",
            counts,
        )
        return plan

    def _for_good(self, connection: str) -> None:
        screen, owner, path = self.screen, self.owner, f"./connections/{connection}"
        screen.chapter("Delete it for good")
        others, words = self._rows(self.twin, self.neighbour), (connection, "Ledger, soon gone", self.login)
        before = self._traces(words)
        owner.remove(path, plan_token=owner.post(f"{path}/deletion-preview", {})["plan_token"])
        grace = self.described["parameters"]["DeletionGraceSeconds"]
        with screen.doing(f"The grace period passes ({grace} seconds here, 30 days by default), and it is removed"):
            until(lambda: owner.get("./connections")["items"], lambda found: not found, 240, every=1)
        owner.refused("GET", path, "connection_not_found")
        jobs = [job for page in owner.pages("./import-jobs") for job in page]
        self.check((jobs, self._rows(connection)) == ([], 0), "The API knows no connection, job or row of it.")
        left = self._traces(words)
        sentence = (
            "Both tables, every version of every object and all secrets were searched for its id, name and login:"
        )
        self.check(len(before) > 0 and not left, f"{sentence} {len(before)} places before, none now.", left[:5])
        actions = [one["action"] for one in owner.get(f"{path}/audit")["items"]]
        self.check(actions[0] == "connection.removed", "Its trail is still there, and says last: connection.removed.")
        used = owner.get(f"{self.customer}/licences")["licences_used"]
        kept = self._rows(self.twin, self.neighbour)
        self.check(used == 1, f"Licences used: {used}.")
        self.check(kept == others > 0, "The other client's connection has all of its rows.", (others, kept))

    def _rows(self, connection: str, member: Member | None = None) -> int:
        pages = (member or self.owner).pages("./datasets/accounts/rows", connection_id=connection, columns="account_no")
        return sum(len(page) for page in pages)

    def _traces(self, words: Sequence[str]) -> list[str]:
        """Where an operator still finds any of the words, beside the audit log, which stays."""
        outputs, found = self.described["outputs"], list[str]()
        for table in (outputs["TableName"], outputs["ExportLogTable"]):
            for page in self.aws.client("dynamodb").get_paginator("scan").paginate(TableName=table):
                held = [item for item in page["Items"] if _names_any(json.dumps(item, default=str), words)]
                found += [f"{item['pk'].get('S')} {item['sk'].get('S')}" for item in held]
        s3, bucket = self.aws.client("s3"), outputs["LakeBucket"]
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in page.get("Versions", []):
                key, version = one.get("Key", ""), one.get("VersionId", "")
                data = s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read()
                found += [f"{key} {version}"] if _names_any(key + data.decode("latin-1"), words) else []
        for page in self.aws.client("secretsmanager").get_paginator("list_secrets").paginate():
            names = [one.get("Name", "") for one in page["SecretList"]]
            found += [name for name in names if _names_any(name, words)]
        return [place for place in found if "#AUDIT#" not in place]


@contextlib.contextmanager
def _trusted(aws: Aws, described: Json, authority: str) -> Generator[None]:
    """As the template's parameter WebhookCaBundle does: webhooks may go to whom this authority vouches for, too."""
    client, name = aws.client("lambda"), described["outputs"]["WebhookDeliveriesFunction"]

    def trust(authorities: str) -> None:
        known: Any = {"Variables": variables | {"WEBHOOK_CA_BUNDLE": authorities}}
        client.update_function_configuration(FunctionName=name, Environment=known)

    variables = client.get_function_configuration(FunctionName=name).get("Environment", {}).get("Variables", {})
    before = variables.get("WEBHOOK_CA_BUNDLE", "")
    trust(f"{before}\n{authority}".strip())
    try:
        yield
    finally:
        trust(before)


def _names_any(text: str, words: Sequence[str]) -> bool:
    return any(word in text for word in words)


_SHOWN = ("name", "status", "may edit", "server", "login", "password")


def _seen(connection: Json, word: str) -> str:
    """What somebody sees of a connection, in a word."""
    if word in ("name", "status"):
        return str(connection[word])
    if word == "may edit":
        return "yes" if connection["can_edit"] else "no"
    settings: Json = connection["settings"] or {}
    return str(settings.get(word, "—"))


def _elsewhere(company: Json) -> str:
    where: Json | None = company["connected_elsewhere"]
    return "" if where is None else f"yes; offered: {', '.join(where['allowed_actions'])}"


def _named(kind: Json) -> str:
    size = kind["details"].get("size_bytes")
    return ", ".join(kind["names"][:4]) + (f" ({size // 1024} KB)" if size else "")


def _short(value: Json | None) -> str:
    return ", ".join(f"{name}: {one}" for name, one in (value or {}).items() if isinstance(one, str | bool | int))


def _who(described: Json, word: str) -> str:
    return next(str(one["name"]) for one in described["users"] if one["name"].startswith(word))
