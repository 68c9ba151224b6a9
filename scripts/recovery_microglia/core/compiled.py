"""Loops that numba compiles, and what they are handed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import numba
from numba.core import sigutils
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher


class _Cache(FunctionCache):  # type: ignore[misc]  # numba's inside has no types
    """numba's cache of one function. A file of it that is damaged, or that another process wrote over, counts as none."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what was compiled for these types of arguments; None where there is nothing to be used."""
        try:
            found = super().load_overload(sig, target_context)
            if found is None or found.signature.args == tuple(sigutils.normalize_signature(sig)[0]):
                return found
        except Exception:  # whatever half a file (a power cut, a full disk) makes of unpickling
            found = None
        with suppress(OSError):
            self.flush()
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled, if the disk takes it."""
        with suppress(OSError):
            super().save_overload(sig, data)


def _keep(function: Any) -> None:
    """Have what numba compiles of a function kept for the next process, wherever a cache can be written.

    numba looks beside the source, then in the user's cache folder (or ``NUMBA_CACHE_DIR``), and raises where all are
    read-only: then every process compiles anew, which costs seconds and no result.
    """
    with suppress(RuntimeError):
        function._cache = _Cache(function.py_func)


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Return the function compiled at its first call; kept for the next process."""
    made = numba.njit(nogil=True)(function)
    _keep(made)
    return cast(F, made)


@contextmanager
def kept_compilations() -> Iterator[None]:
    """Have modules that are imported inside keep what numba compiles of them, though they do not ask for that themselves.

    umap and pynndescent compile a hundred functions in each process that imports them, which takes longer than a picture.
    """
    njit, enable = numba.njit, Dispatcher.enable_caching
    numba.njit = lambda *args, **options: njit(*args, **{"cache": True, **options})
    Dispatcher.enable_caching = _keep
    try:
        yield
    finally:
        numba.njit, Dispatcher.enable_caching = njit, enable
