"""The SodaCL that a product's `checks/` hold: every check as a rule, with all that it stands on.

Takes checks files or text; gives a `Check` for each check in them; reads the files. Variables, dataset filters,
configurations of columns and `for each dataset` are read here; running them is the quality stage's.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factory.contract.rules import Rule, dimension_of
from factory.contract.sodacl_text import (
    Line,
    RefusedError,
    bare,
    line_of,
    refuse_check,
    refuse_section,
)
from factory.dimensions import DIMENSIONS
from factory.documents import Document, dump_yaml, parse_yaml, read_yaml
from factory.errors import FactoryError, QualityError, raise_all
from factory.products import Product

_CHECKS_FOR = re.compile(r"checks for (?!each\b)\s*(\"[^\"]+\"|`[^`]+`|[^\[]+?)\s*(?:\[\s*(.*?)\s*\])?")
_FILTER = re.compile(r"filter\s+(\"[^\"]+\"|`[^`]+`|[^\[]+?)\s*\[\s*(.*?)\s*\]")
_CONFIGURATIONS = re.compile(r"configurations for\s+(.+)")
_EACH = re.compile(r"for each (?:dataset|table)\s+(\S+)")
_VARIABLE = re.compile(r"\$\{\s*([A-Za-z_][\w.-]*)\s*\}")
_SEVERITIES = {"error": "error", "warning": "warning", "warn": "warning", "info": "warning"}
# What says nothing of the value that is measured.
_BESIDE = ("name", "attributes", "identity", "warn", "fail", "samples limit", "samples columns")


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a file, with all that it stands on.

    Attributes:
        rule: the check as a rule.
        text: its line, such as `avg(amount) > 5`.
        options: what stands below the line.
        table: as it is written, or empty for a check of several tables or of none.
        partition: the name of the dataset filter in its heading, or empty.
        alias, datasets: of `for each dataset`: the name for a table, and the patterns of the tables.
        filters: the file's dataset filters: the condition by table and name.
        configurations: the file's configurations of columns, by table.
        variables: the file's own values of variables.
    """

    rule: Rule
    text: str
    options: Mapping[str, Any]
    table: str = ""
    partition: str = ""
    alias: str = ""
    datasets: tuple[str, ...] = ()
    filters: Mapping[tuple[str, str], str] = field(default_factory=dict)
    configurations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> Line:
        """The parts of the check's line."""
        return line_of(self.text)

    def measurement(self, table: str) -> str:
        """Return what its metric is called in the history of runs.

        It holds as long as what is measured stays the same: threshold, name and attributes do not count, and
        variables count by their names. An `identity` of the check's own replaces it.
        """
        place = bare(table) + (f"[{self.partition}]" if self.partition else "")
        if own := self.options.get("identity"):
            return f"{place}:{own}"
        line = self.line
        metric = line.metric + (f"({', '.join(map(bare, line.arguments))})" if line.arguments else "")
        about = {key: value for key, value in self.options.items() if key not in _BESIDE}
        about |= {"where": self.filters.get((bare(table), self.partition))} if self.partition else {}
        if not about:
            return f"{place}.{metric}"
        written = json.dumps(about, sort_keys=True, ensure_ascii=False, default=str)
        return f"{place}.{metric}#{hashlib.sha256(written.encode()).hexdigest()[:8]}"


def checks_files(product: Product) -> tuple[Path, ...]:
    """Return the files in a product's `checks/` and the folders below it, in order."""
    folder = product.folder / "checks"
    return tuple(sorted(folder.rglob("*.y*ml"))) if folder.is_dir() else ()


def read_checks(product: Product) -> tuple[Rule, ...]:
    """Return the SodaCL checks in the product's `checks/` as rules, in the order of files and lines.

    Raises:
        FactoryError: a checks file is not YAML, has no checks where they are expected, an unknown metric, or
            something that is not supported.

    """
    files = checks_files(product)
    return tuple(check.rule for check in checks_in(files, product.name, product.folder / "checks"))


def checks_in(files: Iterable[Path], product: str, folder: Path) -> tuple[Check, ...]:
    """Return the checks in files; their keys name the files as they lie below `folder`. See `read_checks`."""
    found: list[Check] = []
    for file in files:
        name = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name
        found += _Sheet(read_yaml(file), product, name).checks()
    return tuple(found)


