"""The stand-in of the tutorial's series: every library of the sheet, in the deposit's layout, readable."""

import io
import tarfile
from pathlib import Path

import pandas as pd

from recovery_microglia.core.anndata_access import counts_of
from recovery_microglia.readers.any_layout import read_counts
from stand_in import SERIES, deposit


def test_the_stand_in_holds_every_library_of_the_sheet(root: Path, tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(deposit(cells=20))) as archive:
        archive.extractall(tmp_path, filter="data")
    sheet = pd.read_csv(root / f"config/datasets/{SERIES}/samples.tsv", sep="\t", keep_default_na=False)
    mice = sheet[sheet["include"] == "yes"]
    sizes = {}
    for file in mice["file"]:
        (path,) = tmp_path.glob(f"{file}*")
        sizes[file] = counts_of(read_counts(path)).shape[0]
    assert set(sizes.values()) == {20}
    assert len(list(tmp_path.iterdir())) == len(sheet)
