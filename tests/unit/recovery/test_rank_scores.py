"""Rank scores against pyucell and scipy; thinning and matched sets against their promises."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from recovery_microglia.recovery import rank_scores as module
from recovery_microglia.recovery.rank_scores import (
    matched_sets,
    membership,
    rank_gains,
    rank_scores,
    score_sets,
    thin_counts,
)

GENES = pd.Index([f"g{i}" for i in range(300)])


def counts(seed: int, n_cells: int = 60, mean: float = 0.6) -> sp.csr_matrix:
    rng = np.random.default_rng(seed)
    level = rng.gamma(0.5, 2 * mean, len(GENES))
    return sp.csr_matrix(rng.poisson(level, (n_cells, len(GENES))).astype(np.float32))


@given(st.integers(0, 10_000), st.integers(5, 120))
@settings(max_examples=25, deadline=None)
def test_gains_are_scipys_ranks_of_the_detected_genes(seed: int, max_rank: int) -> None:
    X = counts(seed, n_cells=4)
    gains = rank_gains(X, max_rank=max_rank).toarray()
    for cell, gain in zip(X.toarray(), gains, strict=True):
        here = cell > 0
        expected = np.maximum(max_rank - rankdata(-cell[here], method="average"), 0)
        np.testing.assert_allclose(gain[here], expected)
        assert (gain[~here] == 0).all()


def test_blocks_of_cells_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = counts(6, n_cells=23).toarray()
    dense[[0, 7, 22]] = 0  # cells without counts, at the ends of blocks too
    X = sp.csr_matrix(dense)
    gains, thin = rank_gains(X, max_rank=30), thin_counts(X, 40, seed=2)
    for size in (1, 8, 23):
        monkeypatch.setattr(module, "BLOCK", size)
        assert (rank_gains(X, max_rank=30) != gains).nnz == 0
        assert (thin_counts(X, 40, seed=2) != thin).nnz == 0


def test_of_thinned_counts_some_columns_and_the_depth_can_be_kept_alone() -> None:
    X = counts(7, n_cells=30)
    whole, kept = thin_counts(X, 40, seed=3), np.array([0, 4, 5, 299])
    part = thin_counts(X, 40, seed=3, kept=kept)
    assert part.shape == whole.shape
    assert (part[:, kept] != whole[:, kept]).nnz == 0  # the same draws
    assert (part.sum(axis=1) == whole.sum(axis=1)).all()
    assert set(part.indices) - set(kept) == {1}  # the rest stands in the first column that is not among them
    everything = np.arange(len(GENES))
    assert (thin_counts(X, 40, seed=3, kept=everything) != whole).nnz == 0
    assert thin_counts(X[:0], 40, seed=3, kept=kept).shape == (0, len(GENES))


def test_scores_are_pyucells() -> None:
    import pyucell

    X = counts(1, n_cells=80, mean=1.5)
    sets = {"a": [f"g{i}" for i in range(0, 40, 3)], "b": ["g5", "g7", "g250"]}
    adata = ad.AnnData(X.copy(), obs=pd.DataFrame(index=[f"c{i}" for i in range(80)]), var=pd.DataFrame(index=GENES))
    pyucell.compute_ucell_scores(adata, signatures=sets, max_rank=120, ties_method="average")
    ours = score_sets(rank_gains(X, max_rank=120), GENES, sets, max_rank=120)
    for name in sets:
        # pyucell keeps scores in single precision
        np.testing.assert_allclose(ours[name], adata.obs[f"{name}_UCell"], atol=2e-6)


def test_a_score_is_one_where_the_set_leads_and_zero_where_it_is_silent() -> None:
    X = sp.csr_matrix(np.array([[9, 8, 7, 1, 0], [0, 0, 0, 5, 5]], dtype=np.float32))
    table = score_sets(rank_gains(X, max_rank=4), GENES[:5], {"top": ["g0", "g1", "g2"]}, max_rank=4)
    assert table["top"].tolist() == [1.0, 0.0]


def test_depth_alone_does_not_decide() -> None:
    # all counts times a constant: the same ranks, the same score
    X = counts(3)
    sets = {"a": [f"g{i}" for i in range(20)]}
    one, ten = (score_sets(rank_gains(m), GENES, sets)["a"] for m in (X, sp.csr_matrix(X * 10)))
    np.testing.assert_array_equal(one, ten)


def test_a_set_with_too_few_genes_in_the_data_has_no_score() -> None:
    table = score_sets(rank_gains(counts(1)), GENES, {"few": ["g1", "nope", "neither"], "enough": ["g1", "g2"]})
    assert table["few"].isna().all()
    assert table["enough"].notna().all()
    empty = rank_scores(rank_gains(counts(1)), membership([["nope"]], GENES))
    assert np.isnan(empty).all()


def test_thinning_reaches_the_depth_keeps_shares_and_adds_nothing() -> None:
    X = counts(4, n_cells=400, mean=4)
    total = np.asarray(X.sum(axis=1)).ravel()
    depth = float(np.quantile(total, 0.25))
    thin = thin_counts(X, depth, seed=1)
    assert ((X - thin).toarray() >= 0).all()
    assert (thin.data > 0).all()
    after = np.asarray(thin.sum(axis=1)).ravel()
    shallow = total <= depth
    np.testing.assert_array_equal(after[shallow], total[shallow])
    # a sum of binomials: the mean over 300 cells has a standard error of sqrt(depth / 300), four of them
    assert after[~shallow].mean() == pytest.approx(depth, abs=4 * np.sqrt(depth / (~shallow).sum()))
    deep = X[~shallow].sum(axis=0), thin[~shallow].sum(axis=0)
    shares = [np.asarray(part / part.sum()).ravel() for part in deep]
    assert np.abs(shares[0] - shares[1]).max() < 0.005
    assert (thin != thin_counts(X, depth, seed=1)).nnz == 0
    assert (thin != thin_counts(X, depth, seed=2)).nnz > 0


def test_random_sets_are_matched_and_avoid_what_is_forbidden() -> None:
    rng = np.random.default_rng(1)
    detection = rng.beta(0.5, 2, 2000)
    mean = detection * rng.gamma(2, 1, 2000)
    own = np.argsort(detection)[[400, 900, 1500, 1900]]
    allowed = np.ones(2000, bool)
    allowed[own] = False
    allowed[:200] = False
    sets = matched_sets(own, detection, mean, allowed, n_sets=300, seed=1)
    drawn = np.concatenate(sets)
    assert allowed[drawn].all()
    assert len(sets) == 300
    assert {len(s) for s in sets} <= {3, 4}  # a gene drawn twice counts once
    # sets as a whole are detected as often as the signature: 50 neighbours of 1,800 genes lie close
    assert np.mean([detection[s].mean() for s in sets]) == pytest.approx(detection[own].mean(), rel=0.1)
    assert len({tuple(s) for s in sets}) > 250
