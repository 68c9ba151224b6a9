"""The folders that the common tools leave of a sample, with matrices of three cells and five genes."""

import gzip
from pathlib import Path

import h5py
import numpy as np

from bad_input.lab import CELLS, COUNTS, GENES, MTX, h5_bytes, ten_x_files, ten_x_h5

IDS = ["ENSMUSG00000029580", "ENSMUSG00000030789", "ENSMUSG00000020053", "ENSMUSG00000036353", "ENSMUSG00000021665"]
H5 = h5_bytes(ten_x_h5)
FRACTIONS = MTX.replace("integer", "real").replace("1 1 5", "1 1 4.5")
ENTRIES = [(row, column) for row in range(3) for column in range(5) if COUNTS[row, column]]


def put(folder: Path, files: dict[str, str | bytes]) -> None:
    """Write files; those that end in .gz are gzipped."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)


def gzipped(files: dict[str, str | bytes]) -> dict[str, str | bytes]:
    """The same files, each to be gzipped."""
    return {f"{name}.gz": content for name, content in files.items()}


def by_cell(matrix: np.ndarray = COUNTS) -> str:
    """A MatrixMarket file with cells in rows."""
    rows, columns = np.nonzero(matrix)
    lines = [f"{r + 1} {c + 1} {matrix[r, c]}" for r, c in zip(rows, columns, strict=True)]
    head = f"%%MatrixMarket matrix coordinate integer general\n{matrix.shape[0]} {matrix.shape[1]} {len(lines)}"
    return "\n".join([head, *lines]) + "\n"


def molecule_info(file: h5py.File) -> None:
    """Cell Ranger's table of molecules: no matrix."""
    for name in ("barcode_idx", "barcodes", "count", "feature_idx", "umi"):
        file[name] = np.arange(3)
    file["features/id"] = np.array([b"x"])


ANALYSIS: dict[str, str | bytes] = {
    "analysis/clustering/gene_expression_graphclust/clusters.csv": "Barcode,Cluster\nAAAC-1,1\nAAAG-1,2\n",
    "analysis/diffexp/gene_expression_graphclust/differential_expression.csv": "Feature ID,Feature Name,Cluster 1 Mean Counts\nENSMUSG1,Itgax,0.5\n",
    "analysis/pca/gene_expression_10_components/projection.csv": "Barcode,PC-1,PC-2\nAAAC-1,1,2\nAAAG-1,1,2\n",
    "analysis/umap/gene_expression_2_components/projection.csv": "Barcode,UMAP-1,UMAP-2\nAAAC-1,1,2\nAAAG-1,1,2\n",
}


def under(folder: str, files: dict[str, str | bytes]) -> dict[str, str | bytes]:
    """The same files in a folder."""
    return {f"{folder}/{name}": content for name, content in files.items()}


def cell_ranger(sample: str) -> dict[str, str | bytes]:
    """cellranger count, untouched."""
    return under(f"{sample}/outs", {
        **gzipped(ten_x_files("filtered_feature_bc_matrix")), **gzipped(ten_x_files("raw_feature_bc_matrix")),
        "filtered_feature_bc_matrix.h5": H5, "raw_feature_bc_matrix.h5": H5, "molecule_info.h5": h5_bytes(molecule_info),
        "metrics_summary.csv": "Estimated Number of Cells\n3\n", "web_summary.html": "<html></html>", "possorted_genome_bam.bam": "x", "cloupe.cloupe": "x",
        **ANALYSIS,
    }) | {f"{sample}/_cmdline": "cellranger count", f"{sample}/SC_RNA_COUNTER_CS/fork0/filtered_feature_bc_matrix.h5": H5}  # fmt: skip


def cell_ranger_2(sample: str) -> dict[str, str | bytes]:
    """cellranger count of version 2: a folder a genome, genes.tsv, nothing gzipped."""
    return under(f"{sample}/outs", {
        **ten_x_files("filtered_gene_bc_matrices/mm10"), **ten_x_files("raw_gene_bc_matrices/mm10"), "filtered_gene_bc_matrices_h5.h5": H5,
        "raw_gene_bc_matrices_h5.h5": H5, "molecule_info.h5": h5_bytes(molecule_info),
    })  # fmt: skip


