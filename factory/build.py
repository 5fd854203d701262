"""Stage 2, build: run dbt once for all chosen products. The only door to dbt.

Takes a workspace whose umbrella is in sync; gives the products' dependencies and, after the build, dbt's
artifacts on disk; runs dbt in this process. dbt keeps process-wide state and does not support parallel
runs in one process, so there is one run at a time: parse, build and catalog share one parsed project.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from factory.declared import Declared, declared_inputs
from factory.errors import DbtError, LockedError
from factory.workspace import Workspace

#: What dbt must not do on its own: tell anybody about its runs.
QUIET_ENVIRONMENT = {
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
    "DBT_LOG_LEVEL_FILE": "none",
}

OnNode = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Crossing:
    """One resource of a product that reads a resource of another.

    Attributes:
        product, file, name: the reader: its product, its file below the product, its name.
        upstream, upstream_name: what is read, and whose it is.
        upstream_kind: model, seed, snapshot, source, ...
        upstream_access: public, protected or private; empty for what has no access level.
        upstream_table: what is read, as the database calls it: with its version, where a model has versions.
    """

    product: str
    file: str
    name: str
    upstream: str
    upstream_name: str
    upstream_kind: str
    upstream_access: str
    upstream_table: str = ""


@dataclass(frozen=True, slots=True)
class SourceAge:
    """How old a source's data is, as `dbt source freshness` found.

    Attributes:
        loaded_at: when its newest row was loaded (ISO 8601), or empty where it could not be found out.
        status: pass, warn, error, or `runtime error` where it could not be found out.
        seconds: how old it was, or None.
        limits: what dbt holds it to, in seconds, by `warn_after` and `error_after`; empty where nothing is said.
        message: why it could not be found out, or empty.
        took: seconds that the question took.
    """

    loaded_at: str
    status: str
    seconds: float | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    message: str = ""
    took: float = 0.0


@dataclass(frozen=True, slots=True)
class Project:
    """The parsed umbrella, as far as products go.

    Attributes:
        upstreams: for every product the products that it reads.
        code_upstreams: for every product the products whose macros it uses.
        crossings: every read across a border between products.
        dated: products with a source that says when it was loaded (`loaded_at_field`, `loaded_at_query`).
        inputs: the sources and seeds of every product that declare columns.
        growing: products with an incremental model or a snapshot, which keep what earlier runs put into them.
    """

    upstreams: Mapping[str, frozenset[str]]
    code_upstreams: Mapping[str, frozenset[str]]
    crossings: tuple[Crossing, ...]
    dated: frozenset[str]
    inputs: Mapping[str, tuple[Declared, ...]] = field(default_factory=dict)
    growing: frozenset[str] = frozenset()


class Dbt:
    """One dbt run over the umbrella: `parse`, then `build`, then `catalog`.

    Leaves `manifest.json`, `run_results.json` and `catalog.json` in `artifacts`: the workspace's own folder for
    them, if none is named.
    """

    def __init__(
        self,
        ws: Workspace,
        profile: Path,
        variables: str = "",
        on_node: OnNode | None = None,
        artifacts: Path | None = None,
    ) -> None:
        from dbt.cli.main import dbtRunner

        os.environ.update(QUIET_ENVIRONMENT)
        self._ws = ws
        self._artifacts = artifacts or ws.artifacts
        self._runner = dbtRunner
        self._on_node = on_node
        self._manifest: Any = None
        self._errors: list[str] = []
        self._args = [
            "--project-dir", str(ws.root),
            "--profiles-dir", str(profile),
            "--target", ws.target,
            "--target-path", ws.relative(self._artifacts),
            *(["--vars", variables] if variables else []),
        ]  # fmt: skip

    def parse(self, products: Iterable[str], *, write: bool = False) -> Project:
        """Parse every product; leave `manifest.json` only with `write`, since `build` leaves a better one.

        Raises:
            DbtError: a file that dbt cannot read, a reference that leads nowhere or is not allowed.

        """
        # dbt forgets what YAML says of singular tests when it parses only what has changed (1.11).
        whole = ["--no-partial-parse"] if _describes_singular_tests(self._ws) else []
        outcome = self._invoke("parse", "--write-json" if write else "--no-write-json", *whole)
        if not outcome.success or outcome.result is None:
            raise self._failure(outcome, "dbt cannot read the project")
        self._manifest = outcome.result
        return _project(self._manifest, frozenset(products))

    def build(self, products: Iterable[str], *, everything: bool) -> None:
        """Build products; failed models and tests are in `run_results.json`, not raised.

        Raises:
            DbtError: dbt did not get as far as building.

        """
        selection = [] if everything else ["--select", *(f"package:{name}" for name in products)]
        results = self._artifacts / "run_results.json"
        results.unlink(missing_ok=True)
        outcome = self._invoke("build", *selection)
        if outcome.exception is not None or not results.is_file():
            raise self._failure(outcome, "dbt cannot build the project")

    def catalog(self, products: Iterable[str], *, everything: bool) -> None:
        """Write `catalog.json`: which columns of which type the database really has."""
        selection = [] if everything else ["--select", *(f"package:{name}" for name in products)]
        outcome = self._invoke("docs", "generate", "--no-compile", *selection)
        if not outcome.success:
            raise self._failure(outcome, "dbt cannot read the database's catalog")

    def document(self, products: Iterable[str] = ()) -> None:
        """Write manifest and catalog, compiled, of products, or of every one: dbt's documentation. Nothing is built."""
        selection = [f"package:{name}" for name in products]
        outcome = self._invoke("docs", "generate", *(["--select", *selection] if selection else []))
        if not outcome.success:
            raise self._failure(outcome, "dbt cannot document the project")

    def freshness(self, products: Iterable[str]) -> dict[str, SourceAge]:
        """Return how old every source of the products is that says how to find out, by dbt's unique id."""
        products = tuple(products)
        if not products:
            return {}
        file = self._artifacts / "sources.json"
        file.unlink(missing_ok=True)
        outcome = self._invoke("source", "freshness", "--select", *(f"package:{name}" for name in products))
        # dbt leaves a source that it stumbles over out of its file.
        found = {
            str(unique_id): SourceAge(
                "", "runtime error", message=" ".join(str(result.message or "").split())
            )
            for result in getattr(outcome.result, "results", None) or ()
            if (unique_id := getattr(getattr(result, "node", None), "unique_id", ""))
        }
        try:
            results = json.loads(file.read_bytes())["results"]
        except (OSError, ValueError, KeyError):
            return found
        return found | {str(result["unique_id"]): _source_age(result) for result in results}

    def close(self) -> None:
        """Let go of the DuckDB files, which dbt leaves open in the process."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        DuckDBConnectionManager.close_all_connections()

    def _invoke(self, *command: str) -> Any:
        self._errors.clear()
        runner = self._runner(manifest=self._manifest, callbacks=[self._hear])
        # --log-level none: what dbt has to say comes back as values and events, not as a second output.
        words = list(command)
        options = ["--log-level", "none", "--log-level-file", "none", "--no-use-colors"]
        # Paths in products are relative to the workspace's root; dbt itself goes there and does not come back.
        with contextlib.chdir(self._ws.root), _interruptible():
            return runner.invoke([*options, *words, *self._args])

    def _hear(self, event: Any) -> None:
        name = event.info.name
        if name == "NodeFinished" and self._on_node is not None:
            info = event.data.node_info
            self._on_node(str(info.unique_id), str(info.node_status))
        elif event.info.level == "error" and name in ("MainEncounteredError", "UnhandledError"):
            self._errors.append(str(event.info.msg))

    def _failure(self, outcome: Any, doing: str) -> DbtError | LockedError:
        error = outcome.exception
        text = str(error) if error is not None else "\n".join(self._errors)
        return explain(text or doing, self._ws)


_PERIODS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}


def _source_age(result: Mapping[str, Any]) -> SourceAge:
    """Return what one result in `sources.json` says."""
    criteria = result.get("criteria") or {}
    limits = {
        name: float(limit["count"]) * _PERIODS[limit["period"]]
        for name in ("warn_after", "error_after")
        if (limit := criteria.get(name))
        and limit.get("count") is not None
        and limit.get("period") in _PERIODS
    }
    age = result.get("max_loaded_at_time_ago_in_s")
    return SourceAge(
        loaded_at=str(result.get("max_loaded_at") or ""),
        status=str(result.get("status") or "runtime error"),
        seconds=float(age) if isinstance(age, int | float) else None,
        limits=limits,
        message=" ".join(str(result.get("error") or "").split()),
        took=float(result.get("execution_time") or 0.0),
    )


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let an interrupt end the run: dbt turns it into a failure of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def hear(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            raise KeyboardInterrupt


def explain(text: str, ws: Workspace) -> DbtError | LockedError:
    """Turn dbt's words for a failure into one line with the file, the line and a way out."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text).strip()
    locked = re.search(r'set lock on file "([^"]+)": Conflicting lock is held in (.*?) \(PID (\d+)\)', text)
    if locked:
        return LockedError(
            f"the DuckDB file is open in another process: {locked[2]} (PID {locked[3]})",
            where=Path(locked[1]),
            hint="close it there, or wait until it is done, and run the command again",
        )
    if "No space left on device" in text:
        return DbtError("no disk space left", where=ws.work, hint="free some space and run the command again")
    broken = _broken_yaml(text, ws)
    if broken is not None:
        return broken
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    heading = re.match(r"(Compilation|Parsing|Runtime|Database|Validation|Env Var|Dbt\w*) Error.*", lines[0])
    if heading and len(lines) > 1:
        lines = lines[1:]
    file, line = _place(text, ws)
    message = " ".join(lines)
    message = message if len(message) < 600 else message[:590] + " …"
    return DbtError(f"dbt: {message}", where=file, line=line, hint=_way_out(text, ws))


