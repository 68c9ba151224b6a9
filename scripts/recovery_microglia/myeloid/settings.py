"""Settings of the clustering (``clusters`` in config.yaml)."""

from dataclasses import dataclass, field

from recovery_microglia.core.settings import setting


@dataclass(frozen=True)
class ClusterSettings:
    """How the myeloid cells are clustered."""

    resolutions: tuple[float, ...] = field(
        default=(0.2, 0.4, 0.6, 0.8, 1.0), metadata=setting("Leiden resolutions that are tried.", above=0)
    )
    n_top_genes: int = field(
        default=2000,
        metadata=setting(
            "Variable genes; in tables of few genes no more than a fifth of them.", minimum=50, maximum=20_000
        ),
    )
    n_pcs: int = field(default=30, metadata=setting("Principal components.", minimum=2, maximum=200))
    n_neighbors: int = field(default=15, metadata=setting("Neighbours of the graph.", minimum=2, maximum=200))
    n_resamples: int = field(
        default=10,
        metadata=setting(
            "Times that 80 % of the cells are clustered anew to see which clusters come back.", minimum=1, maximum=1000
        ),
    )
    min_stability: float = field(
        default=0.75,
        metadata=setting(
            "Mean Jaccard index that a reported partition must reach (Hennig: below 0.75 is no stable cluster).",
            minimum=0,
            maximum=1,
        ),
    )
