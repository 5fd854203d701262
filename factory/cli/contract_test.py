"""The command that holds a contract to its data: `contract test`."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("test")
@click.argument("file", type=FILE)
@click.option("--server", default="", help="Which of the contract's servers; needed where it has several.")
@click.option("--format", "format_", type=click.Choice(["text", "json", "junit"]), default="text",
              show_default=True, help="How to print; junit is made for build servers.")  # fmt: skip
@click.pass_context
def held(context: click.Context, file: Path, server: str, format_: str) -> int:
    """Test a contract FILE against its data: columns, types, keys, options, permitted values and quality rules.

    FILE is any contract of ODCS; one of an older standard is read as ODCS 3.2. The data is that of a server of the type
    local (Parquet, CSV, JSON) or duckdb; paths are from the contract's folder, or from the workspace's. Exits with 1 if
    a check of severity error failed or could not run.
    """
    from factory.errors import WorkspaceError
    from factory.questions.contract_test import held_as_json, held_as_junit, held_as_text, held_to_data
    from factory.questions.tables import plain
    from factory.report import as_json
    from factory.workspace import find_workspace

    try:
        root = find_workspace(context.obj).root
    except WorkspaceError:
        root = None
    found = held_to_data(file, server, root)
    if format_ == "json":
        click.echo(as_json(held_as_json(found)))
    elif format_ == "junit":
        click.echo(plain(held_as_junit(found)))
    else:
        click.echo(plain(held_as_text(found, root)))
    return 0 if found.holds else 1


COMMANDS = (held,)
