"""A drafted entry, from a series or a folder."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recovery_microglia.add_dataset.found_samples import samples_of
from recovery_microglia.add_dataset.matrices import file_of_sample
from recovery_microglia.add_dataset.sample_metadata import SampleDescription, draft_rows
from recovery_microglia.add_dataset.study_metadata import Study, read_study
from recovery_microglia.core.errors import InputError
from recovery_microglia.deposit.archives import is_archive
from recovery_microglia.deposit.fetch import fetch
from recovery_microglia.deposit.manifest import fetched_path, record_path
from recovery_microglia.deposit.soft import Series, soft_file

_MATRIX_LIKE = re.compile(r"count|matrix|\.mtx|umi|\.h5|dge|expression|raw", re.IGNORECASE)


_LIST_LIKE = re.compile(r"barcode|feature|gene|meta|annot", re.IGNORECASE)


_USELESS = re.compile(r"\.(rds|rdata|pdf|xlsx?|html?)(\.gz)?$|filelist|normali[sz]ed|fpkm|tpm", re.IGNORECASE)


@dataclass
class Entry:
    """A drafted data set: ``dataset.yaml`` as a mapping, the rows of the sheet, what reading the files showed, and what was passed over."""

    name: str
    described: dict[str, Any]
    rows: list[dict[str, str]]
    read: dict[str, str] = field(default_factory=dict)
    passed_over: str = ""

    @property
    def to_check(self) -> list[str]:
        """What is unsure."""
        found: list[str] = self.described.get("to_check", [])
        return found


def get_soft(accession: str, root: Path, *, mirror: str = "") -> Path:
    """Fetch the SOFT file of a series, unless it is there, and return where it lies.

    Raises
    ------
    InputError
        It cannot be had.
    """
    file = soft_file(accession)
    folder = root / "resources" / accession / "soft"
    places = fetched_path(accession, file.name, root), record_path(accession, file.name, root)
    fetch(file, folder, *places, mirror=mirror)
    return folder / file.name


def _downloads(
    series: Series, told: Sequence[SampleDescription], taken: Sequence[Mapping[str, str]]
) -> tuple[list[str], list[str]]:
    """Return the names of the files to fetch, and what is unsure about them."""
    own = {sample.gsm: sample.files for sample in series.samples}
    wanted = {row["x_gsm"] for row in taken}
    files = {one.name: one.file for one in told if one.name in wanted}
    if all(files.values()):
        names = [name for gsm in files for name in own[gsm] if name.startswith(files[gsm])]
        alone = names and all(any(name.startswith(file) for name in names) for file in files.values())
        if alone and not any(is_archive(name) for name in names):
            return names, []
        archive = [name for name in series.files if name.upper().endswith("_RAW.TAR")]
        return archive or [f"{series.accession}_RAW.tar"], []
    shared = [name for name in series.files if not _USELESS.search(name) and not name.upper().endswith("_RAW.TAR")]
    if any(files.values()) or not shared:
        return [name for name in series.files if name.upper().endswith("_RAW.TAR")] or shared, [
            "Which files hold the counts is not clear: complete download.files and the column file."
        ]
    return shared, [
        "The counts of all libraries seem to be in one file: say under split: how the cells are assigned to libraries."
    ]


def _shared_matrix(names: Sequence[str]) -> str:
    """Return the one file of a series that seems to hold the counts of all libraries; empty if none or several do."""
    likely = [name for name in names if _MATRIX_LIKE.search(name) and not _LIST_LIKE.search(name)]
    return likely[0] if len(likely) == 1 else ""


def _citation(series: Series) -> str:
    first = series.contributors[0].split(",")[-1].strip() if series.contributors else ""
    who = f"{first} et al. " if first else ""
    pubmed = f" PMID {', '.join(series.pubmed)}." if series.pubmed else ""
    return f"{who}{series.title}. {f'{series.year}. ' if series.year else ''}GEO {series.accession}.{pubmed}"


def draft_series(series: Series, name: str) -> Entry:
    """Draft an entry from what a series says of itself.

    Raises
    ------
    InputError
        None of its samples is of mouse.
    """
    told = [
        SampleDescription(s.gsm, s.title, {**s.characteristics, **({"source": s.source} if s.source else {})}, s.organism, s.strategy,
             s.protocol, file_of_sample(s.files))
        for s in series.samples
    ]  # fmt: skip
    draft = draft_rows(told)
    taken = [row for row in draft.rows if row["include"] == "yes"]
    if not taken:
        what = ", ".join(sorted({row["reason"] for row in draft.rows}))
        raise InputError(f"{series.accession}: no library can be taken ({what})")
    kept = [one for one, row in zip(told, draft.rows, strict=True) if row["include"] == "yes"]
    files, unsure = _downloads(series, kept, taken)
    if unsure and not any(one.file for one in kept):
        for row in taken:
            row["file"] = _shared_matrix(files)
        draft.to_check = [line for line in draft.to_check if not line.startswith("Which file holds")]
    study = read_study(series.title, series.summary, kept)
    lines = [
        f"The sheet was drafted from the records of {series.accession} by scripts/add_dataset.py; compare it with the paper."
    ]
    described = _description(study, series.title, [*lines, *study.to_check, *draft.to_check, *unsure])
    described |= {"accession": series.accession, "citation": _citation(series)}
    described["download"] = {"files": [{"name": file} for file in files]}
    return Entry(name, described, draft.rows)


def draft_folder(folder: Path, name: str) -> Entry:
    """Draft an entry from the files of a folder: their names tell, and reading them shows whether they are counts.

    Raises
    ------
    InputError
        There is no such folder, or no count matrix in it.
    """
    found = samples_of(folder)
    draft = draft_rows(found.told)
    study = read_study("", "", found.told)
    lines = [f"The sheet was drafted from the names of the files in {folder} by scripts/add_dataset.py."]
    described = _description(study, name.replace("_", " "), [*lines, *found.to_check, *study.to_check, *draft.to_check])
    described["folder"] = str(folder.expanduser().resolve())
    return Entry(name, described | found.more, draft.rows, found.read, found.passed_over)


def _description(study: Study, title: str, to_check: list[str]) -> dict[str, Any]:
    return {
        "title": title,
        "organism": "mouse",
        "injury_model": study.injury_model or None,
        "injury_class": study.injury_class or None,
        "tissue": study.tissue or None,
        "assay": study.assay,
        "enrichment": study.enrichment,
        "to_check": to_check,
    }
