"""What a network, a busy service and another worker do to a worker: at any call to a store or to the ERP."""

import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any

from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from erphub.platform.aws import clients
from tests.support.ledger import Died


class Fault(StrEnum):
    """What can become of a call."""

    NOT_MADE = "it never arrives, and the caller learns so"
    ANSWER_LOST = "it is carried out, and no answer comes"
    CAME_TWICE = "it is carried out, its answer is lost, and the client sends it again"
    DIED_BEFORE = "the worker dies before it"
    DIED_AFTER = "the worker dies after it"


class Turns:
    """Two workers at once. At each of their calls a schedule says whether the other one goes on; the same schedule
    makes the same history, whatever the machine does."""

    def __init__(self, schedule: Sequence[bool]) -> None:
        self._schedule = list(schedule)
        self._turn = [threading.Semaphore(0), threading.Semaphore(0)]
        self._over = [False, False]
        self._numbers: dict[int, int] = {}

    def run(self, *works: Callable[[], Any]) -> None:
        """Do both. Raises what either raised."""
        raised: list[BaseException] = []

        def worked(number: int) -> None:
            self._turn[number].acquire()
            self._numbers[threading.get_ident()] = number
            try:
                works[number]()
            except BaseException as error:  # noqa: BLE001 - raised again below, in the test's own thread
                raised.append(error)
            self._over[number] = True
            self._turn[1 - number].release()

        workers = [threading.Thread(target=copy_context().run, args=(worked, number)) for number in (0, 1)]
        for worker in workers:
            worker.start()
        self._turn[0].release()
        for worker in workers:
            worker.join()
        for error in raised:
            raise error

    def pause(self) -> None:
        """Perhaps it is the other one's turn."""
        number = self._numbers.get(threading.get_ident())
        if number is None or self._over[1 - number] or not self._schedule or not self._schedule.pop(0):
            return
        self._turn[1 - number].release()
        self._turn[number].acquire()


@dataclass
class Interruptions:
    """Stands between the hub and its outside."""

    turns: Turns | None = None
    _planned: list[tuple[int, Fault]] = field(default_factory=list[tuple[int, Fault]])

    def plan(self, after: int, fault: Fault) -> None:
        """Have the call behind the next `after` ones go wrong; one fault at a time."""
        self._planned = [(after, fault)]

    def forget(self) -> None:
        """Nothing goes wrong any more."""
        self._planned = []

    def next_fault(self) -> Fault | None:
        """What becomes of the call that is made now, after the other worker had the chance to be first."""
        if self.turns is not None:
            self.turns.pause()
        if not self._planned:
            return None
        after, fault = self._planned.pop()
        if after:
            self._planned = [(after - 1, fault)]
            return None
        return fault

    def watch_stores(self) -> None:
        """From now on the store in memory is called through here, and through nobody who watched before."""
        store: Any = clients.client("dynamodb")
        answered = partial(type(store).answer, store)

        def answer(wire_name: str, work: Callable[[], Any]) -> Any:
            fault = self.next_fault()
            address = {"endpoint_url": "https://table.example.test"}
            if fault is Fault.DIED_BEFORE:
                raise Died
            if fault is Fault.NOT_MADE:
                raise EndpointConnectionError(**address)
            if fault is Fault.CAME_TWICE:
                answered(wire_name, work)
            given = answered(wire_name, work)
            if fault is Fault.DIED_AFTER:
                raise Died
            if fault is Fault.ANSWER_LOST:
                raise ConnectionClosedError(**address)
            return given

        store.answer = answer
