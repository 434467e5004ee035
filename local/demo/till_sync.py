"""A connection's sync as the chain's tills and its people use it: days handed in by four roads, transfers, the log."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.demo import cash_register, shop
from local.demo.hub import DemoFailed, Hub, until
from local.demo.shop import Day, Shop

type Json = dict[str, Any]
type Key = tuple[str, int]
FIRST_ENCODING, SECOND_ENCODING = "iso-8859-1", "utf-16"
"""In which a shop's file comes first, and in which it is exported again."""


@dataclass(frozen=True)
class TillSync:
    """One connection's sync. Every method raises DemoFailed where the hub does not do as asked."""

    hub: Hub
    at: str
    """The connection's path."""

    def hand_in(self, shop_: Shop, days: Sequence[Day], known: Sequence[Day] = ()) -> str:
        """A shop's days, by its own road; a file has those before (`known`), too. What the hub says, in words."""
        match shop_.road:
            case shop.DOCUMENTS:
                found = Counter(self.submit(day.name, day) for day in days)
            case shop.LINES:
                found = self._upload("json_lines", lines(days))
            case shop.FILE:
                found = self.file([*known, *days], FIRST_ENCODING)
            case _:
                found = self._upload("saft_cash_register", cash_register.written([*known, *days], FIRST_ENCODING))
        expected = {"created": len(days), "unchanged": len(known) if shop_.road in shop.FILES else 0}
        if any(found[outcome] != number for outcome, number in expected.items()):
            raise DemoFailed(f"Of {shop_.name}'s days the hub says {dict(found)}, not {expected}.")
        return ", ".join(f"{number} {outcome}" for outcome, number in expected.items() if number)

    def submit(self, external_id: str, day: Day) -> str:
        """One day under an id of the till's; what became of it."""
        return self.hub.put(f"{self.at}/documents/settlement/{external_id}", day.document)["outcome"]

    def file(self, days: Sequence[Day], encoding: str) -> Counter[str]:
        """A register's file, sent as it is; how many of its Z-reports became what."""
        path = f"{self.at}/documents/saft-cash-register"
        answer = self.hub.post_xml(path, cash_register.written(days, encoding))
        if answer["refused"]:
            raise DemoFailed(f"Z-reports of the file were refused: {answer['refused']}")
        return Counter(one["outcome"] for one in answer["settlements"])

    def _upload(self, form: str, content: bytes) -> Counter[str]:
        upload = self.hub.upload(f"{self.at}/document-uploads", form, content)
        if upload["status"] != "done" or upload["refused_count"]:
            raise DemoFailed(f"The upload ended as {upload['status']}: {upload['errors'] or upload['problem']}")
        return Counter(created=upload["accepted_count"], unchanged=upload["unchanged_count"])

    def transfer(self) -> Json:
        """A transfer by hand of all that is due, from its start to its end."""
        started = self.hub.post(f"{self.at}/transfers", {})["id"]
        done = until(lambda: self.hub.get(f"{self.at}/transfers/{started}"), lambda one: bool(one["finished_at"]), 300)
        if done["problem"]:
            raise DemoFailed(f"The transfer stopped: {done['problem'].get('detail')}")
        return done

    def open_codes(self) -> list[Json]:
        """What stands open, grouped by why."""
        return self.hub.get(f"{self.at}/export-log/codes")["items"]

    def entry(self, entry_id: str) -> Json:
        """A document of the log with every attempt to send it."""
        return self.hub.get(f"{self.at}/export-log/{entry_id}")

    def documents(self, days: Sequence[Day]) -> dict[Key, Json]:
        """The settlements of the days between the first and the last of these, as they came and as they were sent."""
        first, last = min(one.day for one in days).isoformat(), max(one.day for one in days).isoformat()
        pages = self.hub.pages(f"{self.at}/export-log", kind="settlement", from_date=first, to_date=last)
        listed = [one for page in pages for one in page]
        whole = [self.hub.get(f"{self.at}/documents/settlement/{one['external_id']}") for one in listed]
        found = {(one["document"]["department"], one["document"]["number"]): one for one in whole}
        if len(found) != len(whole):
            raise DemoFailed(f"The hub keeps {len(whole)} settlements of {len(found)} Z-reports.")
        return found


def lines(days: Sequence[Day]) -> bytes:
    """Days as a file of JSON lines."""
    documents: list[Mapping[str, Any]] = [
        {"kind": "settlement", "external_id": one.name} | one.document for one in days
    ]
    return "\n".join(map(json.dumps, documents)).encode()