def checks_of_text(text: str, path: Path, product: str, name: str, table: str = "") -> tuple[Check, ...]:
    """Return the checks in a text: a document of SodaCL, or a list of checks or one check for `table`.

    Raises:
        FactoryError: as `read_checks`.

    """
    data = parse_yaml(text, path).data
    lone = isinstance(data, str) or (
        isinstance(data, dict) and len(data) == 1 and not _is_section(str(next(iter(data))))
    )
    if lone:
        data = [data]
    if isinstance(data, list):
        if not table:
            raise QualityError(
                "the check names no table", where=path, hint="write `checks for <table>:` above it"
            )
        heading = f'checks for "{table}"'
        return tuple(_Sheet(parse_yaml(dump_yaml({heading: data}), path), product, name).checks())
    return tuple(_Sheet(parse_yaml(text, path), product, name).checks())


def substitute(text: str, values: Mapping[str, str]) -> tuple[str, str]:
    """Return a text with its variables replaced, and the first variable that has no value, or nothing."""
    missing = ""

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        if found[1] not in values:
            missing = missing or found[1]
            return found[0]
        return str(values[found[1]])

    return _VARIABLE.sub(value, text), missing


def _is_section(heading: str) -> bool:
    patterns = (_CHECKS_FOR, _FILTER, _CONFIGURATIONS, _EACH)
    return heading in ("checks", "variables") or any(p.fullmatch(heading) for p in patterns)


