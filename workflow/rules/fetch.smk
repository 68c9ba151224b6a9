"""Count matrices as files of one library each.

needs   the data set's files, the address of their deposit, or simulation parameters
gives   resources/<dataset>/fetched/<file>.tsv (what of a deposit is there), resources/<dataset>/simulated/ (demo, with
        truth) or resources/<dataset>/split/<batch>/<library>.h5ad
"""


# One job a file of the deposit: downloaded, checked and unpacked. No digest of its code: bytes that passed their check
# are the same whoever fetched them, and a table of the same files has the same bytes, after which nothing runs again.
rule fetch:
    output:
        "resources/{dataset}/fetched/{file}.tsv",
    log:
        "results/{dataset}/logs/fetch.{file}.log",
    # on a cluster only the machine in front has a way out
    localrule: True
    conda:
        "../../envs/environment.yaml"
    resources:
        download=1,
    params:
        file=lambda w: vars(INPUTS[w.dataset].download(w.file)),
        folder=lambda w: str(DATASETS[w.dataset].folder),
        record=lambda w: str(record_path(w.dataset, w.file)),
    message:
        "{wildcards.dataset}: fetching {wildcards.file}"
    script:
        "../../scripts/fetch.py"


rule simulate:
    input:
        of_dataset(Inputs.parameter_tables),
    output:
        directory("resources/{dataset}/simulated"),
    log:
        "results/{dataset}/logs/simulate.log",
        costs="resources/{dataset}/costs/simulate.json",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=memory("simulate"),
        runtime=minutes("simulate"),
    params:
        parameters=of_dataset(Inputs.parameters),
        cells_per_library=lambda w: DATASETS[w.dataset].simulation["cells_per_library"],
        sheet=of_dataset(Inputs.sheet),
        seed=CONFIG["seed"],
        code=code_digest("simulate"),
    message:
        "{wildcards.dataset}: simulating the libraries"
    script:
        "../../scripts/simulate.py"


# A deposit that holds several libraries in one matrix is read once and taken apart; a library that is added later is
# taken by a pass of its own, see split_passes.py. The recipes hold the digest of the code.
rule split:
    input:
        of_batch(Inputs.shared_counts),
    output:
        directory("resources/{dataset}/split/{batch}"),
    log:
        "results/{dataset}/logs/split.{batch}.log",
        costs="resources/{dataset}/costs/split.{batch}.json",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=memory("split", of_batch(Inputs.shared_reads)),
        runtime=minutes("split", of_batch(Inputs.shared_reads)),
    params:
        folder=lambda w: str(DATASETS[w.dataset].folder),
        recipes=of_batch(Inputs.batch_recipes),
        own=of_batch(Inputs.shared_files),
        seen=seen(of_batch(Inputs.shared_counts)),
    message:
        "{wildcards.dataset}: taking shared files apart by library"
    script:
        "../../scripts/split.py"
