"""What would be uploaded to AWS, opened, measured and imported: a wrong wheel is found here and not at a cold start."""

import email
import json
import os
import platform
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from local import template
from local.check_aws import artefacts
from local.deploy import architecture
from local.emulator import ROOT, clean_environment

LIMIT = 250 * 1024 * 1024
"""Bytes that a function may unpack to, with all of its layers (AWS Lambda's quota)."""
GLIBC = 34
"""Amazon Linux 2023, below python3.13, has glibc 2.34."""
ELF_MACHINES = {"x86_64": 62, "arm64": 183}
WHEEL_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
RUNTIME_BRINGS = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"}
HEAVY = {"pymssql", "deltalake", "arro3", "pyarrow", "httpx", "aws_xray_sdk", "rapidfuzz", "stdnum", "phonenumbers"}

Built = dict[str, Path]


@pytest.fixture(scope="module", params=["arm64", "x86_64"])
def arch(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def built(arch: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`sam build` for one architecture, as `make build` does it."""
    target = tmp_path_factory.mktemp("built") / arch
    environment = clean_environment() | {"ARCH": arch, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "eu-north-1"}
    command = [str(ROOT / ".venv-sam/bin/sam"), "build", "--build-dir", str(target)]
    command += ["--parameter-overrides", f"Architecture={arch}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr[-3000:]
    return target


def functions() -> dict[str, list[str]]:
    """Each function's layers, in the order Lambda puts them."""
    drawn = template.of_type(template.load(), "AWS::Serverless::Function")
    return {name: [layer["Ref"] for layer in properties["Layers"]] for name, properties in drawn.items()}


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def libraries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.so*") if path.is_file()]


def test_every_native_library_is_for_the_processor_and_the_c_library_of_the_runtime(built: Path, arch: str):
    found = libraries(built)
    assert len(found) > 5
    for path in found:
        content = path.read_bytes()
        assert content[:4] == b"\x7fELF", path
        assert struct.unpack_from("<H", content, 18)[0] == ELF_MACHINES[arch], path
        needed = {int(minor) for minor in re.findall(rb"\0GLIBC_2\.(\d+)", content)}
        assert max(needed, default=0) <= GLIBC, path
        tagged = re.search(r"\.cpython-(\d+)", path.name)
        assert tagged is None or tagged[1] == "313", path


def test_every_wheel_was_made_for_the_runtime(built: Path, arch: str):
    wheels = list(built.rglob("*.dist-info/WHEEL"))
    assert len(wheels) > 10
    for path in wheels:
        tags = email.message_from_string(path.read_text()).get_all("Tag") or []
        assert any(_fits(tag, WHEEL_MACHINES[arch]) for tag in tags), (path, tags)


def _fits(tag: str, machine: str) -> bool:
    python, abi, platforms = tag.split("-")
    python_fits = python in ("py3", "py2.py3", "cp313") or (abi == "abi3" and int(python[3:]) <= 13)
    abi_fits = abi in ("none", "abi3", "cp313")
    return python_fits and abi_fits and any(_runs_on(one, machine) for one in platforms.split("."))


def _runs_on(tag: str, machine: str) -> bool:
    new = re.fullmatch(rf"manylinux_2_(\d+)_{machine}", tag)
    return (
        tag == "any"
        or tag in (f"manylinux2014_{machine}", f"manylinux1_{machine}")
        or (new is not None and int(new[1]) <= GLIBC)
    )


def test_each_function_fits_lambda_with_its_layers(built: Path, arch: str, capsys: pytest.CaptureFixture[str]):
    sizes = {
        name: size(built / name) + sum(size(built / layer) for layer in layers) for name, layers in functions().items()
    }
    with capsys.disabled():
        print(f"\nUnpacked size with layers, {arch} (limit {LIMIT / 1e6:.0f} MB):")
        for name, total in sorted(sizes.items(), key=lambda pair: pair[1]):
            print(f"  {name:<16} {total / 1e6:7.1f} MB")
    assert set(sizes) == set(template.of_type(template.load(), "AWS::Serverless::Function"))
    assert max(sizes.values()) < LIMIT


def test_every_module_is_shipped_compiled_and_used_without_looking_at_its_source(built: Path):
    modules = [path for path in built.rglob("*.py") if "-" not in path.parent.name]
    assert len(modules) > 300
    for path in modules:
        compiled = path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc"
        flags = struct.unpack_from("<I", compiled.read_bytes(), 4)[0]
        assert flags == 0b01, f"{compiled}: not an unchecked hash"


def test_nothing_of_the_local_stack_or_the_tests_is_shipped(built: Path):
    ours = [built / name for name in ("CoreLayer", *functions())]
    names = {path.name for folder in ours for path in folder.rglob("*")}
    assert not names & {"Makefile", "requirements.txt", "tests", "conftest.py", "local", ".venv"}
    assert not any(
        (built / layer / "python" / own).exists()
        for layer in ("ApiLayer", "LakeLayer")
        for own in ("boto3", "botocore")
    )


PROBE = """
import importlib, json, sys
folders, module = json.loads(sys.argv[1]), sys.argv[2]
sys.path[:0] = folders
sys.dont_write_bytecode = True
importlib.import_module(module)
tops = {name.partition(".")[0]: getattr(value, "__file__", None) or "" for name, value in list(sys.modules.items())}
ours = lambda path: "site-packages" in path or path.startswith(tuple(folders))
print(json.dumps({name: path for name, path in tops.items() if ours(path)}))
"""


@pytest.mark.parametrize("name", sorted(functions()))
def test_each_door_opens_with_its_own_layers_and_nothing_else(name: str, tmp_path_factory: pytest.TempPathFactory):
    """Imported by a bare Python of the runtime's version that has boto3, as Lambda has."""
    drawn = template.of_type(template.load(), "AWS::Serverless::Function")[name]
    kept = tmp_path_factory.getbasetemp() / f"host-{architecture()}"
    folders = [_host_build(kept, "function", Path(drawn["CodeUri"]).name)]
    folders += [
        _host_build(kept, "layer", layer.removesuffix("Layer").lower()) / "python" for layer in functions()[name]
    ]
    module = drawn["Handler"].rpartition(".")[0]
    arguments = [json.dumps([str(folder) for folder in folders]), module]
    done = subprocess.run(
        [str(ROOT / ".venv-aws/bin/python"), "-I", "-c", PROBE, *arguments],
        env=clean_environment() | {"AWS_DEFAULT_REGION": "eu-north-1"}, cwd=folders[0], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    loaded = json.loads(done.stdout)
    strangers = {top for top, path in loaded.items() if not any(path.startswith(str(one)) for one in folders)}
    assert strangers <= RUNTIME_BRINGS | {"google", "mypy_boto3_builder"}, f"not in a layer: {strangers}"
    assert not set(loaded) & HEAVY, "a cold start must not pay for what only some requests need"


LARGEST_MATCHING = 25_000_000


def test_the_libraries_that_match_records_are_small():
    sizes = artefacts.recorded()["matching"]
    assert max(sizes[processor] for processor in artefacts.PROCESSORS) <= LARGEST_MATCHING


NATIVE = {
    "erp": "pymssql, lxml.etree",
    "lake": "deltalake, arro3.core",
    "matching": "rapidfuzz.fuzz, rapidfuzz.distance, stdnum.no.orgnr, stdnum.eu.vat, phonenumbers",
    "paper": "reportlab.pdfgen.canvas, PIL._imaging, pypdfium2",
}


@pytest.mark.parametrize("layer", sorted(NATIVE))
def test_native_libraries_load_although_their_padding_is_gone(layer: str, tmp_path_factory: pytest.TempPathFactory):
    kept = tmp_path_factory.getbasetemp() / f"host-{architecture()}"
    folder = _host_build(kept, "layer", layer) / "python"
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); import {NATIVE[layer]}"
    done = subprocess.run(
        [str(ROOT / ".venv-aws/bin/python"), "-I", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_what_is_written_down_of_the_sizes_is_what_is_built(built: Path, arch: str):
    """check-aws goes by the table, so that it need not build."""
    table = artefacts.unzipped(artefacts.recorded(), template.load())
    for name, layers in functions().items():
        real = size(built / name) + sum(size(built / layer) for layer in layers)
        assert real <= table[name][arch] <= real * 1.05, name


def _host_build(kept: Path, kind: str, name: str) -> Path:
    target = kept / f"{kind}-{name}"
    if not target.exists():
        environment = dict(os.environ) | {"ARCH": "host"}
        command = [sys.executable, str(ROOT / "layers/build.py"), kind, name, str(target)]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    return target


def test_the_local_stack_is_built_for_this_machine():
    assert ELF_MACHINES[architecture()] == {"x86_64": 62, "aarch64": 183, "arm64": 183, "AMD64": 62}[platform.machine()]
