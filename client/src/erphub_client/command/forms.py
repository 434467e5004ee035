"""A wizard's step asked in the terminal, whatever ERP it is of: drawn from the step's JSON Schema alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import typer

from erphub_client.command.output import Output, plain
from erphub_client.command.session import pick

Schema: TypeAlias = Mapping[str, Any]
Offered: TypeAlias = Sequence[tuple[str, str]]
"""What the ERP offers to choose: key and title."""
ListChoices: TypeAlias = Callable[[str], Offered]
"""Lists what a field's choices are, by `x-listed-at`."""


@dataclass(frozen=True)
class Form:
    """One step's questions. `known` is what was answered before (edits), without secrets."""

    output: Output
    schema: Schema
    list_choices: ListChoices
    known: Mapping[str, Any]

    def ask(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The answer: what was `given` beforehand, and what somebody types of the rest."""
        answer: dict[str, Any] = dict(given)
        for name, field in cast(Mapping[str, Schema], self.schema.get("properties", {})).items():
            if name in answer or field.get("x-is-field") is False or not self.applies(name, answer):
                continue
            value = self._ask_field(name, field, is_needed=self.is_required(name, answer))
            if value is not None:
                answer[name] = value
        return answer

    def secrets(self) -> list[str]:
        """The fields that are never shown."""
        properties = cast(Mapping[str, Schema], self.schema.get("properties", {}))
        return [name for name, field in properties.items() if field.get("writeOnly")]

    def applies(self, name: str, answer: Mapping[str, Any]) -> bool:
        """Whether the field is of any use beside these answers: a condition that does not hold wants it blank."""
        return all(self._holds(one["if"], answer) for one in self._conditions() if name in _named(one, "else"))

    def is_required(self, name: str, answer: Mapping[str, Any]) -> bool:
        """Whether the field must be answered beside these answers."""
        if name in self.schema.get("required", ()):
            return True
        conditions = [one for one in self._conditions() if name in one.get("then", {}).get("required", ())]
        return any(self._holds(one["if"], answer) for one in conditions)

    def _conditions(self) -> list[Schema]:
        return [one for one in self.schema.get("allOf", ()) if "if" in one]

    def _holds(self, condition: Schema, answer: Mapping[str, Any]) -> bool:
        for name, allowed in cast(Mapping[str, Schema], condition.get("properties", {})).items():
            default = self.schema["properties"].get(name, {}).get("default")
            if answer.get(name, self.known.get(name, default)) not in allowed.get("enum", ()):
                return False
        return True

    def _ask_field(self, name: str, field: Schema, *, is_needed: bool) -> Any:
        title, help_text = str(field.get("title", name)), str(field.get("description", ""))
        self.output.notes.print(f"[bold]{plain(title)}[/]  [dim]{plain(help_text)}[/]")
        before = self.known.get(name, field.get("default"))
        if field.get("writeOnly"):
            return self._secret(title, is_needed=is_needed and not self.known)
        if "x-listed-at" in field:
            return self._listed(title, field)
        if "oneOf" in field and all("const" in one for one in field["oneOf"]):
            return self._one_of(title, field["oneOf"], before)
        match field.get("type"):
            case "boolean":
                return typer.confirm(title, default=bool(before), err=True)
            case "object":
                return self._object(field)
            case "array":
                text = self._text(title, ",".join(before or ()), is_needed=is_needed)
                return [part.strip() for part in text.split(",")] if text else None
            case "integer":
                text = self._text(title, before, is_needed=is_needed)
                return int(text) if text else None
            case _:
                return self._file_or_text(title, field, before, is_needed=is_needed)

    def _text(self, title: str, before: Any, *, is_needed: bool) -> str:
        default = str(before) if before not in (None, "") else (None if is_needed else "")
        return str(typer.prompt(title, default=default, show_default=bool(default), err=True)).strip()

    def _file_or_text(self, title: str, field: Schema, before: Any, *, is_needed: bool) -> str | None:
        if field.get("contentMediaType") != "text/plain":
            return self._text(title, before, is_needed=is_needed) or None
        path = self._text(f"{title}: a file that holds it", None, is_needed=is_needed)
        return Path(path).expanduser().read_text("utf-8") if path else None

    def _secret(self, title: str, *, is_needed: bool) -> str | None:
        """What is typed unseen; left out when blank, which keeps the one that is known."""
        default = None if is_needed else ""
        return str(typer.prompt(title, hide_input=True, default=default, show_default=False, err=True)) or None

    def _one_of(self, title: str, choices: Sequence[Schema], before: Any) -> Any:
        offered = [(one["const"], _with_reason(one)) for one in choices]
        default = next((number for number, (value, _) in enumerate(offered) if value == before), None)
        return pick(self.output, title, offered, default)

    def _listed(self, title: str, field: Schema) -> Any:
        """Some of what the ERP offers, or the word that stands for all of it."""
        words = [
            (one["const"], str(one.get("title", one["const"]))) for one in field.get("oneOf", ()) if "const" in one
        ]
        offered = self.list_choices(str(field["x-listed-at"]))
        for number, (_, choice) in enumerate(offered, 1):
            self.output.notes.print(f"  {number:>3}  {plain(choice)}")
        for word, choice in words:
            self.output.notes.print(f"  {plain(word):>3}  {plain(choice)}")
        default = words[0][0] if words else None

        def read(text: str) -> Any:
            if text.strip() in {word for word, _ in words}:
                return text.strip()
            numbers = [part.strip() for part in text.split(",") if part.strip()]
            if not numbers or not all(part.isdigit() and 1 <= int(part) <= len(offered) for part in numbers):
                raise typer.BadParameter(f"Type numbers from 1 to {len(offered)} with commas between.")
            return [offered[int(part) - 1][0] for part in dict.fromkeys(numbers)]

        return typer.prompt(f"{title}: numbers with commas between", default=default, value_proc=read, err=True)

    def _object(self, field: Schema) -> dict[str, Any] | None:
        """An object of the answer, field by field; parts that may be left out are asked for first."""
        needed = set(field.get("required", ()))
        answer: dict[str, Any] = {}
        for name, part in cast(Mapping[str, Schema], field.get("properties", {})).items():
            is_needed = name in needed
            if part.get("type") == "object" and not is_needed:
                title = str(part.get("title", name))
                if not typer.confirm(f"{title}: give this", default=False, err=True):
                    continue
            value = self._ask_field(name, part, is_needed=is_needed)
            if value is not None:
                answer[name] = value
        return answer or None


def _named(condition: Schema, branch: str) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], condition.get(branch, {}).get("properties", {}))


def _with_reason(choice: Schema) -> str:
    title, reason = str(choice.get("title", choice["const"])), choice.get("description")
    return f"{title}: {reason}" if reason else title
