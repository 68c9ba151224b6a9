"""What a design can show, before anything is computed."""

import numpy as np
import pandas as pd
import pytest

from made_up.sheet import sheet
from recovery_microglia.timeline import betabinomial as bb
from recovery_microglia.timeline.days import compare_days
from recovery_microglia.timeline.power import IN_CONTROLS, SPREAD, WORTH, plan, words
from recovery_microglia.timeline.settings import TimelineSettings

SETTINGS = TimelineSettings()


def told(samples: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    found, days = plan(samples, SETTINGS)
    return words("A study", found, days, SETTINGS), days


def test_a_replicated_design_says_what_each_day_can_show() -> None:
    samples = sheet([(0, "naive", 4), (7, "injured", 4), (14, "injured", 2), (14, "sham", 3)])
    text, days = told(samples)
    assert days["day"].tolist() == [7, 14]
    assert days["control"].tolist() == ["naive", "sham day 14"]
    # two of the 70 splits of 4 + 4 animals; one of the 10 of 2 + 3, whose mirror image is no split
    assert days["smallest_p"].to_numpy() == pytest.approx([2 / 70, 1 / 10])
    assert days.loc[0, "smallest_share"] < days.loc[1, "smallest_share"] < 0.4
    assert "Days can be tested" in text
    assert (
        f"{100 * days.loc[0, 'smallest_share']:.1f} %" in text or f"{100 * days.loc[0, 'smallest_share']:.0f} %" in text
    )


def test_a_control_without_a_day_is_one() -> None:
    samples = sheet([(0, "naive", 2), (np.nan, "sham", 2), (7, "injured", 3)])
    text, days = told(samples)
    assert days["smallest_share"].between(0.05, 0.6).all()
    assert "can be tested against controls" in text


def test_the_smallest_share_is_found_in_four_of_five_studies() -> None:
    _, days = told(sheet([(0, "naive", 3), (14, "injured", 3)]))
    share = days.loc[0, "smallest_share"]
    rng, hits = np.random.default_rng(3), []
    for _ in range(200):
        animals = [bb.draw(np.array([p]), np.array([SPREAD]), np.full(3, WORTH), rng)[0] for p in (IN_CONTROLS, share)]
        units = pd.DataFrame({"day": [0.0] * 3 + [14.0] * 3, "condition": ["naive"] * 3 + ["injured"] * 3})
        table = compare_days(
            units.assign(k=np.concatenate(animals), n=WORTH),
            status="tested",
            reason="",
            settings=SETTINGS,
            seed=1,
            detectable=False,
        )
        hits.append(table["q"][0] < SETTINGS.alpha and table["difference"][0] > 0 and table["methods_against"][0] == "")
    assert np.mean(hits) == pytest.approx(0.8, abs=0.12)  # 200 studies here and there: standard error .028 each


def test_where_day_and_batch_are_one_no_number_is_promised() -> None:
    samples = sheet([(0, "naive", 3), (7, "injured", 3), (14, "injured", 3)])
    samples["batch"] = "b" + samples["day"].astype(int).astype(str)
    text, days = told(samples)
    assert days["smallest_share"].isna().all()
    assert (days["claim"] == "descriptive").all()
    assert "no test and no onset: day and batch confounded" in text
    assert "confounded with the days" in text


def test_a_day_with_one_animal_is_described_and_arms_stand_apart() -> None:
    samples = sheet([(0, "naive", 3), (7, "injured", 1), (14, "injured", 3)])
    samples["arm"] = np.where(samples["condition"] == "injured", np.where(samples["day"] == 7, "wt", "ko"), "")
    text, days = told(samples)
    assert days.set_index("arm")["claim"].to_dict() == {"ko": "tested", "wt": "descriptive"}
    assert "arm" in text


def test_without_injured_animals_it_says_so() -> None:
    text, days = told(sheet([(0, "naive", 3)]))
    assert days.empty
    assert text == "A study\n\nEmergence cannot be judged: there is no injured library.\n\n"


def test_two_sides_of_the_same_animals_are_paired_and_a_day_alone_in_its_batch_is_described() -> None:
    own = sheet([(7, "injured", 4), (14, "injured", 4)])
    other = own.assign(condition="contralateral", library="c" + own["library"])
    samples = pd.concat([own, other], ignore_index=True)
    _, days = plan(samples, TimelineSettings())
    assert set(days["control"]) == {"contralateral day 7, same animals", "contralateral day 14, same animals"}
    assert set(days["smallest_p"]) == {0.125}  # two of the 2^4 signs
    samples.loc[(samples["day"] == 14) & (samples["condition"] == "injured"), "batch"] = "C"
    found, days = plan(samples, TimelineSettings())
    assert days.set_index("day")["claim"].to_dict() == {7: "tested", 14: "descriptive"}
    text = words("Two sides", found, days, TimelineSettings())
    assert "The batch of day 14 is shared with no control" in text
    assert "Design: " in text


def test_what_nobody_has_checked_is_said() -> None:
    found, days = plan(sheet([(0, "naive", 3)]), SETTINGS)
    assert "To be checked before you rely on it:\n  The day is a guess." in words(
        "A study", found, days, SETTINGS, ["The day is a guess."]
    )
