"""Accuracy on simulated time courses with known truth: ours, what others do, and a reference trained on the truth.

    .venv/bin/python benchmarks/accuracy/run.py            # all scenarios, five seeds
    .venv/bin/python benchmarks/accuracy/run.py --quick    # all scenarios, one seed
    .venv/bin/python benchmarks/accuracy/run.py --only weak_and_rare --seeds 2

Writes results/{calls,subjects,answers}.tsv beside this file and prints the summary that docs/accuracy.md shows.
"""

import argparse
import os
import resource
import shutil
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # not where a test imports this
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # the two processes share two cores

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "scripts"), str(HERE), str(HERE.parent)]

import anndata as ad  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from pages import DOCS, markdown, write_below  # noqa: E402
from rivals import above_cutoff_of_others, aucell, prepared, rivals, trained_on_truth  # noqa: E402
from scenarios import build, load_scenarios, silence_arm  # noqa: E402

from recovery_microglia.core.anndata_access import counts_of  # noqa: E402
from recovery_microglia.core.frame_access import positions, records  # noqa: E402
from recovery_microglia.core.genes import load_signatures, present  # noqa: E402
from recovery_microglia.core.vocabulary import CONTROLS  # noqa: E402
from recovery_microglia.library.process import process_library  # noqa: E402
from recovery_microglia.library.settings import CellSettings  # noqa: E402
from recovery_microglia.myeloid import ClusterSettings, cluster, merge  # noqa: E402
from recovery_microglia.recovery.calibration import cutoffs_for  # noqa: E402
from recovery_microglia.recovery.call import RecoveryResult, call_recovery  # noqa: E402
from recovery_microglia.recovery.settings import RecoverySettings  # noqa: E402
from recovery_microglia.simulate.libraries import simulate_library  # noqa: E402
from recovery_microglia.timeline.days import run_timeline, worst_status  # noqa: E402
from recovery_microglia.timeline.design import audit  # noqa: E402
from recovery_microglia.timeline.error_correction import CORRECTED, add_corrected, error_rates  # noqa: E402
from recovery_microglia.timeline.fractions import MIXTURE, add_mixture, fractions  # noqa: E402
from recovery_microglia.timeline.settings import TimelineSettings  # noqa: E402
from recovery_microglia.timeline.step import denominators  # noqa: E402

SIGNATURES = load_signatures(HERE.parents[1] / "config/signatures")
FACTS = {"organism": "mouse", "assay": "cells", "droplets": "filtered", "sex": ""}
OURS = {
    "ours": ("recovery_call", "recovery_score"),
    "ours, without Itgax and Igf1": ("recovery_call_without", "recovery_score_without_itgax_igf1"),
}


def simulate(scenario: dict[str, Any], seed: int) -> tuple[dict[str, ad.AnnData], pd.DataFrame, pd.DataFrame]:
    """Return the libraries' counts, the truth of every barcode, and the sheet."""
    parameters, sheet = build(scenario, seed)
    counts, truths = {}, []
    for row in records(sheet):
        own = silence_arm(parameters, row, scenario)
        counts[row["library"]], truth = simulate_library(own, row, n_cells=scenario["cells"], seed=seed)
        truths.append(truth)
    truth = pd.concat(truths, ignore_index=True)
    truth.index = pd.Index(truth["library"] + ":" + truth["barcode"])
    return counts, truth, sheet


