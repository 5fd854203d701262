"""A small registry that was really built, with two versions of a product, a revocation and a yank, to be copied."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock
from mesh import make_mesh, replace

from factory.pipeline import run
from factory.plan import Request
from factory.registry import Registry, refresh_index
from factory.registry.certificates import revoke_newest
from factory.registry.rebuild import rebuild
from factory.workspace import Workspace, find_workspace

SHOP = "urn:dpf:trade:shop"


def _build(root: Path, *products: str) -> None:
    result = run(find_workspace(root), Request(products), lambda stage, detail="": None)
    assert {p.outcome for p in result.products} <= {"certified", "unchanged"}, result


def sealed_mesh(base: Path) -> Path:
    """Build the mesh below `base`, once for all workers, and give back its folder, which no test may change."""
    root = base / "sealed-mesh"
    with FileLock(base / "sealed-mesh.lock"):
        if not (root / "done").is_file():
            shutil.rmtree(root, ignore_errors=True)
            make_mesh(root)
            _build(root)
            replace(root / "products/shop/models/_orders.yml", "The amount.", "What was paid.")
            replace(root / "products/shop/contracts/shop.odcs.yaml", "version: 1.0.0", "version: 1.1.0")
            replace(root / "products/shop/data/orders.csv", "3,2,7.0", "3,2,8.0")
            _build(root, "shop")
            _further_facts(find_workspace(root))
            shutil.rmtree(root / "target", ignore_errors=True)
            (root / "done").write_text("", "utf-8")
    return root


def _further_facts(ws: Workspace) -> None:
    """Write what people and later runs write: certificates anew, revocations, a yank and a deprecation."""
    registry, now = Registry(ws), datetime.now(UTC)

    class Shop:
        name, urn = "shop", SHOP

    for version in ("1.0.0", "1.1.0"):
        revoke_newest(registry.root / f"certificates/trade/shop/shop/{version}", ["late"], now)
        now += timedelta(seconds=1)
    yanked = {"contract": "shop", "version": "1.0.0", "reason": "wrong", "by": "ann"}
    registry.write_event(Shop, "yanked", yanked, now, f"{SHOP}:shop:1")
    registry.write_event(Shop, "refused", {"reasons": ["a test failed"]}, now)
    refresh_index(ws, None)
    rebuild(ws)


def copy_of(mesh: Path, folder: Path) -> Workspace:
    """Copy the mesh, links as links, and return its workspace."""
    shutil.copytree(mesh, folder, symlinks=True)
    ws = find_workspace(folder)
    rebuild(ws)  # the database of ports has this folder's paths
    return ws
