"""Principal components of the genes that shape the clusters."""

from collections.abc import Collection

import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.arrays import Floats, Integers


def components(logged: sp.csr_matrix, *, n_pcs: int, seed: int) -> Floats:
    """Return principal components by scanpy, cells × at most ``n_pcs``; genes are centred, not scaled."""
    import scanpy as sc

    n = min(n_pcs, min(logged.shape) - 1)
    # arpack keeps the matrix sparse; it needs more rows and columns than components, so small tables go dense
    small = min(logged.shape) <= 200
    matrix, solver = (logged.toarray().astype(np.float64), "full") if small else (logged, "arpack")
    return np.asarray(sc.pp.pca(matrix, n, svd_solver=solver, random_state=seed, dtype="float64"))


def shaping_columns(genes: Collection[str]) -> Integers:
    """Return the columns of the genes that may shape the space: all but mitochondrial ones."""
    return np.flatnonzero([not gene.lower().startswith("mt-") for gene in genes])
