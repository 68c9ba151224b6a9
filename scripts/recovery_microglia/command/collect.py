"""What a bug report needs, in one file: logs, configuration, sheets, summaries, versions. No counts, no cells."""

import json
import platform
import sys
import zipfile
from collections.abc import Iterator, Sequence
from importlib.metadata import distributions
from pathlib import Path

from recovery_microglia import __version__
from recovery_microglia.core.errors import InputError

OF_A_SET = ("summary.json", "costs.tsv", "design.txt", "logs/*.log", "costs/*.json", "tables/warnings.tsv", "tables/qc.tsv",
            "tables/provenance.tsv")  # fmt: skip
"""Files of a data set's results that hold no counts, no cells and no genes' values."""
SNAKEMAKES = 3
"""Of Snakemake's own logs, the last ones."""
LARGEST = 5_000_000
"""Bytes of a file that is packed; a log that is longer is cut at its end, which tells what went wrong."""


def _files(folder: Path, datasets: Sequence[str]) -> Iterator[Path]:
    results = folder / "results"
    names = datasets or sorted(path.name for path in results.glob("*") if (path / "logs").is_dir())
    yield folder / "config" / "config.yaml"
    for name in names:
        entry = folder / "config" / "datasets" / name
        yield from (entry / file for file in ("dataset.yaml", "samples.tsv", "behaviour.tsv"))
        for pattern in OF_A_SET:
            yield from sorted((results / name).glob(pattern))
    yield from sorted((results / "logs").glob("*.log"))
    yield from sorted((folder / ".snakemake" / "log").glob("*.log"))[-SNAKEMAKES:]


def machine() -> dict[str, object]:
    """Return what the run stood on: system, Python, and the version of every package."""
    return {
        "recovery_microglia": __version__,
        "python": sys.version,
        "system": platform.platform(),
        "packages": {one.name: one.version for one in sorted(distributions(), key=lambda one: str(one.name).lower())},
    }


def collect(folder: Path, out: Path, datasets: Sequence[str] = ()) -> str:
    """Pack the files of a bug report; return what was packed, in words.

    Paths below the user's home are written as ``~``.

    Raises
    ------
    InputError
        A data set that is named has neither an entry nor results, or there is nothing to pack.
    """
    for name in datasets:
        if not any((folder / place / name).is_dir() for place in ("config/datasets", "results")):
            raise InputError(
                f"'{name}': neither config/datasets/{name} nor results/{name} is here ({folder.resolve()})"
            )
    files = [path for path in _files(folder, datasets) if path.is_file()]
    if not files:
        raise InputError(
            f"{folder.resolve()}: neither config/config.yaml nor results are here; go to the folder of the run"
        )
    home = str(Path.home())
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("versions.json", json.dumps(machine(), indent=1))
        for path in files:
            text = path.read_bytes()[-LARGEST:].decode("utf-8", errors="replace")
            pack.writestr(path.relative_to(folder).as_posix(), text.replace(home, "~") if len(home) > 1 else text)
    listed = "".join(f"  {path.relative_to(folder).as_posix()}\n" for path in files)
    return f"{out}: {len(files) + 1} files, {out.stat().st_size / 1e3:.0f} kB\n  versions.json\n{listed}Look at it before you send it: it names your files, animals and libraries."
