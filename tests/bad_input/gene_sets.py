"""The gene sets of ``config/signatures``."""

from bad_input.lab import Case, Lab, Make, Section, gene_set

HEAD = "set\tgene\tdirection\trole\tsource\n"


def whole(name: str, content: str | bytes) -> Make:
    def make(lab: Lab) -> None:
        lab.file(f"config/signatures/{name}.tsv", content)
        lab.check()

    return make


def without(lab: Lab) -> None:
    (lab.root / "config/signatures/states.tsv").unlink()
    lab.check()


CASES = [
    Case("a table is not there", without, "config/signatures/states.tsv: no such file"),
    Case(
        "an empty table",
        whole("states", ""),
        "config/signatures/states.tsv: empty; needed: set gene direction role source",
    ),
    Case(
        "not UTF-8",
        whole("states", HEAD.encode() + "homeostatic\tCx3cr1\tup\t\tMüller\n".encode("latin-1")),
        "config/signatures/states.tsv: not UTF-8 text; save the sheet as 'tab separated, UTF-8'",
    ),
    Case(
        "separated by commas",
        whole("states", HEAD.replace("\t", ",")),
        "config/signatures/states.tsv: row 1: separated by commas or semicolons; it must be tab separated",
    ),
    Case(
        "a column is missing",
        gene_set("states", "direction", "way"),
        "config/signatures/states.tsv: row 1: the header lacks direction; needed (tab separated): set gene direction role source",
    ),
    Case(
        "a quotation mark that is never closed",
        whole("states", HEAD + 'homeostatic\tCx3cr1\tup\t\t"Milich\n'),
        'config/signatures/states.tsv: row 2: a quotation mark (") opens a field and is not closed in it; take it out',
    ),
    Case(
        "a gene without a name",
        whole("states", HEAD + "homeostatic\t\tup\t\t\n"),
        "config/signatures/states.tsv: row 2: set and gene must not be empty",
    ),
    Case(
        "a gene that neither rises nor falls",
        whole("states", HEAD + "homeostatic\tCx3cr1\trises\t\t\n"),
        "config/signatures/states.tsv: row 2, column direction: 'rises' is not one of up, down",
    ),
    Case(
        "a gene twice",
        whole("states", HEAD + "homeostatic\tCx3cr1\tup\t\t\nhomeostatic\tCx3cr1\tup\t\t\n"),
        "config/signatures/states.tsv: row 3: Cx3cr1 is already in set homeostatic",
    ),
    Case(
        "a gene by its old and its new name",
        whole("states", HEAD + "homeostatic\tLilrb4\tup\t\t\nhomeostatic\tLilrb4a\tup\t\t\n"),
        "config/signatures/states.tsv: row 3: Lilrb4a is already in set homeostatic, as Lilrb4",
    ),
    Case(
        "a gene that Excel has turned into a date (Sept2)",
        whole("states", HEAD + "homeostatic\t2-Sep\tup\t\t\n"),
        "config/signatures/states.tsv: row 2, column gene: '2-Sep' looks like a date that a spreadsheet has made of a gene's name; format the column as text, write it again",
    ),
    Case(
        "a gene that Excel has turned into a date (March1)",
        whole("states", HEAD + "homeostatic\t1-Mar\tup\t\t\n"),
        "config/signatures/states.tsv: row 2, column gene: '1-Mar' looks like a date that a spreadsheet has made of a gene's name; format the column as text, write it again",
    ),
    Case(
        "human symbols",
        whole("states", HEAD + "homeostatic\tCX3CR1\tup\t\t\n"),
        "config/signatures/states.tsv: row 2, column gene: 'CX3CR1' is no mouse symbol; did you mean 'Cx3cr1'?",
    ),
    Case(
        "a set that is needed is missing",
        gene_set("states", "homeostatic\t", "resting\t"),
        "config/signatures/states.tsv: there is no set 'homeostatic', which is needed",
    ),
    Case(
        "a lineage that is needed is missing",
        gene_set("lineages", "dendritic_cell\t", "DC\t"),
        "config/signatures/lineages.tsv: there is no set 'dendritic_cell', which is needed",
    ),
    Case(
        "a technical set that is needed is missing",
        gene_set("technical", "sex_male\t", "male\t"),
        "config/signatures/technical.tsv: there is no set 'sex_male', which is needed",
    ),
]
SECTION = Section("Gene sets (config/signatures)", "before any job starts", CASES)
