"""The compiled passes give what scipy and numpy give, to the last bit."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from recovery_microglia.core import kernels
from recovery_microglia.library import doublet_kernels
from recovery_microglia.readers import renumber


def random_counts(rng: np.random.Generator, rows: int = 40, columns: int = 130) -> sp.csr_matrix:
    dense = rng.poisson(0.6, (rows, columns)).astype(np.int32)
    dense[3] = 0
    return sp.csr_matrix(dense)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_sums(rng: np.random.Generator) -> None:
    counts = random_counts(rng)
    group = rng.integers(-1, 3, counts.shape[0])
    np.testing.assert_array_equal(kernels.row_sums(counts), np.asarray(counts.sum(axis=1)).ravel())
    expected = [np.asarray(counts[group == g].sum(axis=0)).ravel() for g in range(3)]
    np.testing.assert_array_equal(kernels.group_sums(counts, group, 3), expected)
    groups = [np.array([1, 5, 9]), np.zeros(0, dtype=np.int64), np.array([5, 6])]
    expected = [np.asarray(counts[:, g].sum(axis=1)).ravel() for g in groups]
    np.testing.assert_array_equal(kernels.column_group_sums(counts, groups), expected)


def test_moments_are_rounded_as_those_of_scipy(rng: np.random.Generator) -> None:
    counts = random_counts(rng)
    rows = np.flatnonzero(rng.random(counts.shape[0]) < 0.7)
    square = counts[rows].copy()
    square.data **= 2
    mean, mean_square, seen = kernels.column_moments(counts, rows)
    np.testing.assert_array_equal(mean, np.asarray(counts[rows].mean(axis=0)).ravel())
    np.testing.assert_array_equal(mean_square, np.asarray(square.mean(axis=0)).ravel())
    np.testing.assert_array_equal(seen, np.asarray((counts[rows] > 0).sum(axis=0)).ravel())


def test_products_are_those_of_the_slices(rng: np.random.Generator) -> None:
    counts = random_counts(rng)
    columns = np.sort(rng.choice(counts.shape[1], 60, replace=False))
    table, rows = rng.normal(size=(60, 7)), np.array([5, 3, 30])
    part = counts[:, columns].astype(np.float64)
    part.data = np.minimum(part.data, 2)
    for n in (7, 4, 1):  # the table is filled up to a multiple of four columns
        # the table is read in single precision, which is the same as rounding it before: then sums agree to the last digit
        rounded = table[:, :n].astype(np.float32).astype(np.float64)
        found = kernels.row_products(counts, rows, columns, table[:, :n], most=2)
        np.testing.assert_array_equal(found, np.asarray(part[rows] @ rounded))


def test_rows_and_pairs_of_rows_on_the_log_scale(rng: np.random.Generator) -> None:
    counts = random_counts(rng)
    left, right = np.array([0, 3, 7, 7]), np.array([5, 3, 7, 2])  # row 3 is empty, and a cell may be paired with itself
    for other, dense in (
        (None, counts[left].toarray()),
        (right, counts[left].toarray() + counts[right].toarray()),
    ):
        scaled = dense * (120.5 / np.maximum(dense.sum(axis=1), 1))[:, None]
        expected = np.log1p(scaled).astype(np.float32)
        np.testing.assert_allclose(doublet_kernels.log_rows(counts, left, other, 120.5), expected, rtol=2e-7)


def test_logarithms_of_many_counts_are_those_of_few() -> None:
    counts = sp.csr_matrix(
        np.array([[0, 1, doublet_kernels.FEW - 1, doublet_kernels.FEW, 5000], [1, 2, 3, 1, 2]], dtype=np.int32)
    )
    scaled = counts.toarray() * (300 / counts.toarray().sum(axis=1))[:, None]
    found = doublet_kernels.log_rows(counts, np.array([0, 1, 0]), None, 300.0)
    np.testing.assert_allclose(found, np.log1p(scaled)[[0, 1, 0]].astype(np.float32), rtol=2e-7)


def test_moments_of_groups_are_rounded_as_products_are(rng: np.random.Generator) -> None:
    logged = random_counts(rng).astype(np.float32)
    logged.data = np.log1p(logged.data)
    squared = logged.copy()
    squared.data = squared.data**2
    group = rng.integers(0, 3, logged.shape[0])
    member = sp.csr_matrix((np.ones(len(group)), group, np.arange(len(group) + 1)), shape=(len(group), 3))
    found = kernels.group_moments(logged, group, 3)
    np.testing.assert_array_equal(found, [(member.T @ part).toarray() for part in (logged, squared)])


def test_squares_are_rounded_as_numpys(rng: np.random.Generator) -> None:
    dense = rng.normal(size=(500, 40)).astype(np.float32)
    np.testing.assert_array_equal(doublet_kernels.square_sums(dense), (dense**2).sum(axis=0))


@pytest.mark.parametrize("n_columns", [1, 64, 100])
def test_columns_move_meet_and_are_left_out(rng: np.random.Generator, n_columns: int) -> None:
    counts = random_counts(rng)
    column = rng.integers(-1, n_columns, counts.shape[1])
    join = np.zeros((counts.shape[1], n_columns), dtype=np.int64)
    join[np.flatnonzero(column >= 0), column[column >= 0]] = 1
    expected = counts.toarray() @ join
    moved = renumber.renumber(counts.copy(), column, n_columns)
    np.testing.assert_array_equal(moved.toarray(), expected)
    assert moved.nnz == np.count_nonzero(expected)
    assert all((np.diff(moved.indices[a:b]) > 0).all() for a, b in zip(moved.indptr, moved.indptr[1:], strict=False))


@pytest.mark.parametrize("n", [60, 5000])
def test_neighbours_are_counted_as_a_full_ranking_does(rng: np.random.Generator, n: int) -> None:
    points = rng.normal(size=(n, 6)).astype(np.float32)
    points[1::7] += 30  # far from the others: a bound learnt from a few points must hold for every row
    norm, some = (points**2).sum(axis=1), slice(10, 50)
    product = (2 * points[some]) @ points.T
    distance = norm - product
    distance[np.arange(40), np.arange(10, 50)] = np.inf
    for k in (1, 7, 30):
        nearest = np.argsort(distance, axis=1, kind="stable")[:, :k]
        found = doublet_kernels.late_among_nearest(product, norm, np.arange(n) >= n // 3, start=10, k=k)
        np.testing.assert_array_equal(found, (nearest >= n // 3).sum(axis=1))


def test_ties_for_the_last_place_are_decided_as_by_numpy() -> None:
    points = np.repeat(np.arange(20, dtype=np.float32), 2)[:, None]  # each point twice, one early and one late
    points = np.concatenate([points[::2], points[1::2]])
    norm, product = (points**2).sum(axis=1), (2 * points) @ points.T
    distance = norm - product
    np.fill_diagonal(distance, np.inf)
    for k in (1, 2, 4, 5):
        expected = (np.argpartition(distance, k - 1, axis=1)[:, :k] >= 20).sum(axis=1)
        found = doublet_kernels.late_among_nearest(product, norm, np.arange(40) >= 20, start=0, k=k)
        np.testing.assert_array_equal(found, expected)


def test_where_no_cache_can_be_written_it_is_compiled_all_the_same(tmp_path: Path, root: Path) -> None:
    """An installation that is read-only, a user without a home: slower, not broken."""
    package = tmp_path / "scripts" / "recovery_microglia"
    (package / "core").mkdir(parents=True)
    for name in ("__init__.py", *(f"core/{name}.py" for name in ("__init__", "arrays", "compiled", "kernels"))):
        (package / name).write_bytes((root / "scripts/recovery_microglia" / name).read_bytes())
    (package / "core" / "__pycache__").write_text("a file where numba wants a folder")
    (tmp_path / "home").write_text("and no folder at home")
    code = "import numpy, scipy.sparse as s; from recovery_microglia.core.kernels import row_sums; print(row_sums(s.csr_matrix(numpy.eye(3, dtype='i4'))))"
    env = {key: value for key, value in os.environ.items() if not key.startswith(("NUMBA", "XDG"))}
    env |= {"PYTHONPATH": str(tmp_path / "scripts"), "HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[1 1 1]", done.stderr
