"""What the steps of a data set read: from the entry, the sheet and the passes over shared files to paths and params."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from recovery_microglia.core.files import fingerprint
from recovery_microglia.core.frame_access import records
from recovery_microglia.deposit.downloads import Download
from recovery_microglia.deposit.manifest import fetched_path, forget_lost
from recovery_microglia.readers.split_passes import Recipe, batch_of, batches
from recovery_microglia.study.dataset import DataSet
from recovery_microglia.study.files import library_files
from recovery_microglia.study.samples import Library

LATE_STEPS = ("myeloid", "embedding", "recovery", "timeline", "summary")
"""The steps after the libraries, as their costs are named."""
COSTLY_DRIVER_STEPS = ("drivers", "signals")
"""Steps that a run may leave out whose costs are recorded."""


def recipes_of(dataset: DataSet, code: str) -> dict[str, Recipe]:
    """Return library to all that decides what it gets of a shared file.

    Libraries that are left out are there too, so that they can come back.

    Parameters
    ----------
    code
        Digest of the code that takes shared files apart: the libraries that come out depend on it.
    """
    names = ("format", "genome", "layer")
    return {
        library.library: {
            "file": file,
            "key": library.key,
            # a file is read as the first of its libraries says
            **{name: getattr(libraries[0], name) for name in names},
            "split": dict(dataset.split or {}),
            "organism": dataset.organism,
            "code": code,
        }
        for file, libraries in dataset.shared_files().items()
        for library in libraries
    }


def forget_lost_files(datasets: Iterable[DataSet], root: Path = Path()) -> list[str]:
    """Have files of deposits fetched again that are gone or changed; return one line for the user each."""
    return [
        f"{dataset.folder}: some of {table.stem} is gone or changed; it is fetched again when it is needed"
        for dataset in datasets
        for table in forget_lost(dataset.name, dataset.downloads, dataset.folder, root)
    ]


@dataclass(frozen=True)
class Inputs:
    """The files and facts that each step of a data set gets; libraries and passes are asked for by name.

    Attributes
    ----------
    dataset
        The data set as it was read.
    recipes
        Library to recipe, of libraries that share a file.
    batches
        Name of a pass over shared files to the libraries that it takes, with their recipes.
    root
        The folder that holds ``results`` and ``resources``.
    """

    dataset: DataSet
    recipes: Mapping[str, Recipe]
    batches: Mapping[str, Mapping[str, Recipe]]
    root: Path = Path()

    @classmethod
    def of(cls, dataset: DataSet, code: str, root: Path = Path()) -> Self:
        """Return the inputs of a data set; which passes have been made is looked up on the disk, once.

        ``code`` is as in `recipes_of`.
        """
        recipes = recipes_of(dataset, code)
        return cls(dataset, recipes, batches(root / "resources" / dataset.name / "split", recipes), root)

    @property
    def results(self) -> Path:
        """The folder of the data set's results."""
        return self.root / "results" / self.dataset.name

    @property
    def resources(self) -> Path:
        """The folder of what the results are made from and what outlives them."""
        return self.root / "resources" / self.dataset.name

    @property
    def splits(self) -> Path:
        """The folder of the passes over shared files."""
        return self.resources / "split"

    @property
    def simulated(self) -> Path:
        """The folder of simulated libraries and their truth."""
        return self.resources / "simulated"

    @cached_property
    def libraries(self) -> dict[str, Library]:
        """Name to library, of those that are not left out."""
        return {library.library: library for library in self.dataset.included}

    def per_library(self, name: str) -> list[str]:
        """Return the file ``name`` of every library that is not left out."""
        return [str(self.results / "libraries" / library / name) for library in self.libraries]

    # Counts

    def counts(self, library: str) -> list[str]:
        """Return the files that a library's counts are read from."""
        if self.dataset.simulated:
            return [str(self.simulated)]
        if library in self.recipes:
            return [str(self.split_folder(library))]
        return self._files_behind([self.libraries[library]])

    def own_counts(self, library: str) -> list[str]:
        """Return the files of a library that has its own; nothing of one that is taken out of a shared file."""
        return [] if library in self.recipes else self.counts(library)

    def read_files(self, library: str) -> list[str]:
        """Return the user's own files that a library's job reads itself: their checksums are recorded as they are read."""
        if self.dataset.simulated or self.dataset.downloads or library in self.recipes:
            return []  # fetched files have their checksums
        return [path for path in self.counts(library) if Path(path).is_file()]

    def reading(self, library: str) -> dict[str, str]:
        """Return how a library is read: path and layout; no more, so that a new day in the sheet reads nothing."""
        row = self.libraries[library]
        plain = {"format": row.format, "genome": row.genome, "layer": row.layer}
        if self.dataset.simulated:
            return {**plain, "path": f"{self.simulated}/{row.file}"}
        if library in self.recipes:
            return {"path": str(self.split_folder(library) / f"{library}.h5ad"), "format": "h5ad"}
        return {**plain, "path": str(self.dataset.folder / row.file)}

    def library_reads(self, library: str) -> list[Path]:
        """Return a library's own counts: what the memory and time of its job grow with."""
        return [Path(self.reading(library)["path"])]

    def merged_reads(self) -> list[Path]:
        """Return the myeloid cells of the data set: what the later steps hold in memory."""
        return [self.results / "intermediate" / "clustered.h5ad"]

    def seen(self, files: Iterable[str]) -> str:
        """Return a digest of a user's own files; empty for fetched files, which have their checksums, and simulated ones.

        Snakemake looks at their times only, and `mv` and `cp -p` keep old ones.
        """
        own = not self.dataset.downloads and not self.dataset.simulated
        return fingerprint(map(Path, files)) if own else ""

    def _files_behind(self, libraries: Iterable[Library]) -> list[str]:
        """Return the files that some libraries are read from; of fetched ones the tables that say that they are there."""
        asked = list(libraries)
        if self.dataset.downloads:
            files = self.dataset.downloads_for(asked)
            return [str(fetched_path(self.dataset.name, file.name, self.root)) for file in files]
        names = {library.file for library in asked}
        return sorted({str(path) for name in names for path in library_files(self.dataset.folder, name)})

    # Files that hold several libraries

    def split_folder(self, library: str) -> Path:
        """Return the folder that a library of a shared file is taken into."""
        return self.splits / batch_of(library, self.recipes[library], self.batches)

    def batch_recipes(self, batch: str) -> Mapping[str, Recipe]:
        """Return library to recipe of what one pass over the shared files takes."""
        return self.batches[batch]

    def shared_counts(self, batch: str) -> list[str]:
        """Return the files that a pass over shared files needs, the table that tells the cells apart included."""
        names = self._shared_files(batch)
        shared = [library for library in self.dataset.libraries if library.file in names]
        tables = [name for key, name in (self.dataset.split or {}).items() if key == "metadata"]
        own = [] if self.dataset.downloads else [str(self.dataset.folder / name) for name in tables]
        return self._files_behind(shared) + own

    def shared_files(self, batch: str) -> list[str]:
        """Return the user's own files that a pass over shared files reads, as `read_files`."""
        files = () if self.dataset.downloads else {*self.shared_counts(batch)}
        return sorted(path for path in files if Path(path).is_file())

    def shared_reads(self, batch: str) -> list[Path]:
        """Return the shared files themselves, of one pass."""
        return [self.dataset.folder / file for file in sorted(self._shared_files(batch))]

    def _shared_files(self, batch: str) -> set[str]:
        return {recipe["file"] for recipe in self.batch_recipes(batch).values()}

    # Deposits, simulation

    def download(self, name: str) -> Download:
        """Return the file of a deposit with a name."""
        return next(file for file in self.dataset.downloads if file.name == name)

    def parameters(self) -> str:
        """Return the folder of the tables that the data are simulated from."""
        return str(self.dataset.path / (self.dataset.simulation or {})["parameters"])

    def parameter_tables(self) -> list[str]:
        """Return the tables that the data are simulated from."""
        return sorted(str(path) for path in Path(self.parameters()).iterdir())

    def truth(self) -> list[str]:
        """Return the truth of simulated data; nothing for real data."""
        return [str(self.simulated)] if self.dataset.simulated else []

    # Networks of targets

    def networks(self, names: Iterable[str]) -> list[str]:
        """Return what fetching says of each network; none for simulated data, of which a real network says nothing."""
        if self.dataset.simulated:
            return []
        return [str(self.root / "resources" / "_networks" / f"{name}.json") for name in names]

    def own_networks(self) -> list[str]:
        """Return the networks that belong to simulated data: the true targets of its signals."""
        own = Path(self.parameters()) / "targets.tsv" if self.dataset.simulated else Path()
        return [str(own)] if own.is_file() else []

    def true_signals(self) -> list[str]:
        """Return the signals that were put into simulated data; nothing for real data."""
        own = Path(self.parameters()) / "signals.tsv" if self.dataset.simulated else Path()
        return [str(own)] if own.is_file() else []

    # Provenance

    def sources(self) -> list[str]:
        """Return every file that a real data set is read from, for its checksums."""
        return [] if self.dataset.simulated else self._files_behind(self.dataset.included)

    def readings(self) -> list[tuple[str, str]]:
        """Return each file of a real data set, with what was made from it."""
        if self.dataset.simulated:
            return []
        return sorted((str(path), self._made_of(row)) for row in self.dataset.included for path in self._files_of(row))

    def _files_of(self, library: Library) -> list[Path]:
        return library_files(self.dataset.folder, library.file)

    def _made_of(self, library: Library) -> str:
        """Return what was made first of a library's file."""
        name = library.library
        made = self.split_folder(name) if name in self.recipes else self.results / "libraries" / name / "library.json"
        return str(made)

    def costs(self, *, drivers: bool = False) -> list[str]:
        """Return what each job left of its costs, in the order of the data; ``drivers``: with those of that step.

        Those of the first jobs lie beside what these made, so that a user who deletes ``results`` does not pay again.
        """
        late = [
            *(f"library.{library}" for library in self.libraries),
            *LATE_STEPS,
            *(COSTLY_DRIVER_STEPS if drivers else ()),
        ]
        return [
            *(str(self.resources / "costs" / f"{step}.json") for step in self.early_steps()),
            *(str(self.results / "costs" / f"{step}.json") for step in late),
        ]

    def early_steps(self) -> list[str]:
        """Return the jobs that make the files of single libraries, as their costs are named."""
        if self.dataset.simulated:
            return ["simulate"]
        passes = (self.split_folder(library).name for library in self.libraries if library in self.recipes)
        return [f"split.{name}" for name in dict.fromkeys(passes)]

    # What steps are told

    def library_facts(self, library: str) -> dict[str, str]:
        """Return what quality control and the lineage gate may know of a library and its data set."""
        names = ("organism", "injury_class", "assay", "droplets")
        row = self.libraries[library]
        return {
            **{name: getattr(self.dataset, name) for name in names},
            "library": library,
            "sex": row.sex,
            "sort": row.sort,
        }

    def sheet(self) -> list[dict[str, Any]]:
        """Return the whole sheet, one dict a library."""
        return records(self.dataset.frame())

    def behaviour(self) -> list[dict[str, Any]]:
        """Return the behaviour of the animals, one dict a day; empty if there is none."""
        return [dict(row) for row in self.dataset.behaviour]
