"""Checks the state machines' files: what cfn-lint says of each, and what it does not know of.

That every path ends, that no ARN is written down, and that a name is that of one state only in the whole machine, also
in inner ones: AWS refuses another one (DUPLICATE_STATE_NAME).
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from local import template
from local.emulator import ROOT

Definition = dict[str, Any]
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
LONGEST_NAME = 80
"""Characters of a state's name (Amazon States Language)."""


def scopes(definition: Definition, where: str = "") -> Iterator[tuple[str, Definition]]:
    """The machine itself and every inner one (of a Map or Parallel), each with the way to it."""
    yield where, definition
    for name, state in cast(dict[str, Any], definition["States"]).items():
        inner = [state[key] for key in ("ItemProcessor", "Iterator") if key in state] + state.get("Branches", [])
        for one in inner:
            yield from scopes(one, f"{where}{name}/")


def successors(state: dict[str, Any]) -> set[str]:
    """The states that may follow this one."""
    following = {state["Next"]} if "Next" in state else set[str]()
    following |= {choice["Next"] for choice in state.get("Choices", [])}
    following |= {catcher["Next"] for catcher in state.get("Catch", [])}
    return following | ({state["Default"]} if "Default" in state else set())


def _ends(state: dict[str, Any]) -> bool:
    return state.get("End") is True or state["Type"] in ("Succeed", "Fail")


def faults(definition: Definition, substitutions: set[str]) -> list[str]:
    """What is wrong with a machine, in sentences; empty when nothing is."""
    found: list[str] = []
    for where, scope in scopes(definition):
        states = cast(dict[str, dict[str, Any]], scope["States"])
        found += [
            f"{where}{name} goes on to {target}, which is not there"
            for name, state in states.items()
            for target in sorted(successors(state) - set(states))
        ]
        reached, waiting = set[str](), [cast(str, scope["StartAt"])]
        while waiting:
            name = waiting.pop()
            if name in states and name not in reached:
                reached.add(name)
                waiting += successors(states[name])
        found += [f"{where}{name} is never reached" for name in sorted(set(states) - reached)]
        found += [
            f"{where}{name} neither ends nor goes on"
            for name, state in states.items()
            if not _ends(state) and not successors(state)
        ]
        found += [f"{where}{name} is never left" for name in sorted(reached - _ending(states))]
    found += _faults_of_names(definition)
    text = json.dumps(definition)
    if re.search(r"arn:aws[\w-]*:(?!states:::)", text):
        found.append("an ARN is written down; the template fills ARNs in")
    used = set(_PLACEHOLDER.findall(text))
    found += [f"${{{name}}} is not filled in by the template" for name in sorted(used - substitutions)]
    return found


def _faults_of_names(definition: Definition) -> list[str]:
    places: dict[str, list[str]] = {}
    for where, scope in scopes(definition):
        for name in scope["States"]:
            places.setdefault(name, []).append(where + name)
    twice = [
        f"{' and '.join(at)} have one name; it must be unique in the whole machine" for at in places.values() if at[1:]
    ]
    return twice + [
        f"{name[:20]}… has more than {LONGEST_NAME} characters" for name in places if len(name) > LONGEST_NAME
    ]


def _ending(states: dict[str, dict[str, Any]]) -> set[str]:
    """The states from which an end can be reached."""
    good = {name for name, state in states.items() if _ends(state)}
    while more := {name for name, state in states.items() if name not in good and successors(state) & good}:
        good |= more
    return good


def machines() -> dict[str, tuple[Definition, set[str]]]:
    """Each machine of the template: its definition and the names the template fills in."""
    drawn = template.of_type(template.load(), "AWS::Serverless::StateMachine")
    return {
        name: (
            cast(Definition, json.loads((ROOT / properties["DefinitionUri"]).read_text())),
            set(properties.get("DefinitionSubstitutions", {})),
        )
        for name, properties in drawn.items()
    }


def lint(named: dict[str, tuple[Definition, set[str]]]) -> str:
    """What cfn-lint says of the machines, written into a template as inline resources; empty when nothing."""
    resources = {
        name: {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": "arn:aws:iam::123456789012:role/any",
                "Definition": json.loads(_PLACEHOLDER.sub("filled-in", json.dumps(definition))),
            },
        }
        for name, (definition, _) in named.items()
    }
    with tempfile.TemporaryDirectory() as scratch:
        wrapped = Path(scratch, "machines.json")
        wrapped.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}))
        cfn_lint = ROOT / ".venv-sam/bin/cfn-lint"
        done = subprocess.run(
            [str(cfn_lint), "--region", "eu-north-1", "--", str(wrapped)], capture_output=True, text=True, check=False
        )
    return (done.stdout + done.stderr).strip() if done.returncode else ""


def main() -> None:
    """Check all machines; ends with status 1 and the faults when there are any."""
    named = machines()
    found = [f"{name}: {fault}" for name, (definition, filled) in named.items() for fault in faults(definition, filled)]
    if said := lint(named):
        found.append(said)
    if found:
        sys.exit("\n".join(found))
    print(f"{len(named)} state machines: every path ends")


if __name__ == "__main__":
    main()
