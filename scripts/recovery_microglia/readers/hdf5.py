"""HDF5 files: Cell Ranger's of both generations, and AnnData's."""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from recovery_microglia.readers.validation import fraction_word


def _words(dataset: Any) -> list[str]:
    return [word.decode() if isinstance(word, bytes) else str(word) for word in np.atleast_1d(dataset[()])]


type MatrixOf = Callable[[Any], sp.csr_matrix]


def _csr(group: Any) -> sp.csr_matrix:
    """Return barcodes × features of a Cell Ranger group (columns are barcodes there)."""
    n_features, n_barcodes = (int(size) for size in group["shape"][:])
    parts = (group["data"][:], group["indices"][:], group["indptr"][:])
    if len(parts[2]) == n_barcodes + 1 and len(parts[0]) != int(parts[2][-1]):
        raise ValueError(f"its index ends at {int(parts[2][-1])} of {len(parts[0])} counts")
    matrix = sp.csr_matrix(parts, shape=(n_barcodes, n_features))
    matrix.check_format(full_check=True)  # an index outside the matrix would make scipy read beyond its memory
    return matrix


def read_10x_h5(path: Path, genome: str | None, matrix_of: MatrixOf = _csr) -> Table:
    """Read Cell Ranger's h5: version 3 (one group ``matrix``) or version 2 (a group a genome).

    ``matrix_of`` takes the matrix out of its group.
    """
    try:
        with h5py.File(path, "r") as file:
            if isinstance(file.get("matrix"), h5py.Dataset):
                return _loom(file)
            if "matrix" in file and "gene_names" not in file["matrix"]:
                return _version_3(file["matrix"], matrix_of)
            groups = [name for name, node in file.items() if isinstance(node, h5py.Group) and "gene_names" in node]
            if not groups:
                raise InputError(
                    f"{path}: an HDF5 file, but not one of Cell Ranger (groups: {', '.join(list(file)[:8]) or 'none'})"
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
        raise InputError(f"{path}: {hdf5_mistake(path, error)}") from None
    except KeyError as error:
        missing = re.search(r"object '([^']+)' doesn't exist", str(error))
        what = f"'{missing[1]}'" if missing else "a part"
        raise InputError(f"{path}: not one of Cell Ranger's files: {what} is missing") from None
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, OverflowError, MemoryError) as error:
        raise InputError(f"{path}: its parts do not fit together ({str(error).splitlines()[0]})") from None


