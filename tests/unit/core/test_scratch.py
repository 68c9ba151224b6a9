"""What killed jobs leave in the folder for temporary files goes with the next job; what is in use, or is not ours, stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recovery_microglia.core import scratch

HOLD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from recovery_microglia.core.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "unpacked.mtx").write_text("much")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(scratch.tempfile, "tempdir", None)
    return tmp_path


def job() -> tuple[subprocess.Popen[str], Path]:
    scripts = str(Path(scratch.__file__).parents[2])
    process = subprocess.Popen([sys.executable, "-c", HOLD, scripts], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as said:
        return process, Path(said.readline().strip())


def aged(folder: Path) -> None:
    """Make a job's folder older than the time that one is given to lock it."""
    long_ago = time.time() - 2 * scratch.YOUNG
    os.utime(folder.parent / "alive", (long_ago, long_ago))


def test_the_folder_of_a_killed_job_goes_and_that_of_a_live_one_stays(temporary: Path) -> None:
    killed, left_over = job()
    alive, in_use = job()
    (temporary / "recovery-microglia-notes").mkdir()  # no lock in it: not ours
    try:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert (left_over / "unpacked.mtx").exists()
        aged(left_over)
        aged(in_use)
        with scratch.scratch_folder() as own:
            assert own.is_dir()
            assert not left_over.parent.exists()
            assert (in_use / "unpacked.mtx").read_text() == "much"
        assert not own.parent.exists()
        assert (temporary / "recovery-microglia-notes").is_dir()
    finally:
        alive.kill()
        alive.wait()


def test_a_folder_that_was_made_a_moment_ago_stays_though_nobody_holds_its_lock_yet(temporary: Path) -> None:
    young = temporary / f"{scratch.PREFIX}abc"
    young.mkdir()
    (young / "alive").touch()
    scratch.remove_left_over(temporary)
    assert young.is_dir()
