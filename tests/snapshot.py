"""Hold the results of whole runs against stored checksums, so that code can be moved without changing an answer.

  .venv/bin/python tests/snapshot.py                # runs the demo and two real sets, compares, names what differs
  .venv/bin/python tests/snapshot.py --no-run demo  # compares what lies in results/ (what `make snapshot` in CI does)
  .venv/bin/python tests/snapshot.py --renew        # stores the present results

Whoever changes results on purpose renews the snapshot in the same commit, and says why. Real sets are left out where
``../shared/data`` is absent. Floating-point sums differ in their last bits between processors, and a neighbourhood graph can turn
such a bit into another cluster: the snapshot names the machine it was made on, and on another machine the comparison only
reports.
"""

import argparse
import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
STORED = ROOT / "tests" / "snapshot.tsv"
REAL = ("tay2018_fnx_microglia_98genes", "zywitza2018_svz_dropseq")
DATASETS = ("demo", *REAL)
LEFT_OUT = ("costs.tsv", "report.html")
"""Times differ from run to run; the page has tests of its own."""


LIBRARIES = (
    *("anndata", "harmonypy", "igraph", "leidenalg", "numba", "numpy", "pandas", "pynndescent", "scanpy"),
    *("scikit-learn", "scipy", "umap-learn"),
)
"""Libraries whose version can change a number."""


def digest_of_array(values: np.ndarray[Any, Any]) -> bytes:
    """Return the SHA-256 of an array's kind, shape and values."""
    plain = values.astype(str) if values.dtype.kind in "OSU" else values
    data = "\0".join(plain.ravel()).encode() if plain.dtype.kind == "U" else np.ascontiguousarray(plain).tobytes()
    return hashlib.sha256(f"{plain.dtype.kind}{plain.shape}".encode() + data).digest()


def digest_of_h5(path: Path) -> str:
    """Return a digest of the names, attributes and contents of an HDF5 file, not of how they are packed."""
    digest = hashlib.sha256()

    def add(name: str, node: h5py.Group | h5py.Dataset) -> None:
        digest.update(name.encode() + repr(sorted((k, str(v)) for k, v in node.attrs.items())).encode())
        if isinstance(node, h5py.Dataset):
            text = h5py.check_string_dtype(node.dtype) is not None
            digest.update(digest_of_array(np.asarray(node.asstr()[()] if text else node[()])))

    with h5py.File(path) as file:
        file.visititems(add)
    return digest.hexdigest()


def digest_of_parquet(path: Path) -> str:
    """Return a digest of the columns of a parquet file: names, types and values."""
    frame = pd.read_parquet(path)
    digest = hashlib.sha256()
    for name in frame.columns:
        values = frame[name]
        digest.update(f"{name}\0{values.dtype}".encode())
        digest.update(pd.util.hash_pandas_object(values, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def digest_of(path: Path) -> str:
    """Return a digest of what a result holds."""
    if path.suffix == ".h5ad":
        return digest_of_h5(path)
    if path.suffix == ".parquet":
        return digest_of_parquet(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def results(dataset: str, root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Yield name and digest of the results of a data set; times and pages are left out."""
    folder = root / "results" / dataset
    kept = {".tsv", ".json", ".parquet", ".h5ad"}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix in kept and inside.parts[0] not in ("costs", "logs", *LEFT_OUT):
            yield f"{dataset}/{inside.as_posix()}", digest_of(path)


def machine() -> str:
    """Return what the last bits of a result depend on: processor features, the BLAS kernel, versions."""
    from threadpoolctl import threadpool_info

    facts = {
        "simd": np.show_config(mode="dicts")["SIMD Extensions"]["found"],
        "blas": sorted({str(pool.get("architecture")) for pool in threadpool_info()}),
        "python": platform.python_version(),
        "versions": [f"{name} {metadata.version(name)}" for name in LIBRARIES],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def differences(stored: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Return one line a result that differs, is gone or is new."""
    lines = [f"{name}: differs" for name in sorted(stored.keys() & found.keys()) if stored[name] != found[name]]
    lines += [f"{name}: is no longer made" for name in sorted(stored.keys() - found.keys())]
    return lines + [f"{name}: is new" for name in sorted(found.keys() - stored.keys())]


def main() -> int:
    """Run the command line; return 1 where results differ on the machine of the snapshot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", help=f"which data sets (default: {', '.join(DATASETS)})")
    parser.add_argument("--no-run", action="store_true", help="compare what lies in results/ instead of running")
    parser.add_argument("--renew", action="store_true", help="store the present results")
    asked = parser.parse_args()
    there = (ROOT.parent / "shared" / "data").is_dir()
    chosen = list(asked.datasets or [name for name in DATASETS if there or name not in REAL])
    if not asked.no_run:
        command = [sys.executable, "-m", "snakemake", "--cores", "all", "--quiet", "all"]
        subprocess.run([*command, "--config", f"datasets=[{','.join(chosen)}]"], cwd=ROOT, check=True)
    found = dict(line for name in chosen for line in results(name))
    kept = dict(line.split("\t") for line in STORED.read_text().splitlines()) if STORED.exists() else {}
    if asked.renew:
        others = {name: value for name, value in kept.items() if name.split("/")[0] not in (*chosen, "machine")}
        lines = {"machine": machine(), **others, **found}
        STORED.write_text("".join(f"{name}\t{value}\n" for name, value in lines.items()))
        print(f"stored {len(found)} results of {', '.join(chosen)}")
        return 0
    wrong = differences({name: value for name, value in kept.items() if name.split("/")[0] in chosen}, found)
    same = kept.get("machine") == machine()
    print(*wrong, f"{len(found)} results compared, {len(wrong)} differ", sep="\n")
    if wrong and not same:
        print("The snapshot is of another machine or other versions; the differences are reported, not judged.")
    return int(bool(wrong) and same)


if __name__ == "__main__":
    sys.exit(main())
