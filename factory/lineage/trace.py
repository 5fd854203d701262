"""Trace models in order of dependency, so that every star finds the columns behind it.

Takes a graph of relations; gives `Lineage`. A relation whose SQL cannot be read costs only itself. What was found
before about the same SQL, over the same columns, is taken from a cache; what is left is shared out to all cores where
that pays.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from factory.artifacts import Artifacts, Relation
from factory.lineage.cache import Cache, fingerprint
from factory.lineage.crew import Crew, rare_collections
from factory.lineage.flows import merged, strongest
from factory.lineage.graph import TABLE, ColumnTrace, Lineage, ModelTrace, Source, Table
from factory.lineage.projects import Graph, graph_of, relation_key
from factory.lineage.task import Task, answer, decode


def trace_columns(artifacts: Artifacts, packages: Collection[str], cache: Cache | None = None) -> Lineage:
    """Trace every model and snapshot of the given packages, one visit each.

    A relation whose SQL cannot be read costs only itself: its columns are there, unknown, with the reason.
    """
    return trace_graph(graph_of(artifacts), packages, cache=cache)


def trace_graph(
    graph: Graph, packages: Collection[str] | None = None, *, cache: Cache | None = None, workers: int = 0
) -> Lineage:
    """Trace every model and snapshot of a graph, or those of some packages.

    Args:
        graph: the relations.
        packages: dbt packages to trace, or None for all.
        cache: what was found before; what is found now is added and saved.
        workers: how many processes may work; 0 for one per core, as far as that pays.

    """
    tracer = _Tracer(graph, packages, cache or Cache())
    with rare_collections(), Crew(workers or _cores()) as crew:
        tracer.trace_all(crew)
        tracer.trace_demanded()
    tracer.cache.save()
    return Lineage(tracer.traces)


def named_columns(graph: Graph, lineage: Lineage) -> Callable[[str], frozenset[tuple[str, str]] | None]:
    """Return what tells of a relation which columns its SQL names: relation and column, in lower case.

    What it only takes by a star is not among it. None where its SQL is not there or cannot be read.
    """
    from factory.lineage import statement

    tracer = _Tracer(graph, (), Cache())
    tracer.traces = dict(lineage.models)
    for unique_id in graph.nodes.keys() & lineage.models.keys():
        tracer.tables[unique_id] = _table(graph.nodes[unique_id].relation, lineage.models[unique_id])

    def named(unique_id: str) -> frozenset[tuple[str, str]] | None:
        task = tracer.task(unique_id) if unique_id in graph.nodes else ""
        if isinstance(task, str):
            return None
        return statement.named_columns(task.sql, task.dialect, dict(task.tables), dict(task.inlined))

    return named


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Tracer:
    """One run over a graph: the traces so far, and the columns that are known through them."""

    def __init__(self, graph: Graph, packages: Collection[str] | None, cache: Cache) -> None:
        self.graph = graph
        self.cache = cache
        self.traces: dict[str, ModelTrace] = {}
        self.tables: dict[str, Table] = {}
        self.wanted: dict[str, tuple[str, ...]] = {}
        self.keys: dict[str, str] = {}
        self.chosen = [
            unique_id
            for unique_id, node in graph.nodes.items()
            if node.relation.kind in ("model", "snapshot")
            and (packages is None or node.relation.package in packages)
        ]
        for unique_id, node in graph.nodes.items():
            self.tables[unique_id] = _table(node.relation, None)

    def trace_all(self, crew: Crew) -> None:
        """Trace the chosen relations, each as soon as those that it reads are traced."""
        place = {unique_id: number for number, unique_id in enumerate(self.chosen)}
        open_: dict[str, int] = {}
        readers: dict[str, list[str]] = {}
        for unique_id in self.chosen:
            before = {
                each for each in self.reads(unique_id) if each in place and place[each] < place[unique_id]
            }
            open_[unique_id] = len(before)
            for each in before:
                readers.setdefault(each, []).append(unique_id)
        ready = [unique_id for unique_id in self.chosen if not open_[unique_id]]
        while ready or crew.busy:
            done: list[tuple[str, str]] = []
            asked: list[tuple[str, Task]] = []
            for unique_id in ready:
                task = self.task(unique_id)
                if isinstance(task, str):
                    self.traces[unique_id] = _unknown(self.graph.nodes[unique_id].relation, task)
                    done.append((unique_id, ""))
                    continue
                kept = self.kept(unique_id, task)
                if kept is None:
                    asked.append((unique_id, task))
                else:
                    self.settle(unique_id, kept)
                    done.append((unique_id, ""))
            found = crew.work(asked, wait=not done)
            for unique_id, text in found:
                self.cache.put(self.keys[unique_id], text)
                self.settle(unique_id, text)
            done += found
            ready = []
            for unique_id, _ in done:
                for reader in readers.get(unique_id, ()):
                    open_[reader] -= 1
                    if not open_[reader]:
                        ready.append(reader)

    def trace_demanded(self) -> None:
        """Trace the columns that others read from a star over unknown columns: nothing else names them."""
        demanded: dict[str, set[str]] = {}
        for trace in self.traces.values():
            _demand(trace, demanded)
        for unique_id in reversed(self.chosen):
            trace = self.traces[unique_id]
            if trace.complete or trace.unknown:
                continue
            known = {column.column.lower() for column in trace.columns}
            asked = sorted(demanded.get(unique_id, set()) - known)
            if not asked:
                continue
            self.wanted[unique_id] = tuple(asked)
            task = self.task(unique_id)
            if isinstance(task, Task):
                text = self.kept(unique_id, task)
                if text is None:
                    text = answer(task)
                    self.cache.put(self.keys[unique_id], text)
                self.settle(unique_id, text)
                _demand(self.traces[unique_id], demanded)

    def kept(self, unique_id: str, task: Task) -> str | None:
        """Return what was found before about a relation's statement."""
        self.keys[unique_id] = fingerprint(task.text)
        return self.cache.get(self.keys[unique_id])

    def reads(self, unique_id: str) -> list[str]:
        """Return what a relation's SQL may name: what it reads, behind ephemeral models what those read, and itself.

        dbt puts the SQL of an ephemeral model into that of its readers. An incremental model names itself.
        """
        found: dict[str, None] = {}
        waiting = list(self.graph.nodes[unique_id].relation.upstream)
        while waiting:
            upstream = waiting.pop(0)
            if upstream in found or upstream not in self.graph.nodes:
                continue
            found[upstream] = None
            if self.graph.nodes[upstream].relation.materialized == "ephemeral":
                waiting += self.graph.nodes[upstream].relation.upstream
        found.setdefault(unique_id, None)
        return list(found)

    def task(self, unique_id: str) -> Task | str:
        """Return what is to be read for a relation, or why it cannot be."""
        node = self.graph.nodes[unique_id]
        relation = node.relation
        if relation.language != "sql":
            return f"{relation.language} model"
        if not relation.sql:
            return "no compiled SQL in the manifest"
        sql = relation.sql
        tables: list[tuple[tuple[str, str, str], Table]] = []
        inlined: list[tuple[str, Table]] = []
        for number, upstream in enumerate(self.reads(unique_id)):
            other = self.graph.nodes[upstream].relation
            table = self.tables[upstream]
            if (
                other.materialized == "ephemeral"
                and upstream in self.traces
                and not self.traces[upstream].unknown
            ):
                inlined += [(f"__dbt__cte__{name}".lower(), table) for name in {other.identifier, other.name}]
            name = other.relation_name
            if not name:
                continue
            key = relation_key(name)
            if key is None:
                # An external source stands in the SQL as a file or a table function: give it a name.
                key = ("", "factory_external", f"s{number}")
                sql = sql.replace(name, ".".join(key[1:]))
            tables.append((key, table))
        settings = relation.snapshot
        keys = settings.get("unique_key") if settings else None
        keys = [settings.get("updated_at"), *(keys if isinstance(keys, list) else [keys])] if settings else []
        wanted = (
            *(column.name for column in relation.columns),
            *(str(key) for key in keys if key and re.fullmatch(r"[\w$]+", str(key))),
            *self.wanted.get(unique_id, ()),
        )
        return Task(sql, node.dialect, tuple(tables), tuple(sorted(inlined, key=lambda pair: pair[0])), wanted,
                    tuple(sorted(node.anonymisers)))  # fmt: skip

    def settle(self, unique_id: str, text: str) -> None:
        """Take in what was found about a relation's statement."""
        relation = self.graph.nodes[unique_id].relation
        found = decode(text)
        if found.error:
            self.traces[unique_id] = _unknown(relation, found.error)
            return
        plain = TABLE not in text and f'"{unique_id}"' not in text
        columns = found.columns if plain else tuple(self.linked(c, unique_id) for c in found.columns)
        influences = merged(
            i._replace(relation=r)
            for i in found.influences
            if (r := self.relation_of(i.relation)) and r != unique_id
        )
        if relation.kind == "snapshot":
            columns += tuple(_added_by_snapshot(relation, columns))
        columns = _declared(relation, columns)
        complete = found.complete or _catalogued(relation)
        trace = ModelTrace(unique_id, columns, influences, found.hidden, complete=complete)
        self.traces[unique_id] = trace
        self.tables[unique_id] = _table(relation, trace)

    def linked(self, column: ColumnTrace, unique_id: str) -> ColumnTrace:
        """Return a trace without what an incremental model takes from itself, and with tables past dbt looked up."""
        if all(not s.relation.startswith(TABLE) and s.relation != unique_id for s in column.sources):
            return column
        sources: list[Source] = []
        unknown = column.unknown
        for source in column.sources:
            relation = self.relation_of(source.relation)
            if not relation:
                unknown = (
                    unknown
                    or f"{source.relation.removeprefix(TABLE)} is not a ref() or source() of the model"
                )
            elif relation != unique_id:
                sources.append(source._replace(relation=relation))
        made = column.made if sources or unknown else column.made or "generator"
        return ColumnTrace(column.column, strongest(sources), column.expression, unknown, made)

    def relation_of(self, name: str) -> str:
        """Return a source's id: its own, or that of the relation whose name the SQL has; empty where nobody has it."""
        return self.graph.named(name.removeprefix(TABLE)) if name.startswith(TABLE) else name


