"""`contract export`: a contract in the language of another tool."""

from __future__ import annotations

from pathlib import Path

import click

from factory.cli.frame import target_option, workspace


@click.command("export")
@click.argument("named", metavar="CONTRACT")
@click.option("--to", "language", type=click.Choice(["sodacl", "dbt"]), required=True, help="The language.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file, not to stdout.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@target_option
@click.pass_context
def export_contract(
    context: click.Context, named: str, language: str, output: Path | None, force: bool, target: str
) -> None:
    """Write a contract's rules as SodaCL, or a contract as the YAML of dbt.

    CONTRACT is a file, or a published one: PRODUCT for its newest version, PRODUCT@1.2.0, PRODUCT.CONTRACT@1.2.0. A
    rule is written once, in the contract, and generated from it for the tool that runs it. What the other language has
    no words for is named on stderr.
    """
    from factory.errors import ContractError
    from factory.files import told_as, write_whole
    from factory.questions.contract_export import export_of, left_out_as_text
    from factory.questions.diff import contract_in, is_file, published_contract
    from factory.questions.tables import plain

    if is_file(named):
        side = contract_in(Path(named))
    else:
        side = published_contract(workspace(context, target), named if "@" in named else f"{named}@published")
    exported = export_of(side, language)
    left_out = left_out_as_text(exported, language)
    if left_out:
        click.echo(plain(left_out), err=True)
    if output is None:
        click.echo(exported.text, nl=False)
        return
    if output.exists() and not force:
        raise ContractError("the file is there already", where=output, hint="use --force to write over it")
    with told_as(ContractError, "writing the file", output):
        write_whole(output, exported.text)
    click.echo(output.as_posix())


COMMANDS = (export_contract,)
