"""Properties of sheets and readers: what is written is read, whatever the layout; no bytes bring a traceback.

The examples are drawn anew from the same seed each time, so that a failure is not luck.
"""

import contextlib
import re
import warnings
import zipfile
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.io import mmwrite

from bad_input.lab import ENTRY, ROOT, ROWS, gz, h5_bytes, ten_x_files, ten_x_h5
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.genes import load_gene_sets
from recovery_microglia.core.schemas import load_schema
from recovery_microglia.readers.any_layout import read_counts
from recovery_microglia.study.dataset import load_dataset, read_samples

SCHEMAS = ROOT / "workflow" / "schemas"
FIXED = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
GENES = ["Actb", "Itgax", "Igf1", "P2ry12", "Hexb", "Cx3cr1"]
SUFFIXES = ["m.csv", "m.csv.gz", "m.txt", "m.mtx", "m.mtx.gz", "m.h5", "m.h5ad", "m.zip", "m.tar", "m.tar.gz"]


@pytest.fixture(autouse=True)
def _quiet() -> None:
    # what anndata and numpy think of damaged files is not what is asked here
    warnings.simplefilter("ignore")


# ---------------------------------------------------------------- sheets

names = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,5}[._-][A-Za-z]{1,4}[0-9]{0,2}", fullmatch=True).filter(
    lambda name: (
        not name.lower().startswith(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct"))
        and not name.lower().startswith(("nov", "dec", "mai", "mär", "okt", "dez"))
    )
)
# what a field may hold: anything without the separators, and no quotation mark at its beginning
words = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cf")), min_size=0, max_size=12
).map(str.strip).filter(lambda word: not word.startswith('"'))  # fmt: skip
rows = st.fixed_dictionaries(
    {
        "library": names,
        "day": st.one_of(st.just(""), st.integers(0, 400).map(str), st.floats(0, 99).map(lambda day: f"{day:.2f}")),
        "condition": st.sampled_from(load_schema(SCHEMAS / "samples.yaml")["properties"]["condition"]["enum"]),
        "sex": st.sampled_from(["", "female", "male", "mixed"]),
        "age": words,
        "note": words,
        "x_own": words,
    }
)
# names that differ in capitals, marks and noughts alone are refused as one animal
sheets = st.lists(rows, min_size=1, max_size=8, unique_by=lambda row: re.sub("[^a-z1-9]", "", row["library"].lower()))


@FIXED
@given(sheets, st.booleans(), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.data())
def test_a_sheet_is_read_as_it_was_written(
    tmp_path: Path, table: list[dict[str, str]], mark: bool, end: str, blank_rows: bool, data: st.DataObject
) -> None:
    columns = data.draw(st.permutations(list(table[0])))
    lines = ["\t".join(columns)]
    for row in table:
        lines += ["\t".join(row[column] for column in columns)] + (["\t" * len(columns[1:])] if blank_rows else [])
    (tmp_path / "s.tsv").write_bytes((("\ufeff" if mark else "") + end.join(lines) + end).encode())
    read = read_samples(tmp_path / "s.tsv", SCHEMAS / "samples.yaml")
    assert [library.library for library in read] == [row["library"] for row in table]
    for library, row in zip(read, table, strict=True):
        assert library.day == (float(row["day"]) if row["day"] else None)
        assert (library.condition, library.sex) == (row["condition"], row["sex"])
        assert (library.age, library.note) == (row["age"], row["note"])


def refused_or_read(function, *arguments, **options):
    """Call a function; an `InputError` is as good as a result; anything else fails the test."""
    with contextlib.suppress(InputError):
        return function(*arguments, **options)
    return None


@FIXED
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "ignore"))))
def test_no_bytes_make_a_sheet_or_a_description_or_a_gene_set_fail_otherwise(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "study"
    folder.mkdir(exist_ok=True)
    (folder / "samples.tsv").write_bytes(content)
    (folder / "dataset.yaml").write_bytes(content)
    with pytest.raises(InputError):
        load_dataset(folder, SCHEMAS)
    refused_or_read(load_gene_sets, folder / "samples.tsv")


@FIXED
@given(st.sampled_from([*ROWS.split("\t")[:-1], "14", "0", "injured"]), st.text(max_size=12))
def test_no_text_in_a_field_makes_a_sheet_fail_otherwise(tmp_path: Path, old: str, new: str) -> None:
    (tmp_path / "s.tsv").write_text(ROWS.replace(old, new), encoding="utf-8", errors="ignore", newline="")
    refused_or_read(read_samples, tmp_path / "s.tsv", SCHEMAS / "samples.yaml")


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=4,
)


@FIXED
@given(st.sampled_from(sorted(load_schema(SCHEMAS / "dataset.yaml")["properties"])), values)
def test_no_value_of_a_key_makes_a_description_fail_otherwise(tmp_path: Path, key: str, value: object) -> None:
    import yaml

    folder = tmp_path / "study"
    folder.mkdir(exist_ok=True)
    (folder / "samples.tsv").write_text(ROWS)
    entry = {**yaml.safe_load(ENTRY), key: value}
    (folder / "dataset.yaml").write_text(yaml.safe_dump(entry), encoding="utf-8")
    refused_or_read(load_dataset, folder, SCHEMAS)


# ---------------------------------------------------------------- readers

# as many cells as genes, or one more or less, would leave open which of a MatrixMarket file's sides is which
counts_of_cells = arrays(
    np.int32,
    st.tuples(st.sampled_from([2, 3, 4, 8, 9]), st.just(len(GENES))),
    elements=st.integers(0, 2**20),
    fill=st.just(0),
).filter(lambda counts: counts.any())


