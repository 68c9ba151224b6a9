"""Activities from how targets differ."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from recovery_microglia.drivers.activities import activities
from recovery_microglia.drivers.networks import Network, Resource

GENES = [f"g{k}" for k in range(400)]


def _network(format: str = "net", **sources: list[str]) -> Network:
    resource = Resource("made", "pathway", "made.tsv", "1", "CC0", "", "", format, "mouse", "none")
    rows = [(source, gene, 1.0) for source, genes in sources.items() for gene in genes]
    return Network(resource, pd.DataFrame(rows, columns=["source", "target", "weight"]))


@pytest.fixture(scope="module")
def network() -> Network:
    return _network(up=GENES[:30], other=GENES[20:60], none=GENES[100:140], few=GENES[:4])


@pytest.fixture(scope="module")
def statistic() -> pd.Series:
    values = np.random.default_rng(1).normal(0, 1, len(GENES))
    values[:30] += 2
    return pd.Series(values, index=GENES)


def test_both_methods_are_what_their_models_say(network: Network, statistic: pd.Series) -> None:
    table = activities("state", statistic, [network]).set_index("source")
    weights = pd.DataFrame(
        {s: pd.Index(GENES).isin(GENES[a:b]).astype(float) for s, (a, b) in
         {"up": (0, 30), "other": (20, 60), "none": (100, 140)}.items()}
    )  # fmt: skip
    line = stats.linregress(weights["up"], statistic)
    # the libraries differ in how they round only
    assert table.loc["up", "ulm"] == pytest.approx(line.slope / line.stderr, rel=1e-6)
    model = sm.OLS(statistic.to_numpy(), sm.add_constant(weights.to_numpy())).fit()
    assert table.loc[["up", "other", "none"], "mlm"].to_numpy() == pytest.approx(model.tvalues[1:], rel=1e-6)


def test_a_source_that_shares_targets_is_short_names_by_the_second_method(
    network: Network, statistic: pd.Series
) -> None:
    table = activities("state", statistic, [network]).set_index("source")
    assert table.loc["up", "agree"]
    assert not table.loc["none", "agree"]
    assert table.loc["other", "mlm"] < table.loc["other", "ulm"]
    assert "few" not in table.index, "fewer than five targets"


def test_genes_of_the_call_are_left_out_beside(network: Network, statistic: pd.Series) -> None:
    table = activities("state", statistic, [network], made_call=GENES[:20]).set_index("source")
    assert table.loc["up", "ulm_without"] < table.loc["up", "ulm"]


def test_animals_are_counted_and_tested(network: Network, statistic: pd.Series) -> None:
    rng = np.random.default_rng(2)
    animals = pd.DataFrame(rng.normal(0, 1, (6, len(GENES))), columns=GENES)
    animals.iloc[:, :30] += 1.5
    table = activities("state", statistic, [network], animals=animals).set_index("source")
    assert table.loc["up", "n_animals"] == 6
    assert table.loc["up", "animals_same"] == 6
    assert table.loc["up", "animals_q"] < 0.05
    assert table.loc["none", "animals_q"] > 0.05


def test_more_sources_than_targets_leave_the_second_method_empty(statistic: pd.Series) -> None:
    twins = _network(a=GENES[:10], b=GENES[:10])
    table = activities("state", statistic, [twins])
    assert table["ulm"].notna().all()
    assert table["mlm"].isna().all()
    assert not table["agree"].any()


def test_no_network_gives_an_empty_table(statistic: pd.Series) -> None:
    assert activities("state", statistic, []).empty
