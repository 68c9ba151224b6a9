"""The answer had we chosen otherwise."""

import numpy as np
import pandas as pd
import pytest

from made_up.sheet import sheet
from recovery_microglia.core.errors import Notice
from recovery_microglia.core.families import family_of
from recovery_microglia.core.wording import interval
from recovery_microglia.recovery.calibration import BY_ODDS, QUANTILES, calibrate
from recovery_microglia.timeline import days as days_module
from recovery_microglia.timeline.days import run_timeline
from recovery_microglia.timeline.design import audit
from recovery_microglia.timeline.fractions import add_mixture, fractions, mixtures
from recovery_microglia.timeline.sensitivity import (
    SCORE_COLUMN,
    Choice,
    _compatible,
    _mixtures_without,
    alternatives,
    choices_it_hangs_on,
)
from recovery_microglia.timeline.settings import TimelineSettings

QUICK = TimelineSettings(n_draws=500, n_bootstrap=0)
PER_LIBRARY = 150
TRUE = {0: 0.0, 3: 0.0, 7: 0.0, 14: 0.15, 21: 0.2}


@pytest.fixture(scope="module")
def study() -> dict:
    """Three animals a day; cells of the late days have a score that is far above that of any control."""
    samples = sheet([(0, "naive", 3), *((day, "injured", 3) for day in (3, 7, 14, 21))])
    rng = np.random.default_rng(1)
    parts = []
    for row in samples.to_dict("records"):
        score = rng.normal(-5, 1, PER_LIBRARY)  # log-likelihood ratios of resting cells
        score[: round(TRUE[row["day"]] * PER_LIBRARY)] += 10
        facts = {key: row[key] for key in ("library", "subject", "day", "condition", "chemistry")}
        parts.append(pd.DataFrame({**facts, "recovery_score": score}))
    cells = pd.concat(parts, ignore_index=True)
    cells["recovery_score_without_itgax_igf1"] = cells["recovery_score"]
    cells["recovery_score_depth_matched"] = rng.normal(-5, 1, len(cells))  # here depth explains it all
    cells["recovery_score_ranks"] = cells["recovery_score"]
    cells["on_one_gene"] = False
    scorers = cells.filter(like="recovery_score").set_axis(["score", "score_without", "depth_matched", "ranks"], axis=1)
    scorers = scorers.assign(fixed_cutoff=scorers["score"])
    control = (cells["condition"] == "naive").to_numpy()
    calibration, _ = calibrate(scorers, cells, control, quantile=0.99, min_control_cells=200)
    cut = calibration.query("scorer == 'score' and quantile == 0.99")["cutoff"].iloc[0]
    cells["cutoff"] = cut
    cells["recovery_call"] = pd.array(cells["recovery_score"] > cut, dtype="boolean")
    cells["recovery_call_without"] = cells["recovery_call"]
    cells["cluster_call"] = pd.array([pd.NA] * len(cells), dtype="boolean")
    totals = pd.DataFrame({"library": samples["library"], "microglia": PER_LIBRARY, "myeloid": 180, "all": 600})
    with pytest.MonkeyPatch.context() as patched:  # what could have been detected takes longest, and is not asked here
        patched.setattr(days_module, "detection_limits", lambda _, __, days, **___: [(0.05, 0.08)] * len(days))
        units = add_mixture(fractions(cells, samples, totals), cells, samples)
        _, onset = run_timeline(units, audit(samples), ("tested", ""), QUICK)
    return {"cells": cells, "calibration": calibration, "sheet": samples, "totals": totals, "main": onset}


def run(study: dict, *, partitions: pd.DataFrame | None = None, **change) -> tuple[pd.DataFrame, str, list[Notice]]:
    facts = study | change
    five = (facts[k] for k in ("cells", "calibration", "sheet", "totals", "main"))
    return alternatives(*five, quantile=0.99, settings=QUICK, partitions=partitions)


@pytest.fixture(scope="module")
def answers(study: dict) -> tuple[pd.DataFrame, str, list[Notice]]:
    """All alternatives, computed once; clusters of two resolutions, the finer of which parts recovery cells from others."""
    recovery = study["cells"]["recovery_call"].astype(int).astype(str)
    one = pd.Series("0", index=recovery.index)
    return run(study, partitions=pd.DataFrame({"leiden_0.2": one, "leiden_1": recovery, "integrated_leiden_0.2": one}))


DENOMINATORS = ("microglia", "myeloid", "all")


