"""The command `registry merge`: join registries, such as those of regions."""

from __future__ import annotations

import click

from factory.cli.frame import format_option, target_option, workspace


@click.command("merge")
@click.argument("others", nargs=-1, required=True, metavar="OTHER...")
@format_option
@target_option
@click.pass_context
def merge(context: click.Context, others: tuple[str, ...], format_: str, target: str) -> None:
    """Join other registries into this workspace's, such as those of regions.

    OTHER is the folder that holds registry/ and ports/, or s3://bucket/prefix. All that is published
    there is published here afterwards, too. Where they contradict each other (a version with two contents, a name in
    two domains, a product that was removed in one), everything is told and nothing is written.
    """
    from pathlib import Path

    from factory.locking import locked
    from factory.registry.remote import in_step, merged_as_json, merged_as_text
    from factory.registry.remote import merge as merge_registries
    from factory.report import as_json

    ws = workspace(context, target)
    places = [other if "://" in other else Path(other).resolve() for other in others]
    with locked(ws), in_step(ws):
        done = merge_registries(ws, places)
    click.echo(as_json(merged_as_json(done)) if format_ == "json" else merged_as_text(done))
