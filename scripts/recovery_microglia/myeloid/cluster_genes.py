"""The genes that are higher in a cluster."""

from collections.abc import Collection

import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.arrays import Floats, Integers
from recovery_microglia.core.kernels import group_moments


def top_genes(logged: sp.csr_matrix, labels: Integers, names: Collection[str], *, n: int = 8) -> list[str]:
    """Return for each cluster the genes that set it off: largest t (Welch) against all others.

    For naming clusters; cells are no replicates, so no p-value is made of it.
    """
    sums, squares = group_moments(logged, labels, int(labels.max()) + 1)
    size = np.bincount(labels).astype(np.float64)[:, None]
    genes = np.asarray(list(names))
    t = _welch(sums, squares, size, size.sum() - size)
    order = np.argsort(-t, axis=1, kind="stable")[:, :n]
    return [" ".join(genes[row[t[c, row] > 0]]) for c, row in enumerate(order)]


def _welch(sums: Floats, squares: Floats, n_in: Floats, n_out: Floats) -> Floats:
    """Return t of each cluster against the rest, clusters × genes; 0 where it cannot be computed."""

    def moments(total: Floats, square: Floats, n: Floats) -> tuple[Floats, Floats]:
        mean = total / np.maximum(n, 1)
        return mean, np.maximum(square / np.maximum(n, 1) - mean**2, 0) / np.maximum(n - 1, 1)

    inside, error_in = moments(sums, squares, n_in)
    outside, error_out = moments(sums.sum(axis=0) - sums, squares.sum(axis=0) - squares, n_out)
    error = np.sqrt(error_in + error_out)
    t = np.divide(inside - outside, error, out=np.zeros_like(error), where=error > 0)
    return np.where(n_out > 0, t, 0.0)
