"""What a consumer wants to know about one product, on one screen.

Takes a workspace, a product's name and a day; gives a `ProductPage`; reads the registry.
"""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from factory.addresses import NAME, Address
from factory.contract import version_key
from factory.documents import read_yaml
from factory.errors import RegistryError
from factory.files import sha256_file, within
from factory.levels import contract_key, targets_of
from factory.lifecycle import (
    END_OF_LIFE,
    END_OF_SUPPORT,
    GENERAL_AVAILABILITY,
    Edition,
    Life,
    Stage,
    announced_on,
    life_of,
)
from factory.notices import Mark, marks_of
from factory.odcs.lint.terms import service_level
from factory.questions.quality import Quality, newest_checked, quality_of
from factory.questions.quality_text import change_words, quality_values, why_lines
from factory.questions.resolve import standing_values, standing_words
from factory.registry import Registry, read_index
from factory.registry.certificates import newest_certificate
from factory.workspace import Workspace

_TREND = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A published product: its registry entry, its newest contracts and its last run.

    Attributes:
        entry: the registry entry.
        contracts: the contracts, as documents.
        certificates: the newest certificate of each contract, by name.
        run: the newest run that checked its data, or an empty dict.
        quality: how good it is by that run, with its service levels and open incidents.
        lives: where each contract is in its life, in the order of `contracts`.
        standing: what later records say of it: paused, yanked, deprecated, closed, rolled back.
    """

    entry: Mapping[str, Any]
    contracts: tuple[Mapping[str, Any], ...]
    certificates: Mapping[str, Mapping[str, Any]]
    run: Mapping[str, Any]
    lives: tuple[LifeNow, ...]
    quality: Quality
    standing: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class LifeNow:
    """Where a contract is in its life, on the day of asking.

    Attributes:
        contract, version: which.
        life: what the contract says.
        stage: the stage on that day.
        words: the same for people, with the dates to come.
        announced: when the end of its major version was announced, or None.
        may_go: the first day on which the major version may go, or None where nothing is announced.
        marks: its deprecated tables and columns.
    """

    contract: str
    version: str
    life: Life
    stage: Stage
    words: str
    announced: date | None
    may_go: date | None
    marks: tuple[Mark, ...]

    @property
    def is_closed(self) -> bool:
        """Its port is closed."""
        return self.stage in (Stage.ENDED, Stage.RETIRED)


def show(ws: Workspace, name: str, now: datetime) -> ProductPage:
    """Return what is published of a product; its contracts' stages are those of the day of `now`.

    Raises:
        RegistryError: nothing of that name is published.

    """
    entries = {entry["name"]: entry for entry in read_index(ws)["products"]}
    if name not in entries:
        near = difflib.get_close_matches(name, entries, 1)
        hint = f"did you mean {near[0]!r}?" if near else "see what is published with: factory list"
        if NAME.fullmatch(name) and (ws.products / name).is_dir():
            hint = f"publish it with: factory build +{name}"
        raise RegistryError(f"no product {name!r} is published", hint=hint)
    entry = entries[name]
    today = now.astimezone(UTC).date()
    contracts = tuple(_contract(within(ws.registry, c["path"]), c["sha256"]) for c in entry["contracts"])
    certificates = {}
    for contract in entry["contracts"]:
        folder = (
            ws.registry / "certificates" / entry["domain"] / name / contract["name"] / contract["version"]
        )
        certificates[contract["name"]] = newest_certificate(folder)
    lives = _lives(ws, entry, contracts, today)
    run = newest_checked(ws, entry["domain"], name, published=True)
    (quality,) = quality_of(ws, [name], now - _TREND, published=True)
    standing = Registry(ws).standing(entry["domain"], name)
    said = tuple(standing_values(standing, Address(entry["domain"], name)))
    return ProductPage(entry, contracts, certificates, run, lives, quality, said)


def _lives(
    ws: Workspace, entry: Mapping[str, Any], contracts: Iterable[Mapping[str, Any]], today: date
) -> tuple[LifeNow, ...]:
    registry = Registry(ws)
    versions = registry.versions(entry["domain"], entry["name"])
    moments = registry.first_published(entry["domain"], entry["name"])
    found = []
    for contract in contracts:
        name, version = str(contract["name"]), str(contract["version"])
        days = {number: moment.date() for number, moment in moments.get(name, {}).items()}
        editions = [
            Edition(p.version, str(p.data.get("status") or "draft"), days.get(p.version))
            for p in versions.get(name, ())
        ]
        life = life_of(contract, ws.settings.notice_period)
        announced = announced_on(version_key(version)[0], editions)
        found.append(
            LifeNow(
                name,
                version,
                life,
                life.stage(today),
                life.words(today),
                announced,
                life.may_go(announced) if announced and not life.is_closed(today) else None,
                marks_of(contract),
            )
        )
    return tuple(found)


def _contract(file: Path, sha256: str) -> dict[str, Any]:
    if not file.is_file() or sha256_file(file) != sha256:
        raise RegistryError(
            "a published contract is not what was published",
            where=file,
            hint="restore the version's folder from git or a backup",
        )
    data: dict[str, Any] = read_yaml(file).data
    return data


def page_as_json(page: ProductPage) -> dict[str, Any]:
    """Return the page for programs."""
    return {
        "product": dict(page.entry),
        "contracts": [dict(contract) for contract in page.contracts],
        "certificates": {name: dict(certificate) for name, certificate in page.certificates.items()},
        "run": dict(page.run),
        "lifecycle": [_life_as_json(life) for life in page.lives],
        "quality": quality_values(page.quality, checks=False),
        "standing": [dict(said) for said in page.standing],
    }


def _life_as_json(now: LifeNow) -> dict[str, Any]:
    def text(day: date | None) -> str | None:
        return None if day is None else day.isoformat()

    return {
        "contract": now.contract,
        "version": now.version,
        "stage": str(now.stage),
        "words": now.words,
        "general_availability": text(now.life.general_availability),
        "end_of_support": text(now.life.end_of_support),
        "end_of_life": text(now.life.end_of_life),
        "notice_period": now.life.notice.text,
        "announced": text(now.announced),
        "may_go": text(now.may_go),
        "deprecated": [{"name": m.name, "successor": m.successor, "date": m.date} for m in now.marks],
    }


def page_as_text(page: ProductPage, width: int = 80, *, why: bool = False) -> str:
    """Return the page for people; `why` adds how the quality score came about."""
    entry = page.entry
    lines = [
        f"{entry['title']}",
        f"{entry['id']}   {entry['archetype']}, {entry['status']}, version {entry['version']}",
        "",
    ]
    lines += textwrap.wrap(_first_paragraph(entry["summary"]), width)
    if page.standing:
        told = (standing_words(said).capitalize() for said in page.standing)
        lines += [
            "",
            *(part for words in told for part in textwrap.wrap(words, width, subsequent_indent="  ")),
        ]
    for contract, now in zip(page.contracts, page.lives, strict=True):
        certificate = {} if now.is_closed else page.certificates.get(contract["name"], {})
        lines += ["", *_contract_lines(contract, certificate, now, width, page.quality)]
    lines += ["", *_quality_lines(page.quality, width)]
    if why:
        lines += ["", *why_lines(page.quality, width)]
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


def _contract_lines(
    contract: Mapping[str, Any],
    certificate: Mapping[str, Any],
    now: LifeNow,
    width: int,
    quality: Quality,
) -> list[str]:
    until = f", certified until {certificate['expires'][:10]}" if certificate.get("expires") else ""
    if certificate.get("revoked"):
        until = f", certificate revoked on {certificate['revoked'][:10]}"
    lines = [f"Contract {contract['name']} {contract['version']}, {now.stage}{until}"]
    lines += _life_lines(now, width)
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
        if service_level(str(sla["property"])) in (GENERAL_AVAILABILITY, END_OF_SUPPORT, END_OF_LIFE):
            continue  # told with the stage
        unit = f" {sla['unit']}" if sla.get("unit") else ""
        about = f" of {sla['element']}" if sla.get("element") and _is_repeated(contract, sla) else ""
        lines.append(
            f"  promises {sla['property']}{about}: {sla.get('value')}{unit}{_verdict(quality, contract, sla)}"
        )
    price = contract.get("price")
    if price:
        amount = price.get("priceAmount")
        lines.append(
            "  price: free"
            if amount == 0
            else f"  price: {amount} {price.get('priceCurrency', '')} per {price.get('priceUnit', '')}"
        )
    return lines


def _life_lines(now: LifeNow, width: int) -> list[str]:
    texts = [now.words] if now.words != str(now.stage) else []
    if now.may_go is not None:
        texts.append(
            f"may go from {now.may_go} on: announced {now.announced}, notice period {now.life.notice.text}"
        )
    texts += [
        f"deprecated: {m.name}"
        + (f", use {m.successor}" if m.successor else "")
        + (f", gone from {m.date}" if m.date else "")
        for m in now.marks
    ]
    return [
        line
        for text in texts
        for line in textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="    ")
    ]


def _is_repeated(contract: Mapping[str, Any], sla: Mapping[str, Any]) -> bool:
    """Say whether a contract promises this property more than once."""
    name = service_level(str(sla["property"]))
    return sum(service_level(str(each["property"])) == name for each in contract["slaProperties"]) > 1


def _verdict(quality: Quality, contract: Mapping[str, Any], sla: Mapping[str, Any]) -> str:
    """Return what the last run said of a service level: the worst, where it is measured of several columns."""
    key, name = contract_key(contract), service_level(str(sla["property"]))
    rows = [row for row in quality.levels if row.get("contract") == key and row.get("property") == name]
    if _is_repeated(contract, sla):
        own = targets_of({**contract, "slaProperties": [sla]})
        places = {place.words() for target in own for place in target.places} | {t.element() for t in own}
        rows = [row for row in rows if row.get("element") in places]
        rows = [row for row in rows if row.get("target") in (*(t.value for t in own), None)]
    found = [str(row.get("verdict")) for row in rows]
    worst = next((verdict for verdict in ("breached", "not measured", "met") if verdict in found), "")
    return f" ({worst})" if worst else ""


def _quality_lines(quality: Quality, width: int) -> list[str]:
    if quality.at is None:
        return ["Quality  not measured"]
    count = f"{quality.good} of {len(quality.checks)} checks hold"
    score = f"{quality.score.words()} of 100{change_words(quality)}"
    lines = [f"Quality  {score}: {count}, {quality.at:%Y-%m-%d %H:%M} UTC"]
    lines += [
        f"  {c.get('outcome') or 'not run'}: {c.get('name') or ''}"
        + (f" ({c['reason']})" if c.get("reason") else "")
        for c in quality.checks
        if c.get("outcome") != "pass"
    ]
    lines += [f"  incident {i.id}: {i.trouble.subject}" for i in quality.incidents]
    return [
        part
        for line in lines
        for part in textwrap.wrap(
            line, width, subsequent_indent="    " if line.startswith("  ") else "         ",
            break_long_words=False, break_on_hyphens=False, drop_whitespace=True,
        )
    ]  # fmt: skip


def _use_lines(page: ProductPage) -> list[str]:
    for contract, now in zip(page.contracts, page.lives, strict=True):
        if now.is_closed:
            continue
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
