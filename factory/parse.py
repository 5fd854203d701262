"""Let dbt read the products without building them: what they declare at this moment.

Takes a workspace and its products; gives `Artifacts`, with compiled SQL where that is asked for; runs in a folder of
its own, so that no other run is disturbed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from factory.artifacts import Artifacts, read_artifacts
from factory.build import Dbt
from factory.products import Product
from factory.umbrella import sync, write_run_profile
from factory.workspace import Workspace


def parse_products(ws: Workspace, products: Mapping[str, Product], scratch: Path) -> Artifacts:
    """Return what the products declare; `scratch` is a folder below the workspace that may be thrown away.

    Raises:
        DbtError: dbt cannot read a file, or a reference leads nowhere.

    """
    sync(ws, products.values())
    artifacts = scratch / "dbt"
    dbt = Dbt(ws, write_run_profile(ws, products, {}), "", artifacts=artifacts)
    try:
        dbt.parse(products, write=True)
    finally:
        dbt.close()
    return read_artifacts(artifacts)


def compile_products(
    ws: Workspace,
    products: Mapping[str, Product],
    chosen: Collection[str],
    scratch: Path,
    variables: str = "",
) -> Artifacts:
    """Return what the products are now: their SQL compiled for the `chosen` ones, and what the database has of those.

    Nothing is built: the catalog tells of the tables that the last build left, which may be others. Databases are
    opened for reading only. `scratch` is a folder below the workspace that may be thrown away.

    Raises:
        DbtError: dbt cannot read or compile a file.

    """
    sync(ws, products.values())
    files = {name: ws.database_file(name) for name in products}
    profile = write_run_profile(
        replace(ws, scratch=scratch),
        products,
        {name: file for name, file in files.items() if file.is_file()},
        scratch / "profile",
    )
    # What was never built gets an empty file here, so that dbt can attach it.
    (scratch / "duckdb").mkdir(parents=True, exist_ok=True)
    artifacts = scratch / "dbt"
    dbt = Dbt(ws, profile, variables, artifacts=artifacts)
    try:
        dbt.parse(products)
        dbt.document(() if set(chosen) == set(products) else sorted(chosen))
    finally:
        dbt.close()
    return read_artifacts(artifacts)
