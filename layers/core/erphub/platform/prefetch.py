"""Work that goes on while what it has made is used: an iterator that runs in a thread of its own, some items ahead.

For work that waits, or that native code does without the interpreter's lock, such as fetching from a database. What it
raises comes out where its next item would have; whoever stops early says so (`end`), and nothing is left running.
"""

import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextvars import copy_context
from typing import Self, override


class Prefetch[T](Iterator[T]):
    """The items of a generator, of which at most so many lie ready. The thread has the caller's context (deadlines)."""

    def __init__(self, items: Generator[T], most: int) -> None:
        self._items, self._most = items, most
        self._ready: deque[T] = deque()
        self._news = threading.Condition()
        self._is_over = self._is_unwanted = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=copy_context().run, args=(self._work,), name="ahead", daemon=True)
        self._thread.start()

    @override
    def __iter__(self) -> Self:
        return self

    @override
    def __next__(self) -> T:
        with self._news:
            self._news.wait_for(lambda: self._ready or self._is_over)
            if self._ready:
                item = self._ready.popleft()
                self._news.notify_all()
                return item
        if (error := self._error) is not None:
            self._error = None
            raise error
        raise StopIteration

    @property
    def is_over(self) -> bool:
        """Whether the work has come to its end."""
        return self._is_over

    def end(self) -> None:
        """Make nothing more, and wait until the thread is gone; what it waits for is for the caller to end before."""
        with self._news:
            self._is_unwanted = True
            self._ready.clear()
            self._news.notify_all()
        self._thread.join()

    def _work(self) -> None:
        try:
            for item in self._items:
                if not self._laid_ready(item):
                    break
                del item  # while the next is made, only those that lie ready are held
            self._items.close()
        except BaseException as error:  # noqa: BLE001  raised where the next item is asked for
            self._error = error
        finally:
            with self._news:
                self._is_over = True
                self._news.notify_all()

    def _laid_ready(self, item: T) -> bool:
        with self._news:
            self._news.wait_for(lambda: len(self._ready) < self._most or self._is_unwanted)
            if not self._is_unwanted:
                self._ready.append(item)
                self._news.notify_all()
            return not self._is_unwanted
