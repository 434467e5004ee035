"""Runs the demo: `python -m local.demo [--scene NAME] [--saft FILE] [--keep]`. Ends with 0 only when all is as told.

Scenes: `ledger` (the default: every sum is the file's own) and those in SCENES, each a module with `UNDER`, a line
below the title, and `play(screen, stack, size) -> list[str]`, which starts the stack, shows, and returns what was
not as told. 1: something did not work or does not add up. 2: the file cannot be used. 130: interrupted.
"""

import argparse
import importlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any

from local import deploy
from local.demo import source
from local.demo.hub import DemoFailed
from local.demo.screen import Screen, count
from local.demo.source import Source
from local.demo.story import Story
from local.emulator import ROOT
from local.processes import StartupError
from local.sqlserver.saft import NotSaft
from local.stack import Stack

LINES = 100_000
FEW_LINES = 5_000
"""For a scene that is not about the amount of data."""
LEDGER = "ledger"
SCENES = {"life": "local.demo.life", "till": "local.demo.till"}
"""The other scenes' modules."""


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--scene", choices=[LEDGER, *SCENES], default=LEDGER, help="what is shown")
    parser.add_argument("--saft", type=Path, metavar="FILE", help="import this SAF-T Financial file")
    parser.add_argument("--lines", type=int, help="ledger lines of the invented companies, in all")
    parser.add_argument("--days", type=int, default=31, choices=range(4, 32), metavar="4..31", help="of the till scene")
    parser.add_argument("--keep", action="store_true", help="leave everything running afterwards")
    parser.add_argument("--dir", type=Path, help="where the stack lives; a folder of its own by default")
    options = parser.parse_args(given)
    options.lines = options.lines or (LINES if options.scene == LEDGER else FEW_LINES)
    return options


def _sources(options: argparse.Namespace, folder: Path, screen: Screen) -> list[Source]:
    """The companies to import. Raises NotSaft, OSError."""
    if options.saft is not None:
        found = source.given(options.saft.resolve())
        screen.good(f"{options.saft.name}: {found[0].name}, {count(found[0].lines)} ledger lines")
        return found
    with screen.doing(f"Inventing four companies, two years, {count(options.lines)} ledger lines (SAF-T files)"):
        return source.invented(folder, options.lines, date.today())  # noqa: DTZ011  the user's own day


def _start(stack: Stack, sources: Sequence[Source], screen: Screen, *, real: bool) -> dict[str, Any]:
    """Start everything. Raises StartupError."""
    content = [word for one in sources for word in ("--saft", str(one.file), "--as", one.key)]
    content += [] if real else ["--trade", "--closed"]
    with screen.doing("Building the functions and layers for this machine"):
        deploy.build()
    with screen.doing("Starting a local AWS, deploying template.yaml, starting a stand-in SQL Server"):
        return stack.up(content=content)


def _next(screen: Screen, described: dict[str, Any], folder: Path, *, kept: bool) -> None:
    """Where to go from here."""
    screen.chapter("Where to go next")
    rows: list[list[str]] = []
    if kept:
        screen.say(f"Everything still runs. The API: {described['api_url']}")
        screen.say(f"Users, passwords and tokens: {folder / 'stack.json'}")
        token = f"import json; print(json.load(open('{folder / 'stack.json'}'))['users'][0]['id_token'])"
        screen.say(f'curl -H "Authorization: Bearer $(python3 -c "{token}")" {described["api_url"]}/me')
        screen.say(f"End it and forget its data: STACK_DIR={folder} make destroy")
    else:
        rows += [
            ["make up", "a hub that stays up; its address and tokens are in .local/stack.json"],
            ["make demo KEEP=1", "this demo, left running to look at"],
            ["make demo SAFT=…", "your own SAF-T Financial file"],
        ]
    rows += [
        ["docs/openapi.json", "every route of the API, served at /openapi.json too"],
        ["README.md", "five minutes for a stranger; docs/ has operations and decisions"],
    ]
    screen.table(["what", "what for"], rows)


def _told(options: argparse.Namespace, screen: Screen, folder: Path) -> int:
    """The whole demo with its files in `folder`; returns the exit code."""
    real = options.saft is not None
    stack = Stack(options.dir or folder / "stack")
    kept = False
    try:
        if options.scene in SCENES:
            size: int = options.days if options.scene == "till" else options.lines
            mistakes: list[str] = importlib.import_module(SCENES[options.scene]).play(screen, stack, size)
            if options.keep:
                _next(screen, stack.describe(), stack.directory, kept=True)
            kept = options.keep
            return _verdict(screen, mistakes, good="Everything was as told.", bad="not everything was as told.")
        screen.chapter("Set the stage")
        try:
            sources = _sources(options, folder, screen)
        except (NotSaft, OSError) as error:
            screen.bad(f"The file cannot be used: {error}")
            return 2
        described = _start(stack, sources, screen, real=real)
        story = Story(screen, described, stack.aws(), sources, real)
        story.tell()
        _next(screen, described, stack.directory, kept=options.keep)
        kept = options.keep
        return _verdict(screen, story.mistakes, good="Everything adds up.", bad="it does not add up.")
    except (DemoFailed, StartupError) as error:
        screen.bad(str(error))
        _show_log(screen, stack)
        return 1
    finally:
        if not kept:
            stack.destroy()


def _show_log(screen: Screen, stack: Stack) -> None:
    """What went wrong behind the API, if anything did."""
    if not stack.public.exists():
        return
    for line in [line for line in stack.logs(minutes=30) if '"level":"ERROR"' in line][-3:]:
        function, _, text = line.partition(": ")
        try:
            entry = json.loads(text)
            text = f"{entry['message']}: {entry.get('exception', '').splitlines()[-1:]}"
        except (ValueError, KeyError):
            text = text[:500]
        screen.say(f"{function}: {text}", "dim")


def _verdict(screen: Screen, mistakes: Sequence[str], *, good: str, bad: str) -> int:
    screen.console.print()
    if mistakes:
        screen.bad(f"Done in {screen.elapsed()}, but {bad}")
        return 1
    screen.good(f"Done in {screen.elapsed()}. {good}")
    return 0


def main(given: Sequence[str]) -> int:
    """Run the demo and leave nothing behind, also when interrupted; returns the exit code."""
    options = _arguments(given)
    signal.signal(signal.SIGTERM, _interrupted)
    screen = Screen()
    under = "An ERP system is connected and its ledger imported, on an AWS on this machine."
    if options.scene in SCENES:
        under = importlib.import_module(SCENES[options.scene]).UNDER
    screen.title("ERP Hub", under)
    if options.keep and options.dir is None:
        options.dir = ROOT / ".local" / "demo"
    with tempfile.TemporaryDirectory(prefix="erphub-demo-") as folder:
        if not options.keep:
            # What the programs that deploy leave in their temporary folder goes with the demo's own.
            os.environ["TMPDIR"] = tempfile.tempdir = folder
        try:
            return _told(options, screen, Path(folder))
        except KeyboardInterrupt:
            screen.bad("Interrupted; everything that was started has been ended.")
            return 130


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
