"""Formats of dates and times as the standard has them, as DuckDB reads them."""

from __future__ import annotations

import re

_PARTS = {
    "yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%m", "dd": "%d", "d": "%d",
    "DDD": "%j", "EEEE": "%A", "EEE": "%a", "HH": "%H", "H": "%H", "hh": "%I", "h": "%I", "mm": "%M", "m": "%M",
    "ss": "%S", "s": "%S", "SSS": "%g", "SSSSSS": "%f", "SSSSSSSSS": "%n", "a": "%p", "XXX": "%z", "XX": "%z",
    "X": "%z", "xxx": "%z", "Z": "%z",
}  # fmt: skip
_TOKEN = re.compile(r"'((?:[^']|'')*)'|(([A-Za-z])\3*)|([^A-Za-z'])")


def strptime_of(format_: str) -> str:
    """Return a format of JDK's DateTimeFormatter as that of `strptime`; empty where it has what that cannot read.

    >>> strptime_of("dd.MM.yyyy'T'HH:mm")
    '%d.%m.%YT%H:%M'
    """
    found = []
    for part in _TOKEN.finditer(format_):
        quoted, letters, other = part[1], part[2], part[4]
        if letters:
            if letters not in _PARTS:
                return ""
            found.append(_PARTS[letters])
        else:
            text = other if other is not None else (quoted.replace("''", "'") or "'")
            found.append(text.replace("%", "%%"))
    return "".join(found)
