"""What a block of ODCS needs beyond the kinds of its fields: types, options, servers, and what may be filled in.

Takes a block before it is fitted; changes it in place and gives the fields that are allowed in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from factory.odcs.convert.fields import (
    FIELDS,
    LOGICAL_TYPES,
    OPTIONS,
    SERVER_FIELDS,
    SERVER_REQUIRED,
    Kind,
)
from factory.odcs.convert.notes import Block, camel
from factory.odcs.convert.rules import prepare_rule
from factory.odcs.convert.values import UNFIT, fitted
from factory.odcs.types import logical_fields

if TYPE_CHECKING:
    from factory.odcs.convert.fit import Fitter

_SERVER_NAMES = {
    "mssql": "sqlserver", "microsoft sql server": "sqlserver", "sql server": "sqlserver", "sql_server": "sqlserver",
    "big query": "bigquery", "gcp bigquery": "bigquery", "google bigquery": "bigquery", "amazon redshift": "redshift",
    "aws redshift": "redshift", "aws s3": "s3", "amazon s3": "s3", "file": "local", "pub/sub": "pubsub",
    "cloud sql": "cloudsql", "aws glue": "glue", "amazon athena": "athena", "aws athena": "athena",
    "adls": "azure", "pgsql": "postgres", "ibm db2": "db2", "sap hana": "hana",
}  # fmt: skip

# Names of types that neither ODCS nor a database has.
_TYPE_NAMES = {
    "plain text": "string", "str": "string", "alphanumeric": "string", "date & time": "timestamp",
    "date and time": "timestamp", "date/time": "timestamp", "timestampz": "timestamp", "instant": "timestamp",
    "floating timestamp": "timestamp", "fixed timestamp": "timestamp", "whole number": "integer",
    "decimal number": "number", "percent": "number", "currency": "number", "amount": "number", "flag": "boolean",
    "checkbox": "boolean", "record": "object", "dict": "object", "list": "array", "repeated": "array",
}  # fmt: skip

_STANDARD_LINKS = (
    "businessDefinition", "transformationImplementation", "videoTutorial", "tutorial", "implementation",
    "canonicalUrl",
)  # fmt: skip


def prepare(fitter: Fitter, kind: str, block: Block) -> dict[str, Kind]:
    """Bring a block into the standard's shape as far as its fields depend on each other; return the fields."""
    fields = FIELDS[kind]
    if kind in ("column", "item"):
        return _column(fitter, block, fields)
    if kind == "server":
        return _server(fitter, block, fields)
    if kind == "rule":
        return prepare_rule(fitter, block, fields)
    if kind == "definition":
        spelled = camel(str(block.get("type")))
        if spelled in _STANDARD_LINKS:
            block["type"] = spelled
    if kind == "link" and isinstance(block.get("from"), list) != isinstance(block.get("to"), list):
        for end in ("from", "to"):
            block[end] = block[end] if isinstance(block.get(end), list) else [block.get(end)]
    return fields


def fill(fitter: Fitter, kind: str, name: str, result: dict[str, Any], block: Block) -> bool:
    """Fill in what is required and missing, where that invents nothing; return whether that was possible."""
    if kind in ("table", "column"):
        number = next((part for part in reversed(block.path) if isinstance(part, int)), 0)
        result[name] = result.get("physicalName") or result.get("businessName") or f"{kind}_{number + 1}"
        fitter.notes.tell(block.path, f"a {kind} without a name is called {result[name]}")
    elif kind in ("level", "custom") and name == "value":
        result[name] = None
    elif kind == "server" and name == "server":
        result[name] = str(result.get("type"))
        fitter.notes.tell(block.path, f"a server without a name is called {result[name]}")
    elif kind == "support" and isinstance(result.get("url"), str):
        result[name] = result["url"]
    elif kind == "member" and isinstance(result.get("name"), str):
        result[name] = result["name"]
        fitter.notes.tell(block.path, f"a member without a username goes by the name {result[name]}")
    else:
        return False
    return True


def type_fields(text: str) -> dict[str, Any]:
    """Return the fields that the name of a type implies, in a database's words or anybody's; {} if unknown.

    >>> type_fields("Plain Text"), type_fields("wibble")
    ({'logicalType': 'string'}, {})
    """
    lower = " ".join(text.lower().split())
    if lower in LOGICAL_TYPES:
        return {"logicalType": lower}
    if lower in _TYPE_NAMES:
        fields: dict[str, Any] = {"logicalType": _TYPE_NAMES[lower]}
        return {**fields, "logicalTypeOptions": {"timezone": True}} if lower == "timestampz" else fields
    fields = logical_fields(text)
    known = fields != {"logicalType": "string"} or logical_fields(f"{lower}(1)") != fields
    return fields if known or lower in ("json", "xml", "interval") else {}


