"""What a killed run left behind, what the disk says, and tables that people write."""

import errno
import multiprocessing
import os
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pytest

from recovery_microglia.core import files
from recovery_microglia.core.errors import InputError, shortened
from recovery_microglia.core.tsv import looks_like_date, read_tsv
from recovery_microglia.jobs.disk import unusable, what_the_disk_says
from recovery_microglia.jobs.run_lock import hold
from recovery_microglia.summary.provenance import check_unchanged


def locked(folder: Path) -> Path:
    lock = folder / "locks" / "0.input.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("data/A.csv\n")
    return lock


def _another_run(folder: Path, held: Event, done: Event) -> None:
    kept = hold(folder)
    assert kept is not None
    held.set()
    done.wait(60)


def test_locks_of_dead_runs_are_taken_away_and_those_of_live_ones_are_not(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_another_run, args=(tmp_path, held, done))
    other.start()
    assert held.wait(60)
    lock = locked(tmp_path)
    beside = hold(tmp_path)  # a second run, while the first is alive
    assert beside is not None
    assert lock.exists()
    done.set()
    other.join()
    third = hold(tmp_path)  # the second is alive still
    assert third is not None
    assert lock.exists()
    beside.close()
    third.close()
    last = hold(tmp_path)
    assert last is not None
    assert not lock.exists()
    last.close()


def test_a_folder_is_made_if_its_parent_is_there_and_nothing_is_written_otherwise(tmp_path: Path) -> None:
    held = hold(tmp_path / ".snakemake")
    assert held is not None
    held.close()
    assert hold(tmp_path / "nowhere" / ".snakemake") is None
    assert not (tmp_path / "nowhere").exists()
    assert unusable(tmp_path / "results") == ""
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.tsv"), "a.tsv: the disk is full; make room"),
        (OSError("Can't write (name = 'x.h5', errno = 28, error message = '…')"), "x.h5: the disk is full; make room"),
        (OSError(errno.EROFS, "Read-only file system", "a.tsv"), "a.tsv: the disk can only be read"),
        (FileNotFoundError(errno.ENOENT, "No such file", "a.tsv"), "a.tsv: no such file: was it moved"),
        (OSError("nothing that is known"), ""),
        (OSError(errno.EINVAL, "Invalid argument", "a.tsv"), ""),
    ],
)
def test_the_disk_is_told_in_plain_words_and_nothing_else_is(error: OSError, words: str) -> None:
    said = what_the_disk_says(error)
    assert said.startswith(words)
    assert bool(said) == bool(words)


def test_a_source_is_changed_only_if_it_is_newer_than_its_product_and_not_of_the_future(tmp_path: Path) -> None:
    source, product = tmp_path / "a.csv", tmp_path / "a.json"
    source.write_text("x")
    product.write_text("y")
    now = time.time()
    os.utime(product, (now - 100, now - 100))
    for age, changed in ((200, False), (50, True), (-3600, False)):
        os.utime(source, (now - age, now - age))
        if changed:
            with pytest.raises(InputError, match="was changed after it was read"):
                check_unchanged([(source, product)])
        else:
            check_unchanged([(source, product)])


@pytest.mark.parametrize(
    "word",
    ["2-Sep", "1-Mar", "01-Mar", "Mar-01", "2.Sep", "Sep 2", "2026-03-01", "2026-03-01 00:00:00", "1-Dec", "5. Okt"],
)
def test_what_a_spreadsheet_makes_of_genes_looks_like_a_date(word: str) -> None:
    assert looks_like_date(word)


@pytest.mark.parametrize(
    "word", ["Sept2", "March1", "Marchf1", "D14_1", "S14a", "1dpi_sample1", "14", "Dec1", "mar1", "m01", "H2-D1"]
)
def test_names_do_not(word: str) -> None:
    assert not looks_like_date(word)


def test_no_known_symbol_looks_like_a_date() -> None:
    from recovery_microglia.core.genes import known_symbols

    assert [name for name in known_symbols("mouse") if looks_like_date(name)] == []


def test_rows_keep_their_numbers_and_invisible_characters_go(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_bytes("\ufeffa\tb\r\n\u200b1\u00a0\t x \r\n\t\r\n2\r\n".encode())
    assert read_tsv(path, "") == (["a", "b"], [(2, {"a": "1", "b": "x"}), (4, {"a": "2"})])


def test_many_lines_are_shortened_and_counted() -> None:
    assert shortened(list("abc"), 3) == list("abc")
    assert shortened(list("abcd"), 3) == ["a", "b", "c", "… and 1 more line like these"]


@pytest.mark.parametrize("size", [0, 10, 3 * files.SAMPLED, 10 * files.SAMPLED + 7])
def test_a_file_that_was_replaced_has_another_fingerprint(tmp_path: Path, size: int) -> None:
    path = tmp_path / "m.mtx.gz"
    held = np.random.default_rng(0).bytes(size)
    path.write_bytes(held)
    before = files.fingerprint([path])
    os.utime(path, ns=(0, 0))
    assert files.fingerprint([path]) == before  # its time says nothing
    assert files.fingerprint([tmp_path / "m."]) == before  # the beginning of its name
    for other in (held + b"x", *([held[:-1] + bytes([held[-1] ^ 1]), bytes([held[0] ^ 1]) + held[1:]] if size else [])):
        path.write_bytes(other)
        assert files.fingerprint([path]) != before
    path.write_bytes(held)
    path.rename(tmp_path / "n.mtx.gz")
    assert files.fingerprint([tmp_path]) != before
    assert files.fingerprint([tmp_path / "nowhere"]) == files.fingerprint([])
