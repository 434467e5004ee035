"""Reads a cash register file from the bucket, as the worker of uploads does: `python -m benchmarks.audit_cash KEY`."""

import sys
import time

from benchmarks.measure import tell
from benchmarks.servers import BUCKET
from erphub.platform.aws.files import S3Files
from erphub.sync.documents.saft_cash_register import read_cash_register


def main(key: str) -> None:
    """The settlements of one file."""
    began = time.perf_counter()
    with S3Files(BUCKET).open(key) as file:
        reading = read_cash_register(file)
    tell(seconds=time.perf_counter() - began, reports=len(reading.settlements), refused=len(reading.refused))


if __name__ == "__main__":
    main(*sys.argv[1:])
