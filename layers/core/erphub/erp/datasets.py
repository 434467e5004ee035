"""The datasets: their fields, keys and types, fixed for all ERP systems."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from erphub.erp import problems


class FieldType(StrEnum):
    """What a field holds. DECIMAL takes its precision and scale from the source; DATE and TIMESTAMP have no zone."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"


class Publishing(StrEnum):
    """How an import reaches the lake: a period's rows are replaced, or rows are matched by key."""

    PERIODS = "periods"
    KEYS = "keys"


@dataclass(frozen=True)
class DatasetField:
    """One field of a dataset; `key` fields together name a row."""

    name: str
    type: FieldType
    description: str
    key: bool = False


@dataclass(frozen=True)
class Dataset:
    """One kind of data. `date` names the field a period is about; `amount` the one that is summed to reconcile."""

    id: str
    title: str
    fields: Sequence[DatasetField]
    publishing: Publishing
    date: str | None = None
    amount: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the key fields, in order."""
        return tuple(field.name for field in self.fields if field.key)

    @property
    def order(self) -> tuple[str, ...]:
        """The columns readers' rows are sorted by: the date, the key, whose they are."""
        return (*([self.date] if self.date else []), *self.keys, "company", "connection")

    def field(self, name: str) -> DatasetField:
        """The field of that name. Raises StopIteration when there is none."""
        return next(field for field in self.fields if field.name == name)


def _text(name: str, description: str, *, key: bool = False) -> DatasetField:
    return DatasetField(name, FieldType.TEXT, description, key)


def _integer(name: str, description: str, *, key: bool = False) -> DatasetField:
    return DatasetField(name, FieldType.INTEGER, description, key)


def _decimal(name: str, description: str) -> DatasetField:
    return DatasetField(name, FieldType.DECIMAL, description)


def _date(name: str, description: str) -> DatasetField:
    return DatasetField(name, FieldType.DATE, description)


def _boolean(name: str, description: str) -> DatasetField:
    return DatasetField(name, FieldType.BOOLEAN, description)


def _actor(who: str) -> tuple[DatasetField, ...]:
    """Somebody the company deals with: a customer or a supplier."""
    return (
        _text(f"{who}_no", f"{who.capitalize()} number", key=True),
        _text("name", "Name"),
        _text("organisation_no", "Organisation number"),
        _text("address_1", "Address, first line"),
        _text("address_2", "Address, second line"),
        _text("postal_code", "Postal code"),
        _text("city", "City"),
        _text("country", "Country, in the ERP's own code"),
        _text("email", "E-mail address"),
        _text("phone", "Telephone"),
        _text("currency", "Currency, in the ERP's own code"),
        _date("changed_on", f"Day the {who} was last changed"),
    )


_DIMENSIONS = tuple(_text(f"dimension_{n}", f"Value of organisational unit {n}") for n in range(1, 13))

