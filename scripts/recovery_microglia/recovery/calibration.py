"""Cutoffs frozen on control microglia, and how often they are wrong."""

import numpy as np
import pandas as pd

from recovery_microglia.core.arrays import Bools, Floats, Integers, Texts
from recovery_microglia.core.errors import Notice
from recovery_microglia.core.frame_access import labelled
from recovery_microglia.core.statistics import design_effect, wilson
from recovery_microglia.core.vocabulary import Severity
from recovery_microglia.recovery.likelihood import shares_of_animals

BY_ODDS = ("score", "score_without", "depth_matched")
"""Scorers that are log-likelihood ratios: cells are called by even odds in their animal; the controls' cutoff stands beside."""


QUANTILES = (0.95, 0.975, 0.99, 0.995)


COLUMNS = (
    *("scorer", "chemistry", "quantile", "cutoff", "n_control_cells", "n_control_subjects"),
    *("fpr", "fpr_low", "fpr_high", "used", "note"),
)


NULL_COLUMNS = ("subject", "day", "condition", "n", "observed", "null_median", "null_low", "null_high", "p_empirical")


def cutoff(scores: Floats, quantile: float) -> float:
    """Return the smallest observed score that at most ``1 - quantile`` of the scores exceed.

    An observed value, and calls strictly above it: ties can only lower the rate, never raise it.
    """
    ranked = np.sort(scores[np.isfinite(scores)])
    if len(ranked) == 0:
        return float("nan")
    # the small term keeps 0.99 * 300 = 297.00000000000006 from becoming 298
    return float(ranked[min(max(int(np.ceil(quantile * len(ranked) - 1e-9)) - 1, 0), len(ranked) - 1)])


def animals(cells: pd.DataFrame) -> Integers:
    """Return the number of the animal of each cell; one animal at two days, or on two sides, counts as two."""
    key = cells[["subject", "day", "condition"]].astype(object).apply(tuple, axis=1)
    return np.asarray(pd.factorize(key.map(str))[0], dtype=np.int64)


def even_odds(share: Floats, cells: int | Integers) -> Floats:
    """Return the log-likelihood ratio from which a cell is more likely a recovery cell than not.

    ``share`` is the share of recovery cells in its animal, and ``cells`` how many microglia that has: of so many no share
    below half a cell can be told from none. Never below 0, where the cell's counts are likelier without recovery; NaN where the share
    is not known.
    """
    least = np.maximum(share, 0.5 / np.asarray(cells, dtype=float))
    return np.asarray(np.maximum(np.log1p(-np.minimum(least, 1 - 1e-12)) - np.log(least), 0.0))


def cutoffs_of_animals(ratio: Floats, animal: Integers) -> Floats:
    """Return for each cell the score of even odds in its animal (see `even_odds`); ``animal`` numbers them from 0."""
    return even_odds(shares_of_animals(ratio, animal), np.bincount(animal)[animal])


def held_out_rate(scores: Floats, subject: Texts, quantile: float) -> tuple[float, float, float]:
    """Return the false-positive rate on control subjects that the cutoff has not seen, with a 95 % interval.

    Each subject's cells are judged by the cutoff of the other subjects; see `called_rate` for the interval.
    """
    names = np.unique(subject)
    if len(names) < 2:
        return float("nan"), float("nan"), float("nan")
    passed = np.zeros(len(scores), dtype=bool)
    for name in names:
        own = subject == name
        passed[own] = scores[own] > cutoff(scores[~own], quantile)
    return called_rate(passed, subject)


def called_rate(called: Bools, subject: Texts) -> tuple[float, float, float]:
    """Return the share of control cells that are called, with a 95 % interval.

    The interval is Wilson's with the number of cells divided by the design effect between subjects: cells of one animal
    are not independent. NaN with fewer than two subjects.
    """
    names = np.unique(subject)
    if len(names) < 2:
        return float("nan"), float("nan"), float("nan")
    k = np.array([called[subject == name].sum() for name in names], float)
    n = np.array([(subject == s).sum() for s in names], float)
    rate, effect = float(k.sum() / n.sum()), design_effect(k, n)
    return (rate, *wilson(k.sum() / effect, n.sum() / effect))


