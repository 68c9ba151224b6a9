"""Genes, activities and signals that are associated with the state."""

import re

import pandas as pd

from recovery_microglia import figures
from recovery_microglia.core import wording
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.vocabulary import Severity, Status
from recovery_microglia.report.blocks import Column, Fold, Note, Prose, Section, plates, table
from recovery_microglia.report.inputs import ReportInputs

CANNOT = (
    "This analysis cannot show what makes these cells, or what would make more of them: it lists genes, activities and signals that are "
    "associated with the state in these animals, as candidates for an experiment."
)


def drivers_section(inputs: ReportInputs) -> Section | None:
    """Return what is associated with the state; nothing where the step was not run."""
    contrasts = inputs.table("driver_contrasts")
    if contrasts.empty:
        return None
    blocks: list[object] = [*_genes(inputs, contrasts), *_activities(inputs), *_signals(inputs)]
    blocks += [*_candidates(inputs), *_igf1(inputs)]
    return Section("drivers", _title(contrasts), CANNOT, tuple(blocks))


def _title(contrasts: pd.DataFrame) -> str:
    """Return how many genes are associated with the state, beside those that made the call, as a title."""
    known = _tested(contrasts, "state")
    if len(known) != 1:
        return "What is associated with the state"
    n = int(known["genes_up_without"].iloc[0] + known["genes_down_without"].iloc[0])
    return (
        f"What is associated with the state: {wording.count(n, 'gene') if n else 'no gene'} besides those of the call"
    )


def _tested(contrasts: pd.DataFrame, kind: str) -> pd.DataFrame:
    return contrasts[(contrasts["kind"] == kind) & (contrasts["status"] == Status.TESTED)]


def _genes(inputs: ReportInputs, contrasts: pd.DataFrame) -> list[object]:
    genes, animals = inputs.table("driver_genes"), inputs.table("driver_animals")
    blocks: list[object] = []
    for row in _tested(contrasts, "state").to_dict("records"):
        up, down = int(row["genes_up_without"]), int(row["genes_down_without"])
        blocks.append(
            Prose(
                f"In {wording.count(int(row['n_animals']), 'injured animal')}, recovery cells are compared with the other microglia of the same "
                f"animal. Of the genes that took no part in the call, {up} are higher and {down} lower at a false-discovery rate of 5 %. "
                "Genes that took part differ by construction and are marked.",
                "Genes of the state",
            )
        )
        name = str(row["contrast"])
        blocks += plates(figures.volcano(genes, name), figures.heat_by_animal(animals, name))
        first = genes[(genes["contrast"] == name) & ~genes["made_call"]].head(40)
        blocks.append(
            Fold("The first genes that took no part in the call", (table(first, GENE_COLUMNS, of="driver_genes"),))
        )
    blocks += [
        Note("why", f"Comparison not tested: {row['contrast']}", wording.as_sentence(str(row["reason"])))
        for row in contrasts[(contrasts["kind"] == "state") & (contrasts["status"] != Status.TESTED)].to_dict("records")
    ]
    told = contrasts.assign(status=[wording.STATUS[status][0] for status in contrasts["status"]])
    blocks.append(Fold("Every comparison of pseudobulks", (table(told, CONTRAST_COLUMNS, of="driver_contrasts"),)))
    return blocks


def _brief(reason: str) -> str:
    """Return why a network is missing without the address of its file: that it was not fetched, and why."""
    return re.sub(r"^\S+: not fetched from \S+: ", "not fetched: ", reason)


GENE_COLUMNS = [
    Column("gene", "Gene"),
    Column("shrunken", "log2 fold change, shrunken"),
    Column("log2_fold_change", "log2 fold change"),
    Column("q_without", "q", help="corrected over the genes that took no part in the call"),
    Column("base_mean", "Mean count"),
]

CONTRAST_COLUMNS = [
    Column("contrast", "Comparison"),
    Column("kind", "Kind"),
    Column("arm", "Arm"),
    Column("day", "Day"),
    Column("n_animals", "Animals"),
    Column("n_controls", "Control animals"),
    Column("control", "Control"),
    Column("covariates", "In the model"),
    Column("not_held", "Not in the model"),
    Column("genes", "Genes"),
    Column("genes_up", "higher", help="at a false-discovery rate of 5 %"),
    Column("genes_down", "lower", help="at a false-discovery rate of 5 %"),
    Column("genes_up_without", "higher, no part in the call"),
    Column("genes_down_without", "lower, no part in the call"),
    Column("status", "Status"),
    Column("reason", "Reason"),
]
ACTIVITY_COLUMNS = [
    Column("contrast", "Comparison"),
    Column("resource", "Network"),
    Column("kind", "Kind"),
    Column("source", "Source"),
    Column("targets", "Targets measured"),
    Column("ulm", "t, univariate", help="univariate linear model: the source alone"),
    Column("ulm_q", "q, univariate"),
    Column("mlm", "t, multivariate", help="multivariate linear model: beside all other sources of the network"),
    Column("mlm_q", "q, multivariate"),
    Column("agree", "Methods agree", help="both find it at 5 %, with one sign"),
    Column("ulm_without", "t without genes of the call", help="univariate, without the genes that made the call"),
    Column("n_animals", "Animals"),
    Column("animals_same", "of them with this sign"),
    Column("animals_mean", "Mean over animals"),
    Column("animals_p", "p over animals"),
    Column("animals_q", "q over animals"),
]
NETWORK_COLUMNS = [
    Column("resource", "Network"),
    Column("kind", "Kind"),
    Column("version", "Version"),
    Column("licence", "Licence"),
    Column("address", "From"),
    Column("citation", "Citation"),
    Column("sources", "Sources"),
    Column("targets", "Targets"),
    Column("not_mapped", "Without a mouse gene"),
    Column("status", "Status"),
    Column("reason", "Reason"),
    Column("sha256", "SHA-256", aside=True),
]