def _loom(file: Any) -> Table:
    """Return the counts of a loom: genes × cells, with the names among the attributes of rows and columns."""
    genes, cells = file["row_attrs"], file["col_attrs"]
    symbols = next(
        (_words(genes[name]) for name in ("Gene", "gene_names", "gene_name", "var_names", "Symbol") if name in genes),
        None,
    )
    ids = next((_words(genes[name]) for name in ("Accession", "gene_ids", "gene_id") if name in genes), [])
    barcodes = next(
        (_words(cells[name]) for name in ("CellID", "obs_names", "barcode", "cell_id") if name in cells), None
    )
    if symbols is None or barcodes is None:
        raise KeyError(f"object '{'row_attrs/Gene' if symbols is None else 'col_attrs/CellID'}' doesn't exist")
    store = file["matrix"]
    rows = max(DENSE_AT_ONCE // max(store.shape[1], 1), 1)
    blocks = [sp.csr_matrix(plain_values(store[at : at + rows])) for at in range(0, store.shape[0], rows)]
    matrix = sp.csr_matrix(sp.vstack(blocks).T)
    obs = {name: _words(node) for name, node in cells.items() if node.shape == (len(barcodes),)}
    return Table(matrix, barcodes, symbols, "loom", ids, obs=pd.DataFrame(obs, index=pd.Index(barcodes, dtype=object)))


DENSE_AT_ONCE = 16_000_000
"""Numbers of a dense matrix that are held at once."""


def plain_values(values: Any) -> Any:
    """Return an array whose numbers scipy knows: half precision as single.

    Raises
    ------
    ValueError
        They are no numbers.
    """
    kind = getattr(values, "dtype", np.dtype(float))
    if kind.kind not in "biuf":
        raise ValueError(f"its values are no numbers ({'texts' if kind.kind in 'OSUT' else kind})")
    return values.astype(np.float32) if kind == np.float16 else values


_FILTERS = {
    32015: "zstd",
    32001: "blosc",
    32026: "blosc2",
    32004: "lz4",
    32008: "bitshuffle",
    307: "bzip2",
    32000: "lzf",
}


def hdf5_mistake(path: Path, error: BaseException) -> str:
    """Return why an HDF5 file cannot be read: another program holds it, a filter that is not installed, or damage."""
    said = (str(error).splitlines() or [type(error).__name__])[0]
    if "unable to lock file" in said or "Resource temporarily unavailable" in said:
        return "open for writing in another program; close it there (or set HDF5_USE_FILE_LOCKING=FALSE, if nothing writes to it)"
    if "Permission denied" in said:
        return "you may not read this; ask for the rights"
    if number := _missing_filter(path):
        name = f", {_FILTERS[number]}" if number in _FILTERS else ""
        return (
            f"compressed by an HDF5 filter that is not installed here ({number}{name}); write it again with gzip where it was made "
            "(in Python: adata.write_h5ad(path, compression='gzip'))"
        )
    return f"not a whole HDF5 file ({said[:160]})"


BROKEN = (RuntimeError, KeyError, ValueError, TypeError)
"""What h5py raises, besides `OSError`, for files with wrong bytes."""


def _missing_filter(path: Path) -> int:
    """Return the number of a filter that a data set of the file needs and that is not installed; 0 if there is none."""
    missing: list[int] = []

    def look(_: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            how = node.id.get_create_plist()
            numbers = [how.get_filter(k)[0] for k in range(how.get_nfilters())]
            missing.extend(number for number in numbers if not h5py.h5z.filter_avail(number))

    try:
        with h5py.File(path, "r") as file:
            file.visititems(look)
    except (OSError, *BROKEN):
        return 0
    return int(missing[0]) if missing else 0


def is_anndata(path: Path) -> bool:
    """Return whether an HDF5 file is AnnData's, whatever its name."""
    try:
        with h5py.File(path, "r") as file:
            return {"obs", "var"} <= set(file)
    except (OSError, *BROKEN):
        return False


def may_hold_counts(path: Path) -> bool:
    """Return whether an HDF5 file looks like a count matrix by its groups; of a damaged one reading it will say so."""
    try:
        with h5py.File(path, "r") as file:
            if "matrix" in file:
                return isinstance(file["matrix"], h5py.Dataset) or "barcodes" in file["matrix"]
            groups = [node for node in file.values() if isinstance(node, h5py.Group)]
            return {"obs", "var"} <= set(file) or "mod" in file or any("gene_names" in group for group in groups)
    except (OSError, *BROKEN):
        return True


def _version_3(group: Any, matrix_of: MatrixOf) -> Table:
    features = group["features"]
    genomes = _words(features["genome"]) if "genome" in features else []
    types = _words(features["feature_type"]) if "feature_type" in features else []
    names, ids = _words(features["name"]), _words(features["id"])
    # some writers give one word for all features
    genomes, types = (words * len(names) if len(words) == 1 else words for words in (genomes, types))
    # antibodies have no genome; the empty name must not look like a second one
    return Table(matrix_of(group), _words(group["barcodes"]), names, "10x h5, version 3", ids, types, genomes)


def parts_to_add(layers: Iterable[str | None], named: Sequence[str]) -> bool:
    """Return whether the layers hold the parts of the counts (spliced and others) and none of those that are ``named`` first."""
    return not named and set(layers) >= PARTS


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
    if parts_to_add(adata.layers, named) and (parts := _parts_added_up(adata)) is not None:
        yield f"layers {', '.join(sorted(PARTS))} added up", parts, var_of(adata)
        return
    for name in named:
        yield f"layer {name}", adata.layers[name], var_of(adata)
    if adata.X is not None:
        yield "X", adata.X, var_of(adata)
    if adata.raw is not None:
        yield "raw.X", adata.raw.X, adata.raw.var
    for name in others:
        yield f"layer {name}", adata.layers[name], var_of(adata)


PARTS = {"spliced", "unspliced", "ambiguous"}
"""Layers of alevin-fry and velocyto; a gene's count is their sum, and not the part that may stand in X."""


def _parts_added_up(adata: ad.AnnData) -> sp.csr_matrix | None:
    """Return the sum of the parts where X is one of them or holds no raw counts; None where X is more than a part."""
    parts = [_csr_of(adata.layers[name]) for name in sorted(PARTS)]
    if not all(looks_raw(part.data[:SAMPLE]) for part in parts):
        return None
    if adata.X is not None and _is_raw(own := _csr_of(adata.X)) and own.sum() not in [part.sum() for part in parts]:
        return None
    return sp.csr_matrix(sum(parts[1:], start=parts[0]))


def layers_in_order(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the layers that are tried before X, and those after it; unspliced counts, bins or ranks are not asked for.

    A layer of another name is taken only where the sheet names it: its whole numbers may be anything.
    """
    there = list(names)
    first = [str(name) for name in ("counts", "raw_counts", "raw") if name in there]
    return first, [name for name in there if name not in first and re.search("count|raw|umi", name, re.IGNORECASE)]


def _is_raw(matrix: Any) -> bool:
    return looks_raw(_csr_of(matrix).data[:SAMPLE])


def _csr_of(matrix: Any) -> sp.csr_matrix:
    """Return a matrix of AnnData as csr, half precision as single."""
    if hasattr(matrix, "tocsr"):
        return sp.csr_matrix(matrix)
    return sp.csr_matrix(plain_values(np.asarray(matrix)))


SAMPLE = 1_000_000
"""Values that tell whether a matrix holds raw counts."""


def looks_raw(sample: NDArray[Any]) -> bool:
    """Return whether values are whole numbers from 0 on."""
    return bool(
        len(sample) == 0 or (np.isfinite(sample).all() and (sample >= 0).all() and (sample == np.round(sample)).all())
    )


def read_anndata(path: Path, layer: str | None) -> Table:
    """Read an h5ad or zarr: the first of the named layers, X, raw.X and the other layers that holds raw counts."""
    adata = _opened_anndata(path)
    if adata.X is None and not adata.layers and adata.raw is None:
        raise InputError(f"{path}: the file holds no values: X is empty, and there is neither raw nor a layer")
    tried, values = [], list[Any]()
    for place, matrix, var in _candidates(adata, layer, str(path)):
        tried.append(place)
        try:
            is_raw = bool(layer) or _is_raw(matrix)
        except ValueError as error:
            raise InputError(f"{path}: {place}: {error}; raw counts are needed") from None
        if not is_raw:
            values.append(matrix)
        else:
            symbols, ids = gene_names(var)
            obs = obs_of(adata).copy()
            return Table(
                _sound(matrix, path), list(map(str, adata.obs_names)), symbols, f"AnnData, {place}", ids, obs=obs
            )
    rest = [name for name in filter(None, adata.layers) if f"layer {name}" not in tried]
    more = f"; if one of its other layers holds them ({', '.join(rest)}), name it in the column layer" if rest else ""
    only = _csr_of(values[0]) if len(values) == 1 else None
    why = fraction_word(only) if only is not None and np.isfinite(only.data).all() else "raw counts are needed"
    raise InputError(f"{path}: no raw counts in {', '.join(tried) or 'X'}: no whole numbers; {why}{more}")


def _opened_anndata(path: Path) -> ad.AnnData:
    """Return an h5ad, a zarr store (a folder or a zip), or the RNA of an h5mu."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # files of anndata before 0.8 carry no encoding; they read well
            if path.is_dir():
                refuse_missing_chunks(path)
                return ad.read_zarr(path)
            _refuse_short_index(path)
            if path.name.lower().endswith(".h5mu"):
                return _rna_of(path)
            return ad.read_h5ad(path)
    except InputError:
        raise
    except Exception as error:
        said = hdf5_mistake(path, error) if path.is_file() else f"not a whole AnnData file ({str(error)[:160]})"
        raise InputError(f"{path}: {said.replace('whole HDF5', 'whole AnnData')}") from None


def _refuse_short_index(path: Path) -> None:
    """Refuse sparse counts whose index ends before them, which scipy would cut off; and half precision, which it does not know."""

    def look(name: str, node: Any) -> None:
        if not isinstance(node, h5py.Group) or not {"data", "indptr"} <= set(node) or not len(node["indptr"]):
            return
        end, there = int(node["indptr"][-1]), node["data"].shape[0]
        if end != there:
            raise InputError(
                f"{path}: {name}: its parts do not fit together: its index ends at {end} of {there} counts"
            )
        if node["data"].dtype == np.float16:
            raise InputError(
                f"{path}: {name}: sparse numbers of half precision (float16), which cannot be read; write them as float32 or int32"
            )

    with h5py.File(path, "r") as file:
        for place in ("X", "raw/X", "layers", "mod"):
            if isinstance(file.get(place), h5py.Group):
                look(place, file[place])
                file[place].visititems(lambda name, node, place=place: look(f"{place}/{name}", node))


def _rna_of(path: Path) -> ad.AnnData:
    """Return the RNA of a MuData file: the modality called rna, or the only one."""
    with h5py.File(path, "r") as file:
        there = list(file["mod"]) if "mod" in file else []
        named = [
            name for name in there if name.lower() in ("rna", "gex", "gene expression", "gene_expression")
        ] or there
        if len(named) != 1:
            raise InputError(
                f"{path}: which modality holds the RNA? there are: {', '.join(there) or 'none'}; call it rna"
            )
        found = ad.io.read_elem(file["mod"][named[0]])
        if not isinstance(found, ad.AnnData):
            raise InputError(f"{path}: the modality {named[0]} is no AnnData")
        return found


def refuse_missing_chunks(path: Path) -> None:
    """Refuse a zarr store some of whose counts are gone: zarr would read zeros in their place.

    Only sparse counts tell: they hold no zeros, so that none of their chunks may be left out.
    """
    import zarr

    try:
        store = zarr.open_group(str(path), mode="r")
    except Exception:  # reading it says why
        return
    for place in ("X/data", "raw/X/data", *(f"layers/{name}/data" for name in _members(store, "layers"))):
        node = store.get(place)
        if isinstance(node, zarr.Array) and node.nchunks_initialized < node.nchunks:
            lost = node.nchunks - node.nchunks_initialized
            raise InputError(
                f"{path}: {lost} of {node.nchunks} chunks of {place} are missing; copy the store again, whole"
            )


def _members(store: Any, name: str) -> list[str]:
    return list(store[name]) if name in store else []


def _sound(matrix: Any, path: Path) -> sp.csr_matrix:
    found = _csr_of(matrix)
    try:
        found.check_format(full_check=True)
    except ValueError as error:
        raise InputError(f"{path}: its parts do not fit together ({error})") from None
    return found


SYMBOL_COLUMNS = (
    "feature_name",
    "gene_symbols",
    "gene_symbol",
    "gene_name",
    "gene_names",
    "symbol",
    "symbols",
    "Symbol",
    "features",
    "gene_short_name",
)
ID_COLUMNS = ("gene_ids", "gene_id", "feature_id", "ensembl_id", "ensembl", "Accession", "id", "ids")


def gene_names(var: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return symbols and ids: the index, or a column with symbols where the index holds ids or mere numbers."""
    index = [str(name) for name in var.index]
    if sum(name.startswith("ENS") or name.isdigit() for name in index) > len(index) / 2:
        for column in SYMBOL_COLUMNS:
            if column in var:
                return _texts(var[column]), index
        return index, []
    return index, next((_texts(var[column]) for column in ID_COLUMNS if column in var), [])


def _texts(column: pd.Series) -> list[str]:
    """Return a column as texts; empty where a value is missing."""
    plain = column.astype(object)
    return [str(value) for value in plain.where(plain.notna(), "")]
