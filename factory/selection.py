"""Which products a command speaks of.

Takes names with dbt's marks (`orders`, `+orders`, `orders+`) and who reads whom; gives product names;
touches nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from factory.errors import ProductError

Graph = Mapping[str, Collection[str]]


def select(names: Iterable[str], products: Collection[str], upstreams: Graph) -> set[str]:
    """Return the named products; with `+` before a name all that it reads, behind it all that read it.

    Raises:
        ProductError: a name is no product.

    """
    names = tuple(names)
    if not names:
        return set(products)
    chosen: set[str] = set()
    for mark in names:
        name = mark.strip("+")
        if name not in products:
            near = difflib.get_close_matches(name, products, 1)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else f"products here: {', '.join(sorted(products)) or 'none'}"
            )
            raise ProductError(f"there is no product {name!r}", hint=hint)
        chosen.add(name)
        if mark.startswith("+"):
            chosen |= reach({name}, upstreams)
        if mark.endswith("+"):
            chosen |= reach({name}, downstreams(upstreams))
    return chosen


def reach(start: Collection[str], graph: Graph) -> set[str]:
    """Return the start and all that can be reached from it."""
    found = set(start)
    waiting = list(start)
    while waiting:
        for name in graph.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def downstreams(upstreams: Graph) -> dict[str, set[str]]:
    """Return who reads whom, the other way round."""
    turned: dict[str, set[str]] = {name: set() for name in upstreams}
    for name, found in upstreams.items():
        for upstream in found:
            turned.setdefault(upstream, set()).add(name)
    return turned


def in_order(names: Collection[str], upstreams: Graph) -> list[str]:
    """Return products so that each stands behind those it reads, else by name; call `cycle` first."""
    sorter = TopologicalSorter(
        {name: sorted(upstreams.get(name, ())) for name in sorted({*upstreams, *names})}
    )
    return [name for name in sorter.static_order() if name in names]


def cycle(upstreams: Graph) -> list[str]:
    """Return the products of one cycle, each reading the next, or nothing."""
    sorter = TopologicalSorter({name: sorted(upstreams[name]) for name in sorted(upstreams)})
    try:
        sorter.prepare()
    except CycleError as error:
        ring: list[str] = error.args[1]
        return ring[::-1]  # graphlib names each before what reads it
    return []