def one_data_set(name: str, seed: int, *, with_rivals: bool = True) -> dict[str, list[dict[str, Any]]]:
    """Simulate a data set, run the pipeline's steps on it, and measure."""
    warnings.simplefilter("ignore")
    scenario = load_scenarios()[name]
    counts, truth, sheet = simulate(scenario, seed)
    start = time.perf_counter()
    injury = "spinal_cord" if name.startswith("cord") else "peripheral_nerve"
    sort = sheet["sort"].iloc[0]
    results = {
        library: process_library(
            own,
            FACTS | {"library": library, "sort": sort, "injury_class": injury},
            SIGNATURES,
            CellSettings(),
            seed=seed,
        )
        for library, own in counts.items()
    }
    cells = pd.concat([result.cells for result in results.values()], ignore_index=True)
    myeloid = merge([result.myeloid for result in results.values()], sheet)
    cluster(myeloid, ClusterSettings(resolutions=(0.4, 0.8), n_resamples=3), seed=seed)
    recovered = call_recovery(myeloid, SIGNATURES, RecoverySettings(), seed=seed)
    design = audit(sheet)
    units = add_mixture(fractions(recovered.cells, sheet, denominators(cells, sheet)), recovered.cells, sheet)
    rates = error_rates(recovered.cells, sheet, recovered.tables["calibration"])
    units = add_corrected(units, rates, seed=seed)
    called = (recovered.report["status"], recovered.report["reason"])
    _, onset = run_timeline(units, design, called, TimelineSettings(n_draws=1000, n_bootstrap=0), seed=seed)
    seconds = time.perf_counter() - start

    cells.index = pd.Index(cells["library"] + ":" + cells["barcode"])
    kept = cells[cells["removed_by"] == ""]
    known = truth.loc[kept.index].join(sheet.set_index("library")[["subject", "condition", "day", "arm"]], on="library")
    single = (~known["doublet"] & ~known["low_quality"]).to_numpy()
    control = known["condition"].isin(CONTROLS).to_numpy()
    is_microglia = single & (known["cell_type"] == "microglia").to_numpy()
    true = is_microglia & known["recovery"].to_numpy(bool)
    own = recovered.cells.set_index("cell").reindex(kept.index)
    facts = {"scenario": name, "seed": seed}
    methods = {
        label: (own[column].fillna(False).to_numpy(bool), own[score].to_numpy(float))
        for label, (column, score) in OURS.items()
    }
    likely = own["recovery_probability"].to_numpy(float)
    methods["ours: above the controls' cutoff"] = _above_cutoff(recovered, own, "fixed_cutoff", "recovery_score")
    methods["ours: ranks (UCell), same cutoff"] = _above_cutoff(recovered, own, "ranks", "recovery_score_ranks")
    if with_rivals:
        whole = ad.concat(
            [
                counts[str(library)][part["barcode"].to_numpy(str)]
                for library, part in kept.groupby("library", sort=False)
            ]
        )
        whole.obs_names = kept.index.tolist()
        ready = prepared(whole, SIGNATURES)
        methods |= {label: (calls, np.full(len(calls), np.nan)) for label, calls in rivals(ready, control).items()}
        signature = positions(whole.var_names, present(SIGNATURES.recovery.up, set(whole.var_names)))
        nothing = np.zeros(whole.n_obs, bool)
        methods["score only: scanpy score_genes"] = (nothing, ready.obs["s_signature"].to_numpy(float))
        methods["score only: AUCell"] = (nothing, aucell(counts_of(whole), signature))
        subject = known["subject"].to_numpy(str)
        own_score = methods["ours"][1]
        methods["ours: the references' kind of cutoff"] = (above_cutoff_of_others(own_score, true, subject), own_score)
        score, calls = trained_on_truth(counts_of(whole), is_microglia, true, subject)
        methods["reference"] = (calls, score)
        if control.any():
            cut = np.quantile(score[control & is_microglia], 0.99)
            methods["reference at our control rate"] = (score > cut, score)
        # what we let ourselves do: no gene that falls speaks for recovery, and no truth says which cells are microglia
        named = (kept["lineage"] == "microglia").to_numpy()
        score, calls = trained_on_truth(counts_of(whole), named, true & named, subject, rising_only=True)
        methods["reference: genes that rise, our gate"] = (calls, np.where(named, score, np.nan))
    rows = [
        {**facts, "method": label, **_call_metrics(calls, score, true, is_microglia, control, known["library"])}
        for label, (calls, score) in methods.items()
    ]
    gate = (kept["lineage"] == "microglia").to_numpy()
    answer = _answer(
        facts, scenario, worst_status((design.status, design.reason), called), onset, recovered, own, seconds
    )
    called_cells = methods["ours"][0]
    answer["calibration_error"] = _calibration_error(likely[is_microglia], true[is_microglia])
    injured = called_cells & ~control
    answer["expected_precision"] = recovered.report["expected"]["precision"]
    answer["precision_of_injured"] = _ratio(injured & true, injured)
    answer["expected_recall"] = recovered.report["expected"]["recall"]
    answer["recall_of_injured"] = _ratio(injured & true, ~control & true & own["recovery_call"].notna().to_numpy())
    answer["gate_precision"] = _ratio(gate & is_microglia, gate & single)
    answer["gate_recall"] = _ratio(gate & is_microglia, is_microglia)
    ambiguous = kept["lineage"].str.startswith("ambiguous").to_numpy()
    answer["gate_ambiguous"] = _ratio(ambiguous & is_microglia, is_microglia)
    return {"calls": rows, "subjects": _subjects(facts, units, known, is_microglia, true), "answers": [answer]}


