"""Candidates: each ligand, cytokine, pathway, factor and compound with what speaks for and against an association."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.frame_access import groups, records
from recovery_microglia.core.frames import read_commented
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.core.wording import key_words, listed
from recovery_microglia.drivers.genes import STATE

ALPHA = 0.05
LEAST_ANIMALS = 2
"""Animals that must show sender and receiver before their pair is evidence."""
CANDIDATE_COLUMNS = (
    *("arm", "candidate", "kind", "evidence_for", "evidence_against", "speaks_for", "speaks_against", "sender"),
    *("receptor", "activity", "animals", "known", "source", "direction"),
)
TRUTH_COLUMNS = (
    *("ligand", "truth", "sender", "receptor", "pair_found", "ligand_rises", "targets_rise", "evidence_for"),
    *("evidence_against", "as_expected"),
)
COMPOUND_COLUMNS = ("compound", "target", "effect", "source")
EFFECTS = ("activates", "inhibits")
MOST_NAMES = 4
MESSENGERS = ("ligand", "cytokine", "signal")
"""Kinds that reach a cell from outside: one candidate, whether it is met as a ligand or by its targets."""


@dataclass
class Evidence:
    """What is known of one candidate in one arm."""

    kind: str
    speaks_for: list[str] = field(default_factory=list)
    speaks_against: list[str] = field(default_factory=list)
    sender: str = ""
    receptor: str = ""
    activities: list[tuple[float, bool]] = field(default_factory=list)
    animals: list[int] = field(default_factory=list)

    @property
    def activity(self) -> float:
        """The activity of its targets: one that both methods show, else the largest; missing where none was estimated."""
        return max(self.activities, key=lambda own: (own[1], abs(own[0])), default=(np.nan, False))[0]

    @property
    def direction(self) -> str:
        """``up`` or ``down`` where both methods show its activity, in one direction if there are several; else empty."""
        shown = {"up" if value > 0 else "down" for value, agree in self.activities if agree}
        return shown.pop() if len(shown) == 1 else ""


type Found = dict[tuple[str, str], Evidence]
"""Role (a messenger from outside, or another kind) and name to evidence: a gene may be a ligand and a factor."""


def _role(kind: str) -> str:
    return "messenger" if kind in MESSENGERS else kind


def _of(found: Found, name: str, kind: str) -> Evidence:
    """Return the evidence of a candidate; a ligand that is found as a cytokine is called one."""
    own = found.setdefault((_role(kind), name), Evidence(kind))
    if own.kind == "ligand":
        own.kind = kind
    return own


def load_knowledge(*paths: Path) -> pd.DataFrame:
    """Read tables of ``config/knowledge`` under each other: all of it text; an empty table where there is none."""
    found = [read_commented(path, text=True) for path in paths]
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

    Arms are studies of their own: a candidate has a row in each arm that speaks of it, and what is known has one in every arm.

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
    known: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in records(modulators):
        known.setdefault((_role(str(row["kind"])), str(row["gene"])), []).append(row)
    rows = []
    for arm, own_genes, own_activities, own_signals in _by_arm(genes, activities, signals):
        found: Found = {}
        for (_, gene), told in known.items():  # before the evidence: what was looked for and not found stands there too
            _of(found, gene, str(told[0]["kind"]))
        _from_signals(found, own_signals)
        _from_activities(found, own_activities, encoding)
        _from_genes(found, own_genes)
        rows += [_row(arm, key[1], own, known.get(key, [])) for key, own in found.items()]
        rows += _of_compounds(arm, compounds, found)
    table = pd.DataFrame(rows, columns=list(CANDIDATE_COLUMNS))
    size = table["activity"].abs().fillna(0)
    order = pd.DataFrame({
        "balance": -(table["evidence_for"] - table["evidence_against"]), "size": -size, "name": table["candidate"],
        "arm": table["arm"],
    }).sort_values(["balance", "size", "name", "arm"], kind="stable").index  # fmt: skip
    return table.loc[order].reset_index(drop=True)


def _by_arm(
    genes: pd.DataFrame, activities: pd.DataFrame, signals: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
    """Yield each arm with its genes and activities of the state, and its signals; one without a name where nothing was tested."""
    state = [_with_arm(table) for table in (genes, activities)]
    tested = signals[signals["status"] == Status.TESTED] if len(signals) else pd.DataFrame(columns=["arm"])
    arms = sorted({str(arm) for table in (*state, tested) for arm in table["arm"].unique()})
    for arm in arms or [""]:
        of_genes, of_activities, of_signals = (table[table["arm"] == arm] for table in (*state, tested))
        yield arm, of_genes, of_activities, of_signals


def _with_arm(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the comparisons of the state, with their arm (``state``, ``state cervical``)."""
    if table.empty:
        return pd.DataFrame(columns=[*table.columns, "arm"])
    kind, _, arm = (table["contrast"].str.partition(" ")[part] for part in range(3))
    return table.assign(arm=arm)[kind == STATE]


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
    state = _with_arm(activities)
    state = state[state["agree"].astype(bool) & (state["ulm"] > 0)]
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
            "as_expected": (rise and speaks_for > against) if real else not rise,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=list(TRUTH_COLUMNS))


