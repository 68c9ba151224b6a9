"""How far a run is: its data sets, steps and libraries, and an estimate, in one plain line a finished job."""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from statistics import fmean
from typing import Any

Key = tuple[str, str]
"""Step and data set of a job; the data set is empty for what is made over all of them."""


def keys_of(jobs: Iterable[Any]) -> list[Key]:
    """Return step and data set of Snakemake's jobs, without those that have no work of their own."""
    return [(job.rule.name, job.wildcards.get("dataset", "")) for job in jobs if not job.is_norun]


class Progress(logging.Filter):
    """Sits before Snakemake's log and says of every finished job what it was and how far the run is.

    Snakemake's own words are 'Finished jobid: 9' and '12 of 35 steps done'. A filter sees them before they are written,
    so that what is said instead stands in the terminal and in the log file alike.

    Parameters
    ----------
    quietness
        What marks a line that ``--quiet progress`` hides.
    clock
        Seconds, for the estimate.
    """

    def __init__(self, quietness: object = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._quietness, self._clock = quietness, clock
        self._planned: Counter[Key] = Counter()
        self._done: Counter[Key] = Counter()
        self._known: dict[str, float] = {}
        self._took: defaultdict[str, list[float]] = defaultdict(list)
        self._running: dict[int, tuple[Key, str, float]] = {}
        self._began = clock()
        self._said = ""

    def plan(self, jobs: Iterable[Key], known: Mapping[str, float] | None = None) -> None:
        """Tell what a run will do, and how many seconds jobs of a step took in an earlier one."""
        self._planned, self._known, self._began = Counter(jobs), dict(known or {}), self._clock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Take note of jobs that begin and end; put the line in the place of Snakemake's count; drop idle talk."""
        if record.getMessage() == "Select jobs to execute...":
            return False
        match str(getattr(record, "event", "")):
            case "job_info":
                self._begin(vars(record))
            case "job_started":  # 'Execute 2 jobs...', before each of them is told
                return False
            case "job_finished":
                return not self._end(vars(record)["job_id"])
            case "progress" if self._said:
                vars(record).update(event=None, msg=self._said, quietness=self._quietness)
                self._said = ""
        return True

    def _begin(self, job: Mapping[str, Any]) -> None:
        wildcards = job.get("wildcards") or {}
        which = str(wildcards.get("library") or wildcards.get("file") or "")
        self._running[job["jobid"]] = ((str(job["rule_name"]), str(wildcards.get("dataset", ""))), which, self._clock())

    def _end(self, number: int) -> bool:
        """Note that a job has ended; return whether it was one that was planned."""
        key, which, began = self._running.pop(number, (("", ""), "", 0.0))
        if key not in self._planned:
            return False
        self._done[key] += 1
        self._took[key[0]].append(self._clock() - began)
        self._said = self._line(key, which)
        return True

    def _line(self, key: Key, which: str) -> str:
        step, dataset = key
        of = f" {self._done[key]} of {self._planned[key]}" if which else ""
        parts = [f"{dataset or 'all data sets'}: {step}{of} done{f' ({which})' if which else ''}"]
        parts.append(f"{self._done.total()} of {self._planned.total()} jobs")
        left = self.seconds_left()
        return " | ".join([*parts, *([] if left is None else [f"about {told(left)} left"])])

    def seconds_left(self) -> float | None:
        """Return an estimate of the seconds left; None while too little is known or nothing is left.

        A job still to be done is taken to last as those of its step did, in this run or else in an earlier one, or else
        as long as the mean job. Libraries run side by side as they did so far; the steps after them, one by one.
        """
        left = self._planned - self._done
        if not left or self._done.total() < 2:
            return None
        every = [seconds for some in self._took.values() for seconds in some]
        at_once = max(1.0, sum(every) / max(self._clock() - self._began, 1e-9))
        seconds = 0.0
        for (step, _), jobs in left.items():
            one = fmean(self._took[step]) if self._took.get(step) else self._known.get(step, fmean(every))
            seconds += one * jobs / (at_once if jobs > 1 else 1)
        return seconds


def told(seconds: float) -> str:
    """Return a time as one says it: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{max(10 * round(seconds / 10), 10)} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
