"""Whole runs that the disk, another run or a kill disturbs: plain lines, nothing half-written, nothing lost."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from workflow.conftest import Project, copy_project, write_two_matrices

DESCRIPTION = """\
title: Two libraries
organism: mouse
injury_model: spared nerve injury
injury_class: peripheral_nerve
tissue: Rückenmark, lumbal
folder: Daten aus Köln
"""
SHEET = "library\tday\tcondition\tfile\nA\t0\tnaive\tMäuse A.csv\nB\t14\tinjured\tMäuse B.csv\n"
TARGETS = [f"results/two/libraries/{name}/library.json" for name in "AB"]
PRODUCTS = ("cells.parquet", "lineage_sums.parquet")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of two small libraries; its path, folder and files have blanks and letters that are not ASCII."""
    project = copy_project(tmp_path_factory.mktemp("zwei") / "Übung 1")
    write_two_matrices(project, "Daten aus Köln", "Mäuse ")
    project.write("config/datasets/two/dataset.yaml", DESCRIPTION)
    project.write("config/datasets/two/samples.tsv", SHEET)
    return project


def start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    """Start a run in a process group of its own, as a shell does."""
    return subprocess.Popen(
        [str(project.path / ".venv/bin/python"), "-m", "snakemake", *arguments, "--config", "datasets=[two]"],
        cwd=project.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
    )  # fmt: skip


def wait_for(there: Callable[[], bool], run: subprocess.Popen[str], seconds: float = 120) -> None:
    """Wait until something is so; fail if the run ends before."""
    end = time.monotonic() + seconds
    while not there():
        assert run.poll() is None, run.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.02)


def kill(run: subprocess.Popen[str]) -> None:
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()


def clean(project: Project) -> None:
    subprocess.run(["rm", "-rf", "results", ".snakemake"], cwd=project.path, check=True)


def products(project: Project) -> dict[str, bytes]:
    folder = project.results("two", "libraries")
    return {f"{lib}/{name}": (folder / lib / name).read_bytes() for lib in "AB" for name in PRODUCTS}


def logs(project: Project) -> list[Path]:
    return sorted(project.results("two", "logs").glob("library.*.log"))


def test_a_killed_run_starts_again_without_unlocking_and_ends_the_same(two: Project) -> None:
    clean(two)
    done = two.snakemake(*TARGETS, datasets="two")
    assert done.code == 0, done.out
    undisturbed = products(two)
    clean(two)
    run = start(two, "--cores", "2", *TARGETS)
    wait_for(lambda: len(logs(two)) > 0, run)  # the jobs are at work
    kill(run)
    assert list((two.path / ".snakemake/locks").iterdir())  # what Snakemake would stumble over
    again = two.snakemake(*TARGETS, datasets="two")
    assert again.code == 0, again.out
    assert products(two) == undisturbed


@pytest.mark.long
def test_two_libraries_killed_at_random_moments_end_the_same(two: Project) -> None:
    """All pipeline steps are killed in test_killed.py; here many kills hit start, reading and writing of a library."""
    clean(two)
    assert two.snakemake(*TARGETS, datasets="two").code == 0
    undisturbed = products(two)
    clean(two)
    for moment in np.random.default_rng(5).uniform(0.5, 14, 10):
        run = start(two, "--cores", "2", *TARGETS)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(moment)
        kill(run) if run.poll() is None else run.communicate()
    again = two.snakemake(*TARGETS, datasets="two")
    assert again.code == 0, again.out
    assert products(two) == undisturbed


def jobs(project: Project) -> list[int]:
    """Return the processes of the jobs at work."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{project.path}/.snakemake/scripts/".encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


def test_a_job_that_the_system_kills_is_told(two: Project) -> None:
    clean(two)
    run = start(two, "--cores", "1", *TARGETS)
    wait_for(lambda: len(logs(two)) > 0, run)
    for job in jobs(two):
        os.kill(job, signal.SIGKILL)
    out, _ = run.communicate()
    assert run.returncode == 1
    assert (
        "Stopped.\n  a job was ended from outside (SIGKILL), often because the memory was used up; run fewer at once"
        in out
    )
    again = two.snakemake(*TARGETS, datasets="two")
    assert again.code == 0, again.out


def test_ctrl_c_ends_a_run_without_tracebacks(two: Project) -> None:
    for _ in range(6):  # the jobs take less than a second: the run may be over before the signal is sent
        clean(two)
        run = start(two, "--cores", "2", *TARGETS)
        wait_for(lambda: len(logs(two)) > 0, run)
        os.killpg(run.pid, signal.SIGINT)  # as the terminal sends it: to Snakemake and to every job
        out, _ = run.communicate()
        if run.returncode != 0:
            break
    assert run.returncode != 0, out
    assert "Traceback" not in out
    again = two.snakemake(*TARGETS, datasets="two")
    assert again.code == 0, again.out


def test_a_run_beside_a_live_one_is_refused_and_harms_nothing(two: Project) -> None:
    clean(two)
    first = start(two, "--cores", "1", *TARGETS)
    wait_for(lambda: len(logs(two)) > 0, first)
    os.killpg(first.pid, signal.SIGSTOP)  # or it may have ended before the second one looks
    try:
        second = two.snakemake(*TARGETS, datasets="two")
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    assert second.code == 1
    assert "cannot be locked" in second.out
    out, _ = first.communicate()
    assert first.returncode == 0, out


def test_a_file_that_vanishes_in_mid_run_stops_its_library_only(two: Project) -> None:
    clean(two)
    run = start(two, "--cores", "1", *TARGETS)
    wait_for(lambda: len(logs(two)) > 0, run)
    (log,) = logs(two)
    other = "B" if log.name == "library.A.log" else "A"
    file = two.path / f"Daten aus Köln/Mäuse {other}.csv"
    file.rename(file.with_suffix(".away"))
    out, _ = run.communicate()
    file.with_suffix(".away").rename(file)
    # Snakemake looks before it starts the job, and says so itself; a file that goes later is told by the reader
    assert run.returncode == 1
    assert "Traceback" not in out
    assert f"Daten aus Köln/Mäuse {other}.csv (missing locally" in out
    mine = "AB".replace(other, "")
    assert two.results("two", "libraries", mine, "library.json").exists()
    assert not two.results("two", "libraries", other, "library.json").exists()
    assert two.snakemake("--dry-run", *TARGETS, datasets="two").rules == {"library": 1}


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Mount a disk of memory; the test is skipped where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no right to mount a small disk here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("size=1m", "results: the disk is full (1 MB free); make room"),
        ("size=90m,ro", "results: cannot be written to; "),
    ],
)
def test_a_full_or_read_only_disk_is_told_before_any_job(two: Project, options: str, words: str) -> None:
    clean(two)
    with mounted(two.path / "results", options):
        run = two.snakemake(*TARGETS, datasets="two")
    assert run.code == 1
    assert "Traceback" not in run.out
    said = [line for line in run.out.splitlines() if line and not line.startswith("Using ")]
    assert len(said) == 1
    assert said[0].startswith(words)
