"""Pages in a real browser: they stand alone, their controls do what they say, their numbers are those of the tables."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from browser.checks import MIRRORED, assert_numbers_are_the_tables, assert_sound, opened_to_the_end, shown
from browser.chromium import Opened
from made_up.genes import SIGNATURE
from made_up.sets import SETS
from recovery_microglia.report import ReportInputs, write_index, write_report


@pytest.fixture(scope="session")
def folder(made_up: dict[str, ReportInputs], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of four made-up data sets and the index over them, in a folder with a space in its name."""
    results = tmp_path_factory.mktemp("some results")
    for inputs in made_up.values():
        write_report(inputs, results / inputs.text("dataset") / "report.html")
    write_index([inputs.summary for inputs in made_up.values()], results / "index.html")
    return results


def page_of(folder: Path, name: str) -> Path:
    return folder / "index.html" if name == "index" else folder / SETS_FOLDERS[name] / "report.html"


SETS_FOLDERS = {"tested": "tested_set", "descriptive": "descriptive_set", "panel": "panel_set", "no_days": "no_days"}


@pytest.mark.parametrize("name", [*SETS, "index"])
def test_a_page_stands_alone_and_is_whole_and_accessible(browser: Any, folder: Path, name: str) -> None:
    assert_sound(browser, page_of(folder, name), size="desktop")
    assert_sound(browser, page_of(folder, name), size="phone", axe=False)


@pytest.mark.parametrize("name", ["panel", "index"])
def test_a_page_is_readable_in_the_dark(browser: Any, folder: Path, name: str) -> None:
    assert_sound(browser, page_of(folder, name), size="phone", dark=True)


@pytest.fixture(scope="module")
def opened(browser: Any, folder: Path) -> Opened:
    """The page of the data set in which everything can be asked, as it was opened."""
    return opened_to_the_end(browser, page_of(folder, "tested"))


def test_numbers_on_the_page_are_those_of_the_tables(opened: Opened, made_up: dict[str, ReportInputs]) -> None:
    compared = assert_numbers_are_the_tables(opened, dict(made_up["tested"].tables))
    assert compared == set(MIRRORED)  # the made-up data set has every table


def test_the_dots_of_the_main_figure_say_subject_k_and_n(opened: Opened, made_up: dict[str, ReportInputs]) -> None:
    units = made_up["tested"].units()
    tips = opened.page.locator("#figure-timeline .on-wide [data-tip]").evaluate_all(
        "dots => dots.map(d => d.dataset.tip)"
    )
    assert len(tips) == len(units)
    for row in units.to_dict("records"):
        start = f"{row['subject']}, {row['condition']}, {row['sex']}, day {row['day']:g}: {100 * row['fraction']:.1f} %"
        assert any(tip.startswith(start) and f"called {row['k']} of {row['n']} microglia" in tip for tip in tips), start


def test_a_table_is_sorted_by_value_and_missing_ones_stay_last(opened: Opened) -> None:
    table = opened.page.locator('table[data-name="interactions"]')
    opened.page.evaluate("document.querySelectorAll('.fold').forEach(fold => (fold.open = true))")
    head = table.locator('th[data-key="day"]')
    for direction, expected in (("ascending", ["7", "14", "–"]), ("descending", ["14", "7", "–"])):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == direction
        assert [row["day"][1] for row in shown(opened, "interactions")] == expected


def test_a_filter_leaves_the_rows_with_all_words(opened: Opened) -> None:
    frame = opened.page.locator('.framed:has(table[data-name="quality"])')
    rows = frame.locator("tbody tr")
    n = rows.count()
    frame.locator("input").fill("looks male")
    assert [row.text_content() for row in rows.all() if row.is_visible()] == [
        row.text_content() for row in rows.all() if "looks male" in row.text_content()
    ]
    assert frame.locator("output").text_content() == f"1 of {n} rows"
    frame.locator("input").fill("")
    assert sum(row.is_visible() for row in rows.all()) == n


