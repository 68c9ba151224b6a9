"""Single cells: their place on the map, state, score, and counts of the genes that the map can show."""

from typing import Any

import numpy as np
import pandas as pd

from made_up.course import true_share
from made_up.sheet import NAN
from recovery_microglia.core.frame_access import records

CENTRES = {
    "microglia": (0, 0),
    "border_macrophage": (7, 2),
    "dendritic_cell": (6, -4),
    "neutrophil": (-6, 5),
    "ambiguous_myeloid": (3, 1),
}
"""Lineage to its place on the map."""


def embedded_cells(samples: pd.DataFrame, rng: np.random.Generator, *, per_library: int, called: bool) -> pd.DataFrame:
    """All myeloid cells, as the final h5ad holds them."""
    parts = [_cells_of(row, rng, per_library, called=called) for row in records(samples)]
    return pd.concat(parts, ignore_index=True)


def _cells_of(row: dict[str, Any], rng: np.random.Generator, n: int, *, called: bool) -> pd.DataFrame:
    """``n`` cells of a library."""
    lineage = rng.choice(list(CENTRES), n, p=[0.8, 0.1, 0.04, 0.04, 0.02])
    microglia = lineage == "microglia"
    rate = true_share(row["day"], row["condition"] if called else "naive")
    recovery = microglia & (rng.random(n) < rate)
    centre = np.array([CENTRES[name] for name in lineage], float)
    points = centre + rng.normal(0, 1.2, (n, 2)) + np.where(recovery[:, None], (2.5, -2.5), 0)
    score = np.where(microglia, rng.gamma(2, 0.03, n) + 0.3 * recovery, NAN)
    state = np.where(recovery, "recovery", rng.choice(["homeostatic", "interferon", "none"], n, p=[0.8, 0.05, 0.15]))
    facts = {key: row[key] for key in ("library", "subject", "day", "condition", "chemistry")}
    return pd.DataFrame({"cell": [f"{row['library']}:{i}" for i in range(n)]}).assign(
        **facts,
        lineage=lineage,
        state=np.where(microglia, state, ""),
        recovery_score=score,
        cutoff=0.25 if called else NAN,
        recovery_call=np.where(~microglia | (not called), "not called", np.where(recovery, "yes", "no")),
        umap1=points[:, 0],
        umap2=points[:, 1],
        integrated1=points[:, 0] * 0.8,
        integrated2=points[:, 1] * 0.8,
        leiden="0",
    )


def gene_counts(cells: pd.DataFrame, genes: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Counts of single genes as in genes.parquet; recovery cells have more of them."""
    recovery = (cells["recovery_call"] == "yes").to_numpy()
    microglia = (cells["lineage"] == "microglia").to_numpy()
    table = pd.DataFrame({"cell": cells["cell"], "n_counts": rng.integers(800, 6000, len(cells))})
    table["markers_microglia"] = rng.poisson(np.where(microglia, 20, 1))
    table["markers_other_myeloid"] = rng.poisson(np.where(microglia, 2, 25))
    for place, gene in enumerate(genes):
        table[gene] = rng.poisson(np.where(recovery, 1.5, 0.1) / (1 + 0.1 * place)).astype(np.int32)
    return table
