"""One line a finished job: data set, step, libraries done, an estimate; a bar in a terminal."""

import io
import logging
import queue
from collections.abc import Callable
from logging.handlers import QueueHandler
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from recovery_microglia.jobs.progress import Progress, keys_of, told
from recovery_microglia.jobs.progress_log import follow


class Watch:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


Job = tuple[str, str, str, float]


@pytest.fixture
def run(watch: Watch) -> Callable[..., list[str]]:
    """Let jobs of given seconds begin and end, one by one; returns what is said."""
    progress = Progress(clock=watch)

    def jobs(*made: Job, plan: list[tuple[str, str]], known: dict[str, float]) -> list[str]:
        progress.plan(plan, known)
        said = []
        for number, (step, dataset, library, seconds) in enumerate(made):
            progress.begin(number, step, {"dataset": dataset, **({"library": library} if library else {})})
            watch.now += seconds
            said.append(progress.end(number))
        return said

    return jobs


PLAN = [("library", "sni")] * 10 + [("timeline", "sni"), ("library", "demo")]


def test_a_finished_job_is_told_by_data_set_step_and_count(run: Callable[..., list[str]]) -> None:
    made = [("library", "sni", "D1_1", 60), ("library", "demo", "N1", 60), ("library", "sni", "D1_2", 60)]
    said = run(*made, plan=PLAN, known={"library": 60, "timeline": 600})
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


def test_jobs_that_were_not_planned_are_not_told(run: Callable[..., list[str]]) -> None:
    assert run(("all", "", "", 0), plan=[], known={}) == [""]


def left(said: str) -> float:
    """Return the seconds of an estimate."""
    number, unit = said.rpartition("about ")[2].removesuffix(" left").split()
    return float(number) * {"s": 1, "min": 60, "h": 3600}[unit]


def test_a_first_run_of_the_demo_is_not_estimated_many_times_too_long(run: Callable[..., list[str]]) -> None:
    """Seconds of a first `make demo`: the first library compiles. Earlier estimates were up to 13 times too long."""
    libraries: list[Job] = [("library", "demo", f"L{k}", 12 if k == 0 else 1.8) for k in range(24)]
    late: list[Job] = [("myeloid", "demo", "", 10), ("embedding", "demo", "", 16), ("recovery", "demo", "", 15)]
    late += [("timeline", "demo", "", 24), ("summary", "demo", "", 4), ("report", "demo", "", 5)]
    made = [("simulate", "demo", "", 9.5), *libraries, *late]
    said = run(*made, plan=[(step, name) for step, name, _, _ in made], known={})
    truth = [sum(job[3] for job in made[done:]) for done in range(1, len(made) + 1)]
    ratios = [left(line) / true for line, true in zip(said[1:-1], truth[1:-1], strict=True)]
    assert max(ratios) < 4  # when one library is done, and it was the one that compiles
    # from the fourth library on: seconds are said in tens, and the steps to come are known from the demo on another machine
    assert all(0.5 < ratio < 2 for ratio, true in zip(ratios[3:], truth[4:-1], strict=True) if true > 20)


def test_libraries_that_run_side_by_side_take_less_time(watch: Watch) -> None:
    alone, together = Progress(clock=watch), Progress(clock=watch)
    for progress, at_once in ((alone, 1), (together, 4)):
        progress.plan([("library", "a")] * 44)
        for start in range(0, 4, at_once):
            for number in range(start, start + at_once):
                progress.begin(number, "library", {"dataset": "a", "library": "x"})
            watch.now += 10
            for number in range(start, start + at_once):
                progress.end(number)
    assert alone.seconds_left() == 400
    assert together.seconds_left() == 100


def test_what_a_running_job_has_behind_it_is_not_left(watch: Watch) -> None:
    progress = Progress(clock=watch)
    progress.plan(
        [("simulate", "a"), ("timeline", "a"), ("embedding", "a"), ("summary", "a")], {"timeline": 600, "embedding": 10}
    )
    progress.begin(1, "simulate", {"dataset": "a"})
    watch.now += 10  # as in the demo
    progress.end(1)
    progress.begin(2, "timeline", {"dataset": "a"})
    watch.now += 590
    progress.begin(3, "embedding", {"dataset": "a"})
    watch.now += 5
    progress.end(3)
    assert progress.seconds_left() == pytest.approx(
        5 * 0.75 + 4 * 0.75, abs=6
    )  # the rest of the timeline, and a summary


class Screen(io.StringIO):
    """What a terminal is written."""

    def isatty(self) -> bool:
        return True


