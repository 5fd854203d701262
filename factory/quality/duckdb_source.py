"""A Soda data source over a DuckDB connection that is already open.

Soda's own package for DuckDB is tied to an engine of 2023. This one takes a connection, so that it reads what
dbt built with today's engine. Soda looks for it under `soda.data_sources.duckdb_data_source`.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from soda.execution.data_source import DataSource
from soda.execution.data_source_scan import DataSourceScan
from soda.execution.data_type import DataType

from factory.quality.soda_formats import FORMATS, matches, number_of
from factory.quality.soda_scan import CarefulScan
from factory.tables import quoted

_SPREADS = ("stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp")


class DuckDBDataSource(DataSource):
    """Runs Soda's queries over `data_source_properties["duckdb_connection"]`."""

    TYPE = "duckdb"
    DEFAULT_FORMATS: ClassVar[dict[str, str]] = DataSource.DEFAULT_FORMATS | FORMATS

    SCHEMA_CHECK_TYPES_MAPPING: ClassVar[dict[str, list[str]]] = {
        "varchar": ["character varying", "text", "string", "char", "bpchar"],
        "integer": ["int", "int4", "signed"],
        "bigint": ["int8", "long"],
        "smallint": ["int2", "short"],
        "tinyint": ["int1"],
        "double": ["float8", "double precision"],
        "float": ["float4", "real"],
        "boolean": ["bool", "logical"],
        "timestamp": ["datetime", "timestamp without time zone"],
        "timestamp with time zone": ["timestamptz"],
        "decimal": ["numeric"],
    }
    SQL_TYPE_FOR_SCHEMA_CHECK_MAP: ClassVar[dict[Any, str]] = {
        DataType.TEXT: "varchar",
        DataType.INTEGER: "integer",
        DataType.DECIMAL: "double",
        DataType.DATE: "date",
        DataType.TIME: "time",
        DataType.TIMESTAMP: "timestamp",
        DataType.TIMESTAMP_TZ: "timestamp with time zone",
        DataType.BOOLEAN: "boolean",
    }
    NUMERIC_TYPES_FOR_PROFILING: ClassVar[list[str]] = [
        "tinyint",
        "smallint",
        "integer",
        "bigint",
        "float",
        "double",
    ]
    TEXT_TYPES_FOR_PROFILING: ClassVar[list[str]] = ["varchar"]

    def connect(self) -> None:
        """Use the connection that was handed over."""
        self.connection: Any = _Connection(self.data_source_properties["duckdb_connection"])

    def sql_get_table_columns(
        self,
        table_name: str,
        included_columns: list[str] | None = None,
        excluded_columns: list[str] | None = None,
    ) -> str:
        """Return the query for a table's columns, held to this database and schema."""
        sql = super().sql_get_table_columns(table_name, included_columns, excluded_columns)
        return str(sql).replace(
            "WHERE ", "WHERE table_catalog = current_database() AND table_schema = current_schema() AND ", 1
        )

    def sql_information_schema_tables(self) -> str:
        """Return the tables of this database and schema only."""
        return (
            "(select * from information_schema.tables"
            " where table_catalog = current_database() and table_schema = current_schema())"
        )

    def sql_information_schema_columns(self) -> str:
        """Return the columns of this database and schema only."""
        return (
            "(select * from information_schema.columns"
            " where table_catalog = current_database() and table_schema = current_schema())"
        )

    @staticmethod
    def column_metadata_catalog_column() -> str:
        """Return the name of the catalog's column in the information schema."""
        return "table_catalog"

    def is_same_type_in_schema_check(self, expected_type: str, actual_type: str) -> bool:
        """Say whether a schema check's type is a column's: case and synonyms do not count, nor what it leaves open.

        `decimal` holds for every precision, `decimal(18, 2)` for this one.
        """
        expected, actual = self._type_parts(expected_type), self._type_parts(actual_type)
        return expected[0] == actual[0] and expected[1] in ("", actual[1])

    def _type_parts(self, spelled: str) -> tuple[str, str]:
        """Split a type into its base name, the usual one among synonyms, and its parameters without blanks."""
        text = " ".join(spelled.lower().split())
        base = re.sub(r"\s*\(.*?\)", "", text)
        name = next((n for n, others in self.SCHEMA_CHECK_TYPES_MAPPING.items() if base in others), base)
        return name, "".join(re.findall(r"\(.*\)", text)).replace(" ", "")

    def default_casify_sql_function(self) -> str:
        """Return how names are folded when they are compared."""
        return "lower"

    def default_casify_system_name(self, identifier: str) -> str:
        """Fold a name as `default_casify_sql_function` does."""
        return identifier.lower()

    def default_casify_table_name(self, identifier: str) -> str:
        """Fold a table's name as `default_casify_sql_function` does."""
        return identifier.lower()

    def quote_column(self, column_name: str) -> str:
        """Quote a column's name, which may hold anything."""
        return column_name if column_name.startswith('"') else '"' + column_name.replace('"', '""') + '"'

    def expr_regexp_like(self, expr: str, regex_pattern: str) -> str:
        """Return the condition that a value, as text, matches a pattern somewhere."""
        return matches(expr, regex_pattern)

    def escape_regex(self, value: str) -> str:
        """Return a pattern as it is: it becomes a string of SQL in `expr_regexp_like`."""
        return value

    def escape_string(self, value: str) -> str:
        """Return a text as it stands in a string of DuckDB, where a backslash is itself."""
        return value.replace("'", "''")

    def literal_list(self, l: Any) -> Any:  # noqa: E741  (Soda's name)
        """Return a list for `in`; whole numbers as text, which DuckDB reads as what the column holds."""
        if l is None:
            return None
        whole = (f"'{value}'" if type(value) is int else self.literal(value) for value in l)
        return "(" + ", ".join(str(value) for value in whole) + ")"

    def expr_length(self, expr: str) -> str:
        """Return the length of a value as text."""
        return f"length(cast({expr} as varchar))"

    def cast_text_to_number(self, column_name: str, validity_format: str) -> str:
        """Return a text column as a number, for validity by format."""
        return number_of(column_name, validity_format)

    def get_metric_sql_aggregation_expression(
        self, metric_name: str, metric_args: list[object] | None, expr: str
    ) -> Any:
        """Return the aggregate of a metric, or None if it is none."""
        if metric_name in _SPREADS:
            return f"{metric_name}({expr})"
        if metric_name == "percentile" and metric_args:
            return f"percentile_disc({metric_args[1]}) within group (order by {expr})"
        return super().get_metric_sql_aggregation_expression(metric_name, metric_args, expr)

    def sql_table_include_exclude_filter(
        self,
        table_column_name: str,
        schema_column_name: str | None = None,  # noqa: ARG002  (Soda's signature)
        include_tables: list[str] | None = None,
        exclude_tables: list[str] | None = None,
    ) -> str | None:
        """Return which tables of this schema the patterns of `for each dataset` mean; only `%` is a wildcard."""

        def like(pattern: str) -> str:
            name = pattern.strip("\"'`").replace("\\", "\\\\").replace("_", "\\_").replace("'", "''")
            return f"lower({table_column_name}) like lower('{name}') escape '\\'"

        clauses = [f"not ({like(pattern)})" for pattern in exclude_tables or ()]
        if include_tables:
            clauses.append("(" + " or ".join(map(like, include_tables)) + ")")
        return " and ".join(clauses) or None

    def sql_find_table_names(self, *arguments: Any, **named: Any) -> str:
        """Return the query for the names of tables, in their order."""
        return str(super().sql_find_table_names(*arguments, **named)) + "\nORDER BY table_name"

    def _optionally_quote_table_name_from_meta_data(self, table_name: str) -> str:
        return self.quote_table(table_name)

    def quote_table(self, table_name: str) -> str:
        """Quote a table's name, which may hold anything."""
        return table_name if table_name.startswith('"') else '"' + table_name.replace('"', '""') + '"'

    def qualified_table_name(self, table_name: str) -> str:
        """Return a table in SQL; a path with dots is left as it is."""
        if "." in table_name and not table_name.startswith('"'):
            return str(table_name)
        return f"{self.table_prefix}.{self.quote_table(table_name)}"

    def create_data_source_scan(self, scan: Any, data_source_scan_cfg: Any) -> DataSourceScan:
        """Return the scan that keeps what goes wrong with one check to that check."""
        self.data_source_scan = CarefulScan(scan, data_source_scan_cfg, self)
        return self.data_source_scan

    def rollback(self) -> None:
        """Nothing to roll back: the connection only reads."""

    def commit(self) -> None:
        """Nothing to commit: the connection only reads."""

    def disconnect(self) -> None:
        """Leave the connection to whom it belongs."""
        self.connection = None


class _Connection:
    """A connection as Soda expects it: cursors come and go, closing is not its business."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        row = connection.execute("select current_database(), current_schema()").fetchone()
        self._place = f"use {quoted(row[0])}.{quoted(row[1])}; set TimeZone = 'UTC'"

    def cursor(self) -> Any:
        """Return a cursor with the same schema: DuckDB's cursors are connections of their own."""
        cursor = self._connection.cursor()
        cursor.execute(self._place)
        return cursor

    def close(self) -> None:
        """Leave it open."""
