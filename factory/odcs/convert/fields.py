"""The fields of ODCS 3.2.0, block by block, in the order in which they are customarily written.

A kind is a word (`text`, `flag`, `number`, `integer`, `count`, `texts`, `any`, `scalar`, `value`, `id`, `date`,
`moment`), a tuple of the words allowed, `{block}` for one block or `[block]` for a list of them.
`factory/schemas/odcs-3.2.0.schema.json` has the last word; a test holds the two together.
"""

from __future__ import annotations

from factory.dimensions import DIMENSIONS

Kind = str | tuple[str, ...]

_SHARED: dict[str, Kind] = {
    "tags": "texts",
    "authoritativeDefinitions": "[definition]",
    "customProperties": "customs",
}
LOGICAL_TYPES = (
    "string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean", "map", "vector",
)  # fmt: skip
METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
OPERATORS: dict[str, Kind] = {
    "mustBe": "any",
    "mustNotBe": "any",
    "mustBeGreaterThan": "number",
    "mustBeGreaterOrEqualTo": "number",
    "mustBeLessThan": "number",
    "mustBeLessOrEqualTo": "number",
    "mustBeBetween": "pair",
    "mustNotBeBetween": "pair",
}

FIELDS: dict[str, dict[str, Kind]] = {
    "contract": {
        "apiVersion": "text", "kind": ("DataContract",), "id": "text", "name": "text", "version": "text",
        "status": "text", "domain": "text", "dataProduct": "text", "tenant": "text",
        "description": "{description}", "tags": "texts", "context": "{context}",
        "authoritativeDefinitions": "[definition]", "contractCreatedTs": "moment", "servers": "[server]",
        "schema": "[table]", "support": "[support]", "price": "{price}", "team": "{team}", "roles": "[role]",
        "slaDefaultElement": "text", "slaProperties": "[level]", "customProperties": "customs",
    },
    "description": {
        "purpose": "text", "limitations": "text", "usage": "text",
        "authoritativeDefinitions": "[definition]", "customProperties": "customs",
    },
    "context": {
        "instructions": "text", "verifiedStatements": "[statement]", "constraints": "[constraint]",
    },
    "statement": {"id": "id", "question": "text", "answer": "text", **_SHARED},
    "constraint": {"id": "id", "constraint": "text", **_SHARED},
    "definition": {"id": "id", "url": "text", "type": "text", "description": "text"},
    "server": {
        "server": "text", "id": "id", "type": "text", "description": "text", "environment": "text",
        "roles": "[role]", "customProperties": "customs",
    },
    "table": {
        "name": "text", "id": "id", "logicalType": ("object",), "physicalName": "text", "physicalType": "text",
        "businessName": "text", "description": "text", "deprecated": "flag", "synonyms": "[synonym]",
        "dataGranularityDescription": "text", "tags": "texts", "context": "{context}",
        "authoritativeDefinitions": "[definition]", "properties": "[column]", "relationships": "[link]",
        "quality": "[rule]", "customProperties": "customs",
    },
    "column": {
        "name": "text", "id": "id", "businessName": "text", "logicalType": LOGICAL_TYPES,
        "logicalTypeOptions": "any", "physicalName": "text", "physicalType": "text", "description": "text",
        "deprecated": "flag", "synonyms": "[synonym]", "required": "flag", "unique": "flag", "primaryKey": "flag",
        "primaryKeyPosition": "integer", "partitioned": "flag", "partitionKeyPosition": "integer",
        "classification": "text", "encryptedName": "text", "criticalDataElement": "flag",
        "semanticType": ("column", "measure", "dimension"), "transformSourceObjects": "texts",
        "transformLogic": "text", "transformDescription": "text", "examples": "list", "enum": "[enum]",
        "tags": "texts", "authoritativeDefinitions": "[definition]", "properties": "[column]", "items": "{item}",
        "map": "{map}", "relationships": "[reference]", "quality": "[rule]", "customProperties": "customs",
    },
    "map": {"key": "{item}", "value": "{item}"},
    "enum": {"id": "id", "value": "scalar", "label": "text", "description": "text", **_SHARED},
    "synonym": {
        "id": "id", "synonym": "text", "description": "text", "locale": "text", "source": "text",
        "status": "text", "customProperties": "customs",
    },
    "link": {
        "id": "text", "type": ("foreignKey",), "from": "target", "to": "target", "customProperties": "customs",
    },
    "reference": {"id": "text", "type": ("foreignKey",), "to": "target", "customProperties": "customs"},
    "rule": {
        "id": "id", "name": "text", "description": "text", "type": ("text", "library", "sql", "custom"),
        "metric": METRICS, "arguments": "mapping", "query": "text", "engine": "text", "implementation": "work",
        **OPERATORS, "unit": "text", "dimension": DIMENSIONS, "method": "text", "severity": "text",
        "businessImpact": "text", "schedule": "text", "scheduler": "text", **_SHARED,
    },
    "support": {
        "id": "id", "channel": "text", "url": "text", "description": "text", "tool": "text", "scope": "text",
        "invitationUrl": "text", "customProperties": "customs",
    },
    "price": {"id": "id", "priceAmount": "number", "priceCurrency": "text", "priceUnit": "text"},
    "team": {"id": "id", "name": "text", "description": "text", "members": "[member]", **_SHARED},
    "member": {
        "id": "id", "username": "text", "name": "text", "description": "text", "role": "text", "dateIn": "date",
        "dateOut": "date", "replacedByUsername": "text", **_SHARED,
    },
    "role": {
        "id": "id", "role": "text", "description": "text", "access": "text", "firstLevelApprovers": "text",
        "secondLevelApprovers": "text", "customProperties": "customs",
    },
    "level": {
        "id": "id", "property": "text", "value": "value", "valueExt": "scalar", "unit": "text", "element": "text",
        "driver": "text", "description": "text", "scheduler": "text", "schedule": "text",
        "authoritativeDefinitions": "[definition]", "customProperties": "customs",
    },
    "custom": {"id": "id", "property": "text", "value": "any", "description": "text", "vendor": "text"},
}  # fmt: skip
FIELDS["item"] = FIELDS["column"]

