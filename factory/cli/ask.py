"""Commands that ask about what is published: `list`, `show`, and dbt's own docs."""

from __future__ import annotations

import os
import shutil
import sys

import click

from factory.cli.frame import (
    format_option,
    published_workspace,
    target_option,
    workspace,
)


@click.command("list")
@target_option
@format_option
@click.pass_context
def list_(context: click.Context, target: str, format_: str) -> None:
    """List the published products."""
    from factory.registry.index import read_index
    from factory.report import as_json, products_as_text

    ws = published_workspace(context, target)
    entries = read_index(ws)["products"]
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    click.echo(as_json({"products": entries}) if format_ == "json" else products_as_text(entries, width))


@click.command()
@click.argument("product")
@click.option("--why", is_flag=True, help="Also how the quality score came about.")
@target_option
@format_option
@click.pass_context
def show(context: click.Context, product: str, why: bool, target: str, format_: str) -> None:
    """Show what a consumer wants to know about a PRODUCT."""
    from datetime import UTC, datetime

    from factory.questions.show import page_as_json, page_as_text
    from factory.questions.show import show as show_product
    from factory.questions.tables import plain
    from factory.report import as_json

    page = show_product(published_workspace(context, target), product, datetime.now(UTC))
    if format_ == "json":
        click.echo(as_json(page_as_json(page)))
    else:
        width = max(60, min(100, shutil.get_terminal_size((80, 24)).columns))
        click.echo(plain(page_as_text(page, width, why=why)))


@click.command()
@target_option
@format_option
@click.pass_context
def docs(context: click.Context, target: str, format_: str) -> None:
    """Write dbt's documentation of all products as one file that opens without a server."""
    from factory.docs import write_docs
    from factory.report import as_json

    ws = workspace(context, target)
    file = write_docs(ws, environment=dict(os.environ))
    size = file.stat().st_size
    if format_ == "json":
        click.echo(as_json({"file": ws.relative(file), "bytes": size}))
    else:
        click.echo(f"{ws.relative(file)} ({size / 1e6:.1f} MB). Open it in a browser.")


COMMANDS = (list_, show, docs)
