"""Genes that differ between pseudobulks: negative-binomial models of DESeq2, as PyDESeq2 fits them."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.statistics import benjamini_hochberg
from recovery_microglia.drivers.pseudobulks import Pseudobulks

COVARIATES = ("sex", "chemistry", "batch")
LEAST_COUNTS = 10
"""Counts over all pseudobulks that a gene needs to be tested."""
GRID = 401
"""Points between 0 and an estimate at which a shrunken fold change is looked for."""
SPARE = 2
"""Degrees of freedom that must be left for the variance between animals when a covariate is taken in."""


@dataclass(frozen=True)
class Design:
    """A design matrix and what stands in it.

    Attributes
    ----------
    matrix
        Pseudobulks × columns; the first is the intercept.
    covariates
        Those of sex, chemistry and batch that are held fixed.
    left_out
        Those that vary and cannot be held fixed, each with the reason.
    """

    matrix: pd.DataFrame
    covariates: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def _dummies(values: pd.Series, prefix: str) -> pd.DataFrame:
    """Return a column of zeros and ones for each value but the first."""
    return pd.get_dummies(values.astype(str), prefix=prefix, prefix_sep=" ").iloc[:, 1:].astype(float)


def _rank(matrix: pd.DataFrame) -> int:
    return int(np.linalg.matrix_rank(matrix.to_numpy(float)))


def paired_design(samples: pd.DataFrame, blocks: pd.Series, other: pd.Series) -> Design:
    """Return the design of a comparison within animals: a column for each animal, and ``effect`` for the cells compared."""
    matrix = pd.DataFrame({"intercept": 1.0}, index=samples.index)
    return Design(pd.concat([matrix, _dummies(blocks, "animal")], axis=1).assign(effect=other.astype(float)))


def grouped_design(samples: pd.DataFrame, group: pd.Series) -> Design:
    """Return the design of groups of animals against the first, with covariates where the design carries them.

    A covariate is held fixed where it is known of all animals, varies, leaves every group estimable (full rank) and leaves
    two degrees of freedom for the variance between animals.
    """
    matrix = pd.DataFrame({"intercept": 1.0}, index=samples.index)
    for name in dict.fromkeys(group):
        if name != "control":
            matrix[name] = (group == name).astype(float)
    held, left_out = [], []
    for name in COVARIATES:
        values = samples[name].fillna("").astype(str)
        if values.nunique() < 2:
            continue
        if (values == "").any():
            left_out.append(f"{name}: not known of all animals")
            continue
        tried = pd.concat([matrix, _dummies(values, name)], axis=1)
        if _rank(tried) < tried.shape[1]:
            left_out.append(f"{name}: confounded with the groups or another covariate")
        elif len(tried) - tried.shape[1] < SPARE:
            left_out.append(f"{name}: too few animals")
        else:
            matrix = tried
            held.append(name)
    return Design(matrix, tuple(held), tuple(left_out))


@dataclass(frozen=True)
class Fit:
    """A fitted model of all genes: PyDESeq2's data set, and the design."""

    model: Any
    design: Design


def fit(bulks: Pseudobulks, design: Design) -> Fit:
    """Fit a negative-binomial model to each gene that has enough counts."""
    from pydeseq2.dds import DeseqDataSet
    from pydeseq2.default_inference import DefaultInference

    counts = bulks.counts
    seen = (counts.sum(axis=0) >= LEAST_COUNTS) & ((counts > 0).sum(axis=0) >= 2)
    names = [str(row) for row in counts.index]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the trend of dispersions, which PyDESeq2 then replaces by their mean
        model = DeseqDataSet(
            counts=counts.loc[:, seen].set_axis(names, axis=0),
            metadata=bulks.samples.drop(columns="day").set_axis(names, axis=0).astype(str),
            design=design.matrix.set_axis(names, axis=0),
            size_factors_fit_type="poscounts",  # a small pseudobulk has a zero in most genes
            refit_cooks=False,  # no animal is replaced by a made-up one
            inference=DefaultInference(n_cpus=1),
            quiet=True,
        )
        model.deseq2()
    return Fit(model, design)


def degrees_of_freedom(fitted: Fit) -> pd.Series:
    """Return the degrees of freedom of each gene's variance.

    DESeq2 compares the Wald statistic with a normal distribution, as if the dispersion were known. With few animals it is not,
    and too many genes pass where there is no difference (docs/drivers.md). A dispersion has the degrees of freedom that the
    animals leave, and as many as DESeq2's prior of the logarithms of dispersions is worth (those whose trigamma function is its
    variance). It makes up a part of the variance; the rest is the sampling of counts, which is known: the whole has the
    dispersion's degrees of freedom over the square of that part (Satterthwaite).
    """
    matrix = fitted.design.matrix
    left = len(matrix) - matrix.shape[1]
    spread = float(fitted.model.uns["prior_disp_var"])
    low, high = 1e-2, 1e5
    known = high
    if special.polygamma(1, high) < spread:
        known = float(optimize.brentq(lambda half: float(special.polygamma(1, half)) - spread, low, high))
    dispersion, mean = fitted.model.var["dispersions"], fitted.model.var["_normed_means"]
    part = (dispersion * mean / (1 + dispersion * mean)).clip(lower=1e-3)
    found: pd.Series = (left + 2 * known) / part**2
    return found