class _Sheet:
    """One file of checks."""

    def __init__(self, document: Document, product: str, name: str) -> None:
        self.document = document
        self.product = product
        self.name = name
        self.places: dict[int, int] = {}
        self.sections: dict[str, Any] = {}
        self.filters: dict[tuple[str, str], str] = {}
        self.configurations: dict[str, Mapping[str, Any]] = {}
        self.variables: dict[str, str] = {}
        self.problems: list[FactoryError] = []

    def checks(self) -> Iterator[Check]:
        """Yield the checks in the order in which they stand.

        Raises:
            FactoryError: something in the file is wrong; all that is, at the end.

        """
        data = self.document.data
        if data is None:
            return
        if not isinstance(data, dict):
            raise self._error("the file holds no checks", "start with `checks for <table>:` and a list")
        self.sections = data
        self._read_sections()
        for heading, body in data.items():
            try:
                yield from self._checks_of(str(heading), body)
                if not _is_section(str(heading)):
                    self._refused(lambda heading=heading: refuse_section(str(heading)), heading)
            except QualityError as problem:
                self.problems.append(problem)
        raise_all(self.problems)

    def _read_sections(self) -> None:
        stated = self.sections.get("variables") or {}
        if not isinstance(stated, dict):
            raise self._error("`variables` holds no names with values", "write `name: value`", "variables")
        self.variables = {str(key): str(value) for key, value in stated.items()}
        for heading, body in self.sections.items():
            if found := _FILTER.fullmatch(str(heading)):
                where = body.get("where") if isinstance(body, dict) else None
                if not isinstance(where, str) or not where.strip():
                    raise self._error(
                        f"`{heading}` has no condition", "write `where:` with SQL below it", heading
                    )
                self.filters[bare(self._resolved(found[1])), found[2]] = where
            elif found := _CONFIGURATIONS.fullmatch(str(heading)):
                if not isinstance(body, dict):
                    hint = "write `valid min for amount: 0`, for example"
                    raise self._error(f"`{heading}` holds no configurations", hint, heading)
                self.configurations[bare(self._resolved(found[1]))] = body

    def _resolved(self, text: str) -> str:
        return substitute(text.strip(), self.variables)[0]

    def _checks_of(self, heading: str, body: Any) -> Iterator[Check]:
        if found := _CHECKS_FOR.fullmatch(heading):
            table, partition = self._resolved(found[1]), found[2] or ""
            if partition and (bare(table), partition) not in self.filters and "${" not in table:
                hint = f"declare it in this file: `filter {table} [{partition}]:` with `where:`"
                raise self._error(f"the filter `{partition}` of {table} is not declared", hint, heading)
            yield from self._list(heading, body, (heading,), table=table, partition=partition)
        elif heading == "checks":
            yield from self._list(heading, body, (heading,))
        elif found := _EACH.fullmatch(heading):
            data = body if isinstance(body, dict) else {}
            datasets = data.get("datasets", data.get("tables"))
            if not isinstance(datasets, list) or not all(isinstance(name, str) for name in datasets):
                hint = "write `datasets:` with a list of names; % stands for any text"
                raise self._error(f"`{heading}` names no datasets", hint, heading)
            yield from self._list(
                heading, data.get("checks"), (heading, "checks"), alias=found[1], datasets=tuple(datasets)
            )

    def _list(self, heading: str, body: Any, place: tuple[str, ...], **about: Any) -> Iterator[Check]:
        if not isinstance(body, list) or not body:
            raise self._error(f"`{heading}` has no list of checks", "write `- row_count > 0`", *place)
        shared: dict[str, Any] = {}
        for number, item in enumerate(body):
            if (
                isinstance(item, dict)
                and set(item) == {"attributes"}
                and isinstance(item["attributes"], dict)
            ):
                # Attributes of all the checks below them.
                shared |= item["attributes"]
                continue
            try:
                check = self._check(heading, item, (*place, number), shared, about)
            except QualityError as problem:
                self.problems.append(problem)
                continue
            yield check

    def _check(
        self,
        heading: str,
        item: Any,
        place: tuple[Any, ...],
        shared: Mapping[str, Any],
        about: Mapping[str, Any],
    ) -> Check:
        text, body = item, None
        if isinstance(item, dict) and len(item) == 1:
            text, body = next(iter(item.items()))
        if not isinstance(text, str) or (body is not None and not isinstance(body, dict)):
            raise self._error("not a SodaCL check", "write `- row_count > 0`, for example", *place)
        options: dict[str, Any] = dict(body or {})
        self._refused(lambda: refuse_check(text, options), *place)
        stated = options.get("attributes")
        attributes = {**shared, **(stated if isinstance(stated, dict) else {})}
        rule = self._rule(heading, item, text, options, attributes, place, about)
        return Check(
            rule,
            text,
            options,
            filters=self.filters,
            configurations=self.configurations,
            variables=self.variables,
            **about,
        )

    def _rule(
        self,
        heading: str,
        item: Any,
        text: str,
        options: Mapping[str, Any],
        attributes: Mapping[str, Any],
        place: tuple[Any, ...],
        about: Mapping[str, Any],
    ) -> Rule:
        line = line_of(text)
        warns = "fail" not in options and any(str(key).startswith("warn") for key in options)
        number = self.document.line(*place)
        self.places[number] = nth = self.places.get(number, 0) + 1
        return Rule(
            key=f"soda:{self.name}:{number}" + (f".{nth}" if nth > 1 else ""),
            origin="soda",
            product=self.product,
            table=bare(about.get("table", "")),
            column=bare(line.arguments[0]) if line.arguments else "",
            name=self._resolved(str(options.get("name") or text)),
            kind=line.kind,
            # The metric says what is checked; a column may be called anything.
            dimension=dimension_of(
                text if line.metric in ("values in", "row_count same as") else line.metric,
                self._dimension(attributes, place),
            ),
            severity=self._severity(attributes, place) or ("warning" if warns else "error"),
            definition=dump_yaml(self._alone(heading, item, about)),
            description="",
            file=self.document.path,
            line=number,
        )

    def _alone(self, heading: str, item: Any, about: Mapping[str, Any]) -> dict[str, Any]:
        """Return the check with the sections that it needs, so that it can be run elsewhere."""
        table = bare(about.get("table", ""))
        body: Any = [item]
        if about.get("alias"):
            body = {"datasets": list(about["datasets"]), "checks": [item]}
        used = set(_VARIABLE.findall(dump_yaml({heading: body})))
        needed: dict[str, Any] = {}
        for other, content in self.sections.items():
            found = _FILTER.fullmatch(str(other))
            configured = _CONFIGURATIONS.fullmatch(str(other))
            is_own = found and (bare(self._resolved(found[1])), found[2]) == (table, about.get("partition"))
            if is_own or (configured and bare(self._resolved(configured[1])) == table):
                needed[other] = content
                used |= set(_VARIABLE.findall(dump_yaml({other: content})))
        variables = {name: value for name, value in self.variables.items() if name in used}
        return ({"variables": variables} if variables else {}) | needed | {heading: body}

    def _dimension(self, attributes: Mapping[str, Any], place: tuple[Any, ...]) -> Any:
        stated = attributes.get("dimension")
        if stated and str(stated).lower() not in (*DIMENSIONS, "validity"):
            near = difflib.get_close_matches(str(stated), DIMENSIONS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(DIMENSIONS)}"
            raise self._error(f"{stated!r} is no dimension", hint, *place)
        return stated

    def _severity(self, attributes: Mapping[str, Any], place: tuple[Any, ...]) -> str:
        stated = attributes.get("severity")
        if stated is None:
            return ""
        if str(stated).lower() not in _SEVERITIES:
            raise self._error(f"{stated!r} is no severity", "use error or warning", *place)
        return _SEVERITIES[str(stated).lower()]

    def _refused(self, look: Any, *place: Any) -> None:
        try:
            look()
        except RefusedError as error:
            raise self._error(error.message, error.hint, *place) from error

    def _error(self, message: str, hint: str, *place: Any) -> QualityError:
        return QualityError(message, where=self.document.path, line=self.document.line(*place), hint=hint)
