"""The tables that carry the answer."""

from recovery_microglia.core.tables.spec import (
    ColumnSpec,
    TableSpec,
    count,
    day,
    number,
    p_value,
    share,
    text,
    yes_no,
)

ARM = text("arm", "arm of the study; empty where it has one arm only")
STATUS = text("status", "`tested`, `descriptive` or `not_testable`")
REASON = text("reason", "why no more may be claimed; empty where the status is `tested`")
ROUTE = text("route", "calling method: `score`, `score_without` or `cluster`")
SENTENCE = text("sentence", "the result in words")
DIFFERENCE = "share of the day's animals minus that of the controls, each animal weighted by its information"
RISE = "95 % interval of the day's estimate minus that of its control"
FRACTION = "estimated share of recovery cells for animals of that day: posterior median of a beta-binomial model over subjects, from their shares without a cutoff (`mixture` in `fractions.tsv`; calling method `cluster`: from called cells)"
P_SMALLEST = "smallest p that so few animals can reach by permutation"


def _of_the_day(more: dict[str, tuple[ColumnSpec, ...]]) -> tuple[ColumnSpec, ...]:
    """Return the columns that a day has in timeline.tsv and in strata.tsv, each followed by what only one of them has."""
    columns = (
        day("day", "day after injury"),
        count("n_subjects", "animals of the day"),
        text("control", "control group that the day is compared with: the first of these that has two animals: sham of the day, contralateral of the day, naive, other sham, other contralateral, all controls; `same animals`: each animal of the day is compared with its own other side"),
        count("n_control_subjects", "animals of the control group"),
        count("k", "called recovery cells of all animals of the day together, each animal at its own cutoff"),
        count("n", "microglia of all animals of the day together"),
        share("fraction", FRACTION),
        share("low", "95 % interval of `fraction`"),
        share("high", "95 % interval of `fraction`"),
        share("control_fraction", "the same estimate for the control, and its 95 % interval"),
        share("difference", DIFFERENCE),
        share("rise_low", RISE),
        share("rise_high", RISE),
        p_value("p", "two-sided test of `difference`: twice the posterior probability that the day's share is not above (or not below) that of its control"),
        p_value("q", "`p` corrected over the days of an arm (Benjamini-Hochberg)"),
    )  # fmt: skip
    return tuple(part for column in columns for part in (column, *more.get(column.name, ())))


TIMELINE = TableSpec(
    "timeline",
    "tables/timeline.tsv",
    "each day compared with its control",
    "Each day after injury compared with its control; one row for each calling method, arm and day. Empty if nothing could be called.",
    (
        ROUTE,
        ARM,
        *_of_the_day(
            {
                "high": (
                    count("control_k", "called recovery cells of all animals of the control together"),
                    count("control_n", "microglia of all animals of the control together"),
                ),
                "control_fraction": (
                    share("control_low", "the same estimate for the control, and its 95 % interval"),
                    share("control_high", "the same estimate for the control, and its 95 % interval"),
                ),
                "p": (
                    p_value("p_second", "a second, different method: t-test on arcsine-root shares with one variance for all groups"),
                    p_value("p_without_highest", "the same as `p` in one direction, without the day's highest animal (or pair of sides): twice the probability that the rest is not above the control"),
                    p_value("p_permutation", "exact permutation of animals, or of sides where both sides are of the same animals"),
                    p_value("p_smallest", P_SMALLEST),
                ),
                "q": (
                    p_value("adjusted_p", "the test with sex, chemistry and batch held fixed as covariates, as far as the design can estimate them; empty where it can estimate none"),
                    share("adjusted_difference", "`difference` with the same covariates held fixed"),
                    text("adjusted_for", "covariates that are held fixed"),
                    text("methods_against", "further looks that are against a day that the model finds above control (`p_second` from 0.1, `p_without_highest` from 0.2, `adjusted_p` from the level of the test); such a day is not reported as above control"),
                    number("chance_risen", "probability that the day's rise over control has reached a quarter of the highest rise, whichever day that is on"),
                    number("undone_by", "how many times the odds a batch effect shared by all animals of the day would have to be for `p` to reach the level of the test; given for days that the model finds above control, at the most 100", "times the odds"),
                    share("smallest_detectable", "detection limit: smallest true share that this design detects with the configured power, from simulated studies of the same design, if the animals of a risen day differ like those of the other days (one intraclass correlation; calling method `score` only; 1: none)"),
                    share("smallest_detectable_odds", "the same if they differ as much in the odds of recovery cells, and so more in the share: which of the two holds is not in the data"),
                ),
            }
        ),
        STATUS,
        REASON,
    ),
    "timeline",
)  # fmt: skip

