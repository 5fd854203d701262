"""Stage 3, artifacts: what dbt wrote, in our words.

Takes the folder with `manifest.json`, `catalog.json` and `run_results.json`; gives `Artifacts`. The JSON is
read tolerantly, since it is the interface that every dbt engine keeps writing: a kind of node that is not
known here is kept under its own name, a field that is missing is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from factory.data_tests import DataTest, read_test
from factory.errors import DbtError
from factory.loose_json import entries_in, kind_of, list_in, names_in, object_in, read_artifact, text_in

#: A file of SQL beside a manifest is read up to so many bytes.
MOST_SQL = 4_000_000
#: Kinds of nodes that hold rows and columns.
RELATIONS = ("model", "seed", "snapshot")
_WRITING = (
    "incremental_strategy", "unique_key", "merge_clauses", "on_schema_change", "full_refresh", "pre-hook", "post-hook",
)  # fmt: skip


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
    name: str = ""
    on_column: bool = False


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
        freshness: of a source how old its data may be (warn_after, error_after); of a model how often it is built.
        partitions: the columns by which it is laid out, in order.
        database_kind: what the catalog calls it, such as `BASE TABLE`; empty without a catalog.
        snapshot: for a snapshot its settings, else empty: strategy, updated_at, unique_key and the like.
        writing: for a model what dbt is told about rows that are there already: `incremental_strategy`,
            `unique_key`, `merge_clauses`, `on_schema_change`, `full_refresh`, `pre-hook`, `post-hook`; as far as set.
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
    freshness: Mapping[str, Any] = field(default_factory=dict)
    partitions: tuple[str, ...] = ()
    database_kind: str = ""
    writing: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_port(self) -> bool:
        """Other products may read it: it is public, and it is a table or view."""
        return self.kind == "model" and self.access == "public" and self.materialized != "ephemeral"

    def column(self, name: str) -> Column | None:
        """Return a column by name, whatever its case."""
        return next((c for c in self.columns if c.name.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Group:
    """A dbt group: who owns the models in it."""

    name: str
    owner: str
    email: str
    description: str


@dataclass(frozen=True, slots=True)
class NodeRun:
    """How a node that is no test went: success, error or skipped, with dbt's message.

    `started` and `ended` are moments of ISO 8601, or empty where dbt did not run it or does not say.
    """

    unique_id: str
    package: str
    name: str
    file: str
    status: str
    message: str
    seconds: float
    started: str = ""
    ended: str = ""


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
    label: str = ""
    maturity: str = ""


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
        groups: dbt's groups, by package and name.
        written_as: what kind of artifact the manifest says to be: manifest, catalog, ...; empty if it does not say.
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
    written_as: str = ""
    groups: Mapping[tuple[str, str], Group] = field(default_factory=dict)

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
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise DbtError(
            f"dbt's artifacts have another form than expected: {type(error).__name__}: {error}",
            where=manifest,
            hint=hint,
        ) from error


def _parse(path: Path, catalog_path: Path | None, results_path: Path | None, hint: str) -> Artifacts:
    manifest = read_artifact(path, hint, needed=True)
    catalog = read_artifact(catalog_path, hint)
    if kind_of(catalog) not in ("", "catalog"):
        raise DbtError(
            f"this is dbt's {kind_of(catalog)}, not its catalog",
            where=catalog_path,
            hint="name catalog.json",
        )
    results = {r.get("unique_id", ""): r for r in list_in(read_artifact(results_path, hint), "results")}
    known = {**entries_in(catalog, "nodes"), **entries_in(catalog, "sources")}
    relations: dict[str, Relation] = {}
    tests: list[DataTest] = []
    runs: list[NodeRun] = []
    other: dict[str, str] = {}
    nodes = {
        **entries_in(manifest, "sources"),
        **entries_in(manifest, "nodes"),
        **entries_in(manifest, "unit_tests"),
    }
    for unique_id, node in nodes.items():
        kind = str(node.get("resource_type") or unique_id.partition(".")[0])
        node.setdefault("resource_type", kind)
        node.setdefault("package_name", [*unique_id.split("."), ""][1])
        result = results.get(unique_id)
        if kind in ("test", "unit_test"):
            tests.append(read_test(unique_id, node, result))
        elif kind in RELATIONS or kind == "source":
            relation = _relation(unique_id, node, known.get(unique_id), result)
            relations[unique_id] = relation if relation.sql else _with_sql_beside(relation, node, path.parent)
        else:
            other[unique_id] = kind
        if result is not None and kind not in ("test", "unit_test"):
            runs.append(_run(unique_id, node, result))
    metadata = object_in(manifest, "metadata")
    return Artifacts(
        adapter=str(metadata.get("adapter_type") or "duckdb"),
        dbt_version=str(metadata.get("dbt_version") or ""),
        relations={i: relations[i] for i in in_order({i: r.upstream for i, r in relations.items()})},
        tests=tuple(sorted(tests, key=lambda test: test.unique_id)),
        runs=tuple(sorted(runs, key=lambda run: run.unique_id)),
        exposures=tuple(_exposure(i, e) for i, e in sorted(entries_in(manifest, "exposures").items())),
        other_kinds=other,
        project=text_in(metadata, "project_name"),
        generated_at=text_in(metadata, "generated_at"),
        written_as=kind_of(manifest),
        groups={
            (text_in(data, "package_name"), text_in(data, "name")): _group(data)
            for data in entries_in(manifest, "groups").values()
        },
        anonymisers=frozenset(
            text_in(macro, "name")
            for macro in entries_in(manifest, "macros").values()
            if _is_anonymiser(macro)
        ),
    )


def _is_anonymiser(macro: Mapping[str, Any]) -> bool:
    meta = object_in(object_in(macro, "config"), "meta") or object_in(macro, "meta")
    return meta.get("anonymiser") is True


def _with_sql_beside(relation: Relation, node: Mapping[str, Any], target: Path) -> Relation:
    """Return a relation with the SQL that dbt compiled into a file, where the manifest does not hold it."""
    if relation.kind not in ("model", "snapshot") or relation.language != "sql":
        return relation
    files = [target / "compiled" / relation.package / relation.file]
    if node.get("compiled_path"):
        files.insert(0, target.parent / text_in(node, "compiled_path"))
    for file in files:
        # A manifest from elsewhere may name any file: only SQL below its own folder is read.
        inside = file.suffix == ".sql" and file.resolve().is_relative_to(target.resolve())
        if inside and file.is_file() and file.stat().st_size <= MOST_SQL:
            return replace(relation, sql=file.read_text("utf-8", "replace").strip())
    raw = text_in(node, "raw_code") or text_in(node, "raw_sql")
    return relation if "{{" in raw or "{%" in raw else replace(relation, sql=raw.strip())


def _relation(
    unique_id: str, node: dict[str, Any], catalog: dict[str, Any] | None, result: dict[str, Any] | None
) -> Relation:
    config = object_in(node, "config")
    kind = text_in(node, "resource_type")
    name = text_in(node, "name")
    contract = object_in(node, "contract") or object_in(config, "contract")
    return Relation(
        unique_id=unique_id,
        kind=kind,
        package=text_in(node, "package_name"),
        name=f"{text_in(node, 'source_name')}.{name}" if kind == "source" else name,
        identifier=text_in(node, "identifier") or text_in(node, "alias") or name,
        relation_name=text_in(node, "relation_name") or _relation_name(node, kind, config),
        database=text_in(node, "database"),
        schema=text_in(node, "schema"),
        file=text_in(node, "original_file_path").replace("\\", "/"),
        materialized=text_in(config, "materialized") or kind,
        access=text_in(node, "access") or text_in(config, "access"),
        group=text_in(node, "group") or text_in(config, "group"),
        enforced=bool(contract.get("enforced")),
        version=text_in(node, "version"),
        latest_version=text_in(node, "latest_version"),
        deprecation_date=text_in(node, "deprecation_date"),
        description=text_in(node, "description").strip()
        or text_in(object_in(catalog or {}, "metadata"), "comment").strip(),
        columns=_columns(
            entries_in(node, "columns"),
            entries_in(catalog or {}, "columns"),
            object_in(config, "column_types") if kind == "seed" else {},
        ),
        constraints=tuple(_constraints(node)),
        primary_key=_primary_key(node),
        upstream=names_in(object_in(node, "depends_on"), "nodes"),
        tags=tuple(str(tag) for tag in list_in(node, "tags")),
        meta=object_in(config, "meta") or object_in(node, "meta"),
        # Until dbt 1.2 the field was called compiled_sql.
        sql=text_in(node, "compiled_code")
        or text_in(node, "compiled_sql")
        or text_in(result or {}, "compiled_code"),
        language=text_in(node, "language") or "sql",
        snapshot=config if kind == "snapshot" else {},
        freshness=object_in(node, "freshness") or object_in(config, "freshness"),
        partitions=_partitions(config.get("partition_by")),
        database_kind=text_in(object_in(catalog or {}, "metadata"), "type"),
        writing={key: config[key] for key in _WRITING if config.get(key) not in (None, [], "")},
    )


def _constraints(node: dict[str, Any]) -> Iterator[Constraint]:
    """Yield the constraints of a model, and those of one column that hold an expression or refer to another table."""
    for constraint in list_in(node, "constraints"):
        if isinstance(constraint, dict):
            yield _constraint(constraint)
    for name, column in entries_in(node, "columns").items():
        for constraint in list_in(column, "constraints"):
            if isinstance(constraint, dict) and constraint.get("type") in ("check", "foreign_key"):
                found = _constraint({**constraint, "columns": [str(column.get("name", name))]})
                yield replace(found, on_column=True)


def _relation_name(node: Mapping[str, Any], kind: str, config: Mapping[str, Any]) -> str:
    """Return what a relation is called in the database, where an old manifest does not say it."""
    if text_in(config, "materialized") == "ephemeral" or kind not in (*RELATIONS, "source"):
        return ""
    name = text_in(node, "identifier") or text_in(node, "alias") or text_in(node, "name")
    place = [part for part in (text_in(node, "database"), text_in(node, "schema")) if part]
    return ".".join([*place, name]) if place else ""


def _partitions(value: Any) -> tuple[str, ...]:
    """Return the columns of dbt's `partition_by`: a name, a list of them, or BigQuery's mapping with a `field`."""
    if isinstance(value, dict):
        value = value.get("field")
    names = value if isinstance(value, list) else [value]
    return tuple(str(name) for name in names if isinstance(name, str) and name)


def _columns(declared: dict[str, Any], found: dict[str, Any], types: Mapping[str, Any]) -> tuple[Column, ...]:
    by_name = {name.lower(): column for name, column in declared.items()}
    in_database = sorted(found.values(), key=_place)
    columns = [
        _column(str(column["name"]), by_name.pop(str(column["name"]).lower(), None), column)
        for column in in_database
        if "name" in column
    ]
    columns += [_column(str(column.get("name", name)), column, {}) for name, column in by_name.items()]
    known = {str(name).lower(): str(kind) for name, kind in types.items()}
    return tuple(
        column if column.data_type else replace(column, data_type=known.get(column.name.lower(), ""))
        for column in columns
    )


def _place(column: Mapping[str, Any]) -> float:
    index = column.get("index")
    return index if isinstance(index, int | float) else 0


def _column(name: str, declared: dict[str, Any] | None, found: Mapping[str, Any]) -> Column:
    data = declared or {}
    config = object_in(data, "config")
    return Column(
        name=name,
        data_type=text_in(data, "data_type"),
        database_type=text_in(found, "type"),
        description=text_in(data, "description").strip() or text_in(found, "comment").strip(),
        constraints=tuple(text_in(c, "type") for c in list_in(data, "constraints") if isinstance(c, dict)),
        meta=object_in(config, "meta") or object_in(data, "meta"),
        tags=tuple(str(tag) for tag in (list_in(data, "tags") or list_in(config, "tags"))),
        declared=declared is not None,
    )


def _constraint(data: dict[str, Any]) -> Constraint:
    return Constraint(
        type=text_in(data, "type"),
        columns=tuple(str(c) for c in list_in(data, "columns")),
        expression=text_in(data, "expression"),
        to=text_in(data, "to"),
        to_columns=tuple(str(c) for c in list_in(data, "to_columns")),
        name=text_in(data, "name"),
    )


def _primary_key(node: dict[str, Any]) -> tuple[str, ...]:
    """Return the declared primary key: a constraint of the model or of one column; not dbt's guess from tests."""
    for constraint in list_in(node, "constraints"):
        if isinstance(constraint, dict) and constraint.get("type") == "primary_key":
            return tuple(str(column) for column in list_in(constraint, "columns"))
    for name, column in entries_in(node, "columns").items():
        if any(
            isinstance(c, dict) and c.get("type") == "primary_key" for c in list_in(column, "constraints")
        ):
            return (str(column.get("name", name)),)
    return ()


