"""What the answer would be had we chosen otherwise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from recovery_microglia.core.errors import Notice
from recovery_microglia.core.families import family_of
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.processes import mapped
from recovery_microglia.core.vocabulary import Denominator, Route, Severity, Status
from recovery_microglia.core.wording import interval, whole_percent
from recovery_microglia.recovery.calibration import BY_ODDS, animals, call_above, cutoffs_for, cutoffs_of_animals
from recovery_microglia.recovery.clusters import recovery_clusters
from recovery_microglia.timeline.days import compare_days
from recovery_microglia.timeline.fractions import fractions, mixtures, units_of_arm, with_mixture
from recovery_microglia.timeline.onset import find_onset
from recovery_microglia.timeline.settings import TimelineSettings

SCORE_COLUMN = {
    "score": "recovery_score",
    "fixed_cutoff": "recovery_score",
    "score_without": "recovery_score_without_itgax_igf1",
    "depth_matched": "recovery_score_depth_matched",
    "ranks": "recovery_score_ranks",
}


COLUMNS = (
    *("analysis", "arm", "scorer", "quantile", "denominator", "resolution", "integrated", "left_out", "varied"),
    *("onset_day", "onset_low", "onset_high", "peak_day", "peak_fraction", "peak_rise", "agrees", "note"),
)


VARIED = {
    "score_without": "genes",
    "depth_matched": "depth",
    "ranks": "scorer",
    "fixed_cutoff": "cutoff",
}


NO_CLUSTER = "no cluster is one of recovery cells: no answer"


ADJUSTED_DRAWS = 800
"""Studies drawn for each test of an alternative: enough for a level of .05 over a dozen days."""


class Told(TypedDict):
    """What other choices say of the answer of one arm: a sentence of what was reported, one a family, and what follows."""

    arm: str
    reported: str
    families: list[str]
    conclusion: str


@dataclass(frozen=True)
class Choice:
    """One way to analyse the data.

    Attributes
    ----------
    calls
        Which microglia are recovery cells; None where this way has no answer.
    score
        Column of the log-likelihood ratios by which shares are compared without a cutoff; empty: called cells are compared.
    integrated
        ``yes`` or ``no`` for clusters, else empty.
    """

    scorer: str
    denominator: str
    calls: pd.Series | None
    quantile: float = np.nan
    resolution: float = np.nan
    integrated: str = ""
    left_out: str = ""
    score: str = ""

    @property
    def name(self) -> str:
        """The analysis in words."""
        if self.left_out:
            return f"without {self.left_out}"
        if self.scorer == "cluster":
            space = "integrated clusters" if self.integrated == "yes" else "clusters"
            return f"{space}, resolution {self.resolution:g}, of {self.denominator}"
        cut = "without a cutoff" if self.score else f"{self.quantile:g}" if np.isfinite(self.quantile) else "even odds"
        return f"{self.scorer}, {cut}, of {self.denominator}"

    @property
    def varied(self) -> str:
        """Which choices differ from the reported analysis, in words."""
        if self.left_out:
            return "library left out"
        found = []
        if self.scorer == "cluster":
            found.append("clusters, integrated" if self.integrated == "yes" else "clusters")
        elif self.scorer in VARIED:
            found.append(VARIED[self.scorer])
        if not self.score and self.scorer not in ("cluster", "fixed_cutoff"):
            found.append("cutoff")
        found += ["denominator"] if self.denominator != Denominator.MICROGLIA else []
        return ", ".join(found) or "nothing"


def _choices(
    cells: pd.DataFrame,
    calibration: pd.DataFrame,
    sheet: pd.DataFrame,
    partitions: pd.DataFrame,
    quantile: float,
) -> Iterator[Choice]:
    """Yield every alternative: scorers × cutoffs (even odds, quantiles, or none) × denominators, clusters × resolutions × denominators, left-out libraries."""
    included = sheet[sheet["include"]]
    denominators = ["microglia", "myeloid", *(["all"] if (included["sort"] == "none").all() else [])]
    animal = animals(cells)
    for scorer, column in SCORE_COLUMN.items():
        values = cells[column].to_numpy(float)
        if scorer in BY_ODDS:
            for denominator in denominators:
                yield Choice(scorer, denominator, cells["recovery_call"], score=column)
            cuts = {np.nan: np.where(cells["cutoff"].notna(), cutoffs_of_animals(values, animal), np.nan)}
        else:
            found = sorted(calibration["quantile"].unique())
            cuts = {q: cutoffs_for(calibration, scorer, q, cells["chemistry"]) for q in found}
        for q, cut in cuts.items():
            called = call_above(values, cut)
            called[cells["on_one_gene"].to_numpy(bool) & ~called.isna()] = False
            for denominator in denominators:
                yield Choice(scorer, denominator, pd.Series(called, index=cells.index), q)
    for column in partitions.columns:
        kind, _, resolution = column.rpartition("leiden_")
        calls = _of_clusters(cells, partitions[column], nominal=1 - quantile)
        integrated = "yes" if kind else "no"
        for denominator in denominators:
            yield Choice("cluster", denominator, calls, resolution=float(resolution), integrated=integrated)
    for library in included["library"]:
        yield Choice("score", "microglia", cells["recovery_call"], left_out=str(library), score=SCORE_COLUMN["score"])


def _of_clusters(cells: pd.DataFrame, labels: pd.Series, *, nominal: float) -> pd.Series | None:
    """Return calls by the clusters that are recovery clusters; None if there is none."""
    above = call_above(cells["recovery_score"].to_numpy(float), cells["cutoff"].to_numpy(float))
    clusters = labels.reset_index(drop=True)
    table = recovery_clusters(clusters, above.to_numpy(dtype=float, na_value=np.nan), nominal=nominal)
    if not table["recovery"].any():
        return None
    calls = clusters.map(dict(zip(table["cluster"], table["recovery"], strict=True))).astype("boolean")
    return calls.mask(cells["cutoff"].isna().to_numpy()).set_axis(cells.index)


def alternatives(
    cells: pd.DataFrame,
    calibration: pd.DataFrame,
    sheet: pd.DataFrame,
    totals: pd.DataFrame,
    main: pd.DataFrame,
    *,
    quantile: float,
    settings: TimelineSettings,
    partitions: pd.DataFrame | None = None,
    held: Mapping[str, Mapping[float, str]] | None = None,
    seed: int = 1,
    threads: int = 1,
) -> tuple[pd.DataFrame, list[Told], list[Notice]]:
    """Repeat the onset under every alternative (= robustness.tsv), say how it held, and warn where not.

    Parameters
    ----------
    cells, calibration, sheet, totals
        As for the main analysis.
    main
        onset.tsv; alternatives are computed only for arms that were tested.
    quantile
        The quantile of the main analysis.
    partitions
        Clusters of the cells (cells × partitions), columns ``leiden_<resolution>`` and ``integrated_leiden_<resolution>``.
    held
        Arm to its days that are described and not tested.
    threads
        Processes that share the alternatives.
    """
    tested = main[(main["route"] == Route.SCORE) & (main["status"] == Status.TESTED)]
    rows: list[dict[str, Any]] = []
    known_shares: dict[str, pd.DataFrame] = {}
    quick = TimelineSettings(settings.alpha, settings.power, min(settings.n_draws, ADJUSTED_DRAWS), 0)
    if not tested.empty:
        known = pd.DataFrame(index=cells.index) if partitions is None else partitions.astype(str)
        choices = list(_choices(cells, calibration, sheet, known, quantile))
        for score in dict.fromkeys(choice.score for choice in choices if choice.score):
            known_shares[score] = mixtures(cells, sheet, scores={"score": score})

        def answers(choice: Choice) -> list[dict[str, Any]]:
            return _answers(choice, cells, sheet, totals, known_shares, tested, held or {}, quick, seed)

        rows = [row for found in mapped(answers, choices, threads) for row in found]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table, told(table, tested), choices_it_hangs_on(table, tested)


def _answers(
    choice: Choice,
    cells: pd.DataFrame,
    sheet: pd.DataFrame,
    totals: pd.DataFrame,
    known: Mapping[str, pd.DataFrame],
    tested: pd.DataFrame,
    held: Mapping[str, Mapping[float, str]],
    settings: TimelineSettings,
    seed: int,
) -> list[dict[str, Any]]:
    """Return the row of one alternative for every arm that was tested."""
    facts = {"analysis": choice.name, "scorer": choice.scorer, "quantile": choice.quantile}
    facts |= {"denominator": choice.denominator, "resolution": choice.resolution, "integrated": choice.integrated}
    facts |= {"left_out": choice.left_out, "varied": choice.varied, "note": ""}
    if choice.calls is None:
        return [facts | {"arm": arm, "agrees": "", "note": NO_CLUSTER} for arm in tested["arm"]]
    kept = sheet.assign(include=sheet["include"] & (sheet["library"] != choice.left_out))
    called = pd.DataFrame({"library": cells["library"], "call": choice.calls})
    table = fractions(called, kept, totals, calls={"score": "call"}, denominators=[choice.denominator])
    if choice.score:
        table = with_mixture(table, _mixtures_without(choice, known[choice.score], cells, kept))
    rows = []
    for reference in records(tested):
        arm = reference["arm"]
        units = units_of_arm(table, arm)
        days = compare_days(
            units,
            status=Status.TESTED,
            reason="",
            settings=settings,
            seed=seed,
            detectable=False,
            held=held.get(arm, {}),
            thorough=False,
        )
        onset = find_onset(days, units, settings=settings, seed=seed)
        answer = {key: onset[key] for key in ("onset_day", "onset_low", "onset_high", "peak_day", "peak_fraction")}
        answer["peak_rise"] = _peak_rise(days, onset["peak_day"])
        rows.append(facts | answer | {"arm": arm, "agrees": str(_compatible(onset, reference))})
    return rows


def _mixtures_without(choice: Choice, known: pd.DataFrame, cells: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """Return the shares of all subjects; that of the one whose library is left out is computed anew from its others."""
    if not choice.left_out:
        return known
    own = kept[kept["library"] == choice.left_out].iloc[0]
    of_subject = (kept["subject"] == own["subject"]) & kept["include"]
    rest = mixtures(cells[cells["library"].isin(kept.loc[of_subject, "library"])], kept, scores={"score": choice.score})
    others: pd.DataFrame = known[known["subject"] != own["subject"]]
    return pd.concat([others, rest]) if len(rest) else others


def _peak_rise(days: pd.DataFrame, peak: float) -> float:
    """Return the highest share minus that of its control."""
    own = days[days["day"] == peak]
    return float((own["fraction"] - own["control_fraction"]).iloc[0]) if len(own) else float("nan")


def _compatible(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Return whether two answers can both be true: no onset in either, or intervals that have days in common."""
    ends = [(np.nan_to_num(float(row["onset_low"])), float(row["onset_high"])) for row in (first, second)]
    if any(np.isnan(high) for _, high in ends):
        return all(np.isnan(high) for _, high in ends)
    return bool(max(low for low, _ in ends) < min(high for _, high in ends))


