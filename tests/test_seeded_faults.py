"""Seeded faults: one defect per example of the requirements, each caught by a check of its own dimension.

The example products are copied, published as they are, and then harmed as a publisher or an upstream system would
do it: in the raw files, or in the SQL that takes data over. Several defects share a build where each has a check of
its own to say it. What the example data has nothing of (currencies, dates of birth, cards, shares) is in a small
product with its own register of customers.
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from accounts import make_accounts
from examples import build
from filelock import FileLock
from mesh import replace
from test_reproducible import published

from factory.dimensions import DIMENSIONS

LINES = "shop_orders/data/online_retail.parquet"
PLACES = "places/data/places.csv"
US_PLACES = "places/data/geonames_us_places.csv"
DAYS = "temperature/data/uscrn_temperature_daily.parquet"
AIR = "nyc_air_quality/data/nyc_air_quality_to_2023.csv"
ACCOUNTS = "accounts/data/accounts.csv"
#: SQL, or a text and what takes its place.
Change = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """One defect, and the check that says it.

    Attributes:
        requirement: the requirement whose example it is.
        words: the defect in words.
        delivery: faults of one delivery are built together.
        file: the file that is harmed, from the products' folder; its first part is the product.
        change: SQL over the table `delivered`, which is the file; or a text of the file, and what takes its place.
        check: name of the check that must say it, and its column where the name is there twice.
        dimension: of the check.
        reason: a part of what the check says, which tells this defect from any other.
        also: other checks that must say something, since the defect is one for them, too.
    """

    requirement: str
    words: str
    delivery: str
    file: str
    change: Change
    check: str
    dimension: str
    reason: str
    column: str = ""
    also: tuple[str, ...] = ()

    @property
    def product(self) -> str:
        """The product that gets the defect."""
        return self.file.split("/", 1)[0]

    def __str__(self) -> str:
        """Name the case."""
        return f"{self.requirement}: {self.words}"


# What is wrong with single rows: everything is built, and the checks say which promise does not hold.
ROWS = (
    Fault(
        "DQ-10", "customer 17850 recorded as 18750, digits swapped", "rows", LINES,
        "update delivered set customer_id = 18750 where line_no = 2",
        "The lines of an invoice name one customer", "accuracy", "measured 1",
    ),
    Fault(
        "DQ-10", "the address of a real place, but another one's", "rows", PLACES,
        "update delivered set geonameid = '5392171' where place_id = 'san-francisco-ca'",
        "A place lies where GeoNames puts it", "accuracy", "measured 1",
    ),
    Fault(
        "DQ-10", "a month of fractional values rounded to whole degrees", "rows", DAYS,
        "update delivered set t_daily_mean = round(t_daily_mean)"
        " where wbanno = '53927' and lst_date between date '2015-06-01' and date '2015-06-30'",
        "The mean of a measured day is halfway between minimum and maximum, to the tenth", "accuracy",
        "measured 24",
    ),
    Fault(
        "DQ-10", "a value a hundred times too large", "rows", AIR,
        """update delivered set "Data Value" = '3436.59895' where "Unique ID" = '878218'""",
        "RangeCheck", "accuracy", "1", column="DataValue",
    ),
    Fault(
        "DQ-12", "an identifier of four characters where five are promised", "rows", LINES,
        "update delivered set customer_id = 1304 where invoice_no = '536369'",
        "A customer number has five digits", "conformity", "measured 1",
    ),
    Fault(
        "DQ-12", "an identifier that lost its leading zero", "rows", PLACES,
        "update delivered set weather_station_id = '3728' where place_id = 'charleston-sc'",
        "A station id has the form of its network", "conformity", "measured 1",
    ),
    Fault(
        "DQ-12", "a type that is not in the governed list: office", "rows", PLACES,
        "update delivered set place_type = 'office' where place_id = 'tucson-az'",
        "accepted_values_places_place_type__coastal__inland", "conformity", "1 result",
    ),
    Fault(
        "DQ-12", "text that is not what it should be: a weekday for a time zone", "rows", PLACES,
        "update delivered set timezone = 'Tuesday' where place_id = 'austin-tx'",
        "A time zone has the form of the IANA names", "conformity", "measured 1",
    ),
    Fault(
        "DQ-12", "a code of ISO 3166 that does not exist", "rows", US_PLACES,
        "update delivered set state = 'XX' where geonameid = '4046255'",
        "A state of the list is one of ISO 3166-2, or the District of Columbia", "conformity", "measured 1",
    ),
    Fault(
        "DQ-12", "a country that does not exist", "rows", LINES,
        "update delivered set country = 'Atlantis' where invoice_no = '536371'",
        "A country that is known lies in a sales region", "conformity", "measured 1",
    ),
    Fault(
        "DQ-13", "country codes of two and of three letters mixed with names", "rows", LINES,
        "update delivered set country = case line_no when 6365 then 'IE' else 'IRL' end"
        " where line_no in (6365, 6366)",
        "The lines of an invoice write one country in one way", "consistency", "measured 1",
    ),
    Fault(
        "DQ-13", "06/01/2023 written as 01/06/2023", "rows", AIR,
        """update delivered set "Start_Date" = '01/06/2023' where "Unique ID" in ('878245', '876975')""",
        "A summer starts in June and a winter in December", "consistency", "measured 2",
    ),
    Fault(
        "DQ-14", "a replica that lacks a row of its source", "rows",
        "nyc_air_quality/models/marts/air_quality.sql",
        ("where ranked.recency = 1", "where ranked.recency = 1 and ranked.UniqueID not in (172653, 172585)"),
        "nyc_air_quality_nothing_lost", "coverage", "results",
    ),
    Fault(
        "DQ-16", "one place under two ids and two spellings", "rows", PLACES,
        "update delivered set place_id = 'charlston-sc', place_name = 'Charlston', state = 'SC',"
        " geonameid = '4589387', latitude = '32.85462', longitude = '-79.97481' where place_id = 'naples-fl'",
        "No place is there twice under another id and spelling", "uniqueness", "measured 1",
    ),
)  # fmt: skip

# What must not even get in: the product's models are not built from it.
INTAKE = (
    Fault(
        "DQ-11", "a line without its invoice number", "intake", LINES,
        "update delivered set invoice_no = null where line_no = 2",
        "source_not_null_shop_orders_raw_online_retail_invoice_no", "completeness", "1 result",
    ),
    Fault(
        "DQ-11", "records with missing attributes: an article", "intake", LINES,
        "update delivered set stock_code = null where line_no in (3, 4)",
        "source_not_null_shop_orders_raw_online_retail_stock_code", "completeness", "2 results",
    ),
    Fault(
        "DQ-11", "records with missing attributes: a quantity", "intake", LINES,
        "update delivered set quantity = null where line_no in (4, 5, 6)",
        "source_not_null_shop_orders_raw_online_retail_quantity", "completeness", "3 results",
    ),
    Fault(
        "DQ-11", "a missing month", "intake", "sea_level/data/psmsl_rlr_monthly_us.csv",
        "update delivered set month = null where psmsl_id = '10' and year = '1990' and month = '5'",
        "source_not_null_sea_level_raw_psmsl_rlr_monthly_us_month", "completeness", "1 result",
    ),
    Fault(
        "DQ-11", "a row without its primary key", "intake", PLACES,
        "update delivered set place_id = null where place_id = 'austin-tx'",
        "not_null_stg_places_place_id", "completeness", "1 result",
    ),
    Fault(
        "DQ-12", "a temperature that contains letters", "intake", "temperature/data/gsom_central_park_monthly.csv",
        """update delivered set "TMAX" = '4.17 C' where "DATE" = '1869-01'""",
        "temperature_monthly_values_are_numbers", "conformity", "1 result",
    ),
    Fault(
        "DQ-13", "dates of two formats in one feed", "intake", AIR,
        """update delivered set "Start_Date" = '2023-06-01' where "Unique ID" in ('878218', '878245')""",
        "nyc_air_quality_dates_have_one_format", "consistency", "2 results",
    ),
    Fault(
        "DQ-13", "names cut to 32 characters", "intake", AIR,
        """update delivered set "Geo Place Name" = left("Geo Place Name", 32)""",
        "nyc_air_quality_areas_keep_their_names", "consistency", "26 results",
    ),
    Fault(
        "DQ-15", "a file that ends a week before the day it is of", "intake", DAYS,
        "delete from delivered where wbanno = '63856' and lst_date > date '2024-03-31'",
        "temperature_reaches_the_last_day", "timeliness", "1 result",
    ),
    Fault(
        "DQ-16", "exact duplicates", "intake", LINES,
        "insert into delivered from delivered where line_no in (10, 11, 12, 13)",
        "source_unique_shop_orders_raw_online_retail_line_no", "uniqueness", "4 results",
    ),
    Fault(
        "DQ-16", "exact duplicates of what people enter by hand", "intake", PLACES,
        "insert into delivered from delivered where place_id = 'tucson-az'",
        "unique_stg_places_place_id", "uniqueness", "1 result",
    ),
    Fault(
        "DQ-16", "one record in two kinds", "intake", AIR,
        """insert into delivered (select * replace ('Borough' as "Geo Type Name", '1' as "Geo Join ID",
        'Bronx' as "Geo Place Name") from delivered where "Unique ID" = '877032')""",
        "source_unique_nyc_air_quality_raw_release_2023__Unique_ID_", "uniqueness", "1 result",
    ),
)  # fmt: skip

AMOUNTS = """\
    orders.charged_amount_gbp,
    orders.returned_amount_gbp,
    orders.net_amount_gbp
