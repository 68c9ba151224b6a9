"""Methods in words, written from the settings that ran; versions, files and citations."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from recovery_microglia.core import wording
from recovery_microglia.core.tables import TABLES
from recovery_microglia.core.vocabulary import Status
from recovery_microglia.report.blocks import Fold, Links, Prose, References, Section, pairs, whole_table
from recovery_microglia.report.inputs import ReportInputs
from recovery_microglia.report.sections.cost import cost_blocks

KOHNO = (
    "Kohno K, Shirasaka R, Yoshihara K, Mikuriya S, Tanaka K, Takanami K, Inoue K, Sakamoto H, Ohkawa Y, Masuda T, Tsuda M. A spinal microglia population involved in remitting and relapsing neuropathic pain. "
    "Science 2022;376:86–90.",
    "https://pubmed.ncbi.nlm.nih.gov/35357926/",
)
REFERENCES: dict[str, tuple[str, str]] = {
    "emptydrops": (
        "Lun ATL et al. EmptyDrops: distinguishing cells from empty droplets. Genome Biol 2019;20:63.",
        "https://doi.org/10.1186/s13059-019-1662-y",
    ),
    "scrublet": (
        "Wolock SL, Lopez R, Klein AM. Scrublet. Cell Syst 2019;8:281–291.",
        "https://doi.org/10.1016/j.cels.2018.11.005",
    ),
    "stress": (
        "Marsh SE et al. Dissection of artifactual and confounding glial signatures. Nat Neurosci 2022;25:306–316.",
        "https://doi.org/10.1038/s41593-022-01022-8",
    ),
    "leiden": (
        "Traag VA, Waltman L, van Eck NJ. From Louvain to Leiden. Sci Rep 2019;9:5233.",
        "https://doi.org/10.1038/s41598-019-41695-z",
    ),
    "stability": (
        "Hennig C. Cluster-wise assessment of cluster stability. Comput Stat Data Anal 2007;52:258–271.",
        "https://doi.org/10.1016/j.csda.2006.11.025",
    ),
    "harmony": (
        "Korsunsky I et al. Harmony. Nat Methods 2019;16:1289–1296.",
        "https://doi.org/10.1038/s41592-019-0619-0",
    ),
    "umap": ("McInnes L, Healy J, Melville J. UMAP. arXiv:1802.03426, 2018.", "https://arxiv.org/abs/1802.03426"),
    "scanpy": (
        "Wolf FA, Angerer P, Theis FJ. SCANPY. Genome Biol 2018;19:15.",
        "https://doi.org/10.1186/s13059-017-1382-0",
    ),
    "ucell": (
        "Andreatta M, Carmona SJ. UCell. Comput Struct Biotechnol J 2021;19:3796–3798.",
        "https://doi.org/10.1016/j.csbj.2021.06.043",
    ),
    "propeller": (
        "Phipson B et al. propeller. Bioinformatics 2022;38:4720–4726.",
        "https://doi.org/10.1093/bioinformatics/btac582",
    ),
    "fdr": (
        "Benjamini Y, Hochberg Y. Controlling the false discovery rate. J R Stat Soc B 1995;57:289–300.",
        "https://doi.org/10.1111/j.2517-6161.1995.tb02031.x",
    ),
    "snakemake": (
        "Mölder F et al. Sustainable data analysis with Snakemake. F1000Research 2021;10:33.",
        "https://doi.org/10.12688/f1000research.29032.2",
    ),
}


def paragraphs(inputs: ReportInputs) -> tuple[list[str], list[str]]:
    """Return the methods as paragraphs, and the keys of the references they use."""
    settings = inputs.summary.get("parameters") or {}
    cells, clusters, recovery, timeline = (
        _part(settings, name) for name in ("cells", "clusters", "recovery", "timeline")
    )
    texts, cited = [], ["snakemake", "stress"]
    texts.append(_cells_text(cells, inputs.table("qc"), cited))
    texts.append(
        "Lineages. Each library was sorted into lineages by itself: cells with clear evidence from marker genes gave each "
        "lineage's profile in that library, and every cell then took the lineage that explains its counts best. Genes that "
        "microglia change in any state took no part. Cells that two lineages explain about equally are called ambiguous."
    )
    variable = (inputs.summary.get("totals") or {}).get("variable_genes")
    texts.append(_clusters_text(clusters, variable, cited))
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
    return [text for text in texts if text], list(dict.fromkeys(cited))


def _part(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = settings.get(name)
    return part if isinstance(part, Mapping) else {}


def _cells_text(cells: Mapping[str, Any], qc: pd.DataFrame, cited: list[str]) -> str:
    text = "Cells. Raw counts were read as deposited."
    called = 0 if qc.empty else int((qc["barcodes"] > qc["cells_called"]).sum())
    if called:
        cited.append("emptydrops")
        text += (
            f" {wording.count(called, 'matrix', 'matrices')} still held empty droplets, among which cells were called first (barcodes with "
            "many counts, and those whose RNA differs from what floats around, by EmptyDrops' test)."
        )
    bounds = []
    for key, words_before in (("min_counts", "fewer than {} counts"), ("min_genes", "fewer than {} genes"),
                              ("max_pct_mito", "more than {} % mitochondrial counts"),
                              ("max_pct_haemoglobin", "more than {} % haemoglobin counts")):  # fmt: skip
        share = key.replace("max_", "median_")
        applied = share not in qc or qc.empty or qc[share].notna().any()  # a filter whose genes no library has was off
        if not wording.missing(cells.get(key)) and applied:
            bounds.append(words_before.format(f"{cells[key]:g}"))
    if bounds:
        text += f" Cells with {wording.listed(bounds, last='or')} were removed"
        if not wording.missing(cells.get("mads")):
            text += f", and so were those more than {cells['mads']:g} median absolute deviations from their library's median"
        text += "."
    if cells.get("doublets", True):
        cited.append("scrublet")
        text += " Doublets were found by simulated doublets (Scrublet) within each library."
    else:
        text += " Doublets were not looked for (switched off in the configuration)."
    return text


def _clusters_text(clusters: Mapping[str, Any], variable: int | None, cited: list[str]) -> str:
    cited += ["scanpy", "leiden", "stability", "umap", "harmony"]
    text = "Clusters. The myeloid cells of all libraries were put together without correction"
    if variable:  # fewer than asked for in a table of few genes
        text += (
            f": {variable} variable genes, {clusters.get('n_pcs', 30)} principal components, "
            f"{clusters.get('n_neighbors', 15)} neighbours"
        )
    text += "; Leiden partitions over a range of resolutions"
    if not wording.missing(clusters.get("n_resamples")):
        text += f", each repeated {clusters['n_resamples']} times on 80 % of the cells to see which clusters come back"
    return text + ". The aligned embedding (Harmony) is for looking only and feeds no score."


def _recovery_text(recovery: Mapping[str, Any], found: Mapping[str, Any], *, called: bool, cited: list[str]) -> str:
    cited.append("ucell")
    coverage = found.get("coverage") or {}
    genes = (
        wording.listed(list(coverage.get("present") or []), most=14)
        if coverage.get("present")
        else "the genes of the signature"
    )
    text = (
        "Recovery score. The log-likelihood ratio of a cell's counts of the rising genes, that it runs the recovery programme "
        "(from two fifths of its full level on) against that it does not, whatever other programme it runs (inflammation, "
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
    if not called:
        return text + " No cutoff was applied and no cell was called."
    quantile = recovery.get("quantile")
    if quantile is not None:
        text += (
            f" A cell is a recovery cell if its score lies above the {100 * float(quantile):g} % quantile of the control "
            "microglia of its chemistry, or if it is more likely a recovery cell than not given "
            "the share of such cells in the animal; and if at least two signature genes are seen and the score without the strongest "
            "gene exceeds -1."
        )
    text += " The false-positive rate was measured on control animals that the cutoff had not seen"
    if not wording.missing(recovery.get("n_null_sets")):
        text += f", and the signature was compared with {recovery['n_null_sets']:,} random gene sets of like expression"
    text += ". The same was done without Itgax and Igf1, by ranks (UCell), and by clusters."
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
        "shape is forced on it. The smallest share that would have been seen was found by drawing studies of this size and "
        f"judging each in full (power {float(timeline.get('power', 0.8)):.0%})."
    )


def _further_text(inputs: ReportInputs) -> str:
    """Return what else was done with the days, as far as the run did it."""
    days, parts = inputs.table("timeline"), []
    adjusted = sorted({str(text) for text in days.get("adjusted_for", pd.Series(dtype=str)).dropna()} - {""})
    if adjusted:
        parts.append(f"An adjusted p has {wording.listed(adjusted)} in the model.")
    strata = inputs.table("strata")
    if len(strata):
        parts.append(
            f"The days were compared within each {wording.listed(sorted(set(strata['by'].astype(str))), last='or')}, too"
        )
        parts[-1] += ", and the rises with each other." if len(inputs.table("interactions")) else "."
    if len(inputs.table("behaviour_tests")):
        parts.append("Behaviour was compared with the share of recovery cells over days, by permutation.")
    return f"Further comparisons. {' '.join(parts)}" if parts else ""


def methods_section(inputs: ReportInputs) -> Section:
    """Return methods, settings, versions, files and how to cite."""
    texts, cited = paragraphs(inputs)
    version = (inputs.summary.get("versions") or {}).get("recovery-microglia", "")
    blocks: list[object] = [Prose(rest, head=head) for head, _, rest in (text.partition(". ") for text in texts)]
    blocks.append(Fold("References", (References(tuple(REFERENCES[key] for key in cited)),)))
    settings = _flat(inputs.summary.get("parameters") or {})
    if settings:
        blocks.append(Fold("Settings of this run", (pairs(settings, names=("Setting", "Value")),)))
    if versions := dict(inputs.summary.get("versions") or {}):
        blocks.append(Fold("Versions", (pairs(versions, names=("Software", "Version")),)))
    if len(inputs.table("provenance")):
        blocks.append(Fold("Provenance", (whole_table(inputs.table("provenance"), of="provenance"),)))
    blocks += cost_blocks(inputs)
    blocks.append(Links(tuple(_files(inputs))))
    own = f"recovery-microglia{f' {version}' if version else ''}, see CITATION.cff in the repository."
    cite = [KOHNO, (own, "")]
    if inputs.text("citation"):
        accession = f" Data: {inputs.text('accession')}." if inputs.text("accession") else ""
        cite.append((inputs.text("citation").rstrip(".") + "." + accession, ""))
    blocks.append(
        Prose("How to cite: the paper that found the cells, this software, and the study that made the data.")
    )
    blocks.append(References(tuple(cite)))
    return Section("methods", "Methods, files and how to cite", "", tuple(blocks))


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
