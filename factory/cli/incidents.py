"""Commands about incidents: `incidents`, which lists them, `incidents acknowledge` and `incidents repair`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from factory.cli.frame import (
    format_option,
    moment,
    refuse_secrets,
    shared_workspace,
    since_option,
    somebody,
    target_option,
    workspace,
)

if TYPE_CHECKING:
    from factory.incidents.values import Said


class _ListsByDefault(click.Group):
    """A group that lists where no command of it is named: `factory incidents temperature` is a list, too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` before arguments that begin with no command."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListsByDefault)
def incidents() -> None:
    """List what is bad and for how long, and say who looks after it.

    Without a command it lists: `factory incidents [PRODUCT]` is `factory incidents list [PRODUCT]`. An incident opens
    when a check or a service level turns bad, stays the same while it is bad, and closes when it is good again.
    """


@incidents.command("list")
@click.argument("product", default="")
@click.option("--all", "closed", is_flag=True, help="Also those that are closed.")
@since_option("")
@target_option
@format_option
@click.pass_context
def list_(context: click.Context, product: str, closed: bool, since: str, target: str, format_: str) -> None:
    """List the open incidents, of all products or of PRODUCT, the newest first."""
    from factory.incidents.listing import incidents_as_json, incidents_as_text, list_incidents
    from factory.questions.tables import plain
    from factory.report import as_json

    start = moment(since) if since else None
    closed = closed or start is not None
    found = list_incidents(workspace(context, target), product, closed=closed, since=start)
    if format_ == "json":
        click.echo(as_json(incidents_as_json(found)))
    else:
        click.echo(plain(incidents_as_text(found, datetime.now(UTC), closed=closed)))


_by_option = click.option("--by", metavar="WHO", default="",
                          help="Who says so.  [default: git's user.email, or the user's name]")  # fmt: skip
_note_option = click.option("--note", metavar="TEXT", default="", help="What is to be remembered with it.")


@incidents.command()
@click.argument("incident", metavar="ID")
@_by_option
@_note_option
@target_option
@click.pass_context
def acknowledge(context: click.Context, incident: str, by: str, note: str, target: str) -> None:
    """Say that you have taken on the incident ID; a part of the id that no other has will do."""
    from factory.incidents.listing import acknowledge as note_it
    from factory.incidents.notice import said_words
    from factory.questions.tables import plain

    found, is_news = note_it(shared_workspace(context, target), incident, _said(context, by, note))
    if is_news or not found.acknowledgement:
        click.echo(plain(f"{found.id} is acknowledged. It closes when the check is good again."))
    else:
        click.echo(plain(f"{found.id} was acknowledged before: {said_words(found.acknowledgement)}."))


@incidents.command()
@click.argument("incident", metavar="ID")
@_by_option
@_note_option
@target_option
@click.pass_context
def repair(context: click.Context, incident: str, by: str, note: str, target: str) -> None:
    """Say that the incident ID is repaired; it closes when the next build finds the check good."""
    from factory.incidents.listing import repair as note_it
    from factory.incidents.notice import said_words
    from factory.questions.tables import plain

    found, is_news = note_it(shared_workspace(context, target), incident, _said(context, by, note))
    if is_news or not found.claim:
        click.echo(plain(f"{found.id} is said to be repaired. It closes when the check is good again."))
    else:
        click.echo(plain(f"{found.id} was said to be repaired before: {said_words(found.claim)}."))


def _said(context: click.Context, by: str, note: str) -> Said:
    from factory.incidents.values import Said

    refuse_secrets(context, by=by, note=note)
    return Said(datetime.now(UTC), by.strip() or somebody(context), note.strip())


COMMANDS = (incidents,)
