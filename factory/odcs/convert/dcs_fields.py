"""Models and fields of the Data Contract Specification.

Takes a model or a field; gives the block of a table or a column, with `$ref` to the document's own definitions
written out, nested fields, options of types, keys, relationships, lineage and rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from factory.documents import Path_
from factory.errors import ContractError
from factory.odcs.convert.fields import FIELDS
from factory.odcs.convert.notes import Block, Notebook, Source
from factory.odcs.convert.shapes import type_fields
from factory.odcs.convert.values import is_whole

_TYPES: dict[str, dict[str, Any]] = {
    "string": {"logicalType": "string"}, "text": {"logicalType": "string"}, "varchar": {"logicalType": "string"},
    "number": {"logicalType": "number"}, "decimal": {"logicalType": "number"}, "numeric": {"logicalType": "number"},
    "int": {"logicalType": "integer"}, "integer": {"logicalType": "integer"},
    "long": {"logicalType": "integer", "format": "i64"}, "bigint": {"logicalType": "integer", "format": "i64"},
    "float": {"logicalType": "number", "format": "f32"}, "double": {"logicalType": "number", "format": "f64"},
    "boolean": {"logicalType": "boolean"}, "date": {"logicalType": "date"}, "time": {"logicalType": "time"},
    "timestamp": {"logicalType": "timestamp", "timezone": True},
    "timestamp_tz": {"logicalType": "timestamp", "timezone": True},
    "timestamp_ntz": {"logicalType": "timestamp", "timezone": False},
    "array": {"logicalType": "array"}, "map": {"logicalType": "map"}, "object": {"logicalType": "object"},
    "record": {"logicalType": "object"}, "struct": {"logicalType": "object"},
    "bytes": {"logicalType": "string", "format": "binary"}, "variant": {"logicalType": "object"},
    "json": {"logicalType": "object"}, "null": {"logicalType": "string"},
}  # fmt: skip
_PHYSICAL = (
    "bigqueryType", "snowflakeType", "redshiftType", "sqlserverType", "databricksType", "glueType", "postgresType",
    "oracleType", "physicalType",
)  # fmt: skip
_OPTIONS = (
    "minLength", "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "minItems", "maxItems", "uniqueItems", "multipleOf",
)  # fmt: skip
_ALIKE = ("id", "name", "physicalName", "businessName", "customProperties", "authoritativeDefinitions", "synonyms",
          "deprecated", "encryptedName", "criticalDataElement", "partitioned", "partitionKeyPosition",
          "primaryKeyPosition", "transformLogic", "transformDescription", "transformSourceObjects")  # fmt: skip
_MAX_DEPTH = 40
_MAX_COLUMNS = 50_000


class Fields:
    """Reads models and fields, and remembers which definitions were used."""

    def __init__(self, data: Mapping[str, Any], notes: Notebook) -> None:
        self.data = data
        self.notes = notes
        self.used: set[Path_] = set()
        self.open: list[Path_] = []
        self.count = 0

    def model(self, name: str, value: Any, path: Path_) -> Block:
        """Return the table of a model."""
        block = Block(path, value)
        block.put("name", name, path)
        if not isinstance(value, dict):
            if value is not None:
                block.extras.append((name, value, path))
            return block
        source = Source(value, path)
        source.move(block, "physicalType", "type")
        source.move(block, "businessName", "title")
        source.move(block, "description")
        self.columns(source, block)
        keys = source.take("primaryKey")
        self.keys(keys, block, source.at("primaryKey"))
        links(source, block)
        config(source, block, ())
        source.rest(block, known={"quality", "tags", *_ALIKE} & set(FIELDS["table"]))
        return block

    def columns(self, source: Source, block: Block) -> None:
        """Read fields as columns."""
        fields = source.take("fields")
        if isinstance(fields, dict):
            found = [self.column(key, each, (*source.at("fields"), key)) for key, each in fields.items()]
            block.put("properties", found, source.at("fields"))
        elif fields is not None:
            block.extras.append(("fields", fields, source.at("fields")))

    def keys(self, keys: Any, block: Block, origin: Path_) -> None:
        """Mark the columns of a primary key, in its order."""
        if keys is None:
            return
        names = keys if isinstance(keys, list) else [keys]
        columns = {column["name"]: column for column in block.get("properties") or () if "name" in column}
        if not all(isinstance(name, str) and name in columns for name in names):
            block.extras.append(("primaryKey", keys, origin))
            return
        for position, name in enumerate(names, 1):
            columns[name]["primaryKey"] = True
            columns[name].setdefault("primaryKeyPosition", position)

    def column(self, name: str | None, value: Any, path: Path_, depth: int = 0) -> Block:
        """Return the column of a field; `name` is None for the items of a list and the ends of a map."""
        block = Block(path, value)
        if name is not None:
            block.put("name", name, path)
        if not isinstance(value, dict):
            if value is not None:
                block.extras.append((name or "field", value, path))
            return block
        self.count += 1
        if self.count > _MAX_COLUMNS:
            raise ContractError(
                f"more than {_MAX_COLUMNS:,} columns, with the definitions written out",
                where=self.notes.document.path,
                line=self.notes.document.line(*path),
                hint="refer to fewer definitions",
            )
        opened = len(self.open)
        source = self.resolved(value, path)
        own = source.take("name")
        if own is not None:
            block.extras.append(("name", own, source.at("name")))
        self.type(source, block)
        source.rename(block, (("title", "businessName"), ("pii", "pii")))
        if "pii" in block:
            block.extras.append(("pii", block.pop("pii"), block.origin("pii")))
        for field in ("description", "required", "unique", "classification", "tags", "quality"):
            source.move(block, field)
        source.move(block, "primaryKey", "primaryKey", "primary")
        source.move(block, "enum")
        if source.take("examples") is not None:
            source.move(block, "examples")
            source.keep(block, "example")
        else:
            source.move(block, "examples", "example", turn=lambda each, _: [each])
        self.references(source, block)
        self.lineage(source, block)
        links(source, block)
        if depth < _MAX_DEPTH:
            self.inner(source, block, depth + 1)
        del self.open[opened:]
        source.rest(block, known=_ALIKE)
        return block

    def resolved(self, value: dict[str, Any], path: Path_) -> Source:
        """Return a field with what it refers to written out; its own keys count for more."""
        reference = value.get("$ref")
        if reference is None:
            return Source(value, path)
        place: Path_ | None = None
        if isinstance(reference, str) and reference.startswith("#/"):
            place = tuple(part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/"))
            # A name of a definition may hold slashes itself.
            if place[0] == "definitions" and not isinstance(_at(self.data, place), dict):
                place = ("definitions", reference[len("#/definitions/") :])
        target = _at(self.data, place) if place else None
        own = {key: each for key, each in value.items() if key != "$ref"}
        # A definition that is written out inside itself would never end.
        inside = place is not None and (place in self.open or path[: len(place)] == place)
        if not isinstance(target, dict) or place is None or inside:
            self.notes.tell((*path, "$ref"), f"$ref {reference}: not followed; kept as custom property ref")
            return Source({**own, "ref": reference}, path)
        self.used.add(place[:2])
        self.notes.tell((*path, "$ref"), f"$ref {reference}: the definition is written out here")
        self.open.append(place)
        base = self.resolved(target, place)
        return _Merged(base, own, path)

    def type(self, source: Source, block: Block) -> None:
        """Read the type and its options."""
        logical, physical = source.take("type"), source.take("data_type")
        told = logical if logical is not None else physical
        fields: dict[str, Any] = {}
        if isinstance(told, str):
            lower = told.strip().lower()
            fields = dict(_TYPES.get(lower) or {})
            if not fields:
                fields = type_fields(told)
                fields |= fields.pop("logicalTypeOptions", {})
        key = "type" if logical is not None else "data_type"
        if fields:
            block.put("logicalType", fields.pop("logicalType"), source.at(key))
            for nested in ("properties", "items", "map"):
                if nested in fields:
                    block.put(nested, fields.pop(nested), source.at(key))
            if told.strip().lower() != block["logicalType"]:
                block.put("physicalType", told, source.at(key))
        elif told is not None:
            block.put("logicalType", told, source.at(key))
        if physical is not None:
            block.pop("physicalType", None)
            block.put("physicalType", physical, source.at("data_type"))
        options = Block(source.path, {})
        options.update(fields)
        for name in _OPTIONS:
            value = source.take(name)
            if value is not None:
                options[name] = value
                block.origins[f"logicalTypeOptions.{name}"] = source.at(name)
        config(source, block, _PHYSICAL)
        _precision(source, block)
        if options:
            block["logicalTypeOptions"] = dict(options)

    def references(self, source: Source, block: Block) -> None:
        """Read the column that a field refers to."""
        target = source.take("references")
        if target is not None:
            link = Block(source.at("references"), target)
            link["type"], link["to"] = "foreignKey", target
            link.origins["to"] = source.at("references")
            block.put("relationships", [link], source.at("references"))

    def lineage(self, source: Source, block: Block) -> None:
        """Read what a field is made of; the whole is kept too, as the standard has no namespaces."""
        lineage = source.take("lineage")
        if lineage is None:
            return
        block.extras.append(("lineage", lineage, source.at("lineage")))
        if not isinstance(lineage, dict):
            return
        inputs = lineage.get("inputFields")
        made_of = [
            f"{each['name']}.{each['field']}"
            for each in (inputs if isinstance(inputs, list) else ())
            if isinstance(each, dict)
            and isinstance(each.get("name"), str)
            and isinstance(each.get("field"), str)
        ]
        if made_of:
            block.put("transformSourceObjects", made_of, source.at("lineage"))
        described = lineage.get("transformationDescription")
        if isinstance(described, str):
            block.put("transformDescription", described, (*source.at("lineage"), "transformationDescription"))

    def inner(self, source: Source, block: Block, depth: int) -> None:
        """Read nested fields, the items of a list and the ends of a map."""
        fields = source.take("fields")
        if isinstance(fields, dict):
            place = source.at("fields")
            found = [self.column(key, each, (*place, key), depth) for key, each in fields.items()]
            block.pop("properties", None)
            block.put("properties", found, place)
        elif fields is not None:
            block.extras.append(("fields", fields, source.at("fields")))
        items = source.take("items")
        if items is not None:
            block.pop("items", None)
            block.put("items", self.column(None, items, source.at("items"), depth), source.at("items"))
        ends = {"key": source.take("keys"), "value": source.take("values")}
        if all(isinstance(end, dict) for end in ends.values()):
            both = Block(source.path, ends)
            for end, name in (("key", "keys"), ("value", "values")):
                both.put(end, self.column(None, ends[end], source.at(name), depth), source.at(name))
            block.pop("map", None)
            block.put("map", both, source.at("keys"))
        else:
            source.keep(block, "keys", "values")


class _Merged(Source):
    """A field over the definition that it refers to: its own keys first."""

    def __init__(self, base: Source, own: dict[str, Any], path: Path_) -> None:
        super().__init__({**base.values, **own}, path)
        self.base = base
        self.own = own

    def at(self, name: str) -> Path_:
        return (*self.path, name) if name in self.own or name not in self.base.values else self.base.at(name)


def links(source: Source, block: Block) -> None:
    """Carry links: their names are the types of the standard's links."""
    found = source.take("links")
    if not isinstance(found, dict):
        if found is not None:
            block.extras.append(("links", found, source.at("links")))
        return
    for name, url in found.items():
        place = (*source.at("links"), name)
        if isinstance(url, str):
            link = Block(place, {name: url})
            link.put("url", url, place)
            link.put("type", name, place)
            block.setdefault("authoritativeDefinitions", []).append(link)
        else:
            block.extras.append((f"links_{name}", url, place))


