"""What a run answers: onset, sensitivity, cutoffs, design, warnings, and the facts of summary.json."""

from typing import Any

import numpy as np
import pandas as pd

from made_up.genes import SIGNATURE
from made_up.sheet import NAN
from recovery_microglia.core.frame_access import groups

QUANTILES = (0.95, 0.975, 0.99, 0.995)
ONSET: dict[str, Any] = {
    "route": "score",
    "arm": "",
    "status": "tested",
    "reason": "",
    "onset_day": 5.0,
    "onset_low": 3.0,
    "onset_high": 7.0,
    "left_censored": False,
    "right_censored": False,
    "first_above": 7.0,
    "peak_day": 14.0,
    "peak_fraction": 0.128,
    "sustained": "sustained",
    "trend_p": 0.0004,
    "half_rise_day": 8.2,
    "half_rise_low": 3.0,
    "half_rise_high": 14.0,
    "described": "",
    "could_be_seen": "",
    "not_tested": "",
    "sentence": "Recovery microglia rise above control between day 3 and day 7, and stay above it on every later day.",
}
"""A row of onset.tsv: a rise that was tested."""
ESTIMATES = ("onset_day", "onset_low", "onset_high", "first_above", "peak_day", "peak_fraction", "trend_p", "half_rise_day", "half_rise_low", "half_rise_high")  # fmt: skip


def described_onset(reason: str, sentence: str) -> dict[str, Any]:
    """A row of onset.tsv where nothing was tested."""
    described = sentence.partition("): ")[2]
    said = {"status": "descriptive", "reason": reason, "described": described, "sentence": sentence, "sustained": ""}
    return ONSET | dict.fromkeys(ESTIMATES, NAN) | said


def onset_not_testable(reason: str) -> dict[str, Any]:
    """A row of onset.tsv where no cell was called."""
    said = {"route": "score", "arm": "", "status": "not_testable", "reason": reason, "sentence": ""}
    return dict.fromkeys(ONSET, NAN) | said


def strata_onset() -> pd.DataFrame:
    """strata_onset.tsv: the same onset in both sexes."""
    own = {key: value for key, value in ONSET.items() if key != "route"}
    return pd.DataFrame([{"by": "sex", "stratum": sex, **own} for sex in ("female", "male")])


ROBUSTNESS = {
    "arm": "",
    "reported": "Reported: between day 3 and day 7.",
    "families": [
        "By other genes, 6 of 8 show a rise.",
        "By called cells at a cutoff, 3 of 4 show a rise. Worst: day 14.",
    ],
    "conclusion": "No family of choices excludes the onset.",
}
"""What the summary says of robustness.tsv."""


def robustness() -> pd.DataFrame:
    """robustness.tsv: the strictest cutoff gives another onset."""
    rows = [
        _analysis(scorer, quantile) for scorer in ("score", "score_without", "depth_matched") for quantile in QUANTILES
    ]
    return pd.DataFrame(rows)  # fmt: skip


def _analysis(scorer: str, quantile: float) -> dict[str, Any]:
    """A row of robustness.tsv."""
    same = quantile < 0.995
    return {
        "analysis": f"{scorer}, {quantile:g}, of microglia",
        "arm": "",
        "scorer": scorer,
        "quantile": quantile,
        "denominator": "microglia",
        "left_out": "",
        "resolution": "",
        "integrated": "",
        "varied": "cutoff" if scorer == "score" else "scorer",
        "onset_day": 5.0 if same else 9.0,
        "onset_low": 3.0 if same else 7.0,
        "onset_high": 7.0 if same else 14.0,
        "peak_day": 14.0,
        "peak_fraction": 0.12,
        "agrees": same,
    }


def calibration(*, usable: bool) -> pd.DataFrame:
    """calibration.tsv: cutoffs on six control subjects, or none."""
    return pd.DataFrame([_cutoff(quantile, usable=usable) for quantile in QUANTILES])


def _cutoff(quantile: float, *, usable: bool) -> dict[str, Any]:
    """A row of calibration.tsv."""
    known = {"cutoff": 0.16, "fpr": 1 - quantile, "fpr_low": 0.004, "fpr_high": 0.02}
    row = {"scorer": "score", "chemistry": "10x 3' v3", "quantile": quantile, "cutoff": NAN, "n_control_cells": 900,
           "n_control_subjects": 6, "fpr": NAN, "fpr_low": NAN, "fpr_high": NAN, "used": quantile == 0.99, "note": ""}  # fmt: skip
    return row | known if usable else row


