"""What the command understands, and what it says."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from recovery_microglia import __version__

ABOUT = """\
Find the CD11c+ recovery microglia in spinal-cord single-cell RNA-seq, and say on which day after injury they emerge.

Everything happens in the folder in which you are: config/ says what is analysed, results/ gets the answers.
"""
EXAMPLES = """\
The demo, in an empty folder:
  recovery-microglia run demo

Your own data:
  recovery-microglia add /data/our_sni     describes the data set in config/datasets/our_sni; look at what it wrote
  recovery-microglia design our_sni        says in seconds what such a design can show
  recovery-microglia run our_sni           computes, and says which page to open
"""
FURTHER = "Options after -- go to Snakemake as they are: recovery-microglia run demo -- --dry-run"


def _parsers() -> tuple[argparse.ArgumentParser, list[argparse.ArgumentParser]]:
    """Return the parser of the whole, and those of the commands."""
    parser = argparse.ArgumentParser(
        prog="recovery-microglia",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"recovery-microglia {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, help: str, description: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help, description=description, epilog=FURTHER)

    names = "data sets: folders of config/datasets, or ready-made ones (demo, GSE162807, …); by default those that config/config.yaml names"
    for name, help, description in (
        ("run", "compute everything, and say which page to open", "Compute what is not there yet or has changed."),
        (
            "design",
            "say in seconds what a design can show",
            "Say which days can be tested, and the smallest share that would be detected.",
        ),
        (
            "report",
            "write the pages, and say where they are",
            "Write the pages of data sets; what they are made from is computed if it is missing.",
        ),
    ):
        own = command(name, help, description)
        own.add_argument("datasets", nargs="*", metavar="DATASET", help=names)
        own.add_argument("--cores", default="all", metavar="N", help="processors to use (default: all)")
    add = commands.add_parser(
        "add",
        help="describe a new data set",
        description="Read a folder of count matrices, or what the depositors of a series say, and write config/datasets/<name>. "
        "What is unsure stays empty and is listed.",
    )
    add.add_argument("source", help="a folder, the accession of a GEO series (GSE…), or a GSE…_family.soft.gz file")
    add.add_argument("--name", default="", help="name of the entry (default: the accession, or the folder's name)")
    add.add_argument("--force", action="store_true", help="write it anew if there is one of this name")
    collect = commands.add_parser(
        "collect",
        help="pack what a bug report needs, without the data",
        description="Pack logs, configuration, sheets, summaries and versions into one file for a bug report. Counts, cells and genes are "
        "not in it; names of files, animals and libraries are: look at it before you send it.",
    )
    collect.add_argument("datasets", nargs="*", metavar="DATASET", help="data sets (default: all that have results)")
    collect.add_argument(
        "--out", default="recovery-microglia-report.zip", help="the file to write (default: %(default)s)"
    )
    return parser, list(commands.choices.values())


def help_texts() -> dict[str, str]:
    """Return what ``--help`` says, of the whole and of each command; for the documentation.

    Examples
    --------
    >>> list(help_texts())
    ['recovery-microglia', 'run', 'design', 'report', 'add', 'collect']
    """
    parser, commands = _parsers()
    return {one.prog.split()[-1]: one.format_help() for one in (parser, *commands)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    own, further = (given[: given.index("--")], given[given.index("--") + 1 :]) if "--" in given else (given, [])
    asked = _parsers()[0].parse_args(own)
    from recovery_microglia.jobs.start import status_of

    return status_of(lambda: _do(asked, Path(), further))


def _do(asked: argparse.Namespace, here: Path, further: Sequence[str]) -> int:
    # each command imports its own: --help must not wait for numpy
    from recovery_microglia.command.folder import prepare

    if asked.command == "collect":
        from recovery_microglia.command.collect import collect

        print(collect(here, Path(asked.out), asked.datasets))
        return 0
    for line in prepare(here, () if asked.command == "add" else asked.datasets):
        print(line, file=sys.stderr)
    if asked.command == "add":
        from recovery_microglia.add_dataset.entry import add_dataset

        print(add_dataset(asked.source, here, name=asked.name, force=asked.force))
        return 0
    from recovery_microglia.command.workflow import snakemake

    return snakemake(asked.command, asked.datasets, cores=asked.cores, further=further)
