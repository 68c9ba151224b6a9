"""Which microglia are recovery cells, and how far that call can be trusted.

The score is a log-likelihood ratio of the rising genes' counts, recovery against every other state, on uncorrected
counts; homeostatic genes never count, because they fall in every reactive state. Where the data hold enough recovery
cells, the genes' weights are learnt from the other animals. A cell is a recovery cell if its score lies above the
cutoff that was frozen on control microglia of its chemistry, or if it is more likely one than not given how many its
animal has; and if no inflammatory state explains it better. Beside it stand a score by ranks (UCell), and a share per
animal that needs no cutoff.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.errors import Notice
from recovery_microglia.core.genes import GeneSet, Signatures, present
from recovery_microglia.myeloid import nearest_neighbours, score_retention
from recovery_microglia.recovery.ambient import ambient_profiles
from recovery_microglia.recovery.calibration import (
    BY_ODDS,
    NULL_COLUMNS,
    animals,
    calibrate,
    call_above,
    cutoffs_for,
    empirical_null,
    even_odds,
    wilson,
)
from recovery_microglia.recovery.gene_weights import COLUMNS as LEARNT_COLUMNS
from recovery_microglia.recovery.gene_weights import Refined, refine, score
from recovery_microglia.recovery.likelihood import (
    RIVALS,
    Resting,
    Weights,
    learn_resting,
    likelihoods,
    mixture_share,
    prior_weights,
    probability,
    resting_by_library,
    shares_of_animals,
    state_probabilities,
)
from recovery_microglia.recovery.rank_scores import (
    matched_sets,
    membership,
    rank_gains,
    rank_scores,
    score_sets,
    thin_counts,
)
from recovery_microglia.recovery.states import INFLAMMATION, call_states, state_sets
from recovery_microglia.study.dataset import CONTROLS

Floats = NDArray[np.float64]

LEFT_OUT = ("Itgax", "Igf1")
"""Scores are given with and without the two genes that name the subgroup (double dipping)."""
SCORERS = {"score": "recovery_score", "score_without": "recovery_score_without_itgax_igf1"}
FURTHER = {"depth_matched": "recovery_score_depth_matched", "ranks": "recovery_score_ranks"}
"""Scores that are calibrated for the robustness table, and make no call."""
NEIGHBOURS, ERASED = 15, 0.5
"""Neighbours that a cell's score is compared with, and the kept share of structure below which a user is warned."""
RELEARN_FROM = 0.03
"""Share of recovery cells among control microglia, by learnt weights, from which resting cells are learnt anew with these:
the prior weights clean such controls in part only."""
MANY_IN_CONTROLS = 0.05
"""Share of recovery cells among control microglia above which the controls are no good baseline."""


@dataclass(frozen=True)
class RecoverySettings:
    """How recovery cells are called (``recovery`` in config.yaml).

    Attributes
    ----------
    quantile
        Quantile of the control microglia's scores that is the cutoff: 0.99 lets one control cell in a hundred pass.
    min_signature_genes
        Fewer signature genes in the data: the call is not testable.
    min_control_cells
        Fewer control microglia of a chemistry: its cutoff is not estimable, and its cells are not called.
    n_null_sets
        Matched random gene sets for the empirical p.
    max_rank
        Ranks that count in the score by ranks (UCell).
    refine
        Whether genes' weights are learnt from the data where there is enough to learn from.
    """

    quantile: float = 0.99
    min_signature_genes: int = 7
    min_control_cells: int = 200
    n_null_sets: int = 1000
    max_rank: int = 1500
    refine: bool = True


@dataclass(frozen=True)
class RecoveryResult:
    """What the step leaves behind; the tables are described in ``docs/output.md``."""

    cells: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    report: dict[str, Any]


# ---------------------------------------------------------------- may it be asked?