def _prior_scale(estimate: Floats, error: Floats) -> float:
    """Return the scale of the prior of fold changes: that of their spread beyond their errors, at most 1 (apeglm's rule)."""
    square, variance = estimate**2, error**2

    def excess(scale: float) -> float:
        weight = 0.5 / (scale + variance) ** 2
        return float((weight * (square - variance)).sum() / weight.sum() - scale)

    low, high = 1e-6, 400.0
    found = low if excess(low) < 0 else float(optimize.brentq(excess, low, high))
    return float(min(np.sqrt(found), 1.0))


def shrunken(estimate: Floats, error: Floats) -> Floats:
    """Return fold changes shrunken by apeglm's prior, a Cauchy distribution around 0, the likelihood taken as normal.

    A twentieth of the time of PyDESeq2's own, which maximises the full likelihood gene by gene; a test compares the two.

    Parameters
    ----------
    estimate, error
        Fold changes and their standard errors, in natural logarithms.
    """
    known = np.isfinite(estimate) & np.isfinite(error) & (error > 0)
    found = np.full(len(estimate), np.nan)
    if known.sum() < 2:
        return found
    own, variance = estimate[known], error[known] ** 2
    scale = _prior_scale(own, error[known])
    # the mode lies between 0 and the estimate; where there are two, the one nearer the estimate, where apeglm starts
    best, value = np.full(len(own), -np.inf), np.abs(own)
    climbing = np.ones(len(own), dtype=bool)
    for part in np.linspace(1, 0, GRID):
        tried = part * np.abs(own)
        posterior = -((np.abs(own) - tried) ** 2) / (2 * variance) - np.log1p((tried / scale) ** 2)
        climbing &= posterior >= best
        value, best = np.where(climbing, tried, value), np.where(climbing, posterior, best)
    found[known] = np.sign(own) * value
    return found


def effect_of(fitted: Fit, column: str, *, left_out: Sequence[str] = (), exact: bool = True) -> pd.DataFrame:
    """Return the effect of one column of the design on each gene.

    Parameters
    ----------
    fitted
        From `fit`.
    column
        A column of the design matrix.
    left_out
        Genes that made the call: they are marked, and ``q_without`` and ``rank_without`` are given without them.
    exact
        Whether fold changes are shrunken by PyDESeq2's own function, which takes longest, or by `shrunken`.

    Returns
    -------
    DataFrame
        gene, base_mean, log2_fold_change, shrunken, se, statistic, p, q, made_call, rank, q_without, rank_without; ordered by p.
    """
    from pydeseq2.default_inference import DefaultInference
    from pydeseq2.ds import DeseqStats

    columns = list(fitted.design.matrix.columns)
    contrast = np.array([float(name == column) for name in columns])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wald = DeseqStats(
            fitted.model,
            contrast=contrast,
            cooks_filter=True,
            independent_filter=False,
            inference=DefaultInference(n_cpus=1),
            quiet=True,
        )
        wald.summary()
        found = wald.results_df.copy()
        if exact:
            wald.lfc_shrink(coeff=column)
            found["shrunken"] = wald.results_df["log2FoldChange"]
        else:
            natural = found[["log2FoldChange", "lfcSE"]].to_numpy(float) * np.log(2)
            found["shrunken"] = shrunken(natural[:, 0], natural[:, 1]) / np.log(2)
    names = {"baseMean": "base_mean", "log2FoldChange": "log2_fold_change", "lfcSE": "se", "stat": "statistic"}
    table: pd.DataFrame = found.rename(columns={**names, "pvalue": "p"}).rename_axis("gene").reset_index()
    freedom = table["gene"].map(degrees_of_freedom(fitted))
    table["p"] = np.where(table["p"].notna(), 2 * stats.t.sf(table["statistic"].abs(), freedom), np.nan)
    table["made_call"] = table["gene"].isin(set(left_out))
    table = table.sort_values(["p", "gene"], kind="stable", na_position="last").reset_index(drop=True)
    table["q"] = benjamini_hochberg(table["p"].to_numpy(float))
    table["rank"] = _ranks(table["p"])
    other = table["p"].where(~table["made_call"])
    table["q_without"] = benjamini_hochberg(other.to_numpy(float))
    table["rank_without"] = _ranks(other)
    kept: list[str] = [
        "gene",
        "base_mean",
        "log2_fold_change",
        "shrunken",
        "se",
        "statistic",
        "p",
        "q",
        "made_call",
        "rank",
    ]
    return table[[*kept, "q_without", "rank_without"]]


def _ranks(p: pd.Series) -> pd.Series:
    """Return 1 for the smallest p and so on; missing for a gene without p."""
    return p.rank(method="first")
