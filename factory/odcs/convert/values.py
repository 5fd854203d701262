"""Single values of ODCS fields: what fits as it is, what can be written so without a loss, what cannot.

Takes a value and the kind of field it is for (see `fields`); gives the value to write, or `UNFIT`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final

from factory.odcs.convert.fields import Kind

UNFIT: Final = object()

_ID = re.compile(r"[A-Za-z0-9_-]+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_SHORT = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*(\.[A-Za-z_][A-Za-z0-9_\-]*)+")
_FULL = re.compile(
    r"(?:(?:https?:\/\/)?[A-Za-z0-9._\-\/]+\.ya?ml#)?\/?"
    r"[A-Za-z_][A-Za-z0-9_]*\/[A-Za-z0-9_-]+(?:\/[A-Za-z_][A-Za-z0-9_]*\/[A-Za-z0-9_-]+)*"
)
_FLAGS = {"true": True, "yes": True, "y": True, "false": False, "no": False, "n": False}


def fitted(kind: Kind, value: Any) -> Any:
    """Return a value as a field of this kind takes it, or UNFIT."""
    if isinstance(kind, tuple):
        return value if isinstance(value, str) and value in kind else UNFIT
    return _KINDS[kind](value)


def same(one: Any, other: Any) -> bool:
    """Return whether two values are written alike; `1`, `1.0` and `true` are not."""
    return type(one) is type(other) and bool(one == other)


def is_number(value: Any) -> bool:
    """Return whether a value is a number; `true` is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_whole(value: Any) -> bool:
    """Return whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if is_number(value) else UNFIT


def _flag(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return _FLAGS.get(value.strip().lower(), UNFIT) if isinstance(value, str) else UNFIT


def _number(value: Any) -> Any:
    if isinstance(value, str) and _NUMBER.fullmatch(value) and len(value) < 16:
        return float(value) if "." in value else int(value)
    return value if is_number(value) else UNFIT


def _integer(value: Any) -> Any:
    number = _number(value)
    return number if is_whole(number) else UNFIT


def _at_least(kind: Callable[[Any], Any], least: int, *, over: bool = False) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        number = kind(value)
        if number is UNFIT or number < least or (over and number == least):
            return UNFIT
        return number

    return check


def _texts(value: Any) -> Any:
    texts = [_text(each) for each in (value if isinstance(value, list) else [value])]
    return UNFIT if any(text is UNFIT for text in texts) else texts


def _names(value: Any) -> Any:
    texts = _texts(value)
    return UNFIT if texts is UNFIT or not texts else list(dict.fromkeys(texts))


def _pair(value: Any) -> Any:
    fits = isinstance(value, list) and len(value) == 2 and all(is_number(each) for each in value)
    return value if fits and value[0] != value[1] else UNFIT


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, str) and pattern.fullmatch(value) else UNFIT


def _target(value: Any) -> Any:
    several = value if isinstance(value, list) else [value]
    fits = several and all(
        isinstance(each, str) and (_SHORT.fullmatch(each) or _FULL.fullmatch(each)) for each in several
    )
    return value if fits else UNFIT


def _scalar(value: Any) -> Any:
    return UNFIT if isinstance(value, list | dict) else value


_KINDS: dict[str, Callable[[Any], Any]] = {
    "any": lambda value: value,
    "count": _at_least(_integer, 0),
    "date": _matching(_DATE),
    "flag": _flag,
    "id": _matching(_ID),
    "integer": _integer,
    "list": lambda value: value if isinstance(value, list) else [value],
    "mapping": lambda value: value if isinstance(value, dict) else UNFIT,
    "moment": _matching(_MOMENT),
    "names": _names,
    "number": _number,
    "pair": _pair,
    "port": lambda value: value if isinstance(value, str) or is_whole(value) else UNFIT,
    "positive": _at_least(_number, 0, over=True),
    "positiveInteger": _at_least(_integer, 1),
    "scalar": _scalar,
    "target": _target,
    "text": _text,
    "texts": _texts,
    "value": _scalar,
    "work": lambda value: value if isinstance(value, str | dict) else UNFIT,
}
