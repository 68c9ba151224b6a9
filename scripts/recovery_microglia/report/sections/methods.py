"""Methods in words, written from the settings that ran; versions, files and citations."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from recovery_microglia.core import wording
from recovery_microglia.core.tables import TABLES
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.report.blocks import Links, Prose, References, Section, Tile, Tiles, pairs, whole_table
from recovery_microglia.report.inputs import ReportInputs
from recovery_microglia.report.references import KOHNO, REFERENCES
from recovery_microglia.report.sections.cost import cost_blocks


def paragraphs(inputs: ReportInputs) -> tuple[list[str], list[str]]:
    """Return the methods as paragraphs, and the keys of the references they use."""
    settings = inputs.summary.get("parameters") or {}
    cells, clusters, recovery, timeline = (
        _part(settings, name) for name in ("cells", "clusters", "recovery", "timeline")
    )
    steps = _part(inputs.summary, "steps")
    texts: list[str] = []
    cited = ["snakemake"]
    texts.append(_cells_text(cells, steps, inputs.table("qc"), cited))
    texts.append(_lineages_text(steps))
    variable = (inputs.summary.get("totals") or {}).get("variable_genes")
    texts.append(_clusters_text(clusters, variable, inputs, cited))
    found = inputs.summary.get("recovery") or {}
    texts.append(_recovery_text(recovery, found, called=inputs.called, cited=cited))
    if inputs.status == Status.TESTED:
        texts.append(_timeline_text(timeline, cited))
        texts.append(_further_text(inputs))
    elif inputs.status == Status.DESCRIPTIVE:
        texts.append(
            f"Days. The design allows a description only ({inputs.reason}): shares per animal with Wilson 95 % intervals "
            "are shown; no day was tested and no p-value is given."
        )
    if len(inputs.table("gene_tests")):
        cited.append("fdr")
        texts.append(
            "Single genes. Counts of each animal's microglia were summed. Where the design allows it, each gene was tested once over "
            "all days (does any day differ from its control?) by a quasi-likelihood F-test over animals: negative binomial with "
            "one dispersion, the variance of a gene drawn towards that of genes as abundant, false-discovery rate over genes. "
            "Beside it each day was compared with its control by Welch's test on log2(1 + counts per 10,000), with an exact "
            "permutation p and the false-discovery rate over genes and days."
        )
    texts.append(_software_text(inputs, cited))
    return [text for text in texts if text], list(dict.fromkeys(cited))


def _software_text(inputs: ReportInputs, cited: Sequence[str]) -> str:
    version = (inputs.summary.get("versions") or {}).get("recovery-microglia", "")
    text = f"Software. The analysis was run by recovery-microglia{f' {version}' if version else ''} under Snakemake"
    return text + ("; components and embeddings were computed with scanpy." if "scanpy" in cited else ".")


def _part(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = settings.get(name)
    return part if isinstance(part, Mapping) else {}


FILTERS: dict[str, tuple[str, str, str]] = {
    "low_counts": ("fewer than", "low", "counts"),
    "high_counts": ("more than", "high", "counts"),
    "low_genes": ("fewer than", "low", "genes"),
    "high_mito": ("more than", "high", "% mitochondrial counts"),
    "high_haemoglobin": ("more than", "high", "% haemoglobin counts"),
}
"""Filter to the words before its bound, which bound it has, and the words behind it."""


def _cells_text(cells: Mapping[str, Any], steps: Mapping[str, Any], qc: pd.DataFrame, cited: list[str]) -> str:
    """Return how cells were chosen, as far as each library reports that it was done."""
    text = "Cells. Raw counts were read as deposited."
    called = int(steps.get("cells_called") or 0)
    if called:
        cited.append("emptydrops")
        text += (
            f" {wording.count(called, 'matrix', 'matrices')} still held empty droplets, among which cells were called first: barcodes with "
            "many counts, and those whose RNA differs from the ambient RNA (test of EmptyDrops)."
        )
    text += _filters_text(_part(steps, "filters"), cells) + _doublets_text(_part(steps, "doublets"), cited)
    if "median_pct_dissociation" in qc and qc["median_pct_dissociation"].notna().any():
        cited.append("stress")
        text += " Counts of genes that dissociation induces (exAM genes) were measured in each cell, and no cell was removed for them."
    return text


def _filters_text(filters: Mapping[str, Any], cells: Mapping[str, Any]) -> str:
    """Return what the filters removed; those that could not run, or removed nothing, are named as such."""
    removed, idle, absent = [], [], []
    for name, (before, side, behind) in FILTERS.items():
        found = _part(filters, name)
        if not found:
            continue
        bounds = found.get(side)
        if not found.get("libraries") or not bounds:
            absent.append(behind.removeprefix("% "))
            continue
        words = f"{before} {_bounds(bounds)} {behind}"
        words = words.replace(" %", wording.PERCENT)
        if found.get("removed"):
            removed.append(f"{words} ({wording.count(int(found['removed']), 'cell')})")
        else:
            idle.append(words)
    text = f" Cells with {wording.listed(removed, last='or')} were removed." if removed else ""
    if (removed or idle) and not wording.missing(cells.get("mads")):
        text += (
            f" Bounds are those of the configuration, or, where stricter, {cells['mads']:g} median absolute deviations from the median of the "
            "library; ranges are over libraries."
        )
    if idle:
        text += f" No cell had {wording.listed(idle, last='or')}."
    if absent:
        text += f" Cells were not filtered by {wording.listed(absent, last='or')}, whose genes or bounds these data do not have."
    return text


def _bounds(bounds: Sequence[float]) -> str:
    low, high = (wording.number(value) for value in bounds)
    return low if low == high else f"{low} to {high}"


def _doublets_text(doublets: Mapping[str, Any], cited: list[str]) -> str:
    text, reasons = "", dict(doublets.get("not_searched") or {})
    if doublets.get("libraries"):
        cited.append("scrublet")
        text += (
            f" Doublets were detected by comparison with simulated doublets (Scrublet) in {wording.count(int(doublets['libraries']), 'library', 'libraries')}: "
            f"{wording.count(int(doublets.get('removed') or 0), 'cell was', 'cells were')} removed."
        )
    for reason, n in reasons.items():
        text += f" Doublets were not searched for in {wording.count(int(n), 'library', 'libraries')}: {reason}."
    return text


LINEAGE_METHODS = {
    "counts": "cells with clear evidence from marker genes gave each lineage's profile in the library, and every cell then took the lineage that "
    "explains its counts best. Genes that microglia change in any state took no part; cells that two lineages explain about equally are called "
    "ambiguous",
    "sorted": "the genes measured cannot distinguish microglia from their relatives, so all cells were taken for microglia, because the tissue was "
    "sorted for them",
    "none": "the genes measured cannot distinguish the lineages, and none was assigned",
}
"""How a library reports that lineages were assigned, in words."""


def _lineages_text(steps: Mapping[str, Any]) -> str:
    """Return how lineages were assigned, by what the libraries report."""
    methods = {str(key): int(n) for key, n in _part(steps, "lineages").items() if key in LINEAGE_METHODS}
    parts = [
        f"In {'each library' if len(methods) == 1 else wording.count(n, 'library', 'libraries')}, {LINEAGE_METHODS[key]}."
        for key, n in methods.items()
    ]
    return f"Lineages. {' '.join(parts)}" if parts else ""


def _clusters_text(clusters: Mapping[str, Any], variable: int | None, inputs: ReportInputs, cited: list[str]) -> str:
    """Return how cells were clustered and embedded, as far as the run left clusters and embeddings."""
    text = "Clusters. The myeloid cells of all libraries were merged without correction."
    table = inputs.table("clusters")
    if table.empty:
        return f"{text} They were not clustered: there are too few cells or genes."
    cited += ["scanpy", "leiden"]
    resolutions = sorted(table["resolution"].dropna().unique())
    text += " They were clustered by the Leiden algorithm"
    if variable:  # fewer than asked for in a table of few genes
        n_pcs = min(int(clusters.get("n_pcs", 30)), int(variable) - 1)
        text += f" ({variable} variable genes, at most {n_pcs} principal components, {clusters.get('n_neighbors', 15)} neighbours)"
    text += f" at {wording.count(len(resolutions), 'resolution')} ({wording.listed([f'{value:g}' for value in resolutions], most=12)})."
    measured = "stability_jaccard" in table and table["stability_jaccard"].notna().any()
    if measured and not wording.missing(clusters.get("n_resamples")):
        cited.append("stability")
        text += f" Each clustering was repeated {clusters['n_resamples']} times on 80 % of the cells to measure the stability of its clusters."
    if "umap1" in inputs.cells and inputs.cells["umap1"].notna().any():
        cited.append("umap")
        text += " Cells were embedded by UMAP."
    if "integrated1" in inputs.cells and inputs.cells["integrated1"].notna().any():
        cited.append("harmony")
        text += " A second embedding, of components aligned over libraries by Harmony, is for viewing only and enters no score and no test."
    return text


def _recovery_text(recovery: Mapping[str, Any], found: Mapping[str, Any], *, called: bool, cited: list[str]) -> str:
    coverage = found.get("coverage") or {}
    genes = (
        wording.listed(list(coverage.get("present") or []), most=14)
        if coverage.get("present")
        else "the genes of the signature"
    )
    text = (
        "Recovery score. The log-likelihood ratio of a cell's counts of the rising genes, that it runs the recovery programme "
        "(at least two fifths as far as a typical recovery cell) against that it does not, whatever other programme it runs (inflammation, "
        "interferon response, cell cycle, migration, dissociation stress; genes that these raise too count as far as they do not "
        "explain them). The counts are negative binomial and uncorrected; depth, the control microglia's level of each gene, the "
        "ambient RNA and the background of each library, and bursts of single genes are in the model, and the evidence of one gene "
        f"in a cell is bounded. Genes: {genes}. Genes that fall are not used, because they fall in every reactive state."
    )
    learnt = found.get("refinement") or {}
    if learnt and not learnt.get("refused"):
        text += (
            " The weight of each gene was learnt within libraries from the other animals (cross-fitted), starting from the "
            "signature and drawn towards it; genes of other programmes, of stress and of the resting state were not admitted."
        )
    if nats := round(float(learnt.get("raised_nats") or 0), 1):
        text += (
            f" The score was {'raised' if nats > 0 else 'lowered'} by {abs(nats):.1f} nats in the median cell, so that the mean likelihood ratio of each "
            "gene among resting cells is one, as far as the share of recovery cells among controls does not rise with it."
        )
    if not called:
        return text + " No cutoff was applied and no cell was called."
    quantile = recovery.get("quantile")
    if quantile is not None:
        text += (
            " A cell is a recovery cell if it is more likely one than not given its score and "
            "the share of such cells in its animal, and if at least two signature genes are seen or the score remains positive without its strongest gene; control animals are judged by the same rule. For "
            f"comparison cells were called above the {100 * float(quantile):g} % quantile of the control microglia of their chemistry, "
            "whose false-positive rate was measured on control animals that it had not seen."
        )
    if not wording.missing(recovery.get("n_null_sets")):
        text += f" The signature was compared with {recovery['n_null_sets']:,} random gene sets of like expression."
    cited.append("ucell")
    text += " The same was done without Itgax and Igf1, by ranks (UCell), and by clusters."
    return text + (
        " The share without a cutoff is the one that makes an animal's scores likeliest (a mixture of recovery and other "
        "cells); it gives each cell its probability. Every other programme has a probability of its own; they do not add up to one."
    )


def _timeline_text(timeline: Mapping[str, Any], cited: list[str]) -> str:
    cited += ["propeller", "fdr"]
    alpha = timeline.get("alpha", 0.05)
    return (
        "Days. The unit is the animal. An animal's share of recovery cells is the one under which the scores of its microglia are "
        "likeliest, without a cutoff, as uncertain as that of so many cells known without doubt as leave it equally well known. "
        "These shares were modelled as beta-binomial, averaged over two laws of the spread between "
        "animals (a constant intraclass correlation, and one that falls with the share), and each day was compared with its "
        "control (sham or contralateral of the same day where there are two, else naive). p is twice the posterior probability "
        "that the day is not above its control; beside it stand a t-test on transformed shares (as propeller), the same p without "
        "the day's highest animal, and an exact permutation p with the smallest value it can reach. A day is above control if its "
        f"false-discovery rate over days is below {alpha:g} and neither the t-test (from 0.1), nor the day without its highest "
        "animal (from 0.2), nor the model with covariates speaks against it. The onset is the day on which a quarter of the rise "
        "is reached, as a 95 % posterior interval between sampled days; the course does not fall before its peak, and no other "
        "shape is forced on it. The detection limit was found by simulating studies of this size and "
        f"judging each in full (power {float(timeline.get('power', 0.8)):.0%})."
    )


def _further_text(inputs: ReportInputs) -> str:
    """Return what else was done with the days, as far as the run did it."""
    days, parts = inputs.table("timeline"), []
    adjusted = sorted({str(text) for text in days.get("adjusted_for", pd.Series(dtype=str)).dropna()} - {""})
    if adjusted:
        parts.append(f"An adjusted p has {wording.listed(adjusted)} in the model.")
    differences = inputs.table("interactions")
    compared = set(differences["by"].astype(str)) if len(differences) else set()
    if len(inputs.table("strata")):
        together = ", and the rises with each other." if "sex" in compared else "."
        parts.append(f"The days were compared within each sex, too{together}")
    if "arm" in compared:
        parts.append("The rises of the arms were compared with each other.")
    if len(inputs.table("behaviour_tests")):
        parts.append("Behaviour was compared with the share of recovery cells over days, by permutation.")
    return f"Further comparisons. {' '.join(parts)}" if parts else ""


CITED_AT: dict[str, str] = {
    "EmptyDrops": "emptydrops", "Scrublet": "scrublet", "exAM genes": "stress", "Leiden algorithm": "leiden",
    "stability of its clusters": "stability", "UMAP": "umap", "Harmony": "harmony", "UCell": "ucell", "propeller": "propeller",
    "false-discovery rate": "fdr", "Snakemake": "snakemake", "scanpy": "scanpy",
}  # fmt: skip
"""Words in the methods to the reference that stands behind them."""


def with_citations(inputs: ReportInputs) -> tuple[list[str], list[str]]:
    """Return the methods with numbers of references in brackets, and the keys of these references in order."""
    texts, cited = paragraphs(inputs)
    order: list[str] = []
    found = []
    for text in texts:
        marked = text
        for words, key in CITED_AT.items():
            if key not in cited or key in order or words not in marked:
                continue
            order.append(key)
            marked = marked.replace(words, f"{words} [{len(order)}]", 1)
        found.append(marked)
    return found, [*order, *(key for key in cited if key not in order)]


def to_paste(inputs: ReportInputs) -> dict[str, str]:
    """Return the files to paste from: the methods with their references, and BibTeX."""
    texts, order = with_citations(inputs)
    lines = [f"[{place}] {REFERENCES[key].text} {REFERENCES[key].address}" for place, key in enumerate(order, start=1)]
    lines += ["", f"Recovery microglia: {KOHNO.text} {KOHNO.address}", *_own_citations(inputs)]
    entries = [KOHNO.bibtex, *(REFERENCES[key].bibtex for key in order)]
    return {
        "methods.txt": "\n\n".join(texts) + "\n\nReferences\n" + "\n".join(lines) + "\n",
        "references.bib": "\n\n".join(entries) + "\n",
    }


def _own_citations(inputs: ReportInputs) -> list[str]:
    """Return how the software and the data are cited."""
    version = (inputs.summary.get("versions") or {}).get("recovery-microglia", "")
    commit = f", commit {inputs.run['commit']}" if inputs.run.get("commit") else ""
    cite = [f"Software: recovery-microglia{f' {version}' if version else ''}{commit} (CITATION.cff in the repository)."]
    if inputs.text("citation"):
        accession = f" Data: {inputs.text('accession')}." if inputs.text("accession") else ""
        cite.append(inputs.text("citation").rstrip(".") + "." + accession)
    return cite


def methods_section(inputs: ReportInputs) -> Section:
    """Return the methods with citations, and how to cite."""
    texts, order = with_citations(inputs)
    blocks: list[object] = [Prose(rest, head=head) for head, _, rest in (text.partition(". ") for text in texts)]
    blocks.append(References(tuple((REFERENCES[key].text, REFERENCES[key].address) for key in order)))
    blocks.append(
        Prose(
            "Please cite the paper that found the cells, this software, and the study that made the data.",
            head="How to cite",
        )
    )
    blocks.append(References(((KOHNO.text, KOHNO.address), *((text, "") for text in _own_citations(inputs)))))
    return Section("methods", "Methods and how to cite", "", tuple(blocks))


def provenance_section(inputs: ReportInputs) -> Section:
    """Return date, commit, parameters, versions, checksums and costs."""
    facts = {"Date of the run": inputs.run.get("date", ""), "Commit": inputs.run.get("commit", "")}
    blocks: list[object] = [Tiles(tuple(Tile(name, value) for name, value in facts.items() if value))]
    settings = _flat(inputs.summary.get("parameters") or {})
    if settings:
        blocks.append(pairs(settings, names=("Parameter", "Value"), caption="Parameters"))
    if versions := dict(inputs.summary.get("versions") or {}):
        blocks.append(pairs(versions, names=("Software", "Version"), caption="Versions"))
    if len(inputs.table("provenance")):
        blocks.append(whole_table(inputs.table("provenance"), of="provenance", caption="Provenance"))
    blocks += cost_blocks(inputs)
    return Section("provenance", "Parameters, versions and costs", "", tuple(blocks))


def files_section(inputs: ReportInputs) -> Section:
    """Return the files beside the page."""
    return Section(
        "files",
        "Files",
        "They lie in the folder of this page; figures in its folder figures.",
        (Links(tuple(_files(inputs))),),
    )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + str(key)] = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return flat


def _files(inputs: ReportInputs) -> list[tuple[str, str, str]]:
    beside = [table for table in TABLES.values() if table.name in inputs.tables]
    tables = [(table.file, table.file.split("/")[-1], table.caption) for table in beside]
    if len(inputs.cells):
        cells = TABLES["cells"]
        tables.append((cells.file, "cells.tsv.gz", cells.caption))
    return [
        *tables,
        ("summary.json", "summary.json", "the answer for machines"),
        ("myeloid.h5ad", "myeloid.h5ad", "all myeloid cells, raw counts; opens in scanpy and CELLxGENE"),
    ]
