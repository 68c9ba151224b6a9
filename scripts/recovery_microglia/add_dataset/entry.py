"""A new data set: from an accession or a folder to an entry under ``config/datasets``."""

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from recovery_microglia.add_dataset.matrices import file_of_sample, find_libraries, try_reading
from recovery_microglia.add_dataset.sample_metadata import COLUMNS, Told, draft_rows
from recovery_microglia.add_dataset.study_metadata import Study, read_study
from recovery_microglia.core.errors import InputError, shortened
from recovery_microglia.deposit.downloads import fetched_path, is_archive, record_path
from recovery_microglia.deposit.fetch import fetch
from recovery_microglia.deposit.soft import Series, read_soft, soft_file
from recovery_microglia.study.dataset import NAME, load_dataset
from recovery_microglia.study.samples import read_samples
from recovery_microglia.timeline.fractions import TimelineSettings
from recovery_microglia.timeline.power import plan, words

_MATRIX_LIKE = re.compile(r"count|matrix|\.mtx|umi|\.h5|dge|expression|raw", re.IGNORECASE)
_LIST_LIKE = re.compile(r"barcode|feature|gene|meta|annot", re.IGNORECASE)
_USELESS = re.compile(r"\.(rds|rdata|pdf|xlsx?|html?)(\.gz)?$|filelist|normali[sz]ed|fpkm|tpm", re.IGNORECASE)


@dataclass
class Entry:
    """A drafted data set: ``dataset.yaml`` as a mapping, the rows of the sheet, and what reading the files showed."""

    name: str
    described: dict[str, Any]
    rows: list[dict[str, str]]
    read: dict[str, str] = field(default_factory=dict)

    @property
    def to_check(self) -> list[str]:
        """What is unsure."""
        found: list[str] = self.described.get("to_check", [])
        return found


# ---------------------------------------------------------------- a series


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


def _downloads(series: Series, told: Sequence[Told], taken: Sequence[Mapping[str, str]]) -> tuple[list[str], list[str]]:
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
        "The counts of all libraries seem to be in one file: say under split: how the cells are told apart."
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
        Told(s.gsm, s.title, {**s.characteristics, **({"source": s.source} if s.source else {})}, s.organism, s.strategy,
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


# ---------------------------------------------------------------- a folder


def draft_folder(folder: Path, name: str) -> Entry:
    """Draft an entry from the files of a folder: their names tell, and reading them shows whether they are counts.

    Raises
    ------
    InputError
        There is no such folder, or no count matrix in it.
    """
    holders = find_libraries(folder)
    told = [Told(holder.file, holder.title or folder.name, file=holder.file) for holder in holders]
    draft = draft_rows(told)
    read = try_reading(folder, holders)
    unread = []
    for row in draft.rows:
        said = read.get(row["file"], "")
        if said.startswith("not: the genes are"):
            row |= {"include": "no", "condition": row["condition"] or "other", "reason": said.removeprefix("not: ")}
        elif said.startswith("not: "):
            unread.append(f"{row['file']} cannot be read: {said.removeprefix('not: ')}.")
    if len(holders) == 1:
        unread.append(
            f"One matrix was found ({holders[0].file}); if it holds several libraries, give each a row and say under split how to tell them apart."
        )
    study = read_study("", "", told)
    lines = [f"The sheet was drafted from the names of the files in {folder} by scripts/add_dataset.py."]
    described = _description(study, name.replace("_", " "), [*lines, *unread, *study.to_check, *draft.to_check])
    described["folder"] = str(folder.expanduser().resolve())
    return Entry(name, described, draft.rows, read)


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


# ---------------------------------------------------------------- writing and judging


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


def mistakes_of(name: str, root: Path) -> list[str]:
    """Return what keeps an entry from being run: what is to be filled in, one line each."""
    try:
        load_dataset(Path("config/datasets") / name if root == Path() else root / "config" / "datasets" / name,
                     root / "workflow" / "schemas", root=root)  # fmt: skip
    except InputError as error:
        return str(error).splitlines()
    return []


def audit_text(entry: Entry, folder: Path, root: Path) -> str:
    """Return what the design can show, as far as it is known: libraries without a condition take no part."""
    known = [row for row in entry.rows if row["condition"]]
    if not known:
        return "What the design can show cannot be said before the column condition is filled in.\n"
    part = folder / ".known.part"
    part.write_text(sheet_text(known), encoding="utf-8")
    try:
        libraries = read_samples(part, root / "workflow" / "schemas" / "samples.yaml")
    except InputError as error:
        return f"What the design can show cannot be said yet:\n  {str(error).replace(str(part), 'samples.tsv')}\n"
    finally:
        part.unlink()
    frame = pd.DataFrame([vars(library) for library in libraries]).astype({"day": "float64"})
    found, days = plan(frame, TimelineSettings())
    left = len(entry.rows) - len(known)
    head = "What this design can show" + (
        f", without the {left} libraries whose condition is not known" if left else ""
    )
    return words(head, found, days, TimelineSettings())


def told_text(entry: Entry, folder: Path, root: Path) -> str:
    """Return what the user is told: what was read, what is unsure, what the design can show, and what to do next."""
    taken = [row for row in entry.rows if row["include"] == "yes"]
    n = len(entry.rows)
    lines = [
        f"{folder.relative_to(root)}: {n} librar{'y' if n == 1 else 'ies'}, {len(entry.rows) - len(taken)} left out.",
        "",
    ]
    for column in ("day", "condition", "sex", "chemistry", "subject", "file"):
        values = [row[column] for row in taken]
        known = sorted({value for value in values if value}, key=lambda v: (float(v) if column == "day" else 0, v))
        shown = f": {', '.join(known[:8])}{' …' if len(known) > 8 else ''}" if column not in ("file", "subject") else ""
        lines.append(f"  {column:10} known of {sum(map(bool, values))} of {len(taken)}{shown}")
    lines += [
        f"  read       {file}: {said}" for file, said in list(entry.read.items())[:12] if not said.startswith("not:")
    ]
    lines += [f"  left out   {row['library']}: {row['reason']}" for row in entry.rows if row["include"] == "no"][:12]
    lines += [
        "",
        "To check:",
        *(f"  - {sentence}" for sentence in entry.to_check),
        "",
        audit_text(entry, folder, root).rstrip(),
    ]
    wrong = mistakes_of(entry.name, root)
    lines += ["", "What to do next:"]
    if wrong:
        lines += [f"  1. Fill in what is empty in {folder.relative_to(root)}/; the run refuses to start until then:"]
        lines += [f"     {line.replace(f'{root}/', '')}" for line in shortened(wrong, 12)]
    else:
        lines += [
            f"  1. Read {folder.relative_to(root)}/samples.tsv beside the paper, correct it, and delete what you checked from to_check."
        ]
    run = f".venv/bin/snakemake --cores 8 --config 'datasets=[{entry.name}]'"
    lines += [
        f"  2. See what the design can show:  {run.replace('8', '1', 1)} -- design",
        f"  3. Run it:                        {run}",
    ]
    return "\n".join([*lines, ""])


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
        What the user is told.

    Raises
    ------
    InputError
        In plain lines; then nothing was written.
    """
    path = Path(source).expanduser()
    if re.fullmatch(r"GSE\d+", source.strip(), re.IGNORECASE):
        accession = source.strip().upper()
        _refuse_existing(name or accession, root, force)
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


def _refuse_existing(name: str, root: Path, force: bool) -> None:
    """Refuse before anything is fetched."""
    if not force and (folder := root / "config" / "datasets" / name).exists():
        raise InputError(f"{folder}: there already; say another name with --name, or --force to write it anew")
