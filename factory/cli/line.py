"""Commands that walk the line: `build`, `check`, `sync`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from factory.cli.frame import Command, format_option, target_option, telling, workspace
from factory.errors import FactoryError, WorkspaceError
from factory.workspace import Workspace, openlineage_fault

if TYPE_CHECKING:
    from factory.results import Run


def _line_options(command: Command) -> Command:
    options: list[Callable[[Any], Any]] = [
        click.argument("products", nargs=-1),
        target_option,
        click.option("--full", is_flag=True, help="Run everything, changed or not."),
        click.option(
            "--changed-since",
            metavar="REV",
            default="",
            help="Only what differs from a git revision, and what reads it.",
        ),
        click.option(
            "--vars", "variables", metavar="YAML", default="", help="dbt's variables, as for dbt's --vars."
        ),
        click.option(
            "--progress/--no-progress", default=None, help="Rewrite one line on stderr, or write plain lines."
        ),
        click.option(
            "--openlineage",
            metavar="WHERE",
            default="",
            help="Tell OpenLineage of the run: a file below the workspace, an http(s) address, or env:NAME.",
        ),
        format_option,
        click.pass_context,
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_line_options
def build(
    context: click.Context, products: tuple[str, ...], target: str, format_: str, **options: Any
) -> int:
    """Build, judge and publish PRODUCTS (all, if none is named).

    A product that is refused does not stop the others; what was published of it before stays published.
    dbt's marks work: +orders is orders and all that it reads, orders+ is orders and all that read it.
    """
    return _run(workspace(context, target), products, format_, publish=True, **options)


@click.command()
@_line_options
@click.option(
    "--consumers",
    is_flag=True,
    help="Build the direct consumers of one PRODUCT against what it is now, and touch nothing else.",
)
@click.option(
    "--published",
    is_flag=True,
    help="Check the published tables of PRODUCTS against their contracts; nothing is built.",
)
def check(
    context: click.Context,
    products: tuple[str, ...],
    target: str,
    format_: str,
    consumers: bool,
    published: bool,
    **options: Any,
) -> int:
    """Do all that `build` does, except publishing.

    With --consumers, tell which products that read PRODUCT pass, and which break and where. With --published, look at
    what consumers read now: service levels are measured, incidents followed, and what does not hold loses its
    certificate.
    """
    if published:
        return _recheck(context, products, target, format_, consumers=consumers, **options)
    if consumers:
        return _rehearse(context, products, target, format_, **options)
    return _run(workspace(context, target), products, format_, publish=False, **options)


@click.command()
@target_option
@click.pass_context
def sync(context: click.Context, target: str) -> None:
    """Write packages.yml, profiles.yml and dbt_packages/, so that dbt itself works from the root."""
    from factory.products import discover
    from factory.umbrella import sync as sync_umbrella

    ws = workspace(context, target)
    products = discover(ws)
    changed = sync_umbrella(ws, products)
    click.echo(
        f"{len(products)} products. " + (f"Written: {', '.join(changed)}" if changed else "Nothing changed.")
    )


def _run(
    ws: Workspace,
    names: tuple[str, ...],
    format_: str,
    *,
    publish: bool,
    full: bool,
    changed_since: str,
    variables: str,
    progress: bool | None,
    openlineage: str,
) -> int:
    from factory.pipeline import run
    from factory.plan import Request
    from factory.report import ProgressLine

    if variables:
        _must_be_mapping(variables)
    fault, hint = openlineage_fault(openlineage)
    if fault:
        raise WorkspaceError(f"--openlineage: {fault}", hint=hint)
    request = Request(
        names=names,
        publish=publish,
        full=full,
        changed_since=changed_since,
        variables=variables,
        environment=dict(os.environ),
        openlineage=openlineage,
    )
    line = ProgressLine(enabled=progress)
    try:
        result = run(ws, request, line)
    finally:
        line.done()
    return _told(result, ws, format_)


def _told(result: Run, ws: Workspace, format_: str) -> int:
    """Print how a run went; return its exit code."""
    from factory.questions.tables import plain
    from factory.report import as_json, run_as_json, run_as_text

    for note in result.notes:
        click.echo(plain(note), err=True)
    if format_ == "json":
        click.echo(as_json(run_as_json(result)))
    else:
        color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo(run_as_text(result, ws, color, width), color=color)
    return result.exit_code


def _recheck(
    context: click.Context,
    names: tuple[str, ...],
    target: str,
    format_: str,
    *,
    consumers: bool,
    full: bool,
    changed_since: str,
    variables: str,
    progress: bool | None,
    openlineage: str,
) -> int:
    if consumers or full or changed_since or variables or openlineage:
        raise click.UsageError(
            "--published builds nothing: leave out --consumers, --full, --changed-since, --vars and --openlineage"
        )
    from factory.plan import Request
    from factory.recheck import recheck
    from factory.report import ProgressLine

    ws = workspace(context, target)
    line = ProgressLine(enabled=progress)
    try:
        with telling(ws):
            result = recheck(ws, Request(names), line)
    finally:
        line.done()
    return _told(result, ws, format_)


def _rehearse(
    context: click.Context,
    names: tuple[str, ...],
    target: str,
    format_: str,
    *,
    full: bool,
    changed_since: str,
    variables: str,
    progress: bool | None,
    openlineage: str,
) -> int:
    if len(names) != 1 or "+" in names[0]:
        raise click.UsageError("--consumers goes with the name of one PRODUCT")
    if full or changed_since:
        raise click.UsageError(
            "--consumers builds what reads the product in any case: leave out --full and --changed-since"
        )
    if openlineage:
        raise click.UsageError("--consumers tells nobody of what it builds: leave out --openlineage")
    from factory.plan import Request
    from factory.rehearse import rehearse
    from factory.report import ProgressLine, as_json, rehearsal_as_json, rehearsal_as_text

    if variables:
        _must_be_mapping(variables)
    request = Request(names, publish=False, variables=variables, environment=dict(os.environ))
    line = ProgressLine(enabled=progress)
    try:
        result = rehearse(workspace(context, target), names[0], request, line)
    finally:
        line.done()
    if format_ == "json":
        click.echo(as_json(rehearsal_as_json(result)))
    else:
        color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        click.echo(rehearsal_as_text(result, color), color=color)
    return result.exit_code


def _must_be_mapping(variables: str) -> None:
    from factory.documents import parse_yaml

    try:
        data = parse_yaml(variables, Path("--vars")).data
    except FactoryError as error:
        raise WorkspaceError(
            f"--vars: {error.message}", hint="write a mapping, such as '{name: value}'"
        ) from error
    if not isinstance(data, dict):
        raise WorkspaceError("--vars is not a mapping", hint="write a mapping, such as '{name: value}'")


COMMANDS = (build, check, sync)
