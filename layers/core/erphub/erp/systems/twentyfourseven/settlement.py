"""A till's day as a voucher: which accounts the sales, the payments and the stock go to, to the øre.

Sales are credited with their VAT included and name the VAT and its code, so that the ERP posts exactly the till's own
VAT. What was taken in is debited to the account of its means; gift cards sold, tips and rounding in the customer's
disfavour are credited, as they are owed or earned. A stock change debits the cost of goods and credits the inventory.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from erphub.erp.documents import CREDIT_MEANS, Settlement
from erphub.erp.posting import TaxCode
from erphub.erp.systems.twentyfourseven import problems
from erphub.erp.systems.twentyfourseven.numbers import rate_key

# Norwegian standard codes for outgoing VAT (SAF-T): what an account's own code is checked against when it has none.
_OUTGOING = {"25": ("3",), "15": ("31",), "11.11": ("32",), "12": ("33",), "0": ("0", "5", "6", "7")}
NO_TAX = "0"

MEANS_WORDS = {
    "cash": "Cash",
    "bankaxept": "BankAxept",
    "card": "Visa/MasterCard",
    "vipps": "Vipps",
    "gift_card_sold": "Gift cards sold",
    "gift_card_redeemed": "Gift cards redeemed",
    "tips": "Tips",
    "terminal_difference": "Terminal difference",
    "rounding": "Rounding",
    "external": "External payment",
    "invoiced": "Invoiced",
}


@dataclass(frozen=True)
class Line:
    """One line of the voucher: `amount` is debit when positive and includes the VAT; `vat` is the VAT in it."""

    account: str
    amount: Decimal
    tax_code: str
    text: str
    vat: Decimal | None = None


@dataclass(frozen=True)
class Chart:
    """What of the ERP's accounts a settlement needs to know."""

    accounts: Mapping[str, str | None]
    """Each account's number, and the VAT code it has of its own."""
    tax_codes: Mapping[str, TaxCode]


def lines(settlement: Settlement, routing: Mapping[str, Any], chart: Callable[[], Chart]) -> Sequence[Line]:
    """The voucher's lines, which sum to zero.

    Raises ErpRefused (`account_not_chosen`, `account_missing`, `tax_code_missing`, `settlement_empty`,
    `settlement_does_not_balance`) with what is missing and where to enter it.
    """
    found = [line for line in _all(settlement, routing, chart()) if line.amount or line.vat]
    if not found:
        raise problems.SETTLEMENT_EMPTY()
    difference = sum((line.amount for line in found), Decimal(0))
    if difference:
        raise problems.SETTLEMENT_DOES_NOT_BALANCE(difference=difference)
    return found


def _all(settlement: Settlement, routing: Mapping[str, Any], chart: Chart) -> Iterator[Line]:
    for sales in settlement.sales:
        rate = rate_key(sales.vat_rate)
        account = _account(routing, "sales_accounts", rate, f"sales at {rate} % VAT", chart)
        code = _tax_code(routing, account, rate, sales.vat_rate, chart)
        yield Line(account, -sales.amount, code, f"Sales {rate} %", -sales.vat)
    for payment in settlement.payments:
        words = MEANS_WORDS[payment.means.value]
        account = _account(routing, "payment_accounts", payment.means.value, words, chart) if payment.amount else ""
        amount = -payment.amount if payment.means in CREDIT_MEANS else payment.amount
        yield Line(account, amount, NO_TAX, words)
    if settlement.stock_change and routing.get("stock_change"):
        cost = _single(routing, "stock_change_account", "the stock change", chart)
        stock = _single(routing, "inventory_account", "the inventory", chart)
        yield Line(cost, settlement.stock_change, NO_TAX, "Stock change")
        yield Line(stock, -settlement.stock_change, NO_TAX, "Inventory")


def _account(routing: Mapping[str, Any], table: str, key: str, purpose: str, chart: Chart) -> str:
    chosen = cast(Mapping[str, str], routing.get(table) or {}).get(key, "")
    return _existing(chosen, purpose, chart)


def _single(routing: Mapping[str, Any], name: str, purpose: str, chart: Chart) -> str:
    return _existing(str(routing.get(name) or ""), purpose, chart)


def _existing(number: str, purpose: str, chart: Chart) -> str:
    if not number:
        raise problems.ACCOUNT_NOT_CHOSEN(purpose=purpose)
    if number not in chart.accounts:
        raise problems.ACCOUNT_MISSING(number=number, purpose=purpose, account=number)
    return number


def outgoing_code(rate: Decimal, chart: Chart) -> str:
    """The standard code for sales at a rate. Raises ErpRefused (`tax_code_missing`)."""
    return _tax_code({}, "", rate_key(rate), rate, chart)


def _tax_code(routing: Mapping[str, Any], account: str, rate: str, wanted: Decimal, chart: Chart) -> str:
    """The code chosen for the rate; else the account's own if it has the rate; else the standard code with it."""
    chosen = str(cast(Mapping[str, str], routing.get("tax_codes") or {}).get(rate, ""))
    own = chart.accounts.get(account)
    for code in (chosen, own, *_OUTGOING.get(rate, ())):
        if not code:
            continue
        known = chart.tax_codes.get(code)
        if known is not None and known.rate == wanted:
            return code
        if known is None and code == NO_TAX and not wanted:
            return NO_TAX
    raise problems.TAX_CODE_MISSING(rate=rate, what=f"account {account}" if account else "sales", account=account)
