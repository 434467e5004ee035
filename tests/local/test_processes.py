"""Programs of the local stack are ended by their id, and nothing else ever is."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from local import processes
from local.processes import Started, StartupError

WITH_A_CHILD = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
time.sleep(600)
"""


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def within(seconds: float, condition) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


@pytest.mark.usefixtures("fresh_python")
def test_stopping_ends_the_program_and_its_children_and_nothing_else(tmp_path: Path):
    log = tmp_path / "log"
    started = processes.start([sys.executable, "-c", WITH_A_CHILD], log=log, environment={}, cwd=tmp_path)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as bystander:
        try:
            assert within(10, lambda: log.read_text().strip().isdigit())
            child = int(log.read_text())
            processes.stop(started)
            assert not processes.alive(started)
            assert within(10, lambda: gone(child))
            assert bystander.poll() is None
        finally:
            processes.stop(started)
            bystander.kill()


@pytest.mark.usefixtures("fresh_python")
def test_an_id_that_belongs_to_another_program_by_now_is_left_alone():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as bystander:
        try:
            processes.stop(Started(bystander.pid, "another time"))
            assert bystander.poll() is None
        finally:
            bystander.kill()


@pytest.mark.usefixtures("fresh_python")
def test_a_program_says_where_it_listens(tmp_path: Path):
    script = "print('{\"port\": 4711}', flush=True); import time; time.sleep(600)"
    command = [sys.executable, "-c", script]
    started, address = processes.start_listening(command, log=tmp_path / "log", environment={}, cwd=tmp_path)
    try:
        assert address == {"port": 4711}
        assert processes.alive(started)
    finally:
        processes.stop(started)


@pytest.mark.usefixtures("fresh_python")
def test_a_program_that_ends_before_it_is_ready_shows_its_last_words(tmp_path: Path):
    command = [sys.executable, "-c", "import sys; sys.exit('no such company')"]
    with pytest.raises(StartupError, match="no such company"):
        processes.start_listening(command, log=tmp_path / "log", environment={}, cwd=tmp_path)
