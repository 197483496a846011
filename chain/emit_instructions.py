"""Instruction builders and address helpers of a client module. Pure."""

from __future__ import annotations

import keyword
from dataclasses import dataclass

from chain.emit_types import Names, attribute, codec_expr, dataclass_source, doc, python_type
from chain.idl import AccountItem, Idl, InstructionDef, Pda, Seed, Type


def args_class(item: InstructionDef) -> str:
    """Return the name of the dataclass of an instruction's arguments."""
    return "".join(part.capitalize() for part in item.name.split("_")) + "Args"


@dataclass(frozen=True)
class _Part:
    """One seed as Python: its expression, and the parameter it needs, if any."""

    expression: str
    parameter: str = ""
    annotation: str = ""
    source: str = ""


def _seed_bytes(name: str, kind: Type) -> str:
    if kind.kind == "pubkey":
        return f"bytes({name})"
    if kind.kind == "string":
        return f"{name}.encode()"
    if kind.kind == "bool":
        return f"bytes([{name}])"
    if kind.kind[0] in "ui" and kind.kind[1:].isdigit():
        signed = ", signed=True" if kind.kind[0] == "i" else ""
        return f'{name}.to_bytes({int(kind.kind[1:]) // 8}, "little"{signed})'
    return name


def _part(seed: Seed, item: InstructionDef, names: Names) -> _Part | None:
    """Return a seed as Python; None when the IDL does not say enough to compute it."""
    if seed.kind == "const":
        return _Part(repr(seed.value))
    head, _, tail = seed.path.partition(".")
    if seed.kind == "arg":
        kind = next((field.type for field in item.args if field.name == head), None)
        source = f"arg:{head}"
    elif not tail:
        return _Part(f"bytes({head})", head, "Pubkey", f"account:{head}")
    else:
        kind = Type("defined", name=seed.account) if seed.account in names.idl.types else None
        source = ""
    for step in tail.split(".") if tail else ():
        fields = names.idl.types[kind.name].fields if kind is not None and kind.kind == "defined" else ()
        kind = next((field.type for field in fields if field.name == step), None)
        source = ""
    if kind is None:
        return None
    parameter = seed.path.replace(".", "_")
    parameter = f"{parameter}_" if keyword.iskeyword(parameter) else parameter
    return _Part(_seed_bytes(parameter, kind), parameter, python_type(kind, names), source)


def _parts(pda: Pda, item: InstructionDef, names: Names) -> list[_Part] | None:
    parts = [_part(seed, item, names) for seed in pda.seeds]
    found = [part for part in parts if part is not None]
    return found if len(found) == len(parts) else None


def _program_of(pda: Pda) -> tuple[str, str]:
    """Return the deriving program as an expression, and the account parameter it needs ('' when fixed)."""
    if pda.program is None:
        return "PROGRAM_ID", ""
    if pda.program.kind == "const":
        return f"Pubkey.from_bytes({pda.program.value!r})", ""
    return pda.program.path, pda.program.path


class _Helpers:
    """Names one helper per way of deriving an address: `pda_feed`, and `pda_feed_close` if a second way exists."""

    def __init__(self, idl: Idl, names: Names) -> None:
        self.sources: dict[str, str] = {}
        self._by_use: dict[tuple[str, str], tuple[str, list[_Part], str]] = {}
        by_text: dict[tuple[str, str], str] = {}
        for item in idl.instructions:
            for account in item.accounts:
                parts = _parts(account.pda, item, names) if account.pda else None
                if account.pda is None or parts is None:
                    continue
                program, program_parameter = _program_of(account.pda)
                body = self._body(account.name, parts, program, program_parameter)
                helper = by_text.get((account.name, body))
                if helper is None:
                    helper = f"pda_{account.name}"
                    if helper in self.sources:
                        helper = f"pda_{account.name}_{item.name}"
                    by_text[(account.name, body)] = helper
                    self.sources[helper] = f"def {helper}{body}"
                self._by_use[(item.name, account.name)] = (helper, parts, program_parameter)

    def _body(self, name: str, parts: list[_Part], program: str, program_parameter: str) -> str:
        parameters = {part.parameter: part.annotation for part in parts if part.parameter}
        if program_parameter:
            parameters[program_parameter] = "Pubkey"
        signature = ", ".join(f"{key}: {value}" for key, value in parameters.items())
        seeds = ", ".join(part.expression for part in parts)
        return (
            f"({signature}) -> tuple[Pubkey, int]:\n"
            f'    """Return the address of `{name}` and its bump."""\n'
            f"    return Pubkey.find_program_address([{seeds}], {program})"
        )

    def use(self, item: InstructionDef, account: AccountItem) -> tuple[str, list[_Part], str] | None:
        return self._by_use.get((item.name, account.name))


