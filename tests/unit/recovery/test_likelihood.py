"""The log-likelihood ratio against scipy, and shares without a cutoff against known truth."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy import optimize, stats
from scipy.special import logsumexp

from recovery_microglia.recovery.likelihood import (
    BLOCK,
    DISPERSION,
    FOLD_RANGE,
    INTERMEDIATE,
    INTERMEDIATE_WEIGHT,
    LEAST_RESTING,
    MOST_FOR,
    OUTLYING,
    PRIOR_CELLS,
    RECOVERY_FOLD,
    RIVAL_FOLD,
    RIVAL_LEVELS,
    RIVAL_WEIGHT,
    SHARED_LEVEL,
    SILENT,
    TURNED,
    TURNED_WEIGHTS,
    TYPICAL,
    TYPICAL_WEIGHTS,
    UNEVEN,
    LevelWeights,
    Likelihoods,
    Noise,
    Resting,
    Rule,
    bounded,
    burst_odds,
    expected_fold,
    gene_terms,
    learn_resting,
    less,
    levels,
    likeliest_levels,
    likeliest_share,
    likelihoods,
    likelihoods_and_terms,
    log_ratio,
    mixture_and_worth,
    mixture_share,
    prior_weights,
    probability,
    programme_probabilities,
    resting_by_library,
    resting_share,
    robust,
    typical_level,
)

GENES = pd.Index([f"r{i}" for i in range(14)] + [f"i{i}" for i in range(8)] + [f"g{i}" for i in range(300)])
RECOVERY = [f"r{i}" for i in range(14)]
RIVALS = {"inflammation": ["i0", "i1", "i2", "i3", "r3"], "other": ["i4", "i5", "i6", "i7"]}
LEVEL = np.concatenate([np.geomspace(1e-5, 4e-4, 14), np.full(8, 1e-4), np.full(300, 3e-3)])
LEVEL = LEVEL / LEVEL.sum()


def draw(n: int, *, raised: list[str] = (), fold: float = 1.0, depth: float = 2000, seed: int = 1) -> sp.csr_matrix:
    """Cells whose counts are negative binomial around depth × share, some genes raised."""
    rng = np.random.default_rng(seed)
    share = LEVEL * np.where(GENES.isin(raised), fold, 1.0)
    mean = np.outer(depth * rng.lognormal(0, 0.3, n), share)
    return sp.csr_matrix(rng.poisson(mean * rng.gamma(1 / DISPERSION, DISPERSION, mean.shape)).astype(np.float32))


def resting(n: int, share: np.ndarray = LEVEL) -> Resting:
    return Resting(share[None], np.zeros(n, dtype=np.int64))


def fitted(counts: sp.csr_matrix, share: np.ndarray = LEVEL, recovery=RECOVERY, rivals=RIVALS, rule: Rule = bounded):
    return likelihoods(counts, prior_weights(GENES, recovery, rivals), resting(counts.shape[0], share), rule)


def within_bounds(terms: np.ndarray, _: Sequence[float] = ()) -> np.ndarray:
    """A gene's evidence as docs/method.md states it: from -2 to 2 in full, and what exceeds 2 by u as u / (1 + u)."""
    terms = np.maximum(terms, -2.0)
    return np.where(terms > 2, 2 + (terms - 2) / (np.maximum(terms, 2) - 1), terms)


def as_a_mixture(terms: np.ndarray, grid: Sequence[float]) -> np.ndarray:
    """A gene's evidence as docs/method.md states it for the score: silent, uneven, or high by accident; one level after the other."""
    plain, found = np.exp(terms), np.zeros_like(terms)
    silent = plain[grid.index(0.0)] if 0.0 in grid else np.ones(terms.shape[1:])
    above = sorted(level for level in grid if level > 0)
    accident = np.mean([plain[grid.index(level)] for level in above], axis=0)
    for place, level in enumerate(grid):
        raised, weights = np.zeros(terms.shape[1:]), 0.0
        for number, other in enumerate(above):
            below, beyond = above[max(number - 1, 0)], above[min(number + 1, len(above) - 1)]
            width = np.log(beyond / below) / (2 if below < other < beyond else 1)
            weight = stats.norm.pdf(np.log(other), np.log(level), UNEVEN) * width if level > 0 else 0.0
            raised, weights = raised + weight * plain[grid.index(other)], weights + weight
        own = (1 - SILENT) * raised / weights + SILENT * silent if level > 0 else silent
        found[place] = np.log(own / (1 - OUTLYING + OUTLYING * accident))
    return found


