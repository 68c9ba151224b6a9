"""Settings of the timeline (``timeline`` in config.yaml)."""

from dataclasses import dataclass, field

from recovery_microglia.core.settings import setting


@dataclass(frozen=True)
class TimelineSettings:
    """How days are compared."""

    alpha: float = field(
        default=0.05,
        metadata=setting("False-discovery rate below which a day is above control.", minimum=0.0001, maximum=0.5),
    )
    power: float = field(
        default=0.8, metadata=setting("Power of the smallest detectable fraction.", minimum=0.5, maximum=0.99)
    )
    n_draws: int = field(
        default=4000,
        metadata=setting(
            "Permutations drawn where there are more splits than this; up to it they are exact.",
            minimum=500,
            maximum=1_000_000,
        ),
    )
    n_bootstrap: int = field(
        default=4000,
        metadata=setting(
            "Draws for the intervals of the onset and of the half-rise day.", minimum=100, maximum=100_000
        ),
    )
