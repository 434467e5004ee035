"""What docs/decisions/packages.md says of the code in figures, counted: `make figures`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from local.emulator import ROOT
from local.source_modules import Module, docstring_lines, read

PRODUCT = (("layers/core", "erphub"),)


def figures(modules: Sequence[Module]) -> Iterator[tuple[str, str]]:
    """Each figure with what it counts. `modules` are those of `erphub`."""
    lines = sum(len(module.lines) for module in modules)
    blank = sum(not line.strip() for module in modules for line in module.lines)
    comments = sum(
        docstring_lines(module) + sum(line.strip().startswith("#") for line in module.lines) for module in modules
    )
    longest = max(modules, key=lambda module: len(module.lines))
    yield "packages and modules directly below erphub", str(len({_package(module.name) for module in modules} - {""}))
    yield "modules", str(len(modules))
    yield "arrows between packages", str(len({arrow for module in modules for arrow in _arrows(module)}))
    yield "longest module", f"{longest.name}, {len(longest.lines)} lines"
    yield "lines", f"{lines}: {lines - blank - comments} of code, {comments} of comments and docstrings, {blank} blank"
    by_package = Counter[str]()
    for module in modules:
        by_package[_package(module.name) or "erphub itself"] += len(module.lines)
    for package, count in by_package.most_common():
        yield f"lines of {package}", str(count)


def _package(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


def _arrows(module: Module) -> Iterator[tuple[str, str]]:
    mine = _package(module.name)
    for name, _ in module.imports:
        other = _package(name) if name.startswith("erphub.") else mine
        if mine and other != mine:
            yield mine, other


def main(root: Path = ROOT) -> None:
    """Print them."""
    for what, figure in figures(read(root, PRODUCT)):
        print(f"{what}: {figure}")


if __name__ == "__main__":
    main()
