"""A server that speaks S3, in a process of its own, and one registry for several workspaces, wherever it lies.

The server is moto's, one request at a time: it looks and writes in two steps, which no real one does. Each request that
it serves is a line in its log. With `FACTORY_TEST_S3_ENDPOINT` and `FACTORY_TEST_S3_BUCKET` (and the usual variables with
the keys) the same tests run against that server, too.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from builders import a_product, a_promise

from factory.contract import Contract
from factory.registry import Publication, Registry, refresh_index
from factory.registry.ports import point_to, port_folder, snapshot_name
from factory.registry.remote import pull, push
from factory.workspace import Settings, Workspace

BUCKET = "registries"
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)

_SERVER = """
import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
print(server.port, flush=True)
server.serve_forever()
"""


class Server:
    """A server that speaks S3, and its log."""

    def __init__(
        self, endpoint: str, bucket: str, log: Path | None = None, keys: tuple[str, str] = ("key", "secret")
    ) -> None:
        self.endpoint, self.bucket, self.keys = endpoint, bucket, keys
        self._log = log

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to speak with it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.keys[0],
            "AWS_SECRET_ACCESS_KEY": self.keys[1],
            "AWS_REGION": os.environ.get("AWS_REGION", "us-east-1"),
        }

    def address(self) -> str:
        """Return an address that nobody has written to."""
        return f"s3://{self.bucket}/{uuid.uuid4().hex[:12]}"

    def requests(self) -> list[str]:
        """Return the requests so far, as `PUT /bucket/key`."""
        assert self._log is not None
        lines = self._log.read_text("utf-8").splitlines()
        return [line.split('"')[1].rsplit(" ", 1)[0] for line in lines if '"' in line and "HTTP/1" in line]


@contextlib.contextmanager
def moto_server(folder: Path, **environment: str) -> Iterator[Server]:
    """Start moto's server in a process of its own, with a bucket, until the end of the block."""
    log = folder / "requests.log"
    with log.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVER],
            stdout=subprocess.PIPE, stderr=written, text=True, env={**os.environ, **environment},
        )  # fmt: skip
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("PUT", f"/{BUCKET}")
        assert connection.getresponse().status == 200
        connection.close()
        yield Server(f"http://127.0.0.1:{port}", BUCKET, log)
    finally:
        process.kill()
        process.communicate()


