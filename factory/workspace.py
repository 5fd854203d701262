"""Where things lie, and the settings.

Takes a folder; gives a `Workspace`, the only configuration object there is; reads `pyproject.toml`.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from factory.dimensions import DIMENSIONS
from factory.errors import WorkspaceError
from factory.files import remedy_of
from factory.periods import period_of

PROD = "prod"
_TARGET = re.compile(r"[a-z][a-z0-9_]{0,30}")
_REGION = re.compile(r"([a-z][a-z0-9-]{0,62})?", re.ASCII)
_SEVERITIES = ("none", "patch", "minor", "major")
_ALLOWED = re.compile(r"[0-9a-f]{16}|(?:env|var|profile):[\w.-]{1,200}")
_ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Settings:
    """The table `[tool.factory]` of the workspace's `pyproject.toml`.

    Attributes:
        title: what the mesh is called on pages and in summaries.
        environment: environment variables that products depend on beyond those they name in `env_var()`;
            a change of their values makes every product run again.
        targets: dbt outputs by target name, for targets other than the embedded DuckDB.
        certificate_days: how long a certificate holds.
        snapshots: how many snapshots of a port are kept.
        ports_base: what server paths in contracts start with; empty for paths relative to the workspace.
        publish_to: where the target `prod` publishes; empty for the workspace itself, a folder that holds `registry/`
            and `ports/` (relative to the workspace, or absolute), or `s3://bucket/prefix`, of which `registry/` and
            `ports/` of the workspace are then a replica. Server and keys are those of the environment (`AWS_...`).
        notice_period: how long a major version of a contract is kept after its end was announced, where neither the
            contract nor its product says so (`noticePeriod`); ISO 8601, `P0D` for not at all.
        template: the template of new products, a folder or a git address; empty for the workspace's own.
        documented_percent: how many tables and columns of a contract have a description, in percent.
        linked_percent: how many of its columns have an authoritative definition, in percent.
        severities: severities of changes of contracts that the workspace sets otherwise, by the name of the rule.
        elements: the team's own elements of the Data QoS table, by name, as `[tool.factory.elements.NAME]` has them
            (see `levels.elements`).
        dimension_weights: how much a dimension of data quality counts in the score, by its name; 1 if not said.
        first_line: who is told of an incident first, such as the platform team's address; empty for the domain team.
        channels: where notices of incidents go, by name: an Apprise URL, or `env:NAME` for one that an environment
            variable holds. `mail` serves mail addresses, `default` whoever has no channel of their own.
        openlineage: where `factory build` tells OpenLineage of its runs: a file below the workspace, an http or https
            address, or `env:NAME` for one that an environment variable holds; empty for nowhere.
        event_sinks: webhooks that get every event of the registry: http or https addresses, or `env:NAME` for one that
            an environment variable holds.
        region: where this workspace publishes, such as `eu`, for registries of several regions; may be empty.
        secrets_allowed: what looks like a secret and is none: a fingerprint that a refusal told, or a variable as
            `env:NAME` or `var:NAME`.
    """

    title: str = "Data mesh"
    environment: tuple[str, ...] = ()
    targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    certificate_days: int = 90
    snapshots: int = 3
    ports_base: str = ""
    publish_to: str = ""
    notice_period: str = "P3M"
    template: str = ""
    documented_percent: int = 100
    linked_percent: int = 0
    severities: Mapping[str, str] = field(default_factory=dict)
    elements: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dimension_weights: Mapping[str, float] = field(default_factory=dict)
    first_line: str = ""
    channels: Mapping[str, str] = field(default_factory=dict)
    region: str = ""
    openlineage: str = ""
    secrets_allowed: tuple[str, ...] = ()
    event_sinks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Workspace:
    """One mesh on this machine, for one target.

    Attributes:
        root: the folder whose `pyproject.toml` has `[tool.factory]`.
        target: dbt's target; `prod` publishes to `registry/` and `ports/`, any other below `target/<name>/`.
        settings: what `[tool.factory]` says.
        scratch: a folder below the root that takes the place of the target's own, for a run that leaves nothing.
    """

    root: Path
    target: str = PROD
    settings: Settings = Settings()
    scratch: Path | None = None

    @property
    def products(self) -> Path:
        """The folder that holds a folder per product."""
        return self.root / "products"

    @property
    def work(self) -> Path:
        """The target's own folder: DuckDB files, dbt's artifacts, the state of the last run."""
        return self.scratch or self.root / "target" / self.target

    @property
    def duckdb(self) -> Path:
        """The folder with one DuckDB file per product, into which dbt builds."""
        return self.work / "duckdb"

    @property
    def artifacts(self) -> Path:
        """Where dbt writes its artifacts for runs of the factory."""
        return self.work / "dbt"

    @property
    def state(self) -> Path:
        """What the last run built from what, so that the next one can skip it."""
        return self.work / "state.json"

    @property
    def published(self) -> Path:
        """The folder under which this target publishes: for `prod` the workspace, or what the settings name."""
        if self.target != PROD:
            return self.root / "target" / self.target
        place = self.settings.publish_to
        return Path(os.path.normpath(self.root / place)) if place and "://" not in place else self.root

    @property
    def registry(self) -> Path:
        """The registry's folder."""
        return self.published / "registry"

    @property
    def ports(self) -> Path:
        """The published ports' folder."""
        return self.published / "ports"

    @property
    def ports_database(self) -> Path:
        """The DuckDB file with a view per published table."""
        return self.published / "ports.duckdb"

    @property
    def published_prefix(self) -> str:
        """What a server path in a contract starts with, ending in a slash where it is not empty."""
        base = self.settings.ports_base
        if not base and self.published != self.root:
            base = Path(os.path.relpath(self.published, self.root)).as_posix()
        return f"{base.rstrip('/')}/" if base else ""

    def database_file(self, product: str) -> Path:
        """Return the DuckDB file into which dbt builds a product."""
        return self.duckdb / f"{product}.duckdb"

    def relative(self, path: Path) -> str:
        """Return a path as people see it: from the workspace's root, with slashes."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()


def find_workspace(start: Path, target: str = PROD) -> Workspace:
    """Return the workspace around a folder: the nearest parent whose pyproject.toml has `[tool.factory]`.

    Raises:
        WorkspaceError: there is none, its settings are wrong, or the target's name is.

    """
    if not _TARGET.fullmatch(target):
        raise WorkspaceError(
            f"the target {target!r} is not a name",
            hint="use lower case letters, digits and _, such as prod or ci",
        )
    start = start.resolve()
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            table = _factory_table(file)
            if table is not None:
                return Workspace(folder, target, _settings(table, file))
    raise WorkspaceError(
        f"{start} is not in a workspace: no pyproject.toml with [tool.factory] here or above",
        hint="go to a workspace, name one with --workspace, or make one with `factory init DIR`",
    )


def _factory_table(file: Path) -> dict[str, Any] | None:
    try:
        with file.open("rb") as handle:
            data = tomllib.load(handle)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise WorkspaceError(
            f"not valid TOML: {error}", where=file, line=int(found[1]) if found else 0, hint="mend the file"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        hint = remedy_of(error) if isinstance(error, OSError) else "write it as UTF-8"
        raise WorkspaceError(f"cannot read the file: {error}", where=file, hint=hint) from error
    tool = data.get("tool")
    table = tool.get("factory") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise WorkspaceError("[tool.factory] is not a table", where=file)
    return table


_KINDS: dict[str, type] = {
    "title": str,
    "environment": list,
    "targets": dict,
    "certificate_days": int,
    "snapshots": int,
    "ports_base": str,
    "publish_to": str,
    "notice_period": str,
    "template": str,
    "documented_percent": int,
    "linked_percent": int,
    "severities": dict,
    "elements": dict,
    "dimension_weights": dict,
    "first_line": str,
    "channels": dict,
    "region": str,
    "openlineage": str,
    "secrets_allowed": list,
    "event_sinks": list,
}

# What an element has: its kind, and what it may be. Those in the second table may be left out.
_ELEMENT: dict[str, tuple[type, str, str]] = {
    "abbreviation": (str, r"[A-Z][A-Za-z]{0,2}", "one to three letters, the first a capital"),
    "group": (str, r"[A-Z]", "one capital letter, such as R, M, P, L, B or T"),
    "order": (int, r"[1-9]\d?", "a number from 1 to 99"),
    "category": (str, r"DQ|SLI", "DQ or SLI"),
    "period": (int, r"[1-9]\d?", "a number from 1 to 99"),
}
_ELEMENT_MORE: dict[str, tuple[type, str, str]] = {
    "name": (str, r".{1,60}", "a name for people"),
    "description": (str, r"[^\x00]{0,500}", "a sentence"),
    "property": (str, r"\S+", "the name of a property in slaProperties"),
    "direction": (str, r"at_least|at_most", "at_least or at_most"),
    "check": (str, r"[^\x00]+", "the name of a check"),
}


def _settings(table: dict[str, Any], file: Path) -> Settings:
    for key, value in table.items():
        if key not in _KINDS:
            near = difflib.get_close_matches(key, _KINDS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known settings: {', '.join(_KINDS)}"
            raise wrong_setting(file, key, f"[tool.factory] has no setting {key!r}", hint)
        kind = _KINDS[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise wrong_setting(file, key, f"the setting {key!r} must be a {kind.__name__}")
        if isinstance(value, int):
            _check_number(key, value, file)
    for name in table.get("environment", []):
        if not isinstance(name, str) or not _ENVIRONMENT.fullmatch(name):
            raise wrong_setting(file, "environment", f"{name!r} is not the name of an environment variable")
    for name, output in table.get("targets", {}).items():
        if not _TARGET.fullmatch(name) or not isinstance(output, dict) or "type" not in output:
            raise wrong_setting(
                file,
                name,
                f"the target {name!r} is not a dbt output",
                "give it a `type` and what its adapter needs",
            )
    _check_place(table.get("publish_to", ""), file)
    _check_promises(table, file)
    _check_elements(table.get("elements", {}), file)
    for name, weight in table.get("dimension_weights", {}).items():
        _check_weight(name, weight, file)
    for name, url in table.get("channels", {}).items():
        _check_channel(name, url, file)
    _check_destinations(table, file)
    _check_allowed(table, file)
    lists = {key: tuple(table.get(key, ())) for key in ("environment", "secrets_allowed", "event_sinks")}
    return Settings(**{**table, **lists})


def _check_allowed(table: dict[str, Any], file: Path) -> None:
    """Check what is said to be no secret: it is named by a fingerprint or a name, never by itself."""
    for entry in table.get("secrets_allowed", []):
        if not isinstance(entry, str) or not _ALLOWED.fullmatch(entry):
            raise wrong_setting(
                file,
                "secrets_allowed",
                "an entry of 'secrets_allowed' is neither a fingerprint nor a variable's name",
                "write the 16 digits in brackets that the refusal told, or env:NAME; never the value itself",
            )


def _check_destinations(table: dict[str, Any], file: Path) -> None:
    """Check where events go."""
    found = [("openlineage", openlineage_fault(table.get("openlineage", "")))]
    found += [("event_sinks", sink_fault(where)) for where in table.get("event_sinks", [])]
    for name, (fault, hint) in found:
        if fault:
            raise wrong_setting(file, name, f"the setting {name!r}: {fault}", hint)


def _check_number(key: str, value: int, file: Path) -> None:
    if key.endswith("_percent"):
        if not 0 <= value <= 100:
            raise wrong_setting(file, key, f"the setting {key!r} is a share: from 0 to 100")
    elif value < 1:
        raise wrong_setting(file, key, f"the setting {key!r} must be at least 1")


def _check_place(place: str, file: Path) -> None:
    """Check where is published to; keys and servers of a bucket never stand in `pyproject.toml`."""
    if "://" in place and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w.=-]+)*/?", place):
        message = "the setting 'publish_to' is neither a folder nor the address of a bucket"
        hint = "write a folder, or s3://bucket/prefix; server and keys come from the environment (AWS_...)"
        raise wrong_setting(file, "publish_to", message, hint)


def _check_promises(table: dict[str, Any], file: Path) -> None:
    """Check the settings about what is published, and how contracts change."""
    if not _REGION.fullmatch(table.get("region", "")):
        message = f"the region {table['region']!r} is not a name"
        raise wrong_setting(file, "region", message, "use lower case letters, digits and -, such as eu-west")
    for name, severity in table.get("severities", {}).items():
        if severity not in _SEVERITIES:
            message = f"{severity!r} is no severity of the rule {name!r}"
            raise wrong_setting(file, name, message, f"use one of {', '.join(_SEVERITIES)}")
    if "notice_period" in table:
        try:
            period_of(table["notice_period"])
        except ValueError as error:
            hint = "write years, months, weeks or days by ISO 8601, such as P3M or P90D"
            raise wrong_setting(
                file, "notice_period", f"the setting 'notice_period': {error}", hint
            ) from error


def _check_weight(name: str, weight: Any, file: Path) -> None:
    if name not in DIMENSIONS:
        near = difflib.get_close_matches(name, DIMENSIONS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(DIMENSIONS)}"
        raise wrong_setting(file, name, f"{name!r} is no dimension of data quality", hint)
    if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 <= weight <= 1000:
        raise wrong_setting(file, name, f"the weight of {name!r} is a number from 0 to 1000")


def _check_elements(elements: Mapping[str, Any], file: Path) -> None:
    """Check the team's own elements of the Data QoS table."""
    known = {**_ELEMENT, **_ELEMENT_MORE}
    taken: dict[str, str] = {}
    for name, values in elements.items():
        where = f"tool.factory.elements.{name}"
        if not isinstance(values, dict):
            raise wrong_setting(file, name, f"the element {name!r} is not a table")
        missing = [key for key in _ELEMENT if key not in values]
        if missing:
            hint = f"write {missing[0]}: {_ELEMENT[missing[0]][2]}"
            raise wrong_setting(file, name, f"the element {name!r} has no {missing[0]}", hint, table=where)
        for key, value in values.items():
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"an element has {', '.join(known)}"
                message = f"the element {name!r} has no setting {key!r}"
                raise wrong_setting(file, key, message, hint, table=where)
            kind, pattern, words = known[key]
            if (
                not isinstance(value, kind)
                or isinstance(value, bool)
                or not re.fullmatch(pattern, str(value))
            ):
                message = f"the element {name!r}: {key} {value!r} is not {words}"
                raise wrong_setting(file, key, message, table=where)
        other = taken.setdefault(values["abbreviation"], name)
        if other != name:
            message = f"the elements {other!r} and {name!r} have one abbreviation, {values['abbreviation']}"
            raise wrong_setting(file, "abbreviation", message, "give one of them another", table=where)


