"""arrow-odbc: fetch the ledger as Arrow batches and drop them, in an environment of its own.

`.venv-arrow-odbc/bin/python benchmarks/with_arrow_odbc.py PORT DATABASE DRIVER`. The driver is Microsoft's file, the
same that mssql-python loads; unixODBC's libodbc has to be on the machine.
"""

import json
import resource
import sys
import time
from pathlib import Path

from arrow_odbc import read_arrow_batches_from_odbc

COLUMNS = "JNo, EntNo, VoNo, VoDt, AcNo, AcYrPr, Txt, InvoNo, Cust, AcAm, CurAm, ExRt"
AT_A_TIME = 16_384


def main(port: str, database: str, driver: str) -> None:
    """Fetch all rows."""
    began = time.perf_counter()
    reader = read_arrow_batches_from_odbc(
        query=f"SELECT {COLUMNS} FROM dbo.AcTr",
        connection_string=f"Driver={driver};Server=tcp:127.0.0.1,{port};UID=reader;PWD={{Read-Only-1}};"
        f"Database={database};Encrypt=yes;TrustServerCertificate=yes;ConnectRetryCount=0",
        batch_size=AT_A_TIME,
    )
    rows = 0
    amount = ""
    for batch in reader:
        rows += batch.num_rows
        amount = amount or str(batch.schema.field("AcAm").type)
    seconds = time.perf_counter() - began
    status = Path("/proc/self/status")
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = used.ru_maxrss * 1024 / 1e6
    if status.exists():
        peak = next(int(x.split()[1]) for x in status.read_text().splitlines() if x.startswith("VmHWM:")) * 1024 / 1e6
    told = {"seconds": seconds, "rows": rows, "amount": amount, "peak_mb": peak}
    print(json.dumps(told | {"cpu_s": used.ru_utime + used.ru_stime}))


if __name__ == "__main__":
    main(*sys.argv[1:])
