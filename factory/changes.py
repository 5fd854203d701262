"""What has changed since the last run, so that only that has to run.

Takes products and the state that the last run left; gives fingerprints and the products that must run;
reads every file that counts, and `target/<target>/state.json`.

A product is what its files, the umbrella's files, the variables, the environment variables that it names,
the target and the tools' versions make of it. Any of them changed, or an input port with other content, or
a source outside the product's folder (unless dbt's freshness says that nothing new has come) means: run.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from factory.artifacts import Artifacts
from factory.build import SourceAge
from factory.errors import WorkspaceError
from factory.files import json_text, sha256_file, write_whole
from factory.git import GitError, git, lines
from factory.products import Product
from factory.tools import tool_versions
from factory.workspace import Workspace

STATE_VERSION = 1

# What lies in a product's folder and makes no difference to what it builds.
_IGNORED = {
    "target",
    "dbt_packages",
    "logs",
    ".git",
    "__pycache__",
    ".pytest_cache",
    ".DS_Store",
    ".user.yml",
}
_ENV_VAR = re.compile(r"env_var\(\s*['\"](\w+)['\"]")
_CONFLICT = re.compile(rb"^<<<<<<< .*?^=======\r?$.*?^>>>>>>> ", re.MULTILINE | re.DOTALL)
_TEXT = {".sql", ".yml", ".yaml", ".py", ".md"}


@dataclass(frozen=True, slots=True)
class Prints:
    """Fingerprints of one product.

    Attributes:
        definitions: what people wrote: every file of the product but those under `data/`.
        files: every file of the product.
        whole: the files, and everything else that the build depends on.
    """

    definitions: str
    files: str
    whole: str


@dataclass(frozen=True, slots=True)
class Built:
    """What the last run knew of one product.

    Attributes:
        fingerprint: `Prints.whole` at that time.
        outcome: certified, refused or blocked.
        version: the product's version.
        upstreams, code_upstreams: products whose ports it read, and whose macros it used.
        inputs: the snapshots that it read, by `product/contract/major`.
        snapshots: the snapshots that it published, by `contract/major`.
        contracts: the published version of each contract, by `contract/major`.
        sources: its sources outside its own folder, by dbt's unique id: relation and state.
        stale_at: from when on one of its checks of freshness holds no longer, if nothing new comes; ISO 8601 or empty.
    """

    fingerprint: str
    outcome: str
    version: str
    upstreams: tuple[str, ...] = ()
    code_upstreams: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    snapshots: Mapping[str, str] = field(default_factory=dict)
    contracts: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    stale_at: str = ""


def read_state(ws: Workspace) -> dict[str, Built]:
    """Return what the last run left; nothing where there was none, or where it cannot be read."""
    try:
        data = json.loads(ws.state.read_bytes())
        if data["state_version"] != STATE_VERSION:
            return {}
        return {name: _built(entry) for name, entry in data["products"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_state(ws: Workspace, state: Mapping[str, Built]) -> None:
    """Leave what this run knows for the next one."""
    products = {name: asdict(state[name]) for name in sorted(state)}
    write_whole(ws.state, json_text({"state_version": STATE_VERSION, "products": products}), durable=False)


def _built(entry: dict[str, Any]) -> Built:
    sources = {key: (str(name), str(state)) for key, (name, state) in entry["sources"].items()}
    tuples = {key: tuple(entry[key]) for key in ("upstreams", "code_upstreams")}
    return Built(**{**entry, **tuples, "sources": sources})


def fingerprints(
    ws: Workspace, products: Iterable[Product], environment: Mapping[str, str], variables: str
) -> dict[str, Prints]:
    """Return the fingerprints of products, by name.

    Raises:
        WorkspaceError: a file cannot be read.

    """
    common = _workspace_digest(ws, environment, variables)
    return {product.name: _product_prints(product, common, environment) for product in products}


def _workspace_digest(ws: Workspace, environment: Mapping[str, str], variables: str) -> str:
    settings = replace(ws.settings, openlineage="")  # who is told of a run changes nothing that it makes
    parts: list[str] = [ws.target, variables, json.dumps(tool_versions(), sort_keys=True), repr(settings)]
    names = set(ws.settings.environment)
    for top in ("dbt_project.yml", "macros", "standards"):
        path = ws.root / top
        for file in sorted(_files(path)) if path.is_dir() else [path] if path.is_file() else []:
            parts.append(f"{file.relative_to(ws.root).as_posix()} {_sha(file)}")
            names |= _variables_in(file)
    parts += [f"{name}={environment.get(name)}" for name in sorted(names)]
    return _digest(parts)


def _product_prints(product: Product, common: str, environment: Mapping[str, str]) -> Prints:
    everything: list[str] = []
    definitions: list[str] = []
    names: set[str] = set()
    for file in sorted(_files(product.folder)):
        relative = file.relative_to(product.folder)
        line = f"{relative.as_posix()} {_sha(file)}"
        everything.append(line)
        if relative.parts[0] != "data":
            definitions.append(line)
            names |= _variables_in(file)
    values = [f"{name}={environment.get(name)}" for name in sorted(names)]
    files = _digest(everything)
    return Prints(_digest(definitions), files, _digest([common, files, *values]))


def named_variables(ws: Workspace, products: Iterable[Product]) -> frozenset[str]:
    """Return the environment variables that the settings, the umbrella and the files of products name."""
    names = set(ws.settings.environment)
    folders = [ws.root / top for top in ("dbt_project.yml", "macros", "standards")]
    for path in (*folders, *(product.folder for product in products)):
        for file in _files(path) if path.is_dir() else [path] if path.is_file() else []:
            names |= _variables_in(file)
    return frozenset(names)


def open_conflicts(product: Product) -> tuple[tuple[str, int], ...]:
    """Return where marks of a merge's conflict stand in what people wrote: file below the product, and line."""
    found = []
    for file in sorted(_files(product.folder)):
        relative = file.relative_to(product.folder)
        if file.suffix not in _TEXT | {".csv"} or relative.parts[0] == "data":
            continue
        text = file.read_bytes()
        if b"<<<<<<< " in text and (mark := _CONFLICT.search(text)):
            found.append((relative.as_posix(), text.count(b"\n", 0, mark.start()) + 1))
    return tuple(found)


