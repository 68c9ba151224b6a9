"""What each library's microglia hold of the recovery genes without running the programme, and how such counts vary.

A library's resting microglia can hold more of a gene than those of the controls: RNA of other microglia floats in it (in
libraries of pups *Spp1* is seen in three cells of four), or all its cells raise a gene that has nothing to do with the
subgroup (*Lilrb4a* after LPS). What all cells of a library share is no subgroup. A gene's background is therefore estimated in
each library by maximum likelihood, each cell counting as resting as far as the *other* genes say so; it can only lie above the
controls' level, and is drawn towards it.
"""

import numpy as np
import scipy.sparse as sp

from recovery_microglia.core.arrays import Floats, Texts
from recovery_microglia.recovery.likelihood import (
    DISPERSION,
    INTERMEDIATE,
    INTERMEDIATE_WEIGHT,
    Noise,
    Resting,
    Weights,
    likeliest_share,
    likelihoods_and_terms,
    log_burst,
    log_counts,
    log_ratios_without,
    probability,
)

ROUNDS = 3
MOST_CELLS = 1_000
"""Cells of a library that its background is estimated from."""
TIMES = np.exp(np.linspace(0.0, np.log(3000.0), 33))
"""Background over the controls' level: from 1 to 3,000 times."""
NO_BACKGROUND, BACKGROUND_SD = 0.9, 2.0
"""Prior chance that a gene lies at the controls' level, and else the standard deviation of the logarithm of its background over it:
what is not clearly there is not taken for background, since every gene's rise would suffer."""
MOST_TURNED = 0.7
"""Largest share of recovery cells by which the other genes judge: above it no cell would be left to tell the background."""
RISES = (0.3, 0.7, 1.5, 4.0, 10.0, 25.0, 60.0)
"""Rises of a recovery cell over the expected one, all alike likely, when a count is attributed: as far as the folds that are learnt
later. With rises up to 4 the counts of a library of which most cells run the programme could only be background (of a DAM plate's
*Igf1* four fifths were), and a third of its *Itgax*+ *Igf1*+ cells was lost."""
TINY = 1e-290
"""Least probability of a count, so that its logarithm exists: a hundred counts where one in a million was expected."""
NOISE_CELLS = 4_000
DISPERSIONS = np.array([0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
BURSTS = np.array([1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2])
DISPERSION_SD = 1.0
POOLED_GENES = 3.0
"""Weight of all genes together in a gene's share of bursts, in genes."""


def library_background(
    counts: sp.csr_matrix, weights: Weights, resting: Resting, library: Texts, *, seed: int
) -> Resting:
    """Return what resting microglia hold, the recovery genes at the level of each library's own background.

    Parameters
    ----------
    counts
        Microglia × genes, raw counts.
    weights
        Prior weights.
    resting
        What they hold by the controls and the ambient RNA; each profile is that of one library and chemistry.
    library
        Library of each cell.
    seed
        Seed of the choice of cells in large libraries.
    """
    rng = np.random.default_rng(seed)
    share = resting.share.copy()
    moved = np.flatnonzero(weights.recovery != 1)
    depth = np.asarray(counts.sum(axis=1)).ravel().astype(float)
    reference = resting.share if resting.reference is None else np.broadcast_to(resting.reference, resting.share.shape)
    for name in np.unique(library):
        cells = np.flatnonzero(library == name)
        if len(cells) > MOST_CELLS:
            cells = np.sort(rng.choice(cells, MOST_CELLS, replace=False))
        own, profile = counts[cells], int(resting.profile[cells[0]])
        x = own[:, weights.columns[moved]].toarray().astype(float)
        here = Resting(share, resting.profile, resting.reference, resting.noise).of(cells)
        for _ in range(ROUNDS):
            fit, terms = likelihoods_and_terms(own, weights, here)
            found = share[profile].copy()
            ratio = log_ratios_without(fit, terms)
            turned = probability(ratio, np.clip(likeliest_share(ratio), 1e-4, MOST_TURNED)[:, None])
            for place, column in enumerate(moved):
                gene = int(weights.columns[column])
                rise = reference[profile, gene] * (weights.recovery[column] - 1)
                found[gene] = _background(
                    x[:, place], depth[cells], turned[place], resting.share[profile, gene], rise, resting.noise, gene
                )
            share[profile] = found
    return Resting(share, resting.profile, resting.reference, resting.noise)


def _background(
    x: Floats, depth: Floats, turned: Floats, level: float, rise: float, noise: Noise | None, gene: int
) -> float:
    """Return the background share of one gene in one library: the posterior mean of its logarithm."""
    dispersion = DISPERSION if noise is None else float(noise.dispersion[gene])
    burst = 1e-6 if noise is None else float(noise.burst[gene])
    # levels × rises × cells; an intermediate cell holds a part of the expected rise
    rises = np.array([0.0, float(np.mean(INTERMEDIATE)), *RISES]) * rise
    chance = np.exp(log_counts(x, depth * (TIMES[:, None, None] * level + rises[:, None]), dispersion))
    rest = (1 - burst) * (
        (1 - INTERMEDIATE_WEIGHT) * chance[:, 0] + INTERMEDIATE_WEIGHT * chance[:, 1]
    ) + burst * np.exp(log_burst(x))
    raised = chance[:, 2:].mean(axis=1)
    fit = np.log(np.maximum((1 - turned) * rest + turned * raised, TINY)).sum(axis=1)
    prior = np.exp(-0.5 * (np.log(TIMES) / BACKGROUND_SD) ** 2) * (TIMES > 1)
    prior = (1 - NO_BACKGROUND) * prior / prior.sum() + NO_BACKGROUND * (TIMES == 1)
    weight = prior * np.exp(fit - fit.max())
    return float(level * np.exp((weight * np.log(TIMES)).sum() / weight.sum()))


def learn_noise(counts: sp.csr_matrix, weights: Weights, share: Floats, resting_chance: Floats, *, seed: int) -> Noise:
    """Return how the recovery genes' counts vary among resting control microglia: dispersion, and bursts.

    Both by maximum likelihood on a grid, the dispersion drawn towards the usual one (log-normal prior), the bursts towards those
    of all recovery genes together. In plate assays single genes come with 5 to 15 counts beside zeros.

    Parameters
    ----------
    counts
        Control microglia × genes.
    weights
        Which genes are judged.
    share
        What a resting control microglia holds (genes,).
    resting_chance
        How likely each cell runs no recovery (cells,).
    seed
        Seed of the choice of cells, if there are more than `NOISE_CELLS`.
    """
    columns = weights.columns[weights.recovery != 1]
    dispersion, burst = np.full(counts.shape[1], DISPERSION), np.full(counts.shape[1], BURSTS[0])
    cells = np.arange(counts.shape[0])
    if len(cells) > NOISE_CELLS:
        cells = np.sort(np.random.default_rng(seed).choice(cells, NOISE_CELLS, replace=False))
    depth = np.asarray(counts[cells].sum(axis=1)).ravel().astype(float)
    tables = []
    for gene in columns:
        x = counts[cells][:, [gene]].toarray().ravel().astype(float)
        plain = log_counts(x, depth * share[gene], DISPERSIONS[:, None])
        table = np.array(
            [
                [resting_chance[cells] @ np.logaddexp(np.log1p(-b) + row, np.log(b) + log_burst(x)) for b in BURSTS]
                for row in plain
            ]
        )
        tables.append(table - 0.5 * (np.log(DISPERSIONS / DISPERSION) / DISPERSION_SD)[:, None] ** 2)
    pooled = sum((table.max(axis=0) - table.max() for table in tables), np.zeros(len(BURSTS))) / max(len(tables), 1)
    for gene, table in zip(columns, tables, strict=True):
        row, column = np.unravel_index(int((table + POOLED_GENES * pooled).argmax()), table.shape)
        dispersion[gene], burst[gene] = DISPERSIONS[row], BURSTS[column]
    return Noise(dispersion, burst)
