"""Every ready-made entry: fetched from a stand-in of its deposit, read, and each count where it belongs."""

import re
from collections.abc import Iterator
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from geo_fakes import SERIES, Fake, barcodes, h5, mtx, r_table, zipped
from geo_server import Geo, serving
from made_up.parts import taken_apart
from recovery_microglia.core.errors import InputError
from recovery_microglia.deposit.fetch import fetch
from recovery_microglia.deposit.manifest import fetched_path, record_path
from recovery_microglia.readers.any_layout import read_counts
from recovery_microglia.study.dataset import DataSet, load_dataset

DAYS = {
    "GSE162807": {0: 4, 3: 8, 14: 8, 150: 8},  # two of day 3's and one of day 150's mice have two libraries
    "GSE162610": {0: 3, 1: 3, 3: 2, 7: 2},
    "GSE196928": {0: 2, 7: 2, 28: 2},
    "GSE172167": {0: 3, 1: 3, 7: 3, 21: 3, 42: 3},
    "GSE234774": {0: 3, 1: 3, 4: 3, 7: 3, 14: 3, 30: 3, 60: 3},
    "GSE134003": {14: 19},
    "GSE246288": {0: 1, 3: 1, 7: 1, 14: 1},
    "GSE159638": {1: 3, 2: 3, 3: 5, 10: 3, 21: 1},  # and two controls without a day
    "GSE150871": {0: 1, 3: 2, 5: 2},
}


@pytest.fixture(scope="module")
def genes(root: Path) -> list[str]:
    return list(pd.read_csv(root / "config/datasets/demo/simulation/genes.tsv", sep="\t")["gene"])[:120]


@pytest.fixture(scope="module")
def geo() -> Iterator[Geo]:
    with serving() as server:
        yield server


def entry(root: Path, name: str, place: Path) -> DataSet:
    return load_dataset(root / "config/datasets" / name, root / "workflow/schemas", root=place)


def fetched(root: Path, name: str, place: Path, geo: Geo, fake: Fake) -> DataSet:
    """Fetch a ready-made entry from a stand-in; return it as it is loaded afterwards."""
    for file, content in fake.files.items():
        geo.put(name, file, content)
    dataset = entry(root, name, place)
    for file in dataset.downloads:
        table, record = fetched_path(name, file.name, place), record_path(name, file.name, place)
        fetch(file, dataset.folder, table, record, mirror=geo.address)
    return entry(root, name, place)


def libraries(dataset: DataSet) -> tuple[dict[str, ad.AnnData], dict[str, str]]:
    """Read all included libraries as the workflow does; return them, and what is told of absent ones."""
    shared = dataset.shared_files()
    read, absent = {}, {}
    for file, rows in shared.items():
        how = dict(dataset.split or {})
        if "metadata" in how:
            how["metadata"] = dataset.folder / how["metadata"]
        parts, missing = taken_apart(dataset.folder / file, {row.library: row.key for row in rows}, **how)
        read |= parts
        absent |= missing
    for row in dataset.included:
        if row.file not in shared:
            read[row.library] = read_counts(dataset.folder / row.file)
    return {row.library: read[row.library] for row in dataset.included if row.library in read}, absent


@pytest.mark.parametrize("name", SERIES)
def test_a_ready_made_entry_ends_with_the_right_counts(
    root: Path, name: str, tmp_path: Path, geo: Geo, genes: list[str]
) -> None:
    before = entry(root, name, tmp_path)
    fake = SERIES[name](genes, before.frame())
    dataset = fetched(root, name, tmp_path, geo, fake)
    days = pd.Series([row.day for row in dataset.included], dtype=float).value_counts().to_dict()
    assert days == DAYS[name]
    read, absent = libraries(dataset)
    expected = {row.library for row in dataset.included} & set(fake.truth)
    assert set(read) == expected
    for library, counts in read.items():
        truth = fake.truth[library]
        known = [gene for gene in genes if gene in counts.var_names]
        assert len(known) > 0.9 * truth.shape[1]
        where = [[g for g in genes if name != "GSE234774" or not g.startswith("mt-")].index(gene) for gene in known]
        own = pd.DataFrame(counts.X.toarray(), index=counts.obs_names, columns=counts.var_names)[known].to_numpy()
        # cells lie mixed in a merged matrix: compare as sets of rows
        np.testing.assert_array_equal(own[np.lexsort(own.T)], truth[:, where][np.lexsort(truth[:, where].T)])
    if name == "GSE234774":
        assert set(absent) == {"4d_3"}
        assert absent["4d_3"].startswith("no barcode belongs to 'timecourse_4d_*#3'; there are: drug_x_1, ")
    assert dataset.to_check  # none of them is taken from the series' own records


