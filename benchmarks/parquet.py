"""How a piece of the lake is best written: `python -m benchmarks.parquet [ROWS]` prints CPU seconds and bytes.

The ledger of the other measurements is fetched once; then it is written to the local disk in every way, each in pieces
as staging writes them, three times in turn.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import arro3.core as ac
from deltalake import ColumnProperties, WriterProperties, write_deltalake

from benchmarks import servers
from benchmarks.bare import COLUMNS
from benchmarks.measure import middle
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from erphub.erp.transports.sqlserver.drivers.native import Native, load
from erphub.lake.delta.batches import Pieces, distinct_share
from erphub.lake.delta.staging import MOST_DISTINCT, PIECE_BYTES, ROW_GROUP

LEDGER, AT_A_TIME, ROUNDS = "F0900", 16_384, 3
CODECS: dict[str, dict[str, Any]] = {
    "none": {"compression": "UNCOMPRESSED"},
    "SNAPPY": {"compression": "SNAPPY"},
    "LZ4_RAW": {"compression": "LZ4_RAW"},
    "ZSTD, level 1": {"compression": "ZSTD", "compression_level": 1},
    "ZSTD, level 3": {"compression": "ZSTD", "compression_level": 3},
}
DICTIONARIES: dict[str, Callable[[Any], bool]] = {
    "every column": lambda _: True,
    "columns that repeat": lambda column: distinct_share(column) <= MOST_DISTINCT,
    "none": lambda _: False,
}


def fetched(rows: int) -> Sequence[ac.RecordBatch]:
    """The ledger, as Arrow."""
    found: list[ac.RecordBatch] = []
    with tempfile.TemporaryDirectory() as folder, servers.sql_server(Path(folder), [f"{LEDGER}:{rows}"]) as server:
        functions = load(Reader.MSSQL_ODBC)
        import mssql_python

        package: Any = mssql_python
        opened = package.connect(
            f"Server=tcp:127.0.0.1,{server['port']};UID=reader;PWD={{Read-Only-1}};Database={LEDGER};Encrypt=yes;"
            "TrustServerCertificate=yes;ConnectRetryCount=0",
            autocommit=True,
        )
        connection = Native(opened, functions, Reader.MSSQL_ODBC)
        connection.run(f"SELECT {COLUMNS} FROM dbo.AcTr")
        while not found or found[-1].num_rows == AT_A_TIME:
            found.append(connection.batch(AT_A_TIME))
        connection.close()
    return found


def written(batches: Sequence[ac.RecordBatch], codec: dict[str, Any], keeps: Callable[[Any], bool]) -> dict[str, float]:
    """CPU seconds and megabytes of all pieces."""
    began, size = time.process_time(), 0
    pieces = Pieces(iter(batches), PIECE_BYTES)
    while pieces.more():
        first = pieces.first
        plain = {
            name: ColumnProperties(dictionary_enabled=False)
            for name, column in zip(first.column_names, first.columns, strict=True)
            if not keeps(column)
        }
        properties = WriterProperties(
            max_row_group_size=ROW_GROUP, statistics_truncate_length=64, column_properties=plain or None, **codec
        )
        with tempfile.TemporaryDirectory() as folder:
            stream: Iterator[ac.RecordBatch] = pieces.piece()
            reader = ac.RecordBatchReader.from_batches(batches[0].schema, stream)
            write_deltalake(folder, reader, writer_properties=properties, target_file_size=2**30)
            size += sum(file.stat().st_size for file in Path(folder).glob("*.parquet"))
    return {"cpu": time.process_time() - began, "megabytes": size / 1e6}


def main(rows: int) -> None:
    """Print the table."""
    batches = fetched(rows)
    ways = [(codec, which) for codec in CODECS for which in DICTIONARIES]
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for _ in range(ROUNDS):
        for codec, which in ways:
            result = written(batches, CODECS[codec], DICTIONARIES[which])
            found.setdefault((codec, which), []).append(result)
    print("| compression | dictionaries for | CPU s | MB |\n|---|---|---:|---:|")
    for (codec, which), results in found.items():
        print(f"| {codec} | {which} | {middle(results, 'cpu'):.2f} | {middle(results, 'megabytes'):.1f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
