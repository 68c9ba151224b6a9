"""Single genes over days, and where *Igf1* comes from."""

from collections.abc import Mapping, Sequence

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recovery_microglia.core.genes import Signatures, present
from recovery_microglia.library.empty_droplets import benjamini_hochberg
from recovery_microglia.timeline.confirmatory_tests import permutation_p
from recovery_microglia.timeline.design import Audit, smallest_p
from recovery_microglia.timeline.fractions import UNIT, pick_control

Floats = NDArray[np.float64]

COURSE_COLUMNS = (
    *("gene", "role", "arm", "subject", "day", "condition", "libraries", "n"),
    *("share_detected", "mean_counts_per_10k"),
)
TEST_COLUMNS = (
    *("gene", "role", "arm", "day", "control", "n_subjects", "n_control_subjects", "mean", "control_mean"),
    *("difference", "p", "p_permutation", "p_smallest", "q", "status", "reason"),
)
IGF1_COLUMNS = (
    *("subject", "day", "condition", "lineage", "igf1_counts", "total_igf1_counts", "share", "status", "reason"),
)
FEW_IGF1 = 20
"""Below, the share of a subject's Igf1 counts by lineage is chance."""


def gene_course(microglia: ad.AnnData, signatures: Signatures) -> pd.DataFrame:
    """Return each signature and context gene per subject (= gene_course.tsv).

    ``share_detected`` is the share of the subject's microglia with a count; ``mean_counts_per_10k`` the gene's share
    of all their counts times 10,000 (a ratio of sums, so that shallow cells do not weigh as much as deep ones).
    """
    rows = []
    genes = pd.Index(microglia.var_names)
    obs = microglia.obs.assign(position=np.arange(microglia.n_obs))
    total = np.asarray(microglia.X.sum(axis=1)).ravel()
    groups = list(obs.groupby(UNIT, dropna=False, sort=False, observed=True))
    for gene_set in (signatures.recovery, signatures.context):
        for gene in present(gene_set.up, set(genes)):
            counts = np.asarray(microglia.X[:, genes.get_loc(gene)].todense()).ravel()
            for (arm, subject, day, condition), group in groups:
                own = group["position"].to_numpy()
                facts = (arm, subject, day, condition, "; ".join(sorted(set(group["library"].astype(str)))), len(own))
                level = 1e4 * counts[own].sum() / max(total[own].sum(), 1)
                values = (gene, gene_set.name, *facts, float((counts[own] > 0).mean()), float(level))
                rows.append(dict(zip(COURSE_COLUMNS, values, strict=True)))
    return pd.DataFrame(rows, columns=list(COURSE_COLUMNS))


def welch_p(first: Floats, second: Floats) -> float:
    """Return Welch's two-sided p; NaN with fewer than two values on a side or no variation."""
    from scipy.special import stdtr

    if min(len(first), len(second)) < 2:
        return float("nan")
    a, b = first.var(ddof=1) / len(first), second.var(ddof=1) / len(second)
    if a + b == 0:
        return float("nan")
    freedom = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(second) - 1))
    return float(2 * stdtr(freedom, -abs(second.mean() - first.mean()) / np.sqrt(a + b)))


def gene_tests(course: pd.DataFrame, audit: Audit, *, seed: int = 1) -> pd.DataFrame:
    """Compare each gene on each post-injury day with its control, over subjects (= gene_tests.tsv).

    Welch's test on log2(1 + counts per 10,000) of the subjects, with the exact permutation p and its smallest
    attainable value beside it; q is the false-discovery rate over all genes and days of an arm.
    """
    rows = []
    work = course.assign(k=0, level=np.log2(1 + course["mean_counts_per_10k"]))
    for (gene, role), own in work.groupby(["gene", "role"], sort=False):
        injured = own[own["condition"] == "injured"]
        for (arm, day), group in injured.groupby(["arm", "day"], sort=True):
            control, name = pick_control(own, day)
            first, second = control["level"].to_numpy(float), group["level"].to_numpy(float)
            row = {"gene": gene, "role": role, "arm": arm, "day": day, "control": name}
            row |= {"n_subjects": len(second), "n_control_subjects": len(first), "mean": second.mean()}
            row |= {"control_mean": first.mean() if len(first) else np.nan}
            row["difference"] = row["mean"] - row["control_mean"]
            row |= _gene_test(first, second, audit, seed)
            rows.append(row)
    table = pd.DataFrame(rows, columns=list(TEST_COLUMNS))
    table["q"] = table.groupby("arm")["p"].transform(lambda p: benjamini_hochberg(p.to_numpy(float)))
    return table


def _gene_test(first: Floats, second: Floats, audit: Audit, seed: int) -> dict[str, object]:
    if audit.status != "tested":
        return {"status": audit.status, "reason": audit.reason}
    if min(len(first), len(second)) < 2:
        return {"status": "descriptive", "reason": "fewer than two subjects on one side"}
    return {
        "p": welch_p(first, second),
        "p_permutation": permutation_p(first, second, limit=4000, seed=seed),
        "p_smallest": smallest_p(len(first), len(second)),
        "status": "tested",
        "reason": "",
    }


def igf1_share(
    sums: Mapping[str, pd.DataFrame], sheet: pd.DataFrame, recovery_igf1: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the share of all *Igf1* counts by lineage per subject (= igf1_share.tsv).

    Parameters
    ----------
    sums
        Library to its sums of counts (genes × lineages).
    sheet
        One row a library.
    recovery_igf1
        Library to *Igf1* counts in recovery cells (columns library, igf1); they are then split from microglia.

    Returns
    -------
    DataFrame
        ``not_testable`` for sorted tissue (the share means something only where all cells were sampled), for data
        without *Igf1*, and where a subject has fewer than 20 *Igf1* counts.
    """
    included = sheet[sheet["include"]]
    rows: list[tuple[object, ...]] = []
    for (subject, day, condition), libraries in included.groupby(
        ["subject", "day", "condition"], dropna=False, sort=False
    ):
        counts = _igf1_counts([sums[name] for name in libraries["library"] if name in sums])
        if recovery_igf1 is not None and "microglia" in counts:
            inside = float(recovery_igf1.loc[recovery_igf1["library"].isin(libraries["library"]), "igf1"].sum())
            counts = pd.concat([pd.Series({"recovery_microglia": inside}), counts])
            counts["microglia"] -= inside
        status, reason = _igf1_status(set(libraries["sort"]), counts)
        if counts.empty:
            rows.append((subject, day, condition, "", np.nan, np.nan, np.nan, status, reason))
        for lineage, value in counts.items():
            share = value / counts.sum() if status == "descriptive" else np.nan
            rows.append((subject, day, condition, lineage, value, counts.sum(), share, status, reason))
    return pd.DataFrame(rows, columns=list(IGF1_COLUMNS))


def _igf1_counts(sums: Sequence[pd.DataFrame]) -> pd.Series:
    parts = [table.loc["Igf1"] for table in sums if "Igf1" in table.index]
    return pd.concat(parts).groupby(level=0).sum().astype(float) if parts else pd.Series(dtype=float)


def _igf1_status(sort: set[str], counts: pd.Series) -> tuple[str, str]:
    if sort != {"none"}:
        return "not_testable", "sorted tissue: the other sources of Igf1 were not sampled"
    if counts.empty:
        return "not_testable", "Igf1 was not measured"
    if counts.sum() < FEW_IGF1:
        return "not_testable", f"{counts.sum():.0f} Igf1 counts in all; at least {FEW_IGF1} are needed"
    return "descriptive", ""
