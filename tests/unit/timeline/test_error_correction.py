"""Shares corrected for the call's own errors."""

import numpy as np
import pandas as pd
import pytest

from made_up.sheet import sheet
from recovery_microglia.timeline.error_correction import RATES, add_corrected, correct, corrected, error_rates
from recovery_microglia.timeline.fractions import fractions

CALIBRATION = pd.DataFrame(
    [{"scorer": "fixed_cutoff", "chemistry": "10x 3' v3", "quantile": 0.99, "fpr": 0.012, "used": True}]
)


def test_the_true_share_is_recovered_from_known_rates_and_stays_between_0_and_1() -> None:
    true = np.array([0.0, 0.1, 0.5, 1.0])
    called = 0.7 * true + 0.02 * (1 - true)  # sensitivity 70 %, false calls 2 % (Rogan and Gladen 1978)
    assert correct(called, np.array(0.02), np.array(0.7)) == pytest.approx(true)
    assert correct(np.array([0.0, 0.9]), np.array(0.02), np.array(0.7)).tolist() == [0.0, 1.0]
    assert np.isnan(correct(np.array(0.1), np.array(0.3), np.array(0.3)))


def test_the_interval_covers_the_truth_when_the_rates_are_themselves_estimated() -> None:
    rng = np.random.default_rng(3)
    false, found, true, n = 0.02, 0.6, 0.15, 300
    inside = 0
    for _ in range(300):
        # rates learnt on 800 controls and 150 recovery cells, the share on 300 cells
        rates = {"false_rate": rng.binomial(800, false) / 800, "false_cells": 800.0}
        rates |= {"sensitivity": rng.binomial(150, found) / 150, "sensitivity_cells": 150.0}
        k = rng.binomial(n, found * true + false * (1 - true))
        share = rng.beta(k + 0.5, n - k + 0.5, 2000)
        _, low, high = corrected(share, k / n, rates, rng)
        inside += low <= true <= high
    # 95 % nominal; 300 studies know it to .013, three of these
    assert inside / 300 == pytest.approx(0.95, abs=0.04)


def test_an_unknown_sensitivity_corrects_for_false_calls_only() -> None:
    rates = {"false_rate": 0.02, "false_cells": 1e6, "sensitivity": np.nan, "sensitivity_cells": np.nan}
    point, low, high = corrected(np.full(500, 0.118), 0.118, rates, np.random.default_rng(1))
    assert point == pytest.approx((0.118 - 0.02) / 0.98)
    assert low <= point <= high
    unknown = dict.fromkeys(RATES, np.nan)
    assert np.isnan(corrected(np.full(500, 0.118), 0.118, unknown, np.random.default_rng(1))).all()


def test_no_false_call_among_few_controls_does_not_mean_that_there_are_none() -> None:
    from scipy.stats import beta

    rates = {"false_rate": 0.0, "false_cells": 100.0, "sensitivity": np.nan, "sensitivity_cells": np.nan}
    found = corrected(np.full(20_000, 0.05), 0.05, rates, np.random.default_rng(1))
    # Jeffreys' interval of 0 of 100 reaches to 2.5 %: as much of the share may be false
    false = beta.ppf([0.975, 0.025], 0.5, 100.5)
    assert found == pytest.approx((0.05, *((0.05 - false) / (1 - false))), abs=0.001)


