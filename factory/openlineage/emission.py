"""One run told to OpenLineage: it listens while the run goes on, and sends at its end.

Takes what the run made and how products came out; gives notes for people; reads the run records for row counts, writes
through `delivery`. Without a destination it does nothing, and imports nothing of OpenLineage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from factory.artifacts import Artifacts
from factory.documents import parse_yaml
from factory.evidence import Evidence
from factory.lineage import Lineage
from factory.products import Product
from factory.registry.runs import last_run
from factory.results import ProductOutcome, ProductResult
from factory.workspace import Workspace

#: Characters that a value of the environment, and one of `--vars`, has at least to be looked for in texts.
_LONG, _SHORT = 8, 4

if TYPE_CHECKING:
    from factory.openlineage.events import Made, Told


class Emission:
    """What one run tells.

    Args:
        ws: the workspace and target.
        where: a file below the workspace, an http or https address, or `env:NAME`; empty to tell nothing.
        publish: the run publishes, so that its run records say how many rows the published tables have.
        environment: the environment variables of the run; a text that holds the value of one is not told.
        variables: dbt's `--vars` of the run, as YAML; nor is a text that holds one of these.

    """

    def __init__(
        self,
        ws: Workspace,
        where: str,
        *,
        publish: bool = True,
        environment: Mapping[str, str] | None = None,
        variables: str = "",
    ) -> None:
        self._ws = ws
        self._hidden = (environment or {}, variables)
        self._where = where
        self._publish = publish
        self._started = datetime.now(UTC)
        self._made: Made | None = None
        self._evidence: Mapping[str, Evidence] = {}

    def saw(self, artifacts: Artifacts, lineage: Lineage, evidence: Mapping[str, Evidence]) -> None:
        """Take what dbt made, where columns come from, and what products were judged by, by their names."""
        if self._where:
            from factory.openlineage.events import Made

            self._made, self._evidence = Made(artifacts, lineage), evidence

    def send(self, products: Mapping[str, Product], results: Iterable[ProductResult]) -> tuple[str, ...]:
        """Send the events of all products that were run; return what went wrong, a line for people each.

        Nothing that goes wrong here stops a run: its products are published.
        """
        if not self._where:
            return ()
        from factory.openlineage.delivery import deliver
        from factory.openlineage.events import Events

        hidden = _values(*self._hidden)
        events = Events(
            self._ws,
            self._made,
            (self._started, datetime.now(UTC)),
            lambda text: "" if any(value in text for value in hidden) else text,
        )
        batches = [events.of(self._told(products[result.name], result)) for result in results]
        return deliver([batch for batch in batches if batch], self._where, self._ws)

    def _told(self, product: Product, result: ProductResult) -> Told:
        from factory.openlineage.events import Told

        certified = result.outcome is ProductOutcome.CERTIFIED
        record = (
            last_run(self._ws.registry, product.domain, product.name) if certified and self._publish else {}
        )
        sizes = {
            (str(port.get("contract")), str(port.get("table"))): (
                int(port["rows"]),
                int(port.get("bytes") or 0),
            )
            for port in (record or {}).get("ports", ())
            if not port.get("error") and isinstance(port.get("rows"), int)
        }
        return Told(product, result, self._evidence.get(product.name), sizes)


def _values(environment: Mapping[str, str], variables: str) -> frozenset[str]:
    """Return the values that no text may hold: dbt computes descriptions, so that they may hold them.

    Values so short that they stand in any text are not looked for.
    """
    values = {value for value in environment.values() if len(value) >= _LONG}
    left = [parse_yaml(variables, Path("--vars")).data] if variables else []
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif len(str(value)) >= _SHORT:
            values.add(str(value))
    return frozenset(values)
