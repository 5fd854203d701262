"""Test any contract against its data: what it promises of columns, and its quality rules.

Takes an ODCS document and the name of one of its servers; gives a `Tested` with a `CheckResult` for each rule; reads
the data that the server names, and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from factory.contract import Rule
from factory.contract.rules import odcs_rules
from factory.documents import Document
from factory.errors import ContractError, FactoryError, raise_all
from factory.quality.conformance import conformance_rules, not_covered, physical_name
from factory.quality.custom import run_custom, soda_runner
from factory.quality.odcs import run_rules
from factory.quality.results import CheckResult, Outcome
from factory.quality.sources import SERVERS, Source, opened_server
from factory.standards import ODCS_SCHEMAS, odcs_faults

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tested:
    """A contract that was held to its data.

    Attributes:
        file: the contract's file.
        name, version: as the contract says, or empty.
        server, server_type: whose data was read.
        tables: the tables by their names in the database, in the contract's order.
        results: a result per rule, table by table.
        seconds: how long it took.
    """

    file: Path
    name: str
    version: str
    server: str
    server_type: str
    tables: tuple[str, ...]
    results: tuple[CheckResult, ...]
    seconds: float

    @property
    def holds(self) -> bool:
        """No check that counts as an error failed or could not run."""
        return not any(result.refuses and result.rule.severity == "error" for result in self.results)


def contract_tested(
    document: Document, data: Values, *, server: str = "", root: Path | None = None
) -> Tested:
    """Hold a contract to the data of one of its servers; without a name, of the only one that can be read here.

    `data` are the contract's values in ODCS 3, which are those of `document` unless that is of an older standard.
    Paths are from the folder of the contract, or from `root` where nothing is found there.

    Raises:
        FactoryError: the contract cannot be read as one, has no such server, or its data cannot be opened.

    """
    started = time.perf_counter()
    file = document.path
    as_written = data is document.data
    line_of = document.line if as_written else _no_line
    _readable(data, document, as_written=as_written)
    number, chosen = _server(data, server, document)
    tables = [table for table in data.get("schema") or () if isinstance(table, dict)]
    if not tables:
        raise ContractError("the contract has no tables", where=file, line=line_of(), hint="add `schema:`")
    folders = [file.resolve().parent, *([root] if root is not None else [])]
    line = line_of("servers", number)
    name = str(data.get("name") or file.name.split(".", 1)[0])
    quality = odcs_rules(data, name, file, line_of)
    promises = not_covered(conformance_rules(data, name, file, line_of), quality)
    with opened_server(chosen, tables, file, line, folders) as source:
        rules = [*(_of_text(rule, source) for rule in promises), *quality]
        results = _run(rules, source, name)
    names = tuple(dict.fromkeys(physical_name(table) for table in tables))
    return Tested(
        file=file,
        name=name,
        version=str(data.get("version") or ""),
        server=str(chosen.get("server") or ""),
        server_type=str(chosen.get("type") or ""),
        tables=names,
        results=tuple(sorted(results, key=lambda result: names.index(result.rule.table))),
        seconds=time.perf_counter() - started,
    )


def _no_line(*_keys: str | int) -> int:
    return 0


def _run(rules: Sequence[Rule], source: Source, name: str) -> list[CheckResult]:
    """Return the results in the order of the rules; of a table that cannot be read, why."""
    readable = [rule for rule in rules if rule.table not in source.faults or rule.definition_type == "text"]
    custom = [rule for rule in readable if rule.definition_type == "custom"]
    own = [rule for rule in readable if rule.definition_type != "custom"]
    results = {result.rule.key: result for result in run_rules(own, source.connection)}
    soda = soda_runner(name, source.connection)
    results |= {result.rule.key: result for result in run_custom(custom, (), (), soda)}
    for rule in rules:
        if rule.key not in results:
            results[rule.key] = CheckResult(rule, Outcome.ERROR, reason=source.faults[rule.table])
    return [results[rule.key] for rule in rules]


def _of_text(rule: Rule, source: Source) -> Rule:
    """Return a rule about a type so that it counts the texts that are no values of it, where they were read as it."""
    place = (rule.table, rule.column.lower())
    if rule.kind != "type" or place not in source.readings:
        return rule
    known = {
        "texts": source.texts[rule.table],
        "reading": source.readings[place],
        "wrong_kind": place in source.wrong_kinds,
    }
    return replace(rule, definition={**rule.definition, **known})


# What can be tested


def _readable(data: Values, document: Document, *, as_written: bool) -> None:
    """Refuse a contract of another form than the standard's in what is read here."""
    version = str(data.get("apiVersion"))
    found: list[FactoryError] = [
        ContractError(
            fault.message,
            where=document.path,
            line=document.line(*fault.path) if as_written else 0,
            hint=fault.hint or "`factory contract lint` says all that is wrong",
        )
        for fault in odcs_faults(data, version if version in ODCS_SCHEMAS else "v3.2.0")
        if fault.code in ("wrong-type", "missing-field", "not-a-contract")
        and (not fault.path or fault.path[0] in ("schema", "servers"))
        and (fault.path or fault.code == "not-a-contract")
    ]
    raise_all(found)


def _server(data: Values, named: str, document: Document) -> tuple[int, Values]:
    """Return the server to test, with its place in the list."""
    file = document.path
    servers = [(n, each) for n, each in enumerate(data.get("servers") or ()) if isinstance(each, dict)]
    called = ", ".join(str(each.get("server")) for _, each in servers)
    if not servers:
        hint = "add a server of the type local or duckdb"
        raise ContractError(
            "the contract names no server, so there is no data", where=file, line=1, hint=hint
        )
    line = document.line("servers")
    if named:
        found = [(n, each) for n, each in servers if each.get("server") == named]
        if not found:
            hint = f"it has {called}"
            raise ContractError(f"the contract has no server {named!r}", where=file, line=line, hint=hint)
    else:
        able = [(n, each) for n, each in servers if each.get("type") in SERVERS]
        databases = [(n, each) for n, each in able if each.get("type") == "duckdb"]
        # A file is one table, a database has them all.
        found = databases if len(databases) == 1 else able or servers
        if len(found) > 1:
            hint = f"name one with --server: {called}"
            raise ContractError("the contract has several servers", where=file, line=line, hint=hint)
    number, server = found[0]
    if server.get("type") not in SERVERS:
        message = f"the data of a server of the type {server.get('type')!r} is not read here"
        hint = (
            f"supported: {', '.join(SERVERS)}; data of other engines is tested by the dbt build that makes it"
        )
        raise ContractError(message, where=file, line=document.line("servers", number), hint=hint)
    return number, server
