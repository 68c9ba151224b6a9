"""At most six numbered figures in the evidence, whatever further parts a page has."""

import re
from collections.abc import Callable

import pandas as pd

from made_up.sets import SETS
from recovery_microglia.core.tables import Kind
from recovery_microglia.figures import Picture
from recovery_microglia.report.blocks import Section, plates
from recovery_microglia.report.numbering import lettered, numbered, plates_in


def section(name: str, n: int) -> Section:
    pictures = [
        Picture(f"{name}-{place}", "Title", "", "", (), pd.DataFrame({"a": [1]}), kinds={"a": Kind.COUNT})
        for place in range(n)
    ]
    return Section(name, name, "", plates(*pictures))


def numbers(*parts: tuple[str, int]) -> dict[str, list[str]]:
    found = numbered([section(name, n) for name, n in parts], 2)
    return {own.name: [plate.number for plate in plates_in(own.blocks)] for own in found}


def test_figures_are_numbered_by_part_and_lettered_within() -> None:
    assert numbers(("cells", 2), ("subgroup", 1), ("igf1", 0), ("robustness", 1)) == {
        "cells": ["Figure 2a", "Figure 2b"],
        "subgroup": ["Figure 3"],
        "igf1": [],
        "robustness": ["Figure 4"],
    }


def test_associated_genes_go_on_with_the_letters_of_the_single_genes() -> None:
    found = numbers(("igf1", 1), ("genes", 1), ("drivers", 2), ("robustness", 1))
    assert found["genes"] + found["drivers"] == ["Figure 3a", "Figure 3b", "Figure 3c"]
    assert found["robustness"] == ["Figure 4"]
    # where there are no single genes, or they stand elsewhere, they have a number of their own
    assert numbers(("genes", 0), ("drivers", 2))["drivers"] == ["Figure 2a", "Figure 2b"]
    assert numbers(("genes", 1), ("cells", 1), ("drivers", 1)) == {
        "genes": ["Figure 2"],
        "cells": ["Figure 3"],
        "drivers": ["Figure 4"],
    }
    assert numbers(("genes", 1), ("drivers", 0))["genes"] == ["Figure 2"]


def test_figures_of_simulated_data_have_numbers_of_their_own() -> None:
    found = numbers(("cells", 1), ("truth", 2), ("robustness", 1))
    assert found == {"cells": ["Figure 2"], "truth": ["Figure T1", "Figure T2"], "robustness": ["Figure 3"]}


def test_letters_go_on_behind_the_answer() -> None:
    own = lettered(section("timeline", 2), 1, after=1)
    assert [plate.number for plate in plates_in(own.blocks)] == ["Figure 1b", "Figure 1c"]


def test_no_page_has_more_than_six_numbered_figures(page_of: Callable[[str], str]) -> None:
    for name in SETS:
        found = set(re.findall(r'class="no">Figure (\w+)\.', page_of(name)))
        assert {int(re.match(r"\d+", own)[0]) for own in found if own[0].isdigit()} <= set(range(1, 7))
        assert found
