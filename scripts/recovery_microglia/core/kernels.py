"""Compiled passes over sparse counts.

What a library costs is passes over its fifty million counts: a loop that numba compiles makes one pass where scipy
makes several with a copy each. Compiled once, then loaded from numba's cache beside this file.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.arrays import Floats, Int32s, Integers, Singles
from recovery_microglia.core.compiled import compiled


def _places(matrix: sp.csr_matrix) -> tuple[Int32s, Int32s]:
    """Return indptr and indices as int32, so that each loop is compiled once."""
    rows = np.int32 if matrix.nnz < 2**31 else np.int64
    return matrix.indptr.astype(rows, copy=False), matrix.indices.astype(np.int32, copy=False)


def int32_parts(counts: sp.csr_matrix) -> tuple[Int32s, Int32s, Int32s]:
    """Return indptr, indices and data as int32."""
    return *_places(counts), counts.data.astype(np.int32, copy=False)


@compiled
def _row_sums(indptr: Int32s, data: Int32s) -> Integers:
    found = np.zeros(len(indptr) - 1, np.int64)
    for row in range(len(found)):
        for k in range(indptr[row], indptr[row + 1]):
            found[row] += data[k]
    return found


def row_sums(counts: sp.csr_matrix) -> Integers:
    """Return the sum of each row (csr, whole numbers), as ``counts.sum(axis=1)`` without its copy of all counts."""
    indptr, _, data = int32_parts(counts)
    return _row_sums(indptr, data)


@compiled
def _group_sums(indptr: Int32s, indices: Int32s, data: Int32s, group: Integers, sums: Integers) -> None:
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
    _group_sums(*int32_parts(counts), group.astype(np.int64), sums)
    return sums


@compiled
def _group_moments(indptr: Int32s, indices: Int32s, data: Singles, group: Integers, found: Floats) -> None:
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
def _column_group_sums(indptr: Int32s, indices: Int32s, data: Int32s, member: Integers, sums: Integers) -> None:
    for row in range(len(indptr) - 1):
        for k in range(indptr[row], indptr[row + 1]):
            groups = member[indices[k]]
            group = 0
            while groups:
                if groups & 1:
                    sums[group, row] += data[k]
                groups >>= 1
                group += 1


def column_group_sums(counts: sp.csr_matrix, groups: Sequence[Integers]) -> Integers:
    """Return the sum of each row over each group of columns (groups × rows); groups may overlap, at most 60 of them."""
    member = np.zeros(counts.shape[1], dtype=np.int64)
    for number, columns in enumerate(groups):
        member[columns] |= 1 << number
    sums = np.zeros((len(groups), counts.shape[0]), dtype=np.int64)
    _column_group_sums(*int32_parts(counts), member, sums)
    return sums


@compiled
def _moments(indptr: Int32s, indices: Int32s, data: Int32s, rows: Integers, found: Floats) -> None:
    each = 1.0 / len(rows)
    for row in rows:
        for k in range(indptr[row], indptr[row + 1]):
            column, value = indices[k], data[k]
            found[0, column] += value * each
            found[1, column] += value * value * each
            if value > 0:
                found[2, column] += 1


def column_moments(counts: sp.csr_matrix, rows: Integers) -> Floats:
    """Return mean, mean square and number of positive entries of each column over some rows (3 × columns).

    Rounded as scipy's means are: each entry divided by the number of rows, added up in the order of rows.
    """
    found = np.zeros((3, counts.shape[1]))
    _moments(*int32_parts(counts), rows.astype(np.int64), found)
    return found


LANES = 4
"""Columns that the processor adds at once: a table is filled up to a multiple of them, as a rest costs as much."""


@compiled
def _row_products(
    indptr: Int32s,
    indices: Int32s,
    data: Int32s,
    rows: Integers,
    place: Int32s,
    most: int,
    table: Singles,
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


def row_products(counts: sp.csr_matrix, rows: Integers, columns: Integers, table: Floats, *, most: int) -> Floats:
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
    _row_products(*int32_parts(counts), rows.astype(np.int64), place, most, with_zeros, found)
    return found[:, : table.shape[1]]
