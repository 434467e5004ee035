"""Tasks by name, that a state machine asks for, and news of executions that ended.

A task's event names it (`{"task": …}`). What it raises is seen by everybody who may look at the execution, so it leaves
here in words without secrets and without its causes; those go to the log.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from erphub.platform import logging, redaction, tenants
from erphub.platform.errors import HubError, ServiceBusy, Unavailable

EXECUTION_ENDED = "execution_ended"
"""The task's name for EventBridge's news that an execution failed, timed out or was aborted; the event is its input."""

type Task = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class TaskFailed(Exception):
    """A task that failed in a way nobody foresaw; the log knows the cause under the correlation id."""


class Tasks:
    """One function's tasks by name."""

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self._tasks = tasks

    def __call__(self, event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        """Do the task. Raises Unavailable when it is worth trying again, TaskFailed otherwise."""
        redaction.reset()
        name, given = _unpack(event)
        log, started = logging.logger(), time.perf_counter()
        references = {key: given[key] for key in given if key.endswith("_id")}
        identifier = getattr(context, "aws_request_id", "unknown")
        log.debug("task begun", extra={"task": name, **references})
        try:
            with tenants.acting_for_named(given):
                outcome = self._tasks[name](given)
        except Unavailable as error:
            log.warning("task must be tried again", exc_info=error, extra={"task": name, **references})
            # The machines wait longer for what the hub itself runs on: they know it by the name of the error.
            kind = ServiceBusy if isinstance(error, ServiceBusy) else Unavailable
            raise kind.restored(error.code, redaction.clean(error.detail)) from None
        except HubError as error:
            log.exception("task failed", exc_info=error, extra={"task": name, **references})
            raise TaskFailed(redaction.clean(f"{error.code}: {error.detail}")) from None
        except Exception as error:
            log.exception("task failed unexpectedly", exc_info=error, extra={"task": name, **references})
            raise TaskFailed(f"{type(error).__name__}, correlation id {identifier}") from None
        seconds = round(time.perf_counter() - started, 3)
        log.info("task done", extra={"task": name, "outcome": dict(outcome), "seconds": seconds, **references})
        return outcome


def _unpack(event: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if event.get("source") == "aws.states":
        detail: Mapping[str, Any] = event["detail"]
        return EXECUTION_ENDED, json.loads(detail.get("input") or "{}")
    return str(event["task"]), event


type TimeLeft = Callable[[], float]
"""Seconds that are left to the function."""
type Checkpoint = Callable[[str], None]
"""Told where the work is; a test ends it there."""


def no_checkpoint(_: str) -> None:
    """In production nobody ends the work on purpose."""
