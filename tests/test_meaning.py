"""What a rule means: one meaning for one rule, whatever language it is written in, and what follows from what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import duckdb
import pytest
from builders import PROPERTY, a_rule
from hypothesis import given
from hypothesis import strategies as st

from factory.contract import Rule
from factory.contract.meaning import NONE, Meaning, compared, meaning_of
from factory.quality import Outcome
from factory.quality.odcs import run_rules


def of_contract(column: str = "", **definition: Any) -> Rule:
    return a_rule(definition=definition, column=column)


def sodacl(check: str, **changes: Any) -> Rule:
    return a_rule(definition=f"checks for Orders:\n- {check}\n", origin="soda", **changes)


def dbt(kind: str, column: str = "", *, where: str = "", severity: str = "error", **arguments: Any) -> Rule:
    definition: dict[str, Any] = {"test": kind, "name": kind}
    thresholds = arguments.pop("thresholds", None)
    definition |= {"arguments": arguments} if arguments else {}
    definition |= {"where": where} if where else {}
    definition |= {"thresholds": thresholds} if thresholds else {}
    return a_rule(kind=kind, definition=definition, origin="dbt", column=column, severity=severity)


def meant(rule: Rule) -> Meaning:
    found = meaning_of(rule)
    assert found is not None, rule.definition
    return found


NO_NULLS = [
    of_contract("Amount", metric="nullValues", mustBe=0, unit="rows"),
    of_contract("amount", rule="nullValues", mustBeLessThan=1),
    of_contract("amount", metric="nullValues", mustBeLessOrEqualTo=0, unit="percent"),
    of_contract("amount", metric="missingValues", mustBe=0),
    of_contract(
        "amount", type="sql", query="SELECT count(*) FROM {object} WHERE {property} IS NULL", mustBe=0
    ),
    of_contract("amount", type="sql", query="select count(1) from orders where (amount is null)", mustBe=0),
    of_contract("amount", type="custom", engine="soda", implementation="missing_count(amount) = 0"),
    of_contract("amount", type="custom", engine="dbt", implementation={"test": "not_null", "name": "x"}),
    dbt("not_null", "amount"),
    dbt("dbt_expectations.expect_column_values_to_not_be_null", "amount"),
    dbt("not_null", "amount", severity="warn"),
    sodacl("missing_count(amount) = 0"),
    sodacl('missing_count("AMOUNT") < 1:\n    name: All amounts are there'),
    sodacl("missing_count(amount):\n    fail: when > 0"),
    sodacl("failed rows:\n    fail condition: amount IS NULL"),
]
SAME = [
    NO_NULLS,
    [
        of_contract(metric="rowCount", mustBeBetween=[9, 101]),
        of_contract(metric="rowCount", mustBeGreaterThan=9, mustBeLessOrEqualTo=100),
        dbt("dbt_expectations.expect_table_row_count_to_be_between", min_value=10, max_value=100),
        sodacl("row_count between 10 and 100"),
        sodacl("row_count between (9 and 100]"),
        sodacl("row_count:\n    warn: when not between 10 and 100"),
    ],
    [
        of_contract("id", metric="duplicateValues", mustBe=0),
        dbt("unique", "id"),
        sodacl("duplicate_count(id) = 0"),
        of_contract(metric="duplicateValues", arguments={"properties": ["ID"]}, mustBeLessThan=1),
    ],
    [
        of_contract(metric="duplicateValues", arguments={"properties": ["b", "a"]}, mustBe=0),
        dbt("dbt_utils.unique_combination_of_columns", combination_of_columns=["a", "b"]),
        sodacl("duplicate_count(a, b) = 0"),
    ],
    [
        of_contract("s", metric="invalidValues", arguments={"validValues": [2, 1]}, mustBe=0),
        dbt("accepted_values", "s", values=["1", "2"]),
        sodacl("invalid_count(s) = 0:\n    valid values: [1, 2]"),
    ],
    [
        of_contract("s", metric="invalidValues", arguments={"pattern": "[a-z]{2}"}, mustBe=0),
        sodacl("invalid_count(s) = 0:\n    valid regex: ^[a-z]{2}$"),
    ],
    [
        dbt("dbt_utils.accepted_range", "x", min_value=0, max_value=10),
        dbt("dbt_expectations.expect_column_values_to_be_between", "x", min_value=0, max_value=10),
        sodacl("invalid_count(x) = 0:\n    valid min: 0\n    valid max: 10"),
        of_contract("x", type="sql", query="select count(*) from {table} where {column} < 0 or {column} > 10", mustBe=0),
        sodacl("failed rows:\n    fail condition: x not between 0 and 10"),
    ],
    [
        dbt("dbt_expectations.expect_column_value_lengths_to_be_between", "s", min_value=2, max_value=2),
        sodacl("invalid_count(s) = 0:\n    valid length: 2"),
        sodacl("invalid_count(s) < 1:\n    valid min length: 2\n    valid max length: 2"),
    ],
    [
        dbt("relationships", "customer_id", to="ref('customers')", field="id"),
        sodacl("values in (customer_id) must exist in customers (id)"),
    ],
    [
        dbt("not_null", "amount", where="status = 'paid'"),
        sodacl("missing_count(amount) = 0:\n    filter: STATUS = 'paid'"),
    ],
    [
        of_contract("amount", metric="nullValues", mustBeLessOrEqualTo=5),
        dbt("not_null", "amount", thresholds={"error_if": "> 5"}),
        sodacl("missing_count(amount) <= 5"),
    ],
    [
        of_contract(type="sql", query="select count(*) from {object} where not (a > b)", mustBe=0),
        dbt("dbt_utils.expression_is_true", expression="a > b"),
        sodacl("failed rows:\n    fail condition: not (a > b)"),
    ],
    [sodacl("avg(x) > 1"), sodacl("avg(x):\n    fail: when <= 1")],
]  # fmt: skip


@pytest.mark.parametrize("rules", SAME, ids=lambda rules: rules[0].kind)
def test_one_rule_in_several_languages_has_one_meaning(rules: list[Rule]) -> None:
    assert len({meant(rule) for rule in rules}) == 1
    assert all(compared(meant(rules[0]), meant(rule)) == "same" for rule in rules)


def test_rules_of_different_kinds_have_nothing_to_do_with_each_other() -> None:
    groups = [meant(rules[0]) for rules in SAME]
    related = {
        (one, other)
        for one in range(len(groups))
        for other in range(len(groups))
        if one != other and compared(groups[one], groups[other])
    }
    # No nulls at all is no nulls among the paid, and not more than five.
    assert related == {(0, 9), (9, 0), (0, 10), (10, 0)}


@pytest.mark.parametrize(
    ("strict", "loose"),
    [
        (NO_NULLS[0], of_contract("amount", metric="nullValues", mustBeLessThan=5, unit="percent")),
        (NO_NULLS[0], sodacl("missing_percent(amount) < 5")),
        (NO_NULLS[0], sodacl("missing_count(amount) < 3:\n    filter: id > 7")),
        (sodacl("missing_count(amount) < 3"), sodacl("missing_count(amount) < 5:\n    filter: id > 7")),
        (sodacl("row_count between 10 and 20"), sodacl("row_count > 0")),
        (sodacl("min(x) >= 0"), sodacl("invalid_count(x) = 0:\n    valid min: 0")),
        (sodacl("max(x) < 5"), dbt("dbt_utils.accepted_range", "x", max_value=5)),
        (sodacl("min_length(s) >= 2"), sodacl("invalid_count(s) = 0:\n    valid min length: 1")),
        (dbt("accepted_values", "s", values=["a"]), dbt("accepted_values", "s", values=["a", "b"])),
        (sodacl("missing_count(s) = 0:\n    missing values: [N/A]"), dbt("not_null", "s")),
        (dbt("unique", "a"), sodacl("duplicate_count(a, b) = 0")),
        (dbt("dbt_utils.accepted_range", "x", min_value=1, max_value=5),
         sodacl("invalid_count(x) = 0:\n    valid min: 1")),
        (sodacl("invalid_count(s) = 0:\n    valid values: [a]\n    valid length: 1"),
         dbt("accepted_values", "s", values=["a", "b"])),
        (of_contract("s", metric="missingValues", arguments={"missingValues": ["", None]}, mustBe=0),
         of_contract("s", metric="missingValues", arguments={"missingValues": [""]}, mustBeLessThan=9)),
    ],
)  # fmt: skip
def test_what_follows_from_a_stricter_rule_is_seen(strict: Rule, loose: Rule) -> None:
    assert compared(meant(strict), meant(loose)) == "stricter"
    assert compared(meant(loose), meant(strict)) == "looser"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (NO_NULLS[0], of_contract("price", metric="nullValues", mustBe=0)),
        (NO_NULLS[0], replace(NO_NULLS[0], table="lines")),
        (sodacl("min(x) >= 0"), sodacl("max(x) <= 5")),
        (sodacl("row_count > 5"), sodacl("row_count < 9")),
        (sodacl("missing_percent(amount) < 5"), sodacl("missing_percent(amount) < 3:\n    filter: id > 7")),
        (sodacl("missing_percent(x) < 5"), sodacl("missing_count(x) < 5")),
        # Soda counts the values that repeat, the standard their rows.
        (sodacl("duplicate_count(id) < 3"), of_contract("id", metric="duplicateValues", mustBeLessThan=3)),
        # A search is not the whole value.
        (sodacl("invalid_count(s) = 0:\n    valid regex: '[a-z]'"),
         of_contract("s", metric="invalidValues", arguments={"pattern": "[a-z]"}, mustBe=0)),
        (sodacl("invalid_count(s) = 0:\n    valid regex: ^a|b$"),
         of_contract("s", metric="invalidValues", arguments={"pattern": "a|b"}, mustBe=0)),
    ],
)  # fmt: skip
def test_what_is_not_the_same_is_kept_apart(one: Rule, other: Rule) -> None:
    assert compared(meant(one), meant(other)) == ""


@pytest.mark.parametrize(
    "rule",
    [
        of_contract("x", metric="nullValues"),
        of_contract("x", metric="nullValues", mustBe="none"),
        of_contract(metric="nullValues", mustBe=0),
        of_contract("x", metric="invalidValues", mustBe=0),
        of_contract("x", metric="freshness", mustBe=0),
        of_contract(type="text", description="All is well"),
        of_contract(type="sql", query="select max(x) from {object}", mustBe=0),
        of_contract(type="sql", query="select count(*) from {object} where a = 1 limit 1", mustBe=0),
        of_contract(type="custom", engine="monte carlo", implementation="x"),
        replace(of_contract("x", metric="nullValues", mustBe=0), table=""),
        replace(of_contract("x", metric="nullValues", mustBe=0), origin="contract"),
        dbt("singular"),
        dbt("not_null", "x", row_condition="a = 1"),
        dbt("unique", "x", thresholds={"error_if": "> 5"}),
        dbt("dbt_utils.accepted_range", "x", min_value="(select 1)", max_value=4),
        dbt("relationships", "x", to="ref('a', v=2)", field="id"),
        sodacl("missing_count(x) = 0:\n    missing regex: N/A"),
        sodacl("missing_count(x):\n    warn: when > 1\n    fail: when > 5"),
        sodacl("change for row_count > 5"),
        sodacl("row_count same as lines"),
        sodacl("freshness(at) < 1d"),
        sodacl("missing_count(x) = ${most}"),
        sodacl("failed rows:\n    fail query: select 1"),
        sodacl("own = 1:\n    own expression: sum(x)"),
        sodacl("schema:\n    fail:\n      when required column missing: [a]"),
        sodacl("[unclosed"),
        a_rule(origin="soda", definition="checks for orders [daily]:\n- row_count > 0\n"),
    ],
    ids=lambda rule: str(rule.definition)[:50],
)
def test_a_rule_that_is_not_understood_exactly_has_no_meaning(rule: Rule) -> None:
    assert meaning_of(rule) is None


def test_a_meaning_tells_what_is_measured_and_what_is_accepted() -> None:
    assert meant(sodacl("missing_count(Amount) = 0")) == Meaning(
        "orders", ("amount",), "nullValues", accepted=NONE
    )


# What is said of two rules holds of data

TABLE = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.sampled_from([None, "a", "b", "cc"])), max_size=6
)
LIMITS = st.one_of(
    st.builds(
        lambda name, n: {name: n},
        st.sampled_from(
            ["mustBe", "mustNotBe", "mustBeLessThan", "mustBeLessOrEqualTo", "mustBeGreaterThan"]
        ),
        st.integers(0, 4),
    ),
    st.builds(lambda a, b: {"mustBeBetween": [a, b]}, st.integers(0, 3), st.integers(0, 4)),
)
RULES = st.builds(
    lambda measure, limits, unit: of_contract(
        measure[0], **measure[1], **limits, **({} if measure[1]["metric"] == "rowCount" else {"unit": unit})
    ),
    st.sampled_from(
        [
            ("", {"metric": "rowCount"}),
            ("n", {"metric": "nullValues"}),
            ("n", {"metric": "duplicateValues"}),
            ("", {"metric": "duplicateValues", "arguments": {"properties": ["n", "s"]}}),
            ("s", {"metric": "missingValues", "arguments": {"missingValues": ["a", None]}}),
            ("s", {"metric": "missingValues", "arguments": {"missingValues": ["a"]}}),
            ("s", {"metric": "invalidValues", "arguments": {"validValues": ["a", "b"]}}),
            ("s", {"metric": "invalidValues", "arguments": {"validValues": ["a"]}}),
            ("s", {"metric": "invalidValues", "arguments": {"validValues": ["a"], "pattern": "."}}),
        ]
    ),
    LIMITS,
    st.sampled_from(["rows", "percent"]),
)


@pytest.fixture(scope="module")
def database() -> Iterator[Any]:
    with duckdb.connect() as connection:
        yield connection


@PROPERTY
@given(rows=TABLE, one=RULES, other=RULES)
def test_a_rule_that_follows_from_another_holds_wherever_that_does(
    database: Any, rows: list[Any], one: Rule, other: Rule
) -> None:
    relation = compared(meant(one), meant(other))
    database.execute("create or replace table orders (n integer, s varchar)")
    if rows:
        database.executemany("insert into orders values (?, ?)", rows)
    verdicts = [run_rules([rule], database)[0].outcome is Outcome.PASS for rule in (one, other)]
    if relation == "same":
        assert verdicts[0] == verdicts[1]
    elif relation == "stricter":
        assert verdicts[1] or not verdicts[0]
    elif relation == "looser":
        assert verdicts[0] or not verdicts[1]
