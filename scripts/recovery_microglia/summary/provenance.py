"""What a run used: versions, settings, checksums of its sources."""

import contextlib
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from recovery_microglia import __version__
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.files import sha256
from recovery_microglia.core.json_files import plain_json
from recovery_microglia.deposit.manifest import read_fetched

TOOLS = ("snakemake", "scanpy", "anndata", "leidenalg", "numpy", "pandas", "scipy", "umap-learn", "harmonypy")


def versions() -> dict[str, str]:
    """Return name to version of this package, Python and the libraries whose version can change a result."""
    found = {"recovery-microglia": __version__, "python": platform.python_version()}
    for name in TOOLS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def check_unchanged(made: Iterable[tuple[Path, Path]]) -> None:
    """Refuse to close a run whose sources are no longer those that were read: checksums would name other files.

    Parameters
    ----------
    made
        Source and product. A source whose time lies in the future says nothing: a clock is wrong, and the file is not new.

    Raises
    ------
    InputError
        One line for each source that was written to, moved or deleted after its product was made from it.
    """
    now = time.time()
    lines = set()
    for source, product in made:
        if not source.exists():
            lines.add(f"{source}: was moved or deleted after it was read")
        elif product.stat().st_mtime < source.stat().st_mtime <= now:
            lines.add(f"{source}: was changed after it was read; run the same command again")
    if lines:
        raise InputError("\n".join(sorted(lines)))


def checksums(path: Path) -> list[tuple[str, str]]:
    """Return name and SHA-256 of an input: of the file itself, or of what a table of fetched files lists."""
    if path.parent.name == "fetched" and path.suffix == ".tsv":
        return [(file, digest) for file, _, digest in read_fetched(path)]
    return [(path.as_posix(), sha256(path))]


def provenance_table(inputs: Sequence[Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return what the run used (= provenance.tsv): kind, name, value; checksums, versions and settings."""
    rows = [{"kind": "version", "name": name, "value": value} for name, value in versions().items()]
    for section, value in settings.items():
        pairs = value.items() if isinstance(value, Mapping) else [("", value)]
        for key, item in pairs:
            name = f"{section}.{key}" if key else section
            rows.append({"kind": "setting", "name": name, "value": str(plain_json(item))})
    sums = [pair for path in inputs if path.is_file() for pair in checksums(path)]
    rows += [{"kind": "sha256", "name": name, "value": digest} for name, digest in sums]
    return pd.DataFrame(rows, columns=["kind", "name", "value"])
