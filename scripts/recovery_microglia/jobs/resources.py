"""What a job asks a cluster for: memory and time, from the size of what it reads."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recovery_microglia.core.files import size_mb

type Reads = Callable[[Any], Iterable[Path | str]]
"""From a rule's wildcards to the files that a job of it reads."""
type Resource = Callable[[Any, Iterable[Path | str], int], int]
"""A resource function: wildcards, input, attempt. Snakemake hands them over by these names."""


@dataclass(frozen=True)
class Need:
    """What the jobs of a step need, as a straight line over the megabytes that they read.

    Attributes
    ----------
    memory, memory_per_mb
        Megabytes of memory for a job that reads next to nothing, and for each megabyte more. The first holds the two
        Snakemakes that stand around a job on a cluster (170 to 180 MB each).
    minutes, minutes_per_mb
        Limits of time, likewise; generous, because a job that is cut off was for nothing.
    """

    memory: int
    memory_per_mb: float = 0.0
    minutes: int = 20
    minutes_per_mb: float = 0.0


# Lines above the peaks measured on whole runs up to a million cells; docs/cluster.md has the figures and the command.
NEEDS: dict[str, Need] = {
    "simulate": Need(1500),
    "split": Need(2000, 15, minutes=60, minutes_per_mb=0.2),
    "library": Need(1000, 15, minutes_per_mb=0.2),
    "myeloid": Need(1500, 6, minutes=60, minutes_per_mb=0.1),
    "embedding": Need(1500, 4, minutes=60, minutes_per_mb=0.1),
    "recovery": Need(1500, 9, minutes=60, minutes_per_mb=0.1),
    "timeline": Need(1500, 7, minutes=120, minutes_per_mb=0.1),
    "drivers": Need(2000, 7, minutes=120, minutes_per_mb=0.1),
    "summary": Need(1500, 7, minutes=30, minutes_per_mb=0.1),
    "report": Need(1500, 4, minutes=30, minutes_per_mb=0.1),
}
"""Step to its need. The steps that read tables only are not submitted: they run where Snakemake does."""


def memory_mb(step: str, size: float, attempt: int = 1) -> int:
    """Return the megabytes that a job of ``step`` asks for which reads ``size`` MB.

    Each further attempt asks for as much again: the first may have been killed for want of memory.
    """
    need = NEEDS[step]
    return math.ceil(need.memory + need.memory_per_mb * size) * attempt


def run_minutes(step: str, size: float, attempt: int = 1) -> int:
    """Return the minutes that a job of ``step`` asks for which reads ``size`` MB; more at each further attempt."""
    need = NEEDS[step]
    return math.ceil(need.minutes + need.minutes_per_mb * size) * attempt


def memory(step: str, reads: Reads | None = None) -> Resource:
    """Return the resource function for a step's megabytes, which grow with what it reads and with every attempt.

    Parameters
    ----------
    step
        A step of `NEEDS`.
    reads
        What the jobs read, where that is not their input: a fetched file's input is only the table that says it is there.
    """
    return lambda wildcards, input, attempt: memory_mb(step, _size(wildcards, input, reads), attempt)


def minutes(step: str, reads: Reads | None = None) -> Resource:
    """Return the resource function for a step's minutes, as `memory` for its megabytes."""
    return lambda wildcards, input, attempt: run_minutes(step, _size(wildcards, input, reads), attempt)


def _size(wildcards: Any, input: Iterable[Path | str], reads: Reads | None) -> float:
    return size_mb(map(Path, reads(wildcards) if reads else input))
