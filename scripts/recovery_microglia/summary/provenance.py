"""What a run used: versions, settings, checksums of its sources."""

import contextlib
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from recovery_microglia import __version__
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.files import SOURCES, fingerprint, sha256
from recovery_microglia.core.json_files import plain_json, read_json
from recovery_microglia.deposit.manifest import read_fetched

TOOLS = ("snakemake", "scanpy", "anndata", "leidenalg", "numpy", "pandas", "scipy", "umap-learn", "harmonypy")


def versions() -> dict[str, str]:
    """Return name to version of this package, Python and the libraries whose version can change a result."""
    found = {"recovery-microglia": __version__, "python": platform.python_version()}
    for name in TOOLS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def as_recorded(made: Iterable[tuple[Path, Path]]) -> dict[str, list[str]]:
    """Return SHA-256 and fingerprint of each source as the step that read it recorded them; without what was read before that was done.

    Parameters
    ----------
    made
        Source and product: a library's report, or the folder of a pass over shared files.
    """
    products = {product / SOURCES if product.is_dir() else product for _, product in made}
    found = dict[str, list[str]]()
    for product in products:
        if product.is_file():
            told = read_json(product)
            found |= told if product.name == SOURCES else told.get("sources", {})
    return found


def check_unchanged(
    made: Iterable[tuple[Path, Path]], recorded: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> None:
    """Refuse to close a run whose sources are no longer those that were read: checksums would name other files.

    Parameters
    ----------
    made
        Source and product. A source whose time lies in the future says nothing: a clock is wrong, and the file is not new.
    recorded
        As of `as_recorded`: a file that was replaced by an older one shows by its bytes only. A file of another time that holds the bytes that were
        read (it was copied back) is the same file: Snakemake does not read it again either.

    Raises
    ------
    InputError
        One line for each source that was written to, moved or deleted after its product was made from it.
    """
    now = time.time()
    lines = set()
    for source, product in made:
        known = recorded.get(source.as_posix())
        if not source.exists():
            lines.add(f"{source}: was moved or deleted after it was read")
        elif (
            product.stat().st_mtime < source.stat().st_mtime <= now or (known and fingerprint([source]) != known[1])
        ) and not (known and source.is_file() and sha256(source) == known[0]):
            lines.add(f"{source}: was changed after it was read; run the same command again")
    if lines:
        raise InputError("\n".join(sorted(lines)))


def check_gene_sets(paths: Sequence[Path], at_start: str) -> None:
    """Refuse to close a run whose gene sets were changed while it went on: some steps had the old ones, others the new.

    Parameters
    ----------
    paths
        Tables of gene sets.
    at_start
        Their `fingerprint` when the run began.

    Raises
    ------
    InputError
        They are others now.
    """
    if fingerprint(paths) != at_start:
        folder = paths[0].parent
        raise InputError(f"{folder}: a gene set was changed while the run went on; run the same command again")


def checked_sources(
    made: Iterable[tuple[Path | str, Path | str]], gene_sets: Iterable[Path | str], at_start: str
) -> dict[str, list[str]]:
    """Return what `as_recorded` returns, after `check_unchanged` and `check_gene_sets`."""
    readings = [(Path(source), Path(product)) for source, product in made]
    recorded = as_recorded(readings)
    check_unchanged(readings, recorded)
    check_gene_sets([Path(path) for path in gene_sets], at_start)
    return recorded


def checksums(path: Path, recorded: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Return name and SHA-256 of an input: as it was read, or of what a table of fetched files lists."""
    if path.parent.name == "fetched" and path.suffix == ".tsv":
        return [(file, digest) for file, _, digest in read_fetched(path)]
    known = recorded.get(path.as_posix())
    return [(path.as_posix(), known[0] if known else sha256(path))]


def provenance_table(
    inputs: Sequence[Path], settings: Mapping[str, Any], recorded: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> pd.DataFrame:
    """Return what the run used (= provenance.tsv): kind, name, value; checksums, versions and settings.

    ``recorded``: the checksums of the bytes that were read, as of `as_recorded`; a file that is not there is read here.
    """
    rows = [{"kind": "version", "name": name, "value": value} for name, value in versions().items()]
    for section, value in settings.items():
        pairs = value.items() if isinstance(value, Mapping) else [("", value)]
        for key, item in pairs:
            name = f"{section}.{key}" if key else section
            rows.append({"kind": "setting", "name": name, "value": str(plain_json(item))})
    sums = [pair for path in inputs if path.is_file() for pair in checksums(path, recorded)]
    rows += [{"kind": "sha256", "name": name, "value": digest} for name, digest in sums]
    return pd.DataFrame(rows, columns=["kind", "name", "value"])
