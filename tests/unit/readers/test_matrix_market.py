"""The compiled reader of MatrixMarket gives what scipy gives, and leaves to scipy what it does not know."""

import faulthandler
import gzip
import os
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.io import mmread

from recovery_microglia.core.errors import InputError
from recovery_microglia.readers import matrix_market

HEAD = "%%MatrixMarket matrix coordinate integer general\n"
PLAIN = HEAD + "%\n3 4 5\n1 1 5\n3 1 2\n2 3 7\n1 4 1\n3 4 12\n"


def written(folder: Path, text: str | bytes, *, zipped: bool = True) -> Path:
    path = folder / "m.mtx.gz"
    raw = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(raw) if zipped else raw)
    return path


def by_scipy(text: str, folder: Path) -> np.ndarray:
    path = folder / "s.mtx"
    path.write_text(re.sub("(unsigned-)?integer", "real", text, count=1))  # or it cuts decimals off
    return np.asarray(sp.coo_matrix(mmread(path, spmatrix=True)).toarray())


def by_scipy_apart(text: str, folder: Path) -> tuple[bool, np.ndarray | None]:
    """Return whether scipy crashed, and what it read, None if it refused the file.

    A process of its own reads: scipy 1.18 ends with a segmentation fault at some broken files ("3 2-20060" is one), and would end the tests with it.
    """
    answer = folder / "read.npy"
    child = os.fork()
    if child == 0:
        faulthandler.disable()
        with suppress(Exception):
            np.save(answer, by_scipy(text, folder))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status), np.load(answer) if answer.exists() else None


@pytest.fixture
def no_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(path: Path) -> sp.coo_matrix:
        raise AssertionError(f"{path} was left to scipy")

    monkeypatch.setattr(matrix_market, "_by_scipy", never)


ORDERS = {"by column": lambda r, c: np.lexsort((r, c)), "by row": lambda r, c: np.lexsort((c, r))}


@pytest.mark.usefixtures("no_scipy")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("block", [40, 1 << 22])
@pytest.mark.parametrize("zipped", [True, False])
def test_random_matrices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str, block: int, zipped: bool) -> None:
    monkeypatch.setattr(matrix_market, "BLOCK", block)
    rng = np.random.default_rng(block)
    for shape in ((1, 1), (30, 50), (2000, 3)):
        dense = rng.poisson(0.5, shape) * rng.integers(1, 2**20, shape)
        dense[0, 0] = 2**31 - 1
        row, column = np.nonzero(dense)
        place = ORDERS[order](row, column)
        lines = "".join(f"{r + 1} {c + 1} {dense[r, c]}\n" for r, c in zip(row[place], column[place], strict=True))
        text = HEAD + f"%\n{shape[0]} {shape[1]} {len(row)}\n" + lines
        found = matrix_market.read_entries(written(tmp_path, text, zipped=zipped))
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found.toarray(), dense)
        np.testing.assert_array_equal(found.toarray(), by_scipy(text, tmp_path))


@pytest.mark.usefixtures("no_scipy")
@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.rstrip("\n"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("1 4 1", "1\t4   1 "),
        PLAIN.replace("%\n", "% made by hand\n%\n\n"),
        PLAIN.replace("integer", "real"),
        PLAIN.replace("1 4 1", "1 4 0"),
        PLAIN.replace("3 4 12", "1 4 12"),  # the same place twice
        HEAD + "3 4 0\n",
    ],
    ids=["plain", "no last line break", "Windows", "tabs", "comments", "real", "a zero", "twice", "nothing"],
)
def test_usual_files_are_read_without_scipy(tmp_path: Path, text: str) -> None:
    np.testing.assert_array_equal(
        matrix_market.read_entries(written(tmp_path, text)).toarray(), by_scipy(text, tmp_path)
    )


def test_the_sum_of_what_is_there_twice_does_not_overflow(tmp_path: Path) -> None:
    text = HEAD + "1 1 2\n1 1 2147483647\n1 1 2147483647\n"
    found = matrix_market.read_entries(written(tmp_path, text))
    found.sum_duplicates()
    assert found[0, 0] == 2 * 2147483647


UNUSUAL = {
    "no order": PLAIN.replace("1 1 5\n3 1 2\n2 3 7", "2 3 7\n3 1 2\n1 1 5"),
    "fractions": PLAIN.replace("integer", "real").replace("1 4 1", "1 4 0.25"),
    "negative": PLAIN.replace("1 4 1", "1 4 -1"),
    "not a number": PLAIN.replace("integer", "real").replace("1 4 1", "1 4 nan"),
    "unsigned": PLAIN.replace("integer", "unsigned-integer"),
    "symmetric": HEAD.replace("general", "symmetric") + "3 3 2\n1 1 4\n3 1 2\n",
    "large": PLAIN.replace("1 4 1", "1 4 2147483648"),
    "array": "%%MatrixMarket matrix array integer general\n2 2\n1\n0\n3\n4\n",
    "blank lines": PLAIN.replace("1 4 1\n", "1 4 1\n\n"),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNUSUAL)
