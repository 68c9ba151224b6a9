"""Single genes over the days."""

import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.report.blocks import Column, Fold, Note, Section, plates, table, whole_table
from recovery_microglia.report.inputs import ReportInputs

LEVEL = 0.05
"""False-discovery rate of a gene that is said to differ."""


def genes_section(inputs: ReportInputs) -> Section:
    """Return the course of single genes."""
    course, tests, markers = inputs.table("gene_course"), inputs.table("gene_tests"), inputs.table("markers_used")
    title = _title(tests)
    if course.empty:
        return Section(
            "genes",
            title,
            "",
            (Note("why", "Nothing to draw", "None of the signature and context genes was measured."),),
        )
    order = list(dict.fromkeys([*(markers["gene"] if len(markers) else ()), *course["gene"]]))
    here = [gene for gene in order if (course["gene"] == gene).any()]
    picture = figures.gene_course(course, tests, here)
    blocks: list[object] = list(plates(picture))
    if picture is None:
        blocks.append(
            Note("why", "No course over days", "Fewer than two days are known; each animal's values are in the table.")
        )
        blocks.append(Fold("The values of every animal", (whole_table(course, of="gene_course"),)))
    lead = "The genes of the signature and those high in its context, as far as they were measured."
    if inputs.status == Status.NOT_TESTABLE and picture is not None:
        lead = "Recovery cells could not be called, but the genes that were measured have a course of their own. A single gene is not the subgroup."
    if len(tests):
        blocks.append(_gene_tests(tests))
    return Section("genes", title, lead, tuple(blocks))


def _gene_tests(tests: pd.DataFrame) -> Fold:
    columns = [
        Column("gene", "Gene"),
        Column("arm", "Arm"),
        Column("day", "Day"),
        Column("control", "Control"),
        Column("n_subjects", "Animals"),
        Column("n_control_subjects", "Control animals"),
        Column("difference", "Difference", help="of the means of log2(1 + counts per 10,000)"),
        Column("p", "p", help="over animals, never over cells"),
        Column("p_permutation", "permutation p"),
        Column(
            "p_smallest", "smallest attainable p", help="the smallest p that so few animals can reach by permutation"
        ),
        Column("q", "q", help="corrected for the number of genes and days"),
        Column("reason", "Why not tested"),
    ]
    ordered = tests.sort_values(["q", "gene", "day"], na_position="last", kind="stable")
    return Fold("All genes and days compared with their control", (table(ordered, columns, of="gene_tests"),))


def _title(tests: pd.DataFrame) -> str:
    """Return which genes differ from control as a sentence."""
    known = tests[tests["q"].notna()] if len(tests) else tests
    if known.empty:
        return "Single genes over days"
    hits = known[known["q"] < LEVEL]
    n = known["gene"].nunique()
    if hits.empty:
        return f"None of {n} genes differs from control on a single day (q < {LEVEL:g})"
    named = list(dict.fromkeys(hits.sort_values("q")["gene"]))
    return f"{len(named)} of {n} genes differ from control on some day (q < {LEVEL:g}): {wording.listed(named, most=5)}"
