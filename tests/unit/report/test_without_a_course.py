"""Pages of studies that have groups but no course over days: what they say and draw, and what they do not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.tables import TABLES, Kind
from recovery_microglia.figures.contrast import in_order
from recovery_microglia.report import ReportInputs, render_index
from recovery_microglia.report.blocks import Column, table
from recovery_microglia.report.sections.genes import _groups_title
from recovery_microglia.report.sections.igf1 import igf1_section
from recovery_microglia.report.sections.sheet import answers, limits


def _units(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    """Return rows of fractions.tsv: subject, condition, share without a cutoff."""
    own = pd.DataFrame(rows, columns=["subject", "condition", "mixture"])
    share = {"mixture_low": own["mixture"] / 2, "mixture_high": own["mixture"] * 1.5, "fraction": own["mixture"]}
    known = {"day": np.nan, "arm": "", "k": 5, "n": 100, "low": 0.0, "high": 0.5, "sex": "", "cutoff": 3.0}
    return own.assign(**share, **known, false_rate=0.01, route="score", denominator="microglia")


def _study(rows: list[tuple[str, str, float]], *, called: bool = True) -> ReportInputs:
    status = "descriptive" if called else "not_testable"
    facts = {
        "status": "not_testable",
        "reason": "there is no injured library",
        "recovery": {"status": status},
        "genes": "Apoe differs.",
    }
    return ReportInputs(facts, {"fractions": _units(rows)})


def test_the_answer_gives_the_share_of_each_group_with_its_animals() -> None:
    told = answers(_study([("a", "naive", 0.01), ("b", "naive", 0.03), ("c", "treated", 0.0)]))[0]
    assert told.word == "Cannot be tested"
    assert "Without a test" in told.more
    assert f"{wording.percent(0.02)} (naive; 2 animals, {wording.percent_interval(0.01, 0.03)})" in told.more
    assert f"{wording.percent(0.0)} (treated; 1 animal)" in told.more


def test_of_many_groups_the_controls_and_the_ends_of_the_others_are_said() -> None:
    told = answers(_study([("a", "naive", 0.01), *((f"p{i}", "other", i / 10) for i in range(6))]))[0].more
    assert (
        f"{wording.percent(0.0)} (other, p0) to {wording.percent(0.5)} (other, p5) in 6 other groups of 6 animals"
        in told
    )
    assert "p3" not in told


def test_without_a_call_the_answer_says_what_genes_do_and_no_limit_speaks_of_called_cells() -> None:
    study = _study([("a", "naive", 0.01)], called=False)
    assert answers(study)[0].more == "Apoe differs."
    assert not any("called" in text for text in limits(study))


def test_the_mean_of_one_animal_is_neither_drawn_nor_explained() -> None:
    alone = figures.contrast(_units([("a", "naive", 0.01), ("c", "treated", 0.0)]), pd.DataFrame())
    pair = figures.contrast(_units([("a", "naive", 0.01), ("b", "naive", 0.03)]), pd.DataFrame())
    assert alone is not None
    assert pair is not None
    assert "mean" not in alone.caption
    assert "mean" in pair.caption
    assert alone.panels[0].svg.count("--vermilion") == 0
    assert pair.panels[0].svg.count("--vermilion") > 0


def test_genes_are_drawn_by_group_only_where_there_are_two() -> None:
    course = _units([("a", "naive", 0.0), ("c", "treated", 0.0)]).assign(
        gene="Apoe", role="context", share_detected=0.5, mean_counts_per_10k=[1.0, 7.0]
    )
    drawn = figures.gene_groups(course, ["Apoe", "Igf1"])
    assert drawn is not None
    assert list(drawn.numbers["group"]) == ["naive", "treated"]
    assert list(drawn.numbers["mean_counts_per_10k"]) == [1.0, 7.0]
    assert figures.gene_groups(course.head(1), ["Apoe"]) is None


def test_no_legend_or_title_speaks_of_injury_or_days_where_there_are_none() -> None:
    rng = np.random.default_rng(1)
    cells = pd.DataFrame(
        {"subject": ["a"] * 60 + ["c"] * 60, "condition": ["naive"] * 60 + ["treated"] * 60, "day": np.nan}
    )
    cells = cells.assign(
        lineage="microglia", state="homeostatic", recovery_score=rng.normal(-2, 1, 120), recovery_call="no",
        cutoff=[4.0] * 60 + [9.0] * 60,
    )  # fmt: skip
    by_animal = figures.scores_by_animal(cells, _units([("a", "naive", 0.0), ("c", "treated", 0.0)]))
    states = figures.state_shares(cells)
    scores = figures.scores(cells, pd.DataFrame())
    assert by_animal is not None
    assert states is not None
    assert scores is not None
    assert states.title.endswith("by condition")
    assert scores.title == "Scores of control and treated microglia"
    assert "injured" not in by_animal.panels[0].svg + by_animal.caption


def test_pups_and_aged_animals_are_two_groups_in_every_strip() -> None:
    """All four are injured in the sheet and have no day: only their age distinguishes them."""
    ages = pd.Series({"a": "P100", "p1": "P4", "p2": "P5", "o1": "24 months", "o2": "24 months"})
    animals = [("a", "naive"), ("p1", "injured"), ("p2", "injured"), ("o1", "injured"), ("o2", "injured")]
    state = {"p1": "recovery", "p2": "recovery"}
    rows = [
        {"subject": subject, "condition": condition, "day": np.nan, "lineage": "microglia", "state": state.get(subject, "homeostatic"),
         "recovery_score": score, "recovery_call": "no", "cutoff": 4.0}
        for subject, condition in animals
        for score in (-3.0, -2.0, 1.0)
    ]  # fmt: skip
    cells = pd.DataFrame(rows)
    states = figures.state_shares(cells, ages)
    assert states is not None
    groups = ["naive, P100", "injured, 24 months", "injured, P4", "injured, P5"]
    assert list(states.numbers["group"]) == groups
    assert list(states.numbers["recovery"]) == [0, 0, 1, 1]
    by_animal = figures.scores_by_animal(cells, pd.DataFrame({"subject": [], "day": [], "condition": []}), ages)
    assert by_animal is not None
    assert list(by_animal.numbers["subject"]) == ["a", "o1", "o2", "p1", "p2"]  # animals of one age beside each other
    assert all(word in by_animal.panels[0].svg for word in ("24 months", "P4", "P5"))
    lineages = pd.DataFrame([
        {"library": subject, "subject": subject, "condition": condition, "day": np.nan, "lineage": lineage, "n": n}
        for subject, condition in animals
        for lineage, n in (("microglia", 90), ("infiltrating_macrophage", 30 if subject == "o1" else 10))
    ])  # fmt: skip
    by_group = figures.lineages_by_day(lineages, ages)
    assert by_group is not None
    assert sorted(by_group.numbers["group"]) == sorted(groups)
    aged = by_group.numbers.set_index("group").loc["injured, 24 months"]
    assert aged["animals"] == 2
    assert aged["infiltrating_macrophage"] == pytest.approx((0.25 + 0.1) / 2)
    # one age, or none stated: the strips are as they were
    assert list(figures.state_shares(cells).numbers["group"]) == ["naive", "injured"]


def test_ages_are_counted_and_of_many_animals_each_group_keeps_some() -> None:
    names = pd.Series(["P540", "P30", "P4", "24 months"])
    assert list(names.iloc[in_order(names).argsort()]) == ["24 months", "P4", "P30", "P540"]
    subjects = [(f"m{day}_{n}", float(day)) for day in (0, 7, 35) for n in range(30)]
    cells = pd.DataFrame(subjects, columns=["subject", "day"])
    cells = cells.assign(
        condition=["naive"] * 30 + ["injured"] * 60, lineage="microglia", recovery_score=-1.0, cutoff=3.0
    )
    strip = figures.scores_by_animal(cells, pd.DataFrame({"subject": [], "day": [], "condition": []}))
    assert strip is not None
    assert strip.numbers.groupby("day").size().to_dict() == {0: 20, 7: 20, 35: 20}
    assert list(strip.numbers["day"]) == sorted(strip.numbers["day"])
    assert "60 of 90 animals are drawn, some of each group." in strip.caption


def test_the_heading_of_genes_by_group_names_the_gene_that_differs_most() -> None:
    rows = [("Apoe", "naive", 4.0), ("Apoe", "naive", 2.0), ("Apoe", "LPS", 6.0), ("Igf1", "naive", 0.0), ("Igf1", "LPS", 0.4),
            ("Tnf", "naive", 0.5), ("Tnf", "LPS", 8.0)]  # fmt: skip
    numbers = pd.DataFrame(rows, columns=["gene", "group", "mean_counts_per_10k"])
    # Apoe twofold, Tnf thirteenfold; the four tenths of Igf1 are too few to be named
    assert _groups_title(numbers) == "Tnf differs most between groups: 8 counts per 10,000 in LPS, 0.5 in naive"
    assert _groups_title(numbers[numbers["gene"] == "Igf1"]) == "Single genes by group"


def test_arms_of_one_day_are_groups_of_their_own() -> None:
    cells = pd.DataFrame({"subject": ["a", "b", "c"], "condition": ["naive", "injured", "injured"], "day": [0.0, 7.0, 7.0],
                          "arm": ["", "SNI", "CCI"], "lineage": "microglia", "state": ["homeostatic", "recovery", "homeostatic"]})  # fmt: skip
    states = figures.state_shares(cells)
    assert states is not None
    assert list(states.numbers["group"]) == ["naive, day 0", "injured, CCI, day 7", "injured, SNI, day 7"]


def test_a_wide_table_says_once_what_is_the_same_in_every_row_and_hides_no_p_share_or_interval() -> None:
    wide = pd.DataFrame({f"c{i}": [1, 2, 3] for i in range(8)})
    wide = wide.assign(status="tested", q=0.5, share=0.1, interval="1–2 %")
    kinds = {"status": Kind.TEXT, "q": Kind.P, "share": Kind.SHARE, "interval": Kind.TEXT}
    labels = {"status": "Status", "interval": "95 % interval"}
    made = table(wide, [Column(key, labels.get(key, key), kinds.get(key, Kind.COUNT)) for key in wide])
    assert [column.key for column in made.columns if column.aside] == ["status"]
    assert "In every row: Status tested." in made.note
    narrow = table(wide[["c0", "status"]], [Column("c0", "c0", Kind.COUNT), Column("status", "Status", Kind.TEXT)])
    assert not any(column.aside for column in narrow.columns)


def test_headings_break_at_joints_and_read_the_same() -> None:
    broken = wording.breakable("Oligodendrocyte, macrophage, Kept")
    assert broken.replace("\N{SOFT HYPHEN}", "") == "Oligodendrocyte, macrophage, Kept"
    assert broken.count("\N{SOFT HYPHEN}") == 3  # oligo-dendro-cyte, macro-phage


def test_reasons_that_differ_in_a_count_are_one() -> None:
    shares = pd.DataFrame({"share": np.nan, "condition": "naive", "subject": list("abc"), "day": np.nan, "lineage": "",
                           "total_igf1_counts": [3, 5, 7], "reason": [f"{n} Igf1 counts in all; at least 20 are needed" for n in (3, 5, 7)]})  # fmt: skip
    study = replace(_study([("a", "naive", 0.0)]), tables={"igf1_share": shares})
    text = igf1_section(study).blocks[0].text
    assert text == "3 to 7 Igf1 counts in all; at least 20 are needed."


def test_the_index_counts_animals_that_are_neither_control_nor_injured() -> None:
    days = [{"condition": "naive", "subjects": 1}, {"condition": "treated", "subjects": 2}]
    facts = {**_study([("a", "naive", 0.01)]).summary, "dataset": "lps_set", "days": days,
             "design": {"groups": [{"n_subjects": 1}]}}  # fmt: skip
    empty = pd.DataFrame(columns=[column.name for column in TABLES["comparison"].columns])
    page = render_index([ReportInputs(facts)], empty, overview=[])
    assert '<td data-sort="3" class="num">3</td>' in page
    assert "lps_<wbr>set</a>" in page  # a long name may be broken, and is still one word
