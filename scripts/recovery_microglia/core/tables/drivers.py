"""The tables of the step `drivers`: genes, activities and signals that are associated with the state."""

from recovery_microglia.core.tables.answer import ARM, REASON
from recovery_microglia.core.tables.spec import (
    TableSpec,
    count,
    day,
    gene,
    number,
    p_value,
    text,
    yes_no,
)

_CONTRAST = text("contrast", "`state`: recovery cells against the other microglia of the same injured animals; `injury day …`: microglia of injured against those of control animals; an arm is named behind")  # fmt: skip
_STATUS = text("status", "`tested` or `not_testable`")
_MADE_CALL = yes_no("made_call", "whether the gene took part in the call of recovery cells (signature, learnt genes): it differs because cells were chosen by it")  # fmt: skip

DRIVER_CONTRASTS = TableSpec(
    "driver_contrasts",
    "drivers/driver_contrasts.tsv",
    "comparisons of pseudobulks, and why one was not made",
    "One row for each comparison. A pseudobulk is the sum of the counts of the cells of one animal.",
    (
        _CONTRAST,
        text("kind", "`state` (within animals) or `injury` (between animals)"),
        ARM,
        day("day", "day after injury; empty: all days"),
        count("n_animals", "animals with at least 10 such cells"),
        count("n_controls", "control animals with at least 10 microglia; the same animals in a comparison within animals"),
        text("control", "what is compared with"),
        text("covariates", "sex, chemistry and batch where the design carries them: held fixed in the model"),
        text("not_held", "those that vary and are not held fixed, with the reason"),
        count("genes", "genes that were tested: at least 10 counts in all, in two pseudobulks"),
        count("genes_up", "genes that are higher, at a false-discovery rate of 5 %", dtype="float64"),
        count("genes_down", "genes that are lower, at a false-discovery rate of 5 %", dtype="float64"),
        count("genes_up_without", "the same among the genes that took no part in the call", dtype="float64"),
        count("genes_down_without", "the same among the genes that took no part in the call", dtype="float64"),
        _STATUS,
        REASON,
    ),
    "drivers",
)  # fmt: skip

DRIVER_GENES = TableSpec(
    "driver_genes",
    "drivers/driver_genes.tsv",
    "genes of every comparison",
    "One row for each gene and comparison; negative-binomial models of pseudobulks (PyDESeq2), the animal as the unit.",
    (
        _CONTRAST,
        gene("gene", "gene symbol"),
        number("base_mean", "mean of the normalised counts of all pseudobulks"),
        number("log2_fold_change", "estimate without shrinkage", "log2"),
        number("shrunken", "estimate shrunken towards 0 by apeglm's prior: for ranking by size", "log2"),
        number("se", "standard error of `log2_fold_change`", "log2"),
        number("statistic", "Wald statistic"),
        p_value("p", "Wald statistic against a t distribution (degrees of freedom of the dispersion); empty where one animal's count is an outlier (Cook's distance)"),
        p_value("q", "`p` corrected over all genes of the comparison (Benjamini-Hochberg)"),
        _MADE_CALL,
        count("rank", "place in the order of `p`", dtype="float64"),
        p_value("q_without", "`p` corrected over the genes that took no part in the call"),
        count("rank_without", "place among the genes that took no part in the call", dtype="float64"),
    ),
    "drivers",
)  # fmt: skip

DRIVER_ANIMALS = TableSpec(
    "driver_animals",
    "drivers/driver_animals.tsv",
    "first genes of the state in every animal",
    "One row for each animal and each of the first 40 genes of the comparison `state` at a false-discovery rate of 5 %.",
    (
        _CONTRAST,
        gene("gene", "gene symbol"),
        _MADE_CALL,
        text("subject", "the animal"),
        day("day", "from the sheet"),
        count("cells", "recovery cells of the animal"),
        count("other_cells", "other microglia of the animal"),
        number("log2_ratio", "log2 ratio of counts per 10,000, recovery cells over other microglia, half a count added to either", "log2"),
    ),
    "drivers",
)  # fmt: skip

_Q_ACTIVITY = "its p, corrected over the sources of the resource; genes, not animals, are the n of this p"

