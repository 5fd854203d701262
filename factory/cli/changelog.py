"""The command about what changed in published contracts: `contract changelog`."""

from __future__ import annotations

import click

from factory.cli.frame import target_option, workspace


@click.command()
@click.argument("product")
@click.argument("contract", default="", metavar="[CONTRACT]")
@click.option("--format", "format_", type=click.Choice(["text", "json", "markdown"]), default="text",
              show_default=True, help="How to print; markdown is made for release notes.")  # fmt: skip
@target_option
@click.pass_context
def changelog(context: click.Context, product: str, contract: str, format_: str, target: str) -> None:
    """Show what changed from version to version of a PRODUCT's published contracts, newest first.

    Each version stands with its severity and its changes against the version before it; the first of a major version
    against the newest below it. With CONTRACT, of that one alone.
    """
    from factory.questions.changelog import changelog as releases_of
    from factory.questions.changelog import changelog_as_json, changelog_as_markdown, changelog_as_text
    from factory.questions.tables import plain
    from factory.report import as_json

    releases = releases_of(workspace(context, target), product, contract)
    if format_ == "json":
        click.echo(as_json(changelog_as_json(product, releases)))
    elif format_ == "markdown":
        click.echo(plain(changelog_as_markdown(product, releases)), nl=False)
    else:
        click.echo(plain(changelog_as_text(releases)))


COMMANDS = (changelog,)
