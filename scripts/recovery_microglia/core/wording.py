"""Numbers in words."""

import numpy as np


def percent(value: float) -> str:
    """Return a share in percent with as many digits as it carries."""
    return f"{100 * value:.1f} %" if value < 0.1 else f"{100 * value:.0f} %"


def interval(low: float, high: float) -> str:
    """Return an onset in words: between day 3 and day 7, by day 7, or no onset shown."""
    if np.isnan(high):
        return "no onset shown"
    return f"by day {high:g}" if np.isnan(low) else f"between day {low:g} and day {high:g}"
