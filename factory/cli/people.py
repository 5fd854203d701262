"""Commands about the people behind a product: `owner`, `contact`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from factory.cli.frame import format_option, workspace


@click.command()
@click.argument("product")
@click.option("--new", "username", metavar="USER", required=True, help="Who is to own it.")
@click.option("--name", default="", help="The new owner's name, for people.")
@click.option("--date", "day", metavar="DATE", default="", help="The day of the change.  [default: today]")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.pass_context
def owner(context: click.Context, product: str, username: str, name: str, day: str, dry_run: bool) -> None:
    """Give PRODUCT another owner: close the entry of the one of today, and open that of USER.

    It is written wherever the team stands: in product.odps.yaml, and in contracts with a team of their own. Versions
    that are published are raised by a patch. Everything else in the files stays as it is.
    """
    from factory.questions.tables import plain
    from factory.succession import Newcomer, succeed

    ws = workspace(context)
    found = succeed(ws, product, Newcomer(username.strip(), name.strip(), _day(day)), dry_run=dry_run)
    before = f", after {', '.join(found.before)}" if found.before else ""
    lines = [f"{username.strip()} {'would own' if dry_run else 'owns'} {found.product}{before}."]
    lines += [f"  {ws.relative(w.file)}:{w.line}  {w.words}" for w in found.written]
    if found.mentions:
        lines += ["", "Look here, too: the one before is named in"]
        lines += [f"  {ws.relative(file)}:{line}" for file, line in found.mentions]
    if dry_run:
        lines += ["", "Nothing is written: leave --dry-run out."]
    click.echo(plain("\n".join(lines)))


def _day(text: str) -> date:
    if not text:
        return datetime.now().astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date such as 2024-01-31", param_hint="--date") from None


@click.command()
@click.argument("product", metavar="PRODUCT|FILE")
@click.option("--skip", "skipped", metavar="USER", multiple=True,
              help="Who cannot be reached; may be given several times.")  # fmt: skip
@format_option
@click.pass_context
def contact(context: click.Context, product: str, skipped: tuple[str, ...], format_: str) -> int:
    """Say whom to ask about PRODUCT: its owner, or with --skip the one before, back to the first.

    It may be a product of the workspace, one that is only published, or the FILE of a contract (*.odcs.yaml). Exits
    with 1 if nobody is left to ask; then there are the support channels.
    """
    from factory.questions.contact import contact as find
    from factory.questions.contact import contact_as_json, contact_as_text, contact_of_file
    from factory.questions.tables import plain
    from factory.report import as_json

    if product.endswith((".yaml", ".yml")):
        found = contact_of_file(Path(product), skipped)
    else:
        found = find(workspace(context), product, skipped)
    text = as_json(contact_as_json(found)) if format_ == "json" else plain(contact_as_text(found))
    click.echo(text)
    return int(found.ask is None)


COMMANDS = (owner, contact)