def coverage(signature: GeneSet, genes: pd.Index, *, least: int) -> dict[str, Any]:
    """Return which signature genes exist, and whether the call can be made.

    The call needs ``least`` genes, and *Itgax* or *Igf1* among them.
    """
    here = present(signature.up, set(genes))
    absent = [gene for gene in signature.up if gene not in here]
    named = [gene for gene in LEFT_OUT if gene in here]
    total = len(signature.up)
    reason = ""
    if len(here) < least:
        reason = f"{len(here)} of {total} signature genes were measured ({least} are needed"
        reason += "; Itgax and Igf1 are not among them)" if not named else ")"
    elif not named:
        reason = f"neither Itgax nor Igf1 is among the {len(here)} of {total} signature genes that were measured"
    return {"present": here, "absent": absent, "n_present": len(here), "n_genes": total, "reason": reason}


def markers_used(
    signatures: Signatures, microglia: ad.AnnData, control: NDArray[np.bool_], renamed: Mapping[str, str]
) -> pd.DataFrame:
    """Return signature and context genes with their fate in the data (= markers_used.tsv)."""
    genes = pd.Index(microglia.var_names)
    injured = (microglia.obs["condition"] == "injured").to_numpy()
    rows = []
    for gene_set in (signatures.recovery, signatures.context):
        for gene in gene_set.up:
            here = gene in genes
            seen = np.asarray(microglia.X[:, genes.get_loc(gene)].todense()).ravel() > 0 if here else np.zeros(0, bool)
            rows.append(
                {
                    "set": gene_set.name,
                    "gene": gene,
                    "direction": "up",
                    "role": gene_set.roles.get(gene, ""),
                    "status": ("renamed" if gene in renamed else "present") if here else "absent",
                    "named_in_data": renamed.get(gene, gene) if here else "",
                    "libraries_with_gene": int(microglia.var.loc[gene, "n_libraries"]) if here else 0,
                    "detected_control": float(seen[control].mean()) if here and control.any() else np.nan,
                    "detected_injured": float(seen[injured].mean()) if here and injured.any() else np.nan,
                }
            )
    return pd.DataFrame(rows)