def calibrate(
    scores: pd.DataFrame,
    cells: pd.DataFrame,
    control: Bools,
    *,
    quantile: float,
    min_control_cells: int,
    own: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, list[Notice]]:
    """Freeze the cutoffs of every scorer within every chemistry (= calibration.tsv).

    Parameters
    ----------
    scores
        Microglia × scorers.
    cells
        Microglia with chemistry and subject.
    control
        Which are control microglia.
    quantile
        The quantile of ``config.yaml``; the others are for robustness.
    min_control_cells
        Fewer control microglia of a chemistry: the quantile is not estimable, and no cell of it is called.
    own
        Microglia × scorers: the value at which each cell's animal has even odds (see `even_odds`), by which cells of these
        scorers are called. None, or a scorer that is not a column: its cells are called above the cutoff.
    """
    rows, notices = [], []
    grid = sorted({*QUANTILES, quantile})
    for chemistry in sorted(cells["chemistry"].unique()):
        here = (cells["chemistry"] == chemistry).to_numpy() & control
        n, subjects = int(here.sum()), cells["subject"].to_numpy(str)[here]
        note = _note(n, len(np.unique(subjects)), min_control_cells)
        if note:
            notices.append(_notice(chemistry, n, note, min_control_cells))
        for scorer in scores.columns:
            values = scores[scorer].to_numpy(float)[here]
            odds = own[scorer].to_numpy(float)[here] if own is not None and scorer in own else None
            usable = n >= min_control_cells and np.isfinite(values).all()
            at_odds = called_rate(values > odds, subjects) if usable and odds is not None else None
            for q in grid:
                rate = (float("nan"),) * 3
                if usable:
                    rate = at_odds or held_out_rate(values, subjects, q)
                cut = cutoff(values, q) if usable else float("nan")
                facts = (scorer, chemistry, q, cut, n, len(np.unique(subjects)))
                rows.append(dict(zip(COLUMNS, (*facts, *rate, q == quantile, note), strict=True)))
    return pd.DataFrame(rows, columns=list(COLUMNS)), notices


def _note(n: int, n_subjects: int, least: int) -> str:
    if n == 0:
        return "no control microglia of this chemistry"
    if n < least:
        return f"fewer than {least} control microglia"
    return "one control subject: false-positive rate not estimable" if n_subjects < 2 else ""


def _notice(chemistry: str, n: int, note: str, least: int) -> Notice:
    kind = chemistry or "not stated"
    if n == 0:
        text = f"Chemistry '{kind}' has no control microglia: its cells cannot be called, and are left out."
        return Notice("no_controls", Severity.ALARM, text)
    if n < least:
        text = f"Chemistry '{kind}' has {n} control microglia, fewer than {least}: its cells are not called."
        return Notice("few_controls", Severity.ALARM, text)
    text = f"Chemistry '{kind}' has control microglia of one subject only: {note.split(': ')[1]}."
    return Notice("one_control_subject", Severity.WARNING, text)


def cutoffs_for(calibration: pd.DataFrame, scorer: str, quantile: float, chemistry: pd.Series) -> Floats:
    """Return the cutoff that applies to each cell; NaN where its chemistry has none."""
    own = calibration[(calibration["scorer"] == scorer) & np.isclose(calibration["quantile"], quantile)]
    return np.asarray(chemistry.map(dict(zip(own["chemistry"], own["cutoff"], strict=True))).to_numpy(float))


def call_above(scores: Floats, cut: Floats) -> pd.arrays.BooleanArray:
    """Return which scores lie above their cutoff: a nullable boolean, missing where there is no cutoff or score."""
    called = pd.array(scores > cut, dtype="boolean")
    called[~(np.isfinite(scores) & np.isfinite(cut))] = pd.NA
    return called


def empirical_null(
    observed: Floats, null: Floats, cells: pd.DataFrame, control: Bools, *, quantile: float
) -> pd.DataFrame:
    """Compare each subject's share of cells above the cutoff with that of matched random gene sets (= null.tsv).

    Parameters
    ----------
    observed
        Signature score per microglia.
    null
        Microglia × random sets.
    cells
        Microglia with subject, day, condition, chemistry.
    control
        Control microglia; every set gets its own cutoffs on them, per chemistry.

    Returns
    -------
    DataFrame
        subject, day, condition, n, observed, null_median, null_low, null_high (95 %), p_empirical
        ``(1 + sets at or above) / (1 + sets)``.
    """
    above = np.zeros((len(cells), null.shape[1] + 1), dtype=bool)
    everything = np.column_stack([observed, null])
    for chemistry in cells["chemistry"].unique():
        own = (cells["chemistry"] == chemistry).to_numpy()
        base = np.sort(everything[own & control], axis=0)
        if len(base) == 0:
            continue
        place = min(max(int(np.ceil(quantile * len(base) - 1e-9)) - 1, 0), len(base) - 1)
        above[own] = everything[own] > base[place]
    rows = []
    grouped = cells.groupby(["subject", "day", "condition"], dropna=False, sort=False)
    for (subject, day, condition), index in labelled(grouped.indices):
        share = above[index].mean(axis=0)
        low, middle, high = np.quantile(share[1:], [0.025, 0.5, 0.975])
        p = (1 + (share[1:] >= share[0]).sum()) / (1 + null.shape[1])
        rows.append((subject, day, condition, len(index), share[0], middle, low, high, p))
    return pd.DataFrame(rows, columns=list(NULL_COLUMNS))
