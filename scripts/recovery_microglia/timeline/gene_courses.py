"""Single genes over days, and their tests."""

from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from recovery_microglia.core.anndata_access import counts_of, gene_counts, obs_of
from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.frame_access import groups
from recovery_microglia.core.genes import Signatures, present
from recovery_microglia.core.statistics import benjamini_hochberg, smallest_p, welch_p
from recovery_microglia.core.vocabulary import Condition, Status
from recovery_microglia.timeline.confirmatory_tests import permutation_p
from recovery_microglia.timeline.design import Audit
from recovery_microglia.timeline.fractions import UNIT, pick_control

COURSE_COLUMNS = (
    *("gene", "role", "arm", "subject", "day", "condition", "libraries", "n"),
    *("share_detected", "mean_counts_per_10k"),
)


TEST_COLUMNS = (
    *("gene", "role", "arm", "day", "control", "n_subjects", "n_control_subjects", "mean", "control_mean"),
    *("difference", "p", "p_permutation", "p_smallest", "q", "status", "reason"),
)


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
