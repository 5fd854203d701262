"""A small mesh for tests: real products that build in a second or two.

`shop` is source-aligned and reads a file; `sales` is an aggregate over shop's output port; `board` is
consumer-aligned and reads sales.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[1]

DESCRIPTOR = """\
apiVersion: v1.1.0
kind: DataProduct
id: urn:dpf:{domain}:{name}
name: {name}
domain: {domain}
type: {type}
status: active
tags: [test]
description:
  purpose: What {name} is for.
team:
  name: {name}-team
  members:
    - username: {name}-owner@example.org
      role: dpo
      dateIn: "2024-01-01"
support:
  - channel: help
    url: https://support.example.org/{name}
customProperties:
  - property: costCenter
    value: CC-1
"""

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
name: {name}
version: 1.0.0
status: active
schema:
  - name: {table}
price:
  priceAmount: 0
  priceCurrency: USD
  priceUnit: month
roles:
  - role: {name}_reader
    access: read
slaProperties:
  - property: frequency
    value: 1
    unit: d
"""

PROJECT = """\
name: {name}
version: 1.0.0
config-version: 2
profile: factory
restrict-access: true
models:
  {name}:
    +group: {name}
    +access: private
"""

GROUP = """\
groups:
  - name: {name}
    owner:
      name: {name} team
      email: {name}-owner@example.org
"""


def make_workspace(folder: Path) -> Path:
    """Make an empty workspace with the umbrella of this repository."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "products").mkdir(exist_ok=True)
    (folder / "macros").mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text('[tool.factory]\ntitle = "Test mesh"\n', "utf-8")
    for name in ("dbt_project.yml", "macros/generate_names.sql"):
        (folder / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    return folder


def make_mesh(folder: Path) -> Path:
    """Make a workspace with the three products."""
    make_workspace(folder)
    add_shop(folder)
    add_product(
        folder,
        "sales",
        type_="aggregate",
        sql="""\
            select customer_id, cast(sum(amount) as double) as total
            from {{ ref('shop', 'orders') }}
            group by customer_id
        """,
        columns="customer_id:integer:key,total:double",
    )
    add_product(
        folder,
        "board",
        type_="consumerAligned",
        sql="""\
            select cast(count(*) as bigint) as customers, cast(sum(total) as double) as revenue
            from {{ ref('sales', 'sales') }}
        """,
        columns="customers:bigint,revenue:double",
    )
    return folder


def build_mesh(root: Path) -> Path:
    """Build and publish the three products, in this process."""
    from factory.pipeline import run
    from factory.plan import Request
    from factory.workspace import find_workspace

    result = run(find_workspace(root), Request(), lambda stage, detail="": None)
    assert [p.outcome for p in result.products] == ["certified"] * 3, result
    return root


def add_shop(folder: Path) -> Path:
    """Add the source-aligned product, which reads a file of its own."""
    product = add_product(
        folder,
        "shop",
        table="orders",
        type_="sourceAligned",
        sql="""\
            with source as (
                select * from {{ source('raw', 'orders') }}
            )
            select
                cast(order_id as integer) as order_id,
                cast(customer_id as integer) as customer_id,
                cast(amount as double) as amount
            from source
        """,
        columns="order_id:integer:key,customer_id:integer,amount:double",
        checks="""\
            checks for orders:
              - row_count between 1 and 1000:
                  name: There are orders
              - min(amount) >= 0
        """,
    )
    write(product / "data/orders.csv", "order_id,customer_id,amount\n1,1,10.5\n2,1,4.5\n3,2,7.0\n")
    write(
        product / "models/_sources.yml",
        """\
        sources:
          - name: raw
            config:
              meta:
                external_location: "{{ var('products_dir', '..') }}/shop/data/{name}.csv"
            tables:
              - name: orders
                columns:
                  - {name: order_id, data_type: bigint, description: Number of the order}
                  - {name: customer_id, data_type: bigint, description: Number of the customer}
                  - {name: amount, data_type: double, description: Amount in USD}
        """,
    )
    return product


def add_product(
    folder: Path,
    name: str,
    *,
    sql: str,
    columns: str,
    table: str = "",
    type_: str = "sourceAligned",
    domain: str = "trade",
    checks: str = "",
) -> Path:
    """Add a product with one public model; `columns` are `name:type[:key]`, with commas between."""
    table = table or name
    product = folder / "products" / name
    values = {"name": name, "domain": domain, "type": type_, "table": table}
    write(product / "product.odps.yaml", DESCRIPTOR.format(**values))
    write(product / f"contracts/{name}.odcs.yaml", CONTRACT.format(**values))
    write(product / "dbt_project.yml", PROJECT.format(**values))
    write(product / "models/_groups.yml", GROUP.format(**values))
    write(product / f"models/{table}.sql", sql)
    write(product / f"models/_{table}.yml", _properties(table, columns))
    write(product / f"checks/{name}.yml", checks or f"checks for {table}:\n  - row_count > 0\n")
    return product


def _properties(table: str, columns: str) -> str:
    lines = [
        "models:",
        f"  - name: {table}",
        f"    description: The output port {table}.",
        "    config: {materialized: table, access: public, contract: {enforced: true}}",
        "    columns:",
    ]
    for column in columns.split(","):
        name, type_, *key = column.split(":")
        lines += [f"      - name: {name}", f"        data_type: {type_}", f"        description: The {name}."]
        if key:
            lines += [
                "        constraints: [{type: not_null}, {type: primary_key}]",
                "        data_tests: [unique]",
            ]
    return "\n".join(lines) + "\n"


def write(file: Path, text: str) -> Path:
    """Write a file, its folders with it, its text without the indentation that it has in the test."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(text), "utf-8")
    return file


def without_notice(root: Path) -> None:
    """Let majors of a workspace go without notice."""
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('notice_period = "P0D"\n')


def replace(file: Path, old: str, new: str) -> None:
    """Change a text in a file, which must be there."""
    text = file.read_text("utf-8")
    assert old in text, f"{old!r} is not in {file}"
    file.write_text(text.replace(old, new), "utf-8")
