"""All libraries of a data set: clusters, embedding, recovery cells, timeline.

needs   results/<dataset>/libraries/*
gives   results/<dataset>/{intermediate/*,tables/*.tsv}
"""


rule myeloid:
    input:
        myeloid=per_library("myeloid.h5ad"),
        signatures=SIGNATURES,
    output:
        clustered="results/{dataset}/intermediate/clustered.h5ad",
        states="results/{dataset}/intermediate/states.parquet",
        report="results/{dataset}/intermediate/myeloid.json",
    params:
        sheet=sheet_of,
        settings=CONFIG["clusters"],
        seed=CONFIG["seed"],
        code=code_digest("myeloid"),
    log:
        "results/{dataset}/logs/myeloid.log",
    resources:
        mem_mb=4000,
    script:
        "../../scripts/myeloid.py"


rule embedding:
    input:
        clustered="results/{dataset}/intermediate/clustered.h5ad",
    output:
        embedding="results/{dataset}/intermediate/embedding.parquet",
    params:
        seed=CONFIG["seed"],
        code=code_digest("myeloid"),
    log:
        "results/{dataset}/logs/embedding.log",
    resources:
        mem_mb=4000,
    script:
        "../../scripts/embedding.py"


rule recovery:
    input:
        clustered="results/{dataset}/intermediate/clustered.h5ad",
        states="results/{dataset}/intermediate/states.parquet",
        signatures=SIGNATURES,
    output:
        cells="results/{dataset}/intermediate/recovery.parquet",
        report="results/{dataset}/intermediate/recovery.json",
        **{name: f"results/{{dataset}}/tables/{name}.tsv" for name in RECOVERY_TABLES},
    params:
        sheet=sheet_of,
        settings=CONFIG["recovery"],
        seed=CONFIG["seed"],
        code=code_digest("recovery"),
    log:
        "results/{dataset}/logs/recovery.log",
    resources:
        mem_mb=4000,
    script:
        "../../scripts/recovery.py"
