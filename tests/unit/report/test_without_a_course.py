"""Pages of studies that have groups but no course over days: what they say and draw, and what they do not."""

from dataclasses import replace

import numpy as np
import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.tables import TABLES, Kind
from recovery_microglia.report import ReportInputs, render_index
from recovery_microglia.report.blocks import Column, table
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
