"""The gate: seeds, profiles, posterior and mixtures put together into one lineage a cell."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.arrays import Bools, Floats, Integers, Texts
from recovery_microglia.core.errors import Notice
from recovery_microglia.core.genes import MYELOID, Signatures, present
from recovery_microglia.core.kernels import group_sums, row_sums
from recovery_microglia.core.vocabulary import Severity
from recovery_microglia.library.lineage import markers
from recovery_microglia.library.lineage.evidence import DEEP, MeasuredCounts, scaled_down
from recovery_microglia.library.lineage.markers import BLOOD, Columns
from recovery_microglia.library.lineage.neighbours import MIN_CELLS, neighbours, pooled
from recovery_microglia.library.lineage.profiles import (
    AMBIENT_SHARE,
    lineage_profiles,
    mixture_gain,
    normalised,
    scores,
)

CONFIDENT, SURE = 0.9, 0.99
"""Probability that a named lineage needs, and a cell that profiles are learnt from."""
OWN_EVIDENCE, SURE_EVIDENCE = 0.0, 2.0
"""Evidence from the lineage's own markers that each of these needs besides."""
DRIFT = 1.0
"""How much more the markers of another lineage may say in a cell that a profile is learnt from."""
WHITE_NATS = 3.0
"""Log-likelihood ratio that the genes of all white blood cells and those of one lineage reach together in a cell of it."""
BULK = 200_000
"""Median counts from which a library is hardly one of single cells with UMIs."""
ONE_KIND, ONE_KIND_CELLS = 0.98, 20
"""Share of the cells that are of one lineage, and cells at least, from which a library is said to be of one kind."""
CONTRARY_MARKERS, CONTRARY_NATS = 3, 1.0
"""Markers of another myeloid lineage, and their lead, with which a cell whose profile is a microglia's is ambiguous."""
HALF_MARKERS, HALF_NATS = 3, 4.0
"""Markers of another myeloid lineage, and their evidence, with which it is ambiguous whatever microglia's markers say."""
CLEAR_LEUKOCYTE = 2.0
"""Evidence from which a cell is surely a white blood cell or microglia."""
MIXED_EVIDENCE = 1.0
"""Gain from which a cell is a doublet, in nats: e times likelier as two kinds than as one. Chosen on drawn scenarios."""
ROUNDS = 3
ALL_LEARN, ENOUGH = 10_000, 1_000
"""Cells of a library up to which profiles are learnt from all of them, and how many of a kind are enough above."""
MYELOID_ALTERNATIVES = ("infiltrating_macrophage", "border_macrophage", "dendritic_cell", "neutrophil")


@dataclass(frozen=True)
class LineageCall:
    """Lineage of each cell.

    Attributes
    ----------
    table
        One row a cell: lineage, lineage_confidence (0-1; NaN where no lineage is given), lineage_runner_up
        (for ``unassigned`` the likeliest lineage, for a doublet the second one in it).
    method
        ``counts``, ``sorted`` (the panel could not tell; taken from the sort) or ``none``.
    notices
        Remarks for the report.
    """

    table: pd.DataFrame
    method: str
    notices: list[Notice] = field(default_factory=list)


def can_judge(signatures: Signatures, genes: pd.Index) -> bool:
    """Return whether the genes can tell microglia from their relatives.

    At least three microglia markers, and three markers each of two or more of the myeloid alternatives.
    """
    here = set(genes)
    told = sum(len(present(signatures.lineages[n].up, here)) >= 3 for n in MYELOID_ALTERNATIVES)
    return len(present(signatures.lineages["microglia"].up, here)) >= 3 and told >= 2


