"""Which microglia are recovery cells, and how far that call can be trusted.

The score is a log-likelihood ratio of the rising genes' counts, that a cell runs the recovery programme against that it
does not, whatever else it runs, on uncorrected counts; homeostatic genes never count, because they fall in every reactive
state. Where the data hold enough recovery cells, the genes' weights are learnt from the other animals. A cell is a recovery
cell if it is more likely one than not given how many its animal has, and if that does not rest on one gene. Controls are
judged like all others, and a chemistry without controls is not judged. Beside it stand calls above a cutoff that was frozen on control
microglia, the probabilities of all programmes, a score by ranks (UCell), and a share per animal that needs no
cutoff.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from recovery_microglia.core.anndata_access import counts_of, gene_counts, obs_of, points_of
from recovery_microglia.core.arrays import Bools, Floats, Integers
from recovery_microglia.core.errors import Notice
from recovery_microglia.core.frame_access import positions
from recovery_microglia.core.genes import Signatures, present
from recovery_microglia.core.json_files import Json
from recovery_microglia.core.vocabulary import CONTROLS, Severity, Status
from recovery_microglia.myeloid import nearest_neighbours, score_retention
from recovery_microglia.recovery.calibration import (
    BY_ODDS,
    NULL_COLUMNS,
    animals,
    calibrate,
    call_above,
    cutoffs_for,
    cutoffs_of_animals,
    empirical_null,
)
from recovery_microglia.recovery.clusters import cluster_route
from recovery_microglia.recovery.evidence import genes_of_the_calls
from recovery_microglia.recovery.rank_scores import matched_sets, membership, rank_scores
from recovery_microglia.recovery.scores import FURTHER, SCORERS, score_cells
from recovery_microglia.recovery.settings import RecoverySettings
from recovery_microglia.recovery.signature import LEFT_OUT, coverage, itgax_igf1, markers_used
from recovery_microglia.recovery.states import call_states
from recovery_microglia.recovery.summary import call_notices, call_report, carried_by_one

NEIGHBOURS, ERASED = 15, 0.5
"""Neighbours that a cell's score is compared with, and the kept share of structure below which a user is warned."""


LEAST_GENES = 2
"""Signature genes that a called cell shows, or else its score speaks for recovery without its strongest gene too: counts of one gene come in
bursts, and no cell is called on them."""


@dataclass(frozen=True)
class RecoveryResult:
    """What the step leaves behind; the tables are described in ``docs/output.md``."""

    cells: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    report: dict[str, Any]


def renamed_genes(libraries: Iterable[Json]) -> dict[str, str]:
    """Return current symbol to the name in the data, from the reports of the libraries (library.json)."""
    return {symbol: name for library in libraries for name, symbol in library["reading"].get("renamed", {}).items()}


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
    obs = obs_of(microglia)
    control = obs["condition"].isin(CONTROLS).to_numpy()
    covered = coverage(signatures.recovery, pd.Index(microglia.var_names), least=settings.min_signature_genes)
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
    if covered["reason"]:
        scorers[:] = np.nan
    animal = animals(cells)
    odds = pd.DataFrame({n: cutoffs_of_animals(scorers[n].to_numpy(float), animal) for n in BY_ODDS})
    scorers = scorers.assign(fixed_cutoff=scorers["score"])
    calibration, notices = calibrate(
        scorers, cells, control, quantile=settings.quantile, min_control_cells=settings.min_control_cells, own=odds
    )
    status, reason = _status(covered["reason"], len(cells), control, calibration)
    alone = (_genes_seen(microglia, signatures) < LEAST_GENES) & ~(scored.without_one > 0)
    for scorer, column in (("score", "recovery_call"), ("score_without", "recovery_call_without")):
        # no controls of the chemistry, or too few: no call
        known = np.isfinite(cutoffs_for(calibration, scorer, settings.quantile, cells["chemistry"]))
        cut = np.where(known, odds[scorer].to_numpy(float), np.nan)
        if scorer == "score":
            cells["cutoff"] = cut
        called = call_above(scorers[scorer].to_numpy(float), cut)
        called[alone & ~called.isna()] = False  # a cell that cannot be judged stays so: NA and False is False
        cells[column] = called
    cells["on_one_gene"] = alone
    cells["hangs_on"] = np.where(scored.without_one <= cells["cutoff"].to_numpy(float), scored.hangs_on, "")
    judged = cells["recovery_call"].notna().to_numpy()
    cells["recovery_probability"] = np.where(judged, scored.probability, np.nan)
    cells = pd.concat([cells, _state_columns(scored.states, states.units, judged)], axis=1)
    clusters = cluster_route(cells, obs, settings)
    null = _null(cells, scored.gains, microglia, control, signatures, settings, status, seed)
    report = call_report(cells, control, calibration, covered, status, reason, states.reference, settings)
    names = pd.Index(microglia.var_names)
    genes = genes_of_the_calls(scored.evidence, counts_of(microglia), names, cells, scored.refined, signatures)
    notices += [*call_notices(cells, report, covered, control), *carried_by_one(genes)]
    report["integration_keeps"] = _kept_by_integration(microglia, scores[SCORERS["score"]].to_numpy(float))
    if report["integration_keeps"] < ERASED:
        text = (
            f"The aligned embedding keeps {report['integration_keeps']:.0%} of the recovery score's neighbourhoods: what "
            "it shows of these cells is little. No score, call or test is made from it."
        )
        notices.append(Notice("integration_erased", Severity.WARNING, text))
    table = scored.refined.table
    decided = {
        word: table.loc[table["decision"] == word, "gene"].tolist() if len(table) else []
        for word in ("added", "dropped")
    }
    report["refinement"] = {"refused": scored.refined.refused, "raised_nats": scored.raised, **decided}
    report["ambient_share"] = scored.ambient
    report["notices"] = [notice.as_dict() for notice in notices]
    tables = {
        "markers_used": markers_used(signatures, microglia, control, renamed or {}),
        "calibration": calibration,
        "null": null,
        "itgax_igf1": itgax_igf1(microglia, seed=seed),
        "recovery_clusters": clusters,
        "refinement": scored.refined.table,
        "call_genes": genes,
    }
    return RecoveryResult(cells, tables, report)


