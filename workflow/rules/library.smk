"""One library, knowing nothing of the others: memory is bounded by the largest.

needs   the files of the library
gives   results/<dataset>/libraries/<library>/{cells.parquet,myeloid.h5ad,lineage_sums.parquet,library.json}
"""


rule library:
    input:
        counts=of_library(Inputs.counts),
        signatures=SIGNATURES,
    output:
        cells="results/{dataset}/libraries/{library}/cells.parquet",
        myeloid="results/{dataset}/libraries/{library}/myeloid.h5ad",
        sums="results/{dataset}/libraries/{library}/lineage_sums.parquet",
        report="results/{dataset}/libraries/{library}/library.json",
    log:
        "results/{dataset}/logs/library.{library}.log",
        costs="results/{dataset}/costs/library.{library}.json",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=memory("library", of_library(Inputs.library_reads)),
        runtime=minutes("library", of_library(Inputs.library_reads)),
    params:
        reading=of_library(Inputs.reading),
        facts=of_library(Inputs.library_facts),
        settings=CONFIG["cells"],
        seed=CONFIG["seed"],
        own=of_library(Inputs.read_files),
        seen=seen(of_library(Inputs.own_counts)),
        gene_sets=GENE_SETS,
        code=code_digest("library"),
    message:
        "{wildcards.dataset}: library {wildcards.library}: cells, quality, lineage"
    script:
        "../../scripts/library.py"