def _demand(trace: ModelTrace, demanded: dict[str, set[str]]) -> None:
    """Note which columns a model reads of which relation."""
    for column in trace.columns:
        for source in column.sources:
            demanded.setdefault(source.relation, set()).add(source.column.lower())
    for influence in trace.influences:
        demanded.setdefault(influence.relation, set()).add(influence.column.lower())


def _catalogued(relation: Relation) -> bool:
    """Say whether the database's own list of its columns is there."""
    return any(column.database_type for column in relation.columns)


def _table(relation: Relation, trace: ModelTrace | None) -> Table:
    """Return a relation's columns as its readers find them: as traced, else as in the catalog, else as in YAML."""
    if trace is not None and trace.complete and trace.columns and not trace.unknown:
        names = [c.column for c in trace.columns if not (c.unknown.startswith("declared in YAML"))]
        return Table(relation.unique_id, tuple(names))
    if _catalogued(relation):
        return Table(relation.unique_id, tuple(c.name for c in relation.columns if c.database_type))
    names = [column.column for column in trace.columns if column.column != "*"] if trace is not None else []
    seen = {name.lower() for name in names}
    names += [column.name for column in relation.columns if column.name.lower() not in seen]
    enforced = relation.enforced and trace is None
    return Table(relation.unique_id, tuple(names), open=not (enforced and names))


