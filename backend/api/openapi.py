"""`python -m backend.api.openapi`: write docs/openapi.json from the routes; `--check` only compares."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from backend.api.app import create_app

TARGET = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def document() -> bytes:
    """The OpenAPI document, always the same bytes for the same routes."""
    return orjson.dumps(create_app().openapi(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or compare; 1 when the file is not what the routes say."""
    parser = argparse.ArgumentParser(prog="python -m backend.api.openapi", description="Write docs/openapi.json.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    if parser.parse_args(arguments).check:
        if TARGET.read_bytes() == document():
            return 0
        print(f"{TARGET.name} is out of date: run python -m backend.api.openapi", file=sys.stderr)
        return 1
    TARGET.write_bytes(document())
    return 0


if __name__ == "__main__":
    sys.exit(main())
