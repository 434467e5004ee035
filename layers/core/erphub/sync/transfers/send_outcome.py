"""What an attempt to send a document came to."""

from enum import StrEnum

from erphub.platform.errors import HubError


class SendOutcome(StrEnum):
    """What an attempt came to, for the transfer's counts."""

    SENT = "sent"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"
    PENDING = "pending"
    SKIPPED = "skipped"
    ATTACHED = "attached"
    UNANSWERED = "unanswered"
    """The ERP did not take it now, though it answers otherwise."""
    LEFT = "left"
    """Not now: somebody else has it, or it waits for something."""

    @property
    def counted(self) -> str:
        """Where the transfer counts it."""
        return SendOutcome.PENDING.value if self is SendOutcome.UNANSWERED else self.value


class TransferAborted(Exception):
    """The ERP cannot be used at all now: trying the other documents would only repeat it."""

    def __init__(self, error: HubError) -> None:
        super().__init__(error.detail)
        self.error = error
