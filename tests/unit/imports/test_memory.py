"""Importing ten times as much takes no more memory."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import resource, sys
from pathlib import Path
from erphub.aws.lake import DeltaLake
from erphub.models.dataset import BY_ID
from erphub.models.types import complete
from erphub.ports.erp import Window
from erphub.ports.imports import Target
from tests.fakes.erp import batch_of
from tests.fakes.files import FolderFiles

folder, batches = Path(sys.argv[1]), int(sys.argv[2])
dataset = BY_ID["gl_transactions"]
lake = DeltaLake(str(folder), FolderFiles(folder), {}, piece=8 * 1024 * 1024)
types = lake.prepare("client", dataset, complete(dataset, {}))
rows = [{"journal_no": str(n), "entry_no": "1", "description": f"text {n % 97}"} for n in range(20_000)]
batch = batch_of(dataset, rows, types)
staged = lake.stage("staging/client/run/u/p", dataset, types, "C1", (batch for _ in range(batches)))
assert staged.rows == 20_000 * batches
lake.staged_totals([("staging/client/run/u/p", staged.commits)], dataset)
lake.publish(Target("client", dataset, "C1", "F0001", [Window()], 1, "run", "staging/client/run/u"),
             [("staging/client/run/u/p", staged.commits)])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def megabytes(folder: Path, batches: int) -> int:
    """The peak of a process that publishes so many batches of 20,000 rows."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(batches)],
        env={"PYTHONPATH": f"{ROOT / 'layers/core'}:{ROOT}", "MALLOC_ARENA_MAX": "2"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_ten_times_the_rows_take_no_more_memory(tmp_path: Path) -> None:
    few, many = megabytes(tmp_path / "few", 4), megabytes(tmp_path / "many", 40)
    assert many < few + 60, f"{few} MB for 80,000 rows, {many} MB for 800,000"