# ---------------------------------------------------------------- scores


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
        Cells × states, probabilities that add up to one.
    gains
        Rank gains, for further gene sets.
    refined
        What was learnt of the genes.
    ambient
        Share of ambient RNA by library, as far as known.
    """

    table: pd.DataFrame
    probability: Floats
    states: pd.DataFrame
    gains: Any
    refined: Refined
    ambient: dict[str, float]


def score_cells(
    microglia: ad.AnnData, signatures: Signatures, settings: RecoverySettings, control: NDArray[np.bool_], *, seed: int
) -> Scores:
    """Score the microglia."""
    genes, counts, obs = pd.Index(microglia.var_names), microglia.X, microglia.obs
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
    thinned = thin_counts(counts, float(np.quantile(total, 0.25)) if len(total) else 0.0, seed=seed)
    rivals = {name: members for name, members in state_sets(signatures).items() if name in RIVALS}
    ambient = _ambient(microglia, signatures)
    cells = obs[["library", "subject"]].astype(str)
    nuisance = _nuisance(obs, table, total)
    without = tuple(gene for gene in up if gene not in LEFT_OUT)
    found: dict[str, Refined] = {}
    for name, members in ((SCORERS["score"], up), (SCORERS["score_without"], without)):
        weights = prior_weights(genes, members, rivals)
        resting = _resting(counts, weights, control, obs, total, ambient)
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
            rest: Resting | list[Resting] = resting
            table[name] = score(counts, found[name], rest)
            if not found[name].refused and mixture_share(table.loc[control, name].to_numpy(float))[0] > RELEARN_FROM:
                rest = [_resting(counts, learnt, control, obs, total, ambient) for learnt in found[name].weights]
                table[name] = score(counts, found[name], rest)
            if name == SCORERS["score"]:
                table[FURTHER["depth_matched"]] = score(thinned, found[name], rest)
        if name == SCORERS["score"]:
            fit, names = likelihoods(counts, weights, resting), weights.names
            if FURTHER["depth_matched"] not in table:
                table[FURTHER["depth_matched"]] = np.nan
    table.index = microglia.obs_names
    animal = animals(obs)
    ratio = table[SCORERS["score"]].to_numpy(float)
    chance = probability(ratio, shares_of_animals(ratio, animal))
    return Scores(
        table,
        chance,
        state_probabilities(fit, names, chance, animal).set_axis(microglia.obs_names),
        gains,
        found[SCORERS["score"]],
        {} if ambient is None else ambient.sum().to_dict(),
    )


def _learn(
    counts: sp.csr_matrix, genes: pd.Index, weights: Weights, resting: Resting, cells: pd.DataFrame,
    control: NDArray[np.bool_], signatures: Signatures, nuisance: pd.DataFrame, settings: RecoverySettings,
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
    if "soup" not in microglia.varm or microglia.n_obs == 0:
        return None
    soup = pd.DataFrame(microglia.varm["soup"])
    return ambient_profiles(microglia.X, microglia.obs["library"].to_numpy(str), soup, signatures)


def _resting(
    counts: sp.csr_matrix,
    weights: Weights,
    control: NDArray[np.bool_],
    obs: pd.DataFrame,
    total: Floats,
    ambient: pd.DataFrame | None,
) -> Resting:
    """Return what resting cells of each library hold; they are the controls of its chemistry.

    A chemistry without controls takes all its cells: such scores can be looked at, but are never called.
    """
    library, chemistry = obs["library"].to_numpy(str), obs["chemistry"].to_numpy(str)
    profile = np.zeros(len(total), dtype=np.int64)
    shares: list[Floats] = []
    for kind in np.unique(chemistry):
        own = chemistry == kind
        here = own & control if (own & control).any() else own
        share = learn_resting(counts[here], weights)
        part = resting_by_library(share, library[own], total[own], here[own], ambient)
        profile[own] = part.profile + sum(len(s) for s in shares)
        shares.append(part.share)
    return Resting(np.concatenate(shares) if shares else np.zeros((1, counts.shape[1])), profile)


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


def itgax_igf1(microglia: ad.AnnData, *, seed: int) -> pd.DataFrame:
    """Return the share of cells with *Itgax* and with *Igf1* per subject, raw and at a common depth."""
    genes = pd.Index(microglia.var_names)
    keys = microglia.obs[["subject", "day", "condition"]].reset_index(drop=True)
    total = np.asarray(microglia.X.sum(axis=1)).ravel()
    thinned = thin_counts(microglia.X, float(np.quantile(total, 0.25)) if len(total) else 0.0, seed=seed)
    for name, counts in (("", microglia.X), ("_matched", thinned)):
        for gene in LEFT_OUT:
            here = gene in genes
            column = np.asarray(counts[:, genes.get_loc(gene)].todense()).ravel() > 0 if here else np.nan
            keys[f"{gene.lower()}_share{name}"] = np.asarray(column, dtype=float)
    grouped = keys.groupby(["subject", "day", "condition"], dropna=False, sort=False)
    return grouped.mean().reset_index().merge(grouped.size().rename("n").reset_index())


# ---------------------------------------------------------------- routes


def recovery_clusters(clusters: pd.Series, above: Floats, *, nominal: float, least_share: float = 0.25) -> pd.DataFrame:
    """Return per cluster the share of cells above the cutoff, and whether the cluster is a recovery cluster.

    A recovery cluster has a quarter of its cells above the cutoff, and the lower end of the share's 95 % interval
    lies above five times the nominal rate of controls.
    """
    rows = []
    for name, index in clusters.groupby(clusters, observed=True, sort=True).indices.items():
        known = above[index][np.isfinite(above[index])]
        share = float(known.mean()) if len(known) else np.nan
        low = wilson(float(known.sum()), len(known))[0]
        rows.append((name, len(index), share, bool(share >= least_share and low > 5 * nominal)))
    return pd.DataFrame(rows, columns=["cluster", "n", "recovery_share", "recovery"])


def agreement(first: pd.Series, second: pd.Series) -> dict[str, Any]:
    """Return how two routes agree over the cells that both call: numbers and Cohen's kappa."""
    both = first.notna() & second.notna()
    a, b = first[both].astype(bool), second[both].astype(bool)
    n = len(a)
    if n == 0:
        return {"n": 0, "both": 0, "only_first": 0, "only_second": 0, "kappa": np.nan}
    same = float((a == b).mean())
    chance = float(a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean()))
    return {
        "n": n,
        "both": int((a & b).sum()),
        "only_first": int((a & ~b).sum()),
        "only_second": int((~a & b).sum()),
        "kappa": (same - chance) / (1 - chance) if chance < 1 else np.nan,
    }


