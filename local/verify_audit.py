"""Whether an audit log is whole, or where it is broken: python -m local.verify_audit TABLE client|customer ID.

It reads the table with the credentials of whoever calls it, and exits with 1 when something was altered, removed,
swapped or cut.
"""

import sys

from erphub.audit.dynamodb import AuditTable
from erphub.audit.models import Owner, OwnerKind
from erphub.platform.aws.table import Table


def main(table: str, kind: str, owner_id: str) -> int:
    """0 when the log is whole, 1 with the first broken place."""
    found = AuditTable(Table(table)).find_break(Owner(OwnerKind(kind), owner_id))
    if found is None:
        print(f"The audit log of {kind} {owner_id} is whole.")
        return 0
    print(f"The audit log of {kind} {owner_id} is broken at entry {found.number}: {found.reason}.")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
