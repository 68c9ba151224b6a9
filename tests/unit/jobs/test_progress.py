"""One line a finished job: data set, step, libraries done, an estimate."""

import logging
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from recovery_microglia.jobs.progress import Progress, keys_of, told


class Watch:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def run(watch: Watch) -> Callable[..., list[str]]:
    """Log as Snakemake does, through the filter: jobs of given seconds, ``side`` of them at once; returns what is said."""
    heard: list[str] = []
    log = logging.Logger("test")
    handler = logging.Handler()
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    log.addHandler(handler)
    progress = Progress("hidden by --quiet progress", clock=watch)
    log.addFilter(progress)

    def jobs(*made: tuple[str, str, str, float], plan: list[tuple[str, str]], known: dict[str, float]) -> list[str]:
        progress.plan(plan, known)
        for number, (step, dataset, library, seconds) in enumerate(made):
            wildcards = {"dataset": dataset, "library": library} if library else {"dataset": dataset}
            log.info("Select jobs to execute...")
            log.info("Execute 1 jobs...", extra={"event": "job_started"})
            log.info("", extra={"event": "job_info", "jobid": number, "rule_name": step, "wildcards": wildcards})
            watch.now += seconds
            log.info(f"Finished jobid: {number}", extra={"event": "job_finished", "job_id": number})
            log.info(None, extra={"event": "progress", "done": 1, "total": 9})
        return [text for text in heard if text]

    return jobs


PLAN = [("library", "sni")] * 10 + [("timeline", "sni"), ("library", "demo")]


def test_a_finished_job_is_told_by_data_set_step_and_count(run: Callable[..., list[str]]) -> None:
    made = [("library", "sni", "D1_1", 60), ("library", "demo", "N1", 60), ("library", "sni", "D1_2", 60)]
    said = run(*made, plan=PLAN, known={"timeline": 600})
    # eight more libraries of a minute, and a timeline that took ten minutes last time
    assert said == [
        "sni: library 1 of 10 done (D1_1) | 1 of 12 jobs",
        "demo: library 1 of 1 done (N1) | 2 of 12 jobs | about 19 min left",
        "sni: library 2 of 10 done (D1_2) | 3 of 12 jobs | about 18 min left",
    ]


def test_the_last_job_leaves_nothing(run: Callable[..., list[str]]) -> None:
    made = [("library", "a", "x", 5), ("library", "a", "y", 5), ("timeline", "a", "", 9)]
    said = run(*made, plan=[("library", "a")] * 2 + [("timeline", "a")], known={})
    assert said[-1] == "a: timeline done | 3 of 3 jobs"


def test_snakemakes_own_count_stays_for_jobs_that_were_not_planned(run: Callable[..., list[str]]) -> None:
    assert run(("all", "", "", 0), plan=[], known={}) == ["Finished jobid: 0", "None"]


def test_a_line_of_progress_can_be_silenced() -> None:
    progress = Progress("the mark")
    progress.plan([("library", "a")])
    begin = {"event": "job_info", "jobid": 1, "rule_name": "library", "wildcards": {"dataset": "a", "library": "x"}}
    records = [logging.makeLogRecord(begin), logging.makeLogRecord({"event": "job_finished", "job_id": 1})]
    records.append(logging.makeLogRecord({"event": "progress"}))
    assert [progress.filter(record) for record in records] == [True, False, True]
    assert records[-1].quietness == "the mark"  # type: ignore[attr-defined]


def test_times_are_told_as_one_says_them() -> None:
    assert [told(seconds) for seconds in (3, 44, 600, 9000)] == ["10 s", "40 s", "10 min", "2.5 h"]


def test_jobs_are_known_by_step_and_data_set() -> None:
    def job(step: str, wildcards: dict[str, str], *, nothing_to_do: bool = False) -> SimpleNamespace:
        return SimpleNamespace(rule=SimpleNamespace(name=step), wildcards=wildcards, is_norun=nothing_to_do)

    made = [job("library", {"dataset": "a", "library": "x"}), job("index", {}), job("all", {}, nothing_to_do=True)]
    assert keys_of(made) == [("library", "a"), ("index", "")]
