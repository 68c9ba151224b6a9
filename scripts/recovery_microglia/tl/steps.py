"""The steps of the pipeline on an AnnData in memory: the same functions with the same defaults."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from recovery_microglia import __version__
from recovery_microglia.core.anndata_access import counts_of, obs_of, var_of
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.genes import MYELOID, Signatures, load_signatures
from recovery_microglia.core.json_files import Json, plain_json
from recovery_microglia.core.places import signatures as own_signatures
from recovery_microglia.core.sheet import sheet_frame
from recovery_microglia.core.tables import read_table, write_table
from recovery_microglia.library.process import LibraryResult, process_library
from recovery_microglia.library.settings import CellSettings
from recovery_microglia.myeloid import ClusterSettings, merge
from recovery_microglia.myeloid.step import myeloid_step
from recovery_microglia.readers.counts import genes_of, to_anndata, with_genes, without_sums
from recovery_microglia.readers.hdf5 import gene_names
from recovery_microglia.readers.table import Table
from recovery_microglia.readers.validation import check_counts
from recovery_microglia.recovery.call import call_recovery, renamed_genes
from recovery_microglia.recovery.settings import RecoverySettings
from recovery_microglia.summary.answer import answer_of
from recovery_microglia.summary.h5ad import h5ad_column
from recovery_microglia.summary.notices import collect_notices
from recovery_microglia.timeline.settings import TimelineSettings
from recovery_microglia.timeline.step import partitions, timeline_step
from recovery_microglia.tl.columns import check_words, libraries_of

KEY = "recovery_microglia"
"""Where in ``uns`` the steps leave what the later ones need."""
OF_LINEAGE = ("removed_by", "doublet_score", "lineage", "lineage_confidence")
OF_SCORE = (
    "recovery_score",
    "recovery_score_without_itgax_igf1",
    "recovery_probability",
    "recovery_call",
    "state",
    "programmes",
)
"""What each step adds to ``obs``, by the names that the pipeline's tables have."""
NO_CELL = "empty droplet"


# ---------------------------------------------------------------- steps


def lineage(
    adata: ad.AnnData,
    *,
    subject: str,
    condition: str,
    day: str,
    library: str | None = None,
    further: Mapping[str, str] | None = None,
    conditions: Mapping[str, str] | None = None,
    layer: str | None = None,
    injury_class: Literal["peripheral_nerve", "spinal_cord", "inflammation", "none", "other"] = "other",
    injury_model: str = "",
    assay: Literal["cells", "nuclei"] = "cells",
    enrichment: Literal["none", "microglia", "cd11b", "cd45", "myeloid", "other"] = "none",
    droplets: Literal["auto", "filtered", "unfiltered"] = "auto",
    settings: CellSettings = CellSettings(),  # noqa: B008  # frozen
    signatures: Path | str | None = None,
    seed: int = 1,
) -> None:
    """Filter the cells of each library, find doublets, and say of each cell which lineage it is.

    Parameters
    ----------
    adata
        Cells × genes with raw counts. All cells of the libraries, not the microglia alone: the others tell what ambient RNA
        is, and what is no microglia.
    subject, condition, day
        Columns of ``obs``: the animal; naive, sham, contralateral, injured, treated or other; days after injury.
    library
        Column that names the sequenced library; by default each animal is one.
    further
        More columns, by what they hold: ``{"sex": "Sex", "chemistry": "kit", "batch": "run"}``; also ``arm``, ``age``, ``sort``
        and ``pooled_n``. Cutoffs are set within a chemistry.
    conditions
        Your words for conditions: ``{"SNI": "injured"}``.
    layer
        Layer with the raw counts; by default they are in ``X``.
    injury_class, injury_model, assay, enrichment, droplets
        As in ``dataset.yaml``.
    settings
        Bounds of quality control.
    signatures
        Folder of the gene sets; by default those of the project.
    seed
        Of every random step, here and in the steps after.

    Returns
    -------
    None
        Adds to ``obs``: ``removed_by`` (empty: kept), ``doublet_score``, ``lineage``, ``lineage_confidence``.

    Raises
    ------
    InputError
        In plain lines: columns that are missing or contradict themselves, words that are not known, no raw counts, another organism.

    Examples
    --------
    >>> import recovery_microglia as rm
    >>> adata = rm.tl.small_demo(cells=100, libraries=("N1", "D14_1"))
    >>> rm.tl.lineage(adata, subject="animal", condition="group", day="dpi", conditions={"SNI": "injured"})
    >>> bool((adata.obs["lineage"] == "microglia").sum() > 20)
    True
    """
    _check_kind(adata)
    check_words(injury_class=injury_class, assay=assay, enrichment=enrichment, droplets=droplets)
    earlier = adata.uns.get(KEY, {})
    _refuse_taken(obs_of(adata), OF_LINEAGE, earlier=earlier)
    if not adata.obs_names.is_unique:
        raise InputError("adata.obs_names: some are duplicated; call adata.obs_names_make_unique()")
    columns = {"subject": subject, "condition": condition, "day": day, **(further or {})}
    columns |= {"library": library} if library else {}
    known, of_cell = libraries_of(obs_of(adata), columns, conditions=conditions, enrichment=enrichment)
    how = {"layer": layer, "injury_model": injury_model, "seed": seed, "version": __version__}
    how |= {"signatures": str(signatures or own_signatures())}
    done: list[LibraryResult] = []
    for one in known:
        facts = {"injury_class": injury_class, "assay": assay, "droplets": droplets, "organism": "mouse"}
        facts |= {"library": one.library, "sex": one.sex, "sort": one.sort}
        counts = _counts(adata, np.flatnonzero(of_cell == one.library), one.library, layer)
        done.append(process_library(counts, facts, _gene_sets(how), settings, seed=seed))
    adata.uns[KEY] = {
        "how": json.dumps(how),
        "sheet": sheet_frame(map(asdict, known)),
        "cells": pd.concat([result.cells for result in done], ignore_index=True),
        "soup": {result.report["library"]: var_of(result.myeloid)[["soup"]] for result in done},
        "lineage_sums": {result.report["library"]: result.lineage_sums for result in done},
        "reports": json.dumps({"library": plain_json([result.report for result in done])}),
    }
    cells = _state(adata)["cells"].set_index("barcode").reindex(adata.obs_names)
    # scores of an earlier lineage say nothing of this one
    adata.obs = obs_of(adata).drop(columns=[name for name in OF_SCORE if name in earlier.get("written", [])])
    never = cells["library"].isna()
    cells["removed_by"] = cells["removed_by"].mask(never, NO_CELL)
    _write(adata, cells, OF_LINEAGE)


