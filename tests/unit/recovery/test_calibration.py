"""Cutoffs that are frozen on controls, and how often they are wrong."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from recovery_microglia.core.statistics import wilson
from recovery_microglia.recovery.calibration import (
    calibrate,
    call_above,
    called_rate,
    cutoff,
    cutoffs_for,
    cutoffs_of_animals,
    empirical_null,
    even_odds,
    held_out_rate,
)
from recovery_microglia.recovery.likelihood import probability


@given(st.lists(st.integers(0, 12), min_size=1, max_size=400), st.sampled_from([0.9, 0.95, 0.99, 0.995]))
@settings(max_examples=200, deadline=None)
def test_at_most_the_nominal_share_of_the_controls_passes_whatever_the_ties(values: list[int], q: float) -> None:
    scores = np.array(values, float)
    cut = cutoff(scores, q)
    assert cut in scores
    assert cut == np.quantile(scores, q, method="inverted_cdf")
    assert (scores > cut).sum() <= (1 - q) * len(scores) + 1e-9


def test_cutoff_of_nothing_is_missing() -> None:
    assert np.isnan(cutoff(np.array([]), 0.99))
    assert np.isnan(cutoff(np.array([np.nan]), 0.99))


@given(st.integers(0, 50), st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_wilson_is_statsmodels(k: int, extra: int) -> None:
    n = k + extra
    assert wilson(k, n) == pytest.approx(proportion_confint(k, n, method="wilson"), rel=1e-9, abs=1e-12)


def test_at_even_odds_a_cell_is_as_likely_a_recovery_cell_as_not() -> None:
    share = np.array([0.002, 0.1, 0.4])
    assert probability(even_odds(share, 300), share) == pytest.approx(0.5)
    # of 500 cells half a cell is the least share that can be told from none; with half of the cells or more it stays at 0
    assert even_odds(np.array([0.0, 0.0005, 0.5, 0.8, 1.0]), 500) == pytest.approx([np.log(999), np.log(999), 0, 0, 0])
    assert np.isnan(even_odds(np.array([np.nan]), 10)).all()


def test_each_animal_has_the_cutoff_of_its_own_share() -> None:
    rng = np.random.default_rng(1)
    ratio = np.concatenate([rng.normal(-12, 1, 160), rng.normal(12, 1, 40), rng.normal(-12, 1, 100)])
    animal = np.repeat([1, 0], [200, 100])
    cut = cutoffs_of_animals(ratio, animal)
    assert cut[:200] == pytest.approx(np.log(0.8 / 0.2), abs=0.01)  # a fifth, as scores leave no doubt
    assert cut[200:] == pytest.approx(np.log(199))  # none of 100: half a cell


def test_scorers_with_odds_are_judged_by_what_is_called_at_them() -> None:
    scores, cells, control = study(v3=400)
    scores["ranks"] = scores["score"]
    odds = pd.DataFrame({"score": np.full(len(cells), 1.5)})
    table, _ = calibrate(scores, cells, control, quantile=0.99, min_control_cells=200, own=odds)
    used = table[table["used"]].set_index("scorer")
    subject = cells["subject"].to_numpy(str)[control]
    values = scores["score"].to_numpy(float)[control]
    assert used.loc["score", "fpr"] == (values > 1.5).mean() == called_rate(values > 1.5, subject)[0]
    assert used.loc["ranks", "fpr"] == held_out_rate(values, subject, 0.99)[0]
    assert used.loc["score", "cutoff"] == used.loc["ranks", "cutoff"]  # the controls' quantile stands beside


def test_each_subject_is_judged_by_the_cutoff_of_the_others() -> None:
    scores = np.array([0.0] * 99 + [5.0] + [0.0] * 100 + [9.0] * 10)
    subject = np.array(["a"] * 100 + ["b"] * 100 + ["c"] * 10)
    # c has only high scores: with the cutoff of a and b (99 %: 0) all ten pass; a and b are judged with c's nines
    rate, low, high = held_out_rate(scores, subject, 0.99)
    expected = sum(
        int((scores[subject == s] > np.quantile(scores[subject != s], 0.99, method="inverted_cdf")).sum())
        for s in "abc"
    )
    assert rate == pytest.approx(expected / 210)
    assert expected == 10
    assert low < rate < high


def test_animals_that_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    alike = rng.normal(0, 1, 1200)
    subject = np.repeat([f"s{i}" for i in range(6)], 200)
    apart = alike + np.repeat([0.0, 0, 0, 0, 0, 1.2], 200)
    widths = []
    for scores in (alike, apart):
        rate, low, high = held_out_rate(scores, subject, 0.95)
        plain = wilson(rate * 1200, 1200)
        widths.append((high - low) / (plain[1] - plain[0]))
    assert widths[0] == pytest.approx(1.0, abs=0.6)
    assert widths[1] > 2


def test_animals_that_agree_by_chance_make_no_interval_narrower_than_their_cells_do() -> None:
    scores = np.tile(np.arange(200.0), 4)  # four animals with the very same scores: ten of 200 pass in each
    rate, low, high = held_out_rate(scores, np.repeat(list("abcd"), 200), 0.95)
    assert rate == 0.05
    assert (low, high) == wilson(40, 800)


def test_the_held_out_rate_of_alike_animals_is_nominal() -> None:
    rng = np.random.default_rng(2)
    rates = [held_out_rate(rng.normal(0, 1, 900), np.repeat(list("abcdef"), 150), 0.99)[0] for _ in range(200)]
    # a cutoff from 750 scores lets 1.07 % of new ones pass on average; its standard error over 200 studies is .0003
    assert np.mean(rates) == pytest.approx(0.0107, abs=0.0012)


def study(**chemistry: int) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Two control and two injured subjects in each chemistry with that many control cells."""
    rng, parts = np.random.default_rng(3), []
    for name, n in chemistry.items():
        for kind, size in (("control", n), ("injured", 200)):
            subject = [f"{name}_{kind}_{i % 2}" for i in range(size)]
            parts.append(pd.DataFrame({"chemistry": name, "subject": subject, "control": kind == "control"}))
    cells = pd.concat(parts, ignore_index=True)
    return pd.DataFrame({"score": rng.normal(0, 1, len(cells))}), cells, cells.pop("control").to_numpy()


