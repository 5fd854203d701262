"""Logical types of ODCS 3.2.0 for the physical types of databases.

Takes a type as a database spells it; gives the fields of an ODCS property that it implies: `logicalType`,
`logicalTypeOptions`, and `properties`, `items` or `map` for nested types.
"""

from __future__ import annotations

import re
from typing import Any

_INTEGERS = {
    "tinyint": "i8", "int1": "i8", "smallint": "i16", "int2": "i16", "short": "i16", "integer": "i32",
    "int": "i32", "int4": "i32", "signed": "i32", "bigint": "i64", "int8": "i64", "long": "i64", "hugeint": "i128",
    "int128": "i128", "utinyint": "u8", "usmallint": "u16", "uinteger": "u32", "ubigint": "u64",
    "uhugeint": "u128", "int64": "i64", "int32": "i32", "int16": "i16", "byteint": "i8", "serial": "i32",
    "bigserial": "i64", "byte": "i8", "mediumint": "i32", "smallserial": "i16", "varint": "", "bignum": "",
    "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64", "int256": "", "uint256": "",
}  # fmt: skip
_FLOATS = {
    "double": "f64", "float8": "f64", "double precision": "f64", "float": "f32", "float4": "f32", "real": "f32",
    "float64": "f64", "float32": "f32",
}  # fmt: skip
_DECIMALS = {"decimal", "numeric", "number", "dec", "bignumeric", "bigdecimal", "money", "smallmoney"}
_STRINGS = {
    "varchar", "char", "bpchar", "text", "string", "character varying", "character", "nvarchar", "nchar", "ntext",
    "clob", "uuid", "blob", "bytea", "binary", "varbinary", "json", "jsonb", "variant", "enum", "bit", "interval",
    "inet", "xml", "tinytext", "mediumtext", "longtext", "citext", "name", "geography", "geometry", "bytes",
    "uniqueidentifier", "fixedstring", "super", "hllsketch",
}  # fmt: skip
_FORMATS = {"uuid": "uuid", "uniqueidentifier": "uuid", "blob": "binary", "bytea": "binary", "binary": "binary",
            "varbinary": "binary", "bytes": "binary"}  # fmt: skip
_NESTED = re.compile(r"(struct|row|tuple|map|list|array|nullable|lowcardinality)\s*([(<])", re.IGNORECASE)


def logical_fields(physical: str) -> dict[str, Any]:
    """Return the ODCS fields that a physical type implies; a type nobody knows is a string, as ODCS has no other.

    >>> logical_fields("DECIMAL(18,2)")
    {'logicalType': 'number'}
    >>> logical_fields("INTEGER[]")["items"]["logicalType"]
    'integer'
    """
    # Spaces in quotes belong to a name.
    parts = re.split(r'("(?:[^"]|"")*")', physical)
    text = "".join(part if n % 2 else re.sub(r"\s+", " ", part) for n, part in enumerate(parts)).strip()
    lower = text.lower()
    if _deepest(text) > _DEEPEST:
        return {"logicalType": "string"}
    if array := re.fullmatch(r"(.+?)\s*\[(\d*)\]", text, re.DOTALL):
        fields: dict[str, Any] = {"logicalType": "array"}
        if array[2]:
            fields["logicalTypeOptions"] = {"minItems": int(array[2]), "maxItems": int(array[2])}
        return {**fields, "items": _typed(array[1])}
    if nested := _NESTED.match(text):
        return _nested(nested[1].lower(), _inside(text, nested.end()), text)
    return _unusual(text, lower) or _plain(text, lower)


def _unusual(text: str, lower: str) -> dict[str, Any] | None:
    """Return the fields of vectors, of unsigned integers as MySQL has them, and of ClickHouse's, which count bits."""
    if vector := re.match(r"vector\s*\(\s*(?:[a-z]\w*\s*,\s*)?(\d+)", lower):
        return {"logicalType": "vector", "logicalTypeOptions": {"dimensions": int(vector[1])}}
    if re.search(r"\bunsigned\b", lower):
        words = re.sub(r"\bunsigned\b|\(\d+\)", "", lower).strip()
        return _with_format("integer", _INTEGERS[words].replace("i", "u")) if words in _INTEGERS else None
    if bits := re.fullmatch(r"(U?)Int(8|16|32|64|128|256)", text):
        name = f"{'u' if bits[1] else 'i'}{bits[2]}"
        return _with_format("integer", "" if bits[2] == "256" else name)
    return None


