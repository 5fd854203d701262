"""A published mesh of one product with two tables that agree, to be published to again and again, without dbt.

`shop` has two tables in one contract, `orders` and `customers`; every row of both has the number of the batch as its
amount. dbt runs twice, once per test run: the first batch is published as 1.0.0; what the pipeline knew of the second one
when it was about to publish it as 1.1.0 is kept, and published by the real `Publisher` in the tests.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pickle
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mesh as meshes
from faults import in_child
from filelock import FileLock
from mesh import add_shop, make_workspace, write

from factory.registry.seal import seal_fault
from factory.workspace import Workspace, find_workspace

PUBLISHED = 0  # of the names of workspaces: what others are copied from
_MADE_UP = re.compile(r"\.[a-z0-9_]{8}\.tmp")
KNOWN = ("contract.odcs.yaml", "lineage.json")
_NAME = "mesh-{:02}"


def data_of(shop: Path, batch: int) -> None:
    """Write the file that `shop` reads."""
    rows = "".join(f"{number},{number % 2},{batch}\n" for number in range(1, 5))
    write(shop / "data/orders.csv", f"order_id,customer_id,amount\n{rows}")


def add_two_tables(root: Path) -> Path:
    """Add the product whose tables agree; return its folder."""
    shop = add_shop(root)
    write(
        shop / "models/customers.sql",
        """\
        with source as (
            select * from {{ source('raw', 'orders') }}
        )
        select distinct cast(customer_id as integer) as customer_id, cast(amount as double) as amount
        from source
        """,
    )
    columns = "customer_id:integer:key,amount:double"
    write(shop / "models/_customers.yml", meshes._properties("customers", columns))
    meshes.replace(
        shop / "contracts/shop.odcs.yaml", "  - name: orders\n", "  - name: orders\n  - name: customers\n"
    )
    data_of(shop, 1)
    return shop


def build(root: Path) -> list[str]:
    """Build and publish in this process; return how the products came out."""
    from factory.pipeline import run
    from factory.plan import Request

    result = run(find_workspace(root), Request(), lambda stage, detail="": None)
    return [str(product.outcome) for product in result.products]


def _captured(root: Path) -> bytes:
    """Build in this process, and return what was to be published instead of publishing it."""
    import factory.publish

    kept: list[bytes] = []

    def publish(_: Any, *arguments: Any) -> Any:
        kept.append(pickle.dumps(arguments))
        return arguments[1]

    factory.publish.Publisher.publish = publish  # type: ignore[method-assign]
    assert build(root) == ["certified"]
    return kept[0]


def published_mesh(base: Path) -> Path:
    """Build the mesh below `base`, once for all workers, and return its folder.

    Beside it lies `evidence.pickle`, what is to be published next.
    """
    root = base / "torture" / _NAME.format(PUBLISHED)
    with FileLock(base / "torture.lock"):
        kept = root.parent / "evidence.pickle"
        if not kept.exists():
            shop = add_two_tables(make_workspace(root))
            first = in_child(lambda: build(root))
            assert first.value == ["certified"], first
            data_of(shop, 2)
            meshes.replace(shop / "contracts/shop.odcs.yaml", "version: 1.0.0", "version: 1.1.0")
            second = in_child(lambda: _captured(root))
            assert second.status == "done", second
            for unused in ("target/prod/dbt", "target/prod/state.json", "logs", "target/prod/parsed"):
                path = root / unused
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            kept.write_bytes(second.value)
    return root


class Yard:
    """Copies of the mesh in one place, one after the other.

    Evidence has whole paths, so a copy's path is as long as that of the mesh, and takes its place in it.
    """

    def __init__(self, origin: Path, number: int) -> None:
        self.origin = origin
        self.root = origin.parent / _NAME.format(number)
        assert len(self.root.name) == len(origin.name), "too many workers"
        raw = (origin.parent / "evidence.pickle").read_bytes()
        self.evidence = raw.replace(origin.name.encode(), self.root.name.encode())
        self.template = origin

    def fresh(self) -> Path:
        """Make the copy anew, and return its folder."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.template, self.root, symlinks=True)
        return self.root

    def keep(self) -> None:
        """Let the copy as it is now be what others are copied from."""
        self.template = self.root.with_name(f"{self.root.name}-kept")
        shutil.rmtree(self.template, ignore_errors=True)
        shutil.copytree(self.root, self.template, symlinks=True)

    def publish(self, seconds: int = 0) -> bool:
        """Publish the second batch, as the pipeline does after dbt and checks; say whether it is news."""
        from factory.publish import Publisher

        evidence, result, certificate, products, files, now = pickle.loads(self.evidence)
        publisher = Publisher(find_workspace(self.root), publish=True)
        moment = now + timedelta(seconds=seconds)
        published = publisher.publish(evidence, result, certificate, products, files, moment).published
        publisher.finish()
        return bool(published)


def warm() -> None:
    """Import what the children need, so that no child does."""
    import duckdb  # noqa: F401

    import factory.passage
    import factory.pipeline
    import factory.registry.compaction
    import factory.registry.control
    import factory.registry.rollback  # noqa: F401


# What a registry says


