"""Regular expressions that mean the same, in one spelling: of the whole value, without anchors or a group around all.

Takes and gives patterns; they are read sign by sign, and never run.
"""

from __future__ import annotations

from collections.abc import Iterator


def whole_pattern(pattern: str) -> str:
    """Return a pattern without anchors at both ends, or empty where it does not speak of the whole value."""
    if not (pattern.startswith("^") and pattern.endswith("$")) or pattern.endswith(r"\$"):
        return ""
    inner = pattern[1:-1]
    return "" if any(sign == "|" and depth == 0 for _, sign, depth in _signs(inner)) else plain_pattern(inner)


def plain_pattern(pattern: str) -> str:
    """Return a pattern of the whole value in one spelling: no anchors, and no group around all of it."""
    if pattern.startswith("(?:"):
        ends = [index for index, sign, depth in _signs(pattern) if sign == ")" and depth == 0]
        if ends and ends[0] == len(pattern) - 1:
            return plain_pattern(pattern[3:-1])
    return whole_pattern(pattern) or pattern


def _signs(pattern: str) -> Iterator[tuple[int, str, int]]:
    """Yield the signs of a pattern that stand for themselves neither by a backslash nor by a class, and their depth."""
    depth = index = 0
    while index < len(pattern):
        sign = pattern[index]
        if sign == "\\":
            index += 2
            continue
        if sign == "[":
            end = pattern.find("]", index + 2)
            index = end + 1 if end > 0 else len(pattern)
            continue
        depth += (sign == "(") - (sign == ")")
        yield index, sign, depth
        index += 1
