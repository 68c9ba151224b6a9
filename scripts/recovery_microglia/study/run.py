"""A run: the configuration and the data sets that it names."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recovery_microglia.core.errors import InputError, shortened
from recovery_microglia.core.genes import load_signatures
from recovery_microglia.core.schemas import check, defaults, hint, read_yaml, with_defaults
from recovery_microglia.study.dataset import NAME, DataSet, load_dataset


def check_config(project: Path) -> None:
    """Refuse a run in a folder without a configuration, or with one that cannot be read; told with its line.

    ``project`` is the folder of the Snakefile; a run may be started in another (``--directory``, ``-s``), with a config of its own.

    Raises
    ------
    InputError
        What is wrong, and what to do.
    """
    path = Path("config/config.yaml")
    if not path.exists() and project.resolve() != Path.cwd():
        raise InputError(
            f"{path}: no such file in {Path.cwd()}; a run has its configuration where it is started: cp -r '{project / 'config'}' . "
            "(or start it in the project's folder)"
        )
    read_yaml(path)


def load_run(config: Mapping[str, Any], root: Path, schemas: Path) -> tuple[dict[str, Any], dict[str, DataSet]]:
    """Check the configuration and every data set it names; return both, completed by the defaults.

    Raises
    ------
    InputError
        All mistakes of the run together, one line each.
    """
    settings = dict(config)
    if isinstance(settings.get("datasets"), str):  # --config datasets=demo
        settings["datasets"] = [name for name in settings["datasets"].split(",") if name]
    if settings.get("drivers") in ("true", "false"):  # --config drivers=false
        settings["drivers"] = settings["drivers"] == "true"
    mistakes = check(settings, schemas / "config.yaml", "config/config.yaml")
    try:
        load_signatures(root / "config" / "signatures")
    except InputError as error:
        mistakes += shortened(str(error).splitlines())
    settings = with_defaults(settings, defaults(schemas / "config.yaml"))
    shelf = root / "config" / "datasets"
    there = sorted(found.name for found in shelf.iterdir() if found.is_dir()) if shelf.is_dir() else []
    datasets = {}
    for name in settings["datasets"] if isinstance(settings.get("datasets"), list) else []:
        if name not in there:
            known = hint(str(name), there) or f"; there are: {', '.join(there)}"
            mistakes.append(f"config/config.yaml: datasets: '{name}' has no folder in config/datasets{known}")
            continue
        if not re.fullmatch(NAME, str(name)):
            mistakes.append(
                f"config/datasets/{name}: the folder's name may hold letters, digits, '.', '_' and '-' only"
            )
            continue
        try:
            datasets[name] = load_dataset(Path("config/datasets") / name, schemas, root=root)
        except InputError as error:
            mistakes.append(str(error))
    if mistakes:
        raise InputError("\n".join(mistakes))
    return settings, datasets
