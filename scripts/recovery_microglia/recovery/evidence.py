"""What each gene adds to the score of a cell, and which genes carry the calls of a data set."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.arrays import Bools, Floats, Integers, Texts
from recovery_microglia.core.genes import Signatures
from recovery_microglia.core.vocabulary import CONTROLS, Condition
from recovery_microglia.recovery.gene_weights import Refined, parts_by_fold
from recovery_microglia.recovery.likelihood import (
    LevelWeights,
    Resting,
    likelihoods_and_terms,
    log_ratio,
    log_ratios_without,
    robust,
)
from recovery_microglia.recovery.offset import NONE, Offset, log_depths, raised

CALL_COLUMNS = (
    *("gene", "role", "fold", "detected_called", "detected_not_called", "detected_control"),
    *("called_cells", "counts_called", "nats_per_cell", "share_of_evidence"),
)

FEWEST_CALLED = 20
"""Called cells below which chance says which gene gives most of their evidence."""


@dataclass(frozen=True)
class Evidence:
    """What the genes add to the scores of some cells.

    Attributes
    ----------
    cells
        Rows of the cells, ascending.
    columns
        Columns of the genes that any set of weights uses for recovery, ascending.
    nats
        Score less the score without the gene (genes × cells): bounds, bursts and other programmes are in it. 0 where the cell's weights do
        without the gene.
    """

    cells: Integers
    columns: Integers
    nats: Floats

    def strongest(self) -> Integers:
        """Return the column of the gene that each cell's score owes most to."""
        return np.asarray(self.columns[self.nats.argmax(axis=0)], dtype=np.int64)


def nothing() -> Evidence:
    """Return the evidence of no gene in no cell."""
    none = np.array([], dtype=np.int64)
    return Evidence(none, none, np.zeros((0, 0)))


def evidence_by_gene(
    counts: sp.csr_matrix,
    refined: Refined,
    resting: Resting | Sequence[Resting],
    chosen: Bools,
    level_weights: LevelWeights,
    offset: Offset = NONE,
) -> tuple[Evidence, Floats]:
    """Return what each gene adds to the scores of the chosen cells, and every cell's score without its strongest gene.

    The latter is NaN for cells that were not chosen. ``offset``: what was added to the score, a part of it for each gene.
    """
    cells = np.flatnonzero(chosen)
    columns = np.unique(np.concatenate([w.columns[w.recovery != 1] for w in refined.weights]))
    nats, without = np.zeros((len(columns), len(cells))), np.full(len(chosen), np.nan)
    for own, weights, rest in parts_by_fold(refined, resting, chosen):
        fit, terms = likelihoods_and_terms(counts[own], weights, rest, robust)
        if len(offset.columns):
            log_depth = log_depths(counts[own])
            fit = raised(fit, offset.of_weights(weights, log_depth))
            moved = weights.columns[weights.recovery != 1]
            terms = [t + offset.of_genes(g, log_depth) for t, g in zip(terms, moved[:, None], strict=True)]
        each = log_ratios_without(fit, terms, level_weights.of(own))
        genes = np.searchsorted(columns, weights.columns[weights.recovery != 1])
        nats[np.ix_(genes, np.searchsorted(cells, own))] = log_ratio(fit, level_weights.of(own)) - each
        without[own] = each.min(axis=0)
    return Evidence(cells, columns, nats), without


def genes_of_the_calls(
    evidence: Evidence, counts: sp.csr_matrix, genes: pd.Index, cells: pd.DataFrame, refined: Refined, signatures: Signatures
) -> pd.DataFrame:  # fmt: skip
    """Return which genes carry the calls (= call_genes.tsv), the strongest first; empty if nothing was called.

    Parameters
    ----------
    evidence
        Of all cells that may be called, at least.
    counts, genes
        Microglia × genes, raw counts, and the symbols.
    cells
        Rows as ``counts``: condition, recovery_call (true, false, NA).
    refined
        The weights of the score.
    signatures
        Gene sets, for the role of a gene.

    Returns
    -------
    DataFrame
        ``nats_per_cell``: mean over the called cells of what the gene adds to the score. ``share_of_evidence``: what it adds where it speaks for
        recovery, over the sum of all genes; NaN with fewer than `FEWEST_CALLED` called cells.
    """
    called = cells["recovery_call"].fillna(False).to_numpy(bool)
    if not called.any() or not len(evidence.columns):
        return pd.DataFrame(columns=list(CALL_COLUMNS))
    condition = cells["condition"].astype(str)
    control, injured = condition.isin(CONTROLS).to_numpy(), (condition == Condition.INJURED).to_numpy()
    nats = evidence.nats[:, called[evidence.cells]]
    speaks_for = np.maximum(nats, 0.0).sum(axis=1)
    enough = called.sum() >= FEWEST_CALLED and speaks_for.sum() > 0
    values = counts[:, evidence.columns].toarray()
    names = genes[evidence.columns].to_numpy(str)
    table = pd.DataFrame(
        {
            "gene": names,
            "role": _roles(names, signatures),
            "fold": _folds(refined, evidence.columns),
            "detected_called": _detected(values, called),
            "detected_not_called": _detected(values, injured & ~called),
            "detected_control": _detected(values, control),
            "called_cells": int(called.sum()),
            "counts_called": values[called].sum(axis=0).astype(int),
            "nats_per_cell": nats.mean(axis=1),
            "share_of_evidence": speaks_for / speaks_for.sum() if enough else np.nan,
        },
        columns=list(CALL_COLUMNS),
    )
    order = np.argsort(-speaks_for, kind="stable")
    return table.iloc[order].reset_index(drop=True)


def _folds(refined: Refined, columns: Integers) -> Floats:
    """Return the mean fold over the sets of weights; a set without the gene counts as 1."""
    folds = np.ones((len(refined.weights), len(columns)))
    for row, weights in zip(folds, refined.weights, strict=True):
        own = weights.recovery != 1
        row[np.searchsorted(columns, weights.columns[own])] = weights.recovery[own]
    return folds.mean(axis=0)


def _roles(names: Texts, signatures: Signatures) -> list[str]:
    """Return how each gene came to count: of the signature, of the sets of similar states, or learnt from all others."""
    related = {*signatures.context.up, *signatures.related.up}
    return [
        "signature" if name in signatures.recovery.up else "related" if name in related else "further" for name in names
    ]


def _detected(values: Floats, cells: Bools) -> Floats:
    """Return the share of the cells with a count, by gene; NaN where there are no cells."""
    return (values[cells] > 0).mean(axis=0) if cells.any() else np.full(values.shape[1], np.nan)
