"""Ready-made entries from the address of their deposit to libraries, by the real rules, from a stand-in of GEO."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from geo_fakes import gse162807, gse172167
from geo_server import Answer, Geo, serving
from workflow.conftest import Project, copy_project

SNI = ["M001-R", "M303"]
LATER = "M102"
MATSON = ["uninjured_1", "1wpi_2"]


def targets(name: str, libraries: list[str]) -> list[str]:
    return [f"results/{name}/libraries/{library}/library.json" for library in libraries]


@pytest.fixture(scope="module")
def geo() -> Iterator[Geo]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory, geo: Geo) -> Iterator[Project]:
    """A copy of the project whose GEO is the stand-in, with two series in it."""
    project = copy_project(tmp_path_factory.mktemp("public"))
    shelf = project.path / "config/datasets"
    genes = list(pd.read_csv(shelf / "demo/simulation/genes.tsv", sep="\t")["gene"])

    def sheet(name: str) -> pd.DataFrame:
        return pd.read_csv(shelf / name / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)

    fakes = {
        "GSE162807": gse162807(genes, sheet("GSE162807"), cells=dict.fromkeys([*SNI, LATER], 120)),
        "GSE172167": gse172167(genes, sheet("GSE172167"), cells=dict.fromkeys(MATSON, 120)),
    }
    for name, fake in fakes.items():
        for file, content in fake.files.items():
            geo.put(name, file, content)
    before = os.environ.get("GEO_MIRROR")
    os.environ["GEO_MIRROR"] = geo.address
    yield project
    if before is None:
        del os.environ["GEO_MIRROR"]
    else:
        os.environ["GEO_MIRROR"] = before


def asked(geo: Geo) -> list[str]:
    """The files that were asked for since the last look."""
    names = [name for name, _ in geo.asked]
    geo.asked.clear()
    return names


def test_the_flagship_is_fetched_unpacked_and_read(public: Project, geo: Geo) -> None:
    geo.answers["GSE162807_RAW.tar"] = [Answer(cut=200_000)]
    run = public.snakemake(*targets("GSE162807", SNI), datasets="GSE162807")
    assert run.code == 0, run.out
    assert run.rules == {"fetch": 1, "library": 2}
    assert asked(geo) == ["GSE162807_RAW.tar"] * 2  # broken off once
    assert "To be checked before you rely on it:\n  GSE162807: The sheet was put together" in run.out
    report = json.loads(public.results("GSE162807/libraries/M303/library.json").read_text())
    assert report["calling"]["barcodes"] == 120
    unpacked = sorted((public.path / "resources/GSE162807/files").glob("*.h5"))
    assert len(unpacked) == 31
    table = pd.read_csv(public.path / "resources/GSE162807/fetched/GSE162807_RAW.tar.tsv", sep="\t")
    assert len(table) == 32


def test_a_second_run_and_another_library_fetch_and_unpack_nothing(public: Project, geo: Geo) -> None:
    again = public.snakemake(*targets("GSE162807", SNI), datasets="GSE162807")
    assert "Nothing to be done" in again.out
    path = public.path / "config/datasets/GSE162807/samples.tsv"
    lines = path.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("M304\t")]
    path.write_text("\n".join(kept) + "\n")
    assert "Nothing to be done" in public.snakemake(*targets("GSE162807", SNI), datasets="GSE162807").out
    path.write_text("\n".join(lines) + "\n")
    run = public.snakemake(*targets("GSE162807", [*SNI, "M304"]), "--dry-run", datasets="GSE162807")
    assert run.rules == {"library": 1}
    assert asked(geo) == []


def test_an_archive_that_was_deleted_after_unpacking_is_not_missed(public: Project, geo: Geo) -> None:
    (public.path / "resources/GSE162807/files/GSE162807_RAW.tar").unlink()
    assert "Nothing to be done" in public.snakemake(*targets("GSE162807", SNI), datasets="GSE162807").out
    assert asked(geo) == []


def test_what_was_lost_is_fetched_again_when_it_is_needed(public: Project, geo: Geo) -> None:
    shutil.rmtree(public.path / "resources/GSE162807/files")
    run = public.snakemake(*targets("GSE162807", SNI), datasets="GSE162807")
    assert run.code == 0, run.out
    assert "some of GSE162807_RAW.tar is gone or changed; it is fetched again when it is needed" in run.out
    assert "Nothing to be done" in run.out
    assert asked(geo) == []
    run = public.snakemake(*targets("GSE162807", [LATER]), datasets="GSE162807")
    assert run.code == 0, run.out
    assert run.rules == {"fetch": 1, "library": 1}
    assert asked(geo) == ["GSE162807_RAW.tar"]


def test_a_shared_matrix_is_fetched_and_taken_apart(public: Project, geo: Geo) -> None:
    run = public.snakemake(*targets("GSE172167", MATSON), datasets="GSE172167")
    assert run.code == 0, run.out
    assert run.rules == {"fetch": 4, "split": 1, "library": 2}
    assert len(list((public.path / "resources/GSE172167/split").glob("*/*.h5ad"))) == 15
    assert sorted(asked(geo)) == sorted(
        f"GSE172167_{part}"
        for part in ("spinalcord_SCI_counts_matrix.mtx.gz", "features.txt.gz", "barcodes.txt.gz", "meta.txt.gz")
    )


def test_a_deposit_that_cannot_be_had_is_told_in_one_line_and_files_in_place_do(public: Project, geo: Geo) -> None:
    run = public.snakemake(*targets("GSE134003", ["SI01"]), datasets="GSE134003")
    assert run.code == 1
    told = run.out.split("\nStopped.\n")[1].splitlines()[0].strip()
    assert told.startswith("GSE134003_SI_SNI_rawcounts.txt.gz: not found at http://127.0.0.1:")
    assert "Traceback" not in run.out
    assert not list((public.path / "resources/GSE134003").rglob("*.part"))
    asked(geo)


def test_files_unpacked_by_hand_are_read_in_place(public: Project, geo: Geo, tmp_path: Path) -> None:
    for path in (public.path / "resources/GSE162807/files").glob("*.h5"):
        shutil.copy(path, tmp_path)
    entry = public.path / "config/datasets/GSE162807"
    shutil.copytree(entry, entry.with_name("by_hand"))
    text = (entry / "dataset.yaml").read_text()
    (entry.with_name("by_hand") / "dataset.yaml").write_text(f"{text}folder: {tmp_path}\n")
    run = public.snakemake(*targets("by_hand", ["M303"]), "--dry-run", datasets="by_hand")
    assert run.rules == {"library": 1}
    assert asked(geo) == []
