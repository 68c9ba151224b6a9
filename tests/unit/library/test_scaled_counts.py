"""Counts as the lineage gate hears them."""

import numpy as np
import pytest
import scipy.sparse as sp

from recovery_microglia.library.lineage.evidence import DEEP, scaled_down


@pytest.mark.parametrize("deepest", [DEEP, 1.5 * DEEP, 300 * DEEP])
def test_deep_cells_are_scaled_down_and_rounded_and_the_rest_stays(deepest: float) -> None:
    rng = np.random.default_rng(1)
    dense = rng.poisson(3, (6, 400))
    dense[1] = rng.multinomial(int(deepest), rng.dirichlet(np.full(400, 0.3)))
    dense[4] = 0
    counts = sp.csr_matrix(dense)
    found = scaled_down(counts)
    total = dense.sum(axis=1, keepdims=True)
    expected = np.rint(dense * np.minimum(DEEP / np.maximum(total, 1), 1)).astype(int)
    np.testing.assert_array_equal(found.toarray(), expected)
    assert found.nnz == np.count_nonzero(expected)  # no count of none is stored
    np.testing.assert_array_equal(counts.toarray(), dense)  # the counts of the library are as they were
    assert (found is counts) == (deepest <= DEEP)