"""
AMOUNTS_WITH_TAX = """\
    1.2 * orders.charged_amount_gbp as charged_amount_gbp,
    orders.returned_amount_gbp,
    1.2 * orders.charged_amount_gbp + orders.returned_amount_gbp as net_amount_gbp
"""

# What a consumer gets wrong on its side, over the port that shop_orders has published.
CONSUMER = (
    Fault(
        "DQ-13", "revenue with tax here, without tax there", "consumer",
        "customer_360/models/staging/stg_customer_360__orders.sql",
        (AMOUNTS, AMOUNTS_WITH_TAX),
        "customer_360_reconciles_with_orders", "consistency", "results",
    ),
    Fault(
        "DQ-14", "a customer of the shop who is not there", "consumer",
        "customer_360/models/staging/stg_customer_360__order_lines.sql",
        ("as order_lines\n", "as order_lines\nwhere order_lines.customer_id <> '12347'\n"),
        "customer_360_has_every_customer", "coverage", "1 result",
        also=("customer_360_agrees_on_sales_regions",),
    ),
    Fault(
        "DQ-15", "a rating that was not updated the same day", "consumer",
        "customer_360/models/intermediate/int_customer_360__order_history.sql",
        ("    reference.reference_date,\n", "    reference.reference_date - 1 as reference_date,\n"),
        "customer_360_is_of_the_newest_order_day", "timeliness", "1 result",
        also=("The first order is not after the last, the last not after the reference date",),
    ),
)  # fmt: skip

# What the example data has nothing of.
REGISTER = (
    Fault(
        "DQ-10", "customer 10024 recorded as 10042, whom the register does not know", "accounts", ACCOUNTS,
        "update delivered set customer = '10042' where account_id = 'A0001'",
        "relationships_accounts_customer__customer__ref_register_", "accuracy", "1 result",
    ),
    Fault(
        "DQ-10", "a valid address, but not theirs", "accounts", ACCOUNTS,
        "update delivered set city = 'Delft' where account_id = 'A0002'",
        "An address is the one in the register", "accuracy", "measured 1",
    ),
    Fault(
        "DQ-11", "a card without the month in which it expires", "accounts", ACCOUNTS,
        "update delivered set expires_month = null where account_id in ('A0001', 'A0003')",
        "A card has the month in which it expires", "completeness", "measured 2",
    ),
    Fault(
        "DQ-12", "an identifier that must have five characters", "accounts", ACCOUNTS,
        "update delivered set account_id = 'A004' where account_id = 'A0004'",
        "An account number has five characters", "conformity", "measured 1",
    ),
    Fault(
        "DQ-12", "a code that is no country of ISO 3166", "accounts", ACCOUNTS,
        "update delivered set country = 'UK' where account_id in ('A0002', 'A0003')",
        "standards_iso_country_accounts_country", "conformity", "2 results",
    ),
    Fault(
        "DQ-12", "a code that is no currency of ISO 4217", "accounts", ACCOUNTS,
        "update delivered set currency = 'EURO' where account_id = 'A0002'",
        "standards_iso_currency_accounts_currency", "conformity", "1 result",
    ),
    Fault(
        "DQ-13", "10/05/1971 in one system, 05/10/1971 in the other", "accounts", ACCOUNTS,
        "update delivered set born = '05/10/1971' where account_id = 'A0002'",
        "A date of birth is the one in the register", "consistency", "measured 1",
    ),
    Fault(
        "DQ-16", "the same customer under two numbers and two spellings", "accounts", "accounts/data/register.csv",
        "insert into delivered values ('10077', 'Jonathan Smyth', 'Leiden', '01/31/1980')",
        "A customer is there once, however the name is spelled", "uniqueness", "measured 1",
    ),
    Fault(
        "DQ-16", "a share recorded as both equity and debt", "accounts", ACCOUNTS,
        "update delivered set kind = 'debt' where account_id = 'A0001'",
        "A share is equity or debt, not both", "uniqueness", "measured 1",
    ),
)  # fmt: skip

# The file of the day comes at six in the morning. Seen by SodaCL, which asks how old the newest row is.
LATE = Fault(
    "DQ-15", "the file of the day has not come", "accounts", ACCOUNTS,
    "update delivered set loaded_at = strftime(cast(loaded_at as timestamp) - interval 26 hours, '%Y-%m-%d %H:%M:%S')",
    "The file of the day is there", "timeliness", "",
)  # fmt: skip

FAULTS = (*ROWS, *INTAKE, *CONSUMER, *REGISTER)
EVERY_FAULT = (*FAULTS, LATE)
#: What the published data itself is warned of.
WARNINGS = {"nyc_air_quality_unit_change", "Stations that lend each other rain agree (Asheville does not)"}
#: What differs in form from what was declared is told before anything is built, and has no check of its own.
SHAPES = (
    ("DQ-13", "numbers as characters", "alter table delivered alter quantity type varchar", "quantity"),
    ("DQ-14", "a replica that lacks a column", "alter table delivered drop column country", "country"),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a delivery.

    Attributes:
        outcomes: outcome and reasons by product, as `factory build` tells them.
        checks: by product, the checks of the run's record.
        before: by product, those of the unharmed copy.
        kept: what was published is what was published before, to the byte.
    """

    outcomes: dict[str, dict[str, Any]]
    checks: dict[str, list[dict[str, Any]]]
    before: dict[str, list[dict[str, Any]]]
    kept: bool

    def said(self, product: str) -> list[dict[str, Any]]:
        """Return the checks of a product that say something which they did not say of the unharmed copy."""
        before = {check["key"]: check["outcome"] for check in self.before[product]}
        checks = self.checks[product]
        return [c for c in checks if c["outcome"] in ("fail", "warn") and c["outcome"] != before[c["key"]]]


