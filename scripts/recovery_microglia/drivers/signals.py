"""Signals that may reach recovery cells: ligand-receptor pairs on pseudobulks of animals, ranked by LIANA.

Three of LIANA's scores are combined (CellPhoneDB, Connectome, NATMI): those that say how strong a pair is and how specific. Its
score log2FC says the second only, and fails on pandas 3.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia.core import wording
from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.frame_access import groups, positions
from recovery_microglia.core.statistics import welch_p
from recovery_microglia.core.vocabulary import CONTROLS, Condition, Status
from recovery_microglia.drivers.pseudobulks import (
    LEAST_CELLS,
    OTHERS,
    RECOVERY,
    UNIT,
    Pseudobulks,
    facts_of,
    per_ten_thousand,
)

RECEIVER, OTHER_MICROGLIA = "recovery_microglia", "microglia"
LEAST_ANIMALS = 2
SHOWN_IN = 0.5
"""Share of a group's pseudobulks in which every gene of a pair must be seen."""
PERMUTATIONS = 100
MOST_PAIRS = 500
"""Pairs that are kept of an arm and day, the strongest first."""
TOP = 0.1
"""An animal agrees with a pair that is in its first tenth of pairs by the product of ligand and receptor."""
SIGNAL_COLUMNS = (
    *("arm", "day", "sender", "ligand", "receptor", "magnitude_rank", "specificity_rank", "n_animals", "animals_agree"),
    *(
        "animals_first",
        "ligand_level",
        "receptor_level",
        "receptor_log2_ratio",
        "ligand_change",
        "ligand_p",
        "status",
        "reason",
    ),
)
DROPPED_COLUMNS = ("ligand", "receptor", "action", "reason")


# ---------------------------------------------------------------- pairs


