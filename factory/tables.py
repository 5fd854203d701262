"""Open the tables that dbt built, for reading only.

Takes the DuckDB files of a product and of those it reads; gives a connection. Checks and exports read
through it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from factory.errors import LockedError, QualityError
from factory.workspace import PROD, Workspace

#: The schema of every product in its own DuckDB file.
SCHEMA = "main"


@contextlib.contextmanager
def opened(ws: Workspace, product: str, files: Mapping[str, Path], *, writes: bool = False) -> Iterator[Any]:
    """Give a connection in which the product's tables have bare names.

    `files` are the DuckDB files by product: its own, and those of the products that it reads, since a view
    of its own may look into them. Beside them only the product's folder and published ports can be read, and
    nothing can be written, unless `writes` says that this is an export.

    Raises:
        LockedError: another process holds a file.
        QualityError: a file cannot be opened.

    """
    import duckdb

    connection = duckdb.connect()
    try:
        for name, file in files.items():
            try:
                connection.execute(f'attach {literal(file.as_posix())} as "{name}" (read_only)')
            except duckdb.Error as error:
                text = str(error).splitlines()[0]
                if "lock" in text:
                    message = f"the DuckDB file is open in another process: {text}"
                    raise LockedError(
                        message, where=file, hint="close it there and run the command again"
                    ) from error
                hint = "build the product again with --full"
                raise QualityError(
                    f"cannot open the product's tables: {text}", where=file, hint=hint
                ) from error
        connection.execute(f"set file_search_path = {literal(ws.root.as_posix())}")
        connection.execute("set enable_progress_bar = false")
        connection.execute("set TimeZone = 'UTC'")
        if not writes:
            folders = [ws.products / product, ws.ports, replace(ws, target=PROD).ports]
            folders += [ws.scratch] if ws.scratch else []
            allowed = ", ".join(literal(f"{folder.as_posix()}/") for folder in folders)
            connection.execute(f"set allowed_directories = [{allowed}]")
            connection.execute("set enable_external_access = false")
        try:
            connection.execute(f'use "{product}".{SCHEMA}')
        except duckdb.Error as error:
            hint = "build the product again with --full"
            raise QualityError(f"{product} has no DuckDB file to look into", hint=hint) from error
        yield connection
    finally:
        connection.close()


def literal(text: str) -> str:
    """Return a text as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'