def pdas(idl: Idl, names: Names) -> list[str]:
    """Return the address helpers and the constant of the event authority."""
    helpers = _Helpers(idl, names)
    parts = list(helpers.sources.values())
    if "pda_event_authority" in helpers.sources:
        parts.append("EVENT_AUTHORITY, _ = pda_event_authority()")
    return parts


def _default(account: AccountItem) -> str | None:
    if account.address is not None:
        return f'Pubkey.from_string("{account.address}")'
    if account.name == "event_authority" and account.pda is not None:
        return "EVENT_AUTHORITY"
    return "PROGRAM_ID" if account.name == "program" and account.pda is None else None


def instruction(item: InstructionDef, idl: Idl, names: Names) -> str:
    """Return the dataclass of the arguments and the builder of an instruction."""
    helpers = _Helpers(idl, names)
    accounts_by_name = {account.name: account for account in item.accounts}
    argument = {field.name: f"{field.name}_arg" if field.name in accounts_by_name else attribute(field.name)
                for field in item.args}  # fmt: skip
    derived = _derivable(item, helpers)
    required, optional = [], []
    for account in item.accounts:
        default = _default(account)
        if account.optional or account.name in derived:
            optional.append(f"    {account.name}: Pubkey | None = None,")
        elif default is not None:
            optional.append(f"    {account.name}: Pubkey = {default},")
        else:
            required.append(f"    {account.name}: Pubkey,")
    for field in item.args:
        required.append(f"    {argument[field.name]}: {python_type(field.type, names)},")
    args = args_class(item)
    lines = [f"def ix_{item.name}(", "    *,", *required, *optional]
    lines += ["    remaining_accounts: Sequence[AccountMeta] = (),", ") -> Instruction:"]
    lines.append(doc(item.docs or (f"Build `{item.name}`.",), 4))
    for name in derived:
        use = helpers.use(item, accounts_by_name[name])
        assert use is not None
        helper, parts, program_parameter = use
        values: dict[str, str] = {}
        for part in parts:
            if part.parameter:
                head = part.source.partition(":")[2]
                values[part.parameter] = argument[head] if part.source.startswith("arg:") else head
        if program_parameter:
            values[program_parameter] = program_parameter
        call = ", ".join(values.values())
        lines += [f"    if {name} is None:", f"        {name} = {helper}({call})[0]"]
    # No local variables from here on: arguments may be called `accounts` or `data`.
    values_text = ", ".join(f"{attribute(field.name)}={argument[field.name]}" for field in item.args)
    lines += ["    return Instruction(", "        PROGRAM_ID,"]
    lines += [f"        {item.discriminator!r} + {args}({values_text}).encode(),", "        ["]
    for account in item.accounts:
        flags = f"{account.signer}, {account.writable}"
        meta = f"AccountMeta({account.name}, {flags})"
        if account.optional and account.name not in derived:
            meta = f"{meta} if {account.name} else AccountMeta(PROGRAM_ID, False, False)"
        lines.append(f"            {meta},")
    lines += ["            *remaining_accounts,", "        ],", "    )"]
    text = dataclass_source(args, (f"Arguments of `{item.name}`.",), item.args, names)
    if item.returns is not None:
        returned = python_type(item.returns, names)
        lines += ["", "", f"def returned_{item.name}(data: bytes) -> {returned}:"]
        lines.append(f'    """Decode what `{item.name}` returns (the return data of a simulation)."""')
        lines.append(f"    value: {returned} = {codec_expr(item.returns, names)}.read(data, 0)[0]")
        lines.append("    return value")
    return text + "\n\n\n" + "\n".join(lines)


def _derivable(item: InstructionDef, helpers: _Helpers) -> list[str]:
    """Return accounts that follow from other parameters, each after those it needs."""
    accounts = {account.name: account for account in item.accounts}
    pending = [a.name for a in item.accounts if a.pda and _default(a) is None and not a.optional]
    known = set(accounts) - set(pending)
    order: list[str] = []
    progress = True
    while progress:
        progress = False
        for name in list(pending):
            use = helpers.use(item, accounts[name])
            if use is None:
                continue
            _, parts, program_parameter = use
            needs = {part.source for part in parts if part.parameter}
            plain = "" not in needs
            heads = {source.partition(":")[2] for source in needs if source.startswith("account:")}
            heads |= {program_parameter} if program_parameter else set()
            if plain and heads <= known:
                pending.remove(name)
                known.add(name)
                order.append(name)
                progress = True
        if not progress and pending:
            # Something cannot be derived here: the caller gives it, and others may follow from it.
            blocked = next((name for name in pending if helpers.use(item, accounts[name]) is None), None)
            blocked = blocked or next((n for n in pending if _needs_field(helpers.use(item, accounts[n]))), None)
            if blocked is not None:
                pending.remove(blocked)
                known.add(blocked)
                progress = True
    return order


def _needs_field(use: tuple[str, list[_Part], str] | None) -> bool:
    return use is not None and any(part.parameter and not part.source for part in use[1])
