"""What an ERP with a voucher inbox can be asked: what its people made of the vouchers that were handed to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from erphub.erp.documents import Settlement
from erphub.erp.posting import Posting
from erphub.platform.characters import shown


class Verdict(StrEnum):
    """What the ERP's people made of a voucher."""

    APPROVED = "approved"
    DISCARDED = "discarded"


@dataclass(frozen=True)
class AwaitedVoucher:
    """A voucher in the ERP's inbox: what was handed over, how (`Posting`, with the routing of that time), and the
    reference that `push` or `find` gave it."""

    settlement: Settlement
    posting: Posting
    reference: str
    handed_over_at: datetime
    """No later than the instant at which the ERP had it."""


@dataclass(frozen=True)
class Edit:
    """What stands in the ledger otherwise than it was handed over, as text; empty where one of the two has none.

    `field` is `date`, `voucher_type`, or, of an account of the voucher, `amount` (debit when positive), `department` or
    `text`.
    """

    field: str
    handed_over: str
    in_erp: str
    account: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "in_erp", shown(self.in_erp))


@dataclass(frozen=True)
class Approval:
    """What became of a voucher of the inbox; `reference` is its number in the ledger, when it was approved."""

    verdict: Verdict
    reference: str = ""
    edits: Sequence[Edit] = ()


@runtime_checkable
class ReadsApprovals(Protocol):
    """An ERP that tells what became of vouchers in its inbox."""

    def approvals(self, awaited: Sequence[AwaitedVoucher], since: datetime, company: str) -> Mapping[str, Approval]:
        """What has become of a company's vouchers, by `posting.key`; those that still wait, or of which nobody can
        tell, are left out. What was approved before `since` need not be found by its change there.

        Raises CredentialsRefused, ErpRefused, Unavailable."""
        ...
