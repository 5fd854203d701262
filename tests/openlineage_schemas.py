"""A JSON schema of OpenLineage's run events, made of the classes that OpenLineage generates from its own schemas.

`openlineage-python` holds a class per published schema: which fields there are, of which types, which must be there,
and the address of the schema and its version. What the classes do not hold stands here: the forms of ids, times and
addresses, and where each facet belongs. A field or a facet that OpenLineage does not know is a fault, as is one that
we never meant to tell.
"""

from __future__ import annotations

import enum
import types
import typing
from typing import Any

import attr
from jsonschema import Draft202012Validator
from openlineage.client.event_v2 import RunEvent
from openlineage.client.facet_v2 import (
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

#: The facets that are told, by the class that has them and the field in it.
FACETS: dict[tuple[str, str], dict[str, type]] = {
    ("Run", "facets"): {
        "parent": parent_run.ParentRunFacet,
        "errorMessage": error_message_run.ErrorMessageRunFacet,
        "processing_engine": processing_engine_run.ProcessingEngineRunFacet,
    },
    ("Job", "facets"): {
        "jobType": job_type_job.JobTypeJobFacet,
        "documentation": documentation_job.DocumentationJobFacet,
        "ownership": ownership_job.OwnershipJobFacet,
    },
    ("InputDataset", "facets"): {
        "schema": schema_dataset.SchemaDatasetFacet,
        "documentation": documentation_dataset.DocumentationDatasetFacet,
    },
    ("InputDataset", "inputFacets"): {
        "dataQualityAssertions": data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet,
    },
    ("OutputDataset", "facets"): {
        "schema": schema_dataset.SchemaDatasetFacet,
        "documentation": documentation_dataset.DocumentationDatasetFacet,
        "ownership": ownership_dataset.OwnershipDatasetFacet,
        "version": dataset_version_dataset.DatasetVersionDatasetFacet,
        "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet,
    },
    ("OutputDataset", "outputFacets"): {
        "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    },
}
_URI = r"^[a-z][a-z0-9+.-]*:\S+$"
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
_FORMS = {"runId": _UUID, "eventTime": _TIME, "producer": _URI, "_producer": _URI, "schemaURL": _URI}
_TYPES: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Any: {},
}


def run_event_validator() -> Draft202012Validator:
    """Return a validator of a run event with all facets that are told."""
    definitions: dict[str, Any] = {}
    top = _ref(RunEvent, definitions)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **top, "$defs": definitions}
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _ref(class_: type, definitions: dict[str, Any]) -> dict[str, Any]:
    name = f"{class_.__module__.rsplit('.', 1)[-1]}.{class_.__qualname__}"
    if name not in definitions:
        definitions[name] = {}  # a type may hold itself
        definitions[name] = _object(class_, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _object(class_: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(class_)
    properties: dict[str, Any] = {}
    required = []
    for field in attr.fields(class_):
        facets = FACETS.get((class_.__name__, field.name))
        if facets is not None:
            values = {name: _ref(facet, definitions) for name, facet in facets.items()}
            properties[field.name] = {"type": "object", "properties": values, "additionalProperties": False}
        else:
            properties[field.name] = _schema(hints[field.name], definitions)
        if field.name in _FORMS:
            properties[field.name] = {**properties[field.name], "pattern": _FORMS[field.name]}
        always = ("_producer", "_schemaURL", "producer", "schemaURL", "eventType")
        if field.default is attr.NOTHING or field.name in always:
            required.append(field.name)
    for name in ("_schemaURL", "schemaURL"):
        if name in properties:
            properties[name] = {"const": class_._get_schema()}  # type: ignore[attr-defined]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _TYPES:
        return _TYPES[hint]
    if origin in (types.UnionType, typing.Union):  # what may be None is left out of the JSON
        (one,) = (argument for argument in arguments if argument is not type(None))
        return _schema(one, definitions)
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    return _ref(hint, definitions)
