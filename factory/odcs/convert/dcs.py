"""The Data Contract Specification 0.9.0 to 1.2.1.

Takes a document; gives the blocks of an ODCS 3.2 contract: models are tables, definitions are written out where
they are referred to, service levels and terms go to their places.
"""

from __future__ import annotations

import re
from typing import Any

from factory.documents import Document, Path_
from factory.odcs.convert.dcs_fields import Fields, links
from factory.odcs.convert.dcs_levels import read_levels
from factory.odcs.convert.dcs_old import put_checks, read_schema
from factory.odcs.convert.fields import FIELDS
from factory.odcs.convert.notes import Block, Notebook, Source
from factory.odcs.convert.values import is_number

_BILLING = re.compile(r"\s*(\d+(?:\.\d+)?)\s+([A-Z]{3})\s+per\s+([a-z]+)\s*")
_TOOLS = (("teams.microsoft.com", "teams"), ("slack.com", "slack"), ("discord.", "discord"))


class Reader:
    """Reads one document into blocks."""

    def __init__(self, document: Document, notes: Notebook) -> None:
        self.document = document
        self.notes = notes
        self.fields = Fields(document.data, notes)

    def contract(self) -> Block:
        """Return the contract's block."""
        data = self.document.data
        source = Source(data, ())
        block = Block((), data)
        source.take("dataContractSpecification")
        source.move(block, "id")
        described = Block(("info",), None)
        self.info(source, block, described)
        self.terms(source, block, described)
        if described or described.extras:
            block.put("description", described, ("info", "description"))
        self.servers(source, block)
        self.models(source, block)
        links(source, block)
        for name in ("servicelevels", "serviceLevels"):
            levels = source.take(name)
            if isinstance(levels, dict):
                block.put("slaProperties", read_levels(levels, (name,)), (name,))
            elif levels is not None:
                block.extras.append((name, levels, (name,)))
        self.definitions(source, block)
        source.rest(
            block, known=("tags", "authoritativeDefinitions", "customProperties", "roles", "team", "price")
        )
        return block

    def info(self, source: Source, block: Block, described: Block) -> None:
        """Read what the contract is and whose."""
        info = _inner(source, block, "info")
        if info is None:
            return
        info.move(block, "name", "title")
        info.move(block, "version")
        info.move(block, "status")
        info.move(block, "dataProduct")
        info.move(block, "domain")
        info.move(described, "purpose", "description")
        links(info, block)
        owner = info.take("owner")
        if isinstance(owner, str | int):
            team = Block(info.at("owner"), owner)
            team.put("name", owner, info.at("owner"))
            block.put("team", team, info.at("owner"))
        elif owner is not None:
            block.extras.append(("owner", owner, info.at("owner")))
        contact = _inner(info, block, "contact")
        if contact is not None:
            self.contact(contact, block)
        for name, value in info.values.items():
            if name not in info.taken:
                block.extras.append((name, value, info.at(name)))

    def contact(self, contact: Source, block: Block) -> None:
        """Read whom to ask: an address is a channel of support, a name alone is kept with the team."""
        name = contact.take("name")
        channels = []
        for key in ("email", "url"):
            value = contact.take(key)
            if not isinstance(value, str):
                if value is not None:
                    block.extras.append((f"contact_{key}", value, contact.at(key)))
                continue
            channel = Block(contact.at(key), {key: value})
            channel.put("channel", value, contact.at(key))
            if key == "url":
                channel.put("url", value, contact.at(key))
            channel.put("description", name, contact.at("name"))
            tool = next((tool for host, tool in _TOOLS if host in value), None)
            channel.put("tool", "email" if key == "email" else tool, contact.at(key))
            channels.append(channel)
        if channels:
            block.put("support", channels, contact.path)
        elif name is not None:
            block.extras.append(("contact_name", name, contact.at("name")))
        for key, value in contact.values.items():
            if key not in contact.taken:
                block.extras.append((f"contact_{key}", value, contact.at(key)))

    def terms(self, source: Source, block: Block, described: Block) -> None:
        """Read the terms: what the data may be used for, what it costs, and how long notice is given."""
        terms = _inner(source, block, "terms")
        if terms is None:
            return
        terms.move(described, "usage")
        terms.move(described, "limitations")
        billing = terms.take("billing")
        priced = _BILLING.fullmatch(billing) if isinstance(billing, str) else None
        if priced:
            price = Block(terms.at("billing"), billing)
            amount = float(priced[1]) if "." in priced[1] else int(priced[1])
            price.update({"priceAmount": amount, "priceCurrency": priced[2], "priceUnit": priced[3]})
            block.put("price", price, terms.at("billing"))
        elif billing is not None:
            block.extras.append(("billing", billing, terms.at("billing")))
        self.policies(terms, described)
        for name, value in terms.values.items():
            if name not in terms.taken:
                block.extras.append((name, value, terms.at(name)))

    def policies(self, terms: Source, described: Block) -> None:
        """Read policies: those with an address are links of the description."""
        policies = terms.take("policies")
        for number, policy in enumerate(policies if isinstance(policies, list) else ()):
            place = (*terms.at("policies"), number)
            link = Block(place, policy)
            if isinstance(policy, dict) and isinstance(policy.get("url"), str):
                one = Source(policy, place)
                one.move(link, "url")
                one.move(link, "type", "name", "type")
                link.setdefault("type", "policy")
                one.move(link, "description")
                one.rest(link)
                described.setdefault("authoritativeDefinitions", []).append(link)
            else:
                described.extras.append(("policies", [policy], place))
        if policies is not None and not isinstance(policies, list):
            described.extras.append(("policies", policies, terms.at("policies")))

    def servers(self, source: Source, block: Block) -> None:
        """Read the servers; their names become the servers' keys."""
        servers = source.take("servers")
        if isinstance(servers, dict):
            found = [
                self.server(name, value, ("servers", name))
                if isinstance(value, dict)
                else Block(("servers", name), {name: value})
                for name, value in servers.items()
            ]
            block.put("servers", found, ("servers",))
        elif servers is not None:
            block.put("servers", servers, ("servers",))

    def server(self, name: str, value: dict[str, Any], path: Path_) -> Block:
        """Return a server's block."""
        source = Source(value, path)
        server = Block(path, value)
        server.put("server", name, path)
        roles = source.take("roles")
        if isinstance(roles, list):
            server.put("roles", [self.role(item, (*path, "roles", n)) for n, item in enumerate(roles)],
                       source.at("roles"))  # fmt: skip
        elif roles is not None:
            server.extras.append(("roles", roles, source.at("roles")))
        for key, each in value.items():
            if key in source.taken:
                continue
            if key in server:
                server.extras.append((key, each, source.at(key)))
            else:
                server[key] = each
        return server

    def role(self, value: Any, path: Path_) -> Any:
        """Return the block of a role of a server."""
        if not isinstance(value, dict):
            return value
        source = Source(value, path)
        block = Block(path, value)
        source.move(block, "role", "role", "name")
        source.rest(block, known=FIELDS["role"])
        return block

    def models(self, source: Source, block: Block) -> None:
        """Read the tables, with the examples and checks that stand apart from them."""
        models = source.take("models")
        tables: list[Block] = []
        place: Path_ = ("models",)
        if isinstance(models, dict):
            tables = [self.fields.model(name, value, ("models", name)) for name, value in models.items()]
        elif models is not None:
            block.extras.append(("models", models, place))
        schema = source.take("schema")
        if schema is not None:
            old = read_schema(schema, self.fields, self.notes)
            if old:
                tables, place = [*tables, *old], place if tables else ("schema",)
            else:
                block.extras.append(("schema", schema, ("schema",)))
        put_examples(source, block, tables)
        quality = source.take("quality")
        if quality is not None:
            put_checks(quality, block, tables, self.notes)
        if tables:
            block.put("schema", tables, place)

    def definitions(self, source: Source, block: Block) -> None:
        """Keep the definitions that nothing refers to; the others are written out where they are used."""
        definitions = source.take("definitions")
        if not isinstance(definitions, dict):
            if definitions is not None:
                block.extras.append(("definitions", definitions, ("definitions",)))
            return
        unused = {k: v for k, v in definitions.items() if ("definitions", k) not in self.fields.used}
        if unused:
            block.extras.append(("definitions", unused, ("definitions", next(iter(unused)))))


def put_examples(source: Source, block: Block, tables: list[Block]) -> None:
    """Keep example data with the table that it shows."""
    examples = source.take("examples")
    for number, example in enumerate(examples if isinstance(examples, list) else ()):
        model = example.get("model") if isinstance(example, dict) else None
        spot = next((table for table in tables if table.get("name") == model), block)
        spot.extras.append(("examples", example, ("examples", number)))
    if examples is not None and not isinstance(examples, list):
        block.extras.append(("examples", examples, ("examples",)))


def _inner(source: Source, block: Block, name: str) -> Source | None:
    """Return a mapping inside another; what is none is kept beside the fields."""
    value = source.take(name)
    if isinstance(value, dict):
        return Source(value, source.at(name))
    if value is not None and (not is_number(value) or value):
        block.extras.append((name, value, source.at(name)))
    return None
