"""The run events of one product: of its own job, of the job of each model, and of the job that checks it.

Takes what a run made and how it judged; gives pairs of events, a START and how it ended, in the order in which they
are to be sent; touches nothing.

OpenLineage has assertions on inputs alone, so the checks are a job of their own, which reads the tables that it checks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import JobFacet, RunFacet
from openlineage.client.uuid import generate_static_uuid

from factory.artifacts import RELATIONS, Artifacts, NodeRun, Relation
from factory.evidence import Evidence
from factory.lineage import Lineage
from factory.lineage.formats import PRODUCER
from factory.openlineage import facets
from factory.openlineage.facets import Tell
from factory.openlineage.names import (
    checks_job,
    dataset_namespace,
    datasets_of,
    job_namespace,
    model_job,
    product_job,
)
from factory.products import Product
from factory.quality import CheckResult
from factory.results import ProductOutcome, ProductResult
from factory.workspace import Workspace

_ENDED = {
    ProductOutcome.CERTIFIED: RunState.COMPLETE,
    ProductOutcome.REFUSED: RunState.FAIL,
    ProductOutcome.BLOCKED: RunState.ABORT,
}
_NODE_ENDED = {"success": RunState.COMPLETE, "no-op": RunState.COMPLETE, "skipped": RunState.ABORT}
_ADAPTER = "duckdb"


@dataclass(frozen=True, slots=True)
class Made:
    """What a run made, before anybody judged: what dbt said, and where columns come from."""

    artifacts: Artifacts
    lineage: Lineage


def nothing_made(adapter: str) -> Made:
    """Return what a run made that was over before dbt built anything."""
    artifacts = Artifacts(
        adapter=adapter, dbt_version="", relations={}, tests=(), runs=(), exposures=(), other_kinds={}
    )
    return Made(artifacts, Lineage({}))


@dataclass(frozen=True, slots=True)
class Told:
    """What a run knows of one product.

    Attributes:
        product, result: which, and how it came out.
        evidence: what it was judged by, or None where it was not.
        sizes: rows and bytes of its published tables, by contract (`name/major`) and table.
    """

    product: Product
    result: ProductResult
    evidence: Evidence | None = None
    sizes: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a run of a job ended: when it started and ended, as what, and why it did not complete."""

    started: str
    ended: str
    state: RunState
    run_facets: Mapping[str, RunFacet] = field(default_factory=dict)


