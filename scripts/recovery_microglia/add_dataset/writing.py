"""A drafted entry on the disk: both files, or none."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from recovery_microglia.add_dataset.drafts import Entry
from recovery_microglia.add_dataset.sample_metadata import COLUMNS
from recovery_microglia.core.errors import InputError
from recovery_microglia.study.dataset import NAME


def sheet_text(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows as ``samples.tsv``; columns of which all fields are empty are left out, but not those to be filled in."""
    needed = ("library", "subject", "day", "condition", "sex", "chemistry", "batch", "file")
    columns = [name for name in COLUMNS if name in needed or any(row[name] for row in rows)]
    held = io.StringIO()
    writer = csv.DictWriter(
        held,
        columns,
        delimiter="\t",
        lineterminator="\n",
        extrasaction="ignore",
        quoting=csv.QUOTE_NONE,
        quotechar=None,
    )
    writer.writeheader()
    for row in rows:
        writer.writerow({name: re.sub(r"\s+", " ", row[name]).replace('"', "'") for name in columns})
    return held.getvalue()


def description_text(described: Mapping[str, Any]) -> str:
    """Return ``dataset.yaml``: a key without a value is to be filled in."""
    text = yaml.safe_dump(dict(described), sort_keys=False, allow_unicode=True, width=110)
    return re.sub(r": null$", ":", text, flags=re.MULTILINE)


def write_entry(entry: Entry, root: Path, *, force: bool = False) -> Path:
    """Write an entry under ``config/datasets``; both files, or none.

    Raises
    ------
    InputError
        The name cannot be that of a folder, or there is such an entry and ``force`` is not set.
    """
    if not re.fullmatch(NAME, entry.name):
        raise InputError(
            f"'{entry.name}' cannot be a data set's name: letters, digits, '.', '_' and '-' only; say another with --name"
        )
    folder = root / "config" / "datasets" / entry.name
    if folder.exists() and not force:
        raise InputError(f"{folder}: there already; say another name with --name, or --force to write it anew")
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"dataset.yaml": description_text(entry.described), "samples.tsv": sheet_text(entry.rows)}
    for name, text in texts.items():
        (folder / f".{name}.part").write_text(text, encoding="utf-8")
    for name in texts:
        (folder / f".{name}.part").replace(folder / name)
    return folder


def refuse_existing(name: str, root: Path, force: bool) -> None:
    """Refuse before anything is fetched."""
    if not force and (folder := root / "config" / "datasets" / name).exists():
        raise InputError(f"{folder}: there already; say another name with --name, or --force to write it anew")
