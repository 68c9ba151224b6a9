"""The disk that a run writes to: what its refusals mean."""

import errno
import os
import re
import shutil
from pathlib import Path

_PLAIN = {
    errno.ENOSPC: "the disk is full; make room",
    errno.EDQUOT: "your quota of disk space is used up; make room",
    errno.EROFS: "the disk can only be read; write the results elsewhere (snakemake --directory) or remount it",
    errno.EACCES: "you may not write or read this; ask for the rights",
    errno.EPERM: "you may not write or read this; ask for the rights",
    errno.ENOENT: "no such file: was it moved or deleted while the run went on?",
    errno.EIO: "the disk does not answer as it should (input/output error); is it whole, is the network up?",
    errno.ESTALE: "the network disk has lost this file; is the network up?",
    errno.ENOTDIR: "a file stands where a folder should be",
    errno.EISDIR: "a folder stands where a file should be",
    errno.ENAMETOOLONG: "a name or path that is too long for the disk; shorten it",
    errno.ELOOP: "a link that leads to itself; mend or remove it",
    errno.EMFILE: "too many open files; raise the limit (ulimit -n)",
}


def what_the_disk_says(error: OSError, near: Path | str = "") -> str:
    """Return in one plain line why a file could not be read or written; empty if that is not what the error is about.

    ``near`` is named where the error names no file. HDF5 tells the number of an error in its words only.
    """
    told = re.search(r"errno = (\d+)", str(error))
    number = error.errno if error.errno is not None else int(told[1]) if told else None
    if number not in _PLAIN:
        return ""
    named = re.search(r"(?:filename|name) = '([^']+)'", str(error))
    where = error.filename or (named[1] if named else near)
    return f"{f'{where}: ' if where else ''}{_PLAIN[number]}"


NEEDED_TO_START = 50_000_000
"""Bytes without which a run cannot even write its small tables."""


def unusable(folder: Path) -> str:
    """Return in one plain line why nothing can be written into a folder, made or not; empty if it can. Writes nothing."""
    place = next((path for path in (folder, *folder.absolute().parents) if path.exists()), folder)
    if not place.is_dir():
        return f"{place}: a file stands where the folder {folder} should be; move it away"
    if not os.access(place, os.W_OK | os.X_OK):
        return (
            f"{place}: cannot be written to; run elsewhere (snakemake --directory), remount it, or ask for the rights"
        )
    if (free := shutil.disk_usage(place).free) < NEEDED_TO_START:
        return f"{place}: the disk is full ({free / 1e6:.0f} MB free); make room"
    return ""
