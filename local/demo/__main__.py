"""Runs the demo: `python -m local.demo [--scene NAME] [--saft FILE] [--keep | --stack DIR]`. 0: all was as told.

Scenes: `ledger` (the default: every sum is the file's own) and those in SCENES, each a module with `UNDER`, a line
below the title, and `play(screen, stage, size) -> list[str]`, which sets the stage, shows, and returns what was
not as told. `--stack .local` plays on the hub that `make up` started, in a customer of the scene's own.
1: something did not work or does not add up. 2: the file cannot be used. 130: interrupted.
"""

import argparse
import importlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import FrameType

from local.demo import source
from local.demo.hub import DemoFailed
from local.demo.screen import Screen, count
from local.demo.source import Source
from local.demo.stage import Stage
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
    parser.add_argument("--dir", type=Path, help="where the stack lives; a folder of its own by default")
    after = parser.add_mutually_exclusive_group()
    after.add_argument("--keep", action="store_true", help="leave everything running afterwards")
    after.add_argument("--stack", type=Path, metavar="DIR", help="play on the hub that runs in this folder already")
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


def _next(screen: Screen, stack: Stack, *, kept: bool) -> None:
    """Where to go from here."""
    screen.chapter("Where to go next")
    rows: list[list[str]] = []
    if kept:
        address = stack.describe()["api_url"]
        screen.say(f"Everything still runs. The API: {address}")
        screen.say(f"Users, passwords and tokens: {stack.public}")
        token = f"import json; print(json.load(open('{stack.public}'))['users'][0]['id_token'])"
        screen.say(f'curl -H "Authorization: Bearer $(python3 -c "{token}")" {address}/me')
        screen.say(f"End it and forget its data: STACK_DIR={stack.directory} make destroy")
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


def _play_default(options: argparse.Namespace, screen: Screen, folder: Path) -> int:
    """The whole demo with its files in `folder`; returns the exit code."""
    guest: bool = options.stack is not None
    stack = Stack(options.stack or options.dir or folder / "stack")
    stage = Stage(screen, stack, folder, guest)
    kept = False
    try:
        code = _scene(options, stage) if options.scene in SCENES else _ledger(options, stage)
        kept = options.keep
    except (DemoFailed, StartupError) as error:
        screen.bad(str(error))
        _show_log(screen, stack)
        return 1
    finally:
        stage.close(keep=kept)
    return code


def _scene(options: argparse.Namespace, stage: Stage) -> int:
    """One of SCENES; returns the exit code. Raises DemoFailed, StartupError."""
    size: int = options.days if options.scene == "till" else options.lines
    mistakes: list[str] = importlib.import_module(SCENES[options.scene]).play(stage.screen, stage, size)
    if options.keep:
        _next(stage.screen, stage.stack, kept=True)
    return _verdict(stage.screen, mistakes, good="Everything was as told.", bad="not everything was as told.")


def _ledger(options: argparse.Namespace, stage: Stage) -> int:
    """A ledger with its own totals goes in and comes out; returns the exit code. Raises DemoFailed, StartupError."""
    screen, real = stage.screen, options.saft is not None
    screen.chapter("Choose what is imported")
    try:
        sources = _sources(options, stage.folder, screen)
    except (NotSaft, OSError) as error:
        screen.bad(f"The file cannot be used: {error}")
        return 2
    content = [word for one in sources for word in ("--saft", str(one.file), "--as", one.key)]
    content += [] if real else ["--trade", "--closed"]
    story = Story(screen, stage, stage.open(content, "SQL Server"), sources, real)
    story.play()
    _next(screen, stage.stack, kept=options.keep or stage.guest)
    return _verdict(screen, story.mistakes, good="Everything adds up.", bad="it does not add up.")


def _show_log(screen: Screen, stack: Stack) -> None:
    """What went wrong behind the API, if anything did."""
    if not stack.is_up():
        return
    since = (time.monotonic() - screen.began) / 60
    for line in [line for line in stack.logs(minutes=since) if '"level":"ERROR"' in line][-3:]:
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
            return _play_default(options, screen, Path(folder))
        except KeyboardInterrupt:
            screen.bad("Interrupted; everything that was started has been ended.")
            return 130


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
