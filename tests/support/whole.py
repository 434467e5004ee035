"""The hub with all of its routes, a platform administrator, and a connection with its sync.

A plugin: `tests/conftest.py` loads it.
"""

from dataclasses import replace
from datetime import date

import pytest

from erphub import app, capabilities
from erphub.platform.aws.files import S3Files
from erphub.platform.aws.table import Table
from erphub.platform.files import UploadSlot
from erphub.platform.http.dispatch import Dispatcher
from erphub.platform.ids import new_id
from erphub.sync.settings.dynamodb import SyncTable
from erphub.sync.settings.models import Sync, SyncDirection, SyncSettings
from erphub.tenancy.dynamodb import PlatformAdministratorTable
from tests.support.aws import EXPORTS, make_table
from tests.support.dialogue import Wizard
from tests.support.hub import ADMINISTRATOR, Hub

OPERATOR = "operator"


class AllRoutes:
    """Every route of every function."""

    def __init__(self) -> None:
        self.handler = Dispatcher(app.PackageRoutes(capabilities.api_packages()), app.ThisFunction())


@pytest.fixture
def whole(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub with all of its routes, a platform administrator, and a table for documents."""
    hub.api = AllRoutes()
    name = f"exports-{new_id()}"
    make_table(EXPORTS, name)
    platform = app.services().platform
    platform.settings = replace(platform.settings, export_log_table=name, lake_bucket="lake")
    slot = UploadSlot("https://files.example.test/put", {}, hub.time[0])
    monkeypatch.setattr(S3Files, "slot", lambda *_: slot)  # memory signs no addresses
    PlatformAdministratorTable(Table(hub.table)).add(OPERATOR)
    return hub


@pytest.fixture
def connection(whole: Hub) -> str:
    """A connection that was made by the wizard, with its sync."""
    made = Wizard(whole).until("finish").get()["connection_id"]
    settings = SyncSettings(z_report=True, customer_direction=SyncDirection.TILL, from_date=date(2026, 1, 1))
    ids = {"client_id": whole.client, "connection_id": made}
    SyncTable(Table(whole.table)).save(Sync(**ids, settings=settings, saved_at=whole.time[0], saved_by=ADMINISTRATOR))
    return str(made)
