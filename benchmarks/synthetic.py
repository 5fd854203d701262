"""Write a synthetic workspace: a mesh of any size, to measure the factory on.

Run it as `python -m benchmarks.synthetic DIR N`, or `python benchmarks/synthetic.py DIR N`.

Every product has a seed, a raw file read as a source, five models (two staging, two intermediate, one mart),
about ten dbt tests, a contract and four SodaCL checks. About every second product reads the marts of one or
two earlier products, so there is never a cycle. The same number gives the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import random
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from string import Template
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent

REGIONS = ("north", "east", "south", "west")
CHANNELS = ("web", "shop", "phone")
BANDS = ("low", "middle", "high")
FIRST_DAY = date(2024, 1, 1)
DAYS = 182
ENTITIES = 12


@dataclass(frozen=True, slots=True)
class Topic:
    """What a product is about: its domain, what it counts, who it is counted for, and what is measured."""

    domain: str
    event: str
    entity: str
    measure: str


TOPICS = (
    Topic("retail", "order", "customer", "amount"),
    Topic("mobility", "trip", "vehicle", "distance"),
    Topic("energy", "reading", "meter", "consumption"),
    Topic("health", "visit", "clinic", "duration"),
    Topic("climate", "sample", "station", "rainfall"),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """One product before it is written.

    Attributes:
        number: its place in the mesh, from 0.
        name: the product's name.
        topic: what it is about.
        upstreams: the products whose marts it reads, all of them with a lower number.
    """

    number: int
    name: str
    topic: Topic
    upstreams: tuple[Shape, ...] = ()

    @property
    def mart(self) -> str:
        """The name of its one public model."""
        return f"{self.name}_monthly"

    @property
    def words(self) -> dict[str, str]:
        """What its templates are filled with."""
        topic = self.topic
        return {
            "p": self.name,
            "mart": self.mart,
            "event": topic.event,
            "entity": topic.entity,
            "measure": topic.measure,
            # Products differ a little, so that no two have the same SQL.
            "high": str(900 + 10 * (self.number % 40)),
            "low": str(200 + 5 * (self.number % 40)),
        }


def shapes(n: int, *, coupled: bool = True) -> tuple[Shape, ...]:
    """Return the products of a mesh of `n`; `coupled` lets every second one read one or two earlier ones."""
    found: list[Shape] = []
    for number in range(n):
        topic = TOPICS[number % len(TOPICS)]
        upstreams: tuple[Shape, ...] = ()
        if coupled and number % 2:
            dice = random.Random(number)
            reads = 1 + number // 2 % 2
            upstreams = tuple(found[i] for i in sorted(dice.sample(range(number), reads)))
        found.append(Shape(number, f"{topic.domain}_{topic.event}s_{number:03}", topic, upstreams))
    return tuple(found)


def generate(folder: Path, n: int, *, events: int = 120, coupled: bool = True) -> tuple[Shape, ...]:
    """Write a workspace of `n` products into a folder that is empty or not there; return the products.

    `events` is the number of rows of each product's seed.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "pyproject.toml", f'[tool.factory]\ntitle = "Synthetic mesh of {n} products"\n')
    shutil.copyfile(REPOSITORY / "dbt_project.yml", folder / "dbt_project.yml")
    shutil.copytree(REPOSITORY / "macros", folder / "macros")
    products = shapes(n, coupled=coupled)
    for shape in products:
        _write_product(folder / "products" / shape.name, shape, events)
    return products


def readers(shape: Shape, products: Iterable[Shape]) -> tuple[Shape, ...]:
    """Return the products that read a product, directly or through others, in their order."""
    found: dict[str, Shape] = {}
    for product in products:
        if any(upstream.name == shape.name or upstream.name in found for upstream in product.upstreams):
            found[product.name] = product
    return tuple(found.values())


def touch(workspace: Path, shape: Shape) -> Path:
    """Change the SQL of one model of a product so that neither its rows nor its contract change."""
    file = workspace / "products" / shape.name / "models" / "staging" / f"stg_{shape.name}__events.sql"
    text = file.read_text("utf-8")
    before, after = f"{shape.topic.measure} >= 0", f"{shape.topic.measure} > -1"
    changed = text.replace(before, after) if before in text else text.replace(after, before)
    if changed == text:
        raise ValueError(f"{file} has no filter to change")
    _write(file, changed)
    return file


