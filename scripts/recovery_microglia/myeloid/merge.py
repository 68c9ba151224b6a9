"""Join the myeloid cells of all libraries into one table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.anndata_access import counts_of, obs_of, read_frame
from recovery_microglia.core.arrays import Integers

FACTS_OF_CELLS = ("subject", "day", "condition", "arm", "sex", "age", "chemistry", "batch", "sort", "pooled_n")
"""What each cell learns from the sheet; where a file names one of these too, the sheet is right."""


@dataclass(frozen=True)
class _Part:
    """One library, its counts not yet in memory if it is a file."""

    source: Path | ad.AnnData
    genes: pd.Index
    n_counts: int

    def load(self) -> ad.AnnData:
        return ad.read_h5ad(self.source) if isinstance(self.source, Path) else self.source


def _look(source: Path | ad.AnnData) -> _Part:
    """Return the genes and the number of non-zero counts; of a file nothing else is read."""
    if isinstance(source, ad.AnnData):
        return _Part(source, source.var_names, counts_of(source).nnz)
    with h5py.File(source) as file:
        return _Part(source, read_frame(file["var"]).index, int(file["X/indptr"][-1]))


def _all_genes(parts: Sequence[_Part]) -> pd.Series:
    """Return gene to number of libraries that have it, in the order of first appearance."""
    found: dict[str, int] = {}
    for part in parts:
        for gene in part.genes:
            found[gene] = found.get(gene, 0) + 1
    return pd.Series(found, dtype=np.int64)


def _rows(counts: sp.csr_matrix, columns: Integers) -> sp.csr_matrix:
    """Return the matrix with its columns renumbered, indices sorted within each row."""
    moved = sp.csr_matrix(counts, copy=True)
    moved.indices = columns[moved.indices].astype(np.int32)
    moved.has_sorted_indices = False
    moved.sort_indices()
    return moved


def _with_sheet(obs: pd.DataFrame, sheet: pd.DataFrame) -> pd.DataFrame:
    """Return the cells' table with the sheet's columns; texts as categories."""
    facts = sheet.set_index("library")
    library = obs["library"].astype(str)
    for column in FACTS_OF_CELLS:
        if column in facts:
            obs[column] = library.map(facts[column])
    for column in obs.columns:
        if not pd.api.types.is_numeric_dtype(obs[column]) and not pd.api.types.is_bool_dtype(obs[column]):
            obs[column] = obs[column].astype("object").fillna("").astype(str).astype("category")
    return obs


def merge(parts: Sequence[Path | ad.AnnData], sheet: pd.DataFrame) -> ad.AnnData:
    """Join libraries: all genes that any of them has, zero where a library lacks one.

    Counts are copied into place one library at a time, so that memory holds the result and one library.

    Parameters
    ----------
    parts
        Files (``myeloid.h5ad``) or tables, cells × genes, raw counts as csr; obs names ``library:barcode``,
        obs column ``library``.
    sheet
        One row a library; those of `FACTS_OF_CELLS` that it has are copied to the cells.

    Returns
    -------
    AnnData
        X csr int32 raw counts; obs of the parts and the sheet's columns; ``var["n_libraries"]``, in how many
        libraries' files the gene exists; ``varm["soup"]``, genes × libraries, the share of
        each gene in ambient RNA that is not of microglia, where the parts know it.

    Raises
    ------
    ValueError
        There is no part.
    """
    if not parts:
        raise ValueError("no library to merge")
    looked = [_look(part) for part in parts]
    n_libraries = _all_genes(looked)
    total = sum(part.n_counts for part in looked)
    data, indices = np.empty(total, dtype=np.int32), np.empty(total, dtype=np.int32)
    lengths, tables, filled = [np.zeros(1, dtype=np.int64)], [], 0
    soup = {}
    for part in looked:
        one = part.load()
        rows = _rows(counts_of(one), n_libraries.index.get_indexer(part.genes))
        data[filled : filled + rows.nnz], indices[filled : filled + rows.nnz] = rows.data, rows.indices
        filled += rows.nnz
        lengths.append(np.diff(rows.indptr).astype(np.int64))
        tables.append(obs_of(one))
        if "soup" in one.var and one.n_obs:
            soup[str(one.obs["library"].iloc[0])] = one.var["soup"].reindex(n_libraries.index).fillna(0)
    # A library without myeloid cells has nothing to say on the columns' types.
    filled_tables = [table for table in tables if len(table)] or tables[:1]
    obs = _with_sheet(pd.concat(filled_tables), sheet)
    counts = sp.csr_matrix((data, indices, np.cumsum(np.concatenate(lengths))), shape=(len(obs), len(n_libraries)))
    merged = ad.AnnData(counts, obs=obs, var=pd.DataFrame({"n_libraries": n_libraries}))
    if soup:
        merged.varm["soup"] = pd.DataFrame(soup, index=n_libraries.index, dtype=np.float32)
    return merged
