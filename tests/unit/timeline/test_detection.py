"""What share would have been seen, over drawn studies judged in full."""

import numpy as np
import pandas as pd
import pytest

from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.days import compare_days
from recovery_microglia.timeline.detection import draw_studies, smallest_detectable, supposed_studies
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


@pytest.mark.parametrize("rho", [0.01, 0.05])
def test_a_promised_power_is_kept(rho: float) -> None:
    """Studies of two quiet days promise a share; it is then given to one of them in further studies of the same kind."""
    rng, settings = np.random.default_rng(3), TimelineSettings()
    units = pd.DataFrame(
        {"day": np.repeat([0.0, 7.0, 14.0], 3), "condition": np.repeat(["naive", "injured", "injured"], 3)}
    )

    def study(share: float) -> pd.DataFrame:
        means = np.repeat([0.02, 0.02, share], 3)
        return units.assign(k=bb.draw(means[None], np.array([rho]), np.full(9, 200), rng)[0], n=200)

    facts = {"status": "tested", "reason": "", "settings": settings, "seed": 1}
    promised = [compare_days(study(0.02), **facts)["smallest_detectable"][1] for _ in range(12)]
    found = []
    for share in promised * 8:
        table = compare_days(study(share), detectable=False, **facts)
        found.append(table["q"][1] < 0.05 and table["difference"][1] > 0 and table["methods_against"][1] == "")
    # 12 promises of 96 studies: standard error .04 to .05, and what twelve studies believe of the spread adds as much
    assert np.mean(found) == pytest.approx(0.8, abs=0.15)
