"""A contract as text that a person can read from top to bottom.

Takes the values of an ODCS contract of any version from 3.0; gives text of a width.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from factory.odcs.compare import shown
from factory.odcs.compare.normal import mappings
from factory.odcs.coverage import coverage_of
from factory.standards import OPERATORS

Values = Mapping[str, Any]

_WORDS = {
    "mustBe": "is", "mustNotBe": "is not", "mustBeGreaterThan": "above", "mustBeGreaterOrEqualTo": "at least",
    "mustBeLessThan": "below", "mustBeLessOrEqualTo": "at most", "mustBeBetween": "between",
    "mustNotBeBetween": "not between",
}  # fmt: skip
_METRICS = {
    "nullValues": "null values", "missingValues": "missing values", "invalidValues": "invalid values",
    "duplicateValues": "duplicate values", "rowCount": "rows",
}  # fmt: skip


def contract_as_text(data: Values, width: int = 100) -> str:
    """Return a contract as text."""
    return "\n".join(_Page(width).contract(data)).rstrip()


class _Page:
    def __init__(self, width: int) -> None:
        self.width = width

    def contract(self, data: Values) -> Iterator[str]:
        title = " ".join(str(data[key]) for key in ("name", "version") if data.get(key)) or str(
            data.get("id")
        )
        yield title + (f"  ({data['status']})" if data.get("status") else "")
        yield str(data.get("id", ""))
        about = [f"{key} {data[key]}" for key in ("domain", "dataProduct", "tenant") if data.get(key)]
        yield from self.wrapped(", ".join(about))
        if isinstance(data.get("tags"), list) and data["tags"]:
            yield from self.wrapped("tags: " + ", ".join(map(str, data["tags"])))
        described = data.get("description")
        for key in ("purpose", "limitations", "usage"):
            if isinstance(described, Mapping) and described.get(key):
                yield from self.section(key.capitalize())
                yield from self.wrapped(str(described[key]))
        for table in mappings(data.get("schema")):
            yield from self.table(table)
        found = coverage_of(data)
        if found.fields:
            yield ""
            yield from self.wrapped(
                f"{found.described:g} % of tables and columns are described, "
                f"{found.linked:g} % of columns have an authoritative definition."
            )
        yield from self.listed("Service levels", map(_level, mappings(data.get("slaProperties"))))
        yield from self.people(data)
        yield from self.listed("Support", map(_support, mappings(data.get("support"))))
        yield from self.listed("Roles", map(_role, mappings(data.get("roles"))))
        price = data.get("price")
        if isinstance(price, Mapping) and price:
            words = [str(price[key]) for key in ("priceAmount", "priceCurrency") if key in price]
            unit = f" per {price['priceUnit']}" if price.get("priceUnit") else ""
            yield from self.listed("Price", [" ".join(words) + unit])
        yield from self.listed("Where", map(_server, mappings(data.get("servers"))))
        yield from self.listed("Also known", map(_custom, mappings(data.get("customProperties"))))
        yield from self.listed("See also", map(_definition, mappings(data.get("authoritativeDefinitions"))))

    def wrapped(self, text: str, indent: str = "") -> list[str]:
        """Return text in lines of the width; its own paragraphs stay."""
        lines: list[str] = []
        for paragraph in text.strip().splitlines():
            # A path or an address stays whole, so that it can be copied.
            lines += textwrap.wrap(
                paragraph, self.width, initial_indent=indent, subsequent_indent=indent,
                break_long_words=False, break_on_hyphens=False,
            ) or [""]  # fmt: skip
        return lines

    def section(self, title: str) -> list[str]:
        return ["", title, "-" * len(title)]

    def listed(self, title: str, entries: Iterable[str]) -> Iterator[str]:
        entries = [entry for entry in entries if entry.strip()]
        if entries:
            yield from self.section(title)
            for entry in entries:
                lines = self.wrapped(entry, "    ")
                yield "  - " + lines[0].strip()
                yield from lines[1:]

    def table(self, table: Values) -> Iterator[str]:
        name = str(table.get("name", ""))
        called = f" ({table['businessName']})" if table.get("businessName") else ""
        yield from self.section(f"{name}{called}{', deprecated' if table.get('deprecated') else ''}")
        if table.get("description"):
            yield from self.wrapped(str(table["description"]))
        if table.get("dataGranularityDescription"):
            yield from self.wrapped(f"Grain: {table['dataGranularityDescription']}")
        columns = mappings(table.get("properties"))
        if columns:
            yield ""
            yield from self.columns(columns)
        for relation in mappings(table.get("relationships")):
            ends = [_ends(relation.get(end)) for end in ("from", "to")]
            yield from self.wrapped(f"  {ends[0]} refers to {ends[1]}")
        rules = [rule for rule in _rules(table) if rule.strip()]
        if rules:
            yield ""
            yield "  Quality:"
            for rule in rules:
                lines = self.wrapped(rule, "      ")
                yield "    - " + lines[0].strip()
                yield from lines[1:]

    def columns(self, columns: list[Values], level: int = 1) -> Iterator[str]:
        indent = "  " * level
        longest = min(30, max(len(str(column.get("name", ""))) for column in columns))
        for column in columns:
            name = f"{indent}{column.get('name', '')!s:{longest}}  "
            first, *rest = textwrap.wrap(", ".join(_facts(column)), max(30, self.width - len(name)))
            yield name + first
            yield from (" " * len(name) + line for line in rest)
            told = [str(column[key]) for key in ("businessName", "description") if column.get(key)]
            inner = indent + " " * (longest + 2)
            if told:
                yield from textwrap.wrap(
                    ". ".join(told), self.width, initial_indent=inner, subsequent_indent=inner
                )
            nested = mappings(column.get("properties"))
            items = column.get("items")
            nested = nested or (mappings(items.get("properties")) if isinstance(items, Mapping) else [])
            if nested:
                yield from self.columns(nested, level + 2)

    def people(self, data: Values) -> Iterator[str]:
        team = data.get("team")
        members = mappings(team.get("members") if isinstance(team, Mapping) else team)
        title = "Team"
        if isinstance(team, Mapping) and team.get("name"):
            title = f"Team {team['name']}"
        yield from self.listed(title, map(_member, members))


def _ends(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "it")


def _facts(column: Values) -> Iterator[str]:
    logical, physical = column.get("logicalType"), column.get("physicalType")
    yield " ".join(str(part) for part in (logical, f"({physical})" if physical else "") if part) or "no type"
    position = column.get("primaryKeyPosition")
    if column.get("primaryKey"):
        yield "key" if position in (None, -1, 1) else f"key {position}"
    if column.get("required"):
        yield "required"
    if column.get("unique"):
        yield "unique"
    if column.get("classification"):
        yield str(column["classification"])
    if column.get("criticalDataElement"):
        yield "critical"
    if column.get("deprecated"):
        named = (
            e.get("value")
            for e in mappings(column.get("customProperties"))
            if e.get("property") == "successor"
        )
        successor = next(named, None)
        yield "deprecated" + (f" (use {successor})" if successor else "")
    options = column.get("logicalTypeOptions")
    if isinstance(options, Mapping):
        kept = {key: value for key, value in options.items() if key not in ("format", "timezone")}
        if kept:
            yield ", ".join(f"{key} {shown(value)}" for key, value in kept.items())
    values = [entry.get("value") for entry in mappings(column.get("enum"))]
    if values:
        more = f" and {len(values) - 6} more" if len(values) > 6 else ""
        yield f"one of {', '.join(map(str, values[:6]))}{more}"
    for relation in mappings(column.get("relationships")):
        yield f"refers to {_ends(relation.get('to'))}"


def _rules(table: Values) -> Iterator[str]:
    yield from (_rule("", rule) for rule in mappings(table.get("quality")))
    for column in mappings(table.get("properties")):
        yield from (_rule(str(column.get("name")), rule) for rule in mappings(column.get("quality")))


def _rule(column: str, rule: Values) -> str:
    kind = rule.get("type") or "library"
    wanted = " and ".join(f"{_WORDS[name]} {shown(rule[name])}" for name in OPERATORS if name in rule)
    unit = " percent" if str(rule.get("unit")).lower() in ("percent", "%") else ""
    if kind == "library":
        metric = str(rule.get("metric") or rule.get("rule") or "")
        words = f"{_METRICS.get(metric, metric)} {wanted}{unit}"
        arguments = rule.get("arguments")
        if isinstance(arguments, Mapping) and arguments:
            words += f" ({', '.join(f'{key}: {shown(value)}' for key, value in arguments.items())})"
    elif kind == "sql":
        words = f"`{' '.join(str(rule.get('query', '')).split())}` {wanted}{unit}"
    elif kind == "text":
        words = str(rule.get("description") or "")
    else:
        words = f"{rule.get('name') or 'a rule'}, run by {rule.get('engine')}"
    told = [str(rule[key]) for key in ("dimension", "severity") if rule.get(key)]
    if rule.get("description") and kind != "text":
        words += f": {rule['description']}"
    return (f"{column}: " if column else "") + words + (f" [{', '.join(told)}]" if told else "")


def _level(level: Values) -> str:
    value = " ".join(str(level[key]) for key in ("value", "unit") if level.get(key) is not None)
    element = f" for {level['element']}" if level.get("element") else ""
    told = f". {level['description']}" if level.get("description") else ""
    return f"{level.get('property')}: {value}{element}{told}"


def _member(member: Values) -> str:
    name = str(member.get("username") or member.get("name") or "")
    if member.get("name") and member.get("username"):
        name += f" ({member['name']})"
    days = [str(member[key]) for key in ("dateIn", "dateOut") if member.get(key)]
    if member.get("dateIn") and not member.get("dateOut"):
        days.append("now")
    words = [name, str(member.get("role") or ""), " to ".join(days)]
    if member.get("replacedByUsername"):
        words.append(f"replaced by {member['replacedByUsername']}")
    if member.get("description"):
        words.append(str(member["description"]))
    return ", ".join(word for word in words if word)


def _support(channel: Values) -> str:
    words = [
        str(channel.get("channel", "")),
        str(channel.get("url") or ""),
        str(channel.get("description") or ""),
    ]
    return ", ".join(word for word in words if word)


def _role(role: Values) -> str:
    asks = [str(role[key]) for key in ("firstLevelApprovers", "secondLevelApprovers") if role.get(key)]
    words = [str(role.get("role", "")), str(role.get("access") or ""), str(role.get("description") or "")]
    if asks:
        words.append(f"approved by {', then '.join(asks)}")
    return ", ".join(word for word in words if word)


def _server(server: Values) -> str:
    known = {
        key: value
        for key, value in server.items()
        if key not in ("server", "type", "description", "customProperties", "roles", "id")
    }
    where = ", ".join(
        f"{key} {shown(value) if isinstance(value, list | Mapping) else value}"
        for key, value in known.items()
    )
    told = f". {server['description']}" if server.get("description") else ""
    return f"{server.get('server')} ({server.get('type')}): {where}{told}"


def _custom(entry: Values) -> str:
    value = entry.get("value")
    words = shown(value) if isinstance(value, list | Mapping) else str(value)
    return f"{entry.get('property')}: {words}"


def _definition(entry: Values) -> str:
    told = f", {entry['description']}" if entry.get("description") else ""
    return f"{entry.get('type')}: {entry.get('url')}{told}"
