"""Scores of the microglia: likelihood ratios with prior or learnt weights, and ranks."""

from dataclasses import dataclass
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core.anndata_access import counts_of, obs_of, soup_of
from recovery_microglia.core.arrays import Bools, Floats, Texts
from recovery_microglia.core.frame_access import labelled
from recovery_microglia.core.genes import Signatures
from recovery_microglia.recovery.ambient import ambient_profiles
from recovery_microglia.recovery.background import learn_noise, library_background
from recovery_microglia.recovery.calibration import animals
from recovery_microglia.recovery.evidence import Evidence, evidence_by_gene, nothing
from recovery_microglia.recovery.gene_weights import COLUMNS as LEARNT_COLUMNS
from recovery_microglia.recovery.gene_weights import (
    RARE_IN_CONTROLS,
    Refined,
    fitted,
    in_typical_units,
    refine,
    taken_back,
)
from recovery_microglia.recovery.likelihood import (
    LEAST_SHARE,
    RIVALS,
    TURNED,
    Noise,
    Resting,
    Weights,
    learn_resting,
    likelihoods,
    log_ratio,
    mixture_share,
    prior_weights,
    probability,
    programme_probabilities,
    resting_by_library,
    resting_share,
    shares_of_animals,
    with_expected_folds,
)
from recovery_microglia.recovery.offset import calibrated, raised
from recovery_microglia.recovery.rank_scores import rank_gains, score_sets, thin_counts
from recovery_microglia.recovery.settings import RecoverySettings
from recovery_microglia.recovery.signature import LEFT_OUT
from recovery_microglia.recovery.states import INFLAMMATION, state_sets

SCORERS = {"score": "recovery_score", "score_without": "recovery_score_without_itgax_igf1"}


FURTHER = {"depth_matched": "recovery_score_depth_matched", "ranks": "recovery_score_ranks"}
"""Scores that are calibrated for the robustness table, and make no call."""


USUAL = TURNED.index(0.85)
"""Level at which is said how far the score was raised."""
RELEARN_FROM = 0.03
"""Share of recovery cells among control microglia, by learnt weights, from which resting cells are learnt anew with these:
the prior weights clean such controls in part only."""


@dataclass(frozen=True)
class Scores:
    """Scores of the microglia.

    Attributes
    ----------
    table
        Cells × scores: the recovery score (log-likelihood ratio), the same without *Itgax* and *Igf1*, the same on
        counts thinned to a common depth; by ranks (UCell): recovery, context, and ``score_<state>`` for each state.
    probability
        Probability of recovery given the animal's own share of such cells (cells,).
    states
        Cells × programmes: the probability of each; a cell can run several.
    hangs_on
        Of cells that recovery explains better: the gene that the score owes most to (cells,), else "".
    without_one
        The score without that gene (cells,), else NaN.
    evidence
        What each gene adds to the scores of these cells.
    gains
        Rank gains, for further gene sets.
    refined
        What was learnt of the genes.
    ambient
        Share of ambient RNA by library, as far as known.
    raised
        Nats by which the score was raised, in the median cell (see `offset`).
    """

    table: pd.DataFrame
    probability: Floats
    states: pd.DataFrame
    hangs_on: Texts
    without_one: Floats
    evidence: Evidence
    gains: Any
    refined: Refined
    ambient: dict[str, float]
    raised: float


