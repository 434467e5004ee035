"""Writes routes.json, which tells a function which package has the route of a request, so that it loads only that one.

`python -m local.route_table --write FILE` makes it, `--check` says whether the file still tells the truth. It ships
with the code: {"/path/{name}": {"GET": "package"}}.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from erphub import app


def text() -> str:
    """The table as it is kept in routes.json."""
    return json.dumps(app.route_table(), indent=1) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the table; returns 1 when the file does not match the packages."""
    parser = argparse.ArgumentParser(prog="python -m local.route_table", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", type=Path, metavar="FILE")
    action.add_argument("--check", type=Path, metavar="FILE")
    given = parser.parse_args(arguments)
    wanted = text()
    if given.write:
        given.write.write_text(wanted, "utf-8")
        return 0
    if given.check.exists() and given.check.read_text("utf-8") == wanted:
        return 0
    print(f"{given.check} no longer matches the packages' routes; say `make openapi`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