DRIVER_ACTIVITIES = TableSpec(
    "driver_activities",
    "drivers/driver_activities.tsv",
    "activities of pathways, factors and cytokines in every comparison",
    "One row for each source of a network and comparison, estimated from how its targets differ (decoupler). An activity says that the targets moved together; not that the source did it.",
    (
        text("contrast", "as in `driver_contrasts.tsv`; `igf1`: genes that go with *Igf1* within recovery cells (`driver_igf1.tsv`)"),
        text("resource", "the network (`driver_networks.tsv`)"),
        text("kind", "what its sources are: pathway, transcription factor, cytokine; `signal` in simulated data"),
        text("source", "pathway, factor or cytokine, as the resource names it"),
        count("targets", "targets among the tested genes; at least 5"),
        number("ulm", "activity by a univariate linear model of the statistics: each source by itself", "t"),
        p_value("ulm_q", _Q_ACTIVITY),
        number("mlm", "activity by a multivariate linear model: all sources of the resource together; empty where it cannot be fitted", "t"),
        p_value("mlm_q", _Q_ACTIVITY),
        yes_no("agree", "whether both methods find it at 5 %, with one sign"),
        number("ulm_without", "`ulm` without the genes that took part in the call", "t"),
        count("n_animals", "animals with an activity of their own (comparison `state`)"),
        count("animals_same", "animals in which it has the sign of `ulm`"),
        number("animals_mean", "mean of the animals' activities", "t"),
        p_value("animals_p", "t-test of 0 over animals; at least 3"),
        p_value("animals_q", "`animals_p` corrected over the sources of the resource"),
    ),
    "drivers",
)  # fmt: skip

DRIVER_NETWORKS = TableSpec(
    "driver_networks",
    "drivers/driver_networks.tsv",
    "networks of targets that were used, and those that were not there",
    "Networks are fetched (`config/knowledge/networks.tsv`); the run goes on without one that cannot be had.",
    (
        text("resource", "name of the network"),
        text("kind", "what its sources are"),
        text("version", "the version that was asked for"),
        text("licence", "its licence"),
        text("address", "where it comes from"),
        text("sha256", "checksum of the file that was read"),
        text("citation", "its publication"),
        count("sources", "sources"),
        count("targets", "targets, as mouse symbols"),
        count("not_mapped", "human symbols that no mouse gene has in other capitals: these are lost"),
        text("status", "`used` or `not there`"),
        REASON,
    ),
    "drivers",
)

DRIVER_IGF1 = TableSpec(
    "driver_igf1",
    "drivers/driver_igf1.tsv",
    "genes that go with *Igf1* within recovery cells",
    "Recovery cells with *Igf1* counts against those without, within animals and classes of depth; tested over animals.",
    (
        gene("gene", "gene symbol"),
        count("n_animals", "animals with at least 10 recovery cells on either side"),
        count("animals_up", "animals in which the gene is higher in cells with *Igf1*"),
        number("log2_ratio", "log2 of the rate ratio of Mantel and Haenszel over four classes of depth, mean of the animals", "log2"),
        number("low", "95 % interval of `log2_ratio` over animals", "log2"),
        number("high", "95 % interval of `log2_ratio` over animals", "log2"),
        number("statistic", "t statistic over animals"),
        p_value("p", "t-test of 0 over animals"),
        p_value("q", "`p` corrected over genes (Benjamini-Hochberg)"),
        _MADE_CALL,
        _STATUS,
        REASON,
    ),
    "drivers",
)  # fmt: skip

_LEVEL = "counts per 10,000"

DRIVER_SIGNALS = TableSpec(
    "driver_signals",
    "drivers/driver_signals.tsv",
    "ligand-receptor pairs from other cells to recovery cells",
    "One row for each pair, sender, arm and day, the strongest 500 of a day; pseudobulks of animals, unsorted tissue only (LIANA). A pair says that both genes are there, not that a signal is sent.",
    (
        ARM,
        day("day", "day after injury"),
        text("sender", "lineage that makes the ligand; `microglia`: those that were not called"),
        gene("ligand", "ligand; parts of a complex are joined by `_`"),
        gene("receptor", "receptor on recovery cells; parts of a complex are joined by `_`"),
        number("magnitude_rank", "rank aggregate of the strength by three scores (CellPhoneDB, Connectome, NATMI), from 0 (strong) to 1"),
        number("specificity_rank", "rank aggregate of how specific sender and receiver are, from 0 to 1"),
        count("n_animals", "animals with at least 10 cells of sender and receiver; where not testable, animals with recovery cells"),
        count("animals_agree", "animals in which the pair is in the first tenth by the product of ligand and receptor"),
        count("animals_first", "animals in which no other lineage shows the ligand more than this sender, and the receptor is seen"),
        number("ligand_level", "ligand in the sender, mean of the animals", _LEVEL),
        number("receptor_level", "receptor in recovery cells, mean of the animals", _LEVEL),
        number("receptor_log2_ratio", "receptor in recovery cells over other microglia", "log2"),
        number("ligand_change", "ligand in the sender, injured animals of the day minus control animals", "log2"),
        p_value("ligand_p", "Welch's test of `ligand_change` over animals; not corrected"),
        _STATUS,
        REASON,
    ),
    "signals",
)  # fmt: skip

