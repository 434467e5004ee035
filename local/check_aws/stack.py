"""What would be deployed: the template as written and after SAM's transform, with the machines' definitions."""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from local import machines, template
from local.emulator import ROOT, clean_environment

Json = dict[str, Any]

ACCOUNT, REGION = "123456789012", "eu-north-1"
STACK_NAME = "my-company-erphub-production"
"""Long for a stack's name; names that CloudFormation makes begin with it and end with 12 characters."""
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::StackName": STACK_NAME,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK_NAME}/{'0' * 36}",
}
KEPT = 6
"""Transformed templates that are kept, so that the next check need not transform again."""
_TRANSFORM = """
import json, sys
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
class NoPolicies:
    def load(self): return {}
given = json.load(sys.stdin)
json.dump(transform(given["template"], given["parameters"], NoPolicies()), sys.stdout)
"""


@dataclass(frozen=True)
class Stack:
    """One deployment; tests make small broken ones."""

    resources: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """After the transform: {logical name: {Type, Properties, …}}."""
    written: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The template as written, its intrinsic functions as dictionaries."""
    machines: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """The definitions of the state machines."""
    size: int = 0
    """Bytes of the transformed template."""

    def of_type(self, kind: str) -> dict[str, Json]:
        """The properties of all resources of one type."""
        return {
            name: cast(Json, one.get("Properties", {})) for name, one in self.resources.items() if one["Type"] == kind
        }

    def text(self, value: Any) -> str:
        """A value as CloudFormation would hand it over, with names as long as those it makes; JSON when not a text."""
        resolved = self.resolve(value)
        return resolved if isinstance(resolved, str) else json.dumps(resolved, separators=(",", ":"))

    def resolve(self, value: Any) -> Any:
        """A value with its intrinsic functions worked out; both sides of a condition are taken to be the longer one."""
        if isinstance(value, list):
            return [self.resolve(one) for one in cast(list[Any], value)]
        if not isinstance(value, dict):
            return value
        given = cast(Json, value)
        if len(given) == 1:
            ((function, argument),) = given.items()
            if function == "Ref":
                return self._named(argument)
            if function == "Fn::GetAtt":
                parts = argument.split(".", 1) if isinstance(argument, str) else argument
                return self._named(f"{parts[0]}.{parts[1]}")
            if function == "Fn::Sub":
                return self._filled(argument)
            if function == "Fn::If":
                return max((self.resolve(one) for one in argument[1:]), key=lambda one: len(json.dumps(one)))
            if function == "Fn::Join":
                return argument[0].join(self.text(one) for one in argument[1])
        return {name: self.resolve(one) for name, one in given.items()}

    def _filled(self, argument: Any) -> str:
        pattern, own = (argument, {}) if isinstance(argument, str) else (argument[0], cast(Json, argument[1]))

        def put(found: re.Match[str]) -> str:
            name = found[1]
            return self.text(own[name]) if name in own else self._named(name)

        return re.sub(r"\$\{([\w:.]+)\}", put, pattern)

    def _named(self, name: str) -> str:
        """What a name or an attribute stands for."""
        logical, _, attribute = name.partition(".")
        if name in PSEUDO:
            return PSEUDO[name]
        parameters = cast(Json, self.written.get("Parameters", {}))
        if logical in parameters:
            return longest_value(parameters[logical])
        kind = str(self.resources.get(logical, {}).get("Type", ""))
        return _physical(kind, logical, attribute)


def longest_value(parameter: Json) -> str:
    """The longest text a parameter may hold; its default when it says nothing of its length."""
    choices = [str(one) for one in parameter.get("AllowedValues", [])]
    default = str(parameter.get("Default", ""))
    longest = max([*choices, default], key=len)
    return longest if choices else longest.ljust(int(parameter.get("MaxLength", 0)), "x")


def _physical(kind: str, logical: str, attribute: str) -> str:
    name = f"{STACK_NAME}-{logical}-{'A' * 12}"[:64]
    if kind == "AWS::ApiGateway::RestApi":
        return "a" * 10
    if kind == "AWS::Cognito::UserPool" and not attribute:
        return f"{REGION}_{'A' * 9}"
    if kind == "AWS::KMS::Key" and not attribute:
        return "0" * 36
    if kind == "AWS::SQS::Queue" and not attribute:
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
    if attribute == "Arn" or kind in ("AWS::StepFunctions::StateMachine", "AWS::SNS::Topic"):
        service = kind.split("::")[1].lower() if "::" in kind else "service"
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{_arn_word(kind)}{name}"
    return name


def _arn_word(kind: str) -> str:
    return {
        "AWS::Lambda::Function": "function:", "AWS::DynamoDB::Table": "table/", "AWS::IAM::Role": "role/",
        "AWS::StepFunctions::StateMachine": "stateMachine:", "AWS::Events::Rule": "rule/", "AWS::KMS::Key": "key/",
    }.get(kind, "")  # fmt: skip


def texts(value: Any) -> Iterator[str]:
    """Every string in a piece of a template, keys included."""
    if isinstance(value, dict):
        for key, one in cast(Json, value).items():
            yield key
            yield from texts(one)
    elif isinstance(value, list):
        for one in cast(list[Any], value):
            yield from texts(one)
    elif isinstance(value, str):
        yield value


def _uploaded(written: Json) -> Json:
    """The template as `sam package` leaves it: what lies in folders here lies in S3."""
    given = cast(Json, json.loads(json.dumps(written)))
    for one in given["Resources"].values():
        for name in ("CodeUri", "ContentUri", "DefinitionUri"):
            if name in one.get("Properties", {}):
                one["Properties"][name] = "s3://artefacts/key"
    return given


def transform(written: Json, given: Mapping[str, str] | None = None) -> Json:
    """The template after SAM's transform, by the translator that `sam` uses. Raises RuntimeError when it refuses.

    `given` are parameters that are not left at their defaults: SAM makes other resources for some.
    """
    defaults = {name: one.get("Default", "a@example.com") for name, one in written.get("Parameters", {}).items()}
    parameters = defaults | {"AWS::Region": REGION} | dict(given or {})
    asked = json.dumps({"template": _uploaded(written), "parameters": parameters})
    kept = ROOT / ".build/transformed" / f"{hashlib.sha256((asked + _TRANSFORM).encode()).hexdigest()[:16]}.json"
    if not kept.exists():
        done = subprocess.run(
            [str(ROOT / ".venv-sam/bin/python"), "-c", _TRANSFORM],
            input=asked, capture_output=True, text=True, check=False,
            env=clean_environment() | {"AWS_DEFAULT_REGION": REGION},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"the template cannot be transformed:\n{done.stderr[-2000:]}")
        kept.parent.mkdir(parents=True, exist_ok=True)
        for old in sorted(kept.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
        # Whole or not at all: tests and checks run side by side.
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_text(done.stdout)
        fresh.rename(kept)
    return cast(Json, with_includes(json.loads(kept.read_text()), ROOT))


def with_includes(value: Any, folder: Path) -> Any:
    """The template with what it includes (AWS::Include) in its place, which CloudFormation does before all else."""
    if isinstance(value, list):
        return [with_includes(one, folder) for one in cast(list[Any], value)]
    if not isinstance(value, dict):
        return value
    given = cast(Json, value)
    asked = cast(Json, given.get("Fn::Transform", {}))
    if asked.get("Name") == "AWS::Include":
        return with_includes(json.loads((folder / asked["Parameters"]["Location"]).read_text()), folder)
    return {name: with_includes(one, folder) for name, one in given.items()}


def deployed(given: Mapping[str, str] | None = None) -> Stack:
    """What template.yaml would deploy, with its parameters' defaults where none is given."""
    written = template.load()
    transformed = transform(written, given)
    definitions = {name: definition for name, (definition, _) in machines.machines().items()}
    return Stack(transformed["Resources"], written, definitions, len(json.dumps(transformed)))