def _declared(relation: Relation, traced: tuple[ColumnTrace, ...]) -> tuple[ColumnTrace, ...]:
    """Give the columns the names and the order that the database has for them; add those that SQL does not show."""
    if not relation.columns:
        return traced
    by_name: dict[str, ColumnTrace] = {}
    for trace in traced:
        by_name.setdefault(trace.column.lower(), trace)
    known = [column for column in relation.columns if column.database_type]
    names = {column.name.lower() for column in known}
    result: list[ColumnTrace] = []
    used: set[int] = set()
    for number, column in enumerate(known):
        found = by_name.get(column.name.lower())
        if (
            found is None
            and number < len(traced) == len(known)
            and traced[number].column.lower() not in names
        ):
            found = traced[number]  # the database named an expression that has no name
        if found is None:
            reason = "not in the model's SQL as far as it can be read"
            result.append(ColumnTrace(column.name, (), "", reason))
        else:
            used.add(id(found))
            result.append(found._replace(column=column.name))
    spelled = {column.name.lower(): column.name for column in relation.columns}
    result += [
        trace._replace(column=spelled.get(trace.column.lower(), trace.column))
        for trace in traced
        if id(trace) not in used and not (trace.column == "*" and known)
    ]
    there = {trace.column.lower() for trace in result}
    result += [
        ColumnTrace(
            column.name, (), "", "declared in YAML, and not in the model's SQL as far as it can be read"
        )
        for column in relation.columns
        if column.name.lower() not in there
    ]
    return tuple(result)


