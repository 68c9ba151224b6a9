"""Count matrices in every layout."""

import io
import os
import shutil
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

from bad_input.lab import (
    CELLS,
    COUNTS,
    DENSE,
    GENES,
    MTX,
    Case,
    Lab,
    Make,
    Section,
    files,
    gz,
    h5_bytes,
    matrix,
    ten_x_files,
    ten_x_h5,
)


def values(**changed: str) -> str:
    """A dense table with some values replaced: ``Itgax='-1'`` replaces those of a gene by three times this."""
    rows = {gene: list(map(str, COUNTS[:, k])) for k, gene in enumerate(GENES)}
    rows |= {gene: [word] * 3 for gene, word in changed.items()}
    return "\n".join(["\t".join(["gene", *CELLS]), *("\t".join([gene, *row]) for gene, row in rows.items())]) + "\n"


def empty_folder(lab: Lab) -> None:
    (lab.root / "data/lib").mkdir()
    lab.read("lib")


def named_pipe(lab: Lab) -> None:
    os.mkfifo(lab.root / "data/m.csv")
    lab.read("m.csv")


def tarred_plain() -> bytes:
    """A tar that is not packed, with a file in it."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        info = tarfile.TarInfo("a.csv")
        info.size = len(DENSE)
        archive.addfile(info, io.BytesIO(DENSE.encode()))
    return held.getvalue()


def zipped_as(name: str, members: Mapping[str, str]) -> Make:
    """A zip with these members, whose names need not be good ones."""

    def make(lab: Lab) -> None:
        with zipfile.ZipFile(lab.root / "data" / name, "w") as archive:
            for member, text in members.items():
                archive.writestr(member, text)
        lab.read(name)

    return make


def bomb(lab: Lab) -> None:
    """Of the 20 GB the header alone is made: it is refused before any of them is unpacked."""
    info = tarfile.TarInfo("m.csv")
    info.size = 20 * 10**9
    packed = gz(info.tobuf() + bytes(1 << 20))
    lab.file("data/m.tar.gz", packed + bytes(10_000 - len(packed)))
    lab.read("m.tar.gz")


def crowded(lab: Lab) -> None:
    from recovery_microglia.deposit import archives

    with mock.patch.object(archives, "MOST_MEMBERS", 1000):
        zipped_as("m.zip", {f"f{number}.csv": "" for number in range(1001)})(lab)


def too_large(lab: Lab) -> None:
    usage = shutil.disk_usage(lab.root)._replace(free=5)
    with mock.patch.object(shutil, "disk_usage", return_value=usage):
        zipped_as("m.zip", {"m.csv": DENSE})(lab)


def endless_line(lab: Lab) -> None:
    from recovery_microglia.readers import compression

    with mock.patch.object(compression, "LONGEST_LINE", 1_000_000):
        matrix("m.csv.gz", gz(bytes(2_000_000)))(lab)


def endless_table(lab: Lab) -> None:
    from recovery_microglia.readers import dense_text

    with mock.patch.object(dense_text, "MOST_ROWS", 1000):
        matrix("m.csv.gz", gz("gene,a,b\n" + "Actb,1,2\n" * 2000))(lab)


def by_function(function: Callable[[float], float]) -> str:
    rows = {gene: [f"{function(float(v)):.4f}" for v in COUNTS[:, k]] for k, gene in enumerate(GENES)}
    return "\n".join(["\t".join(["gene", *CELLS]), *("\t".join([gene, *row]) for gene, row in rows.items())]) + "\n"


TEXT = [
    Case(
        "a file that is not there",
        lambda lab: lab.read("nowhere.csv"),
        "data/nowhere.csv: no such file, folder or file prefix",
    ),
    Case("an empty file", matrix("m.csv", ""), "data/m.csv: empty"),
    Case("a header and no rows", matrix("m.csv", "gene,a,b\n"), "data/m.csv: a header and no rows"),
    Case(
        "a header that lost a name",
        matrix("m.csv", "gene,a,b\nItgax,1,2,3\nIgf1,1,2,3\n"),
        "data/m.csv: the header has 2 names for 3 columns of numbers: its first field, 'gene', is a heading",
    ),
    Case("text in UTF-16", matrix("m.csv", DENSE.encode("utf-16")), "data/m.csv: text in UTF-16; save it as UTF-8"),
    Case(
        "names, but no numbers",
        matrix("m.csv", "gene\nItgax\nIgf1\n"),
        "data/m.csv: one column of names and no numbers; is it separated by tabs, commas or semicolons?",
    ),
    Case(
        "an ending that is not known",
        matrix("m.dat", DENSE),
        "data/m.dat: '.dat' is not a known ending; say the layout in the column format: auto, 10x_mtx, 10x_h5, dense, h5ad",
    ),
    Case(
        "an Excel workbook",
        matrix("m.xlsx", b"PK\x03\x04"),
        "data/m.xlsx: an Excel workbook; save the table as text (csv), from the original and not from Excel, which turns genes into dates",
    ),
    Case(
        "an R object",
        matrix("m.rds", b"X\n"),
        "data/m.rds: an R object; write it from R as MatrixMarket (Matrix::writeMM with the gene and barcode lists) or h5ad",
    ),
    Case(
        "reads instead of counts",
        matrix("m.fastq.gz", gz("@read\nACGT\n+\nIIII\n")),
        "data/m.fastq.gz: reads, not counts; run Cell Ranger or STARsolo first",
    ),
    Case(
        "a gzip file that breaks off",
        matrix("m.csv.gz", gz(DENSE * 200)[:90]),
        "data/m.csv.gz: truncated or damaged gzip file (Compressed file ended before the end-of-stream marker was reached); fetch it again",
    ),
    Case(
        "a gzip file with a wrong byte",
        matrix("m.csv.gz", gz(DENSE)[:-8] + b"\0" * 8),
        "data/m.csv.gz: truncated or damaged gzip file (CRC check failed 0 != 1015921137); fetch it again",
    ),
    Case(
        "a page of HTML saved as the file",
        matrix("m.csv", "<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n"),
        "data/m.csv: a page of a web site, no table; fetch the file again",
    ),
    Case(
        "a line that is too short",
        matrix("m.csv", DENSE.replace("Igf1\t1\t0\t0", "Igf1\t1\t0")),
        "data/m.csv: line 4 (Igf1): 2 values, the lines before have 3",
    ),
    Case(
        "a header that is too long",
        matrix("m.csv", DENSE.replace("gene\t", "gene\tid\tname\t")),
        "data/m.csv: the header has 6 names for 3 columns of numbers",
    ),
    Case(
        "a word among the numbers",
        matrix("m.csv", values(Igf1="low")),
        "data/m.csv: line 4 (Igf1): 'low' is not a number",
    ),
    Case(
        "decimal commas",
        matrix("m.csv", values(Igf1="1,5").replace("\t", ";")),
        "data/m.csv: line 4 (Igf1): '1,5' is not a number",
    ),
    Case(
        "a value is missing",
        matrix("m.csv", values(Igf1="")),
        "data/m.csv: gene Igf1, barcode AAAC-1: nan is not a number",
    ),
    Case("NaN", matrix("m.csv", values(Igf1="NaN")), "data/m.csv: gene Igf1, barcode AAAC-1: nan is not a number"),
    Case(
        "an infinite value",
        matrix("m.csv", values(Igf1="inf")),
        "data/m.csv: gene Igf1, barcode AAAC-1: inf is not a number",
    ),
    Case(
        "a negative value",
        matrix("m.csv", values(Igf1="-1")),
        "data/m.csv: gene Igf1, barcode AAAC-1: -1 is negative: scaled or centred values are no counts",
    ),
    Case(
        "log-normalised values",
        matrix("m.csv", by_function(np.log1p)),
        "data/m.csv: gene Actb, barcode AAAC-1: 1.7918 is no whole number: the values look log-normalised; raw counts are needed",
    ),
    Case(
        "FPKM, TPM or CPM",
        matrix("m.csv", by_function(lambda v: v * 1234.567)),
        "data/m.csv: gene Actb, barcode AAAC-1: 6172.84 is no whole number: the values look normalised (FPKM, TPM or CPM); raw counts are needed",
    ),
    Case(
        "scaled values",
        matrix("m.csv", by_function(lambda v: (v - 2) / 3)),
        "data/m.csv: gene Itgax, barcode AAAC-1: -0.6667 is negative: scaled or centred values are no counts",
    ),
    Case(
        "a value that no count can have",
        matrix("m.csv", values(Igf1="99999999999")),
        "data/m.csv: gene Igf1, barcode AAAC-1: 1e+11 is too large for a count",
    ),
    Case(
        "every count is zero",
        matrix(
            "m.csv",
            DENSE.translate(str.maketrans("2345679", "0000000")).replace("\t1", "\t0").replace("AAAC-0", "AAAC-1"),
        ),
        "data/m.csv: every count is zero",
    ),
    Case(
        "a barcode twice",
        matrix("m.csv", DENSE.replace("AAAG", "AAAC")),
        "data/m.csv: barcode AAAC-1 is duplicated; are several libraries put together without a prefix?",
    ),
    Case(
        "genes in capitals, which may be human ones",
        matrix(
            "m.csv",
            DENSE.replace("Actb", "ACTB")
            .replace("Itgax", "ITGAX")
            .replace("P2ry12", "P2RY12")
            .replace("Igf1", "IGF1")
            .replace("Hexb", "HEXB"),
        ),
        "data/m.csv: the genes are written in capitals, as human ones are, and none of them distinguishes mouse from human; the data set says mouse: write them as the mouse's (Itgax), or put Ensembl ids beside them",
    ),
    Case(
        "human genes",
        matrix(
            "m.csv",
            DENSE.replace("Actb", "HLA-DRA")
            .replace("Itgax", "MT-ND1")
            .replace("P2ry12", "SIGLEC10")
            .replace("Igf1", "IGF1")
            .replace("Hexb", "ZNF320"),
        ),
        "data/m.csv: the genes are human, but the data set says mouse",
    ),
    Case(
        "rat genes, by identifier",
        matrix("m.csv", "\n".join(["gene\tAAAC-1\tAAAG-1", *(f"ENSRNOG000000{k}\t1\t2" for k in range(10000, 10009))])),
        "data/m.csv: the genes are of rat (ENSRNOG…), which is not supported",
    ),
    Case(
        "rat genes, by the names that rats alone have",
        matrix("m.csv", DENSE + "RT1-A1\t1\t2\t3\nRT1-Da\t1\t2\t3\nRGD1559482\t1\t2\t3\n"),
        "data/m.csv: the genes are of rat (RT1-A1, RT1-Da, RGD1559482, …), which is not supported",
    ),
    Case(
        "genes of two organisms together",
        matrix(
            "m.csv",
            "gene\tAAAC-1\tAAAG-1\nENSG00000140678\t1\t2\nENSG00000017427\t1\t2\nENSMUSG00000030789\t1\t2\nENSMUSG00000020053\t1\t2\n",
        ),
        "data/m.csv: genes of human (2) and of mouse (2) together; keep one organism's genes and cells",
    ),
    Case(
        "a pointer of Git LFS instead of the file",
        matrix("m.csv.gz", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
        "data/m.csv.gz: a pointer of Git LFS and not the file itself; fetch it: git lfs pull",
    ),
    Case(
        "a page of HTML saved as an h5",
        matrix("m.h5", "<html>Sign in</html>"),
        "data/m.h5: a page of a web site, no table; fetch the file again",
    ),
    Case(
        "a zip under another name",
        matrix("m.csv", b"PK\x03\x04x"),
        "data/m.csv: a zip archive under another name; name it .zip (an Excel workbook: save the table as text)",
    ),
    Case(
        "a tar under another name",
        matrix("m.csv", tarred_plain()),
        "data/m.csv: a tar archive under another name; name it .tar",
    ),
    Case(
        "compressed with zstd",
        matrix("m.csv.zst", b"\x28\xb5\x2f\xfd"),
        "data/m.csv.zst: compressed with zstd, which is not read; unpack it: zstd -d",
    ),
    Case(
        "lines that end with CR alone",
        matrix("m.csv", DENSE.replace("\n", "\r")),
        "data/m.csv: its lines end with CR alone, as on old Macs; convert it: tr '\\r' '\\n' < old > new",
    ),
    Case(
        "bytes that are no text",
        matrix("m.csv", bytes(range(128, 256)) * 9 + b"\n1\n"),
        "data/m.csv: bytes and no text; is it packed, or of another kind than its name says?",
    ),
    Case(
        "a Seurat file",
        matrix("m.h5seurat", b"\x89HDF"),
        "data/m.h5seurat: a Seurat file; write it from R: SeuratDisk::Convert('file.h5seurat', dest = 'h5ad'), or the counts by Matrix::writeMM",
    ),
    Case(
        "a Parquet file",
        matrix("m.parquet", b"PAR1"),
        "data/m.parquet: a Parquet file; write it as text: python -c \"import pandas as p; p.read_parquet('in.parquet').to_csv('out.csv.gz')\"",
    ),
    Case(
        "alevin's own format",
        matrix("quants_mat.gz", gz(bytes(100))),
        "data/quants_mat.gz: alevin's own format, of estimates; write it from R, rounded: Matrix::writeMM(round(tximport::tximport("
        "'quants_mat.gz', type = 'alevin')$counts), 'matrix.mtx'), or run alevin-fry",
    ),
    Case(
        "a number with an underscore, which Python reads as 10",
        matrix("m.csv", values(Itgax="1_0")),
        "data/m.csv: line 3 (Itgax): '1_0' is not a number",
    ),
    Case(
        "a number of 400 digits",
        matrix("m.csv", values(Itgax="9" * 400)),
        "data/m.csv: gene Itgax, barcode AAAC-1: inf is not a number",
    ),
    Case("a named pipe", named_pipe, "data/m.csv: a pipe or a device, no file; write it to a file first"),
    Case(
        "rows that are no genes (peaks)",
        matrix("m.csv", "peak\tAAAC-1\tAAAG-1\nchr1:100-200\t1\t0\nchr2:5-90\t0\t3\n"),
        "data/m.csv: none of the 2 features is a known gene (chr1:100-200, chr2:5-90, …)",
    ),
    Case(
        "rows with numbers for names",
        matrix("m.csv", "\tAAAC-1\tAAAG-1\n1\t1\t0\n2\t0\t3\n3\t1\t1\n"),
        "data/m.csv: none of the 3 features is a known gene (1, 2, 3, …)",
    ),
    Case(
        "a layout that the file does not have",
        matrix("m.csv", DENSE, format="10x_h5"),
        "data/m.csv: not a whole HDF5 file (Unable to synchronously open file (file signature not found))",
    ),
]
MARKET = [
    Case(
        "the barcodes are missing",
        files(ten_x_files(barcodes=None), "lib"),
        "data/lib/matrix.mtx: there is no barcodes.tsv beside it",
    ),
    Case(
        "the genes are missing",
        files(ten_x_files(features=None), "lib"),
        "data/lib/matrix.mtx: there is no genes.tsv or features.tsv beside it",
    ),
    Case(
        "two lists of barcodes that differ",
        files(ten_x_files() | {"lib/barcodes.tsv.gz": gz("AAAG-1\nAAAC-1\nAAAT-1\n")}, "lib"),
        "data/lib/matrix.mtx: which of these is its barcodes.tsv? barcodes.tsv, barcodes.tsv.gz (they differ); move the others away",
    ),
    Case(
        "a header and a gene too few",
        files(
            ten_x_files(features="gene_id\tgene\n" + "".join(f"ENSMUSG{k}\t{g}\n" for k, g in enumerate(GENES[1:]))),
            "lib",
        ),
        "data/lib/features.tsv: 5 lines for 5 genes, but the first is a header (gene_id gene): a gene is missing",
    ),
    Case(
        "a header and a barcode too few",
        files(ten_x_files(barcodes="barcode\nAAAC-1\nAAAG-1\n"), "lib"),
        "data/lib/barcodes.tsv: 3 lines for 3 barcodes, but the first is a header (barcode): a barcode is missing",
    ),
    Case("the barcodes are empty", files(ten_x_files(barcodes=""), "lib"), "data/lib/barcodes.tsv: empty"),
    Case("the genes are empty", files(ten_x_files(features=""), "lib"), "data/lib/features.tsv: empty"),
    Case("the matrix is empty", files(ten_x_files(matrix=""), "lib"), "data/lib/matrix.mtx: empty"),
    Case(
        "lists that do not fit the matrix",
        files(ten_x_files(barcodes="AAAC-1\n"), "lib"),
        "data/lib/matrix.mtx: 5 x 3, but features.tsv has 5 lines and barcodes.tsv 1",
    ),
    Case(
        "fewer entries than the header says",
        files(ten_x_files(matrix=MTX.replace("5 3 4", "5 3 9")), "lib"),
        "data/lib/matrix.mtx: not a whole MatrixMarket file (Truncated file. Expected another 5 lines.)",
    ),
    Case(
        "an index outside the matrix",
        files(ten_x_files(matrix=MTX.replace("5 1 9", "6 1 9")), "lib"),
        "data/lib/matrix.mtx: not a whole MatrixMarket file (Line 6: Row index out of bounds)",
    ),
    Case(
        "an index of nought",
        files(ten_x_files(matrix=MTX.replace("5 1 9", "0 1 9")), "lib"),
        "data/lib/matrix.mtx: not a whole MatrixMarket file (Line 6: Row index out of bounds)",
    ),
    Case(
        "a size that no machine holds",
        files(ten_x_files(matrix=MTX.replace("5 3 4", "5 99999999999999999999 4")), "lib"),
        "data/lib/matrix.mtx: not a whole MatrixMarket file (Integer out of range.)",
    ),
    Case(
        "a word among the numbers",
        files(ten_x_files(matrix=MTX.replace("5 1 9", "5 1 x")), "lib"),
        "data/lib/matrix.mtx: not a whole MatrixMarket file (Line 6: Invalid floating-point value.)",
    ),
    Case(
        "a negative count",
        files(ten_x_files(matrix=MTX.replace("5 1 9", "5 1 -9")), "lib"),
        "data/lib: gene Hexb, barcode AAAC-1: -9 is negative: scaled or centred values are no counts",
    ),
    Case(
        "fractions",
        files(ten_x_files(matrix=MTX.replace("integer", "real").replace("5 1 9", "5 1 1.25")), "lib"),
        "data/lib: gene Hexb, barcode AAAC-1: 1.25 is no whole number: the values look log-normalised; raw counts are needed",
    ),
    Case(
        "fractions under a header that says integer",
        files(ten_x_files(matrix=MTX.replace("5 1 9", "5 1 1.25")), "lib"),
        "data/lib: gene Hexb, barcode AAAC-1: 1.25 is no whole number: the values look log-normalised; raw counts are needed",
    ),
    Case(
        "a decimal comma",
        files(ten_x_files(matrix=MTX.replace("5 1 9", "5 1 1,25")), "lib"),
        "data/lib/matrix.mtx: line 6: '5 1 1,25' is not row, column and count in plain numbers",
    ),
    Case(
        "a fourth column",
        files(ten_x_files(matrix=MTX.replace("5 1 9", "5 1 9 2")), "lib"),
        "data/lib/matrix.mtx: line 6: '5 1 9 2' is not row, column and count in plain numbers",
    ),
    Case(
        "a pattern without values",
        files(ten_x_files(matrix="%%MatrixMarket matrix coordinate pattern general\n5 3 2\n1 1\n2 3\n"), "lib"),
        "data/lib/matrix.mtx: a MatrixMarket file of kind 'pattern' says where counts are, not how many; raw counts are needed",
    ),
    Case(
        "complex numbers",
        files(ten_x_files(matrix="%%MatrixMarket matrix coordinate complex general\n5 3 1\n1 1 2 3\n"), "lib"),
        "data/lib: the values are no numbers that can be counts (complex128)",
    ),
    Case(
        "no entry",
        files(ten_x_files(matrix="%%MatrixMarket matrix coordinate integer general\n5 3 0\n"), "lib"),
        "data/lib: every count is zero",
    ),
    Case(
        "a matrix that breaks off",
        files(ten_x_files(matrix=gz(MTX)[:40]), "lib"),
        "data/lib/matrix.mtx: truncated or damaged gzip file (Compressed file ended before the end-of-stream marker was reached); fetch it again",
    ),
    Case(
        "a barcode twice",
        files(ten_x_files(barcodes="AAAC-1\nAAAC-1\nAAAT-1\n"), "lib"),
        "data/lib: barcode AAAC-1 is duplicated; are several libraries put together without a prefix?",
    ),
    Case(
        "antibodies only",
        files(ten_x_files(features="".join(f"CD{k}\tCD{k}\tAntibody Capture\n" for k in range(5))), "lib"),
        "data/lib: no gene among the features (types: Antibody Capture)",
    ),
    Case(
        "two genomes",
        files(
            ten_x_files(
                features="".join(
                    f"E{k}\t{p}{g}\tGene Expression\n"
                    for k, (p, g) in enumerate(zip(["mm10___"] * 3 + ["GRCh38_"] * 2, GENES, strict=True))
                )
            ),
            "lib",
        ),
        "data/lib: the file holds several genomes (GRCh38, mm10); say which in the column genome",
    ),
    Case(
        "two matrices in one folder",
        files({**ten_x_files(), "lib/b_matrix.mtx": MTX}, "lib"),
        "data/lib: several matrices (b_matrix.mtx, matrix.mtx); write the beginning of one's name in the sheet",
    ),
    Case(
        "two folders in one",
        files({**ten_x_files("lib/a"), **ten_x_files("lib/b")}, "lib"),
        "data/lib: several folders (a, b); name one of them in the sheet, or its genome",
    ),
    Case(
        "an empty folder",
        empty_folder,
        "data/lib: nothing to read in this folder",
    ),
    Case(
        "a prefix that fits two libraries",
        files({"GSM1_a.csv": DENSE, "GSM1_b.csv": DENSE}, "GSM1_"),
        "data/GSM1_: which of these is the matrix? GSM1_a.csv, GSM1_b.csv",
    ),
]


def h5(**changed: Any) -> Make:
    return matrix("m.h5", h5_bytes(lambda file: ten_x_h5(file, **changed)))


def old_h5(file: h5py.File) -> None:
    for genome in ("hg19", "mm10"):
        group = file.create_group(genome)
        group["gene_names"] = np.array(GENES, dtype="S")


def h5ad(lab: Lab, adata: ad.AnnData, **options: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # doubled names are meant
        adata.write_h5ad(lab.root / "data/m.h5ad")
    lab.read("m.h5ad", **options)


def annotated(counts: Any, obs: list[str] = CELLS, var: list[str] = GENES, **options: Any) -> Make:
    """An AnnData of these counts, barcodes and genes."""

    def make(lab: Lab) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            adata = ad.AnnData(counts, obs=pd.DataFrame(index=pd.Index(obs)), var=pd.DataFrame(index=pd.Index(var)))
        h5ad(lab, adata, **options)

    return make


def no_values(lab: Lab) -> None:
    h5ad(lab, ad.AnnData(obs=pd.DataFrame(index=CELLS), var=pd.DataFrame(index=GENES)))


WHOLE = h5_bytes(ten_x_h5)
BINARY = [
    Case(
        "not HDF5",
        matrix("m.h5", b"nothing"),
        "data/m.h5: not a whole HDF5 file (Unable to synchronously open file (file signature not found))",
    ),
    Case(
        "an empty h5",
        matrix("m.h5", b""),
        "data/m.h5: not a whole HDF5 file (Unable to synchronously open file (file signature not found))",
    ),
    Case(
        "an h5 that breaks off",
        matrix("m.h5", WHOLE[: len(WHOLE) // 2]),
        "data/m.h5: not a whole HDF5 file (Unable to synchronously open file (truncated file: eof = 2953, sblock->base_addr = 0, stored_eof = 5907))",
    ),
    Case(
        "another program's HDF5 (loom)",
        matrix("m.h5", h5_bytes(lambda file: file.create_dataset("row_attrs/Gene", data=1))),
        "data/m.h5: an HDF5 file, but not one of Cell Ranger (groups: row_attrs)",
    ),
    Case("an h5 without its counts", h5(data=None), "data/m.h5: not one of Cell Ranger's files: 'data' is missing"),
    Case(
        "an h5 without its features",
        h5(**{f"features/{n}": None for n in ("name", "id", "feature_type", "genome")}),
        "data/m.h5: not one of Cell Ranger's files: 'features' is missing",
    ),
    Case(
        "an h5 whose parts do not fit",
        h5(indptr=np.array([0, 1, 2])),
        "data/m.h5: its parts do not fit together (index pointer size 3 should be 4)",
    ),
    Case(
        "an h5 with an index outside the matrix",
        h5(indices=np.array([0, 1, 77])),
        "data/m.h5: its parts do not fit together (indices must be < 5)",
    ),
    Case(
        "an h5 with fewer barcodes than columns",
        h5(barcodes=np.array(CELLS[:2], dtype="S")),
        "data/m.h5: the matrix is 3 x 5, but there are 2 barcodes and 5 genes",
    ),
    Case(
        "an h5 with fractions",
        h5(data=np.array([0.5, 1.2, 3.0])),
        "data/m.h5: gene Actb, barcode AAAC-1: 0.5 is no whole number: the values look log-normalised; raw counts are needed",
    ),
    Case(
        "an h5 with antibodies only",
        h5(**{"features/feature_type": np.array(["Antibody Capture"] * 5, dtype="S")}),
        "data/m.h5: no gene among the features (types: Antibody Capture)",
    ),
    Case(
        "an h5 of two genomes",
        h5(**{"features/genome": np.array(["mm10"] * 3 + ["GRCh38"] * 2, dtype="S")}),
        "data/m.h5: the file holds several genomes (GRCh38, mm10); say which in the column genome",
    ),
    Case(
        "an old h5 of two genomes",
        matrix("m.h5", h5_bytes(old_h5)),
        "data/m.h5: the file holds several genomes (hg19, mm10); say which in the column genome",
    ),
    Case(
        "a genome that an h5 does not hold",
        matrix("m.h5", WHOLE, genome="rn6"),
        "data/m.h5: genome 'rn6' is not in the file; there are: mm10",
    ),
    Case(
        "not AnnData",
        matrix("m.h5ad", b"nothing"),
        "data/m.h5ad: not a whole AnnData file (Unable to synchronously open file (file signature not found))",
    ),
    Case(
        "an h5ad of another program",
        matrix("m.h5ad", WHOLE),
        "data/m.h5ad: not a whole AnnData file (AnnData.__init__() got an unexpected keyword argument 'matrix')",
    ),
    Case(
        "an h5ad with normalised values only",
        annotated(np.log1p(COUNTS).astype(np.float32)),
        "data/m.h5ad: no raw counts in X: no whole numbers; the values look log-normalised; raw counts are needed",
    ),
    Case(
        "an h5ad with NaN",
        annotated(np.where(COUNTS == 9, np.nan, COUNTS).astype(np.float32)),
        "data/m.h5ad: no raw counts in X: no whole numbers; raw counts are needed",
    ),
    Case(
        "an h5ad of true and false",
        annotated(COUNTS > 0),
        "data/m.h5ad: the values are true and false: they say whether a gene was seen, not how often; raw counts are needed",
    ),
    Case(
        "an h5ad without values",
        no_values,
        "data/m.h5ad: the file holds no values: X is empty, and there is neither raw nor a layer",
    ),
    Case(
        "an h5ad without a cell",
        annotated(np.zeros((0, 5), dtype=np.float32), obs=[]),
        "data/m.h5ad: empty: 0 barcodes, 5 genes",
    ),
    Case(
        "an h5ad with a barcode twice",
        annotated(sp.csr_matrix(COUNTS), obs=["a", "a", "b"]),
        "data/m.h5ad: barcode a is duplicated; are several libraries put together without a prefix?",
    ),
    Case(
        "an h5ad without the layer",
        annotated(sp.csr_matrix(COUNTS), layer="umis"),
        "data/m.h5ad: there is no layer 'umis'; there are: none",
    ),
    Case(
        "an h5ad with cells and genes swapped",
        annotated(sp.csr_matrix(COUNTS.T), obs=GENES, var=CELLS),
        "data/m.h5ad: none of the 3 features is a known gene (AAAC-1, AAAG-1, AAAT-1, …)",
    ),
]


def zipped(members: dict[str, str | bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return held.getvalue()


def tarred(members: Mapping[str, str | bytes]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        for name, text in members.items():
            content = text.encode() if isinstance(text, str) else text
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return held.getvalue()


def linked() -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        member = tarfile.TarInfo("matrix.mtx")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    return held.getvalue()


def locked() -> bytes:
    """A zip archive whose only member says that it is encrypted."""
    content = bytearray(zipped({"m.csv": DENSE}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


ARCHIVES = [
    Case(
        "a zip that breaks off",
        matrix("m.zip", zipped(ten_x_files())[:-30]),
        "data/m.zip: truncated or damaged archive (File is not a zip file)",
    ),
    Case(
        "a tar.gz that breaks off",
        matrix("m.tar.gz", tarred(ten_x_files())[:60]),
        "data/m.tar.gz: truncated or damaged archive (Compressed file ended before the end-of-stream marker was reached)",
    ),
    Case("an empty zip", matrix("m.zip", zipped({})), "data/m.zip: nothing to read in this folder"),
    Case(
        "a zip with a password",
        matrix("m.zip", locked()),
        "data/m.zip: a password is needed; unpack it and name the folder",
    ),
    Case(
        "a zip that climbs out of its folder",
        matrix("m.zip", zipped({"../../evil.csv": DENSE})),
        "data/m.zip: member '../../evil.csv' points outside the archive; nothing was unpacked",
    ),
    Case(
        "a tar that climbs out of its folder",
        matrix("m.tar.gz", tarred({"../../evil.csv": DENSE})),
        "data/m.tar.gz: member '../../evil.csv' points outside the archive; nothing was unpacked",
    ),
    Case(
        "a tar with a link to somewhere else",
        matrix("m.tar.gz", linked()),
        "data/m.tar.gz: member 'matrix.mtx' is a link; only files and folders are unpacked; nothing was unpacked",
    ),
    Case(
        "a file that is a folder too",
        zipped_as("m.zip", {"a": DENSE, "a/b.csv": DENSE}),
        "data/m.zip: member 'a/b.csv' is a file and a folder (a); nothing was unpacked",
    ),
    Case(
        "one file under two spellings",
        zipped_as("m.zip", {"a.csv": DENSE, "./a.csv": DENSE}),
        "data/m.zip: member './a.csv' is duplicated; nothing was unpacked",
    ),
    Case(
        "a member without a name",
        zipped_as("m.zip", {"": DENSE}),
        "data/m.zip: member '' has no name; nothing was unpacked",
    ),
    Case(
        "a member whose name is too long",
        zipped_as("m.zip", {f"{'a' * 300}.csv": DENSE}),
        f"data/m.zip: member '{'a' * 40}…{'a' * 35}.csv' has a name of 304 signs; disks take 255; nothing was unpacked",
    ),
    Case(
        "folders inside each other without end",
        zipped_as("m.zip", {f"{'a/' * 1500}b.csv": DENSE}),
        f"data/m.zip: member '{'a/' * 20}…{'a/' * 17}b.csv' has a path of 1500 folders inside each other; nothing was unpacked",
    ),
    Case(
        "a tar whose 20 GB of zeros are packed into some kilobytes",
        bomb,
        "data/m.tar.gz: 10.0 kB that unpack to 20.0 GB or more: no counts are packed so far. Nothing was unpacked",
    ),
    Case(
        "more members than any deposit has",
        crowded,
        "data/m.zip: more than 1,000 members; no archive of count matrices has so many. Nothing was unpacked",
    ),
    Case(
        "an archive that the disk cannot hold",
        too_large,
        "m.zip: unpacking it needs 84 bytes, but the disk of temporary files has 5 bytes free; make room, or set TMPDIR to a folder on a larger one",
    ),
    Case(
        "a line that does not end, packed by gzip",
        endless_line,
        "data/m.csv.gz: a line of more than 1 MB; this is no table of counts",
    ),
    Case(
        "a table without end, packed by gzip",
        endless_table,
        "data/m.csv.gz: more than 1,000 lines; this is no table of genes or cells",
    ),
]


def split(what: str, **how: Any) -> Make:
    """A matrix of two libraries that is taken apart."""

    def make(lab: Lab) -> None:
        from recovery_microglia.readers.barcode_assignment import Rule
        from recovery_microglia.readers.split import split_counts

        lab.file("data/m.csv", DENSE.replace("AAAC-1", "S1_A").replace("AAAG-1", "S1_B").replace("AAAT-1", "S2_A"))
        lab.file("data/meta.tsv", "barcode\tsample\nS1_A\tS1\nS1_B\tS1\nS2_A\tS2\n")
        lab.file("data/other.tsv", "barcode\tsample\nQ_A\tS1\n")
        lab.file("data/empty.tsv", "")
        lab.file("data/twice.tsv", "barcode\tsample\nS1_A\tS1\nS1_B\tS1\nS1_A\tS2\n")
        lab.file("data/turned.tsv", "barcode\tsample\nS2_A\tS2\nS1_A\tS1\nS1_B\tS1\n")
        lab.file("data/ragged.tsv", "barcode\tsample\nS1_A\tS1\nS1_B\tS1\textra\n")
        absent = split_counts(Path("data/m.csv"), {"I1": what}, Rule(**how), Path("data")).absent
        from recovery_microglia.core.errors import InputError

        if absent:
            raise InputError(absent["I1"])

    return make


META = Path("data/meta.tsv")
SPLIT = [
    Case(
        "a pattern that is no regular expression",
        split("S1", pattern="(?P<library>"),
        "dataset.yaml: split.pattern: not a regular expression (missing ), unterminated subpattern at position 0)",
    ),
    Case(
        "a pattern without its group",
        split("S1", pattern="^S"),
        "dataset.yaml: split.pattern: needs a group named library, such as (?P<library>D[0-9]+)_",
    ),
    Case(
        "a library that the barcodes do not name",
        split("S3", pattern="^(?P<library>[^_]+)_"),
        "no barcode belongs to 'S3'; there are: S1, S2",
    ),
    Case(
        "a column that the h5ad does not have",
        split("S1", column="sample"),
        "dataset.yaml: split: column 'sample' is not in obs (no columns)",
    ),
    Case(
        "a column that the table does not have",
        split("S1", column="orig.ident", metadata=META),
        "data/meta.tsv: there is no column 'orig.ident'; there are: barcode, sample",
    ),
    Case(
        "barcodes that are not those of the table",
        split("S1", column="sample", metadata=Path("data/other.tsv")),
        "data/other.tsv: no barcode of the matrix is in its column of barcodes ('S1_A' in the matrix, 'Q_A' in the table)",
    ),
    Case(
        "an empty table",
        split("S1", column="sample", metadata=Path("data/empty.tsv")),
        "data/empty.tsv: needs a header and one row a barcode",
    ),
    Case(
        "a barcode that the table gives to two libraries",
        split("S1", column="sample", metadata=Path("data/twice.tsv")),
        "data/twice.tsv: barcode S1_A is duplicated, for 'S1' and for 'S2'",
    ),
    Case(
        "a table in another order that is joined by position",
        split("S1", column="sample", metadata=Path("data/turned.tsv"), join="position"),
        "data/turned.tsv: line 2: barcode S2_A, but S1_A in the matrix: its first column holds the matrix's barcodes in another "
        "order; without 'join: position' it is joined by barcode",
    ),
    Case(
        "a table with a ragged row",
        split("S1", column="sample", metadata=Path("data/ragged.tsv")),
        "data/ragged.tsv: line 3: 3 fields, but the header has 2",
    ),
]


def poisson(n_cells: int, genes: list[str], rate: float) -> ad.AnnData:
    return ad.AnnData(
        sp.csr_matrix(np.random.default_rng(0).poisson(rate, (n_cells, len(genes))).astype(np.int32)),
        obs=pd.DataFrame(index=[f"c{k}" for k in range(n_cells)]),
        var=pd.DataFrame(index=genes),
    )


def many_genes() -> list[str]:
    from recovery_microglia.core.genes import known_symbols

    return sorted(known_symbols("mouse"))[:2000]


LIBRARY = [
    Case(
        "so few counts that no cell passes",
        lambda lab: lab.process(poisson(50, many_genes(), 0.05)),
        "library I1: no cell passes quality control; filters: low_counts 50, high_counts 0, low_genes 0, high_mito 0, high_haemoglobin 0",
    ),
    Case(
        "one cell, and a poor one",
        lambda lab: lab.process(poisson(1, many_genes(), 0.01)),
        "library I1: no cell passes quality control; filters: low_counts 1, high_counts 0, low_genes 0, high_mito 0, high_haemoglobin 0",
    ),
    Case(
        "every droplet is empty",
        lambda lab: lab.process(poisson(3000, many_genes(), 0.001)),
        "library I1: no barcode has 500 counts or more (the largest has 11): no cells",
    ),
]
SECTIONS = [
    Section("Tables of text", "when the library is read; the others go on", TEXT),
    Section("MatrixMarket, Cell Ranger, STARsolo", "when the library is read; the others go on", MARKET),
    Section("HDF5: Cell Ranger and AnnData", "when the library is read; the others go on", BINARY),
    Section("Archives", "when the library is read; the others go on", ARCHIVES),
    Section("One file that holds many libraries", "when the file is taken apart", SPLIT),
    Section("Libraries without cells", "when the library is processed; the others go on", LIBRARY),
]
