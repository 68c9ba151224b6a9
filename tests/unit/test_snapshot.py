"""The snapshot of results names what differs, and is blind to how a file is packed."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import snapshot


def written(folder: Path, counts: list[list[int]], compression: str) -> Path:
    path = folder / f"{compression}.h5ad"
    obs = pd.DataFrame({"library": pd.Categorical(["A", "B"])}, index=["a", "b"])
    ad.AnnData(sp.csr_matrix(np.array(counts, dtype=np.int32)), obs=obs).write_h5ad(path, compression=compression)
    return path


def test_an_h5ad_counts_by_what_it_holds(tmp_path: Path) -> None:
    first, packed_otherwise = (written(tmp_path, [[1, 0], [0, 2]], how) for how in ("gzip", "lzf"))
    assert first.read_bytes() != packed_otherwise.read_bytes()
    assert snapshot.digest_of(first) == snapshot.digest_of(packed_otherwise)
    assert snapshot.digest_of(first) != snapshot.digest_of(written(tmp_path, [[1, 0], [0, 3]], "gzip"))


@pytest.mark.parametrize("other", [{"x": [1.0, 2.5]}, {"y": [1.0, 2.0]}, {"x": [1, 2]}])
def test_a_parquet_counts_by_names_types_and_values(tmp_path: Path, other: dict[str, list[float]]) -> None:
    pd.DataFrame({"x": [1.0, 2.0]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame(other).to_parquet(tmp_path / "b.parquet")
    assert snapshot.digest_of(tmp_path / "a.parquet") != snapshot.digest_of(tmp_path / "b.parquet")


def test_times_and_pages_are_left_out(tmp_path: Path) -> None:
    for name in ("tables/onset.tsv", "costs.tsv", "costs/x.json", "logs/x.json", "report.html", "summary.json"):
        path = tmp_path / "results" / "d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    assert [name for name, _ in snapshot.results("d", tmp_path)] == ["d/summary.json", "d/tables/onset.tsv"]


def test_what_differs_is_named() -> None:
    lines = snapshot.differences({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "9", "d": "4"})
    assert lines == ["b: differs", "c: is no longer made", "d: is new"]
