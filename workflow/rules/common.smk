"""Configuration, data sets and the helpers that rules call by name.

needs   config/config.yaml, config/datasets/<name>/{dataset.yaml,samples.tsv}
gives   CONFIG (completed by defaults), DATASETS (name to checked data set), helper functions
"""

import os
import re
import shutil
import sys
import time
from pathlib import Path

STARTED = time.time()

if " " in sys.executable:
    # Snakemake does not quote the interpreter that runs a script (its issue 2645); seen from here it has no space
    sys.executable = os.path.relpath(sys.executable)

ROOT = Path(workflow.current_basedir).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from snakemake.logging import logger
from snakemake.settings.enums import Quietness

from recovery_microglia.readers.split_passes import batch_of, batches
from recovery_microglia.core.schemas import read_yaml
from recovery_microglia.deposit.manifest import fetched_path, forget_lost, record_path
from recovery_microglia.core.tables.registry import TABLES, made_by
from recovery_microglia.jobs.costs import usual_seconds
from recovery_microglia.core.errors import InputError
from recovery_microglia.jobs.resources import memory_mb, run_minutes
from recovery_microglia.jobs.progress import Progress
from recovery_microglia.jobs.code_digest import code_digest
from recovery_microglia.jobs.failures import what_was_killed, what_went_wrong
from recovery_microglia.study.dataset import DataSet, Library
from recovery_microglia.study.files import library_files
from recovery_microglia.study.run import load_run
from recovery_microglia.core.files import fingerprint, size_mb
from recovery_microglia.jobs.disk import unusable
from recovery_microglia.jobs.run_lock import hold


def stop(lines) -> None:
    """End before any job starts, with plain lines."""
    print("", *dict.fromkeys(lines), "", sep="\n", file=sys.stderr)
    sys.exit(1)


if workflow.is_main_process and (
    wrong := [
        line for line in map(unusable, map(Path, ("results", "resources"))) if line
    ]
):
    stop(wrong)

# A run that was killed leaves Snakemake's locks behind; held until the end, this tells them from those of a live one.
ALIVE = hold(Path(".snakemake")) if workflow.is_main_process else None

PROGRESS = Progress(Quietness.PROGRESS)
if workflow.is_main_process:
    logger.addFilter(PROGRESS)

try:
    read_yaml(Path("config/config.yaml"))  # a mistake in it is told with its line
except InputError as mistake:
    stop([mistake])


configfile: "config/config.yaml"


try:
    CONFIG, DATASETS = load_run(config, Path(), ROOT / "workflow" / "schemas")
except InputError as mistakes:
    stop([mistakes])

if workflow.is_main_process:
    for name, dataset in DATASETS.items():
        for table in forget_lost(name, dataset.downloads, dataset.folder):
            print(
                f"{dataset.folder}: some of {table.stem} is gone or changed; it is fetched again when it is needed",
                file=sys.stderr,
            )

# The code that takes shared files apart: the libraries that come out depend on it.
SPLIT_CODE = code_digest("split")


def recipes_of(dataset: DataSet) -> dict[str, dict]:
    """Library to all that decides what it gets of a shared file; those left out too, so that they can come back."""
    names = ("format", "genome", "layer")
    return {
        library.library: {
            "file": file,
            "key": library.key,
            # a file is read as the first of its libraries says
            **{name: getattr(libraries[0], name) for name in names},
            "split": dict(dataset.split or {}),
            "organism": dataset.organism,
            "code": SPLIT_CODE,
        }
        for file, libraries in dataset.shared_files().items()
        for library in libraries
    }


# Looked at once: what lies on the disk changes while a run goes on.
RECIPES = {name: recipes_of(dataset) for name, dataset in DATASETS.items()}
BATCHES = {
    name: batches(Path("resources", name, "split"), recipes)
    for name, recipes in RECIPES.items()
}

# Asked for by every library's job, many times: made once.
INCLUDED = {
    name: {library.library: library for library in dataset.included}
    for name, dataset in DATASETS.items()
}

SIGNATURES = [
    f"config/signatures/{name}.tsv"
    for name in ("recovery", "states", "lineages", "technical")
]
GENE_SETS = fingerprint(map(Path, SIGNATURES))
RESULTS = [
    "report.html",
    "summary.json",
    "costs.tsv",
    "myeloid.h5ad",
    *(table.file for table in TABLES.values() if table.file.startswith("tables/")),
]


def tables_of(step: str) -> dict:
    """Output of a rule: its tables, each with its place and words in Snakemake's own report."""
    return {
        name: report(
            f"results/{{dataset}}/tables/{name}.tsv",
            caption="../report/table.rst",
            category="{dataset}",
            subcategory="Tables",
            labels={"table": f"{name}.tsv", "holds": TABLES[name].caption},
        )
        for name in made_by(step)
    }


def libraries_of(wildcards) -> list[str]:
    """Names of a data set's libraries that are not left out."""
    return [library.library for library in DATASETS[wildcards.dataset].included]


