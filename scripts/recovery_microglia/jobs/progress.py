"""How far a run is: its data sets, steps and libraries, and an estimate, in one plain line a finished job."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from statistics import fmean
from typing import Any

Key = tuple[str, str]
"""Step and data set of a job; the data set is empty for what is made over all of them."""

USUAL = {
    "simulate": 10.0,
    "split": 20.0,
    "library": 2.0,
    "myeloid": 10.0,
    "embedding": 16.0,
    "recovery": 15.0,
    "timeline": 24.0,
    "summary": 4.0,
    "report": 5.0,
}
"""Seconds of a job of each step in the demo: what counts is how long the steps are beside each other."""
OTHERS = 1.5
"""Seconds of a job of a step that is not among these: they write a small table or page."""
LEAST, MOST = 0.3, 30.0
"""Bounds of how much slower than in the demo, or in the earlier run, jobs that none was seen of are taken to be."""


def keys_of(jobs: Iterable[Any]) -> list[Key]:
    """Return step and data set of Snakemake's jobs, without those that have no work of their own."""
    return [(job.rule.name, job.wildcards.get("dataset", "")) for job in jobs if not job.is_norun]


class Progress:
    """Counts the jobs of a run that begin and end, and says how far the run is.

    Parameters
    ----------
    clock
        Seconds, for the estimate.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._planned: Counter[Key] = Counter()
        self._done: Counter[Key] = Counter()
        self._known: dict[str, float] = {}
        self._took: defaultdict[str, list[float]] = defaultdict(list)
        self._running: dict[int, tuple[Key, str, float]] = {}
        self._at_once = 1

    def plan(self, jobs: Iterable[Key], known: Mapping[str, float] | None = None) -> None:
        """Tell what a run will do, and how many seconds jobs of a step took in an earlier one."""
        self._planned, self._known = Counter(jobs), dict(known or {})

    @property
    def planned(self) -> int:
        """How many jobs the run will do."""
        return self._planned.total()

    @property
    def done(self) -> int:
        """How many of them are done."""
        return self._done.total()

    def begin(self, number: int, step: str, wildcards: Mapping[str, str]) -> None:
        """Note that a job begins."""
        which = str(wildcards.get("library") or wildcards.get("file") or "")
        self._running[number] = ((step, str(wildcards.get("dataset", ""))), which, self._clock())
        self._at_once = max(self._at_once, sum(key in self._planned for key, _, _ in self._running.values()))

    def end(self, number: int) -> str:
        """Note that a job has ended; return the line that says so, empty for a job that was not planned."""
        key, which, began = self._running.pop(number, (("", ""), "", 0.0))
        if key not in self._planned:
            return ""
        self._done[key] += 1
        self._took[key[0]].append(self._clock() - began)
        return self._line(key, which)

    def _line(self, key: Key, which: str) -> str:
        step, dataset = key
        of = f" {self._done[key]} of {self._planned[key]}" if which else ""
        parts = [f"{dataset or 'all data sets'}: {step}{of} done{f' ({which})' if which else ''}"]
        parts.append(f"{self.done} of {self.planned} jobs")
        left = self.seconds_left()
        return " | ".join([*parts, *([] if left is None else [f"about {told(left)} left"])])

    def seconds_left(self) -> float | None:
        """Return an estimate of the seconds left; None while too little is known or nothing is left.

        A job still to be done is taken to last as the last ones of its step did. Where none of its step is done yet, it is taken
        to last as in an earlier run, or else as in the demo, times how much slower the others have been than there: a
        step that takes long says nothing of a short one. Libraries run side by side as they did so far; the steps after
        them, one by one.
        """
        left = self._planned - self._done
        if not left or self.done < 2:
            return None
        slower, now = self._slower(), self._clock()
        seconds = 0.0
        for key, jobs in left.items():
            one = self._lately(key[0]) if self._took.get(key[0]) else self._expected(key[0]) * slower
            behind = sum(min(now - began, one) for running, _, began in self._running.values() if running == key)
            seconds += (one * jobs - behind) / min(self._at_once, jobs)
        return seconds

    def _expected(self, step: str) -> float:
        return self._known.get(step) or USUAL.get(step, OTHERS)

    def _lately(self, step: str) -> float:
        """Return the mean seconds of the later half of a step's jobs: the first compile, and read what is not yet in memory."""
        took = self._took[step]
        return fmean(took[len(took) // 2 :])

    def _slower(self) -> float:
        """Return how many times longer than expected the steps have taken that some jobs were done of."""
        seen = [step for step, took in self._took.items() if took]
        ratio = sum(map(self._lately, seen)) / sum(map(self._expected, seen))
        return min(max(ratio, LEAST), MOST)


def told(seconds: float) -> str:
    """Return a time as one says it: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{max(10 * round(seconds / 10), 10)} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
