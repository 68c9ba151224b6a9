"""The texts that a run shows at its start, at its end, and when jobs failed."""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from recovery_microglia.jobs.disk import unusable
from recovery_microglia.jobs.log import MISTAKE


def to_be_checked(facts: Mapping[str, Iterable[str]], targets: Collection[str] = ()) -> str:
    """Return the text at the start: the facts of the entries that nobody has checked; empty if there are none.

    Parameters
    ----------
    facts
        Data set to its unchecked facts.
    targets
        What was asked for; the text of the target ``design`` says them itself.
    """
    lines = []
    for name, texts in facts.items():
        told = list(texts)
        lines += [f"  {name}: {text}" for text in told[:SHOWN_DOUBTS]]
        if more := len(told) - SHOWN_DOUBTS if len(told) > SHOWN_DOUBTS else 0:
            lines.append(f"  {name}: … and {more} more, in config/datasets/{name}/dataset.yaml (to_check)")
    if not lines or set(targets) == {"design"}:
        return ""
    return "\n".join(["", "To be checked before you rely on it:", *lines, "", ""])


SHOWN_DOUBTS = 3
"""Unchecked facts of a data set that are told at the start of a run; the page tells all."""


def pages_to_open(datasets: Iterable[str], results: Path) -> str:
    """Return the text at the end: the pages that are there; empty if there are none."""
    pages = [(results / name / "report.html").resolve() for name in datasets]
    there = [f"  {page}" for page in pages if page.exists()]
    return "\n".join(["", "Done. Open in a browser:", *there, ""]) if there else ""


def failure(own_logs: Iterable[Path], results: Path, since: float) -> str:
    """Return the text when a job failed: the plain lines of the failed jobs, below Snakemake's own words, and the pages that are there.

    Parameters
    ----------
    own_logs
        Snakemake's own logs; they are looked at where the jobs left no words.
    results
        Folder of the results, which holds the logs of the jobs.
    since
        When the run started, in seconds; older logs are of earlier runs.
    """
    wrong = what_went_wrong(sorted(results.glob("*/logs/*.log")), since)
    wrong = wrong or list(filter(None, [unusable(results)]))
    wrong = wrong or what_was_killed("".join(log.read_text(errors="replace") for log in own_logs))
    said = [f"  {line}" for line in wrong] or ["  See Snakemake's words above."]
    kept = "What was computed is kept: mend this and run the same command again."
    pages = [path for path in sorted(results.glob("*/report.html")) if path.stat().st_mtime >= since]
    there = ["These pages were finished:", *(f"  {page.resolve()}" for page in pages)] if pages else []
    return "\n".join(["", "Stopped.", *said, kept, *there, ""])


def what_went_wrong(logs: Iterable[Path], since: float) -> list[str]:
    """Return the plain lines of bad input, and the logs of other failures, from logs written after ``since``."""
    lines = []
    for path in logs:
        if path.stat().st_mtime < since:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if MISTAKE in text:
            lines += text.split(MISTAKE, 1)[1].strip().splitlines()
        elif "Traceback (most recent call last)" in text:
            lines.append(f"a step failed that should not have; its log says where: {path}")
    return lines


def what_was_killed(log: str) -> list[str]:
    """Return one line for each signal that ended jobs, from Snakemake's own log: such jobs leave no words."""
    signals = dict.fromkeys(re.findall(r"died with <Signals\.(SIG\w+)", log))
    causes = {
        "SIGKILL": "often because the memory was used up; run fewer at once (--cores 1, or --resources mem_mb=8000)"
    }
    return [f"a job was ended from outside ({name}){f', {causes[name]}' if name in causes else ''}" for name in signals]
