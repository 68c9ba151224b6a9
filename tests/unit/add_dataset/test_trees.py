"""Of the folders that tools leave, each sample becomes one library, whatever else of it lies there."""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from bad_input.lab import COUNTS, ten_x_files
from made_up.tool_trees import (
    H5,
    alevin_fry,
    cell_ranger,
    cell_ranger_2,
    cell_ranger_multi,
    cellbender,
    cellbender_elsewhere,
    gzipped,
    kb,
    parse,
    parse_matrix,
    pipseeker,
    put,
    rhapsody,
    soupx,
    starsolo,
    under,
)
from recovery_microglia.add_dataset import found_samples
from recovery_microglia.add_dataset.drafts import Entry, draft_folder
from recovery_microglia.add_dataset.trees import own_words
from recovery_microglia.readers.any_layout import read_counts
from recovery_microglia.readers.barcode_assignment import Rule
from recovery_microglia.readers.split import split_counts

type Files = dict[str, str | bytes]
SAMPLES = ("SNI_14d_1", "sham_14d_1")


def each(make: Callable[[str], Files]) -> Files:
    return make(SAMPLES[0]) | make(SAMPLES[1])


TREES: dict[str, tuple[Files, str]] = {
    "Cell Ranger": (each(cell_ranger), "{}/outs/filtered_feature_bc_matrix"),
    "Cell Ranger 2": (each(cell_ranger_2), "{}/outs/filtered_gene_bc_matrices/mm10"),
    "Cell Ranger multi": (
        cell_ranger_multi(*SAMPLES),
        "outs/per_sample_outs/{}/count/sample_filtered_feature_bc_matrix",
    ),
    "CellBender": (each(cellbender), "{}/outs/filtered_feature_bc_matrix"),
    "CellBender elsewhere": (each(cellbender_elsewhere), "cellranger/{}/outs/filtered_feature_bc_matrix"),
    "SoupX": (each(soupx), "{}/outs/filtered_feature_bc_matrix"),
    "STARsolo": (each(starsolo), "{}_Solo.out/Gene/filtered"),
    "kb": (each(kb), "{}/counts_filtered"),
    "kb, nac": (
        each(lambda name: kb(name, "mature", "nascent", "ambiguous", "total")),
        "{}/counts_filtered/cells_x_genes.total.mtx",
    ),
    "alevin-fry": (each(alevin_fry), "{}/af_quant/alevin"),
    "PIPseeker": (each(pipseeker), "{}/filtered_matrix/sensitivity_3"),
    "Parse": (parse(*SAMPLES), "run/{}/DGE_filtered"),
    "BD Rhapsody": (each(rhapsody), "{}_RSEC_MolsPerCell.csv"),
}


WHOLE = ("kb", "kb, nac", "alevin-fry", "Parse", "BD Rhapsody")
"""Trees that hold all of `COUNTS`."""


def taken(entry: Entry) -> list[str]:
    return [row["file"] for row in entry.rows if row["include"] == "yes"]


@pytest.mark.parametrize("tool", TREES)
def test_each_sample_of_a_tools_tree_is_one_library(tmp_path: Path, tool: str) -> None:
    files, where = TREES[tool]
    put(tmp_path, files)
    entry = draft_folder(tmp_path, "x")
    assert [row["include"] for row in entry.rows] == ["yes", "yes"], entry.rows
    assert taken(entry) == [where.format(name) for name in SAMPLES]
    assert [(row["day"], row["condition"]) for row in entry.rows] == [("14", "injured"), ("14", "sham")]
    said = entry.passed_over or "Of each sample one matrix is taken. Passed over: "  # alevin-fry leaves one
    assert said.startswith("Of each sample one matrix is taken. Passed over: ")
    assert len(said) <= 300
    for file in taken(entry):
        counts = read_counts(tmp_path / file)
        assert counts.n_vars == 5
        assert counts.X.sum() == (COUNTS.sum() if tool in WHOLE else 21)  # 21: the four entries of `MTX`


def test_the_analysis_of_eight_animals_becomes_no_library(tmp_path: Path) -> None:
    """An untouched folder of 8 animals was drafted as 49 libraries, and its design as tested."""
    for number in range(1, 5):
        put(tmp_path, cell_ranger(f"SNI_d14_{number}") | cell_ranger(f"sham_d14_{number}"))
    assert len(draft_folder(tmp_path, "x").rows) == 8


