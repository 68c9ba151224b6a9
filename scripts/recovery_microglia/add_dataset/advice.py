"""The report on a drafted entry: what was read, what is unsure, what to do next."""

from pathlib import Path

import pandas as pd

from recovery_microglia.add_dataset.drafts import Entry
from recovery_microglia.add_dataset.writing import sheet_text
from recovery_microglia.core.errors import InputError, shortened
from recovery_microglia.core.places import is_clone, schemas
from recovery_microglia.study.dataset import load_dataset
from recovery_microglia.study.samples import read_samples
from recovery_microglia.timeline.power import plan, words
from recovery_microglia.timeline.settings import TimelineSettings


def mistakes_of(name: str, root: Path) -> list[str]:
    """Return what keeps an entry from being run: what is to be filled in, one line each."""
    try:
        load_dataset(Path("config/datasets") / name if root == Path() else root / "config" / "datasets" / name,
                     schemas(), root=root)  # fmt: skip
    except InputError as error:
        return str(error).splitlines()
    return []


def audit_text(entry: Entry, folder: Path) -> str:
    """Return what the design can show, as far as it is known: libraries without a condition take no part."""
    known = [row for row in entry.rows if row["condition"] and row["include"] == "yes"]
    if not known:
        return "What the design can show cannot be said before the column condition is filled in.\n"
    part = folder / ".known.part"
    part.write_text(sheet_text(known), encoding="utf-8")
    try:
        libraries = read_samples(part, schemas() / "samples.yaml")
    except InputError as error:
        return f"What the design can show cannot be said yet:\n  {str(error).replace(str(part), 'samples.tsv')}\n"
    finally:
        part.unlink()
    frame = pd.DataFrame([vars(library) for library in libraries]).astype({"day": "float64"})
    found, days = plan(frame, TimelineSettings())
    left = sum(row["include"] == "yes" for row in entry.rows) - len(known)
    head = "What this design can show" + (
        f", without the {left} libraries whose condition is not known" if left else ""
    )
    return words(head, found, days, TimelineSettings())


def told_text(entry: Entry, folder: Path, root: Path) -> str:
    """Return the report: what was read, what is unsure, what the design can show, and what to do next."""
    taken = [row for row in entry.rows if row["include"] == "yes"]
    n = len(entry.rows)
    lines = [
        f"{folder.relative_to(root)}: {n} librar{'y' if n == 1 else 'ies'}, {len(entry.rows) - len(taken)} left out.",
        "",
    ]
    for column in ("day", "condition", "sex", "chemistry", "subject", "file"):
        values = [row[column] for row in taken]
        known = sorted({value for value in values if value}, key=lambda v: (float(v) if column == "day" else 0, v))
        shown = f": {', '.join(known[:8])}{' …' if len(known) > 8 else ''}" if column not in ("file", "subject") else ""
        lines.append(f"  {column:10} known of {sum(map(bool, values))} of {len(taken)}{shown}")
    lines += [f"  read       {file}: {said}" for file, said in list(entry.read.items())[:12]]
    lines += [f"  {entry.passed_over}"] if entry.passed_over else []
    lines += [f"  left out   {row['library']}: {row['reason']}" for row in entry.rows if row["include"] == "no"][:12]
    lines += [
        "",
        "To check:",
        *(f"  - {sentence}" for sentence in entry.to_check),
        "",
        audit_text(entry, folder).rstrip(),
    ]
    wrong = mistakes_of(entry.name, root)
    lines += ["", "What to do next:"]
    if wrong:
        lines += [f"  1. Fill in what is empty in {folder.relative_to(root)}/; the run refuses to start until then:"]
        lines += [f"     {line.replace(f'{root}/', '')}" for line in shortened(wrong, 12)]
    else:
        lines += [
            f"  1. Read {folder.relative_to(root)}/samples.tsv beside the paper, correct it, and delete what you checked from to_check."
        ]
    run = f".venv/bin/snakemake --cores 8 --config 'datasets=[{entry.name}]'"
    design = f"{run.replace('8', '1', 1)} -- design"
    if not is_clone():
        run, design = (f"recovery-microglia {what} {entry.name}" for what in ("run", "design"))
    lines += [f"  2. See what the design can show:  {design}", f"  3. Run it:                        {run}"]
    return "\n".join([*lines, ""])