def state_of(root: Path) -> dict[str, Any]:
    """Return all that a workspace has published, without moments and ids; run it in a child, since it uses DuckDB."""
    ws = Workspace(root)
    registry = ws.registry
    return {
        "versions": {
            file.relative_to(registry).as_posix(): _hash(file)
            for file in registry.glob("products/*/*/*/[!.]*/*")
            if not file.name.startswith(".")
        },
        "documents": {
            file.relative_to(registry).as_posix(): _hash(file)
            for file in registry.glob("products/*/*/product/[!.]*.odps.yaml")
        },
        "events": [_event(file) for file in sorted(registry.glob("events/*/*/[!.]*.json"))],
        "certificates": sorted({_certificate(file) for file in registry.glob("certificates/*/*/*/*/[!.]*.json")}),
        "pointers": {
            file.relative_to(ws.ports).as_posix(): json.loads(file.read_bytes())
            for file in ws.ports.glob("*/*/*/*/current.json")
        },
        "links": {
            file.relative_to(ws.ports).as_posix(): str(file.readlink()) for file in ws.ports.glob("*/*/*/*/current")
        },
        "index": json.loads((registry / "registry.json").read_bytes()) if (registry / "registry.json").exists() else None,
        "views": views_of(ws.ports_database),
        "runs": _runs(registry),
    }  # fmt: skip


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _event(file: Path) -> str:
    value = json.loads(file.read_bytes())
    told = [value["source"], value["type"], value["subject"], value["data"]]
    return json.dumps(told, sort_keys=True)


def _certificate(file: Path) -> str:
    value = json.loads(file.read_bytes())
    about = {key: each for key, each in value.items() if key not in ("issued", "expires", "seal", "revoked")}
    return f"{file.parent.name} {json.dumps(about, sort_keys=True)}"


def views_of(file: Path) -> dict[str, list[Any]] | None:
    """Return the rows of every view in the database of ports; None where there is none."""
    import duckdb

    if not file.exists():
        return None
    with duckdb.connect(str(file), read_only=True) as connection:
        names = connection.execute(
            "select schema_name, view_name from duckdb_views() where not internal"
        ).fetchall()
        return {
            f"{schema}.{view}": sorted(connection.execute(f'from "{schema}"."{view}"').fetchall())
            for schema, view in sorted(names)
        }


def _runs(registry: Path) -> list[str]:
    from factory.registry.runs import read_all

    faults: list[Any] = []
    found = sorted(
        f"{run.id} {json.dumps(run.record, sort_keys=True)}" for run in read_all(registry, faults=faults)
    )
    assert not faults, faults
    return found


def faults_in(root: Path) -> list[str]:
    """Return what is half or changed in what a workspace has published, in words; run it in a child."""
    from factory.registry.index import read_index
    from factory.registry.ports import snapshot_name

    ws = Workspace(root)
    found = [
        fault for folder in ws.registry.glob("products/*/*/*/[!.]*/") for fault in _version_faults(folder)
    ]
    for pattern in ("events/*/*/[!.]*.json", "certificates/*/*/*/*/[!.]*.json"):
        for file in ws.registry.glob(pattern):
            found += [f"{file}: {fault}" for fault in [seal_fault(file.read_bytes())] if fault]
    read_index(ws)
    for file in ws.ports.glob("*/*/*/*/current.json"):
        pointer = json.loads(file.read_bytes())
        if snapshot_name(file.parent / pointer["snapshot"]) != pointer["snapshot"]:
            found.append(f"{file} names a snapshot that is not whole")
        for kept in pointer["snapshots"]:
            if not (file.parent / kept["snapshot"]).is_dir():
                found.append(f"{file} keeps {kept['snapshot']}, which is gone")
    views = views_of(ws.ports_database) or {}
    batches = {row[-1] for rows in views.values() for row in rows}
    if len(batches) > 1:
        found.append(f"ports.duckdb mixes the batches {sorted(batches)}")
    return found


def _version_faults(folder: Path) -> list[str]:
    if folder.parent.name == "product":
        return []
    try:
        raw = (folder / "record.json").read_bytes()
        said = json.loads(raw)["files"]
        changed = [name for name in KNOWN if _hash(folder / name) != said[name]["sha256"]]
    except (OSError, ValueError, KeyError) as error:
        return [f"{folder} is half a version: {error!r}"]
    found = [f"{folder / name} is not what its record says" for name in changed]
    return [*found, f"{folder}: {seal_fault(raw)}"] if seal_fault(raw) else found


def litter_in(root: Path) -> list[str]:
    """Return the temporary files and folders that are left where things are published."""
    ws = Workspace(root)
    places = [ws.registry, ws.ports, ws.work]
    found = [path for place in places for path in place.rglob(".*") if path.name.endswith((".tmp", ".wal"))]
    found += list(root.glob(".ports.duckdb.*"))
    return sorted(path.relative_to(root).as_posix() for path in found)


def traces_of(root: Path) -> str:
    """Return a digest of all files and their names, as far as names are not made up."""
    found = []
    for place in ("registry", "ports", "ports.duckdb", "target/prod"):
        top = root / place
        for path in [top, *top.rglob("*")]:
            name = _MADE_UP.sub(".*.tmp", path.relative_to(root).as_posix())
            text = str(path.readlink()) if path.is_symlink() else _hash(path) if path.is_file() else ""
            found.append(f"{name} {text}")
    found += [_MADE_UP.sub(".*.tmp", path.name) for path in root.glob(".*")]
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()


def age(root: Path) -> None:
    """Let all that is left of earlier processes be two days old."""
    old = datetime.now(UTC).timestamp() - 2 * 86_400
    for name in litter_in(root):
        with contextlib.suppress(OSError):
            os.utime(root / name, (old, old), follow_symlinks=False)
