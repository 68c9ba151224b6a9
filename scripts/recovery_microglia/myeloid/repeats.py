"""Whether the same cells stand under the names of several libraries, which would make several animals of one.

A file that was deposited or copied twice passes every check of its own: its cells are real, and an animal that is duplicated
agrees with itself. Only beside each other the libraries show it. The counts of a cell of some thousand molecules are as good
as a fingerprint: two cells never have the same ones by chance.
"""

from itertools import combinations

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.anndata_access import counts_of
from recovery_microglia.core.arrays import Texts
from recovery_microglia.core.errors import InputError, Notice
from recovery_microglia.core.frame_access import labelled
from recovery_microglia.core.vocabulary import Severity

MANY_GENES = 50
"""Genes of a cell from which on its counts alone identify it; below (shallow cells, small panels) its barcode counts too."""
BLOCK = 2_000
"""Cells whose counts are mixed at once: bounds memory."""
FEWEST = 10
"""Cells in common that are no accident; of libraries with fewer, all."""
REFUSED_FROM = 0.5
"""Share of both libraries that makes them one; of one of them only, it is held in the other."""


def fingerprints(counts: sp.csr_matrix, barcodes: Texts) -> NDArray[np.uint64]:
    """Return a 64-bit fingerprint of each cell's counts, whatever the order of its genes (cells,).

    Parameters
    ----------
    counts
        Cells × genes, raw counts.
    barcodes
        Of each cell; they count only for cells of few genes.
    """
    genes = np.diff(counts.indptr)
    found = np.zeros(counts.shape[0], dtype=np.uint64)
    for begin in range(0, counts.shape[0], BLOCK):
        rows = slice(begin, begin + BLOCK)
        places = slice(counts.indptr[begin], counts.indptr[min(begin + BLOCK, counts.shape[0])])
        mixed = counts.indices[places].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= counts.data[places].astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # splitmix64: every bit changes all
            mixed ^= mixed >> np.uint64(shift)
            mixed *= np.uint64(factor)
        some = np.flatnonzero(genes[rows])
        if len(some):
            found[begin + some] = np.add.reduceat(mixed, counts.indptr[begin + some] - places.start)
    few = np.flatnonzero(genes < MANY_GENES)
    found[few] ^= pd.util.hash_array(barcodes[few].astype(object))
    return found


def repeats(adata: ad.AnnData) -> list[Notice]:
    """Return alarms of libraries that hold cells of another one.

    Parameters
    ----------
    adata
        Merged cells × genes, raw counts; obs names ``library:barcode``, obs column ``library``.

    Raises
    ------
    InputError
        Two libraries are the same cells under two names, a line each.
    """
    barcodes = adata.obs_names.str.partition(":").get_level_values(2).to_numpy(dtype=str)
    cells = pd.DataFrame(
        {"library": adata.obs["library"].astype(str).to_numpy(), "cell": fingerprints(counts_of(adata), barcodes)}
    ).drop_duplicates()
    size = cells["library"].value_counts()
    shared = cells[cells.duplicated("cell", keep=False)].groupby("cell")["library"].agg(lambda names: sorted(names))
    pairs = pd.Series([pair for names in shared for pair in combinations(names, 2)], dtype=object).value_counts()
    lines, notices = [], []
    for (first, second), n in labelled(pairs):
        smaller, larger = sorted((first, second), key=lambda name: (size[name], name))
        if n < min(FEWEST, size[smaller]):
            continue
        if n >= REFUSED_FROM * size[larger]:
            lines.append(
                f"libraries '{first}' and '{second}': {n:,} of {size[smaller]:,} and {size[larger]:,} myeloid cells are the same "
                "cells; one library under two names would count as two. Correct the sheet, or leave one out (include = no)"
            )
        else:
            text = (
                f"{n:,} of the {size[smaller]:,} myeloid cells of library {smaller} stand in library {larger} too, with the "
                "same counts, and count twice: is one a part of the other, or was a pool not taken apart?"
            )
            notices.append(Notice("same_cells_twice", Severity.ALARM, text))
    if lines:
        raise InputError("\n".join(lines))
    return notices
