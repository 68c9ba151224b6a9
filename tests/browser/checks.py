"""What must hold of every page, whatever made it: the pages of made-up, simulated and real data sets are held to it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from axe_playwright_python.sync_playwright import Axe

from browser.chromium import Opened
from recovery_microglia.core import wording
from recovery_microglia.core.tables import TABLES, Kind, read_table

OVERFLOWS = """() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  const cut = [...document.querySelectorAll("main svg, main canvas, main .tile, main .note, h1, h2, p")].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width && box.right > innerWidth + 1 && !e.closest(".sheet, .panels.one, nav");
  });
  return [wide, cut.map((e) => e.tagName + " " + (e.getAttribute("aria-label") || e.textContent).slice(0, 60))];
}"""
ROWS = """(name) => [...document.querySelectorAll(`table[data-name="${name}"]`)].slice(0, 1).flatMap((table) => {
  const keys = [...table.tHead.rows[0].cells].map((head) => head.dataset.key);
  return [...table.tBodies[0].rows].map((row) => Object.fromEntries([...row.cells].map((cell, i) => [keys[i], [cell.dataset.sort ?? cell.textContent, cell.textContent]])));
})"""


def opened_to_the_end(browser: Any, path: Path, *, size: str = "desktop", dark: bool = False) -> Opened:
    """Open a page from disk and scroll through it, so that whatever it draws late is drawn."""
    opened = Opened(browser, path, size=size, dark=dark)
    for mark in opened.page.locator(".cellmap").all():
        mark.scroll_into_view_if_needed()
        opened.page.wait_for_selector(".cellmap[data-drawn]")
    opened.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    opened.page.evaluate("scrollTo(0, 0)")
    return opened


def assert_sound(browser: Any, path: Path, *, size: str, dark: bool = False, axe: bool = True) -> None:
    """A page loads from disk alone, complains of nothing, is cut off nowhere, and axe finds nothing, with all folds open.

    axe looks at every text of every drawing, which takes half a minute on a long page: ``axe`` leaves it out.
    """
    opened = opened_to_the_end(browser, path, size=size, dark=dark)
    try:
        assert opened.errors == []
        assert opened.asked == []
        overflow, cut = opened.page.evaluate(OVERFLOWS)
        assert overflow <= 0
        assert cut == []
        opened.page.evaluate("document.querySelectorAll('details').forEach(fold => (fold.open = true))")
        overflow, cut = opened.page.evaluate(OVERFLOWS)
        assert overflow <= 0
        assert cut == []
        found = Axe().run(opened.page).response["violations"] if axe else []
        faults = [(rule["id"], rule["impact"], rule["nodes"][0]["html"][:200], len(rule["nodes"])) for rule in found]
        assert faults == []
    finally:
        opened.page.close()


def tables_of(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the tables that a run left beside its page."""
    return {path.name.split(".")[0]: read_table(path) for path in sorted((folder / "tables").glob("*.tsv"))}


def shown(opened: Opened, name: str) -> list[dict[str, list[str]]]:
    """Return the rows of a table of the page: column to [value it sorts by, text]."""
    rows: list[dict[str, list[str]]] = opened.page.evaluate(ROWS, name)
    return rows


WRITTEN = {
    Kind.SHARE: wording.percent,
    Kind.COUNT: wording.whole,
    Kind.P: wording.p_value,
    Kind.DAY: wording.day,
    Kind.NUMBER: wording.number,
}


def assert_column(rows: list[dict[str, list[str]]], column: str, values: pd.Series, kind: Kind) -> None:
    """A column of the page holds the values of a table, row by row, to the last digit; its words are those of its kind."""
    assert len(rows) == len(values), f"{column}: {len(rows)} rows on the page, {len(values)} in the table"
    for row, value in zip(rows, values, strict=True):
        sort, text = row[column]
        if wording.missing(value):
            assert (sort, text) == ("", wording.DASH)
            continue
        np.testing.assert_allclose(float(sort), float(value), rtol=1e-9, err_msg=column)
        assert text == WRITTEN[kind](value)


MIRRORED: dict[str, tuple[str, tuple[str, ...]]] = {
    "days": ("timeline", ("day", "n_subjects", "fraction", "control_fraction", "q")),
    "days-tests": ("timeline", ("difference", "p", "p_second", "p_permutation", "p_smallest", "adjusted_p", "smallest_detectable")),
    "strata": ("strata", ("day", "n_subjects", "fraction", "q")),
    "interactions": ("interactions", ("day", "difference", "p")),
    "behaviour_tests": ("behaviour_tests", ("correlation", "lag", "p")),
    "design": ("design", ("animals", "smallest_p", "smallest_share")),
    "quality": ("qc", ("cells_called", "kept", "removed_high_mito", "removed_doublet", "microglia", "median_counts", "median_pct_mito", "doublet_rate")),
    "qc": ("qc", ("cells_called", "kept", "microglia")),
    "robustness": ("robustness", ("onset_low", "onset_high", "peak_fraction")),
    "call-genes": ("call_genes", ("share_of_evidence", "detected_called")),
    "markers": ("lineage_markers", ("share_detected", "cells")),
    "clusters": ("clusters", ("n", "stability_jaccard")),
    "null": ("null", ("observed", "null_high")),
    "timeline": ("fractions", ("k", "n", "fraction", "low", "high")),
}  # fmt: skip
"""Table of the page to the file it must agree with, and the columns that are compared."""


def as_on_the_page(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a file in the page's order."""
    if name in ("days", "days-tests"):
        return table[table["route"] == "score"].sort_values(["arm", "day"])
    if name == "timeline":
        own = table[(table["route"] == "score") & (table["denominator"] == "microglia") & (table["n"] > 0)]
        return own.assign(day=own["day"].fillna(0.0)).sort_values(["day", "condition", "subject"])
    if name == "null":
        return table.dropna(subset=["observed", "null_high"]).sort_values(["condition", "day", "subject"])
    if name == "call-genes":
        return table.sort_values("share_of_evidence", ascending=False, kind="stable")
    if name == "clusters":
        return table[table["stability_jaccard"].notna()]
    return table


def assert_numbers_are_the_tables(opened: Opened, tables: dict[str, pd.DataFrame]) -> set[str]:
    """Every table of `MIRRORED` that is on the page agrees with its file; return which were."""
    compared = set()
    for name, (source, columns) in MIRRORED.items():
        rows = shown(opened, name)
        if not rows:
            continue
        table = as_on_the_page(name, tables[source])
        for column in columns:
            if column in rows[0]:
                described = TABLES[source].column(column)
                assert described, f"{source}: {column}"
                assert_column(rows, column, table[column], described.kind)
                compared.add(name)
    return compared
