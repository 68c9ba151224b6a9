"""What the benchmark on real cells measures, on made-up cells whose answer is plain."""

from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from benchmark_modules import BENCHMARKS, benchmark


@pytest.fixture(scope="module")
def real_cells() -> ModuleType:
    return benchmark("real_cells")


def test_auroc_compares_cells_of_the_same_depth_only(real_cells) -> None:
    from sklearn.metrics import roc_auc_score

    # twenty deep cells score higher than twenty shallow ones and hold more of the positive ones: depth alone tells them apart
    depth = np.repeat([100.0, 1000.0], 20)
    positive = np.tile([True, False], 20)
    positive[:16] = False
    score = depth + np.tile([0.0, 0.0], 20)
    assert roc_auc_score(positive, score) > 0.7
    assert real_cells.auroc_at_depth(score, positive, depth) == 0.5
    assert real_cells.auroc_at_depth(score + positive, positive, depth) == 1.0
    assert real_cells.auroc_at_depth(score - positive, positive, depth) == 0.0
    # nearer than a tenth is the same depth: 95 and 100, not 85 and 100
    assert (
        real_cells.auroc_at_depth(score + positive, positive, np.where(positive & (depth == 100), 95.0, depth)) == 1.0
    )
    apart = np.repeat([85.0, 100.0], 10)
    assert np.isnan(real_cells.auroc_at_depth(apart, np.arange(20) < 10, apart))


def test_auroc_is_a_mean_over_positive_cells_and_leaves_out_cells_without_a_score(real_cells) -> None:
    depth = np.repeat([1.0, 2.0], 8)
    positive = np.array([1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0], dtype=bool)
    score = np.array([1, 0, 0, 0, 0, 0, np.nan, np.nan, 0, 0, 1, 1, 1, 1, 1, 0], dtype=float)
    # the shallow one is above all five that have a score, each deep one level with one of six
    assert real_cells.auroc_at_depth(score, positive, depth) == pytest.approx((1 + 2 * 0.5 / 6) / 3)
    assert np.isnan(real_cells.auroc_at_depth(score, np.zeros(16, bool), depth))
    # libraries apart: one is higher as a whole, which says nothing of its cells
    library = np.repeat(["a", "b"], 40)
    depth, positive = np.full(80, 100.0), np.r_[np.arange(40) < 30, np.arange(40) < 10]
    score = np.repeat([1.0, 0.0], 40)
    assert real_cells.auroc_at_depth(score, positive, depth) == pytest.approx((30 * (5 + 30) / 40 + 10 * 15 / 40) / 40)
    assert real_cells.auroc_within(score, positive, depth, library) == 0.5
    score[:30] += 1
    assert real_cells.auroc_within(score, positive, depth, library) == pytest.approx((30 * 1 + 10 * 0.5) / 40)


def test_the_gate_counts_cells_that_pass_and_macrophages_without_leukocyte_genes(real_cells) -> None:
    genes = pd.Index(["Hexb", "Ptprc", "Fn1"])
    counts = sp.csr_matrix(np.array([[3, 1, 0], [2, 0, 0], [1, 0, 0], [0, 0, 9], [0, 2, 9], [5, 0, 0]]))
    lineage = ["microglia", "microglia", "neuron", "infiltrating_macrophage", "infiltrating_macrophage", "microglia"]
    cells = pd.DataFrame({"removed_by": [""] * 5 + ["doublet"], "lineage": lineage})
    found = real_cells.gate_measures(cells, counts, genes)
    assert list(found.values()) == [5, 2, 3, pytest.approx(2 / 3), 2, 1]


def test_the_largest_share_is_of_the_evidence_for_recovery(real_cells) -> None:
    terms = np.array([[3.0, 0.0], [-9.0, 1.0], [0.0, 0.0]])  # genes × cells; what speaks against it is left out
    assert real_cells.largest_share(terms) == (0, 0.75)
    gene, share = real_cells.largest_share(terms[:, :0])
    assert gene == -1
    assert np.isnan(share)


