"""Three made-up data sets in the schema of the pipeline's tables: one tested, one descriptive, one not testable."""

from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.report import ReportInputs

NAN = float("nan")
SIGNATURE = [
    "Igf1",
    "Itgax",
    "Clec7a",
    "Cst7",
    "Axl",
    "Csf1",
    "Lpl",
    "Cd9",
    "Spp1",
    "Gpnmb",
    "Fabp5",
    "Cadm1",
    "Ank",
    "Lilrb4a",
]
CONTEXT = ["Apoe", "Cd63", "Lgals3", "Ctsb", "Ctsd", "Trem2", "Tyrobp"]
TRUE = {0: 0.01, 1: 0.01, 3: 0.012, 7: 0.05, 14: 0.13, 21: 0.12, 30: 0.1, 35: 0.08}
LINEAGES = {
    "microglia": 0.3,
    "border_macrophage": 0.04,
    "dendritic_cell": 0.01,
    "neutrophil": 0.02,
    "ambiguous_myeloid": 0.01,
    "oligodendrocyte": 0.3,
    "astrocyte": 0.15,
    "endothelial": 0.1,
    "neuron": 0.05,
    "ambiguous": 0.02,
}
LIBRARY_COLUMNS = ("subject", "day", "condition", "arm", "sex", "age", "chemistry", "batch", "sort")


def sheet(design: list[tuple[float, str, int]], *, batches: bool = True, sort: str = "none") -> pd.DataFrame:
    """One library a subject; ``design`` holds day, condition, number of subjects."""
    rows = []
    for day, condition, n in design:
        for i in range(n):
            name = f"{condition[0].upper()}{day:02g}_{i + 1}" if day == day else f"{condition[0].upper()}_{i + 1}"
            rows.append(
                {
                    "library": name,
                    "subject": f"mouse{len(rows) + 1:02d}",
                    "day": day,
                    "condition": condition,
                    "arm": "",
                    "sex": ("female", "male")[i % 2],
                    "age": "10 weeks",
                    "chemistry": "10x 3' v3",
                    "batch": ("A", "B")[i % 2] if batches else f"run{day:g}",
                    "sort": sort,
                    "pooled_n": 1,
                    "file": f"{name}/matrix.mtx.gz",
                    "include": True,
                    "reason": "",
                }
            )
    return pd.DataFrame(rows)


def wilson(k: int, n: int) -> tuple[float, float]:
    p, z = k / n, 1.96
    centre, half = (
        (p + z * z / (2 * n)) / (1 + z * z / n),
        z * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n) / (1 + z * z / n),
    )
    return max(centre - half, 0.0), min(centre + half, 1.0)