def _plain(text: str, lower: str) -> dict[str, Any]:
    base = re.sub(r"\(.*\)", "", lower).strip()
    base = re.sub(r"\s+", " ", base)
    if base in _INTEGERS:
        return _with_format("integer", _INTEGERS[base])
    if base in _FLOATS:
        return _with_format("number", _FLOATS[base])
    if base in _DECIMALS:
        return {"logicalType": "integer" if base == "number" and _scale(lower) == 0 else "number"}
    if base in ("boolean", "bool", "logical"):
        return {"logicalType": "boolean"}
    if base in ("date", "date32"):
        return {"logicalType": "date"}
    if base.startswith(("timestamp", "datetime", "smalldatetime")):
        zoned = (
            base in ("timestamptz", "timestamp_tz", "timestamp_ltz", "datetimeoffset")
            or "with time zone" in base
        )
        zoned = zoned or "with local time zone" in base
        zone = re.search(r"'([\w/+-]+)'", text) if base.startswith("datetime") else None
        options: dict[str, Any] = {"timezone": zoned or zone is not None}
        if zone:
            options["defaultTimezone"] = zone[1]
        return {"logicalType": "timestamp", "logicalTypeOptions": options}
    if base.startswith("time"):
        zoned = base == "timetz" or "with time zone" in base
        return {"logicalType": "time", "logicalTypeOptions": {"timezone": zoned}}
    if base in ("struct", "object", "row"):
        return {"logicalType": "object"}
    return _string(base, lower)


#: Types nested deeper than this are not taken apart.
_DEEPEST = 20


def _deepest(text: str) -> int:
    depth = deepest = 0
    for char in text:
        depth += (char in "(<[") - (char in ")>]")
        deepest = max(deepest, depth)
    return max(deepest, text.count("[]"))


def is_known(physical: str) -> bool:
    """Say whether a physical type is one of those that databases have, so that its logical type is no guess."""
    text = " ".join(physical.lower().split())
    base = re.sub(r"\s*\(.*\)", "", text).strip()
    known = (*_INTEGERS, *_FLOATS, *_DECIMALS, *_STRINGS, "boolean", "bool", "date", "struct", "row")
    timed = base.startswith(("timestamp", "datetime", "time "))
    return base in known or base == "time" or timed or bool(_NESTED.match(text)) or text.endswith("[]")


def _string(base: str, text: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if base in _FORMATS:
        options["format"] = _FORMATS[base]
    length = re.search(r"\((\d+)\)", text)
    if length and base in _STRINGS and base not in _FORMATS:
        options["maxLength"] = int(length[1])
    return {"logicalType": "string", **({"logicalTypeOptions": options} if options else {})}


def _with_format(logical: str, name: str) -> dict[str, Any]:
    if not name:
        return {"logicalType": logical}
    return {"logicalType": logical, "logicalTypeOptions": {"format": name}}


def _scale(text: str) -> int:
    found = re.search(r"\(\s*\d+\s*,\s*(\d+)\s*\)", text)
    return int(found[1]) if found else (0 if re.search(r"\(\s*\d+\s*\)", text) else -1)


def _typed(physical: str) -> dict[str, Any]:
    return {"physicalType": physical.strip(), **logical_fields(physical)}


def _nested(kind: str, inside: str, text: str) -> dict[str, Any]:
    parts = _split(inside)
    if kind in ("nullable", "lowcardinality"):
        return logical_fields(inside)
    if kind in ("list", "array"):
        return {"logicalType": "array", "items": _typed(inside)}
    if kind == "map" and len(parts) == 2:
        return {"logicalType": "map", "map": {"key": _typed(parts[0]), "value": _typed(parts[1])}}
    properties = []
    for part in parts:
        name = re.match(r'\s*(?:"((?:[^"]|"")*)"|([^\s:]+))\s*:?\s*(.+)', part)
        if not name:
            return {"logicalType": "object" if kind in ("struct", "row", "tuple") else "string"}
        properties.append({"name": name[1] or name[2], **_typed(name[3])})
    return (
        {"logicalType": "object", "properties": properties}
        if text and properties
        else {"logicalType": "object"}
    )


def _inside(text: str, start: int) -> str:
    end = max(text.rfind(")"), text.rfind(">"))
    return text[start : end if end > start else len(text)]


def _split(text: str) -> list[str]:
    """Split at the commas that stand in no bracket and no quotes."""
    parts, depth, quoted, last = [], 0, False, 0
    for at, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif not quoted and char in "(<[":
            depth += 1
        elif not quoted and char in ")>]":
            depth -= 1
        elif not quoted and char == "," and depth == 0:
            parts.append(text[last:at])
            last = at + 1
    parts.append(text[last:])
    return [part.strip() for part in parts if part.strip()]