def test_facts_that_the_sheets_of_the_field_state_are_in_the_entries(
    root: Path, shared_data: Path, tmp_path: Path
) -> None:
    mice = pd.read_csv(shared_data / "geo_facts/GSE162807_mouse_samples.csv", dtype=str, keep_default_na=False)
    rows = {row.file.strip("_"): row for row in entry(root, "GSE162807", tmp_path).libraries}
    day = {"naive": 0, "3d": 3, "14d": 14, "5mo": 150}
    condition = {"Naive": "naive", "Sham": "sham", "SNI": "injured"}
    for mouse in mice.to_dict("records"):
        row = rows[mouse["gsm"]]
        assert (row.day, row.condition) == (day[mouse["timepoint"]], condition[mouse["surgery"]])
        assert row.subject == f"m{mouse['mouse_id']}"
        assert not mouse["sex"] or row.sex == mouse["sex"].lower()
    humans = [row for row in rows.values() if not row.include]
    assert len(humans) == 3
    assert all("human" in row.reason for row in humans)
    milich = pd.read_csv(shared_data / "geo_facts/GSE162610_samples.csv", dtype=str)
    own = {row.library: row for row in entry(root, "GSE162610", tmp_path).libraries}
    for sample in milich.to_dict("records"):
        row = own[sample["sample_id"]]
        assert (row.day, row.chemistry) == (float(sample["dpi"]), f"10x {sample['chemistry']}")
    crush = pd.read_csv(shared_data / "geo_facts/GSE150871_samples.csv", dtype=str)
    assert {row.file: row.day for row in entry(root, "GSE150871", tmp_path).libraries} == dict(
        zip(crush["sample_dir"], crush["dpi"].astype(float), strict=True)
    )


def test_a_human_library_beside_mice_is_refused_with_the_reason(tmp_path: Path) -> None:
    genes = [
        "TMEM119",
        "P2RY12",
        "CX3CR1",
        "HEXB",
        "CSF1R",
        "AIF1",
        "APOE",
        "TREM2",
        "ITGAX",
        "SPP1",
        "GPNMB",
        "MALAT1",
    ]
    (tmp_path / "GSM4960331_h.h5").write_bytes(h5(np.ones((3, len(genes)), int), genes, version=3, genome="GRCh38"))
    with pytest.raises(InputError, match=r"the genes are human \(genome GRCh38\), but the data set says mouse"):
        read_counts(tmp_path / "GSM4960331_")


def test_fpkm_is_refused_with_the_reason(tmp_path: Path, genes: list[str]) -> None:
    values = np.random.default_rng(0).lognormal(2, 2, (len(genes), 5)).round(4)
    table = r_table(pd.DataFrame(values, index=genes, columns=list("abcde")), "\t", shifted=False)
    (tmp_path / "GSE103334_FPKM_CKP25_TOPHAT.txt.gz").write_bytes(table)
    with pytest.raises(
        InputError, match=r"is no whole number: the values look normalised \(FPKM, TPM or CPM\); raw counts"
    ):
        read_counts(tmp_path / "GSE103334_FPKM_CKP25_TOPHAT.txt.gz")


def test_bare_numbers_that_do_not_fit_their_lists_are_refused(tmp_path: Path, genes: list[str]) -> None:
    (tmp_path / "features.txt").write_text("\n".join(genes))
    (tmp_path / "barcodes.txt").write_text("AAAC\nAAAG\nAAAT")
    rows = ["AAAC AAAG AAAT", *(f"{k} 0 1" for k in range(len(genes)))]
    (tmp_path / "m.mtx.gz").write_bytes(zipped("\n".join(rows)))
    assert read_counts(tmp_path / "m.mtx.gz").shape == (3, len(genes))
    (tmp_path / "m.mtx.gz").write_bytes(zipped("\n".join(rows[:-1])))
    with pytest.raises(InputError, match=r"features\.txt: 120 genes, but the matrix has 119"):
        read_counts(tmp_path / "m.mtx.gz")
    short = "\n".join(row.rsplit(" ", 1)[0] for row in rows)
    (tmp_path / "m.mtx.gz").write_bytes(zipped(short))
    with pytest.raises(InputError, match=r"barcodes\.txt: 3 barcodes, but the matrix has 2"):
        read_counts(tmp_path / "m.mtx.gz")
    (tmp_path / "m.mtx.gz").write_bytes(zipped("\n".join(rows) + " 5"))
    with pytest.raises(InputError, match="ends in the middle of a row: 1 of 3 numbers"):
        read_counts(tmp_path / "m.mtx.gz")


