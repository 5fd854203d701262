"""Commands about where data comes from and who is hit: `lineage`, `impact`."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from factory.cli.frame import target_option, width, workspace

if TYPE_CHECKING:
    from factory.lineage.paths import Paths

FILE = click.Path(path_type=Path, exists=True)
OUT = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("column", default="")
@click.option(
    "--manifest",
    "manifests",
    type=FILE,
    multiple=True,
    help="dbt's manifest.json of any project, or the folder with it; may be given several times.",
)
@click.option("--catalog", "catalogs", type=FILE, multiple=True,
              help="Its catalog.json; without one, the one beside the manifest.")  # fmt: skip
@click.option(
    "--dialect", default="", help="The dialect of the SQL.  [default: that of the manifest's adapter]"
)
@click.option("--up", is_flag=True, help="What COLUMN is made of.  [default]")
@click.option("--down", is_flag=True, help="Where COLUMN goes.")
@click.option("--depth", type=click.IntRange(min=1), default=None, help="So many steps.  [default: all]")
@click.option("--indirect", is_flag=True, help="Also what only decides about rows or values.")
@click.option("--format", "format_", type=click.Choice(["text", "json", "openlineage", "mermaid", "dot"]),
              default=None, help="What to write.  [default: text, and openlineage with --output]")  # fmt: skip
@click.option("-o", "--output", type=OUT, default=None, help="Write to a file instead of the screen.")
@click.option("--cache/--no-cache", default=True, help="Keep what was found for the next time.")
@target_option
@click.pass_context
def lineage(
    context: click.Context,
    column: str,
    manifests: tuple[Path, ...],
    catalogs: tuple[Path, ...],
    dialect: str,
    up: bool,
    down: bool,
    depth: int | None,
    indirect: bool,
    format_: str | None,
    output: Path | None,
    cache: bool,
    target: str,
) -> None:
    """Show which column is made of which: of COLUMN, or of everything.

    COLUMN is PRODUCT.MODEL.COLUMN, or shorter where that is clear. Without --manifest it is about this workspace,
    as it was built last; with it, about any dbt projects, which need no workspace.
    """
    from factory.errors import FactoryError
    from factory.files import told_as, write_whole
    from factory.lineage.crew import rare_collections
    from factory.questions.lineage import paths_of_manifests, paths_of_workspace

    if up and down:
        raise click.UsageError("ask for --up or for --down")
    if (up or down or depth or indirect) and not column:
        raise click.UsageError("--up, --down, --depth and --indirect go with a COLUMN")
    if catalogs and not manifests:
        raise click.UsageError("--catalog goes with --manifest")
    if dialect:
        _known_dialect(dialect)
    if manifests:
        paths = paths_of_manifests(manifests, catalogs, dialect=dialect, cached=cache)
    else:
        paths = paths_of_workspace(workspace(context, target), dialect=dialect, cached=cache)
    wanted = format_ or ("openlineage" if output else "text")
    with rare_collections():
        text = _written(paths, wanted, column, down, depth or 0, indirect)
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    with told_as(FactoryError, "writing the lineage", output):
        write_whole(output, text if text.endswith("\n") else text + "\n", durable=False)
    if wanted != "text":
        from factory.questions.lineage import summary_as_text

        click.echo(summary_as_text(paths, width()).splitlines()[0], err=True)


def _written(paths: Paths, format_: str, column: str, down: bool, depth: int, indirect: bool) -> str:
    from factory.lineage import pictures
    from factory.lineage.formats import dataset_events, lineage_values
    from factory.questions.lineage import summary_as_text, tree_as_text
    from factory.questions.tables import plain

    if column:
        address = paths.find(column)
        walk = paths.down if down else paths.up
        starts = (
            [address]
            if address.column
            else [address._replace(column=c) for c in paths.columns(address.relation)]
        )
        trees = [walk(start, depth, indirect=indirect) for start in starts]
        if format_ == "text":
            wide = shutil.get_terminal_size((120, 24)).columns if sys.stdout.isatty() else 0
            return plain("\n".join(tree_as_text(paths, tree, wide) for tree in trees))
        steps = [step for tree in trees for step in tree]
        if format_ in ("mermaid", "dot"):
            drawn = pictures.picture(paths, steps, down=down)
            return pictures.mermaid(drawn) if format_ == "mermaid" else pictures.dot(drawn)
        paths = paths.only(steps)
    if format_ == "text":
        return plain(summary_as_text(paths, width()))
    if format_ in ("mermaid", "dot"):
        drawn = pictures.picture(paths)
        return pictures.mermaid(drawn) if format_ == "mermaid" else pictures.dot(drawn)
    if format_ == "json":
        inside = ",\n".join(
            f"{json.dumps(key)}: {_lines(values)}" for key, values in lineage_values(paths.lineage).items()
        )
        return f"{{\n{inside}\n}}"
    return _lines(dataset_events(paths.graph, paths.lineage))


# Control characters that JSON allows and a terminal may obey.
_CONTROL = re.compile(r"[\x7f-\x9f]")


def _lines(values: list[Any]) -> str:
    """Return a list as JSON, an entry per line: quick to write, and a changed entry is a changed line."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    inside = _CONTROL.sub(lambda each: f"\\u{ord(each[0]):04x}", ",\n".join(map(encode, values)))
    return f"[\n{inside}\n]" if values else "[]"


