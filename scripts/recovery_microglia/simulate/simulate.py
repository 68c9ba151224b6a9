"""Simulated whole-tissue spinal cord after nerve injury, with known truth.

What is simulated stands in readable tables (``config/datasets/demo/simulation``); this module only draws
from them. Genes, effect sizes and nuisance programmes there differ on purpose from the signatures that the
pipeline uses: some signature genes do not move, genes outside the signature do.

Model, per library: a cell has a type, a depth (log-normal) and, if a microglia, a state and a recovery level
in [0, 1]. Its expression is its type's profile, and each programme moves a gene by ``1 + activity x (fold
change - 1)``; counts are negative binomial; the library's own mean profile leaks in as ambient RNA.
"""

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from isal import igzip
from numpy.typing import NDArray

from recovery_microglia.core.errors import InputError

Floats = NDArray[np.float64]

COLUMNS = {
    "genes": ("gene", "id", "umis_per_10k"),
    "cell_types": ("cell_type", "median_umis", "sd_log_umis"),
    "markers": ("cell_type", "gene", "log2_fold_change"),
    "programmes": ("programme", "gene", "log2_fold_change"),
    "composition": ("condition", "day", "cell_type", "share"),
    "states": ("condition", "day", "state", "share"),
    "libraries": ("library", "depth", "ambient", "doublets", "low_quality", "stress"),
    "settings": ("setting", "value", "meaning"),
}
SEX_GENES = {"female": {"Xist": 4.0}, "male": {"Ddx3y": 1.2, "Uty": 0.6, "Kdm5d": 0.6, "Eif2s3y": 1.2}}
"""UMIs per 10,000 of the genes that tell the sexes apart."""


@dataclass(frozen=True)
class Parameters:
    """The tables of a simulation, checked; one DataFrame each, plus ``settings`` as numbers by name."""

    genes: pd.DataFrame
    cell_types: pd.DataFrame
    markers: pd.DataFrame
    programmes: pd.DataFrame
    composition: pd.DataFrame
    states: pd.DataFrame
    libraries: pd.DataFrame
    settings: Mapping[str, float]


@dataclass(frozen=True)
class Profiles:
    """Log2 expression by cell type (types × genes); log2 fold changes by programme (programmes × genes)."""

    types: list[str]
    log2_types: Floats
    programmes: list[str]
    log2_programmes: Floats


def load_parameters(folder: Path) -> Parameters:
    """Read the tables of a simulation.

    Raises
    ------
    InputError
        A table or column is missing, a gene or cell type is not known, or shares do not add up to one.
    """
    tables: dict[str, pd.DataFrame] = {}
    for name, columns in COLUMNS.items():
        path = folder / f"{name}.tsv"
        if not path.is_file():
            raise InputError(f"{path}: no such file; a simulation needs {', '.join(COLUMNS)} (.tsv)")
        tables[name] = pd.read_csv(path, sep="\t", comment="#")
        if missing := [column for column in columns if column not in tables[name]]:
            raise InputError(f"{path}: column {', '.join(missing)} is missing; needed: {', '.join(columns)}")
    _check(tables, folder)
    settings = tables.pop("settings")
    return Parameters(**tables, settings=dict(zip(settings["setting"], settings["value"], strict=True)))


