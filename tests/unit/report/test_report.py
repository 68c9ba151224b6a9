"""What a page says, and what it must never say."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from made_up import libraries
from made_up.sets import SETS
from made_up.sheet import sheet
from recovery_microglia.core import wording
from recovery_microglia.core.tables import TABLES
from recovery_microglia.figures import course
from recovery_microglia.figures.palette import LINEAGES
from recovery_microglia.report import ReportInputs, render_index, render_report
from recovery_microglia.report.sections.accuracy import truth_section
from recovery_microglia.report.sections.sheet import NEGLIGIBLE_RISE, answers, key_numbers, limits
from recovery_microglia.report.sections.timeline import timeline_section

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """Text, addresses and ids of a page; fails on a tag that closes nothing."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.text, self.ids, self.links, self.loads, self.tables = [], [], [], [], [], 0
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.tables += tag == "table"
        self.ids += [facts["id"]] if "id" in facts else []
        self.links += [facts["href"]] if tag == "a" and "href" in facts else []
        self.loads += [facts[k] for k in ("src", "xlink:href") if facts.get(k, "#")[0] not in "#" and k in facts]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


NO_COMPARISON = pd.DataFrame(columns=[column.name for column in TABLES["comparison"].columns])


@pytest.fixture(scope="module", params=SETS)
def drawn(
    request: pytest.FixtureRequest, made_up: dict[str, ReportInputs], page_of: Callable[[str], str]
) -> tuple[ReportInputs, Page]:
    return made_up[request.param], Page(page_of(request.param))


def test_a_page_is_whole_and_needs_no_other_file(drawn: tuple[ReportInputs, Page]) -> None:
    _, page = drawn
    assert [address for address in page.loads if not address.startswith("data:")] == []
    repeated = {name for name in page.ids if page.ids.count(name) > 1}
    assert repeated == set()
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_the_answer_stands_before_everything_else(drawn: tuple[ReportInputs, Page]) -> None:
    inputs, page = drawn
    text = page.words
    for answer in answers(inputs):
        assert f"{answer.word}: {answer.sentence}" in text
        assert text.index(answer.sentence) < text.index("How sure") < text.index("Not shown by these data")
    assert page.ids.index("answer") < page.ids.index("evidence") < page.ids.index("audit")
    if inputs.status != "not_testable":
        assert page.ids.index("answer") < page.ids.index("figure-timeline") < page.ids.index("evidence")
    assert wording.STATUS[inputs.status][0] in text[: text.index(answers(inputs)[0].sentence)]


def test_no_number_is_shown_as_nan_or_none(drawn: tuple[ReportInputs, Page]) -> None:
    _, page = drawn
    assert re.findall(r"\b(nan|None|NaT|<NA>|inf)\b", page.words) == []


def test_no_word_of_the_code_stands_in_a_sentence_or_a_table(drawn: tuple[ReportInputs, Page]) -> None:
    _, page = drawn
    code = [*wording.CODE_WORDS, *(key for key in LINEAGES if "_" in key)]
    assert [word for word in code if re.search(rf"\b{word}\b", page.words)] == []


def test_a_p_or_an_onset_stands_only_on_a_tested_page(drawn: tuple[ReportInputs, Page]) -> None:
    inputs, page = drawn
    words = {answer.word for answer in answers(inputs)}
    facts = {name for number in key_numbers(inputs) for name, _ in number.facts}
    headers = set(re.findall(r"\bp, t-test\b", page.words))
    if inputs.status == "tested":
        assert words == {"Yes"}
        assert "q" in facts
        assert headers
        return
    assert words == {"Cannot be tested"}
    assert "q" not in facts
    assert "emerge between" not in page.words
    if inputs.status == "descriptive":  # a panel's single genes may still be tested
        assert not headers
        assert not re.search(r"\bq\s<\s", page.words)


ABSENT = {
    "onset_low": np.nan,
    "onset_high": np.nan,
    "first_above": np.nan,
    "right_censored": True,
    "left_censored": False,
    "could_be_seen": "A share of 4.5 % or more would have been detected. A smaller rise could have been missed.",
}


