"""Add a data set in minutes: from a GEO accession or a folder of files to an entry under config/datasets/.

Reads what the depositors say of their samples (or what the names of your files say), and writes dataset.yaml and
samples.tsv with the day, condition, sex, age, animal, chemistry and files that could be read. What is unsure stays
empty and is listed under to_check; nothing unsure runs silently. At the end it says what the design can show, and
what to do next.

  .venv/bin/python scripts/add_dataset.py GSE162807
  .venv/bin/python scripts/add_dataset.py /data/our_sni --name our_sni
"""

import argparse
import sys
from pathlib import Path

SET_UP = "in the project's folder say 'make setup' once, then '.venv/bin/python scripts/add_dataset.py …'"


def main() -> int:
    """Run the command line."""
    try:
        from recovery_microglia.add_dataset.entry import add_dataset
        from recovery_microglia.jobs.start import status_of
    except (ImportError, SyntaxError) as error:
        what = f"'{error.name}' is not installed in it" if isinstance(error, ImportError) else "it is older than 3.12"
        print(f"{sys.executable}: not the project's Python ({what}): {SET_UP}", file=sys.stderr)
        return 1

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="GSE accession, a folder with count matrices, or a GSE…_family.soft.gz file")
    parser.add_argument("--name", default="", help="name of the entry (default: the accession, or the folder's name)")
    parser.add_argument("--force", action="store_true", help="write it anew if there is one of this name")
    asked = parser.parse_args()
    root = Path(__file__).resolve().parents[1]
    return status_of(lambda: print(add_dataset(asked.source, root, name=asked.name, force=asked.force)))


if __name__ == "__main__":
    sys.exit(main())
