"""Settings of quality control (``cells`` in config.yaml)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CellSettings:
    """What a cell must show to be kept (``cells`` in config.yaml).

    Attributes
    ----------
    min_counts, min_genes
        Fewer UMIs or genes: not a cell worth keeping. Microglia are small; do not set these high.
    max_pct_mito
        Hard upper bound of the mitochondrial share, in percent.
    max_pct_haemoglobin
        Above: a red blood cell.
    mads
        A cell further than this many median absolute deviations from its library's median is removed
        (log counts and log genes on both sides, mitochondrial share above).
    doublets
        Whether doublets are looked for (Scrublet) and removed.
    expected_doublet_rate
        Expected share of doublets in a library.
    """

    min_counts: int = 300
    min_genes: int = 150
    max_pct_mito: float = 20.0
    max_pct_haemoglobin: float = 5.0
    mads: float = 5.0
    doublets: bool = True
    expected_doublet_rate: float = 0.06
