"""Family SOFT files as GEO writes them, made from the facts of a few samples."""

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

PROTOCOL = "Libraries were prepared with the Chromium Single Cell 3' Reagent Kit v3 (10x Genomics)."


def soft(
    accession: str,
    title: str,
    samples: Sequence[Mapping[str, object]],
    *,
    summary: str = "",
    files: Sequence[str] = (),
) -> str:
    """Return a SOFT file; a sample has gsm, title, organism, characteristics (a mapping), files and protocol."""
    lines = [f"^DATABASE = GeoMiame\n!Database_name = Gene Expression Omnibus (GEO)\n^SERIES = {accession}"]
    lines += [f"!Series_title = {title}", f"!Series_geo_accession = {accession}", f"!Series_summary = {summary}"]
    lines += [
        "!Series_submission_date = Dec 04 2020",
        "!Series_pubmed_id = 35149686",
        "!Series_contributor = Shannon,,Tansley",
    ]
    lines += [f"!Series_supplementary_file = ftp://ftp.ncbi.nlm.nih.gov/geo/series/x/suppl/{name}" for name in files]
    for sample in samples:
        lines += [f"^SAMPLE = {sample['gsm']}", f"!Sample_title = {sample['title']}"]
        lines += [f"!Sample_organism_ch1 = {sample.get('organism', 'Mus musculus')}"]
        told = sample.get("characteristics", {})
        assert isinstance(told, Mapping)
        lines += [f"!Sample_characteristics_ch1 = {key}: {value}" for key, value in told.items()]
        lines += [f"!Sample_extract_protocol_ch1 = {sample.get('protocol', PROTOCOL)}"]
        lines += [f"!Sample_library_strategy = {sample.get('strategy', 'RNA-Seq')}"]
        own = sample.get("files") or ["NONE"]
        assert isinstance(own, list)
        lines += [
            f"!Sample_supplementary_file_{k} = ftp://x/{name}"
            if name != "NONE"
            else "!Sample_supplementary_file_1 = NONE"
            for k, name in enumerate(own, 1)
        ]
    return "\n".join(lines) + "\n"


def write_soft(path: Path, text: str) -> Path:
    """Write a SOFT file as GEO does, gzipped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        stream.write(text)
    return path
