"""Single files of many libraries for `scale.py`: written from the simulated libraries, then taken apart in a fresh process.

Three kinds of deposit: h5ad (gzip), MatrixMarket (gz), and dense text with a row a gene (gz); every barcode ends in the
number of its library.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numba
import numpy as np
import scipy.sparse as sp
from isal import igzip
from scale_data import CACHE, made, write_lines

from recovery_microglia.readers.matrix_market import read_entries

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = 25_000
PASS = """
import sys, time, re, json
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from recovery_microglia.readers.barcode_assignment import Rule
from recovery_microglia.readers.split import split_counts
source, out, keys = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4].split(",")
wall, cpu = time.perf_counter(), time.process_time()
told = split_counts(source, {f"L{key}": key for key in keys}, Rule(pattern=r"-(?P<library>\\d+)$"), out)
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1000
print(json.dumps({
    "cells": sum(n for n, _ in told.written.values()),
    "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak": peak,
}))
"""


def _libraries(cells: int) -> list[Path]:
    """Return the folders of the libraries that a file is put together from."""
    return sorted((made(cells, min(LIBRARY, cells // 2)) / "counts").iterdir())


def _names(folder: Path, name: str) -> list[str]:
    with igzip.open(folder / name, "rt") as stream:
        return [line.rstrip("\n") for line in stream]


def _barcodes(folders: list[Path]) -> list[str]:
    """Return the barcodes of all libraries, with the number of the library in place of Cell Ranger's 1."""
    return [
        f"{b.rpartition('-')[0]}-{k + 1}" for k, folder in enumerate(folders) for b in _names(folder, "barcodes.tsv.gz")
    ]


def _counts(folder: Path) -> sp.csr_matrix:
    """Return cells × genes."""
    return sp.csr_matrix(read_entries(folder / "matrix.mtx.gz").T)


def write_h5ad(folders: list[Path], path: Path) -> int:
    """Write an h5ad of all libraries, one after the other; return the bytes of its counts."""
    symbols = [row.split("\t")[1] for row in _names(folders[0], "features.tsv.gz")]
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        matrix = file.create_group("X")
        kept = {"chunks": (1 << 18,), "maxshape": (None,), "compression": "gzip", "compression_opts": 1}
        data = matrix.create_dataset("data", (0,), "f4", **kept)
        indices = matrix.create_dataset("indices", (0,), "i4", **kept)
        ends = [np.zeros(1, np.int64)]
        for folder in folders:
            counts = _counts(folder)
            at, more = len(data), counts.nnz
            data.resize((at + more,))
            indices.resize((at + more,))
            data[at:], indices[at:] = counts.data, counts.indices
            ends.append(at + counts.indptr[1:].astype(np.int64))
        indptr = np.concatenate(ends)
        matrix.create_dataset("indptr", data=indptr)
        shape = np.array([len(indptr) - 1, len(symbols)])
        matrix.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": shape})
        for name, index in (("obs", _barcodes(folders)), ("var", symbols)):
            table = file.create_group(name)
            table.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index"})
            table.attrs["column-order"] = np.zeros(0, "f8")
            names = table.create_dataset("_index", data=np.array(index, dtype=object), dtype=h5py.string_dtype())
            names.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
        return int(8 * len(data) + indptr.nbytes)


def write_market(folders: list[Path], path: Path) -> int:
    """Write a MatrixMarket folder of all libraries; return the bytes of its matrix when unzipped."""
    path.mkdir()
    with igzip.open(path / "barcodes.tsv.gz", "wt") as stream:
        stream.writelines(f"{barcode}\n" for barcode in _barcodes(folders))
    (path / "features.tsv.gz").write_bytes((folders[0] / "features.tsv.gz").read_bytes())
    sizes = []
    for folder in folders:
        with igzip.open(folder / "matrix.mtx.gz") as stream:
            sizes.append([int(field) for field in [next(stream) for _ in range(3)][-1].split()])
    genes, cells, entries = sizes[0][0], sum(size[1] for size in sizes), sum(size[2] for size in sizes)
    with igzip.open(path / "matrix.mtx.gz", "wb", compresslevel=2) as stream:
        stream.write(f"%%MatrixMarket matrix coordinate integer general\n%\n{genes} {cells} {entries}\n".encode())
        first = 0
        for folder in folders:
            counts = _counts(folder)
            for start in range(0, counts.shape[0], 1000):
                end = min(start + 1000, counts.shape[0])
                stream.write(write_lines(counts.indptr, counts.indices, counts.data, start, end, first).data)
            first += counts.shape[0]
        return int(stream.tell())


