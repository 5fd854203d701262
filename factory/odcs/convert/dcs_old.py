"""Version 0.9.0 of the Data Contract Specification: a `schema` of dbt models, a `quality` of SodaCL checks.

Takes what stands under `specification`, as text or as YAML; gives tables and rules. A check becomes a library
metric where that says exactly the same, else a custom rule of Soda.
"""

from __future__ import annotations

import re
from typing import Any

from factory.documents import Path_, dump_yaml, parse_yaml
from factory.errors import DocumentError
from factory.odcs.convert.dcs_fields import Fields
from factory.odcs.convert.notes import Block, Notebook, Source

_PLACE: Path_ = ("schema", "specification")
_CHECK = re.compile(
    r"(row_count|missing_count|missing_percent|duplicate_count)\s*(?:\(([^()]*)\))?\s*"
    r"(=|!=|<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)\s*(%?)"
)
_BETWEEN = re.compile(
    r"(row_count|missing_count|missing_percent)\s*(?:\(([^()]*)\))?\s*between\s+"
    r"(-?\d+(?:\.\d+)?)\s+and\s+(-?\d+(?:\.\d+)?)"
)
_OPERATORS = {"=": "mustBe", "!=": "mustNotBe", "<": "mustBeLessThan", "<=": "mustBeLessOrEqualTo",
              ">": "mustBeGreaterThan", ">=": "mustBeGreaterOrEqualTo"}  # fmt: skip
_METRICS = {"row_count": "rowCount", "missing_count": "nullValues", "missing_percent": "nullValues",
            "duplicate_count": "duplicateValues"}  # fmt: skip
_REF = re.compile(r"(?:ref|source)\(.*['\"]([\w-]+)['\"]\s*\)")


def read_schema(schema: Any, fields: Fields, notes: Notebook) -> list[Block]:
    """Return the tables of dbt's models; none where the schema is of another kind."""
    if not isinstance(schema, dict) or str(schema.get("type")).lower() != "dbt":
        return []
    inner = _parsed(schema.get("specification"), notes)
    if not isinstance(inner, dict) or not isinstance(inner.get("models"), list):
        return []
    models = inner["models"]
    if not models or not all(isinstance(model, dict) for model in models):
        return []
    tables = [_model(model, (*_PLACE, "models", n), fields) for n, model in enumerate(models)]
    for holder, path in ((schema, ("schema",)), (inner, _PLACE)):
        for key, value in holder.items():
            if key not in ("type", "specification", "models") and (key, value) != ("version", 2):
                tables[0].extras.append((f"schema_{key}", value, (*path, key)))
    return tables


def _model(model: dict[str, Any], path: Path_, fields: Fields) -> Block:
    source = Source(model, path)
    block = Block(path, model)
    source.move(block, "name")
    source.move(block, "description")
    columns = source.take("columns")
    if isinstance(columns, list):
        found = [
            _column(each, (*source.at("columns"), n), fields) if isinstance(each, dict) else each
            for n, each in enumerate(columns)
        ]
        block.put("properties", found, source.at("columns"))
    elif columns is not None:
        block.extras.append(("columns", columns, source.at("columns")))
    constraints = source.take("constraints")
    left = []
    for each in constraints if isinstance(constraints, list) else [constraints]:
        if _is_key(each):
            fields.keys(each["columns"], block, source.at("constraints"))
        elif each is not None:
            left.append(each)
    if left:
        block.extras.append(("constraints", left, source.at("constraints")))
    source.rest(block, known=("tags", "quality"))
    return block


def _is_key(constraint: Any) -> bool:
    return isinstance(constraint, dict) and constraint.get("type") == "primary_key" and set(constraint) == {
        "type", "columns"
    }  # fmt: skip


def _column(values: dict[str, Any], path: Path_, fields: Fields) -> Block:
    name = values.get("name")
    plain = {
        key: each for key, each in values.items() if key not in ("name", "tests", "data_tests", "constraints")
    }
    block = fields.column(name if isinstance(name, str) else None, plain, path)
    block.raw = values
    if name is not None and not isinstance(name, str):
        block.extras.append(("name", name, (*path, "name")))
    for key in ("tests", "data_tests", "constraints"):
        told = values.get(key)
        tests = told if isinstance(told, list) else [told]
        left = [test for test in tests if test is not None and not _test(test, block, (*path, key))]
        if left:
            block.extras.append((key, left, (*path, key)))
    return block


def _test(test: Any, block: Block, origin: Path_) -> bool:
    """Carry a plain test or constraint of dbt to the field that says the same; return whether there is one."""
    if isinstance(test, dict) and set(test) == {"type"}:
        test = test["type"]
    if isinstance(test, str):
        field = {"not_null": "required", "unique": "unique", "primary_key": "primaryKey"}.get(test)
        if field is None:
            return False
        block[field] = True
        block.origins[field] = origin
        return True
    if not isinstance(test, dict) or len(test) != 1:
        return False
    kind, body = next(iter(test.items()))
    if (
        kind == "accepted_values"
        and isinstance(body, dict)
        and set(body) == {"values"}
        and "enum" not in block
    ):
        block.put("enum", body["values"], origin)
        return isinstance(body["values"], list)
    if kind == "relationships" and isinstance(body, dict) and set(body) == {"to", "field"}:
        found = _REF.fullmatch(str(body["to"]).strip())
        if found and isinstance(body["field"], str):
            link = Block(origin, test)
            link.update({"type": "foreignKey", "to": f"{found[1]}.{body['field']}"})
            block.setdefault("relationships", []).append(link)
            return True
    return False


