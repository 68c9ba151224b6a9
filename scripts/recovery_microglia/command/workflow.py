"""Snakemake, started on the project's Snakefile in the folder where the user is."""

import os
import subprocess
import sys
from collections.abc import Sequence

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.places import project


def arguments(what: str, datasets: Sequence[str], *, cores: str, further: Sequence[str] = ()) -> list[str]:
    """Return Snakemake's arguments for one of the commands ``run``, ``design`` and ``report``.

    Examples
    --------
    >>> arguments("design", ["our_sni"], cores="4")[2:]
    ['--cores', '4', '--config', 'datasets=[our_sni]', '--quiet', 'all', '--', 'design']
    """
    options = ["--snakefile", str(project() / "Snakefile"), "--cores", cores]
    if datasets:
        options += ["--config", f"datasets=[{','.join(datasets)}]"]
    if what == "design":
        options += ["--quiet", "all"]
    targets = {"design": ["design"], "report": ["results/index.html", *(f"results/{n}/report.html" for n in datasets)]}
    if what == "report":
        options += ["--forcerun", "report", "index"]
    return [*options, *further, *(["--", *targets[what]] if what in targets else [])]


def snakemake(what: str, datasets: Sequence[str], *, cores: str, further: Sequence[str] = ()) -> int:
    """Run Snakemake to its end, and return its status; Ctrl-C reaches it and its jobs as in a clone.

    Raises
    ------
    InputError
        The path of this Python has a blank, which Snakemake (its issue 2645) does not quote.
    """
    if " " in sys.executable:
        raise InputError(
            f"{sys.executable}: Snakemake cannot run scripts by a Python whose path has a blank; install into an environment "
            "whose path has none"
        )
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", *arguments(what, datasets, cores=cores, further=further)],
        env={**os.environ, "PYTHONSAFEPATH": "1"},  # a folder of the user's must not stand in for a package
    )
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