def test_what_cannot_be_read_is_left_out_and_the_next_best_is_taken(tmp_path: Path) -> None:
    put(tmp_path, cell_ranger("SNI_14d_1") | cell_ranger("sham_14d_1"))
    for name in ("filtered_feature_bc_matrix/matrix.mtx.gz", "filtered_feature_bc_matrix.h5"):
        (tmp_path / "SNI_14d_1/outs" / name).write_bytes(b"\x1f\x8bbroken")
        (tmp_path / "sham_14d_1/outs" / name).write_bytes(b"\x1f\x8bbroken")
    for name in ("raw_feature_bc_matrix/matrix.mtx.gz", "raw_feature_bc_matrix.h5"):
        (tmp_path / "sham_14d_1/outs" / name).write_bytes(b"\x1f\x8bbroken")
    entry = draft_folder(tmp_path, "x")
    assert taken(entry) == ["SNI_14d_1/outs/raw_feature_bc_matrix"]
    left = next(row for row in entry.rows if row["include"] == "no")
    assert left["library"] == "sham_14d_1"
    assert left["reason"].startswith("it cannot be read: ")


def test_parts_of_the_molecules_are_no_library(tmp_path: Path) -> None:
    put(tmp_path, kb("SNI_14d_1", "mature", "nascent", "ambiguous") | kb("sham_14d_1"))
    entry = draft_folder(tmp_path, "x")
    assert taken(entry) == ["sham_14d_1/counts_filtered"]
    assert "kb count --sum=total" in next(row["reason"] for row in entry.rows if row["include"] == "no")


# ---------------------------------------------------------------- several samples in one matrix


def split_as_drafted(entry: Entry, folder: Path, out: Path) -> dict[str, int]:
    """Take the file apart as the entry says; cells of each library."""
    rule = dict(entry.described["split"])
    if "metadata" in rule:
        rule["metadata"] = folder / rule["metadata"]
    rows = [row for row in entry.rows if row["include"] == "yes"]
    done = split_counts(folder / rows[0]["file"], {row["library"]: row["key"] for row in rows}, Rule(**rule), out)
    assert done.absent == {}
    return {library: n for library, (n, _) in done.written.items()}


def test_aggr_is_taken_apart_by_its_table(tmp_path: Path) -> None:
    cells = "AAACCCAAGAAA-1\nAAACCCAAGAAA-2\nAAACCCAAGCCC-2\n"
    put(tmp_path / "in", gzipped(ten_x_files("outs/count/filtered_feature_bc_matrix", barcodes=cells)))
    put(
        tmp_path / "in",
        {
            "outs/aggregation.csv": "sample_id,molecule_h5,Sex\nSNI_14d_1,/x/molecule_info.h5,female\nsham_14d_1,/y/molecule_info.h5,male\n"
        },
    )
    entry = draft_folder(tmp_path / "in", "x")
    assert entry.described["split"] == {"pattern": "-(?P<library>[0-9]+)$"}
    assert [(row["library"], row["key"], row["condition"], row["sex"]) for row in entry.rows] == [
        ("SNI_14d_1", "1", "injured", "female"), ("sham_14d_1", "2", "sham", "male"),
    ]  # fmt: skip
    assert split_as_drafted(entry, tmp_path / "in", tmp_path) == {"SNI_14d_1": 1, "sham_14d_1": 2}
    assert any("--normalize=none" in line for line in entry.to_check)


def test_aggr_of_samples_that_are_there_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, each(cell_ranger) | under("all/outs/count", gzipped(ten_x_files("filtered_feature_bc_matrix"))))
    put(tmp_path, {"all/outs/aggregation.csv": "sample_id,molecule_h5\nSNI_14d_1,x\nsham_14d_1,y\n"})
    assert taken(draft_folder(tmp_path, "x")) == [f"{name}/outs/filtered_feature_bc_matrix" for name in SAMPLES]


def test_split_pipes_table_of_cells_tells_the_samples(tmp_path: Path) -> None:
    put(tmp_path / "in", under("run/all-sample/DGE_filtered", parse_matrix(list(SAMPLES))))
    entry = draft_folder(tmp_path / "in", "x")
    assert [(row["library"], row["key"]) for row in entry.rows] == [(name, name) for name in SAMPLES]
    assert entry.described["split"] == {"column": "sample", "metadata": "run/all-sample/DGE_filtered/cell_metadata.csv"}
    assert split_as_drafted(entry, tmp_path / "in", tmp_path) == {"SNI_14d_1": 2, "sham_14d_1": 1}