def confounding(*, batch_is_day: bool = False) -> pd.DataFrame:
    """confounding.tsv: what varies beside the days."""
    batch = "confounded with the days" if batch_is_day else "not confounded with the days"
    rows = [("batch", 2, 0.21, batch_is_day, batch), ("age", 1, NAN, False, "does not vary")]
    return pd.DataFrame(rows, columns=["variable", "levels", "cramers_v", "aliased", "note"])


def design(samples: pd.DataFrame) -> pd.DataFrame:
    """design.tsv: every day can be tested."""
    days_asked = sorted(samples.loc[samples["condition"] == "injured", "day"].unique())
    rows = [("", day, 3, "naive", 3, 0.1, 0.045, "tested") for day in days_asked]
    columns = ["arm", "day", "animals", "control", "control_animals", "smallest_p", "smallest_share", "claim"]
    return pd.DataFrame(rows, columns=columns)


def warnings_table(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """warnings.tsv of codes, severities and texts."""
    table = pd.DataFrame(list(rows), columns=["code", "severity", "text"])
    return table.assign(step="library", library="N00_3")


# ---------------------------------------------------------------- summary.json

STEPS: dict[str, Any] = {
    "libraries": 24,
    "cells_called": 0,
    "filters": {
        "low_counts": {"low": [300.0, 300.0], "high": None, "libraries": 24, "removed": 120},
        "high_counts": {"low": None, "high": [21000.0, 33000.0], "libraries": 24, "removed": 0},
        "low_genes": {"low": [150.0, 240.0], "high": None, "libraries": 24, "removed": 30},
        "high_mito": {"low": None, "high": [8.5, 12.0], "libraries": 24, "removed": 41},
        "high_haemoglobin": {"low": None, "high": None, "libraries": 0, "removed": 0},
    },
    "doublets": {"libraries": 24, "removed": 77, "not_searched": {}},
    "lineages": {"counts": 24},
}
"""What the steps report of 24 libraries; no haemoglobin gene was measured."""


def summary(name: str, status: str, reason: str, headline: str, **more: Any) -> dict[str, Any]:
    """The facts of summary.json; ``more`` takes the place of whole entries."""
    whole = {"present": SIGNATURE, "absent": [], "n_present": 14, "n_genes": 14, "reason": ""}
    kappa = {"clusters": {"n": 3000, "both": 110, "only_first": 60, "only_second": 40, "kappa": 0.66}}
    facts: dict[str, Any] = {
        "dataset": name,
        "title": f"A study called {name}",
        "simulated": False,
        "organism": "mouse",
        "injury_model": "spared nerve injury",
        "injury_class": "peripheral_nerve",
        "tissue": "lumbar spinal cord",
        "assay": "cells",
        "enrichment": "none",
        "citation": "Someone A et al. 2020.",
        "accession": "GSE000001",
        "notes": "",
        "status": status,
        "reason": reason,
        "headline": headline,
        "recovery": {"status": status, "reason": reason, "quantile": 0.99, "coverage": whole, "agreement": kappa},
        "onset": [],
        "days": [],
        "totals": {"cells": 13000, "kept": 12345, "microglia": 3456, "recovery_cells": 210},
        "next_steps": [
            {
                "kind": "sample_day",
                "arm": "",
                "day": 5.0,
                "animals": None,
                "text": "Sample day 5: no day between 3 and 7 was sampled.",
            }
        ],
        "steps": STEPS,
        "truth": None,
        "notices": [],
        "versions": {"recovery-microglia": "0.1.0", "python": "3.13.1", "scanpy": "1.12.4"},
        "parameters": {
            "seed": 1,
            "cells": {"min_counts": 300, "min_genes": 150, "max_pct_mito": 20.0, "mads": 5.0},
            "recovery": {"quantile": 0.99, "n_null_sets": 1000},
            "timeline": {"alpha": 0.05},
        },
        "links": {},
    }
    return facts | more


def days(samples: pd.DataFrame) -> list[dict[str, Any]]:
    """The days of summary.json."""
    return [
        {
            "day": None if np.isnan(day) else day,
            "condition": condition,
            "arm": arm,
            "subjects": int(own["subject"].nunique()),
            "cells": 500 * len(own),
            "microglia": 150 * len(own),
        }
        for (day, condition, arm), own in groups(samples, ["day", "condition", "arm"], dropna=False)
    ]
