"""What others would do with the same cells: four analysts, two experts, and a reference that was trained on the truth.

All get the cells that passed the pipeline's quality control, of every lineage, and return one bool a cell.
"""

import warnings
from collections.abc import Iterator, Mapping

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from recovery_microglia.core.anndata_access import counts_of, gene_counts, obs_of
from recovery_microglia.core.genes import Signatures, present

Calls = NDArray[np.bool_]


def prepared(counts: ad.AnnData, signatures: Signatures) -> ad.AnnData:
    """Return the usual scanpy preparation: log-normalised, clustered at resolution 1, scored."""
    import scanpy as sc

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adata = counts.copy()
        adata.X = counts_of(adata).astype(np.float32)
        sc.pp.normalize_total(adata, target_sum=1e4)
        sc.pp.log1p(adata)
        sc.pp.highly_variable_genes(adata, n_top_genes=1500)
        sc.pp.pca(adata, n_comps=30, mask_var="highly_variable")
        sc.pp.neighbors(adata, n_neighbors=15)
        sc.tl.leiden(adata, resolution=1.0, flavor="igraph", n_iterations=2, directed=False)
        genes = set(adata.var_names)
        sets = {"signature": signatures.recovery.up, "mixed": (*signatures.recovery.up, *signatures.context.up)}
        sets |= {name: s.up for name, s in signatures.lineages.items()}
        for name, members in sets.items():
            here = present(members, genes)
            if len(here) >= 2:
                sc.tl.score_genes(adata, here, score_name=f"s_{name}", ctrl_size=50, n_bins=20)
    return adata


def _z(values: pd.Series) -> pd.Series:
    return (values - values.mean()) / (values.std() + 1e-9)


def marker_gate(adata: ad.AnnData) -> Calls:
    """Return the cells whose microglial marker score is the highest of all lineages and positive."""
    scores = obs_of(adata).filter(regex="^s_(?!signature|mixed)")
    best = scores.idxmax(axis=1)
    return ((best == "s_microglia") & (scores["s_microglia"] > 0)).to_numpy()


def aucell(counts: sp.csr_matrix, members: NDArray[np.int64], *, top: float = 0.2) -> NDArray[np.float64]:
    """Return AUCell's score (Aibar 2017, Nat Methods 14:1083): area under the recovery curve of a gene set.

    Genes of a cell are ranked by their counts (ties in random order), the curve counts how many of the set are among
    the first, and its area over the first ranks is given as a share of the largest possible one. AUCell's default of 5 %
    of the ranks leaves out what a cell shows once; a fifth is about what cells show here.
    """
    rng = np.random.default_rng(1)
    most = max(round(top * counts.shape[1]), 1)
    found = np.zeros(counts.shape[0])
    for start in range(0, counts.shape[0], 1000):
        dense = (
            counts[start : start + 1000].toarray()
            + rng.random((min(1000, counts.shape[0] - start), counts.shape[1])) * 0.5
        )
        order = np.argsort(-dense, axis=1)[:, :most]
        hit = np.isin(order, members)
        largest = np.minimum(np.arange(1, most + 1), len(members)).sum()
        found[start : start + 1000] = hit.cumsum(axis=1).sum(axis=1) / largest
    return found


def two_components(values: NDArray[np.float64]) -> Calls:
    """Return the cells of the upper of two Gaussian components."""
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(2, random_state=1, n_init=3).fit(values[:, None])
    upper = int(np.argmax(model.means_))
    return np.asarray((model.predict(values[:, None]) == upper) & (values > model.means_.min()))


def rivals(adata: ad.AnnData, control: Calls) -> Mapping[str, Calls]:
    """Return each rival's calls; ``adata`` from `prepared`, ``control`` the cells of control animals."""
    found: dict[str, Calls] = {}
    counts, genes = counts_of(adata), adata.var_names
    dense = {g: gene_counts(counts, genes, g) > 0 for g in ("Itgax", "Igf1") if g in genes}
    seen = pd.DataFrame(dense, index=adata.obs_names).astype(float)
    by_cluster = seen.groupby(adata.obs["leiden"].to_numpy()).mean()
    rank = by_cluster.apply(_z).sum(axis=1, skipna=False)
    picked = rank.index[rank >= 2] if (rank >= 2).any() else rank.index[[int(rank.argmax())]]
    found["analyst: cluster"] = adata.obs["leiden"].isin(picked).to_numpy()
    found["analyst: Itgax+ Igf1+"] = seen.all(axis=1).to_numpy() if len(dense) == 2 else np.zeros(adata.n_obs, bool)
    found["analyst: score > 0.3"] = (adata.obs["s_mixed"] > 0.3).to_numpy()
    gate = marker_gate(adata)
    score = adata.obs["s_signature"].to_numpy(float)
    found["analyst: top 10 %"] = gate & (score > np.quantile(score[gate], 0.9))
    found["expert: control cutoff"] = (
        gate & (score > np.quantile(score[gate & control], 0.99)) if (gate & control).any() else gate & False
    )
    upper = np.zeros(adata.n_obs, bool)
    upper[gate] = two_components(score[gate])
    found["expert: mixture"] = upper
    return found


