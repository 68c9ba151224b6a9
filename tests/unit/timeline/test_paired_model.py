"""The two sides of one animal."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logit

from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.confirmatory_tests import sign_flip_p
from recovery_microglia.timeline.days import compare_days
from recovery_microglia.timeline.onset import find_onset
from recovery_microglia.timeline.paired_model import (
    FINE,
    RHO_PART,
    TAU,
    Pairs,
    paired_difference,
    paired_p,
    paired_t_p,
    paired_tail,
    pairs_of,
    spread,
    without_highest_pair,
)
from recovery_microglia.timeline.settings import TimelineSettings

QUICK = TimelineSettings(n_draws=600, n_bootstrap=0)


def draw_pairs(rng: np.random.Generator, base: float, rise: float, *, animals: int = 4, tau: float = 0.8) -> Pairs:
    own = rng.normal(0, tau, animals)
    n = rng.integers(100, 200, (2, animals))
    first = rng.binomial(n[0], expit(logit(base) + own))
    return Pairs(first, n[0], rng.binomial(n[1], expit(logit(base + rise) + own)), n[1])


def test_sign_flips_are_those_of_scipys_permutation_test() -> None:
    difference = np.array([0.1, 0.03, -0.02, 0.05, 0.08])
    found = stats.permutation_test(
        (difference, np.zeros(5)), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples",
        vectorized=True, n_resamples=np.inf,
    )  # fmt: skip
    assert sign_flip_p(difference) == pytest.approx(found.pvalue)
    assert np.isnan(sign_flip_p(np.zeros(0)))


def test_the_smallest_p_of_pairs_is_that_of_all_signs() -> None:
    day = Pairs(*(np.array(v) for v in ([1, 2, 1], [100] * 3, [20, 30, 25], [100] * 3)))
    assert paired_p(day, [day])["p_smallest"] == sign_flip_p(day.difference) == 0.25


def test_with_one_day_the_t_test_is_scipys_paired_one() -> None:
    day = Pairs(*(np.array(v) for v in ([5, 15, 9, 30], [100] * 4, [30, 32, 20, 70], [100] * 4)))
    roots = [np.arcsin(np.sqrt(k / 100)) for k in (day.k, day.k_control)]
    assert paired_t_p(day, [day]) == pytest.approx(stats.ttest_rel(*roots).pvalue, rel=1e-9)


def test_without_a_difference_few_pairs_are_significant_although_animals_differ_much() -> None:
    rng = np.random.default_rng(7)
    found = []
    for _ in range(100):
        days = [draw_pairs(rng, 0.06, 0.0), draw_pairs(rng, 0.06, 0.1)]
        weight = spread(days)
        found.append([bb.two_sided(paired_tail(day, weight)) < 0.05 for day in days])
    null, rise = np.mean(found, axis=0)
    # .05 nominal, 100 studies know it to .022; power: the unpaired test of the same draws finds a third
    assert null <= 0.05 + 3 * 0.022
    assert rise > 0.7


def test_the_tail_of_pairs_is_that_of_animals_with_normal_log_odds() -> None:
    # three cells a side, so that what is believed of the animals counts; importance sampling knows nothing of quadrature
    day = Pairs(*(np.array(v) for v in ([0] * 3, [3] * 3, [1, 2, 1], [3] * 3)))
    weight = np.zeros((len(TAU), len(bb.RHO[RHO_PART])))
    weight[-1, 0] = 1.0  # the animals' log odds have a standard deviation of one, and cells are independent
    rng, size = np.random.default_rng(1), 400_000
    first, second = rng.choice(FINE, size), rng.choice(FINE, size)
    own = TAU[-1] * rng.normal(size=(size, 3))
    likely = np.ones(size)
    for k, n, share in ((day.k_control, day.n_control, first), (day.k, day.n, second)):
        likely *= np.exp(stats.binom.logpmf(k, n, expit(logit(share)[:, None] + own)).sum(axis=1))
    not_above = (second < first) + 0.5 * (second == first)
    # 400,000 draws, of which some 20,000 carry the weight
    assert paired_tail(day, weight) == pytest.approx((likely * not_above).sum() / likely.sum(), abs=0.006)
    assert paired_difference(day, weight) == pytest.approx(4 / 9)


def test_the_highest_pair_is_the_one_whose_sides_differ_most() -> None:
    day = Pairs(*(np.array(v) for v in ([10, 2, 3], [100] * 3, [30, 28, 5], [100] * 3)))
    rest = without_highest_pair(day)
    assert (rest.k.tolist(), rest.k_control.tolist()) == ([30, 5], [10, 3])


def test_pairs_need_each_animals_own_other_side() -> None:
    own = pd.DataFrame({"subject": ["a", "b", "c"], "k": [5, 6, 7], "n": [50, 60, 70]})
    other = own.assign(k=1)
    found = pairs_of(other.iloc[::-1], own)
    assert found is not None
    assert found.n_control.tolist() == found.n.tolist() == [50, 60, 70]
    assert pairs_of(other.iloc[:2], own) is None
    assert pairs_of(other.assign(subject=["a", "b", "d"]), own) is None
    assert pairs_of(other.drop(columns="subject"), own) is None


def test_a_contralateral_course_is_compared_within_animals_and_finds_what_animals_hide() -> None:
    rng = np.random.default_rng(2)
    rows = []
    for day, rise in ((7.0, 0.0), (14.0, 0.10), (28.0, 0.12)):
        pairs = draw_pairs(rng, 0.05, rise, animals=6, tau=0.9)
        for i in range(6):
            facts = {
                "subject": f"m{day:g}_{i}",
                "day": day,
                "sex": "female",
                "chemistry": "v3",
                "batch": ("A", "B")[i % 2],
            }
            rows.append(facts | {"condition": "contralateral", "k": pairs.k_control[i], "n": pairs.n_control[i]})
            rows.append(facts | {"condition": "injured", "k": pairs.k[i], "n": pairs.n[i]})
    units = pd.DataFrame(rows)
    facts = {"status": "tested", "reason": "", "settings": QUICK, "seed": 1, "detectable": False}
    table = compare_days(units, **facts)
    assert set(table["control"]) == {f"contralateral day {day}, same animals" for day in (7, 14, 28)}
    assert table["p_smallest"].to_numpy() == pytest.approx(2**-5)
    assert table["adjusted_p"].isna().all()  # both sides are of one sex and batch
    strangers = units.assign(subject=np.where(units["condition"] == "injured", "i", "c") + units["subject"])
    unpaired = compare_days(strangers, **facts)
    assert (table["p"] < unpaired["p"])[1:].all()
    onset = find_onset(table, units, settings=QUICK, seed=1)
    assert (onset["status"], onset["first_above"]) == ("tested", 14)
