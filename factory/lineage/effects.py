"""What becomes of those who use a column if it is removed, renamed or retyped.

Takes paths and a column's address; gives an `Effect` for every column and every model that uses it, at whatever
distance. A model that names the column in its SQL cannot be built without it; one that takes it by a star can, and
hands the change on, unless its dbt contract promises the column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from factory.lineage.graph import DIRECT, Source
from factory.lineage.paths import Address, Paths, Use

#: The kind of an effect on a model that reads the relation, in a way that is not known or names no column that stays.
READS = "READS"


class Fate(StrEnum):
    """What a change does to one use, the worst first."""

    BREAKS = "breaks"
    MAY_BREAK = "may break"
    FOLLOWS = "changes with it"
    STALE = "gets no new data"


@dataclass(frozen=True, slots=True)
class Effect:
    """One use of a column, at whatever distance.

    Attributes:
        address: the column that uses it; without one, the rows of the model.
        distance: how many models away, from 1.
        kind: how: the strongest direct kind on the way, the indirect kind at its end, or READS.
        through: the column of the model before that it is used through.
        expression: the SQL of the use; why it is not known how, for READS.
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


@dataclass(frozen=True, slots=True)
class _State:
    """What is known of a column on the way: how far it is, how it is made, and what becomes of it.

    Attributes:
        gone: the column itself goes, or is called otherwise.
        broken: what is before it, or its own model, cannot be built.
        typed: it gets the other type itself.
    """

    distance: int
    kind: str
    gone: bool
    broken: bool
    typed: bool


def effects_on(paths: Paths, target: Address, names: Names) -> tuple[Effect, ...]:
    """Return every use of a column, nearest first.

    A column may be made of the target and decided by it, and reached in several ways: the worst counts.

    Args:
        paths: the lineage.
        target: the column.
        names: says whether a model's SQL names a column.

    """
    found: dict[tuple[Address, str], Effect] = {}
    states = {(target, True): _State(0, DIRECT[0], gone=True, broken=False, typed=True)}
    waiting = [(target, True)]
    while waiting:
        place = waiting.pop(0)
        address, state = place[0], states[place]
        for use in paths.uses(address):
            effect = _effect(paths, use, address, state, names)
            key = (effect.address, effect.kind)
            found[key] = _worse(found[key], effect) if key in found else effect
            if not use.column or effect.address == target:
                continue
            after = _after(effect, use)
            there = (effect.address, effect.kind in DIRECT)
            before = states.get(there)
            if before is not None:
                after = replace(
                    before,
                    gone=before.gone or after.gone,
                    broken=before.broken or after.broken,
                    typed=before.typed or after.typed,
                )
            if after != before:
                states[there] = after
                waiting.append(there)
    for effect in _readers(paths, target, found, names):
        found[effect.address, effect.kind] = effect
    return tuple(sorted(found.values(), key=lambda e: (e.distance, e.address, e.kind)))


def _effect(paths: Paths, use: Use, address: Address, state: _State, names: Names) -> Effect:
    direct = isinstance(use.source, Source) and use.source.direct
    kind = use.source.kind
    if direct:
        both = state.kind in DIRECT
        kind = DIRECT[max(DIRECT.index(kind), DIRECT.index(state.kind))] if both else state.kind
    there = Address(use.model, use.column)
    promised = is_promised(paths, there)
    if state.gone and (
        names(use.model, address) or (promised and there.column.lower() == address.column.lower())
    ):
        removed = Fate.BREAKS
    else:
        removed = Fate.FOLLOWS if state.gone else Fate.STALE
    follows = state.typed and direct and use.source.kind == DIRECT[0]
    retyped = Fate.BREAKS if follows and promised else Fate.FOLLOWS if follows else Fate.MAY_BREAK
    return Effect(there, state.distance + 1, kind, address, use.expression, removed, retyped)


def _after(effect: Effect, use: Use) -> _State:
    """Return what is known of a column that is used, for those that use it in turn."""
    return _State(
        effect.distance,
        effect.kind,
        gone=effect.removed is Fate.FOLLOWS,
        broken=effect.removed in (Fate.BREAKS, Fate.STALE),
        typed=effect.retyped in (Fate.FOLLOWS, Fate.BREAKS) and bool(use.column),
    )


def _worse(one: Effect, other: Effect) -> Effect:
    """Return the nearer of two effects, with the worse fates of both."""
    order = list(Fate)
    nearer = one if one.distance <= other.distance else other
    return replace(
        nearer,
        removed=min(one.removed, other.removed, key=order.index),
        retyped=min(one.retyped, other.retyped, key=order.index),
    )


def is_promised(paths: Paths, address: Address) -> bool:
    """Say whether a model's enforced dbt contract has a column: dbt refuses to build it without, or of another type."""
    node = paths.graph.nodes.get(address.relation)
    column = node.relation.column(address.column) if node is not None and address.column else None
    return node is not None and node.relation.enforced and column is not None and column.declared


def _readers(
    paths: Paths, target: Address, found: dict[tuple[Address, str], Effect], names: Names
) -> list[Effect]:
    """Return the effects on models that read what is hit, where lineage does not say how.

    Such as a Python model, SQL that cannot be read, a star that leaves the column out.
    """
    hit = {target.relation: 0}
    for effect in found.values():
        hit.setdefault(effect.address.relation, effect.distance)
    told = {effect.address.relation for effect in found.values()}
    effects: list[Effect] = []
    for unique_id, node in paths.graph.nodes.items():
        read = [each for each in node.relation.upstream if each in hit]
        if not read or unique_id in told or node.relation.kind not in ("model", "snapshot"):
            continue
        trace = paths.lineage.models.get(unique_id)
        reason = trace.unknown if trace is not None else "its lineage is not known"
        if trace is not None and not trace.unknown:
            first = next((column.unknown for column in trace.columns if column.unknown), "")
            reason = "" if trace.complete else first or "not all of its columns are known"
        named = target.relation in read and not reason and names(unique_id, target)
        if reason or named:
            fates = (Fate.BREAKS, Fate.MAY_BREAK) if named else (Fate.MAY_BREAK, Fate.MAY_BREAK)
            distance = min(hit[each] for each in read) + 1
            effects.append(Effect(Address(unique_id), distance, READS, target, reason, *fates))
    return effects
