"""A file of several libraries taken apart in one pass, in bounded memory.

Blocks of the file are dealt out to the libraries as they come, each library's to a place of its own in a temporary HDF5
file beside the result; then one library after the other is put together and written. Memory holds a block of the
file, a buffer for each library, and at the end the largest library.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.anndata_access import counts_of
from recovery_microglia.core.arrays import Int32s, Integers
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.genes import Organism
from recovery_microglia.readers import matrix_market
from recovery_microglia.readers.barcode_assignment import BarcodeAssignment, Rule, owners
from recovery_microglia.readers.counts import Genes, checked_genes, genes_of, with_genes
from recovery_microglia.readers.hdf5 import looks_raw
from recovery_microglia.readers.layouts import ReadRequest, read_with, unchanged
from recovery_microglia.readers.streams import STREAMS, Stream, of_table
from recovery_microglia.readers.validation import check_counts, check_depths, check_names, check_unique

PIECE, BUFFERS = 1 << 18, 1 << 24
"""Entries of a library that are written at once, and of all libraries together that wait for it."""


@dataclass(frozen=True)
class Split:
    """What became of a file: barcodes and key of each library that was written, and why others were not."""

    written: dict[str, tuple[int, str]]
    absent: dict[str, str]


def split_counts(
    path: Path,
    libraries: Mapping[str, str],
    rule: Rule,
    out: Path,
    *,
    format: str = "auto",
    organism: Organism = "mouse",
    genome: str | None = None,
    layer: str | None = None,
) -> Split:
    """Take a file that holds several libraries apart: ``out/<library>.h5ad``, as `read_counts` gives it.

    Parameters
    ----------
    path, format, organism, genome, layer
        As in `read_counts`.
    libraries
        Library to its key in the data, see `owners`.
    rule
        How a barcode tells its library.
    out
        Folder of the result.

    Raises
    ------
    InputError
        One plain line, as `read_counts` and `owners`.
    """
    with unchanged(path) as scratch:
        stream = read_with(path, ReadRequest(format, genome, layer, scratch, STREAMS))
        try:
            return _split(stream, path, libraries, rule, out, organism, genome)
        except matrix_market.NotPlainError:
            if stream.whole is None:
                raise
            return _split(of_table(stream.whole()), path, libraries, rule, out, organism, genome)


def _split(
    stream: Stream,
    path: Path,
    libraries: Mapping[str, str],
    rule: Rule,
    out: Path,
    organism: Organism,
    genome: str | None,
) -> Split:
    names = stream.names
    by_obs = (
        rule.pattern is None and rule.metadata is None
    )  # a column beside the barcodes tells the same barcode of two apart
    check_names(names, names.matrix.shape, str(path), unique=not by_obs and rule.join != "position")
    genes = genes_of(names, organism=organism, genome=genome, where=str(path))
    whose = owners(names.barcodes, names.obs, libraries, rule)
    for number, key in enumerate(whose.keys):
        own = [names.barcodes[int(cell)] for cell in np.flatnonzero(whose.group == number)]
        check_unique(own, f"{path}: {key}")
    spool = out / ".parts.h5"
    try:
        with h5py.File(spool, "w", rdcc_nbytes=0) as file:
            dealt = _deal(stream, whose, file, str(path))
            written = {}
            for library, key in whose.key.items():
                part = _library(stream, dealt, whose, whose.keys.index(key), genes, f"{path}: {key}")
                part.uns["key"] = key
                part.write_h5ad(out / f"{library}.h5ad", compression="lzf")
                written[library] = part.n_obs, key
    finally:
        spool.unlink(missing_ok=True)
    return Split(written, whose.absent)


@dataclass(frozen=True)
class _Dealt:
    """The entries of each library, in the order of the file.

    ``lengths`` are the entries of each barcode (barcodes,), or of each library and feature (libraries × features).
    """

    parts: list["_Part"]
    lengths: Integers


class _Part:
    """One library's entries in the temporary file: index of the other axis, and value."""

    def __init__(self, file: h5py.File, name: str, piece: int) -> None:
        how = {"shape": (0,), "maxshape": (None,), "chunks": (piece,), "dtype": np.int32, "compression": "lzf"}
        self.stored = [file.create_dataset(f"{name}/{what}", shuffle=True, **how) for what in ("minor", "value")]
        self.buffer = np.empty((2, piece), dtype=np.int32)
        self.n = 0

    def add(self, minor: Int32s, value: Int32s) -> None:
        """Keep some entries; whole pieces are written."""
        done = 0
        while done < len(minor):
            some = slice(done, done + self.buffer.shape[1] - self.n)
            own = slice(self.n, self.n + len(minor[some]))
            self.buffer[0, own], self.buffer[1, own] = minor[some], value[some]
            done, self.n = some.stop, own.stop
            if self.n == self.buffer.shape[1]:
                self._write()

    def _write(self) -> None:
        for stored, array in zip(self.stored, self.buffer, strict=True):
            before = stored.shape[0]
            stored.resize((before + self.n,))
            stored[before:] = array[: self.n]
        self.n = 0

    def take(self) -> tuple[Int32s, Int32s]:
        """Return all entries."""
        self._write()
        minor, value = (stored[:] for stored in self.stored)
        return minor, value