# ---------------------------------------------------------------- the step


def call_recovery(
    myeloid: ad.AnnData,
    signatures: Signatures,
    settings: RecoverySettings,
    *,
    renamed: Mapping[str, str] | None = None,
    seed: int = 1,
) -> RecoveryResult:
    """Score and call the microglia of a data set.

    Parameters
    ----------
    myeloid
        All myeloid cells of the data set, raw counts in X; obs with library, subject, day, condition, chemistry,
        lineage and the ``leiden`` columns; var with n_libraries.
    signatures
        Gene sets.
    settings
        How cells are called.
    renamed
        Current symbol to the name in the data, where a name was brought up to date.
    seed
        Seed of thinning and of the random gene sets.
    """
    microglia = myeloid[(myeloid.obs["lineage"] == "microglia").to_numpy()].copy()
    del myeloid  # in a large study as much memory as the microglia; the caller need not keep it either
    obs = microglia.obs
    control = obs["condition"].isin(CONTROLS).to_numpy()
    known = coverage(signatures.recovery, pd.Index(microglia.var_names), least=settings.min_signature_genes)
    scored = score_cells(microglia, signatures, settings, control, seed=seed)
    scores = scored.table
    cells = _cell_table(microglia, scores)
    states = call_states(
        scores.filter(regex="^score_").rename(columns=lambda c: c.removeprefix("score_"))
        .assign(recovery=scores[FURTHER["ranks"]]),
        control,
        obs["chemistry"].astype(str),
    )  # fmt: skip
    scorers = scores[[*SCORERS.values(), *FURTHER.values()]].set_axis([*SCORERS, *FURTHER], axis=1)
    if known["reason"]:
        scorers[:] = np.nan
    animal = animals(cells)
    odds = pd.DataFrame({n: even_odds(shares_of_animals(scorers[n].to_numpy(float), animal)) for n in BY_ODDS})
    scorers = scorers.assign(fixed_cutoff=scorers["score"])
    calibration, notices = calibrate(
        scorers, cells, control, quantile=settings.quantile, min_control_cells=settings.min_control_cells, own=odds
    )
    status, reason = _status(known["reason"], len(cells), control, calibration)
    blocked = _explained_by_inflammation(states.units)
    for scorer, column in (("score", "recovery_call"), ("score_without", "recovery_call_without")):
        # a missing cutoff stays missing: no controls, no call
        cut = np.minimum(cutoffs_for(calibration, scorer, settings.quantile, cells["chemistry"]), odds[scorer])
        if scorer == "score":
            cells["cutoff"] = cut.to_numpy(float)
        called = call_above(scorers[scorer].to_numpy(float), cut.to_numpy(float))
        called[blocked & ~called.isna()] = False  # a cell that cannot be judged stays so: NA and False is False
        cells[column] = called
    cells["explained_by_inflammation"] = blocked
    judged = cells["recovery_call"].notna().to_numpy()
    cells["recovery_probability"] = np.where(judged, scored.probability, np.nan)
    cells = pd.concat([cells, _state_columns(scored.states, states.units, judged)], axis=1)
    clusters = _cluster_route(cells, obs, settings)
    null = _null(cells, scored.gains, microglia, control, signatures, settings, status, seed)
    report = _report(cells, control, calibration, known, status, reason, states.reference, settings)
    notices += _notices(cells, report, known, control)
    report["integration_keeps"] = _kept_by_integration(microglia, scores[SCORERS["score"]].to_numpy(float))
    if report["integration_keeps"] < ERASED:
        text = (
            f"The aligned embedding keeps {report['integration_keeps']:.0%} of the recovery score's neighbourhoods: what "
            "it shows of these cells is little. No score, call or test is made from it."
        )
        notices.append(Notice("integration_erased", "warning", text))
    table = scored.refined.table
    decided = {
        word: table.loc[table["decision"] == word, "gene"].tolist() if len(table) else []
        for word in ("added", "dropped")
    }
    report["refinement"] = {"refused": scored.refined.refused, **decided}
    report["ambient_share"] = scored.ambient
    report["notices"] = [notice.as_dict() for notice in notices]
    tables = {
        "markers_used": markers_used(signatures, microglia, control, renamed or {}),
        "calibration": calibration,
        "null": null,
        "itgax_igf1": itgax_igf1(microglia, seed=seed),
        "recovery_clusters": clusters,
        "refinement": scored.refined.table,
    }
    return RecoveryResult(cells, tables, report)


