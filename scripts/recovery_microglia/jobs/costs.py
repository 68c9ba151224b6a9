"""What a job cost: time, memory, size of its input, left beside its log for costs.tsv."""

import contextlib
import json
import os
import resource
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from recovery_microglia.core.files import size_mb

COLUMNS = ("step", "library", "input_bytes", "seconds", "cpu_seconds", "peak_mb", "cells")
"""Columns of costs.tsv, one row a job."""
_LOADED = time.monotonic()


@dataclass
class Job:
    """What a job tells of itself.

    Attributes
    ----------
    reads
        Files and folders that it reads.
    cells
        Cells that it worked on; None where its work has no cells.
    """

    reads: Sequence[Path] = field(default_factory=list)
    cells: int | None = None


def age() -> float:
    """Return the seconds since this process began, Python's start and all imports included."""
    try:
        began = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - began / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):  # not Linux
        return time.monotonic() - _LOADED


def peak_mb() -> float:
    """Return the largest resident memory of this process so far, in megabytes.

    Linux's own high-water mark where there is one: what ``getrusage`` tells begins with the memory of the Snakemake
    that started the job.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6
    except (OSError, StopIteration):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def cpu_seconds() -> float:
    """Return the seconds of processor time that this process and its children took so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def write_cost(job: Job, path: Path) -> None:
    """Write what this process has cost until now, as JSON named ``<step>.json`` or ``<step>.<library>.json``."""
    step, _, library = path.stem.partition(".")
    row = {
        "step": step,
        "library": library,
        "input_bytes": round(size_mb(map(Path, job.reads)) * 1e6),
        "seconds": round(age(), 2),
        "cpu_seconds": round(cpu_seconds(), 2),
        "peak_mb": round(peak_mb(), 1),
        "cells": job.cells,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")


def read_costs(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Return the rows of costs.tsv from what the jobs left, in the order given; keys as `COLUMNS`."""
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return [{name: row[name] for name in COLUMNS} for row in rows]


def usual_seconds(paths: Iterable[Path]) -> dict[str, float]:
    """Return the mean seconds of a job of each step in earlier runs; files that a kill left half-written tell nothing."""
    took: dict[str, list[float]] = {}
    for path in paths:
        with contextlib.suppress(OSError, ValueError, KeyError):
            row = json.loads(path.read_text(encoding="utf-8"))
            took.setdefault(row["step"], []).append(float(row["seconds"]))
    return {step: fmean(seconds) for step, seconds in took.items()}
