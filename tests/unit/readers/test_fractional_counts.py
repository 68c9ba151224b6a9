"""Values that are no whole numbers are told as what was done to them, with the remedy; each law is applied to the same counts.

On seven laws and five libraries of real cells (Drop-seq, MARS-seq, 10x) no normalised values were called decontaminated; of
decontaminated ones a library of deep cells was called normalised, which is refused all the same.
"""

from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.genes import known_symbols
from recovery_microglia.readers.any_layout import read_counts
from recovery_microglia.readers.validation import fraction_word

RNG = np.random.default_rng(3)
GENES = sorted(known_symbols("mouse"))[2000:2600]
COUNTS = RNG.poisson(RNG.gamma(0.25, 8, 600)[None, :] * RNG.gamma(4, 0.25, 150)[:, None]).astype(float)
DEPTH = COUNTS.sum(axis=1, keepdims=True)
SOUP = COUNTS.sum(axis=0) / COUNTS.sum()

LAWS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "SoupX takes a share of the ambient profile off every gene": (
        lambda n: np.maximum(n - 0.1 * DEPTH * SOUP, 0),
        "ambient RNA was subtracted (SoupX, decontX)",
    ),
    "decontX keeps a share of every count": (
        lambda n: n * np.random.default_rng(1).beta(18, 2, n.shape),
        "ambient RNA was subtracted (SoupX, decontX)",
    ),
    "CEL-Seq2 with barcodes of six letters": (
        lambda n: -4096 * np.log1p(-n / 4096),
        "corrected for collisions of 4,096 molecular barcodes (CEL-Seq2, RaceID)",
    ),
    "CEL-Seq2 with barcodes of four letters": (
        lambda n: -256 * np.log1p(-np.minimum(n, 255) / 256),
        "corrected for collisions of 256 molecular barcodes (CEL-Seq2, RaceID)",
    ),
    "log1p of counts per 10,000": (lambda n: np.log1p(n / DEPTH * 1e4), "the values look log-normalised"),
    "counts per 10,000": (lambda n: n / DEPTH * 1e4, "the values look normalised (FPKM, TPM or CPM)"),
    "TPM": (
        lambda n: n / DEPTH * 1e6 / np.random.default_rng(2).uniform(0.5, 5, 600),
        "the values look normalised (FPKM, TPM or CPM)",
    ),
    "scaled to the median cell": (
        lambda n: n / DEPTH * np.median(DEPTH),
        "the values look normalised (FPKM, TPM or CPM)",
    ),
}


@pytest.mark.parametrize("law", LAWS)
def test_what_was_done_to_counts_is_told(tmp_path: Path, law: str) -> None:
    change, says = LAWS[law]
    values = sp.csr_matrix(change(COUNTS))
    values.eliminate_zeros()
    assert says in fraction_word(values)
    ad.AnnData(
        values, obs=pd.DataFrame(index=[f"AAAC{k}-1" for k in range(150)]), var=pd.DataFrame(index=GENES)
    ).write_h5ad(tmp_path / "m.h5ad")
    with pytest.raises(InputError) as error:
        read_counts(tmp_path / "m.h5ad")
    assert f"no raw counts in X: no whole numbers; {says}" in str(error.value)


def test_the_remedy_for_collisions_gives_the_counts_back() -> None:
    corrected = -4096 * np.log1p(-COUNTS / 4096)
    assert (np.round(4096 * (1 - np.exp(-corrected / 4096))) == COUNTS).all()