def _write_product(folder: Path, shape: Shape, events: int) -> None:
    _write_data(folder, shape, events)
    for path, text in MODELS.items():
        _write_filled(folder / "models", path, text, shape.words)
    trend = _with_context(shape) if shape.upstreams else TREND
    _write_filled(folder / "models", "intermediate/int_${p}__trend.sql", trend, shape.words)
    _write_filled(folder / "models", "marts/${mart}.sql", _mart(shape), shape.words)
    for path, value in _yaml_files(shape).items():
        _write(folder / path, yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100))
    _write_filled(folder, "checks/${p}.yml", CHECKS, shape.words)


def _write_data(folder: Path, shape: Shape, events: int) -> None:
    """Write the seed and the raw file; two events out of a hundred are cancelled."""
    topic = shape.topic
    dice = random.Random(1_000_003 + shape.number)
    entities = [f"{topic.entity[0]}{n:03}" for n in range(1, ENTITIES + 1)]
    rows = []
    for n in range(1, events + 1):
        day = FIRST_DAY + timedelta(days=(n * DAYS // events + dice.randrange(3)) % DAYS)
        value = round(dice.uniform(1, 400), 2)
        entity, channel = dice.choice(entities), dice.choice(CHANNELS)
        cancelled = str(dice.random() < 0.02).lower()
        rows.append((f"{topic.event[0]}{n:05}", entity, day, value, channel, cancelled))
    keys = (f"{topic.event}_id", f"{topic.entity}_id")
    head = (*keys, "happened_on", topic.measure, "channel", "is_cancelled")
    _write_csv(folder / "seeds" / f"{shape.name}_events.csv", head, rows)
    label = topic.entity.capitalize()
    raw = [(key, f"{label} {key[1:]}", REGIONS[n % 4].upper()) for n, key in enumerate(entities)]
    _write_csv(folder / "data" / f"{topic.entity}s.csv", (f"{topic.entity}_id", "label", "region"), raw)


# The SQL. `$p` is the product; `$event`, `$entity` and `$measure` are what it is about.

MODELS = {
    "staging/stg_${p}__events.sql": """\
with source as (

    select * from {{ ref('${p}_events') }}

),

typed as (

    select
        ${event}_id,
        ${entity}_id,
        happened_on,
        cast(date_trunc('month', happened_on) as date) as month,
        cast($measure as decimal(12, 2)) as $measure,
        lower(trim(channel)) as channel,
        coalesce(is_cancelled, false) as is_cancelled
    from source
    where ${event}_id is not null
        and $measure >= 0

)

select * from typed
""",
    "staging/stg_${p}__${entity}s.sql": """\
select
    raw.${entity}_id,
    trim(raw.label) as label,
    lower(raw.region) as region
from {{ source('${p}_raw', '${entity}s') }} as raw
""",
    "intermediate/int_${p}__totals.sql": """\
-- Totals by region and month, cancelled ${event}s left out.
with events as (

    select * from {{ ref('stg_${p}__events') }}
    where not is_cancelled

),

${entity}s as (

    select * from {{ ref('stg_${p}__${entity}s') }}

),

joined as (

    select
        ${entity}s.region,
        events.month,
        events.${event}_id,
        events.${entity}_id,
        events.channel,
        events.$measure,
        row_number() over (
            partition by events.${entity}_id
            order by events.happened_on, events.${event}_id
        ) as ${event}_number
    from events
    inner join ${entity}s
        on events.${entity}_id = ${entity}s.${entity}_id

)

select
    joined.region,
    joined.month,
    count(*) as ${event}_count,
    count(distinct joined.${entity}_id) as ${entity}_count,
    cast(sum(joined.$measure) as decimal(18, 2)) as ${measure}_total,
    avg(joined.$measure) as ${measure}_mean,
    max(joined.$measure) as ${measure}_largest,
    count(case when joined.${event}_number = 1 then 1 end) as first_${event}s,
    cast(
        sum(case when joined.channel = 'web' then joined.$measure else 0 end) as decimal(18, 2)
    ) as ${measure}_web
from joined
group by joined.region, joined.month
""",
}

TREND = """\
-- How a month compares with the months before it and with the other regions.
select
    totals.region,
    totals.month,
    cast(
        sum(totals.${measure}_total) over (
            partition by totals.region
            order by totals.month
            rows between unbounded preceding and current row
        ) as decimal(18, 2)
    ) as ${measure}_so_far,
    cast(
        totals.${measure}_total - lag(totals.${measure}_total) over (
            partition by totals.region
            order by totals.month
        ) as decimal(18, 2)
    ) as ${measure}_change,
    rank() over (
        partition by totals.month
        order by totals.${measure}_total desc, totals.region
    ) as rank_in_month
from {{ ref('int_${p}__totals') }} as totals
"""

CONTEXT = """\
-- How a month compares with the months before it, with the other regions, and with what other products know.
with totals as (

    select * from {{ ref('int_${p}__totals') }}

),

known as (

$known

),

context as (

    select
        known.region,
        known.month,
        count(*) as context_count,
        cast(sum(known.context_value) as decimal(18, 2)) as context_total
    from known
    group by known.region, known.month

)

select
    totals.region,
    totals.month,
    cast(
        sum(totals.${measure}_total) over (
            partition by totals.region
            order by totals.month
            rows between unbounded preceding and current row
        ) as decimal(18, 2)
    ) as ${measure}_so_far,
    cast(
        totals.${measure}_total - lag(totals.${measure}_total) over (
            partition by totals.region
            order by totals.month
        ) as decimal(18, 2)
    ) as ${measure}_change,
    rank() over (
        partition by totals.month
        order by totals.${measure}_total desc, totals.region
    ) as rank_in_month,
    coalesce(context.context_count, 0) as context_count,
    context.context_total
from totals
left join context
    on totals.region = context.region
        and totals.month = context.month
"""

KNOWN = """\
    select
        up${number}.region,
        up${number}.month,
        up${number}.${measure}_total as context_value
    from {{ ref('$p', '$mart') }} as up${number}
    where up${number}.${event}_count > 0"""

MART = """\
-- One row per region and month.
select
    totals.region || '-' || strftime(totals.month, '%Y-%m') as row_id,
    totals.region,
    totals.month,
    totals.${event}_count,
    totals.${entity}_count,
    totals.${measure}_total,
    totals.${measure}_mean,
    totals.${measure}_largest,
    totals.first_${event}s,
    round(100.0 * totals.${measure}_web / nullif(totals.${measure}_total, 0), 2) as web_percent,
    trend.${measure}_so_far,
    trend.${measure}_change,
    trend.rank_in_month,
$context    case
        when totals.${measure}_total >= $high then 'high'
        when totals.${measure}_total >= $low then 'middle'
        else 'low'
    end as band
from {{ ref('int_${p}__totals') }} as totals
inner join {{ ref('int_${p}__trend') }} as trend
    on totals.region = trend.region
        and totals.month = trend.month
"""

CHECKS = """\
checks for $mart:
  - row_count between 4 and 100:
      name: Every region has its months
      attributes:
        dimension: completeness
  - min(${measure}_total) >= 0:
      name: No total is negative
      attributes:
        dimension: accuracy
  - missing_count(band) = 0:
      name: Every month has a band
      attributes:
        dimension: completeness
  - failed rows:
      name: Mean, largest and total of a month are in order
      fail condition: >-
        ${measure}_mean > ${measure}_largest + 0.01
        or ${measure}_largest > ${measure}_total + 0.01
      attributes:
        dimension: consistency
"""


def _with_context(shape: Shape) -> str:
    parts = [
        Template(KNOWN).substitute({**upstream.words, "number": str(n)})
        for n, upstream in enumerate(shape.upstreams, 1)
    ]
    return CONTEXT.replace("$known", "\n    union all\n".join(parts))


def _mart(shape: Shape) -> str:
    context = "    trend.context_count,\n    trend.context_total,\n" if shape.upstreams else ""
    return MART.replace("$context", context)


# The YAML beside it. A column is its name, type, description and tests.

Column = tuple[str, str, str, tuple[Any, ...]]

#: Sums are decimal: a sum of floating point numbers depends on the order in which threads deliver the rows.
SUM = "decimal(18, 2)"


def _yaml_files(shape: Shape) -> dict[str, Any]:
    return {
        "product.odps.yaml": _descriptor(shape),
        f"contracts/{shape.name}.odcs.yaml": _contract(shape),
        "dbt_project.yml": _dbt_project(shape),
        "models/_groups.yml": {
            "version": 2,
            "groups": [{"name": shape.name, "owner": {"name": _team(shape), "email": _owner(shape)}}],
        },
        "models/staging/_sources.yml": _sources(shape),
        "models/staging/_staging.yml": {"version": 2, "models": _staging(shape)},
        "models/intermediate/_intermediate.yml": {"version": 2, "models": _intermediate(shape)},
        "models/marts/_marts.yml": {"version": 2, "models": [_mart_model(shape)]},
        "seeds/_seeds.yml": _seeds(shape),
    }


def _dbt_project(shape: Shape) -> dict[str, Any]:
    return {
        "name": shape.name,
        "version": "1.0.0",
        "config-version": 2,
        "require-dbt-version": [">=1.11.0", "<1.12.0"],
        "profile": "factory",
        "restrict-access": True,
        "models": {
            shape.name: {
                "+group": shape.name,
                "staging": {"+materialized": "view", "+access": "private"},
                "intermediate": {"+materialized": "table", "+access": "private"},
                "marts": {"+materialized": "table", "+access": "public", "+contract": {"enforced": True}},
            }
        },
        "data_tests": {shape.name: {"+group": shape.name}},
    }


def _model(name: str, description: str, columns: Iterable[Column]) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "columns": [
            {
                "name": column,
                "data_type": type_,
                "description": text,
                **({"data_tests": list(tests)} if tests else {}),
            }
            for column, type_, text, tests in columns
        ],
    }


def _event_columns(shape: Shape) -> tuple[Column, ...]:
    t = shape.topic
    to = f"ref('stg_{shape.name}__{t.entity}s')"
    relationship = {"relationships": {"arguments": {"to": to, "field": f"{t.entity}_id"}}}
    return (
        (f"{t.event}_id", "varchar", f"Key. Number of the {t.event}.", ("not_null", "unique")),
        (f"{t.entity}_id", "varchar", f"The {t.entity} that the {t.event} belongs to.", (relationship,)),
        ("happened_on", "date", f"Day of the {t.event}.", ()),
        ("month", "date", "First day of the month.", ()),
        (t.measure, "decimal(12, 2)", f"The {t.measure} of the {t.event}, never negative.", ()),
        ("channel", "varchar", f"How the {t.event} came in: {', '.join(CHANNELS)}.", ()),
        ("is_cancelled", "boolean", f"True where the {t.event} was cancelled.", ()),
    )


def _sources(shape: Shape) -> dict[str, Any]:
    entity = shape.topic.entity
    file = f"{{{{ var('products_dir', '..') }}}}/{shape.name}/data/{entity}s.csv"
    columns = (
        (f"{entity}_id", "varchar", f"Number of the {entity}.", ()),
        ("label", "varchar", "Name for people.", ()),
        ("region", "varchar", "Region in capitals.", ()),
    )
    table = _model(f"{entity}s", f"The {entity}s as they were delivered, one row per {entity}.", columns)
    location = f"read_csv('{file}', header = true, all_varchar = true)"
    table["config"] = {"meta": {"external_location": location}}
    source = {"name": f"{shape.name}_raw", "description": "Raw files.", "tables": [table]}
    return {"version": 2, "sources": [source]}


def _staging(shape: Shape) -> list[dict[str, Any]]:
    t = shape.topic
    entities: tuple[Column, ...] = (
        (f"{t.entity}_id", "varchar", f"Key. Number of the {t.entity}.", ("not_null", "unique")),
        ("label", "varchar", "Name for people.", ()),
        ("region", "varchar", f"Region of the {t.entity}: {', '.join(REGIONS)}.", ()),
    )
    return [
        _model(f"stg_{shape.name}__events", f"The {t.event}s, one row for each.", _event_columns(shape)),
        _model(f"stg_{shape.name}__{t.entity}s", f"The {t.entity}s, one row for each.", entities),
    ]


def _total_columns(shape: Shape) -> tuple[Column, ...]:
    t = shape.topic
    return (
        (f"{t.event}_count", "bigint", f"Number of {t.event}s, cancelled ones left out.", ()),
        (f"{t.entity}_count", "bigint", f"Number of different {t.entity}s.", ()),
        (f"{t.measure}_total", SUM, f"Sum of the {t.measure}.", ()),
        (f"{t.measure}_mean", "double", f"Mean {t.measure} of a {t.event}.", ()),
        (f"{t.measure}_largest", "decimal(12, 2)", f"Largest {t.measure} of a {t.event}.", ()),
        (f"first_{t.event}s", "bigint", f"{t.entity.capitalize()}s whose first {t.event} this was.", ()),
    )


def _trend_columns(shape: Shape) -> tuple[Column, ...]:
    measure = shape.topic.measure
    columns: tuple[Column, ...] = (
        (f"{measure}_so_far", SUM, f"Sum of the {measure} of the region up to this month.", ()),
        (f"{measure}_change", SUM, "Difference to the month before; NULL in the first month.", ()),
        ("rank_in_month", "bigint", "Rank of the region in the month, 1 is the largest total.", ()),
    )
    if shape.upstreams:
        read = " and ".join(upstream.name for upstream in shape.upstreams)
        columns += (
            ("context_count", "bigint", f"Rows that {read} has for the region and month.", ()),
            ("context_total", SUM, f"Total of those rows of {read}; NULL without any.", ()),
        )
    return columns


def _intermediate(shape: Shape) -> list[dict[str, Any]]:
    region: Column = ("region", "varchar", "Key, with the month. Region.", ("not_null",))
    month: Column = ("month", "date", "Key, with the region. First day of the month.", ("not_null",))
    web: Column = (f"{shape.topic.measure}_web", SUM, "The part of the total from the web.", ())
    totals = (region, month, *_total_columns(shape), web)
    trend = ((*region[:3], ()), (*month[:3], ()), *_trend_columns(shape))
    return [
        _model(f"int_{shape.name}__totals", "Totals, one row per region and month.", totals),
        _model(f"int_{shape.name}__trend", "Trends, one row per region and month.", trend),
    ]


def _mart_model(shape: Shape) -> dict[str, Any]:
    regions = {"accepted_values": {"arguments": {"values": list(REGIONS)}}}
    bands = {"accepted_values": {"arguments": {"values": list(BANDS)}}}
    region_tests: list[Any] = [regions]
    for upstream in shape.upstreams[:1]:
        to = f"ref('{upstream.name}', '{upstream.mart}')"
        region_tests.append({"relationships": {"arguments": {"to": to, "field": "region"}}})
    columns: tuple[Column, ...] = (
        ("row_id", "varchar", "Key. Region and month, such as north-2024-01.", ("unique",)),
        ("region", "varchar", "Region.", tuple(region_tests)),
        ("month", "date", "First day of the month.", ()),
        *_total_columns(shape),
        ("web_percent", "double", f"Share of the {shape.topic.measure} that came from the web, percent.", ()),
        *_trend_columns(shape),
        ("band", "varchar", "Size of the month: low, middle or high.", (bands,)),
    )
    what = f"{shape.topic.event.capitalize()}s by region and month"
    model = _model(shape.mart, f"{what}, one row for each.", columns)
    model["config"] = {"tags": [shape.topic.domain, "monthly"], "meta": {"classification": "internal"}}
    for column in model["columns"][:3]:
        column["constraints"] = [{"type": "not_null"}]
    model["columns"][0]["constraints"].append({"type": "primary_key"})
    return model


def _seeds(shape: Shape) -> dict[str, Any]:
    columns = [column for column in _event_columns(shape) if column[0] != "month"]
    bare = [(name, type_, text, ()) for name, type_, text, _ in columns]
    seed = _model(f"{shape.name}_events", f"The {shape.topic.event}s as they were delivered.", bare)
    seed["config"] = {"column_types": {name: type_ for name, type_, _, _ in bare}}
    return {"version": 2, "seeds": [seed]}


def _team(shape: Shape) -> str:
    return f"{shape.topic.domain}-data"


def _owner(shape: Shape) -> str:
    return f"{_team(shape)}-owner@example.org"


def _descriptor(shape: Shape) -> dict[str, Any]:
    t, team = shape.topic, _team(shape)
    kind = ("sourceAligned", "aggregate", "consumerAligned")[min(len(shape.upstreams), 2)]
    custom = {
        "title": f"{t.event.capitalize()}s {shape.number:03}",
        "costCenter": f"CC-{1000 + shape.number}",
        "schedule": "0 6 * * *",
        "timeZone": "Etc/UTC",
        "layer": "technical",
        "visibility": "internal",
    }
    return {
        "apiVersion": "v1.1.0",
        "kind": "DataProduct",
        "id": f"urn:dpf:{t.domain}:{shape.name}",
        "name": shape.name,
        "domain": t.domain,
        "type": kind,
        "status": "active",
        "tags": [t.domain, t.event],
        "description": {
            "purpose": f"Tells how many {t.event}s each region has by month, and of what {t.measure}.",
            "limitations": "Made up to measure the factory.",
            "usage": f"Compare regions and months; cancelled {t.event}s do not count.",
        },
        "team": {
            "name": team,
            "description": f"Keeps the products about {t.event}s.",
            "members": [
                {"username": _owner(shape), "role": "dpo", "dateIn": "2024-01-15"},
                {"username": f"{team}-steward@example.org", "role": "steward", "dateIn": "2024-01-15"},
            ],
        },
        "support": [
            {
                "channel": f"{team}-help",
                "url": f"https://support.example.org/{team}",
                "tool": "ticket",
                "scope": "interactive",
                "description": "Questions and faults.",
            }
        ],
        "customProperties": [{"property": key, "value": value} for key, value in custom.items()],
    }


def _contract(shape: Shape) -> dict[str, Any]:
    t = shape.topic
    properties: list[Mapping[str, Any]] = [
        {"name": "region", "businessName": "Region", "criticalDataElement": True, "examples": [REGIONS[0]]},
        {"name": f"{t.measure}_total", "businessName": f"Total {t.measure}", "criticalDataElement": True},
    ]
    return {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "name": shape.name,
        "version": "1.0.0",
        "status": "active",
        "description": {"purpose": f"{t.event.capitalize()}s by region and month."},
        "schema": [
            {
                "name": shape.mart,
                "businessName": f"Monthly {t.event}s",
                "dataGranularityDescription": "One row per region and month",
                "properties": properties,
            }
        ],
        "price": {"priceAmount": 0, "priceCurrency": "USD", "priceUnit": "month"},
        "roles": [{"role": f"{shape.name}_reader", "access": "read", "firstLevelApprovers": _owner(shape)}],
        "slaProperties": [
            {"property": "frequency", "value": 1, "unit": "d", "element": f"{shape.mart}.month"},
            {"property": "availability", "value": 99.5, "unit": "percent", "element": f"{shape.mart}.month"},
        ],
        "customProperties": [{"property": "noticePeriod", "value": "P3M"}],
    }


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8", newline="\n")


def _write_filled(folder: Path, path: str, text: str, words: Mapping[str, str]) -> None:
    _write(folder / Template(path).substitute(words), Template(text).substitute(words))


def _write_csv(file: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a synthetic workspace of N products into DIR.")
    parser.add_argument("folder", metavar="DIR", type=Path)
    parser.add_argument("n", metavar="N", type=int)
    parser.add_argument("--events", type=int, default=120, help="rows of each seed (120)")
    parser.add_argument("--apart", action="store_true", help="no product reads another")
    arguments = parser.parse_args()
    products = generate(arguments.folder, arguments.n, events=arguments.events, coupled=not arguments.apart)
    reads = sum(len(product.upstreams) for product in products)
    print(f"{len(products)} products, {5 * len(products)} models, {reads} reads across products")


if __name__ == "__main__":
    main()
