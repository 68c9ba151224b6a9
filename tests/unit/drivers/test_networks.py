"""Networks of targets: fetched as files of deposits are, read in their formats, done without where they are not there."""

import gzip
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from geo_server import Answer, serving
from recovery_microglia.core.errors import InputError
from recovery_microglia.deposit.http import Patience
from recovery_microglia.drivers.fetching import fetch_network
from recovery_microglia.drivers.networks import (
    Resource,
    dorothea_net,
    load_networks,
    load_resources,
    networks_table,
    progeny_net,
    read_network,
    signatures_net,
    to_mouse,
)

TABLE = b"source\ttarget\tweight\nTGFb\tTmem119\t1.5\nTGFb\tP2ry12\t1\n"
AT_ONCE = Patience(tries=3, wait=0.0, timeout=5.0, sleep=lambda _: None)


def _resource(**known: str) -> Resource:
    usual = {
        "name": "made", "kind": "pathway", "file": "made.tsv.gz", "version": "1", "licence": "CC0", "url": "", "sha256": "",
        "format": "net", "organism": "mouse", "citation": "none",
    }  # fmt: skip
    return Resource(**{**usual, **known})


def test_every_shipped_network_names_version_licence_and_a_commit(root: Path) -> None:
    for resource in load_resources(root / "config/knowledge/networks.tsv"):
        assert resource.version
        assert resource.licence
        assert resource.version.split()[-1] in resource.url, "the address must name one version"
    assert not list((root / "config/knowledge").glob("*.rda")), "no network is copied into the repository"


def test_a_network_is_fetched_goes_on_where_it_broke_and_is_read(tmp_path: Path) -> None:
    body = gzip.compress(TABLE, mtime=0)
    with serving() as geo:
        geo.files["/nets/made.tsv.gz"] = body
        geo.answers["made.tsv.gz"] = [Answer(cut=20)]
        resource = _resource(url=f"{geo.address}/nets/made.tsv.gz")
        found = fetch_network(resource, root=tmp_path, patience=AT_ONCE)
        assert [part for _, part in geo.asked] == ["", "bytes=20-"]
    network = read_network(Path(found["path"]), resource)
    assert network.net.to_dict("records") == [
        {"source": "TGFb", "target": "P2ry12", "weight": 1.0},
        {"source": "TGFb", "target": "Tmem119", "weight": 1.5},
    ]
    assert len(network.digest) == 64


def test_a_run_goes_on_without_a_network_and_says_so(tmp_path: Path) -> None:
    with serving() as geo:
        resource = _resource(url=f"{geo.address}/nets/made.tsv.gz")
        found = fetch_network(resource, root=tmp_path, patience=AT_ONCE)
    assert found["path"] == ""
    table = networks_table(load_networks([resource], [found], []))
    assert table.loc[0, "status"] == "not there"
    assert "not found" in table.loc[0, "reason"]
    assert table.loc[0, "reason"] == found["reason"], "a reason is shortened once, where it is made"
    assert table.loc[0, "sources"] == 0


def test_a_mirror_or_a_folder_stands_in(tmp_path: Path) -> None:
    body = gzip.compress(TABLE, mtime=0)
    with serving() as geo:
        geo.files["/mirror/made.tsv.gz"] = body
        nowhere = _resource(url="http://127.0.0.1:9/made.tsv.gz")
        by_address = fetch_network(nowhere, mirror=f"{geo.address}/mirror", root=tmp_path / "a", patience=AT_ONCE)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "made.tsv.gz").write_bytes(body)
    by_folder = fetch_network(nowhere, mirror=str(folder), root=tmp_path / "b", patience=AT_ONCE)
    assert Path(by_address["path"]).read_bytes() == Path(by_folder["path"]).read_bytes() == body


def test_another_checksum_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "made.tsv.gz").write_bytes(gzip.compress(TABLE, mtime=0))
    found = fetch_network(_resource(sha256="0" * 64), mirror=str(folder), root=tmp_path, patience=AT_ONCE)
    assert found["path"] == ""
    assert "SHA-256" in found["reason"]


