"""Stage 3, artifacts: what dbt wrote, in our words.

Takes the folder with `manifest.json`, `catalog.json` and `run_results.json`; gives `Artifacts`. The JSON is
read tolerantly, since it is the interface that every dbt engine keeps writing: a kind of node that is not
known here is kept under its own name, a field that is missing is empty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from factory.errors import DbtError

#: Kinds of nodes that hold rows and columns.
RELATIONS = ("model", "seed", "snapshot")


@dataclass(frozen=True, slots=True)
class Column:
    """A column as YAML describes it and the database has it.

    Attributes:
        name: as in the database where it is known, else as in YAML.
        data_type: as declared in YAML, or empty.
        database_type: as the database says, or empty where no catalog knows.
        description: from YAML, or empty.
        constraints: types of dbt constraints on it: not_null, unique, primary_key, check, ...
        meta: what YAML keeps under `meta`.
        tags: tags of the column.
        declared: YAML has it.
    """

    name: str
    data_type: str
    database_type: str
    description: str
    constraints: tuple[str, ...]
    meta: Mapping[str, Any]
    tags: tuple[str, ...]
    declared: bool


@dataclass(frozen=True, slots=True)
class Constraint:
    """A dbt constraint of a model that spans columns or holds an expression."""

    type: str
    columns: tuple[str, ...]
    expression: str
    to: str
    to_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A model, seed, snapshot or source.

    Attributes:
        unique_id: dbt's id.
        kind: model, seed, snapshot, source, or what else dbt calls it.
        package: the dbt project it belongs to, which is the product's name.
        name: dbt's name; for a source `source.table`.
        identifier: the table's name in the database (its alias).
        relation_name: how compiled SQL names it; may be a file for an external source; empty if ephemeral.
        database, schema: where it lies.
        file: the file that makes it, below its package.
        materialized: table, view, incremental, ephemeral, seed, ...
        access: public, protected, private, or empty.
        group: dbt's group, or empty.
        enforced: its dbt contract is enforced.
        version: the model's version, or empty.
        latest_version: the latest version of the model, or empty.
        deprecation_date: ISO 8601, or empty.
        description: from YAML.
        columns: in the database's order, then those that only YAML has.
        constraints: those that span columns.
        primary_key: dbt's primary key, in order.
        upstream: unique ids that it reads.
        tags, meta: from YAML.
        sql: compiled SQL, or empty.
        language: sql or python.
        snapshot: for a snapshot its settings, else empty: strategy, updated_at, unique_key and the like.
    """

    unique_id: str
    kind: str
    package: str
    name: str
    identifier: str
    relation_name: str
    database: str
    schema: str
    file: str
    materialized: str
    access: str
    group: str
    enforced: bool
    version: str
    latest_version: str
    deprecation_date: str
    description: str
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...]
    primary_key: tuple[str, ...]
    upstream: tuple[str, ...]
    tags: tuple[str, ...]
    meta: Mapping[str, Any]
    sql: str
    language: str
    snapshot: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_port(self) -> bool:
        """Other products may read it: it is public, and it is a table or view."""
        return self.kind == "model" and self.access == "public" and self.materialized != "ephemeral"

    def column(self, name: str) -> Column | None:
        """Return a column by name, whatever its case."""
        return next((c for c in self.columns if c.name.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class DataTest:
    """A dbt test, and how it went.

    Attributes:
        unique_id, name, package, file: as for a relation.
        kind: not_null, unique, accepted_values, relationships, `package.name` of another generic test,
            `singular`, or `unit`.
        attached: unique id of the relation it speaks of, or empty.
        column: the column, or empty.
        arguments: the generic test's own arguments.
        severity: error or warn.
        where: the test's filter, or empty.
        description: from YAML.
        meta: from YAML; `dimension` there overrides the derived one.
        upstream: unique ids it reads.
        status: pass, warn, fail, error, skipped, or `not run`.
        failures: rows that failed, or None.
        message: what dbt said.
        seconds: how long it took.
    """

    unique_id: str
    name: str
    package: str
    file: str
    kind: str
    attached: str
    column: str
    arguments: Mapping[str, Any]
    severity: str
    where: str
    description: str
    meta: Mapping[str, Any]
    upstream: tuple[str, ...]
    status: str
    failures: int | None
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class NodeRun:
    """How a node that is no test went: success, error or skipped, with dbt's message."""

    unique_id: str
    package: str
    name: str
    file: str
    status: str
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Exposure:
    """A known use of a product: a dashboard, a notebook, an application."""

    unique_id: str
    package: str
    name: str
    type: str
    owner: str
    url: str
    description: str
    upstream: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Artifacts:
    """All that dbt said about the last build.

    Attributes:
        adapter: duckdb, postgres, ...
        dbt_version: the version that wrote the manifest.
        relations: models, seeds, snapshots and sources by unique id, in dbt's order of dependency.
        tests: every test, sorted by unique id.
        runs: how each node that is no test went.
        exposures: known uses.
        other_kinds: kinds of nodes that the manifest holds and nothing here reads, by unique id.
        project: the name of dbt's root project.
        generated_at: when the manifest was written, as it says; ISO 8601.
        anonymisers: names of the macros that say of themselves that they make values anonymous.
    """

    adapter: str
    dbt_version: str
    relations: Mapping[str, Relation]
    tests: tuple[DataTest, ...]
    runs: tuple[NodeRun, ...]
    exposures: tuple[Exposure, ...]
    other_kinds: Mapping[str, str]
    project: str = ""
    generated_at: str = ""
    anonymisers: frozenset[str] = frozenset()

    def of(self, package: str) -> tuple[Relation, ...]:
        """Return the relations of one product."""
        return tuple(r for r in self.relations.values() if r.package == package)


def read_artifacts(folder: Path) -> Artifacts:
    """Read dbt's artifacts; only the manifest has to be there.

    Raises:
        DbtError: there is no manifest, or a file is not what it should be.

    """
    return read_manifest(
        folder / "manifest.json",
        folder / "catalog.json",
        folder / "run_results.json",
        hint="build again with --full; if that does not help, compare dbt's version with the supported one",
    )


def read_manifest(
    manifest: Path,
    catalog: Path | None = None,
    results: Path | None = None,
    *,
    hint: str = "write it anew with `dbt docs generate`",
) -> Artifacts:
    """Read the artifacts of any dbt project.

    Args:
        manifest: its manifest.json. SQL that it lacks is looked for beside it, in `compiled/`.
        catalog: its catalog.json; may be missing.
        results: its run_results.json; may be missing.
        hint: what to do about a file that is not what it should be.

    Raises:
        DbtError: there is no manifest, or a file is not what it should be.

    """
    try:
        return _parse(manifest, catalog, results, hint)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DbtError(
            f"dbt's artifacts have another form than expected: {type(error).__name__}: {error}",
            where=manifest,
            hint=hint,
        ) from error


def _parse(path: Path, catalog_path: Path | None, results_path: Path | None, hint: str) -> Artifacts:
    manifest = _read_json(path, hint, needed=True)
    catalog = _read_json(catalog_path, hint)
    results = {r.get("unique_id", ""): r for r in _list(_read_json(results_path, hint), "results")}
    known = {**_entries(catalog, "nodes"), **_entries(catalog, "sources")}
    relations: dict[str, Relation] = {}
    tests: list[DataTest] = []
    runs: list[NodeRun] = []
    other: dict[str, str] = {}
    nodes = {
        **_entries(manifest, "sources"),
        **_entries(manifest, "nodes"),
        **_entries(manifest, "unit_tests"),
    }
    for unique_id, node in nodes.items():
        kind = str(node.get("resource_type") or unique_id.partition(".")[0])
        node.setdefault("resource_type", kind)
        node.setdefault("package_name", [*unique_id.split("."), ""][1])
        result = results.get(unique_id)
        if kind in ("test", "unit_test"):
            tests.append(_test(unique_id, node, result))
        elif kind in RELATIONS or kind == "source":
            relation = _relation(unique_id, node, known.get(unique_id), result)
            relations[unique_id] = relation if relation.sql else _with_sql_beside(relation, node, path.parent)
        else:
            other[unique_id] = kind
        if result is not None and kind not in ("test", "unit_test"):
            runs.append(_run(unique_id, node, result))
    metadata = _dict(manifest, "metadata")
    return Artifacts(
        adapter=str(metadata.get("adapter_type") or "duckdb"),
        dbt_version=str(metadata.get("dbt_version") or ""),
        relations=_in_order(relations),
        tests=tuple(sorted(tests, key=lambda test: test.unique_id)),
        runs=tuple(sorted(runs, key=lambda run: run.unique_id)),
        exposures=tuple(_exposure(i, e) for i, e in sorted(_entries(manifest, "exposures").items())),
        other_kinds=other,
        project=_text(metadata, "project_name"),
        generated_at=_text(metadata, "generated_at"),
        anonymisers=frozenset(
            _text(macro, "name") for macro in _entries(manifest, "macros").values() if _is_anonymiser(macro)
        ),
    )


def _is_anonymiser(macro: Mapping[str, Any]) -> bool:
    meta = _dict(_dict(macro, "config"), "meta") or _dict(macro, "meta")
    return meta.get("anonymiser") is True


def _read_json(path: Path | None, hint: str, *, needed: bool = False) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        if needed:
            raise DbtError("there is no manifest of dbt", where=path, hint=hint) from error
        return {}
    except (ValueError, RecursionError, OSError) as error:
        raise DbtError(f"not a dbt artifact: {error}", where=path, hint=hint) from error
    if not isinstance(data, dict):
        raise DbtError("not a dbt artifact: no JSON object", where=path, hint=hint)
    return data


def _with_sql_beside(relation: Relation, node: Mapping[str, Any], target: Path) -> Relation:
    """Return a relation with the SQL that dbt compiled into a file, where the manifest does not hold it."""
    if relation.kind not in ("model", "snapshot") or relation.language != "sql":
        return relation
    files = [target / "compiled" / relation.package / relation.file]
    if node.get("compiled_path"):
        files.insert(0, target.parent / _text(node, "compiled_path"))
    for file in files:
        if file.is_file() and file.resolve().is_relative_to(target.parent.resolve()):
            return replace(relation, sql=file.read_text("utf-8", "replace").strip())
    raw = _text(node, "raw_code") or _text(node, "raw_sql")
    return relation if "{{" in raw or "{%" in raw else replace(relation, sql=raw.strip())


def _dict(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    return value if isinstance(value, list) else []


def _entries(data: Mapping[str, Any], key: str) -> dict[str, dict[str, Any]]:
    """Return the entries of an object that are objects themselves."""
    return {name: value for name, value in _dict(data, key).items() if isinstance(value, dict)}


def _names(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(str(name) for name in _list(data, key) if isinstance(name, str))


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return "" if value is None else str(value)


def _relation(
    unique_id: str, node: dict[str, Any], catalog: dict[str, Any] | None, result: dict[str, Any] | None
) -> Relation:
    config = _dict(node, "config")
    kind = _text(node, "resource_type")
    name = _text(node, "name")
    contract = _dict(node, "contract") or _dict(config, "contract")
    return Relation(
        unique_id=unique_id,
        kind=kind,
        package=_text(node, "package_name"),
        name=f"{_text(node, 'source_name')}.{name}" if kind == "source" else name,
        identifier=_text(node, "identifier") or _text(node, "alias") or name,
        relation_name=_text(node, "relation_name") or _relation_name(node, kind, config),
        database=_text(node, "database"),
        schema=_text(node, "schema"),
        file=_text(node, "original_file_path").replace("\\", "/"),
        materialized=_text(config, "materialized") or kind,
        access=_text(node, "access") or _text(config, "access"),
        group=_text(node, "group") or _text(config, "group"),
        enforced=bool(contract.get("enforced")),
        version=_text(node, "version"),
        latest_version=_text(node, "latest_version"),
        deprecation_date=_text(node, "deprecation_date"),
        description=_text(node, "description").strip(),
        columns=_columns(_entries(node, "columns"), _entries(catalog or {}, "columns")),
        constraints=tuple(_constraint(c) for c in _list(node, "constraints")),
        primary_key=_primary_key(node),
        upstream=_names(_dict(node, "depends_on"), "nodes"),
        tags=tuple(str(tag) for tag in _list(node, "tags")),
        meta=_dict(config, "meta") or _dict(node, "meta"),
        # Until dbt 1.2 the field was called compiled_sql.
        sql=_text(node, "compiled_code")
        or _text(node, "compiled_sql")
        or _text(result or {}, "compiled_code"),
        language=_text(node, "language") or "sql",
        snapshot=config if kind == "snapshot" else {},
    )


def _relation_name(node: Mapping[str, Any], kind: str, config: Mapping[str, Any]) -> str:
    """Return what a relation is called in the database, where an old manifest does not say it."""
    if _text(config, "materialized") == "ephemeral" or kind not in (*RELATIONS, "source"):
        return ""
    name = _text(node, "identifier") or _text(node, "alias") or _text(node, "name")
    place = [part for part in (_text(node, "database"), _text(node, "schema")) if part]
    return ".".join([*place, name]) if place else ""


def _columns(declared: dict[str, Any], found: dict[str, Any]) -> tuple[Column, ...]:
    by_name = {name.lower(): column for name, column in declared.items()}
    in_database = sorted(found.values(), key=_place)
    columns = [
        _column(str(column["name"]), by_name.pop(str(column["name"]).lower(), None), _text(column, "type"))
        for column in in_database
        if "name" in column
    ]
    columns += [_column(str(column.get("name", name)), column, "") for name, column in by_name.items()]
    return tuple(columns)


def _place(column: Mapping[str, Any]) -> float:
    index = column.get("index")
    return float(index) if isinstance(index, int | float) else 0.0


def _column(name: str, declared: dict[str, Any] | None, database_type: str) -> Column:
    data = declared or {}
    config = _dict(data, "config")
    return Column(
        name=name,
        data_type=_text(data, "data_type"),
        database_type=database_type,
        description=_text(data, "description").strip(),
        constraints=tuple(str(_text(c, "type")) for c in _list(data, "constraints")),
        meta=_dict(config, "meta") or _dict(data, "meta"),
        tags=tuple(str(tag) for tag in (_list(data, "tags") or _list(config, "tags"))),
        declared=declared is not None,
    )


def _constraint(data: dict[str, Any]) -> Constraint:
    return Constraint(
        type=_text(data, "type"),
        columns=tuple(str(c) for c in _list(data, "columns")),
        expression=_text(data, "expression"),
        to=_text(data, "to"),
        to_columns=tuple(str(c) for c in _list(data, "to_columns")),
    )


def _primary_key(node: dict[str, Any]) -> tuple[str, ...]:
    """Return the declared primary key: a constraint of the model or of one column; not dbt's guess from tests."""
    for constraint in _list(node, "constraints"):
        if constraint.get("type") == "primary_key":
            return tuple(str(column) for column in _list(constraint, "columns"))
    for name, column in _entries(node, "columns").items():
        if any(c.get("type") == "primary_key" for c in _list(column, "constraints")):
            return (str(column.get("name", name)),)
    return ()


def _test(unique_id: str, node: dict[str, Any], result: dict[str, Any] | None) -> DataTest:
    config = _dict(node, "config")
    generic = _dict(node, "test_metadata")
    arguments = {k: v for k, v in _dict(generic, "kwargs").items() if k not in ("model", "column_name")}
    nested = arguments.pop("arguments", None)
    if isinstance(nested, dict):
        arguments.update(nested)
    if node.get("resource_type") == "unit_test":
        kind = "unit"
    elif generic:
        space = _text(generic, "namespace")
        kind = f"{space}.{generic['name']}" if space else _text(generic, "name")
    else:
        kind = "singular"
    upstream = tuple(_list(_dict(node, "depends_on"), "nodes"))
    attached = _text(node, "attached_node")
    if not attached and upstream:
        own = f".{_text(node, 'package_name')}."
        attached = next((u for u in upstream if own in u), upstream[0])
    failures = (result or {}).get("failures")
    return DataTest(
        unique_id=unique_id,
        name=_text(node, "name"),
        package=_text(node, "package_name"),
        file=_text(node, "original_file_path").replace("\\", "/"),
        kind=kind,
        attached=attached,
        column=_text(node, "column_name").strip('"`[]'),  # dbt quotes the names of quoted columns
        arguments=arguments,
        severity=(_text(config, "severity") or "error").lower(),
        where=_text(config, "where"),
        description=_text(node, "description").strip(),
        meta=_dict(config, "meta") or _dict(node, "meta"),
        upstream=upstream,
        status=_text(result or {}, "status") or "not run",
        failures=failures if isinstance(failures, int) else None,
        message=_text(result or {}, "message"),
        seconds=float((result or {}).get("execution_time") or 0.0),
    )


def _run(unique_id: str, node: dict[str, Any], result: dict[str, Any]) -> NodeRun:
    return NodeRun(
        unique_id=unique_id,
        package=_text(node, "package_name"),
        name=_text(node, "name"),
        file=_text(node, "original_file_path").replace("\\", "/"),
        status=_text(result, "status"),
        message=_text(result, "message"),
        seconds=float(result.get("execution_time") or 0.0),
    )


def _exposure(unique_id: str, data: dict[str, Any]) -> Exposure:
    owner = _dict(data, "owner")
    return Exposure(
        unique_id=unique_id,
        package=_text(data, "package_name"),
        name=_text(data, "name"),
        type=_text(data, "type"),
        owner=_text(owner, "email") or _text(owner, "name"),
        url=_text(data, "url"),
        description=_text(data, "description").strip(),
        upstream=_names(_dict(data, "depends_on"), "nodes"),
    )


def _in_order(relations: dict[str, Relation]) -> dict[str, Relation]:
    """Return the relations so that each stands behind what it reads."""
    ordered: dict[str, Relation] = {}
    waiting = [(unique_id, False) for unique_id in sorted(relations, reverse=True)]
    open_: set[str] = set()
    while waiting:
        unique_id, ready = waiting.pop()
        if unique_id in ordered or unique_id not in relations:
            continue
        if ready or unique_id in open_:
            ordered[unique_id] = relations[unique_id]
            continue
        open_.add(unique_id)
        waiting.append((unique_id, True))
        waiting.extend((u, False) for u in sorted(relations[unique_id].upstream, reverse=True))
    return ordered
