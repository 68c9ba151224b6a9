"""What a page is written from."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recovery_microglia.core import wording
from recovery_microglia.core.frame_access import records
from recovery_microglia.core.tables import TABLES, read_table
from recovery_microglia.core.tables.spec import name_of
from recovery_microglia.core.vocabulary import CONTROLS, Condition, Denominator, Route, Status

CELL_COLUMNS = (
    *("cell", "library", "subject", "day", "condition", "chemistry", "lineage", "state", "recovery_score"),
    *("recovery_call", "cutoff", "leiden"),
)
POINTS = {"X_umap": ("umap1", "umap2"), "X_umap_integrated": ("integrated1", "integrated2")}


@dataclass(frozen=True)
class ReportInputs:
    """Everything a page shows; whatever is missing or empty, the page does without and says so.

    Attributes
    ----------
    summary
        summary.json.
    tables
        Table name to table, as under ``tables/``.
    cells
        One row a myeloid cell: cell, library, subject, day, condition, chemistry, lineage, state, recovery_score,
        recovery_call, umap1, umap2, integrated1, integrated2; columns may be missing.
    genes
        One row a myeloid cell: cell, n_counts, sums of lineage markers, one column a gene (raw counts).
    run
        ``date`` of the run and ``commit`` of the code; empty where not known.
    """

    summary: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    cells: pd.DataFrame = field(default_factory=pd.DataFrame)
    genes: pd.DataFrame = field(default_factory=pd.DataFrame)
    run: Mapping[str, str] = field(default_factory=dict)

    def table(self, name: str) -> pd.DataFrame:
        """Return a table; an empty one if it is not there."""
        return self.tables.get(name, pd.DataFrame())

    def text(self, key: str) -> str:
        """Return a text of the summary; empty if it is not there."""
        value = self.summary.get(key)
        return "" if wording.missing(value) else str(value)

    @property
    def status(self) -> str:
        """What may be claimed; the most careful answer if the summary does not say."""
        status = self.text("status")
        return status if status in wording.STATUS else Status.NOT_TESTABLE

    @property
    def reason(self) -> str:
        """Why not more may be claimed, without a full stop."""
        return self.text("reason").rstrip(". ")

    @property
    def called(self) -> bool:
        """Whether recovery cells were called at all, whatever the design allows."""
        recovery = self.summary.get("recovery") or {}
        return bool(recovery.get("status", self.status) != Status.NOT_TESTABLE)

    @property
    def simulated(self) -> bool:
        """Whether the data are made up."""
        return bool(self.summary.get("simulated"))

    @property
    def onsets(self) -> list[dict[str, Any]]:
        """The onset rows of the score route, one an arm; none where nothing may be claimed."""
        rows = self.summary.get("onset") or []
        if isinstance(rows, Mapping):
            rows = [rows]
        if not rows and len(self.table("onset")):
            rows = records(self.table("onset"))
        own = [dict(row) for row in rows if row.get("route", "score") == Route.SCORE]
        return [] if self.status == Status.NOT_TESTABLE else own

    def onset_of(self, arm: str) -> dict[str, Any] | None:
        """Return the onset row of an arm; None where nothing may be claimed."""
        for row in self.onsets:
            if str(row.get("arm") or "") == arm or (wording.missing(row.get("arm")) and not arm):
                return row
        return None

    def units(self) -> pd.DataFrame:
        """Return the fractions per subject of the reported calling method, of microglia; ``arm`` is text."""
        table = self.table("fractions")
        if table.empty:
            return table
        own = table[(table["route"] == Route.SCORE) & (table["denominator"] == Denominator.MICROGLIA)]
        return own.assign(arm=own["arm"].fillna("").astype(str))

    @property
    def arms(self) -> list[str]:
        """Arms with injured subjects."""
        units = self.units()
        return sorted(units["arm"][units["condition"] == Condition.INJURED].unique()) if len(units) else []

    def arm_units(self, arm: str) -> pd.DataFrame:
        """Return an arm's subjects with its controls, or the shared controls where it has none of its own."""
        units = self.units()
        own = units[units["arm"] == arm]
        if own["condition"].isin(CONTROLS).any():
            return own
        return pd.concat([own, units[units["condition"].isin(CONTROLS) & (units["arm"] != arm)]])

    def arm_days(self, arm: str) -> pd.DataFrame:
        """Return the rows of the timeline of an arm, by the reported calling method."""
        table = self.table("timeline")
        if table.empty:
            return table
        return table[(table["route"] == Route.SCORE) & (table["arm"].fillna("").astype(str) == arm)].sort_values("day")

    def sentences(self, key: str) -> list[str]:
        """Return the sentences of a part of the summary, as text; none if there are none."""
        told = self.summary.get(key) or []
        return (
            [told] if isinstance(told, str) else [str(sentence) for sentence in told if not wording.missing(sentence)]
        )

    @property
    def included(self) -> pd.DataFrame:
        """The sheet's rows that were not left out."""
        samples = self.table("samples")
        if samples.empty or "include" not in samples:
            return samples
        return samples[samples["include"].map(wording.truthy)]

    @property
    def ages(self) -> pd.Series | None:
        """Age of each subject as the sheet states it; None where it has no ages."""
        samples = self.included
        return samples.drop_duplicates("subject").set_index("subject")["age"] if "age" in samples else None

    @property
    def sorted_tissue(self) -> bool:
        """Whether cells were sorted before sequencing."""
        return self.text("enrichment") not in ("", "none")


