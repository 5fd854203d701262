"""What every command shares: the workspace, the format, and one place that turns errors into exit codes."""

from __future__ import annotations

import contextlib
import getpass
import itertools
import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from factory.errors import FactoryError
from factory.files import remedy_of
from factory.workspace import PROD, Workspace, find_workspace

Command = TypeVar("Command", bound=Callable[..., Any])

EXIT_CODES = (
    "Exit codes: 0 done; 1 a product was refused; 2 input, set-up, disk or lock; 3 a bug in the factory; "
    "4 this version exists with other content; 130 interrupted."
)

format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print.",
)
ANSWERS = click.Path(path_type=Path, dir_okay=False, exists=True)
target_option = click.option(
    "--target",
    "-t",
    default=PROD,
    show_default=True,
    help="dbt's target; only prod publishes to registry/ and ports/.",
)


def since_option(default: str = "30d") -> Callable[[Command], Command]:
    """Return the option that says from when on something is told."""
    words = "From when on: 12h, 30d, 4w, P3M, or a day such as 2026-01-31."
    return click.option("--since", default=default, show_default=True, metavar="WHEN", help=words)


def moment(text: str, option: str = "--since") -> datetime:
    """Return the moment that an option names.

    Raises:
        click.BadParameter: it names none.

    """
    from factory.periods import moment_before

    try:
        return moment_before(text, datetime.now(UTC))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def workspace(context: click.Context, target: str = PROD) -> Workspace:
    """Return the workspace of the command."""
    start: Path = context.obj
    return find_workspace(start, target)


def somebody(context: click.Context) -> str:
    """Return who runs this: git's user, else the system's."""
    from factory.git import GitError, git

    try:
        address = git("config", "user.email", cwd=context.obj, accept=(0, 1)).decode(errors="replace").strip()
    except GitError:
        address = ""
    try:
        return address or getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "somebody"


def published_workspace(context: click.Context, target: str = PROD) -> Workspace:
    """Return the workspace of a command that reads the registry file, which is brought up to date before."""
    from factory.registry.index import catch_up

    ws = workspace(context, target)
    catch_up(ws)
    return ws


def shared_workspace(context: click.Context, target: str = PROD) -> Workspace:
    """Return the workspace of a command that writes to the registry.

    Where that is a replica of a bucket, it is pulled now, and pushed when the command has done its work. At the end
    webhooks are told of its events.
    """
    from factory.registry.remote import in_step

    ws = workspace(context, target)
    context.with_resource(telling(ws))
    context.with_resource(in_step(ws))
    return ws


@contextlib.contextmanager
def telling(ws: Workspace) -> Iterator[None]:
    """Send the events that a command wrote to the webhooks of the settings; what goes wrong is a note."""
    yield
    if not ws.settings.event_sinks:
        return
    from factory.questions.tables import plain
    from factory.sinks import deliver_events

    for note in deliver_events(ws, datetime.now(UTC)):
        click.echo(plain(note), err=True)


def refuse_secrets(context: click.Context, **texts: str) -> None:
    """Refuse what somebody says for everybody to read, by the option that holds it, if there is a secret in it.

    Raises:
        LeakError: there is one; it is told masked.

    """
    from factory.guard import guard_of
    from factory.secrets import Place

    given = [Place(f"--{name}", text) for name, text in texts.items() if text.strip()]
    if given:
        guard_of(workspace(context), (), os.environ).gate.refuse(given)


def width() -> int:
    """Return how wide text may be: the terminal's columns, or a hundred."""
    return max(60, min(100, shutil.get_terminal_size((100, 24)).columns))


def answers_from(pairs: Sequence[str]) -> dict[str, Any]:
    """Read `KEY=VALUE` answers. A value in brackets is a list, and so is that of `inputs`, with or without them."""
    answers: dict[str, Any] = {}
    for pair in pairs:
        key, mark, value = (part.strip() for part in pair.partition("="))
        if not mark or not key:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE", param_hint="--data")
        if value.startswith("[") != value.endswith("]"):
            raise click.BadParameter(f"{pair!r} has half a pair of brackets", param_hint="--data")
        if key == "inputs" or value.startswith("["):
            answers[key] = [part.strip(" '\"") for part in value.strip("[]").split(",") if part.strip()]
        else:
            answers[key] = pair.partition("=")[2]
    return answers


def run_guarded(cli: click.Group, arguments: Sequence[str]) -> int:
    """Run the command line; return its exit code. No traceback reaches a user for a mistake of theirs."""
    from factory.report import error_as_json, error_as_text

    root = _root(arguments)
    try:
        code = cli.main(args=list(arguments), prog_name="factory", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except FactoryError as error:
        if _wants_json(arguments):
            click.echo(json.dumps(error_as_json(error, root), indent=2, ensure_ascii=False))
        click.echo(error_as_text(error, root), err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("interrupted; what was published before is unharmed", err=True)
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`factory list | head`), which is its right.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"error: {place}{error.strerror or error}\n  → {remedy_of(error)}", err=True)
        return 2
    except Exception:  # noqa: BLE001  (the last resort: a bug of ours, with what a report needs)
        click.echo("This is a bug in the factory. Please report it with these lines:\n", err=True)
        click.echo(traceback.format_exc(), err=True)
        return 3


def _root(arguments: Sequence[str]) -> Path | None:
    """Return the workspace's folder for showing paths, if there is one."""
    start = Path()
    for mark in ("-C", "--workspace"):
        if mark in arguments[:-1]:
            start = Path(arguments[arguments.index(mark) + 1])
    try:
        return find_workspace(start).root
    except (FactoryError, OSError):
        return None


def _wants_json(arguments: Sequence[str]) -> bool:
    return "--format=json" in arguments or ("--format", "json") in itertools.pairwise(arguments)
