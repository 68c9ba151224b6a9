"""The steps on an AnnData in memory and the pipeline on files give the same answer for the same counts."""

import anndata as ad
import pandas as pd
import pytest

import recovery_microglia as rm
from recovery_microglia.core.json_files import read_json
from recovery_microglia.core.tables import read_table
from recovery_microglia.readers.any_layout import read_counts
from workflow.conftest import Project

# anndata 0.13 asks pandas 3.1 for an option that is on its way out whenever it cuts a table with categories
pytestmark = pytest.mark.filterwarnings("ignore:The 'mode.chained_assignment' option is deprecated")
FACTS = ("library", "subject", "day", "condition", "sex", "age", "chemistry", "batch")


def in_memory(project: Project) -> ad.AnnData:
    """Return the libraries of the run as one AnnData: an analyst's column names, libraries interleaved, counts in a layer."""
    sheet = pd.read_csv(project.path / "config/datasets/small/samples.tsv", sep="\t")
    parts = []
    for row in sheet.to_dict("records"):
        part = read_counts(project.path / "resources/small/simulated" / row["file"])
        part.obs_names = f"{row['library']}_" + part.obs_names
        part.obs["place"] = range(part.n_obs)
        for fact in FACTS:
            part.obs[f"our {fact}"] = row[fact]
        parts.append(part)
    adata = ad.concat(parts)
    adata = adata[adata.obs["place"].argsort(kind="stable").to_numpy()].copy()
    adata.layers["counts"], adata.X = adata.X, adata.X * 0.5
    return adata


@pytest.fixture(scope="module")
def analysed(finished: Project) -> ad.AnnData:
    adata = in_memory(finished)
    ours = {fact: f"our {fact}" for fact in FACTS}
    rm.tl.lineage(
        adata,
        **{fact: ours.pop(fact) for fact in ("library", "subject", "day", "condition")},
        further=ours,
        layer="counts",
        injury_class="peripheral_nerve",
        injury_model="simulated peripheral nerve injury",
    )
    rm.tl.score(adata)
    rm.tl.timeline(adata)
    return adata


def test_each_cell_has_the_pipelines_lineage(analysed: ad.AnnData, finished: Project) -> None:
    files = finished.results("small", "libraries").glob("*/cells.parquet")
    theirs = pd.concat(map(pd.read_parquet, files))
    theirs.index = pd.Index(theirs["library"] + "_" + theirs["barcode"])
    theirs = theirs.loc[analysed.obs_names]
    for column in ("removed_by", "lineage"):
        assert list(analysed.obs[column].astype(str)) == list(theirs[column])
    assert set(theirs["removed_by"]) > {"", "doublet"}  # there was something to agree on


def test_each_microglia_has_the_pipelines_score_and_call(analysed: ad.AnnData, finished: Project) -> None:
    theirs = pd.read_parquet(finished.results("small", "intermediate", "recovery.parquet"))
    ours = rm.tl.table(analysed, "cells").assign(
        cell=lambda table: table["cell"].str.replace(r":\w+_", ":", regex=True)
    )
    pd.testing.assert_frame_equal(ours.set_index("cell").loc[theirs["cell"]].reset_index(), theirs, check_dtype=False)
    assert theirs["recovery_call"].sum() > 20
    named = theirs.set_index(theirs["cell"].str.replace(":", "_"))
    in_obs = analysed.obs.loc[named.index]
    assert list(in_obs["recovery_call"]) == ["yes" if call else "no" for call in named["recovery_call"]]
    assert list(in_obs["recovery_probability"]) == list(named["recovery_probability"])
    others = analysed.obs[analysed.obs["lineage"] != "microglia"]
    assert set(others["recovery_call"]) == {"not called"}


@pytest.mark.parametrize(
    "name", ["fractions", "timeline", "onset", "robustness", "calibration", "igf1_share", "strata"]
)
def test_each_table_is_the_pipelines(name: str, analysed: ad.AnnData, finished: Project) -> None:
    theirs = read_table(finished.results("small", "tables", f"{name}.tsv"))
    pd.testing.assert_frame_equal(rm.tl.table(analysed, name), theirs)


def test_the_answer_is_the_pipelines(analysed: ad.AnnData, finished: Project) -> None:
    summary = read_json(finished.results("small", "summary.json"))
    answer = rm.tl.answer(analysed)
    for key in ("status", "reason", "headline", "onset", "robustness", "design"):
        assert answer[key] == summary[key], key
    own = {notice["code"] for notice in answer["notices"]}
    assert own == {notice["code"] for notice in summary["notices"]} - {"to_check"}
