"""The samples of a folder, each with one matrix that can be read: descriptions from which rows are drafted."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from filecmp import cmp
from pathlib import Path
from typing import Any

from recovery_microglia.add_dataset.matrices import (
    READ_AT_MOST,
    FoundMatrix,
    Reading,
    file_of_sample,
    find_libraries,
    glance,
    same_cells,
    try_reading,
)
from recovery_microglia.add_dataset.pools import Pool, pool_of
from recovery_microglia.add_dataset.sample_metadata import SampleDescription
from recovery_microglia.add_dataset.trees import passed_over_words
from recovery_microglia.deposit.archives import is_archive, member_names


@dataclass
class FoundSamples:
    """What a folder holds.

    Attributes
    ----------
    told
        One description a library.
    read
        File to what was recognised in it.
    to_check
        What is unsure about the files.
    passed_over
        One sentence on the matrices that were not taken; empty if all were.
    more
        Keys of dataset.yaml that the files ask for: split, download, accession.
    """

    told: list[SampleDescription] = field(default_factory=list)
    read: dict[str, str] = field(default_factory=dict)
    to_check: list[str] = field(default_factory=list)
    passed_over: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def samples_of(root: Path) -> FoundSamples:
    """Return the samples of a folder; of what cannot be read, or holds the cells of another, with why it is left out.

    Raises
    ------
    InputError
        There is no such folder, or no count matrix in it.
    """
    libraries = find_libraries(root)
    found = FoundSamples()
    if deposit := _deposit(root, libraries.samples):
        return deposit
    smallest = min(own[0].size for own in libraries.samples)
    everything = sum(own[0].size for own in libraries.samples) <= READ_AT_MOST
    passed, readings, unread = list(libraries.passed_over), dict[str, Reading](), list[str]()
    for own in libraries.samples:
        whole = everything or own[0].size == smallest
        matrix, reading = _first_readable(root, own, try_reading if whole else glance)
        passed += [_passed_words(one, matrix) for one in own if one is not matrix]
        found.to_check += [line for line in [_choice(matrix, own)] if line and line not in found.to_check]
        if reading is None and not matrix.product.part:
            if twin := next((file for file in unread if cmp(root / file, root / matrix.file, shallow=False)), ""):
                reading = Reading(f"it is the same file as {twin}", False)
            else:
                unread.append(matrix.file)
        _describe(root, matrix, reading, readings, len(libraries.samples) == 1, found)
        if reading and reading.readable:
            readings[matrix.file] = reading
            found.read[matrix.file] = reading.said
    found.passed_over = passed_over_words(passed)
    return found


def _first_readable(
    root: Path, own: list[FoundMatrix], look: Callable[[Path], Reading]
) -> tuple[FoundMatrix, Reading | None]:
    """Return the best matrix of a sample that can be read; if none can, the best with why."""
    first: Reading | None = None
    for matrix in own:
        if look is glance and is_archive(matrix.file):
            return matrix, None  # it would have to be unpacked
        reading = look(root / matrix.file)
        if reading.readable:
            return matrix, reading
        first = first or reading
    assert first is not None
    return own[0], first


def _passed_words(one: FoundMatrix, taken: FoundMatrix) -> str:
    what = one.product.what
    return f"{what} matrix" if what and what != taken.product.what else "the same matrix in another form"


def _choice(taken: FoundMatrix, own: list[FoundMatrix]) -> str:
    """Return what is to be checked about a choice between the matrices of a sample; empty if it was plain."""
    others = {one.product.what for one in own if one is not taken}
    if "GeneFull, which counts introns too" in others:
        return (
            "STARsolo's Gene was taken, not GeneFull, which counts introns too: take GeneFull for nuclei (column file)."
        )
    if "another sensitivity" in others:
        return f"Of PIPseeker's sensitivities {Path(taken.file).name} was taken (column file): look at its report which one fits."
    if taken.product.what == "decontaminated":
        return "The counts were decontaminated already (CellBender, SoupX): if you have the counts before, name them in the column file."
    return ""


def _describe(
    root: Path,
    matrix: FoundMatrix,
    reading: Reading | None,
    before: Mapping[str, Reading],
    alone: bool,
    found: FoundSamples,
) -> None:
    """Add the descriptions of a matrix: one, or those of the samples that it holds."""
    title = matrix.title or root.resolve().name
    pool = _pool(root, matrix, reading)
    if pool and alone:
        found.more["split"] = pool.split
        found.told += [
            SampleDescription(f"{matrix.file} {one.key}", one.name, one.told, file=matrix.file, key=one.key)
            for one in pool.samples
        ]
        found.to_check.append(
            f"{matrix.file} holds {len(pool.samples)} samples, distinguished by {pool.source}: check split, and the column key."
        )
        if "pattern" in pool.split:
            found.to_check.append(
                "Cell Ranger aggr thins deeper libraries unless it was run with --normalize=none; the matrix of each sample is better."
            )
        return
    why = _why_left_out(matrix, reading, pool, before)
    found.told.append(SampleDescription(matrix.file, title, file=matrix.file, left_out=why))
    if why:
        found.to_check.append(f"{matrix.file} is left out: {why}.")
    elif alone:
        found.to_check.append(
            f"One matrix was found ({matrix.file}); if it holds several libraries, give each a row and say under split how to tell them apart."
        )


def _pool(root: Path, matrix: FoundMatrix, reading: Reading | None) -> Pool | None:
    if reading is None or reading.cells is None:
        return None
    return pool_of(root, matrix.file, list(reading.cells.index), reading.obs)


def _why_left_out(
    matrix: FoundMatrix, reading: Reading | None, pool: Pool | None, before: Mapping[str, Reading]
) -> str:
    """Return why a matrix is no library of the draft; empty if it is one."""
    if matrix.product.part:
        return "it holds a part of each cell's molecules (spliced, unspliced, ambiguous); add the parts up (kb count --sum=total)"
    if reading is None:
        return ""
    if not reading.readable:
        plain = reading.said.startswith(("the genes are", "it is the same file as"))
        return reading.said if plain else f"it cannot be read: {reading.said}"
    if pool:
        names = ", ".join(one.name for one in pool.samples[:4])
        return f"it holds {len(pool.samples)} samples ({names} …, by {pool.source}); give it an entry of its own, with split"
    twin = next((file for file, other in before.items() if same_cells(reading, other)), "")
    return f"it holds the same cells as {twin}" if twin else ""


def _deposit(root: Path, samples: list[list[FoundMatrix]]) -> FoundSamples | None:
    """Return the samples of a series' archive (``GSE…_RAW.tar``) that lies alone in a folder: the run unpacks it."""
    archives = [own[0].file for own in samples if re.fullmatch(r"GSE\d+_RAW\.tar", own[0].file)]
    if len(archives) != 1 or len(samples) > 1:
        return None
    own: dict[str, list[str]] = {}
    for name in member_names(root / archives[0]):
        if match := re.match(r"GSM\d+", name):
            own.setdefault(match[0], []).append(name)
    if not own:
        return None
    found = FoundSamples()
    for gsm, names in own.items():
        file = file_of_sample(names)
        title = re.sub(r"^GSM\d+_", "", file or names[0]).strip("._-") or gsm
        found.told.append(
            SampleDescription(
                gsm, title, file=file, left_out="" if file else "no count matrix is known among its files"
            )
        )
    accession = archives[0].partition("_")[0]
    found.more = {"accession": accession, "download": {"files": [{"name": archives[0]}]}}
    found.to_check.append(
        f"The libraries are those of {archives[0]}; scripts/add_dataset.py {accession} reads what the depositors say of them."
    )
    return found
