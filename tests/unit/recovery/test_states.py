"""What each microglia is doing."""

import numpy as np
import pandas as pd
import pytest

from recovery_microglia.core.genes import load_signatures
from recovery_microglia.recovery.states import call_states, in_reference_units, state_sets


def scores(n: int = 400, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    names = ["homeostatic", "acute_inflammatory", "interferon", "recovery"]
    return pd.DataFrame(rng.normal(0.2, 0.02, (n, 4)), columns=names)


def test_units_are_zero_at_the_controls_median_and_one_at_their_99th_percentile() -> None:
    table = scores()
    control = np.arange(400) < 200
    units = in_reference_units(table, control)
    np.testing.assert_allclose(units[control].median(), 0, atol=1e-12)
    np.testing.assert_allclose(units[control].quantile(0.99), 1, rtol=1e-12)


def test_each_cell_has_the_state_that_stands_out_most() -> None:
    table = scores()
    control = np.arange(400) < 200
    table.loc[300, "acute_inflammatory"] = 0.5
    table.loc[301, ["acute_inflammatory", "recovery"]] = [0.4, 0.6]
    table.loc[302, "homeostatic"] = 0.0
    found = call_states(table, control, pd.Series(["v3"] * 400))
    assert found.state[[300, 301, 302]].tolist() == ["acute_inflammatory", "recovery", "none"]
    # three states, one control cell in a hundred above each
    assert (found.state[control] != "homeostatic").mean() == pytest.approx(0.03, abs=0.02)
    assert found.reference == "control microglia"


def test_units_are_set_within_a_chemistry() -> None:
    table = scores()
    chemistry = pd.Series(np.where(np.arange(400) % 2, "v2", "v3"))
    table[chemistry.eq("v2")] += 0.3  # all scores of one chemistry are higher
    control = np.arange(400) < 200
    found = call_states(table, control, chemistry)
    share = (found.state == "recovery").groupby(chemistry).mean()
    assert share.max() < 0.05


def test_without_controls_all_cells_are_the_reference_and_it_is_said() -> None:
    found = call_states(scores(), np.zeros(400, bool), pd.Series(["v3"] * 400))
    assert found.reference == "all microglia"
    assert (found.state == "recovery").mean() < 0.03


def test_a_state_that_no_control_shows_is_found_where_it_appears() -> None:
    table = scores()
    table["interferon"] = 0.0
    table.loc[350, "interferon"] = 0.3
    found = call_states(table, np.arange(400) < 200, pd.Series(["v3"] * 400))
    assert found.state[350] == "interferon"
    assert (found.units["interferon"].drop(350) == 0).all()


def test_a_single_chance_count_does_not_outshine_a_state_that_controls_lack() -> None:
    table = scores()
    table["interferon"] = 0.0
    table.loc[350, ["interferon", "recovery"]] = [
        0.05,
        0.5,
    ]  # a tenth of the highest interferon score, and clear recovery
    table.loc[351, "interferon"] = 0.5
    found = call_states(table, np.arange(400) < 200, pd.Series(["v3"] * 400))
    assert found.state[[350, 351]].tolist() == ["recovery", "interferon"]


def test_no_state_holds_a_gene_of_the_recovery_signature(root) -> None:
    signatures = load_signatures(root / "config/signatures")
    sets = state_sets(signatures)
    up = set(signatures.recovery.up)
    assert set(sets["recovery"]) == up
    assert all(not up & set(genes) for name, genes in sets.items() if name != "recovery")
    assert len(up) == 14
    assert {"Itgax", "Igf1"} <= up
    # loss of these is common to all reactive states and must never count
    assert not up & {"P2ry12", "Tmem119", "Cx3cr1", "Hexb", "Sall1"}
