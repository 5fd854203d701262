"""Where dbt's tests are written: the line in the YAML file, which dbt does not tell.

Takes tests; gives lines; reads the YAML files of a product, each once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from factory.artifacts import Relation
from factory.data_tests import DataTest
from factory.documents import Document, Path_, scan_yaml

_RESOURCES = ("models", "seeds", "snapshots", "sources")
_TESTS = ("data_tests", "tests")


class TestPlaces:
    """The lines of the tests of one dbt project."""

    __test__ = False  # no test of pytest

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._documents: dict[str, Document | None] = {}

    def line(self, test: DataTest, relation: Relation | None) -> int:
        """Return the line where a test is written, from 1, or 0 where it is not found.

        `relation` is what the test is attached to.
        """
        if test.kind == "singular":
            return 1
        document = self._document(test.file)
        if document is None:
            return 0
        if test.kind == "unit":
            places = _named(document.data, ("unit_tests",), test.name)
        else:
            places = (p for at, owner in _owners(document.data, relation) for p in _tests_of(at, owner, test))
        found = next(iter(places), None)
        return document.line(*found) if found else 0

    def _document(self, file: str) -> Document | None:
        if file not in self._documents:
            scan = scan_yaml(self._folder / file)
            self._documents[file] = scan.documents[0] if scan.documents else None
        return self._documents[file]


def _items(data: Any, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    found = data.get(key) if isinstance(data, Mapping) else None
    for number, each in enumerate(found if isinstance(found, list) else ()):
        if isinstance(each, Mapping):
            yield number, each


def _named(data: Any, at: tuple[str], name: str) -> Iterator[Path_]:
    for number, each in _items(data, at[0]):
        if each.get("name") == name:
            yield (*at, number)


def _owners(data: Any, relation: Relation | None) -> Iterator[tuple[Path_, Mapping[str, Any]]]:
    """Yield where a relation is described, and what stands there."""
    name = relation.name if relation is not None else ""
    for key in _RESOURCES:
        for number, each in _items(data, key):
            if key == "sources":
                for inner, table in _items(each, "tables"):
                    if f"{each.get('name')}.{table.get('name')}" == name:
                        yield (key, number, "tables", inner), table
            elif each.get("name") == name:
                yield (key, number), each


def _tests_of(at: Path_, owner: Mapping[str, Any], test: DataTest) -> Iterator[Path_]:
    """Yield where tests of this kind stand, that of this name first."""
    holders: list[tuple[Path_, Mapping[str, Any]]] = [(at, owner)]
    if test.column:
        wanted = test.column.lower()
        holders = [
            ((*at, "columns", number), column)
            for number, column in _items(owner, "columns")
            if str(column.get("name", "")).strip('"`[]').lower() == wanted
        ]
    found = [
        ((*place, key, number), entry)
        for place, holder in holders
        for key in _TESTS
        for number, entry in enumerate(holder[key] if isinstance(holder.get(key), list) else ())
        if _kind(entry) == test.kind
    ]
    found.sort(key=lambda item: not _is_called(item[1], test.name))
    yield from (place for place, _ in found)


def _kind(entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, Mapping):
        return str(entry.get("test_name") or next((key for key in entry if key != "name"), ""))
    return ""


def _is_called(entry: Any, name: str) -> bool:
    if not isinstance(entry, Mapping):
        return False
    inner = next((value for value in entry.values() if isinstance(value, Mapping)), {})
    return name in (entry.get("name"), inner.get("name"))
