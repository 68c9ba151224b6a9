"""The page over all data sets of which a run left its answer, also those of earlier runs."""

from pathlib import Path

from recovery_microglia.jobs.log import reporting

with reporting(snakemake.log[0]):
    from recovery_microglia.comparison.meta_analysis import compare, of_dataset
    from recovery_microglia.report import load_answer, write_index

    # besides its inputs the job reads what earlier runs of other data sets left: the page is over all that is finished
    finished = sorted(Path("results").glob("*/report.html"))
    own = {Path(path).parent for path in snakemake.input.summaries}
    folders = sorted(own | {page.parent for page in finished if (page.parent / "summary.json").is_file()})
    answers = [load_answer(folder) for folder in folders]
    rows = [row for one in answers for row in of_dataset(one.summary, one.table("timeline"))]
    write_index(answers, Path(snakemake.output[0]), *compare(rows))