def score(
    adata: ad.AnnData,
    *,
    settings: RecoverySettings = RecoverySettings(),  # noqa: B008  # frozen
    clusters: ClusterSettings = ClusterSettings(),  # noqa: B008  # frozen
) -> None:
    """Score and call the microglia that `lineage` found.

    Parameters
    ----------
    adata
        After `lineage`.
    settings
        How cells are called.
    clusters
        How the myeloid cells are clustered, for the cluster route beside the score.

    Returns
    -------
    None
        Adds to ``obs``, missing where a cell is no microglia: ``recovery_score`` and
        ``recovery_score_without_itgax_igf1`` (log-likelihood ratios), ``recovery_probability``, ``recovery_call`` (yes, no or
        not called), ``state`` and ``programmes``. All columns of all microglia: ``table(adata, "cells")``.

    Raises
    ------
    InputError
        `lineage` was not run.

    Examples
    --------
    >>> import recovery_microglia as rm
    >>> adata = rm.tl.small_demo(cells=100, libraries=("N1", "D14_1"))
    >>> rm.tl.lineage(adata, subject="animal", condition="group", day="dpi", conditions={"SNI": "injured"})
    >>> rm.tl.score(adata)  # far too few controls for a cutoff: scores, but no calls
    >>> rm.tl.table(adata, "cells")["recovery_score"].notna().all(), adata.obs["recovery_call"].unique().tolist()
    (np.True_, ['not called'])
    """
    state, how = _state(adata), _how(adata)
    _refuse_taken(obs_of(adata), OF_SCORE, earlier=state)
    myeloid = _myeloid(adata)
    _, clustered = myeloid_step(myeloid, clusters, seed=how["seed"])
    reports = json.loads(state["reports"])
    found = partitions(myeloid)
    renamed = renamed_genes(reports["library"])
    result = call_recovery(myeloid, _gene_sets(how), settings, renamed=renamed, seed=how["seed"])
    reports |= {"myeloid": clustered, "recovery": result.report}
    reports.pop("timeline", None)  # of an earlier call
    state |= {
        "how": json.dumps({**how, "quantile": settings.quantile}),
        "partitions": found,
        "recovered": result.cells,
        "reports": json.dumps(plain_json(reports)),
        "tables": _as_text(result.tables),
    }
    adata.uns[KEY] = state
    _write(adata, result.cells.set_index(_barcodes(adata, result.cells)).reindex(adata.obs_names), OF_SCORE)