def told(table: pd.DataFrame, main: pd.DataFrame) -> list[Told]:
    """Return what the families of choices say of the onset and of the rise of each arm, in sentences."""
    found = (_of_arm(others_of(table, row), row) for row in records(main))
    return [part for part in found if part is not None]


def others_of(table: pd.DataFrame, row: Mapping[str, Any]) -> pd.DataFrame:
    """Return the analyses of an arm that differ from the reported one, and their ``family``."""
    own: pd.DataFrame = table[(table["arm"] == row["arm"]) & (table["varied"] != "nothing")]
    return own.assign(family=[family_of(varied).judged for varied in own["varied"]])


def choices_it_hangs_on(table: pd.DataFrame, main: pd.DataFrame) -> list[Notice]:
    """Return a warning for each arm whose onset is compatible with no analysis of some family: a reader must learn it with the answer."""
    notices = []
    for row in records(main):
        against = [(name, part) for name, part in _families(others_of(table, row)) if not _agrees(part).any()]
        never = [f"none of the {len(part)} analyses {name}" for name, part in against]
        if never:
            arm = f" ({row['arm']})" if row["arm"] else ""
            onset = interval(row["onset_low"], row["onset_high"])
            text = f"The answer{arm}, {onset}, depends on the analysis choice: {' and '.join(never)} is compatible with it."
            if any(name == BY_RANKS for name, _ in against):
                text += f" {ABOUT_RANKS}"
            notices.append(Notice("onset_hangs_on_choice", Severity.WARNING, text))
    return notices


