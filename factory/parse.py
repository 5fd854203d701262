"""Let dbt read the products without building them: what they declare at this moment.

Takes a workspace and its products; gives `Artifacts` without compiled SQL; runs in a folder of its own, so that no
other run is disturbed.
"""

from __future__ import annotations

from collections.abc import Mapping
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