def corrected_pairs(pairs: pd.DataFrame, corrections: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the pairs as they are used, and what was split or dropped with the reason.

    Parameters
    ----------
    pairs
        ligand, receptor; parts of a complex are joined by ``_``.
    corrections
        ``config/knowledge/pairs.tsv``; an empty ligand means any.
    """
    used, told = pairs[["ligand", "receptor"]].copy(), []
    added: list[dict[str, str]] = []
    for row in corrections.to_dict("records"):
        hit = pairs["receptor"].map(lambda name, own=row["receptor"]: own in str(name).split("_"))
        hit &= (pairs["ligand"] == row["ligand"]) | (row["ligand"] == "")
        gone = pairs[hit]
        used = used[~used.index.isin(gone.index)]
        if row["action"] == "split" and len(gone):
            added.append({"ligand": row["instead_ligand"], "receptor": row["instead_receptor"]})
        told += [(own.ligand, own.receptor, row["action"], row["reason"]) for own in gone.itertuples()]
    used = pd.concat([used, pd.DataFrame(added, columns=["ligand", "receptor"])]).drop_duplicates()
    return used.reset_index(drop=True), pd.DataFrame(told, columns=list(DROPPED_COLUMNS)).drop_duplicates()


def measured_pairs(pairs: pd.DataFrame, genes: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the pairs whose genes were all measured, and the others with the reason."""
    here = set(genes)
    absent = [sorted({*ligand.split("_"), *receptor.split("_")} - here) for ligand, receptor in pairs.to_numpy()]
    missing = np.array([bool(names) for names in absent])
    reasons = [f"not measured: {', '.join(names)}" for names in absent if names]
    dropped = pairs[missing].assign(action="drop", reason=reasons)
    return pairs[~missing].reset_index(drop=True), dropped[list(DROPPED_COLUMNS)]


# ---------------------------------------------------------------- pseudobulks of all cells


def sender_bulks(
    sums: Mapping[str, pd.DataFrame], cells: pd.DataFrame, sheet: pd.DataFrame, microglia: Pseudobulks
) -> Pseudobulks:
    """Return the pseudobulks of every lineage of each animal; microglia are divided by the call.

    Parameters
    ----------
    sums
        Library to its sums of counts (genes × lineages).
    cells
        One row a cell of every library: library, lineage, removed_by.
    sheet
        One row a library.
    microglia
        From `by_call`.
    """
    included = sheet[sheet["include"]]
    kept = cells[cells["removed_by"] == ""]
    sizes = kept.groupby(["library", "lineage"]).size()
    genes = microglia.counts.columns
    rows, counts = [], []
    for key, libraries in included.groupby(UNIT, dropna=False, sort=True):
        unit = dict(zip(UNIT, key if isinstance(key, tuple) else (key,), strict=True))
        own = [name for name in libraries["library"] if name in sums]
        for lineage in sorted({str(name) for library in own for name in sums[library].columns}):
            if lineage in ("microglia", "ambiguous", "unassigned", "ambiguous_myeloid"):
                continue
            parts = [sums[name][lineage].reindex(genes).fillna(0) for name in own if lineage in sums[name]]
            n = sum(int(sizes.get((name, lineage), 0)) for name in own)
            rows.append({**unit, "cells_of": lineage, "cells": n})
            counts.append(sum(parts[1:], parts[0]).to_numpy(np.int64))
    others = pd.DataFrame(rows, columns=[*UNIT, "cells_of", "cells"]).astype({"day": float})
    others = others.merge(facts_of(sheet).astype({"day": float}), on=UNIT, how="left")
    own_names = {RECOVERY: RECEIVER, OTHERS: OTHER_MICROGLIA}
    inside = microglia.samples.assign(cells_of=microglia.samples["cells_of"].replace(own_names))
    samples = pd.concat([inside, others], ignore_index=True)
    table = np.vstack([microglia.counts.to_numpy(), np.array(counts).reshape(len(others), len(genes))])
    return Pseudobulks(pd.DataFrame(table, columns=genes), samples).of(samples["cells"] >= LEAST_CELLS)


# ---------------------------------------------------------------- ranks


@dataclass(frozen=True)
class Signals:
    """Pairs by arm and day, and the pairs that took no part."""

    table: pd.DataFrame
    dropped: pd.DataFrame


def _untested(reason: str, arm: str = "", day: float = np.nan, n: int = 0) -> pd.DataFrame:
    """Return the row of an arm and day that cannot be tested."""
    row: dict[str, Any] = dict.fromkeys(SIGNAL_COLUMNS, np.nan)
    row |= dict.fromkeys(("sender", "ligand", "receptor"), "") | dict.fromkeys(("animals_agree", "animals_first"), 0)
    row |= {"arm": arm, "day": day, "n_animals": n, "status": Status.NOT_TESTABLE.value, "reason": reason}
    return pd.DataFrame([row])


def nothing(reason: str) -> Signals:
    """Return the tables where nothing can be tested: one row with the reason."""
    return Signals(_untested(reason), pd.DataFrame(columns=list(DROPPED_COLUMNS)))


def consensus_pairs() -> pd.DataFrame:
    """Return the ligand-receptor pairs of mice that LIANA's package ships."""
    import liana

    pairs: pd.DataFrame = liana.rs.select_resource("mouseconsensus")
    return pairs.reset_index(drop=True)


def signals(bulks: Pseudobulks, sheet: pd.DataFrame, corrections: pd.DataFrame, pairs: pd.DataFrame) -> Signals:
    """Rank the pairs from other cells to recovery cells by arm and day.

    Parameters
    ----------
    bulks
        From `sender_bulks`.
    sheet
        One row a library; sorted tissue is not testable, as its senders were not sampled.
    corrections
        See `corrected_pairs`.
    pairs
        ligand, receptor.
    """
    pairs, told = corrected_pairs(pairs, corrections)
    pairs, absent = measured_pairs(pairs, list(bulks.counts.columns))
    dropped = pd.concat([told, absent], ignore_index=True)
    whole = sheet[sheet["include"]].groupby("subject")["sort"].agg(lambda kinds: set(kinds) == {"none"})
    unsorted = bulks.samples["subject"].map(whole.rename(index=str)).fillna(False).astype(bool)
    injured = (bulks.samples["condition"] == Condition.INJURED) & bulks.samples["day"].notna()
    parts = []
    for (arm, day), _ in groups(bulks.samples[injured], ["arm", "day"]):
        of_day = injured & (bulks.samples["arm"] == arm) & (bulks.samples["day"] == day)
        own = bulks.of(of_day & unsorted)
        n = int((own.samples["cells_of"] == RECEIVER).sum())
        reason = ""
        if not (of_day & unsorted).any():
            reason = "sorted tissue: the cells that signals may come from were not sampled"
        elif n < LEAST_ANIMALS:
            reason = (
                f"{wording.count(n, 'animal')} with at least {LEAST_CELLS} recovery cells; {LEAST_ANIMALS} are needed"
            )
        elif pairs.empty:
            reason = "no pair was measured in full"
        found = pd.DataFrame() if reason else _of_day(own, _controls(bulks, str(arm), unsorted), pairs)
        if len(found):
            parts.append(found.assign(arm=arm, day=day, status=Status.TESTED.value, reason=""))
        else:
            why = reason or "no pair is seen in half the animals of a sender and of the recovery cells"
            parts.append(_untested(why, str(arm), float(day), n))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(SIGNAL_COLUMNS))
    return Signals(table[list(SIGNAL_COLUMNS)], dropped)


def _controls(bulks: Pseudobulks, arm: str, unsorted: pd.Series) -> Pseudobulks:
    control = bulks.samples["condition"].isin(CONTROLS) & unsorted
    own = control & (bulks.samples["arm"] == arm)
    return bulks.of(own if own.any() else control)


