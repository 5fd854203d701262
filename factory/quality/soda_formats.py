"""Formats, patterns and numbers in text, in DuckDB's SQL.

Takes an expression and what it is held against; gives SQL. DuckDB's patterns are RE2's, which has no lookahead;
those that stand at the start of a pattern are taken apart, since there they mean the same.
"""

from __future__ import annotations

import re

from factory.tables import literal

# Soda's own pattern of these holds for parts of a text, too.
FORMATS = {
    "credit card number": r"^([0-9]{14,19}|([0-9]{4}-){3}[0-9]{4}|([0-9]{4} ){3}[0-9]{4})$",
    "money point": r"^ *[-+]? *\d{1,3}(,\d\d\d)*(\.\d+)? *([A-Z]{3}|[a-z]{3}) *$",
}

_NUMBER = {
    "point": "replace({text}, ',', '')",
    "comma": "replace(replace({text}, '.', ''), ',', '.')",
    "": "replace({text}, ',', '.')",
}


def matches(expression: str, pattern: str) -> str:
    """Return the condition that an expression, as text, matches a pattern somewhere."""
    text = f"cast({expression} as varchar)"
    conditions = [
        f"{'not ' if negated else ''}regexp_matches({text}, {literal(part)})"
        for negated, part in parts_of(pattern)
    ]
    return conditions[0] if len(conditions) == 1 else "(" + " and ".join(conditions) + ")"


def parts_of(pattern: str) -> list[tuple[bool, str]]:
    """Return patterns that together say what one says; True for one that must not match.

    `^(?!A)B` matches where `^(?:A)` does not and `^B` does.
    """
    if not pattern.startswith("^") or _alternatives(pattern):
        return [(False, pattern)]
    found: list[tuple[bool, str]] = []
    rest = pattern[1:]
    while rest.startswith(("(?!", "(?=")):
        end = _closing(rest)
        if not end:
            return [(False, pattern)]
        found.append((rest[2] == "!", f"^(?:{rest[3:end]})"))
        rest = rest[end + 1 :]
    return [*found, (False, f"^{rest}")] if found else [(False, pattern)]


def number_of(expression: str, format_: str) -> str:
    """Return a text of a numeric format as a number, NULL where it is none."""
    text = f"regexp_replace(cast({expression} as varchar), '[^-0-9.,]', '', 'g')"
    kind = next((kind for kind in ("point", "comma") if format_.endswith(kind)), "")
    return f"try_cast({_NUMBER[kind].format(text=text)} as double)"


def _closing(text: str) -> int:
    """Return the index of the bracket that closes the one at the start, or 0."""
    depth, in_class = 0, False
    for found in re.finditer(r"\\.|[\[\]()]", text):
        sign = found[0]
        if in_class:
            in_class = sign != "]"
        elif sign == "[":
            in_class = True
        elif sign in "()":
            depth += 1 if sign == "(" else -1
            if not depth:
                return found.start()
    return 0


def _alternatives(pattern: str) -> bool:
    """Say whether a pattern has alternatives outside of all brackets."""
    depth, in_class = 0, False
    for found in re.finditer(r"\\.|[\[\]()|]", pattern):
        sign = found[0]
        if in_class:
            in_class = sign != "]"
        elif sign == "[":
            in_class = True
        elif sign == "|" and not depth:
            return True
        elif sign in "()":
            depth += 1 if sign == "(" else -1
    return False
