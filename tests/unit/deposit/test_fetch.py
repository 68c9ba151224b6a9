"""Files of a deposit: every way in which a download goes wrong, against a server that does so."""

import gzip
import hashlib
import io
import os
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from geo_fakes import tar
from geo_server import Answer, Geo, serving
from recovery_microglia.core.errors import InputError
from recovery_microglia.deposit import fetch as module
from recovery_microglia.deposit.archives import unpack
from recovery_microglia.deposit.downloads import Download
from recovery_microglia.deposit.fetch import fetch
from recovery_microglia.deposit.geo import geo_address, mirrored
from recovery_microglia.deposit.http import Patience
from recovery_microglia.deposit.integrity import integrity, sha256_and_size
from recovery_microglia.deposit.manifest import forget_lost, read_fetched

NAME = "GSE162807_counts.txt.gz"
PLAIN = os.urandom(300_000)
CONTENT = gzip.compress(PLAIN, mtime=0)


@pytest.fixture
def geo() -> Iterator[Geo]:
    with serving() as server:
        yield server.put("GSE162807", NAME, CONTENT)


class Place:
    """Where files are put, and how long was slept."""

    def __init__(self, path: Path, geo: Geo) -> None:
        self.folder, self.table, self.record = path / "files", path / "fetched.tsv", path / "checksums.tsv"
        self.geo, self.slept = geo, list[float]()

    def fetch(self, name: str = NAME, *, size: int | None = None, sha256: str = "", tries: int = 4, mirror: str = ""):
        file = Download(name, geo_address("GSE162807", name), size, sha256)
        patience = Patience(tries=tries, wait=1, longest_wait=60, timeout=5, sleep=self.slept.append)
        return fetch(file, self.folder, self.table, self.record, mirror=mirror or self.geo.address, patience=patience)

    def refused(self, name: str = NAME, **options) -> str:
        """Return what a user is told; the file must not be there, whole or half, and no table says it is."""
        with pytest.raises(InputError) as error:
            self.fetch(name, **options)
        assert not (self.folder / name).exists()
        assert not self.table.exists()
        text = str(error.value)
        assert "\n" not in text
        return text

    @property
    def names(self) -> set[str]:
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def place(tmp_path: Path, geo: Geo) -> Place:
    return Place(tmp_path, geo)


def test_geo_addresses_follow_geos_rule() -> None:
    base = "https://ftp.ncbi.nlm.nih.gov/geo"
    assert geo_address("GSE162807", "GSE162807_RAW.tar") == f"{base}/series/GSE162nnn/GSE162807/suppl/GSE162807_RAW.tar"
    assert geo_address("GSE1", "GSM4955359_a.gz") == f"{base}/samples/GSM4955nnn/GSM4955359/suppl/GSM4955359_a.gz"
    assert geo_address("GSE98969", "a.gz") == f"{base}/series/GSE98nnn/GSE98969/suppl/a.gz"
    assert geo_address("GSE123", "a.gz") == f"{base}/series/GSEnnn/GSE123/suppl/a.gz"
    assert geo_address("E-MTAB-1", "a.gz") == ""
    assert mirrored(f"{base}/series/x", "http://here/geo/") == "http://here/geo/series/x"
    assert mirrored("https://elsewhere.org/a", "http://here/geo") == "https://elsewhere.org/a"


def test_a_file_is_fetched_whole_and_recorded(place: Place) -> None:
    ((name, size, digest),) = place.fetch()
    assert (place.folder / NAME).read_bytes() == CONTENT
    assert (name, size) == (NAME, len(CONTENT))
    assert digest == sha256_and_size(place.folder / NAME)[0]
    assert read_fetched(place.table) == read_fetched(place.record) == [(name, size, digest)]
    assert place.names == {NAME}  # no partial file, no note is left


def test_a_file_in_place_is_used_and_nothing_is_asked(place: Place) -> None:
    place.folder.mkdir()
    (place.folder / NAME).write_bytes(CONTENT)
    place.fetch()
    assert place.geo.asked == []
    assert read_fetched(place.table)[0][1] == len(CONTENT)


