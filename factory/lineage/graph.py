"""Lineage as values: per model its columns, per column its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

#: Direct kinds, weakest first: the strongest on the way from source to column is the one that counts.
DIRECT = ("IDENTITY", "TRANSFORMATION", "AGGREGATION")
#: Indirect kinds of the facet; the last two belong to a column, the others to the whole model.
INDIRECT = ("JOIN", "FILTER", "GROUP_BY", "SORT", "WINDOW", "CONDITIONAL")


#: What the id of a source starts with that is no relation given, but a name in the SQL.
TABLE = "table:"
TOO_DEEP = "SQL nested too deeply to be read"


class Source(NamedTuple):
    """A column that a column is made of, or that influences it.

    Attributes:
        relation: dbt's unique id of the model, seed, snapshot or source.
        column: the column there.
        kind: one of DIRECT or INDIRECT.
        masking: what arrives has gone through a declared anonymiser, on every way from there.
    """

    relation: str
    column: str
    kind: str
    masking: bool = False

    @property
    def direct(self) -> bool:
        """The value itself comes from there."""
        return self.kind in DIRECT


class Influence(NamedTuple):
    """A column that decides which rows a model has, or in which order: one of INDIRECT.

    Attributes:
        relation, column, kind, masking: as of a source.
        expression: the clauses that name it, as SQL; several are separated by a semicolon.
    """

    relation: str
    column: str
    kind: str
    masking: bool = False
    expression: str = ""


class ColumnTrace(NamedTuple):
    """Where one column comes from.

    Attributes:
        column: its name.
        sources: direct and indirect sources, one hop away, sorted; one direct kind of each, the strongest.
        expression: the SQL that makes it, or the column that is passed on.
        unknown: why it could not be traced; empty if it could.
        made: why nothing flows in, where that is so: `constant`, or `generator` (a count of rows, a number, a time).
    """

    column: str
    sources: tuple[Source, ...]
    expression: str
    unknown: str = ""
    made: str = ""

    @property
    def direct(self) -> tuple[Source, ...]:
        """The sources that the value is made of."""
        return tuple(source for source in self.sources if source.direct)

    @property
    def kind(self) -> str:
        """The strongest direct kind, or CONSTANT where nothing flows in, or UNKNOWN."""
        if self.unknown:
            return "UNKNOWN"
        kinds = [DIRECT.index(source.kind) for source in self.direct]
        return DIRECT[max(kinds)] if kinds else "CONSTANT"


@dataclass(frozen=True, slots=True)
class Table:
    """A relation that a statement may read: dbt's unique id, and its columns as far as they are known.

    Attributes:
        relation: dbt's unique id.
        columns: their names.
        open: there may be more columns than these.
    """

    relation: str
    columns: tuple[str, ...]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """What a statement says about its columns, or why it could not be read.

    Attributes:
        columns: its output columns.
        influences: what decides which rows it has.
        hidden: tables that it reads and that are none of those given.
        error: why it could not be read, or empty.
        complete: these are all its columns.
    """

    columns: tuple[ColumnTrace, ...] = ()
    influences: tuple[Influence, ...] = ()
    hidden: tuple[str, ...] = ()
    error: str = ""
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ModelTrace:
    """The lineage of one model: its columns, what decides which rows it has, and tables that it should not read.

    Attributes:
        relation: dbt's unique id.
        columns: its columns, in order.
        influences: what decides about its rows, sorted.
        hidden: tables that it reads past dbt's ref() and source().
        unknown: why the model as a whole could not be read; empty if it could.
        complete: these are all its columns; where not, it has a star over columns that nobody knows.
    """

    relation: str
    columns: tuple[ColumnTrace, ...]
    influences: tuple[Influence, ...]
    hidden: tuple[str, ...] = ()
    unknown: str = ""
    complete: bool = True

    def column(self, name: str) -> ColumnTrace | None:
        """Return a column's trace, whatever the case of its name."""
        return next((c for c in self.columns if c.column.lower() == name.lower()), None)

    @property
    def traced(self) -> int:
        """How many columns have a known origin."""
        return sum(not column.unknown for column in self.columns)


@dataclass(frozen=True, slots=True)
class Lineage:
    """The traces of all models that were built, by unique id."""

    models: Mapping[str, ModelTrace]
