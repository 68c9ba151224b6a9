"""Nothing is counted that is no cell and no gene: each table here holds the same counts, and something more."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from made_up.tool_trees import usa
from recovery_microglia.core.errors import InputError
from recovery_microglia.core.genes import known_symbols, symbols_by_id
from recovery_microglia.readers.any_layout import read_counts
from recovery_microglia.readers.barcode_assignment import Rule
from recovery_microglia.readers.split import split_counts

GENES = ["Actb", "Itgax", "Igf1", "P2ry12", "Hexb", "Gm10925x", *sorted(known_symbols("mouse"))[1000:1194]]
CELLS = [f"AAAC{k}-1" for k in range(12)]
RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(RNG.gamma(0.3, 6, 200)[None, :] * RNG.gamma(5, 0.2, 12)[:, None]).astype(np.int32)
IDS = {symbol: name for name, symbol in symbols_by_id("mouse").items()}


def same(path: Path, *, no_genes: list[str] | None = None, no_cells: list[str] | None = None) -> None:
    """The file holds exactly `COUNTS`, and says what was left out."""
    found = read_counts(path)
    own = pd.DataFrame(found.X.toarray(), list(found.obs_names), list(found.var_names))
    assert list(own.index) == CELLS
    assert own.to_numpy().sum() == COUNTS.sum()
    assert (own[GENES].to_numpy() == COUNTS).all()
    assert found.uns["reading"]["no_genes"] == (no_genes or [])
    assert found.uns["reading"]["no_cells"] == (no_cells or [])


def table(extra_columns: dict[str, list[object]] | None = None, extra_rows: dict[str, object] | None = None) -> str:
    """Genes in rows: columns before the counts, and rows below them."""
    columns = extra_columns or {}
    lines = ["\t".join(["gene", *columns, *CELLS])]
    for k, gene in enumerate(GENES):
        lines.append("\t".join(map(str, [gene, *(values[k] for values in columns.values()), *COUNTS[:, k]])))
    for name, values in (extra_rows or {}).items():
        lines.append("\t".join(map(str, [name, *("1" for _ in columns), *np.broadcast_to(np.asarray(values), 12)])))
    return "\n".join(lines) + "\n"


NUMBERS = {
    "entrezgene": [11000 + 97 * k for k in range(200)],
    "Length": [700 + 13 * k for k in range(200)],
    "total": COUNTS.sum(axis=0).tolist(),
    "of_the_gene": [50_000 + k for k in range(200)],  # told by its numbers: no cell counts every gene, and so much
    "everything": COUNTS.sum(axis=0).tolist(),  # told by its numbers: the sum of the cells
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_a_gene_are_no_cell(tmp_path: Path, name: str) -> None:
    (tmp_path / "m.tsv").write_text(table({name: NUMBERS[name]}))
    same(tmp_path / "m.tsv", no_cells=[name])


def test_a_deep_cell_is_a_cell(tmp_path: Path) -> None:
    """A well with thirty cells counts thirty times more, but not every gene."""
    deep = COUNTS.copy()
    deep[3] *= 30
    lines = ["\t".join(["gene", *CELLS]), *("\t".join([g, *map(str, deep[:, k])]) for k, g in enumerate(GENES))]
    (tmp_path / "m.tsv").write_text("\n".join(lines))
    assert read_counts(tmp_path / "m.tsv").X.sum() == deep.sum()


def test_words_beside_the_names_are_no_counts(tmp_path: Path) -> None:
    ids = [IDS.get(gene, "x") for gene in GENES]
    (tmp_path / "m.tsv").write_text(table({"description": [f"a gene, the {k}th" for k in range(200)], "gene_id": ids}))
    same(tmp_path / "m.tsv", no_cells=["description", "gene_id"])


def test_of_two_columns_of_names_the_symbols_are_taken(tmp_path: Path) -> None:
    lines = table({"gene_name": list(GENES)}).splitlines()
    numbered = [lines[0], *(f"{10_000 + k}\t{line.split(chr(9), 1)[1]}" for k, line in enumerate(lines[1:]))]
    (tmp_path / "m.tsv").write_text("\n".join(numbered))  # an Entrez index, and a column gene_name
    same(tmp_path / "m.tsv")


@pytest.mark.parametrize("name", ["Total", "sum", "total_counts", "N_reads", "__no_feature", "my own sum"])
def test_sums_are_no_gene(tmp_path: Path, name: str) -> None:
    (tmp_path / "m.tsv").write_text(table(extra_rows={name: COUNTS.sum(axis=1)}))
    same(tmp_path / "m.tsv", no_genes=[name])


SPIKES = {f"ERCC-{k:05d}": 7 for k in range(1, 11)}


@pytest.mark.parametrize("spikes", [0, 70], ids=["of the genes", "of the genes and the spike-ins"])
def test_several_sums_beside_spike_ins_are_no_genes(tmp_path: Path, spikes: int) -> None:
    """Two sums, one of them named as nobody names them; what they are sums of holds the spike-ins or not."""
    sums = COUNTS.sum(axis=1) + spikes
    (tmp_path / "m.tsv").write_text(table(extra_rows={**SPIKES, "Total": sums, "Sum of all": sums}))
    same(tmp_path / "m.tsv", no_genes=[*SPIKES, "Total", "Sum of all"])


def test_a_sum_among_the_genes_of_an_anndata_is_no_gene(tmp_path: Path) -> None:
    whole = np.column_stack([COUNTS, COUNTS.sum(axis=1)])
    names = {"obs": pd.DataFrame(index=CELLS), "var": pd.DataFrame(index=[*GENES, "my own sum"])}
    ad.AnnData(sp.csr_matrix(whole), **names).write_h5ad(tmp_path / "m.h5ad")
    same(tmp_path / "m.h5ad", no_genes=["my own sum"])


def test_an_unknown_gene_with_half_of_the_counts_stays(tmp_path: Path) -> None:
    """It is the sum of the others in all cells but one."""
    nearly = COUNTS.sum(axis=1) + (np.arange(12) == 5)
    (tmp_path / "m.tsv").write_text(table(extra_rows={"Gm99999x": nearly}))
    assert read_counts(tmp_path / "m.tsv").X.sum() == COUNTS.sum() + nearly.sum()


@pytest.mark.parametrize(
    "name",
    ["ERCC-00002", "Hashtag_1", "HTO-A", "ADT_CD45", "anti-mouse CD45", "CD45-TotalSeqA", "CMO301", "CD11b|pAbO"],
)
def test_spike_ins_and_antibodies_are_no_genes(tmp_path: Path, name: str) -> None:
    (tmp_path / "m.tsv").write_text(table(extra_rows={name: 60}))
    same(tmp_path / "m.tsv", no_genes=[name])


def test_a_transgene_stays(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_text(table(extra_rows={"tdTomato": 3, "gfp": 2, "Cre": 1}))
    found = read_counts(tmp_path / "m.tsv")
    assert {"tdTomato", "gfp", "Cre"} <= set(found.var_names)
    assert found.X.sum() == COUNTS.sum() + 12 * 6


def test_facts_of_cells_are_no_genes(tmp_path: Path) -> None:
    lines = [",".join(["cell", "day", "cluster", "age_days", *GENES, "n_genes", "leiden"])]
    lines += [",".join(map(str, [cell, 14, k % 3, 80, *COUNTS[k], 120, k % 2])) for k, cell in enumerate(CELLS)]
    (tmp_path / "m.csv").write_text("\n".join(lines))
    same(tmp_path / "m.csv", no_genes=["day", "cluster", "age_days", "n_genes", "leiden"])
    worded = [
        ",".join(["cell", "sample", *GENES]),
        *(",".join(map(str, [c, "naive", *COUNTS[k]])) for k, c in enumerate(CELLS)),
    ]
    (tmp_path / "w.csv").write_text("\n".join(worded))
    same(tmp_path / "w.csv", no_cells=["sample"])


COMMENTS = {
    "BD Rhapsody": "## BD Rhapsody WTA\n## Version 1.9.1\n##---\n",
    "Drop-seq": "#DGE\tVERSION:1.1\tEXPRESSION_FORMAT:raw\n#COMMAND\tCL:DigitalExpression\n",
    "featureCounts": '# Program:featureCounts v2.0.1; Command:"featureCounts" "-T" "8"\n',
}


@pytest.mark.parametrize("tool", COMMENTS)
def test_lines_of_comment_are_passed_over(tmp_path: Path, tool: str) -> None:
    (tmp_path / "m.tsv").write_text(COMMENTS[tool] + table())
    same(tmp_path / "m.tsv")
    (tmp_path / "h.tsv").write_text(COMMENTS[tool] + "#" + table())  # the header itself begins with #
    same(tmp_path / "h.tsv")


def test_feature_counts(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        "Chr": [f"chr{k % 19};chr{k % 19}" for k in range(200)], "Start": ["1;400"] * 200, "End": ["90;500"] * 200,
        "Strand": ["+;+"] * 200, "Length": [191 + k for k in range(200)],
    }  # fmt: skip
    (tmp_path / "m.txt").write_text(COMMENTS["featureCounts"] + table(columns))
    same(tmp_path / "m.txt", no_cells=list(columns))


def test_columns_that_are_no_cells_belong_to_no_library(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_text(table({"Length": NUMBERS["Length"]}))
    done = split_counts(tmp_path / "m.tsv", {"all": "AAAC"}, Rule(pattern="^(?P<library>AAAC)"), tmp_path)
    assert done.written == {"all": (12, "AAAC")}
    assert ad.read_h5ad(tmp_path / "all.h5ad").X.sum() == COUNTS.sum()


# ---------------------------------------------------------------- names of genes


def h5ad(path: Path, counts: np.ndarray, var: pd.DataFrame) -> Path:
    ad.AnnData(sp.csr_matrix(counts), obs=pd.DataFrame(index=CELLS), var=var).write_h5ad(path)
    return path


@pytest.mark.filterwarnings("ignore:Variable names are not unique")
def test_where_a_symbol_is_missing_the_id_counts(tmp_path: Path) -> None:
    names = [gene for gene in GENES if gene in IDS]
    symbols = pd.Categorical([np.nan if k % 8 == 0 or gene == "Itgax" else gene for k, gene in enumerate(names)])
    counts = COUNTS[:, : len(names)]
    var = pd.DataFrame({"gene_symbols": symbols}, index=[IDS[gene] for gene in names])
    found = read_counts(h5ad(tmp_path / "m.h5ad", counts, var))
    assert sorted(found.var_names) == sorted(names)
    assert "nan" not in found.var_names
    assert found[:, "Itgax"].X.sum() == counts[:, names.index("Itgax")].sum()
    rows = "".join(f"{IDS[g]}\t{'NA' if g == 'Itgax' else g}\tGene Expression\n" for g in names)
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "features.tsv").write_text(rows)
    (folder / "barcodes.tsv").write_text("\n".join(CELLS))
    import scipy.io

    scipy.io.mmwrite(folder / "matrix.mtx", sp.coo_matrix(counts.T))
    assert read_counts(folder)[:, "Itgax"].X.sum() == counts[:, names.index("Itgax")].sum()


def test_the_parts_of_alevin_fry_are_added_up(tmp_path: Path) -> None:
    from bad_input.lab import COUNTS as SMALL

    ids = [IDS[gene] for gene in ("Actb", "Itgax", "Igf1", "P2ry12", "Hexb")]
    var = pd.DataFrame(index=[f"{name}{part}" for part in ("", "-U", "-A") for name in ids])
    ad.AnnData(sp.csr_matrix(usa()), obs=pd.DataFrame(index=CELLS[:3]), var=var).write_h5ad(tmp_path / "m.h5ad")
    found = read_counts(tmp_path / "m.h5ad")
    assert found[:, ["Actb", "Itgax", "Igf1", "P2ry12", "Hexb"]].X.toarray().tolist() == SMALL.tolist()
    assert found.n_vars == 5


@pytest.mark.parametrize("in_x", ["spliced", "normalised", "nothing", "whole"])
def test_layers_of_spliced_and_unspliced_molecules_are_added_up(tmp_path: Path, in_x: str) -> None:
    parts = {
        name: np.random.default_rng(k).binomial(COUNTS, 0.4).astype(np.int32)
        for k, name in enumerate(("spliced", "unspliced", "ambiguous"))
    }
    whole = sum(parts.values())
    x = {"spliced": parts["spliced"], "normalised": np.log1p(whole), "nothing": None, "whole": whole + 1}[in_x]
    found = ad.AnnData(
        None if x is None else sp.csr_matrix(x),
        obs=pd.DataFrame(index=CELLS),
        var=pd.DataFrame(index=GENES),
        layers={name: sp.csr_matrix(part) for name, part in parts.items()},
        shape=None if x is not None else COUNTS.shape,
    )
    found.write_h5ad(tmp_path / "m.h5ad")
    right = whole + 1 if in_x == "whole" else whole  # X that is no part is what its maker counted
    read = read_counts(tmp_path / "m.h5ad")
    assert read.X.sum() == np.asarray(right).sum()
    assert ("added up" in read.uns["reading"]["layout"]) == (in_x != "whole")
    out = tmp_path / "out"
    out.mkdir()
    split_counts(tmp_path / "m.h5ad", {"A": "0"}, Rule(pattern="^AAAC(?P<library>[0-9])-"), out)
    assert read_counts(out / "A.h5ad").X.sum() == np.asarray(right)[0].sum()


@pytest.mark.parametrize("join", ["{id}_{name}", "{id}.3|{name}", "{name}|{id}", "{name}_{id}", "{name}__chr11"])
def test_names_that_are_two_in_one_are_read_by_their_symbol(tmp_path: Path, join: str) -> None:
    names = [gene for gene in GENES if gene in IDS]
    counts = COUNTS[:, [GENES.index(gene) for gene in names]]
    joined = [join.format(id=IDS[gene], name=gene) for gene in names]
    found = read_counts(h5ad(tmp_path / "m.h5ad", counts, pd.DataFrame(index=joined)))
    assert sorted(found.var_names) == sorted(names)
    assert found[:, "Itgax"].X.sum() == counts[:, names.index("Itgax")].sum()
    rows = [",".join(["gene", *CELLS])] + [
        f"{name},{','.join(map(str, counts[:, k]))}" for k, name in enumerate(joined)
    ]
    (tmp_path / "m.csv").write_text("\n".join(rows))
    assert (read_counts(tmp_path / "m.csv")[:, "Itgax"].X.toarray() == found[:, "Itgax"].X.toarray()).all()


def test_mouse_symbols_in_capitals(tmp_path: Path) -> None:
    capitals = [gene.upper() for gene in GENES]
    for name, var in {
        "alone": pd.DataFrame(index=capitals),
        "with ids": pd.DataFrame({"gene_ids": [IDS.get(gene, "x") for gene in GENES]}, index=capitals),
    }.items():
        found = read_counts(h5ad(tmp_path / f"{name}.h5ad", COUNTS, var))
        assert len(set(GENES) - set(found.var_names)) <= 1  # the name that no annotation has
        assert found.X.sum() == COUNTS.sum()
        assert found[:, "Itgax"].X.sum() == COUNTS[:, 1].sum()


@pytest.mark.parametrize("prefix", ["MOUSE_", "mm10___", "GRCm39_"])
def test_prefixes_of_the_mouse_genome_are_taken_off(tmp_path: Path, prefix: str) -> None:
    found = read_counts(h5ad(tmp_path / "m.h5ad", COUNTS, pd.DataFrame(index=[prefix + gene for gene in GENES])))
    assert set(found.var_names) == set(GENES)


HUMAN = list(symbols_by_id("human"))[:200]
RAT = [f"ENSRNOG000000{k:05d}" for k in range(200)]


@pytest.mark.parametrize(
    ("var", "says"),
    [
        (pd.DataFrame({"gene_name": GENES}, index=RAT), "the genes are of rat"),  # the symbols are the mouse's own
        (pd.DataFrame({"gene_ids": RAT}, index=GENES), "the genes are of rat"),
        (pd.DataFrame(index=[*GENES[:190], *(f"RT1-A{k}" for k in range(10))]), r"the genes are of rat \(RT1-A0"),
        (pd.DataFrame({"gene_ids": HUMAN}, index=GENES), "the genes are human, but the data set says mouse"),
        (
            pd.DataFrame(index=[*HUMAN[:100], *list(IDS.values())[:100]]),
            r"genes of human \(100\) and of mouse \(100\) together",
        ),
        (
            pd.DataFrame(index=["HUMAN_A2M", *(f"MOUSE_{gene}" for gene in GENES[1:])]),
            r"several genomes \(HUMAN, MOUSE\)",
        ),
    ],
    ids=["rat ids", "rat ids beside", "rat symbols", "human ids beside", "two organisms", "two prefixes"],
)
def test_other_animals_are_refused_whatever_stands_beside(tmp_path: Path, var: pd.DataFrame, says: str) -> None:
    path = h5ad(tmp_path / "m.h5ad", COUNTS, var)
    with pytest.raises(InputError, match=says):
        read_counts(path)
