"""(a) Bare pymssql: fetch the ledger's rows and drop them. `python -m benchmarks.bare PORT DATABASE`."""

import sys
import time

import pymssql

from benchmarks.measure import tell

COLUMNS = "JNo, EntNo, VoNo, VoDt, AcNo, AcYrPr, Txt, InvoNo, Cust, AcAm, CurAm, ExRt"
AT_A_TIME = 10_000


def main(port: str, database: str) -> None:
    """Fetch all rows."""
    began = time.perf_counter()
    connection = pymssql.connect(
        server="127.0.0.1", port=port, user="reader", password="Read-Only-1", database=database,
        tds_version="7.4", encryption="require",
    )  # fmt: skip
    cursor = connection.cursor()
    cursor.execute(f"SELECT {COLUMNS} FROM dbo.AcTr")
    rows = 0
    while batch := cursor.fetchmany(AT_A_TIME):
        rows += len(batch)
    connection.close()
    tell(seconds=time.perf_counter() - began, rows=rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
