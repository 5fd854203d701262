"""Open the data that a contract names by one of its servers: files, or a DuckDB database. For reading only.

Takes a server of an ODCS contract and the tables; gives a connection in which each table has its name. Nothing but the
files that the server names can be read through it, and nothing written. A file of text holds no types: its columns are
read as the contract promises them, and the texts as they are stand beside them, so that what fits no type is counted.
"""

from __future__ import annotations

import contextlib
import glob
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factory.errors import ContractError, LockedError, QualityError
from factory.odcs.types import logical_fields
from factory.quality.columns import in_one_line
from factory.quality.conformance import physical_name
from factory.quality.moments import strptime_of
from factory.tables import columns_of, literal, own_spelling, quoted

Values = Mapping[str, Any]

#: The types of servers whose data is read here.
SERVERS = ("local", "duckdb")
_READERS = {
    "parquet": "parquet", "csv": "csv", "json": "json", "jsonl": "json", "ndjson": "json", "jsonlines": "json",
}  # fmt: skip
_ENCODINGS = {
    "utf8": "utf-8", "ascii": "utf-8", "usascii": "utf-8", "iso88591": "latin-1", "latin1": "latin-1",
    "utf16": "utf-16",
}  # fmt: skip


@dataclass(slots=True)
class Source:
    """The data of a server.

    Attributes:
        connection: where the tables have their names.
        faults: why a table cannot be read, by its name in the database.
        texts: of a table that is read from text, the relation in which its columns are as they stand there.
        readings: how a column is read from its text, in SQL, as table and column.
        wrong_kinds: columns of JSON whose values are of another kind than promised, as table and column.
    """

    connection: Any
    faults: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    readings: dict[tuple[str, str], str] = field(default_factory=dict)
    wrong_kinds: set[tuple[str, str]] = field(default_factory=set)


@contextlib.contextmanager
def opened_server(
    server: Values, tables: Sequence[Values], file: Path, line: int, folders: Sequence[Path]
) -> Iterator[Source]:
    """Give the data of a server; relative paths are looked for in `folders`, in their order.

    `file` and `line` say where the server is written.

    Raises:
        ContractError: the server is of another type, or names what is no file here.
        LockedError: another process holds the database.
        QualityError: the database cannot be opened.

    """
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute("set TimeZone = 'UTC'")
        source = Source(connection)
        if server.get("type") == "duckdb":
            _database(source, server, tables, (file, line), folders)
        else:
            format_ = _format_of(server, file, line)
            named = {
                physical_name(table): _files(server, table, format_, (file, line), folders)
                for table in tables
            }
            # Files are read when the view is made, and again by every check.
            _lock(connection, [path for paths in named.values() for path in paths])
            for table in tables:
                name = physical_name(table)
                if not named[name]:
                    source.faults[name] = f"no file is there: {_path_of(server, table)}"
                    continue
                try:
                    _view(source, table, named[name], format_, server)
                except duckdb.Error as error:
                    source.faults[name] = in_one_line(error)
        yield source


def _lock(connection: Any, paths: Sequence[str]) -> None:
    connection.execute(f"set allowed_paths = [{', '.join(map(literal, paths))}]")
    connection.execute("set enable_external_access = false")


# DuckDB databases


def _database(
    source: Source, server: Values, tables: Sequence[Values], place: tuple[Path, int], folders: Sequence[Path]
) -> None:
    """Give the tables of a database their names here, in the schema of every product and in their own."""
    import duckdb

    connection = source.connection
    database = _attached(connection, server, place, folders)
    schema = str(server.get("schema") or "main")
    rows = connection.execute(
        "select table_name, view_definition from information_schema.tables left join "
        "(select view_name, sql as view_definition from duckdb_views() where database_name = 'data' "
        "and lower(schema_name) = lower($1)) on view_name = table_name "
        "where table_catalog = 'data' and lower(table_schema) = lower($1)",
        [schema],
    ).fetchall()
    if not rows and not _has_schema(connection, schema):
        raise ContractError(
            f"the database has no schema {schema!r}",
            where=place[0],
            line=place[1],
            hint="set the server's `schema`",
        )
    named = [str(definition) for _, definition in rows if definition]
    _lock(connection, _files_in(named, [database.parent, *folders]))
    promised = {physical_name(table) for table in tables}
    others = {str(name) for name, _ in rows[:_MOST_TABLES]} - promised
    if schema != "main":
        connection.execute(f"create schema {quoted(schema)}")
    for name in (*sorted(promised), *sorted(others)):
        for own in dict.fromkeys(("main", schema)):
            try:
                connection.execute(
                    f"create view memory.{quoted(own)}.{quoted(name)} as from data.{quoted(schema)}.{quoted(name)}"
                )
            except duckdb.Error as error:
                if name in promised:
                    source.faults[name] = in_one_line(error)


