"""The command about contracts of other standards: `import`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from factory.cli.frame import format_option

if TYPE_CHECKING:
    from factory.odcs.convert import Conversion

FILE = click.Path(path_type=Path)


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option(
    "-o",
    "--output",
    type=FILE,
    default=None,
    help="The folder to write to, or the file, for one FILE.  [default: the screen]",
)
@click.option("--force", is_flag=True, help="Write over files that are there.")
@format_option
def import_(files: tuple[Path, ...], output: Path | None, force: bool, format_: str) -> None:
    """Turn contracts of other standards (FILE...) into ODCS 3.2.

    Reads ODCS 2.2, 3.0 and 3.1 and the Data Contract Specification 0.9.0 to 1.2.1. What has no field of its own is
    kept as a custom property; each such place is told as FILE:LINE.
    """
    from factory.documents import dump_yaml
    from factory.errors import FactoryError
    from factory.files import told_as, write_whole

    if format_ == "json" and output is None:
        raise click.UsageError("--format json goes with --output")
    targets = _targets(files, output)
    done = _converted(files)
    texts = [dump_yaml(each.data) for each in done]
    if output is None:
        click.echo("---\n".join(texts), nl=False)
    else:
        _refuse_existing(targets, force=force)
        for target, text in zip(targets, texts, strict=True):
            with told_as(FactoryError, "writing the contract", target):
                write_whole(target, text)
    if format_ == "json":
        click.echo(json.dumps({"files": _values(files, targets, done)}, indent=2, ensure_ascii=False))
        return
    _tell(files, targets, done)


def _targets(files: tuple[Path, ...], output: Path | None) -> list[Path]:
    """Return where each contract is written to; nothing where they go to the screen."""
    if output is None:
        return []
    if output.suffix in (".yaml", ".yml") and not output.is_dir():
        if len(files) > 1:
            raise click.UsageError("several files need a folder as --output")
        return [output]
    targets = [output / f"{_stem(file)}.odcs.yaml" for file in files]
    for number, target in enumerate(targets):
        if target in targets[:number]:
            first = files[targets.index(target)]
            raise click.UsageError(f"{first} and {files[number]} would both be written to {target}")
    return targets


def _stem(file: Path) -> str:
    """Return a file's name without its endings."""
    name = file.name
    for ending in (".yaml", ".yml", ".json", ".odcs", ".datacontract"):
        name = name.removesuffix(ending)
    return name or file.name


def _converted(files: tuple[Path, ...]) -> list[Conversion]:
    """Convert all files, and tell the faults of all.

    Raises:
        FactoryError: one of them is no contract, or cannot be read.

    """
    from factory.documents import read_yaml
    from factory.errors import FactoryError, raise_all
    from factory.odcs.convert import convert

    done: list[Conversion] = []
    problems: list[FactoryError] = []
    for file in files:
        try:
            done.append(convert(read_yaml(file)))
        except FactoryError as problem:
            problems.append(problem)
    raise_all(problems)
    return done


def _refuse_existing(targets: list[Path], *, force: bool) -> None:
    """Refuse to write over files.

    Raises:
        ContractError: a file is there, and nothing is written then.

    """
    from factory.errors import ContractError, FactoryError, raise_all

    there: list[FactoryError] = [
        ContractError("the file is there already", where=target, hint="use --force to write over it")
        for target in targets
        if target.exists() and not force
    ]
    raise_all(there)


def _values(files: tuple[Path, ...], targets: list[Path], done: list[Conversion]) -> list[dict[str, Any]]:
    return [
        {
            "file": file.as_posix(),
            "dialect": each.dialect,
            "output": target.as_posix(),
            "notes": [{"path": list(n.path), "line": n.line, "message": n.message} for n in each.notes],
        }
        for file, target, each in zip(files, targets, done, strict=True)
    ]


def _tell(files: tuple[Path, ...], targets: list[Path], done: list[Conversion]) -> None:
    from factory.questions.tables import plain

    for file, each in zip(files, done, strict=True):
        for note in each.notes:
            click.echo(plain(f"{file.as_posix()}:{note.line}: {note.message}"), err=True)
    for target, each in zip(targets, done, strict=False):
        click.echo(plain(f"{target.as_posix()}: {each.dialect} as ODCS 3.2.0"), err=True)


COMMANDS = (import_,)
