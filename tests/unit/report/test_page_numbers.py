"""Every number on the page is that of the table behind it, and is written as what it is."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from made_up.sets import SETS
from recovery_microglia.core import wording
from recovery_microglia.core.tables import TABLES, Kind
from recovery_microglia.figures import Picture, forest, lineage_shares
from recovery_microglia.report import ReportInputs, blocks, render_index, render_report, sections

SECTIONS = [
    importlib.import_module(f"{sections.__name__}.{found.name}") for found in pkgutil.iter_modules(sections.__path__)
]
TABLE_BEHIND = {
    "days": "timeline",
    "days-tests": "timeline",
    "strata": "strata",
    "strata_onset": "strata_onset",
    "interactions": "interactions",
    "behaviour_tests": "behaviour_tests",
    "design": "design",
    "quality": "qc",
    "robustness": "robustness",
    "ambiguous": "gate",
    "what-goes-together-with-the-days": "confounding",
}
"""Table of the page to the file whose rows it shows; of figures the picture says it."""
COMPUTED = {
    "lineages-by-day",
    "scores-by-state",
    "scores-by-animal",
    "state-genes",
    "sensitivity",
    "contrast",
    "truth-course",
    "scores",
    "alternatives",
    "choices",
    "umap",
    "gate",
    "lineages",
    "states",
    "igf1",
    "igf1-within",
}
"""Figures whose numbers are not rows of a file: counts, means and shares of what the file holds."""
BETWEEN_COUNTS = {"median_counts", "median_genes"}
"""Medians of counts, written as counts."""


# ---------------------------------------------------------------- what a page is made of


@dataclass(frozen=True)
class Shown:
    """A table of a page, the frame that it was made from, and the picture that it stands beneath, if it does."""

    table: blocks.Table
    frame: pd.DataFrame
    picture: Picture | None = None

    @property
    def behind(self) -> str:
        """Name of the run's table whose rows are shown; empty where they are not rows of one."""
        name = re.sub(r"-[0-9a-f]{6}$", "", self.table.name)
        if self.picture is not None:
            return "" if name in COMPUTED else self.picture.of
        return TABLE_BEHIND.get(name, "")


class Rendered(HTMLParser):
    """The tables of a page as they are written: name, keys of the columns, and the texts of the rows."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[str], list[list[str]]]] = []
        self.open = self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if tag == "table" and "data-name" in facts:
            self.tables.append((str(facts["data-name"]), [], []))
            self.open = True
        elif not self.open:
            return
        elif tag == "th" and "data-key" in facts:
            self.tables[-1][1].append(str(facts["data-key"]))
        elif tag == "tr" and self.tables[-1][1]:
            self.tables[-1][2].append([])
        elif tag == "td":
            self.tables[-1][2][-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "td"
        self.open = self.open and tag != "table"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.tables[-1][2][-1][-1] += data


def recorded(inputs: ReportInputs) -> tuple[str, list[Shown]]:
    """Return a page, and what each of its tables was made from."""
    made_from: list[Shown] = []
    write, draw = blocks.table, blocks.plate

    def recording(frame: pd.DataFrame, *args: Any, **options: Any) -> blocks.Table:
        table = write(frame, *args, **options)
        made_from.append(Shown(table, frame))
        return table

    def drawing(picture: Picture) -> blocks.Plate:
        plate = draw(picture)
        made_from[-1] = Shown(plate.numbers, picture.numbers, picture)
        return plate

    with pytest.MonkeyPatch.context() as patch:
        for module in (blocks, *SECTIONS):
            for name, recorder in (("table", recording), ("plate", drawing)):
                if hasattr(module, name):
                    patch.setattr(module, name, recorder)
        page = render_report(inputs)
    return page, made_from


@cache
def of_set(name: str) -> tuple[ReportInputs, str, list[Shown]]:
    """Return a made-up data set, its page, and what the page's tables were made from."""
    inputs = SETS[name]()
    if name == "tested":
        costs = pd.DataFrame({"step": ["library", "library", "myeloid"], "library": ["A", "B", ""], "input_bytes": [2_000_000, 3_000_000, 5],
                              "seconds": [1.5, 2.5, 30.25], "cpu_seconds": [1.0, 2.0, 29.0], "peak_mb": [300.0, 310.5, 900.0], "cells": [500, 600, np.nan]})  # fmt: skip
        provenance = pd.DataFrame({"kind": ["setting"], "name": ["seed"], "value": ["1"]})
        inputs = ReportInputs(
            inputs.summary, {**inputs.tables, "costs": costs, "provenance": provenance}, inputs.cells, inputs.genes
        )
    return inputs, *recorded(inputs)


