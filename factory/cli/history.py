"""Commands of the history of runs: `history list`, `history compact`."""

from __future__ import annotations

import click

from factory.cli.frame import format_option, moment, shared_workspace, since_option, target_option, workspace


@click.group()
def history() -> None:
    """See what runs found out, and keep it small."""


@history.command("list")
@click.argument("product", default="", metavar="[PRODUCT]")
@since_option()
@format_option
@target_option
@click.pass_context
def list_(context: click.Context, product: str, since: str, format_: str, target: str) -> None:
    """Show the runs of PRODUCT (all, if none is named), newest first.

    Each with its checks that hold, its time, and the rows of its ports. A file that cannot be read is passed over and
    named.
    """
    from factory.questions.history import history as history_of
    from factory.questions.history import history_as_json, history_as_text
    from factory.questions.tables import plain
    from factory.report import as_json

    ws = workspace(context, target)
    lines, faults = history_of(ws, product, moment(since))
    if format_ == "json":
        click.echo(as_json(history_as_json(ws, lines, faults)))
    else:
        click.echo(plain(history_as_text(ws, lines, faults, product)))


@history.command()
@click.option("--keep", default="", metavar="TIME",
              help="Leave runs since then as they are: 7d, P30D, or a date.  [default: 7d]")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Compact all runs.")
@format_option
@target_option
@click.pass_context
def compact(context: click.Context, keep: str, everything: bool, format_: str, target: str) -> None:
    """Put old runs from a JSON file each into a Parquet folder per month, without losing a figure.

    Everything reads them as before. Runs may be written meanwhile; a compaction that is interrupted loses nothing, and
    the next one goes on. A file that cannot be read stays, and is named.
    """
    if keep and everything:
        raise click.UsageError("--keep and --all exclude each other")
    before = None if everything else moment(keep or "7d", "--keep")
    from factory.questions.history import compacted_as_json, compacted_as_text
    from factory.questions.tables import plain
    from factory.registry.compaction import compact as compact_history
    from factory.report import as_json

    ws = shared_workspace(context, target)
    done = compact_history(ws, before)
    text = as_json(compacted_as_json(ws, done)) if format_ == "json" else plain(compacted_as_text(ws, done))
    click.echo(text)


COMMANDS = (history,)