def _check_channel(name: str, url: Any, file: Path) -> None:
    """Check where a channel's notices go: a secret never stands in `pyproject.toml`."""
    hint = f'write {name} = "env:FACTORY_CHANNEL", and put the Apprise URL into that environment variable'
    if not isinstance(url, str):
        raise wrong_setting(file, name, f"the channel {name!r} must be a str", hint)
    variable = url.removeprefix("env:")
    if variable != url:
        if not _ENVIRONMENT.fullmatch(variable):
            message = f"the channel {name!r}: {variable!r} is not the name of an environment variable"
            raise wrong_setting(file, name, message, hint)
    elif not re.match(r"[a-z][a-z0-9+.-]*://", url):
        raise wrong_setting(file, name, f"the channel {name!r} is no Apprise URL", hint)
    elif _may_hold_secret(url):
        raise wrong_setting(file, name, f"the URL of the channel {name!r} may hold a secret", hint)


# Only these say no more than where a receiver is; a URL of any other service holds its token.
_OPEN_SCHEMES = ("json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos")
_OPEN_OPTIONS = frozenset(["cto", "format", "from", "method", "mode", "name", "rto", "smtp", "to", "verify"])
_TOKEN = re.compile(r"(?=[^/]*\d)[A-Za-z0-9_-]{20,}")


