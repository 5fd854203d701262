"""One run told to OpenLineage: it listens while the run goes on, and sends at its end.

Takes what the run made and how products came out; gives notes for people; reads the run records for row counts, writes
through `delivery`. Without a destination it does nothing, and imports nothing of OpenLineage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from factory.artifacts import Artifacts
from factory.evidence import Evidence
from factory.lineage import Lineage
from factory.products import Product
from factory.registry.runs import last_run
from factory.results import ProductOutcome, ProductResult
from factory.workspace import Workspace

if TYPE_CHECKING:
    from factory.openlineage.events import Made, Told


class Emission:
    """What one run tells.

    Args:
        ws: the workspace and target.
        where: a file below the workspace, an http or https address, or `env:NAME`; empty to tell nothing.
        publish: the run publishes, so that its run records say how many rows the published tables have.

    """

    def __init__(self, ws: Workspace, where: str, *, publish: bool = True) -> None:
        self._ws = ws
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

        events = Events(self._ws, self._made, self._started, datetime.now(UTC))
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
