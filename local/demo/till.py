"""The till scene: a month of four shops goes to two companies' books, by inbox and by ledger, each day exactly once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from local.demo import shop
from local.demo.erp_books import ErpBooks, vouchers_of
from local.demo.hub import DemoFailed, Hub, until
from local.demo.opening import answer, sign_in
from local.demo.screen import Screen, count, money
from local.demo.shop import COMPANIES, SHOPS, Day, Shop, Sums
from local.demo.stage import Stage
from local.demo.till_balance import TillBalance
from local.demo.till_sync import FIRST_ENCODING, SECOND_ENCODING, TillSync
from local.emulator import Aws

type Json = dict[str, Any]
ERP, NAME = "24sevenoffice", "24SevenOffice, the chain"
UNDER = "A month of four shops goes to two companies' books, each day exactly once, on an AWS on this machine."
SIGN_IN: Json = {
    "sign_in": "user", "username": "ola@fjell.example", "password": "riktig-passord", "has_several_companies": True,
}  # fmt: skip
ANSWERS: dict[str, tuple[Json, str]] = {
    "sign-in": (SIGN_IN, "a user name that reaches several companies, and its password"),
    "companies": ({"companies": "all"}, "all"),
    "departments": ({"departments": "all"}, "all; each shop's location names its own"),
    "name": ({"name": NAME}, NAME),
    "vouchers": ({"voucher_provider": "none"}, "none"),
    "finish": ({}, ""),
}
CARD, BANK = 2380, 1920
FIRST_COMPANY = next(iter(COMPANIES))


def play(screen: Screen, stage: Stage, days: int) -> list[str]:
    """Set the stage and tell it all with so many days, at least 4; returns what does not add up.

    Raises DemoFailed, StartupError.
    """
    described = stage.open(("--demo", "100"), "24SevenOffice")
    story = TillStory(screen, described, stage.stack.aws(), date.today(), days)  # noqa: DTZ011  the user's own day
    story.play()
    return story.mistakes


@dataclass
class TillStory:
    """The scene from the wizard to the ERP's own ledgers. `described` is the stack's stack.json."""

    screen: Screen
    described: Json
    aws: Aws
    today: date
    days: int = 31
    mistakes: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.gift_card_on = max(2, self.days // 2)
        self.month = shop.month(shop.month_before(self.today), self.days, self.gift_card_on)
        self.every = [day for some in self.month.values() for day in some]
        self.openings = [some[0] for some in self.month.values()]
        self.books = ErpBooks(self.described["stand_ins"][ERP])
        self.before: dict[int, Sums] = {}

    def play(self) -> None:
        """All chapters. Raises DemoFailed when it cannot go on; what does not add up is kept in `mistakes`."""
        first, last = self.every[0].day, self.every[-1].day
        self.before = {company: self.books.trial_balance(company, first, last) for company in COMPANIES}
        hub = sign_in(self.screen, self.described, self.aws)
        try:
            sync = self.connect(hub)
            self.set_up(sync)
            self.first_day(sync)
            self.approve(sync)
            self.hand_in(sync)
            self.bad_day(sync)
            self.mend(sync)
            self.export_again(sync)
            self.compare(sync)
        finally:
            hub.close()

    # --- chapters ----------------------------------------------------------------------------------------------------

    def connect(self, hub: Hub) -> TillSync:
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
        sync = TillSync(hub, f"./connections/{seen['connection_id']}")
        companies = hub.get(f"{sync.at}/companies")["items"]
        screen.good(f"Connected: {', '.join(one['name'] for one in companies)}.")
        return sync

    def set_up(self, sync: TillSync) -> None:
        """The settings: first wrong ones, of which everything is said at once, then the right ones but for a shop."""
        screen, hub = self.screen, sync.hub
        screen.chapter("Say what is sent, and where to")
        settings = self._settings(SHOPS[:-1])
        means: Json = shop.ACCOUNTS["payment_means"]
        wrong = settings | {
            "voucher_type": "77", "settlement_target": "ledger", "confirm_ledger": False,
            "accounts": shop.ACCOUNTS | {"payment_means": means | {"vipps": "1915"}},
            "locations": [SHOPS[0].location | {"department": "99"}, *settings["locations"][1:]],
        }  # fmt: skip
        screen.request("POST …/sync/test  (a voucher type, an account and a shop's department that are not right)")
        tested = hub.post(f"{sync.at}/sync/test", wrong)
        screen.table(["setting", "what is wrong"], [[one["pointer"], one["detail"]] for one in tested["errors"]])
        found = {one["pointer"] for one in tested["errors"]}
        expected = {
            "/voucher_type", "/confirm_ledger", "/accounts/payment_means/vipps", "/locations/0/department",
            "/locations/2/voucher_type", "/locations/2/accounts/payment_means/vipps",
        }  # fmt: skip
        if tested["has_passed"] or found != expected:
            raise DemoFailed(f"The test of the settings found {sorted(found)} wrong, not {sorted(expected)}.")
        screen.say(
            "All of it at once, with what the ERP offers instead. Nothing was saved. Set right, for three shops:"
        )
        self._save(sync, settings)

    def first_day(self, sync: TillSync) -> None:
        """The first day of each shop goes to the inbox; one of the shops is of no known location."""
        screen, unknown = self.screen, self.openings[-1]
        screen.chapter("The first day, to the accountant's inbox")
        rows = [[day.shop.name, day.shop.road, sync.hand_in(day.shop, [day])] for day in self.openings]
        screen.table(["shop", "comes as", "the hub says"], rows)
        again = self.openings[0]
        screen.say(f"{again.shop.name}'s once more, as tills do: {sync.submit(again.name, again)}.")
        screen.request("POST …/transfers {}")
        sync.transfer()
        waits = sync.documents(self.openings)[unknown.key]
        screen.say(f"{unknown.shop.name} is {waits['status']} ({waits['code']}):", "bold")
        screen.say(f"  {waits['detail']}")
        if (waits["status"], waits["code"]) != ("pending", "location_unknown"):
            raise DemoFailed("A shop that no location names should have waited.")
        screen.say("It is in nobody's books, and held up no other. Now its location is said:")
        self._save(sync, self._settings(SHOPS))
        sync.transfer()
        self._show(sync, "In the ERP's inbox", {"sent"})

    def approve(self, sync: TillSync) -> None:
        """The accountant approves one, edits one, discards one and leaves one; the hub sees what became of each."""
        screen, opened = self.screen, sync.documents(self.openings)
        screen.chapter("What the accountant makes of it")
        as_it_was, edited, discarded, left = self.openings

        def number(day: Day) -> tuple[int, str]:
            return day.shop.company, opened[day.key]["id"]

        approved = self.books.approve(*number(as_it_was))
        screen.say(f"{as_it_was.shop.name}: approved, voucher {approved}.", "yellow")
        self.books.move_line(*number(edited), CARD, BANK)
        approved = self.books.approve(*number(edited))
        screen.say(
            f"{edited.shop.name}: the cards moved from {CARD} to {BANK}, approved, voucher {approved}.", "yellow"
        )
        self.books.discard(*number(discarded))
        screen.say(f"{discarded.shop.name}: discarded, by mistake. {left.shop.name}: left there.", "yellow")
        screen.request("POST …/transfers {}  (each looks what became of the inbox)")
        sync.transfer()
        seen = self._show(sync, "What the hub has seen", {"sent", "discarded"})
        changes = [(one["field"], one["account"]) for one in seen[edited.key]["edits"]]
        if not seen[as_it_was.key]["approved_at"] or changes != [("amount", str(BANK)), ("amount", str(CARD))]:
            raise DemoFailed(f"The hub saw {changes} edited.")
        if seen[discarded.key]["status"] != "discarded" or not seen[left.key]["is_awaiting_approval"]:
            raise DemoFailed("The hub did not see what was discarded and what waits.")
        again = seen[discarded.key]["id"]
        screen.request("POST …/export-log/…/retry?resend_discarded=true  (it never goes again by itself)")
        sync.hub.post(f"{sync.at}/export-log/{again}/retry?resend_discarded=true", {})

    def hand_in(self, sync: TillSync) -> None:
        """The rest of the month by each shop's own road; what comes as a file has the first day again."""
        screen = self.screen
        screen.chapter("The rest of the month")
        rows = [
            [one.name, one.road, f"{days[1].day} to {days[-1].day}", sync.hand_in(one, days[1:], days[:1])]
            for one, days in self.month.items()
        ]
        screen.table(["shop", "comes as", "new days", "the hub says"], rows)
        total = sum((day.sold for day in self.every), Decimal())
        screen.say(f"Sold in all: {money(total)} NOK, in {count(len(self.every))} Z-reports. The hub draws their PDFs.")

    def bad_day(self, sync: TillSync) -> None:
        """From now on straight to the ledger; two of the documents meet with an accident."""
        screen, due = self.screen, len(self.every) - len(self.openings) + 1
        screen.chapter("Straight to the ledger, on a bad day")
        self._save(sync, self._settings(SHOPS) | {"settlement_target": "ledger", "confirm_ledger": True})
        self.books.remove_account(FIRST_COMPANY, shop.GIFT_CARDS)
        name = f"account {shop.GIFT_CARDS} ({shop.OF_GIFT_CARDS}) of {COMPANIES[FIRST_COMPANY]}"
        screen.say(f"Somebody deletes {name} in the ERP.", "yellow")
        self.books.lose_answer(after=due // 2)
        screen.say(
            f"And the line will break after the ERP has posted voucher {due // 2 + 1}, before it answers.", "yellow"
        )
        screen.request("POST …/transfers {}")
        done = sync.transfer()
        self._expect(done["counts"], sent=due - 2, rejected=1, uncertain=1)
        words = ", ".join(f"{count(done['counts'][name])} {name}" for name in ("sent", "rejected", "uncertain"))
        screen.good(f"The transfer went through all of them ({done['status'].replace('_', ' ')}): {words}.")
        screen.request("GET …/export-log/codes")
        rows = [
            [one["code"], one["status"], one["kind"], count(one["count"]), one["from_date"]]
            for one in sync.open_codes()
        ]
        screen.table(["code", "status", "kind", "how many", "since"], rows, numbers=[3])

    def mend(self, sync: TillSync) -> None:
        """The account is made, what it stopped is sent again; what is uncertain is looked for."""
        screen = self.screen
        screen.chapter("The fix, and the retry")
        failed = {one["status"]: one for one in sync.documents(self.every).values() if one["status"] != "sent"}
        if set(failed) != {"rejected", "uncertain"}:
            raise DemoFailed(f"Two documents are {', '.join(failed)} rather than rejected and uncertain.")
        for one in failed.values():
            screen.say(f"{one['document']['department']}, {one['title']}: {one['status']}", "bold")
            screen.say(f"  {one['detail']}")
        lost = failed["uncertain"]["id"]
        held = [one for company in COMPANIES for one in vouchers_of(self.books.company(company)["vouchers"], lost)]
        screen.say(
            f"The ERP's ledger holds the uncertain one already ({len(held)}). Sent blindly, it would be there twice."
        )
        if len(held) != 1:
            self.mistakes.append(f"The ERP holds the voucher whose answer was lost {len(held)} times.")
        self.books.make_account(FIRST_COMPANY, shop.GIFT_CARDS, shop.OF_GIFT_CARDS)
        screen.say(f"The accountant makes account {shop.GIFT_CARDS} again, in the ERP.")
        screen.request(f'POST …/export-log/retry {{"code": "{failed["rejected"]["code"]}"}}')
        sync.hub.post(f"{sync.at}/export-log/retry", {"code": failed["rejected"]["code"]})

        def open_ones() -> Sequence[Json]:
            sync.transfer()
            return sync.open_codes()

        until(open_ones, lambda left: not left, 180, every=1)
        for one in failed.values():
            self._show_attempts(sync.entry(one["id"]))
        if not sync.entry(lost)["attempts"][-1]["searched_first"]:
            self.mistakes.append("What was uncertain was sent again without looking for it first.")
        screen.good("Nothing stands open.")

    def export_again(self, sync: TillSync) -> None:
        """A register's days come once more, in other bytes and by another road: nothing changes."""
        screen, days = self.screen, self.month[SHOPS[2]]
        screen.chapter("The same days once more")
        screen.request("POST …/documents/saft-cash-register")
        said = sync.file(days, SECOND_ENCODING)
        words = ", ".join(f"{number} {outcome}" for outcome, number in said.items())
        screen.say(f"{SHOPS[2].name}'s file came in {FIRST_ENCODING}; exported again in {SECOND_ENCODING}: {words}.")
        outcome = sync.submit("sent-by-hand", days[0])
        screen.say(f"Its first day as a JSON document, under an id of its own: {outcome}.")
        if (dict(said), outcome) != ({"unchanged": len(days)}, "unchanged"):
            self.mistakes.append(f"What came once more was not known again: {words}, {outcome}.")
        self._expect(sync.transfer()["counts"], sent=0, rejected=0, uncertain=0, pending=0)
        screen.good("A transfer more finds nothing to send.")

    def compare(self, sync: TillSync) -> None:
        """The ERP's own ledgers: each settlement once, and every account of every company to the øre."""
        accounts: Json = sync.hub.get(f"{sync.at}/sync")["settings"]["accounts"]
        documents = sync.documents(self.every)
        if len(documents) != len(self.every):
            self.mistakes.append(f"The hub keeps {len(documents)} settlements of {len(self.every)} Z-reports.")
        balance = TillBalance(self.screen, self.books, self.month, documents, accounts, self.before)
        self.mistakes += balance.compare()
        for text in self.mistakes:
            self.screen.bad(text)
        if not self.mistakes:
            self.screen.good("Each settlement is there exactly once, and every account is what the hub says it posted.")

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _settings(self, shops: Sequence[Shop]) -> Json:
        return {
            "company": str(FIRST_COMPANY), "department": SHOPS[0].department, "voucher_type": "3", "z_report": True,
            "stock_change": True, "settlement_target": "inbox", "from_date": self.every[0].day.isoformat(),
            "is_automatic": False, "accounts": shop.ACCOUNTS, "locations": [one.location for one in shops],
        }  # fmt: skip

    def _save(self, sync: TillSync, settings: Json) -> None:
        self.screen.request("PUT …/sync")
        kept = sync.hub.put(f"{sync.at}/sync", settings)["settings"]
        rows = [
            [
                ", ".join(one["departments"]),
                COMPANIES[int(one["company"])],
                one["department"],
                kept["settlement_target"],
            ]
            for one in kept["locations"]
        ]
        self.screen.table(["location", "company", "department", "settlements go to"], rows)

    def _show(self, sync: TillSync, title: str, statuses: set[str]) -> dict[tuple[str, int], Json]:
        """The first day of each shop in the export log. Raises DemoFailed unless each has one of the statuses."""
        seen = sync.documents(self.openings)
        rows = [
            [
                day.shop.name,
                seen[day.key]["status"],
                "waits" if seen[day.key]["is_awaiting_approval"] else seen[day.key]["detail"],
                seen[day.key]["reference"],
            ]
            for day in self.openings
        ]
        self.screen.table(["shop", "status", "approval", "reference"], rows, title=title)
        if not {one["status"] for one in seen.values()} <= statuses:
            raise DemoFailed("The first day of each shop did not come where it should have.")
        return seen

    @staticmethod
    def _expect(counts: Json, **wanted: int) -> None:
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
        title = f"{entry['title']}: {entry['status']}"
        self.screen.table(["attempt", "outcome", "searched first", "code, or the ERP's reference"], rows, title=title)
