"""Work that several processes share gives what one gives."""

import os

import pytest

from recovery_microglia.core import processes
from recovery_microglia.core.processes import mapped


@pytest.mark.parametrize("threads", [1, 2, 3, 9])
@pytest.mark.parametrize("n", [0, 1, 7])
def test_results_are_those_of_one_process_in_order(threads: int, n: int) -> None:
    offset = 10  # a closure: nothing of the function is sent
    assert mapped(lambda item: item**2 + offset, range(n), threads) == [i**2 + 10 for i in range(n)]


@pytest.mark.skipif(not processes.FORKS, reason="processes are not forked on this system")
def test_so_many_processes_work_and_large_results_come_back() -> None:
    found = mapped(lambda item: (os.getpid(), bytes([item]) * 300_000), range(6), 3)
    assert len({pid for pid, _ in found}) == 3
    assert os.getpid() in {pid for pid, _ in found}
    assert [content[0] for _, content in found] == list(range(6))


@pytest.mark.parametrize("ends", ["killed", "fails"])
def test_what_another_process_does_not_deliver_is_computed_here(ends: str) -> None:
    here = os.getpid()

    def function(item: int) -> int:
        if os.getpid() != here:
            if ends == "killed":
                os._exit(9)
            raise MemoryError
        return item + 1

    assert mapped(function, range(5), 2) == [1, 2, 3, 4, 5]


def test_a_mistake_is_told_here(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        mapped(lambda item: 1 // item, [1, 0, 1, 0], 2)
    assert capfd.readouterr().err == ""  # not by the others too
