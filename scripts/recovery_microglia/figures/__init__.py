"""The figures of a report: each takes tables, gives a `Picture`, or None where there is nothing to draw."""

from recovery_microglia.figures.behaviour import behaviour_beside_cells
from recovery_microglia.figures.cells import embeddings, lineage_shares, lineages_by_day, state_shares
from recovery_microglia.figures.contrast import contrast, grouped_animals
from recovery_microglia.figures.course import timeline, truth_course, truth_scatter
from recovery_microglia.figures.courses import courses
from recovery_microglia.figures.drivers import activity_bars, heat_by_animal, volcano
from recovery_microglia.figures.forest import forest
from recovery_microglia.figures.genes import gene_course, gene_groups, signature_genes
from recovery_microglia.figures.igf1 import igf1_sources, igf1_within
from recovery_microglia.figures.lineage import gate, marker_dots, unsure_cells
from recovery_microglia.figures.quality import cells_removed
from recovery_microglia.figures.sensitivity import REPORTED, by_family, families, sensitivity
from recovery_microglia.figures.states import scores_by_animal, scores_by_state, state_genes, truth_states
from recovery_microglia.figures.strata import strata_courses
from recovery_microglia.figures.style import Picture, house_style
from recovery_microglia.figures.subgroup import (
    call_genes,
    choices,
    cluster_stability,
    onset_alternatives,
    random_sets,
    routes,
    scores,
)

__all__ = [
    "REPORTED",
    "Picture",
    "activity_bars",
    "behaviour_beside_cells",
    "by_family",
    "call_genes",
    "cells_removed",
    "choices",
    "cluster_stability",
    "contrast",
    "courses",
    "embeddings",
    "families",
    "forest",
    "gate",
    "gene_course",
    "gene_groups",
    "grouped_animals",
    "heat_by_animal",
    "house_style",
    "igf1_sources",
    "igf1_within",
    "lineage_shares",
    "lineages_by_day",
    "marker_dots",
    "onset_alternatives",
    "random_sets",
    "routes",
    "scores",
    "scores_by_animal",
    "scores_by_state",
    "sensitivity",
    "signature_genes",
    "state_genes",
    "state_shares",
    "strata_courses",
    "timeline",
    "truth_course",
    "truth_scatter",
    "truth_states",
    "unsure_cells",
    "volcano",
]
