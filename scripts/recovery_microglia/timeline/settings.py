"""Settings of the timeline (``timeline`` in config.yaml)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TimelineSettings:
    """How days are compared (``timeline`` in config.yaml).

    Attributes
    ----------
    alpha
        A day is above control if its q (false-discovery rate over the days) is below.
    power
        Power for which the smallest detectable fraction is given.
    n_draws
        Studies drawn under the null for each test; permutations are exact up to this number of splits.
    n_bootstrap
        Draws for the interval of the half-rise day.
    """

    alpha: float = 0.05
    power: float = 0.8
    n_draws: int = 4000
    n_bootstrap: int = 1000