def per_library(name: str):
    """Input function: the file `name` of every library of a data set."""
    return lambda wildcards: [
        f"results/{wildcards.dataset}/libraries/{library}/{name}"
        for library in libraries_of(wildcards)
    ]


def library_of(wildcards) -> Library:
    """The sheet's row of a library."""
    return INCLUDED[wildcards.dataset][wildcards.library]


def files_behind(dataset: DataSet, libraries: list[Library]) -> list[str]:
    """The files that some libraries are read from; of fetched ones the tables that say that they are there."""
    if dataset.downloads:
        files = dataset.downloads_for(libraries)
        return [str(fetched_path(dataset.name, file.name)) for file in files]
    names = {library.file for library in libraries}
    return sorted(
        {str(path) for name in names for path in library_files(dataset.folder, name)}
    )


def counts_of(wildcards) -> list[str]:
    """The files that a library's counts are read from."""
    dataset, library = DATASETS[wildcards.dataset], library_of(wildcards)
    if dataset.simulated:
        return [f"resources/{dataset.name}/simulated"]
    if library.library in RECIPES[dataset.name]:
        return [split_of(dataset.name, library.library)]
    return files_behind(dataset, [library])


def split_of(dataset: str, library: str) -> str:
    """The folder that a library of a shared file is taken into."""
    batch = batch_of(library, RECIPES[dataset][library], BATCHES[dataset])
    return f"resources/{dataset}/split/{batch}"


def batch_recipes(wildcards) -> dict[str, dict]:
    """Library to recipe of what one pass over the shared files takes."""
    return BATCHES[wildcards.dataset][wildcards.batch]


def shared_counts_of(wildcards) -> list[str]:
    """The files that hold several libraries each, of one pass."""
    dataset = DATASETS[wildcards.dataset]
    names = {recipe["file"] for recipe in batch_recipes(wildcards).values()}
    shared = [library for library in dataset.libraries if library.file in names]
    tables = [name for key, name in (dataset.split or {}).items() if key == "metadata"]
    own = [] if dataset.downloads else [str(dataset.folder / name) for name in tables]
    return files_behind(dataset, shared) + own


def shared_reads(wildcards) -> list[Path]:
    """The shared files themselves."""
    names = {recipe["file"] for recipe in batch_recipes(wildcards).values()}
    return [DATASETS[wildcards.dataset].folder / file for file in sorted(names)]


def seen(files):
    """Params function: what a user's own files hold. Snakemake looks at their times only, and `mv` and `cp -p` keep old
    ones. Fetched files have their checksums."""

    def look(wildcards) -> str:
        dataset = DATASETS[wildcards.dataset]
        own = not dataset.downloads and not dataset.simulated
        return fingerprint(map(Path, files(wildcards))) if own else ""

    return look


def own_counts_of(wildcards) -> list[str]:
    """The files of a library that has its own; nothing of one that is taken out of a shared file."""
    shared = library_of(wildcards).library in RECIPES[wildcards.dataset]
    return [] if shared else counts_of(wildcards)


def download_of(wildcards):
    """The file of a deposit that a table of fetched files is about."""
    files = DATASETS[wildcards.dataset].downloads
    return next(file for file in files if file.name == wildcards.file)


def reading_of(wildcards) -> dict:
    """How a library is read: path and layout. Only what matters here, so that a new day in the sheet reads nothing."""
    dataset, library = DATASETS[wildcards.dataset], library_of(wildcards)
    plain = {"format": library.format, "genome": library.genome, "layer": library.layer}
    if dataset.simulated:
        return {**plain, "path": f"resources/{dataset.name}/simulated/{library.file}"}
    if library.library in RECIPES[dataset.name]:
        return {
            "path": f"{split_of(dataset.name, library.library)}/{library.library}.h5ad",
            "format": "h5ad",
        }
    return {**plain, "path": str(dataset.folder / library.file)}


def library_reads(wildcards) -> list[Path]:
    """A library's own counts: what its memory and time grow with."""
    return [Path(reading_of(wildcards)["path"])]


def merged_reads(wildcards) -> list[Path]:
    """The myeloid cells of a data set: what the later steps hold in memory."""
    return [Path(f"results/{wildcards.dataset}/intermediate/clustered.h5ad")]


def memory(step: str, files=None):
    """Resource function: megabytes of a job, growing with its input (or ``files``) and with every attempt."""
    return lambda wildcards, input, attempt: memory_mb(
        step, size_mb(files(wildcards) if files else map(Path, input)), attempt
    )


def minutes(step: str, files=None):
    """Resource function: minutes of a job, growing likewise."""
    return lambda wildcards, input, attempt: run_minutes(
        step, size_mb(files(wildcards) if files else map(Path, input)), attempt
    )


