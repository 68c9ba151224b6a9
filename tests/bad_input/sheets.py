"""The sheet of libraries, ``samples.tsv``."""

from bad_input.lab import ROWS, Case, Section, row, sheet


def without(lab):
    (lab.root / "config/datasets/study/samples.tsv").unlink()
    lab.check()


def ten_thousand(lab):
    lines = [f"L{k}\tm{k}\t{k % 60} dpi\tinjured\tmale\tN1.csv\n" for k in range(10_000)]
    lab.entry((lab.root / "config/datasets/study/dataset.yaml").read_text() + "split: {pattern: '^(?P<library>L[0-9]+)_'}\n")
    lab.sheet(ROWS.splitlines(keepends=True)[0] + "".join(lines))
    lab.check()


def shared(text):
    def make(lab):
        lab.entry((lab.root / "config/datasets/study/dataset.yaml").read_text() + "split: {pattern: '^(?P<library>[^_]+)_'}\n")
        lab.sheet(text)
        lab.check()

    return make


CASES = [
    Case("the sheet is not there", without, SAY),
    Case("the sheet is empty", sheet(""), SAY),
    Case("a header, and no library below", sheet(ROWS.splitlines()[0] + "\n"), SAY),
    Case("separated by commas", sheet(ROWS.replace("\t", ",")), SAY),
    Case("separated by semicolons (a German Excel)", sheet(ROWS.replace("\t", ";")), SAY),
    Case("separated by blanks", sheet(ROWS.replace("\t", "  ")), SAY),
    Case("Excel's 'Unicode text' (UTF-16)", sheet(ROWS.encode("utf-16")), SAY),
    Case("Latin-1 with an umlaut", sheet(ROWS.replace("m1", "Mäuse").encode("latin-1")), SAY),
    Case("an Excel workbook renamed to .tsv", sheet(b"PK\x03\x04\x14\x00\x06\x00" + bytes(60)), SAY),
    Case("a quotation mark that is never closed, which would swallow the rows below", sheet(ROWS.replace("m1", '"m1')), SAY),
    Case("a misspelt column", row("subject", "subjct"), SAY),
    Case("a column is missing", row("\tcondition", "\tx_condition"), SAY),
    Case("a column twice", row("library\t", "subject\t"), SAY),
    Case("a column without a name", row("\tsex\t", "\t\t"), SAY),
    Case("more fields than columns", row("I1\tm2", "I1\tm2\textra"), SAY),
    Case("a library twice", row("I1\t", "N1\t"), SAY),
    Case("a library's name with a blank", row("I1\t", "I 1\t"), SAY),
    Case("a library's name with other letters", row("I1\t", "Läsion1\t"), SAY),
    Case("a library's name that climbs out of the folder", row("I1\t", "../I1\t"), SAY),
    Case("a library without a name", row("I1\t", "\t"), SAY),
    Case("a library's name that Excel has turned into a date (MAR1)", row("I1\t", "1-Mar\t"), SAY),
    Case("an animal's name that Excel has turned into a date (SEP2)", row("m2\t", "02.Sep\t"), SAY),
    Case("a misspelt condition", row("injured", "injurd"), SAY),
    Case("a condition that is not one of the sheet's words", row("injured", "SNI"), SAY),
    Case("no condition", row("injured", ""), SAY),
    Case("a day with its unit", row("\t14\t", "\t14 dpi\t"), SAY),
    Case("a day in weeks", row("\t14\t", "\t2 weeks\t"), SAY),
    Case("a day in letters and digits", row("\t14\t", "\tPOD14\t"), SAY),
    Case("a day with a decimal comma", row("\t14\t", "\t0,5\t"), SAY),
    Case("a day that Excel has turned into a date", row("\t14\t", "\t14-Jan\t"), SAY),
    Case("a day that is a calendar date", row("\t14\t", "\t2026-01-14\t"), SAY),
    Case("a negative day", row("\t14\t", "\t-14\t"), SAY),
    Case("a day that is 'nan'", row("\t14\t", "\tnan\t"), SAY),
    Case("a day that is 'NA'", row("\t14\t", "\tNA\t"), SAY),
    Case("a day that is infinite", row("\t14\t", "\tinf\t"), SAY),
    Case("a day that is a serial date of Excel", row("\t14\t", "\t46036\t"), SAY),
    Case("a sex that is not one of the sheet's words", row("\tmale\t", "\tman\t"), SAY),
    Case("one animal on two days", row("m2\t", "m1\t"), SAY),
    Case("no animal in the pool", sheet("library\tcondition\tpooled_n\tfile\nN1\tnaive\t0\tN1.csv\n"), SAY),
    Case("an animal and a half in the pool", sheet("library\tcondition\tpooled_n\tfile\nN1\tnaive\t1.5\tN1.csv\n"), SAY),
    Case("include is neither yes nor no", sheet("library\tcondition\tinclude\tfile\nN1\tnaive\tmaybe\tN1.csv\n"), SAY),
    Case("left out without a reason", sheet("library\tcondition\tinclude\tfile\nN1\tnaive\tyes\tN1.csv\nI1\tinjured\tno\tI1.csv\n"), SAY),
    Case("every library left out", sheet("library\tcondition\tinclude\treason\tfile\nN1\tnaive\tno\tlost\tN1.csv\n"), SAY),
    Case("a layout that is not known", sheet("library\tcondition\tformat\tfile\nN1\tnaive\t10x\tN1.csv\n"), SAY),
    Case("a file that is not there", row("I1.csv", "I2.csv"), SAY),
    Case("no file", row("I1.csv", ""), SAY),
    Case("two libraries, one file, and no rule that takes it apart", row("I1.csv", "N1.csv"), SAY),
    Case("two libraries with the same cells of a shared file", shared("library\tcondition\tkey\tfile\nN1\tnaive\tS1\tN1.csv\nI1\tinjured\tS1\tN1.csv\n"), SAY),
    Case("10,000 rows with a unit in every day", ten_thousand, SAY),
    Case("several mistakes at once", sheet(ROWS.replace("naive", "naiv").replace("14", "two weeks").replace("\tmale", "\tM")), SAY),
]
SECTION = Section("The sheet (samples.tsv)", "before any job starts", CASES)
