#!/bin/sh
# Renew the hashed locks from pyproject.toml. They name no registry host: each user's own index is used.
set -eu
cd "$(dirname "$0")/.."
uv=$(command -v uv || echo .tools/uv/bin/uv)
compile="$uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11"
$compile --extra link --extra dev pyproject.toml -o requirements-dev.lock "$@"
$compile --extra link pyproject.toml -c requirements-dev.lock -o requirements.lock "$@"
$compile --extra link --extra train pyproject.toml -c requirements-dev.lock -o requirements-train.lock "$@"
echo 'uv==0.13.8' | $compile --no-annotate - -o scripts/uv.lock
