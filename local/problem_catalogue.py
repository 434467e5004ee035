"""The catalogue of problems, made from what the packages' `problems` modules declare.

`make openapi` writes it to docs/errors.md for people, and to erphub/problems.json for `GET /problems`.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from erphub.platform.problem_documents import advice_of, status_of
from erphub.platform.problem_types import FieldProblemType, ProblemType, Reason, title_of
from local.emulator import ROOT

type Declared = ProblemType[Any] | FieldProblemType | Reason

_SOURCE = ROOT / "layers/core"
_VALUE = re.compile(r"{(\w+)(![rsa])?(:[^{}]*)?}")
_INVALID = 422
_MEND = "Mend the field, then send it again."
_STANDARD = frozenset({"errors"})
"""Members that every problem document may have."""


@cache
def declared() -> Mapping[str, Declared]:
    """Everything that is declared, by its full name (`erphub.wizards.problems.WIZARD_NOT_FOUND`)."""
    found: dict[str, Declared] = {}
    for path in sorted(_SOURCE.rglob("problems.py")):
        module = ".".join(path.relative_to(_SOURCE).with_suffix("").parts)
        for name in _assigned(path):
            value = getattr(import_module(module), name)
            if isinstance(value, (ProblemType, FieldProblemType, Reason)):
                found[f"{module}.{name}"] = value
    return found


def _assigned(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


@cache
def entries() -> list[dict[str, Any]]:
    """The catalogue: one entry for each code, sorted."""
    by_code: dict[str, list[Declared]] = {}
    for one in declared().values():
        by_code.setdefault(one.code, []).append(one)
    return [_entry(code, by_code[code]) for code in sorted(by_code)]


def _entry(code: str, types: list[Declared]) -> dict[str, Any]:
    raised = [one for one in types if isinstance(one, ProblemType)]
    fields = [one for one in types if isinstance(one, FieldProblemType)]
    statuses = {status_of(one.kind) for one in raised} | {_INVALID for _ in fields}
    sentences = dict.fromkeys(shown(one.sentence) for one in types)
    advice = dict.fromkeys(shown(one.advice) for one in types if one.advice)
    otherwise = dict.fromkeys(advice_of(one.kind) for one in raised)
    return {
        "code": code,
        "title": title_of(code),
        "statuses": sorted(statuses),
        "is_of_field": bool(fields),
        "fields": sorted({one.field for one in fields if one.field}),
        "sentences": list(sentences),
        "what_to_do": list(advice or otherwise or ([_MEND] if fields else [])),
        "members": sorted({name for one in raised for name in one.members} - _STANDARD),
    }


def shown(text: str) -> str:
    """A sentence with its values as people read them: `{retry_after:.0f}` is `{retry_after}`."""
    return _VALUE.sub(r"{\1}", text).replace("{{", "{").replace("}}", "}")


def as_json() -> str:
    """The catalogue for the API."""
    return json.dumps(entries(), indent=1, ensure_ascii=False) + "\n"


def as_page() -> str:
    """docs/errors.md."""
    return _HEAD + "\n".join(_section(entry) for entry in entries())


def _section(entry: Mapping[str, Any]) -> str:
    lines = [f"### `{entry['code']}`", "", f"{entry['title']}. {_comes_with(entry)}", ""]
    lines += [f"* {sentence}" for sentence in entry["sentences"]]
    if entry["what_to_do"]:
        lines += ["", f"**What to do:** {' · '.join(entry['what_to_do'])}"]
    if entry["members"]:
        lines += ["", f"Further members: {', '.join(f'`{name}`' for name in entry['members'])}."]
    return "\n".join([*lines, ""])


def _comes_with(entry: Mapping[str, Any]) -> str:
    if not entry["statuses"]:
        return "Kept with what it is about; no answer has it as its status."
    whole = [str(status) for status in entry["statuses"] if not (entry["is_of_field"] and status == _INVALID)]
    said = [f"Status {' or '.join(whole)}"] if whole else []
    if entry["is_of_field"]:
        where = f" ({', '.join(f'`{field}`' for field in entry['fields'])})" if entry["fields"] else ""
        said.append(f"in `errors` of a 422, about a field{where}")
    return f"{'; '.join(said)[:1].upper()}{'; '.join(said)[1:]}."


_HEAD = """# Errors

Every error is a problem document (RFC 9457, `application/problem+json`): `detail` is a sentence for people, `code` a
word for programs that stays when the sentence changes; `errors` says of each wrong field where it is (`pointer`, a JSON
pointer), its `code` and `detail`. Branch on `code`. `GET /problems/{code}` says the same as this page, for programs.

Codes are kept with runs, transfers, entries of the export log and stages of a connection test as well; the status is
then that which an answer would have had. What stands in braces is a value. What a status means for you:

| status | whose turn it is |
|---|---|
| 400, 413, 415, 422 | mend the request, then send it again |
| 401, 403 | sign in as somebody who may, or ask for the permission |
| 404 | nothing there, or nothing you may know of |
| 409 | somebody or something was first: look, then decide |
| 410 | it has ended: begin anew |
| 429 | the same again later; `Retry-After` says when |
| 502 | the ERP refused, or it may have been done: a person looks, in the ERP or at the connection |
| 503 | the same again later; nothing was done |
| 504 | the answer took too long: look whether it was done, or send the same again with the same `Idempotency-Key` |

API Gateway answers some of them in place of the hub, in the same shape; `correlation_id` is then, as in every 500, what
to quote to whoever operates the hub.

This page is made from the code (`make openapi`).

## The codes

"""