def _deal(stream: Stream, whose: BarcodeAssignment, file: h5py.File, where: str) -> _Dealt:
    """Deal the blocks out to the libraries."""
    names, n_groups = stream.names, len(whose.keys)
    n_features = len(names.symbols)
    piece = max(min(PIECE, BUFFERS // max(n_groups, 1)), 16)
    parts = [_Part(file, str(number), piece) for number in range(n_groups)]
    own_number = _number_within(whose.group, n_groups)
    lengths = np.zeros(len(names.barcodes) if stream.by_cell else (n_groups, n_features), dtype=np.int64)
    any_count = False
    for start, block in stream.blocks():
        counts = _checked(block, start, stream, where)
        any_count = any_count or counts.nnz > 0
        major = np.repeat(np.arange(start, start + counts.shape[0]), np.diff(counts.indptr))
        cell, minor = (major, counts.indices) if stream.by_cell else (counts.indices, own_number[counts.indices])
        group = whose.group[cell]
        if stream.by_cell:
            lengths[start : start + counts.shape[0]] += np.diff(counts.indptr)
        else:
            used = group >= 0
            np.add.at(lengths, (group[used], major[used]), 1)
        for number, entries in _by_group(group, n_groups):
            parts[number].add(minor[entries].astype(np.int32), counts.data[entries])
    if not any_count:
        raise InputError(f"{where}: every count is zero")
    return _Dealt(parts, lengths)


def _number_within(group: Integers, n_groups: int) -> Int32s:
    """Return the number of each barcode among those of its library."""
    found = np.zeros(len(group), dtype=np.int32)
    for number in range(n_groups):
        own = np.flatnonzero(group == number)
        found[own] = np.arange(len(own))
    return found


def _by_group(group: Integers, n_groups: int) -> list[tuple[int, Integers | slice]]:
    """Return the libraries of some entries, with the places of each one's in their order."""
    if len(group) and (group == group[0]).all():  # a file that has one library after the other
        return [(int(group[0]), slice(None))] if group[0] >= 0 else []
    order = np.argsort(group.astype(np.int16 if n_groups < 2**15 else np.int64), kind="stable")
    bounds = np.searchsorted(group[order], np.arange(n_groups + 1))
    pieces = ((number, order[bounds[number] : bounds[number + 1]]) for number in range(n_groups))
    return [(number, piece) for number, piece in pieces if len(piece)]


def _checked(block: sp.csr_matrix, start: int, stream: Stream, where: str) -> sp.csr_matrix:
    """Return a block as int32 without zeros, or refuse what are no raw counts, with gene and barcode."""
    rows, names = slice(start, start + block.shape[0]), stream.names
    if block.nnz and not _are_counts(block.data):  # turned for the words of the refusal only
        turned = block if stream.by_cell else sp.csr_matrix(block.T)
        symbols = names.symbols if stream.by_cell else names.symbols[rows]
        check_counts(turned, symbols, names.barcodes[rows] if stream.by_cell else names.barcodes, where)
    counts = block.astype(np.int32, copy=False)
    if np.count_nonzero(counts.data) < counts.nnz:
        counts.eliminate_zeros()
    return counts


def _are_counts(values: NDArray[Any]) -> bool:
    kind = values.dtype.kind
    whole = kind in "iu" or (kind == "f" and looks_raw(values))
    return bool(whole and values.min() >= 0 and values.max() <= 2**31 - 1)


def _library(
    stream: Stream, dealt: _Dealt, whose: BarcodeAssignment, number: int, genes: Genes, where: str
) -> ad.AnnData:
    """Put one library together, and look at it as at one that has a file of its own.

    Raises
    ------
    InputError
        It holds no raw counts, or its genes twice.
    """
    cells = np.flatnonzero(whose.group == number)
    lengths = dealt.lengths[cells] if stream.by_cell else dealt.lengths[number]
    minor, value = dealt.parts[number].take()
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    parts = value, minor, indptr
    if stream.by_cell:
        counts = sp.csr_matrix(parts, shape=(len(cells), len(stream.names.symbols)))
    else:
        counts = sp.csc_matrix(parts, shape=(len(cells), len(stream.names.symbols))).tocsr()
    names, obs = stream.names.barcodes, stream.names.obs
    own = checked_genes(counts, stream.names.symbols, genes, where)
    library = with_genes(
        counts, [names[int(cell)] for cell in cells], None if obs is None else obs.iloc[cells].copy(), own
    )
    check_depths(counts_of(library), where)
    return library
