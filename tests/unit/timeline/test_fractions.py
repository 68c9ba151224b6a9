"""The subjects: what animals with hardly any cells are worth."""

import numpy as np
import pandas as pd
import pytest

from made_up.sheet import sheet
from recovery_microglia.recovery.likelihood import mixture_and_worth
from recovery_microglia.timeline.days import compare_days
from recovery_microglia.timeline.fractions import FEW_CELLS, MIXTURE, add_mixture, evidence, fractions, group_of
from recovery_microglia.timeline.settings import TimelineSettings


def test_an_animal_without_cells_has_no_share_and_one_with_few_is_marked() -> None:
    samples = sheet([(7, "injured", 4)])
    sizes = [0, 1, FEW_CELLS - 1, FEW_CELLS]
    cells = pd.DataFrame({"library": samples["library"].repeat(sizes)})
    cells["recovery_call"] = pd.array([True] * len(cells), dtype="boolean")
    totals = pd.DataFrame({"library": samples["library"], "microglia": sizes, "myeloid": sizes, "all": 100})
    table = fractions(cells, samples, totals, calls={"score": "recovery_call"}).query("denominator == 'microglia'")
    np.testing.assert_array_equal(table["fraction"], [np.nan, 1, 1, 1])
    few = f"fewer than {FEW_CELLS} cells"
    assert table["note"].tolist() == [few, few, few, ""]
    # it stands in the table, and takes no part in any test
    assert group_of(table).k.tolist() == group_of(table).n.tolist() == sizes[1:]
    np.testing.assert_allclose(group_of(table).grid, group_of(table[table["n"] > 0]).grid)


def test_the_reason_names_the_side_that_has_too_few_animals() -> None:
    units = sheet([(0, "naive", 1), (7, "injured", 2)]).assign(n=100, k=[1, 10, 12])
    settings = TimelineSettings(n_draws=100, n_bootstrap=0)
    (row,) = compare_days(units, status="tested", reason="", settings=settings, seed=1).to_dict("records")
    assert (row["status"], row["reason"]) == ("descriptive", "fewer than two subjects on the control")


def test_shares_without_a_cutoff_are_of_all_cells_of_an_animal_that_could_be_called() -> None:
    samples = sheet([(0, "naive", 1), (7, "injured", 1)])
    samples = pd.concat([samples, samples.iloc[[1]].assign(library="second")], ignore_index=True)  # of the same animal
    rng = np.random.default_rng(3)
    cells = pd.DataFrame({"library": samples["library"].repeat(60)}).reset_index(drop=True)
    # the likelihood ratio of two normals three SD apart
    risen = (np.arange(180) >= 60) & (rng.random(180) < 0.3)
    cells["recovery_score"] = 3 * (rng.standard_normal(180) + 3 * risen) - 4.5
    cells["recovery_score_without_itgax_igf1"] = cells["recovery_score"] / 2
    for call in ("recovery_call", "recovery_call_without", "cluster_call"):
        cells[call] = pd.array(cells["recovery_score"] > 0, dtype="boolean")
    cells.loc[:4, ["recovery_call", "recovery_call_without", "cluster_call"]] = pd.NA  # of a chemistry without controls
    totals = pd.DataFrame({"library": samples["library"], "microglia": 60, "myeloid": 80, "all": 600})
    table = add_mixture(fractions(cells, samples, totals), cells, samples).set_index(["route", "denominator", "day"])
    table = table.sort_index()
    own = cells["recovery_score"].to_numpy()[60:]
    row = table.loc[("score", "microglia", 7.0)]
    assert row[list(MIXTURE)].tolist() == list(mixture_and_worth(own))
    assert 0.2 < row["mixture"] < 0.4
    assert table.loc[("score", "microglia", 0.0), "mixture_cells"] <= 55  # five cells could not be called
    # of all cells the same recovery cells are a smaller share, known no worse
    whole = table.loc[("score", "all", 7.0)]
    assert whole["mixture"] == pytest.approx(row["mixture"] / 10)
    assert whole["mixture_recovery"] == row["mixture_recovery"]
    assert whole["mixture_cells"] == pytest.approx(10 * row["mixture_cells"])
    assert table.loc[("score_without", "microglia", 7.0), "mixture"] == mixture_and_worth(own / 2)[0]
    assert table.loc["cluster", "mixture"].isna().all()
    k, n = evidence(table.loc[("score", "microglia")])
    np.testing.assert_allclose(k / n, table.loc[("score", "microglia"), "mixture"], atol=0.01)
    np.testing.assert_array_equal(evidence(table.loc[("cluster", "microglia")])[1], [55, 120])  # else called cells
