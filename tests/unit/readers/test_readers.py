"""Every layout is read to the same counts, and what is no count matrix is refused in one line."""

import gzip
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bad_input.lab import h5_bytes, ten_x_h5
from made_up.parts import taken_apart
from recovery_microglia.core.errors import InputError
from recovery_microglia.readers.any_layout import read_counts
from recovery_microglia.readers.hdf5 import read_anndata
from recovery_microglia.readers.list_names import lists_of
from recovery_microglia.readers.validation import check_depths

GENES = ["Actb", "Itgax", "Igf1", "P2ry12", "Hexb"]
IDS = ["ENSMUSG00000029580", "ENSMUSG00000030789", "ENSMUSG00000020053", "ENSMUSG00000036353", "ENSMUSG00000021665"]
CELLS = ["AAAC-1", "AAAG-1", "AAAT-1"]
COUNTS = np.array([[5, 0, 1, 2, 9], [0, 3, 0, 0, 1], [7, 0, 0, 4, 0]], dtype=np.int32)


def expected(adata: ad.AnnData) -> None:
    table = pd.DataFrame(adata.X.toarray(), index=adata.obs_names, columns=adata.var_names)
    assert table.loc[CELLS, GENES].to_numpy().tolist() == COUNTS.tolist()
    assert adata.X.dtype == np.int32


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt") as stream:
        stream.write(text)


