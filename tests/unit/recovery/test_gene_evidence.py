"""What each gene adds to a score: beside scores that were made without the gene's column."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recovery_microglia.core.genes import GeneSet, Signatures
from recovery_microglia.recovery import evidence as module
from recovery_microglia.recovery.gene_weights import Refined, score
from recovery_microglia.recovery.likelihood import PRIOR_LEVELS, Resting, Weights
from recovery_microglia.recovery.summary import carried_by_one

GENES = pd.Index(["Itgax", "Igf1", "Apoe", "Novel", "Other"])
SHARE = np.array([2e-4, 2e-4, 1e-3, 1e-3, 0.9976])
NO_RIVALS = np.ones((0, 3))
SIGNATURES = Signatures(
    recovery=GeneSet("recovery", ("Itgax", "Igf1")),
    context=GeneSet("context", ("Apoe",)),
    related=GeneSet("related", ()),
    states={},
    lineages={},
    technical={},
)


@pytest.fixture
def counts() -> sp.csr_matrix:
    """Six cells of 2,000 counts."""
    genes = np.array([[4, 3, 9, 0], [2, 4, 0, 6], [30, 2, 8, 9], [0, 0, 2, 2], [0, 0, 1, 3], [0, 1, 2, 2]])
    return sp.csr_matrix(np.column_stack([genes, 2000 - genes.sum(axis=1)]))


@pytest.fixture
def refined() -> Refined:
    """Two sets of weights: the first adds Apoe, the second another gene."""
    weights = (
        Weights(np.array([0, 1, 2]), np.array([10.0, 8.0, 3.0]), NO_RIVALS, ()),
        Weights(np.array([0, 1, 3]), np.array([12.0, 8.0, 2.0]), NO_RIVALS, ()),
    )
    return Refined(weights, np.array([0, 1, 0, 1, 0, 1]), pd.DataFrame(), "")


RESTING = Resting(SHARE[None], np.zeros(6, dtype=np.int64))


def without(refined: Refined, gene: int) -> Refined:
    """Return the weights with a gene that recovery does not move."""
    return replace(
        refined,
        weights=tuple(
            replace(own, recovery=np.where(own.columns == gene, 1.0, own.recovery)) for own in refined.weights
        ),
    )


def test_a_gene_adds_what_the_score_loses_without_it(counts: sp.csr_matrix, refined: Refined) -> None:
    chosen = np.array([True, True, True, False, False, True])
    found, rest = module.evidence_by_gene(counts, refined, RESTING, chosen, PRIOR_LEVELS)
    assert found.cells.tolist() == [0, 1, 2, 5]
    assert found.columns.tolist() == [0, 1, 2, 3]
    whole = score(counts, refined, RESTING)
    for gene, nats in zip(found.columns, found.nats, strict=True):
        expected = (whole - score(counts, without(refined, int(gene)), RESTING))[chosen]
        assert nats == pytest.approx(expected, abs=1e-5)  # single precision inside
    assert not found.nats[2, [1, 3]].any()  # the second set of weights does without Apoe
    assert not found.nats[3, [0, 2]].any()
    assert found.strongest().tolist()[2] == 0  # thirty counts of Itgax
    assert found.nats[0, 2] < 4.3  # and yet hardly more than four nats: the levels shift a little
    assert np.isnan(rest[[3, 4]]).all()
    of_its_set = np.array([[0, 1, 2], [0, 1, 3]])[
        refined.fold[found.cells]
    ]  # rows of the genes that the cell's weights know
    most = np.take_along_axis(found.nats, of_its_set.T, axis=0).max(axis=0)
    assert rest[chosen] == pytest.approx(whole[chosen] - most, abs=1e-6)


def test_the_genes_of_the_calls_are_those_that_add_to_called_cells(
    counts: sp.csr_matrix, refined: Refined, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEWEST_CALLED", 3)
    chosen = np.array([True, True, True, False, False, True])
    found, _ = module.evidence_by_gene(counts, refined, RESTING, chosen, PRIOR_LEVELS)
    cells = pd.DataFrame({
        "condition": ["injured"] * 4 + ["naive"] * 2,
        "recovery_call": pd.array([True, True, True, False, False, False], dtype="boolean"),
    })  # fmt: skip
    table = module.genes_of_the_calls(found, counts, GENES, cells, refined, SIGNATURES)
    assert list(table.columns) == list(module.CALL_COLUMNS)
    assert table["share_of_evidence"].sum() == pytest.approx(1)
    assert table["share_of_evidence"].is_monotonic_decreasing
    table = table.set_index("gene")
    assert table["role"].to_dict() == {"Itgax": "signature", "Igf1": "signature", "Apoe": "related", "Novel": "further"}
    assert table["fold"].to_dict() == {
        "Itgax": 11,
        "Igf1": 8,
        "Apoe": 2,
        "Novel": 1.5,
    }  # 1 in the set that does without
    assert table.loc["Itgax", ["counts_called", "called_cells"]].tolist() == [36, 3]
    assert table.loc["Apoe", ["detected_called", "detected_not_called", "detected_control"]].tolist() == [
        pytest.approx(2 / 3),
        1.0,
        1.0,
    ]
    nats = found.nats[:, :3]  # the three called cells
    assert table.loc["Igf1", "nats_per_cell"] == pytest.approx(nats[1].mean())
    # the gene with 36 of 45 counts of the signature has no such share of the evidence: no gene adds more than three nats to a cell
    positive = np.maximum(nats, 0).sum(axis=1)
    assert table.loc["Itgax", "share_of_evidence"] == pytest.approx(positive[0] / positive.sum())
    assert table.loc["Itgax", "share_of_evidence"] < 0.5
    monkeypatch.setattr(module, "FEWEST_CALLED", 4)  # too few cells for shares; the order and the rest stay
    few = module.genes_of_the_calls(found, counts, GENES, cells, refined, SIGNATURES).set_index("gene")
    assert few["share_of_evidence"].isna().all()
    pd.testing.assert_frame_equal(few.drop(columns="share_of_evidence"), table.drop(columns="share_of_evidence"))


def test_where_nothing_was_called_no_gene_is_named(counts: sp.csr_matrix, refined: Refined) -> None:
    cells = pd.DataFrame({"condition": ["injured"] * 6, "recovery_call": pd.array([pd.NA] * 6, dtype="boolean")})
    found, _ = module.evidence_by_gene(counts, refined, RESTING, np.ones(6, bool), PRIOR_LEVELS)
    assert module.genes_of_the_calls(found, counts, GENES, cells, refined, SIGNATURES).empty
    called = cells.assign(recovery_call=True)
    assert module.genes_of_the_calls(module.nothing(), counts, GENES, called, refined, SIGNATURES).empty


def test_a_gene_that_gives_most_of_the_evidence_is_named_in_a_warning() -> None:
    table = pd.DataFrame({"gene": ["Spp1", "Cd9"], "share_of_evidence": [0.41, 0.59]}).iloc[[1, 0]]
    (notice,) = carried_by_one(table)
    assert (notice.code, notice.severity) == ("one_gene_carries", "warning")
    assert "Cd9 alone gives 59%" in notice.text
    assert carried_by_one(table.assign(share_of_evidence=[0.4, 0.2])) == []  # as much is usual
    assert carried_by_one(table.assign(share_of_evidence=np.nan)) == []  # few cells are called
    assert carried_by_one(table.head(0)) == []
