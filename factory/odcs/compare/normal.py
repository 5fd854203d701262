"""One form for what the standard lets people write in several.

Takes the values of a contract of ODCS 3.0 to 3.2; gives them with one spelling, so that a difference is a change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

Values = Mapping[str, Any]

# Values that say the same as nothing at all, by the standard's defaults.
_SAYS_NOTHING: dict[str, tuple[Any, ...]] = {
    "required": (False,),
    "unique": (False,),
    "primaryKey": (False,),
    "primaryKeyPosition": (-1,),
    "partitioned": (False,),
    "partitionKeyPosition": (-1,),
    "criticalDataElement": (False,),
    "deprecated": (False,),
    "semanticType": ("column",),
    "normalized": (False,),
    "uniqueItems": (False,),
}

_SPELLINGS = {
    "numeric": "decimal", "dec": "decimal", "int": "integer", "int4": "integer", "signed": "integer",
    "int8": "bigint", "long": "bigint", "int2": "smallint", "short": "smallint", "int1": "tinyint",
    "text": "varchar", "string": "varchar", "character varying": "varchar", "char varying": "varchar",
    "character": "char", "bpchar": "char", "float8": "double", "double precision": "double", "float4": "real",
    "bool": "boolean", "logical": "boolean", "timestamptz": "timestamp with time zone",
    "timestamp without time zone": "timestamp", "datetime": "timestamp", "timetz": "time with time zone",
    "bytea": "blob", "binary": "blob", "varbinary": "blob",
}  # fmt: skip


def spelled(physical: Any) -> str | None:
    """Return a type in one spelling, so that `DECIMAL(18,2)` and `numeric(18, 2)` are the same."""
    if physical is None:
        return None
    text = re.sub(r"\s*([(),<>:\[\]])\s*", r"\1", " ".join(str(physical).lower().split()))
    # A scale of zero is the default.
    text = re.sub(r"\b(decimal|numeric|dec|number)\((\d+),0\)", r"\1(\2)", text)
    # What is nested is respelled too: the name of a field keeps its words.
    return re.sub(
        r"(?<![\w\"])("
        + "|".join(sorted(map(re.escape, _SPELLINGS), key=len, reverse=True))
        + r")(?=$|[(),\[\]>])",
        lambda found: _SPELLINGS[found[1]],
        text,
    )


def says_nothing(key: str, value: Any) -> bool:
    """Say whether a value says the same as if the key were not there."""
    return value is None or value in ("", [], {}) or (key in _SAYS_NOTHING and value in _SAYS_NOTHING[key])


def said(values: Values, key: str) -> Any:
    """Return the value under a key; None where it says nothing."""
    value = values.get(key)
    return None if says_nothing(key, value) else value


# Text for people, in which a line break is no change.
_PROSE = {
    "description", "purpose", "limitations", "usage", "businessName", "dataGranularityDescription",
    "transformDescription", "comment", "instructions",
}  # fmt: skip


def unordered(value: Any, key: str = "") -> Any:
    """Return a value in which the order of lists no longer counts, nor, in text for people, line breaks.

    `key` is what the value stands under.
    """
    if isinstance(value, Mapping):
        return {k: unordered(item, str(k)) for k, item in value.items() if not says_nothing(str(k), item)}
    if isinstance(value, list | tuple):
        return sorted((unordered(item, key) for item in value), key=sortable)
    if isinstance(value, str):
        return " ".join(value.split()) if key in _PROSE else value.rstrip("\n")
    return ("true" if value else "false", "bool") if isinstance(value, bool) else value


_QUOTED = re.compile(r"('(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`)|(--[^\n]*|/\*.*?\*/)", re.DOTALL)


def sql_spelled(query: str) -> str:
    """Return SQL in one spelling: comments, spaces and the case of words count only in quotes."""
    parts: list[str] = []
    last = 0
    for found in _QUOTED.finditer(query):
        parts += [_folded(query[last : found.start()]), found[1] or " "]
        last = found.end()
    parts.append(_folded(query[last:]))
    return "".join(parts).strip(" ;")


def _folded(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"\s*([(),=<>+*/])\s*", r"\1", text.lower()))


def sortable(value: Any) -> str:
    """Return text to sort any value by."""
    return json.dumps(value, sort_keys=True, default=str)


def mappings(value: Any) -> list[Values]:
    """Return the mappings in a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def normal(contract: Values) -> dict[str, Any]:
    """Return a contract in the forms of 3.2: a team with members, an element on each service level."""
    data = dict(contract)
    if isinstance(data.get("team"), list):
        data["team"] = {"members": data["team"]}
    default = data.pop("slaDefaultElement", None)
    if default:
        data["slaProperties"] = [
            {"element": default, **level} for level in mappings(data.get("slaProperties"))
        ]
    return data


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return a contract in which references to `table.column` follow the new names."""
    if isinstance(value, Mapping):
        return {
            key: _followed(item, names) if key in _REFERENCES else renamed(item, names)
            for key, item in value.items()
        }
    return [renamed(item, names) for item in value] if isinstance(value, list | tuple) else value


_REFERENCES = {"from", "to", "element"}


def _followed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_followed(item, names) for item in value]
    if not isinstance(value, str):
        return value
    return ",".join(names.get(part.strip(), part) for part in value.split(","))


def custom(values: Values) -> dict[str, Any]:
    """Return custom properties by name."""
    return {
        str(entry.get("property")): entry.get("value") for entry in mappings(values.get("customProperties"))
    }


def by_key(items: Iterable[Values], key: str) -> dict[str, Values]:
    """Return items by what stands under a key in each."""
    return {str(item.get(key)): item for item in items}
