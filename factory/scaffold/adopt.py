"""Make a product that was written by hand follow the template from now on.

Takes a product and what is known of it; gives the answers that would have stamped it; writes `.copier-answers.yml`,
and `.template-keep` with the files that are the product's own. Nothing else of the product is touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.artifacts import Artifacts
from factory.contract import read_promises
from factory.errors import ProductError
from factory.files import told_as, write_whole
from factory.locking import locked
from factory.parse import parse_products
from factory.products import Product, discover
from factory.scaffold.merge import KEEP_FILE, files_below, keepers
from factory.scaffold.product import scratch_folder
from factory.scaffold.template import ANSWERS_FILE, TemplateError, own_template, read_answers, render, sign
from factory.workspace import Workspace

_CLASSES = ("public", "internal", "confidential", "restricted")
_KEEP_HEAD = """\
# Files that are this product's own: `factory template update` leaves them alone. A path, a folder or a pattern a line.
"""


@dataclass(frozen=True, slots=True)
class Adopted:
    """A product that follows the template now.

    Attributes:
        name: the product's name.
        version: the template's version that it starts from.
        answers: what was found out about it.
        kept: files that both have, with other content: the product keeps its own.
    """

    name: str
    version: str
    answers: Mapping[str, Any]
    kept: tuple[str, ...]


def adopt(
    ws: Workspace, names: Sequence[str], given: Mapping[str, Any], *, anew: bool = False
) -> tuple[Adopted, ...]:
    """Make products follow the newest version of the workspace's template.

    `given` answers win over those that are found in the products' files and in dbt's manifest. With `anew` a product
    that follows a template already begins again, too. Raises:
        FactoryError: a name is no product, it follows a template, the template has no version, or dbt cannot read
            the products.

    """
    products = {product.name: product for product in discover(ws)}
    folders = {product.folder.name: product for product in products.values()}
    chosen = []
    for name in names:
        key = name.rstrip("/").removeprefix("products/")
        product = products.get(key) or folders.get(key)
        if product is None:
            hint = f"products here: {', '.join(products) or 'none'}"
            raise ProductError(f"there is no product {name!r}", where=ws.products, hint=hint)
        if read_answers(product.folder).get("_commit") and not anew:
            raise ProductError(
                f"{product.name} follows a template already",
                where=product.folder / ANSWERS_FILE,
                hint="`factory template update` updates it; --anew makes it begin with today's version",
            )
        chosen.append(product)
    with locked(ws), scratch_folder(ws) as scratch:
        template = own_template(ws, scratch)
        if not template.latest or not template.address:
            raise TemplateError(
                "the template has no version to start from",
                where=ws.root,
                hint="the workspace needs a template (copier.yml) in a git repository, committed and best tagged",
            )
        source = template.export(template.latest, scratch)
        artifacts = parse_products(ws, products, scratch)
        adopted = []
        for product in chosen:
            remembered = {k: v for k, v in read_answers(product.folder).items() if not k.startswith("_")}
            answers = {**answers_from(product, products, artifacts), **remembered, **given}
            room = scratch / "adopted" / product.name
            render(source, room, answers)
            sign(room, template)
            adopted.append(_write(product, room, template.latest, answers))
    return tuple(adopted)


def _write(product: Product, room: Path, version: str, answers: Mapping[str, Any]) -> Adopted:
    stamped = {path: file for path, file in files_below(room).items() if path != ANSWERS_FILE}
    own = files_below(product.folder, stamped, always=stamped)
    kept = tuple(path for path, file in own.items() if file.content != stamped[path].content)
    known = keepers(product.folder)
    added = [path for path in kept if path not in known]
    with told_as(ProductError, f"adopting {product.name}", product.folder):
        if added:
            file = product.folder / KEEP_FILE
            text = file.read_text("utf-8") if file.is_file() else _KEEP_HEAD
            write_whole(file, text + "".join(f"{path}\n" for path in added), durable=False)
        write_whole(product.folder / ANSWERS_FILE, (room / ANSWERS_FILE).read_bytes(), durable=False)
    return Adopted(product.name, version, answers, kept)


def answers_from(product: Product, products: Mapping[str, Product], artifacts: Artifacts) -> dict[str, Any]:
    """Return the answers that a product's own files give to the template's questions."""
    relations = artifacts.of(product.name)
    ports = [relation for relation in relations if relation.is_port]
    classes = [str(p.meta.get("classification") or "") for p in ports]
    ranked = [c for c in _CLASSES if c in classes]
    personal = any(c.meta.get("pii") for p in ports for c in p.columns)
    support = product.descriptor.get("support") or [{}]
    answers: dict[str, Any] = {
        "name": product.name,
        "title": product.title,
        "domain": product.domain,
        "archetype": product.archetype,
        "summary": product.summary,
        "owner": product.owner,
        "team": product.team,
        "cost_center": product.cost_center,
        "support_channel": str(support[0].get("channel") or ""),
        "classification": ranked[-1] if ranked else "internal",
        "personal_data": personal,
        "schedule": product.custom("schedule"),
    }
    if product.archetype == "source-aligned":
        answers["source_kind"] = "entities" if any(r.kind == "snapshot" for r in relations) else "events"
    else:
        answers["inputs"] = _inputs(product, products, artifacts)
    # What the product does not say takes the question's default.
    return {key: value for key, value in answers.items() if value != ""}


def _inputs(product: Product, products: Mapping[str, Product], artifacts: Artifacts) -> list[str]:
    """Return the output ports that a product reads, as answers to `inputs`."""
    read = {upstream for relation in artifacts.of(product.name) for upstream in relation.upstream}
    found = set()
    for unique_id in read:
        relation = artifacts.relations.get(unique_id)
        if relation is None or relation.package == product.name or relation.package not in products:
            continue
        for promise in read_promises(products[relation.package]):
            if relation.name in promise.tables or not promise.tables:
                table = "" if relation.name == promise.name else f".{relation.name}"
                found.add(f"{relation.package}.{promise.name}{table}")
    return sorted(found)
