"""What is put into real cells is what was asked for: shares, levels, counts."""

from types import ModuleType

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from benchmark_modules import BENCHMARKS, benchmark


@pytest.fixture(scope="module")
def implanted() -> ModuleType:
    return benchmark("implanted")


def test_the_rise_is_the_difference_between_the_two_kinds_of_cells(implanted) -> None:
    # of 1,000 counts each: Spp1 100 for 10, P2ry12 20 for 80, a ribosomal gene 200 for 50, Hexb 80 for 70, Igf1 40 for 0
    high, low = np.array([100, 20, 200, 80, 40, 560]), np.array([10, 80, 50, 70, 0, 790])
    counts = sp.csr_matrix(np.vstack([np.tile(high, (50, 1)), np.tile(low, (200, 1))]))
    genes = pd.Index(["Spp1", "P2ry12", "Rpl3", "Hexb", "Igf1", "Rest"])
    rise = implanted.rise_of(counts, genes, np.arange(250) < 50)
    assert rise.added.tolist() == pytest.approx(
        [0.09, 0, 0, 0, 0.02, 0]
    )  # half of Igf1's, on which the cells were chosen
    assert rise.left == pytest.approx([1, 0.25, 1, 1, 1, 560 / 790], rel=1e-3)


def test_levels_hold_the_share_that_was_asked_for(implanted) -> None:
    rng = np.random.default_rng(0)
    for name in ("gradient", "full", "half"):
        law = implanted.Law(levels=name)
        # animals differ by an SD of .5 on the log odds: the mean of 200 animals of 500 cells lies within .02 of the share
        shares = [
            (implanted.levels_of(500, 0.2, law, rng) >= implanted.HALF_OF_TYPICAL[name]).mean() for _ in range(200)
        ]
        assert np.mean(shares) == pytest.approx(0.205, abs=0.02)
        assert np.std(shares) > 0.05
        assert not implanted.levels_of(100, 0.0, law, rng).any()
    assert set(implanted.levels_of(500, 0.2, implanted.Law(levels="full"), rng)) == {0.0, 1.0}


def test_counts_change_in_the_chosen_cells_by_what_the_level_says(implanted) -> None:
    rng = np.random.default_rng(1)
    counts = np.tile([0, 100, 900], (4000, 1))
    level = np.repeat([0.0, 0.5], 2000)
    rise = implanted.Rise(np.array([0.02, 0.0, 0.0]), np.array([1.0, 0.4, 1.0]))
    found = implanted.changed(counts, level, rise, implanted.Law(), rng)
    assert (found[:2000] == counts[:2000]).all()
    assert (counts == np.tile([0, 100, 900], (4000, 1))).all()  # what was given stays
    # 1,000 counts x .5 x .02 = 10 more; half of the loss of 60 %; three standard errors of these draws are below .6
    assert found[2000:].mean(axis=0) == pytest.approx([10, 70, 900], abs=0.6)
    assert 0.15 < (found[2000:, 0] == 0).mean() < 0.25  # in a fifth the gene does not rise
    twice = implanted.changed(counts, level, rise, implanted.Law(effect=2.0), rng)
    assert twice[2000:, 0].mean() == pytest.approx(20, abs=1.2)


def test_a_library_moves_genes_and_keeps_the_share_of_counts_that_was_asked_for(implanted) -> None:
    rng = np.random.default_rng(2)
    counts = np.full((50, 400), 20)
    found = implanted.of_one_library(counts, implanted.Law(depth=0.35), rng)
    assert found.mean() == pytest.approx(0.35 * 20 * np.exp(0.15**2 / 2), rel=0.03)
    # genes differ by an SD of .15, which the noise of 50 cells of 7 counts (5 %) hardly widens
    assert np.log(found.mean(axis=0)).std() == pytest.approx(0.158, abs=0.02)


def test_a_course_deals_each_cell_out_once_and_says_what_was_done_to_it(
    implanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(implanted, "CELLS", 50)
    genes = ["Gpnmb", "P2ry12", "Rest"]
    counts = sp.csr_matrix(np.tile([0, 30, 970], (600, 1)).astype(np.float32))
    obs = pd.DataFrame({
        "library": np.repeat(["adult_lib01", "adult_lib02", "adult_lib03"], 200), "origin": np.arange(600), "n_counts": 1000.0,
    }, index=[str(i) for i in range(600)])  # fmt: skip
    adults = ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=genes))
    rise = implanted.Rise(np.array([0.05, 0.0, 0.0]), np.ones(3))
    cells, sheet = implanted.course_of(adults, rise, implanted.LAWS["gradient"], 1)
    assert cells.obs["origin"].is_unique
    assert len(sheet) == cells.obs["library"].nunique() == 12
    assert sheet.groupby(["condition", "day"]).size().to_dict() == {
        ("injured", 3.0): 3, ("injured", 14.0): 3, ("injured", 35.0): 3, ("naive", 0.0): 3,
    }  # fmt: skip
    gpnmb = np.asarray(cells.X[:, 0].todense()).ravel()
    level = cells.obs["level"].to_numpy()
    assert not gpnmb[level == 0].any()
    assert gpnmb[level > 0.4].mean() > 20
    assert (cells.obs["n_counts"].to_numpy() == np.asarray(cells.X.sum(axis=1)).ravel()).all()
    injured = (cells.obs["condition"] == "injured").to_numpy()
    homeostatic = np.asarray(cells.X[:, 1].todense()).ravel()
    assert homeostatic[injured].mean() / homeostatic[~injured].mean() == pytest.approx(
        0.75, abs=0.15
    )  # libraries move genes too


def test_f1_is_that_of_scikit_learn(implanted) -> None:
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(3)
    called, true = rng.random((2, 200)) < 0.3
    assert implanted.f1(called, true) == pytest.approx(f1_score(true, called))
    assert np.isnan(implanted.f1(called & False, true & False))


def test_the_page_has_a_place_for_the_table(implanted) -> None:
    page = (BENCHMARKS.parent / "docs/accuracy.md").read_text(encoding="utf-8")
    assert page.index(implanted.BEGIN) < page.index(implanted.END)