def assign_lineage(
    counts: sp.csr_matrix,
    genes: pd.Index,
    signatures: Signatures,
    *,
    ambient: Floats | None = None,
    sort: str = "none",
    good: Bools | None = None,
) -> LineageCall:
    """Assign each cell of a library to a lineage.

    Parameters
    ----------
    counts
        Cells × genes, raw counts.
    genes
        Symbols of the columns.
    signatures
        Marker sets of the lineages, and the state genes that must not drive the gate.
    ambient
        Share of each gene in ambient RNA (summing to one); the library's mean profile if None.
    sort
        What the library was sorted for; used only where the genes cannot tell.
    good
        Cells that quality control keeps: these teach what each lineage looks like; all if None.

    Returns
    -------
    LineageCall
        A cell whose best lineage has less than 0.9 of the probability is ``ambiguous_myeloid`` (both
        candidates myeloid) or ``ambiguous``, as is a doublet of two kinds; one without evidence for its
        lineage is ``unassigned``.
    """
    if not can_judge(signatures, genes):
        return _not_judged(counts.shape[0], sort, len(genes))
    raw = row_sums(counts)
    counts = scaled_down(counts)
    weights = markers.gene_weights(signatures, genes)
    used = np.flatnonzero(weights > 0)  # from here on the genes that must not speak do not exist
    every, genes = genes, genes[used]
    heard, weights = MeasuredCounts(counts, used, good), weights[used]
    soup = heard.whole + 0.5 if ambient is None else ambient[used] + 1e-9
    background = AMBIENT_SHARE * soup / soup.sum() + 1e-7
    columns = markers.marker_columns(signatures, genes)
    # of all genes: some that all white blood cells have are genes of microglial states too
    whole = group_sums(counts, np.where(heard.good, 0, -1), 1)[0] + 0.5 if ambient is None else ambient + 1e-9
    leukocyte = markers.leukocyte_evidence(
        counts, every, signatures.leukocyte.up, row_sums(counts), AMBIENT_SHARE * whole / whole.sum() + 1e-7
    )
    shared = markers.shared_markers(signatures, genes, columns)
    roles = signatures.lineages["microglia"].roles
    myeloid = columns["microglia"][[roles[gene] == "myeloid" for gene in genes[columns["microglia"]]]]
    nats, contrary, two, own, possible = _evidence(heard, columns, background, weights, leukocyte, shared, myeloid)
    names = np.array(list(columns), dtype=object)
    alike = _alike(heard, nats, possible, names, columns)
    label, probability, profiles, around = _learn(heard, two, columns, background, weights, possible, alike)
    table = _settle(probability, own, list(columns), around, contrary)
    without_myelin = weights * ~genes.isin(signatures.technical["myelin"].up)  # microglia engulf it
    gain, second = mixture_gain(
        heard, label, probability.argmax(axis=1), profiles, without_myelin, np.isin(names, MYELOID)
    )
    doublet = (gain >= MIXED_EVIDENCE) & (table["lineage"] != "unassigned").to_numpy()
    table.loc[doublet, ["lineage", "lineage_confidence"]] = "ambiguous", np.nan
    table.loc[doublet, "lineage_runner_up"] = names[second[doublet]]
    return LineageCall(table, "counts", _remarks(table[heard.good], raw[heard.good]))


def _evidence(
    counts: MeasuredCounts,
    columns: Columns,
    background: Floats,
    weights: Floats,
    leukocyte: Floats,
    shared: Mapping[str, Bools],
    myeloid: Integers,
) -> tuple[Floats, Integers, Floats, Floats, Bools]:
    """Return the evidence in nats, what speaks against microglia (`_contrary`), the evidence that seeds need (two markers), that a named lineage needs, and which lineages a cell can be of.

    Tissue cells have few markers here and may be named by one; blood cells are rare and must show two. Without the genes
    of white blood cells a cell is none of them; microglia may show many markers of their own instead (nuclei hold less of
    those genes).
    """
    clear = leukocyte >= OWN_EVIDENCE
    nats, different, alone = markers.marker_evidence(counts, columns, background, weights, shared, clear, myeloid)
    evidence = markers.as_deviate(nats)
    two, one, many = (
        markers.enough_markers(evidence, different, n) for n in (markers.MIN_MARKERS, 1, markers.MANY_MARKERS)
    )
    names = np.array(list(columns), dtype=object)
    blood, microglia = np.isin(names, BLOOD), names == "microglia"
    white = blood | microglia
    # the genes of all white blood cells and the lineage's own together
    together = nats + np.nan_to_num(np.sign(leukocyte) * leukocyte**2 / 2)[:, None]
    enough = (together >= WHITE_NATS) & (different >= markers.MIN_MARKERS)
    possible = ~white | clear[:, None] | enough
    unknown = np.isnan(leukocyte)
    possible[unknown] = True
    two[np.ix_(unknown, blood)] = many[np.ix_(unknown, blood)]
    # one marker more than ambient RNA explains names a tissue cell; what its profile says decides
    own = np.where(blood, two, np.where(~white & (different > 0), np.inf, one))
    # A reactive microglia whose own markers are silent is still a leukocyte, and more like the other microglia
    # than like any other: its profile alone may tell it.
    own[leukocyte >= CLEAR_LEUKOCYTE, microglia] = np.inf
    two[~possible], own[~possible] = -np.inf, -np.inf
    return nats, _contrary(nats, different, alone, names), two, own, possible


