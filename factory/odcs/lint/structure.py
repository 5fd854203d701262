"""What a contract names twice, what it refers to, and the order of its keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from factory.documents import Path_
from factory.odcs.lint.walk import Column, Table, Values, is_number, items, rules, text
from factory.standards import Fault, nearest


def structure_faults(data: Values, found: tuple[Table, ...]) -> Iterator[Fault]:
    """Yield names that stand twice, references that lead nowhere and key positions that make no order."""
    yield from _repeated_names(data, found)
    names = References(data, found)
    for table in found:
        yield from _keys(table)
        yield from _relationships(table, names)
        yield from _columns_of_rules(table)
        for column in table.columns:
            if "logicalTypeOptions" in column.data:
                yield from _needed_properties(column.path, column.data)
            if "encryptedName" in column.data:
                yield from _encrypted(column, table)
    yield from _sla_elements(data, names)


def _repeated_names(data: Values, found: tuple[Table, ...]) -> Iterator[Fault]:
    yield from _twice("table", ((table.path, table.name) for table in found))
    for table in found:
        levels: dict[Path_, list[tuple[Path_, str]]] = {}
        for column in table.columns:
            if column.siblings:
                levels.setdefault(column.path[:-1], []).append((column.path, text(column.data, "name")))
        for level in levels.values():
            yield from _twice("column", level)
        yield from _same_physical(table)
        for column in table.columns:
            if "enum" in column.data:
                yield from _repeated_values(column.path, column.data)
    servers = (((("servers", number)), text(server, "server")) for number, server in items(data, "servers"))
    yield from _twice("server", servers)
    yield from _twice("role", ((("roles", n), text(role, "role")) for n, role in items(data, "roles")))
    yield from _repeated_ids(data, ())
    yield from _repeated_lesser(data, found)


def _twice(what: str, named: Iterable[tuple[Path_, str]]) -> Iterator[Fault]:
    """Yield a fault for each name that stands again; a warning where only its case differs."""
    seen: dict[str, str] = {}
    for path, name in named:
        if not name:
            continue
        first = seen.get(name.lower())
        if first is None:
            seen[name.lower()] = name
            continue
        key = {"server": "server", "role": "role"}.get(what, "name")
        if first == name:
            message = f"the {what} {name!r} stands twice"
            yield Fault((*path, key), message, "rename or remove one of them", code=f"duplicate-{what}")
        else:
            message = (
                f"the {what}s {first!r} and {name!r} differ in case only, and databases take them for one"
            )
            yield Fault(
                (*path, key), message, "rename one of them", code=f"duplicate-{what}", severity="warning"
            )


def _same_physical(table: Table) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for column in table.columns:
        physical = text(column.data, "physicalName")
        if physical and column.siblings and len(column.path) == len(table.path) + 2:
            other = seen.get(physical)
            seen[physical] = column.name
            if other is not None:
                message = (
                    f"{table.name}.{other} and {table.name}.{column.name} are both {physical!r} in the store"
                )
                yield Fault(
                    (*column.path, "physicalName"), message, "correct one of them", code="duplicate-column"
                )


def _repeated_values(path: Path_, column: Values) -> Iterator[Fault]:
    seen: set[tuple[str, str]] = set()
    for number, entry in items(column, "enum"):
        value = entry.get("value")
        key = (type(value).__name__, str(value))
        if "value" in entry and key in seen:
            message = f"the value {value!r} stands twice in the enum"
            yield Fault(
                (*path, "enum", number, "value"), message, "remove one of them", code="duplicate-value"
            )
        seen.add(key)


def _repeated_ids(value: Any, path: Path_) -> Iterator[Fault]:
    """Yield ids that stand twice in one list: a reference could mean either."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict | list) and key not in (
                "customProperties",
                "implementation",
                "examples",
            ):
                yield from _repeated_ids(inner, (*path, key))
    elif isinstance(value, list):
        seen: set[str] = set()
        for number, item in enumerate(value):
            if not isinstance(item, dict):
                continue
            own = item.get("id")
            if isinstance(own, str):
                if own in seen:
                    message = f"the id {own!r} stands twice in one list"
                    yield Fault(
                        (*path, number, "id"), message, "give each an id of its own", code="duplicate-id"
                    )
                seen.add(own)
            yield from _repeated_ids(item, (*path, number))


