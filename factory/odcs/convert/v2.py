"""ODCS 2.2, and what older books print: `dataset`, `columns`, `isPrimary`, `stakeholders`, fragments of all this.

Takes a document in these names, mixed with those of ODCS 3 or not; gives the blocks of an ODCS 3.2 contract.
Source of the renames: the change log of ODCS 3.0.0.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from factory.documents import Path_
from factory.odcs.convert.fields import FIELDS
from factory.odcs.convert.fit import is_secret
from factory.odcs.convert.notes import Block, Notebook, Source
from factory.odcs.convert.v2_rules import read_rule
from factory.odcs.convert.v2_server import read_server
from factory.odcs.convert.values import UNFIT, fitted

#: Keys by which ODCS 2.2 is known at the top of a file.
MARKS = (
    "dataset", "stakeholders", "quantumName", "datasetDomain", "slaDefaultColumn", "uuid", "table", "columns",
    "column", "isPrimary", "isPrimaryKey", "templateName",
)  # fmt: skip
#: What a bare list of such things is, by a key of its items.
LISTS = {"table": "dataset", "column": "columns", "username": "stakeholders", "templateName": "quality"}

_STATUSES = {"current": "active", "production": "active"}
_COLUMN_NAMES = (
    ("businessName", "businessName"), ("logicalType", "logicalType"), ("physicalType", "physicalType"),
    ("physicalName", "physicalName"),
)  # fmt: skip
_TABLE_FIELDS = {*FIELDS["table"], "id"}
_COLUMN_FIELDS = set(FIELDS["column"])


class Reader:
    """Reads one document into blocks."""

    def __init__(self, notes: Notebook) -> None:
        self.notes = notes

    def contract(self, data: Any) -> Block:
        """Return the contract's block."""
        path: Path_ = ()
        source = Source(self.named(data), path)
        block = Block(path, data)
        source.take("apiVersion")
        source.take("kind") if source.values.get("kind") == "DataContract" else source.keep(block, "kind")
        for name in ("standardVersion", "templateVersion"):
            source.take(name)
        source.move(block, "id", "id", "uuid")
        source.move(block, "name")
        source.move(block, "version")
        source.move(block, "status", turn=self.status)
        source.move(block, "domain", "domain", "datasetDomain")
        source.move(block, "dataProduct", "dataProduct", "quantumName")
        source.move(block, "tenant")
        source.move(block, "description", turn=_purpose)
        self.tables(source, block)
        read_server(source, block, self.notes)
        self.people(source, block)
        self.support(source, block)
        self.levels(source, block)
        for name in list(source.values):
            if (is_secret(name) or name == "username") and source.take(name) is not None:
                self.notes.tell((name,), f"{name}: not carried: secrets do not belong in contracts")
        source.rest(block, known=FIELDS["contract"])
        return block

    def named(self, data: Any) -> dict[str, Any]:
        """Return a document as a mapping: a bare list is named after what is in it."""
        if isinstance(data, dict):
            return data
        first = data[0] if data else {}
        name = next(name for key, name in LISTS.items() if key in first)
        return {name: _Bare(data)}

    def status(self, value: Any, origin: Path_) -> Any:
        """Return a status of ODCS 3 for one of ODCS 2."""
        new = _STATUSES.get(value.strip().lower()) if isinstance(value, str) else None
        if new:
            self.notes.tell(origin, f"status {value} is written as {new}")
        return new or value

    def tables(self, source: Source, block: Block) -> None:
        """Read the tables, those of a fragment too."""
        found: list[Any] = []
        place: Path_ = ()
        for name in ("schema", "dataset"):
            value = source.take(name)
            if value is None:
                continue
            place = _place(source, name, value)
            if not isinstance(value, list | dict | str):
                block.extras.append((name, value, source.at(name)))
                continue
            for item, path in _listed(value, place):
                found.append(self.table(item, path) if isinstance(item, dict) else item)
        bare = self.bare_table(source)
        if bare is not None:
            found.append(bare)
        if found:
            block.put("schema", found, place)
        self.contract_rules(source, block, [table for table in found if isinstance(table, Block)])

    def bare_table(self, source: Source) -> Block | None:
        """Return the table of a fragment: a table, its columns, or one column, at the top of the file."""
        values = source.values
        names = [name for name in ("table", "columns", "column") if values.get(name) is not None]
        if not names or (names == ["columns"] and not isinstance(values["columns"], list | dict)):
            return None
        if isinstance(values.get("column"), str) and "columns" not in values and "table" not in values:
            fields = {key: source.take(key) for key in list(values) if key not in _AT_THE_TOP}
            table = Block(source.path, fields)
            table.put("properties", [self.column(fields, source.path)], source.path)
            return table
        own = ("table", "columns", "physicalName", "priorTableName", "dataGranularity", "businessName")
        fields = {key: source.take(key) for key in own if key in values}
        described = values.get("description")
        if isinstance(described, str) and "table" in values:
            # The text at the top of a bare table is the table's.
            fields["description"] = described
            source.take("description")
        for key in ("authoritativeDefinitions", "quality", "tags") if "table" in values else ("quality",):
            if key in values:
                fields[key] = source.take(key)
        return self.table(fields, source.path)

    def contract_rules(self, source: Source, block: Block, tables: list[Block]) -> None:
        """Put the rules of the whole contract on its table, if there is one only."""
        value = source.take("quality")
        if not value:
            return
        if len(tables) == 1 or not tables:
            table = tables[0] if tables else Block(source.at("quality"), value)
            rules = [
                read_rule(item, path, self.notes)
                for item, path in _listed(value, _place(source, "quality", value))
            ]
            self.put_rules(table, rules, source.at("quality"))
            if not tables:
                block.put("schema", [table], source.at("quality"))
        else:
            block.extras.append(("quality", value, source.at("quality")))

    def put_rules(self, table: Block, rules: Iterable[Any], origin: Path_) -> None:
        """Put rules on a table, or under the one column that each is about."""
        columns = {
            column.get("name"): column
            for column in table.get("properties") or ()
            if isinstance(column, Block) and isinstance(column.get("name"), str)
        }
        for rule in rules:
            spot = table
            if isinstance(rule, Block):
                named = rule.pop("column", None)
                if isinstance(named, str) and named in columns:
                    spot = columns[named]
                elif named is not None:
                    rule.extras.append(("column", named, rule.origin("column")))
            spot.setdefault("quality", []).append(rule)
            spot.origins.setdefault("quality", origin)

    def table(self, values: Any, path: Path_) -> Block:
        """Return a table's block."""
        source = Source(values, path)
        block = Block(path, values)
        source.move(block, "name", "name", "table")
        source.move(block, "physicalName")
        source.keep(block, "priorTableName")
        source.move(block, "description", turn=self.text_of(block))
        source.move(block, "dataGranularityDescription", "dataGranularityDescription", "dataGranularity")
        columns: list[Any] = []
        for name in ("properties", "columns"):
            value = source.take(name)
            if value is not None and not isinstance(value, list | dict | str):
                block.extras.append((name, value, source.at(name)))
            elif value is not None:
                columns += [
                    self.column(item, place) if isinstance(item, dict) else item
                    for item, place in _listed(value, _place(source, name, value))
                ]
        if columns:
            block.put("properties", columns, path)
        self.rules_of(source, block)
        source.rest(block, known=_TABLE_FIELDS)
        return block

    def rules_of(self, source: Source, block: Block) -> None:
        """Read the rules that stand in a table or a column."""
        value = source.take("quality")
        if value:
            rules = [
                read_rule(item, path, self.notes)
                for item, path in _listed(value, _place(source, "quality", value))
            ]
            self.put_rules(block, rules, source.at("quality"))

    def column(self, values: Any, path: Path_) -> Block:
        """Return a column's block, with the columns in it."""
        source = Source(values, path)
        block = Block(path, values)
        source.move(block, "name", "name", "column")
        source.rename(block, _COLUMN_NAMES)
        source.move(block, "description", turn=self.text_of(block))
        source.move(block, "primaryKey", "primaryKey", "isPrimaryKey", "isPrimary")
        source.move(block, "required")
        nullable = source.take("isNullable")
        if nullable is not None:
            flag = fitted("flag", nullable)
            if flag is UNFIT:
                block.extras.append(("isNullable", nullable, source.at("isNullable")))
            else:
                _put_unless_same(block, "required", not flag, nullable, source.at("isNullable"))
        source.move(block, "unique", "unique", "isUnique")
        source.move(block, "partitioned", "partitioned", "partitionStatus")
        source.move(block, "criticalDataElement", "criticalDataElement", "criticalDataElementStatus")
        source.move(block, "encryptedName", "encryptedName", "encryptedColumnName")
        source.move(block, "examples", "examples", "sampleValues")
        source.move(block, "transformSourceObjects", "transformSourceObjects", "transformSourceTables")
        source.keep(block, "clusterStatus", "clusterKeyPosition")
        for name in ("properties", "columns"):
            value = source.take(name)
            if isinstance(value, list):
                nested = [
                    self.column(item, place) if isinstance(item, dict) else item
                    for item, place in _listed(value, source.at(name))
                ]
                block.put("properties", nested, source.at(name))
            elif value is not None:
                block.extras.append((name, value, source.at(name)))
        self.rules_of(source, block)
        source.rest(block, known=_COLUMN_FIELDS)
        return block

    def text_of(self, block: Block) -> Any:
        """Return the reader of a description that may be a text, a list of texts, or purpose and limitations."""

        def read(value: Any, origin: Path_) -> Any:
            if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
                return "\n".join(value)
            if isinstance(value, dict):
                for key, each in value.items():
                    if key != "purpose" and each is not None:
                        block.extras.append((f"description_{key}", each, (*origin, key)))
                return value.get("purpose")
            return value

        return read

    def people(self, source: Source, block: Block) -> None:
        """Read the stakeholders, and a team that may stand beside them."""
        members: list[Any] = []
        origin: Path_ = ()
        team = source.values.get("team")
        if isinstance(team, dict) and source.values.get("stakeholders") is None:
            return
        for name in ("team", "stakeholders"):
            value = source.take(name)
            if value is None:
                continue
            origin = source.at(name)
            items = value.get("members") if name == "team" and isinstance(value, dict) else value
            if isinstance(value, dict) and items is not value:
                block.put("team", team_of(value, origin), origin)
            members += [
                member(item, place) if isinstance(item, dict) else item
                for item, place in _listed(items, _place(source, name, value))
            ]
        if members:
            if "team" not in block:
                block.put("team", Block(origin), origin)
            block["team"]["members"] = members
            block["team"].origins["members"] = origin

    def support(self, source: Source, block: Block) -> None:
        """Read where help is given."""
        channels: list[Any] = []
        for name, tool in (
            ("productDl", "email"),
            ("productSlackChannel", "slack"),
            ("productFeedbackUrl", ""),
        ):
            value = source.take(name)
            if value is None:
                continue
            item = Block(source.at(name), {name: value})
            item.put("channel", value if tool else "feedback", source.at(name))
            item.put("url", None if tool else value, source.at(name))
            item.put("tool", tool or "ticket", source.at(name))
            channels.append(item)
        if channels:
            own = source.take("support")
            listed = [] if own is None else own if isinstance(own, list) else [own]
            block.put("support", [*listed, *channels], source.at("support"))

    def levels(self, source: Source, block: Block) -> None:
        """Read the service levels; the default column is written on each that has none of its own."""
        default_name = "slaDefaultElement" if source.values.get("slaDefaultElement") else "slaDefaultColumn"
        value = source.values.get("slaProperties")
        if not value or not isinstance(value, list | dict):
            source.move(block, "slaDefaultElement", "slaDefaultElement", "slaDefaultColumn")
            return
        source.take("slaProperties")
        default = source.take(default_name)
        items = [
            level(item, place, default, source.at(default_name)) if isinstance(item, dict) else item
            for item, place in _listed(value, source.at("slaProperties"))
        ]
        if default is not None and not any(isinstance(each, Block) for each in items):
            block.put("slaDefaultElement", default, source.at(default_name))
        block.put("slaProperties", items, source.at("slaProperties"))


