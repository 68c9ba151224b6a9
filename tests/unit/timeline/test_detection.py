"""What share would have been seen, over drawn studies judged in full."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline import detection
from recovery_microglia.timeline.above_control import looks_against
from recovery_microglia.timeline.days import compare_days
from recovery_microglia.timeline.detection import (
    DrawnStudies,
    Judge,
    detection_limits,
    draw_studies,
    smallest_detectable,
    supposed_studies,
)
from recovery_microglia.timeline.settings import TimelineSettings

CELLS = np.full(3, 200)


def smallest(*, alpha: float = 0.05, cells: int = 200, animals: int = 3, control: float = 0.02) -> float:
    rng = np.random.default_rng(1)
    n = np.full(animals, cells)
    drawn = supposed_studies([control] * 2, [n, n], 0.02, rng, studies=100)
    return smallest_detectable(drawn, 0, 1, alpha=alpha, power=0.8, floor=control, rng=rng)


def test_more_animals_show_a_smaller_share_and_a_stricter_level_a_larger_one() -> None:
    base = smallest()
    assert smallest(animals=6) < base < smallest(alpha=0.01)


def test_nothing_is_detectable_where_nothing_could_be_seen() -> None:
    assert smallest(cells=2, animals=2, control=0.5) == 1.0


def test_drawn_studies_have_the_shares_and_the_spread_of_the_data() -> None:
    rng = np.random.default_rng(2)
    k = [bb.draw(np.array([p]), np.array([0.05]), np.full(12, 200), rng)[0] for p in (0.05, 0.3)]
    grids = [bb.likelihood(own, np.full(12, 200)) for own in k]
    drawn = draw_studies(grids, [np.full(12, 200)] * 2, bb.spread_posterior(grids), rng, studies=400)
    for own, counts in zip(k, drawn.counts, strict=True):
        # an animal's share has an SD of .05 and .1: twelve know their mean to .014 and .03, twice (data, drawn studies)
        assert (counts / 200).mean() == pytest.approx(own.mean() / 200, abs=0.03)
    spread = (drawn.counts[1] / 200).std(axis=1).mean()
    assert spread == pytest.approx((k[1] / 200).std(), rel=0.35)  # twelve animals know an SD to a fifth


DAYS = pd.DataFrame({"day": np.repeat([0.0, 7.0, 14.0], 3), "condition": np.repeat(["naive", "injured", "injured"], 3)})
FACTS = {"status": "tested", "reason": "", "settings": TimelineSettings(), "seed": 1, "detectable": False}


def animals(share: float, law: str, size: float, rng: np.random.Generator) -> pd.DataFrame:
    """Nine animals of 200 cells, quiet but for day 7, that differ by a correlation or by an SD of the log odds."""
    means = np.repeat([0.02, share, 0.02], 3)
    own = bb.draw(means[None], np.array([size]), np.full(9, 200), rng)[0]
    if law == "odds":
        own = rng.binomial(200, expit(logit(means) + size * rng.standard_normal(9)))
    return DAYS.assign(k=own, n=200)


def limits(units: pd.DataFrame) -> tuple[float, float]:
    groups = [rows for _, rows in units.groupby("day")]
    grids = [bb.likelihood(rows["k"].to_numpy(), rows["n"].to_numpy()) for rows in groups]
    cells = [rows["n"].to_numpy(float) for rows in groups]
    rng = np.random.default_rng(5)
    return detection_limits(grids, cells, [(0, 1, 0.02)], alpha=0.025, power=0.8, rng=rng)[0]


def test_the_judge_of_many_studies_finds_what_the_days_find() -> None:
    rng = np.random.default_rng(4)
    studies = [animals(0.12, "correlation", 0.02, rng) for _ in range(60)]
    counts = [
        np.array([units["k"].to_numpy()[part] for units in studies]) for part in (slice(3), slice(3, 6), slice(6, 9))
    ]
    drawn = DrawnStudies([CELLS] * 3, np.zeros((60, len(bb.P))), counts)
    found = Judge(drawn, 0, 1, 0.025).above(counts[1])
    tables = [compare_days(units, **FACTS) for units in studies]
    # half of the level for each of two days: the rule of the false-discovery rate where the other day is quiet
    told = [
        t["p"][0] < 0.025
        and t["difference"][0] > 0
        and looks_against(t["p_second"][0], t["p_without_highest"][0]) == []
        for t in tables
    ]
    assert 20 < sum(told) < 50
    # every second point of the grid decides a few that are near the level
    assert (found != np.array(told)).sum() <= 2


@pytest.mark.parametrize(("law", "size", "which"), [("correlation", 0.02, 0), ("odds", 0.7, 1)])
def test_each_limit_keeps_its_promise_where_its_law_holds(law: str, size: float, which: int) -> None:
    """Studies of two quiet days promise a share; it is then given to one of them in further studies of the same kind."""
    rng = np.random.default_rng(3)
    promised = [limits(animals(0.02, law, size, rng))[which] for _ in range(10)]
    found = []
    for share in promised * 10:
        row = compare_days(animals(share, law, size, rng), **FACTS).iloc[0]
        found.append(row["q"] < 0.05 and row["difference"] > 0 and row["methods_against"] == "")
    # 10 promises of 100 studies: standard error .04, and what ten studies believe of the spread adds as much
    assert np.mean(found) == pytest.approx(0.8, abs=0.15)


def test_animals_that_differ_in_the_odds_need_a_larger_share() -> None:
    first, second = limits(animals(0.02, "correlation", 0.02, np.random.default_rng(6)))
    assert 0.04 < first < second


def test_counts_of_many_cells_are_rounded_by_less_than_their_sampling_error() -> None:
    k = np.array([0, 3, 150, 4000])
    rounded = detection._rounded(k, 5000)
    error = np.arcsin(np.sqrt(rounded / 5000)) - np.arcsin(np.sqrt(k / 5000))
    assert (np.abs(error) < 0.5 * 0.5 / np.sqrt(5000)).all()
    assert (detection._rounded(k[:3], 1000) == k[:3]).all()