def cells_of(shown: Shown) -> Iterator[tuple[blocks.Column, str, Any]]:
    """Return column, text on the page and value in the frame of every cell of a table."""
    frame = shown.frame.set_axis([str(name) for name in shown.frame.columns], axis=1)
    for place, column in enumerate(shown.table.columns):
        values = frame[column.key].head(len(shown.table.rows))
        assert len(values) == len(shown.table.rows)
        for row, value in zip(shown.table.rows, values, strict=True):
            yield column, row[place].text, value


# ---------------------------------------------------------------- text back to a number


def read_back(text: str) -> tuple[float, float]:
    """Return the number that a text says, and by how much the text may be off: half a unit of its last digit."""
    bare = text.replace(wording.PERCENT, "").replace(",", "").strip()
    scale = 0.01 if text.endswith(wording.PERCENT) else 1.0
    if bare.startswith("<"):
        limit = float(bare[1:]) * scale
        return limit / 2, limit / 2
    mantissa, _, exponent = bare.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return float(bare) * scale, 0.5 * 10.0 ** (int(exponent or 0) - decimals) * scale


@pytest.mark.parametrize(
    ("text", "value", "off"),
    [
        ("34.7\N{NO-BREAK SPACE}%", 0.347, 0.0005),
        ("0\N{NO-BREAK SPACE}%", 0.0, 0.005),
        ("1,234", 1234, 0.5),
        ("< 0.001", 0.0005, 0.0005),
        ("2.31e-05", 2.31e-5, 5e-8),
    ],
)
def test_a_text_is_read_back_as_what_it_says(text: str, value: float, off: float) -> None:
    assert read_back(text) == pytest.approx((value, off))


def assert_says(text: str, value: Any, kind: Kind, where: str) -> None:
    """A text says its value as its kind wants it."""
    if wording.missing(value):
        assert text == wording.DASH, where
        return
    if kind == Kind.YES_NO:
        assert str(value) in ("True", "False"), f"{where}: {value!r} is neither yes nor no"
        assert text == ("yes" if str(value) == "True" else "no"), where
        return
    if kind in (Kind.TEXT, Kind.GENE, Kind.LINEAGE, Kind.STATE):
        assert not isinstance(value, (float, np.floating)), f"{where}: the number {value!r} stands as text"
        return
    found, off = read_back(text)
    assert text.endswith(wording.PERCENT) == (kind == Kind.SHARE), f"{where}: '{text}' for a {kind}"
    assert abs(found - float(value)) <= off * (1 + 1e-6) + 1e-12, f"{where}: '{text}' for {value!r}"
    if kind == Kind.COUNT and where.split(".")[-1] not in BETWEEN_COUNTS:
        assert float(value) == round(float(value)), f"{where}: {value!r} is no count"


# ---------------------------------------------------------------- the tests


@pytest.mark.parametrize("name", SETS)
def test_every_number_of_every_table_is_the_number_behind_it(name: str) -> None:
    _, _, shown = of_set(name)
    assert shown
    for part in shown:
        for column, text, value in cells_of(part):
            assert_says(text, value, column.kind, f"{part.table.name}.{column.key}")


@pytest.mark.parametrize("name", SETS)
def test_rows_of_a_file_are_shown_with_its_numbers_and_as_its_description_says(name: str) -> None:
    inputs, _, shown = of_set(name)
    seen = set()
    for part in shown:
        if not part.behind:
            continue
        file, spec = inputs.table(part.behind), TABLES[part.behind]
        seen.add(part.behind)
        for column in part.table.columns:
            described = spec.column(column.key)
            if described is None or column.key not in file or not pd.api.types.is_numeric_dtype(file[column.key].dtype):
                continue
            assert column.kind == described.kind, f"{part.table.name}.{column.key} stands as {column.kind}"
            own = file.loc[part.frame.index, column.key]
            if column.key == "day":  # controls without a day stand at day 0
                own = own.fillna(part.frame[column.key])
            np.testing.assert_array_equal(part.frame[column.key], own, err_msg=f"{part.table.name}.{column.key}")
    if name == "tested":
        assert {
            "timeline",
            "fractions",
            "strata",
            "qc",
            "robustness",
            "call_genes",
            "clusters",
            "null",
            "truth",
            "gene_course",
        } <= seen


