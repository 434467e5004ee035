"""Puts a layer or function together for Lambda: wheels of the target's architecture, our code, compiled bytecode.

`sam build` drops .pyc files, so that each cold start would compile every module again; this is what the Makefiles
beside the layers and functions call instead. ARCH says for whom: arm64 (as in the template), x86_64 or host.
"""

import argparse
import compileall
import hashlib
import os
import platform
import py_compile
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from layers import elf, microsoft, needs

ROOT = Path(__file__).resolve().parent.parent
MACHINES = {"arm64": "aarch64", "aarch64": "aarch64", "x86_64": "x86_64", "amd64": "x86_64"}
# Amazon Linux 2023 below python3.13 has glibc 2.34; wheels are tagged with the oldest glibc they run on.
GLIBC = ("2_34", "2_28", "2_26", "2_24", "2_17", "2_5")
# What a wheel brings for people who build, test or look at it, or for uses that are none of ours, and never runs here.
DEAD_WEIGHT = (
    "bin", "*/tests", "*/test", "*/include", "*.dist-info/sboms", "**/*.pyx", "**/*.pxd", "**/*.pxi", "**/*.pyi",
    "lxml/includes", "lxml/html", "lxml/isoschematron", "lxml/objectify.*", "**/swagger_ui/*.min.*",
    "mssql_python/ddbc_bindings.cp310*", "mssql_python/ddbc_bindings.cp311*", "mssql_python/ddbc_bindings.cp312*",
    "mssql_py_core/mssql_py_core.*", "mssql_py_core/__init__.py",
)  # fmt: skip
BARE_PACKAGES = ("mssql_py_core",)
"""Of which only data are used: their own modules want an extension that is left out (17 MB, for bulk copies)."""
BESIDE = {microsoft.LAYER: ("erp",)}
"""Whose libraries a layer's own may need."""
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", "Makefile", "requirements.txt", ".*")


def machine(arch: str) -> str:
    """The machine name in wheel tags for `arch`. Raises SystemExit with a sentence for an unknown one."""
    name = platform.machine().lower() if arch == "host" else arch.lower()
    if name not in MACHINES:
        raise SystemExit(f"ARCH must be arm64, x86_64 or host, not {arch!r}")
    return MACHINES[name]


def install_wheels(requirements: Path, target: Path, arch: str) -> None:
    """Unpack the locked wheels for Lambda's Python on `arch` into `target`; with uv when it is there, else with pip."""
    uv = Path(sys.prefix, "bin", "uv")
    common = ["--quiet", "--require-hashes", "--no-deps", "--target", str(target), "--requirement", str(requirements)]
    common += ["--python-version", "3.13", "--only-binary", ":all:"]
    if uv.exists():
        with_uv = [
            str(uv),
            "pip",
            "install",
            "--link-mode",
            "copy",
            "--python-platform",
            f"{arch}-manylinux_{GLIBC[0]}",
        ]
        if subprocess.run([*with_uv, *common], check=False).returncode == 0:
            return
    platforms = [f"manylinux_{glibc}_{arch}" for glibc in GLIBC] + [f"manylinux2014_{arch}"]
    with_pip = [sys.executable, "-m", "pip", "install", "--implementation", "cp", *common]
    for tag in platforms:
        with_pip += ["--platform", tag]
    subprocess.run(with_pip, check=True)


def compile_tree(tree: Path, runs_at: str) -> None:
    """Write .pyc files that are used without looking at the source's time, naming files as Lambda will see them."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    done = compileall.compile_dir(
        tree, quiet=1, force=True, invalidation_mode=mode, stripdir=str(tree), prependdir=runs_at
    )
    if not done:
        raise SystemExit(f"a module below {tree} does not compile")


def prune(tree: Path) -> None:
    """Remove what never runs in Lambda, and the padding of native libraries."""
    for path in [path for pattern in DEAD_WEIGHT for path in tree.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in tree.rglob("*.so*"):
        if not path.match(microsoft.UNTOUCHED):
            elf.close_gaps(path)
    for name in BARE_PACKAGES:
        if (tree / name).is_dir():
            (tree / name / "__init__.py").write_text('"""The native driver alone."""\n')


def recipe(name: str) -> str:
    """A hash of what a layer of wheels is made from: its lock and this program."""
    sources = [ROOT / "layers" / name / "requirements.txt", Path(__file__), Path(elf.__file__), Path(needs.__file__)]
    sources += [Path(microsoft.__file__)] if name == microsoft.LAYER else []
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]


def wheels(name: str, arch: str) -> Path:
    """The folder of a layer's wheels, unpacked once for the same recipe, Python and architecture."""
    requirements = ROOT / "layers" / name / "requirements.txt"
    python = ".".join(str(part) for part in sys.version_info[:3])
    kept = ROOT / ".build" / "layers" / f"{name}-{arch}-{recipe(name)}-{python}"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
            fresh = Path(scratch, "layer")
            install_wheels(requirements, fresh, arch)
            if name == microsoft.LAYER:
                microsoft.complete(fresh)
            prune(fresh)
            if wanting := needs.missing(arch, fresh, *(wheels(other, arch) for other in BESIDE.get(name, ()))):
                raise SystemExit(f"layer {name} would not load on {arch}: {'; '.join(wanting)}")
            compile_tree(fresh, "/opt/python")
            # Two builds may finish at once: the first one stays, the other is the same.
            if not kept.exists():
                fresh.rename(kept)
    return kept


def wheel_layer(name: str, target: Path, arch: str) -> None:
    """Fill `target`/python with the layer's wheels; PARAMETERS, what is deployed with, says whether Microsoft's too."""
    (target / "python").mkdir()
    with_microsofts = name == "erp" and microsoft.is_wished(os.environ.get("PARAMETERS", ""))
    for part in (name, microsoft.LAYER) if with_microsofts else (name,):
        subprocess.run(["cp", "-al", f"{wheels(part, arch)}/.", str(target / "python")], check=True)


def core_layer(target: Path) -> None:
    """Copy the package itself, without anything that is not code or data of it."""
    shutil.copytree(ROOT / "layers/core/erphub", target / "python/erphub", ignore=IGNORED)
    openapi = ROOT / "docs/openapi.json"
    if openapi.exists():
        shutil.copy(openapi, target / "python/erphub/openapi.json")
    compile_tree(target / "python", "/opt/python")


def function(name: str, target: Path) -> None:
    """Copy the handlers of one folder."""
    shutil.copytree(ROOT / "functions" / name, target, ignore=IGNORED, dirs_exist_ok=True)
    compile_tree(target, "/var/task")


def main() -> None:
    """Build the layer or function folder that the Makefile names into sam's artifacts directory."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("kind", choices=["layer", "function"])
    arguments.add_argument("name")
    arguments.add_argument("target", type=Path)
    given = arguments.parse_args()
    if sys.version_info[:2] != (3, 13):
        raise SystemExit("the bytecode must be made by Python 3.13, as in Lambda")
    given.target.mkdir(parents=True, exist_ok=True)
    if given.kind == "function":
        function(given.name, given.target)
    elif given.name == "core":
        core_layer(given.target)
    else:
        wheel_layer(given.name, given.target, machine(os.environ.get("ARCH", "arm64")))


if __name__ == "__main__":
    main()
