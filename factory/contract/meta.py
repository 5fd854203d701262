"""What people keep under dbt's `meta`, as fields of ODCS where there are some, else as custom properties.

Takes `meta` of a table or column; gives fields and properties.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from factory.contract.marks import deprecated_in

# What a dbt `meta` entry becomes where ODCS has a field of its own for it; names count whatever their case and dashes.
META_OF_COLUMN = {
    "classification": "classification",
    "businessname": "businessName",
    "label": "businessName",
    "critical": "criticalDataElement",
    "criticaldataelement": "criticalDataElement",
    "encryptedname": "encryptedName",
    "examples": "examples",
    "synonyms": "synonyms",
    "semantictype": "semanticType",
    "transformdescription": "transformDescription",
    "authoritativedefinitions": "authoritativeDefinitions",
    "businessdefinition": "authoritativeDefinitions",
}


META_OF_TABLE = {
    "businessname": "businessName",
    "label": "businessName",
    "grain": "dataGranularityDescription",
    "datagranularity": "dataGranularityDescription",
    "datagranularitydescription": "dataGranularityDescription",
    "synonyms": "synonyms",
    "authoritativedefinitions": "authoritativeDefinitions",
    "businessdefinition": "authoritativeDefinitions",
}


_KINDS: dict[str, type | tuple[type, ...]] = {
    "criticalDataElement": bool, "examples": list, "synonyms": list,
    "authoritativeDefinitions": (list, str),
}  # fmt: skip


_SEMANTIC_TYPES = ("column", "measure", "dimension")


def take_mark(meta: dict[str, Any]) -> None:
    """Take the mark `deprecated` from `meta`; the day that it may name stays, as a fact of its own."""
    day = deprecated_in(meta)[1]
    meta.pop("deprecated", None)
    if day:
        meta["deprecation_date"] = day


def lifted(meta: dict[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Take from `meta` what ODCS has fields for; what does not fit the field stays."""
    found: dict[str, Any] = {}
    for name in list(meta):
        field_name = fields.get(re.sub(r"[_\s-]+", "", str(name)).lower())
        value = meta[name]
        if field_name is None or value in (None, "") or field_name in found:
            continue
        if not isinstance(value, _KINDS.get(field_name, str)):
            continue
        if field_name == "semanticType" and value not in _SEMANTIC_TYPES:
            continue
        if field_name == "authoritativeDefinitions":
            value = _definitions(value)
        elif field_name == "synonyms":
            value = _synonyms(value)
        if value:
            found[field_name] = value
            del meta[name]
    return found


def _synonyms(value: list[Any]) -> list[dict[str, Any]]:
    """Return synonyms as ODCS has them; nothing where one of them has another form."""
    entries = [entry if isinstance(entry, dict) else {"synonym": str(entry)} for entry in value]
    known = {"synonym", "description", "locale", "source", "status", "id"}
    fit = all(
        set(e) <= known and "synonym" in e and all(isinstance(v, str) for v in e.values()) for e in entries
    )
    return entries if fit else []


def _definitions(value: Any) -> list[dict[str, Any]]:
    """Return authoritative definitions: a list as ODCS has it, or one address of a business definition."""
    if isinstance(value, str):
        return [{"url": value, "type": "businessDefinition"}]
    entries = [{"url": e, "type": "businessDefinition"} if isinstance(e, str) else e for e in value]
    complete = all(isinstance(e, dict) and e.get("url") and e.get("type") for e in entries)
    known = {"url", "type", "description", "id"}
    plain = all(isinstance(v, str) for e in entries if isinstance(e, dict) for v in e.values())
    return entries if complete and plain and all(set(e) <= known for e in entries) else []


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() in ("true", "yes")


def is_private(meta: Mapping[str, Any]) -> bool:
    """Say whether `meta` marks personal data: `pii`, `contains_pii` and their like."""
    names = ("pii", "containspii", "ispii")
    return any(
        re.sub(r"[_\s-]+", "", str(name)).lower() in names and _is_true(value) for name, value in meta.items()
    )


def properties_of(facts: Mapping[str, Any], meta: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return custom properties: what dbt knows, and what people keep under `meta`; a name that is taken is kept too."""
    found = dict(facts)
    for name, value in sorted(meta.items()):
        free = (n for n in (camel(name), str(name), f"meta.{name}") if n not in found)
        found[next(free, f"meta.{len(found)}.{name}")] = value
    return [{"property": name, "value": value} for name, value in found.items()]


def camel(name: str) -> str:
    """Return a name as ODCS spells custom properties."""
    head, *rest = re.split(r"[_\s-]+", str(name))
    return head[:1].lower() + head[1:] + "".join(word[:1].upper() + word[1:] for word in rest)
