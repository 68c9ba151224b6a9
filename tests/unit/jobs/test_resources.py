"""What a job asks for grows with what it reads and with the attempt."""

from pathlib import Path

import pytest

from recovery_microglia.core.files import size_mb
from recovery_microglia.jobs.resources import NEEDS, memory, memory_mb, minutes, run_minutes


def test_the_size_is_that_of_the_files_and_of_all_below_a_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "matrix.mtx.gz").write_bytes(bytes(1_500_000))
    (tmp_path / "one.h5").write_bytes(bytes(500_000))
    assert size_mb([tmp_path / "one.h5"]) == 0.5
    assert size_mb([tmp_path]) == 2.0
    assert size_mb([tmp_path / "not there yet"]) == 0


@pytest.mark.parametrize("step", NEEDS)
def test_every_attempt_asks_for_as_much_again(step: str) -> None:
    assert [memory_mb(step, 80, attempt) for attempt in (1, 2, 3)] == [memory_mb(step, 80) * n for n in (1, 2, 3)]
    assert run_minutes(step, 80, 3) == 3 * run_minutes(step, 80)


def test_a_larger_file_asks_for_more() -> None:
    assert memory_mb("library", 0) < memory_mb("library", 40) < memory_mb("library", 400)
    assert run_minutes("library", 40) < run_minutes("library", 400)
    # two Snakemakes of 180 MB stand around every job on a cluster
    assert min(memory_mb(step, 0) for step in NEEDS) >= 2 * 180 + 400


@pytest.mark.parametrize(
    ("step", "size", "peak"),
    [  # docs/performance.md, runs of 100,000 and 1,000,000 cells: MB read (costs.tsv), and MB that the largest job held
        *(("library", 180, 1316), ("myeloid", 70, 657), ("myeloid", 700, 3314), ("embedding", 711, 1850)),
        *(("recovery", 71, 884), ("recovery", 711, 4972), ("timeline", 79, 737), ("timeline", 711, 4040)),
        *(("summary", 71, 709), ("summary", 711, 4050)),
    ],
)
def test_what_is_asked_for_lies_above_what_was_measured_and_not_far_above(step: str, size: float, peak: float) -> None:
    held = peak + 2 * 180  # with the two Snakemakes around it
    assert 1.1 * held < memory_mb(step, size) < 2.7 * held


def test_a_job_asks_by_its_input_or_by_what_it_reads(tmp_path: Path) -> None:
    small, large = tmp_path / "table.tsv", tmp_path / "counts.h5"
    small.write_bytes(bytes(1_000))
    large.write_bytes(bytes(5_000_000))
    by_input, by_reads = memory("library"), memory("library", lambda wildcards: [large if wildcards == "A" else small])
    assert by_input("A", [str(small)], 2) == memory_mb("library", 0.001, 2)
    assert by_reads("A", [str(small)], 1) == memory_mb("library", 5)
    assert by_reads("B", [str(small)], 1) == memory_mb("library", 0.001)
    assert minutes("split", lambda _: [large])("A", [], 3) == run_minutes("split", 5, 3)
