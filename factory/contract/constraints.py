"""dbt's constraints as ODCS has them: fields of columns, rules of quality, and what no field tells.

Takes a relation; gives values of ODCS.
"""

from __future__ import annotations

import re
from typing import Any

from factory.artifacts import Constraint, Relation


def checks_of(port: Relation, column: str) -> list[dict[str, Any]]:
    """Return dbt's check constraints, of a column or of the table, as rules: no row for which one is false."""
    known = {each.name.lower() for each in port.columns}
    found = [
        constraint
        for constraint in port.constraints
        if constraint.type == "check" and constraint.expression
        and (constraint.columns[0].lower() if constraint.on_column and constraint.columns[0].lower() in known else "")
        == column.lower()
    ]  # fmt: skip
    return [
        {
            "name": constraint.name or f"check {column or port.identifier} {number}",
            "dimension": "conformity",
            "severity": "error",
            "type": "sql",
            "query": f"select count(*) from {{object}} where not ({constraint.expression})",  # noqa: S608
            "mustBe": 0,
            "customProperties": [{"property": "origin", "value": "dbt constraint"}],
        }
        for number, constraint in enumerate(found, 1)
    ]


def unique_together(port: Relation) -> list[dict[str, Any]]:
    """Return unique constraints over several columns as rules."""
    return [
        {
            "name": constraint.name or f"unique {', '.join(constraint.columns)}",
            "dimension": "uniqueness",
            "severity": "error",
            "type": "library",
            "metric": "duplicateValues",
            "arguments": {"properties": list(constraint.columns)},
            "mustBe": 0,
            "unit": "rows",
            "customProperties": [{"property": "origin", "value": "dbt constraint"}],
        }
        for constraint in port.constraints
        if constraint.type == "unique" and len(constraint.columns) > 1
    ]


def bound_by(port: Relation, column: str) -> tuple[str, ...]:
    """Return the kinds of constraints of the table that bind one column alone: not null, unique."""
    return tuple(
        constraint.type
        for constraint in port.constraints
        if column.lower() in (name.lower() for name in constraint.columns)
        and (constraint.type == "not_null" or (constraint.type == "unique" and len(constraint.columns) == 1))
    )


def is_untold(constraint: Constraint) -> bool:
    """Say whether a constraint holds something that no field tells: an expression, or a kind of its own."""
    if constraint.type in ("check", "foreign_key"):
        return False
    return constraint.type not in ("primary_key", "unique", "not_null") or bool(constraint.expression)


def told(constraint: Constraint) -> dict[str, Any]:
    """Return a constraint as dbt has it, for a custom property."""
    values: dict[str, Any] = {
        "type": constraint.type,
        "name": constraint.name,
        "columns": list(constraint.columns),
        "expression": constraint.expression,
        "to": constraint.to,
        "toColumns": list(constraint.to_columns),
    }
    return {key: value for key, value in values.items() if value}


def target_of(constraint: Constraint) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the table and columns that a foreign key refers to; older projects write both into the expression."""
    if constraint.to:
        return tuple(re.findall(r'[^".`\[\]\s]+', constraint.to)), constraint.to_columns
    found = re.match(r"\s*(?:references\s+)?([\w.\"`]+)\s*\(([^)]*)\)", constraint.expression, re.IGNORECASE)
    if not found:
        return (), ()
    columns = tuple(part.strip().strip('"`') for part in found[2].split(","))
    return tuple(re.findall(r'[^".`\s]+', found[1])), columns
