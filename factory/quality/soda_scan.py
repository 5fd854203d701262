"""What Soda runs for a table, with the faults of one check kept to that check.

Soda joins metrics by an identity that leaves out what tells some of them apart, measures many in one query that
fails as a whole, and computes percentages from what it could not measure. Here metrics are told apart by all that
they are, a query that fails is taken apart until the faulty metric is found, and what was not measured has no value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from soda.common.undefined_instance import undefined
from soda.execution.check.metric_check import MetricCheck
from soda.execution.check.reference_check import ReferenceCheck
from soda.execution.check.user_defined_failed_rows_expression_check import (
    UserDefinedFailedRowsExpressionCheck,
)
from soda.execution.data_source_scan import DataSourceScan
from soda.execution.metric.derived_metric import DerivedMetric
from soda.execution.metric.numeric_query_metric import NumericQueryMetric
from soda.execution.query.aggregation_query import AggregationQuery
from soda.execution.query.group_by_query import GroupByQuery
from soda.execution.query.group_evolution_query import GroupEvolutionQuery
from soda.execution.query.reference_query import ReferenceQuery
from soda.execution.query.user_defined_failed_rows_query import UserDefinedFailedRowsQuery
from soda.execution.query.user_defined_numeric_query import UserDefinedNumericQuery

from factory.tables import without_values

# What Soda's code stumbles over when a query gave nothing, or something else than a number.
_STUMBLES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_WRITTEN = (GroupByQuery, GroupEvolutionQuery, UserDefinedFailedRowsQuery, UserDefinedNumericQuery)
_TOLD_APART = ("metric_args", "filter", "aggregation", "query", "sql")


class CarefulScan(DataSourceScan):  # type: ignore[misc]
    """Runs the queries of a scan.

    Attributes:
        faults: why a metric could not be measured, by the metric.
        seconds: how long a metric took: its part of its query.
        rows: the metric that counts the rows a check looks at, by the check.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.faults: dict[int, str] = {}
        self.seconds: dict[int, float] = {}
        self.rows: dict[int, Any] = {}

    def resolve_metric(self, metric: Any) -> Any:
        """Return the metric itself, or one that measures exactly the same."""
        metric.identity = _identity(metric)
        if isinstance(metric, DerivedMetric):
            metric.derived_formula.function = lambda values: _percentage(metric.name, values)
        return super().resolve_metric(metric)

    def execute_queries(self) -> None:
        """Measure every metric; what goes wrong is kept in `faults`."""
        for check in list(self.scan._checks):
            self._count_rows(check)
        queries: list[Any] = []
        for table in self.tables.values():
            for partition in table.partitions.values():
                queries.extend(partition.collect_queries())
        for query in [*queries, *self.queries]:
            if isinstance(query, AggregationQuery):
                self._aggregate(query)
            else:
                self._measure(query)
        before_evaluation = self.data_source.data_source_properties.get("before_evaluation")
        if before_evaluation:
            before_evaluation(self)

    def _count_rows(self, check: Any) -> None:
        """See to it that the rows which a check looks at are counted along, where that costs next to nothing."""
        if isinstance(check, UserDefinedFailedRowsExpressionCheck):
            # No failed rows are fetched; Soda would, after it has counted them.
            check.get_failed_rows_sql = lambda: "select 1 as nothing where false"
        elif not isinstance(check, MetricCheck | ReferenceCheck):
            return
        if check.partition is None or getattr(check.check_cfg, "metric_query", None):
            return
        condition = getattr(check.check_cfg, "filter", None)
        self.rows[id(check)] = self.resolve_metric(
            NumericQueryMetric(
                self, check.partition, None, "row_count", None, condition, None, None, None, check
            )
        )

    def _aggregate(self, query: Any) -> None:
        """Run a query for many metrics; if it fails, its halves, until the faulty ones are found."""
        self._execute(query)
        if query.exception is None or len(query.metrics) == 1:
            for metric in query.metrics:
                self._settle(query, metric, len(query.metrics))
            return
        middle = len(query.metrics) // 2
        for part in (slice(None, middle), slice(middle, None)):
            half = AggregationQuery(query.partition, 0)
            for expression, metric in zip(query.select_expressions[part], query.metrics[part], strict=True):
                half.add_metric(expression, metric)
            self._aggregate(half)

    def _measure(self, query: Any) -> None:
        metric = getattr(query, "metric", None)
        if isinstance(query, _WRITTEN) and not self._only_reads(query.sql):
            self.faults[id(metric)] = "only a single query can be run, which reads and changes nothing"
            return
        if isinstance(query, ReferenceQuery):
            query.sql = self.scan.jinja_resolve(_reference_sql(self.data_source, query))
        if isinstance(query, UserDefinedFailedRowsQuery):
            query.sql = f"select count(*) from (\n{query.sql}\n)"  # noqa: S608
            query.execute = lambda: _count_alone(query)
        self._execute(query)
        if metric is not None:
            self._settle(query, metric, 1)

    def _only_reads(self, statement: Any) -> bool:
        """Say whether a statement is one query; what cannot be read at all is told when it is run."""
        import duckdb

        connection = self.data_source.data_source_properties["duckdb_connection"]
        try:
            found = connection.extract_statements(str(statement))
        except duckdb.Error:
            return True
        return len(found) == 1 and found[0].type == duckdb.StatementType.SELECT

    def _execute(self, query: Any) -> None:
        try:
            query.execute()
        except _STUMBLES as error:
            query.exception = query.exception or error

    def _settle(self, query: Any, metric: Any, shared: int) -> None:
        took = query.duration.total_seconds() if query.duration else 0.0
        self.seconds[id(metric)] = self.seconds.get(id(metric), 0.0) + took / shared
        if query.exception is not None:
            self.faults[id(metric)] = told(query.exception)
            metric.value = undefined


