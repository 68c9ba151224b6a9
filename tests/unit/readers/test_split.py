"""A file of several libraries is taken apart in one pass: the same counts from every layout, in little memory."""

import gzip
import os
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

from made_up.parts import taken_apart
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.genes import known_symbols
from recovery_microglia.readers import dense_text, matrix_market, streams
from recovery_microglia.readers import split as splitting
from recovery_microglia.readers.any_layout import read_counts
from recovery_microglia.readers.barcode_assignment import Rule
from recovery_microglia.readers.split import split_counts

LIBRARIES = {"A": "a", "B": "b", "none": "z"}
PATTERN = "^(?P<library>[abc])_"


@pytest.fixture(scope="module")
def genes(root: Path) -> list[str]:
    table = pd.read_csv(root / "config/datasets/demo/simulation/genes.tsv", sep="\t")
    return [*table["gene"][:60], "Itgax", "Qk", "Quaking"]  # two names of one gene: they are added up


@pytest.fixture(scope="module")
def joined(genes: list[str]) -> pd.DataFrame:
    """Cells × genes; the barcodes of the libraries a, b and c stand mixed, and two cells have nothing."""
    rng = np.random.default_rng(3)
    names = [f"{rng.choice(list('abc'))}_{number:03d}" for number in range(90)]
    counts = rng.poisson(0.7, (len(names), len(genes)))
    counts[[4, 50]] = 0
    return pd.DataFrame(counts, index=names, columns=genes)


def as_h5ad(kind: Callable[[np.ndarray], object], *, place: str = "X") -> Callable[[pd.DataFrame, Path], Path]:
    def write(table: pd.DataFrame, folder: Path) -> Path:
        names = {"obs": pd.DataFrame(index=table.index), "var": pd.DataFrame(index=table.columns)}
        counts = kind(table.to_numpy().astype(np.float32))
        if place == "X":
            adata = ad.AnnData(counts, **names)
        else:
            adata = ad.AnnData(sp.csr_matrix(np.log1p(table.to_numpy())), **names)
            adata.layers["counts"] = counts
            if place == "raw":
                del adata.layers["counts"]
                adata.raw = ad.AnnData(counts, **names)
        adata.write_h5ad(folder / "m.h5ad")
        return folder / "m.h5ad"

    return write


def as_market(order: str, *, by_gene: bool = True) -> Callable[[pd.DataFrame, Path], Path]:
    def write(table: pd.DataFrame, folder: Path) -> Path:
        dense = table.to_numpy().T if by_gene else table.to_numpy()
        row, column = np.nonzero(dense)
        place = {
            "column": np.lexsort((row, column)),
            "row": np.lexsort((column, row)),
            "none": np.arange(len(row))[::-1],
        }
        if order == "late":  # its order ends on the last line
            place["late"] = np.roll(place["column"], -1)
        lines = [f"{row[k] + 1} {column[k] + 1} {dense[row[k], column[k]]}\n" for k in place[order]]
        head = f"%%MatrixMarket matrix coordinate integer general\n{dense.shape[0]} {dense.shape[1]} {len(row)}\n"
        with gzip.open(folder / "matrix.mtx.gz", "wt") as stream:
            stream.writelines([head, *lines])
        (folder / "genes.tsv").write_text("".join(f"{gene}\n" for gene in table.columns))
        (folder / "barcodes.tsv").write_text("".join(f"{name}\n" for name in table.index))
        return folder

    return write


def as_text(*, turned: bool) -> Callable[[pd.DataFrame, Path], Path]:
    def write(table: pd.DataFrame, folder: Path) -> Path:
        (table.T if turned else table).to_csv(folder / "m.csv.gz")
        return folder / "m.csv.gz"

    return write


def as_ten_x_h5(table: pd.DataFrame, folder: Path) -> Path:
    counts = sp.csr_matrix(table.to_numpy())
    with h5py.File(folder / "m.h5", "w") as file:
        group = file.create_group("matrix")
        for name, values in (("data", counts.data), ("indices", counts.indices), ("indptr", counts.indptr)):
            group[name] = values
        group["shape"] = counts.shape[::-1]
        group["barcodes"] = np.array(table.index, dtype="S")
        for name in ("name", "id"):
            group[f"features/{name}"] = np.array(table.columns, dtype="S")
    return folder / "m.h5"


