"""What a till hands over: settlements, invoices, customers and products, as it knows them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from erphub.erp import problems
from erphub.platform.characters import named, without_hidden
from erphub.platform.lexical import DECIMAL_FORM, Day, Flag, Whole
from erphub.platform.wire import not_blank, visible_line, visible_lines

LARGEST_NUMBER = 10**18 - 1
"""The largest number that a Z-report can have."""

HANDED_IN: Mapping[str, bool] = {"handed_in": True}
"""The context of validation in which texts are somebody's who can mend them: what is hidden in them is refused. Those
of the ERP, and those that were kept, go on without it, so that till and ERP are compared by what people see."""


def _text(*judges: Callable[[str], str], lines: bool = False) -> AfterValidator:
    def judge(value: str, info: ValidationInfo) -> str:
        if not info.context:
            return (without_hidden(value, lines=lines) or named(value)) if value else value
        for check in judges:
            check(value)
        return value

    return AfterValidator(judge)


_NAME = _text(visible_line, not_blank)
_LINE = _text(visible_line)
_LINES = _text(visible_lines, lines=True)

type Money = Annotated[Decimal, Field(max_digits=18, decimal_places=2), DECIMAL_FORM]
type Quantity = Annotated[Decimal, Field(max_digits=18, decimal_places=6), DECIMAL_FORM]
type Rate = Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2), DECIMAL_FORM]


class DocumentKind(StrEnum):
    """What kind of document it is."""

    SETTLEMENT = "settlement"
    INVOICE = "invoice"
    CUSTOMER = "customer"
    PRODUCT = "product"


class PaymentMeans(StrEnum):
    """How a till was paid, and what else moves money in a day's settlement."""

    CASH = "cash"
    BANKAXEPT = "bankaxept"
    CARD = "card"
    VIPPS = "vipps"
    GIFT_CARD_SOLD = "gift_card_sold"
    GIFT_CARD_REDEEMED = "gift_card_redeemed"
    TIPS = "tips"
    TERMINAL_DIFFERENCE = "terminal_difference"
    ROUNDING = "rounding"
    EXTERNAL = "external"
    INVOICED = "invoiced"


class Entity(BaseModel):
    """What all of these share: nothing unknown in it, never changed once read, its values in the forms of `lexical`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sales(Entity):
    """What was sold at one VAT rate: `amount` includes the VAT, `vat` is the VAT in it."""

    vat_rate: Rate
    amount: Money
    vat: Money


class Payment(Entity):
    """What one means of payment took in. Signs as a till prints them: money in is positive.

    Gift cards sold, tips and rounding in the customer's disfavour are owed or earned: they count on the side of sales.
    """

    means: PaymentMeans
    amount: Money


CREDIT_MEANS = frozenset({PaymentMeans.GIFT_CARD_SOLD, PaymentMeans.TIPS, PaymentMeans.ROUNDING})


class Settlement(Entity):
    """A Z-report: one till's (or department's) day. Sales plus what is owed equals what was taken in, to the øre."""

    kind: Literal[DocumentKind.SETTLEMENT] = DocumentKind.SETTLEMENT
    date: Day
    number: Annotated[Whole, Field(ge=1, le=LARGEST_NUMBER)]
    department: Annotated[str, Field(max_length=50), _LINE] = ""
    till: Annotated[str, Field(max_length=50), _LINE] = ""
    """Which of the department's tills it is of, when each counts its Z-reports by itself."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "NOK"
    sales: Annotated[tuple[Sales, ...], Field(max_length=20)] = ()
    payments: Annotated[tuple[Payment, ...], Field(max_length=40)] = ()
    stock_change: Money | None = None
    """Cost of what left the stock; null when the till keeps none."""
    comment: Annotated[str, Field(max_length=200), _LINES] = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it to post."""
        return not any((*(line.amount or line.vat for line in self.sales), *(p.amount for p in self.payments))) and (
            not self.stock_change
        )

    @property
    def difference(self) -> Decimal:
        """What was sold and is owed, less what was taken in; zero when the settlement balances."""
        owed = sum((p.amount for p in self.payments if p.means in CREDIT_MEANS), Decimal(0))
        taken = sum((p.amount for p in self.payments if p.means not in CREDIT_MEANS), Decimal(0))
        return sum((line.amount for line in self.sales), Decimal(0)) + owed - taken

    @model_validator(mode="after")
    def _balances(self) -> Self:
        if self.difference:
            raise problems.SETTLEMENT_UNBALANCED.in_model(difference=f"{self.difference:f}")
        return self


class InvoiceLine(Entity):
    """One line of an invoice."""

    product_no: Annotated[str, Field(max_length=100), _LINE] | None = None
    description: Annotated[str, Field(max_length=500), _LINES]
    quantity: Quantity
    unit_price: Annotated[Decimal, Field(max_digits=18, decimal_places=4), DECIMAL_FORM]
    """Without VAT."""
    vat_rate: Rate
    discount_percent: Rate = Decimal(0)
    gift_card: Flag = False


class Invoice(Entity):
    """The basis of an invoice: the ERP makes the invoice itself of it."""

    kind: Literal[DocumentKind.INVOICE] = DocumentKind.INVOICE
    date: Day
    number: Annotated[str, Field(max_length=50), _LINE] = ""
    """The till's own number of it, by which it is known whatever id it comes under."""
    customer_id: Annotated[str, Field(min_length=1, max_length=100), _NAME]
    """The till's own id of the customer."""
    department: Annotated[str, Field(max_length=50), _LINE] = ""
    your_reference: Annotated[str, Field(max_length=100), _LINE] = ""
    comment: Annotated[str, Field(max_length=500), _LINES] = ""
    lines: Annotated[tuple[InvoiceLine, ...], Field(min_length=1, max_length=1000)]


class Address(Entity):
    """A postal address."""

    street: Annotated[str, Field(max_length=200), _LINE] = ""
    postal_code: Annotated[str, Field(max_length=20), _LINE] = ""
    city: Annotated[str, Field(max_length=100), _LINE] = ""
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "NO"


class Customer(Entity):
    """Somebody who buys, as the till knows them."""

    kind: Literal[DocumentKind.CUSTOMER] = DocumentKind.CUSTOMER
    name: Annotated[str, Field(min_length=1, max_length=200), _NAME]
    is_company: Flag = True
    organisation_no: Annotated[str, Field(pattern=r"^([0-9]{9})?$")] = ""
    email: Annotated[str, Field(max_length=200), _LINE] = ""
    phone: Annotated[str, Field(max_length=25), _LINE] = ""
    address: Address = Address()
    department: Annotated[str, Field(max_length=50), _LINE] = ""
    """The shop whose customer it is, where shops belong to several companies."""


class Product(Entity):
    """Something that is sold, as the till knows it."""

    kind: Literal[DocumentKind.PRODUCT] = DocumentKind.PRODUCT
    number: Annotated[str, Field(min_length=1, max_length=100), _NAME]
    name: Annotated[str, Field(min_length=1, max_length=150), _NAME]
    price: Money
    """Without VAT."""
    cost: Money | None = None
    vat_rate: Rate = Decimal(25)
    ean: Annotated[str, Field(max_length=14), _LINE] = ""
    stock: Quantity | None = None
    active: Flag = True
    department: Annotated[str, Field(max_length=50), _LINE] = ""
    """The shop whose product it is, where shops belong to several companies."""


type Document = Annotated[Settlement | Invoice | Customer | Product, Field(discriminator="kind")]
