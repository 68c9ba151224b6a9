"""Costs of the run, for those who plan a larger study."""

import pandas as pd

from recovery_microglia.core import wording
from recovery_microglia.core.frame_access import row_of_largest
from recovery_microglia.core.tables import Kind
from recovery_microglia.report.blocks import Column, Table, table
from recovery_microglia.report.inputs import ReportInputs

COLUMNS = (
    Column("step", "Step", Kind.TEXT),
    Column("jobs", "Jobs", Kind.COUNT),
    Column("input_mb", "Input, largest job (MB)", Kind.NUMBER, "files that the largest job of the step read"),
    Column("median_seconds", "Seconds, median", Kind.NUMBER, "from the start of Python to the end"),
    Column("largest_seconds", "Seconds, largest", Kind.NUMBER),
    Column("peak_mb", "Memory, largest (MB)", Kind.NUMBER, "largest resident memory of a job"),
    Column("cells", "Cells, largest job", Kind.COUNT),
)


def per_step(costs: pd.DataFrame) -> pd.DataFrame:
    """Return one row a step of costs.tsv, in the order of the data; columns as `COLUMNS`."""
    grouped = costs.groupby("step", sort=False)
    return pd.DataFrame(
        {
            "jobs": grouped.size(),
            "input_mb": grouped["input_bytes"].max() / 1e6,
            "median_seconds": grouped["seconds"].median(),
            "largest_seconds": grouped["seconds"].max(),
            "peak_mb": grouped["peak_mb"].max(),
            "cells": grouped["cells"].max(),
        }
    ).reset_index()


def sentence(costs: pd.DataFrame) -> str:
    """Return in a sentence what a run cost."""
    jobs = wording.count(len(costs), "job", "jobs")
    hungry = row_of_largest(costs, "peak_mb")
    return (
        f"{jobs} took {wording.duration(costs['cpu_seconds'].sum())} of processor time in all; the largest, of the step "
        f"{hungry['step']}, held {hungry['peak_mb'] / 1000:.1f} GB. Jobs of the step library grow with their library "
        "and run side by side; those after it grow with the myeloid cells of all libraries together."
    )


def cost_blocks(inputs: ReportInputs) -> list[Table]:
    """Return the table of costs with its sentence; nothing where no job left its cost."""
    costs = inputs.table("costs")
    if costs.empty:
        return []
    steps = per_step(costs)
    return [table(steps, COLUMNS, caption="Costs of this run", note=sentence(costs), name="costs-by-step")]
