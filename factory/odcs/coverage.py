"""How much of a contract is documented: the share of its tables and columns that say what they are.

Takes the values of an ODCS contract; gives shares in percent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from factory.odcs.lint.walk import tables


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a contract documents.

    Attributes:
        fields: how many columns it has, at every level.
        described: tables and columns with a description, in percent of both; 100 where there are none.
        linked: columns with an authoritative definition, in percent.
    """

    fields: int
    described: float
    linked: float


def coverage_of(data: Mapping[str, Any]) -> Coverage:
    """Return how much of a contract is documented."""
    found = tables(data)
    columns = [column.data for table in found for column in table.columns if column.siblings]
    documented = [*(table.data for table in found), *columns]
    return Coverage(
        fields=len(columns),
        described=_share(sum(bool(each.get("description")) for each in documented), len(documented)),
        linked=_share(sum(bool(each.get("authoritativeDefinitions")) for each in columns), len(columns)),
    )


def _share(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 100.0