def write_mtx(path: Path, matrix: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as raw:
        if path.suffix == ".gz":
            with gzip.open(raw, "wb") as stream:
                scipy.io.mmwrite(stream, sp.coo_matrix(matrix))
        else:
            scipy.io.mmwrite(raw, sp.coo_matrix(matrix))


def ten_x(folder: Path, *, prefix: str = "", genes: str = "features.tsv.gz", gz: str = ".gz") -> None:
    write_mtx(folder / f"{prefix}matrix.mtx{gz}", COUNTS.T)
    write(folder / f"{prefix}barcodes.tsv{gz}", "\n".join(CELLS) + "\n")
    write(folder / f"{prefix}{genes}", "".join(f"{i}\t{g}\tGene Expression\n" for i, g in zip(IDS, GENES, strict=True)))


def dense(separator: str = "\t", *, corner: str | None = "GENE", by_gene: bool = True) -> str:
    rows, columns, values = (GENES, CELLS, COUNTS.T) if by_gene else (CELLS, GENES, COUNTS)
    head = ([] if corner is None else [corner]) + columns
    lines = [separator.join([name, *map(str, row)]) for name, row in zip(rows, values.tolist(), strict=True)]
    return "\n".join([separator.join(head), *lines]) + "\n"


# ---------------------------------------------------------------- layouts made here


@pytest.mark.parametrize(
    ("prefix", "genes", "gz"),
    [
        ("", "features.tsv.gz", ".gz"),
        ("", "genes.tsv", ""),
        ("", "genes.tsv", ".gz"),
        ("GSM1_Ctl_1_", "features.tsv.gz", ".gz"),
        ("GSM1_Ctl_1.", "genes.tsv", ".gz"),
    ],
)
def test_cell_ranger_folders(tmp_path: Path, prefix: str, genes: str, gz: str) -> None:
    ten_x(tmp_path / "lib", prefix=prefix, genes=genes, gz=gz)
    expected(read_counts(tmp_path / "lib"))
    if prefix:
        ten_x(tmp_path / "lib", prefix="GSM2_other_", genes=genes, gz=gz)
        expected(read_counts(tmp_path / "lib" / prefix.rstrip("_.")))
        with pytest.raises(InputError, match="several matrices"):
            read_counts(tmp_path / "lib")


def test_nested_folders_and_archives(tmp_path: Path) -> None:
    inner = tmp_path / "run" / "outs" / "filtered_feature_bc_matrix"
    ten_x(inner)
    expected(read_counts(tmp_path / "run"))
    with tarfile.open(tmp_path / "run.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "run", "run")
    with zipfile.ZipFile(tmp_path / "flat.zip", "w") as archive:
        for file in inner.iterdir():
            archive.write(file, file.name)
    expected(read_counts(tmp_path / "run.tar.gz"))
    expected(read_counts(tmp_path / "flat.zip"))


@pytest.mark.parametrize("separator", ["\t", ",", ";", " "])
@pytest.mark.parametrize("by_gene", [True, False])
@pytest.mark.parametrize("corner", ["GENE", "", None])
def test_dense_text(tmp_path: Path, separator: str, by_gene: bool, corner: str | None) -> None:
    if separator == " " and corner == "":
        pytest.skip("an empty corner cannot be told between blanks")
    path = tmp_path / "counts.txt.gz"
    write(path, dense(separator, corner=corner, by_gene=by_gene))
    adata = read_counts(path)
    expected(adata)
    assert adata.uns["reading"]["layout"] == f"dense text, genes in {'rows' if by_gene else 'columns'}"


def test_quoted_text_from_r(tmp_path: Path) -> None:
    lines = dense("\t", corner=None).splitlines()
    quoted = ["\t".join(f'"{name}"' for name in lines[0].split("\t"))]
    quoted += ['"{}"\t{}'.format(*line.split("\t", 1)) for line in lines[1:]]
    write(tmp_path / "counts.csv", "\n".join(quoted))
    expected(read_counts(tmp_path / "counts.csv"))


def test_dense_text_called_mtx(tmp_path: Path) -> None:
    write(tmp_path / "GSE_counts_matrix.mtx.gz", dense(" ", corner=None))
    expected(read_counts(tmp_path / "GSE_counts_matrix.mtx.gz"))


def test_matrix_market_with_one_column_genes_header_lines_and_cells_in_rows(tmp_path: Path) -> None:
    write_mtx(tmp_path / "GSM9_cells_x_genes.mtx.gz", COUNTS)
    write(tmp_path / "GSM9_genes.txt.gz", "x\n" + "\n".join(f"{i}.7" for i in IDS))
    write(tmp_path / "GSM9_barcodes.tsv.gz", "barcode\n" + "\n".join(CELLS))
    adata = read_counts(tmp_path / "GSM9_cells_x_genes.mtx.gz")
    expected(adata)
    assert adata.uns["reading"]["names"] == "ensembl"


def test_symbols_in_the_second_column_of_a_csv(tmp_path: Path) -> None:
    write_mtx(tmp_path / "GSM9_DGE.mtx.gz", COUNTS)
    rows = "".join(f"{i},{g},mm10\n" for i, g in zip(IDS, GENES, strict=True))
    write(tmp_path / "GSM9_all_genes.csv.gz", "gene_id,gene_name,genome\n" + rows)
    write(tmp_path / "GSM9_cells.csv.gz", "\n".join(CELLS))
    expected(read_counts(tmp_path / "GSM9"))


def h5_v3(path: Path, genomes: list[str], types: list[str] | None = None) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        matrix = sp.csr_matrix(COUNTS)
        for name, values in (("data", matrix.data), ("indices", matrix.indices), ("indptr", matrix.indptr)):
            group[name] = values
        group["shape"] = np.array(COUNTS.T.shape)
        group["barcodes"] = np.array(CELLS, dtype="S")
        features = group.create_group("features")
        for name, words in (
            ("id", IDS),
            ("name", GENES),
            ("genome", genomes),
            ("feature_type", types or ["Gene Expression"] * 5),
        ):
            features[name] = np.array(words, dtype="S")


def test_10x_h5(tmp_path: Path) -> None:
    h5_v3(tmp_path / "a.h5", ["mm10"] * 5)
    adata = read_counts(tmp_path / "a.h5")
    expected(adata)
    assert adata.var["id"].loc["Itgax"] == "ENSMUSG00000030789"


def test_antibodies_are_dropped_and_genomes_must_be_chosen(tmp_path: Path) -> None:
    h5_v3(tmp_path / "a.h5", ["mm10"] * 4 + [""], ["Gene Expression"] * 4 + ["Antibody Capture"])
    adata = read_counts(tmp_path / "a.h5")
    assert "Hexb" not in adata.var_names
    assert adata.uns["reading"]["other_features_dropped"] == 1
    h5_v3(tmp_path / "b.h5", ["mm10"] * 3 + ["GRCh38"] * 2)
    with pytest.raises(InputError, match=r"several genomes \(GRCh38, mm10\)"):
        read_counts(tmp_path / "b.h5")
    assert sorted(read_counts(tmp_path / "b.h5", genome="mm10").var_names) == sorted(GENES[:3])
    with pytest.raises(InputError, match="genome 'rn6' is not in the file; there are: GRCh38, mm10"):
        read_counts(tmp_path / "b.h5", genome="rn6")
    h5_v3(tmp_path / "c.h5", ["mm10"] * 5, ["Antibody Capture"] * 5)
    with pytest.raises(InputError, match="no gene among the features"):
        read_counts(tmp_path / "c.h5")


def test_h5ad_takes_the_first_raw_counts(tmp_path: Path) -> None:
    logged = np.log1p(COUNTS.astype(float))
    obs, var = pd.DataFrame({"lib": list("xxy")}, index=CELLS), pd.DataFrame(index=GENES)
    ad.AnnData(COUNTS.astype(np.float32), obs=obs, var=var).write_h5ad(tmp_path / "x.h5ad")
    ad.AnnData(logged, obs=obs, var=var, layers={"umis": COUNTS}).write_h5ad(tmp_path / "layer.h5ad")
    full = ad.AnnData(sp.csr_matrix(COUNTS), obs=obs, var=var)
    other = ad.AnnData(logged, obs=obs, var=var)
    other.raw = full
    other.write_h5ad(tmp_path / "raw.h5ad")
    for name, place in (("x", "X"), ("layer", "layer umis"), ("raw", "raw.X")):
        adata = read_counts(tmp_path / f"{name}.h5ad")
        expected(adata)
        assert adata.uns["reading"]["layout"] == f"AnnData, {place}"
        assert adata.obs["lib"].tolist() == list("xxy")
    ad.AnnData(logged, obs=obs, var=var).write_h5ad(tmp_path / "logged.h5ad")
    with pytest.raises(InputError, match="no raw counts in X"):
        read_counts(tmp_path / "logged.h5ad")
    with pytest.raises(InputError, match="there is no layer 'counts'; there are: umis"):
        read_counts(tmp_path / "layer.h5ad", layer="counts")


def test_aliases_are_renamed_and_duplicates_summed(tmp_path: Path) -> None:
    write(tmp_path / "c.csv", "gene,a,b\nLilrb4,1,2\nLilrb4a,3,4\nItgax,5,6\nIgf1,0,1\n")
    adata = read_counts(tmp_path / "c.csv")
    assert adata[:, "Lilrb4a"].X.toarray().ravel().tolist() == [4, 6]
    assert adata.uns["reading"]["renamed"] == {"Lilrb4": "Lilrb4a"}
    assert adata.uns["reading"]["duplicates_summed"] == 1


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "gene,a,b\nItgax,0.6931,1.2\nIgf1,0,1\n",
            "gene Itgax, barcode a: 0.6931 is no whole number: the values look log-norm",
        ),
        (
            "gene,a,b\nItgax,120.5,1.2\nIgf1,0,1\n",
            "gene Itgax, barcode a: 120.5 is no whole number: the values look normalised",
        ),
        ("gene,a,b\nItgax,-1,2\nIgf1,0,1\n", "gene Itgax, barcode a: -1 is negative"),
        ("gene,a,b\nItgax,,2\nIgf1,0,1\n", "gene Itgax, barcode a: nan is not a number"),
        ("gene,a,b\nItgax,x,2\nIgf1,0,1\n", r"line 2 \(Itgax\): 'x' is not a number"),
        ("gene,a,b\nItgax,1,2\nIgf1,0\n", r"line 3 \(Igf1\): 1 values, the lines before have 2"),
        ("gene,a,a\nItgax,1,2\nIgf1,0,1\n", "barcode a is duplicated"),
        ("gene,a,b\nItgax,0,0\nIgf1,0,0\n", "every count is zero"),
        ("gene,a,b\n", "a header and no rows"),
        ("gene,a,b\nHLA-DRA,1,2\nZNF320,0,1\nSIGLEC10,1,1\n", "the genes are human, but the data set says mouse"),
    ],
)
def test_what_is_no_count_matrix_is_refused(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path / "c.csv", text)
    with pytest.raises(InputError, match=message) as error:
        read_counts(tmp_path / "c.csv")
    assert "\n" not in str(error.value)
    assert str(tmp_path / "c.csv") in str(error.value)


