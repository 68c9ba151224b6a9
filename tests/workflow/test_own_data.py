"""A user's own data set: one h5ad that holds all libraries."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import anndata as ad
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.io import mmread

from workflow.conftest import LIBRARIES, Project

DESCRIPTION = """\
title: One file from a lab
organism: mouse
injury_model: spared nerve injury
injury_class: peripheral_nerve
tissue: lumbar spinal cord
folder: {folder}
split:
  column: sample
"""


@pytest.fixture(scope="module")
def lab(finished: Project) -> Iterator[Project]:
    """The simulated counts of ``small`` in one h5ad that is split by a column of its obs."""
    simulated = finished.path / "resources/small/simulated"
    parts = []
    for name in LIBRARIES:
        counts = sp.csr_matrix(mmread(simulated / name / "matrix.mtx.gz", spmatrix=True).T)
        genes = pd.read_csv(simulated / name / "features.tsv.gz", sep="\t", header=None)[1].to_numpy()
        barcodes = pd.read_csv(simulated / name / "barcodes.tsv.gz", header=None)[0].to_numpy()
        obs = pd.DataFrame({"sample": name}, index=pd.Index([f"{code}_{name}" for code in barcodes]))
        parts.append(ad.AnnData(counts.astype("float32"), obs=obs, var=pd.DataFrame(index=pd.Index(genes))))
    folder = finished.path / "my data"
    folder.mkdir()
    ad.concat(parts).write_h5ad(folder / "all.h5ad")
    finished.write("config/datasets/lab/dataset.yaml", DESCRIPTION.format(folder="my data"))
    sheet = pd.read_csv(finished.path / "config/datasets/small/samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    finished.write("config/datasets/lab/samples.tsv", sheet.assign(file="all.h5ad").to_csv(sep="\t", index=False))
    run = finished.snakemake(datasets="lab")
    assert run.code == 0, run.out
    yield finished
    finished.snakemake()  # the index is over the data sets of the last run: give other tests theirs back


def test_the_same_counts_give_the_same_answer_whatever_the_layout(lab: Project) -> None:
    for name in ("fractions.tsv", "timeline.tsv", "onset.tsv", "calibration.tsv", "qc.tsv"):
        own, other = (
            pd.read_csv(lab.results(dataset, "tables", name), sep="\t", keep_default_na=False)
            for dataset in ("lab", "small")
        )
        pd.testing.assert_frame_equal(own, other)


def test_a_real_data_set_is_not_called_simulated(lab: Project) -> None:
    page = lab.results("lab", "report.html").read_text()
    assert "SIMULATED" not in page
    assert "One file from a lab" in page
    assert pd.read_csv(lab.results("lab", "tables", "truth.tsv"), sep="\t").empty


@contextmanager
def edited(lab: Project, pattern: str, new: str) -> Iterator[None]:
    """Change the sheet by a regular expression; put it back afterwards."""
    sheet = lab.path / "config/datasets/lab/samples.tsv"
    text = sheet.read_text()
    changed = re.sub(pattern, new, text, flags=re.M)
    assert changed != text
    sheet.write_text(changed)
    try:
        yield
    finally:
        sheet.write_text(text)


@pytest.mark.parametrize(
    ("pattern", "new"),
    [(r"\t35\t", r"\t34\t"), (r"^(D35_2\t.*)\tyes\t.*$", r"\1\tno\ttissue was lost")],
    ids=["a corrected day", "a library left out"],
)
def test_a_change_of_the_sheet_reads_no_matrix_again(lab: Project, pattern: str, new: str) -> None:
    with edited(lab, pattern, new):
        jobs = lab.planned(datasets="lab")
    # the design is told anew in a second; no job opens a matrix
    told = {"design_of", "summary", "compare", "report", "index"}
    assert set(jobs) == {"myeloid", "embedding", "recovery", "timeline", *told}


def test_a_library_that_the_file_does_not_hold_is_told_plainly(lab: Project) -> None:
    with edited(lab, r"^D35_2\t", "D35_9\t"):
        run = lab.snakemake("results/lab/libraries/D35_9/library.json", datasets="lab")
    assert run.code == 1
    told = run.out.split("\nStopped.\n")[1].splitlines()[0].strip()
    assert told.startswith("my data/all.h5ad: library D35_9: no barcode belongs to 'D35_9'; there are: D14_1, D14_2")
