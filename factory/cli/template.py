"""Commands of the product template: `template status`, `template update`, `template adopt`."""

from __future__ import annotations

from pathlib import Path

import click

from factory.cli.frame import ANSWERS, answers_from, format_option, width, workspace


@click.group()
def template() -> None:
    """See how products stand to the template, and bring what is new in it into them."""


@template.command()
@click.argument("products", nargs=-1)
@click.option("--fail-on", type=click.Choice(["behind"]), help="Exit with 1 if a product is behind.")
@format_option
@click.pass_context
def status(context: click.Context, products: tuple[str, ...], fail_on: str | None, format_: str) -> None:
    """Show where PRODUCTS (all, if none is named) stand: version, versions behind, hand edits, what an update does."""
    from factory.report import as_json
    from factory.scaffold import template_status
    from factory.scaffold.report import standings_as_json, standings_as_text

    standings = template_status(workspace(context), products)
    text = standings_as_text(standings, width())
    click.echo(as_json(standings_as_json(standings)) if format_ == "json" else text)
    if fail_on and any(standing.behind for standing in standings):
        context.exit(1)


@template.command()
@click.argument("products", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Update all products.")
@click.option("--data-file", type=ANSWERS, help="Answers to new questions, as YAML.")
@click.option(
    "--data", "-d", "pairs", multiple=True, metavar="KEY=VALUE", help="An answer to a new question."
)
@format_option
@click.pass_context
def update(
    context: click.Context,
    products: tuple[str, ...],
    everything: bool,
    data_file: Path | None,
    pairs: tuple[str, ...],
    format_: str,
) -> None:
    """Bring what is new in the template into PRODUCTS. Hand edits stay; exit 1 where both changed the same lines."""
    from factory.report import as_json
    from factory.scaffold import answers_of, template_update
    from factory.scaffold.report import standings_as_json, updates_as_text

    if bool(products) == everything:
        raise click.UsageError("name products, or --all")
    answers = (answers_of(data_file) if data_file else {}) | answers_from(pairs)
    done = template_update(workspace(context), products, answers)
    click.echo(as_json(standings_as_json(done)) if format_ == "json" else updates_as_text(done, width()))
    wrong = ("lost", "stuck", "unmanaged") if products else ("lost", "stuck")
    if any(one.conflicts or one.state in wrong for one in done):
        context.exit(1)


@template.command()
@click.argument("products", nargs=-1, required=True)
@click.option("--data-file", type=ANSWERS, help="Answers, as YAML.")
@click.option(
    "--anew", is_flag=True, help="Also where a product follows a template: begin with today's version."
)
@format_option
@click.pass_context
def adopt(
    context: click.Context,
    products: tuple[str, ...],
    data_file: Path | None,
    anew: bool,
    format_: str,
) -> None:
    """Let PRODUCTS that were written by hand follow the template from now on.

    Writes their answers, as their own files give them, and which files they keep to themselves.
    """
    from factory.report import as_json
    from factory.scaffold import adopt as adopt_products
    from factory.scaffold import answers_of

    given = answers_of(data_file) if data_file else {}
    adopted = adopt_products(workspace(context), products, given, anew=anew)
    if format_ == "json":
        told = [{"name": a.name, "version": a.version, "kept": list(a.kept)} for a in adopted]
        click.echo(as_json({"products": told}))
        return
    for one in adopted:
        click.echo(
            f"{one.name} follows the template from {one.version}; it keeps {len(one.kept)} files to itself."
        )
    files = "what .copier-answers.yml says" + (
        ", and .template-keep" if any(one.kept for one in adopted) else ""
    )
    click.echo(f"Look at {files}, correct it, and commit.")


COMMANDS = (template,)
