"""Which pass over a shared file took which library out of it.

A file that holds several libraries is read once for all that are needed of it. What such a pass leaves is a folder, the
batch, named by what was taken and how; a library that is added later is taken by a batch of its own, and what hangs on
the earlier ones does not run again. Of a library whose recipe changed, the batch changes, and with it all that is made
from it. Snakemake's ``ancient`` would not do: a job below a job that runs is not looked at for any other reason, so that a
changed key would leave the old library in place.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Recipe = Mapping[str, Any]
"""All that decides what a library gets of a shared file, JSON-able: file, key, layout, splitting rule, code."""
RECORD = "recipes.json"


def batch_name(recipes: Mapping[str, Recipe]) -> str:
    """Return the name of the batch that takes these libraries, by name and recipe: 12 hexadecimal digits."""
    text = json.dumps(recipes, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def write_record(recipes: Mapping[str, Recipe], batch: Path) -> None:
    """Write into a batch's folder what it holds: the last thing that is written there."""
    text = json.dumps(recipes, sort_keys=True, indent=1)
    (batch / RECORD).write_text(text + "\n", encoding="utf-8")


def read_record(batch: Path) -> dict[str, Recipe]:
    """Return library to recipe of a batch; nothing if its folder is not there, or a kill left it half-written."""
    try:
        found: dict[str, Recipe] = json.loads((batch / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if batch_name(found) == batch.name else {}


def batches(folder: Path, recipes: Mapping[str, Recipe]) -> dict[str, dict[str, Recipe]]:
    """Return batch to its libraries with their recipes: those of ``folder`` that hold any as wanted, and one for the rest.

    Parameters
    ----------
    folder
        ``resources/<data set>/split``; need not exist.
    recipes
        Library to recipe, as the sheet now wants them.
    """
    missing: dict[str, Recipe] = dict(recipes)
    used: dict[str, dict[str, Recipe]] = {}
    for batch in sorted(folder.iterdir()) if folder.is_dir() else []:
        record = read_record(batch)
        if held := [library for library, recipe in record.items() if missing.get(library) == recipe]:
            used[batch.name] = record
            for library in held:
                del missing[library]
    # in the order of the record: Snakemake compares params as they are written out
    rest = json.loads(json.dumps(missing, sort_keys=True))
    return used | ({batch_name(rest): rest} if rest else {})


def batch_of(library: str, recipe: Recipe, found: Mapping[str, Mapping[str, Recipe]]) -> str:
    """Return the batch that holds a library as its recipe wants it."""
    return next(name for name, held in found.items() if held.get(library) == recipe)