def test_a_library_that_cannot_be_called_has_no_share(real_cells) -> None:
    own = pd.DataFrame({
        "recovery_call": pd.array([True, True, False, False], dtype="boolean"),
        "recovery_call_without": pd.array([False, True, False, False], dtype="boolean"),
        "recovery_score": [20.0, 20.0, -20.0, -20.0],
        "hangs_on": ["", "Spp1", "", "Cd9"],
        "on_one_gene": [True, False, False, True],
    })  # fmt: skip
    seen = np.array([[1, 1], [1, 0], [0, 0], [1, 0]], dtype=bool)
    both = np.array([True, False, True, False])
    terms = np.array([[3.0, 1.0, 8.0, 8.0], [1.0, 0.0, 0.0, 0.0]])
    found = real_cells.call_measures(own, seen, both, terms, np.array(["Spp1", "Igf1"]))
    assert found["called"] == 0.5
    assert found["without a cutoff"] == pytest.approx(0.5, abs=0.002)  # the grid of shares is that fine
    assert (found["Itgax+ Igf1+"], found["of them called"]) == (2, 0.5)
    assert found["of them called without these two"] == 0
    assert found["called cells"] == 2
    assert (found["called, one signature gene"], found["called on one gene"]) == (1, 1)
    assert found["called, lost without one gene"] == 1
    assert (found["largest gene"], found["its share of the evidence"]) == ("Spp1", 0.8)
    unknown = own.assign(recovery_call=pd.array([pd.NA] * 4, dtype="boolean"))
    found = real_cells.call_measures(unknown, seen, both, terms, np.array(["Spp1", "Igf1"]))
    assert np.isnan(found["called"])
    assert np.isnan(found["of them called"])


def test_the_evidence_of_a_cell_is_that_of_the_weights_of_its_fold_at_its_likeliest_level(real_cells) -> None:
    from recovery_microglia.recovery.gene_weights import Refined
    from recovery_microglia.recovery.likelihood import (
        INTERMEDIATE,
        TURNED,
        TYPICAL_WEIGHTS,
        Resting,
        Weights,
        gene_terms,
        robust,
    )

    share = np.array([1e-3, 1e-3, 0.998])
    resting = Resting(share[None], np.zeros(4, dtype=np.int64))
    none = np.ones((0, 1))
    weights = tuple(Weights(np.array([column]), np.array([8.0]), none, ()) for column in (0, 1))
    refined = Refined(weights, np.array([0, 0, 1, 1]), pd.DataFrame(), "")
    counts = sp.csr_matrix(np.array([[2, 0, 998], [2, 0, 998], [9, 3, 988], [0, 1, 999]]))
    evidence = real_cells.Evidence(pd.Index(["A", "B", "C"]), refined, resting)
    terms, names = real_cells.gene_evidence(counts, evidence, np.array([True, False, True, True]))
    assert list(names) == ["A", "B"]
    # one gene alone: its evidence at the level that the level's own weight and the gene together make likeliest
    for cell, gene in ((0, 0), (2, 1), (3, 1)):
        x = np.array([[float(counts[cell, gene])]])
        plain = [gene_terms(x, np.array([1000.0]), share[:1], np.array([1 + 7 * s]))[0, 0] for s in TURNED]
        plain += [gene_terms(x, np.array([1000.0]), share[:1], np.array([1 + 7 * s]))[0, 0] for s in INTERMEDIATE]
        by_level = robust(np.array(plain)[:, None, None], (*TURNED, *INTERMEDIATE))[: len(TURNED), 0, 0]
        best = (by_level + np.log(TYPICAL_WEIGHTS)).argmax()
        assert terms[gene, cell] == pytest.approx(by_level[best], rel=1e-5)  # single precision inside
    assert terms[1, 0] == terms[0, 2] == 0  # genes of the other fold
    assert not terms[:, 1].any()  # a cell that was not asked for


def test_tables_go_between_two_marks_and_leave_the_page_alone(real_cells, tmp_path, monkeypatch) -> None:
    pages = benchmark("pages")
    monkeypatch.setattr(pages, "DOCS", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("above\n<a>\nold\n<b>\nbelow\n")
    for text in ("first", "second"):
        pages.write_between("page.md", "<a>", "<b>", text)
    assert page.read_text() == "above\n<a>\n\nsecond\n\n<b>\nbelow\n"
    with pytest.raises(ValueError, match="lacks the marks"):
        pages.write_between("page.md", "<b>", "<a>", "text")
    assert real_cells.BEGIN in (BENCHMARKS.parent / "docs/accuracy.md").read_text(encoding="utf-8")