def test_what_is_no_network_is_left_out_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "made.tsv"
    path.write_text("gene\tvalue\nSpp1\t1\n")
    resource = _resource(file="made.tsv")
    (network,) = load_networks([resource], [{"resource": "made", "path": str(path), "reason": ""}], [])
    assert network.net.empty
    assert "not a network in the format 'net'" in network.reason


def test_progeny_keeps_significant_targets_first() -> None:
    table = pd.DataFrame({
        "gene": [f"g{k}" for k in range(700)] + ["late"], "pathway": ["EGFR"] * 701, "weight": 1.0,
        "p.value": [k / 1e5 for k in range(700)] + [0.06],
    })  # fmt: skip
    net = progeny_net(table)
    assert list(net["target"]) == [f"g{k}" for k in range(500)]


def test_dorothea_keeps_confidence_a_to_c() -> None:
    table = pd.DataFrame(
        {"tf": ["Spi1"] * 3, "confidence": ["A", "C", "D"], "target": ["a", "c", "d"], "mor": [1, -1, 1]}
    )
    assert dorothea_net(table)[["target", "weight"]].to_numpy().tolist() == [["a", 1], ["c", -1]]


def test_signatures_become_rows_and_human_symbols_are_mapped_or_counted_as_lost(tmp_path: Path) -> None:
    table = pd.DataFrame({"MCSF": [1.0, -2.0, 0.5], "IL4": [0.0, 1.0, 0.1]}, index=["SPP1", "TMEM119", "CXCL8"])
    assert len(signatures_net(table)) == 5, "a weight of 0 is no target"
    path = tmp_path / "s.tsv"
    table.to_csv(path, sep="\t")
    network = read_network(path, _resource(format="signatures", organism="human"))
    assert set(network.net["target"]) == {"Spp1", "Tmem119"}
    assert network.not_mapped == 1, "mice have no CXCL8"


def test_human_symbols_map_by_name_only() -> None:
    assert to_mouse(["IGF1", "C1QA", "CXCL8"]) == {"IGF1": "Igf1", "C1QA": "C1qa"}


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "networks.tsv"
    names = ["name", "kind", "file", "version", "licence", "url", "sha256", "format", "organism", "citation"]
    path.write_text("\t".join(names) + "\n" + "\t".join(["x"] * len(names)) + "\n")
    with pytest.raises(InputError, match="format 'x' is not known"):
        load_resources(path)


def test_a_damaged_file_is_left_out_with_the_reason(tmp_path: Path) -> None:
    broken = {
        "made.tsv.gz": gzip.compress(TABLE, mtime=0)[:-12],
        "made.rda": b"<html>not found</html>",
        "cut.rda": b"\xfd7zXZ\0cut",
    }
    for name, content in broken.items():
        path = tmp_path / name
        path.write_bytes(content)
        resource = _resource(file=name, format="dorothea" if name.endswith("rda") else "net")
        with pytest.raises(InputError, match="not a network in the format"):
            read_network(path, resource)


@pytest.mark.parametrize("kind", [("tbl_df", "tbl", "data.frame"), ("data.frame",)])
def test_a_table_of_r_is_read_as_dorothea_documents_it(tmp_path: Path, kind: tuple[str, ...]) -> None:
    """tf, confidence, target, mor, one object in an .rda: the package's documentation of ``dorothea_mm``, a tibble."""
    classes = ", ".join(f'"{name}"' for name in kind)
    path = tmp_path / "dorothea_mm.rda"
    code = f"""
    dorothea_mm <- data.frame(tf = c("Spi1", "Spi1", "Spi1", "Stat1"), confidence = c("A", "C", "D", "B"),
        target = c("Csf1r", "Cd68", "Xist", "Irf1"), mor = c(1, 1, -1, -1), stringsAsFactors = {str(len(kind) == 1).upper()})
    class(dorothea_mm) <- c({classes})
    save(dorothea_mm, file = "{path}", compress = "xz")
    """
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed: only it writes such a file")
    subprocess.run(["Rscript", "-e", code], check=True, capture_output=True)
    network = read_network(path, _resource(file=path.name, format="dorothea"))
    assert network.net.to_numpy().tolist() == [["Spi1", "Cd68", 1], ["Spi1", "Csf1r", 1], ["Stat1", "Irf1", -1]]
