"""Single genes over the days."""

import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.report.blocks import Column, Fold, Note, Prose, Section, plates, table, whole_table
from recovery_microglia.report.inputs import ReportInputs

LEVEL = 0.05
"""False-discovery rate of a gene that is said to differ."""
MEASURABLE, LEAST_RATE = 1.0, 0.1
"""Mean counts per 10,000 in the highest group from which a heading names a gene, and what is added to both sides of a ratio."""


def genes_section(inputs: ReportInputs) -> Section:
    """Return the course of single genes."""
    course, tests, markers = inputs.table("gene_course"), inputs.table("gene_tests"), inputs.table("markers_used")
    changes = inputs.table("gene_changes")
    title = _title(changes, tests)
    if course.empty:
        return Section(
            "genes",
            title,
            "",
            (Note("why", "Nothing to draw", "None of the signature and context genes was measured."),),
        )
    order = list(dict.fromkeys([*(markers["gene"] if len(markers) else ()), *course["gene"]]))
    here = [gene for gene in order if (course["gene"] == gene).any()]
    picture = figures.gene_course(course, tests, here, changes)
    beside = figures.gene_groups(course, here, inputs.ages) if picture is None else None
    blocks: list[object] = list(plates(picture, beside))
    if picture is None:
        title = _groups_title(beside.numbers) if beside else "Single genes in each animal"
        if beside is None:
            text = "All animals are of one group and no two days are known; each animal's values are in the table."
            blocks.append(Note("why", "Nothing to compare", text))
            blocks.append(Fold("The values of every animal", (whole_table(course, of="gene_course"),)))
    lead = "The genes of the signature and those high in its context, as far as they were measured."
    if inputs.status == Status.NOT_TESTABLE and picture is not None:
        lead = "Recovery cells could not be called, but the genes that were measured have a course of their own. A single gene is not the subgroup."
    if told := inputs.text("genes"):
        blocks.insert(0, Prose(told.replace(" %", wording.PERCENT)))
    if len(changes):
        blocks.append(_gene_changes(changes))
    if len(tests):
        blocks.append(_gene_tests(tests))
    return Section("genes", title, lead, tuple(blocks))


def _groups_title(numbers: pd.DataFrame) -> str:
    """Return the gene whose means differ most between groups as a sentence; genes that no group holds in a measurable amount are left out."""
    means = numbers.groupby(["gene", "group"], sort=False)["mean_counts_per_10k"].mean()
    wide = means.unstack("group")  # noqa: PD010  (means of one value each)
    wide = wide[wide.max(axis=1) >= MEASURABLE]
    if wide.empty:
        return "Single genes by group"
    ratio = (wide.max(axis=1) + LEAST_RATE) / (wide.min(axis=1) + LEAST_RATE)
    gene = str(ratio.idxmax())
    own = wide.loc[gene]
    most, least, high, low = own.idxmax(), own.idxmin(), wording.number(own.max()), wording.number(own.min())
    return f"{gene} differs most between groups: {high} counts per 10,000 in {most}, {low} in {least}"


def _gene_changes(changes: pd.DataFrame) -> Fold:
    columns = [
        Column("gene", "Gene"),
        Column("arm", "Arm"),
        Column("n_days", "Days"),
        Column("n_subjects", "Animals"),
        Column("n_control_subjects", "Control animals"),
        Column("peak_day", "Largest difference on day"),
        Column("fold", "Fold of control", help="rate of counts on that day over that of its control"),
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


def _title(changes: pd.DataFrame, tests: pd.DataFrame) -> str:
    """Return which genes differ from control as a sentence: over all days where that was tested, else on a single day."""
    bound = f"q\N{NO-BREAK SPACE}<\N{NO-BREAK SPACE}{LEVEL:g}"
    for table_, when, none in (
        (changes, "over the days", "over the days"),
        (tests, "on some day", "on a single day"),
    ):
        known = table_[table_["q"].notna()] if len(table_) else table_
        if known.empty:
            continue
        hits, n = known[known["q"] < LEVEL], known["gene"].nunique()
        if hits.empty:
            return f"None of {n} genes differs from control {none} ({bound})"
        named = list(dict.fromkeys(hits.sort_values(["q", "p"], kind="stable")["gene"]))
        differ = "differs" if len(named) == 1 else "differ"
        return f"{len(named)} of {n} genes {differ} from control {when} ({bound}): {wording.listed(named, most=5)}"
    return "Single genes over days"