def timeline(
    adata: ad.AnnData,
    *,
    settings: TimelineSettings = TimelineSettings(),  # noqa: B008  # frozen
) -> None:
    """Compare the days, with the animal as the unit.

    Parameters
    ----------
    adata
        After `score`.
    settings
        How days are compared.

    Returns
    -------
    None
        The tables are read by `table`, and the answer by `answer`.

    Raises
    ------
    InputError
        `score` was not run.

    Examples
    --------
    In the description of `recovery_microglia.tl`.
    """
    state, how = _state(adata, "recovered", "score"), _how(adata)
    myeloid = _myeloid(adata)
    myeloid.obs = obs_of(myeloid).join(state["partitions"])
    reports = json.loads(state["reports"])
    found, report = timeline_step(
        sheet=sheet_frame(records(state["sheet"])),
        cells=state["cells"],
        recovered=state["recovered"],
        recovery=reports["recovery"],
        calibration=_from_text(state, "calibration"),
        myeloid=myeloid,
        sums=state["lineage_sums"],
        signatures=_gene_sets(how),
        behaviour=[],
        injury_model=how["injury_model"],
        quantile=how["quantile"],
        settings=settings,
        seed=how["seed"],
    )
    state["tables"] = {**state["tables"], **_as_text(found)}
    state["reports"] = json.dumps(plain_json({**reports, "timeline": report}))
    adata.uns[KEY] = state


# ---------------------------------------------------------------- what they found


def tables(adata: ad.AnnData) -> list[str]:
    """Return the names of the tables that there are so far, for `table`."""
    state = _state(adata)
    own = [name for name, key in (("samples", "sheet"), ("cells", "recovered")) if key in state]
    return sorted([*own, *state.get("tables", {})])


def table(adata: ad.AnnData, name: str) -> pd.DataFrame:
    """Return a table of the steps that were run, by the name and with the columns that docs/output.md gives.

    ``cells`` has one row a microglia, ``fractions`` one an animal, ``timeline`` one a day, ``onset`` one an arm.

    Raises
    ------
    InputError
        There is no such table; the message says which there are.
    """
    state = _state(adata)
    if name not in tables(adata):
        raise InputError(f"there is no table '{name}' yet; there are: {', '.join(tables(adata))}")
    own = {"samples": "sheet", "cells": "recovered"}.get(name)
    return state[own].copy() if own else _from_text(state, name)


def answer(adata: ad.AnnData) -> Json:
    """Return what may be claimed: status, reason, the answer in words, and everything that a reader must be told.

    The keys are those of ``summary.json``: ``status``, ``reason``, ``headline``, ``onset``, ``robustness``, ``design``,
    ``notices``.

    Raises
    ------
    InputError
        `timeline` was not run.
    """
    state = _state(adata)
    reports = json.loads(state["reports"])
    if "timeline" not in reports:
        raise InputError("run rm.tl.timeline first")
    by_step = {name: report if name == "library" else [report] for name, report in reports.items()}
    told = answer_of(reports["timeline"], records(_from_text(state, "onset")))
    found: Json = plain_json({**told, "notices": records(collect_notices(by_step))})
    return found


# ---------------------------------------------------------------- what they share


def _check_kind(adata: ad.AnnData) -> None:
    """Refuse what is no AnnData: a path or a MuData, say.

    Raises
    ------
    InputError
        In one line, with what to do.
    """
    if not isinstance(adata, ad.AnnData):
        raise InputError(f"adata: an AnnData is needed, not {type(adata).__name__}; read a file with anndata.read_h5ad")


def _state(adata: ad.AnnData, needs: str = "cells", made_by: str = "lineage") -> dict[str, Any]:
    """Return a copy of what the steps so far have left.

    Raises
    ------
    InputError
        The step that leaves ``needs`` was not run.
    """
    _check_kind(adata)
    state = dict(adata.uns.get(KEY, {}))
    if needs not in state:
        raise InputError(f"run rm.tl.{made_by} first")
    return state


def _how(adata: ad.AnnData) -> Json:
    how: Json = json.loads(_state(adata)["how"])
    return how


def _gene_sets(how: Mapping[str, Any]) -> Signatures:
    return load_signatures(Path(how["signatures"]))


