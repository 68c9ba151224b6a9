"""What pages show of single genes: against counts that were counted by hand."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recovery_microglia.core.genes import GeneSet, Signatures
from recovery_microglia.summary import markers

NONE = GeneSet("none", ())
SIGNATURES = Signatures(
    recovery=GeneSet("recovery", ("Itgax", "Igf1", "Absent")),
    context=GeneSet("context", ("Apoe",)),
    related=NONE,
    states={},
    lineages={
        "microglia": GeneSet("microglia", ("P2ry12", "Hexb")),
        "border_macrophage": GeneSet("border_macrophage", ("Mrc1", "Hexb")),
        "neuron": GeneSet("neuron", ("Rbfox3",)),
    },
    technical={},
)
GENES = ["Itgax", "Igf1", "Apoe", "P2ry12", "Hexb", "Mrc1", "Rbfox3"]


@pytest.fixture
def adata() -> ad.AnnData:
    """Six microglia (two called), six border macrophages, one cell that could not be placed."""
    counts = np.zeros((13, len(GENES)), dtype=np.float32)
    counts[:6, 3] = 2  # P2ry12 in microglia
    counts[:6, 4] = 1  # Hexb too
    counts[6:12, 5] = 4  # Mrc1 in macrophages
    counts[[0, 1], 0] = [1, 3]  # Itgax in the called ones
    counts[[0, 2, 6], 1] = [2, 1, 5]  # Igf1 in one called, one not called, one macrophage
    obs = pd.DataFrame({
        "n_counts": 100.0,
        "lineage": ["microglia"] * 6 + ["border_macrophage"] * 6 + ["ambiguous_myeloid"],
        "condition": ["injured"] * 4 + ["naive"] * 2 + ["injured"] * 7,
        "subject": ["a"] * 4 + ["b"] * 2 + ["a"] * 7,
        "day": [7.0] * 4 + [0.0] * 2 + [7.0] * 7,
        "state": ["recovery", "recovery", "recovery", "homeostatic", "homeostatic", "none"] + [""] * 7,
        "recovery_call": ["yes", "yes", "no", "no", "no", "no"] + ["not called"] * 7,
    }, index=[f"l:{i}" for i in range(13)])  # fmt: skip
    return ad.AnnData(sp.csr_matrix(counts), obs=obs, var=pd.DataFrame(index=GENES))


def test_counts_of_the_shown_genes_are_those_of_the_matrix(adata: ad.AnnData) -> None:
    table = markers.shown_genes(adata, SIGNATURES)
    assert list(table.columns) == [
        "cell",
        "n_counts",
        "markers_microglia",
        "markers_other_myeloid",
        "Itgax",
        "Igf1",
        "Apoe",
    ]
    assert table["Itgax"].tolist() == [1, 3] + [0] * 11
    assert table["markers_microglia"].tolist() == [3] * 6 + [0] * 7
    # Hexb is a marker of both, so it speaks for neither of the others; a neuron's markers are no myeloid ones
    assert table["markers_other_myeloid"].tolist() == [0] * 6 + [4] * 6 + [0]


def test_markers_are_counted_in_every_lineage_and_recovery_cells_stand_apart(
    adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(markers, "FEW_CELLS", 2)
    table = markers.lineage_markers(adata, SIGNATURES).set_index(["marker_of", "gene", "lineage"])
    assert set(table.index.get_level_values("lineage")) == {"recovery_microglia", "microglia", "border_macrophage"}
    found = table.loc[("subgroup", "Igf1", "recovery_microglia")]
    assert (found["cells"], found["share_detected"], found["mean_counts_per_10k"]) == (2, 0.5, 100.0)  # 2 of 200 counts
    found = table.loc[("subgroup", "Igf1", "border_macrophage")]
    assert (found["cells"], found["share_detected"]) == (6, pytest.approx(1 / 6))
    assert table.loc[("microglia", "P2ry12", "border_macrophage"), "share_detected"] == 0


def test_igf1_of_microglia_adds_up_over_states_and_a_call_is_stricter_than_a_state(adata: ad.AnnData) -> None:
    table = markers.igf1_by_state(adata.obs, adata.X[:, 1].toarray().ravel()).set_index(["subject", "state"])
    assert table.loc[("a", "recovery"), ["cells", "igf1_counts", "share"]].tolist() == [2, 2, pytest.approx(2 / 3)]
    assert table.loc[("a", "near_recovery"), ["cells", "igf1_counts", "share"]].tolist() == [1, 1, pytest.approx(1 / 3)]
    assert np.isnan(table.loc[("b", "homeostatic"), "share"])  # an animal without a count has no shares
    assert table["microglia_igf1_counts"].xs("a").tolist() == [3, 3, 3]  # the macrophage's five are not microglia's


def test_nothing_is_said_of_states_where_nothing_was_called(adata: ad.AnnData) -> None:
    adata.obs["recovery_call"] = "not called"
    counts = pd.DataFrame({"Igf1": adata.X[:, 1].toarray().ravel()})
    assert markers.igf1_by_state(adata.obs, counts["Igf1"]).empty


def test_the_gate_counts_kept_cells_only() -> None:
    cells = pd.DataFrame({
        "removed_by": ["", "", "", "doublet"],
        "lineage": ["microglia", "microglia", "ambiguous_myeloid", "microglia"],
        "lineage_runner_up": ["monocyte", "monocyte", "border_macrophage", "monocyte"],
        "lineage_confidence": [1.0, 0.9, 0.55, 0.2],
    })  # fmt: skip
    table = markers.gate_table(cells).set_index("lineage")
    assert table.loc["microglia", ["cells", "confidence_median", "share_of_lineage"]].tolist() == [
        2,
        pytest.approx(0.95),
        1.0,
    ]
    assert table.loc["ambiguous_myeloid", "runner_up"] == "border_macrophage"
    assert table["cells"].sum() == 3
