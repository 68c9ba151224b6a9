"""The benchmark of scale: its data are what they say, and its ratios are those of its figures."""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import scale  # noqa: E402
import scale_data  # noqa: E402
import scale_profile  # noqa: E402

from recovery_microglia.readers.any_layout import read_counts  # noqa: E402
from recovery_microglia.study.dataset import load_dataset  # noqa: E402


def test_the_data_are_libraries_of_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    monkeypatch.setattr(scale_data, "CACHE", tmp_path)
    folder = scale_data.made(900, 400, n_genes=4000)
    dataset = load_dataset(folder / "entry", root / "workflow" / "schemas")
    assert [library.library for library in dataset.included] == ["L001", "L002", "L003"]
    counts = read_counts(folder / "counts" / "L001")
    assert counts.shape == (400, 4000)
    assert counts.uns["reading"]["unknown_names"] == 0
    assert 2000 < float(np.median(np.asarray(counts.X.sum(axis=1)))) < 5000
    hexb = counts[:, "Hexb"].X.toarray().ravel()
    assert 0.02 < float((hexb >= 2).mean()) < 0.12  # microglia, and doublets with them
    kind, partner = scale_data.truth(1, 400)  # drawn again as the library was
    single = partner == ""
    assert 0.9 < single.mean() < 0.99
    assert np.median(hexb[single & (kind == "microglia")]) >= 2
    assert np.median(hexb[single & (kind == "neuron")]) == 0
    before = (folder / "counts/L001/matrix.mtx.gz").stat().st_mtime_ns
    assert scale_data.made(900, 400, n_genes=4000) == folder
    assert (folder / "counts/L001/matrix.mtx.gz").stat().st_mtime_ns == before


def one(cells: int, cpu: float, *, stock: bool) -> dict[str, Any]:
    stages = [
        {"stage": "library", "jobs": 4, "wall": 30.0, "cpu": cpu / 2, "largest_cpu": 9.0, "peak": 500.0},
        {"stage": "report", "jobs": 1, "wall": 3.0, "cpu": 3.0, "largest_cpu": 3.0, "peak": 300.0},
    ]
    entry = {
        "cells": cells,
        "libraries": 4,
        "floor": {"wall": cpu / 10, "cpu": cpu / 10, "imports": cpu / 50},
        "ours": {"wall": cpu, "cpu": cpu, "peak": 500.0, "stages": stages},
        "command": "python",
        "date": "",
        "commit": "",
        "load": "",
        "machine": "",
        "versions": "",
    }
    if stock:
        entry["stock"] = {
            "wall": 5 * cpu,
            "cpu": 4 * cpu,
            "peak": 3000.0,
            "stages": {"read": {"wall": 1, "cpu": 1, "peak": 1}, "doublets": {"wall": 3 * cpu, "cpu": cpu, "peak": 1}},
        }
    return entry


def test_ratios_and_exponent() -> None:
    record = {"200": one(200, 40, stock=False), "100": one(100, 20, stock=True)}
    table = scale.overview(record)
    assert list(table.columns) == ["100", "200"]
    assert table.loc["stock / ours, wall", "100"] == 5
    assert table.loc["stock / ours, memory", "100"] == 6
    assert table.loc["stock without doublets / ours with them, wall", "100"] == 2
    assert table.loc["stock without doublets / ours with them, CPU", "100"] == 3
    assert np.isnan(table.loc["stock / ours, CPU", "200"])
    assert table.loc["library jobs / floor", "100"] == 5
    assert table.loc["library jobs without imports / floor", "100"] == pytest.approx(4.8)  # (10 - 0.4) / 2
    assert np.isnan(table.loc["exponent", "100"])
    assert table.loc["exponent", "200"] == pytest.approx(1)
    text = scale.written({"sizes": record, "candidates": None})
    assert "## 100 cells, stage by stage" in text
    assert text.count("Stock:") == 1


@pytest.mark.parametrize(("module", "function"), scale_profile.STEPS.values(), ids=scale_profile.STEPS)
def test_steps_of_the_profile_are_found_where_they_are_called(module: str, function: str) -> None:
    """The profile wraps a function in the module that calls it; a moved one would end the benchmark after half an hour."""
    assert callable(getattr(importlib.import_module(f"recovery_microglia.{module}"), function))
