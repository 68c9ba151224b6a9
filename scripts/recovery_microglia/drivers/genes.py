"""Genes of the state: recovery cells against the other microglia of the same animal, injured against control animals by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core import wording
from recovery_microglia.core.frame_access import groups
from recovery_microglia.core.vocabulary import CONTROLS, Condition, Status
from recovery_microglia.drivers.contrasts import Design, effect_of, fit, grouped_design, paired_design
from recovery_microglia.drivers.pseudobulks import LEAST_CELLS, RECOVERY, UNIT, Pseudobulks, per_ten_thousand

STATE, INJURY = "state", "injury"
ALPHA = 0.05
LEAST_ANIMALS = 2
SHOWN = 40
"""Genes whose values are kept for every animal."""
GENE_COLUMNS = (
    *("contrast", "gene", "base_mean", "log2_fold_change", "shrunken", "se", "statistic", "p", "q", "made_call"),
    *("rank", "q_without", "rank_without"),
)
CONTRAST_COLUMNS = (
    *("contrast", "kind", "arm", "day", "n_animals", "n_controls", "control", "covariates", "not_held", "genes"),
    *("genes_up", "genes_down", "genes_up_without", "genes_down_without", "status", "reason"),
)
ANIMAL_COLUMNS = ("contrast", "gene", "made_call", "subject", "day", "cells", "other_cells", "log2_ratio")


@dataclass(frozen=True)
class Contrast:
    """One comparison, with what it found of each gene; no genes where it is not testable."""

    facts: dict[str, Any]
    genes: pd.DataFrame

    @property
    def name(self) -> str:
        """Its name in the tables."""
        return str(self.facts["contrast"])


def name_of(kind: str, arm: str, day: float = np.nan) -> str:
    """Return the name of a contrast: ``state``, ``state cervical``, ``injury day 7``."""
    when = "" if np.isnan(day) else f"day {day:g}"
    return " ".join(word for word in (kind, arm, when) if word)


def _facts(kind: str, arm: str, day: float, **known: Any) -> dict[str, Any]:
    start: dict[str, Any] = dict.fromkeys(CONTRAST_COLUMNS, np.nan)
    words = dict.fromkeys(("control", "covariates", "not_held", "reason"), "")
    start |= {"contrast": name_of(kind, arm, day), "kind": kind, "arm": arm, "day": day, "status": Status.NOT_TESTABLE}
    return {**start, **words, "genes": 0, **known}


def _found(facts: dict[str, Any], design: Design, genes: pd.DataFrame) -> Contrast:
    up, down = genes["log2_fold_change"] > 0, genes["log2_fold_change"] < 0
    counted = {
        f"genes_{word}{end}": int(((genes[f"q{end}"] < ALPHA) & way).sum())
        for end in ("", "_without")
        for word, way in (("up", up), ("down", down))
    }
    told = {"covariates": ", ".join(design.covariates), "not_held": "; ".join(design.left_out)}
    return Contrast(
        {**facts, **told, **counted, "genes": int(genes["p"].notna().sum()), "status": Status.TESTED}, genes
    )


def units_of(samples: pd.DataFrame) -> pd.Series:
    """Return the name of each pseudobulk's animal, day and side."""
    named = ["|".join(map(str, row)) for row in samples[UNIT].astype(str).itertuples(index=False)]
    return pd.Series(named, index=samples.index, dtype="str")  # of no sample too: `agg` would return a table


def state_contrasts(bulks: Pseudobulks, left_out: Sequence[str]) -> list[Contrast]:
    """Compare recovery cells with the other microglia of the same injured animals, by arm.

    Parameters
    ----------
    bulks
        From `by_call`: recovery cells and others of each animal.
    left_out
        Genes that made the call.
    """
    found = []
    injured = bulks.samples["condition"] == Condition.INJURED
    for arm in sorted(bulks.samples.loc[injured, "arm"].unique()):
        own = bulks.of(injured & (bulks.samples["arm"] == arm))
        enough = own.samples["cells"] >= LEAST_CELLS
        both = units_of(own.samples[enough]).value_counts()
        paired = own.of(enough & units_of(own.samples).isin(both.index[both == 2]))
        n = len(paired.samples) // 2
        facts = _facts(STATE, arm, np.nan, n_animals=n, n_controls=n, control="other microglia of the same animals")
        if n < LEAST_ANIMALS:
            animals = wording.count(n, "injured animal")
            reason = f"{animals} with at least {LEAST_CELLS} recovery cells and {LEAST_CELLS} others; {LEAST_ANIMALS} are needed"
            found.append(Contrast({**facts, "reason": reason}, pd.DataFrame()))
            continue
        design = paired_design(paired.samples, units_of(paired.samples), paired.samples["cells_of"] == RECOVERY)
        found.append(_found(facts, design, effect_of(fit(paired, design), "effect", left_out=left_out)))
    return found