def test_a_gzip_file_stays_a_gzip_file_where_the_server_calls_it_an_encoding(place: Place) -> None:
    place.geo.always[NAME] = Answer(headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"})
    place.fetch()
    assert (place.folder / NAME).read_bytes() == CONTENT


def test_a_break_goes_on_where_it_stopped(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.geo.answers[NAME] = [Answer(cut=100_000), Answer(cut=200_000)]
    place.fetch()
    assert (place.folder / NAME).read_bytes() == CONTENT
    assert [asked for _, asked in place.geo.asked] == ["", "bytes=100000-", "bytes=200000-"]
    assert "trying again in" in capsys.readouterr().out


def test_a_run_that_was_killed_goes_on_where_it_stopped(place: Place) -> None:
    place.geo.answers[NAME] = [Answer(cut=100_000)]
    assert "What came is kept" in place.refused(tries=1)
    assert (place.folder / f"{NAME}.part").stat().st_size == 100_000
    place.fetch()
    assert place.geo.asked[-1] == (NAME, "bytes=100000-")
    assert (place.folder / NAME).read_bytes() == CONTENT


def test_a_server_without_ranges_begins_anew(place: Place) -> None:
    place.geo.answers[NAME] = [Answer(cut=100_000), Answer(ranges=False)]
    place.fetch()
    assert (place.folder / NAME).read_bytes() == CONTENT


def test_a_file_that_changed_between_two_parts_is_not_pieced_together(place: Place) -> None:
    other = gzip.compress(os.urandom(300_000), mtime=0)
    place.geo.answers[NAME] = [Answer(cut=100_000, body=other)]
    place.fetch()
    assert (place.folder / NAME).read_bytes() == CONTENT


def test_a_rest_of_another_version_is_not_put_behind_the_first(place: Place) -> None:
    """A mirror passed over If-Range: 206, another ETag, the same size."""
    old, new = b"1,2,3\n" * 50_000, b"4,5,6\n" * 50_000
    name = "GSE162807_counts.csv"
    place.geo.put("GSE162807", name, new)
    place.geo.answers[name] = [Answer(cut=100_000, body=old), Answer(heedless=True)]
    place.fetch(name)
    assert (place.folder / name).read_bytes() == new  # not half of each
    assert [part for _, part in place.geo.asked] == ["", "bytes=100000-", ""]


@pytest.mark.parametrize("address", ["http://[::1", "http://exa mple:port/x", "nothing://x/y"])
def test_a_server_that_sends_on_to_no_address_is_told_in_one_line(place: Place, address: str) -> None:
    place.geo.always[NAME] = Answer(status=302, headers={"Location": address})
    assert "sends on to an address that is none" in place.refused()


def test_a_damaged_archive_does_not_stay_where_it_would_be_taken_for_whole(place: Place) -> None:
    name = "GSE162807_RAW.tar"
    whole = tar({"GSM1_a.txt": b"x" * 5000})
    place.geo.put("GSE162807", name, whole)
    place.geo.answers[name] = [Answer(body=whole[:3000])]
    assert "it was deleted: run again to fetch it anew" in place.refused(name)
    place.fetch(name)
    assert (place.folder / "GSM1_a.txt").read_bytes() == b"x" * 5000


def test_a_part_that_nothing_could_tell_from_another_version_is_not_gone_on_with(place: Place) -> None:
    name, old, new = "GSE162807_counts.csv", b"1,2,3\n" * 50_000, b"4,5,6\n" * 50_000
    place.geo.put("GSE162807", name, new)
    place.geo.always[name] = Answer(tagged=False)
    place.geo.answers[name] = [Answer(cut=100_000, body=old, tagged=False)]
    place.refused(name, tries=1)
    place.fetch(name)
    assert (place.folder / name).read_bytes() == new  # not half of each
    assert place.geo.asked[-1] == (name, "")


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_waited_for_as_long_as_it_asks(place: Place, status: int) -> None:
    place.geo.answers[NAME] = [Answer(status=status, headers={"Retry-After": "17"}), Answer(status=status)]
    place.fetch()
    assert place.slept[0] >= 17
    assert 1.6 <= place.slept[1] <= 2.4  # twice the first wait, give or take a fifth


def test_a_server_that_stays_busy_is_given_up_in_one_line(place: Place) -> None:
    place.geo.always[NAME] = Answer(status=503)
    assert "the server answers 503 Service Unavailable" in place.refused(tries=3)
    assert len(place.geo.asked) == 3


def test_a_server_that_asks_for_an_hour_is_not_waited_for(place: Place) -> None:
    place.geo.always[NAME] = Answer(status=429, headers={"Retry-After": "3600"})
    assert "left alone for 3600 s" in place.refused()
    assert len(place.geo.asked) == 1


def test_a_missing_file_is_not_asked_for_twice(place: Place) -> None:
    text = place.refused("GSE162807_cuonts.txt.gz")
    assert "not found at" in text
    assert "(404)" in text
    assert len(place.geo.asked) == 1


def test_a_server_that_is_not_there_is_told_in_one_line(place: Place) -> None:
    assert "suppl/GSE162807_counts.txt.gz: Connection refused. What" in place.refused(
        mirror="http://127.0.0.1:9", tries=2
    )


def test_a_length_too_long_never_makes_a_file(place: Place) -> None:
    place.geo.always[NAME] = Answer(length=len(CONTENT) + 50)
    # all bytes came, the server says that more are to come, and then that there are none
    place.fetch()
    assert (place.folder / NAME).read_bytes() == CONTENT


def test_a_length_too_short_is_found_by_the_files_own_checksum(place: Place) -> None:
    place.geo.always[NAME] = Answer(length=len(CONTENT) - 50)
    assert "truncated or damaged gzip file" in place.refused()


def test_corrupt_bytes_are_fetched_once_more_and_then_refused(place: Place) -> None:
    corrupt = CONTENT[:1000] + b"\0" * 100 + CONTENT[1100:]
    place.geo.answers[NAME] = [Answer(body=corrupt)]
    place.fetch()
    assert (place.folder / NAME).read_bytes() == CONTENT
    shutil.rmtree(place.folder)
    place.table.unlink()
    place.geo.always[NAME] = Answer(body=corrupt)
    assert "SHA-256" in place.refused()  # against the record of the first time
    place.record.unlink()
    assert "gzip" in place.refused()  # against the file's own sum


def test_what_dataset_yaml_knows_is_checked_at_once(place: Place) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert "dataset.yaml says " + "0" * 16 in place.refused(sha256="0" * 64)
    assert f"{len(CONTENT)} bytes at" in place.refused(size=7)
    assert len(place.geo.asked) == 3  # a wrong size is seen before the download, a wrong sum after two
    place.fetch(sha256=digest, size=len(CONTENT))


def test_a_web_page_is_not_taken_for_a_file(place: Place) -> None:
    place.geo.put("GSE162807", "a.txt", b"<!DOCTYPE html><html>Please log in</html>")
    assert "web page" in place.refused("a.txt")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.mtx.gz", b'{"error": "quota exceeded"}', "no gzip file"),
        ("a.txt.gz", PLAIN, "no gzip file"),
        ("a.h5", b'{"error": "quota exceeded"}', "not a whole HDF5 file"),
        ("a.h5ad", b"\x89HDF\r\n\x1a\n cut off", "not a whole HDF5 file"),
        ("a.csv", b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "web page"),
    ],
)
def test_a_download_is_what_its_name_says(place: Place, name: str, content: bytes, words: str) -> None:
    """While it is checked its name ends with .part: the check goes by the name that it will have."""
    place.geo.put("GSE162807", name, content)
    assert words in place.refused(name)
    assert not place.record.exists(), "no checksum of it may bind later downloads"


