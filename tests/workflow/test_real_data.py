"""The three real data sets that ship as entries: what each can and cannot show."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from browser.checks import assert_numbers_are_the_tables, assert_sound, opened_to_the_end, tables_of
from workflow.conftest import Project
from workflow.test_run import Page

TAY, ZYWITZA, SOUSA = "tay2018_fnx_microglia_98genes", "zywitza2018_svz_dropseq", "sousa2018_lps_microglia"


@pytest.fixture(scope="module")
def real(finished: Project, shared_data: Path) -> Iterator[Project]:
    """The shared copy after a run of all three; their files are found beside it."""
    (finished.path.parent / "shared").symlink_to(shared_data.parent)
    run = finished.snakemake(datasets=f"{TAY},{ZYWITZA},{SOUSA}")
    assert run.code == 0, run.out
    yield finished
    finished.snakemake()  # the index is over the data sets of the last run: give other tests theirs back


def table(project: Project, dataset: str, name: str) -> pd.DataFrame:
    return pd.read_csv(project.results(dataset, "tables", name), sep="\t")


def summary(project: Project, dataset: str) -> dict:
    return json.loads(project.results(dataset, "summary.json").read_text())


@pytest.mark.parametrize("dataset", [TAY, ZYWITZA, SOUSA])
def test_no_onset_is_ever_given(real: Project, dataset: str) -> None:
    facts = summary(real, dataset)
    assert facts["status"] == "not_testable"
    assert facts["reason"]
    onset = table(real, dataset, "onset.tsv")
    assert set(onset["status"]) == {"not_testable"}
    assert onset[["onset_low", "onset_high", "peak_day", "half_rise_day", "trend_p"]].isna().all(axis=None)
    words = " ".join(" ".join(Page(real.results(dataset, "report.html")).words).split())  # no-break spaces too
    assert facts["reason"] in words
    assert "rise above control" not in words


def test_a_panel_without_the_signature_is_not_called_and_its_genes_are_still_tested(real: Project) -> None:
    facts = summary(real, TAY)
    assert {"Itgax", "Igf1"} <= set(facts["recovery"]["coverage"]["absent"])
    assert facts["totals"]["microglia"] == 944  # all cells of the published table
    assert table(real, TAY, "cells.tsv.gz")["recovery_call"].isna().all()
    course = table(real, TAY, "gene_course.tsv")
    assert (course[course["gene"] == "Apoe"]["subject"].nunique()) == 16
    tests = table(real, TAY, "gene_tests.tsv").query("gene == 'Apoe'").set_index("day")
    assert list(tests.index) == [7, 30]
    assert set(tests["status"]) == {"tested"}
    # three against three animals: the smallest two-sided permutation p is 2 of 20 splits
    assert (tests["p_smallest"] == 0.1).all()
    assert (tests["difference"] > 0).all()  # Apoe is among the genes that Tay 2018 found to rise


def test_apoe_of_the_panel_is_what_pandas_counts(real: Project, shared_data: Path) -> None:
    counts = pd.read_csv(shared_data / TAY / "counts_genes_x_cells.csv", index_col=0)
    library = counts.columns.str.replace(r"_\d+$", "", regex=True)
    expected = 1e4 * counts.loc["Apoe"].groupby(library).sum() / counts.sum().groupby(library).sum()
    course = table(real, TAY, "gene_course.tsv").query("gene == 'Apoe'").set_index("subject")["mean_counts_per_10k"]
    pd.testing.assert_series_equal(course.sort_index(), expected.sort_index(), check_names=False, rtol=1e-5)


def test_microglia_are_found_in_mixed_tissue(real: Project) -> None:
    qc = table(real, ZYWITZA, "qc.tsv")
    share = qc["microglia"] / qc["kept"]
    assert share.between(0.05, 0.13).all()  # what the paper's own clusters hold, see shared/data/README.md
    lineages = table(real, ZYWITZA, "lineages.tsv").groupby("lineage")["n"].sum()
    assert {"oligodendrocyte", "astrocyte", "endothelial"} <= set(lineages.index)


def test_cells_are_called_among_empty_droplets_and_lps_is_not_recovery(real: Project) -> None:
    qc = table(real, SOUSA, "qc.tsv").set_index("library")
    assert (qc["barcodes"] >= 9_900).all()
    assert qc["cells_called"].between(700, 1_700).all()  # the paper kept about a thousand a library
    own = table(real, SOUSA, "fractions.tsv").query("route == 'score' and denominator == 'microglia'")
    naive, lps = (own[own["condition"] == kind].iloc[0] for kind in ("naive", "treated"))
    assert lps["low"] < naive["high"]  # not above naive
    assert lps["fraction"] < 0.02  # twice what the cutoff lets pass in controls
    states = table(real, SOUSA, "cells.tsv.gz").groupby("condition")["state"].value_counts(normalize=True)
    assert states["treated"].get("acute_inflammatory", 0) > 3 * states["naive"].get("acute_inflammatory", 0)


@pytest.mark.parametrize("dataset", [TAY, ZYWITZA, SOUSA])
def test_pages_of_real_data_are_sound_in_a_browser_and_their_numbers_those_of_the_tables(
    real: Project, browser: Any, dataset: str
) -> None:
    page = real.results(dataset, "report.html")
    assert_sound(browser, page, size="desktop")
    assert_sound(browser, page, size="phone", axe=False)
    opened = opened_to_the_end(browser, page)
    assert {"quality", "qc"} <= assert_numbers_are_the_tables(opened, tables_of(real.results(dataset)))
    opened.page.close()
