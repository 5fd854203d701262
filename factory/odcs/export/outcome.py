"""What comes of writing a contract in another language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Exported:
    """A contract in another language.

    Attributes:
        text: the file.
        left_out: what the language has no words for, each with its place and why.
    """

    text: str
    left_out: tuple[str, ...]


@dataclass
class Notes:
    """Collects what cannot be said, by place."""

    lines: list[str] = field(default_factory=list)

    def add(self, place: str, what: str, why: str) -> None:
        """Write down that something is left out."""
        self.lines.append(f"{place}: {what}: {why}" if place else f"{what}: {why}")


def heading(contract: Values, language: str) -> str:
    """Return the comment at the top of a file: from which contract and version it comes."""
    name = str(contract.get("name") or contract.get("id") or "a contract without a name")
    version = str(contract.get("version") or "without a version")
    lines = [f"{language} of the data contract {name}, version {version}."]
    if contract.get("id") and contract.get("id") != name:
        lines.append(f"Contract: {contract['id']}")
    lines.append("Made by `factory contract export`: change the contract, and make this file anew.")
    return "".join(f"# {' '.join(line.split())}\n" for line in lines)


def mappings(value: Any) -> list[Values]:
    """Return the mappings in a list; nothing where it is none."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []


def options_of(value: Any) -> Values:
    """Return a mapping, empty where it is none."""
    return value if isinstance(value, Mapping) else {}


def custom_properties(values: Values) -> dict[str, Any]:
    """Return the custom properties of a part of a contract, by name."""
    found = mappings(values.get("customProperties"))
    return {str(each.get("property")): each.get("value") for each in found}


def named_columns(table: Values) -> Iterator[tuple[str, Values]]:
    """Yield the columns of a table with their names in the database."""
    for column in mappings(table.get("properties")):
        yield str(column.get("physicalName") or column.get("name") or ""), column


def members_of(column: Values) -> list[Any]:
    """Return the values that a column permits, or nothing."""
    found = column.get("enum") or []
    return [each.get("value") if isinstance(each, Mapping) else each for each in found]


def primary_key(table: Values) -> list[str]:
    """Return the columns of the primary key in their order."""
    found = [(column.get("primaryKeyPosition") or 0, name) for name, column in named_columns(table)
             if column.get("primaryKey")]  # fmt: skip
    return [name for _, name in sorted(found, key=lambda pair: pair[0])]


def shown(rule: Values) -> str:
    """Return what a rule is called."""
    return str(
        rule.get("name")
        or rule.get("id")
        or rule.get("metric")
        or rule.get("rule")
        or rule.get("type")
        or "rule"
    )
