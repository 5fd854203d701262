"""Source drift: what a product declares of its sources and seeds, held against what is really there.

Takes a product and its declared inputs; gives a `Drift` per difference; reads the sources' columns through DuckDB
(`describe`, with the options that dbt would read them with) and the header of seeds. Nothing is written, and only
the product's folder, published ports and the very folders that its sources name can be read.

What cannot be told is not judged: sources without columns, on other engines, behind a URL, filled by a plugin or
by the build itself. dbt says what is wrong with those.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factory.declared import Declared
from factory.documents import read_yaml
from factory.errors import DocumentError
from factory.odcs.compare import spelled
from factory.products import Product
from factory.tables import columns_of, has_values, looking, own_spelling
from factory.umbrella import is_embedded
from factory.workspace import Workspace

_SHELVES = {"source": ("sources", "tables"), "seed": ("seeds",)}
_TYPED = (".parquet", ".arrow", ".avro", ".xlsx")
_SIGNED = {"tinyint", "smallint", "integer", "bigint", "hugeint"}
_WHOLE = {*_SIGNED, "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"}
_NUMBERS = {*_WHOLE, "decimal", "float", "double"}
_TIMES = {"date", "timestamp", "timestamp with time zone", "timestamp_s", "timestamp_ms", "timestamp_ns"}


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between what is declared and what is there.

    Attributes:
        place: `file:line` of the declaration, from the workspace's root.
        message: what was declared, and what was found.
        hint: what may have happened, or what to do.
        blocks: the product would be built wrongly or not at all.
    """

    place: str
    message: str
    hint: str = ""
    blocks: bool = True


def find_drifts(
    ws: Workspace, products: Collection[Product], inputs: Mapping[str, Collection[Declared]]
) -> dict[str, tuple[Drift, ...]]:
    """Return the drifts of products, by name; products without any are left out.

    Raises:
        OSError: a properties file cannot be read though it is there.

    """
    found = {
        product.name: tuple(_of_product(ws, product, inputs.get(product.name, ()))) for product in products
    }
    return {name: drifts for name, drifts in found.items() if drifts}


def _of_product(ws: Workspace, product: Product, inputs: Collection[Declared]) -> Iterator[Drift]:
    for seed in (each for each in inputs if each.kind == "seed"):
        header = _header(product.folder / seed.data_file, seed.delimiter)
        if header:
            yield from _compare(_Table(ws, product, seed, dict.fromkeys(header, "")))
    sources = [
        each for each in inputs if each.kind == "source" and each.relation and "://" not in each.relation
    ]
    if not sources or not is_embedded(ws):
        return
    folders = {_folder(path, ws) for source in sources for path in _files(source.relation)}
    own = {source.database for source in sources} & {product.name}
    files = {database: ws.database_file(database) for database in own}
    with looking(ws, product.name, folders, files) as connection:
        for source in sources:
            table = _Table(ws, product, source, {}, connection)
            try:
                columns = columns_of(connection, source.relation)
            except FileNotFoundError:
                names = ", ".join(_files(source.relation))
                hint = "is it delivered under another name, or not at all?"
                yield Drift(table.place(), f"{source.name}: there is no file {names}", hint)
                continue
            if columns:
                table.found.update(columns)
                yield from _compare(table)


@dataclass
class _Table:
    """A declared input, and the columns that it really has: type by name, in order; no types for a seed."""

    ws: Workspace
    product: Product
    declared: Declared
    found: dict[str, str]
    connection: Any = None
    _lines: Any = field(default=None)

    def place(self, column: str = "", key: str = "name") -> str:
        """Return `file:line` of the input, or of one of its columns, in the properties file."""
        file = self.product.folder / self.declared.file
        if self._lines is None:
            self._lines = _lines_of(file, self.declared)
        line = self._lines.get((column, key)) or self._lines.get((column, "name")) or 0
        where = self.ws.relative(file)
        return f"{where}:{line}" if line else where

    @property
    def is_guessed(self) -> bool:
        """The types are what DuckDB makes of text: the same column may be whole numbers one day, and not the next."""
        files = _files(self.declared.relation)
        return bool(files) and not any(file.lower().endswith(_TYPED) for file in files)


