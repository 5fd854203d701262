"""Where the data of an ODCS 2.2 contract is: `server`, `database`, `project`, `driver` and their like.

Takes the top of the document; gives one server of ODCS 3, of the type that the words name.
"""

from __future__ import annotations

import re
from typing import Any

from factory.documents import Path_
from factory.odcs.convert.fields import SERVER_FIELDS, SERVER_REQUIRED
from factory.odcs.convert.notes import Block, Notebook, Source

_PLACES = ("server", "host", "port", "database", "project", "datasetProject", "datasetName", "account", "schemaName",
           "catalog", "warehouse", "location", "serviceName")  # fmt: skip
_WORDS = ("sourceSystem", "driver", "sourcePlatform", "driverVersion")

# Words in a driver's or system's name, and the type of server they mean; the first that is found counts.
_TYPES = (
    ("bigquery", "bigquery"), ("snowflake", "snowflake"), ("redshift", "redshift"), ("databricks", "databricks"),
    ("sqlserver", "sqlserver"), ("mssql", "sqlserver"), ("postgres", "postgres"), ("mysql", "mysql"),
    ("oracle", "oracle"), ("db2", "db2"), ("duckdb", "duckdb"), ("teradata", "teradata"), ("athena", "athena"),
    ("clickhouse", "clickhouse"), ("trino", "trino"), ("presto", "presto"), ("hive", "hive"), ("impala", "impala"),
    ("informix", "informix"), ("kafka", "kafka"), ("synapse", "synapse"), ("vertica", "vertica"),
    ("exasol", "exasol"), ("hana", "hana"), ("dremio", "dremio"), ("denodo", "denodo"), ("glue", "glue"),
    ("cloudsql", "cloudsql"),
)  # fmt: skip


def read_server(source: Source, block: Block, notes: Notebook) -> None:
    """Put the one server of the document on the contract's block."""
    values = source.values
    places = [name for name in _PLACES if values.get(name) is not None]
    source.taken.update(name for name in _PLACES if name in values and name not in places)
    if any(isinstance(values[name], dict | list) for name in places) or not places:
        source.keep(block, *_WORDS)
        return
    kind, by = _type(values)
    needs = SERVER_REQUIRED[kind]
    fields: dict[str, tuple[Any, Path_]] = {}
    for name in places:
        field = _field(name, kind)
        if field not in fields:
            fields[field] = (source.take(name), source.at(name))
    lacks = [name for name in needs if name not in fields]
    if lacks:
        notes.tell((by,) if by else (places[0],), f"the server is written as custom: {kind} servers need "
                   f"{', '.join(lacks)}")  # fmt: skip
        kind = "custom"
        fields = {_field(str(path[-1]), kind): (value, path) for value, path in fields.values()}
    server = Block((places[0],), {name: values[name] for name in places})
    server.put("server", str(values.get("server") or kind), (places[0],))
    server.put("type", kind, (by,) if by else (places[0],))
    for field, (value, path) in fields.items():
        if field in SERVER_FIELDS[kind]:
            server.put(field, value, path)
        elif path[-1] != "server":
            server.extras.append((str(path[-1]), value, path))
    source.keep(server, *_WORDS)
    own = source.take("servers")
    listed = [] if own is None else own if isinstance(own, list) else [own]
    block.put("servers", [*listed, server], source.at("servers"))


def _type(values: Any) -> tuple[str, str]:
    """Return the type of server that the words of a contract name, and the key that named it."""
    for name in _WORDS[:3]:
        words = re.sub(r"[^a-z0-9]", "", str(values.get(name) or "").lower())
        for word, kind in _TYPES:
            if word in words:
                return kind, name
    return "custom", ""


def _field(name: str, kind: str) -> str:
    """Return the field of a server for a key at the top of the contract."""
    if name == "server":
        return "host" if "host" in SERVER_FIELDS[kind] else "server"
    return {"datasetName": "dataset", "datasetProject": "project", "schemaName": "schema"}.get(name, name)