#: Keys that say nothing about a bare column.
_AT_THE_TOP = {
    "apiVersion", "kind", "id", "uuid", "version", "status", "stakeholders", "slaProperties", "slaDefaultColumn",
    "team", "roles", "price", "datasetDomain", "quantumName", "tenant", "dataset", "schema", "slaDefaultElement",
    "support",
}  # fmt: skip


class _Bare(list[Any]):
    """A list that is the whole document."""


def level(values: dict[str, Any], path: Path_, default: Any, default_path: Path_) -> Block:
    """Return a service level's block."""
    source = Source(values, path)
    block = Block(path, values)
    source.move(block, "element", "element", "column")
    if "element" not in block and default is not None:
        block.put("element", default, default_path)
    for name in ("value", "valueExt"):
        if name in values:
            block[name] = source.take(name)
    source.rest(block, known=FIELDS["level"])
    return block


def member(values: dict[str, Any], path: Path_) -> Block:
    """Return the block of a member of a team."""
    source = Source(values, path)
    block = Block(path, values)
    source.move(block, "description", "description", "comment")
    source.rest(block, known=FIELDS["member"])
    return block


def team_of(values: dict[str, Any], path: Path_) -> Block:
    """Return the block of a team, without its members."""
    source = Source(values, path)
    block = Block(path, values)
    source.take("members")
    source.rest(block, known=FIELDS["team"])
    return block


def _purpose(value: Any, origin: Path_) -> Any:
    if not isinstance(value, str):
        return value
    block = Block(origin, value)
    block.put("purpose", value, origin)
    return block


def _put_unless_same(block: Block, name: str, value: Any, raw: Any, origin: Path_) -> None:
    if name not in block:
        block.put(name, value, origin)
    elif fitted("flag", block[name]) != value:
        block.extras.append((str(origin[-1]), raw, origin))


def _place(source: Source, name: str, value: Any) -> Path_:
    return source.path if isinstance(value, _Bare) else source.at(name)


def _listed(value: Any, path: Path_) -> list[tuple[Any, Path_]]:
    """Return the items of a list with their places; what is no list is its only item."""
    if isinstance(value, list):
        return [(item, (*path, number)) for number, item in enumerate(value)]
    return [] if value is None else [(value, path)]