def _check(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    genes, types = set(tables["genes"]["gene"]), set(tables["cell_types"]["cell_type"])
    mistakes = []
    for name in ("markers", "programmes"):
        unknown = sorted(set(tables[name]["gene"]) - genes)
        mistakes += [f"{folder / name}.tsv: gene {gene} is not in genes.tsv" for gene in unknown]
    for name in ("markers", "composition"):
        unknown = sorted(set(tables[name]["cell_type"]) - types)
        mistakes += [f"{folder / name}.tsv: cell type {kind} is not in cell_types.tsv" for kind in unknown]
    sums = tables["composition"].groupby(["condition", "day"])["share"].sum()
    # 0.01: shares are written with four digits
    mistakes += [
        f"{folder}/composition.tsv: the shares of {condition}, day {day} add up to {total:.3f}, not 1"
        for (condition, day), total in sums.items()
        if abs(total - 1) > 0.01
    ]
    if mistakes:
        raise InputError("\n".join(mistakes))


def profiles(parameters: Parameters) -> Profiles:
    """Return the log2 expression of each cell type and the log2 fold changes of each programme."""
    genes = pd.Index(parameters.genes["gene"])
    base = np.log2(np.maximum(parameters.genes["umis_per_10k"].to_numpy(float), 1e-6))
    types = list(parameters.cell_types["cell_type"])
    log2_types = np.tile(base, (len(types), 1))
    marker = parameters.markers
    rows = pd.Index(types).get_indexer(marker["cell_type"])
    np.add.at(log2_types, (rows, genes.get_indexer(marker["gene"])), marker["log2_fold_change"].to_numpy(float))
    programme = parameters.programmes
    names = list(dict.fromkeys(programme["programme"]))
    log2_programmes = np.zeros((len(names), len(genes)))
    rows = pd.Index(names).get_indexer(programme["programme"])
    log2_programmes[rows, genes.get_indexer(programme["gene"])] = programme["log2_fold_change"].to_numpy(float)
    return Profiles(types, log2_types, names, log2_programmes)


def _rng(seed: int, *names: str) -> np.random.Generator:
    """Return a generator that depends on the seed and a name only: a new library changes no other."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def _pick(table: pd.DataFrame, library: Mapping[str, object]) -> pd.DataFrame:
    rows = table[(table["condition"] == library["condition"]) & (table["day"] == library["day"])]
    if rows.empty:
        what = f"{library['condition']} at day {library['day']}"
        raise InputError(f"library {library['library']}: the simulation's tables have no {what}")
    return rows


def _draw_cells(
    parameters: Parameters, library: Mapping[str, object], n_cells: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return one row a cell: cell_type, state, recovery_level, recovery, doublet, low_quality, depth."""
    facts = parameters.libraries.set_index("library").loc[str(library["library"])]
    composition = _pick(parameters.composition, library)
    share = composition["share"].to_numpy(float)
    kind = rng.choice(composition["cell_type"].to_numpy(str), n_cells, p=share / share.sum())
    cells = pd.DataFrame({"cell_type": kind})
    microglia = kind == "microglia"
    states = _pick(parameters.states, library).set_index("state")["share"]
    cells["recovery_level"] = 0.0
    cells.loc[microglia, "recovery_level"] = _recovery_levels(states["recovery"], microglia.sum(), parameters, rng)
    others = states.drop("recovery")
    words = [*others.index, "homeostatic"]
    state = rng.choice(words, n_cells, p=[*others, 1 - others.sum()])
    # A cell far into recovery is not also in the middle of an acute response; cycling goes with anything.
    state = np.where((cells["recovery_level"] >= 0.5) & (state != "cycling"), "recovery", state)
    cells["state"] = np.where(microglia, state, "")
    threshold = parameters.settings["recovery_threshold"]
    cells["recovery"] = microglia & (cells["recovery_level"] >= threshold)
    cells["doublet"] = rng.random(n_cells) < facts["doublets"]
    cells["low_quality"] = ~cells["doublet"] & (rng.random(n_cells) < facts["low_quality"])
    size = parameters.cell_types.set_index("cell_type").loc[kind]
    cells["depth"] = (
        facts["depth"]
        * size["median_umis"].to_numpy(float)
        * np.exp(rng.normal(0, size["sd_log_umis"].to_numpy(float)))
    )
    return cells


def _recovery_levels(mean: float, n: int, parameters: Parameters, rng: np.random.Generator) -> Floats:
    """Return how far each microglia is into recovery: a gradient, not a switch.

    The animal's own share of turned cells is logit-normal around ``mean``; turned cells lie around 0.7 with a
    wide spread, the others near 0, and a few are on their way.
    """
    odds = mean / (1 - mean) * np.exp(rng.normal(0, parameters.settings["recovery_sd"]))
    share = odds / (1 + odds)
    turned = rng.random(n) < share
    on_the_way = ~turned & (rng.random(n) < share / 2)
    level = np.where(turned, rng.beta(5, 2, n), rng.beta(1, 14, n))
    return np.where(on_the_way, rng.beta(3, 5, n), level)


def _expected(
    cells: pd.DataFrame, parameters: Parameters, shape: Profiles, library: Mapping[str, object], seed: int
) -> Floats:
    """Return the expected share of each gene in each cell's RNA, cells × genes, rows summing to one."""
    activity = np.zeros((len(cells), len(shape.programmes)))
    rng = _rng(seed, str(library["library"]), "activity")
    for column, name in enumerate(shape.programmes):
        if name == "recovery":
            activity[:, column] = cells["recovery_level"]
        elif name == "dissociation_stress":
            stress = parameters.libraries.set_index("library").loc[str(library["library"]), "stress"]
            activity[:, column] = rng.beta(1.2, 3, len(cells)) * 2 * stress
        else:
            activity[:, column] = np.where(cells["state"] == name, rng.beta(5, 2, len(cells)), 0)
    log2 = shape.log2_types[pd.Index(shape.types).get_indexer(cells["cell_type"])]
    batch_sd = parameters.settings["batch_sd"] / np.log(2)
    log2 = log2 + _rng(seed, "batch", str(library["batch"])).normal(0, batch_sd, log2.shape[1])
    mito = parameters.genes["gene"].str.startswith("mt-").to_numpy()
    log2[np.ix_(cells["low_quality"].to_numpy(bool), mito)] += parameters.settings["low_quality_mito"]
    rate = np.exp2(log2)
    for column, change in enumerate(shape.log2_programmes):
        moved = np.flatnonzero(change)
        rate[:, moved] *= 1 + activity[:, [column]] * (np.exp2(change[moved]) - 1)
    for gene, level in SEX_GENES.get(str(library["sex"]), {}).items():
        rate[:, parameters.genes["gene"].to_numpy() == gene] = level
    return np.asarray(rate / rate.sum(axis=1, keepdims=True))


def simulate_library(
    parameters: Parameters, library: Mapping[str, object], *, n_cells: int, seed: int
) -> tuple[ad.AnnData, pd.DataFrame]:
    """Simulate one library.

    Parameters
    ----------
    parameters
        From `load_parameters`.
    library
        Row of the sheet: library, condition, day, sex, batch.
    n_cells
        Barcodes to make, doublets and low-quality cells among them.
    seed
        With the library's name it fixes every draw.

    Returns
    -------
    counts
        Cells × genes, raw counts (csr int32).
    truth
        One row a barcode: library, barcode, cell_type, state, recovery_level, recovery, doublet, low_quality.
    """
    rng = _rng(seed, str(library["library"]))
    cells = _draw_cells(parameters, library, n_cells, rng)
    share = _expected(cells, parameters, profiles(parameters), library, seed)
    depth = cells["depth"].to_numpy(float) * np.where(
        cells["low_quality"], parameters.settings["low_quality_depth"], 1.0
    )
    mean = share * depth[:, None]
    doublet = np.flatnonzero(cells["doublet"])
    partner = rng.integers(0, n_cells, len(doublet))
    mean[doublet] = parameters.settings["doublet_depth"] * (mean[doublet] + mean[partner])
    cells["partner_type"] = ""
    cells.loc[doublet, "partner_type"] = cells["cell_type"].to_numpy()[partner]
    ambient = float(parameters.libraries.set_index("library").loc[str(library["library"]), "ambient"])
    soup = mean.sum(axis=0) / mean.sum()
    mean = (1 - ambient) * mean + ambient * depth[:, None] * soup
    shape = 1 / parameters.settings["count_dispersion"]
    counts = rng.poisson(mean * rng.standard_gamma(shape, mean.shape, dtype=np.float32) / shape).astype(np.int32)
    barcodes = _barcodes(n_cells, rng)
    truth = cells.drop(columns="depth")
    truth.insert(0, "library", str(library["library"]))
    truth.insert(1, "barcode", barcodes)
    var = pd.DataFrame({"id": parameters.genes["id"].to_numpy()}, index=parameters.genes["gene"].to_numpy(str))
    adata = ad.AnnData(sp.csr_matrix(counts), obs=pd.DataFrame(index=barcodes), var=var)
    return adata, truth


def _barcodes(n: int, rng: np.random.Generator) -> NDArray[np.str_]:
    """Return unique 16-base barcodes as Cell Ranger writes them."""
    letters = np.array(list("ACGT"))
    found: dict[str, None] = {}
    while len(found) < n:
        found.update({"".join(letters[row]) + "-1": None for row in rng.integers(0, 4, (n, 16))})
    return np.asarray(list(found)[:n], dtype=np.str_)


def write_10x(counts: ad.AnnData, folder: Path) -> None:
    """Write counts as Cell Ranger 3 does: ``matrix.mtx.gz``, ``barcodes.tsv.gz``, ``features.tsv.gz``."""
    folder.mkdir(parents=True, exist_ok=True)
    matrix = sp.coo_matrix(counts.X)
    order = np.lexsort((matrix.col, matrix.row))
    head = f"%%MatrixMarket matrix coordinate integer general\n%\n{counts.n_vars} {counts.n_obs} {matrix.nnz}\n"
    columns = [(matrix.col[order] + 1), (matrix.row[order] + 1), matrix.data[order]]
    body = "\n".join(map("%d %d %d".__mod__, zip(*(c.tolist() for c in columns), strict=True)))
    _write_gz(folder / "matrix.mtx.gz", head + body + "\n")
    _write_gz(folder / "barcodes.tsv.gz", "".join(f"{barcode}\n" for barcode in counts.obs_names))
    pairs = zip(counts.var["id"], counts.var_names, strict=True)
    _write_gz(folder / "features.tsv.gz", "".join(f"{i}\t{symbol}\tGene Expression\n" for i, symbol in pairs))


def _write_gz(path: Path, text: str) -> None:
    # No time stamp inside: the same seed gives the same bytes.
    with path.open("wb") as raw, igzip.IGzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0) as stream:
        stream.write(text.encode())