def ratio(counts: sp.csr_matrix, rule: Rule = bounded) -> np.ndarray:
    return log_ratio(fitted(counts, rule=rule))


@pytest.mark.parametrize(("rule", "by_hand"), [(bounded, within_bounds), (robust, as_a_mixture)])
def test_the_ratio_is_what_scipys_negative_binomial_gives(rule: Rule, by_hand: Rule) -> None:
    counts = draw(20, raised=RECOVERY, fold=4)
    used = GENES[:22]
    x, n = counts[:, :22].toarray(), np.asarray(counts.sum(axis=1)).ravel()

    size = 1 / DISPERSION
    resting_mean = n[:, None] * LEVEL[:22]
    at_rest = stats.nbinom.logpmf(x, size, size / (size + resting_mean))

    def evidence(
        rise: np.ndarray, grid: tuple[float, ...], extra: np.ndarray | float = 0.0, worth: Rule = by_hand
    ) -> np.ndarray:
        """All raised genes' evidence for a programme at each level (levels × cells), each gene's within its bounds."""
        means = [resting_mean * (1 + level * rise + extra) for level in grid]
        raised = np.array([stats.nbinom.logpmf(x, size, size / (size + mean)) - at_rest for mean in means])
        return (worth(raised, grid) * ((rise > 0) | (np.asarray(extra) > 0))).sum(axis=2)

    recovery = used.isin(RECOVERY)
    only = {name: used.isin(genes) & ~recovery for name, genes in RIVALS.items()}
    shared = {name: used.isin(genes) & recovery for name, genes in RIVALS.items()}

    grid = (*TURNED, *INTERMEDIATE)
    plain = evidence((RECOVERY_FOLD - 1) * recovery, grid)
    whole, rest = [plain + np.log(1 - 2 * RIVAL_WEIGHT)], [np.full(20, np.log(1 - 2 * RIVAL_WEIGHT))]
    for name in RIVALS:
        own = evidence((RIVAL_FOLD - 1) * only[name], RIVAL_LEVELS, worth=within_bounds)
        own = logsumexp(own, axis=0) - np.log(len(own)) + np.log(RIVAL_WEIGHT)
        apart = evidence((RECOVERY_FOLD - 1) * (recovery & ~shared[name]), grid)
        together = evidence(
            (RECOVERY_FOLD - 1) * shared[name], (0.0, *grid), SHARED_LEVEL * (RIVAL_FOLD - 1) * shared[name]
        )
        whole.append(apart + together[1:] + own)
        rest.append(together[0] + own)
    found, without = logsumexp(whole, axis=0), logsumexp(rest, axis=0)
    turned = logsumexp(found[: len(TURNED)] + np.log(TURNED_WEIGHTS)[:, None], axis=0)
    between = logsumexp(found[len(TURNED) :], axis=0) - np.log(len(INTERMEDIATE))
    without = np.logaddexp(np.log(1 - INTERMEDIATE_WEIGHT) + without, np.log(INTERMEDIATE_WEIGHT) + between)
    np.testing.assert_allclose(ratio(counts, rule), turned - without, rtol=1e-9, atol=1e-9)


def test_blocks_change_nothing() -> None:
    counts = draw(BLOCK + 50)
    whole = ratio(counts)
    np.testing.assert_allclose(whole[BLOCK:], ratio(counts[BLOCK:]), rtol=1e-12)


def test_a_count_of_a_rare_gene_weighs_much_and_its_absence_little() -> None:
    empty = np.zeros((3, len(GENES)), dtype=np.float32)
    empty[:, 30] = 2000  # depth
    empty[1, 0] = 1  # the rarest gene of the signature: seen in one resting cell of fifty
    empty[2, 13] = 1  # the commonest one
    none, rare, common = ratio(sp.csr_matrix(empty))
    assert rare - none > 1.0
    assert rare - none > 1.5 * (common - none)
    silent = LEVEL.copy()
    silent[0] = 1e-9  # as if the rare gene could not be seen at all
    without = log_ratio(fitted(sp.csr_matrix(empty[:1]), silent))[0]
    assert abs(none - without) < 0.2


