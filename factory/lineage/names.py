"""Which columns the queries of a statement have, and whose a name is, as far as that can be known.

Takes sqlglot's scopes of a statement and the tables that are known; gives names, and the source of a name. A table
whose columns are not all known may have any column: that is told apart from a table that has one for certain, so that
nothing is guessed where there is a choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeAlias

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, UsingColumnOrder
from sqlglot.optimizer.scope import Scope

from factory.lineage.choices import chosen
from factory.lineage.clauses import function_columns, is_star, joined_by, joins_of, pivots_of, selects_of
from factory.lineage.graph import Table
from factory.lineage.turned import Turned, turned_columns

Relation: TypeAlias = Scope | exp.Table


class Has(IntEnum):
    """Whether a source has a column."""

    NO = 0
    MAYBE = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class Output:
    """A column of a query, or a star over columns that are not known.

    Attributes:
        name: its name; `*` for a star that could not be spelled out.
        projection: the expression that makes it; for what is left of a star, the star; None for what a star gives.
        source: what a star takes it from.
        within: the inner query in which the projection stands, where that is not the query itself.
        column: its name there.
        quoted: the name is written in quotes.
        declared: for what is left of a star: some of its columns are known.
        loose: it comes from a star over columns that are not all known, so its place among them is not known.
        pivot: for what is left of a star: the PIVOT that gives it.
    """

    name: str
    projection: exp.Expr | None
    source: Relation | None = None
    column: str = ""
    quoted: bool = False
    declared: bool = False
    loose: bool = False
    pivot: exp.Pivot | None = None
    within: Scope | None = None


def key_of(table: exp.Table) -> tuple[str, str, str]:
    """Return what tells a table from others: catalog, schema and name in lower case."""
    return (table.catalog.lower(), table.db.lower(), table.name.lower())


class Names:
    """Answers which columns the scopes of one statement have; each is looked at once."""

    def __init__(
        self, known: Mapping[tuple[str, str, str], Table], dialect: Dialect, *, choices: bool = False
    ) -> None:
        self.known = known
        self.dialect = dialect
        self.name = type(dialect).__name__.lower()
        self.choices = choices
        self.recursive: dict[int, Scope] = {}
        self._outputs: dict[int, list[Output]] = {}
        self._positions: dict[int, dict[str, int]] = {}
        self._fixed: dict[int, int] = {}
        self._by_name: dict[int, bool] = {}
        self._first: dict[int, dict[str, Output]] = {}
        self._sources: dict[int, dict[str, Relation]] = {}
        self._folded: dict[str, dict[str, str]] = {}
        self._shared: dict[int, dict[str, list[str]]] = {}
        self._aliases: dict[int, dict[str, int]] = {}
        self._own: dict[int, frozenset[str]] = {}
        self._turned: dict[int, list[Turned]] = {}

    # Queries

    def outputs(self, scope: Scope) -> list[Output]:
        """Return a query's columns, in order."""
        found = self._outputs.get(id(scope))
        if found is None:
            self._outputs[id(scope)] = []  # a query that reads itself has, on its own way, no columns yet
            made = self._set_outputs(scope) if scope.set_operation_scopes else self._select_outputs(scope)
            found = self._outputs[id(scope)] = self._renamed(scope, made)
        return found

    def names(self, scope: Scope) -> list[str]:
        """Return the names of a query's columns; those that cannot be told are left out."""
        return [output.name for output in self.outputs(scope) if output.name != "*"]

    def positions(self, scope: Scope) -> Mapping[str, int]:
        """Return the place of each of a query's columns by name in lower case: the first of each name."""
        found = self._positions.get(id(scope))
        if found is None:
            outputs = self.outputs(scope)
            found = {outputs[n].name.lower(): n for n in reversed(range(self.fixed(scope)))}
            self._positions[id(scope)] = found
        return found

    def output(self, scope: Scope, name: str) -> Output | None:
        """Return a query's column by name; the first of its name."""
        found = self._first.get(id(scope))
        if found is None:
            found = {output.name.lower(): output for output in reversed(self.outputs(scope))}
            self._first[id(scope)] = found
        return None if name == "*" else found.get(name.lower())

    def at(self, scope: Scope, position: int) -> str:
        """Return the name of a query's column by its place, counted from 0; empty where that cannot be told."""
        return self.outputs(scope)[position].name if position < self.fixed(scope) else ""

    def fixed(self, scope: Scope) -> int:
        """Return how many of a query's first columns have a known place: those before a star over unknown columns."""
        found = self._fixed.get(id(scope))
        if found is None:
            outputs = self.outputs(scope)
            unsure = (n for n, output in enumerate(outputs) if output.name == "*" or output.loose)
            found = self._fixed[id(scope)] = next(unsure, len(outputs))
        return found

    def goes_by_name(self, scope: Scope) -> bool:
        """Say whether the columns of a set operation go together by name.

        It says so; or all of its branches are one star over columns that are not all known, which somebody wrote
        because they agree.
        """
        found = self._by_name.get(id(scope))
        if found is None:
            stars = all(map(self.is_one_open_star, scope.set_operation_scopes))
            found = self._by_name[id(scope)] = bool(scope.expression.args.get("by_name")) or stars
        return found

    def is_one_open_star(self, scope: Scope) -> bool:
        """Say whether a query is one star, over columns that are not all known, and nothing beside."""
        selects = selects_of(scope)
        plain = len(selects) == 1 and isinstance(selects[0], exp.Star) and not any(selects[0].args.values())
        return plain and not scope.set_operation_scopes and bool(self.open_stars(scope))

    def open_stars(self, scope: Scope) -> list[Output]:
        """Return the stars of a query over columns that are not all known."""
        return [output for output in self.outputs(scope) if output.name == "*"]

    def _set_outputs(self, scope: Scope) -> list[Output]:
        branches = scope.set_operation_scopes
        outputs = list(self.outputs(branches[0]))
        if scope.expression.args.get("by_name"):
            seen = {output.name.lower() for output in outputs}
            for branch in branches[1:]:
                more = [o for o in self.outputs(branch) if o.name.lower() not in seen]
                outputs += more
                seen |= {output.name.lower() for output in more}
        return [replace(o, projection=o.projection if o.name == "*" else None) for o in outputs]

    def _select_outputs(self, scope: Scope) -> list[Output]:
        if scope.expression.args.get("match") is not None:
            return [
                Output("*", exp.Columns(this=exp.Null()))
            ]  # what MATCH_RECOGNIZE measures is not followed
        outputs: list[Output] = []
        for number, projection in enumerate(selects_of(scope)):
            if is_star(projection):
                spelled = self._star(scope, projection)
                loose = any(output.name == "*" for output in spelled)
                outputs += [replace(output, loose=True) for output in spelled] if loose else spelled
                continue
            if self.choices and (found := self._chosen(scope, projection)) is not None:
                outputs += found
                continue
            if isinstance(projection, exp.Aliases):
                outputs += [Output(each.name, projection.this) for each in projection.expressions]
                continue
            name = self._name(projection, number)
            named = projection.args.get("alias") if isinstance(projection, exp.Alias) else projection.this
            quoted = isinstance(named, exp.Identifier) and bool(named.quoted)
            outputs.append(Output(name, projection, quoted=quoted))
        return outputs

    def _name(self, projection: exp.Expr, number: int) -> str:
        """Return the name of a projection: its alias, that of the column, or what the database calls it.

        A name of our own (`_col_0`) where that is not known.
        """
        if isinstance(projection, exp.Alias):
            return projection.alias
        body: exp.Expr = projection.unnest()
        if isinstance(body, exp.Column | exp.Dot):
            return body.name
        if self.name in ("postgres", "redshift"):
            while isinstance(body, exp.Cast | exp.Paren) and not isinstance(body.this, exp.Literal):
                body = body.this
            if isinstance(body, exp.Func) and not isinstance(body, exp.Binary | exp.Case | exp.Cast):
                name = body.name if isinstance(body, exp.Anonymous) else body.sql_names()[0]
                return str(name).lower()
        if self.name in ("spark", "databricks", "spark2", "hive") and isinstance(body, exp.Explode):
            return "col"
        return f"_col_{number}"

    def _chosen(self, scope: Scope, projection: exp.Expr) -> list[Output] | None:
        """Return the columns that a choice of columns stands for; None where the projection has none."""
        given: list[exp.Column] = []
        for output in self._behind(scope, exp.Star()):
            if output.name == "*":
                given = []
                break
            sources = self.sources(scope)
            alias = next((alias for alias, source in sources.items() if source is output.source), None)
            given.append(exp.column(output.column or output.name, table=alias))
        found = chosen(projection, given)
        if found is None:
            return None
        for _, body in found:
            body.parent = projection.parent
        return [Output(name, body) for name, body in found] or [Output("*", projection)]

    def _renamed(self, scope: Scope, outputs: list[Output]) -> list[Output]:
        """Give the columns the names that `as t (a, b)` behind a query has for them."""
        around = scope.expression.parent
        alias = around.args.get("alias") if isinstance(around, exp.CTE | exp.Subquery) else None
        columns = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
        if not columns:
            return outputs
        result = list(outputs)
        for number, column in enumerate(columns):
            if number < len(result) and result[number].name != "*":
                old = result[number]
                result[number] = Output(
                    column.name,
                    old.projection,
                    old.source,
                    old.column or old.name,
                    bool(column.args.get("quoted")),
                )
            else:
                return [Output(each.name, None) for each in columns]
        return result

    # Stars

    def _star(self, scope: Scope, projection: exp.Expr) -> list[Output]:
        """Spell out a star: what each source has, without what is left out, under new names."""
        star = projection if isinstance(projection, exp.Star) else projection.this
        if star.args.get("ilike") is not None or not isinstance(projection, exp.Star | exp.Column):
            return [Output("*", projection)]
        gone, renamed, replaced = _changes(star)
        gone |= {each.name.lower() for each in scope.expression.args.get("exclude") or ()}
        outputs: list[Output] = []
        for output in self._behind(scope, projection):
            old = output.column.lower()
            if output.name == "*" or not self._is_gone(scope, output, star, gone):
                new = renamed.get(old, output.name)
                made = replaced.get(old, output.projection)
                same = new == output.name and made is output.projection
                outputs.append(output if same else replace(output, name=new, projection=made))
        return outputs

    def _is_gone(self, scope: Scope, output: Output, star: exp.Expr, gone: set[str]) -> bool:
        """Say whether a star leaves a column out; `exclude (a.id)` leaves out that of `a` alone."""
        if output.column.lower() not in gone:
            return False
        named = [
            each.table.lower()
            for each in star.args.get("except_") or ()
            if isinstance(each, exp.Column) and each.table and each.name.lower() == output.column.lower()
        ]
        return not named or any(self.sources(scope).get(table) is output.source for table in named)

    def _behind(self, scope: Scope, projection: exp.Expr) -> list[Output]:
        sources = self.sources(scope)
        if isinstance(projection, exp.Column):
            source = sources.get(projection.table.lower()) or self.visible(scope, projection.table)
            for pivot in pivots_of(scope):
                if pivot.alias and pivot.alias.lower() == projection.table.lower():
                    source = self.behind_pivot(scope, pivot)
            if source is None:
                return self._row_of(scope, projection) or [Output("*", projection)]
            return self._columns_of(scope, source, projection)
        shared = self.shared(scope)
        hidden = {join.alias_or_name.lower() for join in joins_of(scope) if join.is_semi_or_anti_join}
        outputs: list[Output] = []
        given: set[str] = set()
        if shared and self.dialect.USING_COLUMN_ORDER is not UsingColumnOrder.IN_PLACE:
            outputs = [Output(name, exp.column(name), column=name) for name in shared]
            given = set(shared)
        for alias, source in sources.items():
            if alias in hidden:
                continue
            for output in self._columns_of(scope, source, projection):
                name = output.column.lower()
                if name not in shared or output.name == "*":
                    outputs.append(output)
                elif name not in given:
                    given.add(name)
                    outputs.append(
                        Output(output.name, exp.column(name), column=output.column, quoted=output.quoted)
                    )
        return outputs or [Output("*", projection)]

    def _row_of(self, scope: Scope, star: exp.Column) -> list[Output]:
        """Spell out a star over a column that holds whole rows of a table, such as `array_agg(t)[0]`."""
        for source in self.sources(scope).values():
            inner = self.itself(source) if isinstance(source, Scope) else None
            output = self.output(inner, star.table) if inner is not None else None
            if inner is None or output is None or output.projection is None:
                continue
            tables = self.sources(inner)
            body = output.projection.unalias()
            rows = [c for c in body.find_all(exp.Column) if not c.table and c.name.lower() in tables]
            if not rows:
                continue
            table = tables[rows[0].name.lower()]
            outputs = []
            for name in self.columns(table):
                changed = body.copy()
                for column in list(changed.find_all(exp.Column)):
                    if not column.table and column.name.lower() == rows[0].name.lower():
                        column.replace(exp.column(name, table=rows[0].name))
                changed.parent = output.projection.parent
                outputs.append(Output(name, changed, column=name, within=inner))
            return outputs + ([Output("*", star)] if self.is_open(table) else [])
        return []

    def _columns_of(self, scope: Scope, source: Relation, star: exp.Expr) -> list[Output]:
        """Return the columns that a source has for a star, and a star for those that are not known."""
        pivot = next((p for p in pivots_of(scope) if self.behind_pivot(scope, p) is source), None)
        if pivot is not None:
            alias = pivot.alias or (pivot.parent.alias_or_name if pivot.parent else "")
            return [
                Output("*", star, pivot=pivot, declared=len(self.turned(scope, pivot)) > 1)
                if column.name == "*"
                else Output(column.name, exp.column(column.name, table=alias or None), column=column.name)
                for column in self.turned(scope, pivot)
            ]
        if isinstance(source, exp.Table):
            given = source.alias_column_names
            table = self.known.get(key_of(source))
            columns = list(table.columns) if table is not None else []
            names = [*given, *columns[len(given) :]]
            found = [Output(name, None, source, name) for name in names]
            if table is None or table.open or not columns:
                found.append(Output("*", star, source, declared=bool(columns)))
            return found
        inner = self.itself(source)
        if not isinstance(inner.expression, exp.Query):
            names = function_columns(inner, self.name)
            return [Output(n, None, source, n) for n in names] or [Output("*", star, source)]
        return [
            Output("*", star, source, declared=output.declared)
            if output.name == "*"
            else Output(output.name, None, source, output.name, output.quoted)
            for output in self.outputs(inner)
        ]

    # Sources

    def itself(self, source: Scope) -> Scope:
        """Return the whole of a recursive query where one of its branches names it; else the scope as it is."""
        if source.sources or source.set_operation_scopes:
            return source
        return self.recursive.get(id(source.expression), source)

    def sources(self, scope: Scope) -> Mapping[str, Relation]:
        """Return what a query reads from, by alias in lower case."""
        found = self._sources.get(id(scope))
        if found is None:
            found = {alias.lower(): source for alias, (_, source) in scope.selected_sources.items()}
            for join in joins_of(scope):
                # sqlglot leaves out what a semi-join only looks into.
                alias = join.alias_or_name
                if join.is_semi_or_anti_join and alias in scope.sources:
                    found.setdefault(alias.lower(), scope.sources[alias])
            for pivot in pivots_of(scope):
                # A turned CTE stands in the scope as a table of its name.
                source = self.behind_pivot(scope, pivot)
                if source is not None and source not in found.values():
                    found[pivot.alias.lower()] = source
            for lateral, source in scope.lateral_sources.items():
                found.setdefault(lateral.lower(), source)
            self._sources[id(scope)] = found
        return found

    def visible(self, scope: Scope, alias: str) -> Relation | None:
        """Return what an alias stands for in a query, or around it where the query may look outside."""
        at: Scope | None = scope
        while at is not None:
            source = self.sources(at).get(alias.lower())
            if source is not None:
                return source
            at = at.parent
        return None

    def behind_pivot(self, scope: Scope, pivot: exp.Pivot) -> Relation | None:
        """Return what a PIVOT turns."""
        parent = pivot.parent
        if parent is None:
            return None
        for name in (parent.alias_or_name, parent.name):
            source = scope.sources.get(name)
            if isinstance(source, exp.Table) and not source.db and source.name in scope.cte_sources:
                source = scope.cte_sources[source.name]
            if source is not None:
                return source
        return None

    def turned(self, scope: Scope, pivot: exp.Pivot) -> list[Turned]:
        """Return the columns of what a PIVOT or UNPIVOT gives."""
        found = self._turned.get(id(pivot))
        if found is None:
            source = self.behind_pivot(scope, pivot)
            open_ = source is None or self.is_open(source)
            found = self._turned[id(pivot)] = turned_columns(pivot, self.columns(source), open_=open_)
        return found

    def is_open(self, source: Relation) -> bool:
        """Say whether a source may have more columns than are known."""
        if isinstance(source, exp.Table):
            table = self.known.get(key_of(source))
            return table is None or table.open or not table.columns
        inner = self.itself(source)
        return not isinstance(inner.expression, exp.Query) or bool(self.open_stars(inner))

    def columns(self, source: Relation | None) -> list[str]:
        """Return the names of a source's columns, as far as they are known."""
        if isinstance(source, exp.Table):
            table = self.known.get(key_of(source))
            return list(table.columns) if table is not None else []
        return self.names(self.itself(source)) if source is not None else []

    def columns_of(self, table: Table) -> Mapping[str, str]:
        """Return a table's columns by their names in lower case."""
        found = self._folded.get(table.relation)
        if found is None:
            found = self._folded[table.relation] = {name.lower(): name for name in reversed(table.columns)}
        return found

    def has(self, source: Relation, name: str) -> Has:
        """Say whether a source has a column of that name."""
        if isinstance(source, exp.Table):
            given = [each.lower() for each in source.alias_column_names]
            if name.lower() in given:
                return Has.YES
            table = self.known.get(key_of(source))
            if table is None:
                return Has.NO if given and isinstance(source.this, exp.Func) else Has.MAYBE
            if name.lower() in self.columns_of(table):
                return Has.YES
            return Has.MAYBE if table.open or not table.columns else Has.NO
        inner = self.itself(source)
        if not isinstance(inner.expression, exp.Query):
            names = [each.lower() for each in function_columns(inner, self.name)]
            if name.lower() in names:
                return Has.YES
            # BigQuery lets the fields of an unnested struct be named without it.
            fields = self.name == "bigquery" and isinstance(inner.expression, exp.Unnest)
            return Has.NO if names and not fields else Has.MAYBE
        if self.output(inner, name) is not None:
            return Has.YES
        return Has.MAYBE if any(self._lets_through(o, name) for o in self.open_stars(inner)) else Has.NO

    def _lets_through(self, star: Output, name: str) -> bool:
        node = star.projection
        node = node.this if isinstance(node, exp.Column) else node
        if isinstance(node, exp.Star):
            gone, renamed, _ = _changes(node)
            if name.lower() in gone or name.lower() in renamed:
                return False
        return star.source is None or self.has(star.source, name) is not Has.NO

    def through_star(self, scope: Scope, name: str) -> list[Output]:
        """Return the stars over columns that are not all known through which a name may come."""
        return [star for star in self.open_stars(scope) if self._lets_through(star, name)]

    # Names

    def shared(self, scope: Scope) -> Mapping[str, list[str]]:
        """Return the columns that a query's joins share (USING, NATURAL), each with the aliases that have it."""
        found = self._shared.get(id(scope))
        if found is None:
            found = self._shared[id(scope)] = {}
            sources = self.sources(scope)
            order = list(sources)
            for join in joins_of(scope):
                together = [each for each in joined_by(join) if each in sources]
                before = order[: min(map(order.index, together), default=len(order))]
                for name in self._shared_by(join, before, sources):
                    having = found.setdefault(name, [])
                    if not having:
                        certain = [b for b in before if self.has(sources[b], name) is Has.YES]
                        having += certain[:1] or [
                            b for b in before if self.has(sources[b], name) is Has.MAYBE
                        ]
                    if not join.is_semi_or_anti_join:
                        theirs = [each for each in together if self.has(sources[each], name) is not Has.NO]
                        having += [each for each in theirs or together if each not in having][:1]
        return found

    def _shared_by(self, join: exp.Join, before: Iterable[str], sources: Mapping[str, Relation]) -> list[str]:
        using = [column.name.lower() for column in join.args.get("using") or ()]
        source = sources.get(join.alias_or_name.lower())
        if using or join.method != "NATURAL" or source is None:
            return using
        theirs = {name.lower() for name in self.columns(source)}
        return [n for b in before for n in map(str.lower, self.columns(sources[b])) if n in theirs]

    def aliases(self, scope: Scope) -> Mapping[str, int]:
        """Return the place of each alias of a query's projections, by name in lower case."""
        found = self._aliases.get(id(scope))
        if found is None:
            found = {}
            for number, projection in enumerate(selects_of(scope)):
                if isinstance(projection, exp.Alias):
                    found.setdefault(projection.alias.lower(), number)
            self._aliases[id(scope)] = found
        return found

    def surely_read(self, scope: Scope) -> frozenset[str]:
        """Return the names that a query uses before, or in, the projection that makes an alias of that name.

        They are columns of what it reads, even where its columns are not known.
        """
        found = self._own.get(id(scope))
        if found is None:
            aliases = self.aliases(scope)
            found = self._own[id(scope)] = frozenset(
                column.name.lower()
                for number, projection in enumerate(selects_of(scope))
                for column in projection.find_all(exp.Column)
                if not column.table and aliases.get(column.name.lower(), -1) >= number
            )
        return found


def _changes(star: exp.Expr) -> tuple[set[str], dict[str, str], dict[str, exp.Expr]]:
    """Return what a star leaves out, renames and replaces, by name in lower case."""
    gone = {each.name.lower() for each in star.args.get("except_") or ()}
    renamed = {each.this.name.lower(): each.alias for each in star.args.get("rename") or ()}
    replaced = {each.alias.lower(): each.this for each in star.args.get("replace") or ()}
    return gone, renamed, replaced
