"""Facets of OpenLineage from our own values: each function gives one, or the facets of one thing by their names.

Takes relations, traces, products and results of checks; gives facets of `openlineage.client.facet_v2`; touches nothing.
What stands here is all that is ever told: no facet takes SQL, a message or a value of the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from openlineage.client.facet_v2 import (
    DatasetFacet,
    JobFacet,
    OutputDatasetFacet,
    RunFacet,
    column_lineage_dataset,
    data_quality_assertions_dataset,
    dataset_version_dataset,
    documentation_dataset,
    documentation_job,
    error_message_run,
    job_type_job,
    output_statistics_output_dataset,
    ownership_dataset,
    ownership_job,
    parent_run,
    processing_engine_run,
    schema_dataset,
)

from factory.artifacts import Relation
from factory.lineage.formats import PRODUCER, column_lineage_values, schema_field, without_sql
from factory.lineage.graph import ModelTrace
from factory.odcs.types import logical_fields
from factory.products import Product
from factory.quality import CheckResult, Outcome
from factory.tools import tool_versions

_INTEGRATION = "DATA_PRODUCT_FACTORY"
_Field = schema_dataset.SchemaDatasetFacetFields
_Assertion = data_quality_assertions_dataset.Assertion
#: Gives back a text that people wrote, or nothing where it holds what must not be told.
Tell = Callable[[str], str]


def described(relation: Relation, trace: ModelTrace | None, tell: Tell) -> dict[str, DatasetFacet]:
    """Return the facets `schema` and `documentation` of a relation, as far as there is something to say."""
    found: dict[str, DatasetFacet] = {}
    fields = [_schema_field(values, tell) for values in _columns(relation, trace)]
    if fields:
        found["schema"] = schema_dataset.SchemaDatasetFacet(fields=fields, producer=PRODUCER)
    if description := tell(relation.description):
        found["documentation"] = documentation_dataset.DocumentationDatasetFacet(
            description=description, producer=PRODUCER
        )
    return found


def _columns(relation: Relation, trace: ModelTrace | None) -> Iterable[dict[str, str]]:
    """Return the columns as the database has them, or as the SQL does where no catalog knows the relation."""
    columns = {column.name.lower(): column for column in relation.columns}
    if trace is None or any(column.database_type for column in relation.columns):
        return [schema_field(column.name, column) for column in relation.columns]
    names = [column.column for column in trace.columns if column.column != "*"]
    return [schema_field(name, columns.get(name.lower())) for name in names]


def _schema_field(values: Mapping[str, str], tell: Tell) -> _Field:
    kind = values.get("type")
    return _Field(
        name=values["name"],
        type=kind,
        description=tell(values.get("description", "")) or None,
        fields=_inner(logical_fields(kind)) if kind else None,
    )


def _inner(typed: Mapping[str, Any]) -> list[_Field] | None:
    """Return the fields inside a type; those of a list and a map have the names that OpenLineage gives them."""
    inside = list(typed.get("properties", ()))
    if "items" in typed:
        inside = [{"name": "_element", **typed["items"]}]
    elif "map" in typed:
        inside = [{"name": name, **typed["map"][name]} for name in ("key", "value")]
    return [_Field(name=i["name"], type=i["physicalType"], fields=_inner(i)) for i in inside] or None


def column_lineage(trace: ModelTrace, datasets: Mapping[str, Mapping[str, str]]) -> DatasetFacet:
    """Return which columns a model's columns come from, how, and which decide about its rows; without any SQL."""
    made = column_lineage_dataset
    values = column_lineage_values(without_sql(trace, datasets), datasets)
    fields = {
        name: made.Fields(
            inputFields=[_input_field(each) for each in field["inputFields"]],
            transformationDescription=field.get("transformationDescription"),
        )
        for name, field in values["fields"].items()
    }
    rows = [_input_field(each) for each in values.get("dataset", ())]
    return made.ColumnLineageDatasetFacet(fields=fields, dataset=rows or None, producer=PRODUCER)


