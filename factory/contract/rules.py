"""Every rule of a product, from whichever of the three places it was written in, in one shape.

Takes dbt's tests, the SodaCL in `checks/` and the ODCS rules in the hand-kept contracts; gives a `Rule` for
each. A rule is written once, run once (by dbt, Soda or the contract stage's own SQL) and published once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factory.artifacts import Artifacts
from factory.contract.places import TestPlaces
from factory.contract.promises import Promise
from factory.data_tests import DataTest
from factory.dimensions import DIMENSION_NAMES, DIMENSIONS
from factory.documents import Path_
from factory.products import Product

# The dimension of a rule by the words in its kind, first match counts. The seven are those of the EDM Council
# that ODCS uses; a `dimension` in the test's meta, the check's attributes or the rule itself overrides.
_DIMENSION_WORDS = (
    ("uniqueness", ("unique", "uniqueness", "duplicate", "duplicates", "distinct")),
    ("completeness", ("not null", "null", "nulls", "missing", "complete", "completeness", "not empty")),
    ("conformity", ("regex", "pattern")),
    (
        "consistency",
        (
            "match",
            "matches",
            "relationships",
            "exist in",
            "same as",
            "equal",
            "reconcile",
            "reconciles",
            "reconciliation",
            "consistent",
            "overlap",
            "monotonic",
        ),
    ),
    ("timeliness", ("freshness", "recency", "late", "recent")),
    ("coverage", ("row count", "rowcount", "cardinality", "coverage", "at least one")),
    (
        "conformity",
        (
            "accepted",
            "invalid",
            "valid",
            "schema",
            "regex",
            "type",
            "format",
            "length",
            "range",
            "between",
            "iso",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule about a table or a column.

    Attributes:
        key: identifies the rule within the product: dbt's unique id, or file and position.
        origin: dbt, soda, odcs, or contract for what the contract says of columns (types, keys, options).
        product, table, column: what it speaks of; the table is empty for what speaks of none, or several.
        name: for people.
        kind: what it checks, in its origin's words: not_null, row_count, nullValues, sql, ...
        dimension: one of DIMENSIONS.
        severity: error refuses the product, warning publishes and tells.
        definition: the rule itself: a test's arguments, SodaCL text, or the ODCS rule.
        description: for people, or empty.
        file, line: where it is written.
        tags: of a dbt test.
        reads: dbt's ids of what a test reads.
        facts: what else is known of it, as custom properties.
    """

    key: str
    origin: str
    product: str
    table: str
    column: str
    name: str
    kind: str
    dimension: str
    severity: str
    definition: Any
    description: str
    file: Path
    line: int
    tags: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def file_in(self, folder: Path) -> str:
        """Return its file as it lies below a folder, such as that of its product; its name, if it lies elsewhere."""
        inside = self.file.is_relative_to(folder)
        return self.file.relative_to(folder).as_posix() if inside else self.file.name

    @property
    def definition_type(self) -> str:
        """The type of an ODCS rule: library, sql, custom or text; the origin of any other."""
        if self.origin == "odcs" and isinstance(self.definition, dict):
            return str(self.definition.get("type") or "library")
        return self.origin


def gather_rules(
    product: Product, promises: Iterable[Promise], checks: Iterable[Rule], artifacts: Artifacts
) -> tuple[Rule, ...]:
    """Return the product's rules: dbt tests, then SodaCL checks (see `sodacl.read_checks`), then the contracts' own."""
    rules = list(rules_of_tests(artifacts, product.name, product.folder, located=True))
    rules += checks
    for promise in promises:
        rules += _from_promise(promise, product)
    return tuple(rules)


def dimension_of(words: str, override: Any = None) -> str:
    """Return the dimension of a rule by what it checks, unless one is stated."""
    stated = str(override or "").lower()
    stated = {**DIMENSION_NAMES, "validity": "conformity"}.get(stated, stated)
    if stated in DIMENSIONS:
        return stated
    # Whole words: `calculated` is not late.
    text = " " + " ".join(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words).lower())) + " "
    return next(
        (d for d, found in _DIMENSION_WORDS if any(f" {word} " in text for word in found)), "accuracy"
    )


def rules_of_tests(
    artifacts: Artifacts, package: str, folder: Path, *, located: bool = False
) -> Iterator[Rule]:
    """Yield dbt's tests of one package as rules; `folder` is where its files lie.

    `located` looks into the YAML files for the lines, which dbt does not tell.
    """
    places = TestPlaces(folder) if located else None
    for test in artifacts.tests:
        if test.package == package:
            line = places.line(test, artifacts.relations.get(test.attached)) if places else 0
            yield _from_test(test, package, folder / test.file, line, artifacts)


