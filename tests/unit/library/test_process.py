"""One library, from counts to what travels on."""

from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from made_up.one_library import FACTS, demo_library, signatures
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.genes import MYELOID
from recovery_microglia.library.process import LibraryResult, lineage_table, process_library, qc_table, write_library
from recovery_microglia.library.settings import CellSettings


@pytest.fixture(scope="module")
def counts() -> ad.AnnData:
    return demo_library("D14_1", 500)[0]


@pytest.fixture(scope="module")
def result(counts: ad.AnnData) -> LibraryResult:
    return process_library(counts, FACTS, signatures(), CellSettings())


def test_every_barcode_is_accounted_for(result: LibraryResult, counts: ad.AnnData) -> None:
    cells = result.cells
    assert cells["barcode"].tolist() == counts.obs_names.tolist()
    kept = cells["removed_by"] == ""
    filters = pd.DataFrame(result.report["filters"]).set_index("filter")["removed"]
    assert filters.sum() == (~kept).sum()
    for name, n in filters.items():
        assert (cells["removed_by"] == name).sum() == n
    assert sum(result.report["lineage"]["n_cells"].values()) == kept.sum()


def test_myeloid_cells_travel_with_their_raw_counts(result: LibraryResult, counts: ad.AnnData) -> None:
    own = result.myeloid
    assert own.obs["lineage"].isin(MYELOID).all()
    assert (own.obs["removed_by"] == "").all()
    assert own.obs_names[0].startswith("L1:")
    again = counts[own.obs["barcode"].to_numpy(str)].X
    assert (sp.csr_matrix(own.X) != sp.csr_matrix(again)).nnz == 0


def test_other_lineages_travel_as_sums(result: LibraryResult, counts: ad.AnnData) -> None:
    cells = result.cells
    kept = (cells["removed_by"] == "").to_numpy()
    total = np.asarray(counts.X[kept].sum(axis=0)).ravel()
    np.testing.assert_array_equal(result.lineage_sums.sum(axis=1), total)
    own = kept & (cells["lineage"] == "astrocyte").to_numpy()
    np.testing.assert_array_equal(result.lineage_sums["astrocyte"], np.asarray(counts.X[own].sum(axis=0)).ravel())


def test_doublets_can_be_switched_off(counts: ad.AnnData) -> None:
    found = process_library(counts, FACTS, signatures(), replace(CellSettings(), doublets=False))
    assert found.cells["doublet_score"].isna().all()
    assert "doublet" not in set(found.cells["removed_by"])


def test_a_wrong_sex_and_few_microglia_reach_the_report(counts: ad.AnnData) -> None:
    sex = process_library(counts, FACTS, signatures(), CellSettings()).report["sex_called"]
    wrong = {"female": "male", "male": "female"}[sex]
    part = counts[:120].copy()
    found = process_library(part, FACTS | {"sex": wrong}, signatures(), CellSettings())
    assert {n["code"] for n in found.report["notices"]} >= {"sex_mismatch", "few_microglia"}


def test_empty_droplets_are_recognised_and_cells_called(counts: ad.AnnData) -> None:
    rng = np.random.default_rng(1)
    soup = np.asarray(counts.X.sum(axis=0)).ravel()
    empty = sp.csr_matrix(rng.poisson(np.outer(rng.integers(2, 40, 4000), soup / soup.sum())).astype(np.int32))
    X = sp.csr_matrix(sp.vstack([counts.X, empty]))
    names = [*counts.obs_names, *(f"empty{i}" for i in range(4000))]
    full = ad.AnnData(X, obs=pd.DataFrame(index=names), var=counts.var)
    found = process_library(full, FACTS, signatures(), CellSettings())
    calling = found.report["calling"]
    assert calling["unfiltered"]
    assert calling["barcodes"] == 4500
    called = set(found.cells["barcode"])
    assert len(called & set(names[500:])) <= 20  # one empty droplet in 200 at most
    ordinary = np.asarray(counts.X.sum(axis=1)).ravel() > 500
    assert len(called & set(counts.obs_names[ordinary])) / ordinary.sum() > 0.97


def test_what_cannot_be_used_is_said_in_one_line(counts: ad.AnnData) -> None:
    nothing = counts.copy()
    nothing.X = sp.csr_matrix(nothing.shape, dtype=np.int32)
    with pytest.raises(InputError, match=r"^library L1: none of its 500 barcodes has a count$"):
        process_library(nothing, FACTS | {"droplets": "filtered"}, signatures(), CellSettings())
    with pytest.raises(InputError, match=r"^library L1: no cell passes quality control; filters: low_counts 500"):
        process_library(counts, FACTS, signatures(), CellSettings(min_counts=10**6))