def _column(fitter: Fitter, block: Block, fields: dict[str, Kind]) -> dict[str, Kind]:
    _logical_type(fitter, block)
    logical = block["logicalType"]
    if logical == "map" and not _is_map(block.get("map")):
        block["logicalType"] = logical = "object"
        fitter.notes.tell(
            block.origin("logicalType"), "map: written as object, as its keys and values are not told"
        )
        block.setdefault("physicalType", "map")
    _options(fitter, block, logical)
    inner = {"object": "properties", "array": "items", "map": "map"}
    off = {field for of, field in inner.items() if of != logical}
    return {name: kind for name, kind in fields.items() if name not in off}


def _is_map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(end), dict) for end in ("key", "value"))


def _logical_type(fitter: Fitter, block: Block) -> None:
    """Set one of the standard's types; one by another name is told."""
    told = block.get("logicalType")
    if isinstance(told, str) and told in LOGICAL_TYPES:
        return
    origin = block.origin("logicalType")
    if isinstance(told, str) and told.strip():
        found = type_fields(told)
        block.update({key: value for key, value in found.items() if key not in block or key == "logicalType"})
        block["logicalType"] = found.get("logicalType", "string")
        words = "is written as" if found else "is no known type; it is written as"
        fitter.notes.tell(origin, f"logicalType {told} {words} {block['logicalType']}")
        if not found or told.lower() not in (block["logicalType"], *_TYPE_NAMES):
            block.setdefault("physicalType", told)
        return
    if told is not None:
        block.extras.append(("logicalType", told, origin))
    block["logicalType"] = _implied(fitter, block)


def _implied(fitter: Fitter, block: Block) -> str:
    for field, logical in (("properties", "object"), ("items", "array"), ("map", "map")):
        if block.get(field):
            return logical
    physical = block.get("physicalType")
    found = type_fields(physical) if isinstance(physical, str) else {}
    if "map" in found:
        block.setdefault("map", found["map"])
    logical = str(found.get("logicalType", "string"))
    source = f"its physicalType {physical} says {logical}" if found else "it is written as string"
    fitter.notes.tell(block.path, f"{block.get('name', 'the column')}: no logicalType is told; {source}")
    return logical


def _options(fitter: Fitter, block: Block, logical: str) -> None:
    options = block.pop("logicalTypeOptions", None)
    if options is None:
        return
    origin = block.origin("logicalTypeOptions")
    if not isinstance(options, dict):
        block.extras.append(("logicalTypeOptions", options, origin))
        return
    options = _number_bounds(fitter, block, dict(options))
    allowed = OPTIONS.get(logical)
    kept: dict[str, Any] = {}
    for name, value in options.items():
        if value is None and (allowed is None or name in allowed):
            continue
        done = value if allowed is None else fitted(allowed[name], value) if name in allowed else UNFIT
        if done is UNFIT:
            block.extras.append((name, value, option_origin(block, name)))
        else:
            kept[name] = done
    if logical == "vector" and "dimensions" not in kept:
        fitter.notes.tell(block.path, "a vector needs its dimensions; add them")
    if kept:
        block["logicalTypeOptions"] = kept


def option_origin(block: Block, name: str) -> tuple[str | int, ...]:
    """Return where an option of a column stands in the source."""
    return block.origins.get(f"logicalTypeOptions.{name}", (*block.origin("logicalTypeOptions"), name))


def _number_bounds(fitter: Fitter, block: Block, options: dict[str, Any]) -> dict[str, Any]:
    """Return options with bounds as ODCS 3.1 writes them: `exclusiveMinimum` is the bound, no flag beside it."""
    for bound in ("minimum", "maximum"):
        name = "exclusive" + bound.capitalize()
        flag = options.get(name)
        if not isinstance(flag, bool):
            continue
        del options[name]
        origin = option_origin(block, name)
        if not flag:
            fitter.notes.tell(origin, f"{name}: false is left out; {bound} is inclusive by itself")
        elif options.get(bound) is not None:
            options[name] = options.pop(bound)
        else:
            block.extras.append((name, flag, origin))
    return options


def _is_told(field: str, block: Block) -> bool:
    value = block.get(field)
    return bool(value) and fitted("port" if field == "port" else "text", value) is not UNFIT


def _server(fitter: Fitter, block: Block, fields: dict[str, Kind]) -> dict[str, Kind]:
    told = block.get("type")
    kind = str(told).strip().lower() if isinstance(told, str) else "custom"
    kind = _SERVER_NAMES.get(kind, kind)
    origin = block.origin("type")
    lacks = [field for field in SERVER_REQUIRED.get(kind, ()) if not _is_told(field, block)]
    if kind not in SERVER_FIELDS or lacks:
        why = f"{kind} servers need {', '.join(lacks)}" if lacks else "the standard has no such server"
        fitter.notes.tell(origin, f"type {told} is written as custom: {why}")
        block.extras.append(("type", told, origin))
        kind = "custom"
    elif not isinstance(told, str):
        if told is not None:
            block.extras.append(("type", told, origin))
        fitter.notes.tell(block.path, "a server without a type is written as custom")
    block["type"] = kind
    own: dict[str, Kind] = {name: "port" if name == "port" else "text" for name in SERVER_FIELDS[kind]}
    allowed: dict[str, Kind] = {}
    for name, field in fields.items():
        allowed[name] = field
        if name == "environment":
            allowed |= own
    return allowed
