#!/bin/sh
# CI's step for the programs: rebuild from source and compare with the committed hashes, where Rust is present.
set -eu
cd "$(dirname "$0")/.."
if ! command -v cargo >/dev/null 2>&1 || ! command -v rustup >/dev/null 2>&1; then
  echo "SKIPPED LOUDLY: no cargo or rustup here, so the committed programs were NOT rebuilt and compared"
  exit 0
fi
toolchain=$(sed -n 's/^TOOLCHAIN = "\(.*\)"/\1/p' scripts/build_programs.py)
linker=$(sed -n 's/^LINKER = "\(.*\)"/\1/p' scripts/build_programs.py)
rustup toolchain install "$toolchain" --profile minimal -c rust-src >/dev/null 2>&1
if ! command -v sbpf-linker >/dev/null 2>&1; then
  cargo "+$toolchain" install --quiet sbpf-linker --version "$linker" --locked
fi
scripts/test_rust.sh
make programs
