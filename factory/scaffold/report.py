"""Where products stand to the template, for people and for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from factory.scaffold.merge import has_marks
from factory.scaffold.update import Standing

_SHOWN = 12
# A commit's full name is told by its beginning.
_VERSION = 24
_WITHOUT = ("unmanaged", "lost", "stuck")


def standings_as_json(standings: Sequence[Standing]) -> dict[str, Any]:
    """Return standings as `template.schema.json` describes them."""
    return {
        "products": [
            {
                "name": one.name,
                "state": one.state,
                "version": one.version,
                "latest": one.latest,
                "versions_behind": one.behind,
                "changed": list(one.changed),
                "touches": list(one.touches),
                "conflicts": [{"file": path, "reason": why} for path, why in sorted(one.conflicts.items())],
                "kept": list(one.kept),
                "answers": dict(one.answers),
                "reason": one.reason,
            }
            for one in standings
        ]
    }


def standings_as_text(standings: Sequence[Standing], width: int = 100) -> str:
    """Return where products stand: a table, and below it what an update would do."""
    if not standings:
        return "There are no products."
    name = max(len("product"), *(len(one.name) for one in standings))
    version = max(len("version"), *(len(one.version[:_VERSION]) for one in standings))
    lines = [f"{'product':{name}}  {'version':{version}}  behind  changed  touches  state"]
    for one in standings:
        figures = (
            (one.behind, len(one.changed), len(one.touches)) if one.state not in _WITHOUT else ("", "", "")
        )
        behind, changed, touches = figures
        row = f"{one.name:{name}}  {one.version[:_VERSION]:{version}}  {behind:6}  {changed:7}  {touches:7}"
        lines.append(f"{row}  {one.state}")
    for one in standings:
        part = _details(one)
        if part:
            lines += ["", f"{one.name}:", *(_wrapped(line, width) for line in part)]
    if any(one.state == "behind" for one in standings):
        lines += ["", "`factory template update NAMES` (or --all) brings it in; commit first."]
    unmanaged = [one.name for one in standings if one.state == "unmanaged"]
    if unmanaged:
        text = f"Not made from a template: {', '.join(unmanaged)}. `factory template adopt NAMES` lets them follow it."
        lines += ["", _wrapped(text, width)]
    return "\n".join(lines)


def _details(one: Standing) -> list[str]:
    lines = [f"  {one.reason}"] if one.reason and one.state != "unmanaged" else []
    if one.state == "behind":
        lines += _listed("an update touches", one.touches)
        lines += [f"  conflict: {path}: {why}" for path, why in sorted(one.conflicts.items())]
        lines += _listed("stays as the product has it, though the template changed it", one.kept)
        lines += _answered(one)
    lines += _listed("changed by hand", one.changed)
    return lines


def updates_as_text(done: Sequence[Standing], width: int = 100) -> str:
    """Return what an update did, a line per product, and every conflict."""
    lines = []
    for one in done:
        if one.state == "updated":
            what = f"{one.version[:_VERSION]} → {one.latest}, {len(one.touches)} files"
            conflicts = f", {len(one.conflicts)} conflicts" if one.conflicts else ""
            lines.append(f"{'!' if one.conflicts else '✓'}  {one.name}  {what}{conflicts}")
            lines += [_wrapped("  " + line, width) for line in _answered(one)]
            kept = _listed("stays as the product has it, though the template changed it", one.kept)
            lines += [_wrapped("  " + line, width) for line in kept]
        elif one.state in _WITHOUT:
            lines.append(_wrapped(f"-  {one.name}  {one.state}: {one.reason}", width))
        else:
            lines.append(f"=  {one.name}  {one.state}")
    for one in done:
        lines += [
            f"conflict: products/{one.name}/{path}: {why}" for path, why in sorted(one.conflicts.items())
        ]
    if any(has_marks(why) for one in done for why in one.conflicts.values()):
        lines.append("Settle what stands between <<<<<<< yours and >>>>>>> template, then build and commit.")
    elif any(one.conflicts for one in done):
        lines.append("Decide, then build and commit.")
    elif any(one.state == "updated" for one in done):
        lines.append("Look at `git diff`, build and commit.")
    return "\n".join(lines) or "There are no products."


def _answered(one: Standing) -> list[str]:
    return [f"  new question {key}: {value!r}" for key, value in one.answers.items()]


def _listed(what: str, paths: Sequence[str]) -> list[str]:
    if not paths:
        return []
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return [f"  {what}: {', '.join(paths[:_SHOWN])}{more}"]


def _wrapped(line: str, width: int) -> str:
    return textwrap.fill(
        line, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
