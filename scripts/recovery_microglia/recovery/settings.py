"""Settings of the call (``recovery`` in config.yaml)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RecoverySettings:
    """How recovery cells are called (``recovery`` in config.yaml).

    Attributes
    ----------
    quantile
        Quantile of the control microglia's scores that is the cutoff: 0.99 lets one control cell in a hundred pass.
    min_signature_genes
        Fewer signature genes in the data: the call is not testable.
    min_control_cells
        Fewer control microglia of a chemistry: its cutoff is not estimable, and its cells are not called.
    n_null_sets
        Matched random gene sets for the empirical p.
    max_rank
        Ranks that count in the score by ranks (UCell).
    refine
        Whether genes' weights are learnt from the data where there is enough to learn from.
    """

    quantile: float = 0.99
    min_signature_genes: int = 7
    min_control_cells: int = 200
    n_null_sets: int = 1000
    max_rank: int = 1500
    refine: bool = True
