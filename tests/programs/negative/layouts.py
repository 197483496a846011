"""Where every field of every account lies, by the IDL, and the committed table it must agree with.

`python -m tests.programs.negative.layouts` writes the table anew. It refuses to move, shrink or drop a field of an
account that lives longer than a match: fields are appended there, or take reserved bytes.
"""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from chain.clients import market, oracle, treasury
from tests.programs.negative.world import IDLS

TABLE = Path(__file__).with_name("layouts.json")
RUST = Path(__file__).parents[3] / "programs" / "market" / "tests" / "layout.rs"
DISCRIMINATOR = 8
LONG_LIVED = ("oracle.Config", "market.Exchange", "market.Pool", "market.Margin", "treasury.Treasury")
RESERVED = ("_reserved", "_pad")
CLIENTS: dict[str, ModuleType] = {"oracle": oracle, "market": market, "treasury": treasury}

Layout = dict[str, Any]


def constant(name: str) -> str:
    """Return a type's name as a client's constant spells it: `LpRequest` is `LP_REQUEST`."""
    return "".join("_" * (i > 0 and c.isupper()) + c.upper() for i, c in enumerate(name))


def layouts() -> dict[str, Layout]:
    """Return size, discriminator and `[offset, bytes]` of every field of every account a program owns."""
    found: dict[str, Layout] = {}
    for program, parsed in IDLS.items():
        client = CLIENTS[program]
        for name, head in sorted(parsed.accounts.items()):
            if program != "oracle" and name in IDLS["oracle"].accounts:
                continue
            dtype: np.dtype[Any] = getattr(client, f"{constant(name)}_DTYPE")
            fields: Any = dtype.fields
            found[f"{program}.{name}"] = {
                "size": getattr(client, name).SPACE,
                "discriminator": head.hex(),
                "fields": {field: [DISCRIMINATOR + at[1], at[0].itemsize] for field, at in fields.items()},
            }
    return found


def committed() -> dict[str, Layout]:
    """Return the committed table."""
    table: dict[str, Layout] = json.loads(TABLE.read_text())
    return table


def broken(old: dict[str, Layout], new: dict[str, Layout]) -> list[str]:
    """Return what a new table does to accounts that exist already on a chain."""
    found = []
    for name in LONG_LIVED:
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            found += [f"{name} is gone"] if before else []
            continue
        if after["size"] < before["size"] or after["discriminator"] != before["discriminator"]:
            found.append(f"{name} shrank or has another discriminator")
        for field, place in before["fields"].items():
            if after["fields"].get(field) != place and not field.startswith(RESERVED):
                found.append(f"{name}.{field} moved from {place} to {after['fields'].get(field)}")
    return found


def text(table: dict[str, Layout]) -> str:
    """Return the table as it is committed: one account a paragraph, one field a line."""
    return json.dumps(table, indent=1).replace("[\n    ", "[").replace(",\n    ", ", ").replace("\n   ]", "]") + "\n"


HEAD = """\
//! The bytes of every account, frozen. Written by `python -m tests.programs.negative.layouts` from the IDL, and
//! checked here against what the compiler does. Offsets count from behind the 8 bytes of the discriminator.
use core::mem::{offset_of, size_of};

/// Every field of `$type` with its offset, and the size. Pod types have no padding, so no byte is left out.
macro_rules! layout {
    ($test:ident, $type:ident, $size:literal, { $($field:ident: $offset:literal),+ $(,)? }) => {
        #[test]
        fn $test() {
            $(assert_eq!(offset_of!(market::$type, $field), $offset, stringify!($field));)+
            assert_eq!(size_of::<market::$type>(), $size, stringify!($type));
        }
    };
}
"""


def rust(table: dict[str, Layout]) -> str:
    """Return the test of the market's layouts in Rust."""
    parts = [HEAD]
    for name, layout in table.items():
        program, kind = name.split(".")
        if program == "market":
            size, test = layout["size"] - DISCRIMINATOR, constant(kind).lower()
            rows = [f"{field}:~{at[0] - DISCRIMINATOR:_}" for field, at in layout["fields"].items()]
            body = textwrap.fill(", ".join(rows), 112, initial_indent="    ", subsequent_indent="    ").replace(
                "~", " "
            )
            parts.append(f"\nlayout!({test}_is_{size}_bytes, {kind}, {size:_}, {{\n{body},\n}});\n")
    return "".join(parts)


def main() -> int:
    """Write table and Rust test; returns 1 and writes nothing when it would break a long-lived account."""
    new = layouts()
    problems = broken(committed() if TABLE.exists() else {}, new)
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    TABLE.write_text(text(new))
    RUST.parent.mkdir(exist_ok=True)
    RUST.write_text(rust(new))
    return 0


if __name__ == "__main__":
    sys.exit(main())
