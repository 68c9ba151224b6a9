"""The genes of a library that may speak of lineages, without a copy of its counts."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.arrays import Floats, Integers
from recovery_microglia.core.kernels import column_group_sums, group_sums, row_products


class MeasuredCounts:
    """Counts of a library, of which only some genes are heard; for the others it is as if they had not been measured.

    Attributes
    ----------
    total
        Counts of each cell over the genes heard.
    depth
        Median of ``total``, one at least.
    whole
        Counts of each gene heard over all cells.
    n_cells, n_genes
        Cells, and genes heard: all other functions number genes among these.
    """

    def __init__(self, counts: sp.csr_matrix, used: Integers) -> None:
        self._counts, self._used = counts, used
        self.n_cells, self.n_genes = counts.shape[0], len(used)
        self.total: Integers = column_group_sums(counts, [used])[0]
        self.depth = max(float(np.median(self.total)), 1.0)
        self.whole = self.sums(np.zeros(self.n_cells, dtype=np.int64), 1)[0]

    def columns(self, genes: Integers) -> sp.csr_matrix:
        """Return the counts of some genes, in ascending order (cells × these genes)."""
        return self._counts[:, self._used[genes]]

    def sums(self, group: NDArray[np.integer[Any]], n_groups: int) -> Integers:
        """Return the sums of the cells of each group (groups × genes heard); group -1 is none."""
        return group_sums(self._counts, group, n_groups)[:, self._used]

    def products(self, cells: Integers, genes: Integers, table: Floats, *, most: int) -> Floats:
        """Return the counts of some cells and genes, none above ``most``, times a table (genes × columns)."""
        return row_products(self._counts, cells, self._used[genes], table, most=most)
