"""The disk, the memory and files that change while a run goes on."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import scipy.sparse as sp

from bad_input.lab import DENSE, Case, Lab, Make, Section
from recovery_microglia.core.errors import InputError


def unusable() -> None:
    """What a run looks at first."""
    from recovery_microglia.jobs import disk

    raise InputError(disk.unusable(Path("results")))


def results_is_a_file(lab: Lab) -> None:
    lab.file("results", "")
    unusable()


def read_only(lab: Lab) -> None:
    with mock.patch.object(os, "access", return_value=False):  # root may write anywhere but on a disk that is read-only
        (lab.root / "results").mkdir()
        unusable()


def full(lab: Lab) -> None:
    (lab.root / "results").mkdir()
    usage = shutil.disk_usage(lab.root)._replace(free=3_000_000)
    with mock.patch.object(shutil, "disk_usage", return_value=usage):
        unusable()


def step(work: Callable[[Lab], object]) -> Make:
    """A step of the pipeline that does this, and what its log says at the end of the run."""

    def make(lab: Lab) -> None:
        from recovery_microglia.jobs.log import reporting
        from recovery_microglia.jobs.messages import what_went_wrong

        log = Path("results/study/logs/library.I1.log")
        try:
            with reporting(log):
                work(lab)
        except SystemExit:
            raise InputError("\n".join(what_went_wrong([log], 0))) from None

    return make


def fills_up(_: Lab) -> None:
    Path("/dev/full").write_text("x")


def fills_up_under_hdf5(_: Lab) -> None:
    # what h5py says: the number stands in the words only
    raise OSError(
        "Can't synchronously write data (file write failed: errno = 28, error message = 'No space left on device')"
    )


def loses_a_result(_: Lab) -> None:
    Path("results/study/libraries/I1/cells.parquet").read_bytes()


def out_of_memory(_: Lab) -> None:
    raise MemoryError


def copied(_: Lab, *, again: bool = False) -> None:
    import anndata as ad
    import numpy as np
    import pandas as pd

    from recovery_microglia.myeloid.repeats import repeats

    rng = np.random.default_rng(1)
    counts = rng.poisson(1.0, (120, 300)).astype(np.int32)
    other = rng.binomial(counts, 0.9).astype(np.int32) if again else counts
    names = [f"{library}:{i}" for library in ("I1", "I2") for i in range(120)]
    obs = pd.DataFrame({"library": [name.split(":")[0] for name in names]}, index=names)
    repeats(ad.AnnData(sp.csr_matrix(np.vstack([counts, other])), obs=obs))


def counted_again(lab: Lab) -> None:
    copied(lab, again=True)


def vanished(lab: Lab) -> None:
    lab.check()
    (lab.root / "data/I1.csv").unlink()
    step(lambda lab: lab.read("I1.csv"))(lab)


def still_copied(lab: Lab) -> None:
    from recovery_microglia.readers import any_layout
    from recovery_microglia.readers.layouts import read_with

    def slowly(path: Path, *arguments: Any) -> object:
        lab.file("data/I1.csv", DENSE + "Cx3cr1\t1\t1\t1\n")
        return read_with(path, *arguments)

    with mock.patch.object(any_layout, "read_with", slowly):
        step(lambda lab: lab.read("I1.csv"))(lab)


def after_reading(change: Callable[[Path], object]) -> Make:
    """A file that is no longer what was read when the run closes."""

    def make(lab: Lab) -> None:
        from recovery_microglia.summary.provenance import check_unchanged

        product = lab.file("results/study/libraries/I1/library.json", "{}")
        source = Path("data/I1.csv")
        os.utime(source, (1e9, 1e9))
        os.utime(product, (1e9 + 60, 1e9 + 60))
        check_unchanged([(source, product)])
        change(source)
        step(lambda _: check_unchanged([(source, product)]))(lab)

    return make


def configuration(text: str | None) -> Make:
    """The file config/config.yaml, as it stands on the disk."""

    def make(lab: Lab) -> None:
        from recovery_microglia.core.schemas import read_yaml

        if text is not None:
            lab.file("config/config.yaml", text)
        read_yaml(Path("config/config.yaml"))

    return make


def elsewhere(lab: Lab) -> None:
    from recovery_microglia.study.run import check_config

    try:
        check_config(Path("/opt/recovery-microglia"))
    except InputError as error:
        raise InputError(str(error).replace(str(lab.root), "WHERE")) from None


START = [
    Case("config.yaml is not there", configuration(None), "config/config.yaml: no such file"),
    Case(
        "config.yaml is no YAML",
        configuration("datasets: [study\nseed: 1\n"),
        "config/config.yaml: line 2, column 5: not valid YAML (expected ',' or ']', but got ':')",
    ),
    Case(
        "a run that is started in a folder of its own, without a configuration",
        elsewhere,
        "config/config.yaml: no such file in WHERE; a run has its configuration where it is started: cp -r '/opt/recovery-microglia/config' . "
        "(or start it in the project's folder)",
    ),
    Case(
        "a key twice in config.yaml",
        configuration("datasets: [study]\nseed: 1\nseed: 2\n"),
        "config/config.yaml: line 3: 'seed' is given twice",
    ),
    Case(
        "a file stands where results/ should be",
        results_is_a_file,
        "results: a file stands where the folder results should be; move it away",
    ),
    Case(
        "results/ cannot be written to",
        read_only,
        "results: cannot be written to; run elsewhere (snakemake --directory), remount it, or ask for the rights",
    ),
    Case("the disk is full", full, "results: the disk is full (3 MB free); make room"),
]
MEANWHILE = [
    Case(
        "a file that was there when the run began is gone when it is read",
        vanished,
        "data/I1.csv: no such file, folder or file prefix",
    ),
    Case(
        "a file that is still being copied",
        still_copied,
        "data/I1.csv: changed while it was being read; is it still being copied?",
    ),
    Case(
        "a file that is changed after it was read",
        after_reading(lambda source: os.utime(source, (1.1e9, 1.1e9))),
        "data/I1.csv: was changed after it was read; run the same command again",
    ),
    Case(
        "a file that is deleted after it was read",
        after_reading(Path.unlink),
        "data/I1.csv: was moved or deleted after it was read",
    ),
    Case("the disk fills up", step(fills_up), "results/study/logs: the disk is full; make room"),
    Case(
        "the disk fills up while HDF5 is written",
        step(fills_up_under_hdf5),
        "results/study/logs: the disk is full; make room",
    ),
    Case(
        "a result is deleted while the run goes on",
        step(loses_a_result),
        "results/study/libraries/I1/cells.parquet: no such file: was it moved or deleted while the run went on?",
    ),
    Case(
        "one library under two names",
        step(copied),
        "libraries 'I1' and 'I2': 120 of 120 and 120 myeloid cells are the same cells; one library under two names would count as "
        "two. Correct the sheet, or leave one out (include = no)",
    ),
    Case(
        "one library that was counted twice, with introns or decontaminated, under two names",
        step(counted_again),
        "libraries 'I1' and 'I2': 120 of 120 and 120 myeloid cells are the same cells, by their barcodes and nearly the same counts "
        "(counted twice, or decontaminated?); one library under two names would count as two. Correct the sheet, or leave one out "
        "(include = no)",
    ),
    Case(
        "the memory is used up",
        step(out_of_memory),
        "the memory is used up; run fewer jobs at once (snakemake --cores 1) or on a larger machine",
    ),
]
SECTIONS = [
    Section("Where a run starts", "before any job starts", START),
    Section("While a run goes on", "at the end of the run and in the step's log; what was computed is kept", MEANWHILE),
]
