"""Fractions, tests over subjects, and the onset."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from made_up.sheet import sheet
from recovery_microglia.timeline import betabinomial
from recovery_microglia.timeline import days as days_module
from recovery_microglia.timeline.confirmatory_tests import permutation_p, trend_p, variance_stabilised_test
from recovery_microglia.timeline.days import _against, compare_days, run_timeline, worst_status
from recovery_microglia.timeline.design import audit
from recovery_microglia.timeline.fractions import fractions, group_of, pick_control
from recovery_microglia.timeline.onset import HALF, QUARTER, day_of_part, find_onset, monotone_to_peak
from recovery_microglia.timeline.settings import TimelineSettings

QUICK = TimelineSettings(n_draws=800, n_bootstrap=300)
DAYS = (1, 3, 7, 14, 21, 35)


def subject_rows(
    course: dict[float, list[int]], *, n: int = 150, naive: tuple[int, ...] = (1, 2, 1), sham: dict | None = None
) -> pd.DataFrame:
    """One row a subject: recovery cells of each injured animal by day, of naive and of sham animals."""
    rows = [(f"n{i}", 0.0, "naive", k) for i, k in enumerate(naive)]
    rows += [(f"i{day}_{i}", float(day), "injured", k) for day, ks in course.items() for i, k in enumerate(ks)]
    rows += [(f"s{day}_{i}", float(day), "sham", k) for day, ks in (sham or {}).items() for i, k in enumerate(ks)]
    table = pd.DataFrame(rows, columns=["subject", "day", "condition", "k"])
    return table.assign(arm="", n=n, fraction=table["k"] / n)


def compared(units: pd.DataFrame, **change) -> pd.DataFrame:
    facts = {"status": "tested", "reason": "", "settings": QUICK, "seed": 1, "detectable": False} | change
    return compare_days(units, **facts)


RISE = {1: [1, 2, 1], 3: [2, 1, 2], 7: [2, 3, 2], 14: [18, 22, 16], 21: [25, 28, 22], 35: [20, 24, 22]}
FALL = {1: [1, 2, 1], 3: [20, 22, 24], 7: [22, 20, 25], 14: [1, 2, 2], 21: [1, 1, 2], 35: [2, 1, 1]}
FLAT = {day: [1, 2, 1] for day in DAYS}


# ---------------------------------------------------------------- fractions per subject


def cells_of(samples: pd.DataFrame, k: int, n: int) -> pd.DataFrame:
    calls = pd.array([True] * k + [False] * (n - k), dtype="boolean")
    return pd.concat([pd.DataFrame({"library": name, "recovery_call": calls}) for name in samples["library"]])


def totals_of(samples: pd.DataFrame, microglia: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"library": samples["library"], "microglia": microglia, "myeloid": 2 * microglia, "all": 10 * microglia}
    )


def test_a_fraction_is_counted_over_the_libraries_of_an_animal_with_wilsons_interval() -> None:
    samples = sheet([(0, "naive", 2)])
    samples["subject"] = "one"
    table = fractions(cells_of(samples, 3, 60), samples, totals_of(samples, 60), calls={"score": "recovery_call"})
    row = table[table["denominator"] == "microglia"].iloc[0]
    assert (row["k"], row["n"], row["libraries"]) == (6, 120, 2)
    low, high = proportion_confint(6, 120, method="wilson")
    assert (row["low"], row["high"]) == pytest.approx((low, high), rel=1e-9)
    assert table.set_index("denominator")["n"].to_dict() == {"microglia": 120, "myeloid": 240, "all": 1200}


def test_splitting_an_animals_cells_over_two_libraries_changes_nothing() -> None:
    samples = sheet([(0, "naive", 3), (7, "injured", 3)])
    half = pd.concat([samples, samples.assign(library=samples["library"] + "b")], ignore_index=True)
    whole = fractions(cells_of(samples, 6, 100), samples, totals_of(samples, 100), calls={"score": "recovery_call"})
    split = fractions(cells_of(half, 3, 50), half, totals_of(half, 50), calls={"score": "recovery_call"})
    columns = ["subject", "denominator", "k", "n", "fraction", "low", "high"]
    pd.testing.assert_frame_equal(whole[columns], split[columns])


def test_a_library_whose_cells_were_not_called_is_not_one_without_recovery_cells() -> None:
    samples = sheet([(0, "naive", 2)])
    cells = cells_of(samples, 3, 60)
    cells.loc[cells["library"] == samples["library"][1], "recovery_call"] = pd.NA
    table = fractions(cells, samples, totals_of(samples, 60), calls={"score": "recovery_call"})
    assert set(table["subject"]) == {samples["subject"][0]}


def test_a_library_without_microglia_has_no_fraction() -> None:
    samples = sheet([(0, "naive", 2)])
    totals = totals_of(samples, 60)
    totals.loc[1, ["microglia", "myeloid"]] = 0
    cells = cells_of(samples.head(1), 3, 60)
    row = (
        fractions(cells, samples, totals, calls={"score": "recovery_call"}).query("denominator == 'microglia'").iloc[1]
    )
    assert row["n"] == 0
    assert np.isnan(row["fraction"])
    assert row["note"] == "fewer than 50 cells"


# ---------------------------------------------------------------- controls and second methods


def test_the_control_is_sham_of_the_day_then_contralateral_of_the_day_then_naive() -> None:
    units = subject_rows(RISE, sham={14: [1, 1], 7: [1]})
    assert pick_control(units, 14)[1] == "sham day 14"
    assert pick_control(units, 7)[1] == "naive"  # one sham animal is not enough
    other_side = units[units["condition"] == "injured"].assign(condition="contralateral", k=1)
    both = pd.concat([units, other_side])
    assert pick_control(both, 7)[1] == "contralateral day 7"
    assert pick_control(both, 14)[1] == "sham day 14"
    late = units[units["condition"] != "naive"]
    assert pick_control(late, 1)[1] == "sham, other days"
    sham = late["condition"] == "sham"
    assert pick_control(late.assign(day=late["day"].mask(sham)), 1)[1] == "sham, day not known"
    assert (
        pick_control(late.assign(day=late["day"].mask(sham & (late["day"] == 7))), 1)[1]
        == "sham, days partly not known"
    )


def test_permutation_p_is_scipys() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.random(4), rng.random(5) + 0.2

    def difference(x, y, axis=-1):
        return np.mean(y, axis=axis) - np.mean(x, axis=axis)

    # scipy doubles the smaller tail; with 126 splits of unequal sides ours counts both tails by their size
    splits = stats.permutation_test((first, second), difference, n_resamples=np.inf).null_distribution
    expected = np.mean(np.abs(splits) >= abs(difference(first, second)) - 1e-12)
    assert permutation_p(first, second, limit=4000, seed=1) == pytest.approx(expected)
    # Monte Carlo: 2,000 draws know a p of about .2 to .01
    assert permutation_p(first, second, limit=100, seed=1) == pytest.approx(expected, abs=0.15)
    assert np.isnan(permutation_p(first, np.array([]), limit=100, seed=1))


def test_trend_is_spearmans_under_permutation() -> None:
    rng = np.random.default_rng(4)
    day = np.repeat([0.0, 3, 7, 14], 4)
    fraction = 0.002 * day + rng.normal(0, 0.02, 16)
    found = trend_p(day, fraction, draws=4000, seed=1)
    statistic = stats.spearmanr(day, fraction).statistic
    draws = [stats.spearmanr(rng.permutation(day), fraction).statistic for _ in range(2000)]
    # both are Monte Carlo: standard errors .0045 and .003 at p = .04
    assert found == pytest.approx(np.mean(np.abs(draws) >= abs(statistic)), abs=0.02)
    assert np.isnan(trend_p(np.array([0.0, 7, 7]), np.array([0.1, 0.2, 0.3]), draws=10, seed=1))


def test_second_method_is_the_t_test_on_arcsine_roots_with_one_variance() -> None:
    units = subject_rows({7: [9, 30, 20], 14: [15, 44, 30]}, naive=(2, 20, 9))
    groups = {key: group_of(rows) for key, rows in units.groupby("day")}
    roots = {key: np.arcsin(np.sqrt(rows["fraction"])) for key, rows in units.groupby("day")}
    # the same as contrasts in a one-way analysis of variance
    variance = sum(((r - r.mean()) ** 2).sum() for r in roots.values()) / 6
    t = (roots[14].mean() - roots[0].mean()) / np.sqrt(variance * 2 / 3)
    assert variance > 1 / 600  # the floor of pure binomial sampling does not act here
    found = variance_stabilised_test(groups[0], groups[14], list(groups.values()))
    assert found == pytest.approx(2 * stats.t.sf(t, 6), rel=1e-9)


# ---------------------------------------------------------------- days


def test_cells_are_not_replicates() -> None:
    few = {7: [4, 8, 3]}
    base = compared(subject_rows(few, naive=(3, 1, 5)))["p"][0]
    deeper = compared(subject_rows({7: [40, 80, 30]}, n=1500, naive=(30, 10, 50)))["p"][0]
    more = compared(subject_rows({7: [4, 8, 3] * 5}, naive=(3, 1, 5) * 5))["p"][0]
    assert deeper > 0.3 * base  # ten times the cells of the same animals tell little more
    assert more < 0.3 * base  # five times the animals tell much more


def test_p_stands_only_where_tested() -> None:
    table = compared(subject_rows(RISE), status="descriptive", reason="day and batch confounded")
    columns = ["p", "q", "p_second", "p_permutation", "smallest_detectable"]
    assert table[columns].isna().all(axis=None)
    assert set(table["reason"]) == {"day and batch confounded"}
    assert (table["fraction"] > 0).all()


def test_one_animal_a_day_is_described_without_an_interval_for_animals() -> None:
    table = compared(subject_rows(RISE | {7: [3]})).set_index("day")
    row = table.loc[7]
    assert (row["status"], row["reason"]) == ("descriptive", "fewer than two subjects on this day")
    assert row["fraction"] == pytest.approx(3 / 150)
    assert row[["low", "high", "p", "q"]].isna().all()
    assert table.loc[14, "status"] == "tested"


def test_q_is_the_false_discovery_rate_over_the_days() -> None:
    table = compared(subject_rows(RISE))
    np.testing.assert_allclose(table["q"], stats.false_discovery_control(table["p"]), rtol=1e-12)


def test_estimates_agree_with_the_animals() -> None:
    table = compared(subject_rows(RISE)).set_index("day")
    for day, ks in RISE.items():
        # a posterior median over 450 cells of three alike animals lies within a percent point of their mean
        assert table.loc[day, "fraction"] == pytest.approx(np.mean(ks) / 150, abs=0.01)
        assert table.loc[day, "low"] < np.mean(ks) / 150 < table.loc[day, "high"]


# ---------------------------------------------------------------- onset


def onset_of(units: pd.DataFrame, **change) -> dict:
    return find_onset(compared(units, **change), units, settings=QUICK, seed=1)


def test_an_onset_is_the_interval_between_two_sampled_days() -> None:
    row = onset_of(subject_rows(RISE))
    assert (row["onset_low"], row["onset_high"]) == (7, 14)
    assert (row["left_censored"], row["right_censored"], row["sustained"]) == (False, False, "sustained")
    assert row["peak_day"] == 21
    assert "between day 7 and day 14" in row["sentence"]
    assert "on day 21" in row["sentence"]


def test_a_day_that_may_have_reached_a_quarter_opens_the_interval() -> None:
    # animals differ: day 7 is not significantly above control, and may have a quarter of the rise
    unclear = {1: [1, 2, 1], 3: [2, 1, 2], 7: [2, 14, 3], 14: [12, 30, 20], 21: [16, 36, 26], 35: [14, 34, 24]}
    units = subject_rows(unclear)
    days = compared(units).set_index("day")
    assert days.loc[7, "q"] > 0.05
    assert days.loc[7, "chance_risen"] > 0.05 > days.loc[3, "chance_risen"]
    row = onset_of(units)
    assert (row["onset_low"], row["first_above"], row["left_censored"]) == (3, 14, False)
    # where it may lie before the first day sampled, the interval has no lower end
    row = onset_of(subject_rows({day: unclear[day] for day in (7, 14, 21)}))
    assert np.isnan(row["onset_low"])
    assert row["left_censored"]


def test_more_cells_move_the_first_day_shown_but_not_the_onset() -> None:
    # a slow rise: .5, 1.5, 3, 6, 10, 15 points over a control of 1 %
    shares = {1: 0.015, 3: 0.025, 7: 0.04, 14: 0.07, 21: 0.11, 35: 0.16}
    first, held = {}, {}
    for n in (100, 3000):
        course = {day: [round(n * p * f) for f in (0.9, 1.0, 1.1)] for day, p in shares.items()}
        row = onset_of(subject_rows(course, n=n, naive=tuple(round(n * p) for p in (0.008, 0.01, 0.012))))
        first[n] = row["first_above"]
        held[n] = np.nan_to_num(row["onset_low"]) <= 9.6 <= row["onset_high"]  # a quarter of 15 points, straight
    assert first[3000] < first[100]
    assert all(held.values())


def test_the_chance_of_a_rise_is_that_of_drawn_posteriors() -> None:
    from scipy import stats

    # many animals that are alike: overdispersion goes to nothing, and each share's posterior is a beta
    units = subject_rows({7: [6] * 12, 14: [30] * 12}, naive=(2,) * 12)
    days = compared(units).set_index("day")
    rng = np.random.default_rng(2)
    control, seven, high = (
        stats.beta(k * 12 + 0.5, (150 - k) * 12 + 0.5).rvs(200_000, random_state=rng) for k in (2, 6, 30)
    )
    expected = (seven - control >= 0.25 * (high - control)).mean()
    # 4,000 draws: standard error .005; the model's own doubt about overdispersion adds a little
    assert days.loc[7, "chance_risen"] == pytest.approx(expected, abs=0.03)
    assert days.loc[14, "chance_risen"] == pytest.approx(1, abs=0.01)


def test_an_onset_on_the_first_day_is_censored_to_the_left_and_a_fall_is_transient() -> None:
    row = onset_of(subject_rows({day: FALL[day] for day in (3, 7, 14, 21, 35)}))
    assert np.isnan(row["onset_low"])
    assert (row["onset_high"], row["left_censored"], row["sustained"]) == (3, True, "transient")
    assert "by day 3, the first day sampled" in row["sentence"]


def test_an_onset_on_the_last_day_leaves_open_whether_it_lasts() -> None:
    row = onset_of(subject_rows({day: RISE[day] for day in (1, 3, 7, 14)}))
    assert row["sustained"] == "not known"
    assert "not known" in row["sentence"]


def test_no_rise_is_censored_to_the_right_and_says_what_would_have_been_seen() -> None:
    units = subject_rows({day: FLAT[day] for day in (1, 7, 35)})
    days = compared(units, detectable=True)
    row = find_onset(days, units, settings=QUICK, seed=1)
    assert np.isnan(row["onset_high"])
    # not shown is not absent: no day is a bound
    assert np.isnan(row["onset_low"])
    assert row["right_censored"]
    assert "in 80 % of such studies" in row["could_be_seen"]
    assert row["could_be_seen"] in row["sentence"]
    assert row["not_tested"] == row["described"] == ""
    share = f"{100 * days['smallest_detectable'].max():.1f} %"
    assert share in row["sentence"] or f"{100 * days['smallest_detectable'].max():.0f} %" in row["sentence"]
    assert "could have been missed" in row["sentence"]


def test_one_animal_far_out_among_many_is_no_emergence() -> None:
    # 2 or 3 of 150 everywhere, and one animal of day 14 that looks turned, as in a library that failed
    calm = {day: [2, 3, 2, 1, 2, 2] for day in DAYS}
    units = subject_rows(calm | {14: [2, 3, 38, 1, 2, 2]}, naive=(2, 2, 3, 1, 2, 2))
    days = compared(units).set_index("day")
    assert days.loc[14, "fraction"] > 2 * days.loc[7, "fraction"]
    assert days.loc[14, ["q", "p_permutation", "p_without_highest"]].min() > 0.2
    assert np.isnan(onset_of(units)["onset_high"])
    risen = subject_rows(calm | {14: [22, 33, 38, 25, 30, 27]}, naive=(2, 2, 3, 1, 2, 2))
    assert onset_of(risen)["onset_high"] == 14


def test_a_fall_below_control_is_no_emergence() -> None:
    row = onset_of(subject_rows({day: [0, 0, 0] for day in DAYS}, naive=(20, 25, 22)))
    assert np.isnan(row["onset_high"])


def test_a_part_of_the_rise_is_where_a_straight_course_reaches_it_and_its_interval_has_sampled_ends() -> None:
    days = np.array([1.0, 7, 14, 21])
    course = np.tile([0.0, 0.0, 0.1, 0.2], (100, 1))
    assert day_of_part(course, days, HALF) == pytest.approx((14.0, 7.0, 14.0))
    assert day_of_part(course, days, QUARTER) == pytest.approx((10.5, 7.0, 14.0))
    # one draw in ten has half of its rise by day 7, one in ten only by day 21
    course[:10], course[10:20] = [0.0, 0.15, 0.18, 0.2], [0.0, 0.0, 0.05, 0.2]
    middle, low, high = day_of_part(course, days, HALF)
    assert (low, high) == (1.0, 21.0)
    assert middle == pytest.approx(14.0)
    # a rise that is there on the first day has no lower end; a draw without a rise reaches no part of it
    assert np.isnan(day_of_part(np.full((10, 4), 0.2), days, HALF)[1])
    assert day_of_part(np.full((10, 4), -0.1), days, HALF)[2] == 21.0


def test_courses_do_not_fall_before_their_peak_and_may_after_it() -> None:
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(1)
    rises, weight = rng.normal(0.1, 0.05, (50, 6)), np.array([9.0, 4, 1, 2, 1, 3])
    found = monotone_to_peak(rises, weight)
    for before, after in zip(rises, found, strict=True):
        peak = int(before.argmax())
        np.testing.assert_array_equal(after[peak + 1 :], before[peak + 1 :])
        fitted = (
            IsotonicRegression()
            .fit(np.arange(peak + 1), before[: peak + 1], weight[: peak + 1])
            .predict(np.arange(peak + 1))
        )
        np.testing.assert_allclose(after[: peak + 1], fitted, rtol=1e-10)


# ---------------------------------------------------------------- the step


def long_table(units: pd.DataFrame, arms: tuple[str, ...] = ("",)) -> pd.DataFrame:
    parts = [
        units.assign(arm=arm, route=route, denominator="microglia") for arm in arms for route in ("score", "cluster")
    ]
    return pd.concat(parts)


def test_what_neither_design_nor_call_allows_is_not_computed() -> None:
    samples = sheet([(0, "naive", 3), *((day, "injured", 3) for day in DAYS)])
    design = audit(samples)
    assert design.status == "tested"
    days, onset = run_timeline(long_table(subject_rows(RISE)), design, ("not_testable", "no Itgax"), QUICK)
    assert days.empty
    assert onset[["status", "reason"]].to_numpy().tolist() == [["not_testable", "no Itgax"]]
    assert onset[["onset_low", "onset_high", "peak_day"]].isna().all(axis=None)
    aliased = audit(samples.assign(batch=samples["day"].astype(str)))
    days, onset = run_timeline(long_table(subject_rows(RISE)), aliased, ("tested", ""), QUICK)
    assert days[["p", "q", "p_permutation", "p_second"]].isna().all(axis=None)
    assert set(onset["status"]) == {"descriptive"}
    assert onset[["onset_low", "onset_high", "trend_p", "half_rise_day", "first_above"]].isna().all(axis=None)


def test_arms_get_their_own_answers_and_share_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    # what could have been detected has tests of its own, and takes ten times as long as all the rest
    monkeypatch.setattr(days_module, "detection_limits", lambda _, __, days, **___: [(0.05, 0.08)] * len(days))
    rising, flat = subject_rows(RISE), subject_rows(FLAT)
    naive = rising[rising["condition"] == "naive"].assign(arm="")
    injured = [
        units[units["condition"] == "injured"].assign(arm=arm, subject=lambda t, a=arm: a + t["subject"])
        for arm, units in (("wt", rising), ("ko", flat))
    ]
    table = pd.concat([naive, *injured]).assign(route="score", denominator="microglia")
    samples = sheet([(0, "naive", 3), *((day, "injured", 3) for day in DAYS)])
    _, onset = run_timeline(table, audit(samples), ("tested", ""), QUICK)
    onset = onset.set_index("arm")
    assert onset.loc["wt", "onset_high"] == 14
    assert np.isnan(onset.loc["ko", "onset_high"])


def test_the_most_careful_status_wins() -> None:
    assert worst_status(("tested", ""), ("descriptive", "b")) == ("descriptive", "b")
    assert worst_status(("descriptive", "a"), ("not_testable", "c")) == ("not_testable", "c")


def test_no_onset_is_claimed_in_flat_courses_more_often_than_nominal() -> None:
    rng, claimed = np.random.default_rng(9), 0
    for _ in range(200):
        k = betabinomial.draw(np.full(21, 0.015), np.full(21, 0.02), np.array([150]), rng)[:, 0]
        units = subject_rows({day: k[3 * i + 3 : 3 * i + 6].tolist() for i, day in enumerate(DAYS)}, naive=tuple(k[:3]))
        days = compared(units, settings=TimelineSettings(n_draws=500, n_bootstrap=0))
        claimed += bool(((days["q"] < 0.05) & (days["difference"] > 0)).any())
    # only rises count, so half of .05; 200 courses: 11 and more have a probability of .02 at .025
    assert claimed <= 11


# ---------------------------------------------------------------- what stands against a claim


def test_a_day_that_is_held_back_is_described_and_the_others_are_tested() -> None:
    units = subject_rows(RISE)
    table = compared(units, held={14.0: "day and batch confounded"}).set_index("day")
    assert (table.loc[14, "status"], table.loc[14, "reason"]) == ("descriptive", "day and batch confounded")
    assert table.loc[14, ["p", "p_second", "p_permutation", "q", "chance_risen", "rise_low"]].isna().all()
    assert table.loc[14, "fraction"] > 0.1
    assert (table.drop(index=14)["status"] == "tested").all()
    onset = find_onset(table.reset_index(), units, settings=QUICK, seed=1)
    assert onset["onset_high"] == 21
    assert "every later tested day" in onset["sentence"]
    assert onset["not_tested"] == "day 14 (day and batch confounded)"
    assert onset["sentence"].endswith(" Not tested: day 14 (day and batch confounded).")


def test_days_without_a_called_cell_are_named_and_no_day_is_called_the_last_for_their_lack() -> None:
    units = subject_rows({1: [1, 2, 1], 3: [2, 1, 2], 7: [18, 22, 16]})
    told = find_onset(compared(units), units, settings=QUICK, seed=1, sampled=[1, 3, 7, 14, 28])["sentence"]
    assert "and the last day tested, so whether they stay is not known. The highest share on the days tested" in told
    assert told.endswith(" Not tested: day 14, 28 (no cell could be called).")
    whole = find_onset(compared(units), units, settings=QUICK, seed=1, sampled=[1, 3, 7])["sentence"]
    assert "and the last day sampled" in whole
    assert "Not tested" not in whole


def test_one_control_says_nothing_of_how_controls_differ() -> None:
    days = compared(subject_rows(RISE, naive=(1,)), status="descriptive", reason="one control")
    assert days["control_fraction"].notna().all()
    assert days[["control_low", "control_high"]].isna().all(axis=None)


def test_a_day_that_was_not_tested_is_not_among_those_without_a_rise() -> None:
    units = subject_rows(FLAT)
    days = compared(units, detectable=True, held={14.0: "one animal", 21.0: "one animal", 3.0: "batch"})
    told = find_onset(days, units, settings=QUICK, seed=1)["sentence"]
    assert told.startswith("On no tested day up to day 35 was a rise")
    assert "would have been detected on each tested day in 80 %" in told
    assert told.endswith(" Not tested: day 3 (batch); day 14, 21 (one animal).")


def test_a_rise_that_goes_with_sex_is_not_above_control_when_sex_is_held_fixed() -> None:
    # males have three times the share on every day and in controls; day 35 has males only but one
    rows = []
    rng = np.random.default_rng(5)
    for day in (0, 3, 7, 14, 35):
        for i in range(4):
            male = i < (3 if day == 35 else 1)
            facts = {"subject": f"{day}_{i}", "day": float(day), "condition": "injured" if day else "naive"}
            k = rng.binomial(200, 0.18 if male else 0.04)
            rows.append(
                facts | {"sex": "male" if male else "female", "chemistry": "v3", "batch": "A", "k": k, "n": 200}
            )
    units = pd.DataFrame(rows)
    table = compared(units).set_index("day")
    assert set(table["adjusted_for"]) == {"sex"}
    assert (table["adjusted_difference"].abs() < 0.06).all()
    assert abs(table.loc[35, "adjusted_difference"]) < table.loc[35, "difference"]
    assert table.loc[35, "adjusted_p"] > 0.05
    onset = find_onset(table.reset_index(), units, settings=QUICK, seed=1)
    assert np.isnan(onset["onset_high"])


def test_methods_that_do_not_confirm_are_named_and_forbid_the_claim() -> None:
    table = compared(subject_rows({7: [1, 2, 1, 2, 1, 70]}, naive=(1, 2, 1, 2, 1, 1)))
    row = table.iloc[0].to_dict() | {"q": 0.01, "difference": 0.08, "adjusted_p": 0.06, "adjusted_for": "sex"}
    assert row["p_second"] > 0.1
    assert row["p_without_highest"] > 0.2
    against = _against(pd.DataFrame([row]), 0.05)
    assert against == ["t-test, the day without its highest animal, model with sex held fixed"]
    # further looks are looser than the test itself, and what was not computed is not against
    row |= {"p_second": 0.09, "p_without_highest": 0.19, "p_permutation": 0.3, "adjusted_p": np.nan}
    assert _against(pd.DataFrame([row]), 0.05) == [""]
    assert _against(pd.DataFrame([row | {"q": 0.06, "p_second": 1.0}]), 0.05) == [""]  # nothing to stand against


def test_days_that_different_methods_do_not_confirm_are_named_apart() -> None:
    units = subject_rows(RISE)
    days = compared(units)
    days["methods_against"] = (
        days["day"].map({14.0: "the t-test", 21.0: "the permutation", 35.0: "the t-test"}).fillna("")
    )
    told = find_onset(days, units, settings=QUICK, seed=1)["sentence"]
    assert "(day 14, 35: not confirmed by the t-test; day 21: not confirmed by the permutation)" in told


def test_the_interval_of_a_rise_covers_it_and_what_is_not_computed_is_not_said() -> None:
    table = compared(subject_rows(RISE)).set_index("day")
    assert table.loc[21, "rise_low"] < 0.16 < table.loc[21, "rise_high"]
    assert table.loc[1, "rise_low"] < 0 < table.loc[1, "rise_high"]
    sentence = find_onset(compared(subject_rows(FLAT)), subject_rows(FLAT), settings=QUICK, seed=1)["sentence"]
    assert "nan" not in sentence
    assert "was not computed" in sentence


def test_days_are_compared_by_the_share_without_a_cutoff_where_it_is_known_and_counts_stand_beside() -> None:
    units = subject_rows(RISE)
    days = compared(units)
    told = find_onset(days, units, settings=QUICK, seed=1)["sentence"]
    assert told.endswith("against 0.9 % in the control. Called are 75 of 450 microglia, and 4 of 450 in the control.")
    # each animal's scores are worth 60 cells; on day 21 they hold a quarter of recovery cells, of which half are called
    risen = (units["day"] == 21).to_numpy()
    free = units.assign(mixture_recovery=np.where(risen, 15, 0.6), mixture_cells=60.0)
    found = compared(free).set_index("day")
    counted = compared(units.assign(k=np.where(risen, 15, 0.6), n=60.0)).set_index("day")
    columns = ["fraction", "low", "high", "control_fraction", "difference", "p", "p_second", "rise_low"]
    pd.testing.assert_frame_equal(found[columns], counted[columns], check_exact=False, rtol=1e-9)
    assert found.loc[21, "fraction"] == pytest.approx(0.25, abs=0.01)
    assert found["k"].to_dict() == days.set_index("day")["k"].to_dict()  # called cells are shown as they were counted
    assert (found["control_k"] == 4).all()
    told = find_onset(found.reset_index(), free, settings=QUICK, seed=1)["sentence"]
    assert f"is {100 * found.loc[21, 'fraction']:.1f} % of microglia on day 21" in told
