"""Publish one certified product, and close a run.

Takes the evidence and the certificate; gives the result with what was published; writes through `registry`.
The order is that of a promise: the tables are there before the contract that promises them, and the pointer
comes last.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from factory.certify import Certificate
from factory.contract import Contract, compare, draft_product, product_version, severity_of
from factory.errors import PublishRefusedError, RegistryError
from factory.evidence import Evidence
from factory.files import sha256_file, tells
from factory.lifecycle import Life, life_of
from factory.lineage import Lineage
from factory.lineage.formats import lineage_values
from factory.locking import registry_locked
from factory.notices import notices_of
from factory.policies.compatible import comes_from_tools
from factory.products import Product
from factory.registry import (
    Publication,
    Registry,
    export_ports,
    point_to,
    read_index,
    refresh_index,
    refresh_ports_database,
)
from factory.registry.index import INDEX_FILE, catch_up, is_current, life_of_entry
from factory.registry.ports import close_port, is_open, readable, refuse_swept
from factory.registry.standing import PUBLISHED, Standing, paused_reason
from factory.registry.views import write_stand_in
from factory.results import ProductResult
from factory.umbrella import is_embedded
from factory.workspace import Workspace

_telling = tells(
    RegistryError, "reading or writing the registry", lambda publisher, *_, **__: publisher.place
)


class Publisher:
    """Publishes the products of one run, or only says what it would find, if the run is not to publish."""

    def __init__(self, ws: Workspace, publish: bool) -> None:
        self._ws = ws
        self._registry = Registry(ws)
        self._publish = publish
        self._changed: set[str] = set()
        self._snapshots: dict[str, dict[str, str]] = {}
        self._contracts: dict[str, dict[str, str]] = {}
        self._places: dict[str, str] = {}

    @property
    def place(self) -> Path:
        """The registry's folder."""
        return self._registry.root

    @_telling
    def paused(self, products: Mapping[str, Product]) -> dict[str, str]:
        """Return the products that are paused, and why; a run that is not to publish looks at them all the same.

        Raises:
            RegistryError: what was said of one of them cannot be read.

        """
        if not self._publish:
            return {}
        reasons = {
            name: paused_reason(self._registry.root, product.domain, name)
            for name, product in products.items()
        }
        return {name: reason for name, reason in reasons.items() if reason}

    @_telling
    def stand_ins(
        self,
        build: Collection[str],
        upstreams: Mapping[str, Collection[str]],
        products: Mapping[str, Product],
    ) -> dict[str, Path]:
        """Return, for products that are read but not built, a DuckDB file with views over their published ports.

        Raises:
            RegistryError: one of them is not published.

        """
        self._places = {name: f"{product.domain}/{name}" for name, product in products.items()}
        if not is_embedded(self._ws):
            return {}
        found: dict[str, Path] = {}
        for name in sorted(build):
            for upstream in sorted(upstreams.get(name, ())):
                if upstream in build or upstream in found:
                    continue
                file = self._ws.work / "published" / f"{upstream}.duckdb"
                if not write_stand_in(self._ws, upstream, file):
                    raise RegistryError(
                        f"{name} reads {upstream}, which is not published",
                        where=products[upstream].folder,
                        hint=f"build it with the product: factory build +{name}",
                    )
                found[upstream] = file
        return found

    @_telling
    def publish(
        self,
        evidence: Evidence,
        result: ProductResult,
        certificate: Certificate,
        products: Mapping[str, Product],
        files: Mapping[str, Path],
        now: datetime,
    ) -> ProductResult:
        """Publish a certified product: ports, contracts, product, certificate, pointer.

        Each step before the event can be taken again with the same outcome; the event says what is published now, and
        the pointer, which comes last, brings it to who reads the ports.

        Raises:
            PublishRefusedError: its name is taken, the version is there with another content or yanked, or what it
                would publish was rolled back.
            RegistryError: it cannot be written.

        """
        if not self._publish:
            return result
        product = evidence.product
        self._registry.refuse_taken(product)
        standing = self._registry.standing(product.domain, product.name)
        _refuse_yanked(evidence, standing)
        _refuse_retired(evidence, standing)
        # Majors live side by side: a contract's name alone is not enough.
        tables = {_key(contract): _tables(contract, evidence) for contract in evidence.contracts}
        snapshots: dict[str, str] = {}
        closed = {_key(c) for c in evidence.contracts if _life(c, evidence).is_closed(evidence.today)}
        closed |= standing.retired
        for contract in evidence.contracts:
            key = _key(contract)
            if is_embedded(self._ws) and key not in closed:
                snapshots[key] = export_ports(self._ws, product, contract, tables[_key(contract)], files)
        _refuse_rolled_back(evidence, standing, snapshots)
        # Told before the version is there, since only a version that is not there yet is news: at least once.
        notices = notices_of(evidence)
        if notices:
            told = {"notices": [notice.values() for notice in notices]}
            self._registry.write_event(product, "deprecated", told, now)
        for contract in evidence.contracts:
            self._registry.publish_contract(product, self._publication(contract, evidence))
        document = self._registry.publish_product(
            product, draft_product(product, evidence.contracts, self._inputs_of(evidence, products))
        )
        for contract in evidence.contracts:
            if _key(contract) in standing.retired:
                continue
            facts = {
                "snapshot": snapshots.get(_key(contract), ""),
                "evidence": _evidence_of(contract, evidence, certificate),
            }
            self._registry.certify(product, contract, facts, now)
        # Event and pointer say the same: nobody rolls back in between. What was said since this began counts, too.
        with registry_locked(self._registry.root):
            self._registry.refuse_taken(product)
            standing = self._registry.standing(product.domain, product.name)
            _refuse_yanked(evidence, standing)
            _refuse_rolled_back(evidence, standing, snapshots)
            closed |= standing.retired
            exported = [c for c in evidence.contracts if _key(c) in snapshots.keys() - closed]
            snapshots = {_key(contract): snapshots[_key(contract)] for contract in exported}
            for contract in exported:
                refuse_swept(self._ws, product, contract, snapshots[_key(contract)])
            news = self._tell_published(evidence, standing, snapshots, document, now)
            for contract in exported:
                snapshot = snapshots[_key(contract)]
                abandoned = standing.abandoned.get(_key(contract), set())
                news |= point_to(self._ws, product, contract, snapshot, tables[_key(contract)], abandoned)
        for contract in evidence.contracts:
            if _key(contract) in closed:
                facts = {"id": contract.id, "version": contract.version}
                life = _life(contract, evidence)
                news |= self._close(product, (contract.name, contract.version), life, facts, now)
        self._changed.add(product.urn)
        self._snapshots[product.name] = snapshots
        self._contracts[product.name] = {_key(c): c.version for c in evidence.contracts}
        return replace(result, published=news)

    def _tell_published(
        self,
        evidence: Evidence,
        standing: Standing,
        snapshots: Mapping[str, str],
        document: Path,
        now: datetime,
    ) -> bool:
        """Write the event of a publication, unless the product's newest says the same; say whether it is news."""
        product = evidence.product
        contracts = {
            _key(contract): {
                "version": contract.version,
                "snapshot": snapshots.get(_key(contract), ""),
                "sha256": self._registry.contract_hash(product, contract.name, contract.version),
            }
            for contract in evidence.contracts
            if _key(contract) not in standing.retired
        }
        if not contracts or standing.says(contracts):
            return False
        version = product_version(product, evidence.contracts)
        told: dict[str, Any] = {
            "contracts": contracts,
            "product": {"version": version, "sha256": sha256_file(document)},
        }
        if self._ws.settings.region:
            told["region"] = self._ws.settings.region
        self._registry.write_event(product, PUBLISHED, told, now)
        return True

    @_telling
    def tell_refused(self, product: Product, result: ProductResult, now: datetime) -> None:
        """Record that a product was refused or blocked; what was published of it stays as it is."""
        if self._publish:
            self._registry.write_event(product, str(result.outcome), {"reasons": list(result.reasons)}, now)

    @_telling
    def finish(self) -> None:
        """Write the index and the database of ports over what is published now."""
        if self._publish:
            refresh_index(self._ws, self._changed)
            if is_embedded(self._ws):
                refresh_ports_database(self._ws)

    @_telling
    def close_due(self, products: Mapping[str, Product], now: datetime) -> frozenset[str]:
        """Close the ports of contracts that are retired or past their end of life, and return their products.

        Only ports that are still open count, so the next run finds none. A run that is not to publish closes nothing.
        """
        if not self._ws.registry.is_dir():
            return frozenset()
        self._mend_index()
        try:
            entries = read_index(self._ws)["products"]
        except RegistryError:
            return frozenset()
        due = set()
        for entry in entries:
            product = products.get(entry["name"])
            if product is None or product.domain != entry["domain"]:
                continue
            for contract in entry["contracts"]:
                if self._is_due(product, contract, now):
                    due.add(product.name)
                    self._changed.add(product.urn)  # a run that was killed may have left the index behind
                    facts = {"id": contract["id"], "version": contract["version"]}
                    if self._publish:
                        named = (str(contract["name"]), str(contract["version"]))
                        self._close(product, named, life_of_entry(contract), facts, now)
        return frozenset(due)

    def _is_due(self, product: Product, contract: Mapping[str, Any], now: datetime) -> bool:
        life = life_of_entry(contract)
        if not life.is_closed(now.astimezone(UTC).date()):
            return False
        major = int(str(contract["version"]).partition(".")[0])
        ended = contract["status"] != "retired"  # nothing says yet that it is closed
        return ended or is_open(self._ws, product.domain, product.name, contract["name"], major)

    def _close(
        self,
        product: Product,
        named: tuple[str, str],
        life: Life,
        facts: Mapping[str, Any],
        now: datetime,
    ) -> bool:
        """Close a contract's port, note it and tell it; say whether that is news."""
        contract, version = named
        major = int(version.partition(".")[0])
        stage = life.stage(now.astimezone(UTC).date())
        facts = {**facts, "stage": str(stage), "dates": life.dates()}
        standing = self._registry.standing(product.domain, product.name)
        # The event first: a port that is closed without one would never be told.
        news = not self._registry.is_closed(product, contract, version, standing)
        if news:
            subject = f"{product.urn}:{contract}:{major}"
            self._registry.write_event(product, str(stage), {"contract": contract, **facts}, now, subject)
        news |= close_port(self._ws, product.domain, product.name, contract, major)
        if news:
            self._changed.add(product.urn)
        return news

    def _mend_index(self) -> None:
        """Make the index anew where it is gone, broken, or without what this version of the factory writes."""
        if not self._publish:
            return
        catch_up(self._ws)
        try:
            there = (self._ws.registry / INDEX_FILE).is_file()
            there = there and all(is_current(entry) for entry in read_index(self._ws)["products"])
        except (RegistryError, KeyError, TypeError):
            there = False
        if not there:
            refresh_index(self._ws, None)

    @_telling
    def keep_up(self) -> None:
        """Make the index and the database of ports anew where they are gone, broken, or of another folder."""
        if not self._publish or not self._ws.registry.is_dir():
            return
        self._mend_index()
        if self._changed:
            refresh_index(self._ws, self._changed)
        if is_embedded(self._ws):
            refresh_ports_database(self._ws)

    def snapshots(self, product: str) -> dict[str, str]:
        """Return the snapshots that a product published in this run, by contract and major version."""
        return dict(self._snapshots.get(product, {}))

    def contracts(self, product: str) -> dict[str, str]:
        """Return the contract versions that a product published in this run, by contract and major version."""
        return dict(self._contracts.get(product, {}))

    @_telling
    def inputs(self, upstreams: Collection[str]) -> dict[str, str]:
        """Return the snapshots that products published last, by `domain/product/contract/major`."""
        found: dict[str, str] = {}
        for upstream in sorted(upstreams):
            domain, name = self._places[upstream].split("/")
            found |= readable(self._ws, domain, name)
        return found

    def _publication(self, contract: Contract, evidence: Evidence) -> Publication:
        text = contract.text()
        published = next(
            (p for p in evidence.previous.get(contract.name, ()) if p.version == contract.version), None
        )
        if published is not None and (
            comes_from_tools(contract, published, evidence) or _is_same(contract, published.data, evidence)
        ):
            kept = self._registry.published_text(evidence.product, contract.name, contract.version)
            text = text if kept is None else kept
        lineage = lineage_of(contract, evidence.lineage)
        return Publication(contract, text, lineage, evidence.tools, evidence.definitions)

    def _inputs_of(self, evidence: Evidence, products: Mapping[str, Product]) -> dict[str, dict[str, Any]]:
        """Return the published contracts behind the ports that a product reads, by contract id."""
        names = {(c.upstream, c.upstream_name) for c in evidence.crossings if c.upstream_access == "public"}
        found: dict[str, dict[str, Any]] = {}
        for upstream in sorted({upstream for upstream, _ in names}):
            read = {name for product, name in names if product == upstream}
            for versions in self._registry.published(products[upstream]).values():
                newest = versions[0]
                tables = {str(table["name"]) for table in newest.data.get("schema") or ()}
                if tables & read:
                    found[str(newest.data["id"])] = {
                        "name": f"{upstream}.{newest.data['name']}",
                        "version": newest.version,
                    }
        return found


