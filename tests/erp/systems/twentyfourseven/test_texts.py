"""A voucher's texts tell an accountant which shop, register and Z-report it is of, and the hub its key."""

import pytest

from erphub.erp.systems.twentyfourseven.rest_vouchers import comment
from local.erps.twentyfourseven import App
from tests.erp.systems.twentyfourseven.conftest import KEY, settlement

LONG = "Hovedbutikken ved torget i Kristiansund"
TEXTS = [
    ("Oslo", "", "", "Z17 Oslo"),
    ("Oslo", "Kasse 2", "", "Z17 Oslo Kasse 2"),
    ("Oslo", "Kasse 2", "Sales 25 %", "Z17 Oslo Kasse 2 Sales 25 %"),
    ("", "Kasse 2", "Cash", "Z17 Kasse 2 Cash"),
    ("", "", "Cash", "Z17 Cash"),
    (LONG, "", "Terminal difference", "Z17 Hovedbutikken ved tor Terminal difference"),
    (LONG, "Kasse 2", "Terminal difference", "Z17 Hovedbutikken Kasse 2 Terminal difference"),
    (LONG, LONG, "Terminal difference", "Z17 Hovedbutik Hovedbutik Terminal difference"),
]


@pytest.mark.parametrize(("shop", "till", "text", "words"), TEXTS)
def test_shop_register_and_number_stand_in_every_text(app: App, shop: str, till: str, text: str, words: str) -> None:
    said = comment(settlement(app, department=shop, till=till), KEY, text)
    assert len(said) <= 75
    assert said.endswith(f" {KEY}")
    assert said.removesuffix(f" {KEY}") == words


@pytest.mark.parametrize("number", [1, 10**18 - 1])
@pytest.mark.parametrize("text", ["", "Cash", "Gift cards redeemed"])
def test_no_text_is_too_long_and_none_lacks_its_number_or_key(app: App, number: int, text: str) -> None:
    said = comment(settlement(app, number=number, department=LONG, till=LONG), KEY, text)
    assert len(said) <= 75
    assert said.startswith(f"Z{number} ")
    assert said.endswith(f"{text} {KEY}".strip())
