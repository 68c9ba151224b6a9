"""The sheet of libraries, ``samples.tsv``."""

import os
import time
from pathlib import Path
from unittest import mock

from bad_input.lab import ROWS, Case, Lab, Make, Section, piped, row, sheet


def without(lab: Lab) -> None:
    (lab.root / "config/datasets/study/samples.tsv").unlink()
    lab.check()


def of_the_future(lab: Lab) -> None:
    noon = time.mktime((2100, 1, 1, 12, 0, 0, 0, 0, 0))
    os.utime(lab.root / "data/I1.csv", (noon, noon))
    lab.check()


def ten_thousand(lab: Lab) -> None:
    lines = [f"L{k}\tm{k}\t{k % 60} dpi\tinjured\tmale\tN1.csv\n" for k in range(10_000)]
    lab.entry(
        (lab.root / "config/datasets/study/dataset.yaml").read_text() + "split: {pattern: '^(?P<library>L[0-9]+)_'}\n"
    )
    lab.sheet(ROWS.splitlines(keepends=True)[0] + "".join(lines))
    lab.check()


def columned(column: str, *values: str) -> Make:
    """The two libraries with one more column."""

    def make(lab: Lab) -> None:
        head, *rows = ROWS.splitlines()
        names, first = head.split("\t"), [line.split("\t") for line in rows]
        if column in names:
            for fields, value in zip(first, values, strict=True):
                fields[names.index(column)] = value
        else:
            names.append(column)
            first = [[*fields, value] for fields, value in zip(first, values, strict=True)]
        lab.sheet("\n".join("\t".join(fields) for fields in [names, *first]) + "\n")
        lab.check()

    return make


def dead_link(lab: Lab) -> None:
    path = lab.root / "data/I1.csv"
    path.unlink()
    path.symlink_to("nowhere.csv")
    lab.check()


def braced(lab: Lab) -> None:
    (lab.root / "data/I1.csv").rename(lab.root / "data/I1{new}.csv")
    row("I1.csv", "I1{new}.csv")(lab)


def hard_link(lab: Lab) -> None:
    path = lab.root / "data/I1.csv"
    path.unlink()
    path.hardlink_to(lab.root / "data/N1.csv")
    lab.check()


def locked(name: str) -> Make:
    """A file or folder that may not be read; asked of the system as a user would be, since root may read anything."""

    def make(lab: Lab) -> None:
        def allowed(path: str | Path, _: int) -> bool:
            return not Path(path).is_relative_to(name)

        with mock.patch.object(os, "access", allowed):
            lab.check()

    return make


def shared(text: str) -> Make:
    def make(lab: Lab) -> None:
        lab.entry(
            (lab.root / "config/datasets/study/dataset.yaml").read_text() + "split: {pattern: '^(?P<library>[^_]+)_'}\n"
        )
        lab.sheet(text)
        lab.check()

    return make


_DAYS = "\n".join(
    f"config/datasets/study/samples.tsv: row {k + 2}, column day: '{k} dpi' is not a number; write days as a plain number: {k % 60}"
    for k in range(20)
)
TEN_THOUSAND = f"{_DAYS}\n… and 9,980 more lines like these"

