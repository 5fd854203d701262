"""The command `contract bump`: the version that a change asks for, written into the contract's file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from factory.cli.frame import format_option, target_option, workspace

if TYPE_CHECKING:
    from factory.bump import Bump, Bumped
    from factory.workspace import Workspace


@click.command()
@click.argument("product")
@click.argument("contract", default="")
@click.option("--major", "step", flag_value="major", help="A new major: something is taken away or renamed.")
@click.option("--minor", "step", flag_value="minor", help="A new minor: something is added or revised.")
@click.option("--patch", "step", flag_value="patch", help="A new patch: information alone.")
@click.option("--in-place", is_flag=True, help="With --major: keep no file for the old major.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@target_option
@format_option
@click.pass_context
def bump(
    context: click.Context,
    product: str,
    contract: str,
    step: str | None,
    in_place: bool,
    dry_run: bool,
    target: str,
    format_: str,
) -> None:
    """Write a new version into the contracts of PRODUCT: the one that their changes ask for.

    The published contract is compared with what the product's files make of it now; nothing is built. With --major,
    --minor or --patch the step is yours. CONTRACT is a contract's name, or name/major; without it every contract that
    has changed gets its version. With --major, the file is copied, so that a published major goes on beside the new
    one.
    """
    from factory.bump import Asked
    from factory.bump import bump as make
    from factory.questions.tables import plain
    from factory.report import as_json

    if in_place and step != "major":
        raise click.UsageError("--in-place goes with --major")
    ws = workspace(context, target)
    found = make(ws, Asked(product, contract, step or "", in_place, dry_run), dict(os.environ))
    if format_ == "json":
        click.echo(as_json(_values(found, ws)))
    else:
        click.echo(plain(_text(found, ws)))


def _text(found: Bump, ws: Workspace) -> str:
    lines = []
    for each in _all(found):
        step = f"{each.old} -> {each.new} ({each.severity})" if each.is_changed else f"{each.old} stays"
        lines.append(f"{ws.relative(each.file)}:{each.line}  {each.name} {step}")
        lines += [f"  - {change.words()}" for change in each.changes[:10]]
        lines += [f"  … and {len(each.changes) - 10} more" for _ in each.changes[10:11]]
        if each.words:
            lines.append(f"  {each.words}")
    if not found.written:
        lines += ["", "Nothing is written: leave --dry-run out." if _changes(found) else "Nothing to change."]
    return "\n".join(lines)


def _all(found: Bump) -> list[Bumped]:
    return [*found.contracts, *([found.descriptor] if found.descriptor else [])]


def _changes(found: Bump) -> bool:
    return any(each.is_changed for each in _all(found))


def _values(found: Bump, ws: Workspace) -> dict[str, object]:
    """Return the answer in the shape of `factory/schemas/bump.schema.json`."""
    entries = [
        {
            "name": each.name,
            "file": ws.relative(each.file),
            "line": each.line,
            "version": each.old,
            "new_version": each.new,
            "published": each.published or None,
            "severity": each.severity,
            "changes": [
                {
                    "path": change.path,
                    "kind": change.kind,
                    "severity": change.severity,
                    "rule": change.rule,
                    "consumer": change.consumer,
                    "producer": change.producer,
                    "words": change.words(),
                }
                for change in each.changes
            ],
            "kept_file": ws.relative(each.kept) if each.kept is not None else None,
            "note": each.words,
        }
        for each in _all(found)
    ]
    count = len(found.contracts)
    return {
        "product": found.product,
        "contracts": entries[:count],
        "descriptor": entries[count] if len(entries) > count else None,
        "written": found.written,
    }


COMMANDS = (bump,)
