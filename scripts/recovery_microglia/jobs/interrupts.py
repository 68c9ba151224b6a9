"""Ctrl-C in plain words, wherever it strikes: Snakemake catches it only while jobs run."""

import sys
from types import TracebackType


def plain_interrupts() -> None:
    """Leave no traceback of a Ctrl-C, also where it comes while the interpreter closes; all else is reported as ever."""

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            print("Cancelled on request.", file=sys.stderr)
        else:
            sys.__excepthook__(kind, error, trace)

    def ignored(found: "sys.UnraisableHookArgs", /) -> None:
        if not issubclass(found.exc_type, KeyboardInterrupt):
            sys.__unraisablehook__(found)

    sys.excepthook, sys.unraisablehook = uncaught, ignored
