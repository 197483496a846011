#!/bin/sh
# Run the programs' own tests on the host with the pinned compiler: model, oracle, market, treasury.
set -eu
cd "$(dirname "$0")/../programs"
toolchain=$(sed -n 's/^TOOLCHAIN = "\(.*\)"/\1/p' ../scripts/build_programs.py)
exec cargo "+$toolchain" test --quiet --locked -p model -p oracle -p market -p treasury "$@"
