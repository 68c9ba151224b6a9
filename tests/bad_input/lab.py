"""A small project in a folder of its own, in which each bad input is made and met."""

import gzip
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[2]
GENES = ["Actb", "Itgax", "Igf1", "P2ry12", "Hexb"]
CELLS = ["AAAC-1", "AAAG-1", "AAAT-1"]
COUNTS = np.array([[5, 0, 1, 2, 9], [0, 3, 0, 0, 1], [7, 0, 0, 4, 0]], dtype=np.int32)
"""Barcodes × genes."""

ENTRY = """\
title: A study
organism: mouse
injury_model: spared nerve injury
injury_class: peripheral_nerve
tissue: lumbar spinal cord
folder: data
"""
ROWS = """\
library\tsubject\tday\tcondition\tsex\tfile
N1\tm1\t0\tnaive\tfemale\tN1.csv
I1\tm2\t14\tinjured\tmale\tI1.csv
"""
DENSE = "gene\tAAAC-1\tAAAG-1\tAAAT-1\nActb\t5\t0\t7\nItgax\t0\t3\t0\nIgf1\t1\t0\t0\nP2ry12\t2\t0\t4\nHexb\t9\t1\t0\n"
MTX = "%%MatrixMarket matrix coordinate integer general\n5 3 4\n1 1 5\n2 2 3\n4 3 4\n5 1 9\n"


type Make = Callable[["Lab"], object]
"""Makes a mistake in a lab, and meets it as the pipeline does."""


@dataclass(frozen=True)
class Case:
    """One bad input.

    Attributes
    ----------
    what
        The mistake, in words.
    make
        Makes it in a lab, and meets it as the pipeline does.
    says
        What the user sees, to the letter; paths are relative to the project.
    """

    what: str
    make: Make
    says: str


@dataclass(frozen=True)
class Section:
    """Bad inputs of one kind; ``told`` says when and where the user sees the words."""

    title: str
    told: str
    cases: list[Case]


class Lab:
    """A project with a data set ``study`` of two libraries; the working directory is its root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "config" / "signatures", root / "config" / "signatures")
        self.config = "datasets: [study]\n"
        self.entry(ENTRY)
        self.sheet(ROWS)
        for name in ("N1", "I1"):
            self.file(f"data/{name}.csv", DENSE)

    # ---------------------------------------------------------------- what is there

    def file(self, name: str, content: str | bytes) -> Path:
        """Write a file; its folder is made."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def entry(self, text: str) -> None:
        self.file("config/datasets/study/dataset.yaml", text)

    def sheet(self, text: str | bytes) -> None:
        self.file("config/datasets/study/samples.tsv", text)

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a text file, in which ``old`` must stand."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text, old
        path.write_text(text.replace(old, new), encoding="utf-8")

    # ---------------------------------------------------------------- what the pipeline does with it

    def check(self) -> None:
        """What happens before any job starts."""
        from recovery_microglia.study.run import load_run

        load_run(yaml.safe_load(self.config), Path(), ROOT / "workflow" / "schemas")

    def read(self, name: str, **options: Any) -> Any:
        """What a library's job does first."""
        from recovery_microglia.readers.any_layout import read_counts

        return read_counts(Path("data") / name, **options)

    def process(self, counts: Any) -> None:
        """What a library's job does next."""
        from recovery_microglia.core.genes import load_signatures
        from recovery_microglia.library.process import process_library
        from recovery_microglia.library.settings import CellSettings

        facts = {"library": "I1", "sex": "", "sort": "none", "droplets": "auto", "injury_class": "peripheral_nerve"}
        process_library(counts, facts, load_signatures(Path("config/signatures")), CellSettings())


# ---------------------------------------------------------------- how a mistake is put in words


def piped(name: str) -> Make:
    """A named pipe in the place of a file."""

    def make(lab: Lab) -> None:
        path = lab.root / name
        path.unlink()
        os.mkfifo(path)
        lab.check()

    return make


def row(old: str, new: str) -> Make:
    """The sheet with a text replaced."""

    def make(lab: Lab) -> None:
        lab.edit("config/datasets/study/samples.tsv", old, new)
        lab.check()

    return make


def sheet(text: str | bytes) -> Make:
    """Another sheet."""

    def make(lab: Lab) -> None:
        lab.sheet(text)
        lab.check()

    return make


def entry(old: str, new: str) -> Make:
    """The data set's description with a text replaced."""

    def make(lab: Lab) -> None:
        lab.edit("config/datasets/study/dataset.yaml", old, new)
        lab.check()

    return make


def described(more: str) -> Make:
    """The data set's description with lines added."""

    def make(lab: Lab) -> None:
        lab.entry(ENTRY + more)
        lab.check()

    return make


def configured(text: str) -> Make:
    """Another configuration."""

    def make(lab: Lab) -> None:
        lab.config = text
        lab.check()

    return make


def gene_set(name: str, old: str, new: str) -> Make:
    """A table of gene sets with a text replaced."""

    def make(lab: Lab) -> None:
        lab.edit(f"config/signatures/{name}.tsv", old, new)
        lab.check()

    return make


def matrix(name: str, content: str | bytes, **options: Any) -> Make:
    """One file that is read."""

    def make(lab: Lab) -> None:
        lab.file(f"data/{name}", content)
        lab.read(name, **options)

    return make


def files(contents: dict[str, str | bytes], name: str, **options: Any) -> Make:
    """Several files, of which one, a folder or a prefix is read."""

    def make(lab: Lab) -> None:
        for file, content in contents.items():
            lab.file(f"data/{file}", content)
        lab.read(name, **options)

    return make


# ---------------------------------------------------------------- files that mistakes are made from


def gz(text: str | bytes) -> bytes:
    return gzip.compress(text.encode() if isinstance(text, str) else text, mtime=0)


def ten_x_files(folder: str = "lib", **changed: str | bytes | None) -> dict[str, str | bytes]:
    """A Cell Ranger folder; ``changed`` replaces matrix, barcodes or features, None leaves it out."""
    parts: dict[str, str | bytes | None] = {
        "matrix": MTX,
        "barcodes": "".join(f"{name}\n" for name in CELLS),
        "features": "".join(f"ENSMUSG{k}\t{gene}\tGene Expression\n" for k, gene in enumerate(GENES)),
        **changed,
    }
    ends = {"matrix": "mtx", "barcodes": "tsv", "features": "tsv"}
    return {f"{folder}/{part}.{ends[part]}": text for part, text in parts.items() if text is not None}


def h5_bytes(build: Callable[[h5py.File], None]) -> bytes:
    """An HDF5 file's bytes."""
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        build(file)
    return held.getvalue()


def ten_x_h5(file: h5py.File, **changed: Any) -> None:
    """Cell Ranger's h5, version 3; ``changed`` replaces a data set of the group matrix, None leaves it out."""
    parts: dict[str, Any] = {
        "data": np.array([5, 3, 4], dtype=np.int32),
        "indices": np.array([0, 1, 3]),
        "indptr": np.array([0, 1, 2, 3]),
        "shape": np.array([5, 3]),
        "barcodes": np.array(CELLS, dtype="S"),
        "features/name": np.array(GENES, dtype="S"),
        "features/id": np.array([f"ENSMUSG{k}" for k in range(5)], dtype="S"),
        "features/feature_type": np.array(["Gene Expression"] * 5, dtype="S"),
        "features/genome": np.array(["mm10"] * 5, dtype="S"),
        **changed,
    }
    group = file.create_group("matrix")
    for name, value in parts.items():
        if value is not None:
            group[name] = value