_ONSET = (
    STATUS,
    REASON,
    number("onset_day", "day on which a quarter of the highest rise over control is reached (posterior median; the course is drawn straight between days)", "days after injury"),
    day("onset_low", "95 % interval of `onset_day`, widened to sampled days: it lies after this one; empty: it may lie before the first day sampled"),
    day("onset_high", "95 % interval of `onset_day`, widened to sampled days: it lies by this one"),
    yes_no("left_censored", "`onset_low` is empty though there is a rise: the onset lies at some time before `onset_high`"),
    yes_no("right_censored", "no day was shown to be above control; no onset is then given, as a rise that is not shown is not excluded"),
    day("first_above", "first day that is shown to be above control; depends on the number of animals and cells, and is no estimate of the onset"),
    day("peak_day", "day with the highest estimate"),
    share("peak_fraction", "the highest estimate"),
    text("sustained", "`sustained`, `transient`, or `not known` (onset on the last day)"),
    p_value("trend_p", "Monte Carlo permutation test of a monotone trend over all animals"),
    number("half_rise_day", "day on which half of the highest rise is reached, estimated likewise", "days after injury"),
    number("half_rise_low", "95 % interval of `half_rise_day`, widened to sampled days; empty below: it may lie before the first day sampled", "days after injury"),
    number("half_rise_high", "95 % interval of `half_rise_day`, widened to sampled days; empty below: it may lie before the first day sampled", "days after injury"),
    text("described", "part of `sentence` where nothing is tested: the highest share"),
    text("could_be_seen", "part of `sentence` where no rise is shown: what share would have been detected"),
    text("not_tested", "part of `sentence`: the days that were not tested, and why"),
    SENTENCE,
)  # fmt: skip

ONSET = TableSpec(
    "onset",
    "tables/onset.tsv",
    "the onset for each arm and calling method",
    "One row for each calling method and arm.",
    (ROUTE, ARM, *_ONSET),
    "timeline",
)

FRACTIONS = TableSpec(
    "fractions",
    "tables/fractions.tsv",
    "recovery cells of every animal",
    "One row for each calling method, denominator and subject.",
    (
        ROUTE,
        text("denominator", "what the share is of: `microglia`, `myeloid` cells, or `all` kept cells"),
        ARM,
        text("subject", "from the sheet; the libraries of an animal are pooled"),
        day("day", "from the sheet"),
        text("condition", "from the sheet"),
        text("sex", "from the sheet"),
        text("chemistry", "from the sheet"),
        text("batch", "from the sheet"),
        count("libraries", "libraries of the animal"),
        count("k", "called recovery cells"),
        count("n", "cells of the denominator"),
        share("fraction", "`k` of `n`: called cells, each animal at its own cutoff"),
        share("low", "Wilson's 95 % interval for the cells of this animal only"),
        share("high", "Wilson's 95 % interval for the cells of this animal only"),
        share("mixture", "share estimated without a cutoff: the one under which the animal's scores are most likely; days are compared by it (empty for calling method `cluster`)"),
        share("mixture_low", "95 % likelihood interval of `mixture`"),
        share("mixture_high", "95 % likelihood interval of `mixture`"),
        number("mixture_recovery", "recovery cells among `mixture_cells`", "cells"),
        number("mixture_cells", "number of cells, each known without doubt, that say as much of the share as the animal's scores do: of these two numbers the binomial likelihood is the nearest to that of the scores", "cells"),
        number("cutoff", "score from which a cell of this animal is called: even odds of being a recovery cell, given `mixture` (calling method `score`, microglia)", "nats"),
        share("false_rate", "share of other microglia that pass this animal's cutoff, estimated on the controls"),
        number("false_cells", "number of cells that this estimate is worth, given how animals differ", "cells"),
        share("sensitivity", "share of recovery cells that pass the cutoff, estimated on the cells of all injured animals by their probabilities; empty where these are worth fewer than 20 cells"),
        number("sensitivity_cells", "number of cells that this estimate is worth, given how animals differ", "cells"),
        share("corrected", "(`fraction` − `false_rate`) / (`sensitivity` − `false_rate`); where `sensitivity` is empty it counts as 1, so that the result is a lower bound"),
        share("corrected_low", "95 % interval of `corrected`, with the uncertainty of all three"),
        share("corrected_high", "95 % interval of `corrected`, with the uncertainty of all three"),
        text("note", "a remark, for example few cells"),
    ),
    "timeline",
)  # fmt: skip

