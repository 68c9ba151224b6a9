"""Which run is alive in a folder: locks that a killed run left behind are taken away."""

import contextlib
import fcntl
import shutil
from pathlib import Path
from typing import IO


def hold(folder: Path) -> IO[str] | None:
    """Mark a project's folder as one in which a run is alive, and take away the locks of runs that are not.

    Snakemake locks what it works on with files. A run that was killed, or ran into a power cut, leaves them behind, and
    the next one refuses to start. Here every run holds a lock of the operating system's beside them, which dies with it:
    where nobody else holds one, locks that lie there are left over.

    Parameters
    ----------
    folder
        The folder of the run's own records, ``.snakemake``.

    Returns
    -------
    IO or None
        Keep it as long as the run lives. None where the disk knows no such locks; then nothing is taken away.
    """
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        held = (folder / "alive").open("a")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # another run is alive: the locks may be its own
        else:
            shutil.rmtree(folder / "locks", ignore_errors=True)
        fcntl.flock(held, fcntl.LOCK_SH)
        return held
    return None
