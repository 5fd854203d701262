"""Commands about who may read what: `access request`, `approve`, `deny`, `revoke`, `withdraw`, `list`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from factory.cli.frame import (
    format_option,
    refuse_secrets,
    shared_workspace,
    somebody,
    target_option,
    workspace,
)

if TYPE_CHECKING:
    from factory.registry.access import Access
    from factory.registry.control import Word

_by = click.option(
    "--by", metavar="WHO", default="", help="Who says so.  [default: git's user.email, or the user's name]"
)
_why = click.option("--reason", metavar="TEXT", default="", help="Why.")
_id = click.argument("request", metavar="ID")


@click.group()
def access() -> None:
    """Ask for access to data, and decide about it."""


def _word(context: click.Context, by: str, reason: str) -> Word:
    from factory.registry.control import Word

    refuse_secrets(context, by=by, reason=reason)
    return Word(by.strip() or somebody(context), reason.strip(), datetime.now(UTC))


@access.command()
@click.argument("product", metavar="PRODUCT|CONTRACT")
@click.option(
    "--for",
    "consumer",
    metavar="CONSUMER",
    required=True,
    help="Who is to read it: a team, a product, a person.",
)
@click.option("--purpose", metavar="TEXT", required=True, help="What for.")
@click.option("--contact", metavar="WHO", default="", help="Whom to tell of changes.")
@click.option("--until", metavar="DATE", default="", help="The last day of access.")
@_by
@target_option
@click.pass_context
def request(
    context: click.Context, /, product: str, consumer: str, purpose: str, target: str, **more: str
) -> None:
    """Ask for access to PRODUCT, or to one of its contracts (product.contract); its owner is told by the event."""
    from factory.registry.access import Wish, request_access

    refuse_secrets(context, purpose=purpose, **{"for": consumer, "contact": more["contact"]})
    wish = Wish(consumer.strip(), more["contact"].strip(), _day(more["until"]))
    ws = shared_workspace(context, target)
    found, is_news = request_access(ws, product, wish, _word(context, more["by"], purpose))
    asks = "asks for access" if is_news else "asked before"
    _tell(f"{found.about}: {found.consumer} {asks}, request {found.id} ({found.state}).")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date such as 2027-01-31", param_hint="--until") from None


def _decide(context: click.Context, part: str, decision: str, word: Word, target: str) -> None:
    from factory.registry.access import State, decide

    found, is_news = decide(shared_workspace(context, target), part, State(decision), word)
    before = "" if is_news else " before"
    _tell(f"{found.about}: the request {found.id} of {found.consumer} was {found.state}{before}.")


@access.command()
@_id
@_why
@_by
@target_option
@click.pass_context
def approve(context: click.Context, request: str, reason: str, by: str, target: str) -> None:
    """Give the access that the request ID asks for; a member of the product's team does, who did not ask for it."""
    _decide(context, request, "approved", _word(context, by, reason), target)


@access.command()
@_id
@click.option("--reason", metavar="TEXT", required=True, help="Why; who asked reads it.")
@_by
@target_option
@click.pass_context
def deny(context: click.Context, request: str, reason: str, by: str, target: str) -> None:
    """Deny the request ID."""
    _decide(context, request, "denied", _word(context, by, reason), target)


@access.command()
@_id
@click.option("--reason", metavar="TEXT", required=True, help="Why; who has it reads it.")
@_by
@target_option
@click.pass_context
def revoke(context: click.Context, request: str, reason: str, by: str, target: str) -> None:
    """Take back the access that was given to the request ID."""
    _decide(context, request, "revoked", _word(context, by, reason), target)


@access.command()
@_id
@_why
@_by
@target_option
@click.pass_context
def withdraw(context: click.Context, request: str, reason: str, by: str, target: str) -> None:
    """Withdraw your own request ID, or give the access back."""
    _decide(context, request, "withdrawn", _word(context, by, reason), target)


@access.command("list")
@click.argument("product", default="")
@click.option("--all", "everything", is_flag=True, help="Also what is over.")
@format_option
@target_option
@click.pass_context
def list_(context: click.Context, product: str, everything: bool, format_: str, target: str) -> None:
    """Show who has access to PRODUCT, or to anything, and who asks for it."""
    from factory.registry.access import all_accesses
    from factory.report import as_json

    today = datetime.now(UTC).date()
    found = [
        each
        for each in all_accesses(workspace(context, target), today)
        if (everything or each.is_open) and product in ("", each.product, each.about)
    ]
    if format_ == "json":
        click.echo(as_json({"requests": [_values(each) for each in found]}))
        return
    _tell("\n".join(_line(each) for each in found) if found else "Nobody has access or asks for it.")


def _values(access: Access) -> dict[str, str | None]:
    return {
        "id": access.id,
        "about": access.about,
        "product": access.product,
        "consumer": access.consumer,
        "contact": access.contact,
        "purpose": access.purpose,
        "by": access.by,
        "at": access.at.isoformat(),
        "until": access.until.isoformat() if access.until else None,
        "state": str(access.state),
        "decided_by": access.decided_by,
        "reason": access.reason,
    }


def _line(access: Access) -> str:
    until = f" until {access.until}" if access.until else ""
    decided = f" by {access.decided_by}" if access.decided_by else ""
    why = f" ({access.reason})" if access.reason else ""
    return (
        f"{access.id}  {access.about}\n  {access.consumer}: {access.state}{decided}{until}{why}\n"
        f"  asked {access.at:%Y-%m-%d} by {access.by}: {access.purpose}"
    )


def _tell(text: str) -> None:
    from factory.questions.tables import plain

    click.echo(plain(text))


COMMANDS = (access,)
