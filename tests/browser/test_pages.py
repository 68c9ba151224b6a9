"""Pages in a real browser: they stand alone, their controls do what they say, their numbers are those of the tables."""

import re
import struct
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from browser.checks import MIRRORED, assert_numbers_are_the_tables, assert_sound, opened_to_the_end, shown
from browser.chromium import Opened
from made_up.genes import SIGNATURE
from made_up.sets import SETS
from recovery_microglia.core.tables import TABLES
from recovery_microglia.report import ReportInputs, write_index, write_report


@pytest.fixture(scope="session")
def folder(made_up: dict[str, ReportInputs], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of four made-up data sets and the index over them, in a folder with a space in its name."""
    results = tmp_path_factory.mktemp("some results")
    for inputs in made_up.values():
        write_report(inputs, results / inputs.text("dataset") / "report.html")
    none = pd.DataFrame(columns=[column.name for column in TABLES["comparison"].columns])
    write_index(list(made_up.values()), results / "index.html", none)
    return results


def page_of(folder: Path, name: str) -> Path:
    return folder / "index.html" if name == "index" else folder / SETS_FOLDERS[name] / "report.html"


SETS_FOLDERS = {"tested": "tested_set", "descriptive": "descriptive_set", "panel": "panel_set", "no_days": "no_days"}


@pytest.mark.parametrize("name", [*SETS, "index"])
def test_a_page_stands_alone_and_is_whole_and_accessible(browser: Any, folder: Path, name: str) -> None:
    assert_sound(browser, page_of(folder, name), size="desktop")
    assert_sound(browser, page_of(folder, name), size="phone", axe=name == "tested")


@pytest.mark.parametrize(
    ("name", "size"), [("panel", "phone"), ("index", "phone"), ("tested", "phone"), ("tested", "desktop")]
)
def test_a_page_is_readable_in_the_dark(browser: Any, folder: Path, name: str, size: str) -> None:
    assert_sound(browser, page_of(folder, name), size=size, dark=True)


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
        start = f"{row['subject']}, {row['condition']}, {row['sex']}, day {row['day']:g}: {100 * row['mixture']:.1f} %"
        assert any(tip.startswith(start) and f"called {row['k']} of {row['n']} microglia" in tip for tip in tips), start


def test_a_table_is_sorted_by_value_and_missing_ones_stay_last(opened: Opened) -> None:
    table = opened.page.locator('table[data-name="interactions"]')
    opened.page.evaluate("document.querySelectorAll('.fold').forEach(fold => (fold.open = true))")
    head = table.locator('th[data-key="day"]')
    for direction, expected in (("ascending", ["7", "14", "–"]), ("descending", ["14", "7", "–"])):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == direction
        assert [row["day"][1] for row in shown(opened, "interactions")] == expected


def unfolded(opened: Opened) -> None:
    opened.page.evaluate("document.querySelectorAll('details').forEach(fold => (fold.open = true))")


def test_a_filter_leaves_the_rows_with_all_words_and_whole_numbers(opened: Opened) -> None:
    """'injured 21' once found 2148."""
    unfolded(opened)
    frame = opened.page.locator('.framed:has(table[data-name="timeline"])')
    rows = frame.locator("tbody tr")
    n = rows.count()
    everything = shown(opened, "timeline")
    frame.locator("input").fill("injured 21")
    left = [row.text_content() for row in rows.all() if row.is_visible()]
    wanted = [
        row for row in everything if row["condition"][1] == "injured" and "21" in {cell[1] for cell in row.values()}
    ]
    assert wanted
    assert len(left) == len(wanted)
    assert frame.locator("output").text_content() == f"{len(left)} of {n} rows"
    assert "filter.timeline=injured+21" in opened.page.url
    frame.locator("input").fill("inj")  # the beginning of a word is enough
    assert sum(row.is_visible() for row in rows.all()) == sum(row["condition"][1] == "injured" for row in everything)
    frame.locator("input").fill("")
    assert sum(row.is_visible() for row in rows.all()) == n
    assert "filter" not in opened.page.url


def test_a_table_is_saved_with_full_numbers(opened: Opened, made_up: dict[str, ReportInputs], tmp_path: Path) -> None:
    with opened.page.expect_download() as download:
        opened.page.locator('.framed:has(table[data-name="days"]) .save').click()
    download.value.save_as(tmp_path / "days.tsv")
    assert download.value.suggested_filename == "days.tsv"
    saved = pd.read_csv(tmp_path / "days.tsv", sep="\t")
    days = made_up["tested"].arm_days("")
    np.testing.assert_allclose(saved["fraction"], days["fraction"], rtol=1e-12)
    np.testing.assert_allclose(saved["q"], days["q"], rtol=1e-12)


# ---------------------------------------------------------------- files made in the page


def downloaded(opened: Opened, tmp_path: Path, act: Any) -> Path:
    """What a click gives."""
    with opened.page.expect_download() as download:
        act()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_figure_is_saved_in_four_formats_from_the_page_alone(folder: Path, opened: Opened, tmp_path: Path) -> None:
    figure = opened.page.locator("#figure-timeline")
    for kind in ("svg", "pdf", "png", "tsv"):
        path = downloaded(opened, tmp_path, figure.locator(f'.downloads a[data-kind="{kind}"]').click)
        assert path.name == f"timeline.{kind}"
        content = path.read_bytes()
        if kind in ("svg", "pdf"):
            assert content == (page_of(folder, "tested").parent / "figures" / path.name).read_bytes()
        if kind == "svg":
            drawing = ElementTree.fromstring(content)
            assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
            assert not list(drawing.iter("{http://www.w3.org/2000/svg}text"))  # letters are outlines
            assert "var(" not in content.decode()
            points = [float(part) for part in drawing.get("viewBox").split()[2:]]
        elif kind == "pdf":
            assert content.startswith(b"%PDF-")
            assert b"/FontFile2" in content  # letters are embedded
        elif kind == "png":
            assert content.startswith(b"\x89PNG")
            width, height = struct.unpack(">II", content[16:24])
            assert width == round(points[0] * 300 / 72)  # 300 dots an inch
            assert height == round(points[1] * 300 / 72)
        else:
            saved = pd.read_csv(path, sep="\t")
            rows = shown(opened, "timeline")
            np.testing.assert_allclose(saved["mixture"], [float(row["mixture"][0]) for row in rows], rtol=1e-12)


def test_the_numbers_of_a_figure_whose_table_is_cut_are_saved_whole(
    folder: Path, opened: Opened, tmp_path: Path
) -> None:
    figure = opened.page.locator("#figure-gene-course")
    path = downloaded(opened, tmp_path, figure.locator('.downloads a[data-kind="tsv"]').click)
    beside = page_of(folder, "tested").parent / "figures" / "gene-course.tsv"
    assert path.read_bytes() == beside.read_bytes()
    rows = opened.page.evaluate("document.querySelector('#figure-gene-course tbody').rows.length")
    assert rows < len(pd.read_csv(path, sep="\t"))


def test_everything_is_one_zip_with_figures_tables_and_methods(opened: Opened, tmp_path: Path) -> None:
    path = downloaded(opened, tmp_path, opened.page.locator("#zip").click)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None  # every checksum is right
        names = set(archive.namelist())
        assert {"methods.txt", "references.bib", "tables/days.tsv", "tables/quality.tsv"} <= names
        assert {f"figures/timeline.{kind}" for kind in ("svg", "pdf", "png", "tsv")} <= names
        assert "@article{kohno2022," in archive.read("references.bib").decode()
        assert archive.read("methods.txt").decode().startswith("Cells. ")


def test_methods_and_bibtex_are_given_to_paste(opened: Opened, tmp_path: Path) -> None:
    text = downloaded(opened, tmp_path, opened.page.get_by_role("button", name="Methods to paste").click).read_text(
        encoding="utf-8"
    )
    cited = {int(number) for number in re.findall(r"\[(\d+)\]", text.partition("References")[0])}
    assert cited
    assert all(f"\n[{number}] " in text.partition("References")[2] for number in cited)
    entries = downloaded(opened, tmp_path, opened.page.get_by_role("button", name="BibTeX").click).read_text(
        encoding="utf-8"
    )
    assert entries.count("@article{") == len(cited) + 1


def test_files_beside_the_page_are_what_its_links_name(folder: Path, opened: Opened) -> None:
    beside = page_of(folder, "tested").parent
    links = opened.page.locator(".downloads a").evaluate_all("links => links.map(a => a.getAttribute('href'))")
    assert len(links) > 40
    assert [link for link in links if not (beside / link).is_file()] == []
    named = {Path(link).name for link in links}
    assert {path.name for path in (beside / "figures").iterdir()} == named
    for path in (beside / "figures").glob("*.svg"):
        drawing = ElementTree.fromstring(path.read_bytes())
        assert drawing.get("width").endswith("pt"), path
        assert not list(drawing.iter("{http://www.w3.org/2000/svg}text")), path


# ---------------------------------------------------------------- the address


def test_the_address_holds_colour_view_and_gene_and_brings_them_back(browser: Any, folder: Path) -> None:
    opened = opened_to_the_end(browser, page_of(folder, "tested"))
    opened.page.locator(".pick").select_option("score")
    opened.page.locator(".view").select_option("integrated")
    drawn(opened, "integrated score")
    assert opened.page.url.endswith("#?colour=score&view=integrated")
    again = Opened(browser, page_of(folder, "tested"))
    again.page.goto(f"{again.address}#cells?colour=state&view=integrated&only=recovery")
    again.page.reload()
    again.page.locator(".map").scroll_into_view_if_needed()
    again.page.wait_for_selector(".legend button[aria-pressed='true']")
    drawn(again, "integrated state 1.00 ")
    assert again.page.locator(".legend button[aria-pressed='true']").text_content().startswith("recovery ")
    opened.page.close()
    again.page.close()


def test_a_link_lands_where_it_leads_whatever_is_drawn_on_the_way(browser: Any, folder: Path) -> None:
    """Sections off the screen are laid out late, and the map fills its legend when it is passed: both move what stands below."""
    opened = Opened(browser, page_of(folder, "tested"))
    opened.page.emulate_media(reduced_motion="no-preference")
    top = "id => Math.round(document.getElementById(id).getBoundingClientRect().top)"
    for name in ("robustness", "timeline", "genes"):
        opened.page.locator(f'nav.toc a[href="#{name}"]').click()
        before = None
        while before != (before := opened.page.evaluate("scrollY")):  # until it stands still
            opened.page.wait_for_timeout(400)
        # scroll-padding is 16 pixels
        assert abs(opened.page.evaluate(top, name)) <= 24, name
    opened.page.goto("about:blank")
    opened.page.goto(f"{opened.address}#robustness")
    opened.page.wait_for_selector("main > section:not(.verdict, .laid)", state="detached")
    assert abs(opened.page.evaluate(top, "robustness")) <= 24
    opened.page.close()


@pytest.mark.parametrize("name", SETS)
def test_paper_cuts_no_table(browser: Any, folder: Path, name: str) -> None:
    opened = Opened(browser, page_of(folder, name))
    opened.page.set_viewport_size({"width": 688, "height": 1000})  # A4 within margins of 14 mm
    opened.page.emulate_media(media="print")
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    cut = opened.page.evaluate(
        "() => [...document.querySelectorAll('main table')].filter((t) => t.getBoundingClientRect().width && "
        "t.getBoundingClientRect().right > t.closest('.framed').getBoundingClientRect().right + 1).map((t) => t.dataset.name)"
    )
    assert opened.page.locator("table:visible").count() > 0
    assert cut == []
    opened.page.close()


def test_a_link_into_a_fold_opens_it_and_the_contents_mark_the_place(browser: Any, folder: Path) -> None:
    opened = Opened(browser, page_of(folder, "tested"))
    toc = opened.page.locator("nav.toc")
    assert toc.locator("[aria-current]").text_content() == "Answer"
    toc.get_by_role("link", name="Warnings").click()
    expect(opened.page.locator("#warnings")).to_have_attribute("open", "")
    expect(toc.locator("[aria-current]")).to_have_text("Warnings")
    ids = opened.page.locator("[id]").evaluate_all("all => all.map(e => e.id)")
    for figure in opened.page.locator("figure").all():
        assert figure.locator(".anchor").first.get_attribute("href") == f"#{figure.get_attribute('id')}"
    assert len(ids) == len(set(ids))
    opened.page.close()


def test_a_gene_is_searched_and_its_dots_are_the_counts_of_the_animals(
    cells: Opened, made_up: dict[str, ReportInputs]
) -> None:
    field = cells.page.locator("#gene-search input")
    field.fill("spp1")
    field.press("Enter")
    cells.page.wait_for_selector("#gene-search circle")
    inputs = made_up["tested"]
    own = inputs.cells[inputs.cells["lineage"] == "microglia"].merge(inputs.genes, on="cell")
    sums = own.groupby("subject")[["Spp1", "n_counts"]].sum()
    tips = cells.page.locator("#gene-search circle").evaluate_all("dots => dots.map(d => d.dataset.tip)")
    assert len(tips) == own["subject"].nunique()
    for tip in tips:
        subject = tip.split(",")[0]
        told = float(re.search(r": ([\d.e+-]+) per", tip)[1])
        assert told == pytest.approx(1e4 * sums.loc[subject, "Spp1"] / sums.loc[subject, "n_counts"], rel=0.006)
        seen = own[own["subject"] == subject]
        assert f"{int((seen['Spp1'] > 0).sum())} of {len(seen)} microglia" in tip
    assert "gene=Spp1" in cells.page.url
    drawn(cells, "umap gene-Spp1")
    field.fill("Nosuch")
    field.press("Enter")
    expect(cells.page.locator("#gene-search output")).to_have_text("This gene is not among those kept for the map.")
    assert cells.page.locator("#gene-search circle").count() == 0


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


def test_the_answer_fits_on_one_printed_page(browser: Any, folder: Path) -> None:
    opened = Opened(browser, page_of(folder, "tested"))
    opened.page.emulate_media(media="print")
    opened.page.set_viewport_size({"width": 688, "height": 1017})  # A4 less margins of 14 mm
    assert opened.page.evaluate("document.querySelector('#answer').getBoundingClientRect().bottom") <= 1017
    opened.page.close()


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
