"""The hand-kept part of a contract: `contracts/<name>.odcs.yaml`.

What can be derived from dbt may be left out there: the id, columns, types, servers, team, support.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from factory.documents import Document, read_yaml
from factory.errors import ContractError, FactoryError, raise_all
from factory.products import Product
from factory.standards import odcs_faults

_NAME = re.compile(r"[a-z][a-z0-9_]{1,62}")
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


@dataclass(frozen=True, slots=True)
class Promise:
    """One hand-kept contract file.

    Attributes:
        name: the contract's name.
        version: semantic version, three numbers.
        status: proposed, draft, active, deprecated or retired.
        tables: names of the public models it covers; empty means all of the product.
        data: the file's values.
        document: the same, with lines.
    """

    name: str
    version: str
    status: str
    tables: tuple[str, ...]
    data: dict[str, Any]
    document: Document

    @property
    def major(self) -> int:
        """The version's first number."""
        return int(self.version.split(".", 1)[0])


def read_promises(product: Product) -> tuple[Promise, ...]:
    """Return the product's hand-kept contracts, sorted by name and version.

    Raises:
        FactoryError: a file is not YAML, not ODCS 3.2.0, or two have one name and major version.

    """
    promises: list[Promise] = []
    problems: list[FactoryError] = []
    folder = product.folder / "contracts"
    for file in sorted(folder.glob("*.odcs.y*ml")) if folder.is_dir() else []:
        try:
            promises.append(_read(read_yaml(file), product))
        except FactoryError as problem:
            problems.append(problem)
    for file in sorted(folder.glob("*.y*ml")) if folder.is_dir() else []:
        if ".odcs.y" not in file.name:
            hint = f"call it {file.name.split('.', 1)[0]}.odcs.yaml"
            problems.append(
                ContractError("the file is not read: its name says no standard", where=file, hint=hint)
            )
    seen: dict[tuple[str, int], Promise] = {}
    for promise in promises:
        other = seen.setdefault((promise.name, promise.major), promise)
        if other is not promise:
            problems.append(
                ContractError(
                    f"the contract {promise.name!r} stands twice in major version {promise.major}: "
                    f"see {other.document.path.name}",
                    where=promise.document.path,
                    line=promise.document.line("version"),
                    hint="keep one file per contract and major version",
                )
            )
    raise_all(problems)
    return tuple(sorted(promises, key=lambda p: (p.name, p.major)))


def _read(document: Document, product: Product) -> Promise:
    data = document.data
    file = document.path
    for fault in odcs_faults(_filled_in(data, product)):
        raise ContractError(fault.message, where=file, line=document.line(*fault.path), hint=fault.hint)
    name = str(data.get("name") or file.name.split(".", 1)[0])
    if not _NAME.fullmatch(name) or name == "product":
        hint = "use 2 to 63 lower case letters, digits and _, a letter first; `product` is taken"
        raise ContractError(
            f"the contract's name {name!r} is not allowed", where=file, line=document.line("name"), hint=hint
        )
    if data["apiVersion"] not in ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0"):
        raise ContractError(
            f"apiVersion {data['apiVersion']} is not read here",
            where=file,
            line=document.line("apiVersion"),
            hint="write `apiVersion: v3.2.0`",
        )
    version = str(data["version"])
    if not _VERSION.fullmatch(version):
        raise ContractError(
            f"the version {version!r} is not a semantic version",
            where=file,
            line=document.line("version"),
            hint="write three numbers, such as 1.0.0",
        )
    for field, wanted in (
        ("id", f"{product.urn}:{name}"),
        ("domain", product.domain),
        ("dataProduct", product.name),
    ):
        if field in data and data[field] != wanted:
            raise ContractError(
                f"{field} {data[field]!r} contradicts the product, which says {wanted!r}",
                where=file,
                line=document.line(field),
                hint=f"remove {field}; it is derived",
            )
    return Promise(
        name=name,
        version=version,
        status=str(data.get("status") or product.status),
        tables=tuple(str(table["name"]) for table in data.get("schema") or ()),
        data=data,
        document=document,
    )


def _filled_in(data: Any, product: Product) -> Any:
    """Return the hand-kept part with what is derived later, so that it can be held to the schema of the whole."""
    if not isinstance(data, dict):
        return data
    whole = {"id": product.urn, **data}
    tables = data.get("schema")
    if isinstance(tables, list):
        whole["schema"] = [_with_types(table) for table in tables]
    return whole


def _with_types(table: Any) -> Any:
    columns = table.get("properties") if isinstance(table, dict) else None
    if not isinstance(columns, list):
        return table
    # The schema takes a column without a logical type for one of every type.
    return {
        **table,
        "properties": [{"logicalType": "string", **c} if isinstance(c, dict) else c for c in columns],
    }