def cell_ranger_multi(*samples: str) -> dict[str, str | bytes]:
    """cellranger multi: the samples, and the pool that they were in."""
    files: dict[str, str | bytes] = {}
    for sample in samples:
        files |= under(f"outs/per_sample_outs/{sample}/count", {
            **gzipped(ten_x_files("sample_filtered_feature_bc_matrix")), "sample_filtered_feature_bc_matrix.h5": H5,
            **gzipped(ten_x_files("sample_raw_feature_bc_matrix")), "sample_raw_feature_bc_matrix.h5": H5,
            "sample_molecule_info.h5": h5_bytes(molecule_info), **ANALYSIS,
        })  # fmt: skip
        files[f"outs/per_sample_outs/{sample}/metrics_summary.csv"] = "Category,Library Type\nCells,Gene Expression\n"
    pool = {
        **gzipped(ten_x_files("raw_feature_bc_matrix")),
        "raw_feature_bc_matrix.h5": H5,
        "raw_molecule_info.h5": h5_bytes(molecule_info),
    }
    files |= under("outs/multi/count", pool)
    files["outs/multi/multiplexing_analysis/tag_calls_per_cell.csv"] = (
        "cell_barcode,num_features,feature_call,num_umis\nAAAC-1,1,CMO301,20\n"
    )
    return files


def cellbender(sample: str) -> dict[str, str | bytes]:
    """CellBender beside cellranger count."""
    return cell_ranger(sample) | under(f"{sample}/cellbender", {
        "output.h5": H5, "output_filtered.h5": H5, "output_posterior.h5": h5_bytes(lambda f: f.create_group("posterior")),
        "output_cell_barcodes.csv": "AAAC-1\nAAAG-1\n", "output_metrics.csv": "total_raw_counts,3\n", "output.log": "x", "output.pdf": "x",
    })  # fmt: skip


def cellbender_elsewhere(sample: str) -> dict[str, str | bytes]:
    """CellBender's in a folder of their own, named by sample."""
    return under("cellranger", cell_ranger(sample)) | {
        f"cellbender/{sample}_filtered.h5": H5,
        f"cellbender/{sample}.h5": H5,
    }


def soupx(sample: str) -> dict[str, str | bytes]:
    """SoupX beside cellranger count: fractions of counts."""
    return cell_ranger(sample) | ten_x_files(f"{sample}/soupX_filt", matrix=FRACTIONS)


def starsolo(sample: str) -> dict[str, str | bytes]:
    """STARsolo, with multi-mapped reads, introns and velocity."""
    files: dict[str, str | bytes] = {}
    for features in ("Gene", "GeneFull"):
        for kind in ("filtered", "raw"):
            files |= ten_x_files(f"{sample}_Solo.out/{features}/{kind}")
        files[f"{sample}_Solo.out/{features}/raw/UniqueAndMult-EM.mtx"] = FRACTIONS
        files[f"{sample}_Solo.out/{features}/Summary.csv"] = "Number of Reads,3\n"
        files[f"{sample}_Solo.out/{features}/UMIperCellSorted.txt"] = "3\n2\n"
    parts = {
        name: text for name, text in ten_x_files(f"{sample}_Solo.out/Velocyto/raw").items() if "matrix" not in name
    }
    files |= parts | {
        f"{sample}_Solo.out/Velocyto/raw/{part}.mtx": MTX for part in ("spliced", "unspliced", "ambiguous")
    }
    return files | {f"{sample}_Log.final.out": "x", f"{sample}_Solo.out/Barcodes.stats": "x"}


def kb(sample: str, *parts: str) -> dict[str, str | bytes]:
    """kb count, of all molecules, or in ``parts``."""
    files: dict[str, str | bytes] = {}
    for kind in ("counts_unfiltered", "counts_filtered"):
        files |= under(f"{sample}/{kind}", {
            "cells_x_genes.barcodes.txt": "".join(f"{cell}\n" for cell in CELLS), "cells_x_genes.genes.txt": "".join(f"{name}.1\n" for name in IDS),
            "cells_x_genes.genes.names.txt": "".join(f"{gene}\n" for gene in GENES),
            **{f"cells_x_genes{part and '.'}{part}.mtx": by_cell() for part in parts or ("",)},
        })  # fmt: skip
    return files | {
        f"{sample}/run_info.json": "{}",
        f"{sample}/inspect.json": "{}",
        f"{sample}/10x_version3_whitelist.txt": "AAAC\nAAAG\n",
    }


