"""The hub, for programs: every operation as a method, lists as iterators, and what goes on by itself to wait for."""

from collections.abc import Iterator

from erphub_client.generated import models as m
from erphub_client.generated.operations import Operations
from erphub_client.waiting import follow, last

RUNNING = frozenset({"queued", "running"})
WIZARD_WORKING = frozenset({"working"})
UPLOAD_READING = frozenset({"open", "reading"})
TESTING = frozenset({"running"})


class Hub(Operations):
    """A deployment of the hub, as one caller sees it.

    Every method raises a `HubProblem` of `erphub_client.problems` when the hub refuses or does not answer. A request is
    sent again where that is safe: GET, PUT and DELETE, and POST, which always carries an `Idempotency-Key`.
    """

    def follow_run(self, client_id: str, job_id: str, run_id: str, *, timeout: float | None = None) -> Iterator[m.Run]:
        """A run of an import whenever it has moved, until it is over. Raises StillGoing after `timeout` seconds."""
        return follow(
            lambda: self.get_run(client_id, job_id, run_id),
            lambda run: run.status not in RUNNING,
            timeout=timeout,
            sleep=self.sleep,
        )

    def wait_for_run(self, client_id: str, job_id: str, run_id: str, *, timeout: float | None = None) -> m.Run:
        """The run when it is over. Raises StillGoing after `timeout` seconds."""
        return last(self.follow_run(client_id, job_id, run_id, timeout=timeout))

    def follow_transfer(
        self, client_id: str, connection_id: str, transfer_id: str, *, timeout: float | None = None
    ) -> Iterator[m.TransferDetail]:
        """A transfer whenever it has moved, until it is over. Raises StillGoing after `timeout` seconds."""
        return follow(
            lambda: self.get_transfer(client_id, connection_id, transfer_id),
            lambda transfer: transfer.status not in RUNNING,
            timeout=timeout,
            sleep=self.sleep,
        )

    def wait_for_transfer(
        self, client_id: str, connection_id: str, transfer_id: str, *, timeout: float | None = None
    ) -> m.TransferDetail:
        """The transfer when it is over. Raises StillGoing after `timeout` seconds."""
        return last(self.follow_transfer(client_id, connection_id, transfer_id, timeout=timeout))

    def wait_for_wizard(self, client_id: str, wizard_id: str, *, timeout: float | None = None) -> m.Wizard:
        """The wizard when it waits for an answer again, or has ended. Raises StillGoing after `timeout` seconds."""
        return last(
            follow(
                lambda: self.get_wizard(client_id, wizard_id),
                lambda wizard: wizard.status not in WIZARD_WORKING,
                timeout=timeout,
                sleep=self.sleep,
            )
        )

    def wait_for_upload(
        self, client_id: str, connection_id: str, upload_id: str, *, timeout: float | None = None
    ) -> m.Upload:
        """The batch when it was read. Raises StillGoing after `timeout` seconds."""
        return last(
            follow(
                lambda: self.get_upload(client_id, connection_id, upload_id),
                lambda upload: upload.status not in UPLOAD_READING,
                timeout=timeout,
                sleep=self.sleep,
            )
        )

    def upload_documents(
        self,
        client_id: str,
        connection_id: str,
        content: bytes,
        upload: m.CreateUpload,
        *,
        timeout: float | None = None,
    ) -> m.Upload:
        """Hand in many documents as one file, and wait until it was read. Raises StillGoing after `timeout` seconds."""
        made = self.create_upload(client_id, connection_id, upload)
        if made.upload is not None:
            self.put_file(made.upload.url, content, made.upload.headers, made.upload.method)
        self.process_upload(client_id, connection_id, made.id)
        return self.wait_for_upload(client_id, connection_id, made.id, timeout=timeout)
