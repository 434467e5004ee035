"""Builds for this machine, deploys the unchanged template to the local AWS, and brings later changes over fast."""

import contextlib
import fcntl
import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from layers import build as recipes
from layers import microsoft
from local import api_definition, template
from local.emulator import REGION, ROOT, Aws, clean_environment
from local.processes import StartupError

BUILDS = ROOT / ".build"
SAM = ROOT / ".venv-sam/bin/sam"
SOURCES = ("template.yaml", "layers", "functions", "statemachines", "api.json", "docs/openapi.json", "local/deploy.py")
ARTEFACTS = "erphub-artefacts"
KEPT_BUILDS = 6


def _files(top: Path) -> Iterator[Path]:
    if top.is_file():
        yield top
    for path in sorted(top.rglob("*")) if top.is_dir() else ():
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
            yield path


def fingerprint() -> str:
    """A short hash of everything a build reads."""
    digest = hashlib.sha256(sys.version.encode())
    for source in SOURCES:
        for path in _files(ROOT / source):
            digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _alone(name: str) -> Generator[None]:
    """Hold a lock file, so that two stacks starting at once do not build into each other."""
    BUILDS.mkdir(exist_ok=True)
    with (BUILDS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sam(*arguments: str, environment: dict[str, str], log: Path) -> None:
    """Run sam. Raises StartupError with the end of its output when it fails."""
    environment = environment | {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.3"}
    log.parent.mkdir(parents=True, exist_ok=True)
    # It leaves folders behind in its temporary one.
    with tempfile.TemporaryDirectory(prefix="erphub-sam-") as scratch:
        done = subprocess.run(
            [str(SAM), *arguments],
            cwd=ROOT,
            env=environment | {"TMPDIR": scratch},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    log.write_text(done.stdout + done.stderr)
    if done.returncode:
        raise StartupError(f"sam {arguments[0]} failed:\n" + "\n".join(log.read_text().splitlines()[-40:]))


def architecture() -> str:
    """This machine's processor in Lambda's words."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def build(parameters: Mapping[str, str] | None = None) -> Path:
    """Build for this machine, once per state of the sources; returns the folder with the built template.

    `parameters` are those it will be deployed with, as far as they are known: of them it depends whose driver is in
    the erp layer. Raises StartupError when sam cannot build.
    """
    given = " ".join(f"{name}={value}" for name, value in (parameters or {}).items())
    variant = f"-{microsoft.LAYER}" if microsoft.is_wished(given) else ""
    target = BUILDS / f"host-{fingerprint()}{variant}"
    with _alone("build"):
        if not (target / "template.yaml").exists():
            environment = clean_environment() | {"ARCH": "host", "AWS_DEFAULT_REGION": REGION, "PARAMETERS": given}
            fresh = BUILDS / "host-fresh"
            shutil.rmtree(fresh, ignore_errors=True)
            _sam(
                "build", "--build-dir", str(fresh), "--parameter-overrides", f"Architecture={architecture()}",
                environment=environment, log=BUILDS / "build.log",
            )  # fmt: skip
            _open_big_layers(fresh, variant)
            shutil.rmtree(target, ignore_errors=True)
            fresh.rename(target)
            for old in sorted(BUILDS.glob("host-*"), key=lambda path: path.stat().st_mtime)[:-KEPT_BUILDS]:
                shutil.rmtree(old, ignore_errors=True)
        os.utime(target)
    return target


def _open_big_layers(built: Path, variant: str) -> None:
    """Keep the wheels' layers unpacked, once for all stacks, and leave a line in each layer that says where.

    The emulator unpacks every layer for every worker process, so the real ones would cost each cold start 200 MB of
    writing. The line comes from a site directory below /opt/python that AWS knows too, and puts the wheels where the
    unpacked layer would be on the path: before what the emulator itself needs.
    """
    for layer in sorted(built.glob("*Layer")):
        if layer.name == "CoreLayer":
            continue
        recipe = recipes.recipe(layer.name.removesuffix("Layer").lower())
        kept = BUILDS / "opened" / f"{layer.name}-{recipe}-{platform.python_version()}{variant}"
        kept.parent.mkdir(exist_ok=True)
        if kept.exists():
            shutil.rmtree(layer)
        else:
            layer.rename(kept)
        line = layer / "python/lib/python3.13/site-packages/opened.pth"
        line.parent.mkdir(parents=True)
        line.write_text(f"import sys; sys.path.insert(0, {str(kept / 'python')!r})\n")


def _zip(folder: Path, target: io.BytesIO) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))


def deploy(aws: Aws, stack: str, built: Path, parameters: dict[str, str], log: Path) -> dict[str, str]:
    """Deploy a build with `sam deploy`; returns the stack's outputs. Raises StartupError when that fails."""
    s3 = aws.client("s3")
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        s3.create_bucket(Bucket=ARTEFACTS, CreateBucketConfiguration={"LocationConstraint": REGION})
    overrides = " ".join(f"{name}={value}" for name, value in parameters.items())
    _sam(
        "deploy", "--config-file", str(ROOT / "samconfig.toml"), "--template-file", str(built / "template.yaml"),
        "--stack-name", stack, "--s3-bucket", ARTEFACTS, "--no-resolve-s3", "--no-progressbar",
        "--no-confirm-changeset", "--parameter-overrides", overrides, environment=aws.environment(), log=log,
    )  # fmt: skip
    found = outputs(aws, stack)
    _complete_api(aws, found)
    _lead_aliases_to_the_latest(aws, stack)
    return found


def _complete_api(aws: Aws, found: dict[str, str]) -> None:
    """Tell the emulator what AWS takes from the API's definition and it does not.

    These are the binary media types, what the gateway answers by itself, and the mocks at addresses nobody serves.
    """
    client = aws.client("apigateway")
    api = found["ApiId"]
    definition = _decided(api_definition.read(), any_origins="AllowedOrigins" in found)
    _take_binary_types(aws, api, definition[api_definition.BINARY_TYPES])
    for kind, response in definition[api_definition.GATEWAY_RESPONSES].items():
        client.put_gateway_response(restApiId=api, responseType=kind, **response)
    resources = {one.get("path"): one.get("id", "") for one in client.get_resources(restApiId=api, limit=500)["items"]}
    for path in api_definition.UNKNOWN_PATHS:
        mock = definition["paths"][path][api_definition.ANY_METHOD][api_definition.INTEGRATION]
        method: Any = {"restApiId": api, "resourceId": resources[path], "httpMethod": "ANY"}
        client.put_method(**method, authorizationType="NONE")
        client.put_integration(
            **method,
            type="MOCK",
            passthroughBehavior=mock["passthroughBehavior"].upper(),
            contentHandling=mock["contentHandling"],
            requestTemplates=mock["requestTemplates"],
        )
        client.put_integration_response(**method, **mock["responses"]["default"])
    client.create_deployment(restApiId=api, stageName=found["Stage"])


def _take_binary_types(aws: Aws, api: str, kinds: list[str]) -> None:
    """Set the media types that are no text; the emulator wants them as one list, which boto3 alone would not send."""
    client = aws.client("apigateway")
    patch = {"patchOperations": [{"op": "replace", "path": "/binaryMediaTypes", "value": kinds}]}

    def as_a_list(params: dict[str, Any], **_: object) -> None:
        params["body"] = json.dumps(patch).encode()

    client.meta.events.register("before-call.apigateway.UpdateRestApi", as_a_list)
    client.update_rest_api(restApiId=api)


def _decided(value: Any, *, any_origins: bool) -> Any:
    """The definition with its one condition, whether any origin is allowed, decided."""
    if isinstance(value, list):
        return [_decided(one, any_origins=any_origins) for one in cast(list[Any], value)]
    if not isinstance(value, dict):
        return value
    members = cast(dict[str, Any], value)
    if "Fn::If" in members:
        return members["Fn::If"][1] if any_origins else None
    decided = {name: _decided(one, any_origins=any_origins) for name, one in members.items()}
    return {name: one for name, one in decided.items() if one is not None}


def outputs(aws: Aws, stack: str) -> dict[str, str]:
    """The outputs of a deployed stack by name."""
    found = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    return {one.get("OutputKey", ""): one.get("OutputValue", "") for one in found}


def resources(aws: Aws, stack: str, kind: str) -> dict[str, str]:
    """Physical names of a stack's resources of one type, by logical name."""
    pages = aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    found = (one for page in pages for one in page["StackResourceSummaries"] if one["ResourceType"] == kind)
    return {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in found}


def _lead_aliases_to_the_latest(aws: Aws, stack: str) -> None:
    """Here the alias of each function leads to what the function is now, not to the version that was published last:
    no canary is led over, and what somebody changes by hand (`make sync`, another address of an ERP) counts at once.
    """
    client = aws.client("lambda")
    for physical in resources(aws, stack, "AWS::Lambda::Function").values():
        client.update_alias(FunctionName=physical, Name=template.ALIAS, FunctionVersion="$LATEST")


def sync(aws: Aws, stack: str, scratch: Path) -> list[str]:
    """Bring changed Python code (the core layer and the handlers) into running functions; returns their logical names.

    For a change of the template, a state machine or a dependency, deploy. Raises StartupError when a function refuses.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    functions = resources(aws, stack, "AWS::Lambda::Function")
    client = aws.client("lambda")
    core = client.publish_layer_version(
        LayerName=f"{stack}-core",
        Content={"ZipFile": _built("layer", "core", scratch)},
        CompatibleRuntimes=["python3.13"],
    )["LayerVersionArn"]
    drawn = template.of_type(template.load(), "AWS::Serverless::Function")
    folders = {name: Path(properties["CodeUri"]).name for name, properties in drawn.items()}
    code = {folder: _built("function", folder, scratch) for folder in set(folders.values())}
    for logical, physical in functions.items():
        if logical not in folders:
            raise StartupError(f"{logical} is deployed but not in the template; say `make up`")
        configuration = client.get_function_configuration(FunctionName=physical)
        layers = [layer.get("Arn", "") for layer in configuration.get("Layers", [])]
        # The core layer is the first one of every function in the template.
        client.update_function_configuration(FunctionName=physical, Layers=[core, *layers[1:]])
        client.update_function_code(FunctionName=physical, ZipFile=code[folders[logical]])
    return sorted(functions)


def _built(kind: str, name: str, scratch: Path) -> bytes:
    target = scratch / f"{kind}-{name}"
    done = subprocess.run(
        [sys.executable, str(ROOT / "layers/build.py"), kind, name, str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StartupError(f"{kind} {name} could not be built:\n{done.stderr}")
    packed = io.BytesIO()
    _zip(target, packed)
    return packed.getvalue()
