"""A library that is added is computed alone, also where one file holds them all; nothing stale is ever left."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from workflow.conftest import Project, copy_project
from workflow.test_own_data import DESCRIPTION

SHEET = "library\tsubject\tday\tcondition\tfile\tkey\n"
MATRIX = "my data/all.h5ad"


def counts(project: Project, names: str, seed: int) -> ad.AnnData:
    """Return a matrix of 120 barcodes a library, whose names are letters."""
    genes = pd.read_csv(project.path / "config/datasets/demo/simulation/genes.tsv", sep="\t")["gene"]
    drawn = np.random.default_rng(seed).poisson(0.8, (120 * len(names), len(genes))).astype("float32")
    obs = pd.DataFrame(
        {"sample": np.repeat(list(names), 120)}, index=[f"{name}{i}" for name in names for i in range(120)]
    )
    return ad.AnnData(drawn, obs=obs, var=pd.DataFrame(index=pd.Index(genes)))


def row(name: str, file: str = "all.h5ad", key: str = "") -> str:
    return f"{name}\t{name}\t0\tnaive\t{file}\t{key}\n"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One file with libraries A to D, of which A and B stand in the sheet and were computed."""
    project = copy_project(tmp_path_factory.mktemp("added") / "project")
    (project.path / "my data").mkdir()
    counts(project, "ABCD", 0).write_h5ad(project.path / MATRIX)
    project.write("config/datasets/one/dataset.yaml", DESCRIPTION.format(folder="my data"))
    project.write("config/datasets/one/samples.tsv", SHEET + row("A") + row("B"))
    run = project.snakemake("--until", "library", datasets="one")
    assert run.code == 0, run.out
    assert run.rules == {"split": 1, "library": 2}
    return project


def until_library(project: Project, *arguments: str, dataset: str = "one") -> dict[str, int]:
    """Return the jobs of a run that ends with the libraries."""
    run = project.snakemake("--until", "library", *arguments, datasets=dataset)
    assert run.code == 0, run.out
    return run.rules


@contextmanager
def sheet(project: Project, *rows: str) -> Iterator[None]:
    """Put other rows into the sheet for a while."""
    path = project.path / "config/datasets/one/samples.tsv"
    before = path.read_text()
    path.write_text(SHEET + "".join(rows))
    try:
        yield
    finally:
        path.write_text(before)


def written(project: Project, library: str) -> int:
    return project.results("one", "libraries", library, "cells.parquet").stat().st_mtime_ns


def test_a_library_added_to_a_shared_file_is_computed_alone(shared: Project) -> None:
    before = {name: written(shared, name) for name in "AB"}
    with sheet(shared, row("A"), row("B"), row("C")):
        assert until_library(shared, "--dry-run") == {"split": 1, "library": 1}
        assert until_library(shared) == {"split": 1, "library": 1}
        assert until_library(shared, "--dry-run") == {}
        assert shared.results("one", "libraries", "C", "library.json").is_file()
        taken = [path.name for path in (shared.path / "resources/one/split").glob("*/*.h5ad")]
        assert sorted(taken) == ["A.h5ad", "B.h5ad", "C.h5ad"]  # C by a pass of its own, the others not again
    assert {name: written(shared, name) for name in "AB"} == before


@pytest.mark.parametrize(
    ("rows", "jobs"),
    [
        ([row("B"), row("A")], {}),  # the order of the sheet is nothing to a library
        ([row("A"), row("B", key="C")], {"split": 1, "library": 1}),
        ([row("A"), row("X", key="B")], {"split": 1, "library": 1}),
    ],
    ids=["another order", "another key", "another name"],
)
def test_what_decides_a_library_takes_it_up_again(shared: Project, rows: list[str], jobs: dict[str, int]) -> None:
    with sheet(shared, *rows):
        planned = until_library(shared, "--dry-run")
    assert planned == jobs


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("config/datasets/one/dataset.yaml", "column: sample", "pattern: ^(?P<library>[A-Z])"),
        ("scripts/split.py", "write_record(recipes, out)", "write_record(recipes,  out)"),
        ("scripts/recovery_microglia/readers/barcode_assignment.py", "def _own_key", "\ndef _own_key"),
    ],
)
def test_another_way_of_taking_the_file_apart_takes_all_up_again(
    shared: Project, file: str, old: str, new: str
) -> None:
    path = shared.path / file
    before, times = path.read_text(), path.stat()
    assert old in before
    path.write_text(before.replace(old, new))
    try:
        assert until_library(shared, "--dry-run") == {"split": 1, "library": 2}
    finally:
        path.write_text(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_file_that_changed_leaves_nothing_stale_however_old_it_says_it_is(shared: Project) -> None:
    path = shared.path / MATRIX
    counts(shared, "ABCD", 1).write_h5ad(path)
    # written after the split, but before the libraries were done: older than what was made of its predecessor
    split = max(path.stat().st_mtime_ns for path in (shared.path / "resources/one/split").iterdir())
    os.utime(path, ns=(split + 1_000_000, split + 1_000_000))
    assert until_library(shared) == {"split": 1, "library": 2}
    (made,) = (shared.path / "resources/one/split").glob("*/A.h5ad")
    assert np.array_equal(ad.read_h5ad(made).X.toarray(), ad.read_h5ad(path).X[:120])
    assert until_library(shared, "--dry-run") == {}


def test_a_shared_file_that_was_replaced_by_an_older_one_is_noticed(shared: Project) -> None:
    path = shared.path / MATRIX
    times, held = path.stat(), path.read_bytes()
    counts(shared, "ABCD", 3).write_h5ad(path)
    os.utime(path, ns=(0, 10**18))  # 2001
    try:
        assert until_library(shared, "--dry-run") == {"split": 1, "library": 2}
    finally:
        path.write_bytes(held)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert until_library(shared, "--dry-run") == {}


def test_a_library_with_a_file_of_its_own_is_added_alone(shared: Project, tmp_path: Path) -> None:
    for name in "ABC":
        one = counts(shared, name, 2)
        frame = pd.DataFrame(one.X.T.astype(int), index=one.var_names, columns=one.obs_names)
        frame.to_csv(tmp_path / f"{name}.csv")
    text = DESCRIPTION.format(folder=tmp_path).split("split:")[0]
    shared.write("config/datasets/own/dataset.yaml", text)
    shared.write("config/datasets/own/samples.tsv", SHEET + row("A", "A.csv") + row("B", "B.csv"))
    assert until_library(shared, dataset="own") == {"library": 2}
    more = SHEET + row("C", "C.csv") + row("A", "A.csv") + row("B", "B.csv")
    shared.write("config/datasets/own/samples.tsv", more)
    assert until_library(shared, dataset="own") == {"library": 1}
    held, times = (tmp_path / "A.csv").read_text(), (tmp_path / "A.csv").stat()
    (tmp_path / "A.csv").write_text(held.replace(",0,", ",1,", 1))
    os.utime(tmp_path / "A.csv", ns=(0, 10**18))  # as mv or cp -p leave it
    assert until_library(shared, "--dry-run", dataset="own") == {"library": 1}
    (tmp_path / "A.csv").write_text(held)
    os.utime(tmp_path / "A.csv", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert until_library(shared, "--dry-run", dataset="own") == {}
    planned = shared.planned("own")
    after = {"myeloid", "embedding", "recovery", "timeline", "design_of", "summary", "report", "compare", "index"}
    assert set(planned) == after
