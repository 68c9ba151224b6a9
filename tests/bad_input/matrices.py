"""Count matrices in every layout."""

import io
import tarfile
import warnings
import zipfile
from pathlib import Path

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
    Section,
    files,
    gz,
    h5_bytes,
    matrix,
    ten_x_files,
    ten_x_h5,
)


def values(**changed):
    """A dense table with some values replaced: ``Itgax='-1'`` replaces those of a gene by three times this."""
    rows = {gene: list(map(str, COUNTS[:, k])) for k, gene in enumerate(GENES)}
    rows |= {gene: [word] * 3 for gene, word in changed.items()}
    return "\n".join(["\t".join(["gene", *CELLS]), *("\t".join([gene, *row]) for gene, row in rows.items())]) + "\n"


def by_function(function):
    rows = {gene: [f"{function(float(v)):.4f}" for v in COUNTS[:, k]] for k, gene in enumerate(GENES)}
    return "\n".join(["\t".join(["gene", *CELLS]), *("\t".join([gene, *row]) for gene, row in rows.items())]) + "\n"


TEXT = [
    Case("a file that is not there", lambda lab: lab.read("nowhere.csv"), SAY),
    Case("an empty file", matrix("m.csv", ""), SAY),
    Case("a header and no rows", matrix("m.csv", "gene,a,b\n"), SAY),
    Case("names, but no numbers", matrix("m.csv", "gene\nItgax\nIgf1\n"), SAY),
    Case("an ending that is not known", matrix("m.dat", DENSE), SAY),
    Case("an Excel workbook", matrix("m.xlsx", b"PK\x03\x04"), SAY),
    Case("an R object", matrix("m.rds", b"X\n"), SAY),
    Case("reads instead of counts", matrix("m.fastq.gz", gz("@read\nACGT\n+\nIIII\n")), SAY),
    Case("a gzip file that breaks off", matrix("m.csv.gz", gz(DENSE * 200)[:90]), SAY),
    Case("a gzip file with a wrong byte", matrix("m.csv.gz", gz(DENSE)[:-8] + b"\0" * 8), SAY),
    Case("a page of HTML saved as the file", matrix("m.csv", "<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n"), SAY),
    Case("a line that is too short", matrix("m.csv", DENSE.replace("Igf1\t1\t0\t0", "Igf1\t1\t0")), SAY),
    Case("a header that is too long", matrix("m.csv", DENSE.replace("gene\t", "gene\tid\tname\t")), SAY),
    Case("a word among the numbers", matrix("m.csv", values(Igf1="low")), SAY),
    Case("decimal commas", matrix("m.csv", values(Igf1="1,5").replace("\t", ";")), SAY),
    Case("a value is missing", matrix("m.csv", values(Igf1="")), SAY),
    Case("NaN", matrix("m.csv", values(Igf1="NaN")), SAY),
    Case("an infinite value", matrix("m.csv", values(Igf1="inf")), SAY),
    Case("a negative value", matrix("m.csv", values(Igf1="-1")), SAY),
    Case("log-normalised values", matrix("m.csv", by_function(np.log1p)), SAY),
    Case("FPKM, TPM or CPM", matrix("m.csv", by_function(lambda v: v * 1234.567)), SAY),
    Case("scaled values", matrix("m.csv", by_function(lambda v: (v - 2) / 3)), SAY),
    Case("a value that no count can have", matrix("m.csv", values(Igf1="99999999999")), SAY),
    Case("every count is zero", matrix("m.csv", DENSE.translate(str.maketrans("2345679", "0000000")).replace("\t1", "\t0").replace("AAAC-0", "AAAC-1")), SAY),
    Case("a barcode twice", matrix("m.csv", DENSE.replace("AAAG", "AAAC")), SAY),
    Case("human genes", matrix("m.csv", DENSE.replace("Actb", "ACTB").replace("Itgax", "ITGAX").replace("P2ry12", "P2RY12").replace("Igf1", "IGF1").replace("Hexb", "HEXB")), SAY),
    Case("rat genes, by identifier", matrix("m.csv", "\n".join(["gene\tAAAC-1\tAAAG-1", *(f"ENSRNOG000000{k}\t1\t2" for k in range(10000, 10009))])), SAY),
    Case("rows that are no genes (peaks)", matrix("m.csv", "peak\tAAAC-1\tAAAG-1\nchr1:100-200\t1\t0\nchr2:5-90\t0\t3\n"), SAY),
    Case("rows with numbers for names", matrix("m.csv", "\tAAAC-1\tAAAG-1\n1\t1\t0\n2\t0\t3\n3\t1\t1\n"), SAY),
    Case("a layout that the file does not have", matrix("m.csv", DENSE, format="10x_h5"), SAY),
]
MARKET = [
    Case("the barcodes are missing", files(ten_x_files(barcodes=None), "lib"), SAY),
    Case("the genes are missing", files(ten_x_files(features=None), "lib"), SAY),
    Case("the barcodes are empty", files(ten_x_files(barcodes=""), "lib"), SAY),
    Case("the genes are empty", files(ten_x_files(features=""), "lib"), SAY),
    Case("the matrix is empty", files(ten_x_files(matrix=""), "lib"), SAY),
    Case("lists that do not fit the matrix", files(ten_x_files(barcodes="AAAC-1\n"), "lib"), SAY),
    Case("fewer entries than the header says", files(ten_x_files(matrix=MTX.replace("5 3 4", "5 3 9")), "lib"), SAY),
    Case("an index outside the matrix", files(ten_x_files(matrix=MTX.replace("5 1 9", "6 1 9")), "lib"), SAY),
    Case("an index of nought", files(ten_x_files(matrix=MTX.replace("5 1 9", "0 1 9")), "lib"), SAY),
    Case("a size that no machine holds", files(ten_x_files(matrix=MTX.replace("5 3 4", "5 99999999999999999999 4")), "lib"), SAY),
    Case("a word among the numbers", files(ten_x_files(matrix=MTX.replace("5 1 9", "5 1 x")), "lib"), SAY),
    Case("a negative count", files(ten_x_files(matrix=MTX.replace("5 1 9", "5 1 -9")), "lib"), SAY),
    Case("fractions", files(ten_x_files(matrix=MTX.replace("integer", "real").replace("5 1 9", "5 1 1.25")), "lib"), SAY),
    Case("complex numbers", files(ten_x_files(matrix="%%MatrixMarket matrix coordinate complex general\n5 3 1\n1 1 2 3\n"), "lib"), SAY),
    Case("no entry", files(ten_x_files(matrix="%%MatrixMarket matrix coordinate integer general\n5 3 0\n"), "lib"), SAY),
    Case("a matrix that breaks off", files(ten_x_files(matrix=gz(MTX)[:40]), "lib"), SAY),
    Case("a barcode twice", files(ten_x_files(barcodes="AAAC-1\nAAAC-1\nAAAT-1\n"), "lib"), SAY),
    Case("antibodies only", files(ten_x_files(features="".join(f"CD{k}\tCD{k}\tAntibody Capture\n" for k in range(5))), "lib"), SAY),
    Case("two genomes", files(ten_x_files(features="".join(f"E{k}\t{p}{g}\tGene Expression\n" for k, (p, g) in enumerate(zip(["mm10___"] * 3 + ["GRCh38_"] * 2, GENES, strict=True)))), "lib"), SAY),
    Case("two matrices in one folder", files({**ten_x_files(), "lib/b_matrix.mtx": MTX}, "lib"), SAY),
    Case("two folders in one", files({**ten_x_files("lib/a"), **ten_x_files("lib/b")}, "lib"), SAY),
    Case("an empty folder", lambda lab: ((lab.root / "data/lib").mkdir(), lab.read("lib")), SAY),
    Case("a prefix that fits two libraries", files({"GSM1_a.csv": DENSE, "GSM1_b.csv": DENSE}, "GSM1_"), SAY),
]


