"""Layouts that users have, each with the same counts, and files whose content is not what their name says."""

import bz2
import gzip
import lzma
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from bad_input.lab import CELLS, COUNTS, DENSE, GENES, MTX, ten_x_files
from made_up.tool_trees import IDS, put
from recovery_microglia.core.errors import InputError
from recovery_microglia.readers.any_layout import read_counts
from recovery_microglia.readers.barcode_assignment import Rule
from recovery_microglia.readers.split import split_counts


def expected(path: Path, **options: str) -> None:
    found = read_counts(path, **options)  # type: ignore[arg-type]  # names of options
    assert found[CELLS, GENES].X.toarray().tolist() == COUNTS.tolist()
    assert found.X.sum() == COUNTS.sum()


def twice(data: bytes) -> bytes:
    return gzip.compress(gzip.compress(data))


@pytest.mark.parametrize("pack", [gzip.compress, twice, bz2.compress, lzma.compress])
@pytest.mark.parametrize("kind", ["dense", "folder"])
def test_files_that_are_packed_in_other_ways_or_twice(
    tmp_path: Path, pack: Callable[[bytes], bytes], kind: str
) -> None:
    if kind == "dense":
        end = {bz2.compress: "bz2", lzma.compress: "xz"}.get(pack, "gz")
        (tmp_path / f"m.csv.{end}").write_bytes(pack(DENSE.encode()))
        expected(tmp_path / f"m.csv.{end}")
        return
    for name, text in ten_x_files("lib").items():
        put(tmp_path, {f"{name}.gz"[:-3]: pack(str(text).encode())})
        (tmp_path / name).rename(tmp_path / f"{name}.gz")  # the name says gz, whatever is inside
    assert read_counts(tmp_path / "lib").X.sum() == 21


def adata(counts: object) -> ad.AnnData:
    return ad.AnnData(counts, obs=pd.DataFrame(index=CELLS), var=pd.DataFrame(index=GENES))


@pytest.mark.parametrize("layer", [False, True])
def test_half_precision(tmp_path: Path, layer: bool) -> None:
    made = adata(COUNTS.astype(np.float16))
    if layer:
        made.layers["counts"] = made.X
        made.X = np.log1p(COUNTS)
    made.write_h5ad(tmp_path / "m.h5ad")
    expected(tmp_path / "m.h5ad")
    done = split_counts(tmp_path / "m.h5ad", {"all": "AAA"}, Rule(pattern="^(?P<library>AAA)"), tmp_path)
    assert done.written == {"all": (3, "AAA")}
    assert ad.read_h5ad(tmp_path / "all.h5ad").X.sum() == COUNTS.sum()


