"""A sync as it is shown."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from erphub.erp.posting import Setup
from erphub.platform.errors import FieldError
from erphub.platform.wire import JsonObject, Model
from erphub.sync.settings.models import Sync, SyncSettings


class NextView(Model):
    """When the next transfer starts, and why then."""

    at: datetime | None
    why: str


class SyncView(Model):
    """The settings of a sync, and where it stands."""

    settings: SyncSettings
    version: int
    saved_at: datetime
    saved_by: str
    next: NextView
    running: str | None
    """The transfer that is under way."""
    last_transfer_at: datetime | None
    last_sent_at: datetime | None

    @classmethod
    def of(cls, sync: Sync, running: str | None) -> "SyncView":
        """The view of a sync."""
        return cls(
            settings=sync.settings,
            version=sync.version,
            saved_at=sync.saved_at,
            saved_by=sync.saved_by,
            next=NextView(at=sync.next_at, why=sync.next_reason),
            running=running,
            last_transfer_at=sync.history.last_at,
            last_sent_at=sync.history.last_sent_at,
        )


class WrongSetting(Model):
    """What is wrong with one setting."""

    pointer: str
    code: str
    detail: str


class CheckView(Model):
    """What a test of settings found, and what the ERP offers to choose from."""

    passed: bool
    errors: list[WrongSetting]
    choices: JsonObject

    @classmethod
    def of(cls, errors: Sequence[FieldError], setup: Setup) -> "CheckView":
        """The view of what was found."""
        shown = [WrongSetting(pointer=one.pointer, code=one.code, detail=one.detail) for one in errors]
        return cls(passed=not errors, errors=shown, choices=_choices(setup))


def _choices(setup: Setup) -> JsonObject:
    return {
        "companies": [asdict(one) for one in setup.companies],
        "departments": [asdict(one) for one in setup.departments],
        "voucher_types": [asdict(one) for one in setup.voucher_types],
        "accounts": [asdict(one) for one in setup.accounts],
        "tax_codes": [asdict(one) | {"rate": f"{one.rate:f}"} for one in setup.tax_codes],
        "currency": setup.currency,
        "import_types": list(setup.targets),
    }
