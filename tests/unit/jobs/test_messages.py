"""What a user is told at the start of a run, at its end, and when it failed."""

import os
from pathlib import Path

from recovery_microglia.jobs.log import MISTAKE
from recovery_microglia.jobs.messages import failure, pages_to_open, to_be_checked

UNCHECKED = {"demo": (), "sni": ("The day is a guess.", "Are these nuclei?")}


def log(results: Path, name: str, text: str) -> Path:
    path = results / "sni" / "logs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_what_nobody_has_checked_is_told_at_the_start() -> None:
    told = "\nTo be checked before you rely on it:\n  sni: The day is a guess.\n  sni: Are these nuclei?\n\n"
    assert to_be_checked(UNCHECKED) == told
    assert to_be_checked(UNCHECKED, {"design", "all"}) == told
    assert to_be_checked({"demo": ()}) == ""


def test_the_design_says_itself_what_nobody_has_checked() -> None:
    assert to_be_checked(UNCHECKED, ["design"]) == ""


def test_the_pages_that_are_there_are_named_at_the_end(tmp_path: Path) -> None:
    assert pages_to_open(["demo", "sni"], tmp_path) == ""
    page = tmp_path / "sni" / "report.html"
    page.parent.mkdir()
    page.write_text("")
    assert pages_to_open(["demo", "sni"], tmp_path) == f"\nDone. Open in a browser:\n  {page.resolve()}\n"


def test_a_failure_is_told_in_the_words_of_this_runs_jobs(tmp_path: Path) -> None:
    log(tmp_path, "library.A.log", f"{MISTAKE}data/A.csv: no counts\n")
    os.utime(log(tmp_path, "library.B.log", f"{MISTAKE}mended since\n"), (5, 5))
    assert failure([], tmp_path, since=10) == (
        "\nStopped.\n  data/A.csv: no counts\nWhat was computed is kept: mend this and run the same command again.\n"
    )


def test_a_failure_names_the_pages_that_this_run_has_finished(tmp_path: Path) -> None:
    for name, when in (("new", 20), ("old", 5)):
        page = tmp_path / name / "report.html"
        page.parent.mkdir()
        page.touch()
        os.utime(page, (when, when))
    said = failure([], tmp_path, since=10)
    assert said.endswith(f"again.\nThese pages were finished:\n  {(tmp_path / 'new/report.html').resolve()}\n")


def test_a_job_that_was_killed_is_told_from_snakemakes_own_log(tmp_path: Path) -> None:
    own = tmp_path / "snakemake.log"
    own.write_text("Command died with <Signals.SIGKILL: 9>.")
    assert "  a job was ended from outside (SIGKILL), often because the memory was used up" in failure(
        [own], tmp_path, 0
    )


def test_a_failure_without_words_points_to_snakemakes(tmp_path: Path) -> None:
    assert "\n  See Snakemake's words above.\n" in failure([], tmp_path, 0)


def test_of_many_facts_the_first_three_are_told_and_how_many_more() -> None:
    said = to_be_checked({"x": [f"fact {k}" for k in range(1, 6)], "y": ["one"]})
    assert [line.strip() for line in said.splitlines() if line.startswith("  ")] == [
        "x: fact 1", "x: fact 2", "x: fact 3", "x: … and 2 more, in config/datasets/x/dataset.yaml (to_check)", "y: one",
    ]  # fmt: skip
