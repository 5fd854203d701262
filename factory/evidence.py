"""The waist of the line: all that is known of a product before it is judged.

Takes what the stages before it made; gives one frozen value; touches nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from factory.artifacts import Artifacts, NodeRun, Relation
from factory.build import Crossing
from factory.contract import Contract, Rule
from factory.drift import Drift
from factory.lifecycle import NOTICE_PERIOD, Consumer, Input
from factory.lineage import Lineage
from factory.products import Product
from factory.quality import CheckResult


class Severity(enum.StrEnum):
    """What a finding means: the product is not published, or its owner is told."""

    BLOCKS = "blocks"
    ADVISES = "advises"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a policy has to say about a product.

    Attributes:
        policy: the claim that does not hold.
        severity: blocks or advises.
        message: what is wrong, in one line.
        where: file, or file:line, or empty.
        hint: what to do, or empty.
        input_fault: it is a mistake in a file (SQL that does not compile), not in data.
    """

    policy: str
    severity: Severity
    message: str
    where: str = ""
    hint: str = ""
    input_fault: bool = False

    def words(self) -> str:
        """Return the finding in one line for people."""
        place = f"{self.where}: " if self.where else ""
        way_out = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{way_out}"


@dataclass(frozen=True, slots=True)
class Published:
    """A contract version that the registry holds, as far as judging the next one needs it.

    Attributes:
        version: its version.
        data: the contract.
        tools: versions of the tools that made it.
        definitions: fingerprint of what people wrote.
        yanked: why it was yanked, or empty.
    """

    version: str
    data: Mapping[str, Any]
    tools: Mapping[str, str]
    definitions: str
    yanked: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one product.

    Attributes:
        product: who and why.
        artifacts: what dbt said, of all products.
        models: the product's own relations.
        runs: how its models, seeds and snapshots went.
        lineage: where columns come from.
        contracts: the drafted contracts.
        previous: the versions published before, by contract name: newest first.
        previous_product: the published ODPS document of the product's version, or None.
        checks: one result per rule.
        measurements: what later runs compare with, by the identity of a metric.
        crossings: its reads of other products.
        tools: versions of the tools that made this.
        definitions: fingerprint of what people wrote.
        conflicts: files with marks of an unsettled merge, and the line of the first.
        folder: the product's folder, from the workspace's root, so that places can be told.
        drifts: where its sources and seeds are not as it declares them.
        today: the day of the run.
        notice_period: how long a major is kept where contracts name no period of their own.
        published_on: the day on which each version was first published, by contract and version, where it is known.
        announced: the day on which a later record announced the end of a contract's major, by `contract/major`.
        retired: the majors whose port somebody closed for good, by `contract/major`.
        inputs: the ports that it reads, with the lives of their contracts.
        consumers: who reads its own ports.
        severities: severities of changes that the workspace sets otherwise, by rule.
        documented_percent, linked_percent: how much of its contracts the workspace wants documented, and linked to
            authoritative definitions.
    """

    product: Product
    artifacts: Artifacts
    models: tuple[Relation, ...]
    runs: tuple[NodeRun, ...]
    lineage: Lineage
    contracts: tuple[Contract, ...]
    previous: Mapping[str, tuple[Published, ...]]
    previous_product: Mapping[str, Any] | None
    checks: tuple[CheckResult, ...]
    crossings: tuple[Crossing, ...]
    tools: Mapping[str, str]
    definitions: str
    conflicts: tuple[tuple[str, int], ...]
    folder: str
    drifts: tuple[Drift, ...] = ()
    today: date = date.min
    notice_period: str = NOTICE_PERIOD
    published_on: Mapping[str, Mapping[str, date]] = field(default_factory=dict)
    announced: Mapping[str, date] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()
    inputs: tuple[Input, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    severities: Mapping[str, str] = field(default_factory=dict)
    documented_percent: int = 100
    linked_percent: int = 0
    measurements: Mapping[str, float] = field(default_factory=dict)

    @property
    def ports(self) -> tuple[Relation, ...]:
        """The public models that a contract covers, once each."""
        covered = {table for contract in self.contracts for table in contract.tables}
        return tuple(model for model in self.models if model.unique_id in covered)

    def place_of(self, rule: Rule) -> str:
        """Return where a rule is written, `file:line`, as people see it from the workspace's root."""
        return self.place(rule.file_in(self.product.folder)) + (f":{rule.line}" if rule.line else "")

    def place(self, file: str) -> str:
        """Return a file of the product as people see it from the workspace's root."""
        return f"{self.folder}/{file}" if file else self.folder