def test_a_table_is_saved_with_full_numbers(opened: Opened, made_up: dict[str, ReportInputs], tmp_path: Path) -> None:
    with opened.page.expect_download() as download:
        opened.page.locator('.framed:has(table[data-name="days"]) .save').click()
    download.value.save_as(tmp_path / "days.tsv")
    assert download.value.suggested_filename == "days.tsv"
    saved = pd.read_csv(tmp_path / "days.tsv", sep="\t")
    days = made_up["tested"].arm_days("")
    np.testing.assert_allclose(saved["fraction"], days["fraction"], rtol=1e-12)
    np.testing.assert_allclose(saved["q"], days["q"], rtol=1e-12)


# ---------------------------------------------------------------- the map


def pixels(opened: Opened) -> dict[str, int]:
    """Colours of the map and how many pixels each has; the paper is left out."""
    found: dict[str, int] = opened.page.evaluate(
        """() => { const c = document.querySelector(".map"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data, n = {};
        for (let i = 0; i < d.length; i += 4) if (d[i + 3]) { const k = [d[i], d[i + 1], d[i + 2]].join(","); n[k] = (n[k] || 0) + 1; } return n; }"""
    )
    return found


def drawn(opened: Opened, start: str) -> None:
    """Wait until the map shows what was chosen."""
    expect(opened.page.locator(".cellmap")).to_have_attribute("data-drawn", re.compile(f"^{re.escape(start)}"))


@pytest.fixture
def cells(browser: Any, folder: Path) -> Any:
    """A page with its map in sight."""
    opened = opened_to_the_end(browser, page_of(folder, "tested"))
    opened.page.locator(".map").scroll_into_view_if_needed()
    yield opened
    opened.page.close()


def test_the_map_is_coloured_by_whatever_is_chosen(cells: Opened, made_up: dict[str, ReportInputs]) -> None:
    blue = "0,114,178"  # microglia, which are most of the cells
    assert max(pixels(cells), key=pixels(cells).get) == blue
    pick = cells.page.locator(".pick")
    choices = pick.locator("option").evaluate_all("options => options.map(o => o.value)")
    assert {"lineage", "state", "day", "library", "score", "gene-Itgax", "gene-Igf1"} <= set(choices)
    assert {f"gene-{gene}" for gene in SIGNATURE} <= set(choices)
    seen = {}
    for choice in choices:
        pick.select_option(choice)
        drawn(cells, f"umap {choice}")
        seen[choice] = tuple(sorted(pixels(cells)))
    assert len({seen["lineage"], seen["day"], seen["score"], seen["gene-Itgax"]}) == 4
    pick.select_option("gene-Igf1")
    drawn(cells, "umap gene-Igf1")
    genes = made_up["tested"].genes
    told = f"{int((genes['Igf1'] > 0).sum()):,} of {len(genes):,} cells"
    assert told in cells.page.locator(".said").text_content()


def test_an_entry_of_the_legend_is_seen_alone(cells: Opened, made_up: dict[str, ReportInputs]) -> None:
    entry = cells.page.locator(".legend button", has_text="border macrophage")
    n = int((made_up["tested"].cells["lineage"] == "border_macrophage").sum())
    assert entry.locator("small").text_content() == f"{n:,}"
    entry.click()
    drawn(cells, "umap lineage 1.00 ")
    cells.page.wait_for_selector(".legend button[aria-pressed='true']")
    assert len(pixels(cells)) == 2  # its colour, and grey
    cells.page.locator(".legend button[aria-pressed='true']").click()
    expect(cells.page.locator(".legend button[aria-pressed='true']")).to_have_count(0)
    assert len(pixels(cells)) > 2


def test_the_map_zooms_by_buttons_keys_and_wheel_and_a_plain_wheel_scrolls(cells: Opened) -> None:
    zoom = lambda: float(cells.page.locator(".cellmap").get_attribute("data-drawn").split()[2])  # noqa: E731
    cells.page.get_by_role("button", name="Zoom in").click()
    assert zoom() == pytest.approx(1.6)
    cells.page.locator(".map").press("+")
    assert zoom() == pytest.approx(2.4)
    cells.page.locator(".map").press("0")
    assert zoom() == 1
    before = pixels(cells)
    box = cells.page.locator(".map").bounding_box()
    cells.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    cells.page.keyboard.down("Control")
    cells.page.mouse.wheel(0, -300)
    cells.page.keyboard.up("Control")
    drawn(cells, "umap lineage 2.72")  # a wheel of 300 pixels: e times
    assert pixels(cells) != before
    cells.page.get_by_role("button", name="Whole").click()
    assert pixels(cells) == before
    top = cells.page.evaluate("scrollY")
    cells.page.mouse.wheel(0, 200)
    cells.page.wait_for_timeout(500)
    assert cells.page.evaluate("scrollY") > top
    assert zoom() == 1


