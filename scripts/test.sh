#!/bin/sh
# The test suite as `make test` runs it: two workers, coverage of the parent and of every child process.
set -eu
cd "$(dirname "$0")/.."
export PYTHONDONTWRITEBYTECODE=1
.venv/bin/coverage erase
# `--dist loadfile` keeps the tests of one file, and so their engines, in one worker.
.venv/bin/python -m pytest -n 2 --dist loadfile --cov --cov-report= "$@"
.venv/bin/coverage report --skip-covered --fail-under=85 | tail -n 40