def _strong(signals: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs that are evidence, the first rank first: strong or specific, and so in half of the animals that show them."""
    half = np.maximum(signals["n_animals"] / 2, 1)  # of no animal the half is none, which is no evidence
    strong = (signals["magnitude_rank"] < ALPHA) & (signals["animals_agree"] >= half)
    specific = (signals["specificity_rank"] < ALPHA) & (signals["animals_first"] >= half)
    chosen = signals[(strong | specific) & (signals["n_animals"] >= LEAST_ANIMALS)]
    best = chosen[["magnitude_rank", "specificity_rank"]].min(axis=1)
    return chosen.loc[best.sort_values(kind="stable").index]


def _days(rows: pd.DataFrame) -> str:
    return ", ".join(f"{day:g}" for day in sorted(set(rows["day"])))


def _names(values: pd.Series) -> str:
    return ", ".join(list(dict.fromkeys(values))[:MOST_NAMES])


def _from_signals(found: Found, signals: pd.DataFrame) -> None:
    """Add the pairs of each ligand, and whether it differs after injury in the cells that make it."""
    if signals.empty:
        return
    for ligand, own in groups(_strong(signals), ["ligand"], sort=False):
        evidence = _of(found, str(ligand[0]), "ligand")
        evidence.sender, evidence.receptor = _names(own["sender"].map(key_words)), _names(own["receptor"])
        evidence.animals.append(int(own["n_animals"].min()))
        pairs = [
            f"{key_words(sender)} to {receptor} (day {_days(rows)})"
            for (sender, receptor), rows in groups(own, ["sender", "receptor"], sort=False)
        ]
        evidence.speaks_for.append(
            f"pair strong or specific, in at least half of the animals: {listed(pairs, most=MOST_NAMES)}"
        )
        changed = own[own["ligand_p"] < ALPHA]
        for word, rows, lines in (
            ("higher", changed[changed["ligand_change"] > 0], evidence.speaks_for),
            ("lower", changed[changed["ligand_change"] < 0], evidence.speaks_against),
        ):
            if len(rows):
                where = [
                    f"{key_words(sender)} (day {_days(one)})" for (sender,), one in groups(rows, ["sender"], sort=False)
                ]
                lines.append(
                    f"ligand {word} after injury in {listed(where, most=MOST_NAMES)} (p < 0.05, not corrected)"
                )


def _from_activities(found: Found, state: pd.DataFrame, encoding: Mapping[str, list[str]]) -> None:
    """Add whether the targets of each source differ: of one that either method shows, or that is a candidate already."""
    for row in records(state):
        source, kind = str(row["source"]), str(row["kind"])
        one = bool(row["ulm_q"] < ALPHA or row["mlm_q"] < ALPHA)
        for gene in encoding.get(source, [source]) if kind in MESSENGERS else [source]:
            if one or (_role(kind), gene) in found:
                evidence = _of(found, gene, kind)
                value = row["ulm"] if np.isnan(row["mlm"]) else row["mlm"]
                evidence.activities.append((float(value), bool(row["agree"])))
                if row["n_animals"]:
                    evidence.animals.append(int(row["n_animals"]))
                named = "" if source in (gene, gene.upper()) else f" of {source}"
                _one_activity(evidence, row, of=f"targets{named} ({row['resource']})", one=one, value=float(value))


def _one_activity(evidence: Evidence, row: Mapping[str, Any], *, of: str, one: bool, value: float) -> None:
    """Add the lines of one activity."""
    way = "higher" if value > 0 else "lower"
    if not row["agree"]:
        said = f"no difference of {of} shown in recovery cells"
        if one and np.isnan(row["mlm"]):
            said = f"{of} {way} in recovery cells by one method; the other could not be fitted"
        elif one:
            said = f"{of}: one of two methods only, or of two signs"
        evidence.speaks_against.append(said)
        return
    lines = evidence.speaks_for if value > 0 or evidence.kind not in MESSENGERS else evidence.speaks_against
    lines.append(f"{of} {way} in recovery cells by both methods")
    if np.isnan(row["ulm_without"]):
        evidence.speaks_against.append(f"too few {of} that took no part in the call")
    elif not row["ulm_without"] * value > 0:
        evidence.speaks_against.append(f"{of}: not without the genes of the call")
    if np.isnan(row["animals_q"]):  # too few animals for a test
        return
    animals = f"{of} {way} in {int(row['animals_same'])} of {int(row['n_animals'])} animals"
    if row["animals_q"] < ALPHA and row["animals_mean"] * value > 0:
        lines.append(f"{animals} (q < 0.05 over animals)")
    else:
        evidence.speaks_against.append(f"{animals}, not shown over animals")


def _from_genes(found: Found, genes: pd.DataFrame) -> None:
    """Add whether a factor's own gene differs in recovery cells."""
    state = genes.set_index("gene") if len(genes) else genes
    for (role, name), evidence in found.items():
        if role != "transcription factor" or name not in state.index:
            continue
        row = state.loc[name]
        if row["q"] < ALPHA and not row["made_call"]:
            way = "higher" if row["log2_fold_change"] > 0 else "lower"
            evidence.speaks_for.append(f"its own gene is {way} in recovery cells")


def _row(arm: str, name: str, own: Evidence, known: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {
        "arm": arm, "candidate": name, "kind": own.kind, "evidence_for": len(own.speaks_for),
        "evidence_against": len(own.speaks_against), "speaks_for": "; ".join(own.speaks_for),
        "speaks_against": "; ".join(own.speaks_against), "sender": own.sender, "receptor": own.receptor,
        "activity": own.activity, "animals": min(own.animals, default=0),
        "known": "; ".join(f"{row['effect']}: {row['sentence']}" for row in known),
        "source": "; ".join(str(row["source"]) for row in known),
        "direction": own.direction,
    }  # fmt: skip


def _of_compounds(arm: str, compounds: pd.DataFrame, found: Found) -> list[dict[str, object]]:
    """Return a row for each compound whose target is a candidate with evidence for it: the lines are those of the target."""
    rows = []
    for row in records(compounds):
        for (_, name), own in found.items():
            if name != row["target"] or not own.speaks_for:
                continue
            turned = {"up": "down", "down": "up"} if row["effect"] == "inhibits" else {}
            text = f"{row['effect']} {name}, a {own.kind}: "
            base = _row(arm, str(row["compound"]), own, []) | {"kind": "compound", "source": str(row["source"])}
            base |= {key: text + str(base[key]) for key in ("speaks_for", "speaks_against") if base[key]}
            base |= {"sender": "", "receptor": "", "activity": np.nan}
            rows.append({**base, "direction": turned.get(own.direction, own.direction)})
    return rows
