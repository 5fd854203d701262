"""A Soda data source over a DuckDB connection that is already open.

Soda's own package for DuckDB is tied to an engine of 2023. This one takes a connection, so that it reads what
dbt built with today's engine. Soda looks for it under `soda.data_sources.duckdb_data_source`.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from soda.execution.data_source import DataSource
from soda.execution.data_type import DataType


class DuckDBDataSource(DataSource):
    """Runs Soda's queries over `data_source_properties["duckdb_connection"]`."""

    TYPE = "duckdb"

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
        """Return the condition that a text matches a pattern somewhere."""
        return f"regexp_matches({expr}, '{self.escape_regex(regex_pattern)}')"

    def escape_regex(self, value: str) -> str:
        """Return a pattern as it stands in a string of DuckDB, where a backslash is itself."""
        return value.replace("'", "''")

    def regex_replace_flags(self) -> str:
        """Return the flag that replaces every match."""
        return ", 'g'"

    def cast_text_to_number(self, column_name: str, validity_format: str) -> str:
        """Return a text column as a number, for validity by format."""
        return str(super().cast_text_to_number(column_name, validity_format)).replace("DECIMAL", "DOUBLE")

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

    def cursor(self) -> Any:
        """Return a cursor with the same schema: DuckDB's cursors are connections of their own."""
        row = self._connection.execute("select current_database(), current_schema()").fetchone()
        cursor = self._connection.cursor()
        cursor.execute(f'use "{row[0]}"."{row[1]}"')
        return cursor

    def close(self) -> None:
        """Leave it open."""