def put_checks(quality: Any, block: Block, tables: list[Block], notes: Notebook) -> None:
    """Put the checks of the whole contract on the tables that they are about."""
    place: Path_ = ("quality",)
    if not isinstance(quality, dict):
        block.extras.append(("quality", quality, place))
        return
    inner = _parsed(quality.get("specification"), notes)
    if str(quality.get("type")).lower() != "sodacl" or not isinstance(inner, dict):
        _put_whole(quality, block, tables)
        return
    for heading, checks in inner.items():
        path = (*place, "specification", heading)
        found = re.fullmatch(r"checks for (?!each\b)([^\[]+)", heading)
        table = next((t for t in tables if found and t.get("name") == found[1].strip().strip('"')), None)
        if table is None or not isinstance(checks, list):
            block.extras.append(("quality", {heading: checks}, path))
            continue
        for number, check in enumerate(checks):
            for rule in _check(check, heading, table, (*path, number)):
                spot = _column_of(rule, table)
                spot.setdefault("quality", []).append(rule)
                spot.origins.setdefault("quality", path)
    for key, value in quality.items():
        if key not in ("type", "specification"):
            block.extras.append((f"quality_{key}", value, (*place, key)))


def _put_whole(quality: dict[str, Any], block: Block, tables: list[Block]) -> None:
    """Keep checks of another tool as a rule of the only table, or beside the fields."""
    engine, work = quality.get("type"), quality.get("specification")
    if len(tables) != 1 or not isinstance(engine, str) or not isinstance(work, str | dict) or not work:
        block.extras.append(("quality", quality, ("quality",)))
        return
    rule = Block(("quality",), quality)
    rule.update({"type": "custom", "engine": engine, "implementation": work})
    for key, value in quality.items():
        if key not in ("type", "specification"):
            rule.extras.append((key, value, ("quality", key)))
    tables[0].setdefault("quality", []).append(rule)


def _column_of(rule: Block, table: Block) -> Block:
    """Return where a rule belongs: its column, or the table."""
    named = rule.pop("column", None)
    for column in table.get("properties") or ():
        if named is not None and isinstance(column, Block) and column.get("name") == named:
            return column
    return table


def _check(check: Any, heading: str, table: Block, path: Path_) -> list[Block]:
    """Return the rules that say what a check says; of `between` there are two, as its ends are inside."""
    columns = {column.get("name") for column in table.get("properties") or () if isinstance(column, dict)}
    parts: list[tuple[str, str, str, float]] = []
    if isinstance(check, str):
        if found := _CHECK.fullmatch(check.strip()):
            parts = [(found[1], found[2] or "", _OPERATORS[found[3]], _number(found[4]))]
        elif found := _BETWEEN.fullmatch(check.strip()):
            parts = [(found[1], found[2] or "", "mustBeGreaterOrEqualTo", _number(found[3])),
                     (found[1], found[2] or "", "mustBeLessOrEqualTo", _number(found[4]))]  # fmt: skip
    rules = [_library(part, columns, path, check) for part in parts]
    if parts and all(rule is not None for rule in rules):
        return [rule for rule in rules if rule is not None]
    rule = Block(path, check)
    rule.update({"type": "custom", "engine": "soda", "implementation": dump_yaml({heading: [check]})})
    return [rule]


def _library(part: tuple[str, str, str, float], columns: set[Any], path: Path_, raw: Any) -> Block | None:
    metric, inside, operator, number = part
    names = [name.strip().strip('"') for name in inside.split(",") if name.strip()]
    rule = Block(path, raw)
    rule.update({"type": "library", "metric": _METRICS[metric], operator: number})
    if metric == "row_count":
        return rule if not names else None
    # Soda counts values that stand more than once, ODCS the rows of them: alike only where there are none.
    if metric == "duplicate_count" and (operator, number) != ("mustBe", 0):
        return None
    if not names or not set(names) <= columns or (len(names) > 1 and metric != "duplicate_count"):
        return None
    if metric == "missing_percent":
        rule["unit"] = "percent"
    if len(names) == 1:
        rule["column"] = names[0]
    else:
        rule["arguments"] = {"properties": names}
    return rule


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)


def _parsed(value: Any, notes: Notebook) -> Any:
    """Return YAML that stands as a text in the document; what is none stays a text."""
    if not isinstance(value, str):
        return value
    try:
        return parse_yaml(value, notes.document.path).data
    except DocumentError:
        return value