def _broken_yaml(text: str, ws: Workspace) -> DbtError | None:
    """Return the error for a properties file that is not YAML, which dbt names without its folder."""
    found = re.search(r"Error reading (\w+): (\S+\.ya?ml).*?Syntax error near line (\d+)", text, re.DOTALL)
    if found is None:
        return None
    file = next(iter(sorted((ws.products / found[1]).rglob(Path(found[2]).name))), None)
    raw = [line.strip() for line in text.partition("Raw Error:")[2].splitlines() if line.strip(" -")]
    reason = next(
        (line for line in raw if not line.startswith(("while ", "in "))), "the file cannot be parsed"
    )
    hint = "check the indentation and the quotes at this line and the one above"
    return DbtError(f"not valid YAML: {reason}", where=file, line=int(found[3]), hint=hint)


_PATH = re.compile(
    r"\(?((?:products/|models/|seeds/|snapshots/|tests/|macros/|analyses/)[^\s():'\"]+\.(?:sql|ya?ml|csv|py))"
)
_NODE = re.compile(r"(?:model|test|seed|snapshot|analysis|source|unit_test)\.([a-z0-9_]+)\.(\w+)")


def _place(text: str, ws: Workspace) -> tuple[Path | None, int]:
    """Find the file that dbt means (it names it below its package) and the line of the reference."""
    candidates: list[Path] = []
    found = _PATH.search(text)
    node = _NODE.search(text)
    if found:
        if node:
            candidates.append(ws.products / node[1] / found[1])
        candidates += [ws.root / found[1], *_speaking_of(text, sorted(ws.products.glob(f"*/{found[1]}")))]
    elif node:
        candidates += sorted((ws.products / node[1]).glob(f"**/{node[2]}.sql"))
    candidates += _users_of_variable(text, ws)
    project = re.search(r"(\S*dbt_project\.yml)", text)
    if project:
        candidates.append(ws.root / project[1])
    file = next((candidate for candidate in candidates if candidate.is_file()), None)
    return (file, _line(text, file)) if file is not None else (None, 0)


