"""Whether the same cells stand under the names of several libraries, which would make several animals of one.

A file that was deposited or copied twice passes every check of its own: its cells are real, and an animal that is duplicated
agrees with itself. Only beside each other the libraries show it. The counts of a cell of some thousand molecules are as good
as a fingerprint: two cells never have the same ones by chance. Where one library was counted twice (another reference, introns with
it, decontaminated), the counts differ a little; then the barcodes are the same, and each cell is most like the one of its name.
"""

import re

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.anndata_access import counts_of
from recovery_microglia.core.arrays import Texts
from recovery_microglia.core.errors import InputError, Notice
from recovery_microglia.core.vocabulary import Severity

MANY_GENES = 50
"""Genes of a cell from which on its counts alone identify it; below (shallow cells, small panels) its barcode counts too."""
BLOCK = 2_000
"""Cells whose counts are mixed at once: bounds memory."""
FEWEST = 10
"""Cells in common that are no accident; of libraries with fewer, all."""
REFUSED_FROM = 0.5
"""Share of both libraries that makes them one; of one of them only, it is held in the other."""
OTHERS, MOST_ALIKE = 6, 0.9
"""Cells of other names with which each is compared, and share of the cells that are more like the one of their own name. Of plates, whose
wells are named alike, it is a seventh."""
COMPARED = 500
"""Cells of a pair of libraries, at most, whose counts are compared."""
_SEQUENCE = re.compile(r"[ACGTN]{12,}")
"""The part of a barcode that was sequenced: tools and people write more around it (``-1``, ``SNI_1_``)."""


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
    counts, library = counts_of(adata), adata.obs["library"].to_numpy(dtype=str)
    cells = pd.DataFrame({"library": library, "cell": fingerprints(counts, barcodes)}).drop_duplicates()
    size = cells["library"].value_counts()
    same = _pairs(cells["library"], cells["cell"])
    alike = {
        pair: n for pair, n in _of_one_name(counts, library, barcodes).items() if n > same.get(pair, 0)
    }  # of cells with the same counts more is known
    lines, notices = [], []
    for (first, second), n in {**same, **alike}.items():
        smaller, larger = sorted((first, second), key=lambda name: (size[name], name))
        if n < min(FEWEST, size[smaller]):
            continue
        counted = "nearly the same counts (counted twice, or decontaminated?)" if (first, second) in alike else ""
        if n >= REFUSED_FROM * size[larger]:
            how = f", by their barcodes and {counted}" if counted else ""
            lines.append(
                f"libraries '{first}' and '{second}': {n:,} of {size[smaller]:,} and {size[larger]:,} myeloid cells are the same "
                f"cells{how}; one library under two names would count as two. Correct the sheet, or leave one out (include = no)"
            )
        else:
            text = (
                f"{n:,} of the {size[smaller]:,} myeloid cells of library {smaller} stand in library {larger} too, with "
                f"{counted or 'the same counts'}, and count twice: is one a part of the other, or was a pool not taken apart?"
            )
            notices.append(Notice("same_cells_twice", Severity.ALARM, text))
    if lines:
        raise InputError("\n".join(lines))
    return notices


def _pairs(library: pd.Series, cell: pd.Series) -> dict[tuple[str, str], int]:
    """Return how many cells two libraries have in common, where they have any; each cell stands once in a library."""
    names, row = np.unique(library.to_numpy(), return_inverse=True)
    _, column = np.unique(cell.to_numpy(), return_inverse=True)
    there = sp.csr_matrix((np.ones(len(row), dtype=np.int64), (row, column)))
    shared = sp.triu(there @ there.T, k=1).tocoo()
    order = np.lexsort((shared.col, shared.row, -shared.data))
    return {(str(names[shared.row[k]]), str(names[shared.col[k]])): int(shared.data[k]) for k in order}


def _of_one_name(counts: sp.csr_matrix, library: Texts, barcodes: Texts) -> dict[tuple[str, str], int]:
    """Return for pairs of libraries how many cells have the same barcode, where these are most alike in their counts."""
    sequence = [match[0] if (match := _SEQUENCE.search(name)) else name for name in map(str, barcodes)]
    cells = pd.DataFrame({"library": library, "cell": sequence}).drop_duplicates(keep=False)
    size = cells["library"].value_counts()
    found: dict[tuple[str, str], int] = {}
    for (first, second), n in _pairs(cells["library"], cells["cell"]).items():
        if n < max(FEWEST, REFUSED_FROM * min(size[first], size[second])):
            continue
        one, other = (
            cells[cells["library"] == name].reset_index(names="row").set_index("cell")["row"]
            for name in (first, second)
        )
        rows = pd.concat([one, other], axis=1, join="inner").to_numpy()[:COMPARED]
        if _most_alike(counts[rows[:, 0]], counts[rows[:, 1]]) >= MOST_ALIKE:
            found[first, second] = n
    return found


def _most_alike(one: sp.csr_matrix, other: sp.csr_matrix) -> float:
    """Return the share of the rows of ``one`` that are more like their own row of ``other`` than like the next `OTHERS`.

    Likeness is the cosine of the roots of the counts (Bhattacharyya), which does not ask how deep a cell was sequenced.
    """
    roots = [matrix.astype(np.float64).sqrt() for matrix in (one, other)]
    length = [np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()) for matrix in roots]
    likeness = []
    for shift in range(OTHERS + 1):
        turned = np.roll(np.arange(other.shape[0]), -shift)
        product = np.asarray(roots[0].multiply(roots[1][turned]).sum(axis=1)).ravel()
        likeness.append(product / np.maximum(length[0] * length[1][turned], 1e-12))
    return float((likeness[0] > np.max(likeness[1:], axis=0)).mean())
