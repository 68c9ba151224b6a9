"""Colours that mean something differ for every kind of colour vision."""

import re
from pathlib import Path

import numpy as np
import pytest

from recovery_microglia.figures import style
from recovery_microglia.figures.palette import LINEAGES, STATES
from recovery_microglia.figures.strata import LOOKS
from recovery_microglia.figures.style import FOLLOWS_THE_PAGE, GREY, INK, VERMILION
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


STYLE = Path(style.__file__).parents[1] / "report" / "templates" / "style.css"


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.1."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_lines_and_marks_stand_out_from_their_plate_in_both_modes(mode: int) -> None:
    """Lines of sexes were indigo on black."""
    css = STYLE.read_text()
    blocks = [css.partition("@media (prefers-color-scheme: dark)")[0], css.partition("prefers-color-scheme: dark")[2]]
    values = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", blocks[mode].partition("}")[0]))
    plate = luminance(values["plate"])
    for colour, name in FOLLOWS_THE_PAGE.items():
        if mode == 0:
            assert values[name] in (colour.lower(), values["plate"]), name  # what is drawn, and what stands on the page
    for name in ("ink", "soft-ink", "first", "second", "third", "fourth", "grey"):
        light, dark = sorted((luminance(values[name]), plate), reverse=True)
        least = 3.0 if name in ("grey", "fourth") else 4.5  # WCAG 2.1, 1.4.11: what is drawn; 1.4.3: what is read
        assert (light + 0.05) / (dark + 0.05) >= least, name


def test_each_line_has_a_colour_of_the_page() -> None:
    assert {colour for colour, _, _ in LOOKS} <= FOLLOWS_THE_PAGE.keys()