ROBUSTNESS = TableSpec(
    "robustness",
    "tables/robustness.tsv",
    "sensitivity analysis: the onset under other analysis choices",
    "Sensitivity analysis: the onset under other analysis choices; one row for each analysis and arm.",
    (
        text("analysis", "name of the alternative analysis"),
        ARM,
        text("scorer", "score that calls the cells, or `cluster`"),
        number(
            "quantile",
            "quantile of the control scores that is the cutoff; empty: called at even odds, without a cutoff, or by clusters",
        ),
        text("denominator", "as in `fractions.tsv`"),
        number("resolution", "resolution of the clusters; empty for scores"),
        text("integrated", "whether the libraries were aligned before clustering (`yes`, `no`); empty for scores"),
        text("left_out", "library that was left out"),
        text("varied", "choices that differ from the reported analysis"),
        number("onset_day", "as in `onset.tsv`", "days after injury"),
        day("onset_low", "as in `onset.tsv`"),
        day("onset_high", "as in `onset.tsv`"),
        day("peak_day", "as in `onset.tsv`"),
        share("peak_fraction", "as in `onset.tsv`"),
        share("peak_rise", "the same minus the share of its control"),
        yes_no(
            "agrees",
            "whether the onset is compatible with the reported one: both intervals have days in common, or neither analysis shows a rise; empty where there is no answer",
        ),
        text("note", "why there is no answer"),
    ),
    "timeline",
)

_STRATUM = (
    text("by", "what the animals are divided by: `sex`"),
    text("stratum", "the stratum: `female` or `male`"),
    ARM,
)

STRATA = TableSpec(
    "strata",
    "tables/strata.tsv",
    "each day by sex",
    "The time course of each sex, where an arm has both. The columns are those of `timeline.tsv`, for the animals of the stratum and its controls.",
    (*_STRATUM, *_of_the_day({}), STATUS, REASON),
    "timeline",
)  # fmt: skip

STRATA_ONSET = TableSpec(
    "strata_onset",
    "tables/strata_onset.tsv",
    "the onset by sex",
    "The onset of each sex; the columns are those of `onset.tsv`. An onset in one sex and none in the other does not show a difference between them: see `interactions.tsv`.",
    (*_STRATUM, *_ONSET),
    "timeline",
)  # fmt: skip

INTERACTIONS = TableSpec(
    "interactions",
    "tables/interactions.tsv",
    "test of a difference between sexes or arms in the rise",
    "Whether two sexes, or two arms, differ in the rise. The difference itself is tested; it cannot be inferred from one being significant and the other not.",
    (
        text("by", "what is compared: `sex` or `arm`"),
        text("first", "first of the two that are compared"),
        text("second", "second of the two that are compared"),
        text("arm", "arm in which two sexes are compared"),
        day("day", "day after injury; empty: all days together that both have"),
        share("difference_first", "rise over control in the first (posterior mean)"),
        share("difference_second", "rise over control in the second (posterior mean)"),
        share("difference", "first minus second"),
        share("low", "95 % interval of `difference` (posterior of the beta-binomial model)"),
        share("high", "95 % interval of `difference` (posterior of the beta-binomial model)"),
        p_value("p", "two-sided p of `difference`, from the same posterior"),
        p_value("p_permutation", "permutation of the two among animals of the same day and of the same control"),
        p_value("p_smallest", P_SMALLEST),
        p_value("q", "`p` corrected over the days"),
        text("status", "`tested` or `descriptive`: a day needs two animals in each of the four groups; all days together need four injured animals and two controls of each"),
        REASON,
        SENTENCE,
    ),
    "timeline",
)  # fmt: skip

_GIVEN = "as given in the data set's `behaviour.tsv`"
BEHAVIOUR = TableSpec(
    "behaviour",
    "tables/behaviour.tsv",
    "behaviour by day, as given with the data set",
    "The data set's own `behaviour.tsv` (see `config/README.md`). Empty if there is none.",
    (
        day("day", _GIVEN),
        number("mean", f"{_GIVEN}; in the unit of the column `unit`"),
        number("sem", f"{_GIVEN}; in the unit of the column `unit`"),
        count("n", _GIVEN, dtype="float64"),
        *(text(name, _GIVEN) for name in ("measure", "unit", "better", "model", "sex", "arm", "source")),
    ),
    "timeline",
)

