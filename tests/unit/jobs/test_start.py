"""What stops a run before any job starts."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recovery_microglia.core.errors import InputError
from recovery_microglia.jobs import interrupts
from recovery_microglia.jobs.start import mistakes_stop, status_of, stop, stop_if_unusable


def test_a_run_stops_with_each_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        stop(["one", "two", "one"])
    assert ended.value.code == 1
    told = capsys.readouterr()
    assert told.err == "\none\ntwo\n\n"
    assert told.out == ""


def test_mistakes_of_the_input_stop_a_run_in_their_own_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), mistakes_stop():
        raise InputError("config.yaml: wrong\nsamples.tsv: wrong")
    assert capsys.readouterr().err == "\nconfig.yaml: wrong\nsamples.tsv: wrong\n\n"
    with pytest.raises(KeyError), mistakes_stop():
        raise KeyError("a bug is no mistake of the user's")


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.EACCES, "config/datasets: you may not write or read this; ask for the rights"),
        (errno.ENAMETOOLONG, "config/datasets: a name or path that is too long for the disk; shorten it"),
        (errno.ELOOP, "config/datasets: a link that leads to itself; mend or remove it"),
    ],
)
def test_what_the_disk_refuses_stops_a_run_in_one_line(
    number: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit), mistakes_stop():
        raise OSError(number, os.strerror(number), "config/datasets")
    assert capsys.readouterr().err == f"\n{says}\n\n"


def test_a_folder_that_cannot_be_written_to_stops_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stop_if_unusable(tmp_path / "results", tmp_path / "resources")
    (tmp_path / "results").write_text("")
    with pytest.raises(SystemExit):
        stop_if_unusable(tmp_path / "results", tmp_path / "resources")
    assert "a file stands where the folder" in capsys.readouterr().err
    assert not (tmp_path / "resources").exists()


def test_an_interrupted_command_ends_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    assert status_of(interrupted) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise KeyboardInterrupt", "Cancelled on request.\n"),
        # while the interpreter closes, as by a signal that comes after the last line
        (
            "import weakref, signal\nclass A: pass\na = A()\nw = weakref.finalize(a, signal.raise_signal, signal.SIGINT)",
            "",
        ),
    ],
)
def test_ctrl_c_leaves_no_traceback_wherever_it_strikes(code: str, said: str) -> None:
    scripts = str(Path(interrupts.__file__).parents[2])
    start = f"import sys; sys.path.insert(0, {scripts!r})\nfrom recovery_microglia.jobs.interrupts import plain_interrupts\n"
    plain, caught = (
        subprocess.run([sys.executable, "-c", f"{start}{hook}\n{code}"], capture_output=True, text=True).stderr
        for hook in ("", "plain_interrupts()")
    )
    assert "Traceback" in plain
    assert caught == said


def test_other_errors_are_reported_as_ever() -> None:
    scripts = str(Path(interrupts.__file__).parents[2])
    code = f"import sys; sys.path.insert(0, {scripts!r})\nfrom recovery_microglia.jobs.interrupts import plain_interrupts\nplain_interrupts()\n1 / 0"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")
