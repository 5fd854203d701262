"""Where products stand to the template, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from factory.scaffold.update import Standing

_SHOWN = 12


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
                "reason": one.reason,
            }
            for one in standings
        ]
    }


def standings_as_text(standings: Sequence[Standing]) -> str:
    """Return where products stand: a table, and below it what an update would do."""
    if not standings:
        return "There are no products."
    width = max(len("product"), *(len(one.name) for one in standings))
    version = max(len("version"), *(len(one.version) for one in standings))
    lines = [
        f"{'product':{width}}  {'version':{version}}  {'behind':>6}  {'changed':>7}  {'touches':>7}  state"
    ]
    for one in standings:
        row = f"{one.name:{width}}  {one.version:{version}}"
        if one.state in ("unmanaged", "lost"):
            lines.append(f"{row}  {'':>6}  {'':>7}  {'':>7}  {one.state}")
        else:
            lines.append(f"{row}  {one.behind:6}  {len(one.changed):7}  {len(one.touches):7}  {one.state}")
    for one in standings:
        part = _details(one)
        if part:
            lines += ["", f"{one.name}:", *part]
    if any(one.state == "behind" for one in standings):
        lines += ["", "`factory template update NAMES` (or --all) brings it in; commit first."]
    return "\n".join(lines)


def _details(one: Standing) -> list[str]:
    lines = [f"  {one.reason}"] if one.reason else []
    if one.state == "behind":
        lines += _listed("an update touches", one.touches)
        lines += [f"  conflict: {path}: {why}" for path, why in sorted(one.conflicts.items())]
        lines += _listed("stays as it is, though the template changed it", one.kept)
    lines += _listed("changed by hand", one.changed)
    return lines


def updates_as_text(done: Sequence[Standing]) -> str:
    """Return what an update did, a line per product, and every conflict."""
    lines = []
    for one in done:
        if one.state == "updated":
            what = f"{one.version} → {one.latest}, {len(one.touches)} files"
            conflicts = f", {len(one.conflicts)} conflicts" if one.conflicts else ""
            lines.append(f"{'!' if one.conflicts else '✓'}  {one.name}  {what}{conflicts}")
        elif one.state in ("unmanaged", "lost"):
            lines.append(f"-  {one.name}  {one.state}: {one.reason}")
        else:
            lines.append(f"=  {one.name}  {one.state}")
    for one in done:
        lines += [
            f"conflict: products/{one.name}/{path}: {why}" for path, why in sorted(one.conflicts.items())
        ]
    if any(one.conflicts for one in done):
        lines.append("Settle what stands between <<<<<<< yours and >>>>>>> template, then build and commit.")
    elif any(one.state == "updated" for one in done):
        lines.append("Look at `git diff`, build and commit.")
    return "\n".join(lines) or "There are no products."


def _listed(what: str, paths: Sequence[str]) -> list[str]:
    if not paths:
        return []
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return [f"  {what}: {', '.join(paths[:_SHOWN])}{more}"]
