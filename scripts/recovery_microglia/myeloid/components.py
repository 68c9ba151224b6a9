"""Principal components of the genes that shape the clusters."""

from collections.abc import Collection

import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.arrays import Floats, Integers


def components(logged: sp.csr_matrix, *, n_pcs: int, seed: int) -> Floats:
    """Return principal components, cells × at most ``n_pcs``; genes are centred, not scaled."""
    from sklearn.decomposition import PCA

    smallest = min(logged.shape)
    n = min(n_pcs, smallest - 1)
    # arpack keeps the matrix sparse; it needs more rows and columns than components, so small tables go dense
    if smallest <= 200:
        found = PCA(n, svd_solver="full").fit_transform(logged.toarray().astype(np.float64))
    else:
        found = PCA(n, svd_solver="arpack", random_state=seed).fit_transform(logged)
    return np.asarray(found, dtype=np.float64)


def shaping_columns(genes: Collection[str], excluded: Collection[str]) -> Integers:
    """Return the columns of the genes that may shape the space: not excluded, not mitochondrial."""
    left_out = set(excluded)
    return np.flatnonzero([gene not in left_out and not gene.lower().startswith("mt-") for gene in genes])
