"""Single genes over days: their courses, whether a course differs from control, and each day against its control."""

from collections.abc import Mapping
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from recovery_microglia.core.anndata_access import counts_of, gene_counts, obs_of
from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.frame_access import groups, records
from recovery_microglia.core.genes import Signatures, present
from recovery_microglia.core.kernels import group_sums
from recovery_microglia.core.statistics import benjamini_hochberg, smallest_p, welch_p
from recovery_microglia.core.vocabulary import Condition, Status
from recovery_microglia.core.wording import listed
from recovery_microglia.timeline.confirmatory_tests import permutation_p
from recovery_microglia.timeline.design import Audit
from recovery_microglia.timeline.fractions import UNIT, arms_of, pick_control, units_of_arm
from recovery_microglia.timeline.quasi_likelihood import quasi_test

COURSE_COLUMNS = (
    *("gene", "role", "arm", "subject", "day", "condition", "libraries", "n"),
    *("share_detected", "mean_counts_per_10k"),
)


TEST_COLUMNS = (
    *("gene", "role", "arm", "day", "control", "n_subjects", "n_control_subjects", "mean", "control_mean"),
    *("difference", "p", "p_permutation", "p_smallest", "q", "status", "reason"),
)


CHANGE_COLUMNS = (
    *("gene", "role", "arm", "n_days", "n_subjects", "n_control_subjects", "peak_day", "fold", "direction"),
    *("statistic", "p", "q", "status", "reason"),
)
LEAST_COUNTS = 5.0
"""Mean counts an animal from which a gene tells of the variance between animals."""
LEAST_TESTED = 1.0
"""Mean counts an animal from which a gene is tested."""
MOST_NAMED = 8


def gene_course(microglia: ad.AnnData, signatures: Signatures) -> pd.DataFrame:
    """Return each signature and context gene per subject (= gene_course.tsv).

    ``share_detected`` is the share of the subject's microglia with a count; ``mean_counts_per_10k`` the gene's share
    of all their counts times 10,000 (a ratio of sums, so that shallow cells do not weigh as much as deep ones).
    """
    rows = []
    genes = pd.Index(microglia.var_names)
    obs = obs_of(microglia).assign(position=np.arange(microglia.n_obs))
    counts = counts_of(microglia)
    total = np.asarray(counts.sum(axis=1)).ravel()
    subjects = list(obs.groupby(UNIT, dropna=False, sort=False, observed=True))
    for gene_set in (signatures.recovery, signatures.context):
        for gene in present(gene_set.up, set(genes)):
            found = gene_counts(counts, genes, gene)
            for (arm, subject, day, condition), group in subjects:
                own = group["position"].to_numpy()
                facts = (arm, subject, day, condition, "; ".join(sorted(set(group["library"].astype(str)))), len(own))
                level = 1e4 * found[own].sum() / max(total[own].sum(), 1)
                values = (gene, gene_set.name, *facts, float((found[own] > 0).mean()), float(level))
                rows.append(dict(zip(COURSE_COLUMNS, values, strict=True)))
    return pd.DataFrame(rows, columns=list(COURSE_COLUMNS))


def gene_tests(course: pd.DataFrame, audit: Audit, *, seed: int = 1) -> pd.DataFrame:
    """Compare each gene on each post-injury day with its control, over subjects (= gene_tests.tsv).

    Welch's test on log2(1 + counts per 10,000) of the subjects, with the exact permutation p and its smallest
    attainable value beside it; q is the false-discovery rate over all genes and days of an arm.
    """
    rows = []
    work = course.assign(k=0, level=np.log2(1 + course["mean_counts_per_10k"]))
    for (gene, role), own in groups(work, ["gene", "role"], sort=False):
        injured = own[own["condition"] == Condition.INJURED]
        for (arm, day), group in groups(injured, ["arm", "day"]):
            control, name = pick_control(own, day)
            first, second = control["level"].to_numpy(float), group["level"].to_numpy(float)
            row: dict[str, Any] = {"gene": gene, "role": role, "arm": arm, "day": day, "control": name}
            row |= {"n_subjects": len(second), "n_control_subjects": len(first), "mean": second.mean()}
            row |= {"control_mean": first.mean() if len(first) else np.nan}
            row["difference"] = row["mean"] - row["control_mean"]
            row |= _gene_test(first, second, audit, seed)
            rows.append(row)
    table = pd.DataFrame(rows, columns=list(TEST_COLUMNS))
    table["q"] = table.groupby("arm")["p"].transform(lambda p: benjamini_hochberg(p.to_numpy(float)))
    return table


