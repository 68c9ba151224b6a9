"""All libraries of a data set: clusters, embedding, recovery cells, timeline.

needs   results/<dataset>/libraries/*
gives   results/<dataset>/{intermediate/*,tables/*.tsv}
"""


rule myeloid:
    input:
        per_library("myeloid.h5ad"),
    output:
        clustered="results/{dataset}/intermediate/clustered.h5ad",
        clusters="results/{dataset}/intermediate/clusters.tsv",
        report="results/{dataset}/intermediate/myeloid.json",
    log:
        "results/{dataset}/logs/myeloid.log",
        costs="results/{dataset}/costs/myeloid.json",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=memory("myeloid"),
        runtime=minutes("myeloid"),
    params:
        sheet=of_dataset(Inputs.sheet),
        settings=CONFIG["clusters"],
        seed=CONFIG["seed"],
        code=code_digest("myeloid"),
    message:
        "{wildcards.dataset}: merging and clustering the myeloid cells"
    script:
        "../../scripts/myeloid.py"


rule embedding:
    input:
        clustered="results/{dataset}/intermediate/clustered.h5ad",
    output:
        embedding="results/{dataset}/intermediate/embedding.parquet",
    log:
        "results/{dataset}/logs/embedding.log",
        costs="results/{dataset}/costs/embedding.json",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=memory("embedding"),
        runtime=minutes("embedding"),
    params:
        seed=CONFIG["seed"],
        code=code_digest("embedding"),
    message:
        "{wildcards.dataset}: embedding the myeloid cells"
    script:
        "../../scripts/embedding.py"


rule recovery:
    input:
        clustered="results/{dataset}/intermediate/clustered.h5ad",
        libraries=per_library("library.json"),
        signatures=SIGNATURES,
    output:
        **tables_of("recovery"),
        cells="results/{dataset}/intermediate/recovery.parquet",
        report="results/{dataset}/intermediate/recovery.json",
    log:
        "results/{dataset}/logs/recovery.log",
        costs="results/{dataset}/costs/recovery.json",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=memory("recovery", of_dataset(Inputs.merged_reads)),
        runtime=minutes("recovery", of_dataset(Inputs.merged_reads)),
    params:
        settings=CONFIG["recovery"],
        seed=CONFIG["seed"],
        gene_sets=GENE_SETS,
        code=code_digest("recovery"),
    message:
        "{wildcards.dataset}: calling recovery cells"
    script:
        "../../scripts/recovery.py"


rule timeline:
    input:
        recovered="results/{dataset}/intermediate/recovery.parquet",
        recovery="results/{dataset}/intermediate/recovery.json",
        calibration="results/{dataset}/tables/calibration.tsv",
        clustered="results/{dataset}/intermediate/clustered.h5ad",
        cells=per_library("cells.parquet"),
        sums=per_library("lineage_sums.parquet"),
        signatures=SIGNATURES,
    output:
        **tables_of("timeline"),
        report="results/{dataset}/intermediate/timeline.json",
    log:
        "results/{dataset}/logs/timeline.log",
        costs="results/{dataset}/costs/timeline.json",
    conda:
        "../../envs/environment.yaml"
    threads: 4
    resources:
        mem_mb=memory("timeline", of_dataset(Inputs.merged_reads)),
        runtime=minutes("timeline", of_dataset(Inputs.merged_reads)),
    params:
        sheet=of_dataset(Inputs.sheet),
        behaviour=of_dataset(Inputs.behaviour),
        injury_model=lambda wildcards: DATASETS[wildcards.dataset].injury_model,
        settings=CONFIG["timeline"],
        quantile=CONFIG["recovery"]["quantile"],
        seed=CONFIG["seed"],
        gene_sets=GENE_SETS,
        code=code_digest("timeline"),
    message:
        "{wildcards.dataset}: comparing the days"
    script:
        "../../scripts/timeline.py"


rule design_of:
    output:
        text="results/{dataset}/design.txt",
        table="results/{dataset}/tables/design.tsv",
    log:
        "results/{dataset}/logs/design.log",
    # seconds of work: not worth a submission
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        title=lambda wildcards: DATASETS[wildcards.dataset].title,
        to_check=lambda wildcards: list(DATASETS[wildcards.dataset].to_check),
        sheet=of_dataset(Inputs.sheet),
        settings=CONFIG["timeline"],
        seed=CONFIG["seed"],
        code=code_digest("design"),
    message:
        "{wildcards.dataset}: what the design can show"
    script:
        "../../scripts/design.py"


# What the sheets allow anyone to claim, in seconds: snakemake --cores 1 design
rule design:
    input:
        expand("results/{dataset}/design.txt", dataset=DATASETS),
    log:
        "results/logs/design.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    shell:
        "cat {input:q} 2> {log:q}"