def _group(data: dict[str, Any]) -> Group:
    owner = object_in(data, "owner")
    return Group(
        name=text_in(data, "name"),
        owner=_joined(owner, "name"),
        email=_joined(owner, "email"),
        description=text_in(data, "description").strip(),
    )


def _joined(data: Mapping[str, Any], key: str) -> str:
    """Return what stands under a key as text; dbt permits several addresses."""
    return ", ".join(map(str, list_in(data, key))) or ("" if data.get(key) == [] else text_in(data, key))


def _run(unique_id: str, node: dict[str, Any], result: dict[str, Any]) -> NodeRun:
    steps = [step for step in list_in(result, "timing") if isinstance(step, dict)]
    return NodeRun(
        unique_id=unique_id,
        package=text_in(node, "package_name"),
        name=text_in(node, "name"),
        file=text_in(node, "original_file_path").replace("\\", "/"),
        status=text_in(result, "status"),
        message=text_in(result, "message"),
        seconds=float(result.get("execution_time") or 0.0),
        started=min(filter(None, (text_in(step, "started_at") for step in steps)), default=""),
        ended=max((text_in(step, "completed_at") for step in steps), default=""),
    )


def _exposure(unique_id: str, data: dict[str, Any]) -> Exposure:
    owner = object_in(data, "owner")
    return Exposure(
        unique_id=unique_id,
        package=text_in(data, "package_name"),
        name=text_in(data, "name"),
        type=text_in(data, "type"),
        owner=_joined(owner, "email") or _joined(owner, "name"),
        url=text_in(data, "url"),
        description=text_in(data, "description").strip(),
        upstream=names_in(object_in(data, "depends_on"), "nodes"),
        label=text_in(data, "label"),
        maturity=text_in(data, "maturity"),
    )


def in_order(upstream: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield ids so that each stands behind what it reads, sorted where there is a choice; rings are cut somewhere."""
    done: set[str] = set()
    open_: set[str] = set()
    waiting = [(unique_id, False) for unique_id in sorted(upstream, reverse=True)]
    while waiting:
        unique_id, ready = waiting.pop()
        if unique_id in done or unique_id not in upstream:
            continue
        if ready:
            done.add(unique_id)
            yield unique_id
        elif unique_id not in open_:
            open_.add(unique_id)
            waiting.append((unique_id, True))
            waiting.extend((each, False) for each in sorted(upstream[unique_id], reverse=True))
