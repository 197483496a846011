#!/bin/sh
# Rebuild the programs and compare with the committed hashes, where the pinned compiler is installed and they changed.
# CI sets FUTSTAR_BASE to the commit it compares with; without it the last commit counts.
set -eu
cd "$(dirname "$0")/.."
base="${FUTSTAR_BASE:-HEAD~1}"
if git rev-parse -q --verify "$base" >/dev/null && git diff --quiet "$base" -- programs scripts/build_programs.py; then
  echo "programs unchanged since $base"
  exit 0
fi
if ! command -v rustup >/dev/null 2>&1 || ! command -v sbpf-linker >/dev/null 2>&1; then
  echo "programs not rebuilt: rustup or sbpf-linker is missing (docs/programs.md tells how to install them)"
  exit 0
fi
exec scripts/build_programs.sh --check