def test_every_choice_is_tried_and_every_library_left_out_once(study: dict, answers) -> None:
    table, *_ = answers
    left_out = table[table["left_out"] != ""]
    assert list(left_out["left_out"]) == list(study["sheet"]["library"])
    rest = table[(table["left_out"] == "") & (table["scorer"] != "cluster")]
    found = list(zip(rest["scorer"], rest["quantile"].fillna(0), rest["denominator"], strict=True))
    called = [(s, q, d) for s in SCORE_COLUMN if s not in BY_ODDS for q in QUANTILES for d in DENOMINATORS]
    free = [(s, 0, d) for s in BY_ODDS for d in DENOMINATORS]  # without a cutoff, and called at even odds
    assert sorted(found) == sorted(called + free + free)
    at_odds = table[(table["left_out"] == "") & table["scorer"].isin(BY_ODDS) & table["varied"].str.contains("cutoff")]
    assert sorted(zip(at_odds["scorer"], at_odds["denominator"], strict=True)) == sorted((s, d) for s, _, d in free)
    assert at_odds["analysis"].str.contains("even odds").all()
    assert table.loc[table["varied"] == "nothing", "analysis"].tolist() == ["score, without a cutoff, of microglia"]
    clusters = table[table["scorer"] == "cluster"]
    found = list(zip(clusters["resolution"], clusters["integrated"], clusters["denominator"], strict=True))
    kinds = ((0.2, "no"), (1.0, "no"), (0.2, "yes"))
    assert sorted(found) == sorted((r, i, d) for r, i in kinds for d in DENOMINATORS)


def test_leaving_out_a_library_changes_the_share_of_its_animal_only() -> None:
    samples = sheet([(0, "naive", 2), (7, "injured", 2)])
    samples.loc[1, "subject"] = samples.loc[0, "subject"]  # two libraries of one animal
    rng = np.random.default_rng(1)
    cells = pd.DataFrame({"library": samples["library"].repeat(40)}).reset_index(drop=True)
    cells = cells.assign(recovery_score=rng.normal(0, 4, 160), recovery_call=pd.array([True] * 160, dtype="boolean"))
    whole = mixtures(cells, samples, scores={"score": "recovery_score"})
    for gone in (0, 2):
        kept = samples.assign(include=samples.index != gone)
        choice = Choice("score", "microglia", None, left_out=samples.loc[gone, "library"], score="recovery_score")
        found = _mixtures_without(choice, whole, cells, kept)
        anew = mixtures(cells, kept, scores={"score": "recovery_score"})
        columns = ["route", "subject", "day", "condition"]
        pd.testing.assert_frame_equal(
            found.sort_values(columns, ignore_index=True), anew.sort_values(columns, ignore_index=True)
        )
    assert len(found) == 2


def test_all_cells_are_a_denominator_only_where_all_were_sampled(study: dict) -> None:
    days = study["sheet"]["day"].isin([0, 21])  # one day is enough to ask, and quicker
    cells = study["cells"]["day"].isin([0, 21])
    table, *_ = run(study, sheet=study["sheet"][days].assign(sort="cd11b"), cells=study["cells"][cells])
    assert set(table["denominator"]) == {"microglia", "myeloid"}


def test_each_family_is_told_in_one_line_with_its_range(study: dict, answers) -> None:
    table, told_of_arms, _ = answers
    main = study["main"].query("route == 'score'").iloc[0]
    assert (main["onset_low"], main["onset_high"]) == (7, 14)
    known = table[table["note"] == ""]
    assert not (known.query("scorer == 'depth_matched'")["agrees"] == "True").any()  # no rise is no compatible answer
    shown = known[known["onset_high"].notna()]
    common = np.maximum(np.nan_to_num(shown["onset_low"]), 7) < np.minimum(shown["onset_high"], 14)
    assert ((shown["agrees"] == "True") == common).all()
    (told,) = told_of_arms
    assert told["arm"] == ""
    assert told["reported"].startswith("The analyses of a family share cells, animals and model: they are not votes. ")
    names = {text.split(",")[0]: text for text in told["families"]}
    families = {family_of(varied).judged for varied in table["varied"] if varied != "nothing"}
    assert len(names) == len(told["families"]) == len(families)
    left_out = known[known["left_out"] != ""]
    low, high = (100 * f(left_out["peak_rise"]) for f in (min, max))
    own = names["Leaving out one library"]
    assert f"{len(left_out)} of {len(left_out)} show a rise, a quarter of it reached on day " in own
    assert f"at its highest {low:.1f} to {high:.1f} points over control ({len(left_out)} compatible" in own
    # those without an answer stay in the denominator
    assert "3 of 9 show a rise (6 have no answer" in names["By clusters"]
    # depth explains it all here: the one analysis that says so is named, in words
    assert any("worst case: the score at one depth, of microglia (no rise shown)" in text for text in told["families"])
    least = left_out.loc[left_out["peak_rise"].idxmin()]
    assert f"worst case: without library {least['left_out']} ({100 * least['peak_rise']:.1f} points)" in own
    assert told["conclusion"] == "No family of choices excludes the onset."


