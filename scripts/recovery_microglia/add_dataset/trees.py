"""What the common tools leave of one sample, told by its path: whose it is, and which of its matrices is the library.

Cell Ranger (count, multi, aggr), CellBender, SoupX, STARsolo, kb-python, alevin-fry, PIPseeker, split-pipe (Parse) and BD
Rhapsody write one sample many times: filtered and unfiltered, as folder, h5 and h5ad, decontaminated, in parts. The words
of a path that are none of a tool's are the sample's; matrices with the same words are matrices of the same sample.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

TOOL_FOLDERS = {
    "analysis": "tables of analysis",
    "secondary_analysis": "tables of analysis",
    "clustering": "tables of analysis",
    "cell_calling": "tables of analysis",
    "cell_types": "tables of analysis",
    "multiplexing_analysis": "tables of sample tags",
    "antibody_analysis": "tables of antibodies",
    "crispr_analysis": "tables of guides",
    "vdj_t": "receptors",
    "vdj_b": "receptors",
    "vdj_t_gd": "receptors",
    "velocyto": "spliced and unspliced parts",
    "sj": "splice junctions",
    "process": "intermediate files",
    "sc_rna_counter_cs": "intermediate files",
    "sc_multi_cs": "intermediate files",
    "sc_rna_aggregator_cs": "intermediate files",
    "spatial": "pictures",
}
"""Folders below a sample that hold no matrix of it, and what they hold."""

SUMMARY_FILES = re.compile(
    r"(^|[_.-])(molecule_info\.h5$|posterior\.h5$|filtered_peak_bc_matrix|raw_peak_bc_matrix|raw_probe_bc_matrix|filtered_tf_bc_matrix)"
    r"|ReadsPerCell|Protein_Agg|Cell_Label|Sample_Tag|Metrics_Summary|Bioproduct_Stats|Putative_Cells|per_barcode_metrics",
    re.IGNORECASE,
)
"""Files beside the matrices that hold no counts of molecules by cell and gene."""

_BC = r"(sample_)?((filtered|raw)_)?(feature|gene)_bc_matri(x|ces)(_h5|_mex)?"
_MOLECULES = r"(rsec|dbec)_molspercell(_unfiltered)?(_mex)?"
_CORRECTED = r"cellbender\w*|soup-?x\w*|decont\w*|strained\w*|scar_denoised|denoised|ambient_?corrected|corrected"
_PART = r"mature|nascent|ambiguous|spliced|unspliced|spanning|uniqueandmult\S*"
_GENERIC = re.compile(
    r"(outs?|output|results?|per_sample_outs|multi|counts?|count_matrix|gene|genefull\w*|filtered|raw|unfiltered|solo\.out|matrix|mex|"
    rf"{_BC}|{_MOLECULES}|(filtered|raw|unfiltered)_matri(x|ces)|sensitivity_\d+|counts_(un)?filtered(_modified)?|dge(_(un)?filtered)?|"
    r"(alevin|cell_?ranger|starsolo|star|kb|kb[_-]python|kallisto|pipseeker|simpleaf|salmon|split-?pipe|bd_?rhapsody)(_output|_out|_results|[_-]fry)?|"
    rf"af_quant|af_map|quants?|quants?_mat|(un)?filtered_counts|(adata|anndata|cells_x_genes)(\.\w+)?|{_CORRECTED}|{_PART}|"
    r"mm10|mm39|(grcm3[89]|grch38|hg19|hg38)([._-]\d{4}[._-][a-z])?)",
    re.IGNORECASE,
)
"""Words of a path that are a tool's, as a whole."""

_ENDS = re.compile(
    rf"([._-]+|^)({_BC}|{_MOLECULES}|solo\.out|filtered|unfiltered|raw|mex|(?:cellbender|soup-?x|decontx?)(_output|_out)?|out(put)?|(un)?filtered_counts|"
    rf"dge|counts?|umi|expression|matrix|cells_x_genes|adata|anndata|quants(_mat)?|strained(_?counts)?|denoised|corrected|{_PART})$|(?<=\w)solo\.out$",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"^(filtered|unfiltered|raw|cellbender|soup-?x|decontx?)(_output|_out)?([._-]+|$)(?!feature|gene)", re.IGNORECASE
)


