"""Files that are made from the code: `python -m local.generated --write` makes them, `--check` says which are stale.

`make openapi` writes them. What each holds is said where it is made.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from erphub import app
from local import api_definition, api_description, permissions, problem_catalogue
from local.emulator import ROOT

FILES: Mapping[str, Callable[[], str]] = {
    "docs/openapi.json": api_description.text,
    "docs/errors.md": problem_catalogue.as_page,
    "layers/core/erphub/problems.json": problem_catalogue.as_json,
    "api.json": api_definition.text,
    "layers/core/erphub/routes.json": lambda: json.dumps(app.route_table(), indent=1) + "\n",
    "tests/contract/permissions.txt": permissions.text,
}
"""What is made, by path: the public description, what the gateway is told, which package has which route, who may,
what can go wrong."""


@cache
def texts() -> Mapping[str, str]:
    """What each should hold; made once, for the code of a process does not change."""
    return {name: make() for name, make in FILES.items()}


def stale(root: Path = ROOT) -> dict[Path, str]:
    """The files that do not hold what they should, and what that is."""
    wanted = {root / name: text for name, text in texts().items()}
    return {path: text for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text}


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write or check the files; returns 1 when one of them is stale."""
    parser = argparse.ArgumentParser(prog="python -m local.generated", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true")
    action.add_argument("--check", action="store_true")
    write = parser.parse_args(arguments).write
    found = stale(root)
    for path, text in found.items():
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        else:
            print(f"{path.relative_to(root)} no longer matches the code; say `make openapi`", file=sys.stderr)
    return 1 if found and not write else 0


if __name__ == "__main__":
    sys.exit(main())
