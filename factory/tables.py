"""Open the tables that dbt built, for reading only.

Takes a product's DuckDB file and schema; gives a connection. Checks and exports read through it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from factory.errors import LockedError, QualityError

#: What the product's DuckDB file is called in the connection. File and schema have one name, the product's,
#: which DuckDB would find ambiguous.
DATABASE = "factory_built"


@contextlib.contextmanager
def opened(file: Path, schema: str, *, external: bool = False) -> Iterator[Any]:
    """Give a connection whose current schema is the product's; `external` lets it write files.

    Raises:
        LockedError: another process holds the file.
        QualityError: it cannot be opened.

    """
    import duckdb

    connection = duckdb.connect()
    try:
        try:
            path = file.as_posix().replace("'", "''")
            connection.execute(f"attach '{path}' as {DATABASE} (read_only)")
            connection.execute("set enable_progress_bar = false")
            if not external:
                connection.execute("set enable_external_access = false")
            known = "select 1 from duckdb_schemas() where database_name = ? and schema_name = ?"
            if connection.execute(known, [DATABASE, schema]).fetchone():
                connection.execute(f'use {DATABASE}."{schema}"')
        except duckdb.Error as error:
            text = str(error).splitlines()[0]
            if "lock" in text:
                hint = "close it there and run the command again"
                raise LockedError(
                    f"the DuckDB file is open in another process: {text}", where=file, hint=hint
                ) from error
            raise QualityError(
                f"cannot open the product's tables: {text}",
                where=file,
                hint="build the product again with --full",
            ) from error
        yield connection
    finally:
        connection.close()
