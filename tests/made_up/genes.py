"""The signature's genes: which were measured, their course, what they add to a call; Igf1 and its sources."""

from typing import Any

import numpy as np
import pandas as pd

from made_up.sheet import NAN
from recovery_microglia.core.frame_access import groups, records

SIGNATURE = ["Igf1", "Itgax", "Clec7a", "Cst7", "Axl", "Csf1", "Lpl", "Cd9", "Spp1", "Gpnmb", "Fabp5", "Cadm1", "Ank", "Lilrb4a"]  # fmt: skip
CONTEXT = ["Apoe", "Cd63", "Lgals3", "Ctsb", "Ctsd", "Trem2", "Tyrobp"]


def markers(present: list[str]) -> pd.DataFrame:
    """markers_used.tsv where these genes were measured."""
    sets = {"recovery": SIGNATURE, "context": CONTEXT}
    rows = [
        _marker(name, gene, place, measured=gene in present)
        for name, genes in sets.items()
        for place, gene in enumerate(genes)
    ]
    return pd.DataFrame(rows)


def _marker(name: str, gene: str, place: int, *, measured: bool) -> dict[str, Any]:
    """A gene's row of markers_used.tsv."""
    return {
        "set": name,
        "gene": gene,
        "direction": "up",
        "role": "signature",
        "status": "present" if measured else "absent",
        "named_in_data": gene if measured else "",
        "libraries_with_gene": 24 if measured else 0,
        "detected_control": 0.02 + 0.01 * place if measured else NAN,
        "detected_injured": 0.05 + 0.02 * place if measured else NAN,
    }


def gene_course(samples: pd.DataFrame, genes: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """gene_course.tsv: each gene in each subject, more of it from day 7 on."""
    rows = [_gene_of(row, gene, rng) for gene in genes for row in records(samples)]
    return pd.DataFrame(rows)


def _gene_of(row: dict[str, Any], gene: str, rng: np.random.Generator) -> dict[str, Any]:
    """A subject's row of gene_course.tsv."""
    rise = 1.8 if row["condition"] == "injured" and row["day"] >= 7 else 1.0
    return {
        "gene": gene,
        "role": "recovery" if gene in SIGNATURE else "context",
        "arm": "",
        "subject": row["subject"],
        "day": row["day"],
        "condition": row["condition"],
        "libraries": row["library"],
        "n": 150,
        "share_detected": 0.2 * rise,
        "mean_counts_per_10k": float(rng.gamma(20, 0.1 * rise)),
    }


def gene_tests(course: pd.DataFrame, *, tested: bool) -> pd.DataFrame:
    """gene_tests.tsv of such a course."""
    injured = course[course["condition"] == "injured"]
    rows = []
    for (gene, day), own in groups(injured, ["gene", "day"], sort=False):
        p = (0.001 if day >= 7 else 0.4) if tested else NAN
        least = 0.1 if tested else NAN
        rows.append({
            "gene": gene, "role": own["role"].iloc[0], "arm": "", "day": day, "control": "naive", "n_subjects": len(own),
            "n_control_subjects": 3, "mean": 2.0, "control_mean": 1.5, "difference": 0.5, "p": p, "p_permutation": least,
            "p_smallest": least, "q": p, "status": "tested" if tested else "descriptive", "reason": "" if tested else "one subject",
        })  # fmt: skip
    return pd.DataFrame(rows)


def gene_changes(course: pd.DataFrame, *, tested: bool) -> pd.DataFrame:
    """gene_changes.tsv of such a course: one test a gene."""
    rows = []
    for place, (gene, own) in enumerate(course.groupby("gene", sort=False)):
        p = 0.0001 * (place + 1) if tested else NAN
        rows.append({
            "gene": gene, "role": own["role"].iloc[0], "arm": "", "n_days": 6.0, "n_subjects": 18.0, "n_control_subjects": 6.0,
            "peak_day": 14.0, "fold": 3.2, "direction": "up", "statistic": 9.1 if tested else NAN, "p": p, "q": 2 * p,
            "status": "tested" if tested else "descriptive", "reason": "" if tested else "one subject",
        })  # fmt: skip
    return pd.DataFrame(rows)


def call_genes() -> pd.DataFrame:
    """call_genes.tsv: what each gene adds to the evidence of a call."""
    shares = np.arange(len(SIGNATURE), 0, -1) / sum(range(1, len(SIGNATURE) + 1))
    return pd.DataFrame({
        "gene": SIGNATURE, "role": "signature", "fold": 8.0, "detected_called": 0.2 + 3 * shares, "detected_not_called": 0.1 + shares,
        "detected_control": 0.1, "called_cells": 200, "counts_called": (200 * shares).round().astype(int), "nats_per_cell": 9 * shares,
        "share_of_evidence": shares,
    })  # fmt: skip


def clusters() -> pd.DataFrame:
    """clusters.tsv: four clusters at three resolutions, one of them of recovery cells."""
    rows = [
        (resolution, str(c), 400 - 90 * c, 0.95 - 0.12 * c, 0.4 if c == 2 else 0.01, c == 2, "Spp1 Lpl Gpnmb", resolution == 0.4)
        for resolution in (0.2, 0.4, 0.8)
        for c in range(4)
    ]  # fmt: skip
    columns = ["resolution", "cluster", "n", "stability_jaccard", "recovery_share", "recovery", "top_genes", "reported"]
    return pd.DataFrame(rows, columns=columns)


# ---------------------------------------------------------------- Igf1

IGF1_SHARES = {"microglia": 0.5, "border_macrophage": 0.3, "recovery_microglia": 0.2}
"""Lineage to its share of the Igf1 counts of a subject."""
IGF1_STATES = {"recovery": (15, 30.0), "near_recovery": (3, 4.0), "homeostatic": (100, 60.0), "interferon": (10, 6.0)}
"""State to cells and Igf1 counts of a subject's microglia: 100 counts in all."""


def igf1(samples: pd.DataFrame, *, sorted_tissue: bool) -> pd.DataFrame:
    """igf1_share.tsv: where only one lineage was sorted, nobody knows the share of the others."""
    unknown = "sorted tissue: the other sources of Igf1 were not sampled" if sorted_tissue else ""
    rows = [
        {
            "subject": row["subject"], "day": row["day"], "condition": row["condition"], "lineage": name,
            "igf1_counts": 100 * share, "total_igf1_counts": 100.0, "share": NAN if unknown else share,
            "status": "not_testable" if unknown else "descriptive", "reason": unknown,
        }
        for row in records(samples)
        for name, share in IGF1_SHARES.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def igf1_states(samples: pd.DataFrame) -> pd.DataFrame:
    """igf1_states.tsv: the same states in every subject."""
    rows = [
        (row["subject"], row["day"], row["condition"], state, cells, counts, 100.0, counts / 100)
        for row in records(samples)
        for state, (cells, counts) in IGF1_STATES.items()
    ]
    columns = ["subject", "day", "condition", "state", "cells", "igf1_counts", "microglia_igf1_counts", "share"]
    return pd.DataFrame(rows, columns=columns)
