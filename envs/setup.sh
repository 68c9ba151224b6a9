#!/bin/sh
# Make .venv from the locked dependencies. Needs python3 (any version with venv) and git; brings its own uv.
set -eu
cd "$(dirname "$0")/.."

if ! .tools/bin/uv --version 2>/dev/null | grep -q "$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' envs/uv.txt)"; then
  python3 -m venv --clear .tools
  .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/uv.txt
fi

# pyenv hides the interpreters it holds behind shims that refuse to run; show them to uv, after all others.
for bin in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[23].*/bin; do
  if [ -d "$bin" ]; then PATH="$PATH:$bin"; fi
done

.tools/bin/uv venv --quiet --clear --python '>=3.12,<3.14' .venv
VIRTUAL_ENV="$PWD/.venv" .tools/bin/uv pip sync --quiet --compile-bytecode --require-hashes envs/lock.txt
touch .venv/.ready
