"""Run one step on the inputs of a finished run, in this process: for a debugger, a profiler, or line by line.

What it writes goes to a scratch folder, so that the run stays as it is; what it prints goes to the terminal.

  .venv/bin/python -m pdb scripts/one_step.py timeline dataset=demo
  .venv/bin/python scripts/one_step.py library dataset=demo library=D14_1 --out /tmp/mine
"""

import argparse
import builtins
import contextlib
import runpy
import tempfile
from pathlib import Path

from snakemake.api import Workflow
from snakemake.dag import DAG
from snakemake.jobs import Job
from snakemake.logging import LoggerManager, logger
from snakemake.script import Snakemake
from snakemake.settings import types as s

from recovery_microglia.jobs import log

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("rule", help="name of the rule, as in workflow/rules")
parser.add_argument("wildcards", nargs="+", help="dataset=…, and library=… where the rule has it")
parser.add_argument("--out", help="folder for what the step writes (default: a new one)")
asked = parser.parse_args()
which = dict(text.split("=", 1) for text in asked.wildcards)
config, cores = s.ConfigSettings(config={"datasets": [which["dataset"]]}), s.ResourceSettings(cores=1)
talk = LoggerManager(logger, s.OutputSettings())
workflow = Workflow(config, cores, s.WorkflowSettings(), talk, s.StorageSettings(), s.DAGSettings())
workflow.include(str(Path(__file__).parents[1] / "Snakefile"))
job = Job(workflow.get_rule(asked.rule), DAG(workflow, rules=[]), which)
out = Path(asked.out or tempfile.mkdtemp(prefix=f"{asked.rule}-"))
print(f"what the step writes goes to {out}")
for written in (job.output, job.log):
    for place, name in enumerate(list(written)):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        written[place] = str(out / name)
vars(log)["_logged"] = contextlib.nullcontext  # a debugger talks through what a log would take
seen = (job.input, job.output, job.params, job.wildcards, 1, job.resources, job.log, workflow.config, asked.rule, None)
vars(builtins)["snakemake"] = Snakemake(*seen)
runpy.run_path(str(Path(__file__).with_name(Path(job.rule.script).name)), run_name="__main__")