def _repeated_lesser(data: Values, found: tuple[Table, ...]) -> Iterator[Fault]:
    """Yield what stands twice and contradicts itself, though nothing refers to it."""
    seen: set[tuple[str, str, str]] = set()
    for number, sla in items(data, "slaProperties"):
        key = (text(sla, "property").lower(), str(sla.get("element") or ""), text(sla, "driver"))
        if key[0] and key in seen:
            message = f"the service level {sla['property']!r} stands twice for the same element"
            yield Fault(
                ("slaProperties", number, "property"), message, "keep one of them", code="duplicate-sla"
            )
        seen.add(key)
    places: list[tuple[Path_, Values]] = [((), data)]
    for table in found:
        places.append((table.path, table.data))
        places += [(column.path, column.data) for column in table.columns if len(column.data) > 2]
    for path, place in places:
        names: set[str] = set()
        for number, entry in items(place, "customProperties"):
            name = text(entry, "property")
            if name and name in names:
                message = f"the custom property {name!r} stands twice"
                yield Fault((*path, "customProperties", number, "property"), message, "keep one of them",
                            code="duplicate-property")  # fmt: skip
            names.add(name)
        tags = place.get("tags")
        if isinstance(tags, list) and len({str(tag) for tag in tags}) < len(tags):
            yield Fault((*path, "tags"), "a tag stands twice", code="duplicate-value", severity="warning")


_SHORT = re.compile(r"[^/#\s]+(\.[^/#\s]+)+")
_FULL = re.compile(r"(/?schema/[^/#\s]+(/properties/[^/#\s]+)*)")


class References:
    """What can be referred to in a contract: tables and columns by name, and by id."""

    def __init__(self, data: Values, found: tuple[Table, ...]) -> None:
        self.tables = found
        self.names = {table.name for table in found}
        self.columns = {
            f"{table.name}.{column.name}": column.data for table in found for column in table.columns
        }
        self._data = data

    def column(self, reference: str) -> Values | None:
        """Return the column that a reference within this contract means, in short or full form."""
        if _FULL.fullmatch(reference):
            node: Any = self._data
            steps = reference.lstrip("/").split("/")
            for section, name in zip(steps[::2], steps[1::2], strict=False):
                candidates = [item for _, item in items(node, section)]
                node = next((c for c in candidates if c.get("id") == name), None) or next(
                    (c for c in candidates if c.get("name") == name), None
                )
                if node is None:
                    return None
            return node if isinstance(node, dict) else None
        return self.columns.get(reference)

    def fault(self, path: Path_, reference: Any, what: str) -> Fault | None:
        """Return what is wrong with a reference; nothing of one to another contract, if it has the form of one."""
        if not isinstance(reference, str):
            return None
        file, mark, inside = reference.rpartition("#")
        inside = inside.lstrip("/")
        if not (_SHORT.fullmatch(inside) or _FULL.fullmatch(inside)):
            message = f"{what} {reference!r} is no reference"
            hint = "write table.column or schema/<table>/properties/<column>"
            return Fault(path, message, hint, code="wrong-reference")
        if (mark and file) or self.column(inside) is not None:
            return None
        near = nearest(inside, self.columns)
        return Fault(
            path,
            f"{what} {reference!r} leads nowhere in this contract",
            f"did you mean {near!r}?" if near else "write table.column of a column that is here",
            code="unresolved-reference",
        )


