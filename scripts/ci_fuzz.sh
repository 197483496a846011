#!/bin/sh
# CI's step for the fuzzer: a bounded run, then every planted bug on one seed where Rust is present.
set -eu
cd "$(dirname "$0")/.."
echo "a bounded run: every instruction must succeed 200 times and no invariant may break"
.venv/bin/python -m tests.fuzz --no-shared --seed 1 --steps "${FUZZ_STEPS:-400000}" --least 200
if ! command -v cargo >/dev/null 2>&1 || ! command -v sbpf-linker >/dev/null 2>&1; then
  echo "SKIPPED LOUDLY: no cargo or sbpf-linker here, so NO BUGS WERE PLANTED and the fuzzer was not put to the proof"
  exit 0
fi
.venv/bin/python -m scripts.mutants --quick
