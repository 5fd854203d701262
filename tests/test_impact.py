"""`factory impact`: who is hit by a change of a column, in a real mesh that was built and published."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import Command
from manifests import a_manifest, write_json
from mesh import build_mesh, make_mesh, replace, write

from factory.artifacts import read_manifest
from factory.lineage import stitch, trace_graph
from factory.lineage.effects import Effect, Fate, effects_on
from factory.lineage.paths import Address, Paths
from factory.lineage.trace import named_columns

ORDERS = '"db"."shop"."orders"'


# What becomes of each use


def effects(tmp_path: Path, models: dict[str, str], column: str = "amount") -> dict[str, Effect]:
    """Return what becomes of each use of a column of `orders`, by model, column and kind."""
    everything = {"orders": "select 1 as id, 2 as amount, 'x' as state", **models}
    file = write_json(tmp_path / "manifest.json", a_manifest("shop", everything))
    graph = stitch([read_manifest(file)])
    lineage = trace_graph(graph)

    named = named_columns(graph, lineage)

    def names(model: str, address: Address) -> bool:
        found = named(model)
        return found is None or (address.relation, address.column.lower()) in found

    found = effects_on(Paths(graph, lineage), Address("model.shop.orders", column), names)
    return {f"{e.address.relation.rpartition('.')[2]}.{e.address.column} {e.kind}": e for e in found}


def fates(found: dict[str, Effect]) -> dict[str, tuple[str, str]]:
    return {name: (str(effect.removed), str(effect.retyped)) for name, effect in found.items()}


def test_a_model_that_names_the_column_breaks_and_one_with_a_star_follows(tmp_path: Path) -> None:
    found = effects(
        tmp_path,
        {
            "star": f"select * from {ORDERS}",
            "named": f"select id, amount as total from {ORDERS}",
            "behind_star": 'select amount * 2 as twice from "db"."shop"."star"',
            "behind_named": 'select total from "db"."shop"."named"',
        },
    )
    assert fates(found) == {
        "named.total IDENTITY": ("breaks", "changes with it"),
        "star.amount IDENTITY": ("changes with it", "changes with it"),
        "behind_named.total IDENTITY": ("gets no new data", "changes with it"),
        "behind_star.twice TRANSFORMATION": ("breaks", "may break"),
    }
    assert [effect.distance for effect in found.values()] == [1, 1, 2, 2]


def test_every_way_to_use_a_column_is_told(tmp_path: Path) -> None:
    sql = f"""select o.id, sum(o.amount) over (partition by o.state) as s,
              case when o.amount > 5 then 'high' end as level
              from {ORDERS} as o join {ORDERS} as p on o.amount = p.amount where o.amount > 1 order by o.amount"""
    found = effects(tmp_path, {"it": sql, "next": 'select level, s + 1 as more from "db"."shop"."it"'})
    assert list(found) == [
        "it. FILTER", "it. JOIN", "it. SORT", "it.level CONDITIONAL", "it.s AGGREGATION",
        "next.level CONDITIONAL", "next.more AGGREGATION",
    ]  # fmt: skip
    assert {fate for name, fate in fates(found).items() if name.startswith("it.")} == {
        ("breaks", "may break")
    }
    assert fates(found)["next.more AGGREGATION"] == ("gets no new data", "may break")


def test_what_is_not_named_is_unharmed(tmp_path: Path) -> None:
    assert effects(tmp_path, {"other": f"select id from {ORDERS} where state = 'x'"}) == {}


def test_a_column_that_is_made_of_and_decided_by_another_is_both(tmp_path: Path) -> None:
    sql = f"select case when amount > 1 then amount end as high from {ORDERS}"
    found = effects(tmp_path, {"it": sql, "next": 'select high from "db"."shop"."it"'})
    assert {name for name in found if name.startswith("next")} == {
        "next.high TRANSFORMATION",
        "next.high CONDITIONAL",
    }


def test_a_ring_of_models_ends(tmp_path: Path) -> None:
    models = {"a": f'select amount from {ORDERS} union all select amount from "db"."shop"."b"',
              "b": 'select amount from "db"."shop"."a"'}  # fmt: skip
    assert set(effects(tmp_path, models)) == {"a.amount IDENTITY", "b.amount IDENTITY"}
    assert Fate.BREAKS in {effect.removed for effect in effects(tmp_path, models).values()}


def test_the_worst_of_several_ways_counts(tmp_path: Path) -> None:
    models = {
        "named": f"select id, amount as am from {ORDERS}",
        "star": f"select * from {ORDERS}",
        "both": 'select a.am + z.amount as c from "db"."shop"."named" as a join "db"."shop"."star" as z on a.id = z.id',
        "far": 'select * from "db"."shop"."star"',
        "union_": 'select amount as d from "db"."shop"."far" union all select amount + 1 from "db"."shop"."star"',
    }
    found = fates(effects(tmp_path, models))
    assert found["both.c TRANSFORMATION"] == ("breaks", "may break")
    assert found["union_.d TRANSFORMATION"] == ("breaks", "may break")
    assert found["far.amount IDENTITY"] == ("changes with it", "changes with it")


@pytest.mark.parametrize(
    ("sql", "fate"),
    [
        (f"select * exclude (amount) from {ORDERS}", "breaks"),
        (f"select * rename (amount as total) from {ORDERS}", "breaks"),
        (f"select * replace (amount * 2 as amount) from {ORDERS}", "breaks"),
        (f"select id, row_number() over w as n from {ORDERS} window w as (order by amount)", "breaks"),
        (f"select * from {ORDERS} union all select 1, 2, 'x'", "breaks"),
        (f"select * from {ORDERS}", "changes with it"),
        (f"select * from {ORDERS} where id > 1", "changes with it"),
        (f"select from where {ORDERS}", "may break"),
        (
            f"select * from {ORDERS} match_recognize (order by id measures first(id) as f pattern (a))",
            "may break",
        ),
    ],
)
def test_what_a_removed_column_does_to_a_reader(tmp_path: Path, sql: str, fate: str) -> None:
    found = effects(tmp_path, {"it": sql})
    assert fate in {str(effect.removed) for effect in found.values()}


def test_a_star_in_a_model_that_promises_the_column_breaks(tmp_path: Path) -> None:
    columns = {"amount": {"name": "amount", "data_type": "integer"}}
    config = {"materialized": "table", "contract": {"enforced": True}}
    it = {"compiled_code": f"select * from {ORDERS}", "columns": columns, "config": config}
    assert fates(effects(tmp_path, {"it": it})) == {"it.amount IDENTITY": ("breaks", "breaks")}  # type: ignore[dict-item]


# In a mesh


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mesh that was built once, with an exposure; tests copy it before they change anything."""
    root = make_mesh(tmp_path_factory.mktemp("impact") / "mesh")
    write(
        root / "products/board/models/_exposures.yml",
        """\
        exposures:
          - name: revenue_wall
            type: dashboard
            owner: {name: Wall, email: wall@example.org}
            depends_on: [ref('board')]
        """,
    )
    return build_mesh(root)


