"""How a step of a run is logged: what it prints, its costs, and plain words where its input is wrong."""

import contextlib
import sys
import traceback
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from recovery_microglia.core.errors import InputError
from recovery_microglia.jobs.costs import Job, write_cost
from recovery_microglia.jobs.disk import what_the_disk_says
from recovery_microglia.jobs.interrupts import plain_interrupts

MISTAKE = "The input is wrong:\n"
"""Heads an `InputError` in a log, so that the run can repeat it at its end."""


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
    if "snakemake" in vars(sys.modules["__main__"]):  # a job of a run, not a test of one
        plain_interrupts()
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