LAYOUTS = {
    "h5ad csr": as_h5ad(sp.csr_matrix),
    "h5ad csc": as_h5ad(sp.csc_matrix),
    "h5ad dense": as_h5ad(np.asarray),
    "h5ad layer": as_h5ad(sp.csr_matrix, place="layer"),
    "h5ad raw": as_h5ad(sp.csr_matrix, place="raw"),
    "mtx by cell": as_market("column"),
    "mtx by gene": as_market("row"),
    "mtx of cells in rows": as_market("row", by_gene=False),
    "mtx without order": as_market("none"),
    "mtx that loses its order": as_market("late"),
    "text, genes in rows": as_text(turned=True),
    "text, cells in rows": as_text(turned=False),
    "10x h5": as_ten_x_h5,
}


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix_market, "BLOCK", 300)
    monkeypatch.setattr(streams, "ENTRIES", 100)
    monkeypatch.setattr(streams, "NUMBERS", 400)
    monkeypatch.setattr(dense_text, "AT_ONCE", 400)
    monkeypatch.setattr(splitting, "PIECE", 64)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_library_is_what_the_whole_file_holds_of_it(tmp_path: Path, joined: pd.DataFrame, layout: str) -> None:
    path = LAYOUTS[layout](joined, tmp_path)
    whole = read_counts(path)
    parts, absent = taken_apart(path, LIBRARIES, pattern=PATTERN)
    assert absent == {"none": "no barcode belongs to 'z'; there are: a, b, c"}
    for name, key in (("A", "a"), ("B", "b")):
        mine = whole[[barcode.startswith(f"{key}_") for barcode in whole.obs_names]]
        assert list(parts[name].obs_names) == [barcode for barcode in joined.index if barcode.startswith(f"{key}_")]
        assert list(parts[name].var_names) == list(whole.var_names)
        assert (parts[name].X != mine.X).nnz == 0
        assert parts[name].X.dtype == np.int32
        own = joined.loc[parts[name].obs_names]
        assert parts[name].X.sum() == own.to_numpy().sum()
        assert (parts[name][:, "Itgax"].X.toarray()[:, 0] == own["Itgax"]).all()


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("layout", ["h5ad csr", "h5ad csc", "text, genes in rows", "text, cells in rows"])
@pytest.mark.parametrize(("value", "word"), [(0.5, "is no whole number"), (-1, "is negative")])
def test_what_is_no_count_is_told_with_gene_and_barcode(
    tmp_path: Path, joined: pd.DataFrame, layout: str, value: float, word: str
) -> None:
    wrong = joined.astype(float)
    gene, barcode = wrong.columns[40], wrong.index[70]
    wrong.loc[barcode, gene] = value
    path = LAYOUTS[layout](wrong, tmp_path)
    rule = Rule(pattern=PATTERN)
    options = {"layer": None}
    if path.suffix == ".h5ad":  # asked for, so that it is not passed over
        with h5py.File(path, "a") as file:
            file.move("X", "layers/asked")
        options = {"layer": "asked"}
    with pytest.raises(InputError, match=f"gene {gene}, barcode {barcode}: {value:g} {word}"):
        split_counts(path, LIBRARIES, rule, tmp_path, **options)
    assert not (tmp_path / ".parts.h5").exists()


MEASURED = """
import re, sys
from pathlib import Path
from recovery_microglia.readers.any_layout import read_counts
from recovery_microglia.readers.barcode_assignment import Rule
from recovery_microglia.readers.split import split_counts
def peak():  # ru_maxrss would count the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
{call}
print((peak() - before) // 1000)
"""
CALLS = {
    "split_counts": "split_counts(Path(sys.argv[1]), {f'L{k}': f'L{k}' for k in range(20)}, Rule(column='library'), Path(sys.argv[2]))",
    "read_counts": "read_counts(Path(sys.argv[1]))",
}