def _cell_table(microglia: ad.AnnData, scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row a microglia: names, raw counts of the two genes, all scores."""
    columns = ["library", "subject", "day", "condition", "arm", "chemistry", "lineage_confidence", "n_counts"]
    cells = microglia.obs[columns].copy()
    for column in ("library", "subject", "condition", "arm", "chemistry"):
        cells[column] = cells[column].astype(str)
    cells.insert(0, "cell", microglia.obs_names.to_numpy(str))
    for gene in LEFT_OUT:
        here = gene in microglia.var_names
        values = np.asarray(microglia[:, gene].X.todense()).ravel().astype(float) if here else np.nan
        cells[gene.lower()] = values
    return pd.concat([cells, scores], axis=1).reset_index(drop=True)


def _kept_by_integration(microglia: ad.AnnData, score: Floats) -> float:
    """Return the share of the score's neighbourhood structure that the integrated components keep; NaN if unknown."""
    if "X_pca_integrated" not in microglia.obsm or microglia.n_obs <= NEIGHBOURS:
        return float("nan")
    before, after = (
        nearest_neighbours(microglia.obsm[key].astype(np.float64), NEIGHBOURS)[0]
        for key in ("X_pca", "X_pca_integrated")
    )
    return score_retention(score, before, after)


def _state_columns(chance: pd.DataFrame, units: pd.DataFrame, judged: NDArray[np.bool_]) -> pd.DataFrame:
    """Return ``state`` and the probability of each state but recovery, which has a column of its own.

    The state is the one with more than half of the probability. ``none``: no state has it, or a cell is unusually
    low in homeostatic genes and nothing explains that.
    """
    words = np.array(chance.columns, dtype=object)
    most = chance.to_numpy(float)
    state = np.where(most.max(axis=1) > 0.5, words[most.argmax(axis=1)], "none")
    state = np.where((state == "homeostatic") & (units["homeostatic"].to_numpy(float) < -1.0), "none", state)
    state = np.where((state == "recovery") & ~judged, "none", state)
    columns = {f"p_{name}": chance[name].to_numpy(float) for name in chance.columns if name != "recovery"}
    return pd.DataFrame({"state": state, **columns})


def _explained_by_inflammation(units: pd.DataFrame) -> NDArray[np.bool_]:
    """Return the cells whose inflammatory state stands higher above the controls than their recovery score."""
    rivals = units[[name for name in INFLAMMATION if name in units]].max(axis=1)
    return np.asarray(((rivals > 1) & (rivals > units["recovery"])).to_numpy(), dtype=bool)


def _status(missing: str, n: int, control: NDArray[np.bool_], calibration: pd.DataFrame) -> tuple[str, str]:
    """Return what may be claimed of the calls, and why not more."""
    if n == 0:
        return "not_testable", "no microglia were found"
    if missing:
        return "not_testable", missing
    if not control.any():
        return "not_testable", "there are no control microglia to set the cutoff on"
    used = calibration[(calibration["scorer"] == "score") & calibration["used"]]
    if used["cutoff"].isna().all():
        return "not_testable", "there are too few control microglia to set the cutoff on"
    if used["fpr"].isna().all():
        return "descriptive", "the false-positive rate cannot be estimated with one control subject"
    return "tested", ""


def _cluster_route(cells: pd.DataFrame, obs: pd.DataFrame, settings: RecoverySettings) -> pd.DataFrame:
    """Add ``cluster_call`` for the reported partition and return the table over all resolutions."""
    above = call_above(cells[SCORERS["score"]].to_numpy(float), cells["cutoff"].to_numpy(float))
    share = above.to_numpy(dtype=float, na_value=np.nan)
    tables = []
    cells["cluster_call"] = pd.array([pd.NA] * len(cells), dtype="boolean")
    for column in [name for name in obs.columns if name.startswith("leiden")]:
        clusters = obs[column].astype(str).reset_index(drop=True)
        table = recovery_clusters(clusters, share, nominal=1 - settings.quantile)
        if column == "leiden":
            call = clusters.map(dict(zip(table["cluster"], table["recovery"], strict=True)))
            known = cells["cutoff"].notna()
            # where no cluster is one of recovery cells the route has no answer; that is not the answer none
            if table["recovery"].any():
                cells.loc[known, "cluster_call"] = call[known].astype(bool)
        else:
            table.insert(0, "resolution", float(column.removeprefix("leiden_")))
            tables.append(table)
    empty = pd.DataFrame(columns=["resolution", "cluster", "n", "recovery_share", "recovery"])
    return pd.concat(tables, ignore_index=True) if tables else empty


def _null(
    cells: pd.DataFrame,
    gains: Any,
    microglia: ad.AnnData,
    control: NDArray[np.bool_],
    signatures: Signatures,
    settings: RecoverySettings,
    status: str,
    seed: int,
) -> pd.DataFrame:
    """Return null.tsv; empty where nothing is called."""
    if status == "not_testable":
        return pd.DataFrame(columns=list(NULL_COLUMNS))
    genes = pd.Index(microglia.var_names)
    own = genes.get_indexer(present(signatures.recovery.up, set(genes)))
    taken = {g for s in (*signatures.states.values(), signatures.context) for g in s.up} | set(signatures.recovery.up)
    base = microglia.X[control]
    detection = np.asarray((base > 0).mean(axis=0)).ravel()
    mean = np.asarray(base.mean(axis=0)).ravel()
    allowed = ~genes.isin(list(taken))
    if allowed.sum() < 200:  # a panel: there is nothing to draw from
        return pd.DataFrame(columns=list(NULL_COLUMNS))
    sets = matched_sets(own, detection, mean, allowed, n_sets=settings.n_null_sets, seed=seed)
    members = membership([genes[s] for s in sets], genes)
    null = rank_scores(gains, members, max_rank=min(settings.max_rank, len(genes)))
    observed = cells[FURTHER["ranks"]].to_numpy(float)  # a thousand sets by ranks cost as much as one
    return empirical_null(observed, null, cells, control, quantile=settings.quantile)


def _report(
    cells: pd.DataFrame,
    control: NDArray[np.bool_],
    calibration: pd.DataFrame,
    known: Mapping[str, Any],
    status: str,
    reason: str,
    reference: str,
    settings: RecoverySettings,
) -> dict[str, Any]:
    """Return recovery.json."""
    used = calibration[(calibration["scorer"] == "score") & calibration["used"]]
    called = cells["recovery_call"].notna().to_numpy()
    routes = {
        "without_itgax_igf1": agreement(cells["recovery_call"], cells["recovery_call_without"]),
        "clusters": agreement(cells["recovery_call"], cells["cluster_call"]),
    }
    return {
        "status": status,
        "reason": reason,
        "coverage": dict(known),
        "quantile": settings.quantile,
        "calibration": used.drop(columns=["scorer", "used"]).to_dict("records"),
        "n_microglia": len(cells),
        "n_called": int(cells["recovery_call"].notna().sum()),
        "n_recovery": int(cells["recovery_call"].fillna(False).sum()),
        "expected": _expected(cells, ~control),
        "control_share": mixture_share(cells.loc[control & called, SCORERS["score"]].to_numpy(float))[0],
        "n_explained_by_inflammation": int(
            ((cells[SCORERS["score"]] > cells["cutoff"]) & cells["explained_by_inflammation"]).sum()
        ),
        "states_relative_to": reference,
        "agreement": routes,
    }


def _expected(cells: pd.DataFrame, judged: NDArray[np.bool_]) -> dict[str, float]:
    """Return how right the calls of some cells are expected to be, by the cells' own probabilities.

    ``precision``: share of called cells that are recovery cells; ``recall``: share of recovery cells that are called.
    """
    chance = cells["recovery_probability"].to_numpy(float)
    known = judged & np.isfinite(chance)
    called = known & cells["recovery_call"].fillna(False).to_numpy(bool)
    hits = float(chance[called].sum())
    whole = float(chance[known].sum())
    return {
        "precision": hits / float(called.sum()) if called.any() else np.nan,
        "recall": hits / whole if whole > 0 else np.nan,
    }


def _notices(
    cells: pd.DataFrame, report: Mapping[str, Any], known: Mapping[str, Any], control: NDArray[np.bool_]
) -> list[Notice]:
    """Return what the report must say about the calls."""
    notices = []
    if known["absent"] and not known["reason"]:
        names = ", ".join(known["absent"])
        notices.append(Notice("signature_incomplete", "info", f"Signature genes that were not measured: {names}."))
    if report["status"] == "not_testable":
        text = f"Recovery cells are not called: {report['reason']}."
        notices.append(Notice("recovery_not_testable", "alarm", text))
        return notices
    for row in report["calibration"]:
        if row["fpr_low"] > 1 - report["quantile"]:
            text = (
                f"Chemistry '{row['chemistry']}': {row['fpr']:.1%} of held-out control microglia pass the cutoff "
                f"(95 % interval {row['fpr_low']:.1%} to {row['fpr_high']:.1%}), more than the nominal "
                f"{1 - report['quantile']:.1%}: control animals differ."
            )
            notices.append(Notice("fpr_above_nominal", "warning", text))
    if report["control_share"] > MANY_IN_CONTROLS:
        text = (
            f"About {report['control_share']:.0%} of the control microglia look like recovery cells (neonatal and aged "
            "mice have the state without injury). A rise above them can be tested, but the cutoff lies among them: most "
            "such cells are not called, and shares without a cutoff are too low as well."
        )
        notices.append(Notice("controls_have_the_state", "warning", text))
    routes = report["agreement"]["clusters"]
    if report["n_recovery"] >= 20 and routes["n"] == 0:
        text = (
            f"{report['n_recovery']} cells pass the cutoff, but no cluster is one of recovery cells: the cluster route has "
            "no answer. A gradient of few, weakly detected genes often forms no cluster of its own; the score decides."
        )
        notices.append(Notice("no_recovery_cluster", "info", text))
    elif report["n_recovery"] >= 20 and not (routes["kappa"] >= 0.4):
        text = (
            f"Clusters and scores disagree: {routes['both']} cells are called by both, {routes['only_first']} by "
            f"their score only, {routes['only_second']} by their cluster only (kappa {routes['kappa']:.2f}). "
            "The score decides."
        )
        notices.append(Notice("routes_disagree", "warning", text))
    depth = cells["n_counts"].to_numpy(float)
    injured = (cells["condition"] == "injured").to_numpy()
    if injured.any() and control.any():
        ratio = float(np.median(depth[injured]) / np.median(depth[control]))
        if ratio > 1.5 or ratio < 1 / 1.5:
            text = (
                f"Injured microglia have {ratio:.1f} times the counts of control microglia; deeper cells score "
                "higher. Compare the depth-matched row of the robustness table."
            )
            notices.append(Notice("depth_differs", "warning", text))
    return notices