@pytest.mark.parametrize("name", SETS)
def test_what_was_made_is_what_stands_on_the_page(name: str) -> None:
    _, page, shown = of_set(name)
    written = Rendered(page).tables
    for part in shown:
        if part.table.rows:
            texts = [[cell.text for cell in row] for row in part.table.rows]
            assert (part.table.name, [column.key for column in part.table.columns], texts) in written, part.table.name
    assert len(written) == sum(bool(part.table.rows) for part in shown)


@pytest.mark.parametrize("name", SETS)
def test_no_share_of_a_figure_stands_as_a_plain_number(name: str) -> None:
    """A fractional column that never leaves 0 to 1 is a share, unless it is one of these."""
    others = {
        "stability_jaccard",
        "stability_animals",
        "sem",
        "mean",
        "mean_counts_per_10k",
        "cutoff",
        "median_score",
        "lower_quartile",
        "median",
        "upper_quartile",
        "resolution",
    }
    _, _, shown = of_set(name)
    for part in shown:
        for column in part.table.columns if part.picture is not None else ():
            values = part.frame[column.key].dropna()
            if (
                pd.api.types.is_float_dtype(values.dtype)
                and len(values)
                and values.between(0, 1).all()
                and values.mod(1).any()
            ):
                allowed = column.kind in (Kind.SHARE, Kind.P) or column.key in others
                assert allowed, f"{part.table.name}.{column.key} stands as {column.kind}"


def test_shares_of_states_and_lineages_stand_in_percent() -> None:
    """The page once said 'no' for the share of recovery cells, and 0 or 1 for those of lineages."""
    _, _, shown = of_set("tested")
    numbers = {part.table.name: part for part in shown if part.picture is not None}
    for name, key in (("states", "recovery"), ("lineages", "microglia")):
        texts = [text for column, text, _ in cells_of(numbers[name]) if column.key == key]
        assert texts
        assert all(text.endswith(wording.PERCENT) for text in texts)
    difference = [text for column, text, _ in cells_of(numbers["strata-sex"]) if column.key == "difference"]
    assert all(text.endswith(wording.PERCENT) for text in difference)


def test_whole_shares_stand_in_percent_too() -> None:
    """One lineage in every library: a column of ones is no column of counts."""
    lineages = pd.DataFrame({"library": ["a", "b"], "subject": ["a", "b"], "day": [1.0, 2.0], "condition": "injured"})
    parts = [lineages.assign(lineage=lineage, n=n) for lineage, n in (("microglia", [5, 0]), ("neuron", [0, 5]))]
    plate = blocks.plate(lineage_shares(pd.concat(parts)))
    assert {cell.text for row in plate.numbers.rows for cell in row[1:]} == {
        "0\N{NO-BREAK SPACE}%",
        "100\N{NO-BREAK SPACE}%",
    }


def test_the_numbers_of_all_data_sets_stand_as_described() -> None:
    columns = [column.name for column in TABLES["comparison"].columns]
    rows = [("data set", name, "", "nerve", "cells", "none", "tested", 3.0, 14.0, 35.0, 3.0, 0.347, 0.26, 0.45, 0.021, 0.326, 0.22, 0.43, np.nan, "")
            for name in ("a", "b")]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    picture = forest(table, ["They agree."])
    plate = blocks.plate(picture)
    for column, text, value in cells_of(Shown(plate.numbers, picture.numbers, picture)):
        assert_says(text, value, TABLES["comparison"].column(column.key).kind, f"forest.{column.key}")
    assert "34.7\N{NO-BREAK SPACE}%" in render_index([], table, ["They agree."])


def test_a_column_whose_kind_is_declared_nowhere_is_told_and_written_by_its_type() -> None:
    frame = pd.DataFrame({"recovery": [0.346, 0.0], "k": [1, 2], "right": [True, False], "word": ["a", "b"]})
    with pytest.warns(blocks.UndeclaredKind) as told:
        kinds = blocks.kinds_of(frame, where="x")
    assert [str(warning.message) for warning in told] == [
        f"x: column '{name}' has no declared kind" for name in ("recovery", "k", "right", "word")
    ]
    assert list(kinds.values()) == [Kind.NUMBER, Kind.COUNT, Kind.YES_NO, Kind.TEXT]


def test_a_fraction_is_never_written_as_yes_or_no() -> None:
    frame = pd.DataFrame({"recovery": [0.346, 0.0]})
    with pytest.warns(blocks.UndeclaredKind, match="column 'recovery' is declared as yes or no and holds numbers"):
        table = blocks.whole_table(frame, of="clusters", name="x")
    assert [row[0].text for row in table.rows] == ["0.346", "0"]
