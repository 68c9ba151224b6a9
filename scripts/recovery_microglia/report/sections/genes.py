"""Single genes over the days."""

import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.report.blocks import Column, Fold, Note, Prose, Section, plates, table, whole_table
from recovery_microglia.report.inputs import ReportInputs


def genes_section(inputs: ReportInputs) -> Section:
    """Return the course of single genes."""
    course, tests, markers = inputs.table("gene_course"), inputs.table("gene_tests"), inputs.table("markers_used")
    title = "Single genes over days"
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
    if told := inputs.text("genes"):
        blocks.insert(0, Prose(told.replace(" %", wording.PERCENT)))
    changes = inputs.table("gene_changes")
    if len(changes):
        blocks.append(_gene_changes(changes))
    if len(tests):
        blocks.append(_gene_tests(tests))
    return Section("genes", title, lead, tuple(blocks))


def _gene_changes(changes: pd.DataFrame) -> Fold:
    columns = [
        Column("gene", "Gene"),
        Column("arm", "Arm"),
        Column("n_days", "Days"),
        Column("n_subjects", "Animals"),
        Column("n_control_subjects", "Control animals"),
        Column("peak_day", "Farthest on day"),
        Column("fold", "Times the control", help="rate of counts on that day over that of its control"),
        Column("direction", "Direction"),
        Column("statistic", "F", help="all days together, over animals"),
        Column("p", "p"),
        Column("q", "q", help="corrected for the number of genes"),
        Column("reason", "Why not tested"),
    ]
    ordered = changes.sort_values(["q", "gene"], na_position="last", kind="stable")
    return Fold("Genes that differ from control over the days", (table(ordered, columns, of="gene_changes"),))


def _gene_tests(tests: pd.DataFrame) -> Fold:
    columns = [
        Column("gene", "Gene"),
        Column("arm", "Arm"),
        Column("day", "Day"),
        Column("control", "Compared with"),
        Column("n_subjects", "Animals"),
        Column("n_control_subjects", "Control animals"),
        Column("difference", "Difference", help="of the means of log2(1 + counts per 10,000)"),
        Column("p", "p", help="over animals, never over cells"),
        Column("p_permutation", "p, permutation"),
        Column("p_smallest", "least p", help="the smallest p that so few animals can reach by permutation"),
        Column("q", "q", help="corrected for the number of genes and days"),
        Column("reason", "Why not tested"),
    ]
    ordered = tests.sort_values(["q", "gene", "day"], na_position="last", kind="stable")
    return Fold("Every gene and day against its control", (table(ordered, columns, of="gene_tests"),))
