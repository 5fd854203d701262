"""The product's full ODPS 1.1.0 document: what people wrote, with the ports that follow from dbt and contracts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from factory.contract.draft import Contract
from factory.products import ARCHETYPES, Product


def draft_product(
    product: Product, contracts: Iterable[Contract], upstream: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the product's full ODPS 1.1.0 document.

    `upstream` are the contracts that the product reads, by contract id: `name` and `version` of each.
    """
    contracts = tuple(contracts)
    document = dict(product.descriptor)
    kinds = {spoken: written for written, spoken in ARCHETYPES.items()}
    document["type"] = kinds[product.archetype]
    document["version"] = product_version(product, contracts)
    document["status"] = product.status
    inputs = [
        {"name": str(port["name"]), "version": str(port["version"]), "contractId": contract_id}
        for contract_id, port in sorted(upstream.items())
    ]
    if inputs:
        document["inputPorts"] = [*document.get("inputPorts", ()), *inputs]
    ports = [
        {
            "name": contract.name,
            "version": contract.version,
            "type": "tables",
            "description": str((contract.data.get("description") or {}).get("purpose") or product.summary),
            "contractId": contract.id,
            **(
                {"inputContracts": [{"id": p["contractId"], "version": p["version"]} for p in inputs]}
                if inputs
                else {}
            ),
        }
        for contract in contracts
    ]
    document["outputPorts"] = [*document.get("outputPorts", ()), *ports]
    return {key: document[key] for key in sorted(document, key=_odps_order)}


def product_version(product: Product, contracts: Iterable[Contract]) -> str:
    """Return the version that the product states, or that of its newest contract."""
    if product.version:
        return product.version
    versions = [tuple(int(n) for n in contract.version.split(".")) for contract in contracts]
    return ".".join(str(n) for n in max(versions)) if versions else "0.0.0"


_ODPS_ORDER = (
    "apiVersion", "kind", "id", "name", "version", "status", "domain", "type", "tenant", "tags", "description",
    "synonyms", "deprecated", "context", "inputPorts", "outputPorts", "managementPorts", "support", "team",
    "authoritativeDefinitions", "customProperties", "productCreatedTs",
)  # fmt: skip


def _odps_order(key: str) -> tuple[int, str]:
    return (_ODPS_ORDER.index(key) if key in _ODPS_ORDER else len(_ODPS_ORDER), key)
