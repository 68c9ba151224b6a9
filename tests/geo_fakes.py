"""Small stand-ins for nine GEO series, in the layouts in which they are deposited; made here, nothing copied.

Each library has cells of its own number and counts that are known, so that a test sees whether every count ended where it
belongs. The odd things (shifted headers, names that R changed, numbers without names, other arms, human libraries, empty
droplets) are those that public scripts tell of.
"""

import gzip
import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.io import mmwrite

RNG_SEED = 7


@dataclass
class Fake:
    """Files of a series by name, and the truth: library to its counts (barcodes × genes)."""

    files: dict[str, bytes] = field(default_factory=dict)
    truth: dict[str, np.ndarray] = field(default_factory=dict)


def counts_of(libraries: Sequence[str], genes: int, cells: Mapping[str, int] | None = None) -> dict[str, np.ndarray]:
    """Return library to counts; each has one cell more than the one before, or as many as ``cells`` says."""
    rng = np.random.default_rng(RNG_SEED)
    return {name: rng.poisson(0.8, ((cells or {}).get(name, 4 + k), genes)) for k, name in enumerate(libraries)}


def barcodes(n: int, suffix: str = "-1") -> list[str]:
    letters = np.array(list("ACGT"))
    return ["".join(letters[[k // 4**p % 4 for p in range(8)]]) + suffix for k in range(n)]


# ---------------------------------------------------------------- pieces of layouts


def zipped(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)


def tar(members: Mapping[str, bytes], mode: Literal["w", "w:gz", "w:bz2", "w:xz"] = "w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def mtx(matrix: np.ndarray) -> bytes:
    stream = io.BytesIO()
    mmwrite(stream, sp.coo_matrix(matrix), field="integer")
    return gzip.compress(stream.getvalue(), mtime=0)


def r_table(frame: pd.DataFrame, separator: str, *, shifted: bool) -> bytes:
    """Return a table as R's write.table (``shifted``: no heading above the row names) or write.csv writes it, quoted."""
    quoted = [f'"{name}"' for name in frame.columns]
    lines = [separator.join(quoted if shifted else ['""', *quoted])]
    for name, row in zip(frame.index, frame.to_numpy(), strict=True):
        fields = [f'"{value}"' if isinstance(value, str) else str(value) for value in row]
        lines.append(separator.join([f'"{name}"', *fields]))
    return zipped("\n".join(lines) + "\n")


def h5(counts: np.ndarray, genes: Sequence[str], *, version: int, genome: str = "mm10") -> bytes:
    """Return Cell Ranger's h5 of either generation."""
    matrix = sp.csr_matrix(counts)
    stream = io.BytesIO()
    ids = [f"ID{k}" for k in range(len(genes))]
    with h5py.File(stream, "w") as file:
        group = file.create_group("matrix" if version == 3 else genome)
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
        group["shape"] = matrix.shape[::-1]
        group["barcodes"] = np.array(barcodes(len(counts)), dtype="S")
        if version == 3:
            features = group.create_group("features")
            features["id"], features["name"] = np.array(ids, dtype="S"), np.array(genes, dtype="S")
            features["genome"] = np.array([genome] * len(genes), dtype="S")
            features["feature_type"] = np.array(["Gene Expression"] * len(genes), dtype="S")
        else:
            group["genes"], group["gene_names"] = np.array(ids, dtype="S"), np.array(genes, dtype="S")
    return stream.getvalue()


def ten_x(counts: np.ndarray, genes: Sequence[str]) -> dict[str, bytes]:
    return {
        "matrix.mtx.gz": mtx(counts.T),
        "barcodes.tsv.gz": zipped("\n".join(barcodes(len(counts)))),
        "features.tsv.gz": zipped("\n".join(f"ID{k}\t{g}\tGene Expression" for k, g in enumerate(genes))),
    }


def with_empty_droplets(counts: np.ndarray, n: int = 60) -> np.ndarray:
    """Return the counts with droplets between the cells that hold next to nothing."""
    empty = np.zeros((n, counts.shape[1]), dtype=int)
    empty[np.arange(n), np.arange(n) % counts.shape[1]] = 1
    return np.vstack([empty, counts])


def merged(
    counts: Mapping[str, np.ndarray], name: Callable[[str, str], str]
) -> tuple[np.ndarray, list[str], list[str]]:
    """Return all libraries in one matrix, its cells' names and libraries; the libraries' cells lie mixed, as they may."""
    cells = [
        (library, row, code) for library, c in counts.items() for row, code in zip(c, barcodes(len(c)), strict=True)
    ]
    order = np.random.default_rng(RNG_SEED).permutation(len(cells))
    picked = [cells[k] for k in order]
    return (
        np.array([row for _, row, _ in picked]),
        [name(lib, code) for lib, _, code in picked],
        [lib for lib, _, _ in picked],
    )


# ---------------------------------------------------------------- the series


def gse162807(genes: Sequence[str], sheet: pd.DataFrame, *, cells: Mapping[str, int] | None = None) -> Fake:
    """Cell Ranger's h5, both generations, in a RAW.tar; three human libraries beside 28 of mice."""
    counts = counts_of(list(sheet["library"]), len(genes), cells)
    members = {}
    for k, row in enumerate(sheet.to_dict("records")):
        human = "human" in row["reason"]
        names = [f"{gene.upper()}" for gene in genes] if human else list(genes)
        name = (
            f"{row['file']}{row['library']}_"
            + ("filtered_feature_bc_matrix.h5", "filtered_gene_bc_matrices_h5.h5")[k % 2]
        )
        members[name] = h5(counts[row["library"]], names, version=3 - k % 2, genome="GRCh38" if human else "mm10")
    return Fake({"GSE162807_RAW.tar": tar(members)}, counts)


def gse162610(genes: Sequence[str], sheet: pd.DataFrame) -> Fake:
    """One MatrixMarket matrix genes × cells, one column of genes, metadata of write.table with a shifted header."""
    counts = counts_of(list(sheet["library"]), len(genes))
    matrix, names, libraries = merged(counts, lambda lib, code: f"{code}_{lib}")
    meta = pd.DataFrame(
        {"orig.ident": libraries, "nCount": matrix.sum(axis=1), "celltype": "Microglia, a"}, index=names
    )
    return Fake(
        {
            "GSE162610_sci_mat.mtx.gz": mtx(matrix.T),
            "GSE162610_genes.tsv.gz": zipped("\n".join(genes) + "\n"),
            "GSE162610_barcodes.tsv.gz": zipped("\n".join(names) + "\n"),
            "GSE162610_barcode_metadata.tsv.gz": r_table(meta, "\t", shifted=True),
        },
        counts,
    )


def gse196928(genes: Sequence[str], sheet: pd.DataFrame) -> Fake:
    """A dense csv whose columns R renamed (X00.d.Control_AAAC.1), metadata with the names as they were."""
    key = dict(zip(sheet["library"], sheet["key"], strict=True))
    counts = counts_of(list(sheet["library"]), len(genes))
    matrix, names, libraries = merged(counts, lambda lib, code: f"{key[lib]}_{code}")
    changed = ["X" + name.replace(" ", ".").replace("-", ".") for name in names]
    meta = pd.DataFrame({"orig.ident": [key[lib] for lib in libraries], "label": "MDM, foamy"}, index=names)
    return Fake(
        {
            "GSE196928_counts.csv.gz": r_table(
                pd.DataFrame(matrix.T, index=list(genes), columns=changed), ",", shifted=False
            ),
            "GSE196928_metadata.csv.gz": r_table(meta, ",", shifted=False),
        },
        counts,
    )


def gse172167(genes: Sequence[str], sheet: pd.DataFrame, *, cells: Mapping[str, int] | None = None) -> Fake:
    """Bare numbers between blanks called .mtx.gz, rows broken over lines; lists with a header; metadata by position."""
    key = {lib: f"{lib.rsplit('_', 1)[0]}_animal{lib.rsplit('_', 1)[1]}" for lib in sheet["library"]}
    counts = counts_of(list(sheet["library"]), len(genes), cells)
    matrix, names, libraries = merged(counts, lambda lib, code: f"{code}_{key[lib]}")
    lines = [" ".join(f'"{name}"' for name in names)]
    for row in matrix.T:
        half = len(row) // 2
        lines += [" ".join(map(str, row[:half])), " ".join(map(str, row[half:]))]
    meta = pd.DataFrame({"orig.ident": [key[lib] for lib in libraries], "subclass": "Microglia/Hematopoietic"})
    return Fake(
        {
            "GSE172167_spinalcord_SCI_counts_matrix.mtx.gz": zipped("\n".join(lines) + "\n"),
            "GSE172167_features.txt.gz": r_table(pd.DataFrame({"x": list(genes)}), "\t", shifted=True),
            "GSE172167_barcodes.txt.gz": r_table(pd.DataFrame({"x": names}), "\t", shifted=True),
            "GSE172167_meta.txt.gz": gzip.compress(meta.to_csv(sep="\t", index=False).encode()),
        },
        counts,
    )


def gse234774(genes: Sequence[str], sheet: pd.DataFrame) -> Fake:
    """One MatrixMarket matrix of many arms; no mitochondrial genes; the fourth day has two libraries only."""
    own = {lib: "uninjured_" + lib if lib.startswith("uninjured") else "timecourse_" + lib for lib in sheet["library"]}
    there = [lib for lib in sheet["library"] if lib != "4d_3"]
    genes = [gene for gene in genes if not gene.startswith("mt-")]
    counts = counts_of(there, len(genes))
    others = counts_of(["timecourse_old_7d_1", "drug_x_1", "severity_mild_2"], len(genes))
    matrix, names, libraries = merged(counts | others, lambda lib, code: f"{code}_{own.get(lib, lib)}")
    meta = pd.DataFrame({"barcode": names, "library": [own.get(lib, lib) for lib in libraries], "layer1": "Glia"})
    return Fake(
        {
            "GSE234774_rnaseq_filtered_scRNA.mtx.gz": mtx(matrix.T),
            "GSE234774_rnaseq_features.txt.gz": zipped("\n".join(genes) + "\n"),
            "GSE234774_rnaseq_barcodes.txt.gz": zipped("\n".join(names) + "\n"),
            "GSE234774_rnaseq_meta.txt.gz": gzip.compress(meta.to_csv(sep="\t", index=False).encode()),
        },
        counts,
    )


def gse134003(genes: Sequence[str], sheet: pd.DataFrame) -> Fake:
    """One dense text table genes × cells of all mice, with a shifted header; the withdrawn mouse is not in it."""
    counts = counts_of([lib for lib in sheet["library"] if lib != "SNI04"], len(genes))
    matrix, names, _ = merged(counts, lambda lib, code: f"{lib}_{code.removesuffix('-1')}")
    frame = pd.DataFrame(matrix.T, index=list(genes), columns=names)
    return Fake({"GSE134003_SI_SNI_rawcounts.txt.gz": r_table(frame, "\t", shifted=True)}, counts)


def gse246288(genes: Sequence[str], sheet: pd.DataFrame) -> Fake:
    """A tar.gz of each library inside the RAW.tar, with all droplets."""
    counts = {lib: with_empty_droplets(c) for lib, c in counts_of(list(sheet["library"]), len(genes)).items()}
    members = {}
    for row in sheet.to_dict("records"):
        inner = {f"raw_feature_bc_matrix/{name}": part for name, part in ten_x(counts[row["library"]], genes).items()}
        members[f"{row['file']}_raw_feature_bc_matrix.tar.gz"] = tar(inner, "w:gz")
    return Fake({"GSE246288_RAW.tar": tar(members)}, counts)


def gse159638(genes: Sequence[str], sheet: pd.DataFrame) -> Fake:
    """A dense text table of each library between blanks, quoted, with a shifted header, in a RAW.tar."""
    counts = counts_of(list(sheet["library"]), len(genes))
    members = {}
    for row in sheet.to_dict("records"):
        own = counts[row["library"]]
        frame = pd.DataFrame(own.T, index=list(genes), columns=barcodes(len(own)))
        members[f"{row['file']}_{row['library']}.txt.gz"] = r_table(frame, " ", shifted=True)
    return Fake({"GSE159638_RAW.tar": tar(members)}, counts)


def gse150871(genes: Sequence[str], sheet: pd.DataFrame) -> Fake:
    """Three files of each library with its name in front, in a RAW.tar, with all droplets."""
    counts = {lib: with_empty_droplets(c) for lib, c in counts_of(list(sheet["library"]), len(genes)).items()}
    members = {
        f"{row['file']}_{name}": part
        for row in sheet.to_dict("records")
        for name, part in ten_x(counts[row["library"]], genes).items()
    }
    return Fake({"GSE150871_RAW.tar": tar(members)}, counts)


SERIES: dict[str, Callable[[Sequence[str], pd.DataFrame], Fake]] = {
    "GSE162807": gse162807,
    "GSE162610": gse162610,
    "GSE196928": gse196928,
    "GSE172167": gse172167,
    "GSE234774": gse234774,
    "GSE134003": gse134003,
    "GSE246288": gse246288,
    "GSE159638": gse159638,
    "GSE150871": gse150871,
}
