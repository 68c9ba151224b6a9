"""The files that a data set takes from its deposit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from recovery_microglia.deposit.archives import is_archive
from recovery_microglia.deposit.geo import geo_address


@dataclass(frozen=True)
class Download:
    """One file of a deposit.

    Attributes
    ----------
    name
        Name at the source, and in the data set's folder.
    url
        Address; empty where neither ``dataset.yaml`` nor the accession gives one.
    size, sha256
        Bytes and checksum where ``dataset.yaml`` states them, else None and empty.
    """

    name: str
    url: str = ""
    size: int | None = None
    sha256: str = ""

    @classmethod
    def of(cls, entry: Mapping[str, Any], accession: str) -> Self:
        """Return a file of ``download.files``, its address completed by GEO's rule."""
        name = str(entry["name"])
        url = str(entry.get("url") or geo_address(accession, name))
        return cls(name, url, entry.get("size"), str(entry.get("sha256", "")))

    @property
    def is_archive(self) -> bool:
        """Whether the file is unpacked."""
        return is_archive(self.name)