DRIVER_SIGNALS_DROPPED = TableSpec(
    "driver_signals_dropped",
    "drivers/driver_signals_dropped.tsv",
    "ligand-receptor pairs that took no part, or another part",
    "Corrections of the resource (`config/knowledge/pairs.tsv`), and pairs of which a gene was not measured.",
    (
        gene("ligand", "as the resource has it"),
        gene("receptor", "as the resource has it"),
        text("action", "`split` into its parts, or `drop`"),
        text("reason", "why"),
    ),
    "signals",
)

DRIVER_CANDIDATES = TableSpec(
    "driver_candidates",
    "drivers/driver_candidates.tsv",
    "candidates, with the evidence for and against each",
    "One row for each ligand, cytokine, pathway, factor and, where a table was given, compound; in a study of several arms, in each arm that speaks of it. All is association within one study.",
    (
        ARM,
        text("candidate", "gene, or name in its network"),
        text("kind", "`ligand`, `cytokine`, `pathway`, `transcription factor`, `compound`; `signal` in simulated data"),
        count("evidence_for", "lines of evidence for an association with the state; of a compound, those of its target"),
        count("evidence_against", "lines of evidence against one"),
        text("speaks_for", "the lines for it"),
        text("speaks_against", "the lines against it"),
        text("sender", "lineages that make the ligand, strongest pair first, at most four; the pairs stand in `speaks_for`"),
        text("receptor", "its receptors on recovery cells, strongest pair first, at most four"),
        number("activity", "activity of its targets in the comparison `state`, multivariate model, or univariate where that could not be fitted; of several networks, one that both methods show, else the largest", "t"),
        count("animals", "animals behind the evidence: the fewest of its lines"),
        text("known", "what the literature table says of it (`config/knowledge/modulators.tsv`)"),
        text("source", "PubMed id or DOI of that"),
        text("direction", "`up` or `down`: where both methods show its activity, higher or lower in the state; of a compound, what it would be expected to be associated with; empty: not shown, or networks differ"),
    ),
    "candidates",
)  # fmt: skip

DRIVER_TRUTH = TableSpec(
    "driver_truth",
    "drivers/driver_truth.tsv",
    "simulated signals and what was found of them",
    "Empty for real data. One row for each signal that was put into simulated data.",
    (
        gene("ligand", "the ligand"),
        text("truth", "`signal`: it follows the recovery cells and its targets rise in them; `decoy`: it rises with injury and its targets do not move"),
        text("sender", "cells that make it, in truth"),
        text("receptor", "its receptor, in truth"),
        yes_no("pair_found", "whether the pair with this sender is strong or specific (a rank below 0.05)"),
        yes_no("ligand_rises", "whether the ligand is found higher in the sender after injury (p < 0.05)"),
        yes_no("targets_rise", "whether both methods find its targets higher in recovery cells"),
        count("evidence_for", "as in `driver_candidates.tsv`"),
        count("evidence_against", "as in `driver_candidates.tsv`"),
        yes_no("as_expected", "signal: more speaks for it than against, its targets among them; decoy: its targets do not speak for it"),
    ),
    "candidates",
)  # fmt: skip

DRIVERS: tuple[TableSpec, ...] = (
    DRIVER_CONTRASTS,
    DRIVER_GENES,
    DRIVER_ANIMALS,
    DRIVER_ACTIVITIES,
    DRIVER_NETWORKS,
    DRIVER_IGF1,
    DRIVER_SIGNALS,
    DRIVER_SIGNALS_DROPPED,
    DRIVER_CANDIDATES,
    DRIVER_TRUTH,
)
"""In the order of the documentation."""