def test_the_nth_library_of_a_time_point_and_metadata_by_position(tmp_path: Path) -> None:
    var = pd.DataFrame(index=["Actb", "Itgax", "Igf1", "Hexb"])
    counts = ad.AnnData(np.eye(4, dtype=np.float32), obs=pd.DataFrame(index=list("abcd")), var=var)
    meta = tmp_path / "meta.tsv"
    meta.write_text("orig.ident\tn\n1wpi_late\t1\n1wpi_early\t1\n1wpi_late\t1\nuninjured_x\t1\n")
    keys = {"one": "1wpi*#1", "two": "1wpi*#2", "none": "3wpi*#1", "exact": "uninjured_x"}
    parts, absent = taken_apart(counts, keys, column="orig.ident", metadata=meta, join="position")
    assert {name: list(part.obs_names) for name, part in parts.items()} == {
        "one": ["b"], "two": ["a", "c"], "exact": ["d"]
    }  # fmt: skip
    assert parts["one"].uns["key"] == "1wpi_early"
    assert absent["none"] == "no barcode belongs to '3wpi*#1'; there are: 1wpi_early, 1wpi_late, uninjured_x"
    meta.write_text("orig.ident\tn\n1wpi_late\t1\n")
    with pytest.raises(InputError, match="1 rows, but the matrix has 4 barcodes: they cannot be joined by position"):
        taken_apart(counts, keys, column="orig.ident", metadata=meta, join="position")


def test_cells_in_rows_with_a_table_of_genes(tmp_path: Path, genes: list[str]) -> None:
    """The layout of Parse: GSM…_DGE_filtered_DGE.mtx.gz cells × genes, all_genes.csv with a header, the symbol second."""
    counts = np.random.default_rng(1).poisson(1, (5, len(genes)))
    (tmp_path / "GSM1_DGE_filtered_DGE.mtx.gz").write_bytes(mtx(counts))
    lines = ["gene_id,gene_name,genome", *(f"ENSMUSG{k:011d},{gene},mm10" for k, gene in enumerate(genes))]
    (tmp_path / "GSM1_DGE_filtered_all_genes.csv.gz").write_bytes(zipped("\n".join(lines)))
    cells = ["bc_wells,sample", *(f"{k:02d}_{k:02d}_{k:02d},s1" for k in range(5))]
    (tmp_path / "GSM1_DGE_filtered_cell_metadata.csv.gz").write_bytes(zipped("\n".join(cells)))
    read = read_counts(tmp_path / "GSM1_")
    known = [gene for gene in genes if gene in read.var_names]
    assert list(read.obs_names) == [f"{k:02d}_{k:02d}_{k:02d}" for k in range(5)]
    np.testing.assert_array_equal(read[:, known].X.toarray(), counts[:, [genes.index(g) for g in known]])


def test_several_genomes_are_short_names(tmp_path: Path, genes: list[str]) -> None:
    both = [f"mm10___{g}" for g in genes] + [f"GRCh38_{g.upper()}" for g in genes]
    counts = np.random.default_rng(1).poisson(1, (4, len(both)))
    frame = pd.DataFrame(counts.T, index=both, columns=barcodes(4))
    (tmp_path / "a.txt.gz").write_bytes(r_table(frame, "\t", shifted=False))
    with pytest.raises(InputError, match="the file holds several genomes"):
        read_counts(tmp_path / "a.txt.gz")
    assert read_counts(tmp_path / "a.txt.gz", genome="mm10").X.sum() == counts[:, : len(genes)].sum()


def test_the_page_on_public_data_names_every_entry_and_its_open_facts(root: Path, tmp_path: Path) -> None:
    text = (root / "docs/public-data.md").read_text(encoding="utf-8")
    ready = {path.name for path in (root / "config/datasets").glob("GSE*")}
    assert ready == set(SERIES)
    rows = {found[0]: line for line in text.splitlines() if (found := re.findall(r"^\| \**(GSE\d+)", line))}
    assert set(rows) == ready
    for name in ready:
        days = sorted({row.day for row in entry(root, name, tmp_path).included if row.condition == "injured"})
        cell = rows[name].split("|")[3]
        assert [
            float(word) for word in re.findall(r"(?<![(\d])\d+(?![\d)])", re.sub(r"\([^)]*\)", "", cell))
        ] == days, name