#: So many tables beside the promised ones can be named in queries.
_MOST_TABLES = 500


def _has_schema(connection: Any, schema: str) -> bool:
    query = "select count(*) from duckdb_schemas() where database_name = 'data' and lower(schema_name) = lower($1)"
    return bool(connection.execute(query, [schema]).fetchone()[0])


def _files_in(definitions: Iterable[str], folders: Sequence[Path]) -> list[str]:
    """Return the files that views read, as far as they lie below the folders."""
    found: dict[str, None] = {}
    for text in definitions:
        for quote, path in re.findall(r"""(['"])((?:(?!\1).|\1\1)+)\1""", text, re.DOTALL):
            for folder in folders:
                files = _matching(folder, path.replace(quote * 2, quote))
                inside = [each for each in files if each.resolve().is_relative_to(folder.resolve())]
                found |= dict.fromkeys(each.as_posix() for each in inside)
                found |= dict.fromkeys(each.resolve().as_posix() for each in inside)
    return list(found)


def _attached(connection: Any, server: Values, place: tuple[Path, int], folders: Sequence[Path]) -> Path:
    import duckdb

    file, line = place
    named = str(server.get("database") or "")
    _refuse_url(named, file, line)
    found = next((path for folder in folders if (path := folder / named).is_file()), None)
    if not named or found is None:
        hint = f"paths are from {', then '.join(folder.as_posix() for folder in folders)}"
        raise ContractError(f"the database {named!r} is not there", where=file, line=line, hint=hint)
    try:
        connection.execute(f"attach {literal(found.as_posix())} as data (read_only)")
    except duckdb.Error as error:
        text = in_one_line(error)
        if "lock" in text:
            message = f"the DuckDB file is open in another process: {text}"
            raise LockedError(
                message, where=found, hint="close it there and run the command again"
            ) from error
        raise QualityError(f"cannot open the database: {text}", where=found) from error
    return found


# Files


def _path_of(server: Values, table: Values) -> str:
    # The placeholder of the Data Contract CLI.
    return re.sub(
        r"\$?\{\s*(model|table|object)\s*\}", lambda _: str(table["name"]), str(server.get("path") or "")
    )


def _format_of(server: Values, file: Path, line: int) -> str:
    named = str(server.get("format") or Path(str(server.get("path") or "")).suffix.lstrip(".")).lower()
    if named not in _READERS:
        message = (
            f"files of the format {named!r} are not read here" if named else "the server names no format"
        )
        hint = f"supported: {', '.join(_READERS)}"
        raise ContractError(message, where=file, line=line, hint=hint)
    return named


def _refuse_url(path: str, file: Path, line: int) -> None:
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", path) and not re.match(r"[A-Za-z]:[\\/]", path):
        hint = "name files of this machine"
        raise ContractError(
            f"{path!r} is no path: nothing is read from a network", where=file, line=line, hint=hint
        )


def _files(
    server: Values, table: Values, format_: str, place: tuple[Path, int], folders: Sequence[Path]
) -> list[str]:
    """Return the files of a table, from the first folder that has any."""
    path = _path_of(server, table)
    _refuse_url(path, *place)
    if not path:
        raise ContractError("the server names no path", where=place[0], line=place[1], hint="add `path:`")
    for folder in folders:
        whole = folder / path
        found = sorted(whole.rglob(f"*.{format_}")) if whole.is_dir() else _matching(folder, path)
        files = [each.resolve().as_posix() for each in found if each.is_file()]
        if files:
            return files
    return []


def _matching(folder: Path, path: str) -> list[Path]:
    """Return the files that a path or a pattern means, seen from a folder."""
    whole = folder / path
    try:
        if whole.is_file():
            return [whole]
        found = map(Path, glob.glob(whole.as_posix(), recursive=True))  # noqa: PTH207  (any root)
        return sorted(each for each in found if each.is_file())
    except (OSError, ValueError):  # what is no path at all
        return []


def _view(source: Source, table: Values, files: Sequence[str], format_: str, server: Values) -> None:
    name = physical_name(table)
    listed = f"[{', '.join(map(literal, files))}]"
    reader = _READERS[format_]
    detected: dict[str, str] = {}
    if reader == "parquet":
        relation = f"read_parquet({listed}, union_by_name = true)"
        source.connection.execute(f"create view {quoted(name)} as from {relation}")
        return
    if reader == "csv":
        encoding = re.sub(r"[^a-z0-9]", "", str(server.get("encoding") or "utf-8").lower())
        known = literal(_ENCODINGS.get(encoding, "utf-8"))
        options = f"all_varchar = true, header = true, union_by_name = true, encoding = {known}"
        texts = f"read_csv({listed}, {options})"
    else:
        texts, detected = _json(source, listed, format_, server)
    raw = f"{name} as text"
    source.connection.execute(f"create view {quoted(raw)} as from {texts}")
    source.texts[name] = raw
    there = columns_of(source.connection, quoted(raw))
    chosen = _chosen(source, table, there, detected)
    source.connection.execute(f"create view {quoted(name)} as select {', '.join(chosen)} from {quoted(raw)}")  # noqa: S608