def test_a_gene_that_inflammation_explains_counts_less_in_an_inflamed_cell() -> None:
    cells = np.zeros((4, len(GENES)), dtype=np.float32)
    cells[:, 40] = 2000
    cells[[1, 3], 3] = 2  # r3 is raised by inflammation too
    cells[2:, 14:18] = 2  # these cells are inflamed
    quiet, quiet_r3, inflamed, inflamed_r3 = ratio(sp.csr_matrix(cells))
    assert inflamed < quiet
    assert inflamed_r3 - inflamed < 0.6 * (quiet_r3 - quiet)


def test_a_programme_of_other_genes_takes_nothing_from_recovery() -> None:
    cells = np.zeros((2, len(GENES)), dtype=np.float32)
    cells[:, 40] = 2000
    cells[:, [0, 1, 5]] = 2
    cells[1, 18:22] = 5  # i4 to i7: the other programme, which shares no gene with recovery
    alone, with_other = ratio(sp.csr_matrix(cells))
    # the depth of the second cell is 1 % larger, nothing else of it speaks of recovery
    assert with_other == pytest.approx(alone, abs=0.1)


@pytest.mark.parametrize(("rule", "most"), [(bounded, MOST_FOR), (robust, -np.log(OUTLYING) + 0.3)])
def test_one_genes_evidence_is_bounded(rule: Rule, most: float) -> None:
    cells = np.zeros((3, len(GENES)), dtype=np.float32)
    cells[:, 40] = 2000
    cells[1, 0], cells[2, 0] = 20, 60
    none, many, more = ratio(sp.csr_matrix(cells), rule)
    # the cell is a little deeper, and where one gene speaks for a higher level more is asked of the others
    assert many == pytest.approx(more, abs=0.3)
    assert many - none <= most + 0.5  # its absence counted a little against recovery
    # a gene of which a recovery cell holds hundreds, and that this cell does not hold at all
    absent = rule(np.full((len(TURNED), 1, 1), -80.0), TURNED)
    assert absent == pytest.approx(-2, abs=0.03)


def test_a_burst_is_worth_less() -> None:
    x, depth, base = np.array([[0.0], [1], [6]]), np.full(3, 2000.0), np.array([1e-5])
    noise = Noise(np.array([DISPERSION]), np.array([0.003]))
    odds = burst_odds(x, depth[:, None] * base, noise, np.array([0]))
    plain, burst = (gene_terms(x, depth, base, np.array([8.0]), DISPERSION, o)[:, 0] for o in (None, odds))
    assert burst[0] == plain[0]
    assert 0 < burst[1] < plain[1]
    assert burst[2] < 0.2 < plain[2]  # six counts of a gene seen in one cell of fifty: a burst
    # by hand: both counts may be a burst of one count, whose probability is .3
    rest, raised = (stats.nbinom.pmf(1, 2, 2 / (2 + m)) for m in (0.02, 0.16))
    expected = np.log((0.997 * raised + 0.003 * 0.3) / (0.997 * rest + 0.003 * 0.3))
    assert burst[1] == pytest.approx(expected, rel=1e-6)


def test_rare_genes_are_expected_to_rise_further_than_common_ones() -> None:
    folds = expected_fold(np.array([1e-7, 3e-5, 1e-4, 2e-3]))
    assert list(folds) == pytest.approx([FOLD_RANGE[1], 1 + 4 / np.sqrt(0.3), 5.0, FOLD_RANGE[0]])


