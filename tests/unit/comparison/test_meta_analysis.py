"""Data sets beside each other."""

import numpy as np
import pandas as pd
import pytest

from recovery_microglia.comparison.meta_analysis import COLUMNS, compare, of_dataset, random_effects


def row(name: str, *, model: str = "spared nerve injury", onset=(3.0, 7.0), rise=(0.2, 0.1, 0.3), **facts) -> dict:
    common = {"kind": "data set", "dataset": name, "arm": "", "injury_model": model, "assay": "cells"}
    common |= {"enrichment": "none", "status": "tested", "onset_low": onset[0], "onset_high": onset[1], "reason": ""}
    return common | dict(zip(("rise", "rise_low", "rise_high"), rise, strict=True)) | {"n_subjects": 3} | facts


def test_the_summary_is_that_of_statsmodels() -> None:
    from statsmodels.stats.meta_analysis import combine_effects

    effect, variance = np.array([0.12, 0.35, 0.20, 0.28]), np.array([0.002, 0.004, 0.001, 0.003])
    found = random_effects(effect, variance)
    other = combine_effects(effect, variance, method_re="iterated", use_t=True)
    assert found[0] == pytest.approx(other.mean_effect_re, rel=1e-4)
    assert found[3] == pytest.approx(other.i2, rel=1e-6)
    half = stats_t(3) * other.sd_eff_w_re_hksj
    assert (found[2] - found[1]) / 2 == pytest.approx(half, rel=1e-3)


def stats_t(freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))


def test_equal_studies_have_no_heterogeneity_and_an_interval_no_narrower_than_their_errors_allow() -> None:
    mean, low, high, share = random_effects(np.array([0.2, 0.2, 0.2]), np.full(3, 0.003))
    assert (mean, share) == (pytest.approx(0.2), 0.0)
    assert (high - low) / 2 == pytest.approx(stats_t(2) * np.sqrt(0.001))


def test_models_are_never_pooled_and_two_sets_are_not_enough() -> None:
    rows = [row("a"), row("b"), row("c", model="contusion"), row("d", enrichment="cd11b")]
    table, said = compare(rows)
    assert list(table.columns) == list(COLUMNS)
    assert (table["kind"] == "data set").all()
    assert len(said) == 1  # only one group has two
    table, _ = compare([*rows, row("e", rise=(0.3, 0.2, 0.4))])
    (summary,) = table[table["kind"] == "summary"].to_dict("records")
    assert (summary["injury_model"], summary["n_subjects"], summary["reason"]) == (
        "spared nerve injury",
        9,
        "3 data sets",
    )
    assert 0.2 < summary["rise"] < 0.3


def test_arms_of_one_data_set_are_no_further_studies() -> None:
    table, _ = compare([row("a"), row("a", arm="KO"), row("b")])
    assert (table["kind"] == "data set").all()
    # which arm stands for its set nobody says: the set is left out, and named
    table, _ = compare([row("a"), row("a", arm="KO", rise=(0.9, 0.8, 1.0)), row("b"), row("c"), row("d")])
    (summary,) = table[table["kind"] == "summary"].to_dict("records")
    assert summary["reason"] == "3 data sets; without a, of several arms"
    assert summary["rise"] == pytest.approx(0.2)


def test_a_model_is_one_however_it_is_written() -> None:
    table, (said,) = compare([row("a"), row("b", model="Spared Nerve injury"), row("c")])
    assert (table["kind"] == "summary").sum() == 1
    assert "3 of 3 tested courses" in said


def test_agreement_is_said_in_words() -> None:
    _, (text,) = compare([row("a", onset=(3.0, 14.0)), row("b", onset=(np.nan, 7.0), rise=(0.1, 0.05, 0.2)),
                          row("c", onset=(35.0, np.nan))])  # fmt: skip
    assert text == (
        "Spared nerve injury: recovery cells rise above control in 2 of 3 tested courses; their onsets have between day 3 and "
        "day 7 in common; the rise on the highest day is 10.0 % to 20.0 %."
    )
    _, (text,) = compare([row("a", onset=(1.0, 3.0)), row("b", onset=(7.0, 14.0))])
    assert "no day lies in all of their onsets" in text
    _, (text,) = compare([row("a"), row("b", status="descriptive")])
    assert "1 of 2 courses could be tested" in text


def test_the_rows_of_a_data_set_come_from_its_own_tables() -> None:
    summary = {"dataset": "x", "injury_model": "m", "assay": "cells", "enrichment": "none"}
    summary["onset"] = [{"arm": None, "status": "tested", "onset_low": None, "onset_high": 7.0, "reason": None}]
    days = {
        "fraction": [0.1, 0.3],
        "low": 0.05,
        "high": 0.4,
        "control_fraction": 0.02,
        "rise_low": 0.2,
        "rise_high": 0.35,
    }
    timeline = pd.DataFrame(
        {"route": "score", "arm": "", "day": [7.0, 14.0], "n_subjects": 3, "status": "tested", **days}
    )
    (found,) = of_dataset(summary, timeline)
    assert (found["peak_day"], found["rise"]) == (14.0, pytest.approx(0.28))
    assert np.isnan(found["onset_low"])
    assert of_dataset(summary | {"onset": []}, timeline) == []
    held = timeline.assign(status=["tested", "descriptive"])  # a day that was not tested is no peak of a tested course
    assert of_dataset(summary, held)[0]["peak_day"] == 7.0
    (bare,) = of_dataset(summary, timeline.iloc[:0])
    assert "rise" not in bare


def test_nothing_to_compare_is_an_empty_table() -> None:
    table, said = compare([])
    assert table.empty
    assert list(table.columns) == list(COLUMNS)
    assert said == []
