"""HDF5 files: Cell Ranger's of both generations, and AnnData's."""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.anndata_access import obs_of, var_of
from recovery_microglia.core.errors import InputError
from recovery_microglia.readers.table import Table


def _words(dataset: Any) -> list[str]:
    return [word.decode() if isinstance(word, bytes) else str(word) for word in np.atleast_1d(dataset[()])]


type MatrixOf = Callable[[Any], sp.csr_matrix]


def _csr(group: Any) -> sp.csr_matrix:
    """Return barcodes × features of a Cell Ranger group (columns are barcodes there)."""
    n_features, n_barcodes = (int(size) for size in group["shape"][:])
    parts = (group["data"][:], group["indices"][:], group["indptr"][:])
    matrix = sp.csr_matrix(parts, shape=(n_barcodes, n_features))
    matrix.check_format(full_check=True)  # an index outside the matrix would make scipy read beyond its memory
    return matrix


def read_10x_h5(path: Path, genome: str | None, matrix_of: MatrixOf = _csr) -> Table:
    """Read Cell Ranger's h5: version 3 (one group ``matrix``) or version 2 (a group a genome).

    ``matrix_of`` takes the matrix out of its group.
    """
    try:
        with h5py.File(path, "r") as file:
            if "matrix" in file:
                return _version_3(file["matrix"], matrix_of)
            groups = [name for name, node in file.items() if isinstance(node, h5py.Group) and "gene_names" in node]
            if not groups:
                raise InputError(
                    f"{path}: an HDF5 file, but not one of Cell Ranger (groups: {', '.join(file) or 'none'})"
                )
            if genome and genome not in groups:
                raise InputError(f"{path}: genome '{genome}' is not in the file; there are: {', '.join(groups)}")
            if not genome and len(groups) > 1:
                raise InputError(
                    f"{path}: the file holds several genomes ({', '.join(groups)}); say which in the column genome"
                )
            group = file[genome or groups[0]]
            names, ids = _words(group["gene_names"]), _words(group["genes"])
            genomes = [genome or groups[0]] * len(names)
            return Table(matrix_of(group), _words(group["barcodes"]), names, "10x h5, version 2", ids, (), genomes)
    except OSError as error:
        raise InputError(f"{path}: not a whole HDF5 file ({str(error).splitlines()[0]})") from None
    except KeyError as error:
        missing = re.search(r"object '([^']+)' doesn't exist", str(error))
        what = f"'{missing[1]}'" if missing else "a part"
        raise InputError(f"{path}: not one of Cell Ranger's files: {what} is missing") from None
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, OverflowError, MemoryError) as error:
        raise InputError(f"{path}: its parts do not fit together ({str(error).splitlines()[0]})") from None


def _version_3(group: Any, matrix_of: MatrixOf) -> Table:
    features = group["features"]
    genomes = _words(features["genome"]) if "genome" in features else []
    types = _words(features["feature_type"]) if "feature_type" in features else []
    names, ids = _words(features["name"]), _words(features["id"])
    # some writers give one word for all features
    genomes, types = (words * len(names) if len(words) == 1 else words for words in (genomes, types))
    # antibodies have no genome; the empty name must not look like a second one
    return Table(matrix_of(group), _words(group["barcodes"]), names, "10x h5, version 3", ids, types, genomes)


def _candidates(adata: ad.AnnData, layer: str | None, where: str) -> Iterator[tuple[str, Any, pd.DataFrame]]:
    """Yield the matrices of an h5ad that may hold raw counts, with their genes, in order of preference."""
    if layer:
        if layer not in adata.layers:
            raise InputError(
                f"{where}: there is no layer '{layer}'; there are: {', '.join(filter(None, adata.layers)) or 'none'}"
            )
        yield f"layer {layer}", adata.layers[layer], var_of(adata)
        return
    named, others = layers_in_order(filter(None, adata.layers))  # None is X, since anndata 0.13
    for name in named:
        yield f"layer {name}", adata.layers[name], var_of(adata)
    if adata.X is not None:
        yield "X", adata.X, var_of(adata)
    if adata.raw is not None:
        yield "raw.X", adata.raw.X, adata.raw.var
    for name in others:
        yield f"layer {name}", adata.layers[name], var_of(adata)


def layers_in_order(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the layers that are tried before X, and those after it; unspliced counts, bins or ranks are not asked for.

    A layer of another name is taken only where the sheet names it: its whole numbers may be anything.
    """
    there = list(names)
    first = [str(name) for name in ("counts", "raw_counts", "raw") if name in there]
    return first, [name for name in there if name not in first and re.search("count|raw|umi", name, re.IGNORECASE)]


def _is_raw(matrix: Any) -> bool:
    return looks_raw(sp.csr_matrix(matrix).data[:SAMPLE])


SAMPLE = 1_000_000
"""Values that tell whether a matrix holds raw counts."""


def looks_raw(sample: NDArray[Any]) -> bool:
    """Return whether values are whole numbers from 0 on."""
    return bool(
        len(sample) == 0 or (np.isfinite(sample).all() and (sample >= 0).all() and (sample == np.round(sample)).all())
    )


def read_anndata(path: Path, layer: str | None) -> Table:
    """Read an h5ad or zarr: the first of the named layers, X, raw.X and the other layers that holds raw counts."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # files of anndata before 0.8 carry no encoding; they read well
            adata = ad.read_zarr(path) if path.is_dir() else ad.read_h5ad(path)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path}: not a whole AnnData file ({str(error).splitlines()[0][:200]})") from None
    if adata.X is None and not adata.layers and adata.raw is None:
        raise InputError(f"{path}: the file holds no values: X is empty, and there is neither raw nor a layer")
    tried = []
    for place, matrix, var in _candidates(adata, layer, str(path)):
        tried.append(place)
        if layer or _is_raw(matrix):
            symbols, ids = gene_names(var)
            obs = obs_of(adata).copy()
            return Table(
                _sound(matrix, path), list(map(str, adata.obs_names)), symbols, f"AnnData, {place}", ids, obs=obs
            )
    rest = [name for name in filter(None, adata.layers) if f"layer {name}" not in tried]
    more = f"; if one of its other layers holds them ({', '.join(rest)}), name it in the column layer" if rest else ""
    raise InputError(f"{path}: no raw counts in {', '.join(tried) or 'X'}: their values are not whole numbers{more}")


def _sound(matrix: Any, path: Path) -> sp.csr_matrix:
    found = sp.csr_matrix(matrix)
    try:
        found.check_format(full_check=True)
    except ValueError as error:
        raise InputError(f"{path}: its parts do not fit together ({error})") from None
    return found


def gene_names(var: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return symbols and ids: the index, or a column with symbols where the index holds ids."""
    index = [str(name) for name in var.index]
    if sum(name.startswith("ENS") for name in index) > len(index) / 2:
        for column in ("feature_name", "gene_symbols", "gene_symbol", "gene_name", "symbol"):
            if column in var:
                return [str(name) for name in var[column]], index
    return index, []
