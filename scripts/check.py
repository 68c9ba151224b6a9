"""Run every check of the code: style, types, workflow. What `make check` and the pre-commit hook call."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
SNAKEFILES = ["Snakefile", "workflow"]
ENV = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
CHECKS: dict[str, list[str | Path]] = {
    "style": [BIN / "ruff", "check", "."],
    "format": [BIN / "ruff", "format", "--check", "."],
    "workflow format": [BIN / "snakefmt", "--check", *SNAKEFILES],
    "types": [BIN / "mypy"],
    "rooms": [BIN / "lint-imports", "--no-logo"],
    "words": [sys.executable, ROOT / "scripts" / "check_words.py"],
    "workflow lint": [BIN / "snakemake", "--lint", "--quiet"],
}


def main() -> int:
    """Run all checks, print what failed, return the number of failures."""
    failed = 0
    for name, command in CHECKS.items():
        done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, env=ENV)
        print(f"{'ok' if done.returncode == 0 else 'FAILED':7}{name}", flush=True)
        if done.returncode != 0:
            failed += 1
            print(done.stdout + done.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