@numba.njit
def _fields(indices, data, n):  # type: ignore[no-untyped-def]  # numba's
    """Return one line of n numbers, each after a tab, most of them 0."""
    out = np.empty(12 * len(data) + 2 * n + 1, np.uint8)
    digits = np.empty(12, np.uint8)
    at, k = 0, 0
    for column in range(n):
        out[at] = 9
        at += 1
        value = 0
        if k < len(indices) and indices[k] == column:
            value = data[k]
            k += 1
        length = 0
        while value > 0 or length == 0:
            digits[length] = 48 + value % 10
            value //= 10
            length += 1
        while length > 0:
            length -= 1
            out[at] = digits[length]
            at += 1
    out[at] = 10
    return out[: at + 1]


def write_dense(folders: list[Path], path: Path) -> int:
    """Write a table with a row a gene and a column a cell; return its bytes when unzipped."""
    symbols = [row.split("\t")[1] for row in _names(folders[0], "features.tsv.gz")]
    whole = sp.csr_matrix(sp.hstack([read_entries(folder / "matrix.mtx.gz") for folder in folders], format="csr"))
    with igzip.open(path, "wb", compresslevel=1) as stream:
        stream.write("\t".join(["gene", *_barcodes(folders)]).encode() + b"\n")
        for row, symbol in enumerate(symbols):
            own = slice(whole.indptr[row], whole.indptr[row + 1])
            stream.write(symbol.encode())
            stream.write(_fields(whole.indices[own], whole.data[own].astype(np.int64), whole.shape[1]).data)
        return int(stream.tell())


KINDS = {
    "h5ad": ("all.h5ad", write_h5ad),
    "MatrixMarket": ("all", write_market),
    "dense text": ("all.tsv.gz", write_dense),
}


def split_measured(cells: int, kinds: list[str]) -> list[dict[str, object]]:
    """Return one row a kind of file: its size, seconds and peak memory of taking it apart."""
    folders = _libraries(cells)
    rows: list[dict[str, object]] = []
    for kind in kinds:
        name, write = KINDS[kind]
        path, out = CACHE / f"split-{cells}" / name, CACHE / "split-out"
        path.parent.mkdir(exist_ok=True)
        size = path.parent / f"{name}.json"
        if not size.exists():
            subprocess.run(["rm", "-rf", str(path)], check=True)
            size.write_text(json.dumps(write(folders, path)))
        subprocess.run(["rm", "-rf", str(out)], check=True)
        out.mkdir()
        keys = ",".join(str(k + 1) for k in range(len(folders)))
        command = [sys.executable, "-W", "ignore", "-c", PASS, str(ROOT / "scripts"), str(path), str(out), keys]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        if found["cells"] != cells:
            raise SystemExit(f"{path}: {found['cells']:,} of {cells:,} cells came back")
        files = [path] if path.is_file() else list(path.iterdir())
        rows.append(
            {
                "file": kind,
                "cells": f"{cells:,}",
                "libraries": str(len(folders)),
                "GB": sum(file.stat().st_size for file in files) / 1e9,
                "GB unpacked": json.loads(size.read_text()) / 1e9,
                "wall s": found["wall"],
                "CPU s": found["cpu"],
                "peak MB": found["peak"],
            }
        )
        print(re.sub(r"[{}']", "", str(rows[-1])), flush=True)
    return rows
