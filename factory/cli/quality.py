"""Commands about how good products are: `quality` and `slo`."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime

import click

from factory.cli.frame import format_option, moment, since_option, target_option, workspace


@click.command()
@click.argument("products", nargs=-1)
@since_option()
@target_option
@click.option("--format", "format_", type=click.Choice(["text", "json", "markdown", "junit"]), default="text",
              show_default=True, help="How to print; markdown for pull requests, junit for CI.")  # fmt: skip
@click.pass_context
def quality(context: click.Context, products: tuple[str, ...], since: str, target: str, format_: str) -> None:
    """Show how good PRODUCTS are (all, if none is named), how good they were, and what they promise.

    From the newest run that checked their data: the score, what costs points, the elements of data quality of
    service, the trend since WHEN, open incidents. Nothing is run.
    """
    from factory.questions.quality import quality_of
    from factory.questions.quality_text import (
        quality_as_json,
        quality_as_junit,
        quality_as_markdown,
        quality_as_text,
    )
    from factory.questions.tables import plain
    from factory.report import as_json

    found = quality_of(workspace(context, target), products, moment(since))
    if format_ == "json":
        click.echo(as_json(quality_as_json(found)))
    elif format_ == "markdown":
        click.echo(plain(quality_as_markdown(found)), nl=False)
    elif format_ == "junit":
        click.echo(quality_as_junit(found), nl=False)
    else:
        click.echo(plain(quality_as_text(found, _width())))


@click.command()
@click.argument("products", nargs=-1)
@click.option(
    "--fail-on",
    type=click.Choice(["breach", "unmeasured"]),
    help="Exit with 1 if a level is breached; `unmeasured` also if one with a target could not be measured.",
)
@target_option
@format_option
@click.pass_context
def slo(
    context: click.Context, products: tuple[str, ...], fail_on: str | None, target: str, format_: str
) -> int:
    """Measure the service levels of PRODUCTS (all that are published, if none is named).

    Each with its target, what was measured now, and the verdict. Nothing is built or recorded.
    """
    from factory.questions.slo import levels_as_json, levels_as_text, levels_of, misses
    from factory.questions.tables import plain
    from factory.report import as_json

    found = levels_of(workspace(context, target), products, datetime.now(UTC))
    if format_ == "json":
        click.echo(as_json(levels_as_json(found)))
    else:
        click.echo(plain(levels_as_text(found, _width())))
    return int(fail_on is not None and misses(found, fail_on))


def _width() -> int:
    return max(60, shutil.get_terminal_size((100, 24)).columns) if sys.stdout.isatty() else 120


COMMANDS = (quality, slo)
