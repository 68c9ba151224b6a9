"""What goes with Igf1 within recovery cells."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recovery_microglia.drivers.igf1 import _mantel_haenszel, igf1_genes

GENES = ["Igf1", "With", *[f"Other{k}" for k in range(60)]]


def _cells(n_animals: int, *, linked: float, seed: int = 1, per_animal: int = 120) -> ad.AnnData:
    """Recovery cells whose depth varies eightfold; *With* is ``linked`` times as high in cells that make *Igf1*."""
    rng = np.random.default_rng(seed)
    rows, obs = [], []
    for animal in range(n_animals):
        depth = np.exp(rng.normal(0, 0.7, per_animal))
        makes = rng.random(per_animal) < 0.5
        rate = np.tile(np.full(len(GENES), 2.0), (per_animal, 1)) * depth[:, None]
        rate[:, 0] = depth * np.where(makes, 2.0, 0.05)
        rate[:, 1] *= np.where(makes, linked, 1.0)
        rows.append(rng.poisson(rate))
        obs += [{"arm": "", "subject": f"m{animal}", "day": 14.0, "condition": "injured"}] * per_animal
    table = pd.DataFrame(obs, index=[f"c{k}" for k in range(len(obs))])
    return ad.AnnData(sp.csr_matrix(np.vstack(rows).astype(np.int32)), obs=table, var=pd.DataFrame(index=GENES))


def test_a_linked_gene_is_found_and_depth_alone_links_none() -> None:
    table = igf1_genes(_cells(6, linked=2.0), ["With"]).set_index("gene")
    assert table.loc["With", "q"] < 0.05
    # cells with Igf1 counts are those that make it but for a few deep ones: somewhat less than the twofold that was put in
    assert table.loc["With", "log2_ratio"] == pytest.approx(0.9, abs=0.25)
    assert table.loc["With", "animals_up"] == 6
    others = table.drop(index="With")
    # depth is eightfold, and goes with Igf1; four classes of it leave a hundredth of a log2 fold
    assert abs(others["log2_ratio"].median()) < 0.05
    assert (others["q"] < 0.05).sum() == 0
    assert table["made_call"].sum() == 1


def test_the_ratio_is_mantel_and_haenszels() -> None:
    sums = np.array([[[10.0], [40.0]], [[30.0], [50.0]]])
    depth = np.array([[100.0, 300.0], [150.0, 250.0]])
    top = 30 * 100 / 250 + 50 * 300 / 550
    bottom = 10 * 150 / 250 + 40 * 250 / 550
    assert _mantel_haenszel(sums, depth)[0] == pytest.approx(np.log2((top + 0.5) / (bottom + 0.5)))


def test_two_animals_are_not_tested() -> None:
    table = igf1_genes(_cells(2, linked=2.0), [])
    assert list(table["status"]) == ["not_testable"]
    assert "3 are needed" in table.loc[0, "reason"]


def test_without_igf1_there_is_a_reason() -> None:
    assert igf1_genes(_cells(3, linked=1.0)[:, 1:].copy(), []).loc[0, "reason"] == "Igf1 was not measured"
