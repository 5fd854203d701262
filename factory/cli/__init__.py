"""The command line: words in, one call, a report, an exit code. The only place that catches errors.

Nothing heavy (dbt, Soda, sqlglot, DuckDB, the schemas) is imported before a command needs it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from factory import __version__
from factory.cli import (
    access,
    ask,
    contract,
    control,
    find,
    history,
    incidents,
    line,
    people,
    quality,
    registry,
    secrets,
    start,
    template,
    trace,
)
from factory.cli.frame import EXIT_CODES, run_guarded


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, "--version", prog_name="factory")
@click.option(
    "-C",
    "--workspace",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="the folder you are in",
    help="A folder in the workspace.",
)
@click.pass_context
def cli(context: click.Context, workspace: Path) -> None:
    """Build, check, describe, certify and publish data products made with dbt."""
    context.obj = workspace


for module in (
    line,
    control,
    access,
    ask,
    find,
    quality,
    history,
    registry,
    incidents,
    secrets,
    trace,
    contract,
    people,
    start,
    template,
):
    for command in module.COMMANDS:
        cli.add_command(command)


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        code = run_guarded(cli, sys.argv[1:])
    except KeyboardInterrupt:
        code = 130  # an interrupt that came while one was being told
    sys.exit(code)
