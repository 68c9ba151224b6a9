"""Raw counts or nothing: values, depths, names."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.arrays import Bools
from recovery_microglia.core.errors import InputError
from recovery_microglia.readers.table import Table


def check_counts(matrix: sp.csr_matrix, symbols: Sequence[str], barcodes: Sequence[str], where: str) -> sp.csr_matrix:
    """Return the matrix as int32 (itself, if it is), or refuse what are no raw counts.

    Raises
    ------
    InputError
        Missing, infinite, negative, fractional or absurdly large values; the first is named with gene and barcode.
    """
    values = matrix.data
    if len(values) == 0:
        raise InputError(f"{where}: every count is zero")
    if values.dtype.kind == "b":
        raise InputError(
            f"{where}: the values are true and false: they say whether a gene was seen, not how often; raw counts are needed"
        )
    if not np.isrealobj(values) or values.dtype.kind not in "iuf":
        raise InputError(f"{where}: the values are no numbers that can be counts ({values.dtype})")
    if not np.issubdtype(values.dtype, np.integer):
        for bad, word in (
            (~np.isfinite(values), "is not a number"),
            (values < 0, "is negative: scaled or centred values are no counts"),
            (values != np.round(values), ""),
        ):
            if bad.any():
                word = word or f"is no whole number: {fraction_word(matrix)}"
                _refuse(matrix, bad, word, symbols, barcodes, where)
    elif values.dtype.kind == "i" and values.min() < 0:
        _refuse(matrix, values < 0, "is negative: scaled or centred values are no counts", symbols, barcodes, where)
    if values.max() > 2**31 - 1:
        _refuse(matrix, values > 2**31 - 1, "is too large for a count", symbols, barcodes, where)
    counts = matrix.astype(np.int32, copy=False)
    if np.count_nonzero(counts.data) < len(counts.data):
        counts.eliminate_zeros()
    return counts


COLLISIONS = (256, 1024, 4096, 16384, 65536)
"""Molecular barcodes of 4 to 8 letters, of which CEL-Seq2's pipelines compute how many molecules met in one."""
ENOUGH = 50
"""Values from which on their fractions tell what was done to them."""


def fraction_word(matrix: sp.csr_matrix) -> str:
    """Return what values that are no whole numbers look like, and what to do; ``matrix`` holds at least one such."""
    values = matrix.data[:SAMPLED_VALUES].astype(np.float64)
    values = values[np.isfinite(values) & (values > 0)]
    fractions = values[values != np.round(values)] % 1
    for size in COLLISIONS:
        before = size * -np.expm1(-values / size)
        if len(values) >= ENOUGH and (np.abs(before - np.round(before)) < 0.001 * np.maximum(values, 1)).all():
            return (
                f"corrected for collisions of {size:,} molecular barcodes (CEL-Seq2, RaceID): take the counts before, or undo it: "
                f"round({size}*(1-exp(-n/{size})))"
            )
    if len(fractions) >= ENOUGH and (fractions > 0.5).mean() > JUST_BELOW and _distinct(matrix) > 0.5:
        return "ambient RNA was subtracted (SoupX, decontX): round the values (SoupX: roundToInt = TRUE), or take the counts before"
    kind = "log-normalised" if len(values) and values.max() < 25 else "normalised (FPKM, TPM or CPM)"
    return f"the values look {kind}; raw counts are needed"


JUST_BELOW = 0.75
"""Share of the fractions above one half from which on little was taken off whole numbers; half of them are, where they are scaled."""
SAMPLED_VALUES = 1_000_000


def _distinct(matrix: sp.csr_matrix) -> float:
    """Return the share of the fractions of a cell that it has once: scaling a cell gives all genes of one count one value."""
    shares = []
    for row in range(min(matrix.shape[0], SAMPLED_CELLS)):
        own = matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]]
        own = own[own != np.round(own)]
        if len(own) > 1:
            shares.append(len(np.unique(own)) / len(own))
    return float(np.median(shares)) if shares else 0.0


def _refuse(
    matrix: sp.csr_matrix,
    bad: Bools,
    word: str,
    symbols: Sequence[str],
    barcodes: Sequence[str],
    where: str,
) -> None:
    at = int(np.flatnonzero(bad)[0])
    row = int(np.searchsorted(matrix.indptr, at, side="right") - 1)
    gene, value = symbols[int(matrix.indices[at])], matrix.data[at]
    raise InputError(f"{where}: gene {gene}, barcode {barcodes[row]}: {value:.6g} {word}")


def check_depths(counts: sp.csr_matrix, where: str) -> None:
    """Refuse whole numbers that are no counts: rounded after they were scaled, or only whether a gene was seen.

    Of molecules or reads that were counted, most cells have some gene once, and their sums differ more than sums of
    chance do (Poisson). At most 500 cells are looked at; matrices of few cells or genes are taken as they are.

    Raises
    ------
    InputError
        The values are no raw counts.
    """
    rows = np.flatnonzero(np.diff(counts.indptr) >= MIN_SEEN)[:SAMPLED_CELLS]
    if len(rows) < MIN_CELLS or counts.shape[1] < MIN_GENES:
        return
    some = counts[rows]
    total = np.asarray(some.sum(axis=1, dtype=np.int64)).ravel()
    low, middle, high = np.percentile(total, [5, 50, 95])
    smallest = np.minimum.reduceat(some.data, some.indptr[:-1])
    what = ""
    if some.data.max() == 1:
        what = "no count is above 1: they say whether a gene was seen, not how often"
    elif (smallest > 1).mean() > 0.5:
        what = "in most cells no gene has a count of 1: they were scaled and rounded"
    elif high - low < UNDER_POISSON * np.sqrt(middle):
        what = f"the sums of the cells are all about {middle:.0f}: they were scaled and rounded, or thinned to one sum"
    if what:
        raise InputError(f"{where}: {what}; raw counts are needed")


SAMPLED_CELLS = 500


MIN_CELLS, MIN_GENES, MIN_SEEN = 50, 1000, 20
"""Cells, genes, and genes seen in a cell, from which on `check_depths` judges."""


UNDER_POISSON = 0.5 * 3.29
"""Half of the distance of the 5th and the 95th percentile of Poisson counts, in standard deviations."""


def check_names(table: Table, shape: tuple[int, int], where: str, *, unique: bool = True) -> None:
    """Refuse names that do not fit the matrix's shape, an empty table, and barcodes that are there twice.

    ``unique``: whether barcodes tell cells; in a joined matrix they may be there once in each library.
    """
    if shape != (len(table.barcodes), len(table.symbols)):
        raise InputError(
            f"{where}: the matrix is {shape[0]} x {shape[1]}, but there are {len(table.barcodes)} barcodes "
            f"and {len(table.symbols)} genes"
        )
    if min(shape) == 0:
        raise InputError(f"{where}: empty: {shape[0]} barcodes, {shape[1]} genes")
    if unique:
        check_unique(table.barcodes, where)


def check_unique(barcodes: Sequence[str], where: str) -> None:
    """Refuse barcodes that are there twice."""
    names = pd.Index(barcodes)
    if not names.is_unique:
        name = names[names.duplicated()][0]
        raise InputError(f"{where}: barcode {name} is duplicated; are several libraries put together without a prefix?")