@pytest.mark.parametrize(
    ("rise_high", "doubt", "word"), [(0.04, "", "No"), (NEGLIGIBLE_RISE, "", "Not shown"), (0.2, "t-test", "Not shown")]
)
def test_no_rise_is_said_to_be_none_only_where_larger_ones_are_excluded(
    tested: ReportInputs, rise_high: float, doubt: str, word: str
) -> None:
    days = tested.table("timeline").assign(rise_high=rise_high, methods_against=doubt)
    onset = [{**tested.onsets[0], **ABSENT, "not_tested": "" if word == "No" else "day 3 (batch)"}]
    inputs = ReportInputs({**tested.summary, "onset": onset}, {**tested.tables, "timeline": days})
    (answer,) = answers(inputs)
    assert answer.word == word
    if word == "No":
        assert "4.0 percentage points" in answer.sentence
    else:
        assert answer.more.startswith("A share of 4.5 % or more would have been detected")
        assert answer.more.endswith(" Not tested: day 3 (batch).")
    assert ("not by all methods (t-test)" in answer.more) == bool(doubt)


def test_the_key_number_is_that_of_the_highest_day(tested: ReportInputs) -> None:
    days = tested.arm_days("")
    peak = days.loc[days["fraction"].idxmax()]
    (number,) = key_numbers(tested)
    assert number.value == wording.percent(peak["fraction"])
    assert f"day {peak['day']:g}" in number.label
    facts = dict(number.facts)
    assert facts["control"].startswith(wording.percent(peak["control_fraction"]))
    assert facts["q"] == wording.p_value(peak["q"])
    assert facts["n"] == f"{peak['n_subjects']} animals, {peak['n_control_subjects']} controls"
    assert facts["called"].startswith(f"{peak['k']:,} of {peak['n']:,}")


def test_every_warning_is_on_the_page(drawn: tuple[ReportInputs, Page]) -> None:
    inputs, page = drawn
    for text in inputs.table("warnings").get("text", []):
        assert " ".join(text.split()) in page.words


def test_simulated_is_said_on_the_page_and_on_the_index_and_only_there(
    made_up: dict[str, ReportInputs], page_of: Callable[[str], str]
) -> None:
    simulated, real = made_up["tested"], made_up["descriptive"]
    assert "SIMULATED" in Page(page_of("tested")).words
    assert "SIMULATED" not in Page(page_of("descriptive")).words
    assert "SIMULATED" in Page(render_index([real, simulated], NO_COMPARISON)).words
    assert "SIMULATED" not in Page(render_index([real], NO_COMPARISON)).words


def test_a_truth_is_shown_for_simulated_data_only(tested: ReportInputs) -> None:
    assert "Accuracy on simulated data" in truth_section(tested).title
    real = ReportInputs({**tested.summary, "simulated": False}, tested.tables)
    assert truth_section(real) is None


def test_text_of_a_data_set_cannot_become_markup(made_up: dict[str, ReportInputs]) -> None:
    inputs = made_up["no_days"]
    evil = '<script>alert(1)</script> & "quotes"'
    samples = inputs.table("samples").assign(subject=evil, library=[f"{evil}{i}" for i in range(3)])
    page = render_report(ReportInputs({**inputs.summary, "title": evil, "notes": evil},
                                      {**inputs.tables, "samples": samples}, inputs.cells))  # fmt: skip
    assert "<script>alert" not in page
    assert evil in Page(page).words


def test_nothing_known_still_makes_a_page() -> None:
    page = Page(render_report(ReportInputs({"dataset": "x", "title": "Nothing"})))
    assert "Nothing" in page.words
    assert wording.STATUS["not_testable"][0] in page.words


def test_the_index_links_every_page_and_says_each_answer(made_up: dict[str, ReportInputs]) -> None:
    page = Page(render_index(list(made_up.values()), NO_COMPARISON))
    for inputs in made_up.values():
        assert f"{inputs.text('dataset')}/report.html" in page.links
        for answer in answers(inputs):
            assert answer.sentence in page.words


def test_the_same_inputs_give_the_same_bytes(page_of: Callable[[str], str]) -> None:
    assert render_report(SETS["panel"]()) == page_of("panel")


