"""What a layout's reader returns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd
import scipy.sparse as sp


@dataclass(frozen=True)
class Table:
    """What a layout's reader returns.

    Attributes
    ----------
    matrix
        Barcodes × features.
    barcodes, ids, symbols
        Names as they stand in the files; ``ids`` is empty where there is one column of names only.
    types
        Feature types, empty where the layout has none.
    genomes
        Genome of each feature, empty where the layout has none.
    layout
        Name of the layout, for the report.
    obs
        Columns that came with the barcodes.
    no_cells
        Columns of a table of text that hold no counts and were left out.
    """

    matrix: sp.csr_matrix
    barcodes: Sequence[str]
    symbols: Sequence[str]
    layout: str
    ids: Sequence[str] = ()
    types: Sequence[str] = ()
    genomes: Sequence[str] = ()
    obs: pd.DataFrame | None = field(default=None)
    no_cells: tuple[str, ...] = ()
