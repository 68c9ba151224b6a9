"""What the answer would be had we chosen otherwise (floor 5)."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from recovery_microglia.calibration import BY_ODDS, animals, call_above, cutoffs_for, even_odds
from recovery_microglia.likelihood import shares_of_animals
from recovery_microglia.onset import find_onset
from recovery_microglia.subjects import TimelineSettings, fractions
from recovery_microglia.timeline import compare_days

SCORE_COLUMN = {
    "score": "recovery_score",
    "fixed_cutoff": "recovery_score",
    "score_without": "recovery_score_without_itgax_igf1",
    "depth_matched": "recovery_score_depth_matched",
    "ranks": "recovery_score_ranks",
}
COLUMNS = (
    *("analysis", "arm", "scorer", "quantile", "denominator", "left_out"),
    *("onset_low", "onset_high", "peak_day", "peak_fraction", "agrees"),
)


def _variants(
    cells: pd.DataFrame, calibration: pd.DataFrame, sheet: pd.DataFrame, quantile: float
) -> Iterator[tuple[str, float, str, str, pd.Series]]:
    """Yield scorer, quantile, denominator, left-out library and the calls of every alternative analysis."""
    animal = animals(cells)
    for scorer, column in SCORE_COLUMN.items():
        values = cells[column].to_numpy(float)
        odds = even_odds(shares_of_animals(values, animal)) if scorer in BY_ODDS else np.full(len(cells), np.inf)
        for q in sorted(calibration["quantile"].unique()):
            cut = np.minimum(cutoffs_for(calibration, scorer, q, cells["chemistry"]), odds)
            called = call_above(values, cut)
            called[cells["explained_by_inflammation"].to_numpy(bool) & ~called.isna()] = False
            for denominator in ("microglia", "myeloid") if scorer == "score" else ("microglia",):
                yield scorer, q, denominator, "", pd.Series(called, index=cells.index)
    if cells["cluster_call"].notna().any():  # a route without an answer is not a route that finds none
        yield "cluster", np.nan, "microglia", "", cells["cluster_call"]
    for library in sheet["library"][sheet["include"]]:
        yield "score", quantile, "microglia", library, cells["recovery_call"]


def alternatives(
    cells: pd.DataFrame,
    calibration: pd.DataFrame,
    sheet: pd.DataFrame,
    totals: pd.DataFrame,
    main: pd.DataFrame,
    *,
    quantile: float,
    settings: TimelineSettings,
    seed: int = 1,
) -> tuple[pd.DataFrame, str]:
    """Repeat the onset under every alternative (= robustness.tsv) and say in one sentence how it held.

    Parameters
    ----------
    cells, calibration, sheet, totals
        As for the main analysis.
    main
        onset.tsv; alternatives are computed only for arms that were tested.
    quantile
        The quantile of the main analysis.
    """
    tested = main[(main["route"] == "score") & (main["status"] == "tested")]
    rows = []
    quick = TimelineSettings(settings.alpha, settings.power, min(settings.n_draws, 1000), 0)
    if not tested.empty:
        for scorer, q, denominator, left_out, calls in _variants(cells, calibration, sheet, quantile):
            kept = sheet.assign(include=sheet["include"] & (sheet["library"] != left_out))
            table = fractions(cells.assign(call=calls), kept, totals, calls={"score": "call"})
            table = table[table["denominator"] == denominator]
            for arm, reference in zip(tested["arm"], tested.to_dict("records"), strict=True):
                units = table[(table["arm"] == arm) | (table["condition"] != "injured")]
                days = compare_days(units, status="tested", reason="", settings=quick, seed=seed, detectable=False)
                onset = find_onset(days, units, settings=quick, seed=seed)
                name = f"without {left_out}" if left_out else f"{scorer}, {q:g}, of {denominator}"
                facts = {"analysis": name, "arm": arm, "scorer": scorer, "quantile": q}
                facts |= {"denominator": denominator, "left_out": left_out, "agrees": _same(onset, reference)}
                rows.append(
                    facts | {key: onset[key] for key in ("onset_low", "onset_high", "peak_day", "peak_fraction")}
                )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table, sentence(table, tested)


def _same(first: dict[str, object], second: dict[str, object]) -> bool:
    """Return whether two onsets are the same interval (missing ends included)."""

    def key(row: dict[str, object]) -> tuple[float, float]:
        return tuple(-1.0 if pd.isna(row[n]) else float(str(row[n])) for n in ("onset_low", "onset_high"))  # type: ignore[return-value]

    return key(first) == key(second)


def interval(low: float, high: float) -> str:
    """Return an onset in words: between day 3 and day 7, by day 7, or no onset up to day 35."""
    if np.isnan(high):
        return "no onset" if np.isnan(low) else f"no onset up to day {low:g}"
    return f"by day {high:g}" if np.isnan(low) else f"between day {low:g} and day {high:g}"


def sentence(table: pd.DataFrame, main: pd.DataFrame) -> str:
    """Return how often the alternatives give the onset of the main analysis, and what the others give."""
    parts = []
    for row in main.to_dict("records"):
        own = table[table["arm"] == row["arm"]]
        if own.empty:
            continue
        arm = f" ({row['arm']})" if row["arm"] else ""
        words = own.apply(lambda r: interval(r["onset_low"], r["onset_high"]), axis=1)
        same = int(own["agrees"].sum())
        text = f"{same} of {len(own)} analyses give the reported onset{arm}, {interval(row['onset_low'], row['onset_high'])}"
        others = words[~own["agrees"].to_numpy(bool)].value_counts()
        if len(others):
            text += "; the others: " + ", ".join(f"{name} ({n})" for name, n in others.items())
        parts.append(text + ".")
    return " ".join(parts)
