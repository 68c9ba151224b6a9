"""Genes, activities and signals that are associated with the state; only with `drivers: true`.

needs   results/<dataset>/{libraries,intermediate}, config/knowledge
gives   resources/_networks/*.json (where a network's file is, or why it is not there), results/<dataset>/drivers/*.tsv
"""


# A network that cannot be had stops nothing; `--forcerun network` tries again.
rule network:
    input:
        NETWORKS,
    output:
        "resources/_networks/{network}.json",
    log:
        "results/logs/network.{network}.log",
    # on a cluster only the machine in front has a way out
    localrule: True
    conda:
        "../../envs/environment.yaml"
    resources:
        download=1,
    message:
        "Fetching the network {wildcards.network}"
    script:
        "../../scripts/network.py"


rule drivers:
    input:
        recovered="results/{dataset}/intermediate/recovery.parquet",
        recovery="results/{dataset}/intermediate/recovery.json",
        refinement="results/{dataset}/tables/refinement.tsv",
        clustered="results/{dataset}/intermediate/clustered.h5ad",
        signatures=SIGNATURES,
        resources=NETWORKS,
        networks=of_dataset(lambda inputs: inputs.networks(NETWORK_NAMES)),
        own_networks=of_dataset(Inputs.own_networks),
    output:
        **driver_tables("drivers"),
    log:
        "results/{dataset}/logs/drivers.log",
        costs="results/{dataset}/costs/drivers.json",
    conda:
        "../../envs/environment.yaml"
    threads: 2  # two models
    resources:
        mem_mb=memory("drivers", of_dataset(Inputs.merged_reads)),
        runtime=minutes("drivers", of_dataset(Inputs.merged_reads)),
    params:
        sheet=of_dataset(Inputs.sheet),
        gene_sets=GENE_SETS,
        code=code_digest("drivers"),
    message:
        "{wildcards.dataset}: genes and activities associated with the state"
    script:
        "../../scripts/drivers.py"


rule signals:
    input:
        recovered="results/{dataset}/intermediate/recovery.parquet",
        recovery="results/{dataset}/intermediate/recovery.json",
        clustered="results/{dataset}/intermediate/clustered.h5ad",
        cells=per_library("cells.parquet"),
        sums=per_library("lineage_sums.parquet"),
        pairs=str(knowledge("pairs.tsv")),
    output:
        **driver_tables("signals"),
    log:
        "results/{dataset}/logs/signals.log",
        costs="results/{dataset}/costs/signals.json",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=memory("drivers", of_dataset(Inputs.merged_reads)),
        runtime=minutes("drivers", of_dataset(Inputs.merged_reads)),
    params:
        sheet=of_dataset(Inputs.sheet),
        code=code_digest("signals"),
    message:
        "{wildcards.dataset}: signals that may reach the recovery cells"
    script:
        "../../scripts/signals.py"


rule candidates:
    input:
        driver_genes="results/{dataset}/drivers/driver_genes.tsv",
        driver_activities="results/{dataset}/drivers/driver_activities.tsv",
        driver_signals="results/{dataset}/drivers/driver_signals.tsv",
        modulators=str(knowledge("modulators.tsv")),
        cytokines=str(knowledge("cytokines.tsv")),
        truth=of_dataset(Inputs.true_signals),
        # a user's own table, which is not part of the project
        compounds=glob("config/knowledge/compounds.tsv"),
    output:
        **driver_tables("candidates"),
    log:
        "results/{dataset}/logs/candidates.log",
    # seconds of work: not worth a submission
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code_digest("candidates"),
    message:
        "{wildcards.dataset}: candidates"
    script:
        "../../scripts/candidates.py"