def _json(source: Source, listed: str, format_: str, server: Values) -> tuple[str, dict[str, str]]:
    """Return what reads JSON, and the types that its values have; dates stay the texts that they are in JSON."""
    delimiter = str(server.get("delimiter") or "")
    how = {"new_line": "newline_delimited", "array": "array"}.get(delimiter, "auto")
    if format_ != "json":
        how = "newline_delimited"
    options = f"format = {literal(how)}, union_by_name = true, maximum_object_size = 67108864"
    detected = {
        str(row[0]): str(row[1])
        for row in source.connection.execute(
            f"describe from read_json({listed}, {options}, sample_size = -1)"
        ).fetchall()
    }
    types = {name: "VARCHAR" if _is_moment(type_) else type_ for name, type_ in detected.items()}
    if not types:
        return f"read_json({listed}, {options})", detected
    columns = ", ".join(f"{literal(name)}: {literal(type_)}" for name, type_ in types.items())
    return f"read_json({listed}, {options}, columns = {{{columns}}})", types


def _is_moment(type_: str) -> bool:
    return type_.startswith(("DATE", "TIME", "UUID"))


def _chosen(
    source: Source, table: Values, there: Mapping[str, str], detected: Mapping[str, str]
) -> list[str]:
    """Return the columns of a table as they are read: those that are promised by the promised type."""
    name = physical_name(table)
    promised = {physical_name(c).lower(): c for c in table.get("properties") or () if isinstance(c, dict)}
    chosen = []
    for column in there:
        type_ = read_as(promised.get(column.lower(), {}), source.connection)
        if type_ and not (detected and _is_nested(detected[column])):
            reading = _reading(quoted(column), type_, promised[column.lower()])
            chosen.append(f"{reading} as {quoted(column)}")
            source.readings[name, column.lower()] = reading
            if detected and not _is_kin(detected[column], type_):
                source.wrong_kinds.add((name, column.lower()))
        else:
            chosen.append(quoted(column))
    if detected:
        # A key that no object has is no column; a value that is not required may be left out everywhere.
        known = {column.lower() for column in there}
        for column, values in promised.items():
            type_ = read_as(values, source.connection) or "JSON"
            if column not in known and not values.get("required") and not values.get("primaryKey"):
                chosen.append(f"null::{type_} as {quoted(physical_name(values))}")
    return chosen


def _reading(text: str, type_: str, column: Values) -> str:
    """Return what reads a text as a type; dates and times in the format that the contract states."""
    options = column.get("logicalTypeOptions")
    stated = options.get("format") if isinstance(options, dict) else None
    form = strptime_of(stated) if isinstance(stated, str) and _is_moment(type_) and type_ != "UUID" else ""
    if form:
        return f"try_cast(try_strptime({text}, {literal(form)}) as {type_})"
    return f"try_cast({text} as {type_})"


def _is_nested(type_: str) -> bool:
    return type_.endswith("]") or type_.startswith(("STRUCT", "MAP", "JSON"))


def _is_kin(detected: str, read: str) -> bool:
    """Say whether a value of JSON is of the kind that a type wants: JSON itself tells numbers from texts."""
    kinds = {"integer": "number", "number": "number", "boolean": "boolean"}
    found = kinds.get(logical_fields(detected)["logicalType"], "text")
    wanted = kinds.get(logical_fields(read)["logicalType"], "text")
    return found == wanted


_TYPES = {
    "string": "VARCHAR", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "timestamp": "TIMESTAMP",
    "time": "TIME", "integer": "BIGINT",
}  # fmt: skip
_WIDE = {"i128": "HUGEINT", "u128": "UHUGEINT", "u64": "UBIGINT"}


def read_as(column: Values, connection: Any) -> str:
    """Return the type of DuckDB by which a promised column is read from text; empty where it is read as it is."""
    physical = str(column.get("physicalType") or "")
    known = own_spelling(connection, physical) if physical else ""
    if known.startswith("DECIMAL") and "(" not in physical:
        return "DECIMAL(38,10)"
    if known and not _is_nested(known):
        return known
    logical = str(column.get("logicalType") or "")
    options = column.get("logicalTypeOptions")
    options = options if isinstance(options, dict) else {}
    if logical == "timestamp" and options.get("timezone") is True:
        return "TIMESTAMP WITH TIME ZONE"
    if logical == "integer":
        return _WIDE.get(str(options.get("format")), "BIGINT")
    return _TYPES.get(logical, "")