def config(source: Source, block: Block, physical: tuple[str, ...]) -> None:
    """Carry the configuration: a single physical type to its field, the rest as custom properties."""
    values = source.take("config")
    if values is None:
        return
    if not isinstance(values, dict):
        block.extras.append(("config", values, source.at("config")))
        return
    types = [name for name in physical if isinstance(values.get(name), str)]
    for name, value in values.items():
        place = (*source.at("config"), name)
        if types == [name]:
            block.pop("physicalType", None)
            block.put("physicalType", value, place)
        else:
            block.extras.append((name, value, place))


def _precision(source: Source, block: Block) -> None:
    """Carry digits of a decimal to its physical type, which is where ODCS has a place for them."""
    precision, scale = source.take("precision"), source.take("scale")
    physical = str(block.get("physicalType") or "decimal")
    plain = physical.lower() in ("decimal", "numeric", "number") and block.get("logicalType") == "number"
    if plain and is_whole(precision) and (scale is None or is_whole(scale)):
        spelled = f"{physical}({precision})" if scale is None else f"{physical}({precision},{scale})"
        block["physicalType"] = spelled
        block.origins["physicalType"] = source.at("precision")
        return
    source.keep(block, "precision", "scale")


def _at(data: Any, place: Path_) -> Any:
    for part in place:
        data = data.get(part) if isinstance(data, dict) else None
    return data
