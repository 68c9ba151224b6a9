"""Features become genes: columns of counts are moved and added up in place."""

import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.arrays import Int32s, Integers
from recovery_microglia.core.compiled import compiled


@compiled
def _bits() -> Integers:
    """Return where the lowest set bit of a word is, by the product of that bit with de Bruijn's number."""
    found = np.empty(64, np.int64)
    for place in range(64):
        found[((np.uint64(1) << np.uint64(place)) * np.uint64(0x03F79D71B4CB0A89)) >> np.uint64(58)] = place
    return found


@compiled
def _renumber(
    indptr: Int32s,
    indices: Int32s,
    data: Int32s,
    column: Integers,
    n_columns: int,
) -> int:
    """Move the entries of each row to new columns, in place; return how many are left. See `renumber`."""
    lowest = _bits()
    words = np.zeros((n_columns + 63) // 64, np.uint64)
    sums = np.zeros(n_columns, np.int64)
    filled = 0
    start = indptr[0]
    for row in range(len(indptr) - 1):
        for k in range(start, indptr[row + 1]):
            new = column[indices[k]]
            if new >= 0:
                sums[new] += data[k]
                words[new >> 6] |= np.uint64(1) << np.uint64(new & 63)
        start = indptr[row + 1]
        for word in range(len(words)):
            left = words[word]
            while left != 0:
                bit = left & (~left + np.uint64(1))
                left ^= bit
                new = 64 * word + lowest[(bit * np.uint64(0x03F79D71B4CB0A89)) >> np.uint64(58)]
                indices[filled] = new
                data[filled] = sums[new]
                sums[new] = 0
                filled += 1
            words[word] = 0
        indptr[row + 1] = filled
    return filled


def renumber(counts: sp.csr_matrix, column: Integers, n_columns: int) -> sp.csr_matrix:
    """Return counts with their columns moved, entries of a row sorted, those that meet in a column added up.

    The same as a product with a matrix of zeros and ones, without a copy: ``counts`` (csr, int32) is used up.

    Parameters
    ----------
    counts
        Rows × columns.
    column
        New column of each column; -1: left out.
    n_columns
        Columns of the result.
    """
    filled = _renumber(counts.indptr, counts.indices, counts.data, column.astype(np.int64), n_columns)
    parts = counts.data[:filled], counts.indices[:filled], counts.indptr
    moved = sp.csr_matrix(parts, shape=(counts.shape[0], n_columns))
    moved.has_canonical_format = True
    return moved
