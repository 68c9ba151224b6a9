"""What no step needs any more is taken away."""

from pathlib import Path

from recovery_microglia.jobs.leftovers import remove_others


def test_all_but_what_is_needed_goes(tmp_path: Path) -> None:
    for name in ("needed", "old"):
        (tmp_path / name / "deep").mkdir(parents=True)
    (tmp_path / "old.txt").write_text("")
    remove_others(tmp_path, {"needed", "not made yet"})
    assert [path.name for path in tmp_path.iterdir()] == ["needed"]
    assert (tmp_path / "needed" / "deep").is_dir()


def test_a_folder_that_is_not_there_stays_away(tmp_path: Path) -> None:
    remove_others(tmp_path / "split", {})
    assert not (tmp_path / "split").exists()
