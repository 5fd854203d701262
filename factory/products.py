"""Stage 1, discover: what is there, and who stands for it.

Takes a workspace; gives a `Product` per folder under `products/`; reads `product.odps.yaml` and the name
in `dbt_project.yml`. The descriptor is Bitol ODPS 1.1.0, checked against its published JSON schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.addresses import DOMAIN, NAME, Address
from factory.documents import Document, read_yaml
from factory.errors import FactoryError, ProductError, raise_all
from factory.standards import odps_faults
from factory.workspace import Workspace

PRODUCT_FILE = "product.odps.yaml"
DBT_FILE = "dbt_project.yml"

#: The archetype as people read it, by the `type` of ODPS 1.1.
ARCHETYPES = {
    "sourceAligned": "source-aligned",
    "aggregate": "aggregate",
    "consumerAligned": "consumer-aligned",
}

PRODUCT_NAME = NAME
# Words of SQL and Python, and names that the workspace itself uses. The template's questions have them, too.
_RESERVED = """
    add all alter analyse analyze and any array as asc assert asymmetric async await begin between
    both break by call case cast check class collate column commit constraint continue copy create
    cross cube current_date current_timestamp database date dbt def default deferrable del delete
    desc describe distinct do drop elif else end except exists explain export factory_views false
    fetch filter finally for foreign from full function global grant group having if import in index
    information_schema initially inner insert intersect interval into is join lambda lateral leading
    left like limit main memory merge mesh natural none nonlocal not null offset on only or order
    outer over partition pass pg_catalog pivot pivot_longer pivot_wider placing ports primary
    qualify raise range recursive references return returning revoke right rollback rollup row rows
    schema select set show similar some standards summarize symmetric system table temp then time
    timestamp to trailing true truncate try union unique unpivot update user using values variadic
    view when where while window with yield
"""
RESERVED = frozenset(_RESERVED.split())
DOMAIN_NAME = DOMAIN


@dataclass(frozen=True, slots=True)
class Member:
    """A person or role of the team, as ODPS and ODCS have it. `date_out` is empty while it is open."""

    username: str
    role: str
    date_out: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """What `product.odps.yaml` says.

    Attributes:
        name: the product's name, its dbt project, its DuckDB file and its schema.
        domain: the domain that answers for it.
        archetype: source-aligned, aggregate or consumer-aligned; empty if the file does not say.
        folder: where it lies.
        title: its name for people.
        summary: what it is for (`description.purpose`).
        status: proposed, draft, active, deprecated or retired.
        version: the version that the file states, or empty, in which case its contract gives it.
        tags: words to find it by.
        team: the team's name, or empty.
        members: the team's members, in the order of the file.
        cost_center: who pays, or empty.
        descriptor: the whole file, as values.
        document: the same with the line of each value.
    """

    name: str
    domain: str
    archetype: str
    folder: Path
    title: str
    summary: str
    status: str
    version: str
    tags: tuple[str, ...]
    team: str
    members: tuple[Member, ...]
    cost_center: str
    descriptor: dict[str, Any]
    document: Document

    @property
    def urn(self) -> str:
        """The permanent address of the product."""
        return str(Address(self.domain, self.name))

    @property
    def file(self) -> Path:
        """The descriptor's file."""
        return self.folder / PRODUCT_FILE

    @property
    def owner(self) -> str:
        """The open member with the role `dpo`, or empty."""
        return next((m.username for m in self.members if m.role == "dpo" and not m.date_out), "")

    @property
    def steward(self) -> str:
        """The open member with the role `steward`, or empty."""
        return next((m.username for m in self.members if m.role == "steward" and not m.date_out), "")

    def custom(self, name: str, default: str = "") -> str:
        """Return a custom property's value as text."""
        for entry in self.descriptor.get("customProperties", []):
            if entry["property"] == name:
                return str(entry["value"])
        return default


def discover(ws: Workspace) -> tuple[Product, ...]:
    """Return the products of a workspace, sorted by name.

    Raises:
        FactoryError: a folder is no product, a descriptor is wrong, or two have one name; `Problems` when
            there are several such faults.

    """
    products: list[Product] = []
    problems: list[FactoryError] = []
    for folder in _folders(ws):
        try:
            products.append(read_product(folder))
        except FactoryError as problem:
            problems.append(problem)
    problems.extend(_same_names(products, ws))
    raise_all(problems)
    return tuple(sorted(products, key=lambda product: product.name))


def _folders(ws: Workspace) -> list[Path]:
    if not ws.products.is_dir():
        return []
    return sorted(f for f in ws.products.iterdir() if f.is_dir() and not f.name.startswith((".", "_")))


