"""The words of the code are those of the sheet and of the tables."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from recovery_microglia.core.vocabulary import CONTROLS, Condition, Denominator, Route, Severity, Status


def test_conditions_are_those_that_a_sheet_may_hold(root: Path) -> None:
    schema = yaml.safe_load((root / "workflow/schemas/samples.yaml").read_text())
    assert set(schema["properties"]["condition"]["enum"]) == set(Condition)
    assert set(CONTROLS) < set(Condition)


@pytest.mark.parametrize("words", [Condition, Status, Severity, Route, Denominator])
def test_a_word_stands_in_tables_and_json_as_its_text(words: type, tmp_path: Path) -> None:
    members = list(words)  # type: ignore[call-overload]
    texts = [member.value for member in members]
    frame = pd.DataFrame({"x": members})
    assert (frame["x"] == members[0]).tolist() == [True] + [False] * (len(members) - 1)
    assert frame.to_csv(index=False, lineterminator="\n") == "\n".join(["x", *texts, ""])
    frame.to_parquet(tmp_path / "x.parquet")
    assert pd.read_parquet(tmp_path / "x.parquet")["x"].tolist() == texts
    assert json.loads(json.dumps(members)) == texts
    assert dict.fromkeys(texts, 1)[members[-1]] == 1
    # as a column of text, and as categories
    assert (pd.Series(texts, dtype="str") == members[0]).sum() == 1
    assert (pd.Series(texts, dtype="category") == members[0]).sum() == 1
    assert pd.Series(texts, dtype="str").isin([members[0]]).sum() == 1
