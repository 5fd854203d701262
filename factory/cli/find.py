"""Commands that find things: `search`, `resolve`, and `events`, which tells what happened."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from factory.cli.frame import (
    format_option,
    moment,
    published_workspace,
    since_option,
    target_option,
    width,
    workspace,
)


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="Also what is yanked or retired.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="So many products."
)
@target_option
@format_option
@click.pass_context
def search(
    context: click.Context, words: tuple[str, ...], everything: bool, limit: int, target: str, format_: str
) -> None:
    """Search the published products by WORDS: their names, descriptions, tags, people, tables and columns.

    All words must be found; the beginning of a word will do. Exit code 1: there is none.
    """
    from factory.questions.search import found_as_json, found_as_text
    from factory.questions.search import search as look
    from factory.questions.tables import plain
    from factory.report import as_json

    ws = published_workspace(context, target)
    found = look(ws, " ".join(words), datetime.now(UTC), limit, everything=everything)
    if format_ == "json":
        click.echo(as_json(found_as_json(found)))
    else:
        click.echo(plain(found_as_text(found, width())))
    if found.unread:
        words_left = f"the columns of {found.unread} contracts were not looked into yet: search again"
        click.echo(f"note: {words_left}", err=True)
    if not found.hits:
        context.exit(1)


@click.command()
@click.argument("address")
@target_option
@format_option
@click.pass_context
def resolve(context: click.Context, address: str, target: str, format_: str) -> None:
    """Say what an ADDRESS names, how it stands, and where it lies now.

    ADDRESS is urn:dpf:<domain>:<product>[:<contract>[:<major>[:<table>[:<column>]]]], or short: product,
    product.contract, product.contract/1, product.contract/1.table, product.contract/1.table.column. Exit code 1: the
    product was removed.
    """
    from factory.questions.resolve import resolve as look_up
    from factory.questions.resolve import resolved_as_text
    from factory.questions.tables import plain
    from factory.report import as_json

    found = look_up(published_workspace(context, target), address, datetime.now(UTC))
    if format_ == "json":
        click.echo(as_json(dict(found.values)))
    else:
        click.echo(plain(resolved_as_text(found, width())))
    if found.is_gone:
        context.exit(1)


@click.command()
@since_option("7d")
@click.option("--product", metavar="PRODUCT", default="", help="Only of this one, by its name or urn.")
@click.option("--type", "kinds", metavar="KIND", multiple=True, help="Only such, as `yanked`; repeatable.")
@click.option("--send", is_flag=True, help="Send them to event_sinks, whether they arrived before or not.")
@target_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "ndjson"]),
    default="text",
    show_default=True,
    help="How to print.",
)
@click.pass_context
def events(
    context: click.Context,
    since: str,
    product: str,
    kinds: tuple[str, ...],
    send: bool,
    target: str,
    format_: str,
) -> None:
    """Tell what happened to products: published, refused, yanked, rolled back, breached, repaired, and so on.

    JSON has the events as CloudEvents 1.0. Exit code 1: some cannot be read, or did not arrive.
    """
    from factory.questions.events import events_as_json, events_as_lines, events_as_text, find_events
    from factory.questions.tables import plain
    from factory.report import as_json

    ws, start = workspace(context, target), moment(since)
    if send:
        _send(context, since, narrowed=bool(product or kinds), target=target)
        return
    found, faults = find_events(ws, start, product, kinds)
    if format_ == "json":
        click.echo(as_json(events_as_json(found)))
    elif format_ == "ndjson":
        if found:
            click.echo(events_as_lines(found))
    else:
        click.echo(plain(events_as_text(found, width())))
    for fault in faults:
        click.echo(plain(f"error: {fault.message} ({fault.place(ws.root)})"), err=True)
    if faults:
        context.exit(1)


def _send(context: click.Context, since: str, *, narrowed: bool, target: str) -> None:
    """Send events since a moment to all webhooks."""
    from factory.questions.tables import plain
    from factory.sinks import deliver_events

    if narrowed:
        raise click.UsageError("--send sends all events: leave --product and --type out")
    ws = workspace(context, target)
    if not ws.settings.event_sinks:
        raise click.UsageError("there is no webhook: set event_sinks in [tool.factory]")
    notes = deliver_events(ws, datetime.now(UTC), moment(since), seconds=300)
    click.echo("\n".join(plain(f"note: {note}") for note in notes) or "All events arrived.", err=bool(notes))
    if notes:
        context.exit(1)


COMMANDS = (search, resolve, events)
