"""The local AWS fills in variables of policies as AWS does: what has no value matches nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from local import policy_variables

CLIENT = "${aws:PrincipalTag/client}"


@dataclass
class Statement:
    """As the local AWS reads one."""

    resources: list[str]
    conditions: dict[str, Any] = field(default_factory=dict)


def seen_by_the_judge(statements: Sequence[Statement], tags: Mapping[str, str]) -> list[Statement]:
    """The statements that are left to be judged, with what stands in them by then."""

    def judge(context: object, left: Sequence[Statement], effect: str) -> list[Statement]:
        return list(left)

    def resolve(name: str, context: Mapping[str, str]) -> str | None:
        return context.get(name.removeprefix("aws:PrincipalTag/"))

    evaluator = SimpleNamespace(_first_match=judge, _resolve_condition_key=resolve)
    policy_variables.teach(evaluator)
    return evaluator._first_match(tags, statements, "Allow")


def test_a_resource_is_that_of_the_tag():
    assert seen_by_the_judge([Statement([f"b/lake/{CLIENT}/*"])], {"client": "C1"}) == [Statement(["b/lake/C1/*"])]


def test_a_condition_is_about_the_tag():
    given = Statement(["*"], {"StringLike": {"s3:prefix": [f"lake/{CLIENT}/*", "x"], "a": f"{CLIENT}"}})
    wanted = Statement(["*"], {"StringLike": {"s3:prefix": ["lake/C1/*", "x"], "a": "C1"}})
    assert seen_by_the_judge([given], {"client": "C1"}) == [wanted]


def test_what_needs_a_tag_that_is_not_there_matches_nothing():
    statements = [
        Statement([f"b/{CLIENT}/*"]),
        Statement(["*"], {"StringLike": {"s3:prefix": [f"{CLIENT}/*"]}}),
        Statement(["*"], {"StringLike": {"s3:prefix": f"{CLIENT}/*"}}),
    ]
    assert seen_by_the_judge(statements, {}) == []


def test_what_needs_no_tag_is_judged_as_it_is():
    statements = [Statement(["a", f"b/{CLIENT}"]), Statement([], {"Bool": {"x": "true"}})]
    assert seen_by_the_judge(statements, {}) == [Statement(["a"]), Statement([], {"Bool": {"x": "true"}})]
