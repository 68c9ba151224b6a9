"""One network, as the files of a deposit are fetched; where it cannot be had the run goes on without it."""

import re
from pathlib import Path

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.json_files import Json
from recovery_microglia.deposit.downloads import Download
from recovery_microglia.deposit.fetch import fetch
from recovery_microglia.deposit.http import Patience
from recovery_microglia.deposit.manifest import default_folder, fetched_path, record_path
from recovery_microglia.drivers.networks import Resource

STORE = "_networks"
"""Folder below ``resources``; no data set can be called so."""
SHORT = Patience(tries=3, wait=1.0, longest_wait=10.0, timeout=20.0)
"""A run waits a minute at the most for a network, as it can go on without."""


def fetch_network(resource: Resource, *, mirror: str = "", root: Path = Path(), patience: Patience = SHORT) -> Json:
    """Bring the file of a network to ``resources/_networks/files``; return where it is, or why it is not there.

    Parameters
    ----------
    resource
        Which.
    mirror
        Stands in for its address: another address, or a local folder, that holds files by their names.
    root
        The folder that holds ``resources``.
    patience
        How long a server is given.

    Returns
    -------
    dict
        resource, path (empty where it is not there), reason.
    """
    folder = root / default_folder(STORE)
    local = bool(mirror) and not re.match(r"https?://", mirror)
    url = f"{mirror.rstrip('/')}/{resource.file}" if mirror and not local else resource.url
    file = Download(resource.file, url, None, resource.sha256)
    try:
        fetch(
            file,
            folder,
            fetched_path(STORE, file.name, root),
            record_path(STORE, file.name, root),
            mirror=mirror if local else "",
            patience=patience,
        )
    except InputError as error:
        print(f"{resource.name}: {error}", flush=True)
        return {"resource": resource.name, "path": "", "reason": _plain(str(error))}
    return {"resource": resource.name, "path": str(folder / resource.file), "reason": ""}


def _plain(error: str) -> str:
    """Return what happened, without the advice that is given for files of data sets."""
    return re.split(r"\. What came is kept|; is the name|; set its url|; fetch it again", error)[0].replace(
        "GEO_MIRROR", "NETWORKS_MIRROR"
    )
