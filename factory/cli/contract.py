"""Commands about contracts: `contract lint`, and the others of the group."""

from __future__ import annotations

from pathlib import Path

import click

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
    from factory.questions.lint import contract_files, findings_of, lint_text
    from factory.report import plain

    named = contract_files(files)
    findings = list(findings_of(named))
    text = lint_text(findings, len(named), format_, __version__)
    if text:
        click.echo(text if format_ in ("json", "sarif") else plain(text))
    return int(any(finding.severity == "error" for finding in findings))


COMMANDS = (contract,)
