"""What stops a run before any job starts."""

import errno
import os
from pathlib import Path

import pytest

from recovery_microglia.core.errors import InputError
from recovery_microglia.jobs.start import mistakes_stop, stop, stop_if_unusable


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
