"""GEO's addresses."""

import re

GEO = "https://ftp.ncbi.nlm.nih.gov/geo"
"""What GEO's addresses begin with; ``GEO_MIRROR`` stands in for it."""


def geo_address(accession: str, name: str) -> str:
    """Return where GEO keeps a supplementary file: with its sample if the name begins with one, else with the series.

    Empty for an accession of another archive, whose addresses follow no rule.

    Examples
    --------
    >>> geo_address("GSE162807", "GSE162807_RAW.tar")
    'https://ftp.ncbi.nlm.nih.gov/geo/series/GSE162nnn/GSE162807/suppl/GSE162807_RAW.tar'
    """
    sample = re.match(r"GSM[0-9]+", name)
    owner, kind = (sample[0], "samples") if sample else (accession, "series")
    if not re.fullmatch(r"GS[EM][0-9]+", owner):
        return ""
    return f"{GEO}/{kind}/{owner[:3]}{owner[3:-3]}nnn/{owner}/suppl/{name}"


def mirrored(url: str, mirror: str) -> str:
    """Return the address with GEO's beginning replaced by a mirror's; any other address, or no mirror: as it was."""
    if not mirror or not url.startswith(f"{GEO}/"):
        return url
    return mirror.rstrip("/") + url.removeprefix(GEO)