def test_the_first_download_binds_later_ones(place: Place) -> None:
    place.fetch()
    shutil.rmtree(place.folder)
    place.geo.put("GSE162807", NAME, gzip.compress(b"other"))
    place.table.unlink()
    text = place.refused()
    assert str(place.record) in text
    assert "if the deposit was changed" in text


def test_too_small_a_disk_is_told_before_the_download(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    text = place.refused()
    assert f"needs {len(CONTENT) / 1000:.1f} kB" in text
    assert "1.0 kB free" in text
    assert place.names == set() or place.names == {f"{NAME}.part.json"}


def test_a_disk_that_fills_up_is_told_in_one_line(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ordinary = Path.open

    def opened(self: Path, mode: str = "r", **options):
        # /dev/full: the kernel's own answer of a full disk
        return ordinary(Path("/dev/full") if mode == "ab" else self, mode, **options)

    monkeypatch.setattr(Path, "open", opened)
    assert "is full; what came is kept" in place.refused()


def test_a_folder_that_cannot_be_written_is_told_in_one_line(place: Place) -> None:
    place.folder.write_text("a file where the folder should be")
    with pytest.raises(InputError, match="cannot write to"):
        place.fetch()


# ---------------------------------------------------------------- archives


RAW = "GSE162807_RAW.tar"
INNER = tar({"raw_feature_bc_matrix/matrix.mtx.gz": CONTENT, "._junk": b"x"}, "w:gz")


def test_an_archive_is_unpacked_archives_inside_too(place: Place) -> None:
    place.geo.put("GSE162807", RAW, tar({"GSM1_a.txt.gz": CONTENT, "GSM2_b.tar.gz": INNER}))
    place.fetch(RAW)
    expected = {"GSM1_a.txt.gz", "GSM2_b/raw_feature_bc_matrix/matrix.mtx.gz"}
    assert place.names == {RAW, *expected}
    assert {name for name, _, _ in read_fetched(place.table)} == {RAW, *expected}
    assert {digest for name, _, digest in read_fetched(place.table) if name in expected} == {
        sha256_and_size(place.folder / "GSM1_a.txt.gz")[0]
    }


def test_what_is_unpacked_already_is_not_unpacked_again_and_the_archive_may_go(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.geo.put("GSE162807", RAW, tar({"GSM1_a.txt.gz": CONTENT}))
    rows = place.fetch(RAW)
    monkeypatch.setattr(module, "unpack", None)
    assert place.fetch(RAW) == rows
    (place.folder / RAW).unlink()
    assert sorted(place.fetch(RAW)) == sorted(rows)
    assert len(place.geo.asked) == 1


def test_a_damaged_member_leaves_nothing_in_the_folder(place: Place) -> None:
    place.geo.put("GSE162807", RAW, tar({"GSM1_a.txt.gz": CONTENT, "GSM2_b.txt.gz": CONTENT[:-20]}))
    with pytest.raises(InputError, match=r"member 'GSM2_b\.txt\.gz': truncated or damaged"):
        place.fetch(RAW)
    assert place.names == {RAW}
    assert not place.table.exists()


def test_a_truncated_archive_is_refused(place: Place) -> None:
    place.geo.put("GSE162807", RAW, tar({"GSM1_a.txt.gz": CONTENT})[:1000])
    with pytest.raises(InputError, match="truncated or damaged archive"):
        place.fetch(RAW)
    assert not place.table.exists()


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("../evil.txt", tarfile.REGTYPE, "points outside"),
        ("a/../../evil.txt", tarfile.REGTYPE, "points outside"),
        ("/tmp/evil.txt", tarfile.REGTYPE, "absolute"),
        ("C:\\evil.txt", tarfile.REGTYPE, "absolute"),
        ("evil.txt", tarfile.SYMTYPE, "is a link"),
        ("evil.txt", tarfile.LNKTYPE, "is a link"),
        ("evil.txt", tarfile.CHRTYPE, "is a device"),
        ("evil.txt", tarfile.FIFOTYPE, "is a device or pipe"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_members_that_climb_out_or_are_no_files_are_refused(
    place: Place, name: str, kind: bytes, words: str, nested: bool
) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "../../etc/passwd"
        archive.addfile(info, io.BytesIO())
    evil = stream.getvalue()
    place.geo.put("GSE162807", RAW, tar({"good.txt": b"1", "inner.tar": evil}) if nested else evil)
    with pytest.raises(InputError) as error:
        place.fetch(RAW)
    assert words in str(error.value)
    assert place.names == {RAW}
    assert not list(place.folder.parent.glob("evil*"))


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("evil")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="member 'evil' is a link; only files and folders are unpacked"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_too_small_a_disk_is_told_before_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.tar").write_bytes(tar({"a.txt": b"x" * 5000}))
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=4999))
    with pytest.raises(InputError, match=r"a\.tar: unpacking it needs 5\.0 kB"):
        unpack(tmp_path / "a.tar", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


# ---------------------------------------------------------------- a mirror that is a folder


@pytest.mark.parametrize("where", ["series/GSE162nnn/GSE162807/suppl", "GSE162807", ""])
def test_a_folder_can_stand_in_for_geo(place: Place, tmp_path: Path, where: str) -> None:
    mirror = tmp_path / "mirror"
    (mirror / where).mkdir(parents=True)
    (mirror / where / NAME).write_bytes(CONTENT)
    place.fetch(mirror=str(mirror))
    assert (place.folder / NAME).read_bytes() == CONTENT
    assert place.geo.asked == []


def test_a_file_that_the_folder_lacks_is_told_with_the_places(place: Place, tmp_path: Path) -> None:
    text = place.refused(mirror=str(tmp_path))
    assert f"({tmp_path}); looked for series/GSE162nnn/GSE162807/suppl/{NAME}" in text


def test_what_is_lost_is_fetched_again(place: Place, tmp_path: Path) -> None:
    file = Download(NAME, "")
    table = tmp_path / "resources/set/fetched" / f"{NAME}.tsv"
    place.table = table
    place.fetch()
    assert forget_lost("set", [file], place.folder, tmp_path) == []
    (place.folder / NAME).write_bytes(CONTENT[:-1])
    assert forget_lost("set", [file], place.folder, tmp_path) == [table]
    assert not table.exists()


def test_integrity_knows_hdf5(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as stream:
        stream["x"] = list(range(5000))
    assert integrity(tmp_path / "a.h5") == ""
    whole = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.h5").write_bytes(whole[:-100])
    assert "not a whole HDF5 file" in integrity(tmp_path / "a.h5")
