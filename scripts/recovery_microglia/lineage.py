"""What kind of cell each cell of a library is, from its counts, without seeing other libraries (floor 3).

A naive-Bayes gate that learns the library's own profiles:

1. *Seeds.* For each lineage the counts of its marker genes are compared with what ambient RNA explains at the
   cell's depth (signed root of the Poisson deviance). Cells with clear evidence for one lineage, from two of
   its genes at least, are seeds.
2. *Profiles.* The seeds' expression gives the lineage's profile in this library. It is shrunk towards a prior
   built from related cells and the marker genes, so that a lineage of two cells has a profile too.
3. *Posterior.* Each cell's counts under each profile (Poisson, damped) give the probability of each
   lineage; confident cells re-estimate the profiles once.
4. *Mixtures.* A myeloid cell that two profiles explain far better than one is a doublet that Scrublet missed;
   a little of another cell's RNA (ambient, engulfed) is no reason.

Genes that microglia raise or lose in any state (recovery, context, inflammatory, interferon, cycling, stress)
do not take part: a reactive microglia must not look like a macrophage because both are activated. A single
gene contributes a bounded amount of evidence only, and MHC-II genes a fifth of it.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.errors import Notice
from recovery_microglia.genes import MYELOID, Signatures, present

Floats = NDArray[np.float64]

AMBIENT_SHARE = 0.08
"""Ambient share assumed where empty droplets were not seen; typical of 10x tissue (SoupX: 2-10 %)."""
SEED_EVIDENCE, SEED_MARGIN = 3.5, 2.0
"""Evidence (a z-like number) that a seed needs for its lineage, and its lead over the next lineage."""
MAX_LOG_RATIO = np.log(20)
MAX_COUNT = 3
DAMPING = 0.5
"""Genes are not independent given the lineage: halving the log-likelihood keeps the posterior modest."""
MIN_MARKERS = 2
"""Marker genes that a blood cell must show: *Tcf4* or *Fscn1* alone make no dendritic cell of a neuron."""
MANY_MARKERS = 4
"""Marker genes that stand in for the genes of all white blood cells."""
PRIOR_COUNTS = 4_000
"""Weight of the prior profile, in counts: as much as two or three cells."""
CONFIDENT = 0.9
BLOOD = (*(name for name in MYELOID if name != "microglia"), "t_cell", "nk_cell", "b_cell")
LEUKOCYTE = (
    *("Ptprc", "Laptm5", "Fcer1g", "Lcp1", "Cd53", "Coro1a", "Rac2", "Spi1", "Cd37", "Ctss"),
    *("Arhgdib", "Cd52", "Itgb2", "Cybb", "Fyb", "Fyb1", "Cytip", "Alox5ap", "Srgn"),
)
"""Genes of all white blood cells and microglia. A cell without them is none of these, whatever else it shows:
*S100a4* and *S100a6* mark macrophages here, and a kind of astrocyte elsewhere (seen in GSE111527)."""
MIN_LEUKOCYTE_GENES = 4
CLEAR_LEUKOCYTE = 2.0
"""Evidence from which a cell is surely one of these."""
MIXED_SHARES, PURE_SHARES = (0.35, 0.5, 0.65), (0.0, 0.1, 0.2)
"""Shares of a second lineage's RNA that mean a doublet, and those that ambient or engulfed RNA may reach."""
MIXED_EVIDENCE = 2.0
"""Log-likelihood that a doublet must gain over a cell with ambient RNA, damped."""
MIN_LABELLED = 5
"""Cells that a profile rests on before it is asked to explain half a doublet."""
MYELOID_ALTERNATIVES = ("infiltrating_macrophage", "border_macrophage", "dendritic_cell", "neutrophil")


@dataclass(frozen=True)
class LineageCall:
    """Lineage of each cell.

    Attributes
    ----------
    table
        One row a cell: lineage, lineage_confidence (0-1), lineage_runner_up.
    method
        ``counts``, ``sorted`` (the panel could not tell; taken from the sort) or ``none``.
    notices
        Remarks for the report.
    """

    table: pd.DataFrame
    method: str
    notices: list[Notice] = field(default_factory=list)


