"""What dbt knows of a contract beside its tables: known uses, how fresh the data is, who owns it.

Takes dbt's artifacts; gives values of ODCS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from factory.artifacts import Artifacts, Exposure, Relation
from factory.odcs.lint.terms import UNITS, service_level

#: dbt's periods as ODCS spells units of time.
_PERIODS = {"minute": "min", "hour": "h", "day": "d"}


def uses_of(artifacts: Artifacts, ports: Iterable[Relation], package: str = "") -> list[dict[str, Any]]:
    """Return dbt's exposures of some tables, those of one package if it is named: the known consumers."""
    covered = {port.unique_id for port in ports}
    return [
        _use(exposure)
        for exposure in artifacts.exposures
        if covered & _behind(artifacts, exposure) and package in ("", exposure.package)
    ]


def _behind(artifacts: Artifacts, exposure: Exposure) -> set[str]:
    """Return what an exposure reads, ephemeral models looked through."""
    found: set[str] = set()
    waiting = list(exposure.upstream)
    while waiting:
        unique_id = waiting.pop()
        relation = artifacts.relations.get(unique_id)
        if unique_id in found:
            continue
        found.add(unique_id)
        if relation is not None and relation.materialized == "ephemeral":
            waiting += relation.upstream
    return found


def _use(exposure: Exposure) -> dict[str, Any]:
    use = {
        "name": exposure.name,
        "type": exposure.type,
        "owner": exposure.owner,
        "url": exposure.url,
        "description": exposure.description,
    }
    more = {"label": exposure.label, "maturity": exposure.maturity}
    return use | {key: value for key, value in more.items() if value}


def levels_of(
    artifacts: Artifacts,
    ports: Iterable[Relation],
    names: Mapping[str, str],
    stated: Iterable[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Return the service levels that dbt's freshness implies for tables.

    A table is as late as the latest of the sources that it is made of: their `error_after`, or `warn_after`. How often
    a model is built is its `build_after`. What people state (`stated`) is not said again.

    Args:
        artifacts: of the project.
        ports: the tables.
        names: what tables are called in the contract, by dbt's id; those that are not there by their own name.
        stated: service levels that people wrote.

    """
    told = {service_level(str(level.get("property") or "")) for level in stated}
    found: list[dict[str, Any]] = []
    for port in ports:
        element = names.get(port.unique_id, port.identifier)
        ends = port.deprecation_date
        if ends and "endOfSupport" not in told:
            found.append({"property": "endOfSupport", "value": ends, "element": element,
                          "description": "dbt's deprecation date of the model."})  # fmt: skip
        if not told & {"latency", "freshness"}:
            found += _latency(artifacts, port, element)
        if "frequency" not in told:
            every = _period(port.freshness.get("build_after"))
            if every:
                found.append({"property": "frequency", **every, "element": element,
                              "description": "dbt builds the model anew after this time."})  # fmt: skip
    return found


def _latency(artifacts: Artifacts, port: Relation, element: str) -> list[dict[str, Any]]:
    periods = []
    for source in _sources(artifacts, port):
        period = _period(source.freshness.get("error_after")) or _period(source.freshness.get("warn_after"))
        if period:
            periods.append((period["value"] * UNITS[period["unit"]], source.name, period))
    if not periods:
        return []
    _, name, period = max(periods, key=lambda each: (each[0], each[1]))
    return [
        {
            "property": "latency",
            **period,
            "element": element,
            "description": f"Freshness that dbt checks of the source {name}.",
        }
    ]


def _period(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("count"), int) or not value["count"]:
        return {}
    unit = _PERIODS.get(str(value.get("period")))
    return {"value": value["count"], "unit": unit} if unit else {}


def _sources(artifacts: Artifacts, port: Relation) -> list[Relation]:
    """Return the sources that a table is made of, at any distance."""
    if port.kind == "source":
        return [port]
    found, seen, waiting = [], {port.unique_id}, list(port.upstream)
    while waiting:
        unique_id = waiting.pop()
        relation = artifacts.relations.get(unique_id)
        if relation is None or unique_id in seen:
            continue
        seen.add(unique_id)
        waiting += relation.upstream
        if relation.kind == "source":
            found.append(relation)
    return found


def team_of(artifacts: Artifacts, ports: Iterable[Relation]) -> dict[str, Any] | None:
    """Return the owners of the dbt groups that tables belong to as a team; None where no group has an owner."""
    named = sorted({(port.package, port.group) for port in ports})
    groups = [artifacts.groups[name] for name in named if name in artifacts.groups]
    members: dict[str, dict[str, Any]] = {}
    for group in groups:
        user = group.email or group.owner
        if user and user not in members:
            members[user] = {"username": user, "role": f"owner of {group.name}" if len(groups) > 1 else "dpo"}
            if group.owner and group.owner != user:
                members[user]["name"] = group.owner
    if not members:
        return None
    team: dict[str, Any] = {"name": ", ".join(group.name for group in groups)}
    described = [group.description for group in groups if group.description]
    if described:
        team["description"] = "\n".join(described)
    return {**team, "members": list(members.values())}
