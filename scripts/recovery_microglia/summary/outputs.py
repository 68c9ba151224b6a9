"""What leaves the pipeline: summary.json, the closing tables and the h5ad that others open."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from recovery_microglia.core.errors import Notice, by_severity
from recovery_microglia.deposit.downloads import read_fetched
from recovery_microglia.jobs.log import sha256, versions

STEPS = ("dataset", "library", "myeloid", "recovery", "timeline")
"""Steps whose notices reach the report, in the order of the data."""

Json = dict[str, Any]


def read_json(path: Path) -> Json:
    """Read a JSON object."""
    value: Json = json.loads(path.read_text(encoding="utf-8"))
    return value


def plain_json(value: Any) -> Any:
    """Return ``value`` with numpy scalars as Python's own and every NaN or infinity as None."""
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, np.ndarray)):
        return [plain_json(item) for item in value]
    if isinstance(value, np.generic):
        return plain_json(value.item())
    if isinstance(value, Path):
        return value.as_posix()
    missing = value is None or value is pd.NA or (isinstance(value, float) and not np.isfinite(value))
    return None if missing else value


def write_json(value: Json, path: Path) -> None:
    """Write a JSON object; a number that could not be computed is null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain_json(value), indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


# ---------------------------------------------------------------- notices


def collect_notices(reports: Mapping[str, Sequence[Json]]) -> pd.DataFrame:
    """Return the notices of all steps (= warnings.tsv): code, severity, text, step, library; the worst first.

    The same remark on several libraries becomes one row that lists them.
    """
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for step in STEPS:
        for report in reports.get(step, ()):
            library = str(report.get("library", ""))
            for notice in report.get("notices", ()):
                key = (notice["code"], notice["severity"], notice["text"], step)
                rows.setdefault(key, []).append(library)
    notices = by_severity(Notice(code, severity, text) for code, severity, text, _ in rows)  # type: ignore[arg-type]
    where = {key[:3]: (key[3], ", ".join(filter(None, found))) for key, found in rows.items()}
    table = []
    for notice in notices:
        step, libraries = where[notice.code, notice.severity, notice.text]
        table.append({**notice.as_dict(), "step": step, "library": libraries})
    return pd.DataFrame(table, columns=["code", "severity", "text", "step", "library"])


# ---------------------------------------------------------------- the h5ad


def finished_h5ad(clustered: ad.AnnData, embedding: pd.DataFrame, recovery: pd.DataFrame) -> ad.AnnData:
    """Return all myeloid cells with raw counts in X, embedding, lineage, state, scores and calls.

    Parameters
    ----------
    clustered
        Cells × genes, raw counts in X, from the myeloid step.
    embedding
        One row a cell: cell, umap1, umap2, integrated1, integrated2.
    recovery
        One row a microglia; cells of other lineages get missing scores and calls.
    """
    adata = clustered.copy()
    adata.X = adata.X.astype(np.float32)  # CELLxGENE takes float32 only; the values stay whole numbers
    points = embedding.set_index("cell").reindex(adata.obs_names)
    adata.obsm["X_umap"] = points[["umap1", "umap2"]].to_numpy(np.float32)
    if points["integrated1"].notna().any():
        adata.obsm["X_umap_integrated"] = points[["integrated1", "integrated2"]].to_numpy(np.float32)
    scored = recovery.set_index("cell").reindex(adata.obs_names)
    for column in scored.columns.difference(adata.obs.columns, sort=False):
        values = scored[column]
        adata.obs[column] = _h5ad_column(values)
    adata.uns["schema"] = "X holds raw counts; obs['recovery_call'] is yes, no or not called"
    return adata


def _h5ad_column(values: pd.Series) -> pd.Series:
    """Return a column that every reader of h5ad understands: numbers, or categories of text."""
    yes_no = values.dtype == object and values.notna().any() and values.dropna().map(type).eq(bool).all()
    if pd.api.types.is_bool_dtype(values.dtype) or yes_no:
        words = {True: "yes", False: "no"}
        return values.map(words).astype("object").fillna("not called").astype("category")
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype("float64")
    return values.astype("object").fillna("").astype(str).astype("category")


# ---------------------------------------------------------------- the summary


def totals(cells: pd.DataFrame, recovery: pd.DataFrame) -> Json:
    """Return the numbers of cells, kept cells, microglia and recovery cells (None if none were called)."""
    kept = cells[cells["removed_by"].fillna("") == ""]
    called = recovery["recovery_call"].dropna() if len(recovery) else pd.Series(dtype="boolean")
    return {
        "cells": len(cells),
        "kept": len(kept),
        "microglia": int((kept["lineage"] == "microglia").sum()),
        "recovery_cells": int(called.astype(bool).sum()) if len(called) else None,
    }


def days(sheet: pd.DataFrame, cells: pd.DataFrame) -> list[Json]:
    """Return subjects, kept cells and microglia by day, condition and arm, in order of days."""
    kept = cells[cells["removed_by"].fillna("") == ""]
    included = sheet[sheet["include"]].copy()
    included["cells"] = included["library"].map(kept.groupby("library").size()).fillna(0)
    microglia = kept[kept["lineage"] == "microglia"].groupby("library").size()
    included["microglia"] = included["library"].map(microglia).fillna(0)
    groups = included.groupby(["day", "condition", "arm"], dropna=False, sort=True)
    return [
        {
            "day": day,
            "condition": condition,
            "arm": arm,
            "subjects": int(group["subject"].nunique()),
            "cells": int(group["cells"].sum()),
            "microglia": int(group["microglia"].sum()),
        }
        for (day, condition, arm), group in groups
    ]


def headline(status: str, reason: str, onset: Sequence[Json]) -> str:
    """Return the answer in words: the onset sentences of the score route, a line an arm, or why there is none."""
    rows = [row for row in onset if row.get("route") == "score" and row.get("sentence")]
    if status == "not_testable" or not rows:
        return f"Whether recovery microglia emerge cannot be judged from these data: {reason}."
    if len(rows) == 1:
        return str(rows[0]["sentence"])
    return "\n".join(f"{row.get('arm') or 'No arm stated'}: {row['sentence']}" for row in rows)


def checksums(path: Path) -> list[tuple[str, str]]:
    """Return name and SHA-256 of an input: of the file itself, or of what a table of fetched files lists."""
    if path.parent.name == "fetched" and path.suffix == ".tsv":
        return [(file, digest) for file, _, digest in read_fetched(path)]
    return [(path.as_posix(), sha256(path))]


def provenance_table(inputs: Sequence[Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return what the run used (= provenance.tsv): kind, name, value; checksums, versions and settings."""
    rows = [{"kind": "version", "name": name, "value": value} for name, value in versions().items()]
    for section, value in settings.items():
        pairs = value.items() if isinstance(value, Mapping) else [("", value)]
        for key, item in pairs:
            name = f"{section}.{key}" if key else section
            rows.append({"kind": "setting", "name": name, "value": str(plain_json(item))})
    sums = [pair for path in inputs if path.is_file() for pair in checksums(path)]
    rows += [{"kind": "sha256", "name": name, "value": digest} for name, digest in sums]
    return pd.DataFrame(rows, columns=["kind", "name", "value"])