def h5(**changed):
    return matrix("m.h5", h5_bytes(lambda file: ten_x_h5(file, **changed)))


def old_h5(file):
    for genome in ("hg19", "mm10"):
        group = file.create_group(genome)
        group["gene_names"] = np.array(GENES, dtype="S")


def h5ad(lab, adata, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # doubled names are meant
        adata.write_h5ad(lab.root / "data/m.h5ad")
    lab.read("m.h5ad", **options)


def annotated(counts, obs=CELLS, var=GENES, **options):
    """An AnnData of these counts, barcodes and genes."""

    def make(lab):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            adata = ad.AnnData(counts, obs=pd.DataFrame(index=pd.Index(obs)), var=pd.DataFrame(index=pd.Index(var)))
        h5ad(lab, adata, **options)

    return make


def no_values(lab):
    h5ad(lab, ad.AnnData(obs=pd.DataFrame(index=CELLS), var=pd.DataFrame(index=GENES)))


WHOLE = h5_bytes(ten_x_h5)
BINARY = [
    Case("not HDF5", matrix("m.h5", b"nothing"), SAY),
    Case("an empty h5", matrix("m.h5", b""), SAY),
    Case("an h5 that breaks off", matrix("m.h5", WHOLE[: len(WHOLE) // 2]), SAY),
    Case("another program's HDF5 (loom)", matrix("m.h5", h5_bytes(lambda file: file.create_dataset("row_attrs/Gene", data=1))), SAY),
    Case("an h5 without its counts", h5(data=None), SAY),
    Case("an h5 without its features", h5(**{f"features/{n}": None for n in ("name", "id", "feature_type", "genome")}), SAY),
    Case("an h5 whose parts do not fit", h5(indptr=np.array([0, 1, 2])), SAY),
    Case("an h5 with an index outside the matrix", h5(indices=np.array([0, 1, 77])), SAY),
    Case("an h5 with fewer barcodes than columns", h5(barcodes=np.array(CELLS[:2], dtype="S")), SAY),
    Case("an h5 with fractions", h5(data=np.array([0.5, 1.2, 3.0])), SAY),
    Case("an h5 with antibodies only", h5(**{"features/feature_type": np.array(["Antibody Capture"] * 5, dtype="S")}), SAY),
    Case("an h5 of two genomes", h5(**{"features/genome": np.array(["mm10"] * 3 + ["GRCh38"] * 2, dtype="S")}), SAY),
    Case("an old h5 of two genomes", matrix("m.h5", h5_bytes(old_h5)), SAY),
    Case("a genome that an h5 does not hold", matrix("m.h5", WHOLE, genome="rn6"), SAY),
    Case("not AnnData", matrix("m.h5ad", b"nothing"), SAY),
    Case("an h5ad of another program", matrix("m.h5ad", WHOLE), SAY),
    Case("an h5ad with normalised values only", annotated(np.log1p(COUNTS).astype(np.float32)), SAY),
    Case("an h5ad with NaN", annotated(np.where(COUNTS == 9, np.nan, COUNTS).astype(np.float32)), SAY),
    Case("an h5ad without values", no_values, SAY),
    Case("an h5ad without a cell", annotated(np.zeros((0, 5), dtype=np.float32), obs=[]), SAY),
    Case("an h5ad with a barcode twice", annotated(sp.csr_matrix(COUNTS), obs=["a", "a", "b"]), SAY),
    Case("an h5ad without the layer", annotated(sp.csr_matrix(COUNTS), layer="umis"), SAY),
    Case("an h5ad with cells and genes swapped", annotated(sp.csr_matrix(COUNTS.T), obs=GENES, var=CELLS), SAY),
]


def zipped(members):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return held.getvalue()


def tarred(members):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return held.getvalue()


def linked():
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        member = tarfile.TarInfo("matrix.mtx")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    return held.getvalue()


def locked():
    """A zip archive whose only member says that it is encrypted."""
    content = bytearray(zipped({"m.csv": DENSE}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


ARCHIVES = [
    Case("a zip that breaks off", matrix("m.zip", zipped(ten_x_files())[:-30]), SAY),
    Case("a tar.gz that breaks off", matrix("m.tar.gz", tarred(ten_x_files())[:60]), SAY),
    Case("an empty zip", matrix("m.zip", zipped({})), SAY),
    Case("a zip with a password", matrix("m.zip", locked()), SAY),
    Case("a zip that climbs out of its folder", matrix("m.zip", zipped({"../../evil.csv": DENSE})), SAY),
    Case("a tar that climbs out of its folder", matrix("m.tar.gz", tarred({"../../evil.csv": DENSE})), SAY),
    Case("a tar with a link to somewhere else", matrix("m.tar.gz", linked()), SAY),
]


def split(what, **how):
    """A matrix of two libraries that is taken apart."""

    def make(lab):
        from recovery_microglia.readers import split_counts

        lab.file("data/m.csv", DENSE.replace("AAAC-1", "S1_A").replace("AAAG-1", "S1_B").replace("AAAT-1", "S2_A"))
        lab.file("data/meta.tsv", "barcode\tsample\nS1_A\tS1\nS1_B\tS1\nS2_A\tS2\n")
        lab.file("data/other.tsv", "barcode\tsample\nQ_A\tS1\n")
        lab.file("data/empty.tsv", "")
        lab.file("data/ragged.tsv", "barcode\tsample\nS1_A\tS1\nS1_B\tS1\textra\n")
        _, absent = split_counts(lab.read("m.csv"), {"I1": what}, **how)
        from recovery_microglia.errors import InputError

        if absent:
            raise InputError(absent["I1"])

    return make


META = Path("data/meta.tsv")
SPLIT = [
    Case("a pattern that is no regular expression", split("S1", pattern="(?P<library>"), SAY),
    Case("a pattern without its group", split("S1", pattern="^S"), SAY),
    Case("a library that the barcodes do not name", split("S3", pattern="^(?P<library>[^_]+)_"), SAY),
    Case("a column that the h5ad does not have", split("S1", column="sample"), SAY),
    Case("a column that the table does not have", split("S1", column="orig.ident", metadata=META), SAY),
    Case("barcodes that are not those of the table", split("S1", column="sample", metadata=Path("data/other.tsv")), SAY),
    Case("an empty table", split("S1", column="sample", metadata=Path("data/empty.tsv")), SAY),
    Case("a table with a ragged row", split("S1", column="sample", metadata=Path("data/ragged.tsv")), SAY),
]


def poisson(n_cells, genes, rate):
    return ad.AnnData(
        sp.csr_matrix(np.random.default_rng(0).poisson(rate, (n_cells, len(genes))).astype(np.int32)),
        obs=pd.DataFrame(index=[f"c{k}" for k in range(n_cells)]),
        var=pd.DataFrame(index=genes),
    )


def many_genes():
    from recovery_microglia.genes import known_symbols

    return sorted(known_symbols("mouse"))[:2000]


LIBRARY = [
    Case("so few counts that no cell passes", lambda lab: lab.process(poisson(50, many_genes(), 0.05)), SAY),
    Case("one cell, and a poor one", lambda lab: lab.process(poisson(1, many_genes(), 0.01)), SAY),
    Case("every droplet is empty", lambda lab: lab.process(poisson(3000, many_genes(), 0.001)), SAY),
]
SECTIONS = [
    Section("Tables of text", "when the library is read; the others go on", TEXT),
    Section("MatrixMarket, Cell Ranger, STARsolo", "when the library is read; the others go on", MARKET),
    Section("HDF5: Cell Ranger and AnnData", "when the library is read; the others go on", BINARY),
    Section("Archives", "when the library is read; the others go on", ARCHIVES),
    Section("One file that holds many libraries", "when the file is taken apart", SPLIT),
    Section("Libraries without cells", "when the library is processed; the others go on", LIBRARY),
]