def usa() -> np.ndarray:
    """Counts in three parts: spliced, unspliced, ambiguous; their sum is `COUNTS`."""
    spliced = COUNTS // 2
    unspliced = (COUNTS - spliced) // 2
    return np.hstack([spliced, unspliced, COUNTS - spliced - unspliced])


def alevin_fry(sample: str) -> dict[str, str | bytes]:
    """alevin-fry quant in USA mode."""
    names = [f"{name}{part}" for part in ("", "-U", "-A") for name in IDS]
    return under(f"{sample}/af_quant", {
        "alevin/quants_mat.mtx": by_cell(usa()), "alevin/quants_mat_rows.txt": "".join(f"{cell[:-2]}\n" for cell in CELLS),
        "alevin/quants_mat_cols.txt": "".join(f"{name}\n" for name in names), "featureDump.txt": "CB\tCorrectedReads\nAAAC\t3\n", "quant.json": "{}",
        "gene_id_to_name.tsv": "".join(f"{i}\t{g}\n" for i, g in zip(IDS, GENES, strict=True)),
    })  # fmt: skip


def pipseeker(sample: str) -> dict[str, str | bytes]:
    """PIPseeker: unfiltered, and five sensitivities."""
    files = gzipped(ten_x_files(f"{sample}/raw_matrix"))
    for number in range(1, 6):
        files |= gzipped(ten_x_files(f"{sample}/filtered_matrix/sensitivity_{number}"))
        files[f"{sample}/clustering/sensitivity_{number}/clusters.csv"] = "Barcode,Cluster\nAAAC,1\nAAAG,2\n"
    return files | {f"{sample}/metrics/barcodes/cell_metrics.csv": "barcode,reads\nAAAC,3\n"}


def parse(*samples: str) -> dict[str, str | bytes]:
    """split-pipe: each sample, and all together."""
    files: dict[str, str | bytes] = {}
    for sample in ("all-sample", *samples):
        for kind in ("DGE_filtered", "DGE_unfiltered"):
            files |= under(f"run/{sample}/{kind}", parse_matrix(list(samples) if sample == "all-sample" else [sample]))
        files[f"run/{sample}/report/analysis_summary.csv"] = "statistic,value\nnumber_of_cells,3\n"
    return files


def parse_matrix(samples: list[str]) -> dict[str, str | bytes]:
    """A matrix of split-pipe, whose cells are dealt out to samples."""
    cells = [f"{k:02d}_01_01" for k in range(1, 4)]
    rows = "".join(f"{cell},{samples[k % len(samples)]},10\n" for k, cell in enumerate(cells))
    return {
        "count_matrix.mtx": by_cell(), "cell_metadata.csv": f"bc_wells,sample,mread_count\n{rows}",
        "all_genes.csv": "gene_id,gene_name,genome\n" + "".join(f"{i},{g},mm39\n" for i, g in zip(IDS, GENES, strict=True)),
    }  # fmt: skip


def rhapsody(sample: str) -> dict[str, str | bytes]:
    """BD Rhapsody's tables, with the lines that say how they were made."""
    table = "## BD Rhapsody WTA\n## Version 1.9.1\nCell_Index," + ",".join(GENES) + "\n"
    table += "".join(f"{1000 + k}," + ",".join(map(str, row)) + "\n" for k, row in enumerate(COUNTS))
    return {
        f"{sample}_RSEC_MolsPerCell.csv": table, f"{sample}_RSEC_ReadsPerCell.csv": table, f"{sample}_RSEC_MolsPerCell_Unfiltered.csv.gz": table,
        f"{sample}_DBEC_MolsPerCell.csv": table, f"{sample}_DBEC_ReadsPerCell.csv": table,
        f"{sample}_Metrics_Summary.csv": "## BD\nTotal_Reads,3\n1,2\n", f"{sample}_Sample_Tag_Calls.csv": "## BD\nCell_Index,Sample_Tag\n1000,SampleTag01\n",
    }  # fmt: skip