def test_hashtags_tell_the_samples_and_doublets_are_none(tmp_path: Path) -> None:
    put(tmp_path / "in", gzipped(ten_x_files("filtered_feature_bc_matrix")))
    put(
        tmp_path / "in",
        {"hto_calls.csv": "cell,nCount_HTO,hash.ID\nAAAC-1,20,SNI_14d_1\nAAAG-1,30,sham_14d_1\nAAAT-1,40,Doublet\n"},
    )
    entry = draft_folder(tmp_path / "in", "x")
    assert [row["library"] for row in entry.rows] == ["SNI_14d_1", "sham_14d_1"]
    assert split_as_drafted(entry, tmp_path / "in", tmp_path) == {"SNI_14d_1": 1, "sham_14d_1": 1}


def test_several_pools_are_left_out_with_what_to_do(tmp_path: Path) -> None:
    for pool in ("pool1", "pool2"):
        put(tmp_path, gzipped(ten_x_files(f"{pool}/filtered_feature_bc_matrix")))
        put(tmp_path, {f"{pool}/demux.csv": "barcode,sample\nAAAC-1,a\nAAAG-1,b\nAAAT-1,b\n"})
    entry = draft_folder(tmp_path, "x")
    assert taken(entry) == []
    assert all("give it an entry of its own, with split" in row["reason"] for row in entry.rows)


def test_a_joined_h5ad_is_taken_apart_by_its_column(tmp_path: Path) -> None:
    obs = pd.DataFrame({"sample": ["SNI_14d_1", "sham_14d_1", "sham_14d_1"], "n": [1, 2, 3]}, index=["a", "b", "c"])
    var = pd.DataFrame(index=["Actb", "Itgax", "Igf1", "P2ry12", "Hexb"])
    (tmp_path / "in").mkdir()
    ad.AnnData(sp.csr_matrix(COUNTS), obs=obs, var=var).write_h5ad(tmp_path / "in/all.h5ad")
    entry = draft_folder(tmp_path / "in", "x")
    assert entry.described["split"] == {"column": "sample"}
    assert split_as_drafted(entry, tmp_path / "in", tmp_path) == {"SNI_14d_1": 1, "sham_14d_1": 2}


def test_the_archive_of_a_series_is_unpacked_by_the_run(tmp_path: Path) -> None:
    import tarfile

    folder = tmp_path / "in"
    folder.mkdir()
    parts = {name.rpartition("/")[2]: text for name, text in ten_x_files().items()}
    put(tmp_path / "src", {f"GSM{k}_SNI_{k}d_{part}": text for k in (3, 7) for part, text in parts.items()})
    with tarfile.open(folder / "GSE1000_RAW.tar", "w") as archive:
        for path in sorted((tmp_path / "src").iterdir()):
            archive.add(path, path.name)
    entry = draft_folder(folder, "x")
    assert [(row["library"], row["file"], row["day"]) for row in entry.rows] == [
        ("SNI_3d", "GSM3_SNI_3d_", "3"), ("SNI_7d", "GSM7_SNI_7d_", "7"),
    ]  # fmt: skip
    assert entry.described["download"] == {"files": [{"name": "GSE1000_RAW.tar"}]}
    assert entry.described["accession"] == "GSE1000"


def test_the_same_cells_under_two_names_are_one_library(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    var = pd.DataFrame(index=["Actb", "Itgax", "Igf1", "P2ry12", "Hexb"])
    for name, seed in (("SNI_14d_1", 1), ("SNI_14d_2", 1), ("sham_14d_1", 2)):
        counts = np.random.default_rng(seed).poisson(
            rng.gamma(2, 20, (40, 1)) if seed == 9 else 5 * np.arange(1, 41)[:, None] % 97 + seed, (40, 5)
        )
        # every plate names its wells alike: names alone tell nothing
        obs = pd.DataFrame(
            index=[f"well{k}" for k in (range(40) if seed == 1 else np.random.default_rng(3).permutation(40))]
        )
        ad.AnnData(sp.csr_matrix(counts), obs=obs, var=var).write_h5ad(tmp_path / f"{name}.h5ad")
    entry = draft_folder(tmp_path, "x")
    assert taken(entry) == ["SNI_14d_1.h5ad", "sham_14d_1.h5ad"]
    assert (
        next(row["reason"] for row in entry.rows if row["include"] == "no")
        == "it holds the same cells as SNI_14d_1.h5ad"
    )


def test_what_may_not_be_read_is_left_out_and_told() -> None:
    """As another user than root, who may read anything: the draft is made by a child that gives up its rights.

    Not in pytest's own folder, which only its owner may enter.
    """
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o777)
        folder = Path(open_to_all) / "data"
        folder.mkdir()
        _draft_as_another_user(folder, Path(open_to_all))


