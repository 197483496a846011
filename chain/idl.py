"""Anchor IDL (spec 0.1.0, Anchor >= 0.30) as typed, checked data. Pure: text in, `Idl` out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

SPEC = "0.1.0"
_INTEGERS = ("u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "u128", "i128", "u256", "i256")
SCALARS = frozenset((*_INTEGERS, "bool", "f32", "f64", "bytes", "string", "pubkey"))


class IdlError(ValueError):
    """The IDL is not what the specification says; the message names the place."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type: `kind` is a scalar's name, or `option`, `vec`, `array`, `defined`."""

    kind: str
    inner: Type | None = None
    length: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A named field or argument; tuple fields are named `field_0`, `field_1`, ..."""

    name: str
    type: Type
    docs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant of an enum."""

    name: str
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class TypeDef:
    """A struct, enum or alias. `zero_copy` says that it is laid out in memory, not serialised by Borsh."""

    name: str
    kind: str
    docs: tuple[str, ...]
    zero_copy: bool
    fields: tuple[Field, ...] = ()
    variants: tuple[Variant, ...] = ()
    alias: Type | None = None


@dataclass(frozen=True, slots=True)
class Seed:
    """One seed of an address: `const` bytes, an `arg`, or an `account` (or a field of one: `order.client_id`)."""

    kind: str
    value: bytes = b""
    path: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Pda:
    """How an address is derived; `program` None means the program of the IDL."""

    seeds: tuple[Seed, ...]
    program: Seed | None = None


@dataclass(frozen=True, slots=True)
class AccountItem:
    """One account of an instruction."""

    name: str
    docs: tuple[str, ...]
    writable: bool
    signer: bool
    optional: bool
    address: str | None
    pda: Pda | None


@dataclass(frozen=True, slots=True)
class InstructionDef:
    """One instruction; composite account groups are flattened."""

    name: str
    docs: tuple[str, ...]
    discriminator: bytes
    accounts: tuple[AccountItem, ...]
    args: tuple[Field, ...]
    returns: Type | None


@dataclass(frozen=True, slots=True)
class ErrorDef:
    """One custom error."""

    code: int
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class ConstantDef:
    """One constant; `value` is Rust source text."""

    name: str
    type: Type
    value: str
    docs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Idl:
    """A whole program. `accounts` and `events` map type names to discriminators."""

    address: str
    name: str
    version: str
    docs: tuple[str, ...]
    instructions: tuple[InstructionDef, ...]
    accounts: dict[str, bytes]
    events: dict[str, bytes]
    errors: tuple[ErrorDef, ...]
    types: dict[str, TypeDef]
    constants: tuple[ConstantDef, ...]


def short(name: str) -> str:
    """Return the last segment of a path such as `oracle::state::Feed`."""
    return name.rsplit("::", 1)[-1]


