"""The tables of single genes, and of the sources of *Igf1*."""

from recovery_microglia.core.tables.answer import ARM, P_SMALLEST, REASON, STATUS
from recovery_microglia.core.tables.calling import ANIMAL
from recovery_microglia.core.tables.spec import (
    TableSpec,
    count,
    day,
    gene,
    lineage,
    number,
    p_value,
    share,
    state,
    text,
)

_GENE = (gene("gene", "gene symbol"), text("role", "`recovery` (signature) or `context`"), ARM)
_LOG2 = "log2(1 + counts per 10,000)"

GENE_COURSE = TableSpec(
    "gene_course",
    "tables/gene_course.tsv",
    "single genes in every animal",
    "One row for each gene and animal.",
    (
        *_GENE,
        *ANIMAL,
        text("libraries", "libraries of the animal"),
        count("n", "microglia of the animal"),
        share("share_detected", "share of microglia with a count"),
        number("mean_counts_per_10k", "the gene's counts among 10,000 counts of all the animal's microglia"),
    ),
    "timeline",
)

GENE_TESTS = TableSpec(
    "gene_tests",
    "tables/gene_tests.tsv",
    "single genes compared with the control",
    "One row for each gene, arm and day.",
    (
        *_GENE,
        day("day", "day after injury"),
        text("control", "control group that the day is compared with"),
        count("n_subjects", "animals of the day"),
        count("n_control_subjects", "animals of the control group"),
        number("mean", "mean over the animals of the day", _LOG2),
        number("control_mean", "mean over the control animals", _LOG2),
        number("difference", "`mean` minus `control_mean`", _LOG2),
        p_value("p", "Welch's test"),
        p_value("p_permutation", "exact permutation of animals"),
        p_value("p_smallest", P_SMALLEST),
        p_value("q", "`p` corrected over all genes and days of an arm (Benjamini-Hochberg)"),
        STATUS,
        REASON,
    ),
    "timeline",
)

GENE_CHANGES = TableSpec(
    "gene_changes",
    "tables/gene_changes.tsv",
    "genes that differ from control over the days",
    "One row for each gene and arm: one test over all days after injury. Counts of an animal's microglia are summed; the test is a quasi-likelihood F-test over animals, the variance of a gene drawn towards that of genes as abundant.",
    (
        *_GENE,
        count("n_days", "days after injury that are compared with a control", dtype="float64"),
        count("n_subjects", "injured animals of these days", dtype="float64"),
        count("n_control_subjects", "animals of their control groups", dtype="float64"),
        day("peak_day", "day on which the gene is farthest from its control"),
        number("fold", "the gene's rate on that day over that of its control (half a count added to both)", "times"),
        text("direction", "`up` or `down` on that day"),
        number("statistic", "F of the test"),
        p_value("p", "its p"),
        p_value("q", "`p` corrected over the genes of an arm (Benjamini-Hochberg)"),
        STATUS,
        REASON,
    ),
    "timeline",
)

IGF1_STATES = TableSpec(
    "igf1_states",
    "tables/igf1_states.tsv",
    "Igf1 counts of microglia by state",
    "The *Igf1* counts of each animal's microglia by state; they are counted within microglia, so that the table is given for sorted tissue too. Empty where recovery cells could not be called.",
    (
        *ANIMAL,
        state("state", "`state` of `cells.tsv.gz`, but `recovery` are the called cells, `near_recovery` those whose probability of recovery is above one half and that were not called"),
        count("cells", "microglia in the state"),
        count("igf1_counts", "*Igf1* counts of these cells"),
        count("microglia_igf1_counts", "*Igf1* counts of all the animal's microglia"),
        share("share", "`igf1_counts` / `microglia_igf1_counts`"),
    ),
    "summary",
)  # fmt: skip

IGF1_SHARE = TableSpec(
    "igf1_share",
    "tables/igf1_share.tsv",
    "sources of Igf1: counts by lineage",
    "",
    (
        *ANIMAL,
        lineage("lineage", "lineage; recovery microglia are separated from the other microglia"),
        count("igf1_counts", "*Igf1* counts of the lineage"),
        count("total_igf1_counts", "*Igf1* counts of all the animal's cells"),
        share("share", "`igf1_counts` / `total_igf1_counts`"),
        text("status", "`descriptive`; `not_testable` in sorted tissue and with fewer than 20 counts"),
        REASON,
    ),
    "timeline",
)

GENES = (GENE_COURSE, GENE_CHANGES, GENE_TESTS, IGF1_STATES, IGF1_SHARE)
"""In the order of the documentation."""
