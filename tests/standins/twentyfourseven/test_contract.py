"""The watch over the published contracts: it notices wrong calls and wrong answers, and lets right ones pass."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from local.erps.twentyfourseven import App, Transport, seed
from tests.standins.twentyfourseven.conftest import REST, sign_in
from tests.standins.twentyfourseven.contract import MISSING, Contract, available
from tests.standins.twentyfourseven.soap_client import Soap
from tests.standins.twentyfourseven.test_ledger import bundle, voucher

pytestmark = pytest.mark.skipif(not available(), reason=MISSING)


@contextmanager
def calls(contract: Contract) -> Iterator[httpx.Client]:
    with httpx.Client(transport=Transport(contract), base_url=REST) as client:
        client.headers["Authorization"] = f"Bearer {sign_in(client).json()['access_token']}"
        yield client


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"comment": "x" * 76}, "is too long"),
        ({"date": "14.03.2026"}, "is not a 'date'"),
        ({"transactionTypeNumber": 0}, "is less than the minimum"),
        ({"coment": "slip"}, "body/coment is not in the description"),
        ({"lines": [{"accountNumber": 1900, "amount": "1"}]}, "'tax' is a required property"),
        (
            {"lines": [{"accountNumber": 1900, "amount": 1, "tax": {"no": 3, "number": 3}}]},
            "body/lines/0/tax/no is not",
        ),
    ],
)
def test_a_wrong_body_is_noticed(app: App, wrong: dict[str, Any], words: str) -> None:
    contract = Contract(app)
    with calls(contract) as client:
        client.post("/transactions", json=voucher(**wrong))
    assert any("POST /transactions asked" in v and words in v for v in contract.violations), contract.violations


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/transactionlines?dateFrom=2026-01-01", "the parameter dateTo is missing"),
        ("/transactionlines?dateFrom=2026-01-01&dateTo=x", "the parameter dateTo"),
        ("/customers?externalReference=1", "externalReference is not in the description"),
        ("/customers?isSupplier=yes", "isSupplier='yes' is no boolean"),
        ("/vouchers", "there is no such call"),
    ],
)
def test_a_wrong_question_is_noticed(app: App, path: str, words: str) -> None:
    contract = Contract(app)
    with calls(contract) as client:
        client.get(path)
    assert any(words in v for v in contract.violations), contract.violations


def test_the_address_of_the_next_page_is_the_vendors_own(app: App) -> None:
    contract = Contract(app)
    with calls(contract) as client:
        first = client.get("/customers?limit=1")
        assert client.get(first.links["next"]["url"]).status_code == 200
    assert contract.violations == []
    assert contract.checked["GET /customers answered"] == 2


def answering(app: App, change: Callable[[Any], Any]) -> Contract:
    """The app, but one who changes its JSON on the way."""

    def lying(environ: dict[str, Any], start: Any) -> list[bytes]:
        begun: list[Any] = []
        body = b"".join(app(environ, lambda *a: begun.extend(a)))
        if "/v1/" in environ["PATH_INFO"]:
            body = json.dumps(change(json.loads(body))).encode()
        start(begun[0], [(k, str(len(body)) if k == "Content-Length" else v) for k, v in begun[1]])
        return [body]

    return Contract(lying)


def test_a_wrong_answer_is_noticed(app: App) -> None:
    contract = answering(
        app, lambda answer: [{**item, "number": str(item["number"]), "colour": "red"} for item in answer]
    )
    with calls(contract) as client:
        client.get("/accounts")
    assert any("GET /accounts answered 200" in v and "is not of type 'integer'" in v for v in contract.violations)
    assert any("body/0/colour is not in the description" in v for v in contract.violations)


def test_an_error_of_another_shape_is_noticed(app: App) -> None:
    contract = answering(app, lambda answer: {"oops": answer})
    with calls(contract) as client:
        client.get("/customers/1")
    assert any("the error has another shape" in v for v in contract.violations)


def test_a_soap_message_out_of_order_is_noticed(app: App) -> None:
    contract = Contract(app)
    with httpx.Client(transport=Transport(contract)) as client:
        soap = Soap(client)
        soap.login(seed.USER, seed.PASSWORD)
        assert contract.violations == []
        backwards = bundle(1)
        backwards[0][1].insert(0, ("SaveOption", 1))
        assert soap("Account", "SaveBundleList", backwards)["Type"] == "Ok"
    assert any("SOAP SaveBundleList asked" in v for v in contract.violations)


def test_an_element_that_may_be_nil_must_still_be_there(app: App) -> None:
    contract = Contract(app)
    with httpx.Client(transport=Transport(contract)) as client:
        soap = Soap(client)
        soap.login(seed.USER, seed.PASSWORD)
        soap("Company", "GetCompanySyncList", [("syncSearchParameters", [("Page", 1)])])
    assert any("Missing child element" in v for v in contract.violations)


def test_a_soap_answer_is_held_against_its_schema(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    from local.erps.twentyfourseven import soap as answers

    monkeypatch.setitem(answers.HANDLERS, ("Account", "SaveBundleList"), lambda _call: {"Type": "Splendid"})
    contract = Contract(app)
    with httpx.Client(transport=Transport(contract)) as client:
        soap = Soap(client)
        soap.login(seed.USER, seed.PASSWORD)
        soap("Account", "SaveBundleList", bundle(1))
    assert any("SOAP SaveBundleList answered" in v and "Splendid" in v for v in contract.violations)
