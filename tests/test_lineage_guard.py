"""What lineage relies on in sqlglot, and how it bounds what it cannot do: names of attributes, sizes, depth."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from builders import PROPERTY
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

import factory.lineage
from factory.lineage.graph import Statement, Table
from factory.lineage.task import Task, answer, decode

STATEMENTS = tuple(
    block.partition("\n-- expect\n")[0].partition("\n")[2]
    for file in sorted((Path(__file__).parent / "cases/lineage/dialects").glob("*.sql"))
    for block in file.read_text("utf-8").strip().split("\n\n")
)
CODE = "\n".join(file.read_text("utf-8") for file in Path(factory.lineage.__file__).parent.glob("*.py"))
WIDE = Table("model.p.t", tuple(f"c{number}" for number in range(2000)))


def read(sql: str, table: Table = WIDE) -> Statement:
    return decode(answer(Task(sql, "duckdb", ((("", "", "t"), table),), (), (), ())))


def sources(found: Statement, place: int = 0) -> list[str]:
    return [source.column for source in found.columns[place].sources]


def test_every_part_of_a_statement_that_is_asked_for_is_there() -> None:
    """A part that sqlglot calls otherwise in a new release would be missed without a word."""
    asked = set(re.findall(r"args(?:\.get\(|\[)\"(\w+)\"", CODE)) | set(
        re.findall(r"args\.get\(clause\)", CODE)
    )
    asked -= {"args.get(clause)", "this", "expression"}
    asked |= {"where", "prewhere", "having", "qualify", "group", "connect", "order", "sort"}
    known = {key for kind in vars(exp).values() if isinstance(kind, type) and issubclass(kind, exp.Expression)
             for key in kind.arg_types}  # fmt: skip
    assert len(asked) > 30
    assert asked - known == set()
    for kind, parts in {
        exp.Select: {
            "with_",
            "from_",
            "joins",
            "where",
            "group",
            "having",
            "qualify",
            "order",
            "distinct",
            "windows",
        },
        exp.Join: {"on", "using", "kind", "method"},
        exp.Union: {"this", "expression", "by_name", "with_"},
        exp.Star: {"except_", "replace", "rename"},
    }.items():
        assert parts - set(kind.arg_types) == set()


def test_no_union_is_lost() -> None:
    found = read(
        "with a as (select c1 as x from t union all select c2 from t) select x from a union select c3 from t"
    )
    assert sources(found) == ["c1", "c2", "c3"]


@pytest.mark.parametrize("steps", [200, 400])
def test_a_long_chain_of_ctes_is_followed(steps: int) -> None:
    ctes = [f"a{n} as (select * from {f'a{n - 1}' if n else 't'})" for n in range(steps)]
    for table in (Table("model.p.t", ("c1", "c2")), Table("model.p.t", ())):
        found = read(f"with {', '.join(ctes)} select c2 from a{steps - 1}", table)
        assert (found.error, sources(found)) == ("", ["c2"])


def test_a_wide_union_takes_time_by_its_width() -> None:
    listed = ", ".join(WIDE.columns)
    found = read(f"select {listed} from t union all select {listed} from t")
    assert len(found.columns) == 2000
    assert sources(found, 1999) == ["c1999"]


def test_a_case_of_a_thousand_branches_is_followed() -> None:
    found = read(
        f"select case {' '.join(f'when c{n} = 1 then c{n + 1}' for n in range(1000))} end as x from t"
    )
    assert len({source.column for source in found.columns[0].direct}) == 1000


@pytest.mark.parametrize(
    "sql",
    [
        "select " + "(" * 1500 + "c1" + ")" * 1500 + " as x from t",
        "select " + "abs(" * 1500 + "c1" + ")" * 1500 + " as x from t",
        "select * from (" * 300 + "select c1 from t" + ")" * 300,
        " union all ".join(["select c1 from t"] * 600),
        "select " + " + ".join(["c1"] * 1000) + " as x from t",
        "select c1 from t where c1 in (" + ", ".join(map(str, range(50_000))) + ")",
    ],
)
def test_deep_and_long_statements_are_followed(sql: str) -> None:
    found = read(sql)
    assert found.error == ""
    assert set(sources(found)) == {"c1"}


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select " + "(" * 60_000 + "c1" + ")" * 60_000 + " from t", "SQL nested too deeply to be read"),
        (" union all ".join(["select c1 from t"] * 3000), "2,999 set operations; 2,000 are followed at most"),
        (
            "select " + " + ".join(["c1"] * 20_000) + " from t",
            "SQL nested 20,002 deep; 6,000 are followed at most",
        ),
        ("select '" + "x" * 4_000_000 + "' as c1", "4,000,015 characters of SQL; 4,000,000 are read at most"),
        ("select c1 from t where", "SQL that sqlglot cannot read: "),
        ("select c1 from t; select c2 from t", "2 statements where there should be one"),
    ],
    ids=["deep", "branches", "terms", "long", "broken", "two"],
)
def test_what_is_beyond_the_bounds_is_said(sql: str, reason: str) -> None:
    assert read(sql).error.startswith(reason)


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("duckdb", "select r.c1 from t as r join t as r on true"),
        ("snowflake", "select object_construct('a', c1, , c2:x) from t"),
        ("clickhouse", "select * from values (1, 'a'), ()"),
        ("duckdb", "select c1->>, 1 from t"),
        ("bigquery", "select * from unnest("),
        ("spark", "select stack() as (a, b)"),
        ("tsql", "select top from t"),
        ("duckdb", "with recursive a as (select * from a) select * from a"),
        ("postgres", "select (select (select c1)) from t, lateral (select t.c2) as l"),
        ("duckdb", "select * from t pivot (for x in ())"),
        ("duckdb", "select #0, #-1, columns('('), columns('(a+)+$') from t"),
    ],
)
def test_whatever_a_statement_does_to_sqlglot_it_costs_only_itself(dialect: str, sql: str) -> None:
    found = decode(answer(Task(sql, dialect, ((("", "", "t"), WIDE),), (), ("c1",), ("hashed",))))
    assert isinstance(found, Statement)
    assert found.error or found.columns


@given(st.integers(0, 2**32))
@PROPERTY
def test_a_cut_and_shuffled_statement_is_a_statement_or_an_error(seed: int) -> None:
    chance = random.Random(seed)
    words = chance.choice(STATEMENTS).split()
    for _ in range(chance.randint(1, 4)):
        at, word = chance.randrange(len(words)), chance.choice(words)
        words[at : at + chance.randint(0, 1)] = [word] * chance.randint(0, 1) or [words[-1]]
    for dialect in ("duckdb", "snowflake", "bigquery"):
        assert isinstance(decode(answer(Task(" ".join(words), dialect, (), (), (), ()))), Statement)


def test_what_cannot_be_parsed_has_its_place() -> None:
    assert re.search(r"Line 3, Col: \d+", read("select c1\nfrom t\nwhere where").error)
