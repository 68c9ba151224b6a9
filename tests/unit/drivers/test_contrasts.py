"""Genes that differ between pseudobulks of animals."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from made_up.bulks import GENES, animals, drawn
from recovery_microglia.drivers.contrasts import effect_of, fit, grouped_design, paired_design, shrunken
from recovery_microglia.drivers.genes import genes_by_animal, injury_contrasts, ratios_by_animal, state_contrasts
from recovery_microglia.drivers.pseudobulks import OTHERS, RECOVERY

PLANTED = {"Gene3": 4.0, "Gene5": 4.0, "Gene7": 0.25, "Gene9": 4.0}


def _pairs(n: int, *, cells: int = 50) -> pd.DataFrame:
    return animals(
        [{"subject": f"m{k}", "cells_of": kind, "cells": cells} for k in range(n) for kind in (OTHERS, RECOVERY)]
    )


def test_planted_genes_are_found_within_animals_with_their_size() -> None:
    samples = _pairs(5)
    bulks = drawn(samples, (samples["cells_of"] == RECOVERY).to_numpy(), PLANTED)
    (state,) = state_contrasts(bulks, ["Gene9"])
    genes = state.genes.set_index("gene")
    assert set(genes.index[genes["q"] < 0.05]) >= set(PLANTED)
    # 10 pseudobulks of dispersion 0.05: the standard error of a log2 fold is about 0.2
    assert genes.loc["Gene3", "log2_fold_change"] == pytest.approx(2, abs=0.6)
    assert genes.loc["Gene7", "log2_fold_change"] == pytest.approx(-2, abs=0.6)
    assert state.facts["genes_up"] >= 3
    assert state.facts["genes_up_without"] == state.facts["genes_up"] - 1


def test_genes_of_the_call_are_marked_and_the_rest_is_corrected_without_them() -> None:
    samples = _pairs(4)
    bulks = drawn(samples, (samples["cells_of"] == RECOVERY).to_numpy(), PLANTED)
    (state,) = state_contrasts(bulks, ["Gene9", "Not measured"])
    genes = state.genes
    assert list(genes.loc[genes["made_call"], "gene"]) == ["Gene9"]
    rest = genes[~genes["made_call"] & genes["p"].notna()]
    assert rest["q_without"].to_numpy() == pytest.approx(multipletests(rest["p"], method="fdr_bh")[1])
    assert genes.loc[genes["made_call"], "q_without"].isna().all()
    assert sorted(rest["rank_without"]) == list(range(1, len(rest) + 1))


@pytest.mark.parametrize(("n", "cells"), [(1, 50), (3, 9)])
def test_too_few_animals_or_cells_give_no_number_and_a_reason(n: int, cells: int) -> None:
    samples = _pairs(n, cells=cells)
    (state,) = state_contrasts(drawn(samples, np.zeros(len(samples), bool), {}), [])
    assert state.facts["status"] == "not_testable"
    assert "at least 10 recovery cells" in state.facts["reason"]
    assert state.genes.empty


def test_injured_animals_are_compared_by_day_and_a_single_one_is_not() -> None:
    rows = [{"subject": f"c{k}", "condition": "naive", "day": 0.0} for k in range(4)]
    rows += [{"subject": f"d7_{k}", "day": 7.0} for k in range(4)] + [{"subject": "d21", "day": 21.0}]
    samples = animals(rows)
    found = {c.name: c for c in injury_contrasts(drawn(samples, (samples["day"] == 7).to_numpy(), PLANTED), [])}
    assert found["injury day 21"].facts["status"] == "not_testable"
    assert "1 injured animal and 4 control animals" in found["injury day 21"].facts["reason"]
    week = found["injury day 7"].genes.set_index("gene")
    assert set(week.index[week["q"] < 0.05]) >= set(PLANTED)
    assert week.loc["Gene7", "shrunken"] == pytest.approx(-2, abs=0.7)


def test_a_covariate_is_held_where_the_design_carries_it_and_named_where_not() -> None:
    group = pd.Series(["control"] * 4 + ["day 7"] * 4)
    rows = [
        {"subject": f"m{k}", "sex": "fm"[k % 2], "batch": "AB"[k // 4], "chemistry": "" if k == 0 else f"v{k % 2}"}
        for k in range(8)
    ]
    design = grouped_design(animals(rows), group)
    assert design.covariates == ("sex",)
    told = " ".join(design.left_out)
    assert "batch: confounded" in told
    assert "chemistry: not known" in told
    assert list(design.matrix.columns) == ["intercept", "day 7", "sex m"]


def test_too_few_animals_leave_a_covariate_out() -> None:
    rows = [{"subject": f"m{k}", "sex": "fm"[k % 2]} for k in range(4)]
    design = grouped_design(animals(rows), pd.Series(["control"] * 2 + ["day 7"] * 2))
    assert design.covariates == ()
    assert design.left_out == ("sex: too few animals",)


def test_own_shrinkage_agrees_with_that_of_pydeseq2() -> None:
    samples = _pairs(5)
    moved = (samples["cells_of"] == RECOVERY).to_numpy()
    bulks = drawn(samples, moved, {gene: 2.0 + k % 3 for k, gene in enumerate(GENES[:60])})
    design = paired_design(samples, samples["subject"], pd.Series(moved))
    fitted = fit(bulks, design)
    exact, own = (effect_of(fitted, "effect", exact=how).set_index("gene")["shrunken"] for how in (True, False))
    # the likelihood is taken as normal: a hundredth of a log2 fold for genes of a few hundred counts
    assert (exact - own.reindex(exact.index)).abs().max() < 0.1
    assert (exact - own.reindex(exact.index)).abs().mean() < 0.01


def test_shrinkage_takes_uncertain_folds_to_zero_and_leaves_certain_ones() -> None:
    estimate = np.array([2.0, 2.0, *np.random.default_rng(1).normal(0, 0.1, 200)])
    found = shrunken(estimate, np.array([0.1, 3.0, *np.full(200, 0.1)]))
    assert found[0] == pytest.approx(2.0, abs=0.1)
    assert abs(found[1]) < 0.2


def test_values_of_every_animal_are_kept_for_the_first_genes() -> None:
    samples = _pairs(4)
    bulks = drawn(samples, (samples["cells_of"] == RECOVERY).to_numpy(), PLANTED)
    table = genes_by_animal(state_contrasts(bulks, []), ratios_by_animal(bulks))
    three = table[table["gene"] == "Gene3"]
    assert list(three["subject"]) == ["m0", "m1", "m2", "m3"]
    assert (three["log2_ratio"] > 0.5).all()


def test_a_study_without_enough_recovery_cells_has_no_animals() -> None:
    samples = _pairs(2, cells=3)
    bulks = drawn(samples, (samples["cells_of"] == RECOVERY).to_numpy(), PLANTED)
    (state,) = state_contrasts(bulks, [])
    assert state.genes.empty
    assert genes_by_animal([state], ratios_by_animal(bulks)).empty