def _relationships(table: Table, names: References) -> Iterator[Fault]:
    for number, relation in items(table.data, "relationships"):
        here = (*table.path, "relationships", number)
        yield from _ends(here, relation, names, ("from", "to"))
        yield from _matching(here, relation.get("from"), relation.get("to"), names)
        starts = relation.get("from")
        for n, start in enumerate(starts if isinstance(starts, list) else [starts]):
            own = isinstance(start, str) and names.column(start) is not None
            if own and not _is_of(start, table):
                path = (*here, "from", n) if isinstance(starts, list) else (*here, "from")
                message = (
                    f"the relationship of {table.name!r} starts at {start!r}, which is not a column of it"
                )
                yield Fault(path, message, "move it to that table", code="wrong-reference")
    for column in table.columns:
        for number, relation in items(column.data, "relationships"):
            here = (*column.path, "relationships", number)
            yield from _ends(here, relation, names, ("to",))
            if relation.get("to") == f"{table.name}.{column.name}":
                message = f"{table.name}.{column.name} refers to itself"
                yield Fault((*here, "to"), message, code="wrong-reference")
            yield from _types_agree((*here, "to"), column.data, relation.get("to"), names)


def _is_of(reference: str, table: Table) -> bool:
    if "/" in reference:
        steps = reference.lstrip("/").split("/")
        return len(steps) > 1 and steps[1] in (table.name, table.data.get("id"))
    return reference.split(".", 1)[0] == table.name


def _ends(path: Path_, relation: Values, names: References, ends: Iterable[str]) -> Iterator[Fault]:
    for end in ends:
        value = relation.get(end)
        several = isinstance(value, list)
        for number, reference in enumerate(value if isinstance(value, list) else [value]):
            place = (*path, end, number) if several else (*path, end)
            fault = names.fault(place, reference, "the reference")
            if fault is not None:
                yield fault


def _matching(path: Path_, start: Any, end: Any, names: References) -> Iterator[Fault]:
    if start is None or end is None:
        return
    if isinstance(start, list) != isinstance(end, list):
        message = "one end of the relationship is a list of columns, the other is not"
        yield Fault((*path, "to"), message, "write both as lists of equal length", code="wrong-reference")
    elif isinstance(start, list) and len(start) != len(end):
        message = f"the relationship goes from {len(start)} columns to {len(end)}"
        yield Fault((*path, "to"), message, "write both as lists of equal length", code="wrong-reference")
    pairs = (
        zip(start, end, strict=False) if isinstance(start, list) and isinstance(end, list) else [(start, end)]
    )
    for one, other in pairs:
        column = names.column(one) if isinstance(one, str) else None
        if column is not None:
            yield from _types_agree((*path, "to"), column, other, names)


def _types_agree(path: Path_, column: Values, reference: Any, names: References) -> Iterator[Fault]:
    target = names.column(reference) if isinstance(reference, str) else None
    if target is None:
        return
    mine, other = text(column, "logicalType"), text(target, "logicalType")
    numbers = {"integer", "number"}
    if mine and other and mine != other and {mine, other} != numbers:
        message = f"the relationship joins {mine} to {other} ({reference})"
        yield Fault(path, message, "give both the same type", code="relationship-type", severity="warning")


def _sla_elements(data: Values, names: References) -> Iterator[Fault]:
    places: list[tuple[Path_, Any]] = [(("slaDefaultElement",), data.get("slaDefaultElement"))]
    places += [
        (("slaProperties", number, "element"), sla.get("element"))
        for number, sla in items(data, "slaProperties")
    ]
    if not names.tables:
        return
    for path, value in places:
        if not isinstance(value, str):
            continue
        for element in (part.strip() for part in value.split(",")):
            if not _is_element(element, names):
                known = [*names.columns, *names.names]
                if len(names.tables) == 1:
                    known += [column.name for column in names.tables[0].columns]
                near = nearest(element, known)
                hint = (
                    f"did you mean {near!r}?"
                    if near
                    else "write table.column, or the column if there is one table"
                )
                yield Fault(
                    path,
                    f"the element {element!r} is not in this contract",
                    hint,
                    code="unresolved-reference",
                )


def _is_element(element: str, names: References) -> bool:
    if names.column(element) is not None or element in names.names:
        return True
    owners = [table for table in names.tables if any(c.name == element for c in table.columns)]
    return len(names.tables) == 1 and bool(owners)