def _from_test(test: DataTest, package: str, file: Path, line: int, artifacts: Artifacts) -> Rule:
    # A test over several models speaks of the port among them, if there is one.
    relations = [artifacts.relations[i] for i in (test.attached, *test.upstream) if i in artifacts.relations]
    own = [relation for relation in relations if relation.package == package]
    attached = next((r for r in own if r.is_port), own[0] if own else None)
    if test.kind not in ("singular", "unit") and own:
        attached = own[0]
    words = test.name if test.kind in ("singular", "unit") else test.kind
    return Rule(
        key=test.unique_id,
        origin="dbt",
        product=package,
        # A source may be called as a port is: its tests are about what comes in.
        table="" if attached is None else attached.name if attached.kind == "source" else attached.identifier,
        column=test.column,
        name=test.name,
        kind=test.kind,
        dimension=dimension_of(words, test.meta.get("dimension")),
        severity="warning" if test.severity == "warn" else "error",
        definition=_definition(test),
        description=test.description,
        file=file,
        line=line,
        tags=test.tags,
        reads=test.upstream,
        facts={name: value for name, value in sorted(test.meta.items()) if name != "dimension"},
    )


def _definition(test: DataTest) -> dict[str, Any]:
    definition: dict[str, Any] = {"test": test.kind, "name": test.name}
    if test.arguments:
        definition["arguments"] = dict(sorted(test.arguments.items()))
    if test.where:
        definition["where"] = test.where
    if test.thresholds:
        definition["thresholds"] = dict(test.thresholds)
    if test.sql:
        definition["sql"] = test.sql
    return definition | dict(test.unit)


def _from_promise(promise: Promise, product: Product) -> list[Rule]:
    return odcs_rules(promise.data, product.name, promise.document.path, promise.document.line)


def odcs_rules(
    contract: Mapping[str, Any], product: str, file: Path, line_of: Callable[..., int]
) -> list[Rule]:
    """Return the quality rules that stand in a contract, of its tables and of columns at every depth.

    `line_of` gives the line of the value at some keys, as `Document.line` does. A column in a struct is called
    `address.zip`, the values of a list `tags[]`.
    """
    rules = []
    for number, table in _named(contract, "schema"):
        at: Path_ = ("schema", number)
        names = {
            str(column["name"]): str(column["physicalName"])
            for _, column in _named(table, "properties")
            if column.get("physicalName") not in (None, column["name"])
        }
        facts = {"physical": names} if names else {}
        physical = str(table.get("physicalName") or table["name"])
        if physical.lower() != str(table["name"]).lower():
            facts["model"] = table["name"]
        for place, column, data in ((at, "", table), *_columns_of(at, "", table)):
            for q, rule in _mappings(data, "quality"):
                here = (*place, "quality", q)
                known = facts | (_valid_values(data) if column else {})
                rules.append(_odcs_rule(rule, here, physical, column, product, (file, line_of), known))
    return rules


def _odcs_rule(
    rule: Mapping[str, Any],
    place: Path_,
    table: str,
    column: str,
    product: str,
    source: tuple[Path, Callable[..., int]],
    facts: Mapping[str, Any],
) -> Rule:
    file, line_of = source
    kind = str(rule.get("metric") or rule.get("rule") or rule.get("type") or "library")
    severity = str(rule.get("severity") or "error").lower()
    return Rule(
        key="odcs:" + file.name + ":" + ".".join(map(str, place)),
        origin="odcs",
        product=product,
        table=table,
        column=column,
        name=str(rule.get("name") or rule.get("id") or kind),
        kind=kind,
        dimension=dimension_of(f"{kind} {rule.get('name', '')}", rule.get("dimension")),
        severity="warning" if severity in ("warning", "warn", "info") else "error",
        definition=rule,
        description=str(rule.get("description") or ""),
        file=file,
        line=line_of(*place),
        facts=facts,
    )


def _mappings(data: Mapping[str, Any], key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the mappings of a list with their places; what is no mapping is for the linter to tell."""
    found = data.get(key)
    for number, each in enumerate(found if isinstance(found, list) else ()):
        if isinstance(each, dict):
            yield number, each


def _named(data: Mapping[str, Any], key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return ((number, each) for number, each in _mappings(data, key) if each.get("name"))


def _columns_of(
    at: Path_, prefix: str, parent: Mapping[str, Any]
) -> Iterator[tuple[Path_, str, Mapping[str, Any]]]:
    """Yield place, name and values of the columns of a table, and of what is inside them."""
    for number, column in _named(parent, "properties"):
        name = prefix + str(column.get("physicalName") or column["name"])
        yield from _inside((*at, "properties", number), name, column)


def _inside(
    at: Path_, name: str, column: Mapping[str, Any]
) -> Iterator[tuple[Path_, str, Mapping[str, Any]]]:
    yield at, name, column
    yield from _columns_of(at, f"{name}.", column)
    if isinstance(column.get("items"), dict):
        yield from _inside((*at, "items"), f"{name}[]", column["items"])
    entries = column.get("map")
    for end in ("key", "value"):
        if isinstance(entries, dict) and isinstance(entries.get(end), dict):
            yield from _inside((*at, "map", end), f"{name}.{end}", entries[end])


def _valid_values(column: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a column says of its values, for rules that leave it to the column which are valid."""
    values = [each["value"] for _, each in _mappings(column, "enum") if "value" in each]
    options = column.get("logicalTypeOptions")
    pattern = options.get("pattern") if isinstance(options, dict) else None
    return {key: found for key, found in (("validValues", values), ("pattern", pattern)) if found}