def test_the_aligned_view_is_another_one(cells: Opened) -> None:
    before = pixels(cells)
    cells.page.locator(".view").select_option("integrated")
    drawn(cells, "integrated lineage")
    assert pixels(cells).keys() == before.keys()


def test_a_cell_says_what_it_is(cells: Opened) -> None:
    cells.page.locator(".pick").select_option("gene-Igf1")
    drawn(cells, "umap gene-Igf1")
    box = cells.page.locator(".map").bounding_box()
    spot = cells.page.evaluate(
        """() => { const c = document.querySelector(".map"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        for (let i = 3; i < d.length; i += 4) if (d[i]) { const p = (i - 3) / 4; return [p % c.width / c.width, Math.floor(p / c.width) / c.height]; } }"""
    )
    cells.page.mouse.move(box["x"] + spot[0] * box["width"], box["y"] + spot[1] * box["height"])
    cells.page.wait_for_selector("#tip:not([hidden])")
    text = cells.page.locator("#tip").text_content()
    for part in ("mouse", "day", "library", "Igf1:", "counts"):
        assert part in text


# ---------------------------------------------------------------- words and figures


def test_a_term_explains_itself_on_hover_focus_and_tap_and_escape_closes_it(cells: Opened) -> None:
    term = cells.page.locator(".term").first
    meaning = term.get_attribute("data-tip")
    tip = cells.page.locator("#tip")
    for act in (term.hover, term.focus, term.click):
        cells.page.mouse.move(0, 0)
        cells.page.keyboard.press("Escape")
        assert tip.is_hidden()
        act()
        assert tip.text_content() == meaning
        assert tip.is_visible()
        term.evaluate("e => e.blur()")
    term.focus()
    assert term.get_attribute("aria-describedby") == "tip"
    listed = cells.page.locator("#glossary dd").all_text_contents()
    assert meaning in listed  # and on paper


def test_the_keyboard_walks_over_the_dots_of_a_figure(cells: Opened) -> None:
    dots = cells.page.locator("#figure-timeline .on-wide [data-tip]")
    assert dots.evaluate_all("dots => dots.filter(d => d.tabIndex === 0).length") == 1  # one stop of the Tab key
    dots.first.focus()
    cells.page.keyboard.press("ArrowRight")
    assert cells.page.locator("#tip").text_content() == dots.nth(1).get_attribute("data-tip")
    cells.page.keyboard.press("End")
    assert cells.page.locator("#tip").text_content() == dots.last.get_attribute("data-tip")


def test_paper_shows_the_drawn_map_and_no_controls(cells: Opened) -> None:
    cells.page.emulate_media(media="print")
    assert cells.page.locator(".cellmap > .panels svg").first.is_visible()
    assert cells.page.locator(".map").is_hidden()
    assert cells.page.locator(".tools").first.is_hidden()


def test_every_figure_has_words_and_numbers(cells: Opened) -> None:
    assert cells.page.locator("figure").count() > 15
    for figure in cells.page.locator("figure").all():
        title = figure.locator("h4").first.text_content()
        assert figure.locator("details table tbody tr").count() > 0, title
        for drawing in figure.locator("svg").all():
            assert len(drawing.get_attribute("aria-label")) > 20, title


def test_without_scripts_the_page_still_shows_everything(browser: Any, folder: Path) -> None:
    page = browser.new_page()
    page.route("**/*", lambda route: route.continue_())
    text = page_of(folder, "tested").read_text(encoding="utf-8")
    bare = folder / "bare.html"
    bare.write_text(text.replace("script-src 'unsafe-inline'", "script-src 'none'"), encoding="utf-8")
    page.goto(bare.as_uri())
    assert page.locator(".cellmap > .panels svg").first.is_visible()
    assert page.locator(".stage").is_hidden()
    assert page.locator("table").count() > 10
    page.close()
