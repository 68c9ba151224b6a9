"""A small simulated study in memory, to try the steps on."""

import anndata as ad
import pandas as pd

from recovery_microglia.core.frame_access import records
from recovery_microglia.core.places import project, schemas
from recovery_microglia.core.sheet import sheet_frame
from recovery_microglia.simulate.libraries import simulate_library
from recovery_microglia.simulate.parameters import load_parameters
from recovery_microglia.study.dataset import load_dataset

LIBRARIES = ("N1", "N2", "N3", "S14_1", "S14_2", "S14_3", "D14_1", "D14_2", "D14_3")


def small_demo(*, cells: int = 260, libraries: tuple[str, ...] = LIBRARIES, seed: int = 1) -> ad.AnnData:
    """Return some libraries of the demo with fewer cells, as an analyst may have them: raw counts in X, animals in obs.

    The data are simulated and say nothing about mice.

    Parameters
    ----------
    cells
        Barcodes of each library; the demo has 600.
    libraries
        Names from the demo's sheet.
    seed
        Fixes every draw; 1 is the demo's.

    Returns
    -------
    AnnData
        ``obs``: ``sample``, ``animal``, ``group`` (naive, sham or SNI), ``dpi``, ``sex``, ``kit``, ``run``, and ``truth``: whether
        the cell was made a recovery cell.

    Examples
    --------
    >>> adata = small_demo(cells=50)
    >>> adata.n_obs, sorted(adata.obs["group"].unique())
    (450, ['SNI', 'naive', 'sham'])
    """
    entry = load_dataset(project() / "config" / "datasets" / "demo", schemas(), root=project())
    parameters = load_parameters(entry.path / str((entry.simulation or {})["parameters"]))
    sheet = sheet_frame(row for row in records(entry.frame()) if row["library"] in libraries)
    parts = []
    for row in records(sheet):
        counts, truth = simulate_library(parameters, row, n_cells=cells, seed=seed)
        words = {
            "sample": "library",
            "animal": "subject",
            "dpi": "day",
            "sex": "sex",
            "kit": "chemistry",
            "run": "batch",
        }
        obs = pd.DataFrame({name: row[column] for name, column in words.items()}, index=counts.obs_names)
        obs["group"] = "SNI" if row["condition"] == "injured" else row["condition"]
        obs["truth"] = truth["recovery"].to_numpy(bool)
        counts.obs = obs
        counts.obs_names = pd.Index(row["library"] + "_" + counts.obs_names.to_numpy(str).astype(object), dtype=object)
        parts.append(counts)
    return ad.concat(parts, merge="same")
