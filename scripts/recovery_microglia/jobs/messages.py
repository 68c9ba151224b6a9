"""What a user is told at the start of a run, at its end, and when it failed."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from recovery_microglia.jobs.disk import unusable
from recovery_microglia.jobs.failures import what_was_killed, what_went_wrong


def to_be_checked(facts: Mapping[str, Iterable[str]], targets: Collection[str] = ()) -> str:
    """Return what is told at the start: the facts of the entries that nobody has checked; empty if there are none.

    Parameters
    ----------
    facts
        Data set to its unchecked facts.
    targets
        What was asked for; the text of the target ``design`` says them itself.
    """
    told = [f"  {name}: {text}" for name, texts in facts.items() for text in texts]
    if not told or set(targets) == {"design"}:
        return ""
    return "\n".join(["", "To be checked before you rely on it:", *told, "", ""])


def pages_to_open(datasets: Iterable[str], results: Path) -> str:
    """Return what is told at the end: the pages that are there; empty if there are none."""
    pages = [(results / name / "report.html").resolve() for name in datasets]
    there = [f"  {page}" for page in pages if page.exists()]
    return "\n".join(["", "Done. Open in a browser:", *there, ""]) if there else ""


def failure(own_logs: Iterable[Path], results: Path, since: float) -> str:
    """Return what is told when a job failed: the plain lines of the failed jobs, below Snakemake's own words.

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
    return "\n".join(["", "Stopped.", *said, kept, ""])