def _of_day(bulks: Pseudobulks, controls: Pseudobulks, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the ranked pairs of one day, with what each animal says of them."""
    often = bulks.samples["cells_of"].value_counts()
    bulks = bulks.of(bulks.samples["cells_of"].isin(often.index[often >= LEAST_ANIMALS]))
    senders = sorted(set(bulks.samples["cells_of"]) - {RECEIVER})
    if not senders:
        return pd.DataFrame()
    ranked = _liana(bulks, senders, pairs).head(MOST_PAIRS).reset_index(drop=True)
    if ranked.empty:
        return ranked
    levels = _levels(bulks, ranked)
    before = _levels(controls, ranked)
    ranked = ranked.join(_animals(ranked, levels, bulks.samples))
    of = {name: (bulks.samples["cells_of"] == name).to_numpy() for name in [*senders, RECEIVER]}
    of_control = {name: (controls.samples["cells_of"] == name).to_numpy() for name in senders}
    rows = []
    for own in ranked.itertuples():
        ligand = levels[str(own.ligand)][of[str(own.sender)]]
        receptor = levels[str(own.receptor)]
        inside, outside = receptor[of[RECEIVER]], receptor[of.get(OTHER_MICROGLIA, np.zeros(len(receptor), bool))]
        first, second = np.log2(0.5 + before[str(own.ligand)][of_control[str(own.sender)]]), np.log2(0.5 + ligand)
        enough = min(len(first), len(second)) >= LEAST_ANIMALS
        rows.append({
            "ligand_level": ligand.mean(), "receptor_level": inside.mean(),
            "receptor_log2_ratio": np.log2((inside.mean() + 0.5) / (outside.mean() + 0.5)) if len(outside) else np.nan,
            "ligand_change": second.mean() - first.mean() if len(first) else np.nan,
            "ligand_p": welch_p(first, second) if enough else np.nan,
        })  # fmt: skip
    return ranked.join(pd.DataFrame(rows))


def _liana(bulks: Pseudobulks, senders: Sequence[str], pairs: pd.DataFrame) -> pd.DataFrame:
    """Return sender, ligand, receptor and both ranks, the strongest pair first."""
    from liana.method import AggregateClass, aggregate_meta, cellphonedb, connectome, natmi

    levels: pd.DataFrame = per_ten_thousand(bulks.counts).transform("log1p")
    names = [str(row) for row in levels.index]
    obs = pd.DataFrame({"group": pd.Categorical(bulks.samples["cells_of"])}, index=names)
    matrix = ad.AnnData(
        sp.csr_matrix(levels.to_numpy(np.float32)), obs=obs, var=pd.DataFrame(index=levels.columns.astype(str))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ranked: pd.DataFrame = AggregateClass(aggregate_meta, methods=[cellphonedb, connectome, natmi])(
            matrix,
            groupby="group",
            groupby_pairs=pd.DataFrame({"source": list(senders), "target": RECEIVER}),
            resource=pairs,
            expr_prop=SHOWN_IN,
            min_cells=LEAST_ANIMALS,
            use_raw=False,
            n_perms=PERMUTATIONS,
            seed=1,
            inplace=False,
            verbose=False,
        )
    names_of = {"source": "sender", "ligand_complex": "ligand", "receptor_complex": "receptor"}
    ranked = ranked.rename(columns=names_of).astype({"sender": str, "ligand": str, "receptor": str})
    order = ["magnitude_rank", "specificity_rank", "sender", "ligand", "receptor"]
    return ranked.sort_values(order, kind="stable")[
        ["sender", "ligand", "receptor", "magnitude_rank", "specificity_rank"]
    ].reset_index(drop=True)


def _levels(bulks: Pseudobulks, ranked: pd.DataFrame) -> dict[str, Floats]:
    """Return the level of each ligand and receptor in each pseudobulk; of a complex, that of its scarcest part."""
    levels = per_ten_thousand(bulks.counts).to_numpy(float)
    names = sorted({*ranked["ligand"], *ranked["receptor"]})
    return {name: levels[:, positions(bulks.counts.columns, name.split("_"))].min(axis=1) for name in names}


def _animals(ranked: pd.DataFrame, levels: Mapping[str, Floats], samples: pd.DataFrame) -> pd.DataFrame:
    """Return of each pair how many animals show sender and receiver, and in how many it is strong, or its sender the first."""
    shown, agree, leads = (np.zeros(len(ranked), dtype=int) for _ in range(3))
    ligands = set(ranked["ligand"])
    samples = samples.assign(row=np.arange(len(samples)))
    for _, own in groups(samples, ["subject"]):
        row_of = dict(zip(own["cells_of"].astype(str), own["row"], strict=True))
        if RECEIVER not in row_of:
            continue
        products = np.full(len(ranked), np.nan)
        most = {ligand: max(levels[ligand][row] for row in row_of.values()) for ligand in ligands}
        for place, pair in enumerate(ranked.itertuples()):
            if str(pair.sender) in row_of:
                ligand = levels[str(pair.ligand)][row_of[str(pair.sender)]]
                products[place] = ligand * levels[str(pair.receptor)][row_of[RECEIVER]]
                leads[place] += products[place] > 0 and ligand == most[str(pair.ligand)]
        known = np.isfinite(products)
        shown += known
        if known.any():
            agree += known & (products > 0) & (products >= np.quantile(products[known], 1 - TOP))
    return pd.DataFrame({"n_animals": shown, "animals_agree": agree, "animals_first": leads}, index=ranked.index)
