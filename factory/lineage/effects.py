"""What becomes of those who use a column if it is removed, renamed or retyped.

Takes paths and a column's address; gives an `Effect` for every column and every model that uses it, at whatever
distance. A model that names the column in its SQL cannot be built without it; one that takes it by a star can, and
hands the change on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from factory.lineage.graph import DIRECT, Source
from factory.lineage.paths import Address, Paths, Use


class Fate(StrEnum):
    """What a change does to one use."""

    BREAKS = "breaks"
    FOLLOWS = "changes with it"
    MAY_BREAK = "may break"
    STALE = "gets no new data"
    UNHARMED = "unharmed"


@dataclass(frozen=True, slots=True)
class Effect:
    """One use of a column, at whatever distance.

    Attributes:
        address: the column that uses it; without one, the rows of the model.
        distance: how many models away, from 1.
        kind: how: the strongest direct kind on the way, or the indirect kind at its end.
        through: the column of the model before that it is used through.
        expression: the SQL of the use.
        removed, retyped: what becomes of it if the column goes (or is called otherwise), or gets another type.
    """

    address: Address
    distance: int
    kind: str
    through: Address
    expression: str
    removed: Fate
    retyped: Fate


#: Says whether a model's SQL names a column, and does not only take it by a star.
Names = Callable[[str, Address], bool]


@dataclass(slots=True)
class _State:
    """What is known of a column on the way: how far it is, how it is made, and what becomes of it.

    A column may be both made of the target and decided by it: these are two states.
    """

    distance: int
    kind: str
    removed: Fate
    retyped: Fate


@dataclass(slots=True)
class _Walk:
    found: dict[tuple[Address, str], Effect] = field(default_factory=dict)
    states: dict[tuple[Address, bool], _State] = field(default_factory=dict)


def effects_on(paths: Paths, target: Address, names: Names) -> tuple[Effect, ...]:
    """Return every use of a column, nearest first.

    Args:
        paths: the lineage.
        target: the column.
        names: says whether a model's SQL names a column.

    """
    walk = _Walk()
    first = (target, True)
    walk.states[first] = _State(0, DIRECT[0], Fate.FOLLOWS, Fate.FOLLOWS)
    waiting = [first]
    while waiting:
        address, _ = place = waiting.pop(0)
        state = walk.states[place]
        for use in paths.uses(address):
            there = Address(use.model, use.column)
            effect = _effect(use, address, state, names)
            known = walk.found.get((there, effect.kind))
            if known is None or known.distance > effect.distance:
                walk.found[there, effect.kind] = effect
            place = (there, effect.kind in DIRECT)
            if use.column and place not in walk.states and there != target:
                walk.states[place] = _State(effect.distance, effect.kind, effect.removed, effect.retyped)
                waiting.append(place)
    order = sorted(walk.found.values(), key=lambda e: (e.distance, e.address, e.kind))
    return tuple(order)


def _effect(use: Use, address: Address, state: _State, names: Names) -> Effect:
    direct = isinstance(use.source, Source) and use.source.direct
    kind = use.source.kind
    if direct:
        both = state.kind in DIRECT
        kind = DIRECT[max(DIRECT.index(kind), DIRECT.index(state.kind))] if both else state.kind
    if state.removed is Fate.FOLLOWS:
        removed = Fate.BREAKS if names(use.model, address) else Fate.FOLLOWS
    else:
        removed = Fate.STALE
    if state.retyped is Fate.FOLLOWS:
        retyped = Fate.FOLLOWS if direct and use.source.kind == DIRECT[0] else Fate.MAY_BREAK
    else:
        retyped = Fate.UNHARMED if state.retyped is Fate.UNHARMED else Fate.MAY_BREAK
    return Effect(
        Address(use.model, use.column), state.distance + 1, kind, address, use.expression, removed, retyped
    )