def named_server() -> Server | None:
    """Return the server that the environment names, if it does."""
    endpoint, bucket = (os.environ.get(f"FACTORY_TEST_S3_{name}", "") for name in ("ENDPOINT", "BUCKET"))
    keys = (os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", ""))
    return Server(endpoint, bucket, keys=keys) if endpoint and bucket else None


class SharedRegistry:
    """One registry for several workspaces; each kind of place shares it in its own way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def workspace(self, name: str) -> Workspace:
        """Return a workspace that publishes to this registry."""
        raise NotImplementedError

    def get(self, ws: Workspace) -> None:
        """Let a workspace see what the others published."""

    def put(self, ws: Workspace) -> None:
        """Let the others see what a workspace published."""


class InFolder(SharedRegistry):
    """A folder that several workspaces publish to."""

    def workspace(self, name: str) -> Workspace:
        root = self.folder / name
        root.mkdir(exist_ok=True)
        return Workspace(root, settings=Settings(publish_to="../shared"))


class InGit(SharedRegistry):
    """A folder in git: each workspace is a clone."""

    def workspace(self, name: str) -> Workspace:
        root, hub = self.folder / name, self.folder / "hub.git"
        if not hub.exists():
            git(self.folder, "init", "-q", "--bare", "-b", "main", str(hub))
            git(self.folder, "clone", "-q", str(hub), "first")
            (self.folder / "first/.gitignore").write_text("target/\nports.duckdb\n", "utf-8")
            git(self.folder / "first", "add", ".")
            git(self.folder / "first", "commit", "-qm", "Begin")
            git(self.folder / "first", "push", "-q", "origin", "HEAD:main")
        git(self.folder, "clone", "-q", str(hub), str(root))
        return Workspace(root)

    def get(self, ws: Workspace) -> None:
        git(ws.root, "pull", "-q", "--rebase", "origin", "main")
        refresh_index(ws, None)

    def put(self, ws: Workspace) -> None:
        # The registry itself says that its index is not committed: every clone makes its own.
        git(ws.root, "add", ".")
        git(ws.root, "commit", "-qm", "Publish")
        git(ws.root, "pull", "-q", "--rebase", "origin", "main")
        git(ws.root, "push", "-q", "origin", "HEAD:main")


class InBucket(SharedRegistry):
    """A bucket, of which each workspace has a replica."""

    def __init__(self, folder: Path, address: str) -> None:
        super().__init__(folder)
        self.address = address

    def workspace(self, name: str) -> Workspace:
        root = self.folder / name
        root.mkdir(exist_ok=True)
        return Workspace(root, settings=Settings(publish_to=self.address))

    def get(self, ws: Workspace) -> None:
        pull(ws)

    def put(self, ws: Workspace) -> None:
        push(ws)


def git(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run git in a folder, as somebody."""
    somebody = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    done = subprocess.run(["git", *somebody, *arguments], cwd=folder, capture_output=True, text=True)
    assert not check or done.returncode == 0, done.stderr
    return done


def contract_text(product: str, version: str = "1.0.0", note: str = "") -> str:
    """Return a contract as the index can read it."""
    lines = [
        f"id: urn:dpf:trade:{product}:{product}",
        f"name: {product}",
        f"version: {version}",
        "status: active",
    ]
    return "\n".join([*lines, *([f"description: {note}"] if note else [])]) + "\n"


def publish(
    ws: Workspace, product: str = "orders", version: str = "1.0.0", note: str = "", rows: str = "1"
) -> bool:
    """Publish a product with a contract, a table and an event, as a build does; say whether the version is news."""
    the_product = a_product(name=product, domain="trade", folder=ws.root)
    data = {"id": f"urn:dpf:trade:{product}:{product}", "name": product, "version": version}
    promise = a_promise(name=product, version=version, product=product)
    contract = Contract(product, product, version, "active", data, (), (), promise)
    text = contract_text(product, version, note)
    publication = Publication(contract, text, {"edges": [], "models": []}, {"dbt-core": "1.11"}, "0" * 64)
    registry = Registry(ws)
    major = int(version.partition(".")[0])
    snapshot = a_snapshot(port_folder(ws, "trade", product, product, major), rows)
    news = registry.publish_contract(the_product, publication)
    document = {**the_product.descriptor, "version": version}
    registry.publish_product(the_product, document)
    told = {"contracts": {f"{product}/{major}": {"version": version, "snapshot": snapshot}}}
    if not registry.standing("trade", product).says(told["contracts"]):
        registry.write_event(the_product, "published", told, datetime.now(UTC))
    point_to(ws, the_product, contract, snapshot, [Table("main")])
    refresh_index(ws, {the_product.urn})
    return news


class Table:
    """A table by its name alone."""

    def __init__(self, identifier: str) -> None:
        self.identifier = identifier


def a_snapshot(folder: Path, rows: str) -> str:
    """Write a snapshot with one table under its name; return the name."""
    staged = folder / f".{uuid.uuid4().hex[:8]}.tmp"
    staged.mkdir(parents=True)
    (staged / "main.parquet").write_text(rows, "utf-8")
    name = snapshot_name(staged)
    with contextlib.suppress(OSError):
        staged.rename(folder / name)
    shutil.rmtree(staged, ignore_errors=True)
    return name


def files_of(ws: Workspace, product: str = "orders", version: str = "1.0.0") -> dict[str, bytes]:
    """Return the files of a published version."""
    folder = ws.registry / "products/trade" / product / product / version
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def rows_of(ws: Workspace, product: str = "orders", major: int = 1) -> str:
    """Return what a consumer reads of a port."""
    return (ws.ports / "trade" / product / product / f"v{major}/current/main.parquet").read_text("utf-8")
