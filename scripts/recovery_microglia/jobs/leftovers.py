"""What earlier runs left behind and nothing needs any more."""

import shutil
from collections.abc import Collection
from pathlib import Path


def remove_others(folder: Path, needed: Collection[str]) -> None:
    """Remove all files and folders of a folder but those with the names that are needed; it need not exist."""
    for path in folder.iterdir() if folder.is_dir() else []:
        if path.name not in needed:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