def test_a_background_of_the_library_adds_and_does_not_multiply() -> None:
    counts = draw(30)
    weights = prior_weights(GENES, RECOVERY, {})
    raised = Resting(3 * LEVEL[None], np.zeros(30, dtype=np.int64), LEVEL)
    x, n = counts[:, :14].toarray(), np.asarray(counts.sum(axis=1)).ravel()
    size = 2.0

    def at(share: np.ndarray) -> np.ndarray:
        return stats.nbinom.logpmf(x, size, size / (size + n[:, None] * share))

    expected = within_bounds(at(3 * LEVEL[:14] + 7 * LEVEL[:14]) - at(3 * LEVEL[:14]))
    _, terms = likelihoods_and_terms(counts, weights, raised)
    place = TURNED.index(0.6)
    found = np.array([term[place] for term in terms]).T
    half = within_bounds(at(3 * LEVEL[:14] + 0.6 * 7 * LEVEL[:14]) - at(3 * LEVEL[:14]))
    np.testing.assert_allclose(found, half, atol=1e-5)  # kept as 32-bit
    assert np.abs(expected).max() > np.abs(half).max()


def test_a_score_without_a_gene_is_that_of_the_other_genes() -> None:
    counts = draw(40, raised=RECOVERY, fold=5)
    weights, rest = prior_weights(GENES, RECOVERY, {}), resting(40)
    fit, terms = likelihoods_and_terms(counts, weights, rest)
    other = log_ratio(likelihoods(counts, prior_weights(GENES, RECOVERY[1:], {}), rest))
    np.testing.assert_allclose(log_ratio(less(fit, terms[0])), other, atol=1e-4)  # terms are kept as 32-bit


def test_recovery_cells_score_above_resting_and_inflamed_ones() -> None:
    rest, turned = ratio(draw(400)), ratio(draw(400, raised=RECOVERY, fold=8, seed=2))
    inflamed = ratio(draw(400, raised=RIVALS["inflammation"], fold=6, seed=3))
    cut = np.quantile(rest, 0.99)
    assert (turned > cut).mean() > 0.9
    assert (inflamed > cut).mean() < 0.05  # .025 in this draw: r3 belongs to both programmes


def test_genes_that_are_not_there_are_left_out() -> None:
    counts = draw(30)
    few = fitted(counts, recovery=[*RECOVERY, "absent"], rivals={**RIVALS, "unknown": ["nope"]})
    np.testing.assert_array_equal(log_ratio(few), ratio(counts))


def test_a_resting_share_is_never_zero_and_adds_up() -> None:
    share = resting_share(sp.csr_matrix(np.array([[3.0, 0, 1], [1, 0, 5]])))
    assert share.sum() == pytest.approx(1)
    assert share[1] > 0
    assert share[0] == pytest.approx(0.4, abs=0.01)


def test_recovery_cells_among_the_controls_do_not_blur_the_resting_share() -> None:
    mixed = sp.csr_matrix(sp.vstack([draw(300), draw(40, raised=RECOVERY, fold=6, seed=4)]))
    plain, cleaned = resting_share(mixed), learn_resting(mixed, prior_weights(GENES, RECOVERY, RIVALS))
    own = GENES.isin(RECOVERY)
    error = [np.abs(np.log(share[own] / LEVEL[own])).mean() for share in (plain, cleaned)]
    assert error[1] < 0.5 * error[0]
    # without such cells nothing is lost
    clean = draw(300)
    learnt = learn_resting(clean, prior_weights(GENES, RECOVERY, RIVALS))
    np.testing.assert_allclose(learnt[own], resting_share(clean)[own], rtol=0.1)


# ---------------------------------------------------------------- ambient RNA


def test_each_library_rests_on_the_controls_with_its_own_ambient_rna() -> None:
    share = np.array([0.1, 0.2, 0.3])
    library = np.array(["a", "a", "b", "c"])
    size, control = np.array([100.0, 300, 50, 50]), np.array([True, False, True, False])
    ambient = pd.DataFrame({"a": [0.0, 0.03, 0], "b": [0.06, 0, 0], "c": [0, 0, 0.3]})
    usual = (100 * ambient["a"] + 50 * ambient["b"]) / 150  # what the controls' share holds already
    found = resting_by_library(share, library, size, control, ambient)
    expected = np.array([share + ambient[name] - usual for name in "abc"])
    np.testing.assert_allclose(found.share, np.maximum(expected, LEAST_RESTING * share))
    np.testing.assert_array_equal(found.profile, [0, 0, 1, 2])
    unknown = resting_by_library(share, library, size, control, None)
    np.testing.assert_array_equal(unknown.share, np.repeat(share[None], 3, axis=0))


