"""The genes of a library that may speak of lineages, without a copy of its counts."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.arrays import Bools, Floats, Integers
from recovery_microglia.core.kernels import column_group_sums, column_moments, group_sums, row_products, row_sums

DEEP = 20_000
"""Counts of a cell above which it is scaled down to so many."""


def scaled_down(counts: sp.csr_matrix) -> sp.csr_matrix:
    """Return the counts with those of deeper cells, or of bulk profiles, scaled down to `DEEP` and rounded.

    A gene counts three at most in a profile's likelihood; where every gene has more, nothing would be left to say.
    """
    total = row_sums(counts)
    if not (total > DEEP).any():
        return counts
    data = counts.data.astype(np.int32)  # a copy; deep cells alone are touched, as a library has fifty million counts
    for cell in np.flatnonzero(total > DEEP):
        own = data[counts.indptr[cell] : counts.indptr[cell + 1]]
        own[:] = np.rint(own * (DEEP / total[cell]))
    if data.all():
        return sp.csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)
    scaled = sp.csr_matrix((data, counts.indices.copy(), counts.indptr.copy()), shape=counts.shape)
    scaled.eliminate_zeros()
    return scaled


class MeasuredCounts:
    """Counts of a library, of which only some genes are heard; for the others it is as if they had not been measured.

    Attributes
    ----------
    total
        Counts of each cell over the genes heard.
    good
        Which cells may teach: those that quality control keeps.
    depth
        Median of ``total`` over these, one at least.
    whole
        Counts of each gene heard over these.
    n_cells, n_genes
        Cells, and genes heard: all other functions number genes among these.
    """

    def __init__(self, counts: sp.csr_matrix, used: Integers, good: Bools | None = None) -> None:
        self._counts, self._used = counts, used
        self.n_cells, self.n_genes = counts.shape[0], len(used)
        self.total: Integers = column_group_sums(counts, [used])[0]
        self.good: Bools = np.ones(self.n_cells, dtype=bool) if good is None else good
        self.depth = max(float(np.median(self.total[self.good])), 1.0)
        self.whole = self.sums(np.where(self.good, 0, -1), 1)[0]

    def columns(self, genes: Integers) -> sp.csr_matrix:
        """Return the counts of some genes, in ascending order (cells × these genes)."""
        return self._counts[:, self._used[genes]]

    def sums(self, group: NDArray[np.integer[Any]], n_groups: int) -> Integers:
        """Return the sums of the cells of each group (groups × genes heard); group -1 is none."""
        return group_sums(self._counts, group, n_groups)[:, self._used]

    def moments(self, cells: Integers) -> Floats:
        """Return mean, mean square and number of positive entries of each gene over some cells (3 × genes heard)."""
        return column_moments(self._counts, cells)[:, self._used]

    def products(self, cells: Integers, genes: Integers, table: Floats, *, most: int) -> Floats:
        """Return the counts of some cells and genes, none above ``most``, times a table (genes × columns)."""
        return row_products(self._counts, cells, self._used[genes], table, most=most)