def score_cells(
    microglia: ad.AnnData, signatures: Signatures, settings: RecoverySettings, control: Bools, *, seed: int
) -> Scores:
    """Score the microglia."""
    genes, counts, obs = pd.Index(microglia.var_names), counts_of(microglia), obs_of(microglia)
    # ranks beyond the number of genes do not exist; a panel uses all the ranks it has
    max_rank = min(settings.max_rank, len(genes))
    gains = rank_gains(counts, max_rank=max_rank)
    up = signatures.recovery.up
    sets: dict[str, tuple[str, ...]] = {
        FURTHER["ranks"]: up,
        "context_score": signatures.context.up,
        **{f"score_{name}": members for name, members in state_sets(signatures).items() if name != "recovery"},
    }
    table = score_sets(gains, genes, sets, max_rank=max_rank)
    total = np.asarray(counts.sum(axis=1)).ravel().astype(float)
    common_depth = float(np.quantile(total, 0.25)) if len(total) else 0.0
    rivals = {name: signatures.states[name].up for name in RIVALS if name in signatures.states}
    ambient = _ambient(microglia, signatures)
    cells = obs[["library", "subject"]].astype(str)
    nuisance = _nuisance(obs, table, total)
    without = tuple(gene for gene in up if gene not in LEFT_OUT)
    animal = animals(obs)
    found: dict[str, Refined] = {}
    hangs = np.full(len(total), "", dtype=object)
    for name, members in ((SCORERS["score"], up), (SCORERS["score_without"], without)):
        weights = prior_weights(genes, members, rivals)
        weights, resting = _prior(counts, weights, control, obs, total, ambient, seed)
        if (weights.recovery != 1).sum() < 2:
            table[name] = np.nan
            found[name] = Refined(
                (),
                np.zeros(len(total), np.int64),
                pd.DataFrame(columns=list(LEARNT_COLUMNS)),
                "too few signature genes",
            )
        else:
            found[name] = _learn(counts, genes, weights, resting, cells, control, signatures, nuisance, settings)
            rest: Resting | list[Resting] = found[name].resting or resting
            found[name], fit, level_weights = in_typical_units(counts, found[name], rest, animal)
            table[name] = log_ratio(fit, level_weights)
            among_controls = mixture_share(table.loc[control, name].to_numpy(float))[0]
            if found[name].rare and among_controls > RARE_IN_CONTROLS:
                found[name], rest = taken_back(found[name], genes, weights, signatures, among_controls), resting
                found[name], fit, level_weights = in_typical_units(counts, found[name], rest, animal)
                table[name] = log_ratio(fit, level_weights)
            if not found[name].refused and among_controls > RELEARN_FROM:
                rest = [_resting(counts, learnt, control, obs, total, ambient, seed) for learnt in found[name].weights]
                found[name], fit, level_weights = in_typical_units(counts, found[name], rest, animal)
            offset, fit, level_weights = calibrated(
                counts, found[name], rest, fit, level_weights, animal, control, seed=seed
            )
            table[name] = log_ratio(fit, level_weights)
            if name == SCORERS["score"]:
                scored = np.unique(np.concatenate([own.columns for own in found[name].weights]))
                thinned = thin_counts(counts, common_depth, seed=seed, kept=scored)
                added = float(np.median(offset.of_cells(counts, found[name])[USUAL])) if len(total) else 0.0
                matched = raised(fitted(thinned, found[name], rest), offset.of_cells(thinned, found[name]))
                table[FURTHER["depth_matched"]] = log_ratio(matched, level_weights)
                del thinned, matched
                ratio = table[name].to_numpy(float)
                evidence, without_one = evidence_by_gene(counts, found[name], rest, ratio > 0, level_weights, offset)
                hangs[evidence.cells] = genes.to_numpy(object)[evidence.strongest()]
        if name == SCORERS["score"]:
            fit, names = likelihoods(counts, weights, resting), weights.names
            if FURTHER["depth_matched"] not in table:
                table[FURTHER["depth_matched"]] = np.nan
                evidence, without_one, added = nothing(), np.full(len(total), np.nan), 0.0
    table.index = microglia.obs_names
    ratio = table[SCORERS["score"]].to_numpy(float)
    chance = probability(ratio, shares_of_animals(ratio, animal))
    return Scores(
        table,
        chance,
        programme_probabilities(fit, names, chance, animal).set_axis(microglia.obs_names),
        hangs,
        without_one,
        evidence,
        gains,
        found[SCORERS["score"]],
        {} if ambient is None else dict(labelled(ambient.sum())),
        added,
    )


def _learn(
    counts: sp.csr_matrix, genes: pd.Index, weights: Weights, resting: Resting, cells: pd.DataFrame,
    control: Bools, signatures: Signatures, nuisance: pd.DataFrame, settings: RecoverySettings,
) -> Refined:  # fmt: skip
    """Return the learnt weights; the prior ones, for all cells, where learning is switched off or refused."""
    if settings.refine:
        refined = refine(counts, genes, weights, resting, cells, control, signatures, nuisance)
        if refined.weights:
            return refined
        return Refined((weights,), np.zeros(len(cells), np.int64), refined.table, refined.refused)
    return Refined(
        (weights,),
        np.zeros(len(cells), np.int64),
        pd.DataFrame(columns=list(LEARNT_COLUMNS)),
        "switched off in config.yaml",
    )


