"""dbt's tests: generic, singular and unit tests, with how they went.

Takes a node of the manifest and its result; gives a `DataTest`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from factory.loose_json import list_in, object_in, text_in


@dataclass(frozen=True, slots=True)
class DataTest:
    """A dbt test, and how it went.

    Attributes:
        unique_id, name, package, file: as for a relation.
        kind: not_null, unique, accepted_values, relationships, `package.name` of another generic test,
            `singular`, or `unit`.
        attached: unique id of the relation it speaks of, or empty.
        column: the column, or empty.
        arguments: the generic test's own arguments.
        severity: error or warn.
        where: the test's filter, or empty.
        description: from YAML.
        meta: from YAML; `dimension` there overrides the derived one.
        upstream: unique ids it reads.
        status: pass, warn, fail, error, skipped, or `not run`.
        failures: rows that failed, or None.
        message: what dbt said.
        seconds: how long it took.
        sql: what people wrote of a singular test, with its Jinja.
        thresholds: `error_if`, `warn_if`, `fail_calc` and `limit`, where they are not dbt's own.
        unit: of a unit test what is given and expected.
        tags: from YAML.
    """

    unique_id: str
    name: str
    package: str
    file: str
    kind: str
    attached: str
    column: str
    arguments: Mapping[str, Any]
    severity: str
    where: str
    description: str
    meta: Mapping[str, Any]
    upstream: tuple[str, ...]
    status: str
    failures: int | None
    message: str
    seconds: float
    sql: str = ""
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    unit: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


# What dbt does where nothing is said.
_USUAL_THRESHOLDS = {"error_if": "!= 0", "warn_if": "!= 0", "fail_calc": "count(*)", "limit": ""}


def read_test(unique_id: str, node: dict[str, Any], result: dict[str, Any] | None) -> DataTest:
    """Return a test or unit test from its node in the manifest, and its result if it ran."""
    config = object_in(node, "config")
    generic = object_in(node, "test_metadata")
    arguments = {k: v for k, v in object_in(generic, "kwargs").items() if k not in ("model", "column_name")}
    column = text_in(node, "column_name")
    named_column = text_in(object_in(generic, "kwargs"), "column_name")
    if not column and re.fullmatch(r"[A-Za-z_]\w*", named_column):
        column = named_column
    elif not column and named_column:
        arguments["column_name"] = named_column
    nested = arguments.pop("arguments", None)
    if isinstance(nested, dict):
        arguments.update(nested)
    if node.get("resource_type") == "unit_test":
        kind = "unit"
    elif generic:
        space = text_in(generic, "namespace")
        kind = f"{space}.{generic['name']}" if space else text_in(generic, "name")
    else:
        kind = "singular"
    upstream = tuple(list_in(object_in(node, "depends_on"), "nodes"))
    attached = text_in(node, "attached_node")
    if not attached and upstream:
        own = f".{text_in(node, 'package_name')}."
        made = [u for u in upstream if own in u and not u.startswith("source.")]
        attached = next((u for u in (*made, *upstream) if own in u), upstream[0])
        # Before dbt 1.5 only the arguments tell which of them the test speaks of.
        named = re.findall(r"['\"]([\w.-]+)['\"]", text_in(object_in(generic, "kwargs"), "model"))
        if named:
            attached = next((u for u in upstream if u.split(".")[-1] == named[-1]), attached)
    failures = (result or {}).get("failures")
    return DataTest(
        unique_id=unique_id,
        name=text_in(node, "name"),
        package=text_in(node, "package_name"),
        file=text_in(node, "original_file_path").replace("\\", "/"),
        kind=kind,
        attached=attached,
        column=column.strip('"`[]'),  # dbt quotes the names of quoted columns
        arguments=arguments,
        severity=(text_in(config, "severity") or "error").lower(),
        where=text_in(config, "where"),
        description=text_in(node, "description").strip(),
        meta=object_in(config, "meta") or object_in(node, "meta"),
        upstream=upstream,
        status=text_in(result or {}, "status") or "not run",
        failures=failures if isinstance(failures, int) else None,
        message=text_in(result or {}, "message"),
        seconds=float((result or {}).get("execution_time") or 0.0),
        sql=(text_in(node, "raw_code") or text_in(node, "raw_sql")).strip() if kind == "singular" else "",
        thresholds={
            key: config[key]
            for key, usual in _USUAL_THRESHOLDS.items()
            if config.get(key) is not None and str(config[key]).strip() != usual
        },
        unit={key: node[key] for key in ("given", "expect", "overrides") if kind == "unit" and node.get(key)},
        tags=tuple(str(tag) for tag in (list_in(node, "tags") or list_in(config, "tags"))),
    )
