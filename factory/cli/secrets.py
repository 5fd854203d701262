"""The last gate as a command: `secrets`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from factory.cli.frame import format_option, target_option, workspace


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--vars",
    "variables",
    default="",
    help="Variables of the build, as for `factory build`: their values count.",
)
@target_option
@format_option
@click.pass_context
def secrets(
    context: click.Context, paths: tuple[Path, ...], variables: str, target: str, format_: str
) -> None:
    """Look for secrets in all that is published, or in files and folders.

    Without PATH: registry, what describes the ports, and the documentation page. Values of secret environment variables
    and tokens of known formats are found, and told masked, with their place. Exit code 1 if there is one.
    """
    from factory.questions.secrets import look_through, looked_as_json, looked_as_text
    from factory.questions.tables import plain
    from factory.report import as_json
    from factory.results import EXIT_DONE, EXIT_REFUSED

    looked = look_through(workspace(context, target), paths, dict(os.environ), variables)
    click.echo(as_json(looked_as_json(looked)) if format_ == "json" else plain(looked_as_text(looked)))
    context.exit(EXIT_REFUSED if looked.leaks else EXIT_DONE)


COMMANDS = (secrets,)
