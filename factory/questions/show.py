"""What a consumer wants to know about one product, on one screen.

Takes a workspace and a product's name; gives a `ProductPage`; reads the registry.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.documents import read_yaml
from factory.errors import RegistryError
from factory.files import sha256_file
from factory.registry import read_index
from factory.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A published product: its registry entry, its newest contracts and its last run.

    Attributes:
        entry: the registry entry.
        contracts: the contracts, as documents.
        certificates: the newest certificate of each contract, by name.
        run: the last published run, or an empty dict.
    """

    entry: Mapping[str, Any]
    contracts: tuple[Mapping[str, Any], ...]
    certificates: Mapping[str, Mapping[str, Any]]
    run: Mapping[str, Any]


def show(ws: Workspace, name: str) -> ProductPage:
    """Return what is published of a product.

    Raises:
        RegistryError: nothing of that name is published.

    """
    entries = {entry["name"]: entry for entry in read_index(ws)["products"]}
    if name not in entries:
        near = difflib.get_close_matches(name, entries, 1)
        hint = f"did you mean {near[0]!r}?" if near else "see what is published with: factory list"
        if (ws.products / name).is_dir():
            hint = f"publish it with: factory build +{name}"
        raise RegistryError(f"no product {name!r} is published", hint=hint)
    entry = entries[name]
    contracts = tuple(_contract(ws.registry / c["path"], c["sha256"]) for c in entry["contracts"])
    certificates = {}
    for contract in entry["contracts"]:
        folder = (
            ws.registry / "certificates" / entry["domain"] / name / contract["name"] / contract["version"]
        )
        certificates[contract["name"]] = _newest(folder, numbered=True)
    run = _newest(ws.registry / "runs" / entry["domain"] / name, numbered=False)
    return ProductPage(entry, contracts, certificates, run)


def _contract(file: Path, sha256: str) -> dict[str, Any]:
    if not file.is_file() or sha256_file(file) != sha256:
        raise RegistryError(
            "a published contract is not what was published",
            where=file,
            hint="restore the version's folder from git or a backup",
        )
    data: dict[str, Any] = read_yaml(file).data
    return data


def _newest(folder: Path, *, numbered: bool) -> dict[str, Any]:
    files = list(folder.glob("*.json")) if folder.is_dir() else []
    if numbered:
        files = [file for file in files if file.stem.isdigit()]
    if not files:
        return {}
    file = max(files, key=lambda f: (int(f.stem) if numbered else 0, f.name))
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def page_as_json(page: ProductPage) -> dict[str, Any]:
    """Return the page for programs."""
    return {
        "product": dict(page.entry),
        "contracts": [dict(contract) for contract in page.contracts],
        "certificates": {name: dict(certificate) for name, certificate in page.certificates.items()},
        "run": dict(page.run),
    }


def page_as_text(page: ProductPage, width: int = 80) -> str:
    """Return the page for people."""
    import textwrap

    entry = page.entry
    lines = [
        f"{entry['title']}",
        f"{entry['id']}   {entry['archetype']}, {entry['status']}, version {entry['version']}",
        "",
    ]
    lines += textwrap.wrap(_first_paragraph(entry["summary"]), width)
    for contract in page.contracts:
        lines += ["", *_contract_lines(contract, page.certificates.get(contract["name"], {}), width)]
    lines += ["", *_quality_lines(page.run)]
    owner = entry["owner"] or "nobody"
    lines += ["", f"Owner    {owner} (team {entry['team']})"]
    support = page.contracts[0].get("support") if page.contracts else None
    for channel in support or ():
        lines.append(f"Ask      {channel['channel']} {channel.get('url', '')}".rstrip())
    if entry["tags"]:
        lines.append(f"Tags     {', '.join(entry['tags'])}")
    lines += _use_lines(page)
    return "\n".join(lines)


def _first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\n", 1)[0].split())


def _contract_lines(contract: Mapping[str, Any], certificate: Mapping[str, Any], width: int) -> list[str]:
    until = f", certified until {certificate['expires'][:10]}" if certificate.get("expires") else ""
    lines = [f"Contract {contract['name']} {contract['version']}{until}"]
    tables = contract.get("schema") or ()
    room = max((len(table["name"]) for table in tables), default=0)
    for table in tables:
        columns = table.get("properties") or ()
        keys = [c["name"] for c in columns if c.get("primaryKey")]
        grain = table.get("dataGranularityDescription") or ""
        key = f", key {', '.join(keys)}" if keys else ""
        text = f"  {table['name']:<{room}}  {len(columns)} columns{key}" + (f". {grain}" if grain else "")
        lines.append(text if len(text) <= width else text[: width - 1] + "…")
    for sla in contract.get("slaProperties") or ():
        unit = f" {sla['unit']}" if sla.get("unit") else ""
        lines.append(f"  promises {sla['property']}: {sla.get('value')}{unit}")
    price = contract.get("price")
    if price:
        amount = price.get("priceAmount")
        lines.append(
            "  price: free"
            if amount == 0
            else f"  price: {amount} {price.get('priceCurrency', '')} per {price.get('priceUnit', '')}"
        )
    return lines


def _quality_lines(run: Mapping[str, Any]) -> list[str]:
    checks = run.get("checks") or ()
    if not checks:
        return ["Quality  not measured"]
    good = sum(check["outcome"] == "pass" for check in checks)
    lines = [
        f"Quality  {good} of {len(checks)} checks hold, measured {str(run.get('at', ''))[:16].replace('T', ' ')} UTC"
    ]
    lines += [
        f"  {c['outcome']}: {c['name']}" + (f" ({c['reason']})" if c["reason"] else "")
        for c in checks
        if c["outcome"] != "pass"
    ]
    return lines


def _use_lines(page: ProductPage) -> list[str]:
    for contract in page.contracts:
        server = next((s for s in contract.get("servers") or () if s["type"] == "duckdb"), None)
        tables = contract.get("schema") or ()
        if server and tables:
            name = tables[0]["name"]
            return [
                "",
                "Use it, from the workspace's root",
                f"  SQL     from {server['schema']}.{name} limit 5",
                f"  Python  duckdb.connect('{server['database']}', read_only=True).sql(...)",
                f"  dbt     {{{{ {_ref(page.entry['name'], tables[0])} }}}}",
            ]
    return []


def _ref(product: str, table: Mapping[str, Any]) -> str:
    """Return how another dbt project reads a table; a version of a model is an argument of its own."""
    facts = {entry["property"]: entry["value"] for entry in table.get("customProperties") or ()}
    name, version = str(table["name"]), facts.get("modelVersion")
    if version:
        return f"ref('{product}', '{name.removesuffix(f'_v{version}')}', v={version})"
    return f"ref('{product}', '{name}')"
