"""A run that is killed at any moment and started again ends with the tables of an undisturbed run.

A short version, with two libraries and one kill, is in test_bad_runs.py.
"""

import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from workflow.conftest import Project, add_small_demo, copy_project

SECONDS = 40.0
"""About what the first run takes; kills are drawn from it, so that all its steps are hit."""


def start(project: Project) -> subprocess.Popen[bytes]:
    """Start a run in a process group of its own, as a shell does."""
    command = [
        str(project.path / ".venv/bin/python"),
        "-m",
        "snakemake",
        "--cores",
        "2",
        "--config",
        "datasets=[small]",
    ]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    with (project.path / "run.log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=project.path, stdout=log, stderr=log, env=environment, start_new_session=True
        )


def killed(project: Project, seconds: float) -> bool:
    """Start a run and kill it and all its jobs after some seconds; return whether it was still going."""
    run = start(project)
    try:
        run.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        return True
    return False


def tables(project: Project) -> dict[str, bytes]:
    """Return the tables of ``small``; the checksums of what a run was made from among them."""
    return {path.name: path.read_bytes() for path in project.results("small", "tables").glob("*.tsv")}


def disturbed(folder: Path, moments: list[float]) -> tuple[Project, int]:
    """Return a copy whose run was killed at the given moments and then left alone, and how many kills hit."""
    project = copy_project(folder / "killed")
    add_small_demo(project)
    hits = sum(killed(project, moment) for moment in moments)
    done = project.snakemake()
    assert done.code == 0, done.out
    return project, hits


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_run_killed_at_random_moments_ends_like_an_undisturbed_one(
    finished: Project, tmp_path: Path, seed: int
) -> None:
    moments = np.random.default_rng(seed).uniform(1, SECONDS, 10).tolist()
    project, hits = disturbed(tmp_path, moments)
    assert hits >= 4
    assert tables(project) == tables(finished)
    assert len(tables(project)) > 15
    assert project.planned() == {}