def _added_by_snapshot(relation: Relation, columns: Iterable[ColumnTrace]) -> Iterator[ColumnTrace]:
    """Yield the columns that dbt adds to a snapshot, made as its macros make them.

    See https://docs.getdbt.com/docs/build/snapshots: with the strategy `timestamp` the times are those of `updated_at`,
    with `check` they are the times of the runs; `dbt_scd_id` is a hash of the key and the time.
    """
    settings = relation.snapshot
    by_name = {column.column.lower(): column for column in columns}
    keys = settings.get("unique_key")
    keys = [str(key) for key in (keys if isinstance(keys, list) else [keys] if keys else [])]
    updated = str(settings.get("updated_at") or "") if settings.get("strategy") == "timestamp" else ""
    called = settings.get("snapshot_meta_column_names")
    called = called if isinstance(called, Mapping) else {}

    def made(name: str, inputs: list[str], kind: str, expression: str) -> ColumnTrace:
        found: dict[tuple[str, str], Source] = {}
        # A key may be an expression.
        names = [name for each in inputs for name in re.findall(r"\w+", each.lower()) if name in by_name]
        for each in names:
            for source in by_name[each].direct:
                stronger = kind if source.kind == "IDENTITY" else source.kind
                found[source.relation, source.column] = source._replace(kind=stronger)
        sources = tuple(sorted(found.values()))
        return ColumnTrace(
            str(called.get(name) or name), sources, expression, made="" if sources else "generator"
        )

    times = [updated] if updated else []
    now = updated or "the time of the run"
    added = [
        made("dbt_scd_id", keys + times, "TRANSFORMATION", f"hash of {', '.join([*keys, now])}"),
        made("dbt_updated_at", times, "IDENTITY", now),
        made("dbt_valid_from", times, "IDENTITY", now),
        made("dbt_valid_to", times, "TRANSFORMATION", f"{now} of the next version"),
    ]
    if settings.get("hard_deletes") == "new_record":
        added.append(made("dbt_is_deleted", [], "TRANSFORMATION", "whether the row was deleted"))
    yield from (column for column in added if column.column.lower() not in by_name)


def _unknown(relation: Relation, reason: str) -> ModelTrace:
    columns = tuple(ColumnTrace(column.name, (), "", reason) for column in relation.columns)
    return ModelTrace(relation.unique_id, columns or (ColumnTrace("*", (), "", reason),), (), unknown=reason,
                      complete=False)  # fmt: skip
