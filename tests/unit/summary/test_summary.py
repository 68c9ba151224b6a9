"""What leaves the pipeline."""

import hashlib
import json
import os
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recovery_microglia.core import json_files
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.files import SOURCES, as_read, fingerprint
from recovery_microglia.core.json_files import write_json
from recovery_microglia.deposit.manifest import write_fetched
from recovery_microglia.summary import answer, h5ad, notices, provenance


def test_json_never_holds_nan(tmp_path: Path) -> None:
    value = {"a": np.float64("nan"), "b": [np.int64(3), float("inf")], "c": {"d": np.bool_(True), "e": pd.NA}}
    json_files.write_json(value, tmp_path / "x" / "v.json")
    text = (tmp_path / "x" / "v.json").read_text()
    assert "NaN" not in text
    assert json.loads(text) == {"a": None, "b": [3, None], "c": {"d": True, "e": None}}


def test_notices_are_merged_and_the_worst_stands_first() -> None:
    few = {"code": "few", "severity": "warning", "text": "few cells"}
    reports = {
        "library": [{"library": "A", "notices": [few]}, {"library": "B", "notices": [few]}],
        "timeline": [{"notices": [{"code": "batch", "severity": "alarm", "text": "day is batch"}]}],
    }
    table = notices.collect_notices(reports)
    assert table["code"].tolist() == ["batch", "few"]
    assert table["library"].tolist() == ["", "A, B"]
    assert table["step"].tolist() == ["timeline", "library"]


def test_h5ad_holds_whole_numbers_and_words_for_calls(tmp_path: Path) -> None:
    obs = pd.DataFrame({"lineage": ["microglia", "neutrophil"]}, index=["a:1", "a:2"])
    clustered = ad.AnnData(sp.csr_matrix(np.array([[1, 0], [0, 7]], dtype=np.int32)), obs=obs)
    points = pd.DataFrame(
        {
            "cell": ["a:2", "a:1"],
            "umap1": [1.0, 2.0],
            "umap2": 0.0,
            "integrated1": np.nan,
            "integrated2": np.nan,
        }
    )
    recovery = pd.DataFrame(
        {"cell": ["a:1"], "recovery_call": pd.array([True], dtype="boolean"), "recovery_score": 0.5}
    )
    adata = h5ad.finished_h5ad(clustered, points, recovery)
    adata.write_h5ad(tmp_path / "m.h5ad")
    back = ad.read_h5ad(tmp_path / "m.h5ad")
    assert back.X.toarray().tolist() == [[1, 0], [0, 7]]
    assert back.obsm["X_umap"].tolist() == [[2, 0], [1, 0]]
    assert "X_umap_integrated" not in back.obsm
    assert back.obs["recovery_call"].tolist() == ["yes", "not called"]
    assert np.isnan(back.obs["recovery_score"].iloc[1])


KNOWN_BEFORE = {
    *(
        "array",
        "string-array",
        "categorical",
        "csr_matrix",
        "csc_matrix",
        "dataframe",
        "dict",
        "anndata",
        "raw",
        "string",
    ),
    *("numeric-scalar", "rec-array", "nullable-integer", "nullable-boolean"),
}
"""Encodings of anndata 0.8 to 0.10, of CELLxGENE and of R's readers (anndata's own list of that time)."""


def test_the_h5ad_is_written_as_older_readers_know_it(tmp_path: Path) -> None:
    names = pd.Index(["A:c1", "A:c2"], dtype="str")
    genes = pd.Index(["Igf1", "Itgax", "Hexb"], dtype="str")
    clustered = ad.AnnData(
        sp.csr_matrix(np.eye(2, 3, dtype=np.int32)),
        obs=pd.DataFrame({"library": pd.Categorical(["A", "A"])}, index=names),
        var=pd.DataFrame({"highly_variable": [True, False, True]}, index=genes),
        varm={"soup": pd.DataFrame({"A": [0.5, 0.3, 0.2]}, index=genes)},
    )
    points = pd.DataFrame({"cell": names, "umap1": 0.0, "umap2": 1.0, "integrated1": np.nan, "integrated2": np.nan})
    recovery = pd.DataFrame({"cell": names[:1], "recovery_score": [1.0], "state": ["homeostatic"]})
    h5ad.finished_h5ad(clustered, points, recovery).write_h5ad(tmp_path / "myeloid.h5ad", compression="gzip")
    unknown: dict[str, str] = {}
    with h5py.File(tmp_path / "myeloid.h5ad") as file:
        kinds = {"": file.attrs["encoding-type"]}
        file.visititems(lambda name, node: kinds.update({name: node.attrs.get("encoding-type", "array")}))
        unknown = {name: kind for name, kind in kinds.items() if kind not in KNOWN_BEFORE}
        assert [name.decode() for name in file["obs/_index"][:]] == list(names)
    assert unknown == {}


def test_headline_gives_no_onset_where_none_may_be_given() -> None:
    row = {"route": "score", "sentence": "Recovery microglia rise above control between day 3 and day 7."}
    assert answer.headline("tested", "", [row]) == row["sentence"]
    other = row | {"arm": "ko", "sentence": "No day has more."}
    both = answer.headline("tested", "", [row | {"arm": "wt"}, other, other | {"route": "cluster"}])
    assert both == f"wt: {row['sentence']}\nko: No day has more."
    text = answer.headline("not_testable", "0 of 14 signature genes were measured", [row])
    assert "day" not in text
    assert "0 of 14" in text