@pytest.mark.parametrize(
    ("first", "second", "compatible"),
    [
        ((7, 14), (3, 21), True),  # a wider interval is no dissent
        ((np.nan, 14), (7, 21), True),
        ((7, 14), (14, 21), False),
        ((7, 14), (np.nan, np.nan), False),
        ((np.nan, np.nan), (np.nan, np.nan), True),
    ],
)
def test_answers_are_compatible_if_both_can_be_true(first, second, compatible: bool) -> None:
    rows = [dict(zip(("onset_low", "onset_high"), ends, strict=True)) for ends in (first, second)]
    assert _compatible(*rows) is compatible


def test_an_onset_that_no_analysis_of_a_kind_gives_is_warned_of(study: dict, answers) -> None:
    table, _, warned = answers
    assert warned == []
    main = study["main"].query("route == 'score'")
    wrong = table.assign(agrees=np.where(table["scorer"] == "ranks", "False", table["agrees"]))
    (notice,) = choices_it_hangs_on(wrong, main)
    n = int((table["scorer"] == "ranks").sum())
    assert notice.severity == "warning"
    assert notice.text == (
        f"The answer, between day 7 and day 14, depends on the analysis choice: none of the {n} analyses by ranks instead of likelihoods is compatible with it. Ranks rise with inflammation, migration and depth as well, and see a weak rise less well; the reported score allows for these."
    )
    apart = table.assign(agrees=np.where(table["varied"] == "library left out", "False", table["agrees"]))
    (other,) = choices_it_hangs_on(apart, main)
    assert other.text.endswith("is compatible with it.")


def test_clusters_count_only_where_they_have_an_answer(answers) -> None:
    table, (told,), _ = answers
    clusters = table[table["scorer"] == "cluster"]
    silent = clusters["resolution"] == 0.2  # one cluster of all cells
    assert (clusters["note"] != "").tolist() == silent.tolist()
    assert clusters.loc[silent, ["onset_low", "onset_high"]].isna().all(axis=None)
    assert set(clusters.loc[silent, "agrees"]) == {""}
    assert set(clusters.loc[~silent, "agrees"]) == {"True"}  # the same cells as the call
    assert sum("(6 have no answer, as no cluster is one of recovery cells)" in text for text in told["families"]) == 1


@pytest.mark.parametrize(
    ("facts", "varied"),
    [
        ({"scorer": "score", "score": "recovery_score"}, "nothing"),
        ({"scorer": "score_without", "score": "recovery_score_without_itgax_igf1"}, "genes"),
        ({"scorer": "score", "quantile": 0.99}, "cutoff"),
        ({"scorer": "ranks", "quantile": 0.95}, "scorer, cutoff"),
        ({"scorer": "fixed_cutoff", "quantile": 0.99}, "cutoff"),
        ({"scorer": "score", "score": "recovery_score", "denominator": "all"}, "denominator"),
        ({"scorer": "cluster", "resolution": 1.0, "integrated": "yes"}, "clusters, integrated"),
        ({"scorer": "score", "left_out": "N1"}, "library left out"),
    ],
)
def test_what_an_alternative_varies_is_named(facts: dict, varied: str) -> None:
    assert Choice(**{"denominator": "microglia", "calls": None, **facts}).varied == varied


def test_nothing_is_tried_where_nothing_was_tested(study: dict) -> None:
    table, told, _ = run(study, main=study["main"].assign(status="descriptive"))
    assert table.empty
    assert told == []


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(3, 7, "between day 3 and day 7"), (np.nan, 7, "by day 7"), (np.nan, np.nan, "no onset shown")],
)
def test_intervals_in_words(low: float, high: float, text: str) -> None:
    assert interval(low, high) == text
