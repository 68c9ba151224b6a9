"""Behaviour by day beside the share of recovery cells."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from recovery_microglia.core.errors import InputError
from recovery_microglia.study.behaviour import read_behaviour
from recovery_microglia.timeline.behaviour import behaviour_table, behaviour_tests, half_recovery, permutation_of_days

DAYS = (1.0, 3.0, 7.0, 14.0, 21.0, 35.0)
TIMELINE = pd.DataFrame(
    {"route": "score", "arm": "", "status": "tested", "day": DAYS, "fraction": [0.01, 0.02, 0.05, 0.15, 0.3, 0.28]}
)
ONSET = pd.DataFrame(
    [{"route": "score", "arm": "", "half_rise_day": 14.0, "half_rise_low": 12.0, "half_rise_high": 16.0}]
)


def course(mean: list[float], **facts) -> list[dict]:
    common = {"measure": "withdrawal threshold", "better": "higher", "sem": 0.05}
    return [common | {"day": day, "mean": value} | facts for day, value in zip((0.0, *DAYS), mean, strict=True)]


def compared(rows: list[dict], **change) -> pd.Series:
    facts = {"timeline": TIMELINE, "onset": ONSET, "injury_model": "spared nerve injury"} | change
    return behaviour_tests(behaviour_table(rows), facts.pop("timeline"), facts.pop("onset"), **facts).iloc[0]


def test_the_permutation_over_days_is_exact_and_that_of_scipy() -> None:
    x, y = np.array([0.01, 0.05, 0.02, 0.2, 0.3]), np.array([0.2, 0.1, 0.3, 0.9, 0.8])
    found = stats.permutation_test(
        (x,), lambda v: stats.spearmanr(v, y).statistic, permutation_type="pairings", n_resamples=np.inf
    )
    correlation, p, smallest = permutation_of_days(x, y, seed=1)
    assert correlation == pytest.approx(stats.spearmanr(x, y).statistic)
    assert p == pytest.approx(found.pvalue)
    assert smallest == pytest.approx(2 / 120)
    assert np.isnan(permutation_of_days(x, np.ones(5), seed=1)[0])


def test_half_way_back_is_between_the_worst_day_and_the_baseline() -> None:
    day, value = np.array([-1.0, 0, 1, 7, 14, 21]), np.array([1.1, 0.9, 0.4, 0.2, 0.4, 0.8])
    # baseline 1, worst .2 on day 7: half is .6, crossed half-way from day 14 to day 21
    assert half_recovery(day, value, higher_is_better=True) == pytest.approx(17.5)
    assert half_recovery(day, -value, higher_is_better=False) == pytest.approx(17.5)
    assert np.isnan(half_recovery(day, np.array([1.1, 0.9, 0.4, 0.2, 0.2, 0.3]), higher_is_better=True))
    assert np.isnan(half_recovery(day[2:], value[2:], higher_is_better=True))  # no baseline


def test_the_lag_is_told_with_its_interval_and_n_is_days() -> None:
    row = compared(course([1.2, 0.3, 0.2, 0.2, 0.45, 0.95, 1.1]))
    assert (row["status"], row["n_days"]) == ("descriptive", 6)
    assert row["half_recovery_day"] == pytest.approx(14 + 7 * 0.25 / 0.5)
    assert row["lag"] == pytest.approx(3.5)
    assert row["lag_low"] < 3.5 < row["lag_high"]
    assert "Over the 6 days after injury" in row["sentence"]
    assert "n is days, not animals" in row["sentence"]
    assert "correlate whatever the cause" in row["sentence"]
    described = compared(course([1.2, 0.3, 0.2, 0.2, 0.45, 0.95, 1.1]), timeline=TIMELINE.assign(status="descriptive"))
    assert described[["p", "p_smallest"]].isna().all()  # a p stands beside tested courses only
    assert " p " not in described["sentence"]
    assert described["correlation"] == row["correlation"]
    without = compared(course([1.2, 0.3, 0.2, 0.2, 0.45, 0.95, 1.1], sem=np.nan))
    assert without["lag"] == pytest.approx(3.5)
    assert np.isnan(without["lag_low"])


def test_behaviour_of_one_sex_is_compared_with_the_share_of_that_sex() -> None:
    threshold = course([1.2, 0.3, 0.2, 0.2, 0.45, 0.95, 1.1], sex="female")
    whole = compared(threshold)
    assert "the share of recovery cells of all animals go the same way" in whole["sentence"]
    falling = TIMELINE.assign(by="sex", stratum="female", fraction=TIMELINE["fraction"].to_numpy()[::-1])
    later = ONSET.assign(by="sex", stratum="female", half_rise_day=20.0)
    facts = {"strata": pd.concat([falling, falling.assign(stratum="male")]), "strata_onset": later}
    own = compared(threshold, **facts)
    assert "the share of recovery cells of female animals go opposite ways" in own["sentence"]
    assert own["correlation"] < 0 < whole["correlation"]
    assert own["half_rise_day"] == 20
    # too few days of its own: all animals, and it is said
    few = compared(threshold, strata=falling[falling["day"] < 14], strata_onset=later)
    assert few["sentence"] == whole["sentence"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rows": course([1.2, 0.3, 0.2, 0.2, 0.4, 0.9, 1.1], model="spinal nerve transection")},
         "measured in another injury model (spinal nerve transection)"),
        ({"rows": course([1.2, 0.3, 0.2, 0.2, 0.4, 0.9, 1.1])[:4]}, "3 days in common; 4 are needed"),
        ({"timeline": TIMELINE.iloc[:0]}, "no share of recovery cells was estimated"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_says_why(change: dict, reason: str) -> None:
    rows = change.pop("rows", course([1.2, 0.3, 0.2, 0.2, 0.4, 0.9, 1.1]))
    row = compared(rows, **change)
    assert row["reason"] == reason
    assert np.isnan(row["p"])
    assert reason in row["sentence"]


def test_behaviour_of_no_arm_goes_with_none_of_several() -> None:
    both = pd.concat([TIMELINE.assign(arm="KO"), TIMELINE.assign(arm="WT")])
    rows = course([1.2, 0.3, 0.2, 0.2, 0.4, 0.9, 1.1])
    row = compared(rows, timeline=both)
    assert (row["status"], np.isnan(row["p"])) == ("not_testable", True)
    assert "the study has arms (KO, WT), and the column arm does not say which" in row["sentence"]
    assert compared([one | {"arm": "WT"} for one in rows], timeline=both)["n_days"] == 6
    assert compared(rows, timeline=TIMELINE.assign(arm="WT"))["n_days"] == 6  # one arm is meant


def test_a_model_is_the_same_in_capitals_and_no_correlation_has_no_sign() -> None:
    row = compared(course([1.2, 0.3, 0.5, 0.2, 0.6, 0.2, 0.35], model="Spared nerve injury"))
    assert row["reason"] == ""
    five = TIMELINE.iloc[:5]
    flat = next(v for v in permutations([1.0, 2, 3, 4, 5]) if abs(stats.spearmanr(v, five["fraction"])[0]) < 1e-12)
    told = compared(course([9, *flat, 9]), timeline=five)["sentence"]
    assert "neither the same way nor opposite ways (Spearman" in told


def test_no_behaviour_is_no_row() -> None:
    empty = behaviour_table([])
    assert empty.empty
    assert behaviour_tests(empty, TIMELINE, ONSET, injury_model="x").empty


def read(path, root, text: str, arms: set[str] = frozenset()):
    file = path / "behaviour.tsv"
    file.write_text(text, encoding="utf-8")
    return read_behaviour(file, root / "workflow/schemas/behaviour.yaml", set(arms))


def test_the_file_is_read_and_completed(tmp_path, root) -> None:
    (row,) = read(tmp_path, root, "day\tmean\tsem\tx_note\n14\t0.4\t\tmine\n")
    assert row == {"day": 14.0, "mean": 0.4, "measure": "withdrawal threshold", "better": "higher"}
    assert read_behaviour(tmp_path / "none.tsv", root / "workflow/schemas/behaviour.yaml", set()) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("day\n14\n", "row 1: column 'mean' is missing"),
        ("day\tmean\tmodle\n14\t1\tx\n", "column 'modle' is not known; did you mean 'model'?"),
        ("day\tmean\n14 dpi\t1\n", "row 2, column day: '14 dpi' is not a number"),
        ("day\tmean\n14\t\n", "mean"),
        ("day\tmean\tsem\n14\t1\t-1\n", "row 2, column sem"),
        (
            "day\tmean\n7\t1\n14\t2\n7\t1\n",
            "row 4, column day: 7 is in row 2 already, of the same measure, sex and arm",
        ),
        (
            "day\tmean\tbetter\n7\t1\tlower\n14\t2\t\n",
            "row 3, column better: higher, but row 2 says lower for withdrawal threshold",
        ),
        ("day\tmean\tarm\n14\t1\tKO\n", "row 2, column arm: 'KO' is no arm of samples.tsv; there are: WT"),
    ],
)
def test_mistakes_are_told_with_row_and_column(tmp_path, root, text: str, words: str) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, root, text, {"WT"})
    assert words in str(error.value)


def test_the_behaviour_of_one_sex_is_said_to_stand_beside_the_share_of_all_animals() -> None:
    values = [1.2, 0.3, 0.2, 0.2, 0.45, 0.95, 1.1]
    assert "the share of recovery cells go " in compared(course(values))["sentence"]
    assert "the share of recovery cells of all animals go " in compared(course(values, sex="female"))["sentence"]
