"""One library, or one whole file: the layout is recognised and read."""

from pathlib import Path

import anndata as ad

from recovery_microglia.core.genes import Organism
from recovery_microglia.readers.counts import genes_of, to_anndata
from recovery_microglia.readers.dense_text import read_dense
from recovery_microglia.readers.feature_lists import read_matrix_market
from recovery_microglia.readers.hdf5 import read_10x_h5, read_anndata
from recovery_microglia.readers.layouts import FileReaders, ReadRequest, read_with, unchanged
from recovery_microglia.readers.streams import STREAMS
from recovery_microglia.readers.table import Table
from recovery_microglia.readers.validation import check_names

WHOLE = FileReaders(read_dense, read_matrix_market, read_anndata, read_10x_h5)


def read_counts(
    path: Path,
    *,
    format: str = "auto",
    organism: Organism = "mouse",
    genome: str | None = None,
    layer: str | None = None,
) -> ad.AnnData:
    """Read a count matrix.

    Parameters
    ----------
    path
        A file, a folder, or the beginning of the names of several files (GEO's prefixes).
    format
        One of `FORMATS`.
    organism
        A matrix whose genes are those of another organism is refused.
    genome
        Which genome to take from a file that holds several.
    layer
        Which layer of an h5ad to take.

    Returns
    -------
    AnnData
        X raw counts (csr int32, barcodes × genes), ``obs_names`` barcodes, ``var_names`` unique current symbols,
        ``uns['reading']`` what was recognised and changed.

    Raises
    ------
    InputError
        One plain line: the file, what is wrong, what is allowed.
    """
    with unchanged(path) as scratch:
        table = read_with(path, ReadRequest(format, genome, layer, scratch, WHOLE))
    return to_anndata(table, organism=organism, genome=genome, where=str(path))


def read_names(path: Path) -> Table:
    """Return a matrix without its counts: names of barcodes and features, and what came with the barcodes, as fast as the layout allows.

    Raises
    ------
    InputError
        As `read_counts`, of what the names show.
    """
    with unchanged(path) as scratch:
        table = read_with(path, ReadRequest("auto", None, None, scratch, STREAMS)).names
    check_names(table, table.matrix.shape, str(path), unique=False)
    genes_of(table, organism="mouse", genome=None, where=str(path))
    return table
