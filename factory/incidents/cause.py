"""Where a trouble comes from: an open incident of a product that the troubled table reads, as far up as there is one.

Takes traced inputs and open incidents as plain data; gives a `Cause` or None. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from factory.incidents.values import Cause, Incident

#: A table of a product.
Table = tuple[str, str]
#: What each table reads, directly.
Inputs = Mapping[Table, Iterable[Table]]


def find_cause(product: str, table: str, inputs: Inputs, incidents: Sequence[Incident]) -> Cause | None:
    """Return the incident upstream that a trouble comes from.

    Only open errors count: a warning is published all the same. An incident of a table counts if the troubled table
    reads it, directly or through others; an incident of a whole product counts if any table of it is read. Of several
    on one way it is the furthest upstream, then the oldest.

    Args:
        product, table: where the trouble is; no table for the whole product.
        inputs: what each table of each product reads.
        incidents: incidents of any products.

    """
    bad = [i for i in incidents if i.is_open and i.severity == "error"]
    starts = [(product, table)] if table else [each for each in inputs if each[0] == product]
    above = _above(starts, inputs) - {each for each in starts if each[0] == product}
    found = [i for i in bad if i.product != product and _touches(i, above)]
    roots = [i for i in found if not any(_touches(other, _above_of(i, inputs)) for other in found)]
    # A ring of products has no root; dbt refuses those, and the oldest serves.
    chosen = min(roots or found, key=lambda i: (i.opened, i.id), default=None)
    return Cause(chosen.product, chosen.id) if chosen else None


def _above_of(incident: Incident, inputs: Inputs) -> set[Table]:
    """Return the tables of other products upstream of where an incident is."""
    table = incident.trouble.table
    starts = (
        [(incident.product, table)] if table else [each for each in inputs if each[0] == incident.product]
    )
    return {each for each in _above(starts, inputs) if each[0] != incident.product}


def _above(starts: Iterable[Table], inputs: Inputs) -> set[Table]:
    """Return every table that is read from some tables, directly or through others."""
    seen: set[Table] = set()
    waiting = list(starts)
    while waiting:
        for upstream in inputs.get(waiting.pop(), ()):
            if upstream not in seen:
                seen.add(upstream)
                waiting.append(upstream)
    return seen


def _touches(incident: Incident, tables: Iterable[Table]) -> bool:
    table = incident.trouble.table
    return any(name == incident.product and (not table or each == table) for name, each in tables)