DATASETS: tuple[Dataset, ...] = (
    Dataset(
        "accounts",
        "Chart of accounts",
        (
            _text("account_no", "Account number", key=True),
            _text("name", "Name of the account"),
            _text("group", "Account group"),
            _text("type", "Type of account, in the ERP's own code"),
            _text("tax_code", "Default tax code"),
            _date("created_on", "Day the account was created"),
            _date("changed_on", "Day the account was last changed"),
        ),
        Publishing.KEYS,
    ),
    Dataset(
        "gl_transactions",
        "General ledger transactions",
        (
            _text("journal_no", "Journal the line was posted in", key=True),
            _text("entry_no", "Line within the journal", key=True),
            _text("voucher_no", "Voucher number"),
            _text("voucher_type", "Voucher type, in the ERP's own code"),
            _date("voucher_date", "Date of the voucher"),
            _date("value_date", "Value date"),
            _integer("period", "Fiscal year times 100 plus period"),
            _text("account_no", "Account posted to"),
            _text("customer_no", "Customer of the line"),
            _text("supplier_no", "Supplier of the line"),
            _text("invoice_no", "Invoice number"),
            _text("description", "Text of the line"),
            _decimal("amount", "Amount in the company's currency; credit is negative"),
            _boolean("is_credit", "Whether it stands on the credit side: a correction there may be a positive amount"),
            _text("currency", "Currency of the foreign amount"),
            _decimal("currency_amount", "Amount in that currency"),
            _decimal("exchange_rate", "Exchange rate as the ERP states it"),
            _text("tax_code", "Tax code of the line"),
            _text("source_type", "Where the line came from, in the ERP's own code"),
            *_DIMENSIONS,
            _date("changed_on", "Day the line was last changed"),
        ),
        Publishing.PERIODS,
        date="voucher_date",
        amount="amount",
    ),
    Dataset(
        "customers",
        "Customers",
        _actor("customer"),
        Publishing.KEYS,
    ),
    Dataset(
        "suppliers",
        "Suppliers",
        _actor("supplier"),
        Publishing.KEYS,
    ),
    Dataset(
        "products",
        "Products",
        (
            _text("product_no", "Product number", key=True),
            _text("name", "Description of the product"),
            _text("group", "Product group"),
            _text("type", "Type of product, in the ERP's own code"),
            _text("unit", "Unit it is sold in"),
            _text("price_category", "Price category"),
            _date("changed_on", "Day the product was last changed"),
        ),
        Publishing.KEYS,
    ),
    Dataset(
        "orders",
        "Orders",
        (
            _text("order_no", "Order number", key=True),
            _text("transaction_type", "FieldType of transaction, in the ERP's own code"),
            _text("order_type", "FieldType of order, in the ERP's own code"),
            _date("order_date", "Date of the order"),
            _date("delivery_date", "Date of delivery"),
            _text("customer_no", "Customer number"),
            _text("customer_name", "Name on the order"),
            _text("currency", "Currency, in the ERP's own code"),
            _decimal("exchange_rate", "Exchange rate as the ERP states it"),
            _decimal("invoiced_amount", "Amount invoiced so far"),
            _decimal("amount_to_invoice", "Amount that remains to be invoiced"),
            _text("invoice_no", "Last invoice"),
            _text("our_reference", "Our reference"),
            _text("your_reference", "Their reference"),
            _date("changed_on", "Day the order was last changed"),
        ),
        Publishing.PERIODS,
        date="order_date",
        amount="invoiced_amount",
    ),
    Dataset(
        "order_lines",
        "Order lines",
        (
            _text("order_no", "Order number", key=True),
            _text("line_no", "Line within the order", key=True),
            _text("product_no", "Product number"),
            _text("description", "Text of the line"),
            _decimal("price", "Price of one unit"),
            _decimal("discount_percent", "Discount in per cent"),
            _decimal("quantity", "Quantity ordered"),
            _decimal("quantity_invoiced", "Quantity invoiced"),
            _decimal("quantity_finished", "Quantity finished"),
            _text("unit", "Unit"),
            _date("changed_on", "Day the line was last changed"),
        ),
        Publishing.KEYS,
    ),
    Dataset(
        "dimensions",
        "Dimension values",
        (
            _integer("dimension", "Which organisational unit, 1 to 12", key=True),
            _text("value", "Value of the unit", key=True),
            _text("name", "Name of the value"),
            _text("status", "Status, in the ERP's own code"),
            _text("parent", "Value above it"),
            _date("created_on", "Day the value was created"),
            _date("changed_on", "Day the value was last changed"),
        ),
        Publishing.KEYS,
    ),
)

BY_ID = {dataset.id: dataset for dataset in DATASETS}


DECIMAL = re.compile(r"decimal(?:128)?\((\d+),\s*(\d+)\)")
BY_TYPE = {
    FieldType.TEXT: "string",
    FieldType.INTEGER: "int64",
    FieldType.DATE: "date32",
    FieldType.TIMESTAMP: "timestamp[us]",
    FieldType.BOOLEAN: "bool",
    FieldType.DECIMAL: "decimal(18,2)",
}
"""Types where no source has said anything better."""


def scale_of(text: str) -> int:
    """Digits after the decimal point; 0 for what is no decimal."""
    found = DECIMAL.fullmatch(text)
    return int(found[2]) if found else 0


def complete(dataset: Dataset, types: Mapping[str, str]) -> dict[str, str]:
    """A type for every field of the dataset, in the dataset's order."""
    return {field.name: types.get(field.name) or BY_TYPE[field.type] for field in dataset.fields}


def widest(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """For each field the narrowest type that holds both. Raises ErpRefused (`decimal_too_wide`)."""
    return {
        name: _wider(name, one.get(name) or other[name], other.get(name) or one[name])
        for name in dict.fromkeys([*other, *one])
    }


def _wider(name: str, one: str, other: str) -> str:
    first, second = DECIMAL.fullmatch(one), DECIMAL.fullmatch(other)
    if not first or not second:
        return one
    scale = max(int(first[2]), int(second[2]))
    whole = max(int(first[1]) - int(first[2]), int(second[1]) - int(second[2]))
    if whole + scale > 38:
        raise problems.DECIMAL_TOO_WIDE(name=name, whole=whole, scale=scale)
    return f"decimal({whole + scale},{scale})"
