"""Cell calling finds the cells of an unfiltered matrix and leaves the empty droplets."""

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.stats

from made_up.one_library import real_library
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.statistics import benjamini_hochberg
from recovery_microglia.library.empty_droplets import (
    _log_likelihood,
    _occurrence,
    ambient_p_values,
    call_cells,
    looks_unfiltered,
    ordmag_threshold,
)

GENES = 1500


def profile(rng: np.random.Generator) -> np.ndarray:
    weights = rng.lognormal(0, 1.5, GENES)
    return weights / weights.sum()


def droplets(seed: int = 0) -> tuple[sp.csr_matrix, np.ndarray]:
    """Return 12,000 empty droplets, 400 large cells, 80 small cells (600-900 counts) and 60 loud empty ones."""
    rng = np.random.default_rng(seed)
    cells = profile(rng)
    other = profile(rng)
    soup = 0.7 * cells + 0.3 * other
    total = [rng.poisson(30, 12_000), rng.lognormal(np.log(6000), 0.4, 400), rng.integers(600, 900, 80)]
    total.append(rng.integers(550, 700, 60))
    blocks = [
        sp.csr_matrix(np.vstack([rng.multinomial(int(n), p) for n in totals]).astype(np.int32))
        for totals, p in zip(total, (soup, cells, other, soup), strict=True)
    ]
    kind = np.repeat(["empty", "large", "small", "loud"], [len(t) for t in total])
    return sp.csr_matrix(sp.vstack(blocks)), kind


def test_cells_are_called_and_loud_empty_droplets_are_not() -> None:
    counts, kind = droplets()
    assert looks_unfiltered(counts)
    called = call_cells(counts, seed=1)
    assert called.mask[kind == "large"].mean() >= 0.99  # the rest lie below a tenth of the 99th percentile
    assert called.mask[kind == "small"].all()  # only the ambient test can see these
    assert called.mask[kind == "empty"].sum() == 0
    # at a false-discovery rate of 1 % one of 81 added barcodes is expected to be empty
    assert called.mask[kind == "loud"].sum() <= 3
    assert called.n_ordmag + called.n_added == called.mask.sum()
    assert called.ambient is not None
    assert called.ambient.sum() == pytest.approx(1)


def test_same_seed_same_cells() -> None:
    counts, _ = droplets()
    first, second = (call_cells(counts, rounds=200, seed=5).mask for _ in range(2))
    assert np.array_equal(first, second)


def test_ambient_p_values_are_uniform_on_ambient_barcodes() -> None:
    rng = np.random.default_rng(3)
    soup = profile(rng)
    barcodes = sp.csr_matrix(np.vstack([rng.multinomial(n, soup) for n in rng.integers(300, 1200, 400)]))
    p = ambient_p_values(barcodes, soup, rounds=500, seed=1)
    # Kolmogorov-Smirnov against uniform: the draws are shared by barcodes, so only gross failure is asked for
    assert scipy.stats.kstest(p, "uniform").pvalue > 1e-3
    assert p.min() >= 1 / 501


def test_likelihood_is_the_multinomial_one() -> None:
    rng = np.random.default_rng(0)
    soup = profile(rng)
    counts = rng.multinomial(200, soup, size=5)
    expected = scipy.stats.multinomial.logpmf(counts, 200, soup) - scipy.special.gammaln(201)
    assert np.allclose(_log_likelihood(sp.csr_matrix(counts), np.log(soup)), expected, rtol=1e-9)


def test_occurrence_counts_each_item_so_far() -> None:
    assert _occurrence(np.array([4, 2, 4, 4, 2, 7])).tolist() == [1, 1, 2, 3, 2, 1]
    assert _occurrence(np.zeros(0, dtype=np.int64)).tolist() == []


def test_ordmag_finds_the_step() -> None:
    rng = np.random.default_rng(0)
    total = np.concatenate([rng.lognormal(np.log(5000), 0.3, 1000), rng.poisson(60, 30_000)]).astype(float)
    threshold = ordmag_threshold(total)
    # a tenth of the 99th percentile of the cells: 5000 x exp(0.3 x 2.33) / 10 = 1005
    assert 850 < threshold < 1150


def test_filtered_matrices_and_panels_are_left_alone() -> None:
    rng = np.random.default_rng(0)
    filtered = sp.csr_matrix(rng.poisson(1.0, (600, GENES)))
    assert not looks_unfiltered(filtered)
    panel = sp.csr_matrix(rng.poisson(0.2, (600, 98)))  # twenty counts a cell, all of them cells
    assert not looks_unfiltered(panel)


def test_no_cells_is_said_plainly() -> None:
    counts = sp.csr_matrix(np.ones((50, 40), dtype=np.int32))
    with pytest.raises(InputError, match="no barcode has 500 counts or more \\(the largest has 40\\)"):
        call_cells(counts)


def test_a_pool_too_small_for_an_ambient_profile_leaves_the_rule_by_counts() -> None:
    counts, kind = droplets()
    called = call_cells(counts[np.flatnonzero(kind != "empty")])
    assert called.ambient is None
    assert called.n_added == 0


def test_benjamini_hochberg_is_scipys_and_skips_missing() -> None:
    p = np.random.default_rng(0).random(50) ** 2
    with_gap = np.insert(p, 7, np.nan)
    q = benjamini_hochberg(with_gap)
    assert np.isnan(q[7])
    assert np.allclose(np.delete(q, 7), scipy.stats.false_discovery_control(p))
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()


@pytest.mark.parametrize("file", ["GSM3182555_CTRL.txt.gz", "GSM3182556_LPS.txt.gz"])
def test_sorted_microglia_among_empty_barcodes(shared_data: Path, file: str) -> None:
    counts = real_library(shared_data / "sousa2018_lps_microglia" / file)
    assert looks_unfiltered(counts.X)
    called = call_cells(counts.X, seed=1)
    # 9,999 barcodes, 'about a thousand' of them cells: the curve has no sharp knee
    assert 700 <= called.mask.sum() <= 1600
    total = np.asarray(counts.X.sum(axis=1)).ravel()
    assert not called.mask[total < 500].any()
