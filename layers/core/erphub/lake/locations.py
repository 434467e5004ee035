"""Where things lie in the lake's bucket, for whoever does not need the table engine to know."""

import hashlib
import re

_SAFE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def connection_folder(connection_id: str) -> str:
    """The folder of a connection's files below a company's: a name for it, which alone says nothing."""
    return f"of-{_digest(connection_id)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def tables_prefix(client_id: str) -> str:
    """The prefix of all of a client's tables; each is a folder named like its dataset."""
    return f"lake/{client_id}/"


def table_key(client_id: str, dataset_id: str) -> str:
    """Where a client's table is in the bucket."""
    return f"{tables_prefix(client_id)}{dataset_id}"


def company_folder(company: str) -> str:
    """The folder of a company's files: its key when that is plain, otherwise a name for it. The log holds the key."""
    if _SAFE.fullmatch(company):
        return f"company={company}"
    return f"company=.{_digest(company)}"


def unit_id(connection_id: str, company: str) -> str:
    """A name for what is replaced at once. It stays in the table's log, also when the connection is deleted."""
    return f"{connection_folder(connection_id)}/{_digest(company)}"


def changes_id(connection_id: str, company: str) -> str:
    """A name under which the table's log keeps until when the unit has all that was changed in its source."""
    return f"{unit_id(connection_id, company)}/changes"


def staging_prefix(client_id: str, run_id: str) -> str:
    """The prefix of what a run has staged."""
    return f"staging/{client_id}/{run_id}/"


def document_prefixes(client_id: str, connection_id: str) -> tuple[str, ...]:
    """The prefixes of a sync's PDFs and batches."""
    return f"documents/{client_id}/{connection_id}/", f"staging/uploads/{client_id}/{connection_id}/"