def test_damaged_and_missing_files_are_named(tmp_path: Path) -> None:
    ten_x(tmp_path / "lib")
    whole = (tmp_path / "lib" / "matrix.mtx.gz").read_bytes()
    (tmp_path / "lib" / "matrix.mtx.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"matrix\.mtx\.gz"):
        read_counts(tmp_path / "lib")
    (tmp_path / "lib" / "matrix.mtx.gz").write_bytes(whole)
    write(tmp_path / "lib" / "barcodes.tsv.gz", "only-1\n")
    with pytest.raises(InputError, match=r"5 x 3, but features.tsv.gz has 5 lines and barcodes.tsv.gz 1"):
        read_counts(tmp_path / "lib")
    (tmp_path / "lib" / "barcodes.tsv.gz").unlink()
    with pytest.raises(InputError, match=r"there is no barcodes\.tsv beside it"):
        read_counts(tmp_path / "lib")
    for name, content in (("a.h5", b"nothing"), ("a.h5ad", b"nothing"), ("a.zip", b"PK"), ("a.tar.gz", b"\x1f\x8b00")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            read_counts(tmp_path / name)
    with pytest.raises(InputError, match="no such file, folder or file prefix"):
        read_counts(tmp_path / "nowhere.csv")
    (tmp_path / "a.dat").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"'.dat' is not a known ending"):
        read_counts(tmp_path / "a.dat")


def test_archives_that_climb_out_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../evil.txt", "x")
    with pytest.raises(InputError, match="points outside the archive"):
        read_counts(tmp_path / "evil.zip")
    (tmp_path / "x").write_text("x")
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.add(tmp_path / "x", "../evil.txt")
    with pytest.raises(InputError, match=r"evil\.tar"):
        read_counts(tmp_path / "evil.tar")
    assert not (tmp_path.parent / "evil.txt").exists()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrays(np.int32, st.tuples(st.integers(2, 8), st.just(5)), elements=st.integers(0, 9)))
