"""What changed about the quality rules of a table or column: by what they check, not by how they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from factory.odcs.compare.bounds import LOOSER, OTHER, SAME, TIGHTER, Sides, accepted_numbers, threshold_sides
from factory.odcs.compare.normal import Values, mappings, sortable, sql_spelled, unordered
from factory.odcs.compare.notebook import Notebook, at
from factory.odcs.intervals import Spans

_OPERATOR = "must"
_SEVERITIES = {"info": 0, "information": 0, "warn": 1, "warning": 1, "error": 2, "critical": 2, "fatal": 2}


def compare_rules(path: str, old: Values, new: Values, book: Notebook) -> None:
    """Write down rules that came, went, check something else or are only respelled."""
    before, after = mappings(old.get("quality")), mappings(new.get("quality"))
    left, right = list(before), list(after)
    for same in (_exactly, _whole_effect, _identity, _measured):
        for one in list(left):
            other = _partner(one, left, right, same)
            if other is not None:
                left.remove(one)
                right.remove(other)
                _pair(path, one, other, book)
    for rule in left:
        # Text for people can neither hold nor fail.
        book.note(
            at(path, "quality", _shown(rule)),
            "rule-removed",
            dict(rule),
            None,
            SAME if _is_text(rule) else LOOSER,
        )
    for rule in right:
        book.note(
            at(path, "quality", _shown(rule)),
            "rule-added",
            None,
            dict(rule),
            SAME if _is_text(rule) else TIGHTER,
        )


def _partner(one: Values, left: Sequence[Values], right: Sequence[Values], same: Any) -> Values | None:
    key = same(one)
    if not key:
        return None
    found = [rule for rule in right if same(rule) == key]
    alone = sum(same(rule) == key for rule in left) == 1 == len(found)
    return found[0] if found and (alone or same in (_exactly, _whole_effect)) else None


def _exactly(rule: Values) -> str:
    return sortable(unordered(rule))


def _whole_effect(rule: Values) -> str:
    return sortable([_check(rule), _thresholds(rule), _severity(rule)])


def _identity(rule: Values) -> str:
    return str(rule.get("id") or rule.get("name") or "")


def _measured(rule: Values) -> str:
    check = _check(rule)
    return sortable(check[:2]) if check[1] else ""


def _kind(rule: Values) -> str:
    return str(rule.get("type") or "library")


def _is_text(rule: Values) -> bool:
    return _kind(rule) == "text"


def _check(rule: Values) -> list[Any]:
    """Return what a rule measures, without its thresholds."""
    kind = _kind(rule)
    if kind == "library":
        metric = rule.get("metric") or rule.get("rule")
        return [kind, metric, unordered(rule.get("arguments")), _unit(rule)]
    if kind == "sql":
        return [kind, sql_spelled(str(rule.get("query"))), None, _unit(rule)]
    if kind == "custom":
        return [kind, rule.get("engine"), unordered(rule.get("implementation")), None]
    return [kind, unordered(rule.get("description"), "description"), None, None]


def _unit(rule: Values) -> str:
    return "percent" if str(rule.get("unit") or "").lower() in ("percent", "%") else "rows"


def _thresholds(rule: Values) -> Any:
    spans = accepted_numbers(rule)
    if spans is not None:
        return [[span.low, span.open_low, span.high, span.open_high] for span in spans]
    return unordered({key: value for key, value in rule.items() if str(key).startswith(_OPERATOR)})


def _severity(rule: Values) -> Any:
    word = str(rule.get("severity") or "error").lower()
    return _SEVERITIES.get(word, word)


def _pair(path: str, old: Values, new: Values, book: Notebook) -> None:
    if unordered(old) == unordered(new):
        return
    here = at(path, "quality", _shown(old))
    if _whole_effect(old) == _whole_effect(new):
        book.note(here, "rule-respelled", dict(old), dict(new))
    elif _is_text(old) and _is_text(new):
        book.note(here, "information-changed", dict(old), dict(new))
    else:
        book.note(here, "rule-revised", dict(old), dict(new), _sides(old, new))


def _sides(old: Values, new: Values) -> Sides:
    """Return what a revised rule means for both sides."""
    if _check(old) != _check(new):
        return _argument_sides(old, new)
    spans: tuple[Spans | None, Spans | None] = accepted_numbers(old), accepted_numbers(new)
    numbers = threshold_sides(*spans) if None not in spans or _thresholds(old) != _thresholds(new) else SAME
    before, after = _severity(old), _severity(new)
    if before == after:
        return numbers
    graver = SAME
    if isinstance(before, int) and isinstance(after, int):
        graver = LOOSER if after < before else TIGHTER
    return graver if numbers in (SAME, graver) else OTHER


def _argument_sides(old: Values, new: Values) -> Sides:
    """Return what other arguments of the same metric mean: which values it lets pass, which it counts."""
    metric = old.get("metric")
    alike = _check(old)[:2] == _check(new)[:2] and _unit(old) == _unit(new) and metric == new.get("metric")
    if not alike or _thresholds(old) != _thresholds(new) or _severity(old) != _severity(new):
        return OTHER
    arguments = [
        rule.get("arguments") if isinstance(rule.get("arguments"), dict) else {} for rule in (old, new)
    ]
    for key, more in (("validValues", LOOSER), ("missingValues", TIGHTER), ("properties", LOOSER)):
        one, other = (
            {sortable(v) for v in values} if isinstance(values := (side or {}).get(key), list) else set()
            for side in arguments
        )
        rest = [{k: v for k, v in (side or {}).items() if k != key} for side in arguments]
        if one != other and one and other and rest[0] == rest[1]:
            fewer = TIGHTER if more is LOOSER else LOOSER
            return more if other > one else fewer if other < one else OTHER
    return OTHER


def _shown(rule: Values) -> str:
    """Return what a rule is called in a path."""
    named = rule.get("name") or rule.get("id") or rule.get("metric") or rule.get("rule") or rule.get("engine")
    return str(named or _kind(rule))
