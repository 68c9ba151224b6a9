"""What made a result: versions and checksums; what a step says when it fails."""

import contextlib
import hashlib
import platform
import re
import sys
import traceback
import warnings
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from recovery_microglia import __version__
from recovery_microglia.core.errors import InputError
from recovery_microglia.jobs.costs import Job, write_cost
from recovery_microglia.jobs.disk import what_the_disk_says

TOOLS = ("snakemake", "scanpy", "anndata", "leidenalg", "numpy", "pandas", "scipy", "umap-learn", "harmonypy")


def versions() -> dict[str, str]:
    """Return name to version of this package, Python and the libraries whose version can change a result."""
    found = {"recovery-microglia": __version__, "python": platform.python_version()}
    for name in TOOLS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


MISTAKE = "The input is wrong:\n"
"""Heads an `InputError` in a log, so that the run can repeat it at its end."""


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
    """Return what is told of jobs that a signal ended, from Snakemake's own log: they could leave no words."""
    signals = dict.fromkeys(re.findall(r"died with <Signals\.(SIG\w+)", log))
    told = {
        "SIGKILL": "often because the memory was used up; run fewer at once (--cores 1, or --resources mem_mb=8000)"
    }
    return [f"a job was ended from outside ({name}){f', {told[name]}' if name in told else ''}" for name in signals]


def _words(error: BaseException, near: Path) -> str:
    """Return what the user is told of an error that is not the code's; empty if it may be. ``near``: where it was."""
    match error:
        case InputError():
            return str(error)
        case OSError():
            return what_the_disk_says(error, near)
        case MemoryError():
            return "the memory is used up; run fewer jobs at once (snakemake --cores 1) or on a larger machine"
    return ""


@contextlib.contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Send what is printed, and the traceback of an error, to a log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream, contextlib.redirect_stderr(stream):
        warnings.simplefilter("default")
        with contextlib.redirect_stdout(stream):
            try:
                yield
            except Exception as error:
                if not isinstance(error, InputError):
                    with contextlib.suppress(OSError):
                        stream.write(traceback.format_exc())
                raise


@contextlib.contextmanager
def reporting(log: Path | str, costs: Path | str = "", *, reads: Iterable[Path | str] = ()) -> Iterator[Job]:
    """Run a step: what it prints goes to ``log``; bad input, or a disk that refuses, ends it with plain lines.

    Parameters
    ----------
    costs
        Where the step leaves what it cost, if it does.
    reads
        Files and folders that the step reads, for their size; the step may put others in its `Job`, and its cells.

    Raises
    ------
    SystemExit
        With status 1 where the step raised an `InputError`, the disk refused or the memory was used up; 130 after Ctrl-C.
    """
    path = Path(log)
    job = Job([Path(read) for read in reads])
    try:
        with _logged(path):
            yield job
            if costs:
                write_cost(job, Path(costs))
    except KeyboardInterrupt:  # Ctrl-C reaches every job; its traceback says nothing
        raise SystemExit(130) from None
    except Exception as error:
        words = _words(error, path.parent)
        if not words:
            raise
    else:
        return
    with contextlib.suppress(OSError), path.open("a", encoding="utf-8") as stream:
        stream.write(f"{MISTAKE}{words}\n")
    print(f"\n{words}\n", file=sys.__stderr__)
    raise SystemExit(1)
