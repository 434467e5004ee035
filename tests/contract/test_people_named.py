"""People are named where people read: no text and no event of the hub holds a bare user id, from any place in the code.

Whoever writes a text takes the name (`Member.name`, `MemberDirectory`), and an event tells of a person as `actor(…)`:
id, name and kind. Keys of items and digests hold ids, and nobody reads them; they are named below one by one.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import erphub

ERPHUB = Path(erphub.__path__[0])
PERSONS = {
    *("user", "user_id", "by", "owner", "actor", "caller", "member", "inviter"),
    *("created_by", "started_by", "requested_by", "saved_by", "changed_by", "acknowledged_by", "posted_manually_by"),
}
"""What ids of people are called in the code."""
NOT_READ = {
    # Keys of items, and the subjects of what is counted.
    ("tenancy/dynamodb.py", "user"),
    ("tenancy/dependents.py", "user"),
    ("tenancy/invitations/dynamodb.py", "user"),
    ("platform/aws/idempotency.py", "owner"),
    ("connections/attempts.py", "user"),
    # Once a day of the same person: becomes a digest.
    ("companies/service.py", "member.user"),
}


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in ERPHUB.rglob("*.py"):
        yield path.relative_to(ERPHUB).as_posix(), ast.parse(path.read_text())


def last_name(value: ast.expr) -> str:
    return value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""


def ids_in_texts(module: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue) and last_name(node.value) in PERSONS:
            yield module, ast.unparse(node.value)


def ids_in_events(tree: ast.Module) -> Iterator[str]:
    """Members of events' data that are a person's id, or are called as one is, without the name beside it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and last_name(node.func) == "make_event":
            for given in [*node.args[5:], *(keyword.value for keyword in node.keywords)]:
                if last_name(given) in PERSONS:
                    yield ast.unparse(given)
            for keyword in node.keywords:
                made = isinstance(keyword.value, ast.Call) and last_name(keyword.value.func) == "actor"
                if keyword.arg in PERSONS and not made:
                    yield f"{keyword.arg}={ast.unparse(keyword.value)}"


def test_no_text_is_made_of_an_id():
    found = {one for module, tree in trees() for one in ids_in_texts(module, tree)}
    assert found == NOT_READ


def test_no_event_tells_of_somebody_by_an_id_alone():
    assert {module: found for module, tree in trees() if (found := list(ids_in_events(tree)))} == {}


def test_both_find_what_they_are_for():
    code = "make_event(KIND, client, None, now, key, f'Deleted by {member.user}', by=by, owner=actor(x, y), code=c)"
    tree = ast.parse(code)
    assert list(ids_in_texts("x.py", tree)) == [("x.py", "member.user")]
    assert list(ids_in_events(tree)) == ["by", "by=by"]
