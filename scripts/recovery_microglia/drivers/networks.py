"""Networks of targets: which there are, how they are fetched, and how each becomes rows of source, target and weight.

None is part of this repository. They come as files of data sets do (mirror, folder, resume, checksum), and a run goes on
without one that cannot be had, and says so.
"""

import lzma
import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.files import sha256
from recovery_microglia.core.frames import read_commented
from recovery_microglia.core.genes import known_symbols

TOP = 500
"""Targets of a pathway of PROGENy, by p-value: as its authors use it for single cells."""
LEVELS = ("A", "B", "C")
"""Confidence of DoRothEA's targets: curated or seen by several kinds of evidence."""
NET_COLUMNS = ("source", "target", "weight")
NETWORK_COLUMNS = (
    *("resource", "kind", "version", "licence", "address", "sha256", "citation", "sources", "targets", "not_mapped"),
    *("status", "reason"),
)


@dataclass(frozen=True)
class Resource:
    """One network (row of ``config/knowledge/networks.tsv``).

    Attributes
    ----------
    name, kind
        What it is called, and what its sources are: pathway, transcription factor or cytokine.
    file
        Name of its file, also in a mirror or in the folder ``resources/_networks/files``.
    version, licence, citation
        For the tables and the page.
    url, sha256
        Where it comes from; its checksum where it is known, else empty: then the first download's is held to.
    format
        ``progeny``, ``dorothea``, ``signatures`` (genes × sources) or ``net`` (source, target, weight).
    organism
        ``mouse``, or ``human``: its symbols are then mapped to mouse.
    """

    name: str
    kind: str
    file: str
    version: str
    licence: str
    url: str
    sha256: str
    format: str
    organism: str
    citation: str


@dataclass(frozen=True)
class Network:
    """A network that was read: its resource, its rows (source, target, weight), symbols lost, checksum; or why it is not there."""

    resource: Resource
    net: pd.DataFrame
    not_mapped: int = 0
    digest: str = ""
    reason: str = ""


def load_resources(path: Path) -> list[Resource]:
    """Read the table of networks.

    Raises
    ------
    InputError
        A column is missing or a format is not known.
    """
    table = read_commented(path, text=True)
    names = [field.name for field in fields(Resource)]
    if missing := [name for name in names if name not in table]:
        raise InputError(f"{path}: column {', '.join(missing)} is missing; needed: {', '.join(names)}")
    found = [Resource(**{name: str(row[name]) for name in names}) for row in table.to_dict("records")]
    for resource in found:
        if resource.format not in READERS:
            raise InputError(
                f"{path}: {resource.name}: format '{resource.format}' is not known; there are {', '.join(READERS)}"
            )
    return found


# ---------------------------------------------------------------- formats


def _r_table(path: Path) -> pd.DataFrame:
    import rdata

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a tibble is read as the table that it is
        found: Mapping[str, Any] = rdata.read_rda(path)
    tables = [value for value in found.values() if isinstance(value, pd.DataFrame)]
    if len(tables) != 1:
        raise InputError(f"{path.name}: holds {len(tables)} tables; one is expected")
    return tables[0]


def progeny_net(table: pd.DataFrame) -> pd.DataFrame:
    """Return PROGENy's model as a network: the first targets of each pathway by p-value, p < 0.05."""
    chosen = table[table["p.value"] < 0.05].sort_values("p.value", kind="stable")
    chosen = chosen.groupby(chosen["pathway"].astype(str), sort=False).head(TOP)
    return chosen.rename(columns={"pathway": "source", "gene": "target"})[list(NET_COLUMNS)]


def dorothea_net(table: pd.DataFrame) -> pd.DataFrame:
    """Return DoRothEA as a network: targets of confidence A to C, the weight being the sign of the regulation."""
    chosen = table[table["confidence"].isin(LEVELS)]
    return chosen.rename(columns={"tf": "source", "mor": "weight"})[list(NET_COLUMNS)]