def _files(folder: Path) -> Iterable[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name in _IGNORED or entry.suffix in (".duckdb", ".wal"):
            continue
        if entry.is_dir():
            yield from _files(entry)
        elif entry.is_file():
            yield entry


def _sha(file: Path) -> str:
    try:
        return sha256_file(file)
    except OSError as error:
        raise WorkspaceError(f"cannot read the file: {error.strerror}", where=file) from error


def _variables_in(file: Path) -> set[str]:
    if file.suffix not in _TEXT:
        return set()
    return set(_ENV_VAR.findall(file.read_text("utf-8", errors="replace")))


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def with_code(name: str, prints: Mapping[str, Prints], code_upstreams: Collection[str]) -> str:
    """Return a product's whole fingerprint together with those of the products whose macros it uses."""
    if not code_upstreams:
        return prints[name].whole
    others = [prints[other].files for other in sorted(code_upstreams) if other in prints]
    return _digest([prints[name].whole, *others])


def external_sources(
    product: Product, artifacts: Artifacts, freshness: Mapping[str, SourceAge], ws: Workspace
) -> dict[str, tuple[str, str]]:
    """Return the product's sources that lie outside its own folder, by dbt's unique id: relation and state.

    Files have the state of their size and time of change. Others have that of `freshness`, dbt's newest
    loading time; without one it is `?`, which counts as changed.
    """
    states = {}
    for relation in artifacts.of(product.name):
        name = relation.relation_name
        if relation.kind == "source" and not _reads_own_files(name, product, ws):
            loaded = _loaded(freshness, relation.unique_id)
            states[relation.unique_id] = (name, f"loaded:{loaded}" if loaded else _file_state(name, ws))
    return states


def _paths(relation_name: str) -> list[str]:
    """Return the files that a source's relation names: a path, or the paths in a table function's call."""
    return [text for text in re.findall(r"'([^']*)'", relation_name) if re.search(r"/|\\|\.\w{2,8}$", text)]


def _reads_own_files(relation_name: str, product: Product, ws: Workspace) -> bool:
    paths = _paths(relation_name)
    own = (ws.relative(product.folder) + "/", product.folder.as_posix() + "/")
    return bool(paths) and all(path.startswith(own) and ".." not in path for path in paths)


def _file_state(relation_name: str, ws: Workspace) -> str:
    paths = _paths(relation_name)
    if not paths or any("://" in path for path in paths):
        return "?"
    parts = []
    try:
        for pattern in paths:
            base = Path("/") if pattern.startswith("/") else ws.root
            found = [file for file in sorted(base.glob(pattern.lstrip("/"))) if file.is_file()]
            if not found:
                return "?"
            parts += [f"{f.as_posix()} {f.stat().st_size} {f.stat().st_mtime_ns}" for f in found]
    except (OSError, ValueError, NotImplementedError):
        return "?"
    return "file:" + _digest(parts)


def _loaded(freshness: Mapping[str, SourceAge], unique_id: str) -> str:
    age = freshness.get(unique_id)
    return age.loaded_at if age else ""


def external_changed(built: Built, freshness: Mapping[str, SourceAge], ws: Workspace) -> bool:
    """Say whether a source outside the product's folder changed, or may have."""
    for unique_id, (name, state) in built.sources.items():
        if state.startswith("loaded:"):
            if state != f"loaded:{_loaded(freshness, unique_id)}":
                return True
        elif state == "?" or _file_state(name, ws) != state:
            return True
    return False


def wants_freshness(built: Built) -> bool:
    """Say whether only dbt's freshness can tell if the product's sources changed."""
    return any(state.startswith("loaded:") for _, state in built.sources.values())


def changed_since(ws: Workspace, revision: str, products: Iterable[Product]) -> set[str] | None:
    """Return the products with files that differ from a git revision; None if the umbrella itself differs.

    Untracked files count. Raises:
        WorkspaceError: git does not know the revision, or there is no git.

    """
    listings = (
        ["diff", "--name-only", "--relative", "-z", revision, "--", "."],
        ["ls-files", "--others", "--exclude-standard", "-z", "--", "."],
    )
    changed: set[str] = set()
    for arguments in listings:
        try:
            changed |= set(lines(git(*arguments, cwd=ws.root)))
        except GitError as error:
            raise WorkspaceError(
                f"git cannot compare with {revision!r}: {error.message}",
                hint=error.hint or "name a revision that this clone has, such as origin/main",
            ) from error
    if any(path.startswith(("macros/", "standards/")) or path == "dbt_project.yml" for path in changed):
        return None
    folders = {ws.relative(product.folder) + "/": product.name for product in products}
    return {name for folder, name in folders.items() if any(path.startswith(folder) for path in changed)}
