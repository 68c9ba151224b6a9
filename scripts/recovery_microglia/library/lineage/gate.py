"""The gate: seeds, profiles, posterior and mixtures put together into one lineage a cell."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.arrays import Floats, Integers
from recovery_microglia.core.errors import Notice
from recovery_microglia.core.genes import MYELOID, Signatures, present
from recovery_microglia.core.vocabulary import Severity
from recovery_microglia.library.lineage import markers
from recovery_microglia.library.lineage.evidence import MeasuredCounts
from recovery_microglia.library.lineage.markers import BLOOD, Columns
from recovery_microglia.library.lineage.profiles import AMBIENT_SHARE, lineage_profiles, mixture_gain, posterior

CONFIDENT, SURE = 0.9, 0.99
"""Probability that a named lineage needs, and a cell that profiles are learnt from."""
OWN_EVIDENCE, SURE_EVIDENCE = 0.0, 2.0
"""Evidence from the lineage's own markers that each of these needs besides."""
CLEAR_LEUKOCYTE = 2.0
"""Evidence from which a cell is surely a white blood cell or microglia."""
MIXED_EVIDENCE = 2.0
"""Gain from which a cell is a doublet; single microglia stayed below 0 in the demo, 99 % below in GSE111527."""
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

    Returns
    -------
    LineageCall
        A cell whose best lineage has less than 0.9 of the probability is ``ambiguous_myeloid`` (both
        candidates myeloid) or ``ambiguous``, as is a doublet of two kinds; one without evidence for its
        lineage is ``unassigned``.
    """
    if not can_judge(signatures, genes):
        return _not_judged(counts.shape[0], sort, len(genes))
    weights = markers.gene_weights(signatures, genes)
    used = np.flatnonzero(weights > 0)  # from here on the genes that must not speak do not exist
    heard, genes, weights = MeasuredCounts(counts, used), genes[used], weights[used]
    soup = heard.whole + 0.5 if ambient is None else ambient[used] + 1e-9
    background = AMBIENT_SHARE * soup / soup.sum() + 1e-7
    columns = markers.marker_columns(signatures, genes)
    leukocyte = markers.leukocyte_evidence(heard, genes, background)
    two, own = _evidence(heard, columns, background, weights, leukocyte)
    label, probability, profiles = _learn(heard, two, columns, background, weights)
    table = _settle(probability, own, list(columns))
    without_myelin = weights * ~genes.isin(signatures.technical["myelin"].up)  # microglia engulf it
    names = np.array(list(columns), dtype=object)
    gain, second = mixture_gain(
        heard, label, probability.argmax(axis=1), profiles, without_myelin, np.isin(names, MYELOID)
    )
    doublet = (gain >= MIXED_EVIDENCE) & (table["lineage"] != "unassigned").to_numpy()
    table.loc[doublet, ["lineage", "lineage_confidence"]] = "ambiguous", np.nan
    table.loc[doublet, "lineage_runner_up"] = names[second[doublet]]
    return LineageCall(table, "counts")


def _evidence(
    counts: MeasuredCounts, columns: Columns, background: Floats, weights: Floats, leukocyte: Floats
) -> tuple[Floats, Floats]:
    """Return the evidence that seeds need (two markers), and the evidence that a named lineage needs.

    Tissue cells have few markers here and may be named by one; blood cells are rare and must show two, and
    more where nothing else says that they are white blood cells.
    """
    deviate, different = markers.marker_deviates(counts, columns, background, weights)
    two, one, many = (
        markers.enough_markers(deviate, different, n) for n in (markers.MIN_MARKERS, 1, markers.MANY_MARKERS)
    )
    names = np.array(list(columns))
    blood, white = np.isin(names, BLOOD), np.isin(names, (*BLOOD, "microglia"))
    doubtful = np.ix_(leukocyte < OWN_EVIDENCE, white)  # never, where leukocyte genes are absent (NaN)
    two[doubtful], one[doubtful] = many[doubtful], many[doubtful]
    own = np.where(blood, two, one)
    # A reactive microglia whose own markers are silent is still a leukocyte, and more like the other microglia
    # than like any other: its profile alone may tell it.
    own[leukocyte >= CLEAR_LEUKOCYTE, names == "microglia"] = np.inf
    return two, own


def _learn(
    counts: MeasuredCounts, evidence: Floats, columns: Columns, background: Floats, weights: Floats
) -> tuple[Integers, Floats, Floats]:
    """Return the lineage number of the confident cells (else -1), the probabilities and the profiles."""
    label = markers.seeds(evidence)
    stands_for = np.ones(len(label))
    everyone = np.arange(len(label))
    some, weight = _learners(evidence)
    for cells in [*[some] * (ROUNDS - 1), everyone]:
        profiles = lineage_profiles(counts, label, columns, background)
        labelled = label >= 0
        share = np.bincount(label[labelled], stands_for[labelled], minlength=len(columns)) + 0.5
        probability = posterior(counts, profiles, weights, share / share.sum(), cells)
        best = probability.argmax(axis=1)
        sure = (probability.max(axis=1) >= SURE) & (evidence[cells, best] >= SURE_EVIDENCE)
        label = np.full(len(label), -1)
        label[cells[sure]] = best[sure]
        stands_for = weight
    return label, probability, profiles


def _learners(evidence: Floats) -> tuple[Integers, Floats]:
    """Return the cells that profiles are learnt from, and how many cells each of the library stands for.

    All of them; in a large library `ENOUGH` of those that the markers say most for one lineage, so that a rare
    lineage keeps all of its cells.
    """
    n = len(evidence)
    cells, weight = np.arange(n), np.ones(n)
    if n <= ALL_LEARN:
        return cells, weight
    rng = np.random.default_rng(1)
    kind = evidence.argmax(axis=1)
    chosen = []
    for number in np.unique(kind):
        own = cells[kind == number]
        chosen.append(rng.permutation(own)[:ENOUGH])
        weight[own] = len(own) / len(chosen[-1])
    return np.sort(np.concatenate(chosen)), weight


def _settle(probability: Floats, own: Floats, names: list[str]) -> pd.DataFrame:
    """Turn probabilities into a lineage, its confidence and the runner-up."""
    order = np.argsort(-probability, axis=1, kind="stable")
    best, second = order[:, 0], order[:, 1]
    rows = np.arange(len(best))
    word = np.array(names, dtype=object)
    myeloid = np.isin(names, MYELOID)
    lineage, confidence, runner_up = word[best], probability[rows, best].copy(), word[second]
    unsure = confidence < CONFIDENT
    lineage[unsure] = np.where(myeloid[best] & myeloid[second], "ambiguous_myeloid", "ambiguous")[unsure]
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