def _cell_table(microglia: ad.AnnData, scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row a microglia: names, raw counts of the two genes, all scores."""
    columns = ["library", "subject", "day", "condition", "arm", "chemistry", "lineage_confidence", "n_counts"]
    cells = obs_of(microglia)[columns].copy()
    for column in ("library", "subject", "condition", "arm", "chemistry"):
        cells[column] = cells[column].astype(str)
    cells.insert(0, "cell", microglia.obs_names.to_numpy(str))
    genes = pd.Index(microglia.var_names)
    for gene in LEFT_OUT:
        here = gene in genes
        values = gene_counts(counts_of(microglia), genes, gene).astype(float) if here else np.nan
        cells[gene.lower()] = values
    return pd.concat([cells, scores], axis=1).reset_index(drop=True)


def _kept_by_integration(microglia: ad.AnnData, score: Floats) -> float:
    """Return the share of the score's neighbourhood structure that the integrated components keep; NaN if unknown."""
    if "X_pca_integrated" not in microglia.obsm or microglia.n_obs <= NEIGHBOURS:
        return float("nan")
    before, after = (
        nearest_neighbours(points_of(microglia, key).astype(np.float64), NEIGHBOURS)[0]
        for key in ("X_pca", "X_pca_integrated")
    )
    return score_retention(score, before, after)


def _genes_seen(microglia: ad.AnnData, signatures: Signatures) -> Integers:
    """Return how many signature genes each microglia shows."""
    genes = pd.Index(microglia.var_names)
    own = positions(genes, present(signatures.recovery.up, set(genes)))
    return np.asarray(np.diff(counts_of(microglia)[:, own].indptr), dtype=np.int64)


def _state_columns(chance: pd.DataFrame, units: pd.DataFrame, judged: Bools) -> pd.DataFrame:
    """Return ``state``, ``programmes`` and the probability of each programme but recovery, which has a column of its own.

    The programmes are those with more than half of the probability, and the state is the first of them: recovery, else the
    likeliest. ``homeostatic``: none; ``none``: none, but the cell is unusually low in homeostatic genes.
    """
    others = [name for name in chance.columns if name not in ("homeostatic", "recovery")]
    table = chance[others].to_numpy(float)
    recovery = (chance["recovery"].to_numpy(float) > 0.5) & judged
    low = units["homeostatic"].to_numpy(float) < -1.0
    state = np.where(low, "none", "homeostatic").astype(object)
    programmes = np.where(recovery, "recovery", "").astype(object)
    if others:
        likely = table.max(axis=1) > 0.5
        state[likely] = np.array(others, dtype=object)[table.argmax(axis=1)][likely]
        for place, name in enumerate(others):
            runs = table[:, place] > 0.5
            programmes[runs] = [f"{before}, {name}" if before else name for before in programmes[runs]]
    state[recovery] = "recovery"
    columns = {f"p_{name}": chance[name].to_numpy(float) for name in chance.columns if name != "recovery"}
    return pd.DataFrame({"state": state, "programmes": programmes, **columns})


def _status(missing: str, n: int, control: Bools, calibration: pd.DataFrame) -> tuple[str, str]:
    """Return what may be claimed of the calls, and why not more."""
    if n == 0:
        return Status.NOT_TESTABLE, "no microglia were found"
    if missing:
        return Status.NOT_TESTABLE, missing
    if not control.any():
        return Status.NOT_TESTABLE, "there are no control microglia to set the cutoff on"
    used = calibration[(calibration["scorer"] == "score") & calibration["used"]]
    if used["cutoff"].isna().all():
        return Status.NOT_TESTABLE, "there are too few control microglia to set the cutoff on"
    if used["fpr"].isna().all():
        return Status.DESCRIPTIVE, "the false-positive rate cannot be estimated with one control subject"
    return Status.TESTED, ""


def _null(
    cells: pd.DataFrame,
    gains: Any,
    microglia: ad.AnnData,
    control: Bools,
    signatures: Signatures,
    settings: RecoverySettings,
    status: str,
    seed: int,
) -> pd.DataFrame:
    """Return null.tsv; empty where nothing is called."""
    if status == Status.NOT_TESTABLE:
        return pd.DataFrame(columns=list(NULL_COLUMNS))
    genes = pd.Index(microglia.var_names)
    own = positions(genes, present(signatures.recovery.up, set(genes)))
    taken = {g for s in (*signatures.states.values(), signatures.context) for g in s.up} | set(signatures.recovery.up)
    base = counts_of(microglia)[control]
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