def _columns_of_rules(table: Table) -> Iterator[Fault]:
    """Yield columns that a duplicateValues rule of the table names and that the table does not have."""
    known = {column.name for column in table.columns}
    for path, rule in rules(table.path, table.data):
        arguments = rule.get("arguments")
        wanted = arguments.get("properties") if isinstance(arguments, dict) else None
        for number, name in enumerate(wanted if isinstance(wanted, list) else ()):
            if isinstance(name, str) and name not in known:
                near = nearest(name, known)
                yield Fault(
                    (*path, "arguments", "properties", number),
                    f"the rule names {name!r}, which is not a column of {table.name!r}",
                    f"did you mean {near!r}?" if near else "",
                    code="unresolved-reference",
                )


def _encrypted(column: Column, table: Table) -> Iterator[Fault]:
    """Yield an encryptedName that is not among the columns; it may be one that the contract does not cover."""
    wanted = text(column.data, "encryptedName")
    known = {text(c.data, key) for c in table.columns for key in ("name", "physicalName")}
    if wanted and wanted not in known:
        near = nearest(wanted, known)
        message = f"{table.name}.{column.name}: encryptedName {wanted!r} is not a column of the table"
        hint = f"did you mean {near!r}?" if near else "add that column, if the contract covers it"
        place = (*column.path, "encryptedName")
        yield Fault(place, message, hint, code="unresolved-reference", severity="warning")


def _needed_properties(path: Path_, column: Values) -> Iterator[Fault]:
    options = column["logicalTypeOptions"]
    needed = options.get("required") if isinstance(options, dict) else None
    known = {text(inner, "name") for _, inner in items(column, "properties")}
    for number, name in enumerate(needed if isinstance(needed, list) and known else ()):
        if isinstance(name, str) and name not in known:
            near = nearest(name, known)
            yield Fault(
                (*path, "logicalTypeOptions", "required", number),
                f"{name!r} is required, and not among the object's properties",
                f"did you mean {near!r}?" if near else "",
                code="unresolved-reference",
            )


def _keys(table: Table) -> Iterator[Fault]:
    yield from _positions(table, "primaryKey", "primaryKeyPosition", "primary key")
    yield from _positions(table, "partitioned", "partitionKeyPosition", "partition key")
    for column in table.columns:
        if column.data.get("primaryKey") is True and column.data.get("required") is False:
            message = f"{table.name}.{column.name} is in the primary key, and not required"
            hint = "set `required: true`"
            place = (*column.path, "required")
            yield Fault(place, message, hint, code="key-not-required", severity="warning")


def _positions(table: Table, flag: str, key: str, what: str) -> Iterator[Fault]:
    """Yield positions that are no order 1, 2, 3 ... of the columns of a key."""
    members = [c for c in table.columns if c.data.get(flag) is True]
    seen: dict[int, str] = {}
    for column in table.columns:
        position = column.data.get(key)
        if not is_number(position) or position == -1:
            continue
        path, name = (*column.path, key), f"{table.name}.{column.name}"
        if position < 1 or position != int(position):
            yield Fault(
                path, f"{name}: {position} is no position in a key", "count from 1", code="key-position"
            )
        elif column.data.get(flag) is not True:
            message = f"{name} has a position in the {what}, and is not in it"
            yield Fault(path, message, f"set `{flag}: true`, or remove the position", code="key-position")
        elif int(position) in seen:
            message = f"{name} and {table.name}.{seen[int(position)]} have the same position in the {what}, {position}"
            yield Fault(path, message, "count 1, 2, 3", code="key-position")
        elif position > len(members):
            message = f"{name} has position {position} in a {what} of {len(members)}"
            yield Fault(path, message, "count 1, 2, 3 without a gap", code="key-position")
        else:
            seen[int(position)] = column.name
    without = [c for c in members if c.data.get(key, -1) == -1]
    if len(members) > 1 and without:
        message = f"the {what} of {table.name!r} has {len(members)} columns, and no position for each"
        severity = "error" if seen else "warning"
        yield Fault(
            (*without[0].path, flag),
            message,
            f"set `{key}` to 1, 2, 3",
            code="key-position",
            severity=severity,
        )
