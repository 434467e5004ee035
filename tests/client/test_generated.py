"""The client's generated part is of this description: each operation a method, each list an iterator, and it works."""

import inspect
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from erphub_client import Hub, models, problems
from erphub_client.generated import models as generated_models
from erphub_client.generated import operations as generated_operations
from pydantic import TypeAdapter

from erphub import openapi
from erphub.openapi_examples import BODIES
from local import client_code
from tests.support import described
from tests.support.hub import Hub as WholeHub
from tests.support.receiver import HOST

PAGED = [
    route.operation
    for route in openapi.routes()
    if "next" in {one["name"] for one in described.operations()[route.method, route.path].get("parameters", [])}
]


def test_it_was_made_of_this_description() -> None:
    for module in (generated_models, generated_operations):
        assert client_code.digest() in (module.__doc__ or ""), "say `make venv`"


@pytest.mark.parametrize("route", openapi.routes(), ids=lambda route: route.operation)
def test_every_operation_is_a_method_that_takes_what_is_in_its_address(route: Any) -> None:
    method = getattr(Hub, route.operation)
    assert set(route.names) <= set(inspect.signature(method).parameters)
    assert method.__doc__


@pytest.mark.parametrize("operation", PAGED)
def test_every_list_has_an_iterator(operation: str) -> None:
    answer = inspect.signature(getattr(Hub, operation)).return_annotation.removeprefix("m.")
    if answer == "str":  # a file, page after page
        return
    is_page = {"items", "next"} <= set(getattr(models, answer).model_fields)
    assert hasattr(Hub, "iterate_" + operation.removeprefix("list_")) == is_page


@pytest.mark.parametrize("name", sorted(described.document()["components"]["schemas"]))
def test_every_schema_has_its_type(name: str) -> None:
    if name in {"JsonObject", "Money", "Quantity", "Rate"}:  # a dictionary, and decimals
        return
    assert TypeAdapter(getattr(models, name))


def test_documents_of_each_kind_are_handed_in_and_read_back_over_a_socket(
    whole: WholeHub, connection: str, signed_in: str
) -> None:
    with Hub(signed_in, "a token") as hub:
        made = models.SettlementDocument.model_validate(BODIES["submit_document"]["Settlement"])
        submitted = hub.submit_document(whole.client, connection, "settlement", "Z-311", made)
        assert (submitted.outcome, submitted.status) == ("created", "pending")
        again = hub.submit_document(whole.client, connection, "settlement", "Z-311", made)
        assert again.outcome == "unchanged"
        found = hub.get_document(whole.client, connection, "settlement", "Z-311")
        assert found.kind == models.DocumentKind.settlement
        for kind in ("invoice", "customer", "product"):
            hub.submit_document(whole.client, connection, kind, "X:1~2", BODIES["submit_document"][kind.capitalize()])
        listed = {one.external_id for one in hub.iterate_documents(whole.client, connection, limit=1)}
        assert {"Z-311", "X:1~2"} <= listed


def test_lists_problems_and_lost_objects_over_a_socket(whole: WholeHub, signed_in: str) -> None:
    with Hub(signed_in, "a token") as hub:
        for number in range(3):
            hub.create_webhook(whole.client, models.CreateWebhook(url=f"https://{HOST}/hook", description=str(number)))
        assert len({one.id for one in hub.iterate_webhooks(whole.client, limit=2)}) == 3
        with pytest.raises(problems.Invalid) as refused:
            hub.create_client(whole.customer, models.CreateClient(name=" "))
        assert [one.pointer for one in refused.value.errors] == ["/name"]
        with pytest.raises(problems.NotFound):
            hub.get_webhook(whole.client, "01JCG0W1ZARD0000000000000A")


def test_amounts_are_decimals_and_days_are_days() -> None:
    read = models.SettlementDocument.model_validate(BODIES["submit_document"]["Settlement"])
    assert (read.date, read.sales[0].amount) == (date(2026, 3, 5), Decimal("1250.00"))