def test_unusual_files_are_what_scipy_says(tmp_path: Path, kind: str) -> None:
    text = UNUSUAL[kind]
    np.testing.assert_array_equal(
        matrix_market.read_entries(written(tmp_path, text)).toarray(), by_scipy(text, tmp_path)
    )


WRONG = {
    "too few": PLAIN.replace("3 4 5", "3 4 6"),
    "too many": PLAIN.replace("3 4 5", "3 4 4"),
    "outside": PLAIN.replace("3 4 12", "4 4 12"),
    "row 0": PLAIN.replace("1 1 5", "0 1 5"),
    "a comment between": PLAIN.replace("1 4 1\n", "% half-way\n1 4 1\n"),
    "a word": PLAIN.replace("1 4 1\n", "1 4 one\n"),
    "two fields": PLAIN.replace("1 4 1\n", "1 4\n"),
    "far too many promised": PLAIN.replace("3 4 5", "3 4 2000000000"),
    "an endless line": HEAD + "3 4 5\n" + "1" * 300_000,
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_file_that_lies_is_refused_in_scipys_words(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, WRONG[kind])
    with pytest.raises(Exception) as said:  # noqa: PT011 (whatever scipy says)
        by_scipy(WRONG[kind], tmp_path)
    with pytest.raises(InputError) as refused:
        matrix_market.read_entries(path)
    assert str(refused.value) == f"{path}: not a whole MatrixMarket file ({said.value})"


@pytest.mark.parametrize("sizes", ["3 4000000000000 5", "2000000000 4 5"])
def test_a_huge_shape_takes_no_memory(tmp_path: Path, sizes: str) -> None:
    found = matrix_market.read_entries(written(tmp_path, PLAIN.replace("3 4 5", sizes)))
    assert found.shape == tuple(map(int, sizes.split()[:2]))
    assert found.nnz == 5


@pytest.mark.parametrize("value", ["1.5", "0.6931", "15e-1"])
def test_decimals_under_a_header_that_says_integer_are_not_cut_off(tmp_path: Path, value: str) -> None:
    found = matrix_market.read_entries(written(tmp_path, PLAIN.replace("1 4 1", f"1 4 {value}")))
    assert found.toarray()[0, 3] == float(value)


@pytest.mark.parametrize("sort", ["integer", "real"])
@pytest.mark.parametrize("value", ["1,5", "0x10", "5cells"])
def test_what_scipy_reads_in_part_is_refused_with_its_line(tmp_path: Path, value: str, sort: str) -> None:
    path = written(tmp_path, PLAIN.replace("1 4 1", f"1 4 {value}").replace("integer", sort))
    with pytest.raises(InputError, match=f"line 7: '1 4 {value}' is not row, column and count"):
        matrix_market.read_entries(path)


@pytest.mark.parametrize("block", [7, 1 << 22])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PLAIN.replace("1 4 1", "1 4 1 9"), "line 7: '1 4 1 9' is not row, column and count"),
        (UNUSUAL["array"].replace("3\n4", "3 1\n4"), "line 5: '3 1' is not one number"),
    ],
    ids=["count", "array"],
)
def test_a_number_too_many_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str, block: int
) -> None:
    monkeypatch.setattr(matrix_market, "BLOCK", block)
    by_scipy(text, tmp_path)  # reads it, without that number
    with pytest.raises(InputError, match=said):
        matrix_market.read_entries(written(tmp_path, text))


def test_a_truncated_gzip_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, PLAIN * 50)
    for size in (15, path.stat().st_size - 9):
        path.write_bytes(path.read_bytes()[:size])
        with pytest.raises(InputError, match="truncated or damaged gzip file"):
            matrix_market.read_entries(path)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="0123456789 \n\t\r%.-e", max_size=60), st.integers(5, 80))
def test_whatever_stands_there_scipy_agrees(text: str, block: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(matrix_market, "BLOCK", block)
        whole = HEAD + "3 4 2\n" + text
        path = written(Path(folder), whole, zipped=False)
        crashed, expected = by_scipy_apart(whole, Path(folder))
        assume(not crashed)
        if expected is None:
            with pytest.raises(InputError):
                matrix_market.read_entries(path)
        else:
            np.testing.assert_array_equal(matrix_market.read_entries(path).toarray(), expected)
