"""Activities of factors, pathways and cytokines, estimated from how their targets differ: two methods side by side."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from recovery_microglia.core.arrays import Floats
from recovery_microglia.core.statistics import benjamini_hochberg
from recovery_microglia.drivers.networks import Network

LEAST_TARGETS = 5
LEAST_ANIMALS = 3
METHODS = ("ulm", "mlm")
"""decoupler's univariate linear model (each source by itself) and multivariate one (all sources of a resource together)."""
ALPHA = 0.05
ACTIVITY_COLUMNS = (
    *("contrast", "resource", "kind", "source", "targets", "ulm", "ulm_q", "mlm", "mlm_q", "agree", "ulm_without"),
    *("n_animals", "animals_same", "animals_mean", "animals_p", "animals_q"),
)


def _run(method: str, values: pd.DataFrame, net: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores and p-values of one method (rows × sources); empty where a model cannot be fitted."""
    import decoupler as dc

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            scores, p = getattr(dc.mt, method)(data=values, net=net, tmin=LEAST_TARGETS, verbose=False)
        except (
            AssertionError,
            np.linalg.LinAlgError,
        ):  # more sources than targets, or two sources with the same targets
            return pd.DataFrame(index=values.index), pd.DataFrame(index=values.index)
    return scores, p


def _usable(values: pd.DataFrame, network: Network) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the values and the part of a network that concern the same genes.

    A signature states a weight for each gene that was measured for it; genes outside the table were not measured and take no
    part. In other networks a gene that is no target has the weight 0.
    """
    net = network.net[network.net["target"].isin(values.columns)]
    if network.resource.format == "signatures":
        values = values.loc[:, values.columns.isin(set(network.net["target"]))]
    often = net["source"].value_counts()
    return values, net[net["source"].isin(often.index[often >= LEAST_TARGETS])]


def activities(
    name: str,
    statistic: pd.Series,
    networks: Sequence[Network],
    *,
    made_call: Sequence[str] = (),
    animals: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the activity of every source in one contrast (rows of driver_activities.tsv).

    Parameters
    ----------
    name
        The contrast.
    statistic
        Gene to its statistic in the contrast.
    networks
        Those that are there.
    made_call
        Genes that made the call; ``ulm_without`` leaves them out.
    animals
        log2 ratios of each animal (animals × genes): activities are estimated in each of them too, and tested over animals.
    """
    row = statistic.dropna().to_frame().T.set_axis([name], axis=0).astype(float)
    parts = [_of_network(name, row, network, made_call, animals) for network in networks if len(network.net)]
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=list(ACTIVITY_COLUMNS))
    return pd.concat(parts, ignore_index=True)


def _of_network(
    name: str, row: pd.DataFrame, network: Network, made_call: Sequence[str], animals: pd.DataFrame | None
) -> pd.DataFrame:
    values, net = _usable(row, network)
    if net.empty:
        return pd.DataFrame()
    table = pd.DataFrame({"targets": net["source"].value_counts()}).rename_axis("source").sort_index()
    for method in METHODS:
        scores, p = _run(method, values, net)
        table[method] = scores.iloc[0].reindex(table.index) if scores.shape[1] else np.nan
        found = p.iloc[0].reindex(table.index) if p.shape[1] else pd.Series(np.nan, index=table.index)
        table[f"{method}_q"] = benjamini_hochberg(np.asarray(found, dtype=np.float64))
    both = (table["ulm_q"] < ALPHA) & (table["mlm_q"] < ALPHA)
    table["agree"] = both & (np.sign(table["ulm"]) == np.sign(table["mlm"]))
    rest = values.loc[:, ~values.columns.isin(set(made_call))]
    left, fewer = _usable(rest, network)
    without, _ = _run("ulm", left, fewer) if len(fewer) else (pd.DataFrame(index=rest.index), None)
    table["ulm_without"] = without.iloc[0].reindex(table.index) if without.shape[1] else np.nan
    table = table.join(_over_animals(network, animals, table["ulm"]))
    table = table[table["ulm"].notna()].reset_index()
    order = table["ulm"].abs().sort_values(ascending=False, kind="stable").index
    facts = {"contrast": name, "resource": network.resource.name, "kind": network.resource.kind}
    return table.loc[order].assign(**facts)[list(ACTIVITY_COLUMNS)]


def _over_animals(network: Network, animals: pd.DataFrame | None, activity: pd.Series) -> pd.DataFrame:
    """Return each source's activity over animals: how many have the sign of the whole, mean, and a t-test of 0."""
    n = 0 if animals is None else len(animals)
    columns = {"n_animals": n, "animals_same": 0, "animals_mean": np.nan, "animals_p": np.nan, "animals_q": np.nan}
    table = pd.DataFrame(columns, index=activity.index)
    if animals is None or n == 0:
        return table
    values, net = _usable(animals.astype(float), network)
    scores, _ = _run("ulm", values, net)
    own = scores.reindex(columns=activity.index).to_numpy(float)
    table["animals_same"] = (own * activity.to_numpy(float) > 0).sum(axis=0)  # no activity has no sign
    table["animals_mean"] = own.mean(axis=0)
    if n >= LEAST_ANIMALS:
        p = _t_test(own)
        table["animals_p"], table["animals_q"] = p, benjamini_hochberg(p)
    return table


def _t_test(values: Floats) -> Floats:
    """Return the p of a t-test of 0 for each column."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = stats.ttest_1samp(values, 0.0, axis=0).pvalue
    return np.asarray(found, dtype=np.float64)