def gene_changes(microglia: ad.AnnData, signatures: Signatures, audit: Audit) -> tuple[pd.DataFrame, str]:
    """Test for each signature and context gene whether it differs from control on any day (= gene_changes.tsv).

    One test a gene over all days, by `quasi_likelihood`: counts of all of an animal's microglia; in the full model each day
    and each control group has a rate of its own, in the reduced one every day has that of its control. q is the
    false-discovery rate over the genes of an arm.

    Returns
    -------
    table
        gene_changes.tsv.
    sentence
        What it says.
    """
    animals, counts = _pseudobulks(microglia)
    names = pd.Index(microglia.var_names)
    wanted = [(gene, s.name) for s in (signatures.recovery, signatures.context) for gene in present(s.up, set(names))]
    parts, told = [], []
    for arm in arms_of(animals):
        units = units_of_arm(animals, arm)
        found = _changes_of_arm(units, counts[units.index.to_numpy()], names, wanted, audit, audit.held_of(arm))
        parts.append(found.assign(arm=arm))
        told.append(_changes_in_words(parts[-1], arm))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return table.reindex(columns=list(CHANGE_COLUMNS)), " ".join(filter(None, told))


def _pseudobulks(microglia: ad.AnnData) -> tuple[pd.DataFrame, Floats]:
    """Return the animals (columns of `UNIT`, n), and the summed counts of their microglia (animals × genes)."""
    obs = obs_of(microglia)
    grouped = obs.groupby(UNIT, dropna=False, sort=False, observed=True)
    number = grouped.ngroup().to_numpy()
    animals = grouped.size().rename("n").reset_index().assign(k=0)
    return animals, group_sums(counts_of(microglia), number, len(animals)).astype(float)


def _changes_of_arm(
    units: pd.DataFrame,
    counts: Floats,
    names: pd.Index,
    wanted: list[tuple[str, str]],
    audit: Audit,
    held: Mapping[float, str],
) -> pd.DataFrame:
    """Return the rows of one arm."""
    units = units.reset_index(drop=True)
    injured = units[units["condition"] == Condition.INJURED]
    sides = {float(day): pick_control(units, float(day))[0] for day in sorted(injured["day"].dropna().unique())}
    sides = {day: control for day, control in sides.items() if day not in held and len(control)}
    rows = pd.DataFrame(wanted, columns=["gene", "role"])
    reason = _why_untested(injured, sides, audit)
    if reason:
        status = audit.status if audit.status != Status.TESTED else Status.DESCRIPTIVE
        return rows.assign(status=status, reason=reason)
    group, base = _numbered(units, injured, sides)
    taken = (group >= 0).to_numpy()
    own = counts[taken]
    codes, full = np.unique(group[taken], return_inverse=True)
    reduced = np.unique(group[taken].map(lambda number: base.get(number, number)), return_inverse=True)[1]
    found = quasi_test(own, full, reduced, own.mean(axis=0) >= LEAST_COUNTS)
    at = names.get_indexer(pd.Index(rows["gene"]))
    # in counts of a mean animal; half a count added to both
    rates = dict(zip(codes.tolist(), np.log2(found.means[:, at] + 0.5), strict=True))
    folds = np.array([rates[place] - rates[control] for place, control in base.items()])
    highest = np.abs(folds).argmax(axis=0)
    fold = folds[highest, np.arange(len(at))]
    n_injured = int((group[taken] < len(sides)).sum())
    table = rows.assign(
        n_days=len(sides),
        n_subjects=n_injured,
        n_control_subjects=int(taken.sum()) - n_injured,
        peak_day=np.array(list(sides))[highest],
        fold=2.0**fold,
        direction=np.where(fold > 0, "up", "down"),
        statistic=found.statistic[at],
        p=found.p[at],
        status=Status.TESTED,
        reason="",
    )
    few = own.mean(axis=0)[at] < LEAST_TESTED
    table.loc[few, ["p", "statistic"]] = np.nan
    table.loc[few, ["status", "reason"]] = (Status.DESCRIPTIVE, f"fewer than {LEAST_TESTED:g} count an animal")
    return table.assign(q=benjamini_hochberg(table["p"].to_numpy(float)))