def lineage_of(contract: Contract, lineage: Lineage) -> dict[str, Any]:
    """Return a contract's column lineage as flat, sorted values: one hop, for its ports and what they are made of."""
    wanted = [table for table in contract.tables if table in lineage.models]
    seen: dict[str, None] = {}
    while wanted:
        unique_id = wanted.pop()
        # Other products tell their own lineage; whether they were built in this run makes no difference here.
        own = unique_id.split(".")[1:2] == [contract.product]
        if not own or unique_id in seen or unique_id not in lineage.models:
            continue
        seen[unique_id] = None
        trace = lineage.models[unique_id]
        wanted += [s.relation for column in trace.columns for s in column.sources]
        wanted += [i.relation for i in trace.influences]
    return lineage_values(lineage, seen)


def _refuse_yanked(evidence: Evidence, standing: Standing) -> None:
    for contract in evidence.contracts:
        reason = standing.reason(contract.name, contract.version)
        if reason:
            raise PublishRefusedError(
                f"{contract.name} {contract.version} was yanked: {reason}",
                hint="set a higher version in the contract, or take it back: factory yank "
                f"{evidence.product.name}.{contract.name} {contract.version} --undo",
            )


def _refuse_retired(evidence: Evidence, standing: Standing) -> None:
    """Refuse a product of which nothing is left to be published, and whose files do not say so."""
    lives = [_life(contract, evidence).is_closed(evidence.today) for contract in evidence.contracts]
    if evidence.contracts and not any(lives) and standing.retired >= {_key(c) for c in evidence.contracts}:
        names = ", ".join(f"{contract.name} {contract.major}.x" for contract in evidence.contracts)
        raise PublishRefusedError(
            f"{names} was retired, for good",
            hint="publish a new major version, or say `status: retired` in the contract and leave it as it is",
        )


