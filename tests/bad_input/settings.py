"""``dataset.yaml`` and ``config.yaml``."""

from bad_input.lab import ENTRY, Case, Lab, Make, Section, configured, described, entry, piped
from bad_input.runs import configuration


def without(lab: Lab) -> None:
    (lab.root / "config/datasets/study/dataset.yaml").unlink()
    lab.check()


def whole(text: str | bytes) -> Make:
    def make(lab: Lab) -> None:
        lab.file("config/datasets/study/dataset.yaml", text)
        lab.check()

    return make


def bomb(key: str) -> str:
    """Ten lines of which each holds the one before ten times."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
    ]
    return "\n".join([*lines, f"{key}: *j", ""])


def named(name: str) -> Make:
    def make(lab: Lab) -> None:
        (lab.root / "config/datasets/study").rename(lab.root / "config/datasets" / name)
        lab.config = f"datasets: ['{name}']\n"
        lab.check()

    return make


SIMULATED = ENTRY.replace("folder: data\n", "")
ENTRIES = [
    Case("the description is not there", without, "config/datasets/study/dataset.yaml: no such file"),
    Case("an empty description", whole(""), "config/datasets/study/dataset.yaml: should hold 'key: value' lines"),
    Case(
        "not YAML",
        entry("organism: mouse", "organism: [mouse"),
        "config/datasets/study/dataset.yaml: line 3, column 13: not valid YAML (expected ',' or ']', but got ':')",
    ),
    Case(
        "indented with a tab",
        entry("organism: mouse", "\torganism: mouse"),
        "config/datasets/study/dataset.yaml: line 2, column 1: not valid YAML (found character '\\t' that cannot start any token)",
    ),
    Case(
        "a list where keys are asked for",
        whole("- title: A study\n"),
        "config/datasets/study/dataset.yaml: should hold 'key: value' lines",
    ),
    Case(
        "a key twice",
        described("title: Another\n"),
        "config/datasets/study/dataset.yaml: line 7: 'title' is given twice",
    ),
    Case(
        "a key that is a list",
        described("[a, b]: c\n"),
        "config/datasets/study/dataset.yaml: line 7: a list or a mapping cannot be a key",
    ),
    Case(
        "not UTF-8",
        whole(ENTRY.replace("A study", "Étude").encode("latin-1")),
        "config/datasets/study/dataset.yaml: not UTF-8 text",
    ),
    Case(
        "a misspelt key",
        entry("tissue", "tisue"),
        (
            "config/datasets/study/dataset.yaml: 'tisue' is not known; did you mean 'tissue'?\n"
            "config/datasets/study/dataset.yaml: 'tissue' is missing"
        ),
    ),
    Case(
        "a key is missing",
        entry("tissue: lumbar spinal cord\n", ""),
        "config/datasets/study/dataset.yaml: 'tissue' is missing",
    ),
    Case(
        "a key without a value",
        entry("tissue: lumbar spinal cord", "tissue:"),
        "config/datasets/study/dataset.yaml: tissue: empty; needed: a text (in quotes if it looks like a number or a date)",
    ),
    Case(
        "a title that is a date",
        entry("A study", "2026-01-01"),
        "config/datasets/study/dataset.yaml: line 1: '2026-01-01' would be read as a date; put it in quotes",
    ),
    Case(
        "an impossible date",
        entry("A study", "2026-02-31"),
        "config/datasets/study/dataset.yaml: line 1: '2026-02-31' would be read as a date; put it in quotes",
    ),
    Case(
        "a number that YAML reads as octal",
        configuration("datasets: [study]\nseed: 0300\n"),
        "config/config.yaml: line 2: '0300' would be read as the number 192; write that, or put it in quotes",
    ),
    Case(
        "a hexadecimal number",
        configuration("datasets: [study]\nseed: 0x5\n"),
        "config/config.yaml: line 2: '0x5' would be read as the number 5; write that, or put it in quotes",
    ),
    Case(
        "a number with an underscore",
        configuration("datasets: [study]\nseed: 1_0\n"),
        "config/config.yaml: line 2: '1_0' would be read as the number 10; write that, or put it in quotes",
    ),
    Case(
        "a time of day that YAML reads as a number",
        configuration("datasets: [study]\nseed: 10:30\n"),
        "config/config.yaml: line 2: '10:30' would be read as the number 630; write that, or put it in quotes",
    ),
    Case(
        "a number of 5,000 digits",
        entry("A study", "9" * 5000),
        "config/datasets/study/dataset.yaml: line 1: a number of 5000 signs (999999999999…); put it in quotes, if it is a name",
    ),
    Case(
        "a YAML bomb: ten lines that stand for ten thousand million values",
        whole(bomb("title")),
        "config/datasets/study/dataset.yaml: line 2: an alias (*a) stands for other lines; write them out",
    ),
    Case(
        "a YAML bomb in config.yaml",
        configuration("datasets: [study]\n" + bomb("seed")),
        "config/config.yaml: line 3: an alias (*a) stands for other lines; write them out",
    ),
    Case(
        "lists inside each other, 3,000 deep",
        entry("A study", "[" * 3000 + "]" * 3000),
        "config/datasets/study/dataset.yaml: line 1: more than 12 lists or mappings inside each other",
    ),
    Case(
        "a sign that is not printed",
        entry("folder: data", 'folder: "da\\0ta"'),
        "config/datasets/study/dataset.yaml: line 6: a sign that is not printed ('\\x00'); take it out",
    ),
    Case(
        "colours for a terminal in a value",
        entry("mouse", '"\\x85[31mrat"'),
        "config/datasets/study/dataset.yaml: organism: '\\x85[31mrat' is not one of mouse",
    ),
    Case(
        "the folder of a user that there is not",
        entry("folder: data", "folder: ~nobody-here/data"),
        "config/datasets/study/dataset.yaml: folder: '~nobody-here/data': there is no user 'nobody-here' whose folder ~nobody-here could be",
    ),
    Case(
        "a folder's name that is too long",
        entry("folder: data", f"folder: {'d' * 300}"),
        f"config/datasets/study/dataset.yaml: folder: '{'d' * 40}…{'d' * 39}': a name of 300 signs; disks take 255",
    ),
    Case(
        "a path that is too long",
        entry("folder: data", f"folder: {'d/' * 3000}"),
        f"config/datasets/study/dataset.yaml: folder: '{'d/' * 20}…{'/d' * 19}/': a path of 6000 signs; disks take 4000",
    ),
    Case(
        "a description that is a pipe",
        piped("config/datasets/study/dataset.yaml"),
        "config/datasets/study/dataset.yaml: a pipe or a device, no file",
    ),
    Case(
        "another organism",
        entry("mouse", "rat"),
        "config/datasets/study/dataset.yaml: organism: 'rat' is not one of mouse",
    ),
    Case(
        "a misspelt class of injury",
        entry("peripheral_nerve", "peripheral nerve"),
        "config/datasets/study/dataset.yaml: injury_class: 'peripheral nerve' is not one of peripheral_nerve, spinal_cord, inflammation, none, other; did you mean 'peripheral_nerve'?",
    ),
    Case(
        "the folder is not said",
        entry("folder: data\n", ""),
        "config/datasets/study/dataset.yaml: 'folder' is missing: where are the files? (or what is to be fetched: download)",
    ),
    Case(
        "the folder is not there",
        entry("folder: data", "folder: /no/such/folder"),
        "config/datasets/study/dataset.yaml: folder: '/no/such/folder': no such folder",
    ),
    Case(
        "the folder is a file",
        entry("folder: data", "folder: data/N1.csv"),
        "config/datasets/study/dataset.yaml: folder: 'data/N1.csv': a file, no folder",
    ),
    Case(
        "split without a rule",
        described("split: {}\n"),
        "config/datasets/study/dataset.yaml: split: needs pattern or column: how are the cells of one file assigned to libraries?",
    ),
    Case(
        "split by a pattern that is no regular expression",
        described("split: {pattern: '^(?P<library>'}\n"),
        "config/datasets/study/dataset.yaml: split.pattern: not a regular expression (missing ), unterminated subpattern at position 1)",
    ),
    Case(
        "split by a pattern without its group",
        described("split: {pattern: '^D[0-9]+'}\n"),
        "config/datasets/study/dataset.yaml: split.pattern: needs a group named library, such as (?P<library>D[0-9]+)_",
    ),
    Case(
        "split by a table that is not there",
        described("split: {column: sample, metadata: meta.tsv}\n"),
        "config/datasets/study/dataset.yaml: split.metadata: 'data/meta.tsv': no such file",
    ),
    Case(
        "simulated from a folder that is not there",
        whole(SIMULATED + "simulation: {parameters: nowhere, cells_per_library: 600}\n"),
        "config/datasets/study/dataset.yaml: simulation.parameters: 'config/datasets/study/nowhere': no folder with genes.tsv and the other tables of a simulation",
    ),
    Case(
        "simulated with five cells a library",
        whole(SIMULATED + "simulation: {parameters: ., cells_per_library: 5}\n"),
        (
            "config/datasets/study/dataset.yaml: simulation.cells_per_library: 5 is too small; must be at least 20\n"
            "config/datasets/study/dataset.yaml: simulation.parameters: 'config/datasets/study': no folder with genes.tsv and the other tables of a simulation"
        ),
    ),
]
CONFIGURATION = [
    Case("no data set", configured("seed: 1\n"), "config/config.yaml: 'datasets' is missing"),
    Case("an empty list of data sets", configured("datasets: []\n"), "config/config.yaml: datasets: must not be empty"),
    Case(
        "a data set that is not there",
        configured("datasets: [studdy]\n"),
        "config/config.yaml: datasets: 'studdy' has no folder in config/datasets; did you mean 'study'?",
    ),
    Case(
        "a data set that climbs out of the folder",
        configured("datasets: [../../etc]\n"),
        "config/config.yaml: datasets: '../../etc' has no folder in config/datasets; there are: study",
    ),
    Case(
        "a data set twice",
        configured("datasets: [study, study]\n"),
        "config/config.yaml: datasets: 'study' is duplicated",
    ),
    Case(
        "a data set's name with a blank",
        named("my study"),
        "config/datasets/my study: the folder's name may hold letters, digits, '.', '_' and '-' only",
    ),
    Case(
        "a misspelt key",
        configured("datasets: [study]\nsed: 1\n"),
        "config/config.yaml: 'sed' is not known; did you mean 'seed'?",
    ),
    Case(
        "a misspelt key in a section",
        configured("datasets: [study]\ncells: {min_gene: 100}\n"),
        "config/config.yaml: cells: 'min_gene' is not known; did you mean 'min_genes'?",
    ),
    Case(
        "a section without its keys",
        configured("datasets: [study]\ncells:\n"),
        "config/config.yaml: cells: empty; needed: keys with values",
    ),
    Case(
        "a word for a number",
        configured("datasets: [study]\nseed: one\n"),
        "config/config.yaml: seed: 'one'; needed: a whole number",
    ),
    Case(
        "a fraction for a whole number",
        configured("datasets: [study]\nseed: 1.0\n"),
        "config/config.yaml: seed: '1.0'; needed: a whole number",
    ),
    Case(
        "a word for yes or no",
        configured("datasets: [study]\ncells: {doublets: maybe}\n"),
        "config/config.yaml: cells.doublets: 'maybe'; needed: true or false",
    ),
    Case(
        "a percentage for a share",
        configured("datasets: [study]\nrecovery: {quantile: 99}\n"),
        "config/config.yaml: recovery.quantile: 99 is too large; the most is 0.9999",
    ),
    Case(
        "too small a number",
        configured("datasets: [study]\nclusters: {n_pcs: 1}\n"),
        "config/config.yaml: clusters.n_pcs: 1 is too small; must be at least 2",
    ),
    Case(
        "a number that is none",
        configured("datasets: [study]\nrecovery: {quantile: .nan}\n"),
        "config/config.yaml: recovery.quantile: 'nan'; needed: a number",
    ),
    Case(
        "an infinite number",
        configured("datasets: [study]\nclusters: {resolutions: [0.5, .inf]}\n"),
        "config/config.yaml: clusters.resolutions.1: 'inf'; needed: a number",
    ),
    Case(
        "a resolution of nought",
        configured("datasets: [study]\nclusters: {resolutions: [0]}\n"),
        "config/config.yaml: clusters.resolutions.0: 0 is too small; it must be above 0",
    ),
]
SECTIONS = [
    Section("The data set's description (dataset.yaml)", "before any job starts", ENTRIES),
    Section("The settings (config.yaml)", "before any job starts", CONFIGURATION),
]
