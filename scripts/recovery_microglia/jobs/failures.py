"""What a user is told when jobs failed, from their logs and Snakemake's own."""

import re
from collections.abc import Iterable
from pathlib import Path

from recovery_microglia.jobs.log import MISTAKE


def what_went_wrong(logs: Iterable[Path], since: float) -> list[str]:
    """Return the plain lines of bad input, and the logs of other failures, from logs written after ``since``."""
    lines = []
    for path in logs:
        if path.stat().st_mtime < since:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if MISTAKE in text:
            lines += text.split(MISTAKE, 1)[1].strip().splitlines()
        elif "Traceback (most recent call last)" in text:
            lines.append(f"a step failed that should not have; its log says where: {path}")
    return lines


def what_was_killed(log: str) -> list[str]:
    """Return what is told of jobs that a signal ended, from Snakemake's own log: they could leave no words."""
    signals = dict.fromkeys(re.findall(r"died with <Signals\.(SIG\w+)", log))
    told = {
        "SIGKILL": "often because the memory was used up; run fewer at once (--cores 1, or --resources mem_mb=8000)"
    }
    return [f"a job was ended from outside ({name}){f', {told[name]}' if name in told else ''}" for name in signals]
