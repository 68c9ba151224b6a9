"""The tables behind the calls of recovery cells."""

from recovery_microglia.core.tables.spec import (
    TableSpec,
    count,
    day,
    gene,
    number,
    p_value,
    share,
    state,
    text,
    yes_no,
)

ANIMAL = (text("subject", "the animal"), day("day", "from the sheet"), text("condition", "from the sheet"))

MARKERS_USED = TableSpec(
    "markers_used",
    "tables/markers_used.tsv",
    "signature and context genes, and whether the data have them",
    "",
    (
        text("set", "`recovery` (the signature) or `context`"),
        gene("gene", "gene symbol"),
        text("direction", "`up`: the gene rises in recovery cells"),
        text("role", "as in `config/signatures/`"),
        text("status", "`present`, `renamed` (the data use an older name) or `absent`"),
        text("named_in_data", "the name in the data"),
        count("libraries_with_gene", "libraries whose matrix has the gene"),
        share("detected_control", "share of control microglia with at least one count"),
        share("detected_injured", "share of injured microglia with at least one count"),
    ),
    "recovery",
)

CALIBRATION = TableSpec(
    "calibration",
    "tables/calibration.tsv",
    "cutoffs and false-positive rates",
    "",
    (
        text("scorer", "`score`, `score_without` (the score without *Itgax* and *Igf1*), `depth_matched`, `ranks`, `fixed_cutoff` (the score, its cells called above the cutoff; those of the first three are called at even odds in their animal)"),
        text("chemistry", "chemistry; cutoffs are frozen for each"),
        number("quantile", "quantile of the control scores that is the cutoff"),
        number("cutoff", "score that a cell must exceed (of the first three: for comparison only)"),
        count("n_control_cells", "control microglia on which the cutoff was set"),
        count("n_control_subjects", "control animals on which the cutoff was set"),
        share("fpr", "share of control microglia that are called, cells on one gene not taken out; where a cutoff calls, each animal is judged by the cutoff of the others"),
        share("fpr_low", "95 % interval of `fpr`"),
        share("fpr_high", "95 % interval of `fpr`"),
        yes_no("used", "whether this is the quantile of config.yaml"),
        text("note", "why there is no cutoff or no rate"),
    ),
    "recovery",
)  # fmt: skip

NULL = TableSpec(
    "null",
    "tables/null.tsv",
    "the signature compared with random gene sets",
    "Each animal compared with random gene sets matched on expression and detection, each with its own cutoff.",
    (
        *ANIMAL,
        count("n", "microglia of the animal"),
        share("observed", "share above the cutoff with the signature"),
        share("null_median", "the same with random sets: median"),
        share("null_low", "range that holds 95 % of the random sets"),
        share("null_high", "range that holds 95 % of the random sets"),
        p_value("p_empirical", "(1 + sets at or above the observed share) / (1 + sets)"),
    ),
    "recovery",
)

ITGAX_IGF1 = TableSpec(
    "itgax_igf1",
    "tables/itgax_igf1.tsv",
    "share of microglia with Itgax and with Igf1",
    "",
    (
        *ANIMAL,
        share("itgax_share", "share of microglia with a count of *Itgax*"),
        share("igf1_share", "share of microglia with a count of *Igf1*"),
        share("itgax_share_matched", "the same after all cells were thinned to one depth"),
        share("igf1_share_matched", "the same after all cells were thinned to one depth"),
        count("n", "microglia of the animal"),
    ),
    "recovery",
)

CALL_GENES = TableSpec(
    "call_genes",
    "tables/call_genes.tsv",
    "contribution of each gene to the calls",
    "The contribution of each gene to the calls, the strongest first: those of the signature that were measured and those that were added. Empty where nothing was called.",
    (
        gene("gene", "gene symbol"),
        text("role", "`signature`, `related` (of similar states) or `further` (any other gene)"),
        number("fold", "rise of the gene in a typical recovery cell, as the score uses it (mean over the sets of weights)", "fold"),
        share("detected_called", "share of the called cells with a count"),
        share("detected_not_called", "share of the other injured microglia with a count"),
        share("detected_control", "share of the control microglia with a count"),
        count("called_cells", "called cells of the data set"),
        count("counts_called", "counts in called cells"),
        number("nats_per_cell", "score of a called cell less its score without the gene, in nats (mean over the called cells)"),
        share("share_of_evidence", "the same where it is above 0, summed over the called cells, over the sum of all genes; empty with fewer than 20 called cells"),
    ),
    "recovery",
)  # fmt: skip

_CLUSTER = (
    number("resolution", "resolution of the Leiden partition"),
    text("cluster", "cluster of the partition; `0` is the largest"),
)
_RECOVERY = (
    share("recovery_share", "share of the cluster's microglia above the cutoff"),
    yes_no(
        "recovery",
        "whether it is a recovery cluster: half of its cells are above the cutoff, and the lower end of the share's 95 % interval above five times the nominal rate of controls",
    ),
)