def _above_cutoff(
    recovered: RecoveryResult, own: pd.DataFrame, scorer: str, column: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the calls that a scorer makes with a cutoff frozen on controls, and its scores."""
    cut = cutoffs_for(recovered.tables["calibration"], scorer, recovered.report["quantile"], own["chemistry"])
    blocked = own["on_one_gene"].fillna(False).to_numpy(bool)
    score = own[column].to_numpy(float)
    return (score > cut) & ~blocked, score


def _calibration_error(probability: np.ndarray, true: np.ndarray) -> float:
    """Return the expected calibration error over ten bins of equal width."""
    known = np.isfinite(probability)
    if not known.any():
        return float("nan")
    p, t = probability[known], true[known]
    place = np.minimum((p * 10).astype(int), 9)
    gaps = [abs(p[place == b].mean() - t[place == b].mean()) * (place == b).mean() for b in np.unique(place)]
    return float(np.sum(gaps))


def _ratio(part: np.ndarray, whole: np.ndarray) -> float:
    return float(part.sum() / whole.sum()) if whole.sum() else float("nan")


def _call_metrics(
    calls: np.ndarray,
    score: np.ndarray,
    true: np.ndarray,
    microglia: np.ndarray,
    control: np.ndarray,
    library: pd.Series,
) -> dict[str, float]:
    """Return precision, recall, F1 and AUROC over all kept cells, and the rates on control microglia."""
    from sklearn.metrics import roc_auc_score

    hits = int((calls & true).sum())
    negative = control & microglia & ~true
    by_library = pd.Series(calls[control & microglia]).groupby(library[control & microglia].to_numpy()).mean()
    usable = np.isfinite(score) & microglia
    return {
        "precision": hits / calls.sum() if calls.any() else float("nan"),
        "recall": hits / true.sum() if true.any() else float("nan"),
        "f1": 2 * hits / (calls.sum() + true.sum()) if true.any() else float("nan"),
        "auroc": float(roc_auc_score(true[usable], score[usable]))
        if 0 < true[usable].sum() < usable.sum()
        else float("nan"),
        "rate_control": _ratio(calls & control & microglia, control & microglia),
        "rate_control_not_recovery": _ratio(calls & negative, negative),
        "worst_control_library": float(by_library.max()) if len(by_library) else float("nan"),
    }


def _answer(
    facts: Mapping[str, Any],
    scenario: Mapping[str, Any],
    status: tuple[str, str],
    onset: pd.DataFrame,
    recovered: RecoveryResult,
    own: pd.DataFrame,
    seconds: float,
) -> dict[str, Any]:
    """Return what the timeline claims, and whether it may."""
    rows = onset[onset["route"] == "score"]
    claimed = bool(((rows["status"] == "tested") & rows["first_above"].notna()).any())
    used = recovered.tables["calibration"].query("scorer == 'score' and used")
    quiet = rows[rows["arm"] == scenario["arms"]] if "arms" in scenario else rows.head(0)
    return {
        **facts,
        "status": status[0],
        "status_allowed": scenario["claim"],
        "signal": scenario["signal"],
        "onset_claimed": claimed,
        "onset_claimed_in_quiet_arm": bool(quiet["first_above"].notna().any()),
        "onset_low": rows["onset_low"].iloc[0],
        "onset_high": rows["onset_high"].iloc[0],
        "held_out_fpr": float(used["fpr"].mean()),
        "kappa_clusters": recovered.report["agreement"]["clusters"]["kappa"],
        "share_called": float(own["recovery_call"].notna().mean()),
        "seconds": seconds,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def _subjects(
    facts: Mapping[str, Any], units: pd.DataFrame, known: pd.DataFrame, microglia: np.ndarray, true: np.ndarray
) -> list[dict[str, Any]]:
    """Return called and true fraction of each subject."""
    own = units[(units["route"] == "score") & (units["denominator"] == "microglia")].set_index("subject")
    table = (
        pd.DataFrame({"subject": known["subject"][microglia], "true": true[microglia]})
        .groupby("subject")["true"]
        .mean()
    )
    joined = own[["day", "condition", "n", "fraction", "low", "high", *MIXTURE, *CORRECTED]].join(
        table.rename("true_fraction")
    )
    return [{**facts, **row} for row in records(joined.reset_index())]


MARK = "<!-- below: printed by benchmarks/accuracy/run.py --docs -->"
EXPERTS = ("expert: control cutoff", "expert: mixture")


def summarise(tables: dict[str, pd.DataFrame]) -> str:
    """Return the summary as Markdown."""
    calls, answers = tables["calls"], tables["answers"]
    order = list(dict.fromkeys(calls["scenario"]))
    f1 = calls[~calls["method"].str.startswith("score only")]
    f1 = f1.pivot_table(index="scenario", columns="method", values="f1", sort=False).reindex(order)
    auroc = calls.pivot_table(index="scenario", columns="method", values="auroc", sort=False).reindex(order)
    auroc = auroc.drop(columns=[c for c in auroc if str(c).startswith(("reference at", "ours: prob"))])
    grouped = answers.groupby("scenario", sort=False)
    own = calls[calls["method"] == "ours"].groupby("scenario", sort=False)
    ours = own[["precision", "recall", "f1", "auroc"]].mean()
    ours["control cells called"] = own["rate_control"].mean()
    ours["held-out estimate"] = grouped["held_out_fpr"].mean()
    ours["worst control library"] = own["worst_control_library"].max()
    gates = grouped[["gate_precision", "gate_recall", "gate_ambiguous"]].mean()
    ours = ours.join(gates.rename(columns=lambda c: c.replace("_", ", ")))
    known = tables["subjects"].dropna(subset=["mixture", "true_fraction"])
    late, by, truth = known["day"] >= 14, known["scenario"], known["true_fraction"]
    kinds = {"called": ("fraction", "low", "high")}
    kinds |= {"without cutoff": MIXTURE[:3], "corrected": CORRECTED}
    columns = {"true, day 14 on": truth[late].groupby(by[late], sort=False).mean()}
    columns |= {name: known.loc[late, one].groupby(by[late], sort=False).mean() for name, (one, *_) in kinds.items()}
    for name, (one, low, high) in kinds.items():
        error = (known[one] - truth).abs()
        inside = truth.between(known[low], known[high]).where(known[one].notna()).astype(float)
        columns |= {f"error, {name}": error.groupby(by, sort=False).mean()}
        columns |= {f"covered, {name}": inside.groupby(by, sort=False).mean()}
    shares = pd.DataFrame(columns).reindex([name for name in order if name in set(by)])
    shares["calibration error"] = grouped["calibration_error"].mean()
    claims = grouped.agg(
        data_sets=("seed", "size"), onset_claimed=("onset_claimed", "sum"), in_quiet_arm=("onset_claimed_in_quiet_arm", "sum"),
        seconds=("seconds", "mean"), peak_gb=("peak_gb", "max"),
    )  # fmt: skip
    parts = [
        ("F1 of the call", f1), ("AUROC of the score", auroc), ("Ours", ours),
        ("Shares of recovery cells in animals", shares), ("What is claimed", claims),
    ]  # fmt: skip
    return "\n\n".join(f"### {title}\n\n{markdown(table, '.3g')}" for title, table in parts)


def draw(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    """Draw F1 by scenario, and shares of animals called against true."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    calls = tables["calls"]
    mean = calls.pivot_table(index="scenario", columns="method", values="f1", sort=False)
    signal = tables["answers"].groupby("scenario", sort=False)["signal"].first()
    names = [name for name in dict.fromkeys(calls["scenario"]) if signal[name]]
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), width_ratios=(1.5, 1), layout="constrained")
    rows = np.arange(len(names))[::-1]
    analysts = [c for c in mean if str(c).startswith("analyst")]
    for label, values, marker, colour in (
        ("best analyst", mean[analysts].max(axis=1), "o", "#999999"),
        ("better expert", mean[[c for c in EXPERTS if c in mean]].max(axis=1), "s", "#D55E00"),
        ("reference (trained on the truth)", mean.get("reference"), "|", "#000000"),
        ("ours", mean["ours"], "D", "#0072B2"),
    ):
        if values is not None:
            axes[0].plot(
                values.reindex(names), rows, marker, color=colour, label=label, ms=7, mew=2 if marker == "|" else 1
            )
    axes[0].set(yticks=rows, yticklabels=[n.replace("_", " ") for n in names], xlim=(-0.02, 1), xlabel="F1 of the call")
    axes[0].grid(axis="x", color="#DDDDDD")
    axes[0].legend(loc="upper center", bbox_to_anchor=(0.4, -0.12), ncols=4, frameon=False, fontsize=8)
    known = tables["subjects"].dropna(subset=["fraction", "true_fraction"])
    for kind, colour, label in (("fraction", "#0072B2", "called"), ("mixture", "#E69F00", "without a cutoff")):
        axes[1].plot(known["true_fraction"], known[kind], ".", ms=3, color=colour, label=label, alpha=0.6)
    axes[1].plot([0, 0.5], [0, 0.5], color="#000000", lw=0.8)
    axes[1].set(xlabel="true share of an animal", ylabel="share found", xlim=(-0.01, 0.5), ylim=(-0.01, 0.6))
    axes[1].legend(loc="upper left", frameon=False, fontsize=8, markerscale=3)
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(folder / "accuracy.png", dpi=110)
    plt.close(figure)


