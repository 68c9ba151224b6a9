"""Loops that numba compiles, and what they are handed."""

from collections.abc import Callable
from typing import Any, cast

import numba


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Return the function compiled at its first call; kept for the next process wherever a cache can be written.

    numba looks beside the source, then in the user's cache folder (or ``NUMBA_CACHE_DIR``), and raises where all are
    read-only: then every process compiles anew, which costs seconds and no result.
    """
    try:
        made = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        made = numba.njit(nogil=True)(function)
    return cast(F, made)