def told(error: BaseException) -> str:
    """Return what an error says in one line, without the query it is about."""
    text = " ".join(without_values(str(error).split("\n\nLINE ")[0]).split()) or type(error).__name__
    if "invalid perl operator" in text or "invalid escape sequence" in text:
        text += " (in DuckDB's patterns, lookahead can stand at the start alone, and nothing refers back)"
    return text[:250]


def _count_alone(query: Any) -> None:
    query.fetchone()
    if query.row:
        query.metric.set_value(query.row[0])


def _identity(metric: Any) -> str:
    """Return all that a metric is, as text."""
    parts: dict[str, Any] = {name: getattr(metric, name, None) for name in _TOLD_APART}
    stated = getattr(metric, "missing_and_valid_cfg", None)
    if stated is not None:
        parts["valid"] = {k: v for k, v in vars(stated).items() if not k.endswith("_location")}
    about = getattr(getattr(metric, "check", None), "check_cfg", None)
    for name in ("source_column_names", "target_table_name", "target_column_names", "is_reverse"):
        parts[name] = getattr(about, name, None) if metric.name == "reference" else None
    partition, column = metric.partition, metric.column
    place = (
        partition.table.table_name if partition else "",
        partition.partition_name if partition else "",
        getattr(column, "column_name", column),
    )
    return json.dumps([type(metric).__name__, metric.name, place, parts], sort_keys=True, default=str)


def _percentage(name: str, values: Mapping[str, Any]) -> Any:
    """Return a share of the rows in percent with two places, as Soda; none is called 0 or 100 that is not."""
    count, rows = values[name.replace("percent", "count")], values["row_count"]
    if count is undefined or rows is undefined or count is None or rows is None:
        return undefined
    if not rows:
        return 0.0
    exact = float(count) * 100 / float(rows)
    rounded = round(exact, 2)
    return exact if (rounded == 0 and count) or (rounded == 100 and count != rows) else rounded


def _reference_sql(source: Any, query: Any) -> str:
    """Return the query for the rows whose values are not (or, reversed, are) in the other table.

    Soda's own joins, so that rows count as often as the other table has them, and a dataset filter may mean
    columns of either.
    """
    about = query.metric.check.check_cfg
    pairs = list(zip(about.source_column_names, about.target_column_names, strict=True))
    where = (
        f"\n  where {query.partition.sql_partition_filter}" if query.partition.sql_partition_filter else ""
    )
    table = source.qualified_table_name(query.partition.table.table_name)
    target = source.qualified_table_name(about.target_table_name)
    same = " and ".join(f"source.{left} = target.{right}" for left, right in pairs)
    stated = " or ".join(f"source.{left} is not null" for left, _ in pairs)
    return (
        f"select count(*) from (select * from {table}{where}) as source\n"  # noqa: S608
        f"where ({stated}) and {'' if about.is_reverse else 'not '}exists (\n"
        f"  select 1 from {target} as target where {same}\n)"
    )