def load_inputs(folder: Path, *, drivers: bool = False) -> ReportInputs:
    """Return what the pipeline left in ``results/<dataset>``: summary.json, tables/, myeloid.h5ad, genes.parquet.

    With ``drivers`` the tables of that step too.

    Of the h5ad only obs and the embeddings are read, never the counts; those of a few genes stand in genes.parquet.
    """
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    tables = {}
    further = sorted((folder / "drivers").glob("*.tsv")) if drivers else []
    for path in [*sorted((folder / "tables").glob("*.tsv*")), *further]:
        name = name_of(path)
        # cells: a row a cell, and the h5ad has them all; what is not described was not left by this version
        if name in TABLES and name != "cells":
            tables[name] = read_table(path)
    if (path := folder / "costs.tsv").is_file():
        tables["costs"] = read_table(path)
    counts = folder / "intermediate" / "genes.parquet"
    genes = pd.read_parquet(counts) if counts.is_file() else pd.DataFrame()
    run = {"date": run_date(folder / "summary.json"), "commit": commit_of(Path(__file__))}
    return ReportInputs(summary, tables, read_cells(folder / "myeloid.h5ad"), genes, run)


def load_answer(folder: Path) -> ReportInputs:
    """Return the answer that a run left in ``results/<dataset>``: summary.json and the tables that carry it."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    names = [name for name in ("timeline", "onset", "warnings") if (folder / "tables" / f"{name}.tsv").is_file()]
    tables = {name: read_table(folder / "tables" / f"{name}.tsv") for name in names}
    return ReportInputs(summary, tables, run={"date": run_date(folder / "summary.json")})


def run_date(closing: Path) -> str:
    """Return the day on which a run closed its tables."""
    return f"{datetime.fromtimestamp(closing.stat().st_mtime, tz=UTC):%Y-%m-%d}"


@cache
def commit_of(code: Path) -> str:
    """Return the commit of the repository that a file of code belongs to; empty for an installed package, whatever repository it lies in."""
    commands = (
        ("ls-files", "--error-unmatch", code.name),  # a package in .venv is not tracked by the project around it
        ("describe", "--always", "--dirty=+changes", "--abbrev=9"),
    )
    said = ""
    for command in commands:
        try:
            done = subprocess.run(
                ["git", "-C", str(code.parent), *command], capture_output=True, text=True, timeout=10, check=False
            )
        except (OSError, subprocess.TimeoutExpired):  # no git
            return ""
        if done.returncode != 0:
            return ""
        said = done.stdout.strip()
    return said


def read_cells(path: Path) -> pd.DataFrame:
    """Return obs and embeddings of an h5ad as one table; an empty one if there is no such file."""
    if not path.is_file():
        return pd.DataFrame()
    import h5py

    from recovery_microglia.core.anndata_access import read_frame  # anndata takes a second to import

    with h5py.File(path) as store:
        cells = read_frame(store["obs"])
        cells = cells.rename_axis("cell").reset_index() if "cell" not in cells else cells.reset_index(drop=True)
        cells = cells[[column for column in CELL_COLUMNS if column in cells]].copy()
        for key, names in POINTS.items():
            if key in store["obsm"]:
                points = np.asarray(store["obsm"][key])
                cells[names[0]], cells[names[1]] = points[:, 0], points[:, 1]
    for column in cells.select_dtypes("category"):
        cells[column] = cells[column].astype(object)
    return cells