def signatures_net(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of genes × sources as a network; weights of 0 are no targets."""
    net = table.rename_axis("target").reset_index().melt("target", var_name="source", value_name="weight")
    return net.loc[net["weight"] != 0, list(NET_COLUMNS)]


READERS = {
    "progeny": lambda path: progeny_net(_r_table(path)),
    "dorothea": lambda path: dorothea_net(_r_table(path)),
    "signatures": lambda path: signatures_net(read_commented(path, index_col=0)),
    "net": lambda path: read_commented(path)[list(NET_COLUMNS)],
}
"""Format to what reads a file of it."""
UNREADABLE = (KeyError, ValueError, TypeError, OSError, EOFError, zlib.error, lzma.LZMAError, NotImplementedError)
"""What readers raise where a file is damaged or of another format."""


def mouse_by_capitals() -> dict[str, str]:
    """Return symbols in capitals to mouse symbols, where one mouse gene only has that name."""
    mouse: dict[str, list[str]] = {}
    for symbol in known_symbols("mouse"):
        mouse.setdefault(symbol.upper(), []).append(symbol)
    return {capitals: names[0] for capitals, names in mouse.items() if len(names) == 1}


def to_mouse(symbols: Sequence[str]) -> dict[str, str]:
    """Return human to mouse symbols: genes that differ in their capitals only (*SPP1*, *Spp1*).

    Names of orthologs agree by convention. A human gene without a mouse gene of its name is lost; a name that several mouse
    genes share in other capitals is lost too.
    """
    mouse = mouse_by_capitals()
    return {symbol: mouse[symbol.upper()] for symbol in symbols if symbol.upper() in mouse}


def read_network(path: Path, resource: Resource) -> Network:
    """Read a network from its file.

    Raises
    ------
    InputError
        It is not what its format says.
    """
    try:
        net = READERS[resource.format](path).astype({"source": str, "target": str, "weight": float})
    except UNREADABLE as error:
        words = str(error).splitlines()[0][:150] if str(error) else type(error).__name__
        raise InputError(f"{path.name}: not a network in the format '{resource.format}' ({words})") from None
    lost = 0
    if resource.organism == "human":
        symbols = list(dict.fromkeys(net["target"]))
        mapped = to_mouse(symbols)
        lost = len(symbols) - len(mapped)
        net = net.assign(target=net["target"].map(mapped)).dropna(subset=["target"])
    net = net.drop_duplicates(["source", "target"]).sort_values(["source", "target"]).reset_index(drop=True)
    if net.empty:
        raise InputError(f"{path.name}: no target is left")
    return Network(resource, net, lost, sha256(path))


# ---------------------------------------------------------------- what came


def networks_table(networks: Sequence[Network]) -> pd.DataFrame:
    """Return what is known of each network (= driver_networks.tsv)."""
    rows = [
        {
            "resource": own.resource.name, "kind": own.resource.kind, "version": own.resource.version,
            "licence": own.resource.licence, "address": own.resource.url, "sha256": own.digest,
            "citation": own.resource.citation, "sources": own.net["source"].nunique() if len(own.net) else 0,
            "targets": own.net["target"].nunique() if len(own.net) else 0, "not_mapped": own.not_mapped,
            "status": "used" if len(own.net) else "not there", "reason": own.reason,
        }
        for own in networks
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(NETWORK_COLUMNS))


def none_of(resource: Resource, reason: str) -> Network:
    """Return a network that is not there, with the reason."""
    return Network(resource, pd.DataFrame(columns=list(NET_COLUMNS)), reason=reason)


def load_networks(
    resources: Sequence[Resource], found: Sequence[Mapping[str, Any]], own: Sequence[Path]
) -> list[Network]:
    """Read all networks that came, and those that belong to a data set.

    Parameters
    ----------
    resources
        The table of networks.
    found
        What fetching says of each that was asked for: resource, path, reason.
    own
        Networks that stand beside a data set: ``<name>.tsv`` with source, target, weight (of a simulated one, its truth).
    """
    by_name = {resource.name: resource for resource in resources}
    networks = []
    for one in found:
        resource = by_name[str(one["resource"])]
        if not one["path"]:
            networks.append(none_of(resource, str(one["reason"])))
            continue
        try:
            networks.append(read_network(Path(str(one["path"])), resource))
        except InputError as error:
            networks.append(none_of(resource, str(error)))
    for path in own:
        resource = Resource(
            path.stem, "signal", path.name, "of the data set", "of the data set", "", "", "net", "mouse", "the data set"
        )
        networks.append(read_network(path, resource))
    return networks
