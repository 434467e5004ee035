"""Starts the local AWS with one thing taught to its IAM that it leaves out: variables in policies.

`${aws:PrincipalTag/client}` in a resource or a condition stands for what the request's context says, and a statement
that needs a value which is not there matches nothing ("IAM policy elements: Variables and tags"). Runs in the local
AWS's own environment and begins it in place of its own entry."""

import re
import runpy
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, cast

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9:/_.-]+)\}")


class _Absent(Exception):
    """A variable has no value."""


def teach(evaluator: Any) -> None:
    """Have the evaluator fill in variables before it judges a statement."""
    judge, resolve = evaluator._first_match, evaluator._resolve_condition_key

    def first_match(context: Any, statements: Sequence[Any], effect: str) -> Any:
        def value(name: str) -> str:
            found = resolve(name, context)
            if not isinstance(found, str):
                raise _Absent(name)
            return found

        return judge(context, [one for each in statements if (one := _filled(each, value)) is not None], effect)

    evaluator._first_match = first_match


def _filled(statement: Any, value: Callable[[str], str]) -> Any:
    """The statement with its variables filled in; None when it can match nothing."""
    resources = [found for one in statement.resources if (found := _text(one, value)) is not None]
    if statement.resources and not resources:
        return None
    try:
        return replace(statement, resources=resources, conditions=_conditions(statement.conditions, value))
    except _Absent:
        return None


def _text(text: str, value: Callable[[str], str]) -> str | None:
    try:
        return _VARIABLE.sub(lambda found: value(found[1]), text)
    except _Absent:
        return None


def _conditions(found: Any, value: Callable[[str], str]) -> Any:
    """Patterns of a condition; in a list, one that lacks its value is left out. Raises _Absent when none is left."""
    if isinstance(found, dict):
        return {name: _conditions(one, value) for name, one in cast("dict[str, Any]", found).items()}
    if isinstance(found, list):
        left = [one for each in cast("list[Any]", found) if (one := _text(str(each), value)) is not None]
        if found and not left:
            raise _Absent
        return left
    filled = _text(str(found), value)
    if filled is None:
        raise _Absent
    return filled


if __name__ == "__main__":
    teach(import_module("ministack.core.iam_evaluator"))
    runpy.run_module("ministack", run_name="__main__")
