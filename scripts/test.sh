#!/bin/sh
# The test suite as `make test` runs it: two workers; skips say why. `--cov` (make coverage) traces it as well, in twice the time.
set -eu
cd "$(dirname "$0")/.."
export PYTHONDONTWRITEBYTECODE=1
if [ "${1:-}" != --cov ]; then
  # `--dist loadfile` keeps the tests of one file, and so their engines, in one worker.
  exec .venv/bin/python -m pytest -n 2 --dist loadfile -rs "$@"
fi
.venv/bin/coverage erase
.venv/bin/python -m pytest -n 2 --dist loadfile -rs --cov --cov-report=
mkdir -p artifacts
.venv/bin/coverage report --skip-covered >artifacts/coverage.txt
tail -n 3 artifacts/coverage.txt
echo "coverage by file: artifacts/coverage.txt"
.venv/bin/coverage report --fail-under=85 --format=total >/dev/null || {
  echo "coverage is below 85 %: add tests for what is listed in artifacts/coverage.txt" >&2
  exit 1
}
