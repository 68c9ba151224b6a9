"""Colours that mean something differ for every kind of colour vision."""

import numpy as np
import pytest

from recovery_microglia.figures.palette import LINEAGES, STATES
from recovery_microglia.figures.style import GREY, INK, VERMILION
from unit.figures.colour_vision import ciede2000, differences

LEAST = 10.0
"""Two colours that differ by less than this (CIEDE2000) are mixed up in dots and thin bars."""
MYELOID = list(LINEAGES)[: list(LINEAGES).index("ambiguous_myeloid") + 1]


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1, 2), (50, 0, 0), 2.3669),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ],
)
def test_the_difference_is_that_of_the_published_pairs(one: tuple, two: tuple, expected: float) -> None:
    """Table 1 of Sharma, Wu and Dalal 2005."""
    assert ciede2000(np.array([one], float), np.array([two], float))[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    "colours",
    [STATES, {name: LINEAGES[name] for name in MYELOID}, {"recovery": VERMILION, "injured": INK, "control": GREY}],
    ids=["states", "myeloid lineages", "timeline"],
)
def test_colours_of_one_figure_differ_for_three_kinds_of_colour_blindness(colours: dict[str, str]) -> None:
    names = list(colours)
    for kind, apart in differences(list(colours.values())).items():
        for i, j in zip(*np.triu_indices(len(names), 1), strict=True):
            assert apart[i, j] >= LEAST, f"{names[i]} and {names[j]}, {kind}: {apart[i, j]:.1f}"