def test_days_count_subjects_not_libraries() -> None:
    sheet = pd.DataFrame(
        {
            "library": ["A", "B", "C"],
            "subject": ["m1", "m1", "m2"],
            "day": [0.0, 0.0, np.nan],
            "condition": ["naive", "naive", "injured"],
            "arm": "",
            "include": True,
        }
    )
    cells = pd.DataFrame(
        {
            "library": ["A", "A", "B", "C"],
            "removed_by": ["", "doublet", "", ""],
            "lineage": ["microglia", "microglia", "neuron", "microglia"],
        }
    )
    first, second = answer.days(sheet, cells)
    assert (first["subjects"], first["cells"], first["microglia"]) == (1, 2, 1)
    assert second["condition"] == "injured"
    apart = answer.days(sheet.assign(arm=["vehicle", "treated", ""]), cells)
    assert [(row["arm"], row["cells"]) for row in apart] == [("treated", 1), ("vehicle", 1), ("", 1)]


def test_the_checksums_of_fetched_files_are_those_of_what_came(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("x")
    table = tmp_path / "resources/set/fetched/a.tar.tsv"
    write_fetched([("a.tar", 3, "a" * 64), ("in/a.txt.gz", 1, "b" * 64)], table)
    rows = provenance.provenance_table([tmp_path / "own.csv", table], {}).query("kind == 'sha256'")
    assert rows["name"].tolist() == [(tmp_path / "own.csv").as_posix(), "a.tar", "in/a.txt.gz"]
    assert rows["value"].tolist()[1:] == ["a" * 64, "b" * 64]


def test_a_file_that_is_replaced_by_an_older_one_keeps_its_own_checksum_and_is_told(tmp_path: Path) -> None:
    source, product = tmp_path / "I1.csv", tmp_path / "library.json"
    source.write_text("what was read")
    os.utime(source, (1e9, 1e9))
    with as_read([source]) as sources:
        source.read_text()
    write_json({"library": "I1", "sources": sources}, product)
    recorded = provenance.as_recorded([(source, product)])
    provenance.check_unchanged([(source, product)], recorded)
    (tmp_path / "other").write_text("another file")
    os.utime(tmp_path / "other", (0.9e9, 0.9e9))  # as mv and cp -p leave it: its time says nothing
    (tmp_path / "other").replace(source)
    rows = provenance.provenance_table([source], {}, recorded).query("kind == 'sha256'")
    assert rows["value"].tolist() == [hashlib.sha256(b"what was read").hexdigest()]
    with pytest.raises(InputError, match=r"I1\.csv: was changed after it was read; run the same command again"):
        provenance.check_unchanged([(source, product)], recorded)


def test_a_file_that_comes_back_with_the_bytes_that_were_read_is_the_same_file(tmp_path: Path) -> None:
    # Snakemake compares small files by their bytes and does not read it again, so that refusing it would refuse it for ever
    source, product = tmp_path / "I1.csv", tmp_path / "library.json"
    source.write_text("what was read")
    with as_read([source]) as sources:
        source.read_text()
    write_json({"library": "I1", "sources": sources}, product)
    recorded = provenance.as_recorded([(source, product)])
    os.utime(product, (1e9, 1e9))
    provenance.check_unchanged([(source, product)], recorded)
    source.write_text("what is there")
    with pytest.raises(InputError, match=r"I1\.csv: was changed after it was read"):
        provenance.check_unchanged([(source, product)], recorded)


def test_a_file_that_is_replaced_while_it_is_read_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "I1.csv"
    source.write_text("what is read")
    (tmp_path / "other").write_text("another")
    with pytest.raises(InputError, match="changed while it was being read"), as_read([source]):
        (tmp_path / "other").replace(source)


def test_the_checksums_of_a_shared_file_are_those_of_the_pass_over_it(tmp_path: Path) -> None:
    source, batch = tmp_path / "all.h5ad", tmp_path / "split/0123456789ab"
    batch.mkdir(parents=True)
    write_json({source.as_posix(): ["a" * 64, "b" * 16]}, batch / SOURCES)
    assert provenance.as_recorded([(source, batch)]) == {source.as_posix(): ["a" * 64, "b" * 16]}


def test_a_gene_set_that_is_changed_while_the_run_goes_on_is_told(tmp_path: Path) -> None:
    table = tmp_path / "recovery.tsv"
    table.write_text("gene\nIgf1\n")
    at_start = fingerprint([table])
    provenance.check_gene_sets([table], at_start)
    table.write_text("gene\nItgax\n")
    with pytest.raises(InputError, match="a gene set was changed while the run went on"):
        provenance.check_gene_sets([table], at_start)


def test_what_nobody_has_checked_reaches_the_warnings() -> None:
    notice = {"code": "to_check", "severity": "warning", "text": "To be checked: the day."}
    table = notices.collect_notices({"dataset": [{"notices": [notice]}], "library": [{"library": "A", "notices": []}]})
    assert table[["code", "severity", "step", "library"]].to_numpy().tolist() == [
        ["to_check", "warning", "dataset", ""]
    ]
