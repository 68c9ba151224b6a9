"""What is found in each library: quality, lineages, the gate between them."""

from typing import Any

import numpy as np
import pandas as pd

from made_up.sheet import NAN
from recovery_microglia.core.frame_access import records

SHARES = {
    "microglia": 0.3,
    "border_macrophage": 0.04,
    "dendritic_cell": 0.01,
    "neutrophil": 0.02,
    "ambiguous_myeloid": 0.01,
    "oligodendrocyte": 0.3,
    "astrocyte": 0.15,
    "endothelial": 0.1,
    "neuron": 0.05,
    "ambiguous": 0.02,
}
"""Lineage to its share of a library's cells."""
REMOVED = {"low_counts": 20, "high_counts": 1, "low_genes": 4, "high_mito": 15, "high_haemoglobin": 2, "doublet": 25}
"""Filter to the number of cells that it removes from a library, in the mean."""


def qc(samples: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """qc.tsv: the third library has few microglia and looks like the other sex."""
    rows = [_quality(row, rng, odd=place == 2) for place, row in enumerate(records(samples))]
    return pd.DataFrame(rows)


def _quality(row: dict[str, Any], rng: np.random.Generator, *, odd: bool) -> dict[str, Any]:
    """A library's row of qc.tsv."""
    removed = {name: int(n) for name, n in zip(REMOVED, rng.poisson(tuple(REMOVED.values())), strict=True)}
    kept = int(rng.integers(480, 560))
    other_sex = "male" if row["sex"] == "female" else "female"
    return {
        "library": row["library"],
        "barcodes": kept + sum(removed.values()),
        "cells_called": kept + sum(removed.values()),
        "kept": kept,
        **{f"removed_{name}": n for name, n in removed.items()},
        "median_counts": 2100.0,
        "median_genes": 900.0,
        "median_pct_mito": 14.2 if odd else 3.1,
        "median_pct_haemoglobin": 0.0,
        "median_pct_dissociation": 2.0,
        "median_pct_myelin": NAN,
        "doublet_rate": removed["doublet"] / (kept + removed["doublet"]),
        "sex_stated": row["sex"],
        "sex_called": other_sex if odd else row["sex"],
        "microglia": 30 if odd else int(kept * 0.3),
        "myeloid": int(kept * 0.38),
        "ambiguous": int(kept * 0.03),
        "notes": "sex_mismatch; few_microglia" if odd else "",
    }


def lineages(samples: pd.DataFrame) -> pd.DataFrame:
    """lineages.tsv: the same shares in every library."""
    facts = samples[["library", "subject", "day", "condition"]]
    shares = pd.DataFrame({"lineage": list(SHARES), "n": [int(500 * share) for share in SHARES.values()], "share": list(SHARES.values())})  # fmt: skip
    return facts.merge(shares, how="cross")


def gate() -> pd.DataFrame:
    """gate.tsv: how sure cells are of their lineage, and which one is next."""
    rows = [
        ("microglia", "border_macrophage", 3400, 0.9, 1.0, 0.98),
        ("microglia", "monocyte", 300, 0.1, 0.99, 0.95),
        ("ambiguous_myeloid", "border_macrophage", 12, 0.8, 0.6, 0.5),
        ("ambiguous", "neuron", 3, 1.0, 0.55, 0.5),
    ]
    columns = ["lineage", "runner_up", "cells", "share_of_lineage", "confidence_median", "confidence_low"]
    return pd.DataFrame(rows, columns=columns)


def lineage_markers() -> pd.DataFrame:
    """lineage_markers.tsv: each lineage has its own markers, and recovery microglia those of the subgroup."""
    groups = {
        "subgroup": ["Itgax", "Igf1"],
        "microglia": ["P2ry12", "Hexb"],
        "border_macrophage": ["Mrc1", "Pf4"],
        "dendritic_cell": ["Flt3"],
    }
    cells_of = {"recovery_microglia": 200, "microglia": 3000, "border_macrophage": 400, "dendritic_cell": 90}
    rows = []
    for group, genes in groups.items():
        for gene in genes:
            for lineage, cells in cells_of.items():
                own = lineage.endswith(group) or (group == "subgroup" and lineage == "recovery_microglia")
                rows.append((group, gene, lineage, cells, 0.8 if own else 0.05, 9.0 if own else 0.3))
    columns = ["marker_of", "gene", "lineage", "cells", "share_detected", "mean_counts_per_10k"]
    return pd.DataFrame(rows, columns=columns)
