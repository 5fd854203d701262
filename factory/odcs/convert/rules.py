"""Quality rules in the form of ODCS 3.2.0: what each type of rule may hold, and the names of older standards.

Takes a rule's block; gives the fields allowed in it. A rule that no type of the standard can express is kept as
a text, with its parts as custom properties.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from factory.dimensions import DIMENSIONS
from factory.documents import dump_yaml
from factory.odcs.convert.fields import METRICS, OPERATORS, Kind
from factory.odcs.convert.notes import Block
from factory.odcs.convert.values import UNFIT, fitted

if TYPE_CHECKING:
    from factory.odcs.convert.fit import Fitter

_OPERATOR_NAMES = {
    "mustBeGreaterThanOrEqualTo": "mustBeGreaterOrEqualTo",
    "mustBeLessThanOrEqualTo": "mustBeLessOrEqualTo",
}
#: Names of rules before ODCS 3.1: the metric, and whether the rule without an operator means "none".
OLD_NAMES = {
    "duplicateCount": ("duplicateValues", False),
    "duplicates": ("duplicateValues", False),
    "uniqueCheck": ("duplicateValues", True),
    "unique": ("duplicateValues", True),
    "nullCheck": ("nullValues", True),
    "nullCount": ("nullValues", False),
    "notNull": ("nullValues", True),
    "rowCount": ("rowCount", False),
    "countRows": ("rowCount", False),
}
_DIMENSION_NAMES = {
    "validity": "conformity", "ac": "accuracy", "cp": "completeness", "cf": "conformity", "cs": "consistency",
    "cv": "coverage", "tm": "timeliness", "uq": "uniqueness",
}  # fmt: skip
_OWN_FIELDS = {
    "text": (),
    "library": ("metric", "arguments", *OPERATORS),
    "sql": ("query", *OPERATORS),
    "custom": ("engine", "implementation"),
}
_SPECIAL = {"metric", "arguments", "query", "engine", "implementation", *OPERATORS}


def prepare_rule(fitter: Fitter, block: Block, fields: dict[str, Kind]) -> dict[str, Kind]:
    """Bring a rule into the standard's form; return the fields that its type allows."""
    for old, new in _OPERATOR_NAMES.items():
        if old in block:
            block.put(new, block.pop(old), (*block.path, old))
    dimension = block.get("dimension")
    if isinstance(dimension, str) and dimension not in DIMENSIONS:
        lower = dimension.strip().lower()
        block["dimension"] = _DIMENSION_NAMES.get(lower, lower if lower in DIMENSIONS else dimension)
        if block["dimension"] != dimension and lower == "validity":
            fitter.notes.tell(block.origin("dimension"), f"dimension {dimension} is written as conformity")
    _old_rule(block)
    _old_implementation(block)
    told = block.get("type")
    kind = _type_of(block)
    if not _is_whole(kind, block):
        if kind != "text":
            fitter.notes.tell(block.path, f"the {kind} rule is kept as a text: {_lack(kind, block)}")
            if told is not None:
                block.extras.append(("type", told, block.origin("type")))
        kind = "text"
    elif told is not None and told != kind:
        block.extras.append(("type", told, block.origin("type")))
    block["type"] = kind
    allowed = set(_OWN_FIELDS[kind])
    return {name: field for name, field in fields.items() if name not in _SPECIAL or name in allowed}


def operators_of(rule: dict[str, Any]) -> list[str]:
    """Return the operators that a rule has."""
    return [name for name in OPERATORS if name in rule and (rule[name] is not None or name.endswith("Be"))]


def split_rule(fitter: Fitter, block: Block) -> list[Block]:
    """Return a rule of several operators as several rules; the standard's schema takes one in each."""
    operators = operators_of(block)
    if len(operators) < 2 or _type_of(block) not in ("library", "sql"):
        return [block]
    parts = []
    for number, operator in enumerate(operators):
        part = Block(block.path, block.raw)
        part.update({key: value for key, value in block.items() if key not in operators or key == operator})
        part.origins = dict(block.origins)
        part.extras = list(block.extras)
        if number and part.get("id") is not None:
            del part["id"]
        parts.append(part)
    fitter.notes.tell(
        block.path, f"a rule of {len(operators)} operators is written as {len(operators)} rules"
    )
    return parts


def _old_rule(block: Block) -> None:
    """Name the metric of a rule in the words of ODCS 3.0 or the Data Contract Specification."""
    old = block.get("rule")
    if not isinstance(old, str) or block.get("metric"):
        return
    origin = block.origin("rule")
    operators = operators_of(block)
    if old == "validValues" and isinstance(block.get("validValues"), list) and not operators:
        del block["rule"]
        block.put("metric", "invalidValues", origin)
        arguments = block.get("arguments")
        values = {"validValues": block.pop("validValues")}
        block["arguments"] = {**arguments, **values} if isinstance(arguments, dict) else values
        block.put("mustBe", 0, origin)
    elif old in METRICS:
        block.put("metric", block.pop("rule"), origin)
    elif old in OLD_NAMES and (operators or OLD_NAMES[old][1]):
        del block["rule"]
        block.put("metric", OLD_NAMES[old][0], origin)
        if not operators:
            block.put("mustBe", 0, origin)


def _old_implementation(block: Block) -> None:
    """Write an implementation that is a list as the text it would be in a file."""
    if isinstance(block.get("implementation"), list):
        block["implementation"] = dump_yaml(block["implementation"])


def _type_of(block: dict[str, Any]) -> str:
    told = block.get("type")
    if isinstance(told, str) and told.strip().lower() in _OWN_FIELDS:
        return told.strip().lower()
    for field, kind in (("metric", "library"), ("rule", "library"), ("query", "sql"), ("engine", "custom")):
        if block.get(field):
            return kind
    return "text"


def _is_whole(kind: str, block: Block) -> bool:
    return kind == "text" or not _lack(kind, block)


def _lack(kind: str, block: Block) -> str:
    """Return what a rule of this type lacks, or an empty text."""
    if kind == "custom":
        lacks = not isinstance(block.get("engine"), str)
        return "it needs an engine and an implementation" if lacks or not _works(block) else ""
    operators = operators_of(block)
    if len(operators) != 1 or fitted(OPERATORS[operators[0]], block[operators[0]]) is UNFIT:
        return "it needs an operator, such as mustBe, and a value that fits it"
    if kind == "sql":
        return "" if isinstance(block.get("query"), str) else "it needs a query"
    return "" if block.get("metric") in METRICS else f"the standard's metrics are {', '.join(METRICS)}"


def _works(block: Block) -> bool:
    return isinstance(block.get("implementation"), str | dict) and bool(block["implementation"])