def _compare(table: _Table) -> Iterator[Drift]:
    """Yield a drift for each declared column that is not there as declared, then the undeclared ones as one."""
    name = table.declared.name
    there = {column.lower(): column for column in table.found}
    declared = {column.lower() for column, _ in table.declared.columns}
    new = [column for column in table.found if column.lower() not in declared]
    lost = [
        column
        for column, _ in table.declared.columns
        if column.lower() not in there and column.partition(".")[0].lower() not in there
    ]
    named: set[str] = set()
    respelled: list[str] = []
    for column, data_type in table.declared.columns:
        if column in lost:
            near = _near(column, new, alone=len(lost) == 1)
            named.add(near)
            hint = (
                f"`{near}` is there: was `{column}` renamed?" if near else f"there are {_names(table.found)}"
            )
            message = f"{name}: the column `{column}` is declared, and is not there"
            yield Drift(table.place(column), message, hint)
        elif column.lower() in there:
            real = there[column.lower()]
            respelled += [real] if real != column else []
            yield from _compare_type(table, real, column, data_type)
    if respelled:
        message = f"{name}: what is declared is written otherwise there: {_names(respelled)}"
        yield Drift(table.place(), message, "upper and lower case make no difference to DuckDB", blocks=False)
    rest = [column for column in new if column not in named]
    if rest:
        message = f"{name} has columns that are not declared: {_names(rest)}"
        yield Drift(table.place(), message, "declare them, if they are of use", blocks=False)


def _compare_type(table: _Table, real: str, column: str, data_type: str) -> Iterator[Drift]:
    found = table.found[real]
    if not data_type or not found or spelled(data_type) == spelled(found):
        return
    own = own_spelling(table.connection, data_type)
    if not own or spelled(own) == spelled(found) or _is_any(data_type, own, found):
        return
    message = f"{table.declared.name}.{column} is declared as {data_type}, and is {found} there"
    place = table.place(column, "data_type")
    if not table.is_guessed:
        yield Drift(place, message, "declare the type that is there, or have the source mended")
        return
    wanted, guessed = _head(own), _head(found)
    if wanted == "varchar":
        hint = "DuckDB takes it for that by what is in the file; let it be read as text, with types or all_varchar"
        yield Drift(place, message, hint, blocks=False)
    elif guessed == "varchar" and not has_values(table.connection, table.declared.relation, real):
        return  # nothing to guess from
    elif not _fits(guessed, wanted):
        hint = "some of its values are no longer of that type, or the source changed it"
        yield Drift(place, message, hint)


def _fits(guessed: str, wanted: str) -> bool:
    """Say whether what text was taken for can be of the declared type: whole numbers are also fractions."""
    if guessed in _WHOLE:
        return wanted in _NUMBERS
    if guessed in _NUMBERS:
        return wanted in _NUMBERS - _WHOLE
    return guessed in _TIMES and wanted in _TIMES - {"date"}


def _is_any(data_type: str, own: str, found: str) -> bool:
    """Say whether a declared `decimal` leaves the digits open, and a decimal is what is there."""
    return "(" not in data_type and _head(own) == "decimal" == _head(found)


def _head(type_: str) -> str:
    return str(spelled(type_)).partition("(")[0]


def _near(column: str, names: Collection[str], *, alone: bool) -> str:
    """Return the name that a column most probably has now, or nothing."""
    bare = {re.sub(r"[\W_]", "", name.lower()): name for name in names}
    wanted = re.sub(r"[\W_]", "", column.lower())
    if wanted in bare:
        return bare[wanted]
    close = difflib.get_close_matches(wanted, bare, 1, 0.6)
    if close:
        return bare[close[0]]
    return next(iter(names)) if alone and len(names) == 1 else ""


def _names(columns: Collection[str]) -> str:
    names = [f"`{column}`" for column in columns]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if names[5:] else "")


def _header(file: Path, delimiter: str) -> list[str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            return next(csv.reader(handle, delimiter=delimiter), [])
    except (OSError, UnicodeDecodeError, csv.Error, TypeError):
        return []  # dbt says what is wrong with it


def _files(relation: str) -> list[str]:
    """Return the files that a source's relation names: a path, or the paths in a table function's call."""
    return [text for text in re.findall(r"'([^']*)'", relation) if re.search(r"/|\\|\.\w{2,8}$", text)]


def _folder(path: str, ws: Workspace) -> Path:
    """Return the folder that a path or pattern of a source lies in, before the first wildcard."""
    plain = re.split(r"[*?\[]", path)[0]
    return (ws.root / plain[: len(plain) - len(plain.rpartition("/")[2])]).resolve()


def _lines_of(file: Path, declared: Declared) -> dict[tuple[str, str], int]:
    """Return the lines of an input (under an empty name) and of its columns, by name and key."""
    try:
        document = read_yaml(file)
    except DocumentError:
        return {}  # dbt reads more kinds of YAML than is read here
    path: tuple[str | int, ...] = ()
    data = document.data
    for shelf, name in zip(_SHELVES[declared.kind], declared.keys, strict=True):
        entries = data.get(shelf) if isinstance(data, dict) else None
        names = [str(each.get("name")) for each in entries or () if isinstance(each, dict)]
        if not isinstance(entries, list) or name not in names:
            return {}
        path, data = (*path, shelf, names.index(name)), entries[names.index(name)]
    lines = {("", "name"): document.line(*path, "name")}
    for number, column in enumerate(data.get("columns") or ()):
        if isinstance(column, dict):
            for key in ("name", "data_type"):
                lines[(str(column.get("name")), key)] = document.line(*path, "columns", number, key)
    return lines
