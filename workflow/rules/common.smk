"""Configuration, data sets and the helpers that rules call by name.

needs   config/config.yaml, config/datasets/<name>/{dataset.yaml,samples.tsv}
gives   CONFIG (completed by defaults), DATASETS (name to checked data set), INPUTS (name to what its steps read),
        functions that hand a rule's wildcards on
"""

import os
import re
import sys
import time
from glob import glob
from pathlib import Path

STARTED = time.time()

if " " in sys.executable:
    # Snakemake does not quote the interpreter that runs a script (its issue 2645); seen from here it has no space
    sys.executable = os.path.relpath(sys.executable)

if hasattr(workflow.current_basedir, "__fspath__"):
    # a clone, or the copy in an installed package; a module from a forge (snakedeploy) needs the package installed
    sys.path.insert(0, str(Path(workflow.current_basedir).parents[1] / "scripts"))

from snakemake.logging import logger
from snakemake.script import PythonScript
from snakemake.settings.enums import Quietness

from recovery_microglia.core.files import fingerprint
from recovery_microglia.core.places import knowledge, project, schemas
from recovery_microglia.deposit.manifest import record_path
from recovery_microglia.core.tables.registry import TABLES, made_by, paths_of
from recovery_microglia.drivers.networks import load_resources
from recovery_microglia.jobs.code_digest import code_digest
from recovery_microglia.jobs.costs import usual_seconds
from recovery_microglia.jobs.interrupts import plain_interrupts
from recovery_microglia.jobs.leftovers import remove_others
from recovery_microglia.jobs.messages import failure, pages_to_open, to_be_checked
from recovery_microglia.jobs.progress import Progress, keys_of
from recovery_microglia.jobs.progress_log import follow
from recovery_microglia.jobs.ready_process import ReadyProcess, start_jobs_from
from recovery_microglia.jobs.resources import memory, minutes
from recovery_microglia.jobs.run_lock import hold
from recovery_microglia.jobs.start import mistakes_stop, stop_if_unusable
from recovery_microglia.study.inputs import Inputs, forget_lost_files
from recovery_microglia.study.run import check_config, load_run

PROGRESS = Progress()
if workflow.is_main_process:
    plain_interrupts()
    stop_if_unusable(Path("results"), Path("resources"))
    # A killed run leaves Snakemake's locks behind; held until the end, this tells them from those of a live one.
    ALIVE = hold(Path(".snakemake"))
    # What most jobs import, at a cost above that of a small library: imported once, for all.
    start_jobs_from(
        ReadyProcess(
            [
                "recovery_microglia.library.process",
                "recovery_microglia.readers.any_layout",
            ]
        ),
        PythonScript,
    )

with mistakes_stop():
    check_config(project())


configfile: "config/config.yaml"


with mistakes_stop():
    CONFIG, DATASETS = load_run(config, Path(), schemas())

if workflow.is_main_process:
    for line in forget_lost_files(DATASETS.values()):
        print(line, file=sys.stderr)

# Looked at once: what lies on the disk changes while a run goes on.
INPUTS = {name: Inputs.of(one, code_digest("split")) for name, one in DATASETS.items()}

SIGNATURES = [
    f"config/signatures/{name}.tsv"
    for name in ("recovery", "states", "lineages", "technical")
]
GENE_SETS = fingerprint(map(Path, SIGNATURES))
DRIVER_FILES = (
    list(paths_of("drivers", "signals", "candidates").values())
    if CONFIG["drivers"]
    else []
)
NETWORKS = str(knowledge("networks.tsv"))
with mistakes_stop():
    NETWORK_NAMES = [own.name for own in load_resources(Path(NETWORKS))]
RESULTS = [
    "report.html",
    "summary.json",
    "costs.tsv",
    "myeloid.h5ad",
    *(table.file for table in TABLES.values() if table.file.startswith("tables/")),
    *DRIVER_FILES,
]


def shown(names: list, subcategory: str) -> dict:
    """Return name to file of some tables, each with its place and words in Snakemake's own report."""
    return {
        name: report(
            f"results/{{dataset}}/{TABLES[name].file}",
            caption="../report/table.rst",
            category="{dataset}",
            subcategory=subcategory,
            labels={"table": f"{name}.tsv", "holds": TABLES[name].caption},
        )
        for name in names
    }


def tables_of(step: str) -> dict:
    """Return the tables that a step writes."""
    return shown(made_by(step), "Tables")


def driver_tables(step: str) -> dict:
    """Return the tables that a step writes for the drivers."""
    return shown(list(paths_of(step)), "Associated genes, activities and signals")


# Input and params functions: what `Inputs` says of a data set, of one of its libraries, of a pass over its shared files.
of_dataset = lambda say: lambda w: say(INPUTS[w.dataset])
of_library = lambda say: lambda w: say(INPUTS[w.dataset], w.library)
of_batch = lambda say: lambda w: say(INPUTS[w.dataset], w.batch)


def per_library(name):
    """Input function: the file `name` of every library of a data set."""
    return of_dataset(lambda inputs: inputs.per_library(name))


def seen(files):
    """Params function: what a user's own files hold, of those that an input function names."""
    return lambda wildcards: INPUTS[wildcards.dataset].seen(files(wildcards))
