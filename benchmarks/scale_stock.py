"""The stock scanpy workflow on the same files, for `scale.py`: all cells loaded, everything done on all of them.

    python benchmarks/scale_stock.py <folder of libraries> <result.json>

As in scanpy's tutorials: Scrublet by library, PCA of the variable genes, default neighbours, Leiden as igraph does it.
"""

import json
import re
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

STAGES: dict[str, dict[str, float]] = {}


def peak_mb() -> float:
    """Return the largest memory of this process so far."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1000 if found else float("nan")


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Note what a stage costs."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    STAGES[name] = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak": peak_mb()}
    print(f"{name}: {STAGES[name]['wall']:.1f} s, {STAGES[name]['peak']:.0f} MB", flush=True)


def run(folder: Path, out: Path) -> None:
    """Run the workflow."""
    with stage("import"):
        import anndata as ad
        import scanpy as sc

        from recovery_microglia.core.anndata_access import counts_of
        from recovery_microglia.core.genes import load_signatures

        warnings.simplefilter("ignore")
    with stage("read"):
        parts = {path.name: sc.read_10x_mtx(path) for path in sorted(folder.iterdir())}
        cells = ad.concat(parts, label="library", index_unique="-")
        del parts
    with stage("quality control"):
        cells.var["mt"] = cells.var_names.str.startswith("mt-")
        sc.pp.calculate_qc_metrics(cells, qc_vars=["mt"], inplace=True, log1p=True)
        sc.pp.filter_cells(cells, min_genes=150)
        sc.pp.filter_genes(cells, min_cells=3)
        cells = cells[cells.obs["pct_counts_mt"] < 20].copy()
    with stage("doublets"):
        # a threshold by hand: the automatic one needs scikit-image, which the project does not have, and costs nothing
        sc.pp.scrublet(cells, batch_key="library", threshold=0.25)
        cells = cells[~cells.obs["predicted_doublet"].astype(bool)].copy()
    with stage("normalise"):
        cells.layers["counts"] = counts_of(cells).copy()
        sc.pp.normalize_total(cells)
        sc.pp.log1p(cells)
    with stage("variable genes, PCA"):
        sc.pp.highly_variable_genes(cells, n_top_genes=2000, batch_key="library")
        sc.pp.pca(cells)
    with stage("neighbours"):
        sc.pp.neighbors(cells)
    with stage("UMAP"):
        sc.tl.umap(cells)
    with stage("Leiden"):
        sc.tl.leiden(cells, flavor="igraph", n_iterations=2, directed=False)
    with stage("scores"):
        sets = load_signatures(ROOT / "config/signatures")
        for name, genes in {"recovery": sets.recovery, **sets.states}.items():
            here = [gene for gene in genes.up if gene in cells.var_names]
            if here:
                sc.tl.score_genes(cells, here, score_name=f"score_{name}")
    with stage("write"):
        cells.write_h5ad(out.with_suffix(".h5ad"), compression="gzip")
        out.with_suffix(".h5ad").unlink()


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
    Path(sys.argv[2]).write_text(json.dumps(STAGES))
