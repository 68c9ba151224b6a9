"""Data sets and their libraries, read and checked before any job starts.

All mistakes of a run are collected and reported together, one plain line each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from recovery_microglia.core.errors import InputError, cut, shortened
from recovery_microglia.core.files import wrong_path
from recovery_microglia.core.schemas import check, defaults, read_yaml, with_defaults
from recovery_microglia.core.sheet import sheet_frame
from recovery_microglia.core.tsv import read_tsv
from recovery_microglia.deposit.downloads import Download
from recovery_microglia.deposit.manifest import default_folder, is_fetched
from recovery_microglia.readers.split_rule import split_mistakes
from recovery_microglia.study.behaviour import read_behaviour
from recovery_microglia.study.doubts import open_doubts
from recovery_microglia.study.files import files_mistakes, not_in_place, simulation_mistakes
from recovery_microglia.study.samples import NEEDED, Library, read_samples

NAME = r"\w[\w.-]*"
"""Name of a data set: it becomes part of paths, of rules' patterns and of commands."""


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
        """Return one row a library, in the order of the sheet, with the columns of `SHEET_COLUMNS`."""
        return sheet_frame(map(asdict, self.libraries))

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
        f"{path}: download.files: '{name}' is duplicated" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    lines += [
        f"{path}: download.files: '{file.name}' has no url, and accession '{accession}' is none of GEO's series (GSE…)"
        for file in files
        if not file.url
    ]
    return files, lines


def _written_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a sheet that has been checked, as they are written: an empty field is empty."""
    _, rows = read_tsv(path, NEEDED)
    return [row for _, row in rows]


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
    written = entry.get("folder")
    if isinstance(written, str) and (why := wrong_path(written)):
        raise InputError("\n".join([*mistakes, f"{described}: folder: '{cut(written)}': {why}"]))
    folder = root / Path(str(written or default_folder(path.name))).expanduser()
    if "simulation" in entry:
        mistakes += [f"{described}: {line}" for line in simulation_mistakes(entry["simulation"], root / path)]
    elif (isinstance(written, str) and written) or (written is None and "folder" not in entry and "download" in entry):
        downloads = not_in_place(path, folder, downloads, root)
        here = all(is_fetched(path.name, file, folder, root) for file in downloads)
        if here and not folder.is_dir():
            mistakes.append(
                f"{described}: folder: '{folder}': {'a file, no folder' if folder.exists() else 'no such folder'}"
            )
        else:
            mistakes += files_mistakes(path / "samples.tsv", folder, entry, downloads, here)
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
        to_check=tuple(open_doubts(entry.get("to_check", ()), entry, _written_rows(path / "samples.tsv"))),
        **required,
        **kinds,
        **optional,
    )
