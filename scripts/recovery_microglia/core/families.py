"""The families that analyses of the sensitivity analysis belong to, by what they vary: one map for tables, sentences and figures."""

from typing import NamedTuple

NO_CUTOFF = "by other genes, depths and denominators"


class Family(NamedTuple):
    """A family of analyses.

    Attributes
    ----------
    key
        The word that ``varied`` of its analyses holds.
    row
        Its name as a row of the figure.
    judged
        What its analyses are in a sentence, 'analyses …'. Families that share it are judged together: they have few analyses each.
    """

    key: str
    row: str
    judged: str


FAMILIES = (
    Family("library left out", "one library left out", "leaving out one library"),
    Family("clusters", "clusters instead of scores", "by clusters"),
    Family("scorer", "ranks instead of likelihoods", "by ranks instead of likelihoods"),
    Family("cutoff", "called cells at a cutoff", "by called cells at a cutoff"),
    Family("genes", "without Itgax and Igf1", NO_CUTOFF),
    Family("depth", "all cells at one depth", NO_CUTOFF),
    Family("denominator", "share of other cells", NO_CUTOFF),
)
"""In the order in which an analysis that varies several choices is assigned."""
OTHERS = Family("", "other choices", NO_CUTOFF)


def family_of(varied: str) -> Family:
    """Return the family of an analysis that varies these choices: the first whose key the words hold."""
    return next((family for family in FAMILIES if family.key in varied), OTHERS)