def _input_field(values: Mapping[str, Any]) -> column_lineage_dataset.InputField:
    made = column_lineage_dataset
    ways = [
        made.Transformation(type=way["type"], subtype=way["subtype"], masking=way["masking"])
        for way in values["transformations"]
    ]
    return made.InputField(values["namespace"], values["name"], values["field"], transformations=ways)


def assertions(
    checks: Iterable[CheckResult], tell: Tell
) -> data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet:
    """Return how the checks of one table went.

    A check that did not run, or broke, is no success. What can be neither good nor bad here is not for this.
    """
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
        assertions=[_assertion(check, tell) for check in checks], producer=PRODUCER
    )


def _assertion(check: CheckResult, tell: Tell) -> _Assertion:
    rule = check.rule
    return _Assertion(
        assertion=rule.kind,
        success=check.outcome is Outcome.PASS,
        column=rule.column or None,
        severity="error" if rule.severity == "error" else "warn",
        # Names of dbt's tests are made of their arguments, and those of contracts of options: both may be computed.
        name=(tell(rule.name) or None) if rule.origin in ("soda", "odcs") else None,
        actual=f"{check.measured:.15g}" if check.measured is not None else None,
        params=None,
    )


def version(text: str) -> DatasetFacet:
    """Return the version of a table: that of the contract that covers it."""
    return dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=text, producer=PRODUCER)


def rows_written(rows: int, size: int) -> OutputDatasetFacet:
    """Return how many rows, and how many bytes if it is known, a table has."""
    return output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=rows, size=size or None, producer=PRODUCER
    )


def owners_of_dataset(product: Product) -> dict[str, DatasetFacet]:
    """Return the facet `ownership` of a product's tables, if anybody is named."""
    owners = [ownership_dataset.Owner(name=name, type=role) for name, role in _owners(product)]
    return (
        {"ownership": ownership_dataset.OwnershipDatasetFacet(owners=owners, producer=PRODUCER)}
        if owners
        else {}
    )


def _owners(product: Product) -> list[tuple[str, str]]:
    """Return the team, the owner and the steward, as OpenLineage names them, with their roles."""
    named = (
        ("team", product.team, "team"),
        ("user", product.owner, "dpo"),
        ("user", product.steward, "steward"),
    )
    return [(f"{kind}:{name}", role) for kind, name, role in named if name]


def of_job(product: Product, job_type: str, description: str = "") -> dict[str, JobFacet]:
    """Return the facets of a job: `jobType`, `ownership` and `documentation`, as far as there is something to say."""
    found: dict[str, JobFacet] = {
        "jobType": job_type_job.JobTypeJobFacet(
            processingType="BATCH", integration=_INTEGRATION, jobType=job_type, producer=PRODUCER
        )
    }
    owners = [ownership_job.Owner(name=name, type=role) for name, role in _owners(product)]
    if owners:
        found["ownership"] = ownership_job.OwnershipJobFacet(owners=owners, producer=PRODUCER)
    if description:
        found["documentation"] = documentation_job.DocumentationJobFacet(
            description=description, producer=PRODUCER
        )
    return found


def engine(adapter: str) -> dict[str, RunFacet]:
    """Return the facet `processing_engine`: the database, as far as its version is known, with our own version."""
    versions = tool_versions()
    facet = processing_engine_run.ProcessingEngineRunFacet(
        version=versions.get(adapter, "unknown"),
        name=adapter,
        openlineageAdapterVersion=versions["data-product-factory"],
        producer=PRODUCER,
    )
    return {"processing_engine": facet}


def parent(run_id: str, namespace: str, name: str) -> dict[str, RunFacet]:
    """Return the facet `parent`: the run that a run belongs to."""
    facet = parent_run.ParentRunFacet(
        run=parent_run.Run(runId=run_id),
        job=parent_run.Job(namespace=namespace, name=name),
        producer=PRODUCER,
    )
    return {"parent": facet}


def error(message: str, language: str = "PYTHON") -> dict[str, RunFacet]:
    """Return the facet `errorMessage`, in our own words."""
    facet = error_message_run.ErrorMessageRunFacet(
        message=message, programmingLanguage=language, producer=PRODUCER
    )
    return {"errorMessage": facet}