def study(recovery: float, *, cut: float = 3.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores drawn from two normals, the probability of each cell known exactly; a quarter of recovery cells is missed."""
    rng = np.random.default_rng(5)
    samples = sheet([(0, "naive", 3), (14, "injured", 3)])
    parts = []
    for row in samples.to_dict("records"):
        share = recovery if row["condition"] == "injured" else 0.0
        own = rng.random(2000) < share
        score = np.where(own, rng.normal(4, 1.5, 2000), rng.normal(0, 1.5, 2000))
        # likelihood ratio of two normals with equal variance
        odds = np.exp((score - 2) * 4 / 1.5**2) * share / (1 - share)
        facts = {key: row[key] for key in ("library", "subject", "day", "condition", "chemistry")}
        cells = pd.DataFrame({**facts, "recovery_score": score, "recovery_probability": odds / (1 + odds)})
        parts.append(cells.assign(cutoff=cut, recovery_call=score > cut, on_one_gene=False))
    return pd.concat(parts, ignore_index=True).astype({"recovery_call": "boolean"}), samples


def test_rates_are_those_of_the_two_distributions_at_the_animals_own_cutoff() -> None:
    from scipy.stats import norm

    cells, samples = study(0.2)
    rates = error_rates(cells, samples, CALIBRATION.assign(fpr=0.01))
    assert len(rates) == 6
    # 6,000 control cells and 1,200 recovery cells: standard errors of .0019 and .013
    assert rates["false_rate"].to_numpy() == pytest.approx(norm.sf(2), abs=0.006)
    assert rates["sensitivity"].to_numpy() == pytest.approx(norm.sf(-2 / 3), abs=0.04)
    held_out = error_rates(cells, samples, CALIBRATION)  # 1.2 % of held-out controls where 1 % were meant to pass
    assert (held_out["false_rate"] / rates["false_rate"]).to_numpy() == pytest.approx(1.2)
    # none of the held-out controls was called, by luck: the false calls that were seen remain, and nobody corrects for fewer
    lucky = error_rates(cells, samples, CALIBRATION.assign(fpr=0.0))
    pd.testing.assert_frame_equal(lucky, rates)


def test_shares_of_animals_come_out_right_after_correction() -> None:
    cells, samples = study(0.2)
    totals = pd.DataFrame({"library": samples["library"], "microglia": 2000, "myeloid": 2000, "all": 5000})
    table = fractions(cells, samples, totals, calls={"score": "recovery_call"})
    found = add_corrected(table, error_rates(cells, samples, CALIBRATION.assign(fpr=0.01)), seed=1)
    main = found[found["denominator"] == "microglia"]
    injured = main[main["condition"] == "injured"]
    assert injured["fraction"].mean() < 0.18  # raw: too low
    assert injured["corrected"].mean() == pytest.approx(0.2, abs=0.015)
    assert ((injured["corrected_low"] < 0.2) & (injured["corrected_high"] > 0.2)).all()
    assert main.loc[main["condition"] == "naive", "corrected"].max() < 0.02
    assert found.loc[found["denominator"] != "microglia", "corrected"].isna().all()
    assert (main["cutoff"] == 3.0).all()


def test_sensitivity_is_not_known_without_recovery_cells_nor_false_calls_without_controls() -> None:
    cells, samples = study(0.001)
    rates = error_rates(cells, samples, CALIBRATION)
    assert rates["sensitivity"].isna().all()
    assert rates["false_rate"].notna().all()
    injured = cells["condition"] == "injured"
    alone = error_rates(cells[injured].reset_index(drop=True), samples, CALIBRATION)
    assert alone["false_rate"].isna().all()
    uncalled = error_rates(cells.assign(cutoff=np.nan), samples, CALIBRATION)
    assert uncalled.empty
    # a day is a number in both, or the tables do not join: real data with too few genes of the signature come here
    totals = pd.DataFrame({"library": samples["library"], "microglia": 2000, "myeloid": 2000, "all": 5000})
    table = add_corrected(fractions(cells, samples, totals, calls={"score": "recovery_call"}), uncalled, seed=1)
    assert table["corrected"].isna().all()


def test_cells_that_inflammation_explains_are_never_above_the_cutoff() -> None:
    cells, samples = study(0.2)
    rates = error_rates(cells.assign(on_one_gene=True), samples, CALIBRATION)
    assert (rates["false_rate"] == 0).all()
    assert (rates["sensitivity"] == 0).all()