def _numbered(
    units: pd.DataFrame, injured: pd.DataFrame, sides: Mapping[float, pd.DataFrame]
) -> tuple[pd.Series, dict[int, int]]:
    """Return the number of each animal's group (days from 0 on, then controls, -1: none), and each day's control group."""
    group = pd.Series(-1, index=units.index)
    base: dict[int, int] = {}
    kinds: dict[int, set[int]] = {}
    for place, (day, control) in enumerate(sides.items()):
        group[injured.index[injured["day"] == day]] = place
        animals = set(control.index)
        base[place] = next((number for number, known in kinds.items() if known & animals), len(sides) + len(kinds))
        kinds[base[place]] = kinds.get(base[place], set()) | animals
    for number, animals in kinds.items():
        group[sorted(animals)] = number
    return group, base


def _why_untested(injured: pd.DataFrame, sides: Mapping[float, pd.DataFrame], audit: Audit) -> str:
    """Return why courses cannot be tested; empty if they can."""
    if audit.status != Status.TESTED:
        return audit.reason
    if not sides:
        return "no day can be compared with a control"
    if all((injured["day"] == day).sum() < 2 for day in sides) or all(len(control) < 2 for control in sides.values()):
        return "fewer than two subjects on one side"
    return ""


def _changes_in_words(table: pd.DataFrame, arm: str) -> str:
    """Return the conclusion over the genes of an arm."""
    tested = table[table["status"] == Status.TESTED]
    if tested.empty:
        return ""
    where = f" ({arm})" if arm else ""
    changed = tested[tested["q"] < 0.05].sort_values("p", kind="stable")
    of = f"{len(changed)} of the {len(tested)} genes tested{where}"
    how = "quasi-likelihood test over animals, all days together, false-discovery rate below 0.05"
    if changed.empty:
        return f"None of the {len(tested)} genes tested{where} was shown to differ from control on any day ({how})."
    told = []
    for way, words in (("up", "above control, at their highest"), ("down", "below control, at their lowest")):
        own = changed[changed["direction"] == way]
        if len(own):
            named = [f"{row['gene']} ({row['fold']:.2g} times on day {row['peak_day']:g})" for row in records(own)]
            told.append(f"{words}: {listed(named, most=MOST_NAMED)}")
    return f"{of} {'differs' if len(changed) == 1 else 'differ'} from control over the days ({how}); {'; '.join(told)}."


def _gene_test(first: Floats, second: Floats, audit: Audit, seed: int) -> dict[str, object]:
    if audit.status != Status.TESTED:
        return {"status": audit.status, "reason": audit.reason}
    if min(len(first), len(second)) < 2:
        return {"status": Status.DESCRIPTIVE, "reason": "fewer than two subjects on one side"}
    return {
        "p": welch_p(first, second),
        "p_permutation": permutation_p(first, second, limit=4000, seed=seed),
        "p_smallest": smallest_p(len(first), len(second)),
        "status": Status.TESTED,
        "reason": "",
    }
