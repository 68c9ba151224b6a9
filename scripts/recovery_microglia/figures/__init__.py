"""The figures of a report: each takes tables, gives a `Picture`, or None where there is nothing to draw (floor 6)."""

from recovery_microglia.figures.cells import embeddings, lineage_shares, state_shares
from recovery_microglia.figures.course import igf1_sources, timeline, truth_course, truth_scatter
from recovery_microglia.figures.genes import gene_course, signature_genes
from recovery_microglia.figures.quality import cells_removed
from recovery_microglia.figures.style import Picture, house_style
from recovery_microglia.figures.subgroup import cluster_stability, onset_alternatives, random_sets, routes, scores

__all__ = [
    "Picture",
    "cells_removed",
    "cluster_stability",
    "embeddings",
    "gene_course",
    "house_style",
    "igf1_sources",
    "lineage_shares",
    "onset_alternatives",
    "random_sets",
    "routes",
    "scores",
    "signature_genes",
    "state_shares",
    "timeline",
    "truth_course",
    "truth_scatter",
]
