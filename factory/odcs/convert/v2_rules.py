"""Quality rules of ODCS 2.2: a template of a tool, by name.

Takes a rule; gives a library metric where that says exactly the same, else a custom rule of that tool.
"""

from __future__ import annotations

import re
from typing import Any

from factory.documents import Path_
from factory.odcs.convert.fields import FIELDS
from factory.odcs.convert.notes import Block, Notebook, Source
from factory.odcs.convert.values import is_number

_TEMPLATES = {
    "null": "nullValues", "notnull": "nullValues", "nonnull": "nullValues", "isnull": "nullValues",
    "duplicate": "duplicateValues", "duplicates": "duplicateValues", "unique": "duplicateValues",
    "uniqueness": "duplicateValues", "distinct": "duplicateValues", "duplicatecount": "duplicateValues",
    "count": "rowCount", "rowcount": "rowCount", "row": "rowCount", "volume": "rowCount",
}  # fmt: skip
_MINIMUM = ("min", "minimum", "mincount", "minrows", "lowerbound")
_MAXIMUM = ("max", "maximum", "maxcount", "maxrows", "upperbound")
_COLUMN = ("fieldname", "field", "column", "columnname")


def read_rule(value: Any, path: Path_, notes: Notebook) -> Any:
    """Return a rule's block; `column` is left in it for whoever knows the columns."""
    if not isinstance(value, dict):
        return value
    source = Source(value, path)
    block = Block(path, value)
    template, tool = value.get("templateName"), value.get("toolName")
    source.move(block, "name", "name", "code")
    source.move(block, "description")
    source.move(block, "dimension")
    source.move(block, "schedule", "schedule", "scheduleCronExpression")
    if value.get("scheduleCronExpression") is not None:
        source.move(block, "scheduler")
        block.setdefault("scheduler", "cron")
    _targets(source, block)
    if isinstance(template, str) or isinstance(tool, str):
        _method(source, block)
        metric = _metric(value, block)
        if metric:
            block.update(metric)
            block["type"] = "library"
            source.keep(block, "templateName", "toolName", "toolRuleName")
            if metric["metric"] == "rowCount":
                _without_bounds(source, block)
            if block.get("columns"):
                block["arguments"] = {"properties": block.pop("columns")}
        else:
            _of_tool(source, block, notes)
    source.rest(block, known={*FIELDS["rule"], "rule", "validValues"})
    if "columns" in block:
        block.extras.append(("columns", block.pop("columns"), block.origin("columns")))
    return block


def _targets(source: Source, block: Block) -> None:
    """Read which columns a rule is about: one is `column`, several are `columns`."""
    columns = source.take("columns")
    column = source.take("column")
    if isinstance(columns, str):
        columns = [each.strip() for each in columns.split(",")]
    if column is not None:
        block.put("column", column, source.at("column"))
        if columns and columns != [column]:
            block.extras.append(("columns", columns, source.at("columns")))
    elif isinstance(columns, list) and len(columns) == 1:
        block.put("column", columns[0], source.at("columns"))
    elif columns:
        block.put("columns", columns, source.at("columns"))


def _method(source: Source, block: Block) -> None:
    """Read the type of a rule of ODCS 2.2, which is how it is checked, not what it consists of."""
    value = source.take("type")
    if value == "reconciliation":
        source.move(block, "method")
        block.put("method", value, source.at("type"))
    elif value is not None:
        block.extras.append(("type", value, source.at("type")))


def _metric(value: dict[str, Any], block: Block) -> dict[str, Any]:
    """Return the library metric that says the same as a template, or nothing."""
    template = str(value.get("templateName") or "")
    metric = _TEMPLATES.get(re.sub(r"(check|template|values?)$", "", _plain(template)))
    parameters = _parameters(value.get("customProperties"))
    if metric is None or parameters is None:
        return {}
    column = block.get("column")
    for name in _COLUMN:
        if name in parameters and parameters[name] == column:
            del parameters[name]
    if metric == "rowCount":
        return _row_count(parameters) if column is None and not block.get("columns") else {}
    if parameters or (metric == "nullValues" and block.get("columns")):
        return {}
    return {"metric": metric, "mustBe": 0}


def _row_count(parameters: dict[str, Any]) -> dict[str, Any]:
    bounds: dict[str, Any] = {}
    for names, operator in ((_MINIMUM, "mustBeGreaterOrEqualTo"), (_MAXIMUM, "mustBeLessOrEqualTo")):
        for name in names:
            if is_number(parameters.get(name)) and operator not in bounds:
                bounds[operator] = parameters.pop(name)
    return {"metric": "rowCount", **bounds} if bounds and not parameters else {}


def _without_bounds(source: Source, block: Block) -> None:
    """Leave out the parameters that became operators."""
    properties = source.take("customProperties")
    carried = (*_MINIMUM, *_MAXIMUM)
    left = [
        each
        for each in properties or ()
        if _plain(str(each.get("property"))) not in carried or not set(each) <= {"property", "value"}
    ]
    if left:
        block.put("customProperties", left, source.at("customProperties"))


def _parameters(value: Any) -> dict[str, Any] | None:
    """Return a rule's parameters that have a value; None where they are no list of properties."""
    if value is None:
        return {}
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        return None
    told = [each for each in value if each.get("value") is not None]
    named = {_plain(str(each.get("property"))): each["value"] for each in told}
    return named if len(named) == len(told) else None


def _of_tool(source: Source, block: Block, notes: Notebook) -> None:
    """Write a rule as one of its tool's."""
    value = source.values
    tool = value.get("toolName")
    if not isinstance(tool, str):
        source.keep(block, "templateName", "toolRuleName")
        return
    block["type"] = "custom"
    source.move(block, "engine", "engine", "toolName")
    source.move(block, "implementation")
    if "implementation" not in block:
        used = next(
            (name for name in ("toolRuleName", "templateName", "code") if isinstance(value.get(name), str)),
            "",
        )
        if used:
            block.put("implementation", value[used], source.at(used))
        if used == "toolRuleName":
            source.take(used)
    source.keep(block, *(name for name in ("templateName", "toolRuleName") if name not in source.taken))
    notes.tell(
        block.path,
        f"{value.get('templateName') or value.get('code') or 'the rule'}: kept as a custom rule of {tool}; "
        "no library metric says the same",
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())
