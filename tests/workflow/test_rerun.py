"""A change redoes exactly what depends on it. Looked at by dry runs; each test puts back what it changed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workflow.conftest import LIBRARIES, Project

N = len(LIBRARIES)
PAGES = {"summary": 1, "compare": 1, "report": 1, "index": 1}
TAIL = {"timeline": 1, **PAGES}
LATE = {"recovery": 1, **TAIL}


@contextmanager
def changed(path: Path, old: str, new: str) -> Iterator[None]:
    """Replace a text of a file that stands there once or more; put the file back afterwards, its time included."""
    before, time = path.read_text(), path.stat().st_mtime_ns
    assert old in before
    path.write_text(before.replace(old, new))
    try:
        yield
    finally:
        path.write_text(before)
        os.utime(path, ns=(time, time))


@pytest.mark.parametrize(
    ("file", "old", "new", "jobs"),
    [
        ("config/config.yaml", "alpha: 0.05", "alpha: 0.01", {"design_of": 1, **TAIL}),
        ("config/config.yaml", "quantile: 0.99 ", "quantile: 0.98 ", LATE),
        ("config/config.yaml", "n_resamples: 10", "n_resamples: 12", {"myeloid": 1, "embedding": 1, **LATE}),
        ("config/config.yaml", "min_genes: 150", "min_genes: 140", {"library": N, "myeloid": 1, "embedding": 1, **LATE}),
        # what is simulated depends on the sheet; of real data a corrected day reads nothing again, see test_own_data.py
        ("config/datasets/small/samples.tsv", "\t35\t", "\t34\t", {"design_of": 1, "simulate": 1, "library": N, "myeloid": 1, "embedding": 1, **LATE}),
        ("config/datasets/small/dataset.yaml", "title: Simulated", "title: A simulated", {"design_of": 1, **PAGES}),
        ("config/signatures/recovery.tsv", "Csf1\t", "Csf1r\t", {"library": N, "myeloid": 1, "embedding": 1, **LATE}),
        ("scripts/recovery_microglia/timeline/days.py", "POSTERIOR_DRAWS = 4000", "POSTERIOR_DRAWS = 4001", TAIL),
        ("README.md", "recovery-microglia", "recovery microglia", {}),
    ],
)  # fmt: skip
def test_a_change_redoes_what_depends_on_it(
    finished: Project, file: str, old: str, new: str, jobs: dict[str, int]
) -> None:
    with changed(finished.path / file, old, new):
        assert finished.planned() == jobs


def test_gene_sets_that_were_put_back_with_an_old_time_are_noticed(finished: Project) -> None:
    path = finished.path / "config/signatures/recovery.tsv"
    with changed(path, "Csf1\t", "Csf1r\t"):
        os.utime(path, ns=(0, 10**18))  # as mv or cp -p leave it
        assert finished.planned() == {"library": N, "myeloid": 1, "embedding": 1, **LATE}


@pytest.mark.parametrize(
    ("file", "jobs"),
    [
        ("tables/onset.tsv", TAIL),
        ("myeloid.h5ad", PAGES),
        ("report.html", {"report": 1, "index": 1}),
    ],
)
def test_a_result_that_was_deleted_is_made_again(finished: Project, file: str, jobs: dict[str, int]) -> None:
    path = finished.results("small", *file.split("/"))
    path.rename(path.with_suffix(".away"))
    try:
        assert finished.planned() == jobs
    finally:
        path.with_suffix(".away").rename(path)