def _counts(
    adata: ad.AnnData, rows: np.ndarray, library: str, layer: str | None, *, checked: bool = False
) -> ad.AnnData:
    """Return the raw counts of some cells as the readers return them, with current symbols.

    ``checked``: whether the counts of the whole library were checked already.

    Raises
    ------
    InputError
        The layer is not there; the values are no raw counts.
    """
    if layer and layer not in adata.layers:
        there = ", ".join(map(str, filter(None, adata.layers))) or "none"
        raise InputError(f"adata.layers: there is no layer '{layer}'; there are: {there}")
    where = f"{f"adata.layers['{layer}']" if layer else 'adata.X'}, library {library}"
    matrix: Any = adata.layers[layer] if layer else adata.X
    if matrix is None:
        there = ", ".join(map(str, filter(None, adata.layers)))
        raise InputError(f"adata.X: there are no counts{f'; say layer=… ({there})' if there else ''}")
    symbols, ids = gene_names(var_of(adata))
    names = list(map(str, adata.obs_names[rows]))
    found = Table(sp.csr_matrix(matrix[rows]), names, symbols, "AnnData", ids)
    if not checked:
        return to_anndata(found, organism="mouse", genome=None, where=where)
    counts = check_counts(found.matrix, symbols, names, where)
    genes = without_sums(counts, symbols, genes_of(found, organism="mouse", genome=None, where=where))
    return with_genes(counts, names, None, genes)


def _myeloid(adata: ad.AnnData) -> ad.AnnData:
    """Return the myeloid cells of all libraries, as the pipeline merges them.

    Raises
    ------
    InputError
        Cells are gone since `lineage`.
    """
    state, how = _state(adata), _how(adata)
    cells: pd.DataFrame = state["cells"]
    kept = cells[(cells["removed_by"] == "") & cells["lineage"].isin(MYELOID)]
    parts = []
    for library in state["sheet"]["library"]:
        own, soup = kept[kept["library"] == library], state["soup"][library]
        rows = adata.obs_names.get_indexer(pd.Index(own["barcode"]))
        if (rows < 0).any():
            raise InputError(
                f"library {library}: cells are gone since rm.tl.lineage; run it again on the cells that are left"
            )
        obs = own.set_index(pd.Index(own["library"] + ":" + own["barcode"], dtype=object))
        counts = sp.csr_matrix((0, len(soup)), dtype=np.int32)
        if len(own):
            counts = counts_of(_counts(adata, rows, library, how["layer"], checked=True))
        parts.append(ad.AnnData(counts, obs=obs, var=soup.copy()))
    return merge(parts, sheet_frame(records(state["sheet"])))


def _barcodes(adata: ad.AnnData, recovered: pd.DataFrame) -> pd.Index:
    barcodes: pd.Index = pd.Index(recovered["cell"].str.partition(":")[2], name=adata.obs_names.name)
    return barcodes


def _as_text(found: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Return tables as the text that the pipeline writes: the same digits, and every AnnData can be saved with it."""
    with tempfile.TemporaryDirectory() as folder:
        text = {}
        for name, one in found.items():
            path = Path(folder) / f"{name}.tsv"
            write_table(one, path)
            text[name] = path.read_text(encoding="utf-8")
    return text


def _from_text(state: Mapping[str, Any], name: str) -> pd.DataFrame:
    """Return a table as the pipeline's next step reads it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.tsv"
        path.write_text(state["tables"][name], encoding="utf-8")
        return read_table(path)


def _refuse_taken(obs: pd.DataFrame, names: tuple[str, ...], *, earlier: Mapping[str, Any]) -> None:
    """Refuse to write over columns of the user's own; those of an earlier call are written anew."""
    own = [name for name in names if name in obs and name not in earlier.get("written", [])]
    if own:
        raise InputError(
            f"adata.obs: there is a column {', '.join(own)} already, which would be lost; rename it first "
            f"(adata.obs = adata.obs.rename(columns={{'{own[0]}': 'my_{own[0]}'}}))"
        )


def _write(adata: ad.AnnData, cells: pd.DataFrame, names: tuple[str, ...]) -> None:
    """Write columns into obs, and which they are into the steps' own place."""
    obs = obs_of(adata).copy()
    for name in names:
        obs[name] = h5ad_column(cells[name]).to_numpy() if name != "doublet_score" else cells[name].to_numpy(float)
        if obs[name].dtype == object:
            obs[name] = obs[name].astype("category")
    adata.obs = obs
    adata.uns[KEY]["written"] = sorted({*adata.uns[KEY].get("written", []), *names})
