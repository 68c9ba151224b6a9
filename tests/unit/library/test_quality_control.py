"""Quality of the cells of a library, by hand."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from made_up.one_library import signatures
from recovery_microglia.library.quality_control import call_sex, cell_metrics, compare_sex, filter_cells
from recovery_microglia.library.settings import CellSettings

GENES = pd.Index(["mt-Nd1", "Hbb-bs", "Rpl3", "Fos", "Mbp", "Xist", "Ddx3y", "Actb", "Gapdh"])


def metrics(n: int = 400, seed: int = 1, **change: float) -> pd.DataFrame:
    """A library of ordinary cells; each change is written into a cell of its own, from the first on."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({
        "n_counts": np.exp(rng.normal(7.5, 0.3, n)), "n_genes": np.exp(rng.normal(6.6, 0.2, n)),
        "pct_mito": rng.normal(4.5, 0.8, n), "pct_haemoglobin": rng.random(n) * 0.2,
        "xist": 0, "y_genes": 0,
    })  # fmt: skip
    for row, (column, value) in enumerate(change.items()):
        table.loc[row, column] = value
    return table


def test_shares_are_percent_of_a_cells_counts() -> None:
    counts = sp.csr_matrix(np.array([[5, 1, 10, 2, 3, 4, 0, 50, 25], [0, 0, 0, 0, 0, 0, 6, 0, 4]], dtype=np.int32))
    table = cell_metrics(counts, GENES, signatures())
    expected = {"n_counts": 100, "n_genes": 8, "pct_mito": 5, "pct_haemoglobin": 1, "pct_ribo": 10}
    expected |= {"pct_dissociation": 2, "pct_myelin": 3, "xist": 4, "y_genes": 0}
    assert table.loc[0].to_dict() == pytest.approx(expected)
    assert table.loc[1, ["n_counts", "n_genes", "y_genes", "xist"]].tolist() == [10, 2, 6, 0]


def test_a_share_of_genes_that_were_not_measured_is_missing_and_removes_nobody() -> None:
    counts = sp.csr_matrix(np.ones((30, 2), dtype=np.int32) * 400)
    table = cell_metrics(counts, pd.Index(["Actb", "Gapdh"]), signatures())
    assert table[["pct_mito", "pct_haemoglobin", "pct_ribo"]].isna().all(axis=None)
    removed, _ = filter_cells(table.assign(n_genes=500), CellSettings(), n_genes=2000)
    assert (removed == "").all()


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("n_counts", 299, "low_counts"),
        ("n_counts", 1e5, "high_counts"),
        ("n_genes", 149, "low_genes"),
        ("pct_mito", 20.5, "high_mito"),
        ("pct_haemoglobin", 5.1, "high_haemoglobin"),
    ],
)
def test_each_filter_removes_its_cell_and_no_other(column: str, value: float, reason: str) -> None:
    removed, filters = filter_cells(metrics(**{column: value}), CellSettings(), n_genes=2000)
    assert removed[0] == reason
    # five MADs of a normal library lie at 5 SD: none of 399 ordinary cells
    assert (removed[1:] == "").all()
    assert filters.set_index("filter")["removed"].to_dict() == {
        name: int(name == reason)
        for name in ("low_counts", "high_counts", "low_genes", "high_mito", "high_haemoglobin")
    }


def test_bounds_follow_the_library_between_the_hard_ones() -> None:
    table = metrics()
    _, filters = filter_cells(table, CellSettings(mads=3), n_genes=2000)
    bounds = filters.set_index("filter")
    logs = np.log1p(table["n_counts"])
    mad = 1.4826 * np.median(np.abs(logs - np.median(logs)))
    assert bounds.loc["high_counts", "threshold_high"] == pytest.approx(np.expm1(np.median(logs) + 3 * mad))
    mito = table["pct_mito"]
    mad = 1.4826 * np.median(np.abs(mito - np.median(mito)))
    assert bounds.loc["high_mito", "threshold_high"] == pytest.approx(np.median(mito) + 3 * mad)
    # cells without mitochondrial counts to speak of: never below a quarter of the hard bound
    _, filters = filter_cells(table.assign(pct_mito=table["pct_mito"] / 100), CellSettings(), n_genes=2000)
    assert filters.set_index("filter").loc["high_mito", "threshold_high"] == 5.0


def test_a_cell_that_fails_twice_counts_once() -> None:
    table = metrics()
    table.loc[0, ["n_counts", "n_genes", "pct_mito"]] = [10, 5, 60]
    removed, filters = filter_cells(table, CellSettings(), n_genes=2000)
    assert removed[0] == "low_counts"
    assert filters["removed"].sum() == (removed != "").sum() == 1


def test_a_targeted_panel_keeps_its_shallow_cells() -> None:
    table = metrics().assign(n_counts=40.0, n_genes=20.0)
    assert (filter_cells(table, CellSettings(), n_genes=98)[0] == "").all()
    assert (filter_cells(table, CellSettings(), n_genes=2000)[0] == "low_counts").all()


@pytest.mark.parametrize(
    ("female", "male", "neither", "called"),
    [
        (95, 5, 100, "female"),
        (5, 95, 100, "male"),
        (60, 40, 0, "mixed"),
        (10, 5, 500, "unknown"),  # fewer than 20 cells vote
    ],
)
def test_sex_is_voted_by_the_cells(female: int, male: int, neither: int, called: str) -> None:
    table = pd.DataFrame(
        {"xist": [1] * female + [0] * (male + neither), "y_genes": [0] * female + [2] * male + [0] * neither}
    )
    assert call_sex(table, y_genes_measured=True, xist_measured=True) == called
    assert call_sex(table, y_genes_measured=False, xist_measured=True) == "unknown"


def test_a_wrong_sex_alarms_and_an_unknown_one_does_not() -> None:
    (notice,) = compare_sex("female", "male", "L1")
    assert (notice.code, notice.severity) == ("sex_mismatch", "alarm")
    assert "L1" in notice.text
    assert (
        compare_sex("female", "unknown", "L1")
        == compare_sex("", "male", "L1")
        == compare_sex("male", "male", "L1")
        == []
    )
