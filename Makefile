# Every recipe is a line or two that you can run by hand.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long test-slurm snapshot mutants accuracy scale bad-input-page output-page config-schema page screenshots site check format lock

help: ## list what there is
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 16

setup: .venv/.ready ## make the environment in .venv (only if something changed)

.venv/.ready: envs/lock.txt envs/uv.txt envs/setup.sh
	sh envs/setup.sh

demo: setup ## run the main job on the simulated demo and say which page to open
	.venv/bin/snakemake --cores all --config 'datasets=[demo]'

test: check ## check the code, then run the tests, a few at once
	.venv/bin/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-long: setup ## run the tests that take minutes
	.venv/bin/python -m pytest -m 'long and not slurm'

test-slurm: setup ## run the pipeline on the Slurm of this machine (as root on Debian, tests/slurm/start.sh starts one; six minutes)
	.venv/bin/python -m pytest -m slurm

snapshot: setup ## run the demo and two real sets, and name the results that differ from the stored ones (minutes)
	.venv/bin/python tests/snapshot.py

mutants: setup ## change the code in 60 small ways and say which of them the unit tests do not notice (a quarter of an hour)
	.venv/bin/python benchmarks/mutation.py recovery timeline --sample 60

accuracy: setup ## measure accuracy on simulated data with known truth, beside what others do (half an hour)
	.venv/bin/python benchmarks/accuracy/run.py --docs

scale: setup ## measure time and memory by number of cells beside stock scanpy, for docs/performance.md (half an hour)
	.venv/bin/python benchmarks/scale.py --cells 10000 100000 --candidates --docs

bad-input-page: setup ## write docs/bad-input.md from the list that its tests run over
	PYTHONPATH=tests:scripts .venv/bin/python -m bad_input.page

output-page: setup ## write the tables of docs/output.md from their descriptions in core/tables
	PYTHONPATH=tests:scripts .venv/bin/python -m output_page

config-schema: setup ## write workflow/schemas/config.yaml from the classes of settings
	PYTHONPATH=tests:scripts .venv/bin/python -m config_schema

page: setup ## measure the page of 100,000 cells in a browser: size, time to open (minutes)
	.venv/bin/python benchmarks/page.py --docs

screenshots: setup ## pictures of every section of the pages in results/, for phone and desk, and as PDF
	.venv/bin/python tests/browser/screenshots.py results/index.html results/*/report.html --pdf

site: .venv-docs/.ready ## build the documentation's site into site/, without the network; warnings and dead links are errors
	NO_MKDOCS_2_WARNING=1 COLUMNS=100 .venv-docs/bin/mkdocs build --strict --quiet

.venv-docs/.ready: envs/docs.txt .venv/.ready
	.tools/bin/uv venv --quiet --clear --python .venv/bin/python .venv-docs
	VIRTUAL_ENV=.venv-docs .tools/bin/uv pip sync --quiet --require-hashes envs/docs.txt
	touch .venv-docs/.ready

check: setup ## style, types and workflow lint
	.venv/bin/python scripts/check.py

format: setup ## put every file into the house style
	.venv/bin/ruff format . && .venv/bin/ruff check --fix . && .venv/bin/snakefmt Snakefile workflow

lock: setup ## resolve the dependencies anew
	.tools/bin/uv pip compile --group pyproject.toml:docs --universal --python-version 3.12 --generate-hashes --upgrade --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' --output-file envs/docs.txt
	.tools/bin/uv pip compile pyproject.toml --extra dev --extra slurm --universal --python-version 3.12 --generate-hashes --upgrade --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' --output-file envs/lock.txt
