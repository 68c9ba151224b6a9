"""Answers by sex, and whether sexes or arms differ."""

import numpy as np
import pandas as pd
import pytest

from made_up.sheet import sheet
from recovery_microglia.timeline.design import audit
from recovery_microglia.timeline.settings import TimelineSettings
from recovery_microglia.timeline.stratified import INTERACTION_COLUMNS, STRATA_COLUMNS, by_sex, differing, interactions

QUICK = TimelineSettings(n_draws=600, n_bootstrap=0)
TESTED = ("tested", "")
DESIGN = [(0, "naive", 6), (7, "injured", 6), (14, "injured", 6), (28, "injured", 6)]


def study(
    shares: dict[str, float], *, arm: str = "", seed: int = 1, design: list[tuple[float, str, int]] = DESIGN
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three females and three males a group; ``shares``: recovery cells of each sex from day 14 on."""
    samples = sheet(design).assign(arm=arm)
    samples["batch"] = np.where(np.arange(len(samples)) % 3 == 0, "A", "B")
    samples[["library", "subject"]] = arm + samples[["library", "subject"]]
    rng = np.random.default_rng(seed)
    late = (samples["day"] >= 14) & (samples["condition"] == "injured")
    share = np.where(late, samples["sex"].map(shares), 0.015)
    units = samples.assign(n=150, k=rng.binomial(150, share), mixture=share)
    return units.assign(fraction=units["k"] / units["n"]), samples


def test_each_sex_has_its_own_course_and_onset() -> None:
    units, samples = study({"female": 0.3, "male": 0.015})
    course, onset = by_sex(units, audit(samples), TESTED, QUICK, seed=1)
    assert list(course.columns) == list(STRATA_COLUMNS)
    assert set(course["n_subjects"]) == set(course["n_control_subjects"]) == {3}
    found = onset.set_index("stratum")
    assert (found.loc["female", "onset_low"], found.loc["female", "onset_high"]) == (7, 14)
    assert bool(found.loc["male", "right_censored"])


def test_a_sex_is_compared_with_its_own_controls_and_says_where_it_borrows() -> None:
    units, samples = study({"female": 0.3, "male": 0.3})
    course, _ = by_sex(units, audit(samples), TESTED, QUICK, seed=1)
    assert set(course["control"]) == {"naive"}
    # one male control only: males borrow those of the other sex, females do not
    gone = units.index[(units["condition"] == "naive") & (units["sex"] == "male")][1:]
    found, _ = by_sex(units.drop(index=gone).reset_index(drop=True), audit(samples), TESTED, QUICK, seed=1)
    by = found.groupby("stratum")
    assert by["control"].unique().str[0].to_dict() == {"female": "naive", "male": "naive, of both sexes"}
    assert by["n_control_subjects"].unique().str[0].to_dict() == {"female": 3, "male": 4}
    assert (found["status"] == "tested").all()


def test_one_sex_alone_or_an_untestable_answer_makes_no_strata() -> None:
    units, samples = study({"female": 0.3, "male": 0.3})
    assert by_sex(units.assign(sex="female"), audit(samples), TESTED, QUICK, seed=1)[0].empty
    assert by_sex(units, audit(samples), ("not_testable", "why"), QUICK, seed=1)[1].empty
    assert interactions(units, audit(samples), ("not_testable", "why"), QUICK, seed=1).empty
    course, _ = by_sex(units, audit(samples), ("descriptive", "day and batch confounded"), QUICK, seed=1)
    assert course[["p", "q", "difference"]].isna().all(axis=None)


def test_a_difference_between_the_sexes_is_tested_itself() -> None:
    units, samples = study({"female": 0.3, "male": 0.015})
    table = interactions(units, audit(samples), TESTED, QUICK, seed=1)
    assert list(table.columns) == list(INTERACTION_COLUMNS)
    assert table["day"].tolist()[:3] == [7, 14, 28]
    overall = table[table["day"].isna()].iloc[0]
    # truth: 28.5 points on two days of three
    assert overall["low"] < 0.19 < overall["high"]
    assert overall["p"] < 0.01
    assert overall["p_permutation"] < 0.05
    days = table.set_index("day")
    # before day 14 the sexes are alike: 450 cells a side at 1.5 % know a share to half a point
    assert abs(days.loc[7, "difference"]) < 0.05
    assert days.loc[28, "difference"] > 0.15
    assert overall["sentence"].startswith("Female and male animals differ in the rise: mean rise ")
    (notice,) = differing(table)
    assert (notice.severity, notice.text) == ("warning", overall["sentence"])
    assert "also differ" not in overall["sentence"]  # each sex was processed in both batches
    apart = units.assign(batch=np.where(units["sex"] == "female", "A", "B"))
    told = interactions(apart, audit(samples), TESTED, QUICK, seed=1)["sentence"].iloc[-1]
    assert told.endswith(" All animals of the two also differ in batch: it may be that as well.")
    assert (
        differing(interactions(*study({"female": 0.2, "male": 0.2})[:1], audit(samples), TESTED, QUICK, seed=1)) == []
    )


def test_significant_in_one_sex_only_is_no_difference_between_them() -> None:
    claimed = []
    without_day_7 = [DESIGN[0], *DESIGN[2:]]  # each day is a test more, forty times
    for seed in range(40):
        units, samples = study({"female": 0.12, "male": 0.12}, seed=seed, design=without_day_7)
        overall = interactions(units, audit(samples), TESTED, QUICK, seed=1).iloc[-1]
        claimed.append("differ in the rise:" in overall["sentence"] and not overall["sentence"].startswith("No "))
    # nominal .05; 40 studies know it to .034
    assert np.mean(claimed) <= 0.05 + 3 * 0.034


def test_arms_are_compared_over_the_days_that_both_have() -> None:
    one, first = study({"female": 0.3, "male": 0.3}, arm="WT")
    other, second = study({"female": 0.05, "male": 0.05}, arm="KO", seed=2)
    other = other[other["day"] != 28]
    units = pd.concat([one, other], ignore_index=True)
    samples = pd.concat([first, second[second["day"] != 28]], ignore_index=True)
    table = interactions(units, audit(samples), TESTED, QUICK, seed=1)
    arms = table[table["by"] == "arm"]
    assert arms["first"].iloc[0] == "KO"
    assert arms["day"].dropna().tolist() == [7, 14]
    assert arms["difference"].iloc[-1] == pytest.approx((0.035 - 0.285) / 2, abs=0.04)
    # both arms have both sexes, whose difference is asked in each
    assert set(table.loc[table["by"] == "sex", "arm"]) == {"WT", "KO"}


def test_arms_that_share_their_controls_are_short_names_all_the_same() -> None:
    one, first = study({"female": 0.3, "male": 0.3}, arm="WT")
    other, second = study({"female": 0.05, "male": 0.05}, arm="KO", seed=2)
    injured = other["condition"] == "injured"
    units = pd.concat([one, other[injured]], ignore_index=True)
    samples = pd.concat([first, second[injured]], ignore_index=True)
    overall = interactions(units, audit(samples), TESTED, QUICK, seed=1).query("by == 'arm' and day.isna()").iloc[0]
    assert overall["status"] == "tested"
    assert overall["difference"] < -0.1
    assert overall["p"] < 0.01
    assert overall["p_permutation"] < 0.01


def test_two_animals_of_each_sex_are_not_enough_for_an_answer_over_all_days() -> None:
    units, samples = study({"female": 0.5, "male": 0.015})
    late = samples["day"] == 14
    kept = (samples["condition"] == "naive") | (late & (samples.groupby(["day", "sex"]).cumcount() < 2))
    table = interactions(units[kept], audit(samples[kept]), TESTED, QUICK, seed=1)
    assert table["day"].tolist()[:1] == [14]
    assert table["status"].tolist() == ["tested", "descriptive"]
    overall = table.iloc[-1]
    assert overall["sentence"] == (
        "Whether female and male animals differ in the rise was not tested: fewer than 4 injured or 2 control animals in "
        "one of the two."
    )
    assert np.isnan(overall["p"])
    assert differing(table) == []


def test_too_few_animals_are_described_and_not_tested() -> None:
    units, samples = study({"female": 0.3, "male": 0.3})
    few = ~((units["sex"] == "male") & (units["condition"] == "injured") & (units["day"] == 14))
    kept = few | (units["subject"] == units.loc[~few, "subject"].iloc[0])
    table = interactions(units[kept], audit(samples[kept]), TESTED, QUICK, seed=1).set_index("day")
    assert table.loc[14, "status"] == "descriptive"
    assert "fewer than 2 injured or 2 control animals" in table.loc[14, "reason"]
    assert np.isnan(table.loc[14, "p"])
    assert table.loc[28, "status"] == "tested"
