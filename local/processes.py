"""Starts programs that outlive the command that started them, and ends exactly those, by their process id."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast


class StartupError(RuntimeError):
    """A program of the local stack did not come up; the message says which, and the end of what it wrote."""


@dataclass(frozen=True)
class Started:
    """A running program: its id, and when the system says it began, so that a reused id is never mistaken for it."""

    pid: int
    began: str

    def as_json(self) -> dict[str, Any]:
        """Plain values for the state file."""
        return {"pid": self.pid, "began": self.began}


def _began(pid: int) -> str | None:
    """When process `pid` began, as the system words it; None when there is no such (or only a finished) process."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        # Where there is /proc: `ps` computes a wall-clock time that may differ by a second from call to call.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    if Path("/proc/self/stat").exists():
        return None
    done = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, began = done.stdout.strip().partition(" ")
    return began.strip() if began and not state.startswith("Z") else None


def alive(started: Started) -> bool:
    """Whether this very program still runs."""
    return _began(started.pid) == started.began


def free_port() -> int:
    """A loopback TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a program could listen on this loopback TCP port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no output)"


def start(command: Sequence[str], *, log: Path, environment: Mapping[str, str], cwd: Path) -> Started:
    """Start `command` in a session of its own, writing to `log`. Raises StartupError when it ends at once."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        process = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=dict(environment), cwd=cwd,
            start_new_session=True,
        )  # fmt: skip
    return _confirm(process, command, log)


def start_listening(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str], cwd: Path, seconds: float = 60
) -> tuple[Started, dict[str, Any]]:
    """Start a program that says in one line of JSON on its standard output when and where it listens.

    Raises StartupError when it ends first or stays silent for `seconds`.
    """
    # A file rather than a pipe: the program may go on printing when nobody reads any more.
    printed = log.with_suffix(".printed")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors, printed.open("wb") as output:
        process = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=dict(environment), cwd=cwd,
            start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + seconds
    try:
        while b"\n" not in (line := printed.read_bytes()) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    except KeyboardInterrupt:
        # Nobody has heard of it yet, so nobody else would end it.
        process.kill()
        raise
    if b"\n" not in line:
        reason = f"said nothing for {seconds:.0f} seconds" if process.poll() is None else "ended"
        process.kill()
        process.wait()
        raise StartupError(f"{' '.join(command)} {reason} before it was ready:\n{tail(log)}")
    return _confirm(process, command, log), cast(dict[str, Any], json.loads(line.splitlines()[0]))


def _confirm(process: subprocess.Popen[bytes], command: Sequence[str], log: Path) -> Started:
    began = _began(process.pid)
    if began is None:
        raise StartupError(f"{' '.join(command)} ended at once:\n{tail(log)}")
    # It is meant to go on when this command ends; Popen would warn about that.
    process.returncode = 0
    return Started(process.pid, began)


def wait_until_listening(port: int, started: Started, log: Path, seconds: float = 60) -> None:
    """Wait for a TCP listener on loopback. Raises StartupError when the program ends or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if not alive(started):
            raise StartupError(f"a program of the local stack ended while it was starting:\n{tail(log)}")
        time.sleep(0.05)
    raise StartupError(f"nothing listens on port {port} after {seconds:.0f} seconds:\n{tail(log)}")


def stop(started: Started, seconds: float = 60) -> None:
    """End a program: ask first, so that it can save its state, then end it and whatever it left in its session."""
    if not alive(started):
        return
    os.kill(started.pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while alive(started) and time.monotonic() < deadline:
        _reap(started.pid)
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        # The session was made for this program, so its group holds nothing else.
        os.killpg(started.pid, signal.SIGKILL)
    _reap(started.pid)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
