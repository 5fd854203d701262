"""Open the tables that dbt built, or what it is going to read, for reading only.

Takes the DuckDB files of a product and of those it reads; gives a connection. Checks and exports read
through it, and the look at a product's sources before it is built.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
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


_TELLS_VALUES = re.compile(r"(Conversion|Out of Range|Constraint) Error|Could not parse string|alformed JSON")
_VALUES = (
    (re.compile(r"\s*LINE \d+: .*", re.DOTALL), ""),
    (re.compile(r"'.*'", re.DOTALL), "'…'"),
    (re.compile(r'".*"', re.DOTALL), '"…"'),
    (re.compile(r"\n.*", re.DOTALL), ""),
    (re.compile(r"(with value|[Vv]alue:?|number) -?[\d.]\S*"), r"\1 …"),
    (re.compile(r"\([^()]*\d[^()]*\)(?=!|$)"), "(…)"),
)


def without_values(message: str) -> str:
    """Return what DuckDB says of an error, without the values of rows that it quotes.

    What is told goes into files, notices and messages, and a value may be one that few people may see.
    """
    found = _TELLS_VALUES.search(message)
    if not found:
        return message
    told = message[found.start() :]
    for pattern, instead in _VALUES:
        told = pattern.sub(instead, told)
    return message[: found.start()] + told


def literal(text: str) -> str:
    """Return a text as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


@contextlib.contextmanager
def looking(ws: Workspace, product: str, folders: Iterable[Path], files: Mapping[str, Path]) -> Iterator[Any]:
    """Give a connection to look at a product's sources before it is built; nothing can be written.

    `folders` can be read beside the product's own and published ports. `files` are DuckDB files by the name under
    which sources know them; those that are not there, or open elsewhere, are left out. Paths are from the
    workspace's root, as for dbt.
    """
    import duckdb

    with contextlib.chdir(ws.root), duckdb.connect() as connection:
        for name, file in files.items():
            if file.is_file():
                with contextlib.suppress(duckdb.Error):
                    connection.execute(f"attach {literal(file.as_posix())} as {quoted(name)} (read_only)")
        connection.execute("set enable_progress_bar = false")
        connection.execute("set TimeZone = 'UTC'")
        allowed = {ws.products / product, ws.ports, replace(ws, target=PROD).ports, *folders}
        listed = ", ".join(literal(f"{folder.as_posix().rstrip('/')}/") for folder in sorted(allowed))
        connection.execute(f"set allowed_directories = [{listed}]")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield connection


def columns_of(connection: Any, relation: str) -> dict[str, str]:
    """Return type by name of the columns of what stands behind `from`, or nothing where that cannot be told.

    Raises:
        FileNotFoundError: it names files, and there are none.

    """
    import duckdb

    # The name is text that somebody wrote: it may be one relation, and no further statement.
    statement = f"describe select * from {relation}"  # noqa: S608
    try:
        if len(connection.extract_statements(statement)) != 1:
            return {}
        return {str(row[0]): str(row[1]) for row in connection.execute(statement).fetchall()}
    except duckdb.IOException as error:
        if "No files found" in str(error):
            raise FileNotFoundError(str(error)) from error
        return {}
    except duckdb.Error:
        return {}


def has_values(connection: Any, relation: str, column: str) -> bool:
    """Say whether a column holds anything at all; yes, where that cannot be told."""
    import duckdb

    try:
        query = f"select 1 from {relation} where {quoted(column)} is not null limit 1"  # noqa: S608
        return len(connection.extract_statements(query)) != 1 or bool(connection.execute(query).fetchall())
    except duckdb.Error:
        return True


def own_spelling(connection: Any, type_: str) -> str:
    """Return a type as DuckDB writes it, or nothing where DuckDB does not know it."""
    import duckdb

    if not re.fullmatch(r"[\w\s(),\[\]\".']+", type_):
        return ""
    statement = f"describe select cast(null as {type_})"
    try:
        if len(connection.extract_statements(statement)) != 1:
            return ""
        return str(connection.execute(statement).fetchall()[0][1])
    except duckdb.Error:
        return ""