#: What a block cannot do without; the first is what a bare text in a list of such blocks means.
REQUIRED: dict[str, tuple[str, ...]] = {
    "statement": ("question",), "constraint": ("constraint",), "definition": ("url", "type"),
    "server": ("server", "type"), "table": ("name",), "column": ("name",), "map": ("key", "value"),
    "enum": ("value",), "synonym": ("synonym",), "link": ("from", "to"), "reference": ("to",),
    "support": ("channel",), "member": ("username",), "role": ("role",), "level": ("property", "value"),
    "custom": ("property", "value"),
}  # fmt: skip

_BOUNDS: dict[str, Kind] = {
    "minimum": "text", "maximum": "text", "exclusiveMinimum": "text", "exclusiveMaximum": "text",
}  # fmt: skip
_NUMBERS: dict[str, Kind] = {**dict.fromkeys(_BOUNDS, "number"), "multipleOf": "positive"}
_MOMENTS: dict[str, Kind] = {"format": "text", **_BOUNDS, "timezone": "flag", "defaultTimezone": "text"}

#: The options of each logical type; a type that is not listed takes any.
OPTIONS: dict[str, dict[str, Kind]] = {
    "string": {"minLength": "count", "maxLength": "count", "pattern": "text", "format": "text"},
    "integer": {
        **_NUMBERS,
        "format": ("i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "u128"),
    },
    "number": {**_NUMBERS, "format": ("f32", "f64")},
    "date": {"format": "text", **_BOUNDS},
    "timestamp": _MOMENTS,
    "time": _MOMENTS,
    "object": {"minProperties": "count", "maxProperties": "count", "required": "names"},
    "array": {"minItems": "count", "maxItems": "count", "uniqueItems": "flag"},
    "vector": {
        "dimensions": "positiveInteger",
        "elementType": ("bfloat16", "binary", "float16", "float32", "float64", "int8", "uint8"),
        "distanceMetric": ("cosine", "dotProduct", "euclidean", "hamming", "manhattan"),
        "embeddingModel": "text",
        "embeddingModelVersion": "text",
        "normalized": "flag",
    },
}

#: Fields of each type of server; `*` marks what it cannot do without.
_SERVERS = {
    "api": "location*", "athena": "schema* stagingDir catalog regionName workgroup",
    "azure": "location* format* encoding delimiter", "bigquery": "project* dataset*",
    "btrieve": "host* port database*", "clickhouse": "host* port* database*", "databricks": "catalog* schema* host",
    "denodo": "host* port* database", "dremio": "host* port* schema", "duckdb": "database* schema",
    "exasol": "host* port schema", "fastobjects": "host port database*",
    "glue": "account* database* location format encoding",
    "hana": "host* port database schema", "cloudsql": "host* port* database* schema*",
    "db2": "host* port* database* schema", "hive": "host* port database*",
    "iceberg": "catalog* catalogUrl* namespace warehouse", "impala": "host* port database*",
    "informix": "host* port database*", "ingres": "host* port database*", "kafka": "host* format encoding",
    "kinesis": "region format encoding", "local": "path* format* encoding", "mysql": "host* port* database*",
    "oracle": "host* port* serviceName*", "poet": "host port database*",
    "postgresql": "host* port* database* schema*", "postgres": "host* port* database* schema*",
    "presto": "host* catalog schema", "pubsub": "project*", "redshift": "database* schema* host region account",
    "s3": "location* endpointUrl format encoding delimiter", "sftp": "location* format encoding delimiter",
    "snowflake": "account* database* schema* host port warehouse", "sqlserver": "host* port database* schema*",
    "synapse": "host* port* database*", "teradata": "host* port database",
    "trino": "host* port* catalog* schema*", "vectorwise": "host* port database*",
    "versant": "host port database*", "vertica": "host* port* database* schema*", "zen": "host* port database*",
    "custom": "account catalog database dataset delimiter encoding endpointUrl format host location path port "
    "project region regionName schema serviceName stagingDir stream warehouse",
}  # fmt: skip
SERVER_FIELDS = {name: tuple(spec.replace("*", "").split()) for name, spec in _SERVERS.items()}
SERVER_REQUIRED = {
    name: tuple(field[:-1] for field in spec.split() if field.endswith("*"))
    for name, spec in _SERVERS.items()
}
