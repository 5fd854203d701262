"""A small product for what the example data has nothing of: ISO codes, cards, shares, dates of birth."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mesh import ROOT, add_product, make_workspace, replace, write

MODEL = """\
select
    account_id, customer, city, country, currency, expires_month, share, kind,
    cast(strptime(born, '%m/%d/%Y') as date) as born,
    cast(loaded_at as timestamp) as loaded_at
from {{ source('raw', 'accounts') }}
"""

COLUMNS = (
    "account_id:varchar:key,customer:varchar,city:varchar,country:varchar,currency:varchar,"
    "expires_month:varchar,share:varchar,kind:varchar,born:date,loaded_at:timestamp"
)

CHECKS = """\
checks for accounts:
  - invalid_count(account_id) = 0:
      name: An account number has five characters
      valid length: 5
      attributes: {dimension: conformity}
  - missing_count(expires_month) = 0:
      name: A card has the month in which it expires
  - failed rows:
      name: An address is the one in the register
      fail query: |
        select accounts.account_id
        from accounts join register on register.customer = accounts.customer
        where register.city <> accounts.city
      attributes: {dimension: accuracy}
  - failed rows:
      name: A date of birth is the one in the register
      fail query: |
        select accounts.account_id
        from accounts join register on register.customer = accounts.customer
        where register.born <> accounts.born
      attributes: {dimension: consistency}
  - failed rows:
      name: A share is equity or debt, not both
      fail query: select share from accounts group by share having count(distinct kind) > 1
      attributes: {dimension: uniqueness}
  - freshness(loaded_at) < 1d:
      name: The file of the day is there
checks for register:
  - failed rows:
      name: A customer is there once, however the name is spelled
      fail query: |
        select one.customer, other.customer as other_customer
        from register as one join register as other on other.customer > one.customer
        where one.born = other.born and jaro_winkler_similarity(lower(one.name), lower(other.name)) > 0.9
      attributes: {dimension: uniqueness}
"""

REGISTER = """\
{{ config(materialized='table') }}
select customer, name, city, cast(strptime(born, '%m/%d/%Y') as date) as born
from {{ source('raw', 'register') }}
"""

INPUTS = """\
models:
  - name: register
    description: The register of customers, the reference for who they are.
    columns:
      - {name: customer, data_type: varchar, description: Number of the customer.}
      - {name: name, data_type: varchar, description: Name of the customer.}
      - {name: city, data_type: varchar, description: Where the customer lives.}
      - {name: born, data_type: date, description: Date of birth.}
sources:
  - name: raw
    description: Files of the day. Every value is text.
    config:
      meta:
        external_location: >-
          read_csv('{{ var('products_dir', '..') }}/accounts/data/{name}.csv', header = true, all_varchar = true)
    tables:
      - name: accounts
        description: One row per account.
        columns:
          - {name: account_id, data_type: varchar, description: Number of the account.}
          - {name: customer, data_type: varchar, description: Number of the customer.}
          - {name: city, data_type: varchar, description: Where the customer lives.}
          - {name: country, data_type: varchar, description: Code of ISO 3166.}
          - {name: currency, data_type: varchar, description: Code of ISO 4217.}
          - {name: expires_month, data_type: varchar, description: Month in which the card expires.}
          - {name: share, data_type: varchar, description: What is held.}
          - {name: kind, data_type: varchar, description: equity or debt.}
          - {name: born, data_type: varchar, description: "Date of birth, month/day/year."}
          - {name: loaded_at, data_type: varchar, description: When the file came.}
      - name: register
        description: One row per customer.
        columns:
          - {name: customer, data_type: varchar, description: Number of the customer.}
          - {name: name, data_type: varchar, description: Name of the customer.}
          - {name: city, data_type: varchar, description: Where the customer lives.}
          - {name: born, data_type: varchar, description: "Date of birth, month/day/year."}
"""

ROWS = """\
account_id,customer,city,country,currency,expires_month,share,kind,born,loaded_at
A0001,10024,Leiden,NL,EUR,04/2027,DE0001,equity,01/31/1980,{at}
A0002,10027,Porto,PT,EUR,11/2026,DE0001,equity,10/05/1971,{at}
A0003,10031,Leeds,GB,GBP,01/2028,XS0002,debt,07/14/1992,{at}
A0004,10024,Leiden,NL,USD,06/2026,DE0001,equity,01/31/1980,{at}
"""

CUSTOMERS = """\
customer,name,city,born
10024,Jonathan Smith,Leiden,01/31/1980
10027,Ines Carvalho,Porto,10/05/1971
10031,Thomas Okafor,Leeds,07/14/1992
"""

TESTS = {
    "customer": """\
        data_tests:
          - relationships:
              arguments: {to: ref('register'), field: customer}
              config: {meta: {dimension: accuracy}}
""",
    "country": "        data_tests: [standards.iso_country]\n",
    "currency": "        data_tests: [standards.iso_currency]\n",
}


def make_accounts(folder: Path) -> Path:
    """Make a workspace with accounts of customers, who stand in a register; the files came an hour ago."""
    make_workspace(folder)
    shutil.copytree(ROOT / "standards", folder / "standards")
    product = add_product(folder, "accounts", sql=MODEL, columns=COLUMNS, checks=CHECKS)
    for name, tests in TESTS.items():
        line = f"description: The {name}.\n"
        replace(product / "models/_accounts.yml", line, line + tests)
    write(product / "models/register.sql", REGISTER)
    write(product / "models/_inputs.yml", INPUTS)
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    write(product / "data/accounts.csv", ROWS.format(at=f"{an_hour_ago:%Y-%m-%d %H:%M:%S}"))
    write(product / "data/register.csv", CUSTOMERS)
    return folder