def _activities(inputs: ReportInputs) -> list[object]:
    activities, networks = inputs.table("driver_activities"), inputs.table("driver_networks")
    blocks: list[object] = []
    missing = networks[networks["status"] != "used"] if len(networks) else networks
    if len(missing):
        told = wording.listed([str(name) for name in missing["resource"]])
        why = wording.listed(sorted({_brief(str(reason)) for reason in missing["reason"]}))
        text = f"No activities from {told}: {why}. The table of networks has the addresses."
        blocks.append(Note(Severity.INFO, "Networks of targets that were not there", text))
    if len(activities):
        blocks.append(
            Prose(
                "Where the known targets of a pathway, factor or cytokine move together, its activity is estimated from them. Its p-value "
                "counts genes, not animals; beside it stands in how many animals it has the same sign.",
                "Activities",
            )
        )
        state = activities[activities["contrast"].str.startswith("state")]
        pairs = state[["contrast", "resource"]].drop_duplicates().itertuples(index=False)
        blocks += plates(*(figures.activity_bars(activities, str(own[0]), str(own[1])) for own in pairs))
        blocks.append(Fold("Every activity", (table(activities, ACTIVITY_COLUMNS, of="driver_activities"),)))
    if len(networks):
        shown = table(networks, NETWORK_COLUMNS, of="driver_networks")
        blocks.append(Fold("Networks, with their versions and licences", (shown,)))
    return blocks


def _igf1(inputs: ReportInputs) -> list[object]:
    igf1 = inputs.table("driver_igf1")
    tested = igf1[igf1["status"] == Status.TESTED] if len(igf1) else igf1
    if tested.empty:
        why = wording.as_sentence(str(igf1["reason"].iloc[0])) if len(igf1) else "There are no recovery cells."
        return [Note("why", "Igf1 within recovery cells: not tested", why)]
    found = int((tested["q"] < 0.05).sum())
    text = (
        f"Recovery cells with Igf1 counts are compared with those without, within {wording.count(int(tested['n_animals'].iloc[0]), 'animal')} and among "
        f"cells of like depth: {found} of {len(tested):,} genes are associated with Igf1 at a false-discovery rate of 5 % over animals."
    )
    columns = [
        Column("gene", "Gene"), Column("log2_ratio", "log2 ratio"), Column("low", "from"), Column("high", "to"),
        Column("animals_up", "Animals in which it is higher"), Column("q", "q"), Column("made_call", "Made the call"),
    ]  # fmt: skip
    return [
        Prose(text, "Igf1 within recovery cells"),
        Fold("Genes that go with Igf1", (table(tested.head(40), columns, of="driver_igf1"),)),
    ]


def _signals(inputs: ReportInputs) -> list[object]:
    signals, dropped = inputs.table("driver_signals"), inputs.table("driver_signals_dropped")
    tested = signals[signals["status"] == Status.TESTED] if len(signals) else signals
    blocks: list[object] = []
    if len(tested):
        days, arms = tested["day"].nunique(), tested["arm"].nunique()
        when = wording.count(days, "day") + (f" in {wording.count(arms, 'arm')}" if arms > 1 else "")
        text = (
            f"Ligands of other cells and receptors of recovery cells on {when}, ranked on pseudobulks of animals. "
            "A pair says that both genes are there, not that a signal is sent; a ligand that rises after injury may do so for other reasons."
        )
        blocks.append(Prose(text, "Signals that may reach them"))
        first = tested.sort_values(["magnitude_rank", "specificity_rank"], kind="stable").head(60)
        blocks.append(Fold("The strongest pairs", (table(first, SIGNAL_COLUMNS, of="driver_signals"),)))
    if len(signals) and (signals["reason"].fillna("") != "").any():
        blocks.append(Note("why", *_not_tested(signals, some=len(tested) > 0)))
    corrected = dropped[~dropped["reason"].str.startswith("not measured")] if len(dropped) else dropped
    if len(dropped):
        n = len(dropped) - len(corrected)
        text = (
            f"{wording.count(n, 'pair')} took no part because a gene of {'it' if n == 1 else 'them'} was not measured."
        )
        parts: tuple[object, ...] = (Prose(text),)
        if len(corrected):
            caption = "Pairs that were split or dropped because the resource is wrong"
            parts += (table(corrected, DROPPED_COLUMNS, of="driver_signals_dropped", caption=caption),)
        blocks.append(Fold("Pairs that took no part", parts))
    return blocks