BEHAVIOUR_TESTS = TableSpec(
    "behaviour_tests",
    "tables/behaviour_tests.tsv",
    "association of behaviour with the share of recovery cells",
    "The association of behaviour with the share of recovery cells over days.",
    (
        text("measure", "measure of behaviour"),
        text("sex", "sex of the animals whose behaviour was measured; it is compared with the share of that sex's animals where these have a course of their own (`strata.tsv`), else with that of all, which `sentence` says"),
        ARM,
        count("n_days", "days after injury on which both were measured; they are the n of the test"),
        number("correlation", "Spearman correlation over days"),
        p_value("p", "permutation over days"),
        p_value("p_smallest", "smallest p that so few days can reach"),
        number("half_recovery_day", "day on which behaviour is half-way back to its baseline", "days after injury"),
        number("half_rise_day", "half of the rise of the cells (`onset.tsv`)", "days after injury"),
        number("lag", "`half_recovery_day` minus `half_rise_day`", "days"),
        number("lag_low", "95 % interval of `lag`", "days"),
        number("lag_high", "95 % interval of `lag`", "days"),
        text("status", "`descriptive` or `not_testable`; behaviour of another injury model is shown and not compared"),
        REASON,
        SENTENCE,
    ),
    "timeline",
)  # fmt: skip

DESIGN = TableSpec(
    "design",
    "tables/design.tsv",
    "what the design can show",
    "What each day can show, from the sheet alone; `results/<data set>/design.txt` says it in words (target `design`).",
    (
        ARM,
        day("day", "day after injury"),
        count("animals", "injured animals of the day"),
        text("control", "control group that the day is compared with"),
        count("control_animals", "animals of the control group"),
        p_value("smallest_p", P_SMALLEST),
        share("smallest_share", "planned detection limit: smallest share of recovery cells that would be detected with the configured power if each animal had 150 microglia"),
        text("claim", "`tested`, `descriptive` or `not_testable`"),
    ),
    "design_of",
)  # fmt: skip

WARNINGS = TableSpec(
    "warnings",
    "tables/warnings.tsv",
    "all warnings",
    "",
    (
        text("code", "stable key, for example `day_is_batch`, `sex_mismatch`, `few_controls`"),
        text("severity", "`alarm` (the answer may be wrong), `warning` (it is weaker than it looks), `info`"),
        text("text", "the sentence on the page"),
        text("step", "step in which it arose; `dataset`: the entry itself"),
        text("library", "libraries that it concerns"),
    ),
    "summary",
)

_PEAK = "of the peak day; in a summary, the random-effects mean of the rises (Paule-Mandel, Hartung-Knapp interval)"
COMPARISON = TableSpec(
    "comparison",
    "comparison.tsv",
    "onsets and rises of all data sets",
    "The data sets of a run beside each other; it lies in `results/`.",
    (
        text("kind", "`data set`; or `summary` of at least three tested data sets of one injury model, assay and kind of tissue (a data set of several arms is not part of a summary)"),
        text("dataset", "the data set"),
        ARM,
        text("injury_model", "from the data set's description"),
        text("assay", "from the data set's description"),
        text("enrichment", "from the data set's description"),
        STATUS,
        day("onset_low", "as in `onset.tsv`"),
        day("onset_high", "as in `onset.tsv`"),
        day("peak_day", "day with the highest estimate among the tested days"),
        count("n_subjects", "animals of the peak day"),
        share("fraction", "of the peak day"),
        share("low", "95 % interval of `fraction`"),
        share("high", "95 % interval of `fraction`"),
        share("control_fraction", "of the control of the peak day"),
        share("rise", f"`fraction` minus `control_fraction`, {_PEAK}"),
        share("rise_low", "95 % interval of `rise`"),
        share("rise_high", "95 % interval of `rise`"),
        share("heterogeneity", "I²: share of the variance that lies between data sets; summaries only"),
        REASON,
    ),
    "compare",
)  # fmt: skip

ANSWER = (
    TIMELINE,
    ONSET,
    FRACTIONS,
    ROBUSTNESS,
    STRATA,
    STRATA_ONSET,
    INTERACTIONS,
    BEHAVIOUR,
    BEHAVIOUR_TESTS,
    DESIGN,
    WARNINGS,
    COMPARISON,
)
"""In the order of the documentation."""