def _speaking_of(text: str, files: list[Path]) -> list[Path]:
    """Return those of several files of one name that hold what dbt's message quotes; none if several do."""
    if len(files) < 2:
        return files
    quoted = re.findall(r"'([A-Za-z0-9_.]+)'", text)
    names = [re.sub(r"^(dbt_macro__)?(test_)?", "", name) for name in quoted]
    contents = {file: file.read_text("utf-8", errors="replace") for file in files}
    for name in names:
        holding = [file for file in files if re.search(rf"\b{re.escape(name)}\b", contents[file])]
        if len(holding) == 1:
            return holding
    return []


def _users_of_variable(text: str, ws: Workspace) -> list[Path]:
    missing = re.search(r"Env var required but not provided: '(\w+)'", text)
    if not missing:
        return []
    use = re.compile(rf"env_var\(\s*['\"]{missing[1]}['\"]\s*\)")
    files = (
        f for f in sorted(ws.products.rglob("*")) if f.suffix in (".sql", ".yml", ".yaml") and f.is_file()
    )
    return [file for file in files if use.search(file.read_text("utf-8", errors="replace"))]


def _line(text: str, file: Path) -> int:
    stated = re.search(r"\bline (\d+)\b", text)
    if stated:
        return int(stated[1])
    names = [name.rsplit(".", 1)[-1] for name in re.findall(r"'([A-Za-z0-9_.]+)'", text)]
    names += [name for _, name in _NODE.findall(text)]
    lines = file.read_text("utf-8", errors="replace").splitlines()
    wanted = [name for name in names if name != file.stem] or names
    for number, line in enumerate(lines, 1):
        if any(re.search(rf"['\"]{re.escape(name)}['\"]", line) for name in wanted):
            return number
    return 0


