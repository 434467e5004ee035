"""Every text that a request, a document or a wizard's answer can bring is of a kind: what is hidden in it is refused,
or it is a secret, or a key of the ERP's own. A field that is added is in by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import UnionType
from typing import Annotated, Any, TypeAliasType, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from erphub import openapi
from erphub.erp.catalogue import catalogue
from erphub.erp.description import Field, Step
from erphub.erp.documents import HANDED_IN, Customer, Invoice, Product, Settlement
from erphub.erp.forms import clean_answer
from erphub.platform import wire
from erphub.platform.errors import Invalid

UNSEEN = ("\u202e", "\u2066", "\u200b", "\u00ad", "\u2062", "\u061c", "\ue000", "\u0378", "\x00", "\x1b", "\U000e0041")
NOT_READ_BY_OTHERS = {
    "key of the ERP, compared with those it has; it may hold anything": [
        *("CreateAccessRequest.company_key", "NewJob.company_keys", "ChangedJob.company_keys"),
        *("SyncInput.company", "SyncInput.department", "SyncInput.voucher_type", "GiftCardProductInput.company"),
        *("Location.company", "Location.department", "Location.voucher_type"),
    ],
    "compared with what the hub has, and never kept unless it is that": [
        *("NewJob.dataset_ids", "ChangedJob.dataset_ids", "StartWizard.erp_system", "StartWizard.step_id"),
        *("SyncInput.time_zone", "Location.time_zone", "NewOwner.user_id"),
    ],
    "an address, which is ASCII (see test_addresses_are_ascii)": [
        *("NewCustomer.administrator", "NewWebhook.url", "ChangedWebhook.url"),
    ],
}
OF_SEVERAL_LINES = {
    *("NewJob.description", "ChangedJob.description", "NewWebhook.description", "ChangedWebhook.description"),
    *("SkipRequest.reason", "ManualPosting.reason"),
    *("Settlement.comment", "Invoice.comment", "InvoiceLine.description"),
    *("NewCrmRecord.fields", "NewCrmRecordOfBatch.fields"),
}


@dataclass(frozen=True)
class Text:
    """One text of a request."""

    model: str
    field: str
    takes: TypeAdapter[str]

    @property
    def name(self) -> str:
        return f"{self.model}.{self.field}"

    def is_taken(self, text: str) -> bool:
        try:
            self.takes.validate_python(text, context=HANDED_IN)
        except ValidationError:
            return False
        return True

    @property
    def kind(self) -> str:
        if any(self.is_taken(f"Nord{char}lys") for char in UNSEEN):
            return "open"
        if self.is_taken("Nord\nlys"):
            return "lines"
        return "line" if self.is_taken("Nordlys æøå 1") else "pattern"


def _texts(shape: Any, metadata: tuple[Any, ...]) -> Iterator[TypeAdapter[str]]:
    """What judges every `str` in a type, but those of models in it."""
    if isinstance(shape, TypeAliasType):
        yield from _texts(shape.__value__, metadata)
    elif get_origin(shape) is Annotated:
        inner, *more = get_args(shape)
        yield from _texts(inner, (*more, *metadata))
    elif shape is str:
        given: Any = Annotated[(str, *metadata)] if metadata else str
        yield TypeAdapter(given)
    elif get_origin(shape) in (Union, UnionType):
        for one in get_args(shape):
            yield from _texts(one, metadata)
    elif get_args(shape):
        for one in get_args(shape):
            yield from _texts(one, ())


def _models(shape: Any) -> Iterator[type[BaseModel]]:
    if isinstance(shape, TypeAliasType):
        yield from _models(shape.__value__)
    elif isinstance(shape, type) and issubclass(shape, BaseModel):
        yield shape
        for field in shape.model_fields.values():
            yield from _models(field.annotation)
    else:
        for one in get_args(shape):
            yield from _models(one)


def _of(model: type[BaseModel]) -> list[Text]:
    return [
        Text(model.__name__, name, takes)
        for name, field in model.model_fields.items()
        for takes in _texts(field.annotation, tuple(field.metadata))
    ]


SHAPES = [*(route.takes for route in openapi.routes()), Settlement, Invoice, Customer, Product]
MODELS = sorted({model for shape in SHAPES for model in _models(shape)}, key=lambda model: model.__name__)
TEXTS = [text for model in MODELS for text in _of(model)]
OPEN = {name for names in NOT_READ_BY_OTHERS.values() for name in names}


def test_the_walk_tells_the_kinds_apart() -> None:
    class Forgetful(wire.Model):
        name: wire.Name
        maybe: Annotated[str, wire.LINE] | None = None
        bounded: Annotated[str | None, wire.LINES] = None
        number: wire.Identifier
        words: str
        several: tuple[Annotated[str, "x"], ...] = ()

    assert [text.kind for text in _of(Forgetful)] == ["line", "line", "lines", "pattern", "open", "open"]
    assert len(TEXTS) > 40


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.name)
def test_every_text_is_of_a_kind(text: Text) -> None:
    if text.name in OPEN:
        assert text.kind == "open", "it is judged by itself: take it from the list"
    elif text.name in OF_SEVERAL_LINES and text.kind != "pattern":  # of a mapping, the names
        assert text.kind == "lines"
    else:
        assert text.kind in ("line", "pattern"), (
            "say LINE or LINES of platform.wire, or Name; or above why nobody else reads it"
        )


def test_every_exception_is_a_field() -> None:
    assert (OPEN | OF_SEVERAL_LINES) - {text.name for text in TEXTS} == set()


# --- what a wizard asks ----------------------------------------------------------------------------------------

FIELDS = {f"{erp.id}.{item.name}": item for erp in catalogue() for item in erp.fields if item.type == "string"}
TYPED = {name: item for name, item in FIELDS.items() if item.schema is None and not item.choices and not item.listed}


def _answered(item: Field, value: str) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    alone = replace(item, when=None, pattern=None, max_length=200)
    return clean_answer(Step("x", "X", "", (alone,)), {item.name: value})


@pytest.mark.parametrize("name", [name for name, item in TYPED.items() if not item.secret])
def test_a_wizards_text_is_refused_with_what_nobody_sees(name: str) -> None:
    item = TYPED[name]
    for char in (*UNSEEN, *("" if item.multiline else "\n\t")):
        with pytest.raises(Invalid) as refused:
            _answered(item, f"a{char}b")
        assert [(wrong.pointer, wrong.code) for wrong in refused.value.errors] == [
            (f"/{item.name}", "hidden_character")
        ], ascii(char)
    assert _answered(item, "æøå 東") == ({item.name: "æøå 東"}, {})


@pytest.mark.parametrize("name", [name for name, item in TYPED.items() if item.secret])
def test_a_secret_is_taken_to_the_letter(name: str) -> None:
    for char in (*UNSEEN, "\n", "e\u0301", " "):
        assert _answered(TYPED[name], f"{char}a{char}") == ({}, {TYPED[name].name: f"{char}a{char}"})
