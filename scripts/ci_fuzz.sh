#!/bin/sh
# CI's step for the fuzzer: a bounded run, and beside it every planted bug on one seed where Rust is present.
set -eu
cd "$(dirname "$0")/.."
mkdir -p artifacts
echo "a bounded run: every instruction must succeed 200 times and no invariant may break"
.venv/bin/python -m tests.fuzz --no-shared --seed 1 --steps "${FUZZ_STEPS:-400000}" --least 200 >artifacts/fuzz.txt 2>&1 &
run=$!
planted=0
if command -v cargo >/dev/null 2>&1 && command -v sbpf-linker >/dev/null 2>&1; then
  .venv/bin/python -m scripts.mutants --quick || planted=1
else
  echo "SKIPPED LOUDLY: no cargo or sbpf-linker here, so NO BUGS WERE PLANTED and the fuzzer was not put to the proof"
fi
clean=0
wait "$run" || clean=1
cat artifacts/fuzz.txt
[ "$planted" = 0 ] || echo "the fuzzer missed planted bugs: see above" >&2
[ "$clean" = 0 ] || echo "the bounded run failed: see above" >&2
exit $((planted | clean))
