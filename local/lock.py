"""Writes the lock files: every package with its exact release and hashes, and no download address."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Written by `make lock` from pyproject.toml. Hashes, no addresses.\n"
RUNTIME_OWN = {"boto3"}
LAYERS = {
    "api": ("aws-lambda-powertools", "pydantic", "httpx", "tzdata"),
    "driver": ("pymssql",),
    "lake": ("deltalake", "arro3-core"),
    "xml": ("lxml",),
    "paper": ("reportlab", "pypdfium2"),
}


def compile_lock(target: Path, requirements: list[str], constraint: Path | None = None) -> None:
    """Resolve `requirements` for Python 3.13 on every platform and write them with hashes to `target`.

    Raises subprocess.CalledProcessError when they cannot be resolved, ValueError when an address slipped in.
    """
    command = ["uv", "pip", "compile", "--quiet", "--python-version", "3.13", "--universal", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "-"]
    if constraint is not None:
        command += ["--constraint", str(constraint)]
    uv = Path(sys.prefix, "bin", "uv")
    text = "\n".join(requirements)
    done = subprocess.run([str(uv), *command[1:]], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{target.name} could not be resolved: {done.stderr.strip()}")
    if re.search(r"https?://|file:", done.stdout):
        raise ValueError(f"{target.name} would name a download address")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(HEADER + done.stdout)
    print(f"{target.relative_to(ROOT)}: {done.stdout.count('==')} packages")


def main() -> None:
    """Lock the environments first, then each layer to the very releases the tests ran with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime: list[str] = project["project"]["dependencies"]
    groups: dict[str, list[str]] = project["dependency-groups"]
    dev = ROOT / "requirements/dev.txt"
    compile_lock(dev, runtime + groups["dev"] + groups["uv"])
    for name in ("uv", "aws", "sam", "scan", "dlt"):
        compile_lock(ROOT / f"requirements/{name}.txt", groups[name], dev if name == "uv" else None)
    by_name = {re.split(r"[<>=\[]", line)[0]: line for line in runtime}
    missing = set(by_name) - {name for names in LAYERS.values() for name in names} - RUNTIME_OWN
    if missing:
        raise ValueError(f"no layer carries {', '.join(sorted(missing))}")
    for layer, names in LAYERS.items():
        compile_lock(ROOT / f"layers/{layer}/requirements.txt", [by_name[name] for name in names], dev)


if __name__ == "__main__":
    main()
