"""The tables of what made the results, what they cost, and of the truth of simulated data."""

from recovery_microglia.core.tables.calling import ANIMAL
from recovery_microglia.core.tables.spec import TableSpec, count, number, seconds, share, size_in_bytes, state, text

TRUTH = TableSpec(
    "truth",
    "tables/truth.tsv",
    "accuracy on simulated data",
    "Simulated data only; empty for real data.",
    (
        *ANIMAL,
        count("microglia_true", "true microglia"),
        count("microglia_called", "called microglia"),
        count("n", "called microglia that were judged"),
        share("true_fraction", "share of recovery cells among the true microglia"),
        share("called_fraction", "share of called recovery cells among the judged microglia"),
        share("mixture", "the same, estimated without a cutoff"),
    ),
    "summary",
)

TRUTH_STATES = TableSpec(
    "truth_states",
    "tables/truth_states.tsv",
    "accuracy of the states on simulated data",
    "Simulated data only; empty for real data. One row for each true state and each state that its cells were given; single microglia of good quality that were judged.",
    (
        state("true_state", "state that the cell was simulated in"),
        state("state", "state that it was given (`state` of `cells.tsv.gz`)"),
        count("cells", "cells"),
        share("share", "share of the cells of the true state"),
    ),
    "summary",
)

PROVENANCE = TableSpec(
    "provenance",
    "tables/provenance.tsv",
    "checksums, versions, settings",
    "",
    (
        text("kind", "`version`, `setting` or `sha256`"),
        text("name", "software, setting or input file"),
        text("value", "its version, its value, or the SHA-256 of the file"),
    ),
    "summary",
)

COSTS = TableSpec(
    "costs",
    "costs.tsv",
    "time and memory of every job",
    "It lies in `results/<data set>/` and shows what every job of the data set cost, one row for each job, to plan a larger study. It is the only table that differs between two runs of the same input. It leaves out downloads, the page itself and what is made over all data sets; a job that did not have to run again keeps the row of its last run.",
    (
        text("step", "the rule"),
        text("library", "its library, where it works on one"),
        size_in_bytes("input_bytes", "size of the files that the job read: for `library` and `split` those with counts, for other steps all inputs"),
        seconds("seconds", "from the start of Python to the end, imports included"),
        seconds("cpu_seconds", "processor time of the job"),
        number("peak_mb", "largest resident memory", "MB of 1,000,000 bytes"),
        count("cells", "cells or barcodes that the step worked on; empty where it has none"),
    ),
    "report",
)  # fmt: skip

PROVENANCE_TABLES = (TRUTH, TRUTH_STATES, PROVENANCE, COSTS)
"""In the order of the documentation."""
