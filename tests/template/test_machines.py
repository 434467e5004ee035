"""The state machines: the real ones are sound, and a broken one would be noticed."""

import json
from typing import Any

import pytest

from erphub.deletions.tasks import MAX_STOPPING_TIME
from erphub.imports.runs.execution import MIN_SECONDS_FOR_PART
from erphub.imports.runs.planning import MIN_SECONDS_FOR_STEP, wait_seconds
from erphub.wizards.machine import ANSWER_TIME
from local import machines, template
from local.check_aws import workflows
from local.check_aws.limits import HISTORY
from local.emulator import ROOT

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


IMPORT, _ = machines.machines()["ImportMachine"]
STATES: dict[str, dict[str, Any]] = IMPORT["States"]


def turns_of_waiting() -> int:
    """How often a run asks again that waits for another one as long as its machine lets it."""
    waited = turns = 0
    while waited < IMPORT["TimeoutSeconds"]:
        waited += wait_seconds(waited)
        turns += 1
    return turns


def events_of(*states: dict[str, Any]) -> int:
    """Each is entered and left; a task is scheduled, started and done besides."""
    return sum(5 if state["Type"] == "Task" else 2 for state in states)


def test_a_run_may_wait_as_long_as_its_machine_lets_it():
    """Step Functions ends an execution whose history has 25,000 events."""
    assert STATES["WaitForOtherRun"]["SecondsPath"] == "$.seconds"
    turn = events_of(STATES["WaitForOtherRun"], STATES["Plan"], STATES["Planned"])
    assert turns_of_waiting() * turn < HISTORY / 4


@pytest.mark.parametrize(("mapped", "one", "seconds_kept"), [
    ("ReadPackages", ("ReadOnePackage", "ReadMore"), MIN_SECONDS_FOR_PART),
    ("PublishPackages", ("PublishOnePackage", "PublishMore"), MIN_SECONDS_FOR_STEP),
])  # fmt: skip
def test_a_run_whose_time_runs_out_again_and_again_fits_its_history_with_every_retry_used_up(
    mapped: str, one: tuple[str, str], seconds_kept: float
):
    """Called again after all but a function's whole time, in every lane, for the two days that a run may take."""
    function = template.of_type(template.load(), "AWS::Serverless::Function")["ImportTasks"]
    inner = STATES[mapped]["ItemProcessor"]["States"]
    calls = STATES[mapped]["MaxConcurrency"] * IMPORT["TimeoutSeconds"] / (function["Timeout"] - seconds_kept)
    again = calls * events_of(*(inner[name] for name in one))
    assert workflows.longest(IMPORT) + again < HISTORY


def test_a_deletion_that_waits_for_work_to_end_fits_its_history():
    """It asks every three seconds, for twenty minutes at most (`MAX_STOPPING_TIME`)."""
    definition, _ = machines.machines()["DeleteMachine"]
    states = definition["States"]
    turns = MAX_STOPPING_TIME.total_seconds() / states["WaitForRunningWork"]["Seconds"]
    assert (
        2 * turns * events_of(states["StopRunningWork"], states["HasWorkStopped"], states["WaitForRunningWork"])
        < HISTORY / 2
    )


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


def test_a_name_that_another_level_has_already_is_a_fault():
    """AWS refuses the whole machine for it; cfn-lint and the local AWS do not."""
    inner = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    found = broken(Ask={"Type": "Map", "ItemProcessor": inner, "Next": "Done", "Catch": [{"Next": "Lost"}]})
    assert found == ["Done and Ask/Done have one name; it must be unique in the whole machine"]
    beside = {"StartAt": "One", "States": {"One": {"Type": "Succeed"}}}
    found = broken(Ask={"Type": "Parallel", "Branches": [beside, beside], "Next": "Done", "Catch": [{"Next": "Lost"}]})
    assert found == ["Ask/One and Ask/One have one name; it must be unique in the whole machine"]


def test_a_name_of_more_than_eighty_characters_is_a_fault():
    too_long = "A" * 81
    found = broken(
        Ask={"Type": "Choice", "Choices": [{"Next": too_long}, {"Next": "Lost"}], "Default": "Done"},
        **{too_long: {"Type": "Succeed"}},
    )
    assert found == ["AAAAAAAAAAAAAAAAAAAA… has more than 80 characters"]


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


def test_the_machine_waits_for_an_answer_as_long_as_the_wizard_says():
    machine = json.loads((ROOT / "statemachines/connect.asl.json").read_text())
    assert machine["States"]["AskStep"]["TimeoutSeconds"] == ANSWER_TIME.total_seconds()
