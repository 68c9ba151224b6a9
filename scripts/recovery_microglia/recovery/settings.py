"""Settings of the call (``recovery`` in config.yaml)."""

from dataclasses import dataclass, field

from recovery_microglia.core.settings import setting


@dataclass(frozen=True)
class RecoverySettings:
    """How recovery cells are called."""

    quantile: float = field(
        default=0.99,
        metadata=setting(
            "Quantile of the control microglia's scores by which cells are called for comparison (0.99: one control cell in a hundred passes); the reported calls do not depend on it.",
            minimum=0.5,
            maximum=0.9999,
        ),
    )
    min_signature_genes: int = field(
        default=7,
        metadata=setting(
            "Signature genes that the data must have; with fewer the call is not testable.", minimum=2, maximum=14
        ),
    )
    min_control_cells: int = field(
        default=200,
        metadata=setting(
            "Control microglia that a chemistry needs; with fewer its cutoff is not estimable and its cells are not called.",
            minimum=20,
        ),
    )
    n_null_sets: int = field(
        default=1000,
        metadata=setting("Matched random gene sets for the empirical p.", minimum=100, maximum=100_000),
    )
    max_rank: int = field(
        default=1500, metadata=setting("Ranks that the score by ranks (UCell) counts.", minimum=100, maximum=50_000)
    )
    refine: bool = field(
        default=True,
        metadata=setting("Whether the genes' weights are learnt from the data where there is enough to learn from."),
    )
