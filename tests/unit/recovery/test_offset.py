"""Raising the score to a likelihood ratio of the data set's own resting cells, and where the controls stop it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy import stats

from recovery_microglia.recovery import offset as module
from recovery_microglia.recovery.evidence import evidence_by_gene
from recovery_microglia.recovery.gene_weights import Refined, fitted
from recovery_microglia.recovery.likelihood import (
    INTERMEDIATE,
    PRIOR_LEVELS,
    TURNED,
    TYPICAL_WEIGHTS,
    Resting,
    Weights,
    likeliest_levels,
    likelihoods_and_terms,
    log_ratio,
    mixture_share,
    robust,
)

N_GENES, FOLD, DISPERSION = 24, 3.0, 0.5
LEVEL = 1e-4
SHARE = np.append(np.full(N_GENES, LEVEL), 1 - N_GENES * LEVEL)
GENES_OF = np.arange(N_GENES)


def weights_of(fold: float = FOLD) -> Weights:
    return Weights(GENES_OF, np.full(N_GENES, fold), np.ones((0, N_GENES)), ())


def refined_of(n: int) -> Refined:
    return Refined((weights_of(),), np.zeros(n, np.int64), pd.DataFrame(), "")


def drawn(turned: np.ndarray, *, seed: int, fold: float = FOLD, on: float = 1.0) -> sp.csr_matrix:
    """Cells of about 3,000 counts.

    ``fold``, ``on``: how far a gene rises in a recovery cell, and in what
    part of them.
    """
    rng = np.random.default_rng(seed)
    n = len(turned)
    depth = 3000 * rng.lognormal(0, 0.5, n)
    rises = turned[:, None] & (rng.uniform(size=(n, N_GENES)) < on)
    mean = depth[:, None] * LEVEL * np.where(rises, fold, 1.0)
    genes = rng.poisson(mean * rng.gamma(1 / DISPERSION, DISPERSION, mean.shape))
    return sp.csr_matrix(np.column_stack([genes, np.maximum(rng.poisson(depth) - genes.sum(axis=1), 100)]))


def resting_of(n: int) -> Resting:
    return Resting(SHARE[None], np.zeros(n, np.int64))


def animals_of(n: int, per_animal: int = 300) -> np.ndarray:
    return (np.arange(n) // per_animal).astype(np.int64)


def judged(counts: sp.csr_matrix, control: np.ndarray):
    """Return the scores before and after, and what was added."""
    n = counts.shape[0]
    fit = fitted(counts, refined_of(n), resting_of(n))
    before = likeliest_levels(fit, animals_of(n), TYPICAL_WEIGHTS)
    found, after, levels = module.calibrated(
        counts, refined_of(n), resting_of(n), fit, before, animals_of(n), control, seed=1
    )
    return log_ratio(fit, before), log_ratio(after, levels), found


def test_the_mean_ratio_of_each_gene_among_resting_cells_is_one() -> None:
    # by hand; ten cells of a mean of one hold it back
    n = 1200
    counts = drawn(np.zeros(n, bool), seed=1)
    chance = np.random.default_rng(2).uniform(0.2, 1, n)
    found = module.offset_of(counts, refined_of(n), resting_of(n), chance, seed=1)
    assert found.nats.shape == (N_GENES, module.DEPTHS, len(TURNED) + len(INTERMEDIATE))
    _, terms = likelihoods_and_terms(counts, weights_of(), resting_of(n), robust)
    depth = np.log(np.asarray(counts.sum(axis=1)).ravel())
    quarter = np.searchsorted(np.quantile(depth, [0.25, 0.5, 0.75]), depth, side="right")
    for number in range(module.DEPTHS):
        own = quarter == number
        assert found.log_depth[number] == pytest.approx(depth[own].mean(), abs=1e-9)
        for gene in range(N_GENES):
            mean = (np.exp(terms[gene][:, own]) @ chance[own] + 10) / (chance[own].sum() + 10)
            assert found.nats[gene, number] == pytest.approx(-np.log(mean), abs=1e-6)  # single precision inside


def test_in_deep_cells_more_is_added() -> None:
    n = 2000
    found = module.offset_of(drawn(np.zeros(n, bool), seed=3), refined_of(n), resting_of(n), np.ones(n), seed=1)
    whole = found.of_genes(GENES_OF, found.log_depth)[TURNED.index(0.85)]
    assert whole[-1] > whole[0] + 0.2
    assert 0.3 < whole.mean() < 2.0


@pytest.mark.parametrize("seed", range(3))
def test_shares_come_nearer_to_the_truth_and_controls_stay_quiet(seed: int) -> None:
    n, animals = 3000, 10
    control = animals_of(n) < 4
    turned = (np.random.default_rng(seed).uniform(size=n) < 0.1) & ~control
    # as others drew tissue: each gene rises in a part of the recovery cells only
    before, after, _ = judged(drawn(turned, seed=seed + 10, on=0.6), control)
    true = turned[~control].mean()
    found = [
        np.mean([mixture_share(score[animals_of(n) == number])[0] for number in range(4, animals)])
        for score in (before, after)
    ]
    assert abs(found[1] - true) < abs(found[0] - true)
    assert found[1] > found[0]
    assert mixture_share(after[control])[0] <= module.MOST_IN_CONTROLS + 1e-9


def test_controls_that_would_rise_with_it_stop_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # a twentieth of the controls runs the programme as well; that share is not to grow
    n = 2400
    control = animals_of(n) < 4
    turned = np.random.default_rng(5).uniform(size=n) < np.where(control, 0.05, 0.1)
    counts = drawn(turned, seed=5, on=0.6)
    before, after, found = judged(counts, control)
    most = mixture_share(before[control])[0]
    assert most > module.MOST_IN_CONTROLS
    assert mixture_share(after[control])[0] <= most
    monkeypatch.setattr(module, "MOST_IN_CONTROLS", 1.0)
    _, unstopped, whole = judged(counts, control)
    assert mixture_share(unstopped[control])[0] > most + 0.003
    assert np.abs(found.nats).max(initial=0) < 0.3 * np.abs(whole.nats).max()


def test_without_controls_nothing_is_added() -> None:
    n = 600
    before, after, found = judged(drawn(np.zeros(n, bool), seed=6), np.zeros(n, bool))
    assert found is module.NONE
    np.testing.assert_array_equal(before, after)
    assert not found.of_cells(drawn(np.zeros(3, bool), seed=1), refined_of(3)).any()


def test_each_set_of_weights_takes_its_own_genes() -> None:
    nats = np.arange(3 * 8, dtype=float).reshape(3, 1, 8)
    found = module.Offset(np.array([1, 4, 6]), np.array([8.0]), nats)
    first = Weights(np.array([1, 4]), np.array([3.0, 1.0]), np.ones((0, 2)), ())  # 4 is not of recovery there
    second = Weights(np.array([4, 6]), np.array([3.0, 2.0]), np.ones((0, 2)), ())
    refined = Refined((first, second), np.array([0, 1, 1]), pd.DataFrame(), "")
    added = found.of_cells(sp.csr_matrix(np.full((3, 7), 100)), refined)
    np.testing.assert_array_equal(added[:, 0], nats[0, 0])
    np.testing.assert_array_equal(added[:, 1], nats[1, 0] + nats[2, 0])
    np.testing.assert_array_equal(added[:, 1], added[:, 2])
    np.testing.assert_array_equal(found.times(0.5).nats, nats / 2)


def test_between_ranges_of_depth_it_changes_evenly_and_stays_beyond_them() -> None:
    nats = np.zeros((1, 2, 8))
    nats[0, 1] = 1.0
    found = module.Offset(np.array([0]), np.array([7.0, 9.0]), nats)
    added = found.of_genes(np.array([0]), np.array([6.0, 7.0, 7.5, 9.0, 11.0]))
    np.testing.assert_allclose(added[0], [0, 0, 0.25, 1, 1])


@pytest.mark.parametrize("true", range(11))
def test_the_largest_step_that_is_allowed_is_found(true: int) -> None:
    assert module._largest(lambda step: step <= true) == true


def test_a_gene_takes_its_part_along_when_it_is_left_out() -> None:
    n = 40
    turned = np.arange(n) < 10
    counts = drawn(turned, seed=8)
    refined, resting = refined_of(n), resting_of(n)
    whole = module.offset_of(counts, refined, resting, np.ones(n), seed=1)
    found, rest = evidence_by_gene(counts, refined, resting, turned, PRIOR_LEVELS, whole)
    score = log_ratio(module.raised(fitted(counts, refined, resting), whole.of_cells(counts, refined)), PRIOR_LEVELS)
    fewer = replace(refined, weights=(replace(weights_of(), recovery=np.append(np.full(N_GENES - 1, FOLD), 1.0)),))
    without = log_ratio(module.raised(fitted(counts, fewer, resting), whole.of_cells(counts, fewer)), PRIOR_LEVELS)
    np.testing.assert_allclose(found.nats[-1], (score - without)[turned], atol=1e-5)  # single precision inside
    np.testing.assert_allclose(rest[turned], score[turned] - found.nats.max(axis=0), atol=1e-5)


def test_the_score_was_too_low_by_what_accidents_take() -> None:
    # known law: negative binomial counts without accidents; the mean of the plain ratio is one, that of the robust one is less
    rng = np.random.default_rng(9)
    n, mean = 100_000, 3000 * LEVEL
    x = rng.poisson(mean * rng.gamma(1 / DISPERSION, DISPERSION, n)).astype(float)
    size = 1 / DISPERSION
    resting, turned = (stats.nbinom.logpmf(x, size, size / (size + mean * fold)) for fold in (1.0, FOLD))
    assert np.exp(turned - resting).mean() == pytest.approx(1, abs=0.02)  # its standard error is 0.005
    counts = sp.csr_matrix(np.column_stack([x, 3000.0 - x]))
    one = Weights(np.array([0]), np.array([FOLD]), np.ones((0, 1)), ())
    share = Resting(np.array([[LEVEL, 1 - LEVEL]]), np.zeros(n, np.int64))
    _, (term,) = likelihoods_and_terms(counts, one, share, robust)
    assert 0.9 < np.exp(term[TURNED.index(0.85)]).mean() < 0.98