def _draft_as_another_user(folder: Path, open_to_all: Path) -> None:
    put(
        folder,
        {f"{name}/{file.rpartition('/')[2]}": text for name in SAMPLES for file, text in ten_x_files().items()},
    )
    put(folder, {"notes/a.txt": "x"})
    told = (
        "import sys, os; sys.path.insert(0, sys.argv[1]); import tarfile, zipfile, csv\n"
        "from pathlib import Path\nfrom recovery_microglia.add_dataset.drafts import draft_folder\n"
        "draft_folder(Path(sys.argv[2]), 'x')\n"
        "[os.chmod(Path(sys.argv[2]) / name, 0) for name in ('SNI_14d_1/features.tsv', 'notes')]\n"
        "os.geteuid() or os.seteuid(65534)\n"
        "entry = draft_folder(Path(sys.argv[2]), 'x')\n"
        "print(*[(row['file'], row['include'], row['reason']) for row in entry.rows], entry.passed_over, sep='\\n')\n"
    )
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    scripts = str(Path(found_samples.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", told, scripts, str(folder)], capture_output=True, text=True, cwd=open_to_all
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"('SNI_14d_1', 'no', 'it cannot be read: {folder}/SNI_14d_1/features.tsv: may not be read; ask for the rights (chmod u+r)')",
        "('sham_14d_1', 'yes', '')",
        f"Of each sample one matrix is taken. Passed over: 1 × folder that may not be read ({folder}/notes).",
    ]


def test_in_a_folder_that_is_too_large_to_be_read_barcodes_tell_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def channel(seed: int) -> list[str]:
        return ["".join(np.random.default_rng([seed, k]).choice(list("ACGT"), 16)) + "-1" for k in range(40)]

    var = pd.DataFrame(index=["Actb", "Itgax", "Igf1", "P2ry12", "Hexb"])
    for name, seed in (("SNI_14d_1", 1), ("SNI_14d_2", 1), ("sham_14d_1", 2), ("sham_14d_2", 3)):
        counts = np.random.default_rng(seed).poisson(3, (40, 5))
        ad.AnnData(sp.csr_matrix(counts), obs=pd.DataFrame(index=channel(seed)), var=var).write_h5ad(
            tmp_path / f"{name}.h5ad", compression="gzip" if name == "sham_14d_2" else None
        )
    monkeypatch.setattr(found_samples, "READ_AT_MOST", 1)
    entry = draft_folder(tmp_path, "x")
    assert taken(entry) == ["SNI_14d_1.h5ad", "sham_14d_1.h5ad", "sham_14d_2.h5ad"]
    assert [row["reason"] for row in entry.rows if row["include"] == "no"] == [
        "it holds the same cells as SNI_14d_1.h5ad"
    ]


def test_archives_that_are_too_large_to_be_unpacked_are_compared_as_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, sample in (("SNI_14d_1", "a"), ("SNI_14d_2", "a"), ("sham_14d_1", "b"), ("sham_14d_2", "c")):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as packed:
            for file, content in under(sample, {"counts.csv": f"gene,c1\nItgax,1\nIgf1,{sample}\n"}).items():
                info = zipfile.ZipInfo(file)  # no time of its own: equal content is equal bytes
                packed.writestr(info, content)
    monkeypatch.setattr(found_samples, "READ_AT_MOST", 1)
    monkeypatch.setattr(found_samples, "try_reading", found_samples.glance)
    entry = draft_folder(tmp_path, "x")
    assert taken(entry) == ["SNI_14d_1.zip", "sham_14d_1.zip", "sham_14d_2.zip"]
    left = [row["reason"] for row in entry.rows if row["include"] == "no"]
    assert left == ["it is the same file as SNI_14d_1.zip"]


@pytest.mark.parametrize(
    ("part", "own"),
    [
        ("SNI_raw_1", "SNI_raw_1"),
        ("S1_RSEC_MolsPerCell", "S1"),
        ("filtered_feature_bc_matrix", ""),
        ("Solo.out", ""),
        ("ctrl_counts", "ctrl"),
    ],
)
def test_the_words_of_a_sample(part: str, own: str) -> None:
    assert own_words(part) == own


def test_a_folder_called_analysis_is_looked_into_where_nothing_else_is(tmp_path: Path) -> None:
    put(tmp_path, {"analysis/SNI_14d_1.h5": H5})
    assert taken(draft_folder(tmp_path, "x")) == ["analysis/SNI_14d_1.h5"]