def test_round_trip_through_text_and_matrix_market(tmp_path: Path, counts: np.ndarray) -> None:
    counts[0, 0] = 1  # an all-zero matrix is refused, which another test covers
    names = [f"cell{k}" for k in range(len(counts))]
    write_mtx(tmp_path / "m" / "matrix.mtx", counts.T)
    write(tmp_path / "m" / "barcodes.tsv", "\n".join(names))
    write(tmp_path / "m" / "genes.tsv", "\n".join(GENES))
    frame = pd.DataFrame(counts.T, index=GENES, columns=names)
    frame.to_csv(tmp_path / "d.csv")
    for path in (tmp_path / "m", tmp_path / "d.csv"):
        adata = read_counts(path)
        table = pd.DataFrame(adata.X.toarray(), index=adata.obs_names, columns=adata.var_names)
        assert table.loc[names, GENES].to_numpy().tolist() == counts.tolist()


# ---------------------------------------------------------------- many libraries in one file


@pytest.fixture
def joined() -> ad.AnnData:
    obs = pd.DataFrame({"lib": ["x", "x", "y"]}, index=["D0_1_2", "D0_1_4", "D7x_3_9"])
    return ad.AnnData(sp.csr_matrix(COUNTS), obs=obs, var=pd.DataFrame(index=GENES))


def test_split_by_pattern_column_and_metadata(joined: ad.AnnData, tmp_path: Path) -> None:
    parts, absent = taken_apart(joined, {"a": "D0_1", "b": "D7x_3"}, pattern=r"^(?P<library>D\d+[cx]?_\d+)_\d+$")
    assert {name: part.n_obs for name, part in parts.items()} == {"a": 2, "b": 1}
    assert absent == {}
    assert {n: p.n_obs for n, p in taken_apart(joined, {"x": "x"}, column="lib")[0].items()} == {"x": 2}
    joined.obs_names = ["X00.d.Control_A.1", "X07.d.Sham_B.1", "X07.d.Sham_C.1"]
    write(tmp_path / "m.csv", 'orig.ident,n\n"00 d Control_A-1","c",1\n"07 d Sham_B-1","s",2\n"07 d Sham_C-1","s",3\n')
    parts, _ = taken_apart(
        joined, {"c": "c", "s": "s"}, column="orig.ident", metadata=tmp_path / "m.csv", barcode_column=""
    )
    assert {name: part.n_obs for name, part in parts.items()} == {"c": 1, "s": 2}


