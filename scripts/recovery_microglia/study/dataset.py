"""Data sets and their libraries, read and checked before any job starts.

All mistakes of a run are collected and reported together, one plain line each.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from recovery_microglia.core.errors import InputError, shortened
from recovery_microglia.core.genes import load_signatures
from recovery_microglia.core.schemas import check, defaults, hint, read_yaml, with_defaults
from recovery_microglia.core.tsv import read_tsv
from recovery_microglia.deposit.downloads import (
    MATRIX,
    Download,
    default_folder,
    fetched_path,
    is_fetched,
    is_list,
    lists_of,
    record_path,
)
from recovery_microglia.readers.split_rule import simulation_mistakes, split_mistakes
from recovery_microglia.study.samples import NEEDED, Library, read_behaviour, read_samples

NAME = r"\w[\w.-]*"
"""Name of a data set: it becomes part of paths, of rules' patterns and of commands."""
CONTROLS = ("naive", "sham", "contralateral")
"""Conditions whose microglia are controls."""


@dataclass(frozen=True)
class DataSet:
    """One study: an entry under ``config/datasets/``; ``path`` is its folder, ``folder`` the files'.

    ``downloads`` are fetched into ``folder``; ``to_check`` are the facts of the entry that nobody has checked.
    """

    name: str
    path: Path
    title: str
    organism: str
    injury_model: str
    injury_class: str
    tissue: str
    assay: str
    enrichment: str
    droplets: str
    folder: Path
    simulation: Mapping[str, Any] | None
    split: Mapping[str, str] | None
    accession: str
    citation: str
    notes: str
    libraries: tuple[Library, ...]
    behaviour: tuple[Mapping[str, Any], ...] = ()
    downloads: tuple[Download, ...] = ()
    to_check: tuple[str, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether the data are made at run time."""
        return self.simulation is not None

    @property
    def included(self) -> tuple[Library, ...]:
        """The libraries that are not left out."""
        return tuple(library for library in self.libraries if library.include)

    def shared_files(self) -> dict[str, list[Library]]:
        """Return file to its libraries, for files that hold more than one library or need splitting.

        Libraries that are left out count too, so that leaving one out does not take the file apart anew.
        """
        by_file: dict[str, list[Library]] = {}
        for library in self.libraries:
            by_file.setdefault(library.file, []).append(library)
        used = {library.file for library in self.included}
        return {f: libraries for f, libraries in by_file.items() if f in used and (self.split or len(libraries) > 1)}

    def frame(self) -> pd.DataFrame:
        """Return one row a library, in the order of the sheet; ``day`` is float, NaN where unknown."""
        names = [field.name for field in fields(Library)]
        frame = pd.DataFrame([asdict(library) for library in self.libraries], columns=names)
        return frame.astype({"day": "float64", "pooled_n": "int64", "include": "bool"})

    def facts(self) -> dict[str, Any]:
        """Return what the report needs to know of the data set, JSON-able."""
        return {
            "dataset": self.name,
            "title": self.title,
            "simulated": self.simulated,
            "organism": self.organism,
            "injury_model": self.injury_model,
            "injury_class": self.injury_class,
            "tissue": self.tissue,
            "assay": self.assay,
            "enrichment": self.enrichment,
            "accession": self.accession,
            "citation": self.citation,
            "notes": self.notes,
            "to_check": list(self.to_check),
        }

    def downloads_for(self, libraries: Sequence[Library]) -> tuple[Download, ...]:
        """Return the files of the deposit that some libraries are read from.

        A library whose ``file`` is the beginning of files' names needs these; one that is read from an archive, or
        that shares a matrix (whose lists lie beside it), needs all.
        """
        needed = set()
        for library in libraries:
            own = {f.name for f in self.downloads if library.file and f.name.startswith(library.file)}
            needed |= own if own and not self.split else {f.name for f in self.downloads}
        return tuple(file for file in self.downloads if file.name in needed)


def library_files(folder: Path, file: str) -> list[Path]:
    """Return the files behind a sheet's ``file``: itself (with its lists), all files of a folder, or those with the prefix."""
    path = folder / file
    if not file:
        return []
    if path.is_file():
        if not MATRIX.search(file):
            return [path]
        genes, barcodes = _lists_in(path.parent, path.parent.stat().st_mtime_ns)[path]
        return [path, *genes, *barcodes]
    if path.is_dir():
        return sorted(found for found in path.rglob("*") if found.is_file())
    return sorted(path.parent.glob(f"{re.sub(r'([*?[])', r'[\1]', path.name)}*"))


@lru_cache(maxsize=16)
def _lists_in(folder: Path, changed: int) -> dict[Path, tuple[list[Path], list[Path]]]:  # noqa: ARG001 (part of the key)
    """Return the lists of each matrix in a folder as it is since ``changed``; asked for by each of hundreds of libraries."""
    return lists_of([found for found in folder.iterdir() if found.is_file()])


def _files(path: Path) -> list[tuple[int, str, bool]]:
    """Return row, file and whether it is to be read, of each library as written; nothing if the sheet cannot be read."""
    try:
        header, rows = read_tsv(path, NEEDED)
    except InputError:
        return []  # told already
    if "file" not in header:
        return []
    return [(number, row.get("file", ""), row.get("include", "").lower() != "no") for number, row in rows]


def _no_file_column(path: Path) -> list[str]:
    try:
        header, _ = read_tsv(path, NEEDED)
    except InputError:
        return []  # told already
    return [] if "file" in header else [f"{path}: row 1: column 'file' is missing: which file is which library's?"]


def _missing_files(path: Path, folder: Path) -> list[str]:
    lines = []
    for number, file, included in _files(path):
        if included and not library_files(folder, file):
            there = [found.name for found in folder.iterdir()] if folder.is_dir() and file else []
            what = f"'{folder / file}': no such file, folder or file prefix{hint(file, there)}" if file else "empty"
            lines.append(f"{path}: row {number}, column file: {what}")
    return lines


def _same_file(path: Path, folder: Path) -> list[str]:
    """Return a line for each library whose file another one has already, where no rule takes the file apart."""
    lines, seen, whose = [], dict[str, int](), dict[Path, int]()
    for number, file, _ in _files(path):
        counts = [found.resolve() for found in library_files(folder, file) if not is_list(found)]
        row = seen.get(file) or next((whose[found] for found in counts if found in whose), None)
        if file and row:
            lines.append(
                f"{path}: row {number}, column file: '{file}' is the file of row {row} too; each library has its own, or "
                "dataset.yaml says under split: how the cells of one file are told apart"
            )
        seen.setdefault(file, number)
        whose |= {found: whose.get(found, number) for found in counts}
    return lines


def _not_in_deposit(path: Path, downloads: Sequence[Download]) -> list[str]:
    """Return a line for each library whose file cannot be among what is still to be fetched."""
    if any(file.is_archive for file in downloads):
        return []  # what an archive holds is known when it is unpacked
    names = [file.name for file in downloads]
    return [
        f"{path}: row {number}, column file: "
        + (f"'{file}' is not among download.files; there are: {', '.join(names[:6])}" if file else "empty")
        for number, file, included in _files(path)
        if included and not (file and any(name.startswith(file) for name in names))
    ]


def _files_mistakes(
    path: Path, folder: Path, entry: Mapping[str, Any], downloads: Sequence[Download], here: bool
) -> list[str]:
    """Return what is wrong with the files of a sheet, whatever else is wrong with it.

    ``here``: what was to be fetched has been.
    """
    missing = _missing_files(path, folder) if here else _not_in_deposit(path, downloads)
    same = [] if entry.get("split") else _same_file(path, folder)
    return _no_file_column(path) + shortened(missing) + shortened(same)


def _downloads(path: Path, entry: Mapping[str, Any]) -> tuple[list[Download], list[str]]:
    """Return the files of the deposit, and what is wrong with them."""
    download = entry.get("download")
    listed = download.get("files") if isinstance(download, Mapping) else None
    if not isinstance(listed, list):
        listed = []
    accession = str(entry.get("accession", ""))
    # what does not fit the schema has been told already
    files = [Download.of(file, accession) for file in listed if isinstance(file, Mapping) and "name" in file]
    names = [file.name for file in files]
    lines = [
        f"{path}: download.files: '{name}' is there twice" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    lines += [
        f"{path}: download.files: '{file.name}' has no url, and accession '{accession}' is none of GEO's series (GSE…)"
        for file in files
        if not file.url
    ]
    return files, lines


def _described(path: Path, schemas: Path) -> tuple[dict[str, Any], list[str]]:
    """Return ``dataset.yaml`` completed by the defaults, and what is wrong with it."""
    where = path / "dataset.yaml"
    standard = defaults(schemas / "dataset.yaml")
    try:
        entry = read_yaml(where)
    except InputError as error:
        return standard, [str(error)]
    mistakes = check(entry, schemas / "dataset.yaml", str(where))
    if not {"folder", "simulation", "download"} & set(entry):
        mistakes.append(f"{where}: 'folder' is missing: where are the files? (or what is to be fetched: download)")
    return with_defaults(entry, standard), mistakes


def _not_in_place(path: Path, folder: Path, downloads: list[Download], root: Path) -> list[Download]:
    """Return the downloads without the archives whose content somebody has put into the folder already.

    That is so where every library's file is there, but neither the archive nor a trace of fetching it.
    """
    files = [file for _, file, included in _files(path / "samples.tsv") if included]
    if not files or not all(library_files(folder, file) for file in files):
        return downloads
    traces = {
        file.name
        for file in downloads
        if (folder / file.name).exists()
        or (folder / f".{file.name}.part").exists()
        or fetched_path(path.name, file.name, root).exists()
        or record_path(path.name, file.name, root).exists()
    }
    return [file for file in downloads if not file.is_archive or file.name in traces]


def load_dataset(path: Path, schemas: Path, *, root: Path = Path()) -> DataSet:
    """Read and check one data set's folder.

    Parameters
    ----------
    path
        ``config/datasets/<name>``, holding ``dataset.yaml`` and ``samples.tsv``.
    schemas
        Folder of the JSON schemas.
    root
        What a relative ``folder`` of the data set is relative to.

    Raises
    ------
    InputError
        All mistakes found, one line each.
    """
    described = str(path / "dataset.yaml")
    entry, mistakes = _described(path, schemas)
    libraries: tuple[Library, ...] = ()
    try:
        enrichment = str(entry.get("enrichment", "none"))
        libraries = read_samples(path / "samples.tsv", schemas / "samples.yaml", enrichment=enrichment)
    except InputError as error:
        mistakes += shortened(str(error).splitlines())
    behaviour: tuple[dict[str, Any], ...] = ()
    try:
        arms = {library.arm for library in libraries} - {""}
        behaviour = read_behaviour(path / "behaviour.tsv", schemas / "behaviour.yaml", arms)
    except InputError as error:
        mistakes.append(str(error))
    downloads, wrong = _downloads(path / "dataset.yaml", entry)
    mistakes += wrong
    folder = root / Path(str(entry.get("folder", default_folder(path.name)))).expanduser()
    if "simulation" in entry:
        mistakes += [f"{described}: {line}" for line in simulation_mistakes(entry["simulation"], root / path)]
    elif {"folder", "download"} & set(entry):
        downloads = _not_in_place(path, folder, downloads, root)
        here = all(is_fetched(path.name, file, folder, root) for file in downloads)
        if here and not folder.is_dir():
            mistakes.append(
                f"{described}: folder: '{folder}': {'a file, no folder' if folder.exists() else 'no such folder'}"
            )
        else:
            mistakes += _files_mistakes(path / "samples.tsv", folder, entry, downloads, here)
            mistakes += [f"{described}: {line}" for line in split_mistakes(entry.get("split"), folder, here)]
    if mistakes:
        raise InputError("\n".join(mistakes))
    optional = {key: str(entry.get(key, "")) for key in ("accession", "citation", "notes")}
    required = {key: entry[key] for key in ("title", "organism", "injury_model", "injury_class", "tissue")}
    kinds = {key: entry[key] for key in ("assay", "enrichment", "droplets")}
    return DataSet(
        name=path.name,
        path=path,
        folder=folder,
        simulation=entry.get("simulation"),
        split=entry.get("split"),
        libraries=libraries,
        behaviour=behaviour,
        downloads=tuple(downloads),
        to_check=tuple(entry.get("to_check", ())),
        **required,
        **kinds,
        **optional,
    )


def load_run(config: Mapping[str, Any], root: Path, schemas: Path) -> tuple[dict[str, Any], dict[str, DataSet]]:
    """Check the configuration and every data set it names; return both, completed by the defaults.

    Raises
    ------
    InputError
        All mistakes of the run together, one line each.
    """
    settings = dict(config)
    if isinstance(settings.get("datasets"), str):  # --config datasets=demo
        settings["datasets"] = [name for name in settings["datasets"].split(",") if name]
    mistakes = check(settings, schemas / "config.yaml", "config/config.yaml")
    try:
        load_signatures(root / "config" / "signatures")
    except InputError as error:
        mistakes += shortened(str(error).splitlines())
    settings = with_defaults(settings, defaults(schemas / "config.yaml"))
    shelf = root / "config" / "datasets"
    there = sorted(found.name for found in shelf.iterdir() if found.is_dir()) if shelf.is_dir() else []
    datasets = {}
    for name in settings["datasets"] if isinstance(settings.get("datasets"), list) else []:
        if name not in there:
            known = hint(str(name), there) or f"; there are: {', '.join(there)}"
            mistakes.append(f"config/config.yaml: datasets: '{name}' has no folder in config/datasets{known}")
            continue
        if not re.fullmatch(NAME, str(name)):
            mistakes.append(
                f"config/datasets/{name}: the folder's name may hold letters, digits, '.', '_' and '-' only"
            )
            continue
        try:
            datasets[name] = load_dataset(Path("config/datasets") / name, schemas, root=root)
        except InputError as error:
            mistakes.append(str(error))
    if mistakes:
        raise InputError("\n".join(mistakes))
    return settings, datasets


__all__ = ["CONTROLS", "NAME", "DataSet", "Library", "library_files", "load_dataset", "load_run", "read_samples"]