def loom(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["matrix"] = COUNTS.T.astype(np.float32)
        file["row_attrs/Gene"], file["row_attrs/Accession"] = np.array(GENES, dtype="S"), np.array(IDS, dtype="S")
        file["col_attrs/CellID"], file["col_attrs/sample"] = (
            np.array(CELLS, dtype="S"),
            np.array(["a", "b", "b"], dtype="S"),
        )


def test_loom(tmp_path: Path) -> None:
    loom(tmp_path / "m.loom")
    expected(tmp_path / "m.loom")
    done = split_counts(tmp_path / "m.loom", {"a": "a", "b": "b"}, Rule(column="sample"), tmp_path)
    assert {library: n for library, (n, _) in done.written.items()} == {"a": 1, "b": 2}


def test_the_rna_of_mudata(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5mu", "w") as file:
        mod = file.create_group("mod")
        ad.io.write_elem(mod, "rna", adata(sp.csr_matrix(COUNTS)))
        ad.io.write_elem(mod, "prot", adata(np.ones((3, 5))))
    expected(tmp_path / "m.h5mu")


def test_zarr_stores_and_their_lost_chunks(tmp_path: Path) -> None:
    adata(sp.csr_matrix(COUNTS)).write_zarr(tmp_path / "m.zarr")
    expected(tmp_path / "m.zarr")
    shutil.make_archive(str(tmp_path / "m.zarr"), "zip", tmp_path / "m.zarr")
    expected(tmp_path / "m.zarr.zip")
    lost = [
        path
        for path in (tmp_path / "m.zarr/X/data").rglob("*")
        if path.is_file() and path.name not in ("zarr.json", ".zarray", ".zattrs")
    ]
    lost[0].unlink()
    with pytest.raises(InputError, match="1 of 1 chunks of X/data are missing"):
        read_counts(tmp_path / "m.zarr")


def test_cellbender_of_cell_ranger_2(tmp_path: Path) -> None:
    matrix = sp.csr_matrix(COUNTS)
    for place in ("matrix", "background_removed"):
        with h5py.File(tmp_path / f"{place}.h5", "w") as file:
            group = file.create_group(place)
            group["data"], group["indices"], group["indptr"] = matrix.data, matrix.indices, matrix.indptr
            group["shape"], group["barcodes"] = np.array([5, 3]), np.array(CELLS, dtype="S")
            group["genes"], group["gene_names"] = np.array(IDS, dtype="S"), np.array(GENES, dtype="S")
        expected(tmp_path / f"{place}.h5")


def test_one_list_of_genes_for_all_matrices_of_a_series(tmp_path: Path) -> None:
    for name in ("GSM1_a", "GSM2_b"):
        files = {key.rpartition("/")[2]: text for key, text in ten_x_files().items()}
        put(tmp_path, {f"{name}_matrix.mtx": files["matrix.mtx"], f"{name}_barcodes.tsv": files["barcodes.tsv"]})
        put(tmp_path, {"GSE3_features.tsv": files["features.tsv"]})
    assert read_counts(tmp_path / "GSM1_a").X.sum() == 21


def test_matrices_of_parts_beside_the_whole(tmp_path: Path) -> None:
    put(tmp_path, ten_x_files("raw"))
    put(tmp_path, {"raw/UniqueAndMult-EM.mtx": MTX.replace("1 1 5", "1 1 4.5").replace("integer", "real")})
    assert read_counts(tmp_path / "raw").X.sum() == 21


@pytest.mark.filterwarnings("ignore:Observation names are not unique")
def test_a_joined_h5ad_may_have_a_barcode_in_each_library(tmp_path: Path) -> None:
    names = ["AAAC-1", "AAAG-1", "AAAC-1"]
    obs = pd.DataFrame({"sample": ["a", "a", "b"]}, index=names)
    ad.AnnData(sp.csr_matrix(COUNTS), obs=obs, var=pd.DataFrame(index=GENES)).write_h5ad(tmp_path / "m.h5ad")
    done = split_counts(tmp_path / "m.h5ad", {"a": "a", "b": "b"}, Rule(column="sample"), tmp_path)
    assert {library: n for library, (n, _) in done.written.items()} == {"a": 2, "b": 1}
    assert ad.read_h5ad(tmp_path / "b.h5ad").X.sum() == COUNTS[2].sum()
    obs["sample"] = "a"
    ad.AnnData(sp.csr_matrix(COUNTS), obs=obs, var=pd.DataFrame(index=GENES)).write_h5ad(tmp_path / "m.h5ad")
    with pytest.raises(InputError, match=r"m\.h5ad: a: barcode AAAC-1 is duplicated"):
        split_counts(tmp_path / "m.h5ad", {"a": "a"}, Rule(column="sample"), tmp_path)


# ---------------------------------------------------------------- HDF5 that cannot be read


HOLD = "import h5py, sys, time\nf = h5py.File(sys.argv[1], 'r+')\nprint('held', flush=True)\nsys.stdin.read()"


@pytest.mark.parametrize("name", ["m.h5ad", "m.h5"])
def test_a_file_that_another_program_writes_to(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HDF5_USE_FILE_LOCKING", raising=False)
    adata(sp.csr_matrix(COUNTS)).write_h5ad(tmp_path / name)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / name)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(
            InputError, match=r"m\.h5(ad)?: open for writing in another program; close it there"
        ) as error:
            read_counts(tmp_path / name)
        other.communicate(b"")
    assert len(str(error.value)) < 300 + len(str(tmp_path))
    expected(tmp_path / name)  # an h5 that is AnnData is read as such


def test_a_filter_that_is_not_installed(tmp_path: Path) -> None:
    path = tmp_path / "m.h5ad"
    adata(sp.csr_matrix(COUNTS)).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        values = file["X/data"][:]
        del file["X/data"]
        how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        how.set_chunk((len(values),))
        how.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
        space = h5py.h5s.create_simple(values.shape)
        stored = h5py.h5d.create(file.id, b"X/data", h5py.h5t.py_create(values.dtype), space, how)
        stored.write_direct_chunk((0,), values.tobytes(), 0)
    with pytest.raises(
        InputError, match=r"an HDF5 filter that is not installed here \(32015, zstd\); write it again with gzip"
    ):
        read_counts(path)
    with pytest.raises(InputError, match="32015, zstd"):
        split_counts(path, {"all": "AAA"}, Rule(pattern="^(?P<library>AAA)"), tmp_path)


def test_an_index_that_ends_early_loses_no_count_in_silence(tmp_path: Path) -> None:
    adata(sp.csr_matrix(COUNTS)).write_h5ad(tmp_path / "m.h5ad")
    with h5py.File(tmp_path / "m.h5ad", "r+") as file:
        file["X/indptr"][-1] = file["X/indptr"][-2]
    for read in (
        lambda: read_counts(tmp_path / "m.h5ad"),
        lambda: split_counts(tmp_path / "m.h5ad", {"x": "AAA"}, Rule(pattern="^(?P<library>AAA)"), tmp_path),
    ):
        with pytest.raises(InputError, match=r"its index ends at \d of 8 counts"):
            read()
