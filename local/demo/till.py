"""The till scene: a month of settlements goes to 24SevenOffice, two fail, and each ends there as one voucher."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from rich.text import Text

from local.demo import shop
from local.demo.hub import DemoFailed, Hub, until
from local.demo.opening import answer, sign_in
from local.demo.screen import Screen, count, money
from local.demo.shop import Day, ErpAdmin
from local.demo.stage import Stage
from local.emulator import Aws

type Json = dict[str, Any]
ERP, NAME = "24sevenoffice", "24SevenOffice, the café"
UNDER = "A month of a till goes to an ERP's ledger, each day exactly once, on an AWS on this machine."
SIGN_IN: Json = {
    "sign_in": "organisation",
    "organisation_id": str(shop.ORGANISATION),
    "client_id": "erp-hub",
    "client_secret": "hub-secret",
}
ANSWERS: dict[str, tuple[Json, str]] = {
    "sign-in": (SIGN_IN, f"organisation {shop.ORGANISATION}, a client id and its secret"),
    "companies": ({"companies": "all"}, "all"),
    "departments": ({"departments": "all"}, "all; each sync names its own"),
    "name": ({"name": NAME}, NAME),
    "vouchers": ({"voucher_provider": "none"}, "none"),
    "finish": ({}, ""),
}


def play(screen: Screen, stage: Stage, days: int) -> list[str]:
    """Set the stage and tell it all with so many days, at least 4; returns what does not add up.

    Raises DemoFailed, StartupError.
    """
    described = stage.open(("--demo", "100"), "24SevenOffice")
    story = TillStory(screen, described, stage.stack.aws(), date.today(), days)  # noqa: DTZ011  the user's own day
    story.tell()
    return story.mistakes


@dataclass
class TillStory:
    """The scene from the wizard to the ERP's own ledger. `described` is the stack's stack.json."""

    screen: Screen
    described: Json
    aws: Aws
    today: date
    days: int = 31
    mistakes: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.gift_card_on, self.outage_on = self.days // 2, self.days * 3 // 4
        self.month = shop.month(shop.month_before(self.today), self.days, self.gift_card_on)
        self.erp = ErpAdmin(self.described["stand_ins"][ERP]["admin"])
        self.before = {one["id"] for one in self.erp.ledger()["vouchers"]}
        self.at = ""
        self.ids: dict[str, str] = {}

    def tell(self) -> None:
        """All chapters. Raises DemoFailed when it cannot go on; what does not add up is kept in `mistakes`."""
        hub = sign_in(self.screen, self.described, self.aws)
        try:
            self.connect(hub)
            self.set_up(hub)
            self.hand_in(hub)
            self.first_transfer(hub)
            self.look_at_log(hub)
            self.mend(hub)
            self.compare()
        finally:
            hub.close()

    # --- chapters ----------------------------------------------------------------------------------------------------

    def connect(self, hub: Hub) -> None:
        """The wizard, from signing in to the connection."""
        screen = self.screen
        screen.chapter("Connect 24SevenOffice")
        screen.request(f'POST /clients/…/wizards {{"erp_system": "{ERP}"}}')
        seen = hub.post("./wizards", {"erp_system": ERP})
        wizard, left = seen["id"], dict(ANSWERS)
        while seen["status"] == "waiting":
            step = seen["step"]
            if seen["problem"] or step not in left:
                raise DemoFailed(f"The wizard stays at {step}: {seen['problem']}")
            fields, shown = left.pop(step)
            seen = answer(screen, hub, wizard, step, fields, shown)
            if step == "sign-in":
                screen.probes(seen["probes"])
        if seen["status"] != "finished":
            raise DemoFailed(f"The wizard did not finish: {seen['problem'] or seen['status']}")
        self.at = f"./connections/{seen['connection_id']}"
        companies = hub.get(f"{self.at}/companies")["items"]
        screen.good(f"Connected: {', '.join(one['name'] for one in companies)}.")

    def set_up(self, hub: Hub) -> None:
        """The settings: first wrong ones, of which everything is said at once, then the right ones."""
        screen = self.screen
        screen.chapter("Say what is sent, and where to")
        settings: Json = {
            "department": "1", "voucher_type": "3", "z_report": True, "stock_change": True,
            "settlement_target": "ledger", "confirm_ledger": True, "from_date": self.month[0].day.isoformat(),
            "is_automatic": False, "accounts": shop.ACCOUNTS,
        }  # fmt: skip
        means: Json = shop.ACCOUNTS["payment_means"]
        wrong = settings | {
            "department": "99", "voucher_type": "77", "confirm_ledger": False,
            "accounts": shop.ACCOUNTS | {"sales": {"25": "3999"}, "payment_means": means | {"vipps": "1915"}},
        }  # fmt: skip
        screen.request("POST …/sync/test  (a department, a voucher type and accounts that are not right)")
        tested = hub.post(f"{self.at}/sync/test", wrong)
        screen.table(["setting", "what is wrong"], [[one["pointer"], one["detail"]] for one in tested["errors"]])
        found = {one["pointer"] for one in tested["errors"]}
        expected = {
            "/department", "/voucher_type", "/confirm_ledger", "/accounts/sales/25", "/accounts/payment_means/vipps",
        }  # fmt: skip
        if tested["has_passed"] or found != expected:
            raise DemoFailed(f"The test of the settings found {sorted(found)} wrong, not {sorted(expected)}.")
        offered = tested["choices"]
        numbers = ", ".join(
            f"{len(offered[name])} {name.replace('_', ' ')}" for name in ("departments", "voucher_types", "accounts")
        )
        screen.say(f"All of it at once, with what the ERP offers instead ({numbers}). Nothing was saved. Set right:")
        screen.request("PUT …/sync")
        saved = hub.put(f"{self.at}/sync", settings)
        kept = saved["settings"]
        rows = [
            ["daily settlements, with stock change", "on"],
            ["settlement target", f"{kept['settlement_target']}: final, confirmed"],
            ["nothing before", kept["from_date"]],
            ["transfers", "by hand, so that you see each of them"],
            ["sales accounts", ", ".join(f"{rate} %: {no}" for rate, no in kept["accounts"]["sales"].items())],
            ["accounts of means", ", ".join(f"{word} {no}" for word, no in kept["accounts"]["payment_means"].items())],
        ]
        screen.table(["setting", "saved"], rows)

    def hand_in(self, hub: Hub) -> None:
        """Every day's Z-report, one of them twice."""
        screen, first, last = self.screen, self.month[0], self.month[-1]
        screen.chapter("The till hands in its days")
        screen.request("PUT …/documents/settlement/Z1 … without a PDF, so the hub draws one")
        with screen.doing(f"{count(self.days)} Z-reports, {first.day} to {last.day}"):
            for day in self.month:
                handed = hub.put(f"{self.at}/documents/settlement/{day.name}", day.document)
                self.ids[day.name] = handed["id"]
        again = hub.put(f"{self.at}/documents/settlement/{first.name}", first.document)
        screen.say(f"{first.name} once more, as tills do: {again['outcome']}.")
        total = sum((day.sold for day in self.month), Decimal())
        screen.say(f"Sold: {money(total)} NOK. On {self._day(self.gift_card_on).day} a gift card was sold, too.")

    def first_transfer(self, hub: Hub) -> None:
        """Two of the documents meet with an accident."""
        screen, outage = self.screen, self._day(self.outage_on)
        screen.chapter("Transfer, on a bad day")
        self.erp.remove_account(shop.GIFT_CARDS)
        screen.say(f"Somebody deletes account {shop.GIFT_CARDS} ({shop.OF_GIFT_CARDS}) in the ERP.", "yellow")
        self.erp.lose_answer(after=self.outage_on - 2)
        screen.say(f"And the line will break after the ERP has posted {outage.name}, before it answers.", "yellow")
        done = self._transfer(hub)
        counts: Json = done["counts"]
        self._expect(counts, sent=self.days - 2, rejected=1, uncertain=1)
        words = ", ".join(f"{count(counts[name])} {name}" for name in ("sent", "rejected", "uncertain"))
        screen.good(f"The transfer went through all of them ({done['status'].replace('_', ' ')}): {words}.")

    def look_at_log(self, hub: Hub) -> None:
        """What stands open, by code, and why."""
        screen = self.screen
        screen.chapter("The export log says what did not get through")
        screen.request("GET …/export-log/codes")
        groups = hub.get(f"{self.at}/export-log/codes")["items"]
        rows = [[one["code"], one["status"], one["kind"], count(one["count"]), one["from_date"]] for one in groups]
        screen.table(["code", "status", "kind", "how many", "since"], rows, numbers=[3])
        statuses = {self._entry(hub, day.name)["status"]: day for day in self._failed()}
        if set(statuses) != {"rejected", "uncertain"}:
            raise DemoFailed(f"The two documents are {', '.join(statuses)} rather than rejected and uncertain.")
        for day in self._failed():
            entry = self._entry(hub, day.name)
            screen.say(f"{entry['title']}: {entry['status']}", "bold")
            screen.say(f"  {entry['detail']}")
            if entry["erp_message"]:
                screen.say(f"  The ERP's words: {entry['erp_message']}")
        held = self._ledger()["vouchers"]
        lost = shop.vouchers_of(held, self.ids[self._day(self.outage_on).name])
        screen.say(
            f"The ERP's ledger holds {len(held)} vouchers of it now: the {self.days - 2} that the hub knows of, and"
            f" {self._day(self.outage_on).name}'s, whose answer never came ({len(lost)}). Sent blindly again, it would"
            " stand there twice."
        )
        if len(lost) != 1 or len(held) != self.days - 1:
            self.mistakes.append(
                f"The ERP holds {len(held)} vouchers after the outage, {len(lost)} of them the lost one."
            )

    def mend(self, hub: Hub) -> None:
        """The account is made, what it stopped is sent again; what is uncertain is looked for."""
        screen, outage = self.screen, self._day(self.outage_on)
        screen.chapter("The fix, and the retry")
        self.erp.make_account(shop.GIFT_CARDS, shop.OF_GIFT_CARDS)
        screen.say(f"The accountant makes account {shop.GIFT_CARDS} again, in the ERP.")
        code = self._entry(hub, self._day(self.gift_card_on).name)["code"]
        screen.request(f'POST …/export-log/retry {{"code": "{code}"}}')
        retried = hub.post(f"{self.at}/export-log/retry", {"code": code})
        screen.say(
            f"{retried['retried_count']} document goes again. The uncertain one needs no word: it is looked for first."
        )

        def open_ones() -> Sequence[Json]:
            self._transfer(hub)
            return hub.get(f"{self.at}/export-log/codes")["items"]

        until(open_ones, lambda left: not left, 180, every=1)
        for day in self._failed():
            self._show_attempts(self._entry(hub, day.name))
        attempts = self._entry(hub, outage.name)["attempts"]
        if not attempts[-1]["searched_first"]:
            self.mistakes.append(f"{outage.name} was sent again without looking for it first.")
        self._expect(self._transfer(hub)["counts"], sent=0, rejected=0, uncertain=0)
        screen.good("Nothing stands open, and a transfer more finds nothing to send.")

    def compare(self) -> None:
        """The ERP's own ledger: each settlement once, with its PDF, and every account to the øre."""
        screen, ledger = self.screen, self._ledger()
        screen.chapter("The ERP's own ledger")
        screen.say("Read from the stand-in's administration, past the hub:")
        sizes = {one["stamp"]: one["bytes"] for one in ledger["files"]}
        rows: list[Sequence[str | Text]] = []
        for day in self.month:
            found = shop.vouchers_of(ledger["vouchers"], self.ids[day.name])
            wrong = _wrong(day, found, sizes)
            self.mistakes += wrong
            numbers = ", ".join(str(one["number"]) for one in found)
            debit = sum((amount for amount in shop.sums(found).values() if amount > 0), Decimal())
            pdf = sum(sizes.get(one["document"], 0) for one in found)
            mark = Text("✗", "bold red") if wrong else Text("✓", "green")
            rows.append(
                [day.day.isoformat(), day.name, str(len(found)), numbers, money(debit), f"{pdf / 1000:.1f} kB", mark]
            )
        heads = ["date", "Z-report", "vouchers", "number", "debit", "PDF", ""]
        screen.table(heads, rows, numbers=[2, 3, 4, 5], title=ledger["name"])
        if len(ledger["vouchers"]) != self.days:
            self.mistakes.append(f"The ERP holds {len(ledger['vouchers'])} vouchers for {self.days} settlements.")
        self._compare_accounts(ledger)
        for text in self.mistakes:
            screen.bad(text)
        if not self.mistakes:
            screen.good(
                "Each settlement is there exactly once with its PDF, and every account is what the till counted."
            )

    def _compare_accounts(self, ledger: Json) -> None:
        names = {one["number"]: one["name"] for one in ledger["accounts"]}
        found = shop.sums(ledger["vouchers"])
        wanted: dict[int, Decimal] = {}
        for day in self.month:
            for account, amount in day.postings.items():
                wanted[account] = wanted.get(account, Decimal()) + amount
        rows: list[Sequence[str | Text]] = []
        for account in sorted(wanted.keys() | found.keys()):
            counted, posted = wanted.get(account, Decimal()), found.get(account, Decimal())
            mark = Text("✓", "green") if counted == posted else Text("✗", "bold red")
            rows.append([str(account), names.get(account, ""), money(counted), money(posted), mark])
            if counted != posted:
                self.mistakes.append(f"Account {account}: the till counted {counted}, the ERP has {posted}")
        heads = ["no.", "account", "the till", "the ledger", ""]
        self.screen.table(heads, rows, numbers=[2, 3], cut=[1], title="Accounts, debit positive, NOK")

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _ledger(self) -> Json:
        """The ERP's ledger without what was in it before the scene."""
        ledger = self.erp.ledger()
        return ledger | {"vouchers": [one for one in ledger["vouchers"] if one["id"] not in self.before]}

    def _day(self, number: int) -> Day:
        return self.month[number - 1]

    def _failed(self) -> list[Day]:
        return [self._day(self.gift_card_on), self._day(self.outage_on)]

    def _entry(self, hub: Hub, name: str) -> Json:
        return hub.get(f"{self.at}/export-log/{self.ids[name]}")

    def _transfer(self, hub: Hub) -> Json:
        """A transfer by hand, from its start to its end."""
        self.screen.request("POST …/transfers {}")
        started = hub.post(f"{self.at}/transfers", {})["id"]
        done = until(lambda: hub.get(f"{self.at}/transfers/{started}"), lambda one: bool(one["finished_at"]), 300)
        if done["problem"]:
            raise DemoFailed(f"The transfer stopped: {done['problem'].get('detail')}")
        return done

    def _expect(self, counts: Json, **wanted: int) -> None:
        different = [
            f"{counts[name]} {name} instead of {number}" for name, number in wanted.items() if counts[name] != number
        ]
        if different:
            raise DemoFailed(f"The transfer ended with {', '.join(different)}.")

    def _show_attempts(self, entry: Json) -> None:
        rows = [
            [
                str(one["number"]),
                one["outcome"],
                "yes" if one["searched_first"] else "no",
                one["code"] or one["reference"],
            ]
            for one in entry["attempts"]
        ]
        title = f"{entry['external_id']}: {entry['status']}"
        self.screen.table(["attempt", "outcome", "searched first", "code, or the ERP's reference"], rows, title=title)


def _wrong(day: Day, vouchers: Sequence[Json], sizes: dict[int, int]) -> list[str]:
    """What is wrong with a settlement's vouchers."""
    if len(vouchers) != 1:
        return [f"{day.name} has {len(vouchers)} vouchers in the ERP"]
    wrong: list[str] = []
    if shop.sums(vouchers) != day.postings:
        wrong.append(f"{day.name}'s voucher is not what the till counted")
    if not sizes.get(vouchers[0]["document"]):
        wrong.append(f"{day.name}'s voucher has no PDF")
    return wrong