def _near(text: str, ws: Workspace) -> str:
    """Return the models of a product that a reference may have meant, as a hint."""
    missing = re.search(r"node named '(\w+)' in package or project '(\w+)'", text)
    folder = ws.products / missing[2] if missing else None
    if missing is None or folder is None or not folder.is_dir():
        return ""
    names = sorted({f.stem for f in folder.glob("models/**/*") if f.suffix in (".sql", ".py")})
    close = difflib.get_close_matches(missing[1], names, 5, 0.4)
    return f"{missing[2]} has {', '.join(close or names[:8])}; its public models can be read" if names else ""


def _way_out(text: str, ws: Workspace) -> str:
    if "which was not found" in text or ("not found" in text and "depends on a node" in text):
        return _near(text, ws) or (
            "check the name in ref(); a product is read as ref('product', 'model'), and must be in products/"
        )
    reader = re.search(r"Node (\w+)\.(\w+)\.\S+ attempted to reference node \w+\.(\w+)\.", text)
    if reader and reader[2] == reader[3]:
        kind = {"test": "data_tests", "analysis": "analyses"}.get(reader[1], f"{reader[1]}s")
        return f"let it belong to the group, too: `{kind}: {{{reader[2]}: {{+group: {reader[2]}}}}}` in dbt_project.yml"
    if "DbtReferenceError" in text or "not allowed" in text:
        return "read a public model of that product instead, or ask its owner to make this one public"
    if "cycle" in text.lower():
        return "let one of the two read from further upstream, so that the references run one way"
    if "duplicate" in text.lower() or "two resources" in text:
        return "give one of the two another name"
    if "env_var" in text or "Env var required" in text:
        return "set the variable, or give env_var() a default"
    return ""


def _place_of(crossing: Crossing) -> tuple[str, ...]:
    c = crossing
    return c.product, c.file, c.name, c.upstream, c.upstream_name, c.upstream_table


_TESTS_BY_NAME = re.compile(r"^(data_)?tests\s*:", re.MULTILINE)


def _describes_singular_tests(ws: Workspace) -> bool:
    """Say whether a YAML file of a product says something of singular tests: a list `data_tests` at its top."""
    return any(
        _TESTS_BY_NAME.search(file.read_text("utf-8", "replace"))
        for folder in sorted(ws.products.iterdir())
        for shelf in ("tests", "models")
        for file in sorted((folder / shelf).rglob("*.y*ml"))
    )


def _project(manifest: Any, products: frozenset[str]) -> Project:
    upstreams: dict[str, set[str]] = {name: set() for name in products}
    code: dict[str, set[str]] = {name: set() for name in products}
    crossings: list[Crossing] = []
    resources: dict[str, Any] = {**manifest.nodes, **manifest.sources, **manifest.exposures}
    macros = manifest.macros
    for node in resources.values():
        here = node.package_name
        if here not in products:
            continue
        depends = getattr(node, "depends_on", None)
        for macro in getattr(depends, "macros", ()):
            owner = macros[macro].package_name if macro in macros else ""
            if owner in products and owner != here:
                code[here].add(str(owner))
        for upstream_id in getattr(depends, "nodes", ()):
            upstream = resources.get(upstream_id)
            if upstream is None or upstream.package_name == here or upstream.package_name not in products:
                continue
            upstreams[here].add(str(upstream.package_name))
            access = getattr(upstream, "access", "") or ""
            crossings.append(
                Crossing(
                    str(here),
                    str(node.original_file_path),
                    str(node.name),
                    str(upstream.package_name),
                    str(upstream.name),
                    str(upstream.resource_type.value),
                    str(getattr(access, "value", access)),
                    str(getattr(upstream, "alias", "") or upstream.name),
                )
            )
    return Project(
        {name: frozenset(found) for name, found in upstreams.items()},
        {name: frozenset(found) for name, found in code.items()},
        tuple(sorted(set(crossings), key=_place_of)),
        frozenset(
            str(source.package_name)
            for source in manifest.sources.values()
            if getattr(source, "loaded_at_field", None) or getattr(source, "loaded_at_query", None)
        ),
        declared_inputs(manifest, products),
        frozenset(
            str(node.package_name)
            for node in manifest.nodes.values()
            if node.package_name in products
            and str(getattr(getattr(node, "config", None), "materialized", "")) in ("incremental", "snapshot")
        ),
    )
