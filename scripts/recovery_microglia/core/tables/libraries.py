"""The tables of samples, quality and lineages."""

from recovery_microglia.core.tables.spec import (
    TableSpec,
    count,
    day,
    gene,
    lineage,
    number,
    share,
    text,
    yes_no,
)

_MEDIAN = "median of the kept cells"

SAMPLES = TableSpec(
    "samples",
    "tables/samples.tsv",
    "the sample sheet as it was read",
    "The sheet as it was read, one row for each library; see `config/README.md`.",
    (
        text("library", "name of the library"),
        text("subject", "the animal or pool"),
        day("day", "day after injury"),
        text("condition", "`naive`, `sham`, `contralateral`, `injured`, `treated` or `other`"),
        text("arm", "arm of the study"),
        text("sex", "sex of the animal"),
        text("age", "age of the animal"),
        text("chemistry", "chemistry of the library"),
        text("batch", "what was processed together"),
        text("sort", "what the cells were sorted for"),
        count("pooled_n", "animals in the pool", "animals"),
        text("file", "file that the library is read from"),
        text("key", "name of the library within a file of several"),
        text("format", "how the file is read"),
        text("genome", "genome that is taken from a file of several"),
        text("layer", "layer of an h5ad with raw counts"),
        yes_no("include", "whether the library is analysed"),
        text("reason", "why it is not analysed"),
        text("note", "a remark"),
    ),
    "summary",
)

QC = TableSpec(
    "qc",
    "tables/qc.tsv",
    "quality of every library",
    "Cells removed count once, under the first filter that applies.",
    (
        text("library", "name of the library"),
        count("barcodes", "barcodes in the file"),
        count("cells_called", "cells among the barcodes"),
        count("kept", "cells that passed all filters"),
        count("removed_low_counts", "cells removed: too few counts"),
        count("removed_high_counts", "cells removed: too many counts"),
        count("removed_low_genes", "cells removed: too few genes"),
        count("removed_high_mito", "cells removed: mitochondrial share too high"),
        count("removed_high_haemoglobin", "cells removed: haemoglobin share too high"),
        count("removed_doublet", "cells removed: doublets"),
        count("median_counts", f"counts of a cell, {_MEDIAN}", dtype="float64"),
        count("median_genes", f"genes of a cell, {_MEDIAN}", dtype="float64"),
        number("median_pct_mito", f"mitochondrial counts, {_MEDIAN}", "%"),
        number("median_pct_haemoglobin", f"haemoglobin counts, {_MEDIAN}", "%"),
        number("median_pct_dissociation", f"counts of dissociation-induced genes, {_MEDIAN}", "%"),
        number("median_pct_myelin", f"counts of myelin genes, {_MEDIAN}", "%"),
        share("doublet_rate", "share of cells called doublets"),
        text("sex_stated", "sex in the sheet"),
        text("sex_called", "sex by *Xist* and genes of the Y chromosome"),
        count("microglia", "kept microglia"),
        count("myeloid", "kept myeloid cells"),
        count("ambiguous", "kept cells that two lineages explain about equally"),
        text("notes", "codes of the library's warnings"),
    ),
    "summary",
)

LINEAGES = TableSpec(
    "lineages",
    "tables/lineages.tsv",
    "cells of each lineage by library",
    "",
    (
        text("library", "from the sheet"),
        text("subject", "from the sheet"),
        day("day", "from the sheet"),
        text("condition", "from the sheet"),
        lineage("lineage", "lineage called"),
        count("n", "kept cells of the lineage"),
        share("share", "their share of the library's kept cells"),
    ),
    "summary",
)

GATE = TableSpec(
    "gate",
    "tables/gate.tsv",
    "how clearly lineages were assigned",
    "Kept cells by lineage and next most likely lineage.",
    (
        lineage("lineage", "lineage called"),
        lineage("runner_up", "next most likely lineage"),
        count("cells", "kept cells"),
        share("share_of_lineage", "share of the lineage's cells"),
        number("confidence_median", "probability of the lineage given the counts, median; empty where it was not judged"),
        number("confidence_low", "probability that 95 % of the cells reach"),
    ),
    "summary",
)  # fmt: skip

LINEAGE_MARKERS = TableSpec(
    "lineage_markers",
    "tables/lineage_markers.tsv",
    "markers by lineage",
    "Markers in each lineage that has at least 5 cells: of each myeloid lineage the four markers with the highest detection in any lineage, and *Itgax* and *Igf1*.",
    (
        lineage("marker_of", "lineage whose marker it is (`subgroup`: the two genes that name the recovery cells)"),
        gene("gene", "gene symbol"),
        lineage("lineage", "lineage in which it was measured; `recovery_microglia` are called cells, `microglia` the others"),
        count("cells", "cells of that lineage"),
        share("share_detected", "share of cells with a count"),
        number("mean_counts_per_10k", "the gene's counts among 10,000 counts of all these cells"),
    ),
    "summary",
)  # fmt: skip

CONFOUNDING = TableSpec(
    "confounding",
    "tables/confounding.tsv",
    "variables that are confounded with the days",
    "",
    (
        text("variable", "column of the sheet"),
        count("levels", "values that it takes"),
        number("cramers_v", "association with the day (Cramér's V), 0 to 1; empty if one of them does not vary"),
        yes_no("aliased", "whether its effect is confounded with that of the day"),
        text("note", "the same in words"),
    ),
    "timeline",
)

LIBRARIES = (SAMPLES, QC, LINEAGES, GATE, LINEAGE_MARKERS, CONFOUNDING)
"""In the order of the documentation."""