class Events:
    """Makes the events of one run of the factory."""

    def __init__(
        self, ws: Workspace, made: Made | None, times: tuple[datetime, datetime], tell: Tell = str
    ) -> None:
        self._tell = tell
        self._started = times[0]
        adapter = str(ws.settings.targets.get(ws.target, {}).get("type", _ADAPTER))
        self._made = made or nothing_made(adapter)
        self._times = (times[0].isoformat(), times[1].isoformat())
        self._jobs = job_namespace(ws)
        artifacts = self._made.artifacts
        self._engine = facets.engine(artifacts.adapter)
        self._places = datasets_of(artifacts.relations, dataset_namespace(ws, artifacts.adapter))
        # Namespace and name of each relation, by its id.
        self._datasets = {i: (place["namespace"], place["name"]) for i, place in self._places.items()}

    def of(self, told: Told) -> list[RunEvent]:
        """Return the events of a product; none of one that was not run."""
        if told.result.outcome not in _ENDED:
            return []
        product = told.product
        parent = facets.parent(self._run_id(product_job(product)), self._jobs, product_job(product))
        runs = self._runs_of(product)
        inner: list[RunEvent] = []
        for relation, run in runs:
            inner += self._of_model(told, relation, run, parent)
        if told.evidence is not None:
            inner += self._of_checks(told, told.evidence, [run for _, run in runs], parent)
        start, end = self._of_product(told, [run for _, run in runs])
        return [start, *inner, end]

    def _runs_of(self, product: Product) -> list[tuple[Relation, NodeRun]]:
        artifacts = self._made.artifacts
        runs = {run.unique_id: run for run in artifacts.runs if run.package == product.name}
        return [
            (relation, runs[relation.unique_id])
            for relation in artifacts.of(product.name)
            if relation.unique_id in runs
            and relation.kind in RELATIONS
            and relation.unique_id in self._datasets
        ]

    def _of_product(self, told: Told, runs: list[NodeRun]) -> tuple[RunEvent, RunEvent]:
        product, evidence = told.product, told.evidence
        ended = _Ended(
            min((run.started for run in runs if run.started), default=self._times[0]),
            self._times[1],
            _ENDED[told.result.outcome],
            facets.error(why_not(told, runs)) if told.result.reasons else {},
        )
        return self._pair(
            product_job(product),
            ended,
            facets.of_job(product, "PRODUCT", self._tell(product.summary)),
            self._inputs(self._read_by(product)),
            [self._output(told, port) for port in evidence.ports] if evidence is not None else [],
        )

    def _read_by(self, product: Product) -> list[str]:
        """Return the ids of what a product reads and does not make: its sources, and ports of other products."""
        relations = self._made.artifacts.relations
        own = self._made.artifacts.of(product.name)
        read = dict.fromkeys(upstream for relation in own for upstream in relation.upstream)
        return [i for i in read if i in relations and not _is_made_by(relations[i], product)]

    def _of_model(
        self, told: Told, relation: Relation, run: NodeRun, parent: Mapping[str, RunFacet]
    ) -> tuple[RunEvent, RunEvent]:
        state = _NODE_ENDED.get(run.status, RunState.FAIL)
        why = {
            RunState.FAIL: "dbt could not build it",
            RunState.ABORT: "skipped: what it reads was not built",
        }
        more = facets.error(why[state], relation.language.upper()) if state in why else {}
        ended = _Ended(run.started or self._times[0], run.ended or self._times[1], state, {**parent, **more})
        return self._pair(
            model_job(told.product, relation.unique_id),
            ended,
            facets.of_job(told.product, relation.kind.upper(), self._tell(relation.description)),
            self._inputs(relation.upstream),
            [self._output(told, relation, columns=True)],
        )

    def _of_checks(
        self, told: Told, evidence: Evidence, runs: list[NodeRun], parent: Mapping[str, RunFacet]
    ) -> list[RunEvent]:
        by_table: dict[str, list[CheckResult]] = defaultdict(list)
        ids = _ids_of_tables(evidence)
        for check in evidence.checks:
            unique_id = ids.get(check.rule.table, "")
            if check.counts and unique_id in self._datasets:
                by_table[unique_id].append(check)
        if not by_table:
            return []
        bad = sum(check.refuses for check in evidence.checks)
        more = facets.error(f"{bad} of {len(evidence.checks)} checks do not hold") if bad else {}
        started = max((run.ended for run in runs if run.ended), default=self._times[0])
        ended = _Ended(
            started, self._times[1], RunState.FAIL if bad else RunState.COMPLETE, {**parent, **more}
        )
        inputs = [
            InputDataset(
                *self._datasets[unique_id],
                inputFacets={"dataQualityAssertions": facets.assertions(by_table[unique_id], self._tell)},
            )
            for unique_id in sorted(by_table)
        ]
        return [*self._pair(checks_job(told.product), ended, facets.of_job(told.product, "TEST"), inputs, [])]

    def _inputs(self, unique_ids: Iterable[str]) -> list[InputDataset]:
        """Return datasets that are read; of a source, which no job makes, with what is known of it."""
        relations = self._made.artifacts.relations
        return [
            InputDataset(
                *self._datasets[i],
                facets=dict(facets.described(relations[i], None, self._tell))
                if relations[i].kind == "source"
                else {},
            )
            for i in unique_ids
            if i in self._datasets
        ]

    def _output(self, told: Told, relation: Relation, *, columns: bool = False) -> OutputDataset:
        """Return a dataset that is written; with `columns`, where its columns come from is told, too."""
        trace = self._made.lineage.models.get(relation.unique_id)
        found = {**facets.described(relation, trace, self._tell), **facets.owners_of_dataset(told.product)}
        if columns and trace is not None:
            found["columnLineage"] = facets.column_lineage(trace, self._places)
        contracts = told.evidence.contracts if told.evidence is not None else ()
        covering = [contract for contract in contracts if relation.unique_id in contract.tables]
        if covering:
            found["version"] = facets.version(covering[0].version)
        sizes = [told.sizes.get((f"{c.name}/{c.major}", relation.identifier)) for c in covering]
        size = next((each for each in sizes if each is not None), None)
        return OutputDataset(
            *self._datasets[relation.unique_id],
            facets=found,
            outputFacets={"outputStatistics": facets.rows_written(*size)} if size is not None else {},
        )

    def _pair(
        self,
        job: str,
        ended: _Ended,
        job_facets: dict[str, JobFacet],
        inputs: list[InputDataset],
        outputs: list[OutputDataset],
    ) -> tuple[RunEvent, RunEvent]:
        """Return the START of a job's run and its end; what was read, written and found is told with the end."""
        run_id = self._run_id(job)
        parent = {name: facet for name, facet in ended.run_facets.items() if name == "parent"}
        start = RunEvent(
            eventType=RunState.START,
            eventTime=ended.started,
            run=Run(run_id, facets={**parent, **self._engine}),
            job=Job(self._jobs, job, facets=dict(job_facets)),
            producer=PRODUCER,
        )
        end = RunEvent(
            eventType=ended.state,
            eventTime=ended.ended,
            run=Run(run_id, facets={**ended.run_facets, **self._engine}),
            job=Job(self._jobs, job, facets=dict(job_facets)),
            inputs=inputs,
            outputs=outputs,
            producer=PRODUCER,
        )
        return start, end

    def _run_id(self, job: str) -> str:
        """Return the id of a job's run: a UUID of version 7, the same whenever it is asked for in one run."""
        return str(generate_static_uuid(self._started, f"{self._jobs}/{job}".encode()))


def why_not(told: Told, runs: Iterable[NodeRun]) -> str:
    """Return in our own words why a product did not come out well: no message of dbt, and no value that was found."""
    if told.result.outcome is ProductOutcome.BLOCKED:
        return "blocked: it reads a product that is not certified in this run"
    failed = sum(run.status not in _NODE_ENDED for run in runs)
    checks = told.evidence.checks if told.evidence is not None else ()
    bad = sum(check.refuses for check in checks)
    if failed:
        why = f"dbt could not build {failed} of its tables"
    elif bad:
        why = f"{bad} of {len(checks)} checks do not hold"
    else:
        why = "it does not meet the policies"
    return f"refused: {why}; the reasons stand in its run record in the registry"


def _ids_of_tables(evidence: Evidence) -> dict[str, str]:
    """Return dbt's id by the name that a rule has for a table: a model's table, or `source.table`; models go first."""
    named = {model.name: model.unique_id for model in evidence.models if model.kind == "source"}
    return named | {model.identifier: model.unique_id for model in evidence.models if model.kind != "source"}


def _is_made_by(relation: Relation, product: Product) -> bool:
    return relation.package == product.name and relation.kind != "source"
