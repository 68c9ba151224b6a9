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

from recovery_microglia.core.anndata_access import counts_of
from recovery_microglia.core.arrays import Floats, Integers
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.frame_access import records
from recovery_microglia.simulate.parameters import Parameters, load_parameters, load_signals
from recovery_microglia.simulate.tenx import draw_barcodes, write_10x

SEX_GENES = {"female": {"Xist": 4.0}, "male": {"Ddx3y": 1.2, "Uty": 0.6, "Kdm5d": 0.6, "Eif2s3y": 1.2}}
"""UMIs per 10,000 of the genes that tell the sexes apart."""


@dataclass(frozen=True)
class Profiles:
    """Log2 expression by cell type (types × genes); log2 fold changes by programme (programmes × genes)."""

    types: list[str]
    log2_types: Floats
    programmes: list[str]
    log2_programmes: Floats


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
    if parameters.settings["states_exclude"]:
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
            stress = parameters.libraries.set_index("library")["stress"][str(library["library"])]
            activity[:, column] = rng.beta(1.2, 3, len(cells)) * 2 * stress
        else:
            activity[:, column] = np.where(cells["state"] == name, rng.beta(5, 2, len(cells)), 0)
    log2 = shape.log2_types[pd.Index(shape.types).get_indexer(pd.Index(cells["cell_type"]))]
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


def _bursts(parameters: Parameters, shape: tuple[int, int], library: str, seed: int) -> Integers:
    """Return the counts of bursts, as plate assays show them: in few cells a gene comes with 5 to 15 counts at once."""
    rng = _rng(seed, library, "bursts")
    found = np.zeros(shape, dtype=np.int64)
    struck = rng.random(shape) < parameters.settings["burst_share"]
    found[struck] = rng.integers(5, 16, int(struck.sum()))
    return found


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
    ambient = float(parameters.libraries.set_index("library")["ambient"][str(library["library"])])
    soup = mean.sum(axis=0) / mean.sum()
    mean = (1 - ambient) * mean + ambient * depth[:, None] * soup
    shape = 1 / parameters.settings["count_dispersion"]
    counts = rng.poisson(mean * rng.standard_gamma(shape, mean.shape, dtype=np.float32) / shape).astype(np.int32)
    if parameters.settings["burst_share"]:
        counts += _bursts(parameters, counts.shape, str(library["library"]), seed)
    barcodes = draw_barcodes(n_cells, rng)
    truth = cells.drop(columns="depth")
    truth.insert(0, "library", str(library["library"]))
    truth.insert(1, "barcode", barcodes)
    var = pd.DataFrame({"id": parameters.genes["id"].to_numpy()}, index=parameters.genes["gene"].to_numpy(str))
    adata = ad.AnnData(sp.csr_matrix(counts), obs=pd.DataFrame(index=barcodes), var=var)
    return adata, truth


def add_signals(
    counts: ad.AnnData,
    truth: pd.DataFrame,
    parameters: Parameters,
    signals: pd.DataFrame,
    targets: pd.DataFrame,
    library: Mapping[str, object],
    *,
    seed: int,
) -> None:
    """Add the counts of ligands to the cells that make them, and of their targets to recovery cells, in place.

    They are drawn by a generator of their own and added to what was drawn before, so that all other counts stay as they are.

    Parameters
    ----------
    signals
        One row a ligand; ``follows`` says whether it goes with the recovery cells of the day (``recovery``) or with injury.
    targets
        Ligand (source) and target gene.
    """
    if signals.empty:
        return
    rng = _rng(seed, str(library["library"]), "signals")
    share = _pick(parameters.states, library).set_index("state")["share"]["recovery"]
    most = parameters.states.loc[parameters.states["state"] == "recovery", "share"].max()
    genes = pd.Index(counts.var_names)
    depth = np.asarray(counts_of(counts).sum(axis=1), dtype=np.float64).ravel()
    added: dict[int, Integers] = {}  # of two signals of one gene, both
    for signal in records(signals):
        strength = share / most if signal["follows"] == "recovery" else float(library["condition"] == "injured")
        makes = (truth["cell_type"] == signal["cell_type"]).to_numpy()
        mean = np.where(makes, depth * signal["umis_per_10k"] * strength / 1e4, 0)
        _add(added, genes.get_loc(signal["ligand"]), rng.poisson(mean))
        own = targets.loc[targets["source"] == signal["ligand"], "target"]
        level = truth["recovery_level"].to_numpy(float) * (truth["cell_type"] == "microglia").to_numpy()
        for gene in own:
            mean = depth * level * signal["target_umis_per_10k"] / 1e4
            _add(added, genes.get_loc(gene), rng.poisson(mean))
    more = sp.lil_matrix(counts.shape, dtype=np.int32)
    for column, drawn in added.items():
        more[:, column] = drawn[:, None]
    counts.X = sp.csr_matrix(counts_of(counts) + more.tocsr()).astype(np.int32)


def _add(added: dict[int, Integers], column: int, drawn: Integers) -> None:
    added[column] = added.get(column, 0) + drawn


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
    signals, targets = load_signals(parameters)
    truths = []
    for library in records(samples):
        counts, truth = simulate_library(tables, library, n_cells=cells_per_library, seed=seed)
        add_signals(counts, truth, tables, signals, targets, library, seed=seed)
        write_10x(counts, out / str(library["file"]))
        truths.append(truth)
    cells = pd.concat(truths, ignore_index=True)
    with gzip.GzipFile(out / "truth_cells.tsv.gz", "wb", compresslevel=1, mtime=0) as stream:
        stream.write(cells.to_csv(sep="\t", index=False, float_format="%.4g").encode())
    microglia = cells[(cells["cell_type"] == "microglia") & ~cells["doublet"] & ~cells["low_quality"]]
    share = microglia.groupby("library")["recovery"].agg(n_microglia="size", recovery_fraction="mean")
    days = samples[["library", "subject", "day", "condition"]].merge(share, left_on="library", right_index=True)
    days.to_csv(out / "truth_days.tsv", sep="\t", index=False, float_format="%.6g")
