#!/bin/sh
# Make .venv from the locked dependencies. Needs python3 (any version with venv) and git; brings its own uv.
set -eu
cd "$(dirname "$0")/.."
began=$(date +%s)
said() { echo "setup: $1 ($(($(date +%s) - began)) s)"; }

if ! .tools/bin/uv --version 2>/dev/null | grep -q "$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' envs/uv.txt)"; then
  python3 -m venv --clear .tools
  .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/uv.txt
  said "$(.tools/bin/uv --version) is in .tools"
fi

# pyenv hides the interpreters it holds behind shims that refuse to run; show them to uv, after all others.
for bin in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[23].*/bin; do
  if [ -d "$bin" ]; then PATH="$PATH:$bin"; fi
done

.tools/bin/uv venv --quiet --clear --python "${PYTHON_WANTED:->=3.12,<3.14}" .venv # PYTHON_WANTED=3.12 make setup chooses
said "$(.venv/bin/python --version) is in .venv; the packages come next, some minutes where they must be downloaded"
VIRTUAL_ENV="$PWD/.venv" .tools/bin/uv pip sync --quiet --compile-bytecode --require-hashes envs/lock.txt
said "packages are in .venv; next, what numba compiles is compiled, once"
.venv/bin/python -W ignore scripts/compile_loops.py || said "that failed: the first run compiles what it needs, and takes a minute longer"
touch .venv/.ready
said "$(grep -c '^[a-z].*==' envs/lock.txt) locked packages are in .venv; nothing outside this folder was changed"