def _may_hold_secret(url: str) -> bool:
    try:
        parts = urlsplit(url)
        options = {key for key, _ in parse_qsl(parts.query, keep_blank_values=True)}
    except ValueError:
        return True
    return (
        parts.scheme not in _OPEN_SCHEMES
        or parts.password is not None
        or "@" in parts.path
        or bool(options - _OPEN_OPTIONS)
        or any(_TOKEN.fullmatch(unquote(step)) for step in parts.path.split("/"))
    )


def openlineage_fault(where: str) -> tuple[str, str]:
    """Return why something is no destination for OpenLineage, and what to write; two empty texts if it is one.

    It is a file below the workspace, an http or https address without a secret, or `env:NAME`.
    """
    variable = where.removeprefix("env:")
    if variable != where:
        if _ENVIRONMENT.fullmatch(variable):
            return "", ""
        return f"{variable!r} is not the name of an environment variable", "write env:OPENLINEAGE_URL"
    if "://" in where:
        return _address_fault(where, "OPENLINEAGE_URL", "OPENLINEAGE_API_KEY")
    path = PurePosixPath(where)
    if path.is_absolute() or ".." in path.parts or where.endswith("/") or re.search(r"[\\:\x00]", where):
        hint = "write a path from the workspace's root, such as target/openlineage.ndjson"
        return f"{where!r} is no file below the workspace", hint
    return "", ""


