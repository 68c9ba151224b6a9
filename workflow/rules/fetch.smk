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
        file=lambda w: vars(download_of(w)),
        folder=lambda w: str(DATASETS[w.dataset].folder),
        record=lambda w: str(record_path(w.dataset, w.file)),
    message:
        "{wildcards.dataset}: fetching {wildcards.file}"
    script:
        "../../scripts/fetch.py"


rule simulate:
    input:
        lambda w: sorted(
            str(path)
            for path in (
                DATASETS[w.dataset].path / DATASETS[w.dataset].simulation["parameters"]
            ).iterdir()
        ),
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
        parameters=lambda w: str(
            DATASETS[w.dataset].path / DATASETS[w.dataset].simulation["parameters"]
        ),
        cells_per_library=lambda w: DATASETS[w.dataset].simulation["cells_per_library"],
        sheet=sheet_of,
        seed=CONFIG["seed"],
        code=code_digest("simulate"),
    message:
        "{wildcards.dataset}: simulating the libraries"
    script:
        "../../scripts/simulate.py"


# A deposit that holds several libraries in one matrix is read once and taken apart; a library that is added later is
# taken by a pass of its own, see batches.py. The recipes hold the digest of the code.
rule split:
    input:
        shared_counts_of,
    output:
        directory("resources/{dataset}/split/{batch}"),
    log:
        "results/{dataset}/logs/split.{batch}.log",
        costs="resources/{dataset}/costs/split.{batch}.json",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=memory("split", shared_reads),
        runtime=minutes("split", shared_reads),
    params:
        folder=lambda w: str(DATASETS[w.dataset].folder),
        recipes=batch_recipes,
        seen=seen(shared_counts_of),
    message:
        "{wildcards.dataset}: taking shared files apart by library"
    script:
        "../../scripts/split.py"
