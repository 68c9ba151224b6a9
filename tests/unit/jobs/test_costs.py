"""What a job leaves of its cost, and what the page makes of it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from recovery_microglia.core.wording import duration
from recovery_microglia.jobs.costs import COLUMNS, read_costs
from recovery_microglia.jobs.log import reporting
from recovery_microglia.report import ReportInputs
from recovery_microglia.report.sections.cost import cost_blocks, per_step, sentence

HUNGRY = """
import sys, time
sys.path.insert(0, "scripts")
from recovery_microglia.jobs.log import reporting
with reporting(sys.argv[1], sys.argv[2], reads=[sys.argv[3]]) as job:
    held = b"x" * 200_000_000
    time.sleep(1)
    job.cells = 7
"""


@pytest.fixture
def costs() -> pd.DataFrame:
    """Two libraries and what follows."""
    rows = [
        ("library", "A", 4_000_000, 10.0, 9.0, 500.0, 100),
        ("library", "B", 8_000_000, 30.0, 29.0, 900.0, 300),
        ("timeline", "", 1_000_000, 90.0, 170.0, 700.0, None),
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_a_job_leaves_its_time_memory_and_input(tmp_path: Path, root: Path) -> None:
    read, cost = tmp_path / "matrix", tmp_path / "costs" / "library.S1.2_a.json"
    read.write_bytes(bytes(12345))
    command = [sys.executable, "-c", HUNGRY, str(tmp_path / "log"), str(cost), str(read)]
    subprocess.run(command, check=True, cwd=root)
    (row,) = read_costs([cost])
    assert tuple(row) == COLUMNS
    assert (row["step"], row["library"]) == ("library", "S1.2_a")  # a library's name may hold dots, a step's not
    assert (row["input_bytes"], row["cells"]) == (12345, 7)
    assert 1 <= row["seconds"] < 60
    assert 0 < row["cpu_seconds"] < row["seconds"]
    assert 200 < row["peak_mb"] < 400


def test_a_job_that_fails_leaves_no_cost(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), reporting(tmp_path / "log", tmp_path / "library.A.json"):
        1 / 0  # noqa: B018
    assert not (tmp_path / "library.A.json").exists()


def test_a_step_is_told_by_its_jobs(costs: pd.DataFrame) -> None:
    steps = per_step(costs)
    assert list(steps["step"]) == ["library", "timeline"]
    assert steps.iloc[0].to_dict() == {
        **{"step": "library", "jobs": 2, "input_mb": 8.0, "median_seconds": 20.0, "largest_seconds": 30.0},
        **{"peak_mb": 900.0, "cells": 300.0},
    }
    assert sentence(costs).startswith("3 jobs took 3 minutes of processor time in all")
    assert "of the step library, held 0.9 GB" in sentence(costs)


def test_times_are_told_in_the_unit_that_fits() -> None:
    assert [duration(s) for s in (42, 150, 9000)] == ["42 seconds", "2 minutes", "2.5 hours"]


def test_a_page_without_costs_has_no_empty_table(costs: pd.DataFrame) -> None:
    inputs = ReportInputs({})
    assert cost_blocks(inputs) == []
    (table,) = cost_blocks(replace(inputs, tables={"costs": costs}))
    assert len(table.rows) == 2