def read_product(folder: Path) -> Product:
    """Return the product in a folder.

    Raises:
        FactoryError: the folder is no product, or its descriptor is wrong.

    """
    file = folder / PRODUCT_FILE
    if not file.is_file():
        others = ", ".join(sorted(p.name for p in folder.iterdir())[:3])
        hint = f"write {PRODUCT_FILE}, or move the folder out of products/"
        raise ProductError(
            f"the folder has no {PRODUCT_FILE}, so it is no product"
            + (f" (it holds {others})" if others else ""),
            where=folder,
            hint=hint,
        )
    document = read_yaml(file)
    for fault in odps_faults(document.data):
        raise ProductError(fault.message, where=file, line=document.line(*fault.path), hint=fault.hint)
    product = _from_descriptor(folder, document)
    _check_names(product, document)
    _check_dbt_name(product)
    return product


def _from_descriptor(folder: Path, document: Document) -> Product:
    data: dict[str, Any] = document.data
    custom = {entry["property"]: entry["value"] for entry in data.get("customProperties", [])}
    name = str(data.get("name", ""))
    kind = str(data.get("type", ""))
    team = data.get("team") or {}
    return Product(
        name=name,
        domain=str(data.get("domain", "")),
        archetype=ARCHETYPES.get(kind, kind if kind in ARCHETYPES.values() else ""),
        folder=folder,
        title=str(custom.get("title") or name.replace("_", " ").capitalize()),
        summary=str((data.get("description") or {}).get("purpose") or "").strip(),
        status=str(data.get("status") or "draft"),
        version=str(data.get("version") or ""),
        tags=tuple(str(tag) for tag in data.get("tags") or ()),
        team=str(team.get("name") or ""),
        members=tuple(
            Member(str(m["username"]), str(m.get("role") or ""), str(m.get("dateOut") or ""))
            for m in team.get("members") or ()
        ),
        cost_center=str(custom.get("costCenter") or ""),
        descriptor=data,
        document=document,
    )


def _check_names(product: Product, document: Document) -> None:
    def wrong(key: str, message: str, hint: str) -> ProductError:
        return ProductError(message, where=product.file, line=document.line(key), hint=hint)

    if not PRODUCT_NAME.fullmatch(product.name):
        message = f"the name {product.name!r} is not allowed" if product.name else "the product has no name"
        raise wrong("name", message, "use 2 to 63 lower case letters, digits and _, a letter first")
    if product.name in RESERVED:
        hint = "choose another name: this one means something in SQL or in the workspace"
        raise wrong("name", f"the name {product.name!r} is taken", hint)
    if not DOMAIN_NAME.fullmatch(product.domain):
        message = (
            f"the domain {product.domain!r} is not allowed" if product.domain else "the product has no domain"
        )
        raise wrong("domain", message, "use 2 to 63 lower case letters, digits and -, a letter first")
    if not product.archetype:
        given = document.data.get("type")
        message = (
            f"the type {given!r} is no archetype" if given else "the product has no type (its archetype)"
        )
        raise wrong("type", message, f"use one of {', '.join(ARCHETYPES)}")
    if document.data["id"] != product.urn:
        raise wrong(
            "id", f"the id {document.data['id']!r} is not the product's address", f"write `id: {product.urn}`"
        )


def _check_dbt_name(product: Product) -> None:
    file = product.folder / DBT_FILE
    if not file.is_file():
        raise ProductError(
            f"the product {product.name!r} has no {DBT_FILE}, so it is no dbt project",
            where=product.folder,
            hint=f"write {DBT_FILE} with `name: {product.name}`",
        )
    document = read_yaml(file)
    name = document.data.get("name") if isinstance(document.data, dict) else None
    if name != product.name:
        raise ProductError(
            f"the dbt project is called {name!r}, the product {product.name!r}",
            where=file,
            line=document.line("name") if isinstance(document.data, dict) else 1,
            hint=f"write `name: {product.name}`: a product's name is its dbt project's name",
        )


def _same_names(products: list[Product], ws: Workspace) -> list[FactoryError]:
    first: dict[str, Product] = {}
    problems: list[FactoryError] = []
    for product in products:
        other = first.setdefault(product.name, product)
        if other is not product:
            problems.append(
                ProductError(
                    f"the name {product.name!r} is taken by {ws.relative(other.file)}:{other.document.line('name')}",
                    where=product.file,
                    line=product.document.line("name"),
                    hint="give one of the two products another name",
                )
            )
    return problems
