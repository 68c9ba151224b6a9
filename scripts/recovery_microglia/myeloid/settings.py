"""Settings of the clustering (``clusters`` in config.yaml)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ClusterSettings:
    """How the myeloid cells are clustered (``clusters`` in config.yaml).

    Attributes
    ----------
    resolutions
        Leiden resolutions that are tried.
    n_top_genes
        Variable genes; in tables of few genes no more than a fifth of them, see `n_variable`.
    n_pcs, n_neighbors
        Principal components and neighbours of the graph.
    n_resamples
        Times that 80 % of the cells are clustered anew to see which clusters come back.
    min_stability
        Mean Jaccard index that a partition must reach to be reported (Hennig: below 0.75 is no stable cluster).
    """

    resolutions: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8, 1.0)
    n_top_genes: int = 2000
    n_pcs: int = 30
    n_neighbors: int = 15
    n_resamples: int = 10
    min_stability: float = 0.75
