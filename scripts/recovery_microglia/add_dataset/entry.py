"""A new data set: from an accession or a folder to an entry under ``config/datasets``."""

import os
import re
from pathlib import Path

from recovery_microglia.add_dataset.advice import told_text
from recovery_microglia.add_dataset.drafts import draft_folder, draft_series, get_soft
from recovery_microglia.add_dataset.writing import refuse_existing, write_entry
from recovery_microglia.core.errors import InputError, cut
from recovery_microglia.core.files import wrong_path
from recovery_microglia.deposit.soft import read_soft


def add_dataset(source: str, root: Path, *, name: str = "", force: bool = False) -> str:
    """Draft, write and judge an entry.

    Parameters
    ----------
    source
        A GEO accession (GSE…), a family SOFT file, or a folder of files.
    root
        The project's root.
    name
        Name of the entry; the accession, or the folder's name, if empty.
    force
        Whether an entry of this name is written anew.

    Returns
    -------
    str
        The report on it, see `told_text`.

    Raises
    ------
    InputError
        In plain lines; then nothing was written.
    """
    if why := wrong_path(source) if source.strip() else "empty; needed: a folder, or an accession (GSE…)":
        raise InputError(f"'{cut(source)}': {why}")
    path = Path(source).expanduser()
    if re.fullmatch(r"GSE\d+", source.strip(), re.IGNORECASE):
        accession = source.strip().upper()
        refuse_existing(name or accession, root, force)
        entry = draft_series(
            read_soft(get_soft(accession, root, mirror=os.environ.get("GEO_MIRROR", ""))), name or accession
        )
    elif path.is_dir():
        entry = draft_folder(path, name or re.sub(r"[^\w.-]+", "_", path.resolve().name))
    elif path.is_file() and ".soft" in path.name:
        series = read_soft(path)
        entry = draft_series(series, name or series.accession)
    else:
        raise InputError(
            f"{source}: neither an accession of a GEO series (GSE…) nor a folder nor a family.soft.gz file"
        )
    folder = write_entry(entry, root, force=force)
    return told_text(entry, folder, root)