Judge = Callable[[str], Judged]


@pytest.fixture(scope="session")
def judge(common: Path, request: pytest.FixtureRequest) -> Judge:
    """Build a delivery, once for all workers, and give back what came of it."""

    def judge(delivery: str) -> Judged:
        root = common / f"faults-{delivery}"
        if delivery != "accounts":
            request.getfixturevalue("example")
        with FileLock(f"{root}.lock"):
            file = common / f"faults-{delivery}.json"
            if not file.is_file():
                file.write_text(json.dumps(asdict(deliver(delivery, root, common))), "utf-8")
            return Judged(**json.loads(file.read_bytes()))

    return judge


def deliver(delivery: str, root: Path, common: Path) -> Judged:
    """Harm a copy with the faults of a delivery, build what is harmed, and compare with before."""
    shutil.rmtree(root, ignore_errors=True)  # of a worker that failed
    if delivery == "accounts":
        build(make_accounts(root))
    else:
        shutil.copytree(common / "example-mesh-untouched", root, symlinks=True)
    changes: list[tuple[str, Change]] = [(LINES, shape[2]) for shape in SHAPES if delivery == "shapes"]
    changes += [(fault.file, fault.change) for fault in EVERY_FAULT if fault.delivery == delivery]
    products = sorted({file.split("/", 1)[0] for file, _ in changes})
    before, files = {name: last_checks(root, name) for name in products}, published(root)
    harm(root / "products", changes)
    run = build(root, *products, code=1)
    after = {name: last_checks(root, name) for name in products}
    outcomes = {product["name"]: product for product in run["products"]}
    return Judged(outcomes, after, before, published(root) == files)


