"""Pack what a bug report needs, without the data: logs, configuration, sheets, versions, into one file.

.venv/bin/python scripts/collect.py [DATASET …]
"""

import sys


def main() -> int:
    """Run the command line."""
    from recovery_microglia.command import main

    return main(["collect", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
