"""Change single values of a YAML file as a careful person would: everything else stays byte for byte.

Takes a text and the place of a value; gives the changed text; touches nothing. Comments, order, quotes, indentation,
line ends and the final newline (or its absence) stay. Each edit is read again before it is given back and must hold
the intended values and nothing else; what cannot be edited that way is an `EditError` with what to write by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from factory.documents import Key, Path_, Span, dump_values, parse_yaml, spans
from factory.errors import DocumentError, EditError

_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_REST = re.compile(r"[ \t]*(,?)[ \t]*(?:#.*)?")
_MARK = "\ufeff"


def with_value(text: str, path: Path_, value: Any, *, where: Path | None = None) -> str:
    """Return the text with the scalar at `path` replaced, in the quotes that it had.

    A key that is missing is added at the end of its mapping, mappings on the way to it with it. `where` is the file
    for errors. Raises:
        EditError: the file has to be edited by hand.
        DocumentError: the text is not YAML that is read here.

    """
    data = _data(text, where)
    wanted = _copied(data) if data is not None else {}
    what = f"write `{_label(path)}: {_one_line(value)}`"
    if not _set(wanted, path, value):
        raise _by_hand(text, path, what, where)
    return _edited(text, lambda bare: _value_edits(bare, path, value), wanted, (path, what, where))


def with_item(
    text: str, path: Path_, item: Any, after: int | None = None, *, where: Path | None = None
) -> str:
    """Return the text with an item in the list at `path`: behind the item at index `after`, or at its end.

    A list that is missing or empty is made. `item` is a scalar, or a mapping of them. `where` is the file for errors.
    Raises as `with_value` does.
    """
    data = _data(text, where)
    wanted = _copied(data) if data is not None else {}
    what = f"add `{_one_line(item)}` to the list `{_label(path)}`"
    known = _get(wanted, path)
    if known is None:
        if not _set(wanted, path, [item]):
            raise _by_hand(text, path, what, where)
        return _edited(text, lambda bare: _value_edits(bare, path, [item]), wanted, (path, what, where))
    if not isinstance(known, list) or (after is not None and not 0 <= after < len(known)):
        raise _by_hand(text, path, what, where)
    place = len(known) if after is None else after + 1
    known.insert(place, item)
    return _edited(text, lambda bare: _item_edits(bare, path, item, place), wanted, (path, what, where))


def without(text: str, path: Path_, *, where: Path | None = None) -> str:
    """Return the text without the key or item at `path`; a comment above it stays. Raises as `with_value` does."""
    wanted = _copied(_data(text, where))
    what = f"remove `{_label(path)}`"
    around = _get(wanted, path[:-1]) if path else None
    key = path[-1] if path else 0
    if isinstance(around, dict) and key in around:
        del around[str(key)]
    elif isinstance(around, list) and isinstance(key, int) and 0 <= key < len(around):
        del around[key]
    else:
        raise _by_hand(text, path, what, where)
    return _edited(text, lambda bare: _removals(bare, path), wanted, (path, what, where))


def _edited(
    text: str,
    edits: Callable[[str], Iterator[str]],
    wanted: Any,
    told: tuple[Path_, str, Path | None],
) -> str:
    """Return the first edit that holds exactly the wanted values."""
    mark = _MARK if text.startswith(_MARK) else ""
    bare = text.removeprefix(_MARK)
    for edit in edits(bare):
        try:
            if _same(parse_yaml(edit, Path()).data, wanted):
                return mark + edit
        except DocumentError:
            continue
    path, what, where = told
    raise _by_hand(text, path, what, where)


def _by_hand(text: str, path: Path_, what: str, where: Path | None) -> EditError:
    line = parse_yaml(text.removeprefix(_MARK), where or Path()).line(*path)
    message = f"`{_label(path)}` is written in a way that cannot be changed safely: edit the file by hand"
    return EditError(message, where=where, line=line, hint=what)


def _data(text: str, where: Path | None) -> Any:
    return parse_yaml(text.removeprefix(_MARK), where or Path()).data


# Values


def _get(data: Any, path: Path_) -> Any:
    for key in path:
        if isinstance(data, dict):
            data = data.get(key)
        elif isinstance(data, list) and isinstance(key, int) and 0 <= key < len(data):
            data = data[key]
        else:
            return None
    return data


def _set(data: Any, path: Path_, value: Any) -> bool:
    """Set a value, mappings on the way to it with it; say whether there is a place for it."""
    for number, key in enumerate(path):
        last = number == len(path) - 1
        if isinstance(data, list) and isinstance(key, int) and 0 <= key < len(data):
            if last:
                if isinstance(data[key], dict | list):
                    return False
                data[key] = value
            elif data[key] is None:
                return False
        elif isinstance(data, dict) and isinstance(key, str):
            if last:
                if isinstance(data.get(key), dict | list):
                    return False
                data[key] = value
            elif data.get(key) is None:
                data[key] = {}
        else:
            return False
        data = data[key]
    return bool(path)


def _copied(value: Any) -> Any:
    """Return the values anew, each for itself: what an alias repeats is not shared."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _same(one: Any, other: Any) -> bool:
    """Say whether two values are equal, their types too: 1, 1.0 and true are three values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


# Edits: each yields texts, the one to be preferred first


def _value_edits(text: str, path: Path_, value: Any) -> Iterator[str]:
    span = spans(text)
    if span is None:
        yield _appended(text, _nested(path, value), "")
        return
    for number, key in enumerate(path):
        inner = span.entry(key)
        if inner is None:
            if span.kind == "mapping":
                yield from _key_edits(text, span, str(key), _nested(path[number + 1 :], value))
            elif span.kind == "scalar":
                yield from _filled(text, span, _nested(path[number:], value))
            return
        span = inner
    if isinstance(value, dict | list):
        yield from _filled(text, span, value)
    elif span.kind in ("scalar", "alias"):
        yield _replaced(text, span, _scalar(value, span.style, text))


def _nested(path: Path_, value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _scalar(value: Any, style: str, text: str) -> str:
    if style in ("'", '"'):
        return dump_values(value, quote=style, always=True)
    return dump_values(value, quote=_quote(text))


def _replaced(text: str, span: Span, written: str) -> str:
    blank = " " if span.start == span.end and text[span.start - 1 : span.start] in (":", "-", "?") else ""
    return text[: span.start] + blank + written + text[span.end :]


def _filled(text: str, span: Span, value: Any) -> Iterator[str]:
    """Yield the text with a mapping or list in the place of nothing."""
    if span.start == span.end:
        indent = _indent_of_line(text, span.start) + 2
        at = _line_end(text, span.end)
        yield text[:at] + _lines(text, value, indent) + text[at:]
    yield _replaced(text, span, dump_values(value, quote=_quote(text), flow=True))


def _key_edits(text: str, span: Span, key: str, value: Any) -> Iterator[str]:
    """Yield the text with another key at the end of a mapping."""
    if span.style == "block":
        first = span.entries[0][1]
        at = _line_end(text, span.end)
        column = _column(text, first.start) if first is not None else 0
        yield text[:at] + _lines(text, {key: value}, column) + text[at:]
        return
    quote = _quote(text)
    if any(name.style == '"' for _, name, _ in span.entries if name is not None):
        written = f"{_json_like(key)}: {_json_like(value)}"
    else:
        written = dump_values({key: value}, quote=quote, flow=True).removeprefix("{").removesuffix("}")
    yield _in_flow(text, span, len(span.entries), written)


def _json_like(value: Any) -> str:
    if isinstance(value, dict):
        inside = (f"{_json_like(key)}: {_json_like(inner)}" for key, inner in value.items())
        return f"{{{', '.join(inside)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_json_like, value))}]"
    return dump_values(value, quote='"', always=True)


def _item_edits(text: str, path: Path_, item: Any, place: int) -> Iterator[str]:
    span = spans(text)
    for key in path:
        span = span.entry(key) if span is not None else None
    if span is None or span.kind != "sequence":
        return
    if span.style == "block":
        last = span.entries[place - 1][2]
        at = _line_end(text, last.end)
        yield text[:at] + _lines(text, [item], _column(text, span.start)) + text[at:]
        return
    doubled = any(
        name is not None and name.style == '"' for _, _, value in span.entries for _, name, _ in value.entries
    )
    yield _in_flow(
        text, span, place, _json_like(item) if doubled else dump_values(item, quote=_quote(text), flow=True)
    )


def _in_flow(text: str, span: Span, place: int, written: str) -> str:
    """Return the text with another entry in a collection in brackets, on a line of its own where others are."""
    if not span.entries:
        return text[: span.start + 1] + written + text[span.start + 1 :]
    _, name, value = span.entries[place - 1]
    start = (name or value).start
    line = _line_start(text, start)
    end = _line_end(text, value.end)
    rest = _REST.fullmatch(text, value.end, end)
    if rest is None or text[line:start].strip(" \t") or line < span.start:
        return text[: value.end] + f", {written}" + text[value.end :]
    gap = _line_break(text) + text[line:start]
    if rest[1]:
        return text[:end] + f"{gap}{written}," + text[end:]
    comma = "" if place < len(span.entries) else ","
    return text[: value.end] + comma + text[value.end : end] + gap + written + text[end:]


def _removals(text: str, path: Path_) -> Iterator[str]:
    span = spans(text)
    for key in path[:-1]:
        span = span.entry(key) if span is not None else None
    keys = [key for key, _, _ in span.entries] if span is not None else []
    if span is None or path[-1] not in keys:
        return
    number = keys.index(path[-1])
    starts = [(name or value).start for _, name, value in span.entries]
    ends = [value.end for _, _, value in span.entries]
    if span.style == "flow":
        if number + 1 < len(keys):
            yield text[: starts[number]] + text[starts[number + 1] :]
        elif number:
            yield text[: ends[number - 1]] + text[ends[number] :]
        else:
            yield text[: starts[0]] + text[ends[0] :]
        return
    begin = _line_start(text, starts[number])
    if text[begin : starts[number]].strip(" -"):
        return
    end = _line_end(text, ends[number])
    found = _BREAK.match(text, end)
    if found:
        yield text[:begin] + text[found.end() :]
    else:
        yield _without_break(text[:begin])


# Lines


def _without_break(text: str) -> str:
    return re.sub(r"(\r\n|[\r\n\x85\u2028\u2029])\Z", "", text)


def _lines(text: str, value: Any, indent: int) -> str:
    """Return a mapping or list as lines that follow the end of a line."""
    lines = dump_values(value, quote=_quote(text)).split("\n")
    return "".join(_line_break(text) + (" " * indent + line if line else "") for line in lines)


def _appended(text: str, value: Any, indent: str) -> str:
    """Return a text that holds no value with its first one."""
    bare = _without_break(text)
    lines = _lines(text, value, len(indent))
    if not bare.strip():
        lines = lines.removeprefix(_line_break(text))
    return bare + lines + (text[len(bare) :] or ("" if text else "\n"))


def _line_start(text: str, at: int) -> int:
    return max((found.end() for found in _BREAK.finditer(text, 0, at)), default=0)


def _line_end(text: str, at: int) -> int:
    found = _BREAK.search(text, at)
    return found.start() if found else len(text)


def _column(text: str, at: int) -> int:
    return at - _line_start(text, at)


def _indent_of_line(text: str, at: int) -> int:
    """Return the column of the key or item that a line begins with; dashes before it count."""
    line = text[_line_start(text, at) : at]
    return len(line) - len(re.sub(r"^[ ]*(?:-[ ]+)*", "", line))


def _line_break(text: str) -> str:
    found = _BREAK.search(text)
    return found[0] if found else "\n"


def _quote(text: str) -> str:
    """Return the quotes that the document uses more often."""
    doubled, single = (len(re.findall(rf"[:,\[{{-][ ]*{quote}", text)) for quote in ('"', "'"))
    return '"' if doubled >= single else "'"


def _label(path: Path_) -> str:
    words: list[str] = []
    for key in path:
        words.append(_index(key) if isinstance(key, int) else (f".{key}" if words else key))
    return "".join(words)


def _index(key: Key) -> str:
    return f"[{key}]"


def _one_line(value: Any) -> str:
    return dump_values(value, flow=True)