def _remarks(table: pd.DataFrame, total: Integers) -> list[Notice]:
    """Return what must be said of a library of bulk profiles, or of one kind of cell only."""
    found = []
    if np.median(total) >= BULK:
        text = (
            f"The median cell has {np.median(total):,.0f} counts: bulk profiles, pooled cells, or reads instead of UMIs? "
            f"Lineages are named from counts scaled down to {DEEP:,}."
        )
        found.append(Notice("bulk_profiles", Severity.WARNING, text))
    kinds = table["lineage"].value_counts()
    n = int(kinds.iloc[0])
    if len(table) >= ONE_KIND_CELLS and n >= ONE_KIND * len(table) and kinds.index[0] != "unassigned":
        text = (
            f"{n} of {len(table)} cells are of one lineage ({str(kinds.index[0]).replace('_', ' ')}): ambient RNA of other "
            "cells, and doublets of two kinds, cannot be estimated in this library."
        )
        found.append(Notice("one_lineage", Severity.INFO, text))
    return found


@dataclass(frozen=True)
class _Alike:
    """White blood cells, the nearest cells of each, and the evidence of all cells, theirs pooled over these (nats)."""

    cells: Integers
    near: Integers
    nats: Floats


def _alike(counts: MeasuredCounts, nats: Floats, possible: Bools, names: Texts, columns: Columns) -> _Alike:
    white = np.isin(names, (*BLOOD, "microglia"))
    cells = np.flatnonzero(counts.good & possible[:, white].any(axis=1))
    if len(cells) < MIN_CELLS:
        return _Alike(cells[:0], np.zeros((0, 1), dtype=np.int64), nats)
    used = np.unique(np.concatenate([columns[name] for name in names[white]]))
    near = neighbours(counts, cells, used)
    return _Alike(cells, near, pooled(nats, cells, near))


def _learn(
    counts: MeasuredCounts,
    evidence: Floats,
    columns: Columns,
    background: Floats,
    weights: Floats,
    possible: Bools,
    alike: _Alike,
) -> tuple[Integers, Floats, Floats, Floats]:
    """Return the lineage number of the confident cells (else -1), the probabilities and the profiles.

    A cell teaches the profile of a lineage only where the markers known beforehand speak for that lineage at least as
    much as for any other: a profile cannot drift to cells that merely resemble it.
    """
    label = markers.seeds(evidence)
    white = np.isin(list(columns), (*BLOOD, "microglia"))
    amid = markers.pooled_seeds(alike.nats[alike.cells], evidence[alike.cells], white)
    label[alike.cells] = np.where(label[alike.cells] >= 0, label[alike.cells], amid)
    label[~counts.good] = -1
    stands_for = np.ones(len(label))
    everyone = np.arange(len(label))
    some, weight = _learners(evidence, np.flatnonzero(counts.good))
    for cells in [*[some] * (ROUNDS - 1), everyone]:
        profiles = lineage_profiles(counts, label, columns, background)
        labelled = label >= 0
        share = np.bincount(label[labelled], stands_for[labelled], minlength=len(columns)) + 0.5
        score = np.where(possible[cells], scores(counts, profiles, weights, share / share.sum(), cells), -np.inf)
        probability = normalised(score)
        best = probability.argmax(axis=1)
        told = evidence[cells, best]
        sure = (probability.max(axis=1) >= SURE) & (told >= SURE_EVIDENCE)
        sure &= counts.good[cells]
        sure &= alike.nats[cells, best] >= alike.nats[cells].max(axis=1) - DRIFT
        label = np.full(len(label), -1)
        label[cells[sure]] = best[sure]
        stands_for = weight
    around = normalised(pooled(np.maximum(score, -1e3), alike.cells, alike.near))
    return label, probability, profiles, around


def _contrary(nats: Floats, different: Integers, alone: Floats, names: Texts) -> Integers:
    """Return the other myeloid lineage that speaks against a cell being a microglia, -1 for none.

    One with several markers of its own and more evidence than microglia have, or one whose own markers alone are clear
    evidence, whatever those of microglia say: the cell is half of each.
    """
    other = np.isin(names, [name for name in MYELOID if name != "microglia"])
    microglia = nats[:, names == "microglia"].max(axis=1, initial=-np.inf)[:, None]
    against = other & (different >= CONTRARY_MARKERS) & (nats >= microglia + CONTRARY_NATS)
    # of macrophages only: MHC-II and border genes are clear in reactive microglia and those of pups too
    infiltrating = np.isin(names, ["infiltrating_macrophage", "monocyte"])
    against |= infiltrating & (different >= HALF_MARKERS) & (alone >= HALF_NATS)
    return np.where(against.any(axis=1), np.where(against, nats, -np.inf).argmax(axis=1), -1)


