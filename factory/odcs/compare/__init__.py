"""Compare contracts: what changed, how grave it is, whom it hits, and which version it asks for.

Takes two ODCS documents; gives `Change`s or a `Difference`. Pure: the same for any two files, of this workspace or not.
"""

from factory.odcs.compare.change import (
    BREAKING,
    COMPATIBLE,
    RULES,
    SEVERITIES,
    Change,
    between,
    breaks_consumers,
    severity_of,
    shown,
)
from factory.odcs.compare.differ import Difference, compare, difference
from factory.odcs.compare.normal import spelled
from factory.odcs.compare.versions import bumped, is_enough, order_of, version_key

__all__ = [
    "BREAKING",
    "COMPATIBLE",
    "RULES",
    "SEVERITIES",
    "Change",
    "Difference",
    "between",
    "breaks_consumers",
    "bumped",
    "compare",
    "difference",
    "is_enough",
    "order_of",
    "severity_of",
    "shown",
    "spelled",
    "version_key",
]
