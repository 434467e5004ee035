"""Why a part of a run could not be read."""

from erphub.platform.errors import ErpRefused, HubError, Unavailable


class NotReconciled(ErpRefused):
    """What arrived is not what the source said it would send."""

    code = "reconciliation_failed"


class SourceTooSlow(ErpRefused):
    """Reading a part has held workers for as long as it may."""

    code = "source_too_slow"

    def __init__(self, seconds: float, last: HubError) -> None:
        super().__init__(
            f"The ERP was given {seconds / 60:.0f} minutes for one part of the data, all tries together, and that was"
            f" not enough. At last: {last.detail} Start the import anew when the ERP, or the line to it, is faster."
        )


class ChangedWhileReading(Unavailable):
    """Somebody worked in the source between its counting and the last of its rows: that is no lie, and will pass."""

    code = "changed_while_reading"

    def __init__(self) -> None:
        super().__init__(
            "The source changed while it was read. At a quieter hour it can be read in peace; a database that allows "
            "snapshot isolation can at any hour."
        )