def test_a_chemistry_without_controls_is_not_called_and_alarms() -> None:
    scores, cells, control = study(v2=300, v3=0)
    table, notices = calibrate(scores, cells, control, quantile=0.99, min_control_cells=200)
    assert [(n.code, n.severity) for n in notices] == [("no_controls", "alarm")]
    assert "'v3'" in notices[0].text
    cut = cutoffs_for(table, "score", 0.99, cells["chemistry"])
    called = call_above(scores["score"].to_numpy(), cut)
    # never the cutoff of another chemistry
    assert called[(cells["chemistry"] == "v3").to_numpy()].isna().all()
    assert not called[(cells["chemistry"] == "v2").to_numpy()].isna().any()


def test_too_few_controls_are_not_called_and_one_control_subject_gives_no_rate() -> None:
    scores, cells, control = study(v2=150, v3=300)
    cells.loc[(cells["chemistry"] == "v3") & control, "subject"] = "only"
    table, notices = calibrate(scores, cells, control, quantile=0.99, min_control_cells=200)
    assert {(n.code, n.severity) for n in notices} == {("few_controls", "alarm"), ("one_control_subject", "warning")}
    used = table[table["used"]].set_index("chemistry")
    assert np.isnan(used.loc["v2", "cutoff"])
    assert np.isfinite(used.loc["v3", "cutoff"])
    assert np.isnan(used.loc["v3", "fpr"])
    assert used.loc["v3", "note"] == "one control subject: false-positive rate not estimable"


def test_the_reported_quantile_is_marked_and_others_are_there_for_robustness() -> None:
    scores, cells, control = study(v3=400)
    table, _ = calibrate(scores, cells, control, quantile=0.98, min_control_cells=200)
    assert list(table["quantile"]) == [0.95, 0.975, 0.98, 0.99, 0.995]
    assert table.loc[table["used"], "quantile"].tolist() == [0.98]
    assert table["cutoff"].is_monotonic_increasing


def test_matched_random_sets_give_uniform_p_in_the_null_and_small_ones_for_a_real_excess() -> None:
    rng = np.random.default_rng(4)
    subject = np.repeat([f"s{i}" for i in range(20)], 120)
    cells = pd.DataFrame({"subject": subject, "day": 7.0, "chemistry": "v3"})
    cells["condition"] = np.where(cells["subject"].isin([f"s{i}" for i in range(8)]), "naive", "injured")
    control = (cells["condition"] == "naive").to_numpy()
    null = rng.normal(0, 1, (len(cells), 400))
    observed = rng.normal(0, 1, len(cells))
    table = empirical_null(observed, null, cells, control, quantile=0.95)
    injured = table[table["condition"] == "injured"]
    assert injured["p_empirical"].min() > 0.005
    # twelve uniform p: their mean has a standard error of .083; ties push p up a little
    assert injured["p_empirical"].mean() == pytest.approx(0.55, abs=0.25)
    observed[subject == "s15"] += 1
    table = empirical_null(observed, null, cells, control, quantile=0.95).set_index("subject")
    assert table.loc["s15", "p_empirical"] == pytest.approx(1 / 401)
    share = (observed[subject == "s15"] > np.quantile(observed[control], 0.95, method="inverted_cdf")).mean()
    assert table.loc["s15", "observed"] == pytest.approx(share)
