"""What a GEO series says of itself and its samples: family SOFT files."""

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from recovery_microglia.core.errors import InputError
from recovery_microglia.deposit.downloads import Download
from recovery_microglia.deposit.geo import GEO


@dataclass
class Sample:
    """One sample (GSM) of a series, as the depositors describe it.

    Attributes
    ----------
    gsm, title, organism, source
        Accession and words; ``source`` is what was taken (tissue, cells).
    characteristics
        Key, in lower case, to value; values of a key that comes twice are joined.
    protocol
        How cells were won and the library was made.
    strategy
        RNA-Seq, ATAC-seq, OTHER …
    files
        Names of its supplementary files.
    """

    gsm: str
    title: str = ""
    organism: str = ""
    source: str = ""
    characteristics: dict[str, str] = field(default_factory=dict)
    protocol: str = ""
    strategy: str = ""
    files: list[str] = field(default_factory=list)


@dataclass
class Series:
    """A series (GSE) and its samples."""

    accession: str
    title: str = ""
    summary: str = ""
    year: str = ""
    pubmed: list[str] = field(default_factory=list)
    contributors: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


def soft_file(accession: str) -> Download:
    """Return where GEO keeps the SOFT file of a series.

    Examples
    --------
    >>> soft_file("GSE162807").url
    'https://ftp.ncbi.nlm.nih.gov/geo/series/GSE162nnn/GSE162807/soft/GSE162807_family.soft.gz'
    """
    name = f"{accession}_family.soft.gz"
    return Download(name, f"{GEO}/series/{accession[:-3]}nnn/{accession}/soft/{name}")


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        opener = gzip.open if zipped else open
        with opener(path, "rt", encoding="utf-8-sig", errors="replace") as stream:
            yield from stream
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: truncated or damaged gzip file ({error}); delete it to fetch it again") from None


def _basename(address: str) -> str:
    return "" if address.upper() == "NONE" else PurePosixPath(address).name


def _add_to_sample(sample: Sample, key: str, value: str) -> None:
    match key:
        case "title":
            sample.title = value
        case "organism_ch1":
            sample.organism = f"{sample.organism}, {value}" if sample.organism else value
        case "source_name_ch1":
            sample.source = value
        case "characteristics_ch1":
            name, colon, said = value.partition(":")
            name, said = (name.strip().lower(), said.strip()) if colon else ("", value)
            before = sample.characteristics.get(name)
            sample.characteristics[name] = f"{before}; {said}" if before else said
        case "library_strategy":
            sample.strategy = value
        case "extract_protocol_ch1" | "description" | "growth_protocol_ch1" | "treatment_protocol_ch1" | "molecule_ch1":
            sample.protocol = f"{sample.protocol} {value}".strip()
        case _ if key.startswith("supplementary_file") and _basename(value):
            sample.files.append(_basename(value))


def _add_to_series(series: Series, key: str, value: str) -> None:
    match key:
        case "title":
            series.title = value
        case "summary" | "overall_design":
            series.summary = f"{series.summary} {value}".strip()
        case "submission_date":
            series.year = found[0] if (found := re.findall(r"\d{4}", value)) else ""
        case "pubmed_id":
            series.pubmed.append(value)
        case "contributor":
            series.contributors.append(value)
        case _ if key.startswith("supplementary_file") and _basename(value):
            series.files.append(_basename(value))


def read_soft(path: Path) -> Series:
    """Read a family SOFT file, gzipped or not; its tables of values are skipped.

    Raises
    ------
    InputError
        It is missing, damaged, no family SOFT file, or has no sample.
    """
    series: Series | None = None
    sample: Sample | None = None
    for line in _lines(path):
        if line.startswith("^"):
            kind, _, name = (part.strip() for part in line[1:].partition("="))
            sample = None
            if kind == "SERIES":
                series = Series(name)
            elif kind == "SAMPLE" and series is not None:
                sample = Sample(name)
                series.samples.append(sample)
        elif line.startswith("!"):
            key, _, value = (part.strip() for part in line[1:].partition("="))
            if sample is not None and key.startswith("Sample_"):
                _add_to_sample(sample, key.removeprefix("Sample_"), value)
            elif series is not None and sample is None and key.startswith("Series_"):
                _add_to_series(series, key.removeprefix("Series_"), value)
    if series is None:
        raise InputError(f"{path}: not a family SOFT file of GEO (no line ^SERIES)")
    if not series.samples:
        raise InputError(f"{path}: the series {series.accession} has no sample")
    return series
