"""Commands that say something of what is published: `yank`, `deprecate`, `retire`, `pause`, `resume`, `rollback`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from factory.cli.frame import (
    format_option,
    refuse_secrets,
    shared_workspace,
    somebody,
    target_option,
    workspace,
)

if TYPE_CHECKING:
    from factory.registry.control import Said, Word
    from factory.registry.rollback import Step

_reason = click.option("--reason", metavar="TEXT", required=True, help="Why; consumers read it.")
_why = click.option("--reason", metavar="TEXT", default="", help="Why; consumers read it.")
_by = click.option(
    "--by", metavar="WHO", default="", help="Who says so.  [default: git's user.email, or the user's name]"
)
_contract = click.argument("contract", metavar="CONTRACT")


def _word(context: click.Context, by: str, reason: str) -> Word:
    from factory.registry.control import Word

    refuse_secrets(context, by=by, reason=reason)
    return Word(by.strip() or somebody(context), reason.strip(), datetime.now(UTC))


@click.command()
@_contract
@click.argument("version")
@_why
@click.option("--undo", is_flag=True, help="Offer a yanked version again.")
@_by
@target_option
@click.pass_context
def yank(
    context: click.Context, contract: str, version: str, reason: str, undo: bool, by: str, target: str
) -> None:
    """Offer VERSION of CONTRACT to nobody new; who has it can read it as before.

    CONTRACT is product.contract, a urn, or the product's name, if it has one contract. --reason is needed, except
    with --undo.
    """
    from factory.registry import control

    if not undo and not reason.strip():
        raise click.UsageError("say why, with --reason: consumers read it")
    say = control.unyank if undo else control.yank
    said = say(shared_workspace(context, target), contract, version, _word(context, by, reason))
    _tell(said, ("is offered again", "is not yanked") if undo else ("is yanked", "was yanked before"))


@click.command()
@_contract
@_why
@click.option(
    "--end-of-support", metavar="DATE", default="", help="The last day on which its faults are mended."
)
@click.option("--end-of-life", metavar="DATE", default="", help="The last day on which it can be read.")
@click.option("--successor", metavar="ADDRESS", default="", help="What takes its place.")
@click.option("--early", is_flag=True, help="Let it end before its notice is over.")
@click.option("--undo", is_flag=True, help="Take the announcement back.")
@_by
@target_option
@click.pass_context
def deprecate(context: click.Context, /, contract: str, reason: str, target: str, **options: Any) -> None:
    """Announce the end of a major version of CONTRACT (product.contract/1): its notice begins today."""
    from factory.lifecycle import END_OF_LIFE, END_OF_SUPPORT
    from factory.registry import control

    ws, word = shared_workspace(context, target), _word(context, options["by"], reason)
    if options["undo"]:
        _tell(control.undeprecate(ws, contract, word), ("is to stay", "was not deprecated by this command"))
        return
    if not reason.strip():
        raise click.UsageError("say why, with --reason: consumers read it")
    days = {}
    for name, option in ((END_OF_SUPPORT, "end_of_support"), (END_OF_LIFE, "end_of_life")):
        if options[option]:
            days[name] = _day(options[option], f"--{option.replace('_', '-')}")
    said = control.deprecate(ws, contract, word, days, options["successor"], early=options["early"])
    _tell(said, ("is deprecated", "was deprecated before"))


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date such as 2027-01-31", param_hint=option) from None


@click.command()
@_contract
@_reason
@click.option("--early", is_flag=True, help="Before its notice is over.")
@_by
@target_option
@click.pass_context
def retire(context: click.Context, contract: str, reason: str, early: bool, by: str, target: str) -> None:
    """Close the port of a major version of CONTRACT (product.contract/1) for good; its snapshots stay."""
    from factory.registry import control

    said = control.retire(
        shared_workspace(context, target), contract, _word(context, by, reason), early=early
    )
    _tell(said, ("is retired: its port is closed", "was retired before"))


@click.command()
@click.argument("product")
@_reason
@_by
@target_option
@click.pass_context
def pause(context: click.Context, product: str, reason: str, by: str, target: str) -> None:
    """Let builds pass PRODUCT over until it is resumed; what is published of it stays."""
    from factory.registry import control

    said = control.pause(shared_workspace(context, target), product, _word(context, by, reason))
    _tell(said, ("is paused", "was paused before"))


@click.command()
@click.argument("product")
@_why
@_by
@target_option
@click.pass_context
def resume(context: click.Context, product: str, reason: str, by: str, target: str) -> None:
    """Build a paused PRODUCT again."""
    from factory.registry import control

    said = control.resume(shared_workspace(context, target), product, _word(context, by, reason))
    _tell(said, ("is built again", "is not paused"))


@click.command()
@click.argument("product")
@_reason
@click.option("--moved-to", metavar="URN", default="", help="What the product is called from now on.")
@_by
@target_option
@click.pass_context
def remove(context: click.Context, product: str, reason: str, moved_to: str, by: str, target: str) -> None:
    """Take PRODUCT out of the registry: its ports close, its name is never given again, its versions stay.

    A product that moved to another domain answers to its old urn with the new one (--moved-to).
    """
    from factory.registry import control

    said = control.remove(shared_workspace(context, target), product, _word(context, by, reason), moved_to)
    _tell(said, ("is removed: its name is not given again", "was removed before"))


def _tell(said: Said, words: tuple[str, str]) -> None:
    from factory.questions.tables import plain

    about = f"{said.about} {said.version}".strip()
    lines = [f"{about} {words[0] if said.is_news else words[1]}.", *(f"  {note}" for note in said.notes)]
    click.echo(plain("\n".join(lines)))


@click.command()
@click.argument("product")
@click.option("--contract", metavar="NAME", default="", help="Only this contract, `name` or `name/major`.")
@click.option(
    "--to", metavar="VERSION|SNAPSHOT", default="", help="To this one.  [default: to the one before]"
)
@_why
@_by
@format_option
@target_option
@click.pass_context
def rollback(
    context: click.Context, /, product: str, contract: str, to: str, format_: str, **options: str
) -> None:
    """Make the previous version and snapshot of PRODUCT current, at once; its data is what it was.

    What the last publication changed goes back, or what --contract names. The next build of the same code and data
    does not bring back what was rolled back from.
    """
    from factory.questions.tables import plain
    from factory.registry.rollback import rollback as go_back
    from factory.report import as_json

    word = _word(context, options["by"], options["reason"])
    steps = go_back(shared_workspace(context, options["target"]), product, word, contract, to)
    if format_ == "json":
        click.echo(as_json({"steps": [_step(step) for step in steps]}))
    else:
        click.echo(plain("\n".join(line for step in steps for line in _step_words(step))))


def _step(step: Step) -> dict[str, Any]:
    return {
        "port": step.port,
        "from": {"version": step.before.version, "snapshot": step.before.snapshot},
        "to": {"version": step.now.version, "snapshot": step.now.snapshot},
        "is_news": step.is_news,
        "certified_until": step.expires.isoformat() if step.expires else None,
    }


def _step_words(step: Step) -> list[str]:
    now = f"{step.now.version} ({step.now.snapshot[:8]})"
    if not step.is_news:
        return [f"{step.port} is at {now} already."]
    lines = [f"{step.port} is back at {now}; it was {step.before.version} ({step.before.snapshot[:8]})."]
    if not step.is_here:
        lines.append("  Its tables are not on this machine: the next `factory build` publishes them.")
    if step.expires is None:
        lines.append(
            "  Its certificate has ended or was revoked: look at it with `factory check --published`."
        )
    return lines


@click.group()
def ports() -> None:
    """Look after the published ports on this machine."""


@ports.command("open")
@target_option
@click.pass_context
def open_(context: click.Context, target: str) -> None:
    """Make ports.duckdb anew, whose views have this machine's paths: after the folder was moved or copied."""
    from factory.questions.tables import plain
    from factory.registry.views import open_ports

    ws = workspace(context, target)
    opened = open_ports(ws)
    lines = [
        f"{opened.file}: {len(opened.tables)} tables of {len({t.split('.')[0] for t in opened.tables})} products."
    ]
    lines += [f"  {problem}" for problem in opened.problems]
    if opened.tables:
        lines.append(f'  duckdb {ws.relative(opened.file)} -c "from {opened.tables[0]} limit 5"')
    click.echo(plain("\n".join(lines)))


COMMANDS: tuple[Callable[..., Any], ...] = (yank, deprecate, retire, pause, resume, rollback, ports)
