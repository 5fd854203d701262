"""What a run gives: an outcome per product, and what it took.

Frozen values that `pipeline` makes and `report` shows; nothing here reads or writes.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

EXIT_DONE, EXIT_REFUSED, EXIT_INPUT, EXIT_BUG, EXIT_EXISTS, EXIT_INTERRUPTED = 0, 1, 2, 3, 4, 130


class ProductOutcome(enum.StrEnum):
    """What became of a product in a run.

    `paused` is left alone, by its owner's word. `checked` and `broken` are those of a run that looks at what is
    published: it holds, or it does not.
    """

    CERTIFIED = "certified"
    REFUSED = "refused"
    BLOCKED = "blocked"
    UNCHANGED = "unchanged"
    PAUSED = "paused"
    CHECKED = "checked"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Count:
    """How many of how many are good."""

    good: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True)
class ProductResult:
    """How a run went for one product.

    Attributes:
        name, domain, archetype: the product.
        outcome: certified, refused, blocked or unchanged; checked or broken for what is published.
        version: the version that it has now.
        reasons: why it was refused or blocked, a line each.
        advice: what its owner should know, a line each.
        tests: dbt tests that hold.
        checks: SodaCL checks and ODCS rules that hold.
        columns: columns of output ports that are traced.
        contracts: its contracts, `name version` each.
        seconds: what dbt and the factory spent on it, in seconds of wall clock.
        published: something new was published.
        exit_code: what this product alone makes of the run's exit code.
    """

    name: str
    domain: str
    archetype: str
    outcome: ProductOutcome
    version: str = ""
    reasons: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    tests: Count = Count()
    checks: Count = Count()
    columns: Count = Count()
    contracts: tuple[str, ...] = ()
    seconds: float = 0.0
    published: bool = False
    exit_code: int = EXIT_DONE


@dataclass(frozen=True, slots=True)
class Run:
    """How a run went.

    Attributes:
        products: a result each, in order of dependency.
        published: this run was to publish.
        dbt_seconds, soda_seconds, own_seconds: CPU seconds of this process in dbt, in the checks, in all else.
        seconds: wall clock seconds of the whole.
        incidents: how many incidents are open after it.
        notes: what did not work beside the products themselves, a line each.
    """

    products: tuple[ProductResult, ...]
    published: bool
    dbt_seconds: float = 0.0
    soda_seconds: float = 0.0
    own_seconds: float = 0.0
    seconds: float = 0.0
    incidents: int = 0
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """The gravest code among the products: 4 over 2 over 1 over 0."""
        return max((product.exit_code for product in self.products), default=EXIT_DONE)

    def with_outcome(self, outcome: ProductOutcome) -> tuple[ProductResult, ...]:
        """Return the products with an outcome."""
        return tuple(product for product in self.products if product.outcome is outcome)
