"""What a reader gets.

needs   results/<dataset>/{libraries,intermediate,tables}
gives   results/<dataset>/{summary.json,myeloid.h5ad,report.html,figures/}, results/index.html
"""


rule summary:
    input:
        libraries=per_library("library.json"),
        cells=per_library("cells.parquet"),
        clustered="results/{dataset}/intermediate/clustered.h5ad",
        myeloid="results/{dataset}/intermediate/myeloid.json",
        embedding="results/{dataset}/intermediate/embedding.parquet",
        recovered="results/{dataset}/intermediate/recovery.parquet",
        recovery="results/{dataset}/intermediate/recovery.json",
        timeline="results/{dataset}/intermediate/timeline.json",
        onset="results/{dataset}/tables/onset.tsv",
        clusters="results/{dataset}/intermediate/clusters.tsv",
        recovery_clusters="results/{dataset}/tables/recovery_clusters.tsv",
        signatures=SIGNATURES,
        truth=of_dataset(Inputs.truth),
        counts=of_dataset(Inputs.sources),
    output:
        **tables_of("summary"),
        summary=report(
            "results/{dataset}/summary.json",
            caption="../report/summary.rst",
            category="{dataset}",
            subcategory="The answer",
            labels={"table": "summary.json", "holds": "the answer for programs"},
        ),
        h5ad="results/{dataset}/myeloid.h5ad",
        cells="results/{dataset}/tables/cells.tsv.gz",
        genes="results/{dataset}/intermediate/genes.parquet",
    log:
        "results/{dataset}/logs/summary.log",
        costs="results/{dataset}/costs/summary.json",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=memory("summary", of_dataset(Inputs.merged_reads)),
        runtime=minutes("summary", of_dataset(Inputs.merged_reads)),
    params:
        sheet=of_dataset(Inputs.sheet),
        facts=lambda w: DATASETS[w.dataset].facts(),
        readings=of_dataset(Inputs.readings),
        settings={
            key: value
            for key, value in CONFIG.items()
            if key not in ("datasets", "drivers")
        },
        gene_sets=GENE_SETS,
        code=code_digest("summary"),
    message:
        "{wildcards.dataset}: closing tables"
    script:
        "../../scripts/summary.py"


rule report:
    input:
        summary="results/{dataset}/summary.json",
        h5ad="results/{dataset}/myeloid.h5ad",
        genes="results/{dataset}/intermediate/genes.parquet",
        costs=of_dataset(lambda inputs: inputs.costs(drivers=CONFIG["drivers"])),
        tables=[
            f"results/{{dataset}}/tables/{name}.tsv"
            for name in made_by("recovery", "timeline", "summary", "design_of")
        ],
        drivers=[f"results/{{dataset}}/{file}" for file in DRIVER_FILES],
    output:
        page=report(
            "results/{dataset}/report.html",
            caption="../report/page.rst",
            category="{dataset}",
            subcategory="The answer",
            labels={"table": "report.html", "holds": "the page: answer and evidence"},
        ),
        costs=report(
            "results/{dataset}/costs.tsv",
            caption="../report/table.rst",
            category="{dataset}",
            subcategory="Tables",
            labels={"table": "costs.tsv", "holds": TABLES["costs"].caption},
        ),
        figures=directory("results/{dataset}/figures"),
    log:
        "results/{dataset}/logs/report.log",
    conda:
        "../../envs/environment.yaml"
    threads: 4
    resources:
        mem_mb=memory("report"),
        runtime=minutes("report"),
    params:
        drivers=CONFIG["drivers"],
        code=code_digest("report"),
    message:
        "{wildcards.dataset}: writing the page"
    script:
        "../../scripts/report.py"


rule compare:
    input:
        summaries=expand("results/{dataset}/summary.json", dataset=DATASETS),
        timelines=expand("results/{dataset}/tables/timeline.tsv", dataset=DATASETS),
    output:
        table="results/comparison.tsv",
        report="results/comparison.json",
    log:
        "results/logs/compare.log",
    # seconds of work: not worth a submission
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code_digest("compare"),
    message:
        "Comparing the data sets"
    script:
        "../../scripts/compare.py"


rule index:
    input:
        summaries=expand("results/{dataset}/summary.json", dataset=DATASETS),
        pages=expand("results/{dataset}/report.html", dataset=DATASETS),
        comparison="results/comparison.tsv",
    output:
        report(
            "results/index.html",
            caption="../report/index.rst",
            category="All data sets",
            labels={"table": "index.html", "holds": "the answers of all data sets"},
        ),
    log:
        "results/logs/index.log",
    # seconds of work: not worth a submission
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code_digest("index"),
    message:
        "Writing the index page"
    script:
        "../../scripts/index.py"
