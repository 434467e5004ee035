"""What the server says while a connection is being made, which pymssql keeps to itself from the second failure on.

pymssql remembers the most severe message of all failed connections of the process, and drops a later one that is not
more severe. So a wrong password after another wrong password has no words. FreeTDS, which is inside pymssql's module,
calls a public function of the DB-Library for every message; ours listens there, and passes everything on.
"""

import ctypes
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

type Message = tuple[int, str]
"""A message's number and words."""

# int handler(DBPROCESS *, DBINT number, int state, int severity, char *text, char *server, char *procedure, int line)
_HANDLER = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_int32,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_int,
)
_LEAST_SEVERE = 11
"""Below this a message is information, not an error."""

_listening = threading.local()


@contextmanager
def heard() -> Generator[list[Message]]:
    """Collects the errors that the server tells this thread meanwhile; an empty list where we cannot listen."""
    _listen()
    messages: list[Message] = []
    _listening.messages = messages
    try:
        yield messages
    finally:
        _listening.messages = None


@lru_cache
def _listen() -> Any:
    """Put our function before the one that is there, once in the process; returns it, so that it is kept."""
    from pymssql import _mssql  # pyright: ignore[reportPrivateUsage]

    library = ctypes.CDLL(str(_mssql.__file__))
    install = getattr(library, "dbmsghandle", None)
    if install is None:  # a build of the driver that hides FreeTDS: then failures are told with fewer words
        return None
    install.argtypes, install.restype = [ctypes.c_void_p], ctypes.c_void_p

    def listen(process: int, number: int, state: int, severity: int, text: bytes | None, *rest: Any) -> int:
        messages = getattr(_listening, "messages", None)
        if messages is not None and severity >= _LEAST_SEVERE:
            messages.append((number, (text or b"").decode("utf-8", "replace")))
        return before(process, number, state, severity, text, *rest) if before is not None else 0

    before: Any = None
    ours = _HANDLER(listen)
    theirs = install(ctypes.cast(ours, ctypes.c_void_p))
    if theirs:
        before = _HANDLER(theirs)
    return ours