def _known_dialect(name: str) -> None:
    from factory.lineage.statement import dialects

    known = dialects()
    if name not in known:
        raise click.BadParameter(f"{name!r} is none of {', '.join(sorted(known))}", param_hint="--dialect")


@click.command()
@click.argument("what", default="", metavar="[COLUMN|MODEL]")
@click.option(
    "--diff", is_flag=True, help="Every column that the products, as they are now, take away or retype."
)
@click.option("--format", "format_", type=click.Choice(["text", "json", "markdown"]), default="text",
              show_default=True, help="How to print; markdown is made for a pull request.")  # fmt: skip
@click.option("--fail-on", type=click.Choice(["consumers", "breaks"]), default=None,
              help="Exit with 1 if anybody outside the product is hit, or if something breaks.")  # fmt: skip
@target_option
@click.pass_context
def impact(
    context: click.Context, what: str, diff: bool, format_: str, fail_on: str | None, target: str
) -> int:
    """Show who is hit if a COLUMN or a MODEL is removed, renamed or retyped.

    COLUMN is PRODUCT.MODEL.COLUMN, or shorter where that is clear. It is about this workspace, as it was built last,
    and what is published. With --diff nothing is named: dbt reads the products, and each column of a port that is
    gone or has another type, against the published contracts, is shown with its impact.
    """
    from factory.questions.impact import Change, changes_since_published, impact_of
    from factory.questions.impact_text import impact_as_json, impact_as_text, impacts_as_markdown
    from factory.questions.lineage import paths_of_workspace
    from factory.questions.tables import plain
    from factory.report import as_json

    if bool(what) == diff:
        raise click.UsageError("name a COLUMN or a MODEL, or ask for --diff")
    ws = workspace(context, target)
    paths = paths_of_workspace(ws, published_first=diff)
    changes = changes_since_published(ws, paths) if diff else [Change(paths.find(what))]
    impacts = [impact_of(ws, paths, change) for change in changes]
    if format_ == "markdown":
        click.echo(impacts_as_markdown(impacts, paths), nl=False)
    elif format_ == "json":
        values = [impact_as_json(each, paths) for each in impacts]
        click.echo(as_json({"impacts": values} if diff else values[0]))
    else:
        texts = [impact_as_text(each, paths, width()) for each in impacts]
        click.echo(plain("\n\n".join(texts) or "Nothing that is published is taken away."))
    hit = any(each.has_consumers if fail_on == "consumers" else each.breaks for each in impacts)
    return int(bool(fail_on) and hit)


COMMANDS = (lineage, impact)
