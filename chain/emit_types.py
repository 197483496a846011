"""How IDL types are written in Python: annotations, codecs, NumPy dtypes. Pure."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from chain.idl import ConstantDef, Field, Idl, IdlError, Type

NUMPY_FROM = 32
"""Arrays of at least this many scalars or structs are read as NumPy arrays, shorter ones as tuples."""
_SCALAR_SIZE = {
    "bool": 1, "u8": 1, "i8": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4, "f32": 4, "u64": 8, "i64": 8, "f64": 8,
    "u128": 16, "i128": 16, "u256": 32, "i256": 32, "pubkey": 32,
}  # fmt: skip
_DTYPE = {
    "bool": "?", "u8": "u1", "i8": "i1", "u16": "<u2", "i16": "<i2", "u32": "<u4", "i32": "<i4", "f32": "<f4",
    "u64": "<u8", "i64": "<i8", "f64": "<f8",
}  # fmt: skip


class Names:
    """Looks types up by name."""

    def __init__(self, idl: Idl) -> None:
        self.idl = idl

    def size(self, kind: Type) -> int | None:
        """Return the bytes a type takes, None when that varies."""
        if kind.kind in _SCALAR_SIZE:
            return _SCALAR_SIZE[kind.kind]
        if kind.kind == "array":
            assert kind.inner is not None
            inner = self.size(kind.inner)
            return None if inner is None else inner * kind.length
        if kind.kind == "defined":
            return self.size_of(kind.name)
        return None

    def size_of(self, name: str) -> int | None:
        """Return the bytes a named type takes, None when that varies."""
        item = self.idl.types.get(name)
        if item is None:
            raise IdlError(f"type {name} is used but not defined")
        if item.alias is not None:
            return self.size(item.alias)
        if item.kind == "enum":
            return 1 if all(not variant.fields for variant in item.variants) else None
        sizes = [self.size(field.type) for field in item.fields]
        return None if None in sizes else sum(size or 0 for size in sizes)

    def resolve(self, kind: Type) -> Type:
        """Follow aliases."""
        while kind.kind == "defined":
            alias = self.idl.types[kind.name].alias if kind.name in self.idl.types else None
            if alias is None:
                return kind
            kind = alias
        return kind


def class_name(name: str) -> str:
    """Return the Python class of a type."""
    return name


def doc(lines: Iterable[str], indent: int) -> str:
    """Return a docstring."""
    space = " " * indent
    clean = [line.strip().replace("\\", "\\\\").replace('"""', "'''") for line in lines]
    text = f"\n{space}".join(line for line in clean).replace(f"\n{space}\n", "\n\n")
    tail = " " if text.endswith('"') else ""
    if len(clean) > 1:
        return f'{space}"""{text}\n{space}"""'
    return f'{space}"""{text}{tail}"""'


def shape_of(kind: Type, names: Names) -> tuple[Type, tuple[int, ...]]:
    """Return the innermost item of nested arrays and their shape."""
    shape: list[int] = []
    kind = names.resolve(kind)
    while kind.kind == "array":
        assert kind.inner is not None
        shape.append(kind.length)
        kind = names.resolve(kind.inner)
    return kind, tuple(shape)


def is_numpy(kind: Type, names: Names) -> bool:
    """Whether an array is read as a NumPy array."""
    item, shape = shape_of(kind, names)
    count = 1
    for length in shape:
        count *= length
    if not shape or (item.kind == "u8" and len(shape) == 1) or count < NUMPY_FROM:
        return False
    return item_dtype(item, names) is not None


def item_dtype(item: Type, names: Names) -> str | None:
    """Return the dtype expression of a single value, None when NumPy has none for it."""
    if item.kind in _DTYPE:
        return f'"{_DTYPE[item.kind]}"'
    if item.kind in _SCALAR_SIZE:
        return f'("u1", ({_SCALAR_SIZE[item.kind]},))'
    if item.kind != "defined":
        return None
    target = names.idl.types[item.name]
    if target.kind == "enum":
        return '"u1"' if names.size_of(item.name) == 1 else None
    if any(dtype_expr(field.type, names) is None for field in target.fields) or not target.fields:
        return None
    return f"{upper(item.name)}_DTYPE"


def dtype_expr(kind: Type, names: Names) -> str | None:
    """Return what stands after the field name in a structured dtype, None when there is no such dtype."""
    item, shape = shape_of(kind, names)
    base = item_dtype(item, names)
    if base is None or not shape:
        return base
    if base.startswith("("):
        size = _SCALAR_SIZE[item.kind]
        return f'"u1", {(*shape, size)}'
    return f"{base}, {shape}"