def test_a_label_on_a_drawing_is_escaped_and_a_hundred_libraries_fit(tested: ReportInputs) -> None:
    design = [(0, "naive", 40), *((day, "injured", 10) for day in (1, 3, 7, 14, 21, 35))]
    samples = sheet(design)
    rng = np.random.default_rng(1)
    qc = libraries.qc(samples.assign(library=[f"A<b>&{i}" for i in range(len(samples))]), rng)
    # the tables that have a row a library; figures of the others are as large as in any study
    tables = {"samples": samples, "qc": qc, "lineages": libraries.lineages(samples)}
    page = render_report(ReportInputs(tested.summary, tables, tested.cells))
    assert "A<b>" not in page
    assert "A&lt;b&gt;" in page
    assert len(page) < 3e6
    Page(page)


def test_shares_by_expected_rises_are_said_to_miss_weak_cells(tested: ReportInputs) -> None:
    assert not any("weaker than expected" in text for text in limits(tested))
    recovery = {**tested.summary["recovery"], "refinement": {"refused": "too few recovery cells to learn from"}}
    found = limits(replace(tested, summary={**tested.summary, "recovery": recovery}))
    assert len([text for text in found if "weaker than expected" in text and "shares are too low" in text]) == 1


def test_the_heading_of_a_quiet_course_does_not_sound_like_a_rise(tested: ReportInputs) -> None:
    assert "of the microglia are recovery cells, against" in timeline_section(tested).title
    onset = [{**row, "first_above": None} for row in tested.summary["onset"]]
    quiet = replace(tested, summary={**tested.summary, "onset": onset})
    assert timeline_section(quiet).title.startswith("No day is shown to be above control; the highest share is ")


def test_one_sex_is_named_among_the_limits(tested: ReportInputs) -> None:
    males = tested.table("samples").assign(sex="male")
    found = limits(ReportInputs(tested.summary, {**tested.tables, "samples": males}))
    assert "Females: all animals are male." in found
    assert not any("all animals are" in text for text in limits(tested))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1139, "11.4\N{NO-BREAK SPACE}%"),
        (0.0, "0\N{NO-BREAK SPACE}%"),
        (1.0, "100\N{NO-BREAK SPACE}%"),
        (0.0004, "0.04\N{NO-BREAK SPACE}%"),  # a small share must not read as none
        (1e-7, "< 0.001\N{NO-BREAK SPACE}%"),
        (float("nan"), "–"),
        (None, "–"),
    ],
)
def test_percentages_never_round_to_none(value: float | None, text: str) -> None:
    assert wording.percent(value) == text


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"status": "tested", "onset_low": 7, "onset_high": 14, "left_censored": False}, "between day 7 and day 14"),
        ({"status": "tested", "onset_low": np.nan, "onset_high": 3, "left_censored": "True"}, "by day 3"),
        ({"status": "tested", "onset_low": np.nan, "onset_high": np.nan}, "not shown"),
        ({"status": "descriptive", "onset_low": 7, "onset_high": 14}, ""),
    ],
)  # fmt: skip
def test_an_onset_is_an_interval_with_its_censoring(row: dict, text: str) -> None:
    assert wording.onset_words(row) == text


def test_a_p_is_never_zero() -> None:
    assert wording.p_value(0.0) == "< 0.001"
    assert wording.p_value(0.00099) == "< 0.001"
    assert wording.p_value(0.0312) == "0.031"


def test_numbers_beneath_the_main_figure_are_those_of_the_table(tested: ReportInputs) -> None:
    units = tested.table("fractions").query("route == 'score' and denominator == 'microglia'")
    days = tested.table("timeline").query("route == 'score'")
    picture = course.timeline(units, days, tested.onsets[0])
    assert picture is not None
    svg = picture.panels[0].svg
    # one dot an animal, each with its numbers on hovering
    tips = re.findall(r'data-tip="([^"]*)"', svg)
    for row in units.to_dict("records"):
        assert any(str(row["subject"]) in tip and f"called {row['k']:g} of" in tip for tip in tips), row["subject"]
    drawn = picture.numbers
    assert isinstance(drawn, pd.DataFrame)
    np.testing.assert_allclose(np.sort(drawn["mixture"].dropna()), np.sort(units["mixture"]))
