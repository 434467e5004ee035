"""The state machines: the real ones are sound, and a broken one would be noticed."""

from typing import Any

import pytest

from erphub.planning import patience
from local import machines

GOOD: dict[str, Any] = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "${Tasks}",
            "Next": "Done",
            "Catch": [{"ErrorEquals": ["X"], "Next": "Lost"}],
        },
        "Done": {"Type": "Succeed"},
        "Lost": {"Type": "Fail"},
    },
}


@pytest.mark.parametrize("name", sorted(machines.machines()))
def test_every_machine_of_the_template_is_sound(name: str):
    definition, filled = machines.machines()[name]
    assert machines.faults(definition, filled) == []


def test_a_run_may_wait_as_long_as_its_machine_lets_it():
    """Step Functions ends an execution whose history has 25,000 events."""
    definition, _ = machines.machines()["ImportMachine"]
    states = definition["States"]
    assert states["WaitForOtherRun"]["SecondsPath"] == "$.seconds"
    turn = [states["WaitForOtherRun"], states["Plan"], states["Planned"]]
    # Each is entered and left; a task is scheduled, started and done besides.
    events_of_a_turn = sum(5 if state["Type"] == "Task" else 2 for state in turn)
    waited = turns = 0
    while waited < definition["TimeoutSeconds"]:
        waited += patience(waited)
        turns += 1
    assert turns * events_of_a_turn < 25_000 / 4


def test_cfn_lint_has_nothing_to_say():
    assert machines.lint(machines.machines()) == ""


def broken(**states: dict[str, Any]) -> list[str]:
    return machines.faults({**GOOD, "States": {**GOOD["States"], **states}}, {"Tasks"})


def test_a_sound_machine_has_no_faults():
    assert broken() == []


def test_a_next_that_is_not_there_is_a_fault():
    assert "Ask goes on to Nowhere, which is not there" in broken(Ask={"Type": "Pass", "Next": "Nowhere"})


def test_a_state_nobody_goes_to_is_a_fault():
    assert broken(Forgotten={"Type": "Succeed"}) == ["Forgotten is never reached"]


def test_a_circle_without_a_way_out_is_a_fault():
    found = broken(Ask={"Type": "Pass", "Next": "Again"}, Again={"Type": "Pass", "Next": "Ask"})
    assert {"Ask is never left", "Again is never left"} <= set(found)


def test_a_fault_inside_a_map_is_found():
    inner = {"StartAt": "One", "States": {"One": {"Type": "Pass"}}}
    found = broken(Ask={"Type": "Map", "ItemProcessor": inner, "End": True})
    assert "Ask/One neither ends nor goes on" in found


def test_an_arn_in_the_file_is_a_fault():
    arn = "arn:aws:lambda:eu-north-1:123456789012:function:tasks"
    assert broken(Ask={"Type": "Task", "Resource": arn, "Next": "Done"})[-1].startswith("an ARN is written down")
    integration = "arn:aws:states:::lambda:invoke"
    assert not [
        fault for fault in broken(Ask={"Type": "Task", "Resource": integration, "Next": "Done"}) if "ARN" in fault
    ]


def test_a_name_the_template_does_not_fill_in_is_a_fault():
    assert broken(Ask={"Type": "Task", "Resource": "${Other}", "Next": "Done"})[-1] == (
        "${Other} is not filled in by the template"
    )


def test_cfn_lint_notices_what_the_walk_cannot():
    wrong = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "End": True}}}
    assert "Resource" in machines.lint({"Wrong": (wrong, set())})
