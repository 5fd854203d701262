"""Commands about contracts: `contract lint`, and the others of the group."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from factory.cli import bump, changelog, contract_export, contract_test
from factory.cli.convert import import_
from factory.cli.frame import target_option, width, workspace

if TYPE_CHECKING:
    from factory.odcs.compare import Difference

FILE = click.Path(path_type=Path, exists=True)
FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.group()
def contract() -> None:
    """Draft, read, check, compare and convert data contracts (ODCS)."""


@contract.command()
@FILES
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="How to print; sarif for code scanning, github for annotations of a workflow.",
)
def lint(files: tuple[Path, ...], format_: str) -> int:
    """Check contract FILES: every fault at once, each with its line, column, code and way out.

    FILES are contracts of ODCS 3.0 to 3.2, or folders with *.odcs.yaml. Each is held to its own version of the
    standard, and to what no schema can say: references, bounds, SQL, keys, dates, people. Nothing is looked up on the
    network. Exits with 1 if there is an error.
    """
    from factory import __version__
    from factory.questions.lint import (
        contract_files,
        findings_of,
        lint_as_annotations,
        lint_as_json,
        lint_as_sarif,
        lint_as_text,
    )
    from factory.questions.tables import plain
    from factory.report import as_json

    named = contract_files(files)
    findings = list(findings_of(named))
    if format_ == "json":
        click.echo(as_json(lint_as_json(findings, len(named))))
    elif format_ == "sarif":
        click.echo(as_json(lint_as_sarif(findings, __version__)))
    elif format_ == "text":
        click.echo(plain(lint_as_text(findings, len(named))))
    elif findings:
        click.echo(plain(lint_as_annotations(findings)))
    return int(any(finding.severity == "error" for finding in findings))


@contract.command()
@click.option("--manifest", type=FILE, required=True, help="dbt's manifest.json, or the folder with it.")
@click.option("--catalog", type=FILE, help="Its catalog.json; without, the one beside the manifest.")
@click.option("--run-results", type=FILE, help="Its run_results.json; without, the one beside the manifest.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a file each to this folder.",
)
@click.option(
    "--group-by",
    type=click.Choice(["schema", "group", "model", "package"]),
    default="schema",
    show_default=True,
    help="What beside the package makes one contract.",
)
@click.option("--sources", is_flag=True, help="Also of dbt's sources.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
def draft(
    manifest: Path,
    catalog: Path | None,
    run_results: Path | None,
    output: Path | None,
    group_by: str,
    sources: bool,
    force: bool,
) -> None:
    """Draft contracts of any dbt project: all that dbt knows of its tables, in ODCS 3.2.

    A contract per package and schema, <package>.<schema>.odcs.yaml. Without -o they are printed, as one stream of YAML
    documents. A catalog adds the types and columns of the database.
    """
    from factory.errors import ContractError, FactoryError, raise_all
    from factory.files import told_as, write_whole
    from factory.questions.contracts import drafts_of
    from factory.questions.tables import plain

    drafts, lost = drafts_of(manifest, catalog, run_results, group_by, sources=sources)
    if lost:
        shown = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        click.echo(
            plain(f"left out, as they speak of no table in these contracts: the tests {shown}"), err=True
        )
    if output is None:
        click.echo("---\n".join(each.text() for each in drafts), nl=False)
        return
    there: list[FactoryError] = [
        ContractError(
            "the file is there already", where=output / each.file, hint="use --force to write over it"
        )
        for each in drafts
        if (output / each.file).exists() and not force
    ]
    raise_all(there)
    for each in drafts:
        target = output / each.file
        with told_as(FactoryError, "writing the contract", target):
            write_whole(target, each.text())
        click.echo(target.as_posix())


@contract.command("show")
@click.argument("named", metavar="CONTRACT")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    show_default=True,
    help="How to print.",
)
@target_option
@click.pass_context
def show_contract(context: click.Context, named: str, format_: str, target: str) -> None:
    """Show a contract as text that a person can read from top to bottom.

    CONTRACT is a file, or a published one: PRODUCT for its newest version, PRODUCT@1.2.0, PRODUCT.CONTRACT@1.2.0. A
    contract of an older standard is shown as ODCS 3.2.
    """
    from factory.documents import dump_yaml
    from factory.questions.contract_text import contract_as_text
    from factory.questions.diff import contract_in, is_file, published_contract
    from factory.questions.tables import plain
    from factory.report import as_json

    if is_file(named):
        side = contract_in(Path(named))
    else:
        side = published_contract(workspace(context, target), named if "@" in named else f"{named}@published")
    if format_ == "json":
        click.echo(as_json(side.data))
    elif format_ == "yaml":
        click.echo(dump_yaml(dict(side.data)), nl=False)
    else:
        click.echo(plain(contract_as_text(side.data, width())))


contract.add_command(import_)
for module in (bump, changelog, contract_export, contract_test):
    for command in module.COMMANDS:
        contract.add_command(command)


@click.command()
@click.argument("old")
@click.argument("new", default="")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print; markdown is made for a pull request.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["major", "minor", "patch", "breaking", "insufficient"]),
    default=None,
    help="Exit with 1 from this severity on, if consumers are hit, or if NEW's version is too small.",
)
@target_option
@click.pass_context
def diff(context: click.Context, old: str, new: str, format_: str, fail_on: str | None, target: str) -> int:
    """Compare contract OLD with NEW: each change, how grave it is, whom it hits, and the version that it asks for.

    OLD and NEW are files, or versions in the registry: PRODUCT@1.2.0, PRODUCT.CONTRACT@1.2.0, PRODUCT@published. A
    PRODUCT alone, without NEW, is compared as it is in the working tree with what is published of it.
    """
    from factory.contract.severities import severities_of
    from factory.odcs.compare import difference
    from factory.questions.diff import (
        difference_as_json,
        difference_as_markdown,
        difference_as_text,
        is_file,
        sides,
    )
    from factory.questions.tables import plain
    from factory.report import as_json

    files_alone = is_file(old) and (not new or is_file(new))
    ws = None if files_alone else workspace(context, target)
    pairs = sides(ws, old, new, os.environ)
    severities = severities_of(ws) if ws is not None else {}
    found = [(one, other, difference(one.data, other.data, severities)) for one, other in pairs]
    if format_ == "json":
        values = [difference_as_json(each) for _, _, each in found]
        click.echo(as_json(values[0] if len(values) == 1 else {"differences": values}))
    elif format_ == "markdown":
        text = "\n".join(difference_as_markdown(d, a.name, b.name) for a, b, d in found)
        click.echo(plain(text), nl=False)
    else:
        click.echo(plain("\n\n".join(difference_as_text(d, a.name, b.name) for a, b, d in found)))
    return int(any(_fails(each, fail_on) for _, _, each in found))


def _fails(found: Difference, fail_on: str | None) -> bool:
    from factory.odcs.compare import SEVERITIES, breaks_consumers

    if fail_on == "breaking":
        return breaks_consumers(found.changes)
    if fail_on == "insufficient":
        return not found.sufficient
    return fail_on is not None and SEVERITIES.index(found.severity) >= SEVERITIES.index(fail_on)


contract.add_command(diff)

COMMANDS = (contract, diff)
