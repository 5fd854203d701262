"""Which table or column of the old contract is which of the new one: by id, by name, and where a name changed.

A rename is recognised where an item went and another came that have the same id, the same name in the store, or are
the same but for the name, if no other item could be meant as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from factory.odcs.compare.normal import Values, mappings, spelled, unordered

Pair = tuple[Values | None, Values | None]


def pairs(old: Any, new: Any) -> Iterator[Pair]:
    """Yield pairs of items, of which one may be None: it came or it went."""
    before, after = mappings(old), mappings(new)
    found: list[tuple[int, int]] = []
    for same in (_same_id, _same_name, _same_folded_name, _same_physical):
        _match(before, after, found, same)
    _match_alike(before, after, found)
    partners = dict(found)
    taken = {n for _, n in found}
    for number, item in enumerate(before):
        yield item, after[partners[number]] if number in partners else None
    for number, item in enumerate(after):
        if number not in taken:
            yield None, item


def new_names(old: Any, new: Any) -> dict[str, str]:
    """Return the new `table.column` for each old one that is called otherwise now."""
    found: dict[str, str] = {}
    for before, after in pairs(old, new):
        if before is None or after is None:
            continue
        for one, other in pairs(before.get("properties"), after.get("properties")):
            if one is not None and other is not None:
                name = f"{before.get('name')}.{one.get('name')}"
                now = f"{after.get('name')}.{other.get('name')}"
                if name != now:
                    found[name] = now
    return found


def _match(
    before: Sequence[Values],
    after: Sequence[Values],
    found: list[tuple[int, int]],
    same: Callable[[Values], Any],
) -> None:
    """Pair what has the same key, where the key is the item's alone on both sides."""
    left = _free(before, {m for m, _ in found}, same)
    right = _free(after, {n for _, n in found}, same)
    found += [(left[key][0], right[key][0]) for key in left if len(left[key]) == 1 == len(right.get(key, ()))]


def _free(items: Sequence[Values], taken: set[int], same: Callable[[Values], Any]) -> dict[Any, list[int]]:
    keys: dict[Any, list[int]] = {}
    for number, item in enumerate(items):
        key = same(item)
        if number not in taken and key:
            keys.setdefault(key, []).append(number)
    return keys


def _same_id(item: Values) -> Any:
    return item.get("id") if isinstance(item.get("id"), str) else None


def _same_name(item: Values) -> Any:
    return str(item.get("name") or "")


def _same_folded_name(item: Values) -> Any:
    return str(item.get("name") or "").lower()


def _same_physical(item: Values) -> Any:
    return str(item.get("physicalName") or "")


def _match_alike(before: Sequence[Values], after: Sequence[Values], found: list[tuple[int, int]]) -> None:
    """Pair what went with what came, the most alike first, if nothing else is as much alike."""
    left = [m for m in range(len(before)) if m not in {a for a, _ in found}]
    right = [n for n in range(len(after)) if n not in {b for _, b in found}]
    if len(left) * len(right) > 10_000:
        return
    scores = {(m, n): _likeness(before[m], after[n]) for m in left for n in right}
    for (m, n), score in sorted(scores.items(), key=lambda entry: -entry[1]):
        rivals = [
            other for pair, other in scores.items() if pair != (m, n) and (pair[0] == m or pair[1] == n)
        ]
        free = m not in {a for a, _ in found} and n not in {b for _, b in found}
        if free and score >= 0.75 and all(score > other for other in rivals):
            found.append((m, n))


def _likeness(one: Values, other: Values) -> float:
    """Return how much two items are alike, from 0 to 1: tables by their columns, columns by what is said of them."""
    if "properties" in one and "properties" in other:
        names = {str(c.get("name")) for c in mappings(one["properties"])}
        others = {str(c.get("name")) for c in mappings(other["properties"])}
        both = names | others
        return len(names & others) / len(both) if len(names & others) > 1 or len(both) == 1 else 0.0
    if one.get("logicalType") != other.get("logicalType"):
        return 0.0
    if spelled(one.get("physicalType")) != spelled(other.get("physicalType")):
        return 0.0
    weights = {key: weight for key, weight in _WEIGHTS.items() if key in one or key in other}
    # A type alone says nothing: many columns have it.
    if not any(weights[key] >= 1 for key in weights):
        return 0.0
    same = sum(
        weight for key, weight in weights.items() if unordered(one.get(key)) == unordered(other.get(key))
    )
    return same / sum(weights.values())


_WEIGHTS: Mapping[str, float] = {
    "description": 3, "businessName": 2, "transformLogic": 2, "transformSourceObjects": 2, "examples": 1,
    "quality": 1, "enum": 2, "logicalTypeOptions": 1, "required": 0.5, "unique": 0.5, "primaryKey": 1,
    "primaryKeyPosition": 0.5, "classification": 0.5, "tags": 1, "customProperties": 1, "relationships": 1,
    "synonyms": 1, "authoritativeDefinitions": 1,
}  # fmt: skip
