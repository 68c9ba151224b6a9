"""Matrices in blocks, for files that memory does not hold.

Each layout gives its names at once and its counts block by block, in the order in which they lie in the file: a block
is some barcodes with all features, or some features with all barcodes. A file that has no order, or is of an unusual
kind, is read whole, as one block.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.anndata_access import read_frame
from recovery_microglia.core.errors import InputError
from recovery_microglia.readers import matrix_market
from recovery_microglia.readers.dense_text import (
    DENSE_BY_CELL,
    DENSE_BY_GENE,
    NO_CELLS,
    dense_blocks,
    dense_head,
    dense_rows,
    fitting_header,
    genes_in_rows,
)
from recovery_microglia.readers.feature_lists import MARKET, market_names, read_matrix_market
from recovery_microglia.readers.hdf5 import (
    SAMPLE,
    gene_names,
    layers_in_order,
    looks_raw,
    parts_to_add,
    plain_values,
    read_10x_h5,
    read_anndata,
)
from recovery_microglia.readers.layouts import FileReaders
from recovery_microglia.readers.table import Table

ENTRIES = 1_000_000
"""Counts of a sparse block."""
NUMBERS = 16_000_000
"""Numbers of a dense block, zeros among them."""

type Blocks = Iterator[tuple[int, sp.csr_matrix]]


@dataclass(frozen=True)
class Stream:
    """A matrix in blocks.

    Attributes
    ----------
    names
        The table's names; its matrix has the right shape and no entry.
    by_cell
        Whether a block holds barcodes × features, else features × barcodes.
    blocks
        Yields blocks with the number of their first row; a row may go on in the next block.
    whole
        Reads the file whole, where `market.NotPlainError` shows only on the way that it has no order; None where it cannot.
    """

    names: Table
    by_cell: bool
    blocks: Callable[[], Blocks]
    whole: Callable[[], Table] | None = None


def of_table(table: Table) -> Stream:
    """Return a table as a stream of one block."""
    matrix = sp.csr_matrix(table.matrix)
    return Stream(_without_matrix(table, matrix.shape), True, lambda: iter([(0, matrix)]))


def _nothing(shape: tuple[int, int]) -> sp.csr_matrix:
    return sp.csr_matrix(shape, dtype=np.int32)


def _without_matrix(table: Table, shape: tuple[int, int]) -> Table:
    return replace(table, matrix=_nothing(shape))


# ---------------------------------------------------------------- text


def stream_market(matrix: Path, genes: Path, barcodes: Path) -> Stream:
    """Stream a MatrixMarket file that is sorted by cell or by gene."""
    whole = partial(read_matrix_market, matrix, genes, barcodes)
    shape = matrix_market.shape_of(matrix)
    by_column = matrix_market.sorted_by_column(matrix) if shape else None
    if shape is None or by_column is None:
        return of_table(whole())
    by_gene, cells, ids, symbols, types = market_names(shape, matrix, genes, barcodes)
    names = Table(_nothing((len(cells), len(symbols))), cells, symbols, MARKET, ids, types)
    return Stream(names, by_column == by_gene, partial(matrix_market.entry_blocks, matrix, by_column=by_column), whole)


def stream_dense(path: Path) -> Stream:
    """Stream a table of text; a first pass over its lines gives the names of the rows."""
    head = dense_head(path)
    first = next(dense_blocks(path, head, lines=1), None)
    if first is None:
        raise InputError(f"{path}: a header and no rows")
    header = fitting_header(head, first[1].shape[1], path)
    rows = [name for _, name, _ in dense_rows(path, head)]

    def blocks() -> Blocks:
        return ((start, block) for start, block, _ in dense_blocks(path, head))

    if genes_in_rows(rows, header):
        no_cells = (*head.beside, *(name for name in header if NO_CELLS.fullmatch(name)))  # no library owns them
        return Stream(
            Table(_nothing((len(header), len(rows))), header, rows, DENSE_BY_GENE, no_cells=no_cells), False, blocks
        )
    return Stream(
        Table(_nothing((len(rows), len(header))), rows, header, DENSE_BY_CELL, no_cells=tuple(head.beside)),
        True,
        blocks,
    )


# ---------------------------------------------------------------- HDF5


def _sparse_blocks(path: Path, group: str, n_minor: int) -> Blocks:
    """Yield the rows of a compressed matrix (of the columns of a csc one)."""
    with h5py.File(path, "r") as file:
        node = file[group]
        indptr = np.asarray(node["indptr"][:], dtype=np.int64)
        start, n = 0, len(indptr) - 1
        if int(indptr[-1]) != node["data"].shape[0]:
            raise InputError(
                f"{path}: its parts do not fit together: its index ends at {int(indptr[-1])} of {node['data'].shape[0]} counts"
            )
        while start < n:
            stop = int(np.searchsorted(indptr, indptr[start] + ENTRIES, side="right")) - 1
            stop = min(max(stop, start + 1), n)
            own = slice(int(indptr[start]), int(indptr[stop]))
            parts = plain_values(node["data"][own]), node["indices"][own], indptr[start : stop + 1] - indptr[start]
            try:
                block = sp.csr_matrix(parts, shape=(stop - start, n_minor))
                block.check_format(full_check=True)  # an index outside the matrix would be read beyond the names
            except ValueError as error:
                raise InputError(f"{path}: its parts do not fit together ({error})") from None
            yield start, block
            start = stop


def _dense_hdf5_blocks(path: Path, place: str) -> Blocks:
    with h5py.File(path, "r") as file:
        node = file[place]
        n, width = node.shape
        at_once = max(NUMBERS // max(width, 1), 1)
        if node.chunks and node.chunks[0] <= at_once:
            at_once -= at_once % node.chunks[0]
        for start in range(0, n, at_once):
            yield start, sp.csr_matrix(plain_values(node[start : start + at_once]))


def _kind(node: Any) -> str:
    """Return csr, csc, dense, or nothing for what is left to anndata."""
    if isinstance(node, h5py.Dataset):
        return "dense" if len(node.shape) == 2 and node.dtype.kind in "iufb" else ""
    match = re.fullmatch(r"(csr|csc)_matrix", str(node.attrs.get("encoding-type", "")))
    return match[1] if match and {"data", "indices", "indptr"} <= set(node) else ""


def _sample(node: Any) -> np.ndarray:
    """Return some values of a matrix in a file."""
    if isinstance(node, h5py.Dataset):
        rows = node[: max(NUMBERS // max(node.shape[1], 1), 1)]
        return np.asarray(rows[rows != 0][:SAMPLE])
    return np.asarray(plain_values(node["data"][:SAMPLE]))


def _counts_in(file: Any, layer: str | None) -> tuple[str, str, str] | None:
    """Return word, place and table of genes of the first matrix of an h5ad that holds raw counts; see `read_anndata`."""
    named, others = layers_in_order(file.get("layers", ()))
    if not layer and parts_to_add(file.get("layers", ()), named):
        return None  # they are added up
    if layer:
        tried = [(f"layer {layer}", f"layers/{layer}", "var")]
    else:
        tried = [(f"layer {name}", f"layers/{name}", "var") for name in named]
        tried += [("X", "X", "var"), ("raw.X", "raw/X", "raw/var")]
        tried += [(f"layer {name}", f"layers/{name}", "var") for name in others]
    for word, place, var in tried:
        if place in file:
            if not _kind(file[place]):
                return None
            if layer or looks_raw(_sample(file[place])):
                return word, place, var
    return None


def stream_anndata(path: Path, layer: str | None) -> Stream:
    """Stream an h5ad; zarr, files of old versions, and those without raw counts are left to `read_anndata`."""
    try:
        with h5py.File(path, "r") as file:
            found = _counts_in(file, layer)
            if found is None or "encoding-type" not in file["obs"].attrs:
                return of_table(read_anndata(path, layer))
            word, place, genes = found
            obs, var = read_frame(file["obs"]), read_frame(file[genes])
            kind = _kind(file[place])
    except (OSError, KeyError, ValueError, TypeError):
        return of_table(read_anndata(path, layer))
    symbols, ids = gene_names(var)
    names = Table(_nothing((len(obs), len(var))), list(map(str, obs.index)), symbols, f"AnnData, {word}", ids, obs=obs)
    if kind == "dense":
        return Stream(names, True, partial(_dense_hdf5_blocks, path, place))
    by_cell = kind == "csr"
    return Stream(names, by_cell, partial(_sparse_blocks, path, place, len(var) if by_cell else len(obs)))


def stream_10x_h5(path: Path, genome: str | None) -> Stream:
    """Stream Cell Ranger's h5, in which one barcode comes after the other."""
    place: list[str] = []

    def shape_only(group: Any) -> sp.csr_matrix:
        place.append(group.name)
        n_features, n_barcodes = (int(size) for size in group["shape"][:])
        return _nothing((n_barcodes, n_features))

    names = read_10x_h5(path, genome, shape_only)
    if not place:  # a loom was read whole
        return of_table(names)
    return Stream(names, True, partial(_sparse_blocks, path, place[0], names.matrix.shape[1]))


STREAMS = FileReaders(stream_dense, stream_market, stream_anndata, stream_10x_h5)
