"""Candidates: each ligand, cytokine, pathway, factor and compound with what speaks for and against an association."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.vocabulary import Status

ALPHA = 0.05
CANDIDATE_COLUMNS = (
    *("candidate", "kind", "evidence_for", "evidence_against", "speaks_for", "speaks_against", "sender", "receptor"),
    *("activity", "animals", "known", "source", "direction"),
)
TRUTH_COLUMNS = (
    *("ligand", "truth", "sender", "receptor", "pair_found", "ligand_rises", "targets_rise", "evidence_for"),
    *("evidence_against", "told_apart"),
)
COMPOUND_COLUMNS = ("compound", "target", "effect", "source")
EFFECTS = ("activates", "inhibits")
MOST_NAMES = 4


@dataclass
class Evidence:
    """What is known of one candidate."""

    kind: str
    speaks_for: list[str] = field(default_factory=list)
    speaks_against: list[str] = field(default_factory=list)
    sender: str = ""
    receptor: str = ""
    activity: float = np.nan
    animals: list[int] = field(default_factory=list)


def load_knowledge(*paths: Path) -> pd.DataFrame:
    """Read tables of ``config/knowledge`` under each other: all of it text; an empty table where there is none."""
    found = [pd.read_csv(path, sep="\t", comment="#", dtype=str, keep_default_na=False) for path in paths]
    return pd.concat([pd.DataFrame(), *found], ignore_index=True)


def load_compounds(paths: Sequence[Path]) -> pd.DataFrame:
    """Read a user's tables of compounds and their targets; an empty table where there is none.

    Raises
    ------
    InputError
        A column is missing, or an effect is neither ``activates`` nor ``inhibits``.
    """
    found = [pd.DataFrame(columns=list(COMPOUND_COLUMNS)), *(_compounds(path) for path in paths)]
    return pd.concat(found, ignore_index=True)


def _compounds(path: Path) -> pd.DataFrame:
    table = load_knowledge(path)
    if missing := [name for name in COMPOUND_COLUMNS if name not in table]:
        raise InputError(f"{path}: column {', '.join(missing)} is missing; needed: {', '.join(COMPOUND_COLUMNS)}")
    if len(wrong := table[~table["effect"].isin(EFFECTS)]):
        row = wrong.iloc[0]
        raise InputError(f"{path}: {row['compound']}: effect '{row['effect']}' is not one of {', '.join(EFFECTS)}")
    return table


def encoded_by(names: pd.DataFrame, mouse: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the name of a signature to the mouse genes that encode what it stands for.

    Parameters
    ----------
    names
        ``config/knowledge/cytokines.tsv``: signature, genes.
    mouse
        Upper-case symbol to mouse symbol, for names that are symbols.
    """
    listed = {str(row["signature"]): str(row["genes"]).split(",") for row in records(names)}
    return {**{symbol: [own] for symbol, own in mouse.items()}, **listed}


def candidates(
    *,
    genes: pd.DataFrame,
    activities: pd.DataFrame,
    signals: pd.DataFrame,
    modulators: pd.DataFrame,
    compounds: pd.DataFrame,
    encoding: Mapping[str, list[str]],
) -> pd.DataFrame:
    """Return the table of candidates (= driver_candidates.tsv), those with most evidence first.

    Parameters
    ----------
    genes, activities, signals
        Tables of the step.
    modulators
        What is known (``config/knowledge/modulators.tsv``).
    compounds
        A user's table; may be empty.
    encoding
        Name of a signature to genes (`encoded_by`).
    """
    state = activities[activities["contrast"].str.startswith("state")] if len(activities) else activities
    found: dict[str, Evidence] = {}
    _from_signals(found, signals)
    _from_activities(found, state, encoding)
    _from_genes(found, genes)
    known = {str(row["gene"]): row for row in records(modulators)}
    for gene, row in known.items():
        found.setdefault(gene, Evidence(str(row["kind"])))
    rows = [_row(name, own, known.get(name)) for name, own in found.items()]
    rows += _of_compounds(compounds, found)
    table = pd.DataFrame(rows, columns=list(CANDIDATE_COLUMNS))
    size = table["activity"].abs().fillna(0)
    order = pd.DataFrame({
        "balance": -(table["evidence_for"] - table["evidence_against"]), "size": -size, "name": table["candidate"],
    }).sort_values(["balance", "size", "name"], kind="stable").index  # fmt: skip
    return table.loc[order].reset_index(drop=True)


