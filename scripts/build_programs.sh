#!/bin/sh
# Build the on-chain programs and their IDL; see `scripts/build_programs.sh --help`.
exec python3 "$(dirname "$0")/build_programs.py" "$@"
