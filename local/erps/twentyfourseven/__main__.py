"""`python -m local.erps.twentyfourseven`: the stand-in on loopback until SIGTERM; says where in one line of JSON."""

import argparse
import json
import pickle
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from .app import App
from .server import Server


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to end; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.erps.twentyfourseven", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--lines", type=int, default=0, help="ledger lines to begin with in the first company")
    parser.add_argument("--state", type=Path, help="a file to go on from, and to keep everything in at the end")
    asked = parser.parse_args(arguments)
    app = _begin(asked.state, asked.lines)
    done = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        done.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with Server(app, asked.port) as server:
        sys.stdout.write(json.dumps(server.addresses()) + "\n")
        sys.stdout.flush()
        done.wait()
    if asked.state is not None:
        _keep(app, asked.state)
    return 0


def _begin(state: Path | None, lines: int) -> App:
    if state is None or not state.exists():
        return App.seeded(lines)
    # A file that this program wrote itself.
    return App(pickle.loads(state.read_bytes()))


def _keep(app: App, state: Path) -> None:
    """Write beside it first, so that an end half-way leaves the old one."""
    with app.world.lock:
        beside = state.with_suffix(".new")
        beside.write_bytes(pickle.dumps(app.world))
        beside.replace(state)


if __name__ == "__main__":
    sys.exit(main())