def _refuse_rolled_back(evidence: Evidence, standing: Standing, snapshots: Mapping[str, str]) -> None:
    """Refuse what was rolled back from: the same contract with the same data does not come back by itself."""
    for contract in evidence.contracts:
        left = standing.left.get(_key(contract))
        if left is not None and left.what == (contract.version, snapshots.get(_key(contract), "")):
            raise PublishRefusedError(
                f"{contract.name} {contract.version} with this data was rolled back",
                hint="mend the product, or bring it back: "
                f"factory rollback {evidence.product.name} --contract {_key(contract)} --to {left.snapshot}",
            )


def _key(contract: Contract) -> str:
    return f"{contract.name}/{contract.major}"


def _life(contract: Contract, evidence: Evidence) -> Life:
    return life_of(contract.data, evidence.notice_period)


def _is_same(contract: Contract, published: Mapping[str, Any], evidence: Evidence) -> bool:
    return severity_of(compare(published, contract.data, evidence.severities)) == "none"


def _tables(contract: Contract, evidence: Evidence) -> list[Any]:
    return [evidence.artifacts.relations[table] for table in contract.tables]


def _evidence_of(contract: Contract, evidence: Evidence, certificate: Certificate) -> dict[str, Any]:
    covered = {evidence.artifacts.relations[table].identifier for table in contract.tables}
    checks = [c for c in evidence.checks if c.rule.table in covered]
    return {
        "policies": [policy.__name__ for policy in _policies()],
        "advice": [finding.words() for finding in certificate.advice],
        "checks": {
            outcome: count
            for outcome in ("pass", "warn")
            if (count := sum(str(check.outcome) == outcome for check in checks))
        },
    }


def _policies() -> tuple[Any, ...]:
    from factory.policies import POLICIES

    return POLICIES
