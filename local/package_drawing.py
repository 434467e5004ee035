"""Draws the packages of the hub and who imports whom into README.md, from the code itself.

`python -m local.package_drawing --write` makes it, `--check` says whether the file still tells the truth. An arrow that
follows from others is left out: who imports sync, and through it connections, shows the arrow to sync only.
"""

import argparse
import ast
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import grimp

from local.emulator import ROOT

README = ROOT / "README.md"
BEGIN, END = "<!-- packages: made by `make drawing` -->", "<!-- end of packages -->"


def packages(graph: grimp.ImportGraph) -> dict[str, set[str]]:
    """Each package below `erphub` with those that it imports, TYPE_CHECKING aside or not."""
    names = sorted(graph.find_children("erphub"))
    found: dict[str, set[str]] = {}
    for name in names:
        inside = {name, *graph.find_descendants(name)}
        imported = {
            one for module in inside for one in graph.find_modules_directly_imported_by(module) if one not in inside
        }
        tops = {".".join(one.split(".")[:2]) for one in imported if one.startswith("erphub.")}
        found[name.removeprefix("erphub.")] = {one.removeprefix("erphub.") for one in tops}
    return found


def reduced(arrows: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The arrows that do not follow from others."""
    return {
        name: {one for one in imported if not any(one in reached(arrows, other) for other in imported if other != one)}
        for name, imported in arrows.items()
    }


def reached(arrows: Mapping[str, set[str]], start: str) -> set[str]:
    """Every package that can be reached from one."""
    found, waiting = set[str](), [start]
    while waiting:
        for one in arrows.get(waiting.pop(), set()):
            if one not in found:
                found.add(one)
                waiting.append(one)
    return found


def purpose(name: str) -> str:
    """The first line of a package's or module's docstring."""
    path = ROOT / "layers/core/erphub" / name
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return (ast.get_docstring(ast.parse(source.read_text())) or "").partition("\n")[0]


def ordered(arrows: Mapping[str, set[str]]) -> Sequence[str]:
    """The packages from the uppermost to the lowest: who imports most others, directly or not, comes first."""
    return sorted(arrows, key=lambda name: (-len(reached(arrows, name)), name))


def drawing() -> str:
    """The part of README.md between the marks."""
    arrows = packages(grimp.build_graph("erphub", cache_dir=None))
    shown = reduced(arrows)
    names = ordered(arrows)
    lines = ["```mermaid", "flowchart TD"]
    lines += [f"  {name} --> {one}" for name in names for one in sorted(shown[name])]
    lines += ["```", "", "| package | what it is about |", "|---|---|"]
    lines += [f"| `{name}` | {purpose(name)} |" for name in names]
    return "\n".join([BEGIN, *lines, END])


def drawn_in(text: str, new: str) -> str:
    """The text with the drawing between its marks replaced. Raises ValueError when it has no marks."""
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    return text[:begin] + new + text[end:]


def main(arguments: Sequence[str] | None = None, readme: Path = README) -> int:
    """Write or check the drawing; returns 1 when the file does not match the code."""
    parser = argparse.ArgumentParser(prog="python -m local.package_drawing", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true")
    action.add_argument("--check", action="store_true")
    given = parser.parse_args(arguments)
    text = readme.read_text("utf-8")
    wanted = drawn_in(text, drawing())
    if given.write:
        readme.write_text(wanted, "utf-8")
        return 0
    if wanted == text:
        return 0
    print(f"the drawing in {readme.name} no longer matches the code; say `make drawing`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
