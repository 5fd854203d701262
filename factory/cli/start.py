"""Commands that begin something: `init` a workspace, `new` a product."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from factory.cli.frame import ANSWERS, answers_from, format_option, workspace
from factory.errors import FactoryError

if TYPE_CHECKING:
    from factory.workspace import Workspace

_PORTS_SHOWN = 15
_ARCHETYPES = {
    "source-aligned": "close to one source: its events or entities",
    "aggregate": "joins the output ports of several products",
    "consumer-aligned": "made for one use: one flat table",
}


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
    click.echo(f"A workspace stands in {folder} ({len(files)} files; its README.md says what is what).")
    click.echo("Next, in that folder:")
    click.echo("  git init && git add . && git commit -m 'A mesh' && git tag v1.0.0")
    click.echo("  factory new orders")
    click.echo("  factory build")


@click.command()
@click.argument("name", required=False, default="")
@click.option(
    "--data-file",
    type=ANSWERS,
    help="Answers to the template's questions, as YAML. Nothing is asked.",
)
@click.option(
    "--data", "-d", "pairs", multiple=True, metavar="KEY=VALUE", help="One answer; wins over the file."
)
@click.option("--defaults", is_flag=True, help="Ask nothing: what has no answer takes its default.")
@format_option
@click.pass_context
def new(
    context: click.Context,
    name: str,
    data_file: Path | None,
    pairs: tuple[str, ...],
    defaults: bool,
    format_: str,
) -> None:
    """Stamp a new product NAME from the template: it builds and is certified as it stands.

    The template asks some ten questions; domains, teams and output ports of the workspace are offered.
    """
    from factory.report import as_json
    from factory.scaffold import answers_of, check_name, stamp_product

    ws = workspace(context)
    answers = answers_of(data_file) if data_file else {}
    answers |= answers_from(pairs)
    name = _name(name, answers, defaults=defaults)
    answers["name"] = name
    check_name(ws, name)
    ask = not defaults and data_file is None
    if ask and _is_terminal():
        answers = _asked(answers, ws)
    stamped = stamp_product(ws, name, answers, ask=ask, answers_file=data_file)
    folder = ws.relative(stamped.folder)
    for note in stamped.notes:
        click.echo(f"note: {note}", err=True)
    if format_ == "json":
        made = {"name": name, "folder": folder, "version": stamped.version, "files": list(stamped.files)}
        click.echo(as_json(made))
        return
    version = f", template {stamped.version}" if stamped.version else ""
    click.echo(f"The product {name} stands in {folder} ({len(stamped.files)} files{version}).")
    click.echo("Next:")
    plus = "+" if stamped.connected else ""
    click.echo(f"  factory build {plus}{name} --target dev    builds and judges it, publishes nothing")
    click.echo(f"  {folder}/README.md    says where your data and your SQL go")


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _name(name: str, answers: dict[str, Any], *, defaults: bool) -> str:
    given = str(answers.get("name") or "")
    if name and given and name != given:
        raise click.UsageError(f"the product is called {name!r} here and {given!r} in the answers")
    name = name or given
    if not name:
        if defaults or not _is_terminal():
            raise click.UsageError("name the product: factory new NAME")
        name = click.prompt("Name of the product (lower case letters, digits and _)")
    return name


def _asked(answers: dict[str, Any], ws: Workspace) -> dict[str, Any]:
    """Ask what the workspace can offer an answer to; Copier asks the rest."""
    from factory.scaffold import known

    answers, there = dict(answers), known(ws)
    if "archetype" not in answers:
        for archetype, meaning in _ARCHETYPES.items():
            click.echo(f"  {archetype}: {meaning}")
        answers["archetype"] = click.prompt(
            "What kind of data product is it?",
            type=click.Choice(list(_ARCHETYPES)),
            default="source-aligned",
            show_choices=False,
        )
    if "domain" not in answers and there.domains:
        click.echo(f"  domains here: {', '.join(there.domains)}")
        answers["domain"] = click.prompt(
            "Domain that answers for it (one of these, or a new one)", value_proc=_domain
        )
    if "team" not in answers and there.domains:
        teams = there.teams_of(str(answers.get("domain")))
        if teams:
            click.echo(f"  teams of {answers['domain']}: {', '.join(teams)}")
        default = teams[0] if teams else f"{answers.get('domain', 'example')}-data"
        answers["team"] = click.prompt("Team that keeps it", default=default)
    if "inputs" not in answers and answers["archetype"] != "source-aligned" and there.port_names:
        answers["inputs"] = _asked_inputs(there.port_names, ws)
    return answers


def _domain(text: str) -> str:
    from factory.products import DOMAIN_NAME

    if not DOMAIN_NAME.fullmatch(text):
        raise click.BadParameter("use 2 to 63 lower case letters, digits and -, a letter first")
    return text


def _asked_inputs(ports: tuple[str, ...], ws: Workspace) -> list[str]:
    """Ask for output ports until all that are named exist. Part of a name lists the ports that have it."""
    from factory.scaffold import resolve_inputs

    shown = ports
    while True:
        for number, port in enumerate(shown[:_PORTS_SHOWN], 1):
            click.echo(f"  {number:3} {port}")
        if len(shown) > _PORTS_SHOWN:
            click.echo(
                f"      and {len(shown) - _PORTS_SHOWN} more: type a part of a name to see those that have it"
            )
        text = click.prompt(
            "Output ports that it reads: numbers or names, with commas between; none for two sample seeds",
            default="none",
        )
        parts = [part.strip() for part in text.split(",") if part.strip()]
        if parts == ["none"]:
            return []
        chosen = [shown[int(p) - 1] if p.isdigit() and 0 < int(p) <= len(shown) else p for p in parts]
        try:
            return resolve_inputs(chosen, ws)
        except FactoryError as error:
            found = tuple(port for port in ports if len(parts) == 1 and parts[0] in port)
            if not found:
                click.echo(f"  {error.message}")
            shown = found or ports


COMMANDS = (init, new)
