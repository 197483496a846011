"""Write docs/reference.md: every instruction, event and error of the programs, from the committed IDLs.

python -m scripts.reference            # write it
python -m scripts.reference --check    # fail when it is not up to date
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference.md"
PROGRAMS = ("oracle", "market", "treasury")
_ADDED_BY_EVENTS = {"event_authority", "program"}

HEAD = """# Reference

Every instruction, event and error of the programs, written by `python -m scripts.reference` from the committed
interface files; a test keeps it up to date. How they work together: [programs.md](programs.md). Who may:
[security.md](security.md). What they cost: [compute-units.md](compute-units.md).

In the lists of accounts `s` is a signer, `w` is written, `?` may be left out. Units are in the names: `_e6` is 1e-6,
`_ms` milliseconds, `_unix` and `_s` seconds.
"""


def page() -> str:
    """The page as text."""
    return HEAD + "".join(line + "\n" for program in PROGRAMS for line in _program(program))


def _program(name: str) -> Iterator[str]:
    idl = json.loads((ROOT / "programs" / "artifacts" / f"{name}.json").read_text())
    types = {item["name"]: item for item in idl["types"]}
    yield from ("", f"## {name}", "", "| instruction | what it does | arguments | accounts |", "|---|---|---|---|")
    for item in idl["instructions"]:
        accounts = [_account(a) for a in item["accounts"] if a["name"] not in _ADDED_BY_EVENTS]
        arguments = ", ".join(f"`{a['name']}: {_type(a['type'])}`" for a in item["args"])
        yield f"| `{item['name']}` | {_docs(item)} | {arguments} | {', '.join(accounts)} |"
    if idl.get("events"):
        yield from ("", "| event | when | fields |", "|---|---|---|")
        for item in idl["events"]:
            shape = types[item["name"]]
            fields = ", ".join(f"`{f['name']}: {_type(f['type'])}`" for f in shape["type"]["fields"])
            yield f"| `{item['name']}` | {_docs(shape)} | {fields} |"
    yield from ("", "| code | error | what is wrong and what to do |", "|---|---|---|")
    for item in idl["errors"]:
        yield f"| {item['code']} | `{item['name']}` | {_cell(item['msg'])} |"


def _account(item: dict[str, Any]) -> str:
    flags = "".join(flag for flag, key in (("s", "signer"), ("w", "writable"), ("?", "optional")) if item.get(key))
    return f"`{item['name']}`" + (f" {flags}" if flags else "")


def _docs(item: dict[str, Any]) -> str:
    return _cell(" ".join(item.get("docs", [])))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _type(kind: Any) -> str:
    if isinstance(kind, str):
        return kind
    if "defined" in kind:
        return str(kind["defined"]["name"])
    if "array" in kind:
        return f"[{_type(kind['array'][0])}; {kind['array'][1]}]"
    name, inner = next(iter(kind.items()))
    return f"{name}<{_type(inner)}>"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail when the page is not up to date")
    text = page()
    if parser.parse_args().check:
        if PAGE.read_text() != text:
            print("docs/reference.md is not up to date: run python -m scripts.reference", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