FEWEST_TRUE = 5
"""True cells below which nothing is learnt from them."""


def trained_on_truth(
    counts: sp.csr_matrix, microglia: Calls, truth: Calls, subject: NDArray[np.str_], *, rising_only: bool = False
) -> tuple[NDArray[np.float64], Calls]:
    """Return the log-odds and calls of a classifier that was trained on the truth of the other subjects.

    It takes the cells ``microglia``, learns each gene's level in recovery and in other microglia (negative
    binomial log-likelihood ratio over the genes that differ; over those that rise with ``rising_only``), and takes the cutoff with
    the best F1 in training.
    """
    from scipy.stats import nbinom

    total = np.asarray(counts.sum(axis=1)).ravel()
    score = np.full(len(truth), -np.inf)
    calls = np.zeros(len(truth), bool)
    rows = np.flatnonzero(microglia)
    base = np.asarray(counts[rows].sum(axis=0)).ravel() / total[rows].sum()

    def learnt(train: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        level = [
            (np.asarray(counts[part].sum(axis=0)).ravel() + 4000 * base) / (total[part].sum() + 4000)
            for part in (train[truth[train]], train[~truth[train]])
        ]
        size = total[train[truth[train]]].sum()
        # a gene must differ by more than chance, half again for overdispersion
        z = (level[0] - level[1]) * size / np.sqrt(1.5 * level[1] * size + 1)
        fold = np.log2((level[0] + 1e-7) / (level[1] + 1e-7))
        if not rising_only:
            fold, z = np.abs(fold), np.abs(z)
        genes = np.flatnonzero((fold > 0.4) & (z > 3.5))
        return genes, np.array(level)[:, genes] + 1e-7

    def ratio(cells: NDArray[np.int64], genes: NDArray[np.int64], level: NDArray[np.float64]) -> NDArray[np.float64]:
        x, size = counts[cells][:, genes].toarray(), 1 / 0.3
        high, low = (nbinom.logpmf(x, size, size / (size + np.outer(total[cells], row))) for row in level)
        return np.asarray(high - low).sum(axis=1)

    for fit, held in folds(rows, truth, subject):
        genes, level = learnt(fit)
        score[held] = ratio(held, genes, level)
        calls[held] = score[held] > best_cutoff(ratio(fit, genes, level), truth[fit])
    return score, calls


def best_cutoff(score: NDArray[np.float64], truth: Calls) -> float:
    """Return the score above which calls have the highest F1, cells of that score left out."""
    order = np.argsort(-score)
    f1 = 2 * np.cumsum(truth[order]) / (np.arange(1, len(order) + 1) + truth.sum())
    return float(score[order][int(f1.argmax())])


def folds(
    rows: NDArray[np.int64], truth: Calls, subject: NDArray[np.str_]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return rows to learn from and rows of other subjects, four times; not where too few of the former are true."""
    from sklearn.model_selection import GroupKFold

    subjects = len(np.unique(subject[rows]))
    if subjects < 2:
        return
    for train, test in GroupKFold(min(4, subjects)).split(rows, truth[rows], subject[rows]):
        if truth[rows[train]].sum() >= FEWEST_TRUE:
            yield rows[train], rows[test]


def above_cutoff_of_others(score: NDArray[np.float64], truth: Calls, subject: NDArray[np.str_]) -> Calls:
    """Return calls by a score with the cutoff that has the best F1 in other subjects, whose truth is known; none where the score is NaN."""
    calls = np.zeros(len(truth), bool)
    for fit, held in folds(np.flatnonzero(np.isfinite(score)), truth, subject):
        calls[held] = score[held] > best_cutoff(score[fit], truth[fit])
    return calls
