"""Rows of text under each other, as wide as what they hold. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


def plain(text: str) -> str:
    """Return text from others without control characters, so that it cannot steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Return the lines of a table, its columns as wide as what they hold; those in `right` stand right."""
    cells = [list(head), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return [
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def fitted(
    names: Sequence[str], rows: Sequence[Mapping[str, str]], width: int, leaving: Sequence[str] = ()
) -> list[str]:
    """Return the lines of a table of no more than `width` columns: those in `leaving` go first, in that order."""
    kept = list(names)
    for name in ("", *leaving):
        if name and name in kept:
            kept.remove(name)
        lines = table(kept, [[row.get(each, "") for each in kept] for row in rows])
        if max(map(len, lines)) <= width:
            break
    return lines