def _marker_columns(signatures: Signatures, genes: pd.Index) -> dict[str, NDArray[np.int64]]:
    """Return the columns of each lineage's markers, for lineages with at least two (or all) of them."""
    found = {}
    for name, markers in signatures.lineages.items():
        here = present(markers.up, set(genes))
        if len(here) >= min(2, len(markers.up)):
            found[name] = genes.get_indexer(here)
    return found


def _gene_weights(signatures: Signatures, genes: pd.Index) -> Floats:
    """Return the weight of each gene: 0 for genes of microglial states, 0.2 for MHC-II, else 1."""
    weights = np.ones(len(genes))
    markers = {gene for marker_set in signatures.lineages.values() for gene in marker_set.up}
    states = {gene for state, genes_ in signatures.states.items() if state != "homeostatic" for gene in genes_.up}
    shared = set(signatures.recovery.up) | set(signatures.context.up) | states
    technical = {gene for s in signatures.technical.values() for gene in s.up}
    # Serpine2 and Cadm1 mark microglia and rise in recovery: both say microglia, so they may speak.
    blocked = (shared - set(signatures.lineages["microglia"].up)) | (technical - markers)
    for column, gene in enumerate(genes):
        if gene in blocked or gene.startswith(("mt-", "Rpl", "Rps", "MT-")) or gene in ("Malat1", "Xist"):
            weights[column] = 0.0
    for marker_set in signatures.lineages.values():
        for gene, role in marker_set.roles.items():
            if role == "mhc2" and gene in genes:
                weights[genes.get_loc(gene)] = 0.2
    return weights


def marker_evidence(
    counts: sp.csr_matrix,
    columns: dict[str, NDArray[np.int64]],
    background: Floats,
    weights: Floats,
    *,
    min_markers: int = MIN_MARKERS,
) -> Floats:
    """Return the evidence for each lineage in each cell (cells × lineages), in units of a normal deviate.

    Signed root of the Poisson deviance of the marker counts against ``background`` at the cell's depth. A
    gene counts `MAX_COUNT` at most, and fewer than ``min_markers`` different genes are no evidence.
    """
    total = np.asarray(counts.sum(axis=1)).ravel()
    evidence = np.zeros((counts.shape[0], len(columns)))
    for number, chosen in enumerate(columns.values()):
        used = chosen[weights[chosen] > 0]
        part = counts[:, used].astype(np.float64)
        part.data = np.minimum(part.data, MAX_COUNT)
        seen = part @ weights[used]
        expected = np.maximum(_capped_mean(total[:, None] * background[used]) @ weights[used], 0.02)
        with np.errstate(divide="ignore", invalid="ignore"):
            deviance = 2 * (np.where(seen > 0, seen * np.log(seen / expected), 0) - (seen - expected))
        root = np.sign(seen - expected) * np.sqrt(np.maximum(deviance, 0))
        different = np.diff(part.indptr)
        evidence[:, number] = np.where(different >= min_markers, root, np.minimum(root, 0))
    return evidence


def _capped_mean(mean: Floats) -> Floats:
    """Return the mean of a Poisson count that is cut at `MAX_COUNT`: the sum of P(X >= k) for k up to there."""
    term, below, capped = np.exp(-mean), np.zeros_like(mean), np.zeros_like(mean)
    for k in range(MAX_COUNT):
        below += term
        capped += 1 - below
        term = term * mean / (k + 1)
    return capped


def _leukocyte_evidence(counts: sp.csr_matrix, genes: pd.Index, background: Floats) -> Floats:
    """Return the evidence that a cell is a white blood cell or microglia; infinite where the genes are absent."""
    columns = genes.get_indexer(present(LEUKOCYTE, set(genes)))
    if len(columns) < MIN_LEUKOCYTE_GENES:
        return np.full(counts.shape[0], np.inf)
    return marker_evidence(counts, {"": columns}, background, np.ones(len(genes)), min_markers=1)[:, 0]


