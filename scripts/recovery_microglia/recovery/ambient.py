"""How much RNA floated into each library's microglia from outside, and which genes it brought.

As SoupX (Young and Behjati 2020, GigaScience 9:giaa151): genes that microglia do not make tell the share, the mean
profile of the library (or of its empty droplets) tells the genes. Nothing is subtracted from any count; the score
expects these counts instead. Where the cord bleeds, *Spp1* and *Gpnmb* of macrophages are in every droplet.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.arrays import Floats, Integers, Texts
from recovery_microglia.core.frame_access import positions
from recovery_microglia.core.genes import MYELOID, Signatures, present

FEW_FOREIGN = 30.0
"""Counts of foreign genes that there would be if all RNA were ambient; with fewer the share cannot be told."""
TOLERANCE = 1.2
"""A gene whose level in microglia is at most this many times what ambient RNA brings is foreign as well."""
PRIOR_COUNTS = 300.0
"""Weight of the data set's share in a library's own, in counts of foreign genes were all RNA ambient."""
TRIMMED = 0.05
"""Share of each library's cells, those with most foreign RNA, that are left out: doublets."""
MOST = 0.6
"""Largest share that is believed."""


def marker_columns_of_others(signatures: Signatures, genes: pd.Index) -> Integers:
    """Return the columns of the markers of cells that are no white blood cells; myelin, which is engulfed, not."""
    blood = {*MYELOID, "t_cell", "b_cell", "nk_cell"}
    markers = {g for name, s in signatures.lineages.items() if name not in blood for g in s.up}
    own = {g for name, s in signatures.lineages.items() if name in blood for g in s.up}
    myelin = {*signatures.technical["myelin"].up, *signatures.lineages["oligodendrocyte"].up}
    return positions(genes, present(sorted(markers - own - myelin), set(genes)))


def ambient_profiles(
    microglia: sp.csr_matrix, library: Texts, soup: pd.DataFrame, signatures: Signatures
) -> pd.DataFrame:
    """Return the ambient counts of each gene that a count of a microglia brings (genes × libraries).

    Markers of other cells give a first share over all libraries; every
    gene that microglia hold at hardly more than that share then tells the share of each library, drawn towards
    that of all where it has few such counts.

    Parameters
    ----------
    microglia
        Cells × genes, raw counts.
    library
        Library of each cell.
    soup
        Genes × libraries: the share of each gene in ambient RNA that is not of microglia. What they lose
        themselves is left out: it would take part of every rise of their own for ambient.
    signatures
        Marker sets of the lineages.
    """
    names = soup.columns.to_numpy(str)
    profile = soup.to_numpy(float)
    seen = np.array([np.asarray(microglia[library == name].sum(axis=0)).ravel() for name in names], float).T
    expected = profile * seen.sum(axis=0)  # what would be there, were all RNA ambient
    together, possible = seen.sum(axis=1), expected.sum(axis=1)
    first = _median_ratio(together, possible, marker_columns_of_others(signatures, pd.Index(soup.index)))
    foreign = (together <= TOLERANCE * first * possible) & (possible > 0)
    if first == 0 or possible[foreign].sum() < FEW_FOREIGN:
        return soup * 0.0
    size, rest = np.asarray(microglia.sum(axis=1)).ravel(), np.asarray(microglia[:, foreign].sum(axis=1)).ravel()
    carried, could = np.zeros(len(names)), np.zeros(len(names))
    for number, name in enumerate(names):
        own = np.flatnonzero(library == name)
        most = np.quantile(rest[own] / size[own], 1 - TRIMMED) if len(own) else 0.0
        own = own[rest[own] <= most * size[own]]
        carried[number], could[number] = rest[own].sum(), size[own].sum() * profile[foreign, number].sum()
    share = (carried + PRIOR_COUNTS * carried.sum() / could.sum()) / (could + PRIOR_COUNTS)
    return soup * np.minimum(share, MOST)


def _median_ratio(seen: Floats, expected: Floats, columns: Integers) -> float:
    """Return the median over genes of seen by expected counts, weighted by the latter; 0 where they are too few.

    A median, as one marker may be made by microglia after all, or abound in a few doublets.
    """
    own = columns[expected[columns] > 0]
    if expected[own].sum() < FEW_FOREIGN:
        return 0.0
    ratio, weight = seen[own] / expected[own], expected[own]
    order = np.argsort(ratio)
    return float(ratio[order][np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)])
