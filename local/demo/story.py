"""The demo's chapters: sign in, connect, import, look. Everything goes over the API that customers' programs use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from local.demo import ledger
from local.demo.hub import DemoFailed, Hub, until
from local.demo.ledger import Sums, TrialBalance
from local.demo.opening import answer, require_step, sign_in
from local.demo.progress import Watch, in_words, matrix
from local.demo.screen import Screen, count, money
from local.demo.source import Source
from local.demo.stage import Stage

type Json = dict[str, Any]

ERP = "visma-business"
NAME = "Visma Business, head office"
DOCUMENTS = "\\\\files01\\DocumentCenter"
MOST_ACCOUNTS = 40
_JOBS = ("everything", "this_year", "days", "range")
_API_REQUEST_USD = 3.5e-6
"""List price of a request to a REST API in us-east-1."""


@dataclass
class Story:
    """The demo from sign-in to the bill. `described` is what the stage says it has."""

    screen: Screen
    stage: Stage
    described: Json
    sources: Sequence[Source]
    real: bool
    """Whether the source is a file somebody gave."""
    mistakes: list[str] = field(default_factory=list[str])

    def play(self) -> None:
        """All chapters. Raises DemoFailed when it cannot go on; what does not add up is kept in `mistakes`."""
        hub = self.sign_in()
        try:
            self.choose_erp(hub)
            wizard = self.connect(hub)
            self.choose_companies(hub, wizard)
            connection = self.finish(hub, wizard)
            run = self.watch_import(hub, connection)
            balances = self.read_back(hub, connection)
            self.compare(run, balances)
            self.show_balances(balances)
            self.show_cost(hub, run)
            self.stage.leave(hub, connection)
        finally:
            hub.close()

    # --- chapters ----------------------------------------------------------------------------------------------------

    def sign_in(self) -> Hub:
        """Who we are."""
        return sign_in(self.screen, self.described, self.stage.stack.aws())

    def choose_erp(self, hub: Hub) -> None:
        """Which systems there are."""
        screen = self.screen
        screen.chapter("Choose the ERP system")
        screen.request("GET /erp-systems")
        systems = hub.get("/erp-systems")["items"]
        screen.table(["id", "title", "what it is"], [[one["id"], one["title"], one["summary"]] for one in systems])
        screen.request(f"GET /erp-systems/{ERP}")
        steps = hub.get(f"/erp-systems/{ERP}")["steps"]
        screen.say(f"Chosen: {ERP}. Its wizard asks for: {', '.join(step['title'] for step in steps)}.")

    def connect(self, hub: Hub) -> str:
        """The server, with a wrong password and then with the right one; returns the wizard's id."""
        screen, server = self.screen, self.described["stand_ins"]["sqlserver"]
        screen.chapter("Connect the server")
        screen.request(f'POST /clients/…/wizards {{"erp_system": "{ERP}"}}')
        wizard = hub.post("./wizards", {"erp_system": ERP})["id"]
        given: Json = {
            "server": f"{server['host']},{server['port']}",
            "database": "vbsys",
            "authentication": "sql",
            "login": server["login"],
            "encryption": "verify",
            "ca_certificate": server["authority"],
            "is_shared": True,
        }
        screen.say(f"A SQL Server at {given['server']}, and a password that is wrong:")
        seen = self._answer(hub, wizard, "server", given | {"password": "Summer2019"}, "…, a wrong password")
        screen.probes(seen["probes"])
        problem: Json = seen["problem"] or {}
        if problem.get("code") != "credentials_refused":
            raise DemoFailed(f"A wrong password was not refused as such: {problem or seen['status']}")
        screen.say("The wizard stays where it is and asks again. With the right password:")
        seen = self._answer(hub, wizard, "server", given | {"password": server["password"]}, "…, the right password")
        screen.probes(seen["probes"])
        require_step(seen, "companies")
        screen.good("Connected. The password lies in Secrets Manager and is never shown again.")
        return wizard

    def choose_companies(self, hub: Hub, wizard: str) -> None:
        """Searched, listed, chosen."""
        screen = self.screen
        screen.chapter("Find and choose companies")
        word = self.sources[0].name.split()[-2 if len(self.sources[0].name.split()) > 1 else 0].lower()
        path = f"./wizards/{wizard}/companies"
        screen.request(f"GET …/companies?search={word}")
        hits = hub.get(path, search=word)["items"]
        screen.say(f"“{word}” finds {', '.join(one['name'] for one in hits) or 'nothing'}. All that the server shows:")
        screen.request("GET …/companies")
        found = [one for page in hub.pages(path) for one in page]
        wanted = {source.key for source in self.sources}
        rows = [
            [
                Text("✓", "green") if one["key"] in wanted else Text("✗", "yellow"),
                one["key"], one["name"], one["unavailable_reason"] or "can be opened",
            ] for one in found
        ]  # fmt: skip
        screen.table(["", "key", "company", ""], rows)
        missing = wanted - {one["key"] for one in found if not one["unavailable_reason"]}
        if missing or not hits:
            raise DemoFailed(f"The wizard did not find {', '.join(sorted(missing)) or word}.")
        seen = self._answer(hub, wizard, "companies", {"companies": sorted(wanted)}, ", ".join(sorted(wanted)))
        require_step(seen, "name")

    def finish(self, hub: Hub, wizard: str) -> str:
        """Name, vouchers, the end; returns the connection's id."""
        screen = self.screen
        screen.chapter("Name it, say where vouchers lie, finish")
        require_step(self._answer(hub, wizard, "name", {"name": NAME}, NAME), "vouchers")
        vouchers = {"voucher_provider": "visma-document-center", "document_center_path": DOCUMENTS}
        require_step(self._answer(hub, wizard, "vouchers", vouchers, DOCUMENTS), "finish")
        seen = self._answer(hub, wizard, "finish", {}, "")
        if seen["status"] != "finished":
            raise DemoFailed(f"The wizard did not finish: {seen['problem'] or seen['status']}")
        connection = hub.get(f"./connections/{seen['connection_id']}")
        companies = hub.get(f"./connections/{connection['id']}/companies")["items"]
        rows = [
            ["name", connection["name"]],
            ["status", connection["status"]],
            ["ERP system", connection["erp_system"]],
            ["companies", ", ".join(one["name"] for one in companies)],
            ["documents of vouchers", connection["voucher"]["path"] or "none"],
            ["others may edit it", "yes" if connection["is_shared"] else "no"],
        ]
        screen.table(["connection", connection["id"]], rows)
        return connection["id"]

    def watch_import(self, hub: Hub, connection: str) -> Json:
        """The first import, from its start to its end; returns the run."""
        screen = self.screen
        screen.chapter("The first import runs by itself")
        jobs = [job for page in hub.pages("./import-jobs") for job in page if job["connection_id"] == connection]
        jobs.sort(key=lambda job: _JOBS.index(job["period"]["kind"]))
        screen.say("A new connection has three import jobs:")
        screen.table(["job", "what it does"], [[job["name"], job["description"]] for job in jobs])
        job = next((job["id"] for job in jobs if job["period"]["kind"] == "everything"), None)
        if job is None:
            raise DemoFailed("The new connection has no job that imports everything.")
        runs = until(lambda: hub.get(f"./import-jobs/{job}/runs")["items"], bool, 120)
        path = f"./import-jobs/{job}/runs/{runs[0]['id']}"
        watch = Watch(screen)

        def look() -> Json:
            run = hub.get(path)
            watch.show(run)
            return run

        with watch.watching():
            run = until(look, lambda run: run["status"] not in ("queued", "running"), 900, every=0.5)
        self._show_run(hub, path, run)
        return run

    def _show_run(self, hub: Hub, path: str, run: Json) -> None:
        screen, units = self.screen, run["units"]["items"]
        screen.table(["key", "company"], sorted({(unit["company_key"], unit["company_name"]) for unit in units}))
        screen.show(matrix(units))
        log = [line for page in hub.pages(f"{path}/log") for line in page]
        for text in dict.fromkeys(f"{line['detail']}" for line in log if line["level"] == "warning"):
            about = [line["unit_title"] for line in log if line["detail"] == text]
            screen.say(f"! {about[0]}{f' and {len(about) - 1} more' if len(about) > 1 else ''}: {text}", "yellow")
        if run["status"] != "succeeded":
            problem: Json = run["problem"] or {}
            raise DemoFailed(f"The import {run['status']}: {problem.get('detail', 'see its log')}")
        screen.good(f"The import succeeded: {in_words(run)}, each reconciled with the server's own counts and sums.")

    def read_back(self, hub: Hub, connection: str) -> list[TrialBalance]:
        """Every ledger line in the lake, through the API."""
        screen = self.screen
        screen.chapter("Read the ledger back from the lake")
        screen.request("GET …/gl_transactions/rows?columns=account_no,amount,is_credit&next=…")
        lines = sum(source.lines for source in self.sources)
        columns = (
            TextColumn("   "),
            BarColumn(30),
            TextColumn("{task.completed:,} of {task.total:,} lines"),
        )
        before = hub.requests
        with Progress(*columns, console=screen.console, transient=True, disable=not screen.live) as progress:
            task = progress.add_task("lines", total=lines)
            step: Callable[[int], None] = lambda rows: progress.advance(task, rows)  # noqa: E731
            balances = ledger.trial_balances(hub, connection, self.sources, step)
        found = sum(balance.total.lines for balance in balances)
        screen.good(f"{count(found)} lines came back in {count(hub.requests - before)} requests.")
        return balances

    def compare(self, run: Json, balances: Sequence[TrialBalance]) -> None:
        """Counts and sums of the files against those in the lake."""
        screen = self.screen
        screen.chapter("Is it the same?")
        rows: list[Sequence[str | Text]] = []
        for source, balance in zip(self.sources, balances, strict=True):
            wrong = ledger.differences(source, balance.total)
            unit = next(
                one
                for one in run["units"]["items"]
                if (one["dataset_id"], one["company_key"]) == ("gl_transactions", source.key)
            )
            if unit["rows_written"] != source.lines:
                wrong.append(
                    f"{source.name}: the run says that it wrote {unit['rows_written']} of {source.lines} lines"
                )
            if wrong and not source.coherent:
                wrong.append(
                    f"{source.name}: the file's lines add up to {source.debit} and {source.credit}, so its own totals"
                    " are not those of its lines"
                )
            self.mistakes += wrong
            total = balance.total
            mark = Text("✗", "bold red") if wrong else Text("✓", "green")
            file = Sums(source.lines, source.total_debit, source.total_credit)
            rows.append([source.name, "the file", *_shown(file), ""])
            rows.append(["", "the lake", *_shown(total), mark])
        screen.table(["company", "", "lines", "TotalDebit", "TotalCredit", ""], rows, numbers=[2, 3, 4], cut=[0])
        for text in self.mistakes:
            screen.bad(text)
        if not self.mistakes:
            screen.good("Every line arrived once, and the sums are the files' own TotalDebit and TotalCredit.")

    def show_balances(self, balances: Sequence[TrialBalance]) -> None:
        """A trial balance per company."""
        screen = self.screen
        screen.chapter("Trial balance per company")
        for source, balance in zip(self.sources, balances, strict=True):
            first, last = source.ranges[0][0], source.ranges[-1][1]
            ordered = sorted(balance.accounts.items(), key=lambda one: (len(one[0]), one[0]))
            rows = [[number, balance.names.get(number, ""), *_amounts(sums)] for number, sums in ordered]
            title = f"{source.name}, {first} to {last}, {source.currency}"
            total = ["", f"{len(rows)} accounts", *_amounts(balance.total)]
            if len(rows) > MOST_ACCOUNTS:
                left = f"… and {len(rows) - MOST_ACCOUNTS} more, counted in the total"
                rows = [*rows[:MOST_ACCOUNTS], ["", left, "", "", ""]]
            heads = ["no.", "account", "debit", "credit", "balance"]
            screen.table(heads, rows, numbers=[2, 3, 4], cut=[1], total=total, title=title)

    def show_cost(self, hub: Hub, run: Json) -> None:
        """What it took."""
        screen, cost = self.screen, run["cost"]
        screen.chapter("What it cost")
        calls: dict[str, int] = cost["aws_calls"]
        by_service: dict[str, list[str]] = {}
        for call, number in sorted(calls.items(), key=lambda one: -one[1]):
            service, operation = call.split(".", 1)
            by_service.setdefault(service, []).append(f"{operation} {count(number)}")
        rows = [
            [service, count(sum(n for call, n in calls.items() if call.startswith(f"{service}."))), ", ".join(what)]
            for service, what in sorted(by_service.items())
        ]
        rows.append(
            [
                "lambda",
                count(cost["task_count"]),
                f"tasks of the import, {cost['lambda_duration_ms'] / 1000:.1f} s in all",
            ]
        )
        screen.table(["service", "calls", "of which"], rows, numbers=[1])
        usd = float(cost["estimated_usd"])
        read: int = run["totals"]["rows_read"]
        million = f" (${usd / read * 1_000_000:.3f} per million)" if read >= 10_000 else ""
        requests = hub.requests * _API_REQUEST_USD
        screen.say(
            f"The import, estimated at AWS's list prices: ${usd:.4f} for {count(read)} rows{million}."
            f" The demo's own {count(hub.requests)} requests to the API: ${requests:.4f}."
        )

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _answer(self, hub: Hub, wizard: str, step: str, fields: Json, shown: str) -> Json:
        """Answer a step and wait until the wizard waits again."""
        return answer(self.screen, hub, wizard, step, fields, shown)


def _shown(sums: Sums) -> list[str]:
    return [count(sums.lines), money(sums.debit), money(sums.credit)]


def _amounts(sums: Sums) -> list[str]:
    return [money(sums.debit), money(sums.credit), money(sums.balance)]