def _seeds(evidence: Floats) -> NDArray[np.int64]:
    """Return the lineage number of each clear cell, -1 for the others."""
    order = np.sort(evidence, axis=1)
    best = evidence.argmax(axis=1)
    lead = order[:, -1] - order[:, -2] if evidence.shape[1] > 1 else order[:, -1]
    return np.where((order[:, -1] >= SEED_EVIDENCE) & (lead >= SEED_MARGIN), best, -1)


def _profiles(
    counts: sp.csr_matrix, label: NDArray[np.int64], columns: dict[str, NDArray[np.int64]], background: Floats
) -> Floats:
    """Return the profile of each lineage (lineages × genes, rows summing to one)."""
    names = list(columns)
    sums = np.zeros((len(names), counts.shape[1]))
    for number in range(len(names)):
        sums[number] = np.asarray(counts[label == number].sum(axis=0)).ravel()
    whole = np.asarray(counts.sum(axis=0)).ravel() + 0.5
    myeloid = np.array([name in MYELOID for name in names])
    profiles = np.empty_like(sums)
    for number, name in enumerate(names):
        relatives = sums[myeloid].sum(axis=0) if myeloid[number] else np.zeros(counts.shape[1])
        prior = relatives + whole * (relatives.sum() * 0.02 + 1) / whole.sum() + 1e-3
        prior = _marked(prior / prior.sum(), name, columns, background)
        total = sums[number] + PRIOR_COUNTS * prior
        profiles[number] = total / total.sum()
    return (1 - AMBIENT_SHARE) * profiles + AMBIENT_SHARE * background / background.sum()


def _marked(prior: Floats, name: str, columns: dict[str, NDArray[np.int64]], background: Floats) -> Floats:
    """Return the prior with the lineage's markers raised and those of the others at ambient level."""
    own = columns[name]
    others = np.setdiff1d(np.concatenate([c for n, c in columns.items() if n != name] or [own]), own)
    marked = prior.copy()
    marked[others] = np.minimum(marked[others], background[others])
    # a cell that is clearly of a lineage has a marker count about every thousand counts, for each marker
    marked[own] = np.maximum(marked[own], 1e-3)
    return np.asarray(marked / marked.sum())


def _informative(profiles: Floats, weights: Floats, depth: float) -> NDArray[np.int64]:
    """Return the genes that tell lineages apart: expressed in one, and well above the mean there."""
    mean = profiles.mean(axis=0)
    high = profiles.max(axis=0)
    return np.flatnonzero((weights > 0) & (high > 3 * mean / 2) & (high * depth > 0.05))


def _posterior(counts: sp.csr_matrix, profiles: Floats, weights: Floats, share: Floats) -> Floats:
    """Return the probability of each lineage for each cell (cells × lineages)."""
    depth = float(np.median(np.asarray(counts.sum(axis=1)))) if counts.shape[0] else 0.0
    used = _informative(profiles, weights, depth)
    part = counts[:, used].astype(np.float64)
    total = np.asarray(counts.sum(axis=1)).ravel()
    part.data = np.minimum(part.data, MAX_COUNT)
    log_profile = np.log(profiles[:, used])
    ratio = np.clip(log_profile - log_profile.mean(axis=0), -MAX_LOG_RATIO, MAX_LOG_RATIO) * weights[used]
    # Poisson: what a lineage expects and the cell lacks counts against it, bounded as counts are
    expected = np.minimum(profiles[:, used], MAX_COUNT / max(depth, 1.0)) @ weights[used]
    log_likelihood = part @ ratio.T - total[:, None] * (expected - expected.mean())
    score = DAMPING * log_likelihood + np.log(share)
    score -= score.max(axis=1, keepdims=True)
    likelihood = np.exp(score)
    return np.asarray(likelihood / likelihood.sum(axis=1, keepdims=True))


