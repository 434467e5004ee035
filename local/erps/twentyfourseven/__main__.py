"""`python -m local.erps.twentyfourseven`: the stand-in on loopback until SIGTERM; says where in one line of JSON."""

import argparse
import json
import signal
import sys
import threading
from types import FrameType

from .app import App
from .server import Server


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to end; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.erps.twentyfourseven", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--lines", type=int, default=0, help="ledger lines to begin with in the first company")
    asked = parser.parse_args(arguments)
    done = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        done.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with Server(App.seeded(asked.lines), asked.port) as server:
        sys.stdout.write(json.dumps(server.addresses()) + "\n")
        sys.stdout.flush()
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