def test_a_library_without_a_barcode_is_told_with_the_keys_there_are(joined: ad.AnnData) -> None:
    parts, absent = taken_apart(joined, {"q": "D9", "r": "D0"}, pattern="^(?P<library>[^_]+)_")
    assert list(parts) == ["r"]
    assert absent == {"q": "no barcode belongs to 'D9'; there are: D0, D7x"}


def test_split_mistakes_are_plain(joined: ad.AnnData) -> None:
    with pytest.raises(InputError, match="needs a group named library"):
        taken_apart(joined, {"q": "D9"}, pattern="^D0")
    with pytest.raises(InputError, match=r"column 'nope' is not in obs \(lib\)"):
        taken_apart(joined, {"q": "D9"}, column="nope")


# ---------------------------------------------------------------- layouts from elsewhere

HUMAN = [
    ("scanpy/tests/_data/10x_data/1.2.0/filtered_gene_bc_matrices", None),
    ("scanpy/tests/_data/10x_data/3.0.0/filtered_feature_bc_matrix", "read_10x_mtx"),
    ("scanpy/tests/_data/10x_data/3.0.0/filtered_feature_bc_matrix.h5", "read_10x_h5"),
    ("scanpy/tests/_data/10x_data/1.2.0/filtered_gene_bc_matrices_h5.h5", "read_10x_h5"),
    ("singleCellTK/inst/extdata/STARsolo_PBMC_1k_v3_20x20", None),
    ("scvi/tests/test_data/10X/pbmc_10k_protein_v3/filtered_feature_bc_matrix.tar.gz", None),
]


@pytest.mark.parametrize(("name", "reference"), HUMAN)
@pytest.mark.filterwarnings("ignore:Variable names are not unique")
def test_real_human_layouts(shared_data: Path, name: str, reference: str | None) -> None:
    path = shared_data / "layouts" / name
    adata = read_counts(path, organism="human")
    assert adata.n_obs > 0
    assert adata.X.sum() > 0
    if reference:
        import scanpy as sc

        theirs = getattr(sc, reference)(path)
        assert adata.shape[0] == theirs.shape[0]
        assert adata.X.sum() == theirs.X.sum()
        total = pd.Series(np.asarray(theirs.X.sum(axis=1)).ravel(), theirs.obs_names)
        ours = pd.Series(np.asarray(adata.X.sum(axis=1)).ravel(), adata.obs_names)
        assert (ours == total[ours.index]).all()


MOUSE = [
    "test_10X",
    "test_10X_cellranger3",
    "test_10X.h5",
    "test_10X_cellranger3.h5",
    "test_10X.zip",
    "test_10X_no_subdir.zip",
    "test_10X_duplicate_gene_names",
]


@pytest.mark.parametrize("name", MOUSE)
def test_real_mouse_layouts_hold_the_same_counts(shared_data: Path, name: str) -> None:
    folder = shared_data / "layouts" / "scprep" / "data" / "test_data"
    adata = read_counts(folder / name)
    reference = pd.read_csv(folder / "test_small.csv", index_col=0)
    assert adata.n_obs == 100
    assert adata.X.sum() == reference.to_numpy().sum()


def test_real_dense_tables_and_broken_zip(shared_data: Path) -> None:
    folder = shared_data / "layouts" / "scprep" / "data" / "test_data"
    first, second = read_counts(folder / "test_small.csv"), read_counts(folder / "test_small.tsv")
    assert first.shape[0] == 100
    assert (first.X != second.X).nnz == 0
    with pytest.raises(InputError, match=r"test_10X_invalid\.zip: nothing to read"):
        read_counts(folder / "test_10X_invalid.zip")


def test_real_files_with_several_genomes(shared_data: Path) -> None:
    folder = shared_data / "layouts"
    h5 = folder / "scanpy/tests/_data/10x_data/1.2.0/multiple_genomes.h5"
    with pytest.raises(InputError, match="several genomes"):
        read_counts(h5, organism="human")
    mixed = folder / "singleCellTK/inst/extdata/hgmm_1k_v3_20x20"
    with pytest.raises(InputError, match="several genomes"):
        read_counts(mixed)
    assert read_counts(mixed, genome="mm10").n_vars > 0


