"""Service levels of the Data Contract Specification, as those of ODCS: a property, a value, a unit, an element."""

from __future__ import annotations

import re
from typing import Any

from factory.documents import Path_
from factory.odcs.convert.notes import Block, Source

_PERIOD = re.compile(r"P(\d+)([YMWD])|PT(\d+)([HMS])")
_PERIOD_UNITS = {"Y": "y", "M": "month", "W": "week", "D": "d"}
_CLOCK_UNITS = {"H": "h", "M": "minute", "S": "second"}
_AMOUNT = re.compile(
    r"(\d+)\s*(y|yr|years?|months?|w|weeks?|d|days?|h|hours?|min|minutes?|s|sec|seconds?|m)", re.IGNORECASE
)
_INTERVALS = {"yearly": "y", "monthly": "month", "weekly": "week", "daily": "d", "hourly": "h"}
_PERCENT = re.compile(r"(\d+)(\.\d+)?\s*%")

#: Where the value of a level stands; the first that is there counts.
_VALUES = {
    "availability": ("percentage",), "retention": ("period",), "latency": ("threshold",),
    "freshness": ("threshold",), "frequency": ("interval",), "support": ("time",), "backup": ("interval",),
}  # fmt: skip


def read_levels(levels: dict[str, Any], path: Path_) -> list[Block]:
    """Return the blocks of service levels."""
    return [_level(name, value, (*path, name)) for name, value in levels.items() if value is not None]


def _level(name: str, value: Any, path: Path_) -> Block:
    block = Block(path, value)
    block.put("property", name, path)
    if not isinstance(value, dict):
        block.put("value", value, path)
        return block
    source = Source(value, path)
    source.move(block, "description")
    for key in _VALUES.get(name, ("value", "threshold", "percentage", "period", "interval")):
        if "value" not in block and value.get(key) is not None:
            source.take(key)
            amount, unit = amount_of(value[key])
            block.put("value", amount, source.at(key))
            block.put("unit", unit or None, source.at(key))
    if source.values.get("unit") is not None and "unit" not in block:
        source.move(block, "unit")
    source.move(block, "element", "timestampField")
    cron = source.take("cron")
    if cron is not None:
        block.put("schedule", cron, source.at("cron"))
        block.put("scheduler", "cron", source.at("cron"))
    if "value" not in block:
        _other_value(source, block, value)
    source.rest(block)
    return block


def _other_value(source: Source, block: Block, value: dict[str, Any]) -> None:
    """Take a value from what else is told of a level."""
    if value.get("unlimited") is True:
        source.take("unlimited")
        block.put("value", "unlimited", source.at("unlimited"))
        return
    for key in ("responseTime", "type"):
        if "value" not in block and isinstance(value.get(key), str):
            block.put("value", value[key], source.at(key))
            source.take(key)
    if "value" not in block and "schedule" in block:
        block.put("value", block["schedule"], block.origin("schedule"))


def amount_of(text: Any) -> tuple[Any, str]:
    """Return the number and the unit of a period; a text that says neither is its own value.

    >>> amount_of("25h"), amount_of("P1Y"), amount_of("99.9%"), amount_of("one year")
    ((25, 'h'), (1, 'y'), (99.9, 'percent'), ('one year', ''))
    """
    if not isinstance(text, str):
        return text, ""
    plain = text.strip()
    if found := _PERIOD.fullmatch(plain):
        unit = _PERIOD_UNITS[found[2]] if found[2] else _CLOCK_UNITS[found[4]]
        return int(found[1] or found[3]), unit
    if found := _PERCENT.fullmatch(plain):
        return (float(found[1] + found[2]) if found[2] else int(found[1])), "percent"
    if found := _AMOUNT.fullmatch(plain):
        return int(found[1]), found[2]
    if plain.lower() in _INTERVALS:
        return 1, _INTERVALS[plain.lower()]
    return text, ""
