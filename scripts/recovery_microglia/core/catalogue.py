"""What each table under ``tables/`` holds, in words, for the page and for Snakemake's own report."""

TABLES: dict[str, str] = {
    "timeline": "days against their control",
    "onset": "the result for each arm and route",
    "fractions": "recovery cells of every animal",
    "strata": "days by sex or arm",
    "strata_onset": "the result by sex or arm",
    "interactions": "whether the rise differs between sexes or arms",
    "behaviour": "behaviour over days, as given with the data set",
    "behaviour_tests": "behaviour against the share of recovery cells",
    "robustness": "the answer under other choices",
    "design": "what the design can show",
    "confounding": "what goes together with the days",
    "samples": "the sample sheet as it was read",
    "qc": "quality of every library",
    "gate": "how clear the lineages were",
    "lineages": "cells of each lineage by library",
    "lineage_markers": "markers by lineage",
    "markers_used": "signature and context genes, and their fate in the data",
    "call_genes": "which genes carry the calls",
    "calibration": "cutoffs and false-positive rates",
    "refinement": "what was learnt of the genes",
    "null": "the signature against random gene sets",
    "itgax_igf1": "share of microglia with Itgax and with Igf1",
    "clusters": "clusters and their stability",
    "recovery_clusters": "which clusters hold recovery cells",
    "igf1_share": "Igf1 counts by lineage",
    "igf1_states": "Igf1 counts of microglia by state",
    "gene_course": "single genes of every animal",
    "gene_tests": "single genes against control",
    "truth": "called against true (simulated data only)",
    "warnings": "all warnings",
    "provenance": "checksums, versions, settings",
    "costs": "time and memory of every job",
}
"""Table to what it holds, the answer first. A run writes those that its steps make."""


def holds(name: str) -> str:
    """Return what a table holds; empty if it is not known here."""
    return TABLES.get(name, "")
