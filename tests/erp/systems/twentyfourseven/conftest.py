"""24SevenOffice as the hub meets it: the stand-in over both transports, with the published contracts watching."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from erphub.erp import catalogue as erp
from erphub.erp.documents import Payment, PaymentMeans, Sales, Settlement
from erphub.erp.posting import Posting
from erphub.erp.resources import AdapterResources
from erphub.erp.systems.twentyfourseven.rate_limits import InProcessRateLimiter
from erphub.erp.systems.twentyfourseven.system import TwentyFourSevenOffice
from erphub.erp.systems.twentyfourseven.tokens import InProcessTokenStore
from local.erps.twentyfourseven import App, Transport, seed
from tests.standins.twentyfourseven.contract import Contract, available
from tests.support.integration import integration

KEY = "EH-01JD8ZK4M2X7Q9T3V5W6Y8A0BC"
ROUTING: Mapping[str, Any] = {
    "company": str(seed.SHOP),
    "department": "1",
    "target": "ledger",
    "voucher_type": "3",
    "sales_accounts": {"25": "3000", "15": "3001", "12": "3002", "0": "3100"},
    "payment_accounts": {
        "cash": "1900",
        "bankaxept": "1920",
        "card": "2380",
        "vipps": "1910",
        "gift_card_sold": "2900",
        "gift_card_redeemed": "2900",
        "tips": "2910",
        "terminal_difference": "7745",
        "rounding": "7740",
    },
    "stock_change": True,
    "stock_change_account": "4390",
    "inventory_account": "1460",
    "invoices_as": "draft",
    "stock_quantities": True,
}
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 280]>>endobj\n"
    b"4 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 280]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)


class Time:
    """A clock that moves only when somebody sleeps, or is told to."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
@integration
def app() -> App:
    """The ERP's stand-in: in this process, but a program of its own."""
    return App.seeded()


@pytest.fixture
def watched(app: App) -> Iterator[Any]:
    """The stand-in; where the published contracts are at hand, every call of ours is held against them."""
    if not available():
        yield app
        return
    contract = Contract(app)
    yield contract
    assert contract.violations == []


@pytest.fixture
def clock(app: App) -> Time:
    """Waiting costs nothing: the clock of the hub and of the stand-in moves instead."""
    moving = Time()
    app.world.clock = moving
    return moving


@pytest.fixture
def resources(clock: Time) -> AdapterResources:
    """What one connection's functions share."""
    return AdapterResources(
        InProcessTokenStore(),
        InProcessRateLimiter(clock),
        clock,
        applications={"24sevenoffice": seed.APPLICATION_ID},
        pause=clock.sleep,
    )


type Connect = Callable[..., TwentyFourSevenOffice]


@pytest.fixture
def by_organisation(watched: Any, resources: AdapterResources) -> Connect:
    def connect(
        secret: str = seed.CLIENT_SECRET,
        organisation: int = seed.SHOP,
        resources: AdapterResources = resources,
        **more: Any,
    ) -> Any:
        settings = {
            "sign_in": "organisation",
            "organisation_id": str(organisation),
            "client_id": seed.CLIENT_ID,
            **more,
        }
        transport = Transport(watched)
        return erp.open_system(
            "24sevenoffice", settings, {"client_secret": secret}, transport=transport, resources=resources
        )

    return connect


@pytest.fixture
def by_user(watched: Any, resources: AdapterResources) -> Connect:
    def connect(
        password: str = seed.PASSWORD,
        username: str = seed.USER,
        several: bool = True,
        resources: AdapterResources = resources,
        **more: Any,
    ) -> Any:
        settings = {"sign_in": "user", "username": username, "has_several_companies": several, **more}
        transport = Transport(watched)
        return erp.open_system(
            "24sevenoffice", settings, {"password": password}, transport=transport, resources=resources
        )

    return connect


@pytest.fixture(params=["organisation", "user"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Both ways of signing in; what a test says holds for both."""
    return request.getfixturevalue(f"by_{request.param}")


@pytest.fixture
def system(connect: Connect) -> TwentyFourSevenOffice:
    return connect()


@pytest.fixture
def organisation(by_organisation: Connect) -> TwentyFourSevenOffice:
    return by_organisation()


@pytest.fixture
def user(by_user: Connect) -> TwentyFourSevenOffice:
    return by_user()


def day(app: App) -> date:
    """A day of an open year."""
    return app.world.now().date().replace(month=3, day=14)


def settlement(app: App, number: int = 17, **changes: Any) -> Settlement:
    """A day with three VAT rates, five means of payment, rounding, a gift card sold and a stock change."""
    return Settlement(
        **{
            "date": day(app),
            "number": number,
            "department": "Oslo",
            "sales": (
                Sales(vat_rate=Decimal(25), amount=Decimal("1250.00"), vat=Decimal("250.00")),
                Sales(vat_rate=Decimal(15), amount=Decimal("230.01"), vat=Decimal("30.00")),
                Sales(vat_rate=Decimal(0), amount=Decimal("99.90"), vat=Decimal(0)),
            ),
            "payments": (
                Payment(means=PaymentMeans.CASH, amount=Decimal("400.00")),
                Payment(means=PaymentMeans.BANKAXEPT, amount=Decimal("1000.00")),
                Payment(means=PaymentMeans.VIPPS, amount=Decimal("679.91")),
                Payment(means=PaymentMeans.GIFT_CARD_SOLD, amount=Decimal("500.00")),
                Payment(means=PaymentMeans.ROUNDING, amount=Decimal("0.09")),
                Payment(means=PaymentMeans.TERMINAL_DIFFERENCE, amount=Decimal("0.09")),
            ),
            "stock_change": Decimal("610.50"),
        }
        | changes
    )


def posting(key: str = KEY, **changes: Any) -> Posting:
    """A posting with the usual routing; `routing` adds to it."""
    routing = {**ROUTING, **changes.pop("routing", {})}
    return Posting(**{"key": key, "routing": routing, **changes})
