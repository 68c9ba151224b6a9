"""Snakemake's events turned into the project's progress: a bar in a terminal, lines in a file.

The class is a logger plugin by Snakemake's interface for them. Snakemake looks for plugins among the installed packages before
it reads a Snakefile, so that one that lives in the project cannot be named by ``--logger``; the Snakefile adds it by `follow`.
"""

import logging
from logging.handlers import QueueHandler
from typing import IO

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import OutputSettingsLoggerInterface
from tqdm import tqdm

from recovery_microglia.jobs.progress import Progress

OURS = (LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED, LogEvent.PROGRESS)
"""Events that Snakemake reports in its own words ('Finished jobid: 9', '12 of 35 steps done') and that are reported here instead."""
IDLE = "Select jobs to execute..."
"""A line that Snakemake writes before every job, and which has no event."""


class ProgressLog(LogHandlerBase):
    """Says of every finished job what it was and how far the run is.

    Parameters
    ----------
    settings
        Snakemake's settings of its output.
    progress
        What counts; it has been told the plan.
    logger
        Where the lines go: to whatever else listens to it, Snakemake's own log among them.
    mark
        What marks a line that ``--quiet progress`` hides.
    terminal
        A terminal that gets a bar at its foot instead of lines; None where there is none.
    """

    writes_to_stream = False  # Snakemake's own handler stays, for errors and what jobs begin
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __init__(
        self,
        settings: OutputSettingsLoggerInterface,
        progress: Progress,
        logger: logging.Logger,
        mark: object,
        terminal: IO[str] | None = None,
    ) -> None:
        logging.Handler.__init__(self)  # the interface of Snakemake 9.10 does not
        super().__init__(settings, None)
        self._progress, self._logger, self._mark = progress, logger, mark
        self._bar: tqdm[None] | None = None
        if terminal is not None:
            form = "{percentage:3.0f}% |{bar:20}| {desc}"
            self._bar = tqdm(
                total=progress.planned, file=terminal, bar_format=form, leave=False, dynamic_ncols=True, delay=1e-9
            )

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of an event; say what it changes."""
        facts = vars(record)
        match facts.get("event"):
            case LogEvent.JOB_INFO:
                self._progress.begin(facts["jobid"], str(facts["rule_name"]), facts.get("wildcards") or {})
            case LogEvent.JOB_FINISHED:
                if line := self._progress.end(facts["job_id"]):
                    self._say(line)
        if self._bar is not None:
            self._bar.refresh()

    def _say(self, line: str) -> None:
        last = self._progress.done == self._progress.planned
        if self._bar is not None:
            self._bar.n = self._progress.done
            self._bar.set_description_str(line)
            if last:
                self.close()
        self._logger.info(line, extra={"quietness": self._mark, "in_bar": self._bar is not None})

    def for_terminals(self, record: logging.LogRecord) -> bool:
        """Filter of what writes into the terminal: as `for_files`, and what the bar shows needs no line."""
        if not for_files(record) or getattr(record, "in_bar", False):
            return False
        if self._bar is not None:
            self._bar.clear()
        return True

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        super().close()


def for_files(record: logging.LogRecord) -> bool:
    """Filter of Snakemake's own handlers: drop what is reported here in the project's words."""
    return getattr(record, "event", None) not in OURS and record.getMessage() != IDLE


def follow(
    logger: logging.Logger, settings: OutputSettingsLoggerInterface, progress: Progress, mark: object, *, silent: bool
) -> ProgressLog:
    """Have the progress of a run said in the place of Snakemake's count; when its logs are open and the plan is made.

    ``mark`` is as in `ProgressLog`; ``silent``: whether lines with this mark are hidden, so that no bar is drawn either.
    """
    writers = [handler for handler in logger.handlers if isinstance(handler, logging.StreamHandler)]
    screens = [one for one in writers if not isinstance(one, logging.FileHandler) and one.stream.isatty()]
    queues = [] if writers else [one for one in logger.handlers if isinstance(one, QueueHandler)]
    said = ProgressLog(settings, progress, logger, mark, screens[0].stream if screens and not silent else None)
    for one in writers:
        one.addFilter(said.for_terminals if one in screens else for_files)
    for queue in (
        queues
    ):  # Snakemake 9.10 hands everything on by one; later ones by it to plugins only, which count for themselves
        queue.addFilter(for_files)
    logger.addHandler(said)
    return said
