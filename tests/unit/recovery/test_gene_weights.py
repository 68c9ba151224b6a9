"""Learning of gene weights: known folds are found, batches and nulls teach nothing, no animal sees itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import statsmodels.api as sm
from scipy import stats

from recovery_microglia.core.genes import load_signatures
from recovery_microglia.recovery import gene_weights as module
from recovery_microglia.recovery.gene_weights import (
    ANY,
    N_FOLDS,
    RELATED,
    SCALE_RANGE,
    SIGNATURE,
    Refined,
    cross_fit,
    in_typical_units,
    refine,
    score,
)
from recovery_microglia.recovery.likelihood import (
    DISPERSION,
    RECOVERY_FOLD,
    TYPICAL,
    Resting,
    likelihoods,
    log_ratio,
    prior_weights,
    resting_share,
    typical_level,
)

SIGNATURES = load_signatures(Path(__file__).parents[3] / "config" / "signatures")
UP = SIGNATURES.recovery.up
UNMOVED = UP[-2:]
RELATED_MOVED, RELATED_STILL = ("Apoe", "Cd63"), ("Ctsz", "Ctsa")
FURTHER, BATCH, FORBIDDEN = ("Postn", "Ch25h"), "Xyz1", "P2ry12"
GENES = pd.Index(
    [
        *UP,
        *RELATED_MOVED,
        *RELATED_STILL,
        *FURTHER,
        BATCH,
        FORBIDDEN,
        "Il1b",
        "Cd14",
        "Tlr2",
        *(f"G{i}x" for i in range(300)),
    ]
)
RIVALS = {"acute_inflammatory": ("Il1b", "Cd14", "Tlr2")}
FOLD = {
    **dict.fromkeys(UP[:-2], 8.0),
    UP[0]: 20.0,
    UP[1]: 4.0,
    **dict.fromkeys(RELATED_MOVED, 3.0),
    **dict.fromkeys(FURTHER, 6.0),
}
FOLD |= {FORBIDDEN: 3.0}
LEVEL = np.where(GENES.isin(UP), 1.5e-4, np.where(GENES.str.startswith("G"), 3e-3, 4e-4))
LEVEL = LEVEL / LEVEL.sum()


def study(share: float, *, seed: int = 1, per_animal: int = 120, injured: int = 8, fold: dict[str, float] = FOLD):
    """Four control animals and some injured ones with a share of turned cells; a gene that is high in injured batches."""
    rng = np.random.default_rng(seed)
    rows, true, counts = [], [], []
    for number in range(4 + injured):
        control = number < 4
        turned = np.arange(per_animal) < round((0.01 if control else share) * per_animal)
        up = np.array([fold.get(gene, 1.0) for gene in GENES])
        mean = LEVEL * np.where(turned[:, None], up, 1.0) * np.where((GENES == BATCH) & (not control), 5.0, 1.0)
        mean = mean * 2500 * rng.lognormal(0, 0.35, per_animal)[:, None]
        counts.append(rng.poisson(mean * rng.gamma(1 / DISPERSION, DISPERSION, mean.shape)))
        rows += [(f"L{number:02d}", f"m{number:02d}", control)] * per_animal
        true.append(turned)
    cells = pd.DataFrame(rows, columns=["library", "subject", "control"])
    return sp.csr_matrix(np.concatenate(counts).astype(float)), cells, np.concatenate(true)


def learn(counts: sp.csr_matrix, cells: pd.DataFrame, nuisance: pd.DataFrame | None = None):
    control = cells["control"].to_numpy()
    weights = prior_weights(GENES, UP, RIVALS)
    resting = Resting(resting_share(counts[control])[None], np.zeros(len(cells), np.int64))
    depth = pd.DataFrame({"depth": np.log(np.asarray(counts.sum(axis=1)).ravel())})
    found = refine(counts, GENES, weights, resting, cells, control, SIGNATURES, depth if nuisance is None else nuisance)
    return found, log_ratio(likelihoods(counts, weights, resting)), resting


@pytest.fixture(scope="module")
def learnt():
    counts, cells, true = study(0.2)
    return (counts, cells, true, *learn(counts, cells))


def auroc(true: np.ndarray, values: np.ndarray) -> float:
    return float(stats.mannwhitneyu(values[true], values[~true]).statistic / (true.sum() * (~true).sum()))


def test_folds_of_the_signature_are_found(learnt) -> None:
    table = learnt[3].table.set_index("gene")
    assert (table.loc[list(UP), "role"] == "signature").all()
    moved = [gene for gene in UP if FOLD.get(gene, 1.0) > 1.5]
    # how far a level is into the programme is known up to a scale, common to all genes
    true = np.array([FOLD[gene] - 1 for gene in moved])
    scale = float(np.median((table.loc[moved, "fold"] - 1) / true))
    assert 0.7 < scale < 3
    for gene in UP:
        row, expected = table.loc[gene], 1 + scale * (FOLD.get(gene, 1.0) - 1)
        # control microglia hold 1 % turned cells, which raises their level of a twentyfold gene by a fifth
        assert row["fold_low"] * 0.8 <= expected <= row["fold_high"] * 1.35, gene
    assert set(table.index[table["decision"] == "dropped"]) | set(
        table.index[table["decision"] == "kept in part"]
    ) <= set(UNMOVED)
    assert table.loc[UP[0], "fold"] > 1.5 * table.loc[UP[2], "fold"] > 1.5 * table.loc[UP[1], "fold"] * 0.9


def test_genes_that_rise_are_added_and_batches_and_forbidden_genes_are_not(learnt) -> None:
    added = set(learnt[3].table.query("decision == 'added'")["gene"])
    assert set(RELATED_MOVED) | set(FURTHER) <= added
    assert not added & {BATCH, FORBIDDEN, *RELATED_STILL, "Il1b"}
    assert not [gene for gene in added if gene.startswith("G")]


def test_the_learnt_score_tells_cells_apart_better() -> None:
    # half of the signature still, and weak: what was expected is wrong, what is learnt is right
    weak = {**dict.fromkeys(UP[:7], 4.0), **dict.fromkeys(RELATED_MOVED, 3.0)}
    counts, cells, true = study(0.25, fold=weak, per_animal=200)
    found, before, resting = learn(counts, cells)
    assert auroc(true, score(counts, found, resting)) > auroc(true, before) + 0.01


def test_no_animal_is_scored_by_weights_that_saw_it(learnt) -> None:
    counts, cells, _, found, _, _ = learnt
    own = (cells["subject"] == "m07").to_numpy()
    number = found.fold[own][0]
    assert (found.fold[own] == number).all()
    changed = counts.tolil()
    changed[np.flatnonzero(own)[:40], GENES.get_loc("Postn")] = 50
    again, *_ = learn(sp.csr_matrix(changed), cells)
    kept, moved = (
        (found.weights[number], again.weights[number]),
        (found.weights[1 - number % 2], again.weights[1 - number % 2]),
    )
    np.testing.assert_array_equal(kept[0].columns, kept[1].columns)
    # how likely each level of the programme is, six numbers, is learnt from all animals: 40 of its cells move them in the fifth digit
    np.testing.assert_allclose(kept[0].recovery, kept[1].recovery, rtol=1e-3)
    assert moved[0].recovery.shape != moved[1].recovery.shape or not np.allclose(moved[0].recovery, moved[1].recovery)


def test_folds_take_controls_and_others_in_turn() -> None:
    subject = np.array(["c1", "c2", "i1", "i2", "i3", "i4", "i5", "i5"])
    control = np.array([True, True, *[False] * 6])
    np.testing.assert_array_equal(cross_fit(subject, control), [0, 1, 0, 1, 2, 3, 0, 0])


@pytest.mark.parametrize("seed", range(5))
def test_the_null_teaches_nothing(seed: int) -> None:
    counts, cells, _ = study(0.01, seed=seed)
    found, *_ = learn(counts, cells)
    assert found.weights == ()
    assert "too few recovery cells to learn from" in found.refused
    assert (found.table["decision"] == "as before").all()
    assert (found.table["fold"] == RECOVERY_FOLD).all()


@pytest.mark.parametrize(("share", "enough"), [(0.01, False), (0.15, True)])
def test_eight_recovery_cells_teach_nothing_and_a_hundred_do(share: float, enough: bool) -> None:
    # 8 or 120 cells in eight animals of 100; those outside a fold are clearly recovery cells in two animals, or not
    for seed in (1, 2):
        found, *_ = learn(*study(share, per_animal=100, seed=seed)[:2])
        assert (found.refused == "") == enough
        assert (found.table["decision"] == "as before").all() != enough


def test_a_rare_subgroup_among_many_resting_cells_teaches() -> None:
    # 32 cells among 4,800: resting cells, which all say a little by accident, would be worth as much together
    counts, cells, true = study(0.01, per_animal=400, seed=2)
    found, before, resting = learn(counts, cells)
    assert found.refused == ""
    late = true | ~cells["control"].to_numpy()
    assert auroc(true[late], score(counts, found, resting)[late]) > auroc(true[late], before[late])


@pytest.mark.parametrize(
    ("clear", "reason"), [(0.9, ""), (0.15, "too few recovery cells to learn from: worth 6, 36 are needed")]
)
def test_few_clear_cells_say_more_than_many_that_say_a_little(clear: float, reason: str) -> None:
    # 3,000 cells outside each fold: .18 % of them are clear, or a level that resting cells reach by accident
    subject = np.repeat([f"m{number}" for number in range(8)], 500)
    control = np.repeat(np.arange(8) < 4, 500)
    level = np.zeros(4000)
    level[500 * np.arange(8)] = clear
    level[500 * np.arange(8) + 1] = 1.0 if clear > 0.2 else 0.15
    level[level == 0] = 0.0015
    found, rare = module._too_few(level, subject, cross_fit(subject, control), control)
    assert found == reason
    assert rare == (reason == "")
    level[::5] = 0.9  # many recovery cells: no need to look at the clear ones alone
    assert module._too_few(level, subject, cross_fit(subject, control), control) == ("", False)


def test_few_animals_teach_nothing() -> None:
    counts, cells, _ = study(0.2, injured=3)
    assert learn(counts, cells)[0].refused == f"fewer than {N_FOLDS} animals that are not controls"


@pytest.mark.parametrize("wrong", [0.4, 3.0])
def test_the_unit_is_that_of_a_typical_recovery_cell_wherever_the_folds_begin(wrong: float) -> None:
    # all recovery cells rise as far as FOLD says, and so are typical ones
    counts, cells, true = study(0.2, seed=3, fold=FOLD | dict.fromkeys(UP, 8.0))
    control = cells["control"].to_numpy()
    resting = Resting(resting_share(counts[control])[None], np.zeros(len(cells), np.int64))
    prior = prior_weights(GENES, UP, RIVALS)
    weights = replace(prior, recovery=np.where(prior.recovery != 1, 1 + 7 * wrong, 1.0))
    table = pd.DataFrame({"gene": UP, "fold_before": 1 + 7 * wrong, "fold": 1 + 7 * wrong, "fold_low": np.nan})
    animal = np.unique(cells["subject"], return_inverse=True)[1].astype(np.int64)
    start = Refined((weights,), np.zeros(len(cells), np.int64), table, "not asked for")
    found, fit, level_weights = in_typical_units(counts, start, resting, animal)
    assert typical_level(level_weights) == pytest.approx(TYPICAL, rel=0.03)
    fold = found.weights[0].recovery[found.weights[0].recovery != 1]
    assert 1 + TYPICAL * (fold - 1) == pytest.approx(8.0, rel=0.25)  # the levels' grid is coarse
    assert found.table["fold"].to_numpy() == pytest.approx(fold[0])
    assert found.table["fold_before"].to_numpy() == pytest.approx(1 + 7 * wrong)
    # what is returned is what the returned weights say
    assert log_ratio(fit, level_weights) == pytest.approx(score(counts, found, resting, level_weights), abs=1e-9)
    called = log_ratio(fit, level_weights) > 0
    assert called[true].mean() > 0.8
    assert called[~true].mean() < 0.02


def test_the_scale_ends_where_no_recovery_cell_is_meant() -> None:
    # half of the injured cells rise by a tenth of what was expected: that is no recovery
    counts, cells, _ = study(0.5, seed=4, fold=dict.fromkeys(UP, 1.7))
    control = cells["control"].to_numpy()
    resting = Resting(resting_share(counts[control])[None], np.zeros(len(cells), np.int64))
    start = Refined(
        (prior_weights(GENES, UP, RIVALS),), np.zeros(len(cells), np.int64), pd.DataFrame(), "not asked for"
    )
    animal = np.unique(cells["subject"], return_inverse=True)[1].astype(np.int64)
    found, *_ = in_typical_units(counts, start, resting, animal)
    before, after = (own.weights[0].recovery for own in (start, found))
    assert (after - 1).max() >= SCALE_RANGE[0] * (before - 1).max() - 1e-9


def test_shallow_resting_cells_that_score_high_are_no_reason_to_refuse(learnt) -> None:
    counts, cells, *_ = learnt
    control = cells["control"].to_numpy()
    depth = pd.DataFrame({"depth": np.log(np.asarray(counts.sum(axis=1)).ravel())})
    chance = np.random.default_rng(1).normal(size=len(cells))
    assert module._moved_by(-depth["depth"].to_numpy(), chance, control, depth) == ""
    assert module._moved_by(depth["depth"].to_numpy(), chance, control, depth) == (
        "the learnt score follows depth in control microglia"
    )


def test_a_score_that_follows_a_nuisance_in_controls_is_refused(learnt) -> None:
    counts, cells, _, found, _, resting = learnt
    # the learnt score itself as the nuisance: whatever it follows, it follows this
    nuisance = pd.DataFrame({"the weather": score(counts, found, resting) + np.where(cells["control"], 0, 0)})
    before = np.random.default_rng(1).normal(size=len(cells))
    control = cells["control"].to_numpy()
    assert module._moved_by(nuisance["the weather"].to_numpy(), before, control, nuisance) == (
        "the learnt score follows the weather in control microglia"
    )
    assert module._moved_by(before, before, control, nuisance) == ""
    # what the prior score follows as much is not held against the learnt one
    same = nuisance["the weather"].to_numpy()
    assert module._moved_by(same, same, control, nuisance) == ""


# ---------------------------------------------------------------- the parts against other implementations


def test_effects_are_those_of_weighted_least_squares_with_a_mean_for_each_library() -> None:
    rng = np.random.default_rng(2)
    n = 240
    library = np.repeat([f"l{i}" for i in range(6)], 40)
    subject = np.repeat([f"s{i}" for i in range(6)], 40)
    level, log_depth = rng.uniform(0, 1, (n, 2)), rng.normal(7.6, 0.3, n)
    counts = rng.poisson(np.exp(log_depth)[:, None] * (0.2 + 0.3 * level[:, [0]]) * [0.01, 0.02]) + 0.0
    rest = np.round(np.exp(log_depth))[:, None] - counts.sum(axis=1, keepdims=True)
    counts = np.hstack([counts, rest])
    size = counts.sum(axis=1)
    system = module._System(sp.csr_matrix(counts), library, subject, np.zeros(n, np.int64))
    moments = system.moments(level, log_depth, np.array([0, 1]))
    effect, error = system.solve(moments, fold=1)  # no animal is in fold 1, so all are used
    centred = log_depth - pd.Series(log_depth).groupby(library).transform("mean").to_numpy()
    # x / size on levels, weights size: the same as counts on size x levels with variance in proportion to size
    design = np.column_stack([level, centred, pd.get_dummies(library).to_numpy(float)])
    for gene in (0, 1):
        fit = sm.WLS(counts[:, gene] / size, design, weights=size).fit()
        np.testing.assert_allclose(effect[:, gene], fit.params[:3], rtol=2e-3, atol=1e-6)  # a ridge of 1
        groups = pd.factorize(subject)[0]
        robust = fit.get_robustcov_results("cluster", groups=groups, use_correction=False).bse[:3] * np.sqrt(6 / 5)
        assert (error[:, gene] >= 0.99 * robust).all()


def test_the_errors_of_effects_are_honest_where_few_animals_hide_how_much_counts_vary() -> None:
    scores = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        subject = np.repeat([f"s{i}" for i in range(4)], 100)
        depth, share = rng.lognormal(7.6, 0.3, 400), rng.choice([5e-5, 2e-4, 5e-4, 1e-3], 1500)
        mean = depth[:, None] * share
        counts = rng.poisson(mean * rng.gamma(1 / DISPERSION, DISPERSION, mean.shape))
        counts = np.column_stack([counts, np.maximum(np.round(depth) - counts.sum(axis=1), 1)]).astype(float)
        level = (rng.random((400, 1)) < 0.15) * rng.uniform(0.5, 1, (400, 1))  # no gene moves with it
        system = module._System(sp.csr_matrix(counts), subject, subject, np.zeros(400, np.int64))
        moments = system.moments(level, np.log(counts.sum(axis=1)), np.arange(1500))
        effect, error = system.solve(moments, fold=1)
        scores.append(effect[0] / error[0])
    # the larger of two errors is a little too wide on purpose; too narrow, and genes that do not move are learnt; much
    # too wide, and those that move are not. 6,000 genes know a standard deviation to .01
    assert 0.75 < np.std(scores) < 1.0
    # one-sided normal .0013, known to .0005
    assert (np.array(scores) > 3).mean() < 0.0013 + 3 * 0.0005


def test_the_posterior_of_a_fold_is_what_a_fine_grid_gives() -> None:
    base, effect, error = 1e-4, 4e-4, 1e-4
    for prior in (SIGNATURE, RELATED, ANY):
        x = np.linspace(np.log(0.5), np.log(64), 20001)
        near = stats.norm.logpdf(effect, base * (np.exp(x) - 1), error)
        joint = np.exp(near + stats.norm.logpdf(x, np.log(prior.centre), prior.sd))
        mean = np.exp((joint * x).sum() / joint.sum())
        cumulative = np.cumsum(joint) / joint.sum()
        fold, low, high, moves = (
            v[0] for v in module._posterior(np.array([effect]), np.array([error]), np.array([base]), prior)
        )
        assert fold == pytest.approx(mean, rel=0.01)
        for found, q in ((low, 0.025), (high, 0.975)):
            assert found == pytest.approx(np.exp(x[np.searchsorted(cumulative, q)]), rel=0.06)  # the grid's step
        if prior.none:
            inside = stats.norm.cdf(np.log([0.5, 64]), np.log(prior.centre), prior.sd)
            slab = joint.sum() * (x[1] - x[0]) / (inside[1] - inside[0]) * (1 - prior.none)
            still = stats.norm.pdf(effect, 0, error) * prior.none
            assert moves == pytest.approx(slab / (slab + still), abs=0.005)


def test_a_gene_of_similar_states_counts_as_far_as_it_is_likely_to_rise() -> None:
    base = np.full(4, 1e-4)
    effect = np.array([[2.0, 2.0, 0.2, 2.0]]) * base  # threefold, threefold, a fifth more, threefold
    error = np.array([[0.2, 1.5, 0.2, 1.5]]) * base
    chosen, fold, _ = module._choose(effect, error, base, np.array([True, True, True, False]), 0)
    # the third is likely to stand still; the fourth belongs to no similar state and must be certain
    assert sorted(chosen) == [0, 1]
    sure, doubtful = (fold[list(chosen).index(gene)] for gene in (0, 1))
    assert sure == pytest.approx(2.8, abs=0.3)  # drawn a little towards the expected 1.7
    # independent: chance of a rise by quadrature of the prior, times the mean log fold given one
    folds = np.exp(np.linspace(np.log(0.05), np.log(50), 4001))
    prior = stats.norm.pdf(np.log(folds), np.log(1.7), 0.5)
    rise = prior / prior.sum() * stats.norm.pdf(2.0, folds - 1, 1.5)
    chance = 0.5 * rise.sum() / (0.5 * rise.sum() + 0.5 * stats.norm.pdf(2.0, 0, 1.5))
    assert 0.3 < chance < 0.8  # so doubtful that it would once have been left out
    assert doubtful == pytest.approx(np.exp(chance * np.average(np.log(folds), weights=rise)), rel=0.02)