def harm(products: Path, changes: Iterable[tuple[str, Change]]) -> None:
    """Make the changes: texts are replaced at once, data files are written once."""
    by_file = defaultdict(list)
    for file, change in changes:
        if isinstance(change, tuple):
            replace(products / file, *change)
        else:
            by_file[file].append(change)
    for file, statements in by_file.items():
        rewrite(products / file, statements)


def rewrite(file: Path, statements: list[str]) -> None:
    """Change a data file by SQL over the table `delivered`; every statement changes something."""
    csv = file.suffix == ".csv"
    with duckdb.connect() as connection:
        read = "read_csv($file, header = true, all_varchar = true)" if csv else "read_parquet($file)"
        connection.execute(f"create table delivered as select * from {read}", {"file": str(file)})
        for statement in statements:
            changed = connection.execute(statement).fetchall()
            assert statement.startswith("alter") or changed[0][0] > 0, statement
        connection.execute(f"copy delivered to '{file}' (format {'csv, header' if csv else 'parquet'})")


def last_checks(root: Path, product: str) -> list[dict[str, Any]]:
    """Return the checks of the newest run of a product."""
    files = (root / "registry/runs").glob(f"*/{product}/*.json")
    newest = max((json.loads(file.read_bytes()) for file in files), key=when)
    checks: list[dict[str, Any]] = newest["checks"]
    return checks


