"""The folder that a user works in: what a run needs there, and what it gets from the package."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from recovery_microglia.core.places import project


def ready_made() -> list[str]:
    """Return the names of the entries that the project comes with."""
    return sorted(path.name for path in (project() / "config" / "datasets").iterdir() if path.is_dir())


def prepare(folder: Path, datasets: Iterable[str] = ()) -> list[str]:
    """Put into ``folder/config`` what a run needs and what is not there; nothing that is there is touched.

    Parameters
    ----------
    folder
        Where the user is.
    datasets
        Data sets that are asked for; ready-made ones are copied.

    Returns
    -------
    list of str
        One line for each thing that was written.
    """
    source, own = project() / "config", folder / "config"
    if own.resolve() == source.resolve():  # in a clone
        return []
    said = []
    if not (own / "config.yaml").exists():
        own.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / "config.yaml", own / "config.yaml")
        said.append(f"{own}/config.yaml: written, with the default of every setting")
    wanted = [
        ("signatures", "the gene sets"),
        ("knowledge", "networks, pairs and known modulators"),
        *((f"datasets/{name}", "a ready-made entry") for name in datasets),
    ]
    if not (own / "datasets").exists() or "demo" in datasets:
        wanted.append(("datasets/demo", "the simulated demo"))
    for name, what in dict(wanted).items():
        if (source / name).is_dir() and not (own / name).exists():
            shutil.copytree(source / name, own / name)
            said.append(f"{own}/{name}: written, {what} of the package")
    return said
