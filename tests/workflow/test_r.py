"""What a reader in R sees: tables with base R, and the commands of the documentation."""

import re
import shutil
import subprocess
from pathlib import Path

import anndata as ad
import pandas as pd
import pytest

from workflow.conftest import Project

ROOT = Path(__file__).parents[2]


def r(code: str, folder: Path) -> str:
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed here (Debian: apt-get install r-base-core)")
    done = subprocess.run(["Rscript", "--vanilla", "-e", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_r_reads_calls_and_shares_as_python_does(finished: Project) -> None:
    cells = pd.read_csv(finished.results("small", "tables", "cells.tsv.gz"), sep="\t")
    said = r(
        'cells <- read.delim(gzfile("results/small/tables/cells.tsv.gz")); rownames(cells) <- cells$cell;'
        'days <- read.delim("results/small/tables/timeline.tsv");'
        'cat(nrow(cells), sum(cells$recovery_call == "True"), round(mean(cells$recovery_probability), 6), ncol(days))',
        finished.path,
    )
    n, called, mean, columns = said.split()
    assert (int(n), int(called)) == (len(cells), int(cells["recovery_call"].sum()))
    assert float(mean) == pytest.approx(cells["recovery_probability"].mean(), abs=1e-6)
    days = pd.read_csv(finished.results("small", "tables", "timeline.tsv"), sep="\t", nrows=1)
    assert int(columns) == len(days.columns)


def test_the_documented_commands_join_calls_to_a_table_of_the_users_own(finished: Project) -> None:
    text = (ROOT / "docs/howto.md").read_text(encoding="utf-8").split("## Results in R and Seurat")[1]
    documented = re.search(r"```r\n(.*?)```", text, flags=re.DOTALL)
    assert documented
    own = (
        "AddMetaData <- function(object, more) cbind(object, more);"  # Seurat's, for an object that is a table
        'object <- read.delim(gzfile("results/small/tables/cells.tsv.gz"))[c("cell", "library")];'
        'object$barcode <- sub("^[^:]*:", "", object$cell); object <- object[rev(seq_len(nrow(object))), ];'
    )
    code = (
        own
        + documented[1].replace("our_sni", "small")
        + 'cat(sum(object$recovery_call == "True"), rownames(object)[1])'
    )
    called, _ = r(code, finished.path).split()
    assert int(called) == int(
        pd.read_csv(finished.results("small", "tables", "cells.tsv.gz"), sep="\t")["recovery_call"].sum()
    )


def test_the_documented_commands_read_the_h5ad_with_rhdf5(finished: Project) -> None:
    needed = 'cat(all(sapply(c("rhdf5", "Matrix"), requireNamespace, quietly = TRUE)))'
    if r(needed, finished.path) != "TRUE":
        pytest.skip("rhdf5 and Matrix are not installed in R here (Debian: apt-get install r-bioc-rhdf5 r-cran-matrix)")
    text = (ROOT / "docs/howto.md").read_text(encoding="utf-8").split("## Results in R and Seurat")[1]
    documented = re.findall(r"```r\n(.*?)```", text, flags=re.DOTALL)[1].replace("our_sni", "small")
    asked = 'cat(sum(counts), sum(counts["Itgax", call == "yes"]), nlevels(call), dim(umap), colnames(counts)[1], sep = "\\n")'
    said = r(f"{documented}\n{asked}", finished.path).splitlines()
    adata = ad.read_h5ad(finished.results("small", "myeloid.h5ad"))
    called = adata.X[(adata.obs["recovery_call"] == "yes").to_numpy()]
    itgax = called[:, adata.var_names.get_loc("Itgax")].sum()
    assert [float(one) for one in said[:5]] == [adata.X.sum(), itgax, 3, adata.n_obs, 2]
    assert said[5] == adata.obs_names[0]
