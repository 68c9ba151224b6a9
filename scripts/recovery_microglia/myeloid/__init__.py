"""The myeloid cells of all libraries together: merged, clustered, embedded, their states scored (floor 4).

``merge`` joins the libraries, ``space`` finds variable genes, components and neighbours, ``clusters`` the
partitions and how stable they are, ``integration`` an embedding for looking and what it loses, ``states``
scores what a microglia is doing, ``embedding`` draws, ``build`` runs the step.
"""

from recovery_microglia.myeloid.build import ClusterSettings, Myeloid, build_myeloid
from recovery_microglia.myeloid.clusters import Clusters, cluster
from recovery_microglia.myeloid.embedding import embed
from recovery_microglia.myeloid.integration import integrate, score_retention
from recovery_microglia.myeloid.merge import merge
from recovery_microglia.myeloid.space import neighbours
from recovery_microglia.myeloid.states import score_states

__all__ = [
    "ClusterSettings",
    "Clusters",
    "Myeloid",
    "build_myeloid",
    "cluster",
    "embed",
    "integrate",
    "merge",
    "neighbours",
    "score_retention",
    "score_states",
]