CASES = [
    Case("the sheet is not there", without, "config/datasets/study/samples.tsv: no such file"),
    Case(
        "the sheet is empty",
        sheet(""),
        "config/datasets/study/samples.tsv: empty; needed: a header line and one row a library, tab separated",
    ),
    Case(
        "a header, and no library below",
        sheet(ROWS.splitlines()[0] + "\n"),
        "config/datasets/study/samples.tsv: no library below the header",
    ),
    Case(
        "separated by commas",
        sheet(ROWS.replace("\t", ",")),
        "config/datasets/study/samples.tsv: row 1: separated by commas or semicolons; it must be tab separated",
    ),
    Case(
        "separated by semicolons (a German Excel)",
        sheet(ROWS.replace("\t", ";")),
        "config/datasets/study/samples.tsv: row 1: separated by commas or semicolons; it must be tab separated",
    ),
    Case(
        "separated by blanks",
        sheet(ROWS.replace("\t", "  ")),
        "config/datasets/study/samples.tsv: row 1: separated by blanks; it must be tab separated",
    ),
    Case(
        "Excel's 'Unicode text' (UTF-16)",
        sheet(ROWS.encode("utf-16")),
        "config/datasets/study/samples.tsv: not UTF-8 text; save the sheet as 'tab separated, UTF-8'",
    ),
    Case(
        "Latin-1 with an umlaut",
        sheet(ROWS.replace("m1", "Mäuse").encode("latin-1")),
        "config/datasets/study/samples.tsv: not UTF-8 text; save the sheet as 'tab separated, UTF-8'",
    ),
    Case(
        "an Excel workbook renamed to .tsv",
        sheet(b"PK\x03\x04\x14\x00\x06\x00" + bytes(60)),
        "config/datasets/study/samples.tsv: an Excel workbook; save the sheet as text, tab separated",
    ),
    Case(
        "a quotation mark that is never closed, which would swallow the rows below",
        sheet(ROWS.replace("m1", '"m1')),
        'config/datasets/study/samples.tsv: row 2: a quotation mark (") opens a field and is not closed in it; take it out',
    ),
    Case(
        "a misspelt column",
        row("subject", "subjct"),
        "config/datasets/study/samples.tsv: row 1: column 'subjct' is not known; did you mean 'subject'?",
    ),
    Case(
        "a column is missing",
        row("\tcondition", "\tx_condition"),
        "config/datasets/study/samples.tsv: row 1: column 'condition' is missing",
    ),
    Case(
        "a column twice",
        row("library\t", "subject\t"),
        "config/datasets/study/samples.tsv: row 1: column 'subject' is duplicated",
    ),
    Case(
        "a column without a name",
        row("\tsex\t", "\t\t"),
        "config/datasets/study/samples.tsv: row 1: column '' is not known; own ones start with x_",
    ),
    Case(
        "more fields than columns",
        row("I1\tm2", "I1\tm2\textra"),
        "config/datasets/study/samples.tsv: row 3: 7 fields, but the header has 6",
    ),
    Case(
        "a library twice",
        row("I1\t", "N1\t"),
        "config/datasets/study/samples.tsv: row 3, column library: 'N1' is already in row 2",
    ),
    Case(
        "a library's name with a blank",
        row("I1\t", "I 1\t"),
        "config/datasets/study/samples.tsv: row 3, column library: 'I 1' does not fit; allowed: letters a-z and A-Z, digits, '.', '_' and '-', a letter or digit first, at most 100",
    ),
    Case(
        "a library's name with other letters",
        row("I1\t", "Läsion1\t"),
        "config/datasets/study/samples.tsv: row 3, column library: 'Läsion1' does not fit; allowed: letters a-z and A-Z, digits, '.', '_' and '-', a letter or digit first, at most 100",
    ),
    Case(
        "a library's name that climbs out of the folder",
        row("I1\t", "../I1\t"),
        "config/datasets/study/samples.tsv: row 3, column library: '../I1' does not fit; allowed: letters a-z and A-Z, digits, '.', '_' and '-', a letter or digit first, at most 100",
    ),
    Case(
        "a library without a name",
        row("I1\t", "\t"),
        "config/datasets/study/samples.tsv: row 3, column library: must not be empty",
    ),
    Case(
        "a library's name that Excel has turned into a date (MAR1)",
        row("I1\t", "1-Mar\t"),
        "config/datasets/study/samples.tsv: row 3, column library: '1-Mar' looks like a date that a spreadsheet has made of a name; format the column as text and write the name again",
    ),
    Case(
        "an animal's name that Excel has turned into a date (SEP2)",
        row("m2\t", "02.Sep\t"),
        "config/datasets/study/samples.tsv: row 3, column subject: '02.Sep' looks like a date that a spreadsheet has made of a name; format the column as text and write the name again",
    ),
    Case(
        "a misspelt condition",
        row("injured", "injurd"),
        "config/datasets/study/samples.tsv: row 3, column condition: 'injurd' is not one of naive, sham, contralateral, injured, treated, other; did you mean 'injured'?",
    ),
    Case(
        "a condition that is not one of the sheet's words",
        row("injured", "SNI"),
        "config/datasets/study/samples.tsv: row 3, column condition: 'sni' is not one of naive, sham, contralateral, injured, treated, other; write injured",
    ),
    Case(
        "no condition",
        row("injured", ""),
        "config/datasets/study/samples.tsv: row 3, column condition: empty; needed: one of naive, sham, contralateral, injured, treated, other",
    ),
    Case(
        "a day with its unit",
        row("\t14\t", "\t14 dpi\t"),
        "config/datasets/study/samples.tsv: row 3, column day: '14 dpi' is not a number; write days as a plain number: 14",
    ),
    Case(
        "a day in weeks",
        row("\t14\t", "\t2 weeks\t"),
        "config/datasets/study/samples.tsv: row 3, column day: '2 weeks' is not a number; write days as a plain number: 14",
    ),
    Case(
        "a day in letters and digits",
        row("\t14\t", "\tPOD14\t"),
        "config/datasets/study/samples.tsv: row 3, column day: 'POD14' is not a number; write days as a plain number: 14",
    ),
    Case(
        "a day with a decimal comma",
        row("\t14\t", "\t0,5\t"),
        "config/datasets/study/samples.tsv: row 3, column day: '0,5' is not a number; write days as a plain number, such as 14",
    ),
    Case(
        "a day that Excel has turned into a date",
        row("\t14\t", "\t14-Jan\t"),
        "config/datasets/study/samples.tsv: row 3, column day: '14-Jan' is not a number; write days as a plain number, such as 14",
    ),
    Case(
        "a day that is a calendar date",
        row("\t14\t", "\t2026-01-14\t"),
        "config/datasets/study/samples.tsv: row 3, column day: '2026-01-14' is not a number; write days as a plain number, such as 14",
    ),
    Case(
        "a negative day",
        row("\t14\t", "\t-14\t"),
        "config/datasets/study/samples.tsv: row 3, column day: -14 is too small; must be at least 0",
    ),
    Case(
        "a day that is 'nan'",
        row("\t14\t", "\tnan\t"),
        "config/datasets/study/samples.tsv: row 3, column day: 'nan' is not a number; leave the field empty where it is not known",
    ),
    Case(
        "a day that is 'NA'",
        row("\t14\t", "\tNA\t"),
        "config/datasets/study/samples.tsv: row 3, column day: 'NA' is not a number; leave the field empty where it is not known",
    ),
    Case(
        "a day that is infinite",
        row("\t14\t", "\tinf\t"),
        "config/datasets/study/samples.tsv: row 3, column day: 'inf' is not a number; leave the field empty where it is not known",
    ),
    Case(
        "a day that is a serial date of Excel",
        row("\t14\t", "\t46036\t"),
        "config/datasets/study/samples.tsv: row 3, column day: 46036 is too large; the most is 3650",
    ),
    Case(
        "a sex that is not one of the sheet's words",
        row("\tmale\t", "\tman\t"),
        "config/datasets/study/samples.tsv: row 3, column sex: 'man' is not one of female, male, mixed, ''",
    ),
    Case(
        "one animal on two days",
        row("m2\t", "m1\t"),
        (
            "config/datasets/study/samples.tsv: row 3, column day: 14, but animal 'm1' has 0 in row 2; different animals need different names in the column subject\n"
            "config/datasets/study/samples.tsv: row 3, column sex: male, but animal 'm1' has female in row 2; different animals need different names in the column subject"
        ),
    ),
    Case(
        "no animal in the pool",
        sheet("library\tcondition\tpooled_n\tfile\nN1\tnaive\t0\tN1.csv\n"),
        "config/datasets/study/samples.tsv: row 2, column pooled_n: 0 is too small; must be at least 1",
    ),
    Case(
        "an animal and a half in the pool",
        sheet("library\tcondition\tpooled_n\tfile\nN1\tnaive\t1.5\tN1.csv\n"),
        "config/datasets/study/samples.tsv: row 2, column pooled_n: '1.5'; needed: a whole number",
    ),
    Case(
        "include is neither yes nor no",
        sheet("library\tcondition\tinclude\tfile\nN1\tnaive\tmaybe\tN1.csv\n"),
        "config/datasets/study/samples.tsv: row 2, column include: 'maybe' is not one of yes, no",
    ),
    Case(
        "left out without a reason",
        sheet("library\tcondition\tinclude\tfile\nN1\tnaive\tyes\tN1.csv\nI1\tinjured\tno\tI1.csv\n"),
        "config/datasets/study/samples.tsv: row 3, column reason: empty, but the library is left out; say why",
    ),
    Case(
        "every library left out",
        sheet("library\tcondition\tinclude\treason\tfile\nN1\tnaive\tno\tlost\tN1.csv\n"),
        "config/datasets/study/samples.tsv: every library has include = no",
    ),
    Case(
        "a layout that is not known",
        sheet("library\tcondition\tformat\tfile\nN1\tnaive\t10x\tN1.csv\n"),
        "config/datasets/study/samples.tsv: row 2, column format: '10x' is not one of auto, 10x_mtx, 10x_h5, dense, h5ad, ''; did you mean '10x_h5'?",
    ),
    Case(
        "a file that is not there",
        row("I1.csv", "I2.csv"),
        "config/datasets/study/samples.tsv: row 3, column file: 'data/I2.csv': no such file, folder or file prefix; did you mean 'I1.csv'?",
    ),
    Case("no file", row("I1.csv", ""), "config/datasets/study/samples.tsv: row 3, column file: empty"),
    Case(
        "two libraries, one file, and no rule that takes it apart",
        row("I1.csv", "N1.csv"),
        "config/datasets/study/samples.tsv: row 3, column file: 'N1.csv' is the file of row 2 too; each library has its own, or dataset.yaml says under split: how the cells of one file are assigned to libraries",
    ),
    Case(
        "the same, the file named in two ways",
        row("I1.csv", "./N1.cs"),
        "config/datasets/study/samples.tsv: row 3, column file: './N1.cs' is the file of row 2 too; each library has its own, or dataset.yaml says under split: how the cells of one file are assigned to libraries",
    ),
    Case(
        "a day with an underscore",
        row("\t14", "\t1_4"),
        "config/datasets/study/samples.tsv: row 3, column day: '1_4' is not a number; write days as a plain number, such as 14",
    ),
    Case(
        "two libraries with the same cells of a shared file",
        shared("library\tcondition\tkey\tfile\nN1\tnaive\tS1\tN1.csv\nI1\tinjured\tS1\tN1.csv\n"),
        "config/datasets/study/samples.tsv: row 3, column key: 'S1' of N1.csv is in row 2 already; its cells would count twice",
    ),
    Case("10,000 rows with a unit in every day", ten_thousand, TEN_THOUSAND),
    Case(
        "several mistakes at once",
        sheet(ROWS.replace("naive", "naiv").replace("14", "two weeks").replace("\tmale", "\tM")),
        (
            "config/datasets/study/samples.tsv: row 2, column condition: 'naiv' is not one of naive, sham, contralateral, injured, treated, other; did you mean 'naive'?\n"
            "config/datasets/study/samples.tsv: row 3, column day: 'two weeks' is not a number; write days as a plain number: 14\n"
            "config/datasets/study/samples.tsv: row 3, column sex: 'm' is not one of female, male, mixed, ''; write male"
        ),
    ),
    Case(
        "animals whose names differ in capitals and dashes only",
        sheet(ROWS + "I2\tM-2\t14\tinjured\tmale\tI2.csv\n"),
        "config/datasets/study/samples.tsv: row 4, column subject: 'M-2' looks like 'm2' of row 3; write both alike, or names that differ "
        "in a letter or a number\nconfig/datasets/study/samples.tsv: row 4, column file: 'data/I2.csv': no such file, folder or file "
        "prefix; did you mean 'I1.csv'?",
    ),
    Case(
        "a file whose time lies in the future",
        of_the_future,
        "config/datasets/study/samples.tsv: row 3, column file: 'data/I1.csv' has a time in the future (2100-01-01 12:00); set it to now: "
        "touch 'data/I1.csv'",
    ),
    Case(
        "a column in which two kits differ in capitals only",
        columned("chemistry", "10x v3", "10X V3"),
        "config/datasets/study/samples.tsv: row 3, column chemistry: '10x V3' looks like '10x v3' of row 2; write both alike, or names that "
        "differ in a letter or a number",
    ),
    Case(
        "animals whose names differ in a letter of another alphabet that looks alike",
        columned("subject", "mo1", "m\u043e1"),
        "config/datasets/study/samples.tsv: row 3, column subject: 'm\u043e1' looks like 'mo1' of row 2; write both alike, or names that "
        "differ in a letter or a number",
    ),
    Case(
        "animals whose names differ in a nought before the number",
        columned("subject", "m1", "m01"),
        "config/datasets/study/samples.tsv: row 3, column subject: 'm01' looks like 'm1' of row 2; write both alike, or names that "
        "differ in a letter or a number",
    ),
    Case(
        "batches whose names differ in capitals only",
        columned("batch", "run a", "Run A"),
        "config/datasets/study/samples.tsv: row 3, column batch: 'Run A' looks like 'run a' of row 2; write both alike, or names that "
        "differ in a letter or a number",
    ),
    Case(
        "libraries whose names differ in capitals only, which are one file on some disks",
        row("I1\t", "n1\t"),
        "config/datasets/study/samples.tsv: row 3, column library: 'n1' looks like 'N1' of row 2; write both alike, or names that differ in "
        "a letter or a number",
    ),
    Case(
        "'NA' as the name of an animal",
        row("\tm2\t", "\tNA\t"),
        "config/datasets/study/samples.tsv: row 3, column subject: 'NA' says that the animal is not known; leave the field empty (each "
        "library is then an animal of its own), or give it a name",
    ),
    Case(
        "one animal injured and naive on one day",
        sheet(ROWS.replace("m2\t14\tinjured\tmale", "m1\t0\tinjured\tfemale")),
        "config/datasets/study/samples.tsv: row 3, column condition: injured, but animal 'm1' has naive in row 2; different animals need "
        "different names in the column subject",
    ),
    Case(
        "a library's name of 300 letters",
        row("I1\t", f"{'I' * 300}\t"),
        f"config/datasets/study/samples.tsv: row 3, column library: '{'I' * 40}…{'I' * 39}' does not fit; allowed: letters a-z and A-Z, "
        "digits, '.', '_' and '-', a letter or digit first, at most 100",
    ),
    Case(
        "a day of 400 digits",
        row("\t14\t", f"\t{'9' * 400}\t"),
        f"config/datasets/study/samples.tsv: row 3, column day: '{'9' * 40}…{'9' * 39}' is not a number; leave the field empty where it is "
        "not known",
    ),
    Case(
        "a number with an underscore, which Python reads",
        row("\t14\t", "\t1_0\t"),
        "config/datasets/study/samples.tsv: row 3, column day: '1_0' is not a number; write days as a plain number, such as 14",
    ),
    Case(
        "a hexadecimal number",
        row("\t14\t", "\t0x5\t"),
        "config/datasets/study/samples.tsv: row 3, column day: '0x5' is not a number; write days as a plain number, such as 14",
    ),
    Case(
        "more animals in a pool than there can be",
        columned("pooled_n", "1", "1e300"),
        "config/datasets/study/samples.tsv: row 3, column pooled_n: 1e+300 is too large; the most is 1000",
    ),
    Case(
        "the sheet is a pipe",
        piped("config/datasets/study/samples.tsv"),
        "config/datasets/study/samples.tsv: a pipe or a device, no file",
    ),
    Case(
        "a table of 30,000 cells as the sheet",
        sheet(ROWS.splitlines(keepends=True)[0] + "C\tm\t1\tinjured\tmale\tN1.csv\n" * 30_000),
        "config/datasets/study/samples.tsv: 30,000 rows, but a sheet has one row a library; is it a table of cells?",
    ),
    Case(
        "a file that is the whole disk",
        row("I1.csv", "/"),
        "config/datasets/study/samples.tsv: row 3, column file: '/': a folder of more than 50,000 files; name the folder of this library",
    ),
    Case(
        "a file's name that is too long",
        row("I1.csv", "f" * 300),
        f"config/datasets/study/samples.tsv: row 3, column file: 'data/{'f' * 35}…{'f' * 39}': a name of 300 signs; disks take 255",
    ),
    Case(
        "NUL in a file's name",
        row("I1.csv", "I1\0.csv"),
        "config/datasets/study/samples.tsv: row 3, column file: 'data/I1\\x00.csv': a sign that is not printed ('\\x00'); take it out",
    ),
    Case(
        "a library's file that is a pipe",
        piped("data/I1.csv"),
        "config/datasets/study/samples.tsv: row 3, column file: 'data/I1.csv': a pipe or a device, no file; write it to a file first",
    ),
    Case(
        "a matrix that may not be read",
        locked("data/I1.csv"),
        "config/datasets/study/samples.tsv: row 3, column file: 'data/I1.csv': I1.csv may not be read; ask for the rights (chmod u+r)",
    ),
    Case(
        "a folder that may not be read",
        locked("data"),
        "config/datasets/study/samples.tsv: row 2, column file: 'data/N1.csv': N1.csv may not be read; ask for the rights (chmod u+r)\n"
        "config/datasets/study/samples.tsv: row 3, column file: 'data/I1.csv': I1.csv may not be read; ask for the rights (chmod u+r)",
    ),
    Case(
        "one file under two names, by a hard link",
        hard_link,
        "config/datasets/study/samples.tsv: row 3, column file: 'I1.csv' is the file of row 2 too; each library has its own, or "
        "dataset.yaml says under split: how the cells of one file are assigned to libraries",
    ),
    Case(
        "one file under two spellings",
        row("I1.csv", "./N1.csv"),
        "config/datasets/study/samples.tsv: row 3, column file: './N1.csv' is the file of row 2 too; each library has its own, or "
        "dataset.yaml says under split: how the cells of one file are assigned to libraries",
    ),
    Case(
        "braces in a file's name",
        braced,
        "config/datasets/study/samples.tsv: row 3, column file: 'data/I1{new}.csv': braces in 'I1{new}.csv', which Snakemake takes for "
        "wildcards; rename it",
    ),
    Case(
        "a link to a file that is gone",
        dead_link,
        "config/datasets/study/samples.tsv: row 3, column file: 'data/I1.csv': a link to a file that is not there",
    ),
]
SECTION = Section("The sheet (samples.tsv)", "before any job starts", CASES)
