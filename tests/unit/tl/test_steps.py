"""What the steps refuse, and that an AnnData can be saved between them."""

from pathlib import Path

import anndata as ad
import numpy as np
import pytest

import recovery_microglia as rm
from recovery_microglia.core.errors import InputError

# anndata 0.13 asks pandas 3.1 for an option that is on its way out whenever it cuts a table with categories
pytestmark = pytest.mark.filterwarnings("ignore:The 'mode.chained_assignment' option is deprecated")
COLUMNS = {"subject": "animal", "condition": "group", "day": "dpi", "conditions": {"SNI": "injured"}}


@pytest.fixture(scope="module")
def tiny() -> ad.AnnData:
    """Four libraries of 120 cells after the first step."""
    adata = rm.tl.small_demo(cells=120, libraries=("N1", "N2", "D14_1", "D14_2"))
    rm.tl.lineage(adata, **COLUMNS)
    return adata


def test_steps_out_of_order_say_what_comes_first(tiny: ad.AnnData) -> None:
    with pytest.raises(InputError, match=r"^run rm\.tl\.lineage first$"):
        rm.tl.score(rm.tl.small_demo(cells=10, libraries=("N1",)))
    with pytest.raises(InputError, match=r"^run rm\.tl\.score first$"):
        rm.tl.timeline(tiny)
    with pytest.raises(InputError, match=r"^run rm\.tl\.timeline first$"):
        rm.tl.answer(tiny)


def test_a_column_of_the_users_own_is_not_written_over(tiny: ad.AnnData) -> None:
    adata = rm.tl.small_demo(cells=10, libraries=("N1",))
    adata.obs["lineage"] = "mine"
    with pytest.raises(InputError, match="there is a column lineage already, which would be lost"):
        rm.tl.lineage(adata, **COLUMNS)
    assert set(adata.obs["lineage"]) == {"mine"}
    again = tiny.copy()
    rm.tl.lineage(again, **COLUMNS)  # its own columns are written anew
    assert list(again.obs["lineage"]) == list(tiny.obs["lineage"])


def test_lineages_anew_take_the_scores_of_the_earlier_ones_away() -> None:
    adata = rm.tl.small_demo(cells=120, libraries=("N1", "N2", "D14_1", "D14_2"))
    rm.tl.lineage(adata, **COLUMNS)
    rm.tl.score(adata)
    scores = adata.obs["recovery_score"].copy()
    rm.tl.lineage(adata, **COLUMNS)
    assert "recovery_score" not in adata.obs
    rm.tl.score(adata)  # and it may write them again
    np.testing.assert_array_equal(adata.obs["recovery_score"], scores)


def test_normalised_values_are_refused_with_the_gene_and_cell() -> None:
    adata = rm.tl.small_demo(cells=30, libraries=("N1",))
    adata.X = adata.X.astype(float).log1p()
    with pytest.raises(
        InputError, match=r"adata\.X, library mouse01: gene \S+, barcode N1_\S+: .* raw counts are needed"
    ):
        rm.tl.lineage(adata, **COLUMNS)
    with pytest.raises(InputError, match="there is no layer 'raw'; there are: none"):
        rm.tl.lineage(adata, **COLUMNS, layer="raw")


def test_dense_counts_and_saving_between_the_steps_change_nothing(tiny: ad.AnnData, tmp_path: Path) -> None:
    dense = rm.tl.small_demo(cells=120, libraries=("N1", "N2", "D14_1", "D14_2"))
    dense.X = dense.X.toarray().astype(np.float32)
    rm.tl.lineage(dense, **COLUMNS)
    dense.write_h5ad(tmp_path / "between.h5ad")
    read = ad.read_h5ad(tmp_path / "between.h5ad")
    for adata in (tiny, read):
        rm.tl.score(adata)
    assert list(read.obs["recovery_call"]) == list(tiny.obs["recovery_call"])
    np.testing.assert_array_equal(read.obs["recovery_score"], tiny.obs["recovery_score"])


def test_cells_that_are_gone_between_the_steps_are_not_passed_over(tiny: ad.AnnData) -> None:
    kept = (tiny.obs["lineage"] == "microglia") & (tiny.obs["animal"] == "mouse01")
    fewer = tiny[~tiny.obs_names.isin(tiny.obs_names[kept][:1])].copy()
    with pytest.raises(InputError, match=r"library mouse01: cells are gone since rm\.tl\.lineage"):
        rm.tl.score(fewer)


def test_a_table_that_is_not_there_is_named_with_those_that_are(tiny: ad.AnnData) -> None:
    with pytest.raises(InputError, match=r"there is no table 'onsets' yet; there are: .*samples"):
        rm.tl.table(tiny, "onsets")


def test_misspelt_words_are_refused_as_in_the_description_of_a_data_set(tiny: ad.AnnData) -> None:
    with pytest.raises(InputError) as caught:
        rm.tl.lineage(
            tiny.copy(), **COLUMNS, injury_class="peripheral nerve", assay="nucleus", enrichment="CD11b", droplets="raw"
        )
    assert str(caught.value).splitlines() == [
        "injury_class: 'peripheral nerve' is not one of peripheral_nerve, spinal_cord, inflammation, none, other; did you mean 'peripheral_nerve'?",
        "assay: 'nucleus' is not one of cells, nuclei; did you mean 'nuclei'?",
        "enrichment: 'CD11b' is not one of none, microglia, cd11b, cd45, myeloid, other; did you mean 'cd11b'?",
        "droplets: 'raw' is not one of auto, filtered, unfiltered",
    ]


def test_what_is_no_anndata_and_what_has_no_counts_is_refused(tiny: ad.AnnData) -> None:
    for step in (rm.tl.score, rm.tl.timeline, rm.tl.answer, lambda wrong: rm.tl.lineage(wrong, **COLUMNS)):
        with pytest.raises(InputError, match=r"^adata: an AnnData is needed, not str; read a file with"):
            step("our_study.h5ad")
    empty = ad.AnnData(obs=tiny.obs[["animal", "group", "dpi"]], var=tiny.var)
    with pytest.raises(InputError, match=r"^adata\.X: there are no counts$"):
        rm.tl.lineage(empty, **COLUMNS)
    empty.layers["counts"] = tiny.X
    with pytest.raises(InputError, match=r"^adata\.X: there are no counts; say layer=… \(counts\)$"):
        rm.tl.lineage(empty, **COLUMNS)
