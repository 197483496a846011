"""`python -m chain.codegen`: write chain/clients/*.py from programs/artifacts/*.json; `--check` only compares."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from chain import emit
from chain.idl import IdlError, parse

_ROOT = Path(__file__).resolve().parent.parent
_INIT = '''"""Generated clients of the programs. Written by `python -m chain.codegen`: do not edit."""

from __future__ import annotations

from solders.pubkey import Pubkey

{imports}from chain.program import Program

PROGRAMS: dict[Pubkey, Program] = {table}
"""Every program this repository has a client for, by its id."""
'''


def sources(idls: dict[str, str]) -> dict[str, str]:
    """Return file name -> source text for IDL texts by program name; raises `IdlError` naming the program."""
    files: dict[str, str] = {}
    names = []
    for name, text in sorted(idls.items()):
        try:
            idl = parse(text)
            files[f"{idl.name}.py"] = emit.module(idl)
        except IdlError as error:
            raise IdlError(f"{name}: {error}") from None
        names.append(idl.name)
    imports = f"from chain.clients import {', '.join(names)}\n" if names else ""
    rows = "".join(f"    {name}.PROGRAM_ID: {name}.PROGRAM,\n" for name in names)
    table = "{\n" + rows + "}" if rows else "{}"
    files["__init__.py"] = _INIT.format(imports=imports, table=table)
    return files


def read_idls(folder: Path) -> dict[str, str]:
    """Return the IDL texts of a folder by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json"))}


def differences(files: dict[str, str], out: Path) -> list[str]:
    """Return one line per generated file that is missing, stale or left over in `out`."""
    found = []
    for name, text in files.items():
        path = out / name
        if not path.exists():
            found.append(f"{path}: missing")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"{path}: differs from its IDL")
    found += [f"{path}: has no IDL any more" for path in sorted(out.glob("*.py")) if path.name not in files]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Generate or check; return 0 when the clients are (now) current, 1 when --check found differences."""
    parser = argparse.ArgumentParser(prog="python -m chain.codegen", description=__doc__)
    parser.add_argument("--idl", type=Path, default=_ROOT / "programs" / "artifacts", help="folder with the IDL files")
    parser.add_argument("--out", type=Path, default=_ROOT / "chain" / "clients", help="folder for the clients")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a client is not current")
    options = parser.parse_args(arguments)
    try:
        files = sources(read_idls(options.idl))
    except (IdlError, OSError) as error:
        print(f"codegen: {error}", file=sys.stderr)
        return 1
    stale = differences(files, options.out)
    if options.check:
        for line in stale:
            print(f"codegen: {line}; run `python -m chain.codegen`", file=sys.stderr)
        return 1 if stale else 0
    options.out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (options.out / name).write_text(text, encoding="utf-8")
    for path in options.out.glob("*.py"):
        if path.name not in files:
            path.unlink()
    print(f"codegen: {len(files) - 1} clients, {len(stale)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