@pytest.fixture
def mesh(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "mesh"
    shutil.copytree(published, copy, symlinks=True)
    monkeypatch.chdir(copy)
    return copy


def test_all_that_hangs_on_a_column_is_found(mesh: Path, factory: Command) -> None:
    found = factory("impact", "shop.orders.amount", "--format", "json").json
    assert [(u["model"], u["column"], u["subtype"], u["removed"]) for u in found["uses"]] == [
        ("model.sales.sales", "total", "AGGREGATION", "breaks"),
        ("model.board.board", "revenue", "AGGREGATION", "gets no new data"),
    ]
    assert [(c["product"], c["table"], c["columns"], c["removed"]) for c in found["contracts"]] == [
        ("board", "board", ["revenue"], "gets no new data"),
        ("sales", "sales", ["total"], "gets no new data"),
        ("shop", "orders", ["amount"], "breaks"),
    ]
    assert found["products"] == ["board", "sales"]
    assert [exposure["name"] for exposure in found["exposures"]] == ["revenue_wall"]
    assert set(found["owners"]) == {"board", "sales", "shop"}
    assert all("@" in owner for owner in found["owners"].values())


def test_a_filter_hits_all_that_is_behind_it(mesh: Path, factory: Command) -> None:
    found = factory("impact", "orders.customer_id", "--format", "json").json
    assert {(u["model"], u["column"], u["subtype"]) for u in found["uses"]} == {
        ("model.sales.sales", "customer_id", "IDENTITY"),
        ("model.sales.sales", None, "GROUP_BY"),
    }
    assert found["behind"] == ["model.board.board"]
    assert found["products"] == ["board", "sales"]
    assert {c["product"]: c["removed"] for c in found["contracts"]} == {
        "shop": "breaks", "sales": "gets no new data", "board": "gets no new data",
    }  # fmt: skip
    assert [exposure["name"] for exposure in found["exposures"]] == ["revenue_wall"]


def test_the_impact_of_a_model_is_that_of_its_columns(mesh: Path, factory: Command) -> None:
    done = factory("impact", "sales.sales")
    assert done.code == 0
    assert "board.revenue" in done.out
    assert "Used by    dashboard revenue_wall of board, wall@example.org" in done.out
    assert done.out.splitlines()[0] == "sales.sales"
    assert factory("impact", "board.board.revenue").out.splitlines()[2] == "Nothing downstream uses it."


def test_subscribers_are_told(mesh: Path, factory: Command) -> None:
    for name, product, consumer in (
        ("a1", "sales", "finance"),
        ("a2", "sales", "press"),
        ("a3", "board", "nobody"),
    ):
        write(
            mesh / f"registry/access/{name}.yaml", f"product: urn:dpf:trade:{product}\nconsumer: {consumer}\n"
        )
    write(mesh / "registry/access/a1.approved.yaml", "by: owner\n")
    write(mesh / "registry/access/a3.revoked.yaml", "by: owner\n")
    found = factory("impact", "shop.orders.amount", "--format", "json").json["subscribers"]
    assert found == [
        {"product": "sales", "who": "finance", "state": "has access"},
        {"product": "sales", "who": "press", "state": "asks for access"},
    ]


@pytest.mark.parametrize(
    ("what", "fail_on", "code"),
    [
        ("shop.orders.amount", "consumers", 1),
        ("shop.orders.amount", "breaks", 1),
        ("shop.orders.amount", "", 0),
        ("board.board.revenue", "breaks", 0),
        ("board.board.revenue", "consumers", 1),  # the wall
        ("shop.orders.order_id", "consumers", 0),
    ],
)
def test_ci_can_fail_on_it(mesh: Path, factory: Command, what: str, fail_on: str, code: int) -> None:
    options = ("--fail-on", fail_on) if fail_on else ()
    assert factory("impact", what, *options).code == code


def test_nothing_is_taken_away_where_nothing_changed(mesh: Path, factory: Command) -> None:
    done = factory("impact", "--diff", "--fail-on", "consumers")
    assert (done.code, done.out) == (0, "Nothing that is published is taken away.\n")


def test_what_a_branch_takes_away_is_found_before_it_is_built(mesh: Path, factory: Command) -> None:
    shop = mesh / "products/shop/models"
    replace(
        shop / "_orders.yml",
        "      - name: amount\n        data_type: double\n        description: The amount.\n",
        "",
    )
    replace(shop / "_orders.yml", "data_type: integer", "data_type: bigint")
    done = factory("impact", "--diff", "--format", "json", "--fail-on", "consumers")
    assert done.code == 1
    found = {(i["target"]["column"], i["change"]): i for i in done.json["impacts"]}
    assert set(found) == {("amount", "removed"), ("customer_id", "retyped"), ("order_id", "retyped")}
    assert [u["model"] for u in found["amount", "removed"]["uses"]] == [
        "model.sales.sales",
        "model.board.board",
    ]
    shown = factory("impact", "--diff", "--format", "markdown").out
    assert shown.startswith("### Impact\n\n#### `shop.orders.amount`\n\nIs removed, or renamed.\n")
    assert "| sales | `sales.total` | aggregates it | **breaks** |" in shown
    assert "Integer becomes bigint." in shown.replace("INTEGER", "Integer")
    assert (
        "- contract `shop` 1.0.0 of `shop`, table `orders`: the promise is broken: a new major version"
        in shown
    )
    before = {file: file.read_bytes() for file in (mesh / "target/prod/dbt").glob("*.json")}
    factory("impact", "--diff")
    assert before == {file: file.read_bytes() for file in (mesh / "target/prod/dbt").glob("*.json")}


def test_a_retyped_column_breaks_its_promise(mesh: Path, factory: Command) -> None:
    replace(mesh / "products/shop/models/_orders.yml", "data_type: double", "data_type: varchar")
    assert factory("impact", "--diff", "--fail-on", "breaks").code == 1


def test_a_product_that_is_gone_takes_its_ports_away(mesh: Path, factory: Command) -> None:
    shutil.rmtree(mesh / "products/sales")
    shutil.rmtree(mesh / "products/board")
    done = factory("impact", "--diff", "--fail-on", "consumers")
    assert (done.code, "sales.sales is gone with its product" in done.out) == (1, True), done.err


def test_a_reader_that_names_no_column_is_hit_by_the_end_of_a_model(mesh: Path, factory: Command) -> None:
    board = mesh / "products/board/models"
    write(board / "board.sql", """\
        select cast(count(*) as bigint) as customers, cast(1 as double) as revenue from {{ ref('sales', 'sales') }}
    """)  # fmt: skip
    assert factory("check", "--no-progress").code in (0, 1)
    done = factory("impact", "sales.sales", "--fail-on", "breaks", "--format", "json")
    assert done.code == 1
    assert [(u["model"], u["subtype"], u["removed"]) for u in done.json["uses"]] == [
        ("model.board.board", "READS", "breaks")
    ]


def test_markdown_from_others_stays_text(mesh: Path, factory: Command) -> None:
    replace(
        mesh / "products/board/models/_exposures.yml",
        "{name: Wall, email: wall@example.org}",
        "{name: W, email: '![x](http://evil/x.png) @org/all **b** <b>'}",
    )
    assert factory("check", "--no-progress").code in (0, 1)
    shown = factory("impact", "shop.orders.amount", "--format", "markdown").out
    assert "evil" in shown
    assert not re.search(r"!\[x|@org|\*\*b\*\*|<b>", shown)


def test_a_port_that_is_no_longer_public_is_gone(mesh: Path, factory: Command) -> None:
    replace(mesh / "products/board/models/_board.yml", "access: public", "access: protected")
    found = factory("impact", "--diff").out
    assert found.startswith("board.board is no public model any more\n")
    assert "revenue_wall" in found


def test_a_product_that_was_not_built_is_known_from_what_is_published(mesh: Path, factory: Command) -> None:
    shutil.rmtree(mesh / "target/prod/dbt/compiled")
    replace(
        mesh / "products/shop/models/orders.sql", "select * from", "select order_id, customer_id, amount from"
    )
    assert factory("build", "shop", "--no-progress").code in (0, 1)
    found = factory("impact", "shop.orders.amount", "--format", "json").json
    assert [u["model"] for u in found["uses"]] == ["model.sales.sales", "model.board.board"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a COLUMN or a MODEL, or ask for --diff"),
        (["shop.orders", "--diff"], "name a COLUMN or a MODEL, or ask for --diff"),
        (["shop.orders.amout"], "did you mean 'amount'?"),
        (["nothing.at.all"], "no model or source is called 'nothing.at.all'"),
    ],
)
def test_a_question_that_cannot_be_answered(
    mesh: Path, factory: Command, arguments: list[Any], words: str
) -> None:
    done = factory("impact", *arguments)
    assert done.code == 2
    assert words in done.err


def test_a_mesh_that_was_not_built_says_what_to_do(tmp_path: Path, factory: Command) -> None:
    make_mesh(tmp_path / "fresh")
    done = factory("-C", tmp_path / "fresh", "impact", "shop.orders.amount")
    assert (done.code, "factory build" in done.err) == (2, True)


def test_the_lineage_of_a_mesh_crosses_its_products(mesh: Path, factory: Command) -> None:
    assert factory("lineage", "board.revenue").out.splitlines() == [
        "board.board.revenue  = CAST(SUM(total) AS DOUBLE)",
        "└─ [sales] sales.total  aggregation  = CAST(SUM(amount) AS DOUBLE)",
        "   └─ [shop] orders.amount  aggregation  = CAST(amount AS DOUBLE)",
        "      └─ raw.orders.amount  transformation",
    ]
    assert (mesh / "target/prod/lineage.cache").is_file()
