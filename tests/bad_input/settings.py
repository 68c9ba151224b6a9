"""``dataset.yaml`` and ``config.yaml``."""

from bad_input.lab import ENTRY, Case, Section, configured, described, entry


def without(lab):
    (lab.root / "config/datasets/study/dataset.yaml").unlink()
    lab.check()


def whole(text):
    def make(lab):
        lab.file("config/datasets/study/dataset.yaml", text)
        lab.check()

    return make


def named(name):
    def make(lab):
        (lab.root / "config/datasets/study").rename(lab.root / "config/datasets" / name)
        lab.config = f"datasets: ['{name}']\n"
        lab.check()

    return make


SIMULATED = ENTRY.replace("folder: data\n", "")
ENTRIES = [
    Case("the description is not there", without, SAY),
    Case("an empty description", whole(""), SAY),
    Case("not YAML", entry("organism: mouse", "organism: [mouse"), SAY),
    Case("indented with a tab", entry("organism: mouse", "\torganism: mouse"), SAY),
    Case("a list where keys are asked for", whole("- title: A study\n"), SAY),
    Case("a key twice", described("title: Another\n"), SAY),
    Case("a key that is a list", described("[a, b]: c\n"), SAY),
    Case("not UTF-8", whole(ENTRY.replace("A study", "Étude").encode("latin-1")), SAY),
    Case("a misspelt key", entry("tissue", "tisue"), SAY),
    Case("a key is missing", entry("tissue: lumbar spinal cord\n", ""), SAY),
    Case("a key without a value", entry("tissue: lumbar spinal cord", "tissue:"), SAY),
    Case("a title that is a date", entry("A study", "2026-01-01"), SAY),
    Case("another organism", entry("mouse", "rat"), SAY),
    Case("a misspelt class of injury", entry("peripheral_nerve", "peripheral nerve"), SAY),
    Case("the folder is not said", entry("folder: data\n", ""), SAY),
    Case("the folder is not there", entry("folder: data", "folder: /no/such/folder"), SAY),
    Case("the folder is a file", entry("folder: data", "folder: data/N1.csv"), SAY),
    Case("split without a rule", described("split: {}\n"), SAY),
    Case("split by a pattern that is no regular expression", described("split: {pattern: '^(?P<library>'}\n"), SAY),
    Case("split by a pattern without its group", described("split: {pattern: '^D[0-9]+'}\n"), SAY),
    Case("split by a table that is not there", described("split: {column: sample, metadata: meta.tsv}\n"), SAY),
    Case("simulated from a folder that is not there", whole(SIMULATED + "simulation: {parameters: nowhere, cells_per_library: 600}\n"), SAY),
    Case("simulated with five cells a library", whole(SIMULATED + "simulation: {parameters: ., cells_per_library: 5}\n"), SAY),
]
CONFIGURATION = [
    Case("no data set", configured("seed: 1\n"), SAY),
    Case("an empty list of data sets", configured("datasets: []\n"), SAY),
    Case("a data set that is not there", configured("datasets: [studdy]\n"), SAY),
    Case("a data set that climbs out of the folder", configured("datasets: [../../etc]\n"), SAY),
    Case("a data set twice", configured("datasets: [study, study]\n"), SAY),
    Case("a data set's name with a blank", named("my study"), SAY),
    Case("a misspelt key", configured("datasets: [study]\nsed: 1\n"), SAY),
    Case("a misspelt key in a section", configured("datasets: [study]\ncells: {min_gene: 100}\n"), SAY),
    Case("a section without its keys", configured("datasets: [study]\ncells:\n"), SAY),
    Case("a word for a number", configured("datasets: [study]\nseed: one\n"), SAY),
    Case("a fraction for a whole number", configured("datasets: [study]\nseed: 1.0\n"), SAY),
    Case("a word for yes or no", configured("datasets: [study]\ncells: {doublets: maybe}\n"), SAY),
    Case("a percentage for a share", configured("datasets: [study]\nrecovery: {quantile: 99}\n"), SAY),
    Case("too small a number", configured("datasets: [study]\nclusters: {n_pcs: 1}\n"), SAY),
    Case("a number that is none", configured("datasets: [study]\nrecovery: {quantile: .nan}\n"), SAY),
    Case("an infinite number", configured("datasets: [study]\nclusters: {resolutions: [0.5, .inf]}\n"), SAY),
    Case("a resolution of nought", configured("datasets: [study]\nclusters: {resolutions: [0]}\n"), SAY),
]
SECTIONS = [
    Section("The data set's description (dataset.yaml)", "before any job starts", ENTRIES),
    Section("The settings (config.yaml)", "before any job starts", CONFIGURATION),
]