def test_real_anndata_of_an_old_version(shared_data: Path) -> None:
    path = shared_data / "layouts" / "anndata" / "v0.7.8" / "adata.h5ad"
    table = read_anndata(path, None)
    assert min(table.matrix.shape) > 0
    with pytest.raises(InputError, match=r"none of the 20 features is a known gene \(gene0, gene1, gene2, …\)"):
        read_counts(path)


def test_real_deposits(shared_data: Path) -> None:
    tay = read_counts(shared_data / "tay2018_fnx_microglia_98genes" / "counts_genes_x_cells.csv")
    assert tay.shape == (944, 98)
    assert tay.uns["reading"]["renamed"]["H2D1"] == "H2-D1"
    svz = read_counts(shared_data / "zywitza2018_svz_dropseq" / "GSM3032676_an003F_dge.txt.gz")
    assert svz.n_obs == 1117
    assert svz.uns["reading"]["layout"] == "dense text, genes in rows"


# ---------------------------------------------------------------- which lists go with a matrix


def test_a_table_of_cells_is_not_taken_for_the_barcodes(tmp_path: Path) -> None:
    """Its rows may be in any order: taken for the barcodes, every cell would get another cell's counts."""
    ten_x(tmp_path)
    write(tmp_path / "cells.csv", "cell,library\n" + "".join(f"{cell},A\n" for cell in reversed(CELLS)))
    expected(read_counts(tmp_path / "matrix.mtx.gz"))
    expected(read_counts(tmp_path))


@pytest.mark.parametrize(
    ("names", "genes", "barcodes"),
    [
        ("S1_features.tsv S1_barcodes.tsv S10_features.tsv S10_barcodes.tsv S10_matrix.mtx", "S1_features", "S1_barcodes"),
        ("features.tsv S1_barcodes.tsv S2_features.tsv S2_matrix.mtx", "features", "S1_barcodes"),
        ("S1_barcodes.tsv S2_features.tsv S2_matrix.mtx", "", "S1_barcodes"),  # S2's genes are its own
        ("S2_filtered_matrix.mtx S2_features.tsv S2_barcodes.tsv S1_features.tsv S1_barcodes.tsv", "S1_features", "S1_barcodes"),
        ("features.tsv barcodes.tsv S1_cells.csv S1_clusters.csv", "features", "barcodes"),  # a table of its cells
        ("S1_all_genes.csv S1_cell_metadata.csv", "S1_all_genes", "S1_cell_metadata"),
        ("S1_genes.tsv S1_gene_names.tsv S1_cells.tsv S1_barcodes_used.tsv", "S1_genes", "S1_barcodes_used"),
        ("S1_genes.tsv S1_features.tsv S1_barcodes.tsv", "S1_features S1_genes", "S1_barcodes"),
        ("S1_genes.csv S1_features.tsv S1_barcodes.tsv S1_barcodes.csv S1_cell_types.csv", "S1_features", "S1_barcodes"),
    ],
)  # fmt: skip
def test_the_lists_of_a_matrix_are_told_by_their_names(names: str, genes: str, barcodes: str) -> None:
    for matrix in ("S1_matrix.mtx", "S1.mtx.gz", "S1_filtered_counts.mtx"):
        found = lists_of([Path(name) for name in [*names.split(), matrix]])[Path(matrix)]
        assert [" ".join(sorted(file.stem for file in files)) for files in found] == [genes, barcodes]


def test_two_lists_that_hold_the_same_are_one(tmp_path: Path) -> None:
    ten_x(tmp_path)
    write(tmp_path / "barcodes.tsv", "\n".join(CELLS))
    expected(read_counts(tmp_path / "matrix.mtx.gz"))
    write(tmp_path / "barcodes.tsv", "\n".join(reversed(CELLS)))
    with pytest.raises(
        InputError, match=r"which of these is its barcodes\.tsv\? barcodes\.tsv, barcodes\.tsv\.gz \(they differ"
    ):
        read_counts(tmp_path / "matrix.mtx.gz")


# ---------------------------------------------------------------- whole numbers that are no counts


@pytest.fixture
def counted() -> sp.csr_matrix:
    """300 cells of 1,500 genes, about 2,000 molecules each."""
    rng = np.random.default_rng(0)
    depth, share = rng.lognormal(0, 0.3, (300, 1)), rng.dirichlet(np.full(1500, 0.3))
    return sp.csr_matrix(rng.poisson(2000 * depth * share).astype(np.int32))