CLUSTERS = TableSpec(
    "clusters",
    "tables/clusters.tsv",
    "clusters and their stability",
    "",
    (
        *_CLUSTER,
        count("n", "microglia and other myeloid cells in the cluster"),
        number("stability_jaccard", "mean best Jaccard index over clusterings of 80 % of the cells (above 25,000 cells: of 25,000 drawn at random)"),
        number("stability_animals", "the same when a fifth of the animals is left out with all their cells; empty with fewer than three animals"),
        share("largest_animal", "largest share of the cluster's cells that come from one animal"),
        number("ari_resolution", "mean adjusted Rand index of the whole partition over the same clusterings"),
        text("top_genes", "genes that mark the cluster"),
        yes_no("reported", "whether this partition is `leiden` in the h5ad"),
        *_RECOVERY,
    ),
    "summary",
)  # fmt: skip

RECOVERY_CLUSTERS = TableSpec(
    "recovery_clusters",
    "tables/recovery_clusters.tsv",
    "share of recovery cells in each cluster",
    "",
    (*_CLUSTER, count("n", "microglia in the cluster"), *_RECOVERY),
    "recovery",
)

_FOLD_INTERVAL = "95 % interval of `fold` (signature genes)"
REFINEMENT = TableSpec(
    "refinement",
    "tables/refinement.tsv",
    "gene weights learnt from the data",
    "What was learnt of each gene; one row for each signature gene and each added gene. The values are means over the sets of weights; each animal is scored by the set that was learnt without it.",
    (
        gene("gene", "gene symbol"),
        text("role", "`signature`; `related` (context genes and sets of similar states, `config/signatures/recovery.tsv`); `further` (any other gene)"),
        number("fold_before", "rise that was expected in a typical recovery cell", "fold"),
        number("fold", "rise in a typical recovery cell, as the score uses it", "fold"),
        number("fold_low", _FOLD_INTERVAL, "fold"),
        number("fold_high", _FOLD_INTERVAL, "fold"),
        count("weights_with_it", "sets of weights, of four, in which the gene counts"),
        text("decision", "`kept`, `kept in part`, `dropped`, `added`; `as before`: nothing was learnt of single genes (`recovery.json` and the page say why), all have one scale"),
    ),
    "recovery",
)  # fmt: skip

CELLS = TableSpec(
    "cells",
    "tables/cells.tsv.gz",
    "every microglia with its scores and calls",
    "One row for each microglia.",
    (
        text("cell", "name of the cell, `library:barcode`"),
        text("library", "from the sheet"),
        text("subject", "from the sheet"),
        day("day", "from the sheet"),
        text("condition", "from the sheet"),
        text("arm", "from the sheet"),
        text("chemistry", "from the sheet"),
        number("lineage_confidence", "probability of the lineage given the cell's counts, 0 to 1; empty where it was not judged"),
        count("n_counts", "raw counts of the cell"),
        count("itgax", "raw counts of *Itgax*; empty where it was not measured"),
        count("igf1", "raw counts of *Igf1*; empty where it was not measured"),
        number("recovery_score_ranks", "UCell score of the rising genes"),
        number("context_score", "UCell score of genes that rise as well but are not specific (*Apoe*, *Trem2*, …); never part of the call"),
        number("score_{state}", "UCell score of another state or programme: `homeostatic`, `acute_inflammatory`, `interferon`, `migrating`, `cycling`, `dissociation_stress`"),
        number("recovery_score", "log-likelihood ratio of the rising genes' counts: that the cell runs the recovery programme against that it does not, whatever else it runs", "nats"),
        number("recovery_score_depth_matched", "the same on counts thinned to one depth", "nats"),
        number("recovery_score_without_itgax_igf1", "the same without *Itgax* and *Igf1*", "nats"),
        number("cutoff", "score that the cell had to exceed: even odds of being a recovery cell given its animal's share; empty where the chemistry has too few controls", "nats"),
        yes_no("recovery_call", "the call; empty where nothing can be called"),
        yes_no("recovery_call_without", "the call without *Itgax* and *Igf1*; empty where nothing can be called"),
        yes_no("on_one_gene", "fewer than two signature genes were seen, and without the strongest gene nothing speaks for recovery; such a cell is never called"),
        text("hangs_on", "of a cell with a positive score: the gene that the score owes most to, where the score without it does not exceed the cutoff; else empty"),
        number("recovery_probability", "probability that the cell runs the recovery programme, at least two fifths as far as a typical recovery cell, given the score and the animal's own share (`mixture` in `fractions.tsv`)"),
        state("state", "the first of `programmes`: recovery if its probability is above one half, else the most likely other programme of which this is true; without any `homeostatic`, or `none` if the homeostatic genes are unusually low"),
        text("programmes", "all programmes whose probability is above one half, recovery first; a cell can run several"),
        number("p_{state}", "probability that the cell runs another programme, for each that the data can show; `p_homeostatic` is the probability that it runs none. A cell can run several, so they do not add up to 1"),
        yes_no("cluster_call", "the call by clusters; empty where no cluster is a recovery cluster"),
    ),
    "summary",
)  # fmt: skip

CALLING = (
    MARKERS_USED,
    CALIBRATION,
    NULL,
    ITGAX_IGF1,
    CALL_GENES,
    CLUSTERS,
    RECOVERY_CLUSTERS,
    REFINEMENT,
    CELLS,
)
"""In the order of the documentation."""
