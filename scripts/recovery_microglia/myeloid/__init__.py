"""The myeloid cells of all libraries together: merged, clustered, integrated, drawn.

``merge`` joins the libraries, ``variable_genes``, ``components`` and ``neighbours`` span their space, ``leiden`` and
``stability`` find the partitions and how stable they are, ``clusters`` puts these together, ``integration`` gives an
embedding for looking and what it loses, ``embedding`` draws. Clusters and embeddings are for looking and for the cluster
route; no score is computed on anything but raw counts.
"""

from recovery_microglia.myeloid.clusters import cluster
from recovery_microglia.myeloid.embedding import embed
from recovery_microglia.myeloid.integration import score_retention
from recovery_microglia.myeloid.merge import merge
from recovery_microglia.myeloid.neighbours import nearest_neighbours
from recovery_microglia.myeloid.settings import ClusterSettings

__all__ = ["ClusterSettings", "cluster", "embed", "merge", "nearest_neighbours", "score_retention"]