def test_ambient_rna_of_the_genes_makes_no_recovery_cells() -> None:
    floating = np.where(GENES.isin(RECOVERY), 3 * LEVEL, 0)
    rng = np.random.default_rng(5)
    mean = np.outer(np.full(300, 2000.0), LEVEL + floating)
    wet = sp.csr_matrix(rng.poisson(mean * rng.gamma(1 / DISPERSION, DISPERSION, mean.shape)).astype(np.float32))
    assert mixture_share(ratio(wet))[0] > 0.3  # taken for their own
    known = likelihoods(wet, prior_weights(GENES, RECOVERY, RIVALS), resting(300, LEVEL + floating))
    assert mixture_share(log_ratio(known))[0] < 0.02


# ---------------------------------------------------------------- states


def test_programmes_are_short_names_and_a_cell_can_run_two() -> None:
    both = draw(60, raised=[*RECOVERY, *RIVALS["other"]], fold=6, depth=8000, seed=5)
    kinds = [
        draw(300, depth=8000),
        draw(60, raised=RIVALS["inflammation"], fold=5, depth=8000, seed=3),
        draw(40, raised=RECOVERY, fold=7, depth=8000, seed=4),
        both,
    ]
    counts = sp.csr_matrix(sp.vstack(kinds))
    fit = fitted(counts)
    chance = probability(log_ratio(fit), mixture_share(log_ratio(fit))[0])
    table = programme_probabilities(fit, list(RIVALS), chance, np.zeros(460, dtype=np.int64))
    np.testing.assert_array_equal(table["recovery"], chance)
    none = (1 - table["recovery"]) * (1 - table["inflammation"]) * (1 - table["other"])
    np.testing.assert_allclose(table["homeostatic"], none)
    kind = np.repeat(["rest", "inflammation", "recovery", "both"], [300, 60, 40, 60])
    runs = (table[["inflammation", "recovery", "other"]] > 0.5).groupby(kind).mean()
    assert runs.loc["rest"].max() < 0.05
    assert runs.loc["inflammation", "inflammation"] > 0.7
    assert runs.loc["recovery", "recovery"] > 0.9
    assert runs.loc["both", ["recovery", "other"]].min() > 0.9
    # the animal's own share of inflamed cells is found: 60 of 460, drawn a little towards the prior
    assert table["inflammation"].sum() == pytest.approx(60 + PRIOR_CELLS * RIVAL_WEIGHT, abs=15)


def test_levels_are_those_that_the_cells_were_drawn_with() -> None:
    found = []
    for true in (0.0, 0.5, 1.0):
        fit = fitted(draw(400, raised=RECOVERY, fold=1 + true * (RECOVERY_FOLD - 1), seed=6))
        level = levels(fit, np.full(400, 0.5))
        assert level.shape == (400, 3)
        found.append(level[:, 0].mean())
    # the bounds on each gene's evidence and the prior weights of the levels draw high levels down
    assert found[:2] == pytest.approx([0.0, 0.5], abs=0.15)
    assert found[1] + 0.1 < found[2]


def test_the_level_is_kept_where_one_genes_evidence_is_bounded() -> None:
    found = {}
    for rule in (bounded, robust):
        for true in (0.6, 1.5, 3.0):
            cells = draw(500, raised=RECOVERY, fold=1 + true * (RECOVERY_FOLD - 1), depth=4000, seed=7)
            fit = fitted(cells, rule=rule)
            found[rule, true] = typical_level(likeliest_levels(fit, np.zeros(500, dtype=np.int64)))
    # the grid of levels is coarse: a step is a factor of 1.4 to 2
    for true in (0.6, 1.5, 3.0):
        assert found[robust, true] == pytest.approx(true, rel=0.25)
    # cut at each level, far and further look alike, and zeros of the other genes decide
    assert found[bounded, 3.0] < 0.6 * 3.0