def write_every_layout(counts: np.ndarray, cells: list[str], folder: Path) -> list[Path]:
    """Write barcodes × genes in every layout, and return what to read."""
    frame = pd.DataFrame(counts.T, index=GENES, columns=cells)
    frame.to_csv(folder / "genes_in_rows.csv")
    frame.to_csv(folder / "r_table.txt", sep=" ", index_label=False)
    frame.T.to_csv(folder / "genes_in_columns.tsv.gz", sep="\t")
    lists = {"barcodes.tsv": "\n".join(cells) + "\n", "genes.tsv": "".join(f"E{g}\t{g}\n" for g in GENES)}
    paths = [folder / name for name in ("genes_in_rows.csv", "r_table.txt", "genes_in_columns.tsv.gz")]
    for name, matrix in (("mtx", counts.T), ("cells_in_rows", counts)):
        (folder / name).mkdir(exist_ok=True)
        mmwrite(folder / name / "matrix.mtx", sp.coo_matrix(matrix))
        for file, text in lists.items():
            (folder / name / file).write_text(text)
        paths.append(folder / name)
    with zipfile.ZipFile(folder / "folder.zip", "w") as archive:
        for file in (folder / "mtx").iterdir():
            archive.write(file, f"outs/{file.name}")
    packed = sp.csr_matrix(counts)
    parts = {"data": packed.data, "indices": packed.indices.astype(np.int64), "indptr": packed.indptr.astype(np.int64)}
    parts |= {"shape": np.array([len(GENES), len(cells)]), "barcodes": np.array(cells, dtype="S")}
    named = {"features/name": GENES, "features/id": GENES, "features/genome": ["mm10"] * len(GENES)}
    named |= {"features/feature_type": ["Gene Expression"] * len(GENES)}
    parts |= {name: np.array(column, dtype="S") for name, column in named.items()}
    (folder / "ten_x.h5").write_bytes(h5_bytes(lambda file: ten_x_h5(file, **parts)))
    adata = ad.AnnData(packed.astype(np.float32), obs=pd.DataFrame(index=cells), var=pd.DataFrame(index=GENES))
    adata.write_h5ad(folder / "x.h5ad")
    return [*paths, folder / "folder.zip", folder / "ten_x.h5", folder / "x.h5ad"]


@settings(FIXED, max_examples=12)
@given(counts_of_cells)
def test_the_same_counts_are_read_from_every_layout(tmp_path: Path, counts: np.ndarray) -> None:
    cells = [f"AAAC{k}-1" for k in range(len(counts))]
    for path in write_every_layout(counts, cells, tmp_path):
        adata = read_counts(path)
        table = pd.DataFrame(adata.X.toarray(), index=adata.obs_names, columns=adata.var_names)
        assert table.loc[cells, GENES].to_numpy().tolist() == counts.tolist(), path.name
        assert adata.X.dtype == np.int32


@FIXED
@given(st.sampled_from(SUFFIXES), st.binary(max_size=300))
def test_no_bytes_make_a_reader_fail_otherwise(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    refused_or_read(read_counts, tmp_path / name)


@FIXED
@given(st.sampled_from(["barcodes", "features", "matrix"]), st.binary(max_size=120))
def test_no_bytes_in_one_file_of_a_folder_make_it_fail_otherwise(tmp_path: Path, name: str, content: bytes) -> None:
    for file, text in ten_x_files(str(tmp_path / "lib"), **{name: content}).items():
        Path(file).parent.mkdir(exist_ok=True)
        Path(file).write_bytes(text if isinstance(text, bytes) else text.encode())
    refused_or_read(read_counts, tmp_path / "lib")


def damaged(content: bytes, places: list[tuple[float, int]], keep: float) -> bytes:
    """Return bytes of which some are others, and the end is missing."""
    held = bytearray(content)
    for place, byte in places:
        held[int(place * (len(held) - 1))] = byte
    return bytes(held[: int(keep * len(held))])


flaws = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4)
kept = st.one_of(st.just(1.0), st.floats(0, 1))


def read_damaged(tmp_path: Path, name: str, places: list[tuple[float, int]], keep: float) -> None:
    if not (tmp_path / "x.h5ad").exists():
        write_every_layout(np.arange(12).reshape(2, 6), ["A-1", "B-1"], tmp_path)
        (tmp_path / "packed.csv.gz").write_bytes(gz((tmp_path / "genes_in_rows.csv").read_bytes()))
    path = tmp_path / f"damaged_{name}"
    path.write_bytes(damaged((tmp_path / name).read_bytes(), places, keep))
    found = refused_or_read(read_counts, path)
    if found is not None:
        assert (found.X.data >= 0).all()


TEXTS = ["genes_in_rows.csv", "r_table.txt", "genes_in_columns.tsv.gz", "packed.csv.gz", "folder.zip"]


@FIXED
@given(st.sampled_from(TEXTS), flaws, kept)
def test_a_damaged_text_or_archive_is_refused_or_read(
    tmp_path: Path, name: str, places: list[tuple[float, int]], keep: float
) -> None:
    read_damaged(tmp_path, name, places, keep)


@FIXED
@given(st.sampled_from(["ten_x.h5", "x.h5ad"]), flaws, kept)
def test_a_damaged_hdf5_file_is_refused_or_read(
    tmp_path: Path, name: str, places: list[tuple[float, int]], keep: float
) -> None:
    read_damaged(tmp_path, name, places, keep)