def _learners(evidence: Floats, cells: Integers) -> tuple[Integers, Floats]:
    """Return the cells that profiles are learnt from, and how many cells each of the library stands for.

    All of ``cells``; in a large library `ENOUGH` of those that the markers say most for one lineage, so that a rare
    lineage keeps all of its cells.
    """
    weight = np.ones(len(evidence))
    if len(cells) <= ALL_LEARN:
        return cells, weight
    rng = np.random.default_rng(1)
    kind = evidence[cells].argmax(axis=1)
    chosen = []
    for number in np.unique(kind):
        own = cells[kind == number]
        chosen.append(rng.permutation(own)[:ENOUGH])
        weight[own] = len(own) / len(chosen[-1])
    return np.sort(np.concatenate(chosen)), weight


def _settle(probability: Floats, own: Floats, names: list[str], around: Floats, contrary: Integers) -> pd.DataFrame:
    """Turn probabilities into a lineage, its confidence and the runner-up."""
    order = np.argsort(-probability, axis=1, kind="stable")
    best, second = order[:, 0], order[:, 1]
    rows = np.arange(len(best))
    word = np.array(names, dtype=object)
    myeloid = np.isin(names, MYELOID)
    lineage, confidence, runner_up = word[best], probability[rows, best].copy(), word[second]
    unsure = confidence < CONFIDENT
    lineage[unsure] = np.where(myeloid[best] & myeloid[second], "ambiguous_myeloid", "ambiguous")[unsure]
    amid = around.argmax(axis=1)
    foreign = ~unsure & (word[best] == "microglia") & myeloid[amid] & (amid != best)
    lineage[foreign], confidence[foreign], runner_up[foreign] = "ambiguous_myeloid", np.nan, word[amid][foreign]
    against = ~unsure & ~foreign & (word[best] == "microglia") & (contrary >= 0)
    lineage[against], confidence[against] = "ambiguous_myeloid", np.nan
    runner_up[against] = word[contrary[against]]
    # a profile match alone is not enough: the lineage's own markers must speak too
    silent = own[rows, best] < OWN_EVIDENCE
    lineage[silent], confidence[silent], runner_up[silent] = "unassigned", np.nan, word[best][silent]
    columns = {"lineage": lineage.astype(str), "lineage_confidence": confidence}
    return pd.DataFrame({**columns, "lineage_runner_up": runner_up.astype(str)})


def _not_judged(n: int, sort: str, n_genes: int) -> LineageCall:
    """Return the answer of a panel that cannot tell: the sort's, or none."""
    told = "microglia" if sort == "microglia" else "unassigned"
    table = pd.DataFrame({"lineage": [told] * n, "lineage_confidence": np.nan, "lineage_runner_up": ""})
    if sort == "microglia":
        text = (
            f"The {n_genes} genes measured cannot tell microglia from other myeloid cells. "
            "All cells are taken as microglia because the library was sorted for microglia."
        )
        return LineageCall(table, "sorted", [Notice("lineage_from_sort", Severity.WARNING, text)])
    text = f"The {n_genes} genes measured cannot tell microglia from other cells; no lineage is given."
    return LineageCall(table, "none", [Notice("lineage_not_judged", Severity.ALARM, text)])


def many_macrophages(table: pd.DataFrame, *, injury_class: str, limit: float = 0.1) -> Notice | None:
    """Return an alarm where macrophages are many after a peripheral nerve injury.

    Monocytes do not enter the dorsal horn after peripheral nerve injury (Kohno 2022), so infiltrating
    macrophages above ``limit`` of the myeloid cells point to blood in the sample, or to a wrong call.
    """
    n = int(table["lineage"].isin(MYELOID).sum())
    macrophages = int(table["lineage"].isin(["infiltrating_macrophage", "monocyte"]).sum())
    if injury_class != "peripheral_nerve" or n < 30 or macrophages <= limit * n:
        return None
    text = (
        f"{macrophages} of {n} myeloid cells ({macrophages / n:.0%}) look like infiltrating macrophages. "
        "After a peripheral nerve injury they do not enter the cord: look for blood, or a wrong injury_class."
    )
    return Notice("many_macrophages", Severity.ALARM, text)
