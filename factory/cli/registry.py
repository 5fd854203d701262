"""Commands about the registry itself: `registry verify`, `rebuild`, `checkpoint`, `key`; with `remove` and `merge`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from factory.cli.control import remove
from factory.cli.frame import format_option, target_option, workspace
from factory.cli.registry_merge import merge

if TYPE_CHECKING:
    from factory.registry.checkpoint import Trust

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def registry() -> None:
    """See whether the registry is as it was published, mend its caches, and sign it."""


@registry.command()
@click.option("--since", default="", metavar="REV",
              help="Refuse changes, deletions and renames of what this revision of git has; for CI.")  # fmt: skip
@click.option("--trust", "trusted", multiple=True, type=_FILE, metavar="PUBLIC_KEY_FILE",
              help="A key that must have signed the checkpoint; may be given several times.")  # fmt: skip
@click.option("--threshold", type=click.IntRange(1), default=1, show_default=True,
              help="How many of the trusted keys must have signed.")  # fmt: skip
@click.option("--seen", type=_FILE, metavar="FILE",
              help="Your memory of the last checkpoint; written when all is well. Asks for --trust.")  # fmt: skip
@click.option("--strict", is_flag=True, help="A file that is newer than the checkpoint is a fault, too.")
@click.option("--fast", is_flag=True, help="Leave out the tables' hashes, the runs, and parts of the index.")
@click.option("--all", "everything", is_flag=True, help="Show all faults, not the first fifty.")
@format_option
@target_option
@click.pass_context
def verify(
    context: click.Context,
    since: str,
    trusted: tuple[Path, ...],
    threshold: int,
    seen: Path | None,
    strict: bool,
    fast: bool,
    everything: bool,
    format_: str,
    target: str,
) -> int:
    """Say whether the registry is as it was published: every hash, seal, name, link and pointer of it.

    Each fault comes with its place and its remedy. Exits with 1 if there is one; warnings and notes are none. It reads
    only, asks no server, and needs nothing but the files; --since needs git, and --trust the public keys.
    """
    from factory.questions.tables import plain
    from factory.registry.verify import Wishes
    from factory.registry.verify import verify as verify_all
    from factory.registry.verify_text import report_as_text
    from factory.report import as_json

    ws = workspace(context, target)
    wishes = Wishes(fast, since, _trust(trusted, threshold), seen, strict)
    if seen is not None and wishes.trust is None:
        raise click.UsageError("--seen asks for --trust: what nobody signed is not worth remembering")
    report = verify_all(ws, datetime.now(UTC), wishes)
    if format_ == "json":
        click.echo(as_json(report.values()))
    else:
        click.echo(plain(report_as_text(report, everything=everything)))
    return 0 if report.clean else 1


def _trust(files: tuple[Path, ...], threshold: int) -> Trust | None:
    from factory.registry.checkpoint import Trust
    from factory.registry.keys import public_key

    if not files:
        if threshold > 1:
            raise click.UsageError("--threshold asks for --trust")
        return None
    keys = tuple({key.key_id: key for key in map(public_key, files)}.values())
    if threshold > len(keys):
        raise click.BadParameter(f"there are {len(keys)} different keys", param_hint="--threshold")
    return Trust(keys, threshold)


@registry.command()
@format_option
@target_option
@click.pass_context
def rebuild(context: click.Context, format_: str, target: str) -> None:
    """Make registry.json and the database of ports from the folders, and clear away what killed runs left.

    Nothing that was published is touched. What is half-written and older than an hour goes.
    """
    from factory.questions.tables import plain
    from factory.registry.rebuild import rebuild as rebuild_all
    from factory.report import as_json

    ws = workspace(context, target)
    done = rebuild_all(ws)
    if format_ == "json":
        click.echo(as_json(done.values()))
        return
    words = "is made anew" if done.index else "was as it should be"
    lines = [f"{ws.relative(ws.registry)}/registry.json {words}: {done.products:,} products."]
    for verb, names in (("added", done.added), ("removed", done.removed), ("changed", done.changed)):
        lines += [f"  {verb} {name}" for name in names[:20]]
        lines += [f"  {verb} {len(names) - 20:,} more" for _ in names[20:21]]
    if done.database:
        lines.append(f"{ws.relative(ws.ports_database)} is made anew.")
    lines += [f"Cleared away {path}" for path in done.cleared]
    click.echo(plain("\n".join(lines)))


@registry.command()
@click.option("--key", "keys", multiple=True, required=True, metavar="FILE|env:NAME",
              help="The private key that signs; may be given several times.")  # fmt: skip
@click.option("--expires", default="P30D", show_default=True, metavar="PERIOD",
              help="After which time nobody is to rely on it: P7D, P3M.")  # fmt: skip
@click.option("--add", is_flag=True, help="Sign the checkpoint that is there, beside those who signed it.")
@target_option
@click.pass_context
def checkpoint(context: click.Context, keys: tuple[str, ...], expires: str, add: bool, target: str) -> int:
    """Sign all that is published: registry/checkpoint.json, and the list of files beside it.

    Who holds your public key sees with `factory registry verify --trust` that nothing of it changed, and with --seen
    that nothing they saw before is gone. A registry with a fault is not signed (exit code 1).
    """
    from factory.locking import registry_locked
    from factory.questions.tables import plain
    from factory.registry.checkpoint import add_signatures, write_checkpoint
    from factory.registry.keys import private_key
    from factory.registry.verify import Wishes
    from factory.registry.verify import verify as verify_all
    from factory.registry.verify_text import report_as_text

    ws = workspace(context, target)
    now = datetime.now(UTC).replace(microsecond=0)
    until = _until(expires, now)
    signing = [private_key(key) for key in keys]
    _need_registry(ws.registry)
    with registry_locked(ws.registry):
        report = verify_all(ws, now, Wishes(fast=True))
        if not report.clean:
            click.echo(plain(report_as_text(report)))
            click.echo("A registry with a fault is not signed.", err=True)
            return 1
        made = (
            add_signatures(ws.registry, signing)
            if add
            else write_checkpoint(ws.registry, signing, now, until)
        )
    names = ", ".join(signature.key_id[:16] for signature in made.signatures)
    words = f"number {made.number}, {made.count:,} files, until {made.expires:%Y-%m-%d}, signed by {names}."
    click.echo(plain(f"{ws.relative(ws.registry)}/checkpoint.json: {words}"))
    return 0


def _need_registry(folder: Path) -> None:
    from factory.errors import RegistryError

    if not folder.is_dir():
        raise RegistryError("there is no registry", where=folder, hint="build a product first: factory build")


def _until(text: str, now: datetime) -> datetime:
    from factory.periods import period_of

    try:
        day = period_of(text).after(now.date())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--expires") from None
    if day <= now.date():
        raise click.BadParameter("it is over at once", param_hint="--expires")
    return now + timedelta(days=(day - now.date()).days)


@registry.command()
@click.argument("file", type=_FILE, metavar="NEW_FILE")
def key(file: Path) -> None:
    """Make a private key that signs checkpoints, in NEW_FILE, and print its public key.

    The private key is for your eyes only (mode 0600) and belongs into no repository; whoever trusts you gets what is
    printed: `factory registry key ~/factory.pem > factory.pub`.
    """
    from factory.errors import FactoryError, RegistryError
    from factory.git import git, repository_of
    from factory.registry.keys import new_key

    place = file.resolve()
    if "registry" in place.parent.parts and (_registry_around(place.parent) is not None):
        hint = "keep it outside, such as in your home folder"
        raise RegistryError("a private key is not kept in the registry that it signs", where=file, hint=hint)
    public = new_key(file)
    click.echo(public.pem(), nl=False)
    click.echo(f"The private key is in {file}; its id is {public.key_id[:16]}.", err=True)
    try:
        top = repository_of(place.parent)
        ignored = top is None or bool(git("check-ignore", "--", place.name, cwd=place.parent, accept=(0, 1)))
    except FactoryError:
        top, ignored = None, True
    if top is not None and not ignored:
        click.echo(f"Warning: {file} is in the git repository {top}: never commit it.", err=True)


def _registry_around(folder: Path) -> Path | None:
    """Return the registry that a folder lies in, or None."""
    return next(
        (f for f in (folder, *folder.parents) if f.name == "registry" and (f / "products").is_dir()), None
    )


@registry.command()
@click.pass_context
def pull(context: click.Context) -> None:
    """Bring what others published to the bucket of `publish_to`; builds and commands that write do so themselves."""
    from factory.locking import locked
    from factory.registry.remote import pull as bring
    from factory.registry.remote import replica_of

    ws = workspace(context)
    if replica_of(ws) is None:
        click.echo("The registry lies here: there is nothing to pull. A bucket is named by `publish_to`.")
        return
    with locked(ws):
        bring(ws)
    click.echo(f"{ws.relative(ws.registry)} is as {ws.settings.publish_to} is.")


registry.add_command(remove)
registry.add_command(merge)

COMMANDS = (registry,)