def _mixed(
    counts: sp.csr_matrix,
    best: NDArray[np.int64],
    label: NDArray[np.int64],
    profiles: Floats,
    weights: Floats,
    myeloid: NDArray[np.bool_],
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the evidence that a cell is a doublet of a myeloid and another cell, and the second lineage.

    Doublets within the myeloid cells are not looked for: a reactive microglia lies between the two as well.
    """
    known = np.bincount(label[label >= 0], minlength=len(profiles)) >= MIN_LABELLED
    depth = float(np.median(np.asarray(counts.sum(axis=1))))
    used = _informative(profiles, weights, depth)
    part = counts[:, used].astype(np.float64)
    total = np.asarray(counts.sum(axis=1)).ravel()
    part.data = np.minimum(part.data, MAX_COUNT)
    gain, second = np.full(len(best), -np.inf), best.copy()
    for first in np.unique(best):
        rows = np.flatnonzero(best == first)
        for other in np.flatnonzero(known & (myeloid != myeloid[first])):
            likelihood = {}
            for share in (*PURE_SHARES, *MIXED_SHARES):
                mean = (1 - share) * profiles[first, used] + share * profiles[other, used]
                expected = np.minimum(mean, MAX_COUNT / max(depth, 1.0)) @ weights[used]
                likelihood[share] = part[rows] @ (np.log(mean) * weights[used]) - total[rows] * expected
            mixed, pure = (np.max([likelihood[s] for s in shares], axis=0) for shares in (MIXED_SHARES, PURE_SHARES))
            better = DAMPING * (mixed - pure) > gain[rows]
            gain[rows[better]] = DAMPING * (mixed - pure)[better]
            second[rows[better]] = other
    return gain, second


def can_judge(signatures: Signatures, genes: pd.Index) -> bool:
    """Return whether the genes can tell microglia from their relatives.

    At least three microglia markers, and three markers each of two or more of the myeloid alternatives.
    """
    here = set(genes)
    told = sum(len(present(signatures.lineages[n].up, here)) >= 3 for n in MYELOID_ALTERNATIVES)
    return len(present(signatures.lineages["microglia"].up, here)) >= 3 and told >= 2


def _not_judged(n: int, sort: str, n_genes: int) -> LineageCall:
    if sort == "microglia":
        table = pd.DataFrame({"lineage": ["microglia"] * n, "lineage_confidence": np.nan, "lineage_runner_up": ""})
        text = (
            f"The {n_genes} genes measured cannot tell microglia from other myeloid cells. "
            "All cells are taken as microglia because the library was sorted for microglia."
        )
        return LineageCall(table, "sorted", [Notice("lineage_from_sort", "warning", text)])
    table = pd.DataFrame({"lineage": ["unassigned"] * n, "lineage_confidence": np.nan, "lineage_runner_up": ""})
    text = f"The {n_genes} genes measured cannot tell microglia from other cells; no lineage is given."
    return LineageCall(table, "none", [Notice("lineage_not_judged", "alarm", text)])


def assign_lineage(
    counts: sp.csr_matrix,
    genes: pd.Index,
    signatures: Signatures,
    *,
    ambient: Floats | None = None,
    sort: str = "none",
    rounds: int = 3,
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
    rounds
        Times that profiles are re-estimated.

    Returns
    -------
    LineageCall
        A cell whose best lineage has less than 0.9 of the probability is ``ambiguous_myeloid`` (both
        candidates myeloid) or ``ambiguous``; one without evidence for its lineage is ``unassigned``.
    """
    if not can_judge(signatures, genes):
        return _not_judged(counts.shape[0], sort, len(genes))
    weights = _gene_weights(signatures, genes)
    used = np.flatnonzero(weights > 0)  # from here on the genes that must not speak do not exist
    counts, genes, weights = counts[:, used], genes[used], weights[used]
    columns = _marker_columns(signatures, genes)
    whole = np.asarray(counts.sum(axis=0)).ravel() + 0.5
    soup = whole if ambient is None else ambient[used] + 1e-9
    background = AMBIENT_SHARE * soup / soup.sum() + 1e-7
    names = list(columns)
    myeloid = np.array([name in MYELOID for name in names])
    white = np.array([name in BLOOD or name == "microglia" for name in names])
    leukocyte = _leukocyte_evidence(counts, genes, background)
    evidence = marker_evidence(counts, columns, background, weights)
    # Tissue cells have few markers here and may show one; blood cells are rare and must show two, or more if
    # nothing else says that they are white blood cells.
    one = marker_evidence(counts, columns, background, weights, min_markers=1)
    many = marker_evidence(counts, columns, background, weights, min_markers=MANY_MARKERS)
    doubtful = np.ix_(leukocyte < 1.0, white)
    evidence[doubtful], one[doubtful] = many[doubtful], many[doubtful]
    label = _seeds(evidence)
    posterior = np.zeros_like(evidence)
    for _ in range(rounds):
        profiles = _profiles(counts, label, columns, background)
        share = np.bincount(label[label >= 0], minlength=len(columns)) + 0.5
        posterior = _posterior(counts, profiles, weights, share / share.sum())
        best = posterior.argmax(axis=1)
        sure = (posterior.max(axis=1) >= 0.99) & (evidence[np.arange(len(best)), best] >= 2)
        label = np.where(sure, best, -1)
    blood = np.array([name in BLOOD for name in names])
    own = np.where(blood, evidence, one)
    # A reactive microglia whose own markers are silent is still a leukocyte, and more like the other microglia
    # than like any other: its profile alone may tell it.
    own[(leukocyte >= CLEAR_LEUKOCYTE) & np.isfinite(leukocyte), names.index("microglia")] = np.inf
    table = _settle(posterior, own, names)
    without_myelin = weights * ~genes.isin(signatures.technical["myelin"].up)
    gain, second = _mixed(counts, posterior.argmax(axis=1), label, profiles, without_myelin, myeloid)
    doublet = (gain >= MIXED_EVIDENCE) & (table["lineage"] != "unassigned").to_numpy()
    table.loc[doublet, "lineage"] = "ambiguous"
    table.loc[doublet, "lineage_runner_up"] = np.asarray(names, dtype=object)[second[doublet]]
    return LineageCall(table, "counts")


def _settle(posterior: Floats, evidence: Floats, names: list[str]) -> pd.DataFrame:
    """Turn probabilities into a lineage, its confidence and the runner-up."""
    order = np.argsort(-posterior, axis=1, kind="stable")
    best, second = order[:, 0], order[:, 1]
    rows = np.arange(len(best))
    word = np.asarray(names, dtype=object)
    myeloid = np.array([name in MYELOID for name in names])
    lineage = word[best].copy()
    unsure = posterior[rows, best] < CONFIDENT
    lineage[unsure] = np.where(myeloid[best] & myeloid[second], "ambiguous_myeloid", "ambiguous")[unsure]
    # a profile match alone is not enough: the lineage's own markers must speak too
    lineage[evidence[rows, best] < 1.0] = "unassigned"
    table = {"lineage": lineage.astype(str), "lineage_confidence": posterior[rows, best]}
    return pd.DataFrame({**table, "lineage_runner_up": word[second].astype(str)})


def many_macrophages(table: pd.DataFrame, *, injury_class: str, limit: float = 0.1) -> Notice | None:
    """Return an alarm where macrophages are many after a peripheral nerve injury.

    Monocytes do not enter the dorsal horn after peripheral nerve injury (Kohno 2022), so infiltrating
    macrophages above ``limit`` of the myeloid cells point to blood in the sample, or to a wrong call.
    """
    myeloid = table["lineage"].isin(MYELOID)
    n, macrophages = (
        int(myeloid.sum()),
        int((table["lineage"].isin(["infiltrating_macrophage", "monocyte"])).sum()),
    )
    if injury_class != "peripheral_nerve" or n < 30 or macrophages <= limit * n:
        return None
    text = (
        f"{macrophages} of {n} myeloid cells ({macrophages / n:.0%}) look like infiltrating macrophages. "
        "After a peripheral nerve injury they do not enter the cord: look for blood, or a wrong injury_class."
    )
    return Notice("many_macrophages", "alarm", text)
