"""The gene sets of ``config/signatures``."""

from bad_input.lab import Case, Section, gene_set

HEAD = "set\tgene\tdirection\trole\tsource\n"


def whole(name, content):
    def make(lab):
        lab.file(f"config/signatures/{name}.tsv", content)
        lab.check()

    return make


def without(lab):
    (lab.root / "config/signatures/states.tsv").unlink()
    lab.check()


CASES = [
    Case("a table is not there", without, SAY),
    Case("an empty table", whole("states", ""), SAY),
    Case("not UTF-8", whole("states", HEAD.encode() + "homeostatic\tCx3cr1\tup\t\tMüller\n".encode("latin-1")), SAY),
    Case("separated by commas", whole("states", HEAD.replace("\t", ",")), SAY),
    Case("a column is missing", gene_set("states", "direction", "way"), SAY),
    Case("a quotation mark that is never closed", whole("states", HEAD + 'homeostatic\tCx3cr1\tup\t\t"Milich\n'), SAY),
    Case("a gene without a name", whole("states", HEAD + "homeostatic\t\tup\t\t\n"), SAY),
    Case("a gene that neither rises nor falls", whole("states", HEAD + "homeostatic\tCx3cr1\trises\t\t\n"), SAY),
    Case("a gene twice", whole("states", HEAD + "homeostatic\tCx3cr1\tup\t\t\nhomeostatic\tCx3cr1\tup\t\t\n"), SAY),
    Case("a gene by its old and its new name", whole("states", HEAD + "homeostatic\tLilrb4\tup\t\t\nhomeostatic\tLilrb4a\tup\t\t\n"), SAY),
    Case("a gene that Excel has turned into a date (Sept2)", whole("states", HEAD + "homeostatic\t2-Sep\tup\t\t\n"), SAY),
    Case("a gene that Excel has turned into a date (March1)", whole("states", HEAD + "homeostatic\t1-Mar\tup\t\t\n"), SAY),
    Case("human symbols", whole("states", HEAD + "homeostatic\tCX3CR1\tup\t\t\n"), SAY),
    Case("a set that is needed is missing", gene_set("states", "homeostatic\t", "resting\t"), SAY),
    Case("a lineage that is needed is missing", gene_set("lineages", "dendritic_cell\t", "DC\t"), SAY),
    Case("a technical set that is needed is missing", gene_set("technical", "sex_male\t", "male\t"), SAY),
]
SECTION = Section("Gene sets (config/signatures)", "before any job starts", CASES)