def test_tables_over_libraries_count_what_the_cells_say(result: LibraryResult) -> None:
    (row,) = qc_table([result.report], result.cells).to_dict("records")
    kept = result.cells[result.cells["removed_by"] == ""]
    assert row["kept"] == len(kept)
    assert row["median_counts"] == kept["n_counts"].median()
    assert row["microglia"] == (kept["lineage"] == "microglia").sum()
    doublets = (result.cells["removed_by"] == "doublet").sum()
    assert row["doublet_rate"] == pytest.approx(doublets / (len(kept) + doublets))
    sheet = pd.DataFrame({"library": ["L1"], "subject": ["s"], "day": [14.0], "condition": ["injured"]})
    lineages = lineage_table(result.cells, sheet)
    assert lineages["n"].sum() == len(kept)
    assert lineages["share"].sum() == pytest.approx(1)


def test_what_is_written_comes_back(result: LibraryResult, tmp_path) -> None:
    paths = [tmp_path / "a" / name for name in ("cells.parquet", "myeloid.h5ad", "sums.parquet")]
    write_library(result, *paths)
    pd.testing.assert_frame_equal(pd.read_parquet(paths[0]), result.cells, check_dtype=False)
    assert (ad.read_h5ad(paths[1]).X != result.myeloid.X).nnz == 0
    pd.testing.assert_frame_equal(pd.read_parquet(paths[2]), result.lineage_sums)


# ---------------------------------------------------------------- what was measured


def codes(result: LibraryResult) -> dict[str, str]:
    return {notice["code"]: notice["text"] for notice in result.report["notices"]}


def test_unknown_names_that_hold_much_of_the_counts_are_told(counts: ad.AnnData, result: LibraryResult) -> None:
    assert "unknown_names" not in codes(result)
    per_cell = np.asarray(counts.X.sum(axis=1)).astype(np.int32)
    more = ad.AnnData(sp.hstack([counts.X, sp.csr_matrix(per_cell)]).tocsr(), obs=counts.obs.copy())
    more.var_names = [*counts.var_names, "Xyz_9"]
    told = codes(process_library(more, FACTS, signatures(), CellSettings()))["unknown_names"]
    assert told.startswith("50.0 % of the counts are of 1 names that are no known genes (Xyz_9 50.0 %)")


def test_mitochondrial_genes_have_two_names_and_a_filter_that_is_off_is_told(
    counts: ad.AnnData, result: LibraryResult
) -> None:
    own = [name for name in counts.var_names if name.startswith("mt-")]
    assert "mito_not_measured" not in codes(result)
    refseq = {
        "mt-Nd1": "ND1",
        "mt-Nd2": "ND2",
        "mt-Nd3": "ND3",
        "mt-Nd4": "ND4",
        "mt-Nd4l": "ND4L",
        "mt-Nd5": "ND5",
        "mt-Nd6": "ND6",
    }
    refseq |= {
        "mt-Co1": "COX1",
        "mt-Co2": "COX2",
        "mt-Co3": "COX3",
        "mt-Atp6": "ATP6",
        "mt-Atp8": "ATP8",
        "mt-Cytb": "CYTB",
    }
    assert set(own) <= set(refseq)
    renamed = counts.copy()
    renamed.var_names = [refseq.get(name, name) for name in counts.var_names]
    again = process_library(renamed, FACTS, signatures(), CellSettings())
    np.testing.assert_array_equal(again.cells["pct_mito"], result.cells["pct_mito"])
    without = counts[:, ~counts.var_names.isin(own)].copy()
    absent = process_library(without, FACTS, signatures(), CellSettings())
    assert "were not filtered by their share of mitochondrial counts" in codes(absent)["mito_not_measured"]
    filters = pd.DataFrame(absent.report["filters"]).set_index("filter")
    assert np.isnan(filters.loc["high_mito", "threshold_high"])


def test_bulk_samples_are_told() -> None:
    from recovery_microglia.core.genes import known_symbols
    from recovery_microglia.library.process import measured_notices

    genes = pd.Index(sorted(known_symbols("mouse"))[:14_000])
    kept = pd.DataFrame({"pct_mito": [1.0], "n_counts": [20_000_000], "n_genes": [13_900]})
    some = sp.csr_matrix(np.ones((1, 14_000), dtype=np.int32))
    assert [notice.code for notice in measured_notices(some, genes, kept, FACTS)] == ["bulk_profiles"]
    deep = kept.assign(n_counts=1_000_000, n_genes=7000)  # a cell of a plate, read deeply
    assert measured_notices(some, genes, deep, FACTS) == []


def test_what_was_left_out_of_a_table_is_told(counts: ad.AnnData) -> None:
    read = counts.copy()
    read.uns["reading"] = {"no_genes": ["Total"], "no_cells": ["Length", "Chr"]}
    told = codes(process_library(read, FACTS, signatures(), CellSettings()))
    assert told["features_are_no_genes"] == "1 of the features are no genes and were left out: Total."
    assert told["columns_are_no_cells"] == "2 of the table's columns hold no counts and were left out: Length, Chr."