def test_without_cells_to_say_otherwise_the_typical_level_stays_where_it_is() -> None:
    # else folds would be scaled down step by step where cells say little of their level
    assert np.exp(np.array(TYPICAL_WEIGHTS) @ np.log(TURNED)) == pytest.approx(TYPICAL, rel=0.01)
    assert sum(TYPICAL_WEIGHTS) == pytest.approx(1)
    prior = likeliest_levels(fitted(draw(50), rule=robust), np.zeros(50, dtype=np.int64), TYPICAL_WEIGHTS)
    assert typical_level(prior) == pytest.approx(TYPICAL, rel=0.02)


def one_measure(level: np.ndarray, seed: int) -> Likelihoods:
    """Return the likelihoods of cells that are known by one number each, normal (SD 1) around nine times their level."""
    y = np.random.default_rng(seed).normal(9 * level, 1)
    turned, between = (np.array([9 * one * (y - 4.5 * one) for one in levels_]) for levels_ in (TURNED, INTERMEDIATE))
    return Likelihoods(turned, between, np.zeros(len(y)), np.zeros((0, len(y))))


def test_where_there_is_a_gradient_intermediate_cells_are_not_counted_as_recovery_cells() -> None:
    rng = np.random.default_rng(3)
    high = [np.concatenate([rng.uniform(0.4, 1, 300), rng.uniform(0.05, 0.3, 120), np.zeros(580)]) for _ in range(3)]
    level, animal = np.concatenate([*high, np.zeros(2000)]), np.repeat(np.arange(5), 1000)
    fit = one_measure(level, 4)
    found = likeliest_levels(fit, animal)
    assert found.turned.sum() == pytest.approx(1)
    assert found.turned[:3].sum() > 0.9  # none is above the full level
    of_animal = np.asarray(found.intermediate)[::1000]
    # 120 of the 700 without the programme (.17); those a twentieth of the way cannot be told from those at rest
    assert of_animal[:3] == pytest.approx([0.15, 0.15, 0.15], abs=0.05)
    assert of_animal[3:].tolist() == [INTERMEDIATE_WEIGHT] * 2  # no cell is intermediate where none runs the programme

    def share(weights: LevelWeights) -> float:
        return float(np.mean([mixture_share(log_ratio(fit, weights)[animal == one])[0] for one in range(3)]))

    # the interval of an animal's share of 1,000 cells is some .06 wide, of the mean of three .035
    assert share(found) == pytest.approx(0.3, abs=0.02)
    assert share(replace(found, intermediate=INTERMEDIATE_WEIGHT)) > share(found) + 0.01


def test_without_a_gradient_hardly_a_cell_is_intermediate() -> None:
    level, animal = np.repeat([0.85, 0.0, 0.85, 0.0], [300, 700, 250, 750]), np.repeat([0, 1], 1000)
    found = likeliest_levels(one_measure(level, 5), animal)
    # an even gradient, as is expected at first, would have .3 x 300 / 700 = .13 and .3 x 250 / 750 = .1
    assert np.asarray(found.intermediate).max() < 0.04


# ---------------------------------------------------------------- without a cutoff


def test_cells_a_fifth_of_the_way_are_hardly_counted_as_recovery_cells() -> None:
    found = []
    for seed in range(4):
        some = draw(60, raised=RECOVERY, fold=1 + 0.2 * (RECOVERY_FOLD - 1), depth=8000, seed=10 + seed)
        found.append(mixture_share(ratio(sp.csr_matrix(sp.vstack([some, draw(240, depth=8000, seed=seed)]))))[0])
    # 20 % of the cells are a fifth of the way, none is two fifths of it; the bounds on each gene's evidence blur the two, so that a
    # fifth of such cells pass (.044 here); without intermediate levels among the alternatives it would be more than half
    assert np.mean(found) < 0.07


def test_the_share_is_the_maximum_of_the_likelihood() -> None:
    rng = np.random.default_rng(1)
    scores = np.concatenate([rng.normal(2, 2, 40), rng.normal(-3, 1.5, 160)])

    def loss(share: float) -> float:
        return -float(np.log(1 - share + share * np.exp(scores)).sum())

    best = optimize.minimize_scalar(loss, bounds=(1e-6, 1 - 1e-6), method="bounded").x
    share, low, high = mixture_share(scores)
    assert share == pytest.approx(best, abs=2e-3)  # the grid's step
    for end in (low, high):  # Wilks: half of the 95 % quantile of chi-square with one degree of freedom
        assert loss(end) - loss(best) == pytest.approx(stats.chi2.ppf(0.95, 1) / 2, abs=0.15)
    # at the maximum the mean probability is the share: calls and share tell one story
    assert probability(scores, share).mean() == pytest.approx(share, abs=2e-3)


