"""Check what is published: whether the data that consumers read keeps its contract now.

Takes products' names; gives how each comes out; reads the published tables as a consumer would, and neither dbt nor
anything that was built. What is published and does not hold loses its certificate, so that the next build judges it
anew; the tables stay where they are.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from factory.clock import Clock, Progress
from factory.contract import Rule
from factory.contract.rules import odcs_rules
from factory.documents import read_yaml
from factory.errors import QualityError, RegistryError, WorkspaceError
from factory.files import scratch_folder
from factory.levels import contract_key
from factory.lifecycle import life_of
from factory.locking import locked
from factory.plan import Request
from factory.products import Product, discover
from factory.quality import CheckResult, Outcome
from factory.quality.conformance import conformance_rules, not_covered
from factory.quality.custom import run_custom, soda_runner
from factory.quality.odcs import run_rules
from factory.record import PUBLISHED
from factory.registry import Registry, current_snapshot
from factory.registry.ports import is_as_published
from factory.registry.remote import in_step
from factory.registry.store import CONTRACT_FILE
from factory.registry.views import write_stand_in
from factory.results import EXIT_REFUSED, Count, ProductOutcome, ProductResult, Run
from factory.standards import nearest
from factory.tables import opened
from factory.umbrella import is_embedded
from factory.watch import Document, Passed, Watch, published_contracts, published_rule
from factory.workspace import Workspace


def recheck(ws: Workspace, request: Request, progress: Progress) -> Run:
    """Check the published tables of products, or of all that are published; record the run and follow incidents.

    Raises:
        FactoryError: a product is not there or not published, or its tables cannot be opened.

    """
    if not is_embedded(ws):
        raise WorkspaceError(
            f"the target {ws.target} publishes no tables that could be read here",
            hint="check its tables with dbt: dbt test --target " + ws.target,
        )
    clock = Clock()
    progress("discover")
    products = {product.name: product for product in discover(ws)}
    with locked(ws), in_step(ws):
        chosen = _chosen(ws, request.names, products)
        watch = Watch(ws, request.now)
        results = []
        for product, documents in chosen:
            progress("check", product.name)
            results.append(_one(ws, product, documents, watch, request))
            clock.charge("soda")
        incidents = watch.finish(products)
    clock.charge("own")
    return Run(
        products=tuple(results),
        published=True,
        soda_seconds=clock.spent.get("soda", 0.0),
        own_seconds=clock.spent.get("own", 0.0),
        seconds=time.perf_counter() - clock.started,
        incidents=incidents,
    )


def _chosen(
    ws: Workspace, names: Sequence[str], products: Mapping[str, Product]
) -> list[tuple[Product, tuple[Document, ...]]]:
    for name in names:
        if name not in products:
            near = nearest(name, products)
            raise RegistryError(f"no product {name!r}", hint=f"did you mean {near!r}?" if near else "")
    found = []
    for name in sorted(set(names) or products):
        documents = published_contracts(ws, products[name])
        if documents:
            found.append((products[name], documents))
        elif names:
            raise RegistryError(
                f"no product {name!r} is published", hint=f"publish it with: factory build +{name}"
            )
    return found


def _one(
    ws: Workspace, product: Product, documents: tuple[Document, ...], watch: Watch, request: Request
) -> ProductResult:
    started = time.perf_counter()
    is_open = [d for d in documents if not life_of(d).is_closed(request.now.date())]
    opens = {contract_key(document): _opening(ws, product, document) for document in is_open}
    whole = [document for document in is_open if opens[contract_key(document)].outcome is Outcome.PASS]
    try:
        checks = (*opens.values(), *_checked(ws, product, whole))
    except (QualityError, RegistryError) as error:
        for key in map(contract_key, whole):
            opens[key] = replace(opens[key], outcome=Outcome.ERROR, reason=error.message)
        checks = tuple(opens.values())
    reasons = tuple(check.words() for check in checks if check.refuses)
    of = [check for check in checks if check.counts]
    result = ProductResult(
        name=product.name,
        domain=product.domain,
        archetype=product.archetype,
        outcome=ProductOutcome.BROKEN if reasons else ProductOutcome.CHECKED,
        version=product.version or max((str(d["version"]) for d in documents), default=""),
        reasons=reasons,
        advice=tuple(check.words() for check in of if check.outcome is Outcome.WARN),
        checks=Count(sum(check.outcome is Outcome.PASS for check in of), len(checks)),
        contracts=tuple(f"{d['name']} {d['version']}" for d in documents),
        seconds=time.perf_counter() - started,
        exit_code=EXIT_REFUSED if reasons else 0,
    )
    advice = watch.after(Passed(product, result, documents, checks, kind=PUBLISHED), {})
    registry = Registry(ws)
    for document in is_open:
        bad = [c.words() for c in checks if c.refuses and c.contract == contract_key(document)]
        name, version = str(document["name"]), str(document["version"])
        if bad and registry.revoke(product, name, version, bad, request.now):
            told = {"contract": document["id"], "version": version, "reasons": bad}
            registry.write_event(product, "revoked", told, request.now)
    return replace(result, advice=(*result.advice, *advice))


def _opening(ws: Workspace, product: Product, document: Document) -> CheckResult:
    """Return whether the published tables of a contract are there, and are what was published."""
    key = contract_key(document)
    name, major = key.rsplit("/", 1)
    rule = Rule(
        key=f"{key}:as published",
        origin="contract",
        product=product.name,
        table="",
        column="",
        name=published_rule(key),
        kind="published",
        dimension="accuracy",
        severity="error",
        definition={"promise": "published"},
        description="",
        file=Registry(ws).version_folder(product, name, str(document["version"])) / CONTRACT_FILE,
        line=0,
    )
    pointer = current_snapshot(ws, product.domain, product.name, name, int(major))
    if not pointer:
        reason = "they are not there, or not all of them"
    elif not is_as_published(ws, product.domain, product.name, name, int(major), pointer):
        reason = "their files were changed since, so nothing can be said of them"
    else:
        return CheckResult(rule, Outcome.PASS, contract=key)
    return CheckResult(rule, Outcome.FAIL, reason=reason, contract=key)


def _checked(ws: Workspace, product: Product, documents: Sequence[Document]) -> tuple[CheckResult, ...]:
    """Return how the published tables hold their contracts."""
    registry = Registry(ws)
    found: list[CheckResult] = []
    if not documents:
        return ()
    with scratch_folder(ws.work, "recheck-") as folder:
        file = folder / f"{product.name}.duckdb"
        if not write_stand_in(ws, product.name, file):
            raise QualityError(
                f"the tables of {product.name} are not there, or not whole",
                where=ws.ports,
                hint=f"publish them again: factory build --full +{product.name}",
            )
        with opened(ws, product.name, {product.name: file}) as connection:
            for document in documents:
                place = registry.version_folder(product, document["name"], document["version"])
                rules = _rules(document, product, place / CONTRACT_FILE)
                key = contract_key(document)
                results = _run(rules, product, connection, _promised(document))
                found += [replace(result, contract=key) for result in results]
    return tuple(found)


def _rules(document: Document, product: Product, file: Path) -> tuple[Rule, ...]:
    line_of = read_yaml(file).line
    rules = odcs_rules(document, product.name, file, line_of)
    promised = conformance_rules(document, product.name, file, line_of)
    key = contract_key(document)
    promised = tuple(replace(rule, key=f"{key}:{rule.key}") for rule in promised)
    return (*not_covered(promised, rules), *rules)


def _run(
    rules: Sequence[Rule], product: Product, connection: Any, promised: Collection[str]
) -> list[CheckResult]:
    custom = [rule for rule in rules if rule.definition_type == "custom"]
    own = [rule for rule in rules if rule.definition_type != "custom"]
    soda = soda_runner(product.name, connection)
    results = [*run_rules(own, connection), *run_custom(custom, (), (), soda)]
    return [_unless_inside(result, promised) for result in results]


def _promised(document: Document) -> set[str]:
    """Return the tables that a contract promises, in lower case."""
    tables = [table for table in document.get("schema") or () if isinstance(table, Mapping)]
    return {str(name).lower() for t in tables for name in (t.get("name"), t.get("physicalName")) if name}


#: How DuckDB names a table that is not there.
_MISSING = re.compile(r"Table with name \"?(\w+)\"? does not exist")


def _unless_inside(result: CheckResult, promised: Collection[str]) -> CheckResult:
    """Return a result; of a rule that looks into tables that are not published, that it says nothing here.

    A table that the contract promises is to be there: that it is missing is no excuse.
    """
    missing = _MISSING.search(result.reason)
    if result.outcome is Outcome.ERROR and missing and missing[1].lower() not in promised:
        reason = "it reads tables that are not published; a build runs it"
        return replace(result, outcome=Outcome.NOT_RUN, reason=reason, counts=False)
    return result
