"""A bare native reader: fetch the ledger as Arrow batches and drop them.

`python -m benchmarks.bare_native PORT DATABASE READER`. Over the driver's own TLS and without a guard, as the bare
pymssql beside it.
"""

import sys
import time
from typing import Any

from benchmarks.bare import COLUMNS
from benchmarks.measure import tell
from erphub.erp.transports.sqlserver.columns import FETCH_ROWS
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from erphub.erp.transports.sqlserver.drivers.native import Native, load


def main(port: str, database: str, reader: str) -> None:
    """Fetch all rows."""
    began = time.perf_counter()
    functions = load(Reader(reader))
    import mssql_python

    package: Any = mssql_python
    opened = package.connect(
        f"Server=tcp:127.0.0.1,{port};UID=reader;PWD={{Read-Only-1}};Database={database};Encrypt=yes;"
        "TrustServerCertificate=yes;ConnectRetryCount=0",
        autocommit=True,
    )
    connection = Native(opened, functions, Reader(reader))
    connection.run(f"SELECT {COLUMNS} FROM dbo.AcTr")
    rows = fetched = 0
    while not rows or fetched == FETCH_ROWS:
        fetched = connection.batch(FETCH_ROWS).num_rows
        rows += fetched
    tell(seconds=time.perf_counter() - began, rows=rows)
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