@pytest.mark.parametrize("true", [0.0, 0.05, 0.2])
def test_shares_of_animals_are_found_where_the_model_holds(true: float) -> None:
    found, inside = [], 0
    for seed in range(25):
        k = round(true * 150)
        # the three usual levels of the state, as frequent as each other
        turned = [
            ratio(draw(15, raised=RECOVERY, fold=1 + level * (RECOVERY_FOLD - 1), seed=100 * seed + i))
            for i, level in enumerate(TURNED[:3])
        ]
        chosen = np.random.default_rng(seed).permutation(np.concatenate(turned))[:k]
        share, low, high = mixture_share(np.concatenate([chosen, ratio(draw(150 - k, seed=seed))]))
        found.append(share)
        inside += low <= true <= high
    # 25 animals of 150 cells: the mean share is known to about .007 at .2; the levels above 1, which these cells never have, take an
    # eighth of it away
    assert np.mean(found) == pytest.approx(true, abs=0.03)
    assert inside >= 20  # of 25 at .95: fewer has a probability of .003


def test_the_quick_share_is_the_maximum() -> None:
    rng = np.random.default_rng(2)
    scores = np.concatenate([rng.normal(3, 1.5, 60), rng.normal(-3, 1.5, 240)])
    assert likeliest_share(scores) == pytest.approx(mixture_share(scores)[0], abs=5e-3)


def test_the_ends_are_reached_and_nothing_is_missing() -> None:
    assert mixture_share(np.full(50, -8.0))[:2] == (0.0, 0.0)
    assert mixture_share(np.full(50, 8.0))[::2] == (1.0, 1.0)
    assert np.isnan(mixture_share(np.array([np.nan]))).all()
    assert mixture_share(np.array([1.0, np.nan])) == mixture_share(np.array([1.0]))
    np.testing.assert_array_equal(probability(np.array([5.0, np.nan]), 0.0), [0.0, np.nan])


def test_scores_without_doubt_are_worth_their_cells_and_doubtful_ones_fewer() -> None:
    sure = np.repeat([60.0, -60.0], [30, 170])
    assert mixture_and_worth(sure)[3:] == pytest.approx((30, 200), rel=3e-3)  # the share lies on a grid
    assert mixture_and_worth(np.full(200, -60.0))[3:] == pytest.approx((0, 200), rel=1e-3)
    # a score of 0 says nothing of any cell; no fewer than one cell, or the animal would not count at all
    assert mixture_and_worth(np.zeros(200))[4] == 1
    rng = np.random.default_rng(2)
    worth = {}
    for true in (0.2, 0.02):
        own = rng.random(400) < true
        # two normals at a distance of d SD: the log-likelihood ratio is d x - d^2 / 2
        for d in (1.5, 2.5, 4.0):
            ratio = d * (rng.standard_normal(400) + d * own) - d * d / 2
            _, low, high, recovery, cells = mixture_and_worth(ratio)
            p = np.linspace(1e-4, 0.9999, 20_000)
            lost = recovery * np.log(p) + (cells - recovery) * np.log1p(-p)
            inside = p[lost >= lost.max() - 1.9207]
            # the same interval as that of so many cells, within a seventh of its width
            assert [inside[0], inside[-1]] == pytest.approx([low, high], abs=0.14 * (high - low))
            worth[true, d] = cells
    assert worth[0.2, 1.5] < worth[0.2, 2.5] < worth[0.2, 4.0] < 400
    assert np.isnan(mixture_and_worth(np.array([np.nan]))).all()


def test_a_probability_is_bayes() -> None:
    found = probability(np.array([0.0, np.log(9)]), 0.1)
    np.testing.assert_allclose(found, [0.1, 0.5])
