#!/bin/sh
# Write the lock files anew from pyproject.toml. Every entry carries hashes; no line names an index.
set -eu
uv="${UV:-.venv/bin/uv}"
compile() { "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate "$@"; }
compile pyproject.toml --group build -o requirements/run.lock
compile pyproject.toml --group build --group dev -c requirements/run.lock -o requirements/dev.lock
printf 'uv==0.13.9\n' | compile - -o requirements/bootstrap.lock