def truth_table(
    true: pd.DataFrame, table: pd.DataFrame, signals: pd.DataFrame, activities: pd.DataFrame
) -> pd.DataFrame:
    """Return what was found of the signals that were put into simulated data (= driver_truth.tsv).

    Parameters
    ----------
    true
        The simulation's table of signals: ligand, receptor, cell_type, follows; empty for real data.
    table
        From `candidates`.
    signals, activities
        Tables of the step.
    """
    rows = []
    state = activities[activities["contrast"].str.startswith("state") & activities["agree"] & (activities["ulm"] > 0)]
    for row in records(true):
        ligand, real = str(row["ligand"]), row["follows"] == "recovery"
        pair = signals[(signals["ligand"] == ligand) & (signals["sender"] == row["cell_type"])]
        own = table[table["candidate"] == ligand]
        speaks_for = int(own["evidence_for"].iloc[0]) if len(own) else 0
        against = int(own["evidence_against"].iloc[0]) if len(own) else 0
        rise = bool((state["source"] == ligand).any())
        rows.append({
            "ligand": ligand, "truth": "signal" if real else "decoy", "sender": str(row["cell_type"]),
            "receptor": str(row["receptor"]), "pair_found": bool((pair[["magnitude_rank", "specificity_rank"]].min(axis=1) < ALPHA).any()),
            "ligand_rises": bool(((pair["ligand_p"] < ALPHA) & (pair["ligand_change"] > 0)).any()),
            "targets_rise": rise, "evidence_for": speaks_for, "evidence_against": against,
            "told_apart": (rise and speaks_for > against) if real else not rise,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=list(TRUTH_COLUMNS))


def _from_signals(found: dict[str, Evidence], signals: pd.DataFrame) -> None:
    tested = signals[signals["status"] == Status.TESTED] if len(signals) else signals
    if tested.empty:
        return
    for ligand, own in tested.groupby("ligand", sort=False):
        strong = own[
            ((own["magnitude_rank"] < ALPHA) & (2 * own["animals_agree"] >= own["n_animals"]))
            | ((own["specificity_rank"] < ALPHA) & (2 * own["animals_first"] >= own["n_animals"]))
        ]
        if strong.empty:
            continue
        evidence = found.setdefault(str(ligand), Evidence("ligand"))
        best = strong[["magnitude_rank", "specificity_rank"]].min(axis=1)
        first = strong.loc[best.sort_values(kind="stable").index]
        evidence.sender = ", ".join(dict.fromkeys(first["sender"].head(MOST_NAMES)))
        evidence.receptor = ", ".join(dict.fromkeys(first["receptor"].head(MOST_NAMES)))
        evidence.animals.append(int(first["n_animals"].iloc[0]))
        days = ", ".join(f"{day:g}" for day in sorted(set(first["day"])))
        evidence.speaks_for.append(
            f"pair with its receptor strong or specific (day {days}), in at least half of the animals"
        )
        changed = first[first["ligand_p"] < ALPHA]
        if len(changed):
            up = (changed["ligand_change"] > 0).to_numpy()
            words = "higher" if up.all() else "lower" if not up.any() else "both higher and lower"
            text = f"ligand {words} in the sender after injury (p < 0.05, not corrected)"
            (evidence.speaks_for if up.all() else evidence.speaks_against).append(text)


def _from_activities(found: dict[str, Evidence], state: pd.DataFrame, encoding: Mapping[str, list[str]]) -> None:
    for row in records(state):
        source, kind = str(row["source"]), str(row["kind"])
        genes = encoding.get(source, [source]) if kind in ("cytokine", "signal") else [source]
        shown = bool(row["agree"])
        one = (row["ulm_q"] < ALPHA) or (row["mlm_q"] < ALPHA)
        value = row["mlm"] if not np.isnan(row["mlm"]) else row["ulm"]
        for gene in genes:
            if gene not in found and not one:
                continue
            evidence = found.setdefault(gene, Evidence(kind))
            if kind in ("cytokine", "signal"):
                evidence.kind = kind if evidence.kind == "ligand" else evidence.kind
            evidence.activity = float(value)
            if row["n_animals"]:
                evidence.animals.append(int(row["n_animals"]))
            _one_activity(evidence, row, shown=shown, one=one, value=float(value))


def _one_activity(evidence: Evidence, row: Mapping[str, Any], *, shown: bool, one: bool, value: float) -> None:
    of = f"targets ({row['resource']})"
    way = "higher" if value > 0 else "lower"
    signal = evidence.kind in ("cytokine", "ligand", "signal")
    if shown and (value > 0 or not signal):
        evidence.speaks_for.append(f"{of} {way} in recovery cells by both methods")
    elif shown:
        evidence.speaks_against.append(f"{of} {way} in recovery cells by both methods")
    elif one:
        evidence.speaks_against.append(f"{of}: one of two methods only, or of two signs")
    else:
        evidence.speaks_against.append(f"{of} do not differ in recovery cells")
    if not shown:
        return
    if np.isnan(row["ulm_without"]):
        evidence.speaks_against.append("too few targets that took no part in the call")
    elif np.sign(row["ulm_without"]) != np.sign(value):
        evidence.speaks_against.append("not without the genes of the call")
    if row["n_animals"] and row["animals_q"] < ALPHA and np.sign(row["animals_mean"]) == np.sign(value):
        evidence.speaks_for.append(
            f"in {int(row['animals_same'])} of {int(row['n_animals'])} animals (q < 0.05 over animals)"
        )
    elif row["n_animals"]:
        evidence.speaks_against.append(
            f"in {int(row['animals_same'])} of {int(row['n_animals'])} animals, not shown over animals"
        )


def _from_genes(found: dict[str, Evidence], genes: pd.DataFrame) -> None:
    """Add whether a factor's own gene differs in recovery cells."""
    if genes.empty:
        return
    state = genes[genes["contrast"].str.startswith("state")].drop_duplicates("gene").set_index("gene")
    for name, evidence in found.items():
        if evidence.kind != "transcription factor" or name not in state.index:
            continue
        row = state.loc[name]
        if row["q"] < ALPHA and not row["made_call"]:
            way = "higher" if row["log2_fold_change"] > 0 else "lower"
            evidence.speaks_for.append(f"its own gene is {way} in recovery cells")


def _row(name: str, own: Evidence, known: Mapping[str, object] | None) -> dict[str, object]:
    up = "" if np.isnan(own.activity) or not own.speaks_for else "up" if own.activity > 0 else "down"
    return {
        "candidate": name, "kind": own.kind, "evidence_for": len(own.speaks_for),
        "evidence_against": len(own.speaks_against), "speaks_for": "; ".join(own.speaks_for),
        "speaks_against": "; ".join(own.speaks_against), "sender": own.sender, "receptor": own.receptor,
        "activity": own.activity, "animals": min(own.animals, default=0),
        "known": f"{known['effect']}: {known['sentence']}" if known else "", "source": str(known["source"]) if known else "",
        "direction": up,
    }  # fmt: skip


def _of_compounds(compounds: pd.DataFrame, found: Mapping[str, Evidence]) -> list[dict[str, object]]:
    """Return a row for each compound whose target is a candidate with evidence for it."""
    rows = []
    for row in records(compounds):
        own = found.get(str(row["target"]))
        if own is None or not own.speaks_for:
            continue
        rises = own.activity > 0 or np.isnan(own.activity)
        up = rises == (row["effect"] == "activates")
        text = f"{row['effect']} {row['target']}, for which {len(own.speaks_for)} and against which {len(own.speaks_against)} lines speak"
        base = _row(str(row["compound"]), Evidence("compound", [text], [], activity=np.nan, animals=own.animals), None)
        rows.append({**base, "source": str(row["source"]), "direction": "up" if up else "down"})
    return rows
