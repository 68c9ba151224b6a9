"""The benchmark's own code, and that what it measures has not become worse (long: minutes)."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

HERE = Path(__file__).parents[2] / "benchmarks" / "accuracy"


@pytest.fixture(scope="module")
def benchmark():
    sys.path.insert(0, str(HERE))
    try:
        import rivals
        import run
        import scenarios
    finally:
        sys.path.remove(str(HERE))
    return run, scenarios, rivals


def test_scenarios_change_what_they_say(benchmark) -> None:
    _, scenarios, _ = benchmark
    table = scenarios.load_scenarios()
    assert len(table) >= 10
    assert all(scenario["says"] for scenario in table.values())
    demo, sheet = scenarios.build(table["nerve_injury"], 1)
    cord, _ = scenarios.build(table["cord_injury"], 1)

    def share(parameters, kind: str) -> float:
        own = parameters.composition.query("condition == 'injured' and day == 7")
        return float(own.loc[own["cell_type"] == kind, "share"].sum())

    assert share(cord, "infiltrating_macrophage") > 10 * share(demo, "infiltrating_macrophage")
    states = demo.states.query("condition == 'injured' and state == 'recovery'").set_index("day")["share"]
    assert states[35] == table["nerve_injury"]["course"][35]
    weak, _ = scenarios.build(table["weak_and_rare"], 1)
    half = weak.programmes.query("programme == 'recovery'").set_index("gene")["log2_fold_change"]
    full = demo.programmes.query("programme == 'recovery'").set_index("gene")["log2_fold_change"]
    pd.testing.assert_series_equal(half, full / 2)
    assert sheet.groupby("day")["subject"].nunique().min() >= 3


def test_measures_are_those_of_scikit_learn(benchmark) -> None:
    from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

    run, _, _ = benchmark
    rng = np.random.default_rng(1)
    true = rng.random(500) < 0.2
    score = rng.normal(true * 1.5, 1)
    calls, microglia, control = score > 1, np.ones(500, bool), rng.random(500) < 0.3
    library = pd.Series(rng.integers(0, 4, 500).astype(str))
    found = run._call_metrics(calls, score, true, microglia, control, library)
    assert found["precision"] == pytest.approx(precision_score(true, calls))
    assert found["recall"] == pytest.approx(recall_score(true, calls))
    assert found["f1"] == pytest.approx(f1_score(true, calls))
    assert found["auroc"] == pytest.approx(roc_auc_score(true, score))
    assert found["rate_control_not_recovery"] == pytest.approx(calls[control & ~true].mean())
    exact = np.concatenate([np.full(100, 0.25), np.full(100, 0.75)])
    truth = np.concatenate([np.arange(100) < 25, np.arange(100) < 55])  # as said, and a fifth too few
    assert run._calibration_error(exact, truth) == pytest.approx(0.1)


def test_aucell_is_one_where_the_set_leads_and_zero_where_it_is_silent(benchmark) -> None:
    import scipy.sparse as sp

    _, _, rivals = benchmark
    counts = np.zeros((2, 100))
    counts[0, :5] = 9
    counts[1, 50:90] = 9
    np.testing.assert_allclose(rivals.aucell(sp.csr_matrix(counts), np.arange(5)), [1, 0])


@pytest.mark.long
def test_accuracy_has_not_become_worse(benchmark) -> None:
    run, _, _ = benchmark
    rise = run.one_data_set("nerve_injury", 1, with_rivals=False)
    ours = pd.DataFrame(rise["calls"]).set_index("method").loc["ours"]
    # seed 1 gave .67 and .90; less than .6 or .88 is a change for the worse and no chance (F1 of ~200 cells: +- .03)
    assert ours["f1"] > 0.6
    assert ours["auroc"] > 0.88
    assert ours["rate_control_not_recovery"] < 0.02
    answer = rise["answers"][0]
    assert answer["onset_claimed"]
    assert answer["calibration_error"] < 0.05
    assert (answer["gate_precision"], answer["gate_recall"]) >= (0.99, 0.95)
    for name in ("null_hard", "inflammation_only"):
        assert not run.one_data_set(name, 1, with_rivals=False)["answers"][0]["onset_claimed"]
