"""Tables with notes."""

import gzip
from pathlib import Path

from recovery_microglia.core.frames import read_commented

TABLE = "\ufeff# a note\nname\tvalue\ttext\n# another\nA#1\t2\tsee #3\nB\t\tNA\n"


def test_a_line_of_notes_is_left_out_and_a_hash_in_a_field_is_kept(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.tsv", tmp_path / "a.tsv.gz"
    plain.write_text(TABLE, encoding="utf-8")
    packed.write_bytes(gzip.compress(TABLE.encode()))
    for path in (plain, packed):
        table = read_commented(path, text=True)
        assert table.to_numpy().tolist() == [["A#1", "2", "see #3"], ["B", "", "NA"]]


def test_numbers_are_numbers_unless_all_is_text(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(TABLE, encoding="utf-8")
    table = read_commented(path)
    assert table["value"].tolist()[0] == 2.0
    assert table["value"].isna().tolist() == [False, True]