def scaled(counts: sp.csr_matrix, total: float) -> sp.csr_matrix:
    dense = counts.toarray()
    return sp.csr_matrix(np.round(dense / dense.sum(axis=1, keepdims=True) * total).astype(np.int32))


def thinned(counts: sp.csr_matrix, total: int) -> sp.csr_matrix:
    rng = np.random.default_rng(1)
    rows = [rng.multivariate_hypergeometric(row, min(total, row.sum())) for row in counts.toarray()]
    return sp.csr_matrix(np.array(rows, dtype=np.int32))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: scaled(x, 1e6), "in most cells no gene has a count of 1"),
        (lambda x: scaled(x, 1e4), "in most cells no gene has a count of 1"),
        (lambda x: thinned(x, 900), "the sums of the cells are all about 900"),
        (lambda x: (x > 0).astype(np.int32), "no count is above 1"),
    ],
    ids=["per million", "per ten thousand", "thinned", "seen or not"],
)
def test_whole_numbers_that_are_no_counts_are_refused(
    counted: sp.csr_matrix, change: Callable[[sp.csr_matrix], sp.csr_matrix], said: str
) -> None:
    check_depths(counted, "m")
    with pytest.raises(InputError, match=f"m: {said}"):
        check_depths(change(counted), "m")


def test_counts_of_one_rate_are_counts() -> None:
    """Cells of one expected sum, as toy data have, differ as Poisson counts do."""
    for seed in range(20):
        counts = np.random.default_rng(seed).poisson(1.0, (60, 1200))
        check_depths(sp.csr_matrix(counts.astype(np.int32)), "m")


def test_what_htseq_and_seurat_write_beside_the_genes_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "m.tsv", dense() + "__no_feature\t900\t900\t900\nnCount_RNA\t17\t4\t11\n")
    adata = read_counts(tmp_path / "m.tsv")
    assert sorted(adata.var_names) == sorted(GENES)
    expected(adata)
    assert adata.uns["reading"]["no_genes"] == ["__no_feature", "nCount_RNA"]


def test_a_table_that_was_appended_to_itself_is_refused(tmp_path: Path) -> None:
    head, *rows = dense().splitlines()
    write(tmp_path / "m.tsv", "\n".join([head, *rows, *rows]))
    with pytest.raises(InputError, match="5 of 5 genes are duplicated with the same counts"):
        read_counts(tmp_path / "m.tsv")
    write(
        tmp_path / "m.tsv", "\n".join([head, *rows, rows[0]])
    )  # one gene twice is added up, as names of two genes are
    assert read_counts(tmp_path / "m.tsv")[:, "Actb"].X.sum() == 2 * COUNTS[:, 0].sum()


def test_cell_rangers_outs_is_its_filtered_matrix(tmp_path: Path) -> None:
    outs = tmp_path / "N1" / "outs"
    outs.mkdir(parents=True)
    (outs / "filtered_feature_bc_matrix.h5").write_bytes(h5_bytes(ten_x_h5))
    for name in ("raw_feature_bc_matrix.h5", "molecule_info.h5"):
        (outs / name).write_bytes(b"not read")
    write(outs / "metrics_summary.csv", "a,b\n1,2\n")
    assert read_counts(tmp_path / "N1").shape == read_counts(outs).shape == (3, 5)


def test_a_layer_is_taken_for_counts_by_its_name_only(tmp_path: Path) -> None:
    adata = ad.AnnData(
        np.log1p(COUNTS.astype(np.float32)), obs=pd.DataFrame(index=CELLS), var=pd.DataFrame(index=GENES)
    )
    adata.layers["spliced"], adata.layers["umi_counts"] = COUNTS + 1, COUNTS
    adata.write_h5ad(tmp_path / "m.h5ad")
    expected(read_counts(tmp_path / "m.h5ad"))
    del adata.layers["umi_counts"]
    adata.write_h5ad(tmp_path / "m.h5ad")
    with pytest.raises(
        InputError, match=r"no raw counts in X: .* other layers holds them \(spliced\), name it in the column layer"
    ):
        read_counts(tmp_path / "m.h5ad")
    assert read_counts(tmp_path / "m.h5ad", layer="spliced").X.sum() == (COUNTS + 1).sum()