def embedded_cells(samples: pd.DataFrame, rng: np.random.Generator, *, per_library: int, called: bool) -> pd.DataFrame:
    """All myeloid cells, as the final h5ad holds them."""
    parts = []
    centres = {"microglia": (0, 0), "border_macrophage": (7, 2), "dendritic_cell": (6, -4), "neutrophil": (-6, 5),
               "ambiguous_myeloid": (3, 1)}  # fmt: skip
    for row in samples.to_dict("records"):
        lineage = rng.choice(list(centres), per_library, p=[0.8, 0.1, 0.04, 0.04, 0.02])
        centre = np.array([centres[name] for name in lineage], float)
        microglia = lineage == "microglia"
        rate = TRUE.get(int(row["day"]), 0.01) if row["condition"] == "injured" and called else 0.01
        recovery = microglia & (rng.random(per_library) < rate)
        points = centre + rng.normal(0, 1.2, (per_library, 2)) + np.where(recovery[:, None], (2.5, -2.5), 0)
        score = np.where(microglia, rng.gamma(2, 0.03, per_library) + 0.3 * recovery, NAN)
        state = np.where(
            recovery, "recovery", rng.choice(["homeostatic", "interferon", "none"], per_library, p=[0.8, 0.05, 0.15])
        )
        part = pd.DataFrame({"cell": [f"{row['library']}:{i}" for i in range(per_library)]})
        for key in ("library", "subject", "day", "condition", "chemistry"):
            part[key] = row[key]
        part = part.assign(
            lineage=lineage,
            state=np.where(microglia, state, ""),
            recovery_score=score,
            recovery_call=np.where(~microglia | (not called), "not called", np.where(recovery, "yes", "no")),
            umap1=points[:, 0],
            umap2=points[:, 1],
            integrated1=points[:, 0] * 0.8,
            integrated2=points[:, 1] * 0.8,
            leiden="0",
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def qc(samples: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for i, row in enumerate(samples.to_dict("records")):
        removed = {name: int(value) for name, value in zip(
            ("low_counts", "high_counts", "low_genes", "high_mito", "high_haemoglobin", "doublet"),
            rng.poisson((20, 1, 4, 15, 2, 25)), strict=True)}  # fmt: skip
        kept = int(rng.integers(480, 560))
        odd = i == 2
        rows.append(
            {
                "library": row["library"],
                "barcodes": kept + sum(removed.values()),
                "cells_called": kept + sum(removed.values()),
                "kept": kept,
                **{f"removed_{key}": value for key, value in removed.items()},
                "median_counts": 2100.0,
                "median_genes": 900.0,
                "median_pct_mito": 14.2 if odd else 3.1,
                "median_pct_haemoglobin": 0.0,
                "median_pct_dissociation": 2.0,
                "median_pct_myelin": NAN,
                "doublet_rate": removed["doublet"] / (kept + removed["doublet"]),
                "sex_stated": row["sex"],
                "sex_called": ("male" if row["sex"] == "female" else "female") if odd else row["sex"],
                "microglia": 30 if odd else int(kept * 0.3),
                "myeloid": int(kept * 0.38),
                "ambiguous": int(kept * 0.03),
                "notes": "sex_mismatch; few_microglia" if odd else "",
            }
        )
    return pd.DataFrame(rows)


def lineages(samples: pd.DataFrame) -> pd.DataFrame:
    rows = [
        {
            **{k: row[k] for k in ("library", "subject", "day", "condition")},
            "lineage": name,
            "n": int(500 * share),
            "share": share,
        }
        for row in samples.to_dict("records")
        for name, share in LINEAGES.items()
    ]
    return pd.DataFrame(rows)


def fractions(samples: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for route in ("score", "score_without", "cluster"):
        for row in samples.to_dict("records"):
            n = int(rng.integers(120, 190))
            rate = TRUE[int(row["day"])] if row["condition"] == "injured" else 0.01
            k = int(rng.binomial(n, rate))
            low, high = wilson(k, n)
            facts = {key: row[key] for key in ("arm", "subject", "day", "condition", "sex", "chemistry", "batch")}
            rows.append({"route": route, "denominator": "microglia", **facts, "libraries": 1, "k": k, "n": n,
                         "fraction": k / n, "low": low, "high": high, "note": ""})  # fmt: skip
    return pd.DataFrame(rows)


def timeline(units: pd.DataFrame, *, tested: bool, reason: str = "") -> pd.DataFrame:
    rows = []
    for (route, day), own in units[units["condition"] == "injured"].groupby(["route", "day"], sort=True):
        k, n = int(own["k"].sum()), int(own["n"].sum())
        control = units[(units["route"] == route) & (units["condition"] != "injured")]
        base = control["k"].sum() / control["n"].sum()
        p = (0.00002 if day >= 14 else 0.004) if day >= 7 else 0.6
        row = {"route": route, "arm": "", "day": day, "n_subjects": len(own), "control": "naive",
               "n_control_subjects": 3, "k": k, "n": n, "fraction": k / n, "low": NAN, "high": NAN,
               "control_fraction": base, "control_low": NAN, "control_high": NAN, "difference": NAN, "p": NAN,
               "p_second": NAN, "p_permutation": NAN, "p_smallest": NAN, "q": NAN, "smallest_detectable": NAN,
               "status": "tested" if tested else "descriptive", "reason": reason}  # fmt: skip
        if tested:
            low, high = wilson(k, n)
            row |= {"low": low, "high": high, "difference": k / n - base, "p": p, "p_second": p, "p_permutation": 0.1,
                    "p_smallest": 0.1, "q": p * 1.5, "smallest_detectable": 0.045}  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows)


ONSET = {
    "route": "score", "arm": "", "status": "tested", "reason": "", "onset_low": 3.0, "onset_high": 7.0,
    "left_censored": False, "right_censored": False, "peak_day": 14.0, "peak_fraction": 0.128, "sustained": "sustained",
    "trend_p": 0.0004, "half_rise_day": 8.2, "half_rise_low": 6.1, "half_rise_high": 11.0,
    "sentence": "Recovery microglia rise above control between day 3 and day 7, and stay above it on every later day.",
}  # fmt: skip


def markers(present: list[str]) -> pd.DataFrame:
    rows = []
    for name, genes in (("recovery", SIGNATURE), ("context", CONTEXT)):
        for i, gene in enumerate(genes):
            here = gene in present
            rows.append({"set": name, "gene": gene, "direction": "up", "role": "signature",
                         "status": "present" if here else "absent", "named_in_data": gene if here else "",
                         "libraries_with_gene": 24 if here else 0, "detected_control": 0.02 + 0.01 * i if here else NAN,
                         "detected_injured": 0.05 + 0.02 * i if here else NAN})  # fmt: skip
    return pd.DataFrame(rows)


def gene_course(samples: pd.DataFrame, genes: list[str], rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for gene in genes:
        for row in samples.to_dict("records"):
            rise = 1.8 if row["condition"] == "injured" and row["day"] >= 7 else 1.0
            rows.append({"gene": gene, "role": "recovery" if gene in SIGNATURE else "context", "arm": "",
                         "subject": row["subject"], "day": row["day"], "condition": row["condition"],
                         "libraries": row["library"], "n": 150, "share_detected": 0.2 * rise,
                         "mean_counts_per_10k": float(rng.gamma(20, 0.1 * rise))})  # fmt: skip
    return pd.DataFrame(rows)


def gene_tests(course: pd.DataFrame, *, tested: bool) -> pd.DataFrame:
    injured = course[course["condition"] == "injured"]
    rows = []
    for (gene, day), own in injured.groupby(["gene", "day"], sort=False):
        p = 0.001 if day >= 7 and tested else (0.4 if tested else NAN)
        rows.append({"gene": gene, "role": own["role"].iloc[0], "arm": "", "day": day, "control": "naive", "n_subjects": len(own),
                     "n_control_subjects": 3, "mean": 2.0, "control_mean": 1.5, "difference": 0.5, "p": p, "p_permutation": 0.1 if tested else NAN,
                     "p_smallest": 0.1 if tested else NAN, "q": p, "status": "tested" if tested else "descriptive",
                     "reason": "" if tested else "one subject"})  # fmt: skip
    return pd.DataFrame(rows)


def igf1(samples: pd.DataFrame, *, sorted_tissue: bool) -> pd.DataFrame:
    rows = []
    for row in samples.to_dict("records"):
        for name, share in (("microglia", 0.5), ("border_macrophage", 0.3), ("recovery_microglia", 0.2)):
            rows.append({"subject": row["subject"], "day": row["day"], "condition": row["condition"], "lineage": name,
                         "igf1_counts": 100 * share, "total_igf1_counts": 100.0, "share": NAN if sorted_tissue else share,
                         "status": "not_testable" if sorted_tissue else "descriptive",
                         "reason": "sorted tissue: the other sources of Igf1 were not sampled" if sorted_tissue else ""})  # fmt: skip
    return pd.DataFrame(rows)


def clusters() -> pd.DataFrame:
    rows = [(r, str(c), 400 - 90 * c, 0.95 - 0.12 * c, 0.4 if c == 2 else 0.01, c == 2, "Spp1 Lpl Gpnmb", r == 0.4)
            for r in (0.2, 0.4, 0.8) for c in range(4)]  # fmt: skip
    names = ["resolution", "cluster", "n", "stability_jaccard", "recovery_share", "recovery", "top_genes", "reported"]
    return pd.DataFrame(rows, columns=names)


def robustness() -> pd.DataFrame:
    rows = []
    for scorer in ("score", "score_without", "depth_matched"):
        for q in (0.95, 0.975, 0.99, 0.995):
            same = q < 0.995
            rows.append((f"{scorer}, {q:g}, of microglia", "", scorer, q, "microglia", "", "", "", "cutoff" if scorer == "score" else "scorer",
                         3.0 if same else 7.0, 7.0 if same else 14.0, 14.0, 0.12, same))  # fmt: skip
    names = ["analysis", "arm", "scorer", "quantile", "denominator", "left_out", "resolution", "integrated", "varied", "onset_low",
             "onset_high", "peak_day", "peak_fraction", "agrees"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def calibration(*, usable: bool) -> pd.DataFrame:
    rows = [("score", "10x 3' v3", q, 0.16 if usable else NAN, 900, 6, 1 - q if usable else NAN, 0.004 if usable else NAN,
             0.02 if usable else NAN, q == 0.99, "") for q in (0.95, 0.975, 0.99, 0.995)]  # fmt: skip
    names = ["scorer", "chemistry", "quantile", "cutoff", "n_control_cells", "n_control_subjects", "fpr", "fpr_low", "fpr_high",
             "used", "note"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def warnings_table(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["code", "severity", "text"])
    return table.assign(step="library", library="N00_3")


def confounding() -> pd.DataFrame:
    return pd.DataFrame(
        [("batch", 2, 0.21, False, "can be told from the days"), ("age", 1, NAN, False, "does not vary")],
        columns=["variable", "levels", "cramers_v", "aliased", "note"],
    )


def summary(name: str, status: str, reason: str, headline: str, **more: Any) -> dict[str, Any]:
    value: dict[str, Any] = {
        "dataset": name, "title": f"A study called {name}", "simulated": False, "organism": "mouse",
        "injury_model": "spared nerve injury", "injury_class": "peripheral_nerve", "tissue": "lumbar spinal cord",
        "assay": "cells", "enrichment": "none", "citation": "Someone A et al. 2020.", "accession": "GSE000001",
        "notes": "", "status": status, "reason": reason, "headline": headline,
        "recovery": {"status": status, "reason": reason, "quantile": 0.99,
                     "coverage": {"present": SIGNATURE, "absent": [], "n_present": 14, "n_genes": 14, "reason": ""},
                     "agreement": {"clusters": {"n": 3000, "both": 110, "only_first": 60, "only_second": 40, "kappa": 0.66}}},
        "onset": [], "days": [], "totals": {"cells": 13000, "kept": 12345, "microglia": 3456, "recovery_cells": 210},
        "truth": None, "notices": [], "versions": {"recovery-microglia": "0.1.0", "python": "3.13.1", "scanpy": "1.12.4"},
        "parameters": {"seed": 1, "cells": {"min_counts": 300, "min_genes": 150, "max_pct_mito": 20.0, "mads": 5.0},
                       "recovery": {"quantile": 0.99, "n_null_sets": 1000}, "timeline": {"alpha": 0.05}}, "links": {},
    }  # fmt: skip
    return value | more


def days(samples: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "day": None if np.isnan(d) else d,
            "condition": c,
            "arm": a,
            "subjects": int(g["subject"].nunique()),
            "cells": 500 * len(g),
            "microglia": 150 * len(g),
        }
        for (d, c, a), g in samples.groupby(["day", "condition", "arm"], dropna=False)
    ]


def corrected(frame: pd.DataFrame) -> pd.DataFrame:
    """Add shares corrected for the call's own error rates: .8 % false positives, 70 % found."""
    fixed = ((frame["fraction"] - 0.008) / (0.7 - 0.008)).clip(0, 1)
    known = frame["low"].notna() & (frame["route"] == "score")
    return frame.assign(
        corrected=fixed.where(known), corrected_low=(frame["low"] / 0.8).where(known), corrected_high=(frame["high"] / 0.6).clip(0, 1).where(known)
    )  # fmt: skip


def strata(units: pd.DataFrame) -> pd.DataFrame:
    """Each day by sex, in the schema of strata.tsv."""
    own = units[units["route"] == "score"]
    control = own[own["condition"] != "injured"]
    rows = []
    for (sex, day), group in own[own["condition"] == "injured"].groupby(["sex", "day"], sort=True):
        base = control[control["sex"] == sex]
        k, n = int(group["k"].sum()), int(group["n"].sum())
        low, high = wilson(k, n)
        few = len(group) < 2
        rows.append({
            "by": "sex", "stratum": sex, "arm": "", "day": day, "n_subjects": len(group), "control": "naive", "n_control_subjects": len(base),
            "k": k, "n": n, "fraction": k / n, "low": low, "high": high, "control_fraction": base["k"].sum() / base["n"].sum(),
            "difference": k / n - 0.01, "p": NAN if few else 0.03, "q": NAN if few else 0.05,
            "status": "descriptive" if few else "tested", "reason": "one animal" if few else "",
        })  # fmt: skip
    return pd.DataFrame(rows)


def strata_onset() -> pd.DataFrame:
    rows = [
        {"by": "sex", "stratum": sex, **{key: value for key, value in ONSET.items() if key != "route"}}
        for sex in ("female", "male")
    ]
    return pd.DataFrame(rows)


def interactions() -> pd.DataFrame:
    """Whether the rise differs between the sexes, each day and (empty day) over all days."""
    rows = []
    for day in (7.0, 14.0, NAN):
        rows.append({
            "by": "sex", "first": "female", "second": "male", "arm": "", "day": day, "difference_first": 0.1, "difference_second": 0.08,
            "difference": 0.02, "low": -0.05, "high": 0.09, "p": 0.4, "p_permutation": 0.5, "p_smallest": 0.1, "q": 0.6, "status": "tested",
            "reason": "", "sentence": "" if day == day else "The rise does not differ between females and males (p = 0.4).",
        })  # fmt: skip
    return pd.DataFrame(rows)


def behaviour() -> pd.DataFrame:
    """A withdrawal threshold that falls and comes back, in two sexes."""
    course = {0: 1.0, 1: 0.4, 3: 0.2, 7: 0.15, 14: 0.3, 21: 0.5, 35: 0.9}
    rows = [(float(day), value * (1.1 if sex == "male" else 1), 0.08, 8, "withdrawal threshold", "g", "SNT", sex, "Smith 2020")
            for sex in ("female", "male") for day, value in course.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=["day", "mean", "sem", "n", "measure", "unit", "model", "sex", "source"])


def behaviour_tests() -> pd.DataFrame:
    rows = [("withdrawal threshold", sex, "", 7, 0.35, 14.0, 0.4, 0.0004, "tested", "", f"In {sex}s the threshold follows the cells by 14 days (p = 0.4).")
            for sex in ("female", "male")]  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=[
            "measure",
            "sex",
            "arm",
            "n_days",
            "correlation",
            "lag",
            "p",
            "p_smallest",
            "status",
            "reason",
            "sentence",
        ],
    )


def design(samples: pd.DataFrame) -> pd.DataFrame:
    days_asked = sorted(samples.loc[samples["condition"] == "injured", "day"].unique())
    rows = [("", day, 3, "naive", 3, 0.1, 0.045, "tested") for day in days_asked]
    return pd.DataFrame(
        rows, columns=["arm", "day", "animals", "control", "control_animals", "smallest_p", "smallest_share", "claim"]
    )


def gate() -> pd.DataFrame:
    rows = [("microglia", "border_macrophage", 3400, 0.9, 1.0, 0.98), ("microglia", "monocyte", 300, 0.1, 0.99, 0.95),
            ("ambiguous_myeloid", "border_macrophage", 12, 0.8, 0.6, 0.5), ("ambiguous", "neuron", 3, 1.0, 0.55, 0.5)]  # fmt: skip
    return pd.DataFrame(
        rows, columns=["lineage", "runner_up", "cells", "share_of_lineage", "confidence_median", "confidence_low"]
    )


def lineage_markers() -> pd.DataFrame:
    groups = {
        "subgroup": ["Itgax", "Igf1"],
        "microglia": ["P2ry12", "Hexb"],
        "border_macrophage": ["Mrc1", "Pf4"],
        "dendritic_cell": ["Flt3"],
    }
    lineages_shown = {"recovery_microglia": 200, "microglia": 3000, "border_macrophage": 400, "dendritic_cell": 90}
    rows = []
    for group, genes in groups.items():
        for gene in genes:
            for lineage, cells in lineages_shown.items():
                own = lineage.endswith(group) or (group == "subgroup" and lineage == "recovery_microglia")
                rows.append((group, gene, lineage, cells, 0.8 if own else 0.05, 9.0 if own else 0.3))
    return pd.DataFrame(
        rows, columns=["marker_of", "gene", "lineage", "cells", "share_detected", "mean_counts_per_10k"]
    )


def call_genes() -> pd.DataFrame:
    shares = np.arange(len(SIGNATURE), 0, -1) / sum(range(1, len(SIGNATURE) + 1))
    return pd.DataFrame({"gene": SIGNATURE, "fold": 8.0, "detected_called": 0.2 + 3 * shares, "detected_not_called": 0.1 + shares,
                         "detected_control": 0.1, "counts_called": (200 * shares).round().astype(int), "share_of_evidence": shares})  # fmt: skip


def igf1_states(samples: pd.DataFrame) -> pd.DataFrame:
    rows = [(row["subject"], row["day"], row["condition"], state, cells, counts, 100.0, counts / 100)
            for row in samples.to_dict("records")
            for state, cells, counts in (("recovery", 15, 30.0), ("near_recovery", 3, 4.0), ("homeostatic", 100, 60.0), ("interferon", 10, 6.0))]  # fmt: skip
    return pd.DataFrame(
        rows, columns=["subject", "day", "condition", "state", "cells", "igf1_counts", "microglia_igf1_counts", "share"]
    )


def gene_counts(cells: pd.DataFrame, genes: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Counts of single genes as in genes.parquet; recovery cells have more of them."""
    turned = (cells["recovery_call"] == "yes").to_numpy()
    microglia = (cells["lineage"] == "microglia").to_numpy()
    table = pd.DataFrame({"cell": cells["cell"], "n_counts": rng.integers(800, 6000, len(cells))})
    table["markers_microglia"] = rng.poisson(np.where(microglia, 20, 1))
    table["markers_other_myeloid"] = rng.poisson(np.where(microglia, 2, 25))
    for place, gene in enumerate(genes):
        table[gene] = rng.poisson(np.where(turned, 1.5, 0.1) / (1 + 0.1 * place)).astype(np.int32)
    return table


def a_tested_set(*, simulated: bool = True, seed: int = 1) -> ReportInputs:
    """Seven days, three animals each, sham, two batches: everything can be asked."""
    rng = np.random.default_rng(seed)
    samples = sheet([(0, "naive", 3), *((d, "injured", 3) for d in (1, 3, 7, 14, 21, 35)), (14, "sham", 3)])
    units = fractions(samples, rng)
    course = gene_course(samples, [*SIGNATURE, *CONTEXT], rng)
    truth = units[units["route"] == "score"][["subject", "day", "condition", "n", "fraction"]].rename(
        columns={"fraction": "called_fraction"}
    )
    truth = truth.assign(true_fraction=[TRUE[int(d)] if c == "injured" else 0.01 for d, c in zip(truth["day"], truth["condition"], strict=True)],
                         microglia_true=truth["n"] + 4, microglia_called=truth["n"])  # fmt: skip
    null = units[units["route"] == "score"][["subject", "day", "condition", "n"]].assign(
        observed=units["fraction"], null_median=0.01, null_low=0.0, null_high=0.03, p_empirical=0.001
    )
    tables = {
        "samples": samples, "qc": qc(samples, rng), "lineages": lineages(samples), "markers_used": markers([*SIGNATURE, *CONTEXT]),
        "calibration": calibration(usable=True), "fractions": corrected(units),
        "timeline": corrected(timeline(units, tested=True)).assign(control_corrected=0.004, adjusted_p=0.002, adjusted_for="sex", methods_against=""),
        "strata": strata(units), "strata_onset": strata_onset(), "interactions": interactions(), "behaviour": behaviour(),
        "behaviour_tests": behaviour_tests(), "design": design(samples), "gate": gate(), "lineage_markers": lineage_markers(),
        "call_genes": call_genes(), "igf1_states": igf1_states(samples),
        "onset": pd.DataFrame([ONSET, ONSET | {"route": "cluster"}]), "robustness": robustness(), "confounding": confounding(),
        "igf1_share": igf1(samples, sorted_tissue=False), "gene_course": course, "gene_tests": gene_tests(course, tested=True),
        "clusters": clusters(), "null": null,
        "warnings": warnings_table([
            ("sex_mismatch", "alarm", "Library N00_3 is stated female and looks male."),
            ("few_microglia", "warning", "Library N00_3 has 30 microglia; a fraction of so few is hardly known."),
            ("not_measured", "info", "Something small."),
        ]),
    }  # fmt: skip
    metrics = {"precision": 0.71, "recall": 0.55, "f1": 0.62, "false_positive_rate_control": 0.008,
               "lineage_precision": 0.985, "lineage_recall": 0.972, "doublets_removed": 0.6, "good_cells_removed": 0.02}  # fmt: skip
    if simulated:
        tables["truth"] = truth
    facts = summary("tested_set", "tested", "", str(ONSET["sentence"]), simulated=simulated, onset=[ONSET],
                    days=days(samples), truth=metrics if simulated else None,
                    robustness={"sentence": "The onset is (3, 7] in 9 of 12 analyses; the others give (7, 14] (3)."},
                    interactions=["The rise does not differ between females and males (p = 0.4)."],
                    behaviour=[str(text) for text in behaviour_tests()["sentence"]],
                    design={"status": "tested", "reason": "", "rank": 9, "columns": 9})  # fmt: skip
    cells = embedded_cells(samples, rng, per_library=120, called=True)
    return ReportInputs(facts, tables, cells, gene_counts(cells, [*SIGNATURE, *CONTEXT], rng))


def a_descriptive_set(seed: int = 2) -> ReportInputs:
    """Each day is a batch of its own, one animal each: described, not tested."""
    rng = np.random.default_rng(seed)
    reason = "day and batch inseparable"
    samples = sheet([(0, "naive", 2), *((d, "injured", 1) for d in (1, 3, 7))], batches=False)
    units = fractions(samples, rng)
    course = gene_course(samples, SIGNATURE, rng)
    sentence = (
        f"Described, not tested ({reason}): the highest share of recovery microglia is 5.0 % (8 of 160 cells) on day 7."
    )
    onset = ONSET | dict.fromkeys(("onset_low", "onset_high", "peak_day", "peak_fraction", "trend_p", "half_rise_day",
                                   "half_rise_low", "half_rise_high"), NAN)  # fmt: skip
    onset |= {"status": "descriptive", "reason": reason, "sentence": sentence, "sustained": ""}
    tables = {
        "samples": samples, "qc": qc(samples, rng), "lineages": lineages(samples), "markers_used": markers(SIGNATURE),
        "calibration": calibration(usable=True), "fractions": units, "timeline": timeline(units, tested=False, reason=reason),
        "onset": pd.DataFrame([onset]), "robustness": robustness().head(0),
        "confounding": confounding().assign(aliased=[True, False], note=["cannot be told from the days", "does not vary"]),
        "igf1_share": igf1(samples, sorted_tissue=False), "gene_course": course, "gene_tests": gene_tests(course, tested=False),
        "clusters": clusters(),
        "warnings": warnings_table([("day_is_batch", "alarm", "Each day was processed in a batch of its own.")]),
    }  # fmt: skip
    facts = summary("descriptive_set", "descriptive", reason, sentence, injury_class="spinal_cord",
                    injury_model="spinal cord injury", onset=[onset], days=days(samples))  # fmt: skip
    return ReportInputs(facts, tables, embedded_cells(samples, rng, per_library=200, called=True))


def a_panel(seed: int = 3) -> ReportInputs:
    """A 98-gene table of sorted microglia without Itgax and Igf1: no calls; the genes present have a course."""
    rng = np.random.default_rng(seed)
    reason = "3 of 14 signature genes were measured (7 are needed; Itgax and Igf1 are not among them)"
    genes = ["Cd9", "Fabp5", "Spp1", "Apoe", "Ctsb"]
    samples = sheet([(0, "naive", 4), (7, "contralateral", 3), (7, "injured", 3), (30, "injured", 3)], sort="microglia")
    course = gene_course(samples, genes, rng)
    onset = dict.fromkeys(ONSET, NAN) | {
        "route": "score",
        "arm": "",
        "status": "not_testable",
        "reason": reason,
        "sentence": "",
    }
    cells = embedded_cells(samples, rng, per_library=60, called=False).assign(lineage="microglia", recovery_score=NAN)
    tables = {
        "samples": samples, "qc": qc(samples, rng).assign(median_pct_mito=NAN), "lineages": lineages(samples).query("lineage == 'microglia'"),
        "markers_used": markers(genes), "calibration": calibration(usable=False), "fractions": fractions(samples, rng).head(0),
        "timeline": timeline(fractions(samples.assign(day=7.0), rng), tested=False).head(0), "onset": pd.DataFrame([onset]),
        "robustness": robustness().head(0), "confounding": confounding(), "igf1_share": igf1(samples, sorted_tissue=True),
        "gene_course": course, "gene_tests": gene_tests(course, tested=True), "clusters": clusters().head(0),
        "warnings": warnings_table([("recovery_not_testable", "alarm", f"Recovery cells are not called: {reason}.")]),
    }  # fmt: skip
    coverage = {"present": ["Cd9", "Fabp5", "Spp1"], "absent": [g for g in SIGNATURE if g not in genes], "n_present": 3,
                "n_genes": 14, "reason": reason}  # fmt: skip
    facts = summary("panel_set", "not_testable", reason, f"Whether recovery microglia emerge cannot be judged from these data: {reason}.",
                    enrichment="microglia", onset=[onset], days=days(samples),
                    recovery={"status": "not_testable", "reason": reason, "coverage": coverage, "quantile": 0.99},
                    totals={"cells": 960, "kept": 944, "microglia": 944, "recovery_cells": None})  # fmt: skip
    return ReportInputs(facts, tables, cells)


def a_tissue_without_days(seed: int = 4) -> ReportInputs:
    """Brain tissue without injury, and next to nothing known: most tables are missing."""
    rng = np.random.default_rng(seed)
    samples = sheet([(NAN, "naive", 3)])
    tables = {"samples": samples, "qc": qc(samples, rng), "lineages": lineages(samples), "markers_used": markers([*SIGNATURE, *CONTEXT]).assign(detected_injured=NAN),
              "gene_course": gene_course(samples, ["Apoe", "Igf1"], rng)}  # fmt: skip
    facts = summary("no_days", "not_testable", "there is no injured library", "Whether recovery microglia emerge cannot be judged from these data: there is no injured library.",
                    injury_model="none", injury_class="none", days=days(samples))  # fmt: skip
    cells = embedded_cells(samples, rng, per_library=80, called=False)
    return ReportInputs(facts, tables, cells)