@dataclass(frozen=True)
class Product:
    """What the path of a matrix says.

    Attributes
    ----------
    sample
        Words of the path that are the sample's own.
    order
        Of several matrices of a sample the one with the least is the library.
    what
        What it is besides, for the line on what was passed over; empty for a filtered matrix.
    part
        Whether it holds only some of a cell's molecules.
    """

    sample: str
    order: tuple[int, ...]
    what: str
    part: bool


def product_of(file: str, stem: str, folders: Sequence[str]) -> Product:
    """Return what the path of a matrix says.

    Parameters
    ----------
    file
        As the sheet names it: a file, a folder, or the beginning of files' names.
    stem
        The file's own name without its ending; empty for a folder that is a matrix.
    folders
        The folders that it lies in.

    Examples
    --------
    >>> product_of("a/SNI_1/outs/raw_feature_bc_matrix", "", ["a", "SNI_1", "outs", "raw_feature_bc_matrix"]).sample
    'a SNI_1'
    >>> product_of("cellbender/SNI_1_filtered.h5", "SNI_1_filtered", ["cellbender"])
    Product(sample='SNI_1', order=(1, 0, 0, 0, 0, 0, 1), what='decontaminated', part=False)
    """
    words = [word for word in map(own_words, [*folders, stem]) if word]
    distinct = list(dict.fromkeys(words))  # SNI_1/SNI_1_filtered.h5 is SNI_1
    path = "/".join([*folders, stem]).lower()
    corrected = re.search(rf"(^|[/_.-])({_CORRECTED})(?=$|[/_.-])", path) is not None
    part = re.search(rf"(^|[/._-])({_PART})(?=$|[/._-])", path) is not None
    full = "/genefull" in f"/{path}"
    filtered = re.search(r"(?<!un)filtered", path.rpartition("raw_")[2]) is not None
    named_raw = re.search(r"(^|[/_.-])(raw|unfiltered|counts_unfiltered|dge_unfiltered)(?=$|[/_.-])", path) is not None
    raw = not filtered and (named_raw or "cellbender" in path)
    setting = re.search(r"sensitivity_(\d+)", path)
    sensitivity = 0 if setting is None else abs(int(setting[1]) - DEFAULT_SENSITIVITY)
    dbec = (
        "dbec_molspercell" in path
    )  # BD's second correction, made for panels; of a whole transcriptome it takes molecules away
    order = (corrected, part, full, raw, sensitivity, dbec, _form(file))
    kinds = (
        (dbec, "DBEC-corrected"),
        (corrected, "decontaminated"), (part, "part of the molecules"), (full, "GeneFull, which counts introns too"),
        (raw, "unfiltered"), (sensitivity > 0, "another sensitivity"),
    )  # fmt: skip
    return Product(" ".join(distinct), tuple(map(int, order)), next((w for is_so, w in kinds if is_so), ""), part)


DEFAULT_SENSITIVITY = 3
"""PIPseeker calls cells at five sensitivities and recommends none before one has looked; its report shows the third."""


def _form(file: str) -> int:
    """Return how a matrix is stored: MatrixMarket before h5, before AnnData, before text."""
    ends = {".h5": 1, ".hdf5": 1, ".h5ad": 2, ".zarr": 2, ".h5mu": 2, ".loom": 2, ".mtx": 0, "": 0}
    name = re.sub(r"\.gz$", "", file.lower())
    return ends.get(PurePosixPath(name).suffix, 0 if name == file.lower() and "." not in name else 3)


def own_words(part: str) -> str:
    """Return what of a folder's or a file's name is the sample's own; empty if all is a tool's.

    Examples
    --------
    >>> [own_words(part) for part in ("outs", "S1_Solo.out", "raw_feature_bc_matrix", "SNI_d3_filtered_feature_bc_matrix")]
    ['', 'S1', '', 'SNI_d3']
    """
    before = ""
    while part != before:
        before = part
        if _GENERIC.fullmatch(part):
            return ""
        part = _BEGINS.sub("", _ENDS.sub("", part)).strip("._-")
    return part


def passed_over_words(kinds: Sequence[str]) -> str:
    """Return in one sentence what of the samples' matrices was not taken; empty if nothing was."""
    if not kinds:
        return ""
    counted = {kind: kinds.count(kind) for kind in sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))}
    return (
        f"Of each sample one matrix is taken. Passed over: {', '.join(f'{n} × {kind}' for kind, n in counted.items())}."
    )