def grown(name: str, path: Path, out: Path, root: Path) -> int:
    """Return by how many MB a process grows."""
    code = MEASURED.format(call=CALLS[name])
    env = os.environ | {"PYTHONPATH": str(root / "scripts")}
    done = subprocess.run([sys.executable, "-c", code, str(path), str(out)], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from Linux's /proc")
def test_a_file_larger_than_the_memory_it_takes(tmp_path: Path, root: Path) -> None:
    """20 million counts of 20 libraries: some 170 MB beyond the imports; reading the file whole takes 410."""
    rng = np.random.default_rng(1)
    n_genes, n_cells, per_cell = 2600, 20_000, 1000
    names = pd.read_csv(root / "config/datasets/demo/simulation/genes.tsv", sep="\t")["gene"]
    indices = np.concatenate([np.sort(rng.permutation(n_genes)[:per_cell]) for _ in range(400)]).astype(np.int32)
    values = rng.integers(1, 4, n_cells * per_cell, dtype=np.int8).astype(np.float32)
    counts = sp.csr_matrix(
        (values, np.tile(indices, n_cells // 400), np.arange(n_cells + 1) * per_cell),
        shape=(n_cells, n_genes),
    )
    obs = pd.DataFrame({"library": [f"L{k % 20}" for k in range(n_cells)]}, index=[f"c{k}" for k in range(n_cells)])
    ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=names[:n_genes])).write_h5ad(
        tmp_path / "m.h5ad", compression="lzf"
    )
    (tmp_path / "out").mkdir()
    bound = 250
    assert grown("split_counts", tmp_path / "m.h5ad", tmp_path / "out", root) < bound
    assert grown("read_counts", tmp_path / "m.h5ad", tmp_path, root) > bound
    one = ad.read_h5ad(tmp_path / "out" / "L3.h5ad")
    assert one.shape == (1000, n_genes)
    assert one.X.sum() == counts[(obs["library"] == "L3").to_numpy()].sum()


def as_split_by_pattern(counts: np.ndarray, names: list[str], folder: Path) -> Path:
    whole = np.vstack([counts, counts])
    obs = pd.DataFrame(index=[f"{library}_{k}" for library in "ab" for k in range(len(counts))])
    ad.AnnData(sp.csr_matrix(whole), obs=obs, var=pd.DataFrame(index=names)).write_h5ad(folder / "m.h5ad")
    return folder / "m.h5ad"


def test_scaled_and_rounded_values_are_refused_in_a_joined_file_too(tmp_path: Path) -> None:
    """The same values in a file of their own are refused; many libraries in one file are no excuse."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.gamma(0.4, 2, 1200)[None, :] * rng.gamma(5, 0.2, 60)[:, None])
    scaled = np.round(counts / counts.sum(axis=1, keepdims=True) * 10_000).astype(np.int32)
    names = sorted(known_symbols("mouse"))[1000:2200]
    file = as_split_by_pattern(scaled, names, tmp_path)
    with pytest.raises(InputError, match=r"m\.h5ad: a: .* scaled and rounded.*; raw counts are needed"):
        split_counts(file, {"A": "a", "B": "b"}, Rule(pattern=PATTERN), tmp_path)
    assert not (tmp_path / "A.h5ad").exists()
    file = as_split_by_pattern(counts.astype(np.int32), names, tmp_path)
    assert split_counts(file, {"A": "a", "B": "b"}, Rule(pattern=PATTERN), tmp_path).written["A"] == (60, "a")


def test_a_sum_among_the_genes_of_a_joined_file_is_no_gene(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).poisson(3, (20, 50)).astype(np.int32)
    names = [*sorted(known_symbols("mouse"))[1000:1050], "my own sum"]
    file = as_split_by_pattern(np.column_stack([counts, counts.sum(axis=1)]), names, tmp_path)
    split_counts(file, {"A": "a"}, Rule(pattern=PATTERN), tmp_path)
    found = ad.read_h5ad(tmp_path / "A.h5ad")
    assert found.X.sum() == counts.sum()
    assert list(found.uns["reading"]["no_genes"]) == ["my own sum"]