def _not_tested(signals: pd.DataFrame, *, some: bool) -> tuple[str, str]:
    """Return heading and text of the days on which signals were not tested, each reason with its days."""
    rows = signals[signals["reason"].fillna("") != ""]
    arms = signals["arm"].nunique() > 1
    said = []
    for reason, own in rows.groupby("reason", sort=True):
        days = [
            f"day {wording.day(row['day'])}" + (f" ({row['arm']})" if arms and row["arm"] else "")
            for row in records(own.drop_duplicates(["arm", "day"]).sort_values(["arm", "day"]))
            if not wording.missing(row["day"])
        ]
        where = f"{wording.listed(days)}: " if days else ""
        said.append(wording.as_sentence(f"{where}{reason}"))
    return "Signals: not tested on some days" if some else "Signals: not tested", " ".join(said)


SIGNAL_COLUMNS = [
    Column("arm", "Arm"),
    Column("day", "Day"),
    Column("sender", "Sender"),
    Column("ligand", "Ligand"),
    Column("receptor", "Receptor"),
    Column("magnitude_rank", "Rank by strength"),
    Column("specificity_rank", "Rank by specificity"),
    Column("n_animals", "Animals"),
    Column("animals_agree", "of them among the first tenth"),
    Column("animals_first", "of them with this sender first"),
    Column("receptor_log2_ratio", "Receptor, log2 over other microglia"),
    Column("ligand_change", "Ligand, log2 after injury"),
    Column("ligand_p", "p of that", help="over animals, not corrected"),
]


def _candidates(inputs: ReportInputs) -> list[object]:
    candidates, truth = inputs.table("driver_candidates"), inputs.table("driver_truth")
    if candidates.empty:
        return []
    shown = candidates[(candidates["evidence_for"] > 0) | (candidates["known"] != "")]
    # the network of a data set of one's own has no name but `targets`
    told = {
        column: shown[column].fillna("").astype(str).str.replace("targets (targets)", "targets", regex=False)
        for column in ("speaks_for", "speaks_against")
    }
    shown = shown.assign(**told)
    text = (
        "Each line is an association within this study. More lines for than against make a candidate worth an experiment, no more. "
        "Known modulators are listed with what speaks for and against them here."
    )
    if not shown["evidence_for"].any() and not shown["evidence_against"].any():
        text = "None of the genes below could be tested here; what is known of each is from the literature."
        listed = table(shown.head(60), [*CANDIDATE_COLUMNS[:3], *CANDIDATE_COLUMNS[-2:]], of="driver_candidates")
        return [Fold("Known modulators of this state, none of them tested here", (Prose(text), listed))]
    blocks: list[object] = [Prose(text, "Candidates"), table(shown.head(60), CANDIDATE_COLUMNS, of="driver_candidates")]
    if len(truth):
        blocks.append(Prose(_truth_words(truth), "Simulated signals"))
        blocks.append(Fold("Simulated signals, and what was found", (table(truth, TRUTH_COLUMNS, of="driver_truth"),)))
    return blocks


def _truth_words(truth: pd.DataFrame) -> str:
    """Return what was found of each simulated signal, as sentences."""
    told = []
    for row in truth.to_dict("records"):
        what = "a true upstream signal" if row["truth"] == "signal" else "a decoy that rises with injury only"
        pair = "its pair is strong or specific" if row["pair_found"] else "its pair is not found"
        targets = (
            "its targets are found higher in recovery cells"
            if row["targets_rise"]
            else "its targets are not found higher in recovery cells"
        )
        end = "as it should be" if row["as_expected"] else "which is wrong"
        told.append(f"{row['ligand']} ({row['sender']}) is {what}: {pair}, and {targets}, {end}.")
    return " ".join(told)


TRUTH_COLUMNS = [
    Column("ligand", "Ligand"),
    Column("truth", "In truth"),
    Column("sender", "Made by"),
    Column("receptor", "Receptor"),
    Column("pair_found", "Pair found"),
    Column("ligand_rises", "Ligand rises"),
    Column("targets_rise", "Targets rise"),
    Column("evidence_for", "For"),
    Column("evidence_against", "Against"),
    Column("as_expected", "As expected"),
]
DROPPED_COLUMNS = [
    Column("ligand", "Ligand"),
    Column("receptor", "Receptor"),
    Column("action", "Action"),
    Column("reason", "Reason"),
]
CANDIDATE_COLUMNS = [
    Column("arm", "Arm"),
    Column("candidate", "Candidate"),
    Column("kind", "Kind"),
    Column("evidence_for", "For"),
    Column("evidence_against", "Against"),
    Column("speaks_for", "Speaks for it"),
    Column("speaks_against", "Speaks against it"),
    Column("sender", "Made by", aside=True),  # both stand in what speaks for it
    Column("receptor", "Receptor", aside=True),
    Column("animals", "Animals"),
    Column("known", "Known"),
    Column("source", "Source"),
]
