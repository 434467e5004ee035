"""(c) dlt's `sql_database` doing the same, in an environment of its own.

`.venv-dlt/bin/python benchmarks/with_dlt.py PORT DATABASE [DRIVER]`: over pymssql, or over pyodbc with an ODBC driver's
file. Its fastest backend that keeps decimals exact is pyarrow (with the reflected precision); connectorx makes floats
of them. It writes Parquet to the local disk, which spares it S3 and the table's log.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote_plus

import dlt
import pyarrow.parquet as pq
from dlt.sources.sql_database import sql_table


def address_of(port: str, database: str, driver: str) -> str:
    """Where the rows are, as SQLAlchemy is told."""
    if not driver:
        return f"mssql+pymssql://reader:Read-Only-1@127.0.0.1:{port}/{database}?tds_version=7.4&encryption=require"
    words = (
        f"Driver={driver};Server=tcp:127.0.0.1,{port};UID=reader;PWD={{Read-Only-1}};Database={database};"
        "Encrypt=yes;TrustServerCertificate=yes;ConnectRetryCount=0"
    )
    return f"mssql+pyodbc:///?odbc_connect={quote_plus(words)}"


def main(port: str, database: str, driver: str = "") -> None:
    """One load."""
    with tempfile.TemporaryDirectory(prefix="erphub-bench-") as folder:
        began = time.perf_counter()
        rows = sql_table(
            credentials=address_of(port, database, driver), table="AcTr", schema="dbo", backend="pyarrow",
            chunk_size=50_000,
            reflection_level="full_with_precision",
        )  # fmt: skip
        target = dlt.destinations.filesystem(bucket_url=Path(folder, "out").as_uri())
        pipeline = dlt.pipeline("bench", destination=target, dataset_name="bench", pipelines_dir=f"{folder}/work")
        pipeline.run(rows, loader_file_format="parquet", write_disposition="replace")
        seconds = time.perf_counter() - began
        files = sorted(Path(folder, "out").rglob("ac_tr/*.parquet"))
        count = sum(pq.ParquetFile(file).metadata.num_rows for file in files)
        kept = str(pq.read_schema(files[0]).field("ac_am").type)
    status = Path("/proc/self/status")
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = used.ru_maxrss * 1024 / 1e6
    if status.exists():
        peak = next(int(x.split()[1]) for x in status.read_text().splitlines() if x.startswith("VmHWM:")) * 1024 / 1e6
    measured = {"seconds": seconds, "rows": count, "amount": kept, "version": dlt.__version__, "peak_mb": peak}
    print(json.dumps(measured | {"cpu_s": used.ru_utime + used.ru_stime}))


if __name__ == "__main__":
    main(*sys.argv[1:])
