"""Libraries of a shared file are taken by passes: what is there is kept, what is new or changed is taken by one more."""

from pathlib import Path

from recovery_microglia.readers.split_passes import batch_name, batch_of, batches, read_record, write_record

A, B, C = ({"file": "all.h5ad", "key": key, "split": {"column": "sample"}} for key in "ABC")


def taken(folder: Path, **recipes: dict) -> str:
    """Do as the split does; return the batch."""
    name = batch_name(recipes)
    (folder / name).mkdir(parents=True)
    write_record(recipes, folder / name)
    return name


def test_nothing_there_is_one_pass(tmp_path: Path) -> None:
    assert batches(tmp_path / "split", {"A": A, "B": B}) == {batch_name({"A": A, "B": B}): {"A": A, "B": B}}
    assert batches(tmp_path / "split", {}) == {}


def test_the_order_of_the_sheet_changes_no_batch(tmp_path: Path) -> None:
    one, other = (batches(tmp_path, dict(order)) for order in ([("A", A), ("B", B)], [("B", B), ("A", A)]))
    assert repr(one) == repr(other)


def test_a_library_more_is_a_pass_more(tmp_path: Path) -> None:
    first = taken(tmp_path, A=A, B=B)
    found = batches(tmp_path, {"A": A, "B": B, "C": C})
    assert found == {first: {"A": A, "B": B}, batch_name({"C": C}): {"C": C}}
    assert batch_of("A", A, found) == first
    assert batch_of("C", C, found) == batch_name({"C": C})


def test_a_changed_recipe_is_never_taken_from_an_old_pass(tmp_path: Path) -> None:
    first = taken(tmp_path, A=A, B=B)
    found = batches(tmp_path, {"A": A, "B": C})
    assert batch_of("A", A, found) == first
    assert batch_of("B", C, found) == batch_name({"B": C})


def test_a_pass_that_was_cut_off_or_meddled_with_counts_for_nothing(tmp_path: Path) -> None:
    first = taken(tmp_path, A=A)
    record = tmp_path / first / "recipes.json"
    whole = record.read_text()
    record.write_text(whole[:20])
    assert read_record(tmp_path / first) == {}
    record.write_text(whole.replace("sample", "donor"))
    assert read_record(tmp_path / first) == {}
    record.unlink()
    assert batches(tmp_path, {"A": A}) == {first: {"A": A}}  # the same pass, to be made again