def _agrees(own: pd.DataFrame) -> pd.Series:
    return own["agrees"] == "True"


def _families(own: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the analyses with an answer, by family."""
    return [(str(name), part) for name, part in own[own["note"] == ""].groupby("family", sort=False)]


def _of_arm(others: pd.DataFrame, row: Mapping[str, Any]) -> Told | None:
    if others.empty:
        return None
    arm = f" ({row['arm']})" if row["arm"] else ""
    start = (
        f"The analyses of a family share cells, animals and model: they are not votes. Reported{arm}: "
        f"{interval(row['onset_low'], row['onset_high'])}."
    )
    families = [
        _of_family(str(name), part, float(row["onset_day"])) for name, part in others.groupby("family", sort=False)
    ]
    hangs = [name for name, part in _families(others) if not _agrees(part).any()]
    end = (
        f"The onset depends on these choices: {'; '.join(hangs)}."
        if hangs
        else "No family of choices excludes the onset."
    )
    return Told(arm=str(row["arm"]), reported=start, families=families, conclusion=end)


def _of_family(name: str, part: pd.DataFrame, onset_day: float) -> str:
    """Return one family in words: how many show a rise, from when to when, how high, how many can agree, and the worst case."""
    known = part[part["note"] == ""]
    shown = known[known["onset_high"].notna()]
    silent = len(part) - len(known)
    text = f"{name[0].upper()}{name[1:]}, {len(shown)} of {len(part)} show a rise"
    if silent:
        text += f" ({silent} have no answer, as no cluster is one of recovery cells)"
    if len(shown):
        text += f", a quarter of it reached {_range(shown['onset_day'], '{:.0f}', 'on day ')}"
        text += f", at its highest {_range(100 * shown['peak_rise'], '{:.1f}', '')} points over control"
        text += f" ({int(_agrees(known).sum())} compatible with the reported onset)"
        text += f"; worst case: {_worst(known, onset_day)}" if len(known) > 1 else ""
    return text + "."


def _worst(known: pd.DataFrame, onset_day: float) -> str:
    """Return the analysis that speaks most against the answer: no rise, else the onset farthest off, else the least rise."""
    silent, apart = known[known["onset_high"].isna()], known[~_agrees(known)]
    if len(silent):
        return f"{_in_words(records(silent)[0])} (no rise shown)"
    if len(apart):
        row = max(records(apart), key=lambda one: abs(float(one["onset_day"]) - onset_day))
        return f"{_in_words(row)} ({interval(row['onset_low'], row['onset_high'])})"
    row = min(records(known), key=lambda one: float(one["peak_rise"]))
    return f"{_in_words(row)} ({100 * row['peak_rise']:.1f} points)"


BY_RANKS = family_of("scorer").judged
ABOUT_RANKS = "Ranks rise with inflammation, migration and depth as well, and see a weak rise less well; the reported score allows for these."

SCORER_WORDS = {
    "score": "the score",
    "fixed_cutoff": "the score at the controls' cutoff alone",
    "score_without": "the score without Itgax and Igf1",
    "depth_matched": "the score at one depth",
    "ranks": "the score by ranks",
}


def _in_words(row: Mapping[str, Any]) -> str:
    """Return an analysis in words: the score at one depth, called above 99.5 % of the controls, of all cells."""
    if row["left_out"]:
        return f"without library {row['left_out']}"
    of = {"microglia": "of microglia", "myeloid": "of myeloid cells", "all": "of all cells"}[row["denominator"]]
    if row["scorer"] == "cluster":
        space = "integrated clusters" if row["integrated"] == "yes" else "clusters"
        return f"{space} at resolution {row['resolution']:g}, {of}"
    cut = f", called above {whole_percent(row['quantile'])} of the controls" if np.isfinite(row["quantile"]) else ""
    if not cut and "cutoff" in row["varied"]:
        cut = ", called at even odds"
    return f"{SCORER_WORDS[row['scorer']]}{cut}, {of}"


def _range(values: pd.Series, form: str, before: str) -> str:
    """Return the least and the largest of some values: 'on day 7 to 9', or one of them if they read alike."""
    low, high = form.format(float(values.min())), form.format(float(values.max()))
    return f"{before}{low}" + (f" to {high}" if high != low else "")
