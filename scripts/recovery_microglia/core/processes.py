"""Work of one job that several processes share."""

import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection

FORKS = sys.platform == "linux"
"""Whether a process can be forked in safety: macOS' own libraries do not bear it."""


def mapped[Item, Result](function: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """Return what a function gives for each item, in order; ``threads`` processes share the items.

    The others are forks of this one, so that function and items need not be sent; what they find is sent back. What one of
    them does not deliver, since it failed or was killed, is computed here, where a mistake is raised as ever.
    """
    threads = min(threads, len(items)) if FORKS else 1
    if threads < 2:
        return [function(item) for item in items]
    context = get_context("fork")

    def send(sender: Connection, first: int) -> None:
        with suppress(Exception, KeyboardInterrupt):
            sender.send([function(item) for item in items[first::threads]])

    others = []
    for first in range(1, threads):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=send, args=(sender, first), daemon=True)
        with warnings.catch_warnings():
            # libraries keep threads at rest (pyarrow, OpenBLAS), which a fork does without
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        sender.close()
        others.append((first, process, receiver))
    found = dict(zip(range(0, len(items), threads), map(function, items[::threads]), strict=True))
    for first, process, receiver in others:
        with suppress(EOFError):
            found |= dict(zip(range(first, len(items), threads), receiver.recv(), strict=True))
        process.join()
    return [found[place] if place in found else function(item) for place, item in enumerate(items)]
