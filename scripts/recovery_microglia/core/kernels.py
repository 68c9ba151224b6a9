"""Compiled passes over sparse counts.

What a library costs is passes over its fifty million counts: a loop that numba compiles makes one pass where scipy
makes several with a copy each. Compiled once, then loaded from numba's cache beside this file.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numba
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Return the function compiled at its first call; kept for the next process wherever a cache can be written.

    numba looks beside the source, then in the user's cache folder (or ``NUMBA_CACHE_DIR``), and raises where all are
    read-only: then every process compiles anew, which costs seconds and no result.
    """
    try:
        made = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        made = numba.njit(nogil=True)(function)
    return cast(F, made)


@compiled
def _bits() -> NDArray[np.int64]:
    """Return where the lowest set bit of a word is, by the product of that bit with de Bruijn's number."""
    found = np.empty(64, np.int64)
    for place in range(64):
        found[((np.uint64(1) << np.uint64(place)) * np.uint64(0x03F79D71B4CB0A89)) >> np.uint64(58)] = place
    return found


@compiled
def _renumber(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
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


def _places(matrix: sp.csr_matrix) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return indptr and indices as int32, so that each loop is compiled once."""
    rows = np.int32 if matrix.nnz < 2**31 else np.int64
    return matrix.indptr.astype(rows, copy=False), matrix.indices.astype(np.int32, copy=False)


def _parts(counts: sp.csr_matrix) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return indptr, indices and data as int32."""
    return *_places(counts), counts.data.astype(np.int32, copy=False)


@compiled
def _row_sums(indptr: NDArray[np.int32], data: NDArray[np.int32]) -> Integers:
    found = np.zeros(len(indptr) - 1, np.int64)
    for row in range(len(found)):
        for k in range(indptr[row], indptr[row + 1]):
            found[row] += data[k]
    return found


def row_sums(counts: sp.csr_matrix) -> Integers:
    """Return the sum of each row (csr, whole numbers), as ``counts.sum(axis=1)`` without its copy of all counts."""
    indptr, _, data = _parts(counts)
    return _row_sums(indptr, data)


@compiled
def _group_sums(
    indptr: NDArray[np.int32], indices: NDArray[np.int32], data: NDArray[np.int32], group: Integers, sums: Integers
) -> None:
    for row in range(len(indptr) - 1):
        own = group[row]
        if own >= 0:
            for k in range(indptr[row], indptr[row + 1]):
                sums[own, indices[k]] += data[k]


def group_sums(counts: sp.csr_matrix, group: NDArray[np.integer[Any]], n_groups: int) -> Integers:
    """Return the sums of the rows of each group (groups × columns), in one pass for all groups.

    ``group`` is the number of each row's group, -1 for none.
    """
    sums = np.zeros((n_groups, counts.shape[1]), dtype=np.int64)
    _group_sums(*_parts(counts), group.astype(np.int64), sums)
    return sums


@compiled
def _group_moments(
    indptr: NDArray[np.int32], indices: NDArray[np.int32], data: NDArray[np.float32], group: Integers, found: Floats
) -> None:
    for row in range(len(indptr) - 1):
        own = group[row]
        for k in range(indptr[row], indptr[row + 1]):
            found[0, own, indices[k]] += data[k]
            found[1, own, indices[k]] += data[k] * data[k]


def group_moments(matrix: sp.csr_matrix, group: Integers, n_groups: int) -> Floats:
    """Return sums and sums of squares of the rows of each group (2 × groups × columns), csr of float32.

    Rounded as products with a matrix of zeros and ones are: squares as single, their sums as double precision.
    """
    found = np.zeros((2, n_groups, matrix.shape[1]))
    rows, columns = _places(matrix)
    _group_moments(rows, columns, matrix.data.astype(np.float32, copy=False), group.astype(np.int64), found)
    return found


@compiled
def _column_group_sums(
    indptr: NDArray[np.int32], indices: NDArray[np.int32], data: NDArray[np.int32], member: Integers, sums: Integers
) -> None:
    for row in range(len(indptr) - 1):
        for k in range(indptr[row], indptr[row + 1]):
            groups = member[indices[k]]
            group = 0
            while groups:
                if groups & 1:
                    sums[group, row] += data[k]
                groups >>= 1
                group += 1


def column_group_sums(counts: sp.csr_matrix, groups: Sequence[NDArray[np.int64]]) -> Integers:
    """Return the sum of each row over each group of columns (groups × rows); groups may overlap, at most 60 of them."""
    member = np.zeros(counts.shape[1], dtype=np.int64)
    for number, columns in enumerate(groups):
        member[columns] |= 1 << number
    sums = np.zeros((len(groups), counts.shape[0]), dtype=np.int64)
    _column_group_sums(*_parts(counts), member, sums)
    return sums


@compiled
def _moments(
    indptr: NDArray[np.int32], indices: NDArray[np.int32], data: NDArray[np.int32], rows: Integers, found: Floats
) -> None:
    each = 1.0 / len(rows)
    for row in rows:
        for k in range(indptr[row], indptr[row + 1]):
            column, value = indices[k], data[k]
            found[0, column] += value * each
            found[1, column] += value * value * each
            if value > 0:
                found[2, column] += 1


def column_moments(counts: sp.csr_matrix, rows: NDArray[np.int64]) -> Floats:
    """Return mean, mean square and number of positive entries of each column over some rows (3 × columns).

    Rounded as scipy's means are: each entry divided by the number of rows, added up in the order of rows.
    """
    found = np.zeros((3, counts.shape[1]))
    _moments(*_parts(counts), rows.astype(np.int64), found)
    return found


@compiled
def _take_columns(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
    column: NDArray[np.int32],
) -> tuple[Integers, NDArray[np.int32], NDArray[np.int32]]:
    starts = np.zeros(len(indptr), np.int64)
    # room for all: what is never written to takes no memory, and a pass over all counts to tell the size is saved
    new_indices, new_data = np.empty(len(indices) + 1, np.int32), np.empty(len(indices) + 1, np.int32)
    filled = 0
    for row in range(len(indptr) - 1):
        for k in range(indptr[row], indptr[row + 1]):
            new = column[indices[k]]
            new_indices[filled], new_data[filled] = new, data[k]
            filled += new >= 0
        starts[row + 1] = filled
    return starts, new_indices[:filled], new_data[:filled]


def take_columns(counts: sp.csr_matrix, columns: NDArray[np.int64]) -> sp.csr_matrix:
    """Return some columns, in ascending order, as ``counts[:, columns]`` does in three times the time (int32)."""
    column = np.full(counts.shape[1], -1, dtype=np.int32)
    column[columns] = np.arange(len(columns))
    starts, indices, data = _take_columns(*_parts(counts), column)
    return sp.csr_matrix((data, indices, starts), shape=(counts.shape[0], len(columns)))


FEW = 64
"""Counts below are common."""


@compiled
def _log_rows(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
    left: Integers,
    right: Integers,
    target: float,
    dense: NDArray[np.float32],
) -> None:
    sums = np.zeros(dense.shape[1], np.int64)
    known = np.empty(FEW, np.float32)  # the same few counts come again and again in a row: a logarithm is taken once
    for number in range(len(left)):
        total = 0
        pair = (left[number], right[number])
        for row in pair:
            if row >= 0:
                for k in range(indptr[row], indptr[row + 1]):
                    sums[indices[k]] += data[k]
                    total += data[k]
        factor = target / max(total, 1)
        known[:] = -1
        for row in pair:
            if row >= 0:
                for k in range(indptr[row], indptr[row + 1]):
                    column = indices[k]
                    count = sums[column]
                    if count > 0:
                        if count >= FEW:
                            dense[number, column] = np.log1p(count * factor)
                        else:
                            if known[count] < 0:
                                known[count] = np.log1p(count * factor)
                            dense[number, column] = known[count]
                        sums[column] = 0


def log_rows(
    counts: sp.csr_matrix, left: NDArray[np.int64], right: NDArray[np.int64] | None, target: float
) -> NDArray[np.float32]:
    """Return log(1 + counts scaled to ``target`` in all), dense float32 (rows × columns).

    Row by row those of ``counts`` that ``left`` names, or the sums of those that ``left`` and ``right`` name.
    """
    dense = np.zeros((len(left), counts.shape[1]), dtype=np.float32)
    other = np.full(len(left), -1, dtype=np.int64) if right is None else right.astype(np.int64)
    _log_rows(*_parts(counts), left.astype(np.int64), other, target, dense)
    return dense


@compiled
def _square_sums(dense: NDArray[np.float32], sums: NDArray[np.float32]) -> None:
    for row in range(dense.shape[0]):
        for column in range(dense.shape[1]):
            sums[column] += dense[row, column] * dense[row, column]


def square_sums(dense: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sum of squares of each column, rounded as ``(dense**2).sum(axis=0)`` is, without its copy."""
    sums = np.zeros(dense.shape[1], np.float32)
    _square_sums(dense, sums)
    return sums


LANES = 4
"""Columns that the processor adds at once: a table is filled up to a multiple of them, as a rest costs as much."""


@compiled
def _row_products(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    data: NDArray[np.int32],
    rows: Integers,
    place: NDArray[np.int32],
    most: int,
    table: NDArray[np.float32],
    found: Floats,
) -> None:
    n_columns = table.shape[1]
    sums = np.empty(n_columns)  # not straight into found: the compiler could not know that it is not the table
    for number in range(len(rows)):
        sums[:] = 0
        k, end = indptr[rows[number]], indptr[rows[number] + 1]
        while k + 4 <= end:  # four at once, added up one after the other: sums are fetched and put back once
            a, b, c, d = place[indices[k]], place[indices[k + 1]], place[indices[k + 2]], place[indices[k + 3]]
            va, vb = float(min(data[k], most)), float(min(data[k + 1], most))
            vc, vd = float(min(data[k + 2], most)), float(min(data[k + 3], most))
            for column in range(n_columns):
                two = (sums[column] + va * table[a, column]) + vb * table[b, column]
                sums[column] = (two + vc * table[c, column]) + vd * table[d, column]
            k += 4
        while k < end:
            at, value = place[indices[k]], float(min(data[k], most))
            for column in range(n_columns):
                sums[column] += value * table[at, column]
            k += 1
        found[number] = sums


def row_products(
    counts: sp.csr_matrix, rows: NDArray[np.int64], columns: NDArray[np.int64], table: Floats, *, most: int
) -> Floats:
    """Return ``np.minimum(counts[rows][:, columns], most) @ table`` (rows × columns of the table), without the slices.

    The table is read in single precision, which halves what is fetched from memory; sums are made in double precision, a
    row's entries added up in their order.
    """
    place = np.full(counts.shape[1], len(columns), dtype=np.int32)  # columns left out meet a row of zeros
    place[columns] = np.arange(len(columns))
    n_columns = -(-table.shape[1] // LANES) * LANES
    found = np.zeros((len(rows), n_columns))
    with_zeros = np.zeros((len(table) + 1, n_columns), dtype=np.float32)  # by rows, whatever the order of the table
    with_zeros[:-1, : table.shape[1]] = table
    _row_products(*_parts(counts), rows.astype(np.int64), place, most, with_zeros, found)
    return found[:, : table.shape[1]]


CHUNK, SAMPLE = 32, 300
"""Distances that are looked at together, and so many at least that a bound on those of the nearest is learnt from."""


@compiled
def _kth(values: NDArray[np.float32], n: int, k: int) -> Any:
    """Return the k-th smallest (from 0) of the first n values, which change places (Hoare's selection)."""
    low, high = 0, n - 1
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if k <= right:
            high = right
        elif k >= left:
            low = left
        else:
            break
    return values[k]


@compiled
def _chunks_below(values: NDArray[np.float32], bound: np.float32, chunks: Integers) -> int:
    """Note which chunks of values hold one within the bound; return how many."""
    n = 0
    for begin in range(0, len(values), CHUNK):
        found = False
        for i in range(begin, min(begin + CHUNK, len(values))):
            found |= values[i] <= bound
        chunks[n] = begin
        n += found
    return n


@compiled
def _subtract(left: NDArray[np.float32], right: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    for i in range(len(out)):
        out[i] = left[i] - right[i]


@compiled
def _late_among_nearest(
    product: NDArray[np.float32],
    norm: NDArray[np.float32],
    is_late: NDArray[np.bool_],
    start: int,
    k: int,
    found: Integers,
) -> None:
    """Fill ``found``; -1 where a tie must be decided. See `late_among_nearest`."""
    n_rows, n = product.shape
    step = min(max(n // SAMPLE, 1), 64)
    expected = k / step
    place = int(expected + 4 * np.sqrt(expected) + 4)
    distance, chunks = np.empty(n, np.float32), np.empty(n // CHUNK + 2, np.int64)
    # which branch is taken cannot be foreseen here, and a wrong guess of the processor costs as much as ten additions: so
    # all is written down, and the place moves on only after what is wanted
    near, ranked, columns = np.empty(n + 1, np.float32), np.empty(n + 1, np.float32), np.empty(n + 1, np.int64)
    for row in range(n_rows):
        _subtract(norm, product[row], distance)
        distance[start + row] = np.inf
        n_sample = 0
        for column in range(0, n, step):
            near[n_sample] = distance[column]
            n_sample += 1
        bound = _kth(near, n_sample, place) if place < n_sample else np.float32(np.inf)
        m = 0
        while m < k:
            m = 0
            for c in range(_chunks_below(distance, bound, chunks)):
                for column in range(chunks[c], min(chunks[c] + CHUNK, n)):
                    columns[m] = column
                    m += distance[column] <= bound
            bound = np.float32(np.inf)
        for i in range(m):
            near[i] = distance[columns[i]]
            ranked[i] = near[i]
        last = _kth(ranked, m, k - 1)
        below, at_last, late_at_last = 0, 0, 0
        for i in range(m):
            is_below, is_last, late = near[i] < last, near[i] == last, is_late[columns[i]]
            below += is_below
            at_last += is_last
            found[row] += is_below & late
            late_at_last += is_last & late
        if at_last == k - below or late_at_last == 0:
            found[row] += late_at_last
        elif late_at_last == at_last:
            found[row] += k - below
        else:
            found[row] = -1


def late_among_nearest(
    product: NDArray[np.float32], norm: NDArray[np.float32], late: NDArray[np.bool_], *, start: int, k: int
) -> Integers:
    """Return for some points how many of their k nearest neighbours are late ones.

    A bound on the k-th distance comes from some of the points (at most every 64th); the few distances below it are then
    ranked, which saves ranking all of them. Where early and late points tie for the last places (a doublet of a cell with itself lies
    where the cell does), numpy's partition decides.

    Parameters
    ----------
    product
        Twice the scalar products of some points with all (some × all).
    norm, late
        Squared lengths of all, and which of them are counted.
    start
        Number of the first of the some points among all: no point is its own neighbour.
    """
    found = np.zeros(len(product), dtype=np.int64)
    _late_among_nearest(product, norm, late, start, k, found)
    for row in np.flatnonzero(found < 0):
        distance = norm - product[row]
        distance[start + row] = np.inf
        found[row] = late[np.argpartition(distance, k - 1)[:k]].sum()
    return found