def through_snakemakes_log(stream: io.StringIO, file: Path, *, silent: bool = False) -> tuple[str, str]:
    """Log two jobs as Snakemake does; return what stands on the stream and in the log file."""
    logger = logging.Logger("test")
    for handler in (logging.StreamHandler(stream), logging.FileHandler(file)):
        handler.addFilter(lambda record: not (silent and getattr(record, "quietness", "") == "the mark"))
        logger.addHandler(handler)
    progress = Progress()
    progress.plan([("library", "a"), ("timeline", "a")])
    follow(logger, SimpleNamespace(quiet=()), progress, "the mark", silent=silent)  # type: ignore[arg-type]
    for number, (step, wildcards) in enumerate(
        [("library", {"dataset": "a", "library": "x"}), ("timeline", {"dataset": "a"})]
    ):
        logger.info("Select jobs to execute...")
        logger.info("Execute 1 jobs...", extra={"event": LogEvent.JOB_STARTED})
        begin = {"event": LogEvent.JOB_INFO, "jobid": number, "rule_name": step, "wildcards": wildcards}
        logger.info(f"a: {step} begins", extra=begin)
        logger.info(f"Finished jobid: {number}", extra={"event": LogEvent.JOB_FINISHED, "job_id": number})
        logger.info("1 of 9 steps done", extra={"event": LogEvent.PROGRESS})
    for handler in logger.handlers:
        handler.close()
    return stream.getvalue(), file.read_text()


def test_a_file_gets_lines_in_the_place_of_snakemakes_count(tmp_path: Path) -> None:
    said, logged = through_snakemakes_log(io.StringIO(), tmp_path / "log")
    assert said.splitlines() == [
        "a: library begins",
        "a: library 1 of 1 done (x) | 1 of 2 jobs",
        "a: timeline begins",
        "a: timeline done | 2 of 2 jobs",
    ]
    assert logged == said


def test_a_terminal_gets_a_bar_and_its_log_the_lines(tmp_path: Path) -> None:
    said, logged = through_snakemakes_log(Screen(), tmp_path / "log")
    bars = [part for part in said.split("\r") if "|" in part and "%" in part]
    assert any(part.startswith(" 50% |") and "a: library 1 of 1 done (x) | 1 of 2 jobs" in part for part in bars)
    assert said.count("begins\n") == 2  # what jobs begin is told above the bar
    assert said.endswith("a: timeline done | 2 of 2 jobs\n")  # and the bar is gone at the end
    assert "a: library 1 of 1 done (x) | 1 of 2 jobs\n" in logged
    assert "steps done" not in said + logged


def test_where_snakemake_hands_its_log_on_by_a_queue_it_gets_the_lines_too() -> None:
    heard: queue.Queue[logging.LogRecord] = queue.Queue()
    logger = logging.Logger("test")
    logger.addHandler(QueueHandler(heard))
    progress = Progress()
    progress.plan([("timeline", "a")])
    follow(logger, SimpleNamespace(quiet=()), progress, "the mark", silent=False)  # type: ignore[arg-type]
    begin = {"event": LogEvent.JOB_INFO, "jobid": 1, "rule_name": "timeline", "wildcards": {"dataset": "a"}}
    logger.info("begins", extra=begin)
    logger.info("Finished jobid: 1", extra={"event": LogEvent.JOB_FINISHED, "job_id": 1})
    assert [heard.get().getMessage() for _ in range(heard.qsize())] == ["begins", "a: timeline done | 1 of 1 jobs"]


@pytest.mark.parametrize("stream", [Screen, io.StringIO])
def test_progress_can_be_silenced(stream: type[io.StringIO], tmp_path: Path) -> None:
    said, _ = through_snakemakes_log(stream(), tmp_path / "log", silent=True)
    assert said == "a: library begins\na: timeline begins\n"


def test_times_are_told_as_one_says_them() -> None:
    assert [told(seconds) for seconds in (3, 44, 600, 9000)] == ["10 s", "40 s", "10 min", "2.5 h"]


def test_jobs_are_known_by_step_and_data_set() -> None:
    def job(step: str, wildcards: dict[str, str], *, nothing_to_do: bool = False) -> SimpleNamespace:
        return SimpleNamespace(rule=SimpleNamespace(name=step), wildcards=wildcards, is_norun=nothing_to_do)

    made = [job("library", {"dataset": "a", "library": "x"}), job("index", {}), job("all", {}, nothing_to_do=True)]
    assert keys_of(made) == [("library", "a"), ("index", "")]