def simulate(parameters: Path, samples: pd.DataFrame, out: Path, *, cells_per_library: int, seed: int) -> None:
    """Write every library of the sheet and the truth.

    Parameters
    ----------
    parameters
        Folder of the simulation's tables.
    samples
        The sheet: library, subject, day, condition, sex, batch, file.
    out
        Gets ``<file>/{matrix.mtx.gz,…}`` per library, ``truth_cells.tsv.gz`` and ``truth_days.tsv``.
    cells_per_library
        Barcodes per library.
    seed
        Fixes every draw.
    """
    tables = load_parameters(parameters)
    truths = []
    for library in samples.to_dict("records"):
        counts, truth = simulate_library(tables, library, n_cells=cells_per_library, seed=seed)
        write_10x(counts, out / str(library["file"]))
        truths.append(truth)
    cells = pd.concat(truths, ignore_index=True)
    with gzip.GzipFile(out / "truth_cells.tsv.gz", "wb", compresslevel=1, mtime=0) as stream:
        stream.write(cells.to_csv(sep="\t", index=False, float_format="%.4g").encode())
    microglia = cells[(cells["cell_type"] == "microglia") & ~cells["doublet"] & ~cells["low_quality"]]
    share = microglia.groupby("library")["recovery"].agg(n_microglia="size", recovery_fraction="mean")
    days = samples[["library", "subject", "day", "condition"]].merge(share, left_on="library", right_index=True)
    days.to_csv(out / "truth_days.tsv", sep="\t", index=False, float_format="%.6g")