def costs_of(wildcards) -> list[str]:
    """What each job of a data set left of its costs, in the order of the data. Beside what the job made, so that a
    user who deletes results/ does not pay for it again."""
    dataset = DATASETS[wildcards.dataset]
    steps = [f"library.{library}" for library in libraries_of(wildcards)]
    steps += ["myeloid", "embedding", "recovery", "timeline", "summary"]
    return [
        *(
            f"resources/{dataset.name}/costs/{step}.json"
            for step in early_steps(dataset)
        ),
        *(f"results/{dataset.name}/costs/{step}.json" for step in steps),
    ]


def early_steps(dataset: DataSet) -> list[str]:
    """The jobs that make the files of single libraries, as their costs are named."""
    if dataset.simulated:
        return ["simulate"]
    shared = [
        one.library for one in dataset.included if one.library in RECIPES[dataset.name]
    ]
    passes = (Path(split_of(dataset.name, library)).name for library in shared)
    return [f"split.{name}" for name in dict.fromkeys(passes)]


def library_facts(wildcards) -> dict:
    """What quality control and the lineage gate may know of a library and its data set."""
    dataset, library = DATASETS[wildcards.dataset], library_of(wildcards)
    facts = {
        key: getattr(dataset, key)
        for key in ("organism", "injury_class", "assay", "droplets")
    }
    return {
        **facts,
        "library": library.library,
        "sex": library.sex,
        "sort": library.sort,
    }


def sheet_of(wildcards) -> list[dict]:
    """The whole sheet of a data set, one dict a library."""
    return DATASETS[wildcards.dataset].frame().to_dict("records")


def behaviour_of(wildcards) -> list[dict]:
    """The behaviour of a data set's animals, one dict a day; empty if there is none."""
    return [dict(row) for row in DATASETS[wildcards.dataset].behaviour]


def facts_of(wildcards) -> dict:
    """What the pages say of a data set."""
    return DATASETS[wildcards.dataset].facts()


def truth_of(wildcards) -> list[str]:
    """The truth of simulated data; nothing for real data."""
    return (
        [f"resources/{wildcards.dataset}/simulated"]
        if DATASETS[wildcards.dataset].simulated
        else []
    )


def source_files(wildcards) -> list[str]:
    """Every file that a real data set is read from, for its checksums."""
    dataset = DATASETS[wildcards.dataset]
    return [] if dataset.simulated else files_behind(dataset, list(dataset.included))


def unchecked() -> str:
    """What a user is told at the start: the facts of the entries that nobody has checked."""
    if set(workflow.dag_settings.targets) == {"design"}:
        return ""  # the design target's own text says so
    told = [
        f"  {name}: {text}"
        for name, dataset in DATASETS.items()
        for text in dataset.to_check
    ]
    return (
        "\n".join(["", "To be checked before you rely on it:", *told, "", ""])
        if told
        else ""
    )


def readings_of(wildcards) -> list[tuple[str, str]]:
    """Each file of a real data set, with what was made from it."""
    dataset = DATASETS[wildcards.dataset]
    if dataset.simulated:
        return []
    return sorted(
        (
            str(path),
            (
                split_of(dataset.name, library.library)
                if library.library in RECIPES[dataset.name]
                else f"results/{dataset.name}/libraries/{library.library}/library.json"
            ),
        )
        for library in dataset.included
        for path in library_files(dataset.folder, library.file)
    )


def plan_of_run() -> None:
    """Tell the progress lines what this run will do, and what steps took in an earlier one."""
    jobs = [job for job in workflow.dag.needrun_jobs() if not job.is_norun]
    PROGRESS.plan(
        ((job.rule.name, job.wildcards.get("dataset", "")) for job in jobs),
        usual_seconds(Path("results").glob("*/costs/*.json")),
    )


def clear_splits() -> None:
    """Remove what earlier passes over shared files left and no library needs any more."""
    for name, found in BATCHES.items():
        folder = Path("resources", name, "split")
        for path in folder.iterdir() if folder.is_dir() else []:
            if path.name not in found:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def pages_to_open() -> str:
    """What a user is told at the end."""
    pages = [Path("results", name, "report.html").resolve() for name in DATASETS]
    pages = [str(page) for page in pages if page.exists()]
    if not pages:
        return ""
    return "\n".join(
        ["", "Done. Open in a browser:", *(f"  {page}" for page in pages), ""]
    )


def failure(logs: list[str]) -> str:
    """What a user is told when a job failed: the plain lines of the failed jobs, below Snakemake's own words (logs)."""
    wrong = what_went_wrong(sorted(Path("results").glob("*/logs/*.log")), STARTED)
    wrong = wrong or list(filter(None, [unusable(Path("results"))]))
    wrong = wrong or what_was_killed(
        "".join(Path(log).read_text(errors="replace") for log in logs)
    )
    said = [f"  {line}" for line in wrong] or ["  See Snakemake's words above."]
    kept = "What was computed is kept: mend this and run the same command again."
    return "\n".join(["", "Stopped.", *said, kept, ""])