def python_type(kind: Type, names: Names) -> str:
    """Return the annotation of a type."""
    kind_name = kind.kind
    if kind_name == "bool":
        return "bool"
    if kind_name in {"f32", "f64"}:
        return "float"
    if kind_name == "pubkey":
        return "Pubkey"
    if kind_name == "string":
        return "str"
    if kind_name == "bytes" or _is_bytes(kind):
        return "bytes"
    if kind_name == "defined":
        return class_name(kind.name)
    if kind_name in _SCALAR_SIZE:
        return "int"
    assert kind.inner is not None
    if kind_name == "option":
        return f"{python_type(kind.inner, names)} | None"
    if kind_name == "array" and is_numpy(kind, names):
        return "NDArray[Any]"
    return f"tuple[{python_type(kind.inner, names)}, ...]"


def _is_bytes(kind: Type) -> bool:
    return kind.kind in {"array", "vec"} and kind.inner is not None and kind.inner.kind == "u8"


def codec_expr(kind: Type, names: Names) -> str:
    """Return the expression that builds the codec of a type."""
    if kind.kind == "pubkey":
        return "c.KEY"
    if kind.kind == "defined":
        alias = names.idl.types[kind.name].alias
        return codec_expr(alias, names) if alias else f"_{class_name(kind.name)}"
    if kind.kind in {"bytes", "string"} or kind.kind in _SCALAR_SIZE:
        return f"c.{kind.kind.upper()}"
    assert kind.inner is not None
    if kind.kind == "option":
        return f"c.Option({codec_expr(kind.inner, names)})"
    if kind.kind == "vec":
        return "c.BYTES" if _is_bytes(kind) else f"c.Vec({codec_expr(kind.inner, names)})"
    if _is_bytes(kind):
        return f"c.FixedBytes({kind.length})"
    if is_numpy(kind, names):
        item, shape = shape_of(kind, names)
        return f"c.NumpyArray({item_dtype(item, names)}, {shape})"
    return f"c.Array({codec_expr(kind.inner, names)}, {kind.length})"


def constant_value(item: ConstantDef) -> str:
    """Return a constant's value as Python source."""
    text = item.value.strip()
    number = re.fullmatch(r"(-?[0-9_]+|0x[0-9a-fA-F_]+)(?:[ui](?:8|16|32|64|128|size))?", text)
    if number:
        return number.group(1)
    if re.fullmatch(r"\[[0-9, ]*\]", text):
        return f"bytes({text})"
    if item.type.kind == "pubkey":
        return f'Pubkey.from_string("{text}")'
    if text in {"true", "false"}:
        return text.capitalize()
    return repr(text.strip('"'))


def dataclass_source(
    name: str, docs: Iterable[str], fields: tuple[Field, ...], names: Names, *, extra: str = "", account: bool = False
) -> str:
    """Return a frozen dataclass with its codec; `extra` are lines for the top of its body."""
    # NumPy arrays compare element by element, which a generated __eq__ cannot use.
    arrays = any("NDArray" in python_type(field.type, names) for field in fields)
    options = "frozen=True, slots=True, kw_only=True" + (", eq=False" if arrays else "")
    lines = [f"@dataclass({options})", f"class {name}:", doc(docs, 4), ""]
    if extra:
        lines += [extra]
    for field in fields:
        default = ""
        if re.match(r"_?(pad|padding|reserved)\d*$", field.name):
            zeros = {"bytes": f" = bytes({field.type.length})", "int": " = 0"}
            default = zeros.get(python_type(field.type, names), "")
        lines.append(f"    {attribute(field.name)}: {python_type(field.type, names)}{default}")
        if field.docs:
            lines.append(doc(field.docs, 4))
    if fields:
        lines.append("")
    lines += [
        "    def encode(self) -> bytes:",
        '        """Return the bytes of this value."""',
        f"        return _{name}.encode(self)",
        "",
        "    @staticmethod",
        f"    def decode(data: bytes, at: int = 0) -> {name}:",
        '        """Read a value at offset `at`; raises `codec.DecodeError`."""',
        f"        return _{name}.decode(data, at)",
    ]
    if account:
        lines += [
            "",
            "    @staticmethod",
            f"    def from_account(data: bytes) -> {name}:",
            '        """Read a whole account, discriminator included; raises `codec.DecodeError`."""',
            f"        return _{name}.decode_account(data, {name}.DISCRIMINATOR)",
        ]
    rows = "".join(f'\n        ("{attribute(field.name)}", {codec_expr(field.type, names)}),' for field in fields)
    lines += ["", "", f"_{name}: c.Struct[{name}] = c.Struct(", f"    {name},", f"    ({rows}", "    ),", ")"]
    return "\n".join(lines)


def upper(name: str) -> str:
    """Return a name in capitals with underscores."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def attribute(name: str) -> str:
    """Return a field name that is no Python keyword."""
    return f"{name}_" if keyword.iskeyword(name) else name