def when(record: dict[str, Any]) -> tuple[str, bool]:
    """Two runs can fall into one second; then the refused one came last."""
    return record["at"], record["outcome"] != "certified"


def test_every_dimension_has_a_defect_that_is_caught() -> None:
    assert {fault.dimension for fault in EVERY_FAULT} == set(DIMENSIONS)
    requirements = {fault.requirement for fault in EVERY_FAULT}
    assert requirements == {f"DQ-{number}" for number in range(10, 17)}


def assert_caught(fault: Fault, judged: Judged) -> None:
    """The defect's own check says it, in its dimension, and the product is refused; what was published stays."""
    product = judged.outcomes[fault.product]
    assert product["outcome"] == "refused", product
    found = [c for c in judged.said(fault.product) if c["name"] == fault.check]
    (check,) = [c for c in found if fault.column in ("", c["column"])]
    assert (check["outcome"], check["dimension"], check["severity"]) == ("fail", fault.dimension, "error")
    assert fault.reason in check["reason"], check["reason"]
    assert any(fault.check in reason for reason in product["reasons"]), product["reasons"]
    assert judged.kept


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_each_defect_is_caught_by_its_own_check(fault: Fault, judge: Judge) -> None:
    assert_caught(fault, judge(fault.delivery))


def test_a_file_that_has_not_come_is_noticed(judge: Judge) -> None:
    assert_caught(LATE, judge(LATE.delivery))


@pytest.mark.parametrize("delivery", sorted({fault.delivery for fault in EVERY_FAULT}))
def test_no_other_check_says_anything(delivery: str, judge: Judge) -> None:
    judged = judge(delivery)
    expected: defaultdict[str, set[str]] = defaultdict(set)
    for fault in EVERY_FAULT:
        if fault.delivery == delivery:
            expected[fault.product] |= {fault.check, *fault.also}
    for product, names in expected.items():
        assert {check["name"] for check in judged.said(product)} == names, product
        # What could not run is only what reads that which was refused at the door; it is never a pass.
        if delivery != "intake":
            outcomes = {check["outcome"] for check in judged.checks[product]}
            assert outcomes <= {"pass", "warn", "fail"}, product


def test_the_unharmed_copies_are_green(example: Path, judge: Judge) -> None:
    run = json.loads((example / "run.json").read_bytes())
    assert {product["outcome"] for product in run["products"]} == {"certified"}
    for product in run["products"]:
        checks = last_checks(example, product["name"])
        assert checks
        assert {check["name"] for check in checks if check["outcome"] != "pass"} <= WARNINGS
    assert {check["outcome"] for check in judge("accounts").before["accounts"]} == {"pass"}


@pytest.mark.parametrize(("requirement", "words", "change", "column"), SHAPES)
def test_another_shape_is_told_before_anything_is_built(
    requirement: str, words: str, change: str, column: str, judge: Judge
) -> None:
    judged = judge("shapes")
    product = judged.outcomes["shop_orders"]
    assert product["outcome"] == "refused"
    assert any(f"`{column}`" in reason for reason in product["reasons"]), product["reasons"]
    assert judged.kept