def parse(text: str) -> Idl:
    """Parse and check an IDL; raises `IdlError`."""
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise IdlError(f"not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise IdlError("an IDL is a JSON object")
    try:
        return _idl(raw)
    except (KeyError, TypeError, AttributeError) as error:
        raise IdlError(f"missing or malformed entry: {error!r}") from error


def _idl(raw: dict[str, Any]) -> Idl:
    metadata = raw["metadata"]
    if metadata.get("spec") != SPEC:
        raise IdlError(f"metadata.spec is {metadata.get('spec')!r}; only {SPEC} is understood")
    types = {short(item["name"]): _type_def(item) for item in raw.get("types", [])}
    idl = Idl(
        address=_address(raw["address"], "address"),
        name=metadata["name"],
        version=metadata["version"],
        docs=tuple(raw.get("docs", ())),
        instructions=tuple(_instruction(item) for item in raw["instructions"]),
        accounts={short(item["name"]): _discriminator(item) for item in raw.get("accounts", [])},
        events={short(item["name"]): _discriminator(item) for item in raw.get("events", [])},
        errors=tuple(ErrorDef(int(item["code"]), item["name"], item.get("msg", "")) for item in raw.get("errors", [])),
        types=types,
        constants=tuple(
            ConstantDef(item["name"], _type(item["type"]), item["value"], tuple(item.get("docs", ())))
            for item in raw.get("constants", [])
        ),
    )
    for name in (*idl.accounts, *idl.events):
        if name not in types:
            raise IdlError(f"{name} has a discriminator but no type")
    return idl


def _address(text: Any, where: str) -> str:
    try:
        return str(Pubkey.from_string(text))
    except (TypeError, ValueError):
        raise IdlError(f"{where}: {text!r} is not an address") from None


def _discriminator(item: dict[str, Any]) -> bytes:
    value = item.get("discriminator")
    if not isinstance(value, list) or not value:
        raise IdlError(f"{item['name']}: no discriminator (an IDL from before Anchor 0.30?)")
    return bytes(value)


def _type(raw: Any) -> Type:
    if isinstance(raw, str):
        if raw not in SCALARS:
            raise IdlError(f"unknown type {raw!r}")
        return Type(raw)
    if isinstance(raw, dict) and len(raw) == 1:
        ((kind, value),) = raw.items()
        if kind in {"option", "vec"}:
            return Type(kind, _type(value))
        if kind == "array" and isinstance(value[1], int):
            return Type(kind, _type(value[0]), value[1])
        if kind == "defined" and not value.get("generics"):
            return Type(kind, name=short(value["name"]))
    raise IdlError(f"unsupported type {raw!r}")


def _fields(raw: Any) -> tuple[Field, ...]:
    fields = []
    for index, item in enumerate(raw or ()):
        if isinstance(item, dict) and "name" in item and "type" in item:
            fields.append(Field(item["name"], _type(item["type"]), tuple(item.get("docs", ()))))
        else:
            fields.append(Field(f"field_{index}", _type(item)))
    return tuple(fields)


def _type_def(raw: dict[str, Any]) -> TypeDef:
    name, body = short(raw["name"]), raw["type"]
    if raw.get("generics"):
        raise IdlError(f"{name}: generic types are not supported")
    kind, docs = body["kind"], tuple(raw.get("docs", ()))
    zero_copy = raw.get("serialization", "borsh") in {"bytemuck", "bytemuckunsafe"}
    if kind == "struct":
        return TypeDef(name, kind, docs, zero_copy, fields=_fields(body.get("fields")))
    if kind == "enum":
        variants = tuple(Variant(item["name"], _fields(item.get("fields"))) for item in body["variants"])
        return TypeDef(name, kind, docs, zero_copy, variants=variants)
    if kind == "type":
        return TypeDef(name, kind, docs, zero_copy, alias=_type(body["alias"]))
    raise IdlError(f"{name}: unknown kind {kind!r}")


def _seed(raw: dict[str, Any]) -> Seed:
    kind = raw["kind"]
    if kind == "const":
        return Seed(kind, value=bytes(raw["value"]))
    if kind in {"arg", "account"}:
        return Seed(kind, path=raw["path"], account=short(raw.get("account", "")))
    raise IdlError(f"unknown seed kind {kind!r}")


def _account_items(raw: list[dict[str, Any]]) -> list[AccountItem]:
    found: list[AccountItem] = []
    for item in raw:
        if "accounts" in item:
            found += _account_items(item["accounts"])
            continue
        pda = item.get("pda")
        address = item.get("address")
        found.append(
            AccountItem(
                name=item["name"],
                docs=tuple(item.get("docs", ())),
                writable=bool(item.get("writable", False)),
                signer=bool(item.get("signer", False)),
                optional=bool(item.get("optional", False)),
                address=_address(address, item["name"]) if address else None,
                pda=Pda(
                    tuple(_seed(seed) for seed in pda["seeds"]), _seed(pda["program"]) if pda.get("program") else None
                )
                if pda
                else None,
            )
        )
    return found


def _instruction(raw: dict[str, Any]) -> InstructionDef:
    accounts = tuple(_account_items(raw["accounts"]))
    names = [item.name for item in accounts]
    if len(set(names)) != len(names):
        raise IdlError(f"{raw['name']}: two accounts have the same name")
    return InstructionDef(
        name=raw["name"],
        docs=tuple(raw.get("docs", ())),
        discriminator=_discriminator(raw),
        accounts=accounts,
        args=_fields(raw.get("args")),
        returns=_type(raw["returns"]) if raw.get("returns") else None,
    )
