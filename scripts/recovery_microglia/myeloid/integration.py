"""An embedding with the libraries laid over one another, for looking only, and what is lost in it.

No score, call or cluster is made from it: where day and library are the same thing, removing the library removes
the day (SCIENCE, section 2, point 6).
"""

import anndata as ad
import numpy as np

from recovery_microglia.core.arrays import Floats, Integers
from recovery_microglia.core.errors import Notice
from recovery_microglia.core.vocabulary import Severity

MIN_STRUCTURE = 0.05
"""Moran's I below which a score has no neighbourhood structure that could be lost."""
CELLS_PER_OFFSET, MOST_GROUPS = 10, 100
"""Cells of a library in one of Harmony's groups, on average, and groups at the most (Harmony's own bound).

Harmony shifts every library in every group. Its own number of groups (a thirtieth of the cells, up to 100) left one or two
cells a library in each in the demo: each cell was then shifted onto the centre of its group, and the map fell into forty clumps
of as many cells from all libraries, which read as subclusters."""


def add_integrated(adata: ad.AnnData, *, seed: int) -> list[Notice]:
    """Add ``obsm["X_pca_integrated"]``: ``X_pca`` corrected over libraries by Harmony (Korsunsky et al. 2019)."""
    names = adata.obs["library"].astype(str).to_numpy()
    if len(np.unique(names)) < 2:
        return [Notice("not_integrated", Severity.INFO, "One library only: there is nothing to integrate.")]
    import harmonypy

    points = adata.obsm["X_pca"].astype(np.float64)
    groups = int(np.clip(len(points) // (CELLS_PER_OFFSET * len(np.unique(names))), 2, MOST_GROUPS))
    # One core: the result is the same on more, and the job was given one.
    found = harmonypy.run_harmony(
        points, {"library": names}, "library", nclust=groups, verbose=False, random_state=seed, ncores=1
    )
    adata.obsm["X_pca_integrated"] = np.asarray(found.Z_corr, dtype=np.float32)
    return []


def morans_i(score: Floats, indices: Integers) -> float:
    """Return Moran's I of a score over neighbours: 0 no structure, near 1 like beside like; NaN if constant.

    Cells without a score are left out, also as neighbours.
    """
    known = np.isfinite(score)
    if not known.any() or np.ptp(score[known]) == 0:
        return float("nan")
    centred = np.where(known, score - score[known].mean(), 0.0)
    n_known = known[indices].sum(axis=1)
    use = known & (n_known > 0)
    squares = float((centred[use] ** 2).sum())
    if squares == 0:
        return float("nan")
    around = centred[indices].sum(axis=1)[use] / n_known[use]
    return float((centred[use] * around).sum() / squares)


def score_retention(score: Floats, before: Integers, after: Integers) -> float:
    """Return the share of a score's neighbourhood structure that an integrated embedding keeps.

    The ratio of Moran's I after to before; a score whose structure is erased gives 0. NaN where there was no
    structure to begin with (Moran's I below `MIN_STRUCTURE`).

    Parameters
    ----------
    score
        One number a cell, NaN allowed.
    before, after
        Cells × neighbours, from `nearest_neighbours` of the uncorrected and of the integrated components.
    """
    first = morans_i(score, before)
    if not first >= MIN_STRUCTURE:
        return float("nan")
    return max(morans_i(score, after), 0.0) / first
