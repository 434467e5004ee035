"""Importing five times as much takes hardly more memory."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import resource, sys
from pathlib import Path
from erphub.lake.delta import keys as lake_keys
from erphub.lake.delta.delta_lake import DeltaLake
from erphub.erp.datasets import BY_ID, complete
from erphub.erp.reading import DateRange
from erphub.lake.ports import PublishTarget
from tests.support.erp import batch_of
from tests.support.files import FolderFiles

lake_keys.ROWS_PER_SHARE = 100_000
folder, dataset, batches = Path(sys.argv[1]), BY_ID[sys.argv[2]], int(sys.argv[3])
lake = DeltaLake(str(folder), FolderFiles(folder), {}, piece_bytes=8 * 1024 * 1024)
types = lake.prepare("client", dataset, complete(dataset, {}))

def rows(batch, text):
    first, second = dataset.keys
    rows = [{first: f"{batch}-{n}", second: "1", "description": f"{text} {n % 97}"} for n in range(20_000)]
    return batch_of(dataset, rows, types)

def publish(run, text):
    unit = f"staging/client/{run}/u"
    aside = (rows(batch, text) for batch in [*range(batches), 0][: batches + twice])
    staged = lake.stage(f"{unit}/p", dataset, types, "C1", aside)
    assert staged.rows == 20_000 * (batches + twice)
    lake.staged_totals(staged, dataset)
    target = PublishTarget("client", dataset, "C1", "F0001", (DateRange(),), run, f"run{run}", unit)
    return lake.publish(target, [staged])

twice = dataset.publishing == "keys"  # one batch comes twice: its rows are rejected
whole = 20_000 * (batches - twice)
assert publish(1, "text").inserted == whole
again = publish(2, "other text")
assert again.inserted + again.updated == whole
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def megabytes(folder: Path, dataset: str, batches: int) -> int:
    """The peak of a process that publishes so many batches of 20,000 rows, twice."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), dataset, str(batches)],
        env={"PYTHONPATH": f"{ROOT / 'layers/core'}:{ROOT}", "MALLOC_ARENA_MAX": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("dataset", ["gl_transactions", "order_lines"])
def test_five_times_the_rows_take_hardly_more_memory(tmp_path: Path, dataset: str) -> None:
    few, many = megabytes(tmp_path / "few", dataset, 4), megabytes(tmp_path / "many", dataset, 20)
    assert many < few + 100, f"{few} MB for 80,000 rows, {many} MB for 400,000"