def sink_fault(where: object) -> tuple[str, str]:
    """Return why something is no webhook for events, and what to write; two empty texts if it is one."""
    if not isinstance(where, str):
        return f"{where!r} is no text", 'write event_sinks = ["https://hooks.example.org/data"]'
    variable = where.removeprefix("env:")
    if variable == where:
        return _address_fault(where, "FACTORY_EVENT_SINK", "FACTORY_EVENT_TOKEN")
    if _ENVIRONMENT.fullmatch(variable):
        return "", ""
    return f"{variable!r} is not the name of an environment variable", "write env:FACTORY_EVENT_SINK"


def _address_fault(address: str, variable: str, key: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        return "this is no http or https address", "write one such as https://events.example.org"
    secret = "@" in parts.netloc or parts.query or parts.fragment
    if secret or any(_TOKEN.fullmatch(unquote(step)) for step in parts.path.split("/")):
        way_out = f"write env:{variable}, and put the address into that environment variable"
        return "this address may hold a secret", f"{way_out}; a key goes into {key}"
    return "", ""


def wrong_setting(
    file: Path, key: str, message: str, hint: str = "", *, table: str = "tool.factory"
) -> WorkspaceError:
    """Return the error of a setting in `pyproject.toml`, with the line of its key.

    `table` is the table that the key stands in; where the file has no such header, the key is looked for anywhere.
    """
    lines = file.read_text("utf-8").splitlines()
    bare = table.replace('"', "")
    header = next(
        (n for n, text in enumerate(lines, 1) if re.sub(r"[\s\"']", "", text).startswith(f"[{bare}]")), 0
    )
    inner = table != "tool.factory"
    start = header if inner else 0
    keys = [key, bare.rsplit(".", 1)[1]] if inner else [key]
    for wanted in keys:
        pattern = rf"\s*(?:[\w.]+\.)?[\"']?{re.escape(wanted)}[\"']?(?:\.[\w.]+)?\s*="
        for number, text in enumerate(lines[start:], start + 1):
            if inner and header and text.lstrip().startswith("["):
                break
            if re.match(pattern, text):
                return WorkspaceError(message, where=file, line=number, hint=hint)
    return WorkspaceError(message, where=file, line=header if inner else 0, hint=hint)
