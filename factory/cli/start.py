"""Commands that begin something: `init`."""

from __future__ import annotations

from pathlib import Path

import click

from factory.cli.frame import format_option


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--title", default="", help="What the mesh is called on pages.  [default: from the folder's name]"
)
@format_option
def init(folder: Path, title: str, format_: str) -> None:
    """Stamp an empty workspace into FOLDER: a mesh of your own."""
    from factory.report import as_json
    from factory.scaffold import stamp_workspace

    files = stamp_workspace(folder, title)
    if format_ == "json":
        click.echo(as_json({"folder": folder.as_posix(), "files": list(files)}))
        return
    click.echo(f"A workspace stands in {folder}: {', '.join(files)}")
    click.echo(f"Next: put a product under {folder / 'products'} and run `factory build` there.")


COMMANDS = (init,)