def _ambient(microglia: ad.AnnData, signatures: Signatures) -> pd.DataFrame | None:
    """Return the ambient counts of each gene per count of a cell, by library; None where the soup is not known."""
    soup = soup_of(microglia)
    if soup is None or microglia.n_obs == 0:
        return None
    return ambient_profiles(counts_of(microglia), microglia.obs["library"].to_numpy(str), soup, signatures)


def _prior(
    counts: sp.csr_matrix,
    weights: Weights,
    control: Bools,
    obs: pd.DataFrame,
    total: Floats,
    ambient: pd.DataFrame | None,
    seed: int,
) -> tuple[Weights, Resting]:
    """Return the weights with the folds that are expected at the genes' levels, and what resting cells hold."""
    here = control if control.any() else np.ones(len(total), dtype=bool)
    expected = with_expected_folds(weights, resting_share(counts[here]))
    return expected, _resting(counts, expected, control, obs, total, ambient, seed)


def _resting(
    counts: sp.csr_matrix,
    weights: Weights,
    control: Bools,
    obs: pd.DataFrame,
    total: Floats,
    ambient: pd.DataFrame | None,
    seed: int,
) -> Resting:
    """Return what resting cells of each library hold: the controls' level, ambient RNA and the library's own background.

    A chemistry without controls takes all its cells: such scores can be looked at, but are never called.
    """
    library, chemistry = obs["library"].to_numpy(str), obs["chemistry"].to_numpy(str)
    profile = np.zeros(len(total), dtype=np.int64)
    shares: list[Floats] = []
    noise: list[Noise] = []
    reference = np.zeros(counts.shape[1])
    for kind in np.unique(chemistry):
        own = chemistry == kind
        here = own & control if (own & control).any() else own
        share = np.maximum(learn_resting(counts[here], weights), LEAST_SHARE)
        chance = 1 - _recovery_chance(counts[here], weights, share)
        noise.append(learn_noise(counts[here], weights, share, chance, seed=seed))
        part = resting_by_library(share, library[own], total[own], here[own], ambient)
        profile[own] = part.profile + sum(len(s) for s in shares)
        shares.append(np.maximum(part.share, LEAST_SHARE))
        reference += share / len(np.unique(chemistry))
    if not shares:
        return Resting(np.full((1, counts.shape[1]), LEAST_SHARE), profile)
    known = Resting(np.concatenate(shares), profile, reference, _together(noise))
    return library_background(counts, weights, known, library, seed=seed)


def _recovery_chance(counts: sp.csr_matrix, weights: Weights, share: Floats) -> Floats:
    """Return how likely each control cell runs recovery."""
    ratio = log_ratio(likelihoods(counts, weights, Resting(share[None], np.zeros(counts.shape[0], dtype=np.int64))))
    return probability(ratio, mixture_share(ratio)[0])


def _together(noise: list[Noise]) -> Noise:
    """Return the noise that holds for all chemistries: the larger of each gene's."""
    dispersion, burst = (np.array([getattr(n, name) for n in noise], float) for name in ("dispersion", "burst"))
    return Noise(dispersion.max(axis=0), burst.max(axis=0))


def _nuisance(obs: pd.DataFrame, ranks: pd.DataFrame, total: Floats) -> pd.DataFrame:
    """Return what must not be learnt, per cell."""
    found = pd.DataFrame({"depth": np.log(np.maximum(total, 1.0))})
    for word, column in (("dissociation stress", "pct_dissociation"), ("mitochondrial RNA", "pct_mito")):
        if column in obs:
            found[word] = obs[column].to_numpy(float)
    for word in INFLAMMATION:
        if f"score_{word}" in ranks:
            found[word.replace("_", " ")] = ranks[f"score_{word}"].to_numpy(float)
    return found
