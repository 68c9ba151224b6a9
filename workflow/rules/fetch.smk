"""Count matrices as files of one library each.

needs   the data set's files, or its simulation parameters
gives   resources/<dataset>/simulated/ (demo, with truth) or resources/<dataset>/split/<library>.h5ad
"""


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
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1500,
    params:
        parameters=lambda w: str(
            DATASETS[w.dataset].path / DATASETS[w.dataset].simulation["parameters"]
        ),
        cells_per_library=lambda w: DATASETS[w.dataset].simulation["cells_per_library"],
        sheet=sheet_of,
        seed=CONFIG["seed"],
        code=code_digest("simulate"),
    script:
        "../../scripts/simulate.py"


# A deposit that holds several libraries in one matrix is read once and taken apart.
rule split:
    input:
        lambda w: sorted(
            {
                str(path)
                for file in DATASETS[w.dataset].shared_files()
                for path in library_files(DATASETS[w.dataset].folder, file)
            }
        ),
    output:
        directory("resources/{dataset}/split"),
    log:
        "results/{dataset}/logs/split.log",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=4000,
    params:
        folder=lambda w: str(DATASETS[w.dataset].folder),
        files=lambda w: {
            file: {library.library: library.key for library in libraries}
            for file, libraries in DATASETS[w.dataset].shared_files().items()
        },
        formats=lambda w: {
            file: {
                "format": libraries[0].format,
                "genome": libraries[0].genome,
                "layer": libraries[0].layer,
            }
            for file, libraries in DATASETS[w.dataset].shared_files().items()
        },
        split=lambda w: dict(DATASETS[w.dataset].split or {}),
        organism=lambda w: DATASETS[w.dataset].organism,
        code=code_digest("readers"),
    script:
        "../../scripts/split.py"