def injury_contrasts(bulks: Pseudobulks, left_out: Sequence[str]) -> list[Contrast]:
    """Compare the microglia of injured animals with those of control animals, by arm and day; one model an arm.

    Controls are all sham, contralateral and naive animals of the arm, or of the study where the arm has none.
    """
    found = []
    samples = bulks.samples
    enough = samples["cells"] >= LEAST_CELLS
    injured = (samples["condition"] == Condition.INJURED) & samples["day"].notna()
    control = samples["condition"].isin(CONTROLS)
    for arm in sorted(samples.loc[injured, "arm"].unique()):
        of_arm = samples["arm"] == arm
        own_control = control & of_arm if (control & of_arm).any() else control
        words = "+".join(sorted({str(name) for name in samples.loc[own_control & enough, "condition"]}))
        n_control = int((own_control & enough).sum())
        tested: list[tuple[float, dict[str, Any]]] = []
        for day in sorted(samples.loc[injured & of_arm, "day"].unique()):
            n = int((injured & of_arm & enough & (samples["day"] == day)).sum())
            facts = _facts(INJURY, arm, float(day), n_animals=n, n_controls=n_control, control=words)
            if min(n, n_control) < LEAST_ANIMALS:
                reason = (
                    f"{wording.count(n, 'injured animal')} and {wording.count(n_control, 'control animal')} with at least "
                    f"{LEAST_CELLS} microglia; {LEAST_ANIMALS} of each are needed"
                )
                found.append(Contrast({**facts, "reason": reason}, pd.DataFrame()))
            else:
                tested.append((float(day), facts))
        if not tested:
            continue
        days = [day for day, _ in tested]
        used = bulks.of(enough & (own_control | (injured & of_arm & samples["day"].isin(days))))
        group = ("day " + used.samples["day"].map("{:g}".format)).where(
            used.samples["condition"] == Condition.INJURED, "control"
        )
        design = grouped_design(used.samples, group)
        model = fit(used, design)
        for day, facts in tested:
            genes = effect_of(model, f"day {day:g}", left_out=left_out, exact=False)
            found.append(_found(facts, design, genes))
    return found


@dataclass(frozen=True)
class Ratios:
    """log2 ratios of recovery cells over others.

    Attributes
    ----------
    ratios
        Animals (units) × genes.
    animals
        unit, arm, subject, day, cells, other_cells.
    """

    ratios: pd.DataFrame
    animals: pd.DataFrame

    def of_arm(self, arm: str) -> pd.DataFrame:
        """Return the ratios of the animals of an arm."""
        return self.ratios.loc[self.animals.loc[self.animals["arm"] == arm, "unit"]]


def ratios_by_animal(bulks: Pseudobulks) -> Ratios:
    """Return log2 ratios of recovery cells over others, and the animals with their cells.

    Of injured animals with enough of both. Half a count per 10,000 is added to either side, so that a gene without counts
    has a ratio.
    """
    samples = bulks.samples
    kept = bulks.of((samples["condition"] == Condition.INJURED) & (samples["cells"] >= LEAST_CELLS))
    levels: pd.DataFrame = per_ten_thousand(kept.counts).add(0.5).transform("log2")
    rows, facts = {}, []
    for unit, own in groups(kept.samples.assign(unit=units_of(kept.samples)), ["unit"]):
        inside, outside = own[own["cells_of"] == RECOVERY], own[own["cells_of"] != RECOVERY]
        if len(inside) != 1 or len(outside) != 1:
            continue
        rows[unit[0]] = levels.loc[inside.index[0]] - levels.loc[outside.index[0]]
        first = inside.iloc[0]
        facts.append({
            "unit": unit[0], "arm": first["arm"], "subject": first["subject"], "day": first["day"],
            "cells": first["cells"], "other_cells": outside.iloc[0]["cells"],
        })  # fmt: skip
    names = ["unit", "arm", "subject", "day", "cells", "other_cells"]
    return Ratios(pd.DataFrame(rows, index=bulks.counts.columns).T, pd.DataFrame(facts, columns=names))


def genes_by_animal(contrasts: Sequence[Contrast], by_animal: Ratios) -> pd.DataFrame:
    """Return the log2 ratio of the first genes of each state contrast in every animal (= driver_animals.tsv)."""
    ratios, animals = by_animal.ratios, by_animal.animals
    rows = []
    for contrast in contrasts:
        if contrast.genes.empty or contrast.facts["kind"] != STATE:
            continue
        top = contrast.genes[contrast.genes["q"] < ALPHA].head(SHOWN)
        for animal in animals[animals["arm"] == contrast.facts["arm"]].itertuples():
            for gene, marked in zip(top["gene"], top["made_call"], strict=True):
                value = float(ratios.loc[animal.unit, gene])
                rows.append(
                    (contrast.name, gene, marked, animal.subject, animal.day, animal.cells, animal.other_cells, value)
                )
    return pd.DataFrame(rows, columns=list(ANIMAL_COLUMNS))


def contrasts_table(contrasts: Sequence[Contrast]) -> pd.DataFrame:
    """Return one row a contrast (= driver_contrasts.tsv)."""
    return pd.DataFrame([contrast.facts for contrast in contrasts], columns=list(CONTRAST_COLUMNS))


def not_called(reason: str) -> Contrast:
    """Return the comparison of recovery cells where none were called."""
    return Contrast(_facts(STATE, "", np.nan, n_animals=0, n_controls=0, reason=f"no call: {reason}"), pd.DataFrame())


def genes_table(contrasts: Sequence[Contrast]) -> pd.DataFrame:
    """Return the genes of all contrasts under each other (= driver_genes.tsv)."""
    parts = [contrast.genes.assign(contrast=contrast.name) for contrast in contrasts if len(contrast.genes)]
    if not parts:
        return pd.DataFrame(columns=list(GENE_COLUMNS))
    return pd.concat(parts, ignore_index=True)[list(GENE_COLUMNS)]
