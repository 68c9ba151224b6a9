"""Do data sets agree? Onsets and rises side by side, by injury model.

Injury models differ in whether the pain eases at all, cells and nuclei in what is seen, and sorted tissue in what a share is
of; so a summary is taken only within one model, assay and kind of tissue, over `LEAST_SETS` tested data sets or more.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.frame_access import row_of_largest
from recovery_microglia.core.vocabulary import Route, Status
from recovery_microglia.core.wording import interval, percent_in_sentence

COLUMNS = (
    *("kind", "dataset", "arm", "injury_model", "assay", "enrichment", "status", "onset_low", "onset_high"),
    *("peak_day", "n_subjects", "fraction", "low", "high", "control_fraction", "rise", "rise_low", "rise_high"),
    *("heterogeneity", "reason"),
)
GROUP = ["injury_model", "assay", "enrichment"]
LEAST_SETS = 3


def of_dataset(summary: Mapping[str, Any], timeline: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of one data set, one an arm: onset, and the rise on the day with the highest share.

    Parameters
    ----------
    summary
        summary.json.
    timeline
        timeline.tsv.
    """
    facts = {"kind": "data set", "dataset": summary["dataset"]}
    facts |= {name: summary.get(name, "") for name in GROUP}
    rows = []
    for onset in summary.get("onset") or []:
        own = timeline[(timeline["route"] == Route.SCORE) & (timeline["arm"] == (onset.get("arm") or ""))]
        row = facts | {"arm": onset.get("arm") or "", "status": onset["status"], "reason": onset.get("reason") or ""}
        row |= {name: _number(onset.get(name)) for name in ("onset_low", "onset_high")}
        own = own[own["status"] == Status.TESTED] if onset["status"] == Status.TESTED else own
        if len(own):
            peak = row_of_largest(own, "fraction")
            row |= {"peak_day": peak["day"], "rise": peak["fraction"] - peak["control_fraction"]}
            names = ("n_subjects", "fraction", "low", "high", "control_fraction", "rise_low", "rise_high")
            row |= {name: peak[name] for name in names}
        rows.append(row)
    return rows


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def random_effects(effect: Floats, variance: Floats) -> tuple[float, float, float, float]:
    """Return the random-effects mean of effects, its 95 % interval, and the share of variance between studies (I²).

    Between-study variance by Paule and Mandel (1982, J Res Natl Bur Stand 87:377), interval by Hartung and Knapp (2001,
    Stat Med 20:3875), which with few studies holds what the normal one does not.

    Parameters
    ----------
    effect, variance
        Of each study (studies,).
    """
    from scipy.optimize import brentq
    from scipy.stats import t

    size = len(effect)

    def excess(between: float) -> float:
        weight = 1 / (variance + between)
        mean = float((weight * effect).sum() / weight.sum())
        return float((weight * (effect - mean) ** 2).sum() - (size - 1))

    between = 0.0
    if excess(0.0) > 0:
        top = float(np.var(effect, ddof=1)) + 1e-12
        while excess(top) > 0:
            top *= 2
        between = float(brentq(excess, 0.0, top))
    weight = 1 / (variance + between)
    mean = float((weight * effect).sum() / weight.sum())
    scale = max(float((weight * (effect - mean) ** 2).sum() / (size - 1)), 1.0 if between == 0 else 0.0)
    error = np.sqrt(scale / weight.sum()) * float(t.ppf(0.975, size - 1))
    fixed = 1 / variance
    q = float((fixed * (effect - (fixed * effect).sum() / fixed.sum()) ** 2).sum())
    return mean, mean - error, mean + error, max(0.0, (q - (size - 1)) / q) if q > 0 else 0.0


def compare(rows: Sequence[Mapping[str, Any]]) -> tuple[pd.DataFrame, list[str]]:
    """Return comparison.tsv, data sets of one model together and its summary behind them, and the agreement in words.

    The summary is over the rise on each set's highest day; choosing the day makes every rise somewhat too high, and the
    summary with it.
    """
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    parts, said = [], []
    same = table["injury_model"].astype(str).str.strip().str.casefold()  # "Contusion" is "contusion"
    for (_, assay, enrichment), own in table.groupby([same, *GROUP[1:]], sort=True):
        model = own["injury_model"].iloc[0]
        parts.append(own)
        tested = own[(own["status"] == Status.TESTED) & own["rise_low"].notna()]
        if own["dataset"].nunique() > 1:
            said.append(_agreement(str(model), own))
        # arms of one data set share controls and are no further studies; which of them is the plain one nobody says
        studies = tested[~tested["dataset"].duplicated(keep=False)]
        left_out = sorted(set(tested["dataset"]) - set(studies["dataset"]))
        if len(studies) < LEAST_SETS:
            continue
        variance = ((studies["rise_high"] - studies["rise_low"]) / 3.92).to_numpy(float) ** 2
        mean, low, high, share = random_effects(studies["rise"].to_numpy(float), variance)
        facts = {
            "kind": "summary",
            "dataset": "",
            "arm": "",
            "injury_model": model,
            "assay": assay,
            "status": Status.TESTED,
        }
        facts |= {"enrichment": enrichment, "n_subjects": int(studies["n_subjects"].sum()), "rise": mean}
        facts |= {"rise_low": low, "rise_high": high, "heterogeneity": share}
        more = f"; without {', '.join(left_out)}, of several arms" if left_out else ""
        facts["reason"] = f"{len(studies)} data sets{more}"
        parts.append(pd.DataFrame([facts], columns=list(COLUMNS)))
    filled = [part.dropna(axis=1, how="all") for part in parts]
    joined = pd.concat(filled, ignore_index=True) if filled else table
    joined = joined.reindex(columns=list(COLUMNS))
    text = ["kind", "dataset", "arm", *GROUP, "status", "reason"]
    joined[text] = joined[text].fillna("")
    return joined, said


def _agreement(model: str, own: pd.DataFrame) -> str:
    """Return how the data sets of a model agree in sign and onset."""
    tested = own[own["status"] == Status.TESTED]
    start = f"{model[0].upper()}{model[1:]}: "
    if len(tested) < 2:
        return f"{start}{len(tested)} of {len(own)} courses could be tested, so agreement cannot be judged."
    found = tested[tested["onset_high"].notna()]
    text = f"{start}recovery cells rise above control in {len(found)} of {len(tested)} tested courses"
    if len(found) >= 2:
        low, high = float(found["onset_low"].fillna(0.0).max()), float(found["onset_high"].min())
        if low < high:
            text += f"; their onsets have {interval(low, high)} in common"
        else:
            text += "; no day lies in all of their onsets (different days sampled, or different animals)"
    if len(found):
        least, most = found["rise"].min(), found["rise"].max()
        text += f"; the rise on the highest day is {percent_in_sentence(least)}" + (
            f" to {percent_in_sentence(most)}" if len(found) > 1 else ""
        )
    return f"{text}."
