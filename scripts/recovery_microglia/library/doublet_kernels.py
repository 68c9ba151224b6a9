"""Compiled passes for the search of doublets."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.arrays import Bools, Int32s, Integers, Singles
from recovery_microglia.core.compiled import compiled
from recovery_microglia.core.kernels import int32_parts

FEW = 64
"""Counts below are common."""


@compiled
def _log_rows(
    indptr: Int32s,
    indices: Int32s,
    data: Int32s,
    left: Integers,
    right: Integers,
    target: float,
    dense: Singles,
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


def log_rows(counts: sp.csr_matrix, left: Integers, right: Integers | None, target: float) -> Singles:
    """Return log(1 + counts scaled to ``target`` in all), dense float32 (rows × columns).

    Row by row those of ``counts`` that ``left`` names, or the sums of those that ``left`` and ``right`` name.
    """
    dense = np.zeros((len(left), counts.shape[1]), dtype=np.float32)
    other = np.full(len(left), -1, dtype=np.int64) if right is None else right.astype(np.int64)
    _log_rows(*int32_parts(counts), left.astype(np.int64), other, target, dense)
    return dense


@compiled
def _square_sums(dense: Singles, sums: Singles) -> None:
    for row in range(dense.shape[0]):
        for column in range(dense.shape[1]):
            sums[column] += dense[row, column] * dense[row, column]


def square_sums(dense: Singles) -> Singles:
    """Return the sum of squares of each column, rounded as ``(dense**2).sum(axis=0)`` is, without its copy."""
    sums = np.zeros(dense.shape[1], np.float32)
    _square_sums(dense, sums)
    return sums


CHUNK, SAMPLE = 32, 300
"""Distances that are looked at together, and so many at least that a bound on those of the nearest is learnt from."""


@compiled
def _kth(values: Singles, n: int, k: int) -> Any:
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
def _chunks_below(values: Singles, bound: np.float32, chunks: Integers) -> int:
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
def _subtract(left: Singles, right: Singles, out: Singles) -> None:
    for i in range(len(out)):
        out[i] = left[i] - right[i]


@compiled
def _late_among_nearest(
    product: Singles,
    norm: Singles,
    is_late: Bools,
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


def late_among_nearest(product: Singles, norm: Singles, late: Bools, *, start: int, k: int) -> Integers:
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
