"""Settings of quality control (``cells`` in config.yaml)."""

from dataclasses import dataclass, field

from recovery_microglia.core.settings import setting


@dataclass(frozen=True)
class CellSettings:
    """What a cell must show to be kept."""

    min_counts: int = field(
        default=300,
        metadata=setting(
            "Fewer UMIs: not a cell worth keeping; microglia are small, so do not set this high.", minimum=0
        ),
    )
    min_genes: int = field(default=150, metadata=setting("Fewer genes: not a cell worth keeping.", minimum=0))
    max_pct_mito: float = field(
        default=20.0,
        metadata=setting("Hard upper bound of the mitochondrial share, in percent.", minimum=0, maximum=100),
    )
    max_pct_haemoglobin: float = field(
        default=5.0, metadata=setting("Above this percentage: a red blood cell.", minimum=0, maximum=100)
    )
    mads: float = field(
        default=5.0,
        metadata=setting(
            "Median absolute deviations from the library's median beyond which a cell is removed (log counts and log "
            "genes on both sides, mitochondrial share above).",
            minimum=1,
            maximum=100,
        ),
    )
    doublets: bool = field(default=True, metadata=setting("Whether doublets are looked for (Scrublet) and removed."))
    expected_doublet_rate: float = field(
        default=0.06,
        metadata=setting(
            "Share of doublets expected in a library at least; of many cells loaded together more are expected (.8 % "
            "for each 1,000 cells).",
            minimum=0.001,
            maximum=0.5,
        ),
    )
