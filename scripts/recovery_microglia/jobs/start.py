"""The start of a run: what stops it before any job does anything."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from recovery_microglia.core.errors import InputError
from recovery_microglia.jobs.disk import unusable, what_the_disk_says


def stop(lines: Iterable[object]) -> NoReturn:
    """End before any job starts, with plain lines, each once."""
    print("", *dict.fromkeys(lines), "", sep="\n", file=sys.stderr)
    sys.exit(1)


def stop_if_unusable(*folders: Path) -> None:
    """End if nothing can be written into one of the folders."""
    if lines := [line for line in map(unusable, folders) if line]:
        stop(lines)


@contextmanager
def mistakes_stop() -> Iterator[None]:
    """End with the plain lines of the user's mistakes, or of what the disk refuses, if what is done inside finds any."""
    try:
        yield
    except InputError as mistakes:
        stop([mistakes])
    except OSError as error:
        if words := what_the_disk_says(error):
            stop([words])
        raise


def status_of(command: Callable[[], int | None]) -> int:
    """Run a command and print what it prints to the end; return its status, 130 after Ctrl-C, or 1 after the plain lines of the user's mistakes or of a disk that refuses."""
    try:
        status = command() or 0
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # its reader has seen enough (| head); what was asked for is written
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except (InputError, OSError) as error:
        said = str(error) if isinstance(error, InputError) else what_the_disk_says(error)
        if not said:
            raise
        print(said, file=sys.stderr)
        return 1
