"""Where things lie in the lake's bucket, for whoever does not need the table engine to know."""

import hashlib
import re
import string

_PLAIN = frozenset(string.ascii_letters + string.digits + "_-")
_HIVES_NULL = "__HIVE_DEFAULT_PARTITION__"
_MAX_ESCAPED = 800
"""Bytes. An object's name in S3 has at most 1,024, and the rest of ours needs less than 200."""
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
    """The folder of a company's files, from which readers that go by folders (polars, Hive) read the key.

    As Hive escapes a value: `%` and two hex digits for each byte of its UTF-8, but for ASCII letters, digits, `_` and
    `-`. So a name holds nothing that a file system, an object store or an address could take for something else. A key
    too long for an object's name when it is escaped has the folder of `older_company_folder`.
    """
    escaped = "".join(char if char in _PLAIN else _escaped(char) for char in company)
    if company == _HIVES_NULL:
        escaped = escaped.replace("_", "%5F", 1)
    return f"company={escaped}" if len(escaped) <= _MAX_ESCAPED else older_company_folder(company)


def _escaped(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())


def older_company_folder(company: str) -> str:
    """Where a company's files were before: only keys of 1 to 64 plain characters could be read from the folder."""
    if _SAFE.fullmatch(company):
        return f"company={company}"
    return f"company=.{_digest(company)}"


def company_folders(company: str) -> tuple[str, ...]:
    """The folders in which a company's files may lie, today's first."""
    return tuple(dict.fromkeys((company_folder(company), older_company_folder(company))))


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
