"""Libraries in Cell Ranger's layout."""

from pathlib import Path

import anndata as ad
import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from isal import igzip
from pyarrow import csv

from recovery_microglia.core.anndata_access import counts_of
from recovery_microglia.core.arrays import Texts


def draw_barcodes(n: int, rng: np.random.Generator) -> Texts:
    """Return unique 16-base barcodes as Cell Ranger writes them."""
    letters = np.array(list("ACGT"))
    found: dict[str, None] = {}
    while len(found) < n:
        found.update({"".join(letters[row]) + "-1": None for row in rng.integers(0, 4, (n, 16))})
    return np.asarray(list(found)[:n], dtype=np.str_)


def write_10x(counts: ad.AnnData, folder: Path) -> None:
    """Write counts as Cell Ranger 3 does: ``matrix.mtx.gz``, ``barcodes.tsv.gz``, ``features.tsv.gz``."""
    folder.mkdir(parents=True, exist_ok=True)
    matrix = sp.coo_matrix(counts_of(counts))
    order = np.lexsort((matrix.col, matrix.row))
    head = f"%%MatrixMarket matrix coordinate integer general\n%\n{counts.n_vars} {counts.n_obs} {matrix.nnz}\n"
    entries = pa.table([matrix.col[order] + 1, matrix.row[order] + 1, matrix.data[order]], names=["gene", "cell", "n"])
    body = pa.BufferOutputStream()
    csv.write_csv(entries, body, csv.WriteOptions(include_header=False, delimiter=" "))
    _write_gz(folder / "matrix.mtx.gz", head.encode() + body.getvalue())
    _write_gz(folder / "barcodes.tsv.gz", "".join(f"{barcode}\n" for barcode in counts.obs_names).encode())
    pairs = zip(counts.var["id"], counts.var_names, strict=True)
    _write_gz(folder / "features.tsv.gz", "".join(f"{i}\t{symbol}\tGene Expression\n" for i, symbol in pairs).encode())


def _write_gz(path: Path, text: bytes) -> None:
    # No time stamp inside: the same seed gives the same bytes.
    with path.open("wb") as raw, igzip.IGzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0) as stream:
        stream.write(text)
