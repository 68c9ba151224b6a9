"""Files of several libraries, taken apart and read back."""

import tempfile
from pathlib import Path
from typing import Any

import anndata as ad

from recovery_microglia.readers.barcode_assignment import Rule
from recovery_microglia.readers.split import split_counts


def taken_apart(
    source: Path | ad.AnnData, libraries: dict[str, str], **how: Any
) -> tuple[dict[str, ad.AnnData], dict[str, str]]:
    """Split a file, or a matrix as h5ad; return each library as it was written, and what is told of absent ones."""
    with tempfile.TemporaryDirectory() as folder:
        path = source if isinstance(source, Path) else Path(folder) / "in.h5ad"
        if isinstance(source, ad.AnnData):
            source.write_h5ad(path)
        out = Path(folder) / "out"
        out.mkdir()
        told = split_counts(path, libraries, Rule(**how), out)
        parts = {name: ad.read_h5ad(out / f"{name}.h5ad") for name in told.written}
        assert {path.stem for path in out.iterdir()} == set(parts)
    assert {name: (part.n_obs, part.uns["key"]) for name, part in parts.items()} == told.written
    return parts, told.absent
