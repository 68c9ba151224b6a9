"""Folders for what is needed for a moment, which go when their job is done; those of killed jobs go with the next one."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PREFIX = "recovery-microglia-"
YOUNG = 60
"""Seconds in which a folder may be there before its job holds its lock."""


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder in the folder for temporary files, and take it away at the end.

    A job that is killed cannot do that, and an unpacked archive would lie there for ever. Every job holds a lock of the operating
    system's in its folder, which dies with it: folders whose lock nobody holds are taken away first.
    """
    remove_left_over(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX) as made, Path(made, "alive").open("a") as held:
        with contextlib.suppress(OSError):  # some network disks know no such locks
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        inside = Path(made, "files")
        inside.mkdir()
        yield inside


def remove_left_over(folder: Path) -> None:
    """Take away our folders whose jobs are dead; those of other users, and of other programs, stay."""
    for path in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            lock = path / "alive"
            about = lock.stat()
            if about.st_uid != os.getuid() or time.time() - about.st_mtime < YOUNG:
                continue
            with lock.open("a") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
