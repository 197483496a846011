#!/bin/sh
# Create or refresh a private environment: scripts/bootstrap.sh run|dev|train
# Needs Python 3.11 to 3.13 and nothing else; touches only .tools/, .venv/ and (train) .venv-train/ in this folder.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-run}
venv=.venv
case $kind in
  run) lock=requirements.lock ;;
  dev) lock=requirements-dev.lock ;;
  train) lock=requirements-train.lock venv=.venv-train ;;
  *) echo "bootstrap: unknown kind '$kind': say 'run', 'dev' or 'train'" >&2; exit 2 ;;
esac

fits='import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13)))'
python=
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
  if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c "$fits" 2>/dev/null; then
    python=$(command -v "$candidate")
    break
  fi
done
if [ -z "$python" ]; then
  echo "bootstrap: no Python 3.11, 3.12 or 3.13 on PATH: install one, or name it with PYTHON=/path/to/python3" >&2
  exit 2
fi

want=$(cat "$lock" pyproject.toml | cksum)
stamp=$venv/.futstar-$kind
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && "$venv/bin/python" -c "$fits" 2>/dev/null; then
  exit 0
fi
# The development lock is a superset of the run-time one: never shrink an environment that has it.
if [ "$kind" = run ] && [ -f .venv/.futstar-dev ] && [ "$(cat .venv/.futstar-dev)" = "$(cat requirements-dev.lock pyproject.toml | cksum)" ]; then
  exit 0
fi

if command -v uv >/dev/null 2>&1; then
  uv=uv
else
  uv=.tools/uv/bin/uv
  if ! [ -x "$uv" ]; then
    echo "bootstrap: fetching uv into .tools/"
    # --target is allowed on externally managed Pythons, where a plain install is refused.
    "$python" -m pip install --quiet --disable-pip-version-check --require-hashes \
        --target .tools/uv -r scripts/uv.lock || {
      echo "bootstrap: could not install uv with '$python -m pip': install pip for that Python, or put uv on PATH" >&2
      exit 2
    }
  fi
fi
rm -f "$venv"/.futstar-*
[ -x "$venv/bin/python" ] && "$venv/bin/python" -c "$fits" 2>/dev/null ||
  "$uv" venv --quiet --no-python-downloads --clear --python "$python" "$venv"
echo "bootstrap: installing the locked dependencies ($lock) into $venv/"
VIRTUAL_ENV=$PWD/$venv "$uv" pip sync --quiet --require-hashes "$lock"
VIRTUAL_ENV=$PWD/$venv "$uv" pip install --quiet --no-deps --no-build-isolation --editable .
echo "$want" > "$stamp"
