"""The page with nothing but a keyboard: everything is reached, seen, and left again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from browser.checks import opened_to_the_end, shown
from browser.chromium import Opened
from recovery_microglia.report import ReportInputs, write_report

CONTROLS = """[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
  .filter((e) => e.tabIndex >= 0 && e.checkVisibility({ checkVisibilityCSS: true }))"""
FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  window.walked ||= new Set();
  const again = walked.has(e), box = e.getBoundingClientRect(), style = getComputedStyle(e);
  walked.add(e);
  const seen = box.width && box.height && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const framed = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return [`${e.tagName} ${(e.getAttribute("aria-label") || e.textContent || e.id).trim().slice(0, 60)}`, Boolean(seen), framed, again];
}"""
LEFT = f"() => {CONTROLS}.filter((e) => !walked.has(e)).map((e) => e.outerHTML.slice(0, 120))"


@pytest.fixture(scope="module")
def written(made_up: dict[str, ReportInputs], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keyboard") / "report.html"
    write_report(made_up["tested"], path)
    return path


@pytest.fixture
def opened(browser: Any, written: Path) -> Iterator[Opened]:
    own = opened_to_the_end(browser, written)
    yield own
    own.page.close()


def focus(opened: Opened) -> str:
    told: list[Any] | None = opened.page.evaluate(FOCUS)
    return "" if told is None else str(told[0])


def press(opened: Opened, *keys: str) -> None:
    for key in keys:
        opened.page.keyboard.press(key)


@pytest.mark.parametrize(("size", "folds"), [("desktop", False), ("phone", True)])
def test_tab_comes_to_every_control_shows_it_and_is_held_nowhere(
    browser: Any, written: Path, size: str, folds: bool
) -> None:
    opened = opened_to_the_end(browser, written, size=size)
    if folds:
        opened.page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    n = opened.page.evaluate(f"() => {CONTROLS}.length")
    assert n > (400 if folds else 100)
    for _ in range(2 * n):
        press(opened, "Tab")
        told = opened.page.evaluate(FOCUS)
        if told is None:  # behind the last one
            break
        name, seen, framed, again = told
        assert (seen, framed, again) == (True, True, False), name
    assert told is None
    assert opened.page.evaluate(LEFT) == []
    opened.page.close()


def test_the_first_tab_skips_to_the_content(opened: Opened) -> None:
    press(opened, "Tab")
    assert focus(opened) == "A Skip to the content"
    press(opened, "Enter", "Tab")
    assert opened.page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_the_contents_open_a_fold_and_tab_goes_on_inside(opened: Opened) -> None:
    opened.page.locator('nav.toc a[href="#quality"]').focus()
    press(opened, "Enter")
    expect(opened.page.locator("#quality")).to_have_attribute("open", "")
    press(opened, "Tab")
    assert opened.page.evaluate("document.querySelector('#quality').contains(document.activeElement)")


def test_folds_open_and_close_and_tables_sort_by_enter_and_space(opened: Opened) -> None:
    fold = opened.page.locator("details.fold", has=opened.page.locator('table[data-name="days-tests"]'))
    fold.locator("summary").first.focus()
    press(opened, "Enter")
    expect(fold).to_have_attribute("open", "")
    head = fold.locator('th[data-key="day"]')
    before = [float(row["day"][0]) for row in shown(opened, "days-tests")]
    head.locator("button").focus()
    press(opened, "Enter", "Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert [float(row["day"][0]) for row in shown(opened, "days-tests")] == sorted(before, reverse=True)
    press(opened, "Space")
    assert head.get_attribute("aria-sort") == "ascending"
    assert focus(opened).startswith("BUTTON Day")  # sorting leaves the focus where it is
    fold.locator("summary").first.focus()
    press(opened, "Space")
    assert fold.get_attribute("open") is None


def test_the_map_is_coloured_moved_and_narrowed_by_keys(opened: Opened) -> None:
    drawn = lambda: opened.page.locator(".cellmap").get_attribute("data-drawn")  # noqa: E731
    opened.page.locator(".map").scroll_into_view_if_needed()
    opened.page.locator(".pick").focus()
    opened.page.keyboard.type("recovery score")
    opened.page.wait_for_function("document.querySelector('.cellmap').dataset.drawn.startsWith('umap score')")
    opened.page.locator(".pick").select_option("lineage")
    opened.page.wait_for_function("document.querySelector('.cellmap').dataset.drawn.startsWith('umap lineage')")
    opened.page.locator(".map").focus()
    press(opened, "+")
    assert drawn() != "umap lineage 1.00 "
    top, before = opened.page.evaluate("scrollY"), opened.page.evaluate("document.querySelector('.map').toDataURL()")
    press(opened, "ArrowRight")
    assert opened.page.evaluate("scrollY") == top  # an arrow moves the map, not the page
    assert opened.page.evaluate("document.querySelector('.map').toDataURL()") != before
    press(opened, "0", "Tab")
    assert focus(opened).startswith("BUTTON microglia")  # from the map into its legend
    press(opened, "Enter")
    pressed = opened.page.locator(".legend button[aria-pressed='true']")
    expect(pressed).to_have_count(1)
    assert focus(opened).startswith("BUTTON microglia")  # and the focus stays there
    press(opened, "Enter")
    expect(pressed).to_have_count(0)


def test_an_explanation_is_shown_by_tab_and_closed_by_escape(opened: Opened) -> None:
    opened.page.locator(".term").first.focus()
    expect(opened.page.locator("#tip")).to_be_visible()
    press(opened, "Escape")
    expect(opened.page.locator("#tip")).to_be_hidden()
