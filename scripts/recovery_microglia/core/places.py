"""Where the files of the project lie that are no code: the workflow, its schemas, the gene sets, the ready-made entries."""

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


_CLONE = _PACKAGE.parents[1]


@cache
def is_clone() -> bool:
    """Return whether the package lies in a clone of the project, not among the packages of an environment."""
    return (_CLONE / "workflow" / "Snakefile").is_file()


def project() -> Path:
    """Return the folder with ``Snakefile``, ``workflow``, ``config``, ``profiles`` and the scripts of the rules.

    In a clone it is the clone; an installed package carries a copy inside itself.

    Examples
    --------
    >>> (project() / "workflow" / "schemas" / "samples.yaml").is_file()
    True
    """
    return _CLONE if is_clone() else _PACKAGE / "project"


def schemas() -> Path:
    """Return the folder of the JSON schemas."""
    return project() / "workflow" / "schemas"


def knowledge(name: str) -> Path:
    """Return a table of ``config/knowledge``: the user's own where it is there, else the one that the project comes with.

    A folder that was set up before the step `drivers` came has none of its own, or a user's ``compounds.tsv`` alone.
    """
    own = Path("config/knowledge") / name
    return own if own.is_file() else project() / own


def signatures() -> Path:
    """Return the folder of the gene sets that the project comes with."""
    return project() / "config" / "signatures"