def main() -> None:
    """Run what was asked for, two data sets at a time."""
    from concurrent.futures import ProcessPoolExecutor, as_completed

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one seed")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="*", help="scenarios")
    parser.add_argument("--without-rivals", action="store_true")
    parser.add_argument("--docs", action="store_true", help="put the summary and the figure into docs/accuracy.md")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    chosen = parser.parse_args()
    names = chosen.only or list(load_scenarios())
    jobs = [(name, seed) for seed in range(1, (1 if chosen.quick else chosen.seeds) + 1) for name in names]
    found: dict[str, list[dict[str, Any]]] = {"calls": [], "subjects": [], "answers": []}
    with ProcessPoolExecutor(2) as pool:
        waiting = {pool.submit(one_data_set, *job, with_rivals=not chosen.without_rivals): job for job in jobs}
        for done in as_completed(waiting):
            for key, rows in done.result().items():
                found[key] += rows
            print(*waiting[done], file=sys.stderr, flush=True)
    chosen.out.mkdir(parents=True, exist_ok=True)
    tables = {}
    for key, rows in found.items():
        table = pd.DataFrame(rows)
        table["scenario"] = pd.Categorical(table["scenario"], names)
        tables[key] = table.sort_values(["scenario", "seed"], kind="stable").astype({"scenario": str})
        tables[key].to_csv(chosen.out / f"{key}.tsv", sep="\t", index=False, float_format="%.6g")
    summary = summarise(tables)
    (chosen.out / "summary.md").write_text(summary + "\n", encoding="utf-8")
    if not chosen.without_rivals:
        draw(tables, chosen.out)
    if chosen.docs:
        write_below("accuracy.md", MARK, summary)
        shutil.copy(chosen.out / "accuracy.png", DOCS / "accuracy.png")
    print(summary)


if __name__ == "__main__":
    main()
