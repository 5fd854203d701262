"""The mistakes that a newcomer makes: one clear line with file and line, what to do, exit code 2, no traceback."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Command
from mesh import make_mesh, replace, write

SALES = "products/sales/models/sales.sql"


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_mesh(tmp_path / "mesh")
    monkeypatch.chdir(root)
    return root


def ring(mesh: Path) -> None:
    write(
        mesh / "products/board/models/board.sql",
        "select cast(1 as bigint) as customers, cast(1 as double) as revenue",
    )
    write(mesh / "products/board/models/x.sql", "select * from {{ ref('shop', 'orders') }}")
    write(mesh / "products/shop/models/back.sql", "select revenue from {{ ref('board', 'board') }}")


CASES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no descriptor": (
        lambda root: (root / "products/sales/product.odps.yaml").unlink(),
        "products/sales: the folder has no product.odps.yaml",
        "write product.odps.yaml",
    ),
    "broken YAML in the descriptor": (
        lambda root: write(root / "products/sales/product.odps.yaml", "a: 1\nb: [1\nc: 2\n"),
        "products/sales/product.odps.yaml:3: not valid YAML",
        "check the indentation",
    ),
    "a key twice": (
        lambda root: replace(
            root / "products/sales/product.odps.yaml", "status: active", "status: active\nstatus: draft"
        ),
        "products/sales/product.odps.yaml:8: the key 'status' stands twice, at lines 7 and 8",
        "keep one",
    ),
    "a field with a typo": (
        lambda root: replace(root / "products/sales/product.odps.yaml", "domain:", "domian:"),
        "products/sales/product.odps.yaml:5: the document: the standard has no field 'domian'",
        "did you mean 'domain'?",
    ),
    "two products with one name": (
        lambda root: shutil.copytree(root / "products/shop", root / "products/shop_two"),
        "products/shop_two/product.odps.yaml:4: the name 'shop' is taken by products/shop/product.odps.yaml:4",
        "another name",
    ),
    "a ref to a private model": (
        lambda root: replace(root / "products/shop/models/_orders.yml", "access: public", "access: private"),
        f"{SALES}:2: dbt: Node model.sales.sales attempted to reference node model.shop.orders, which is not allowed",
        "read a public model",
    ),
    "a ref to a product that is not there": (
        lambda root: replace(root / SALES, "'shop'", "'shopp'"),
        f"{SALES}:2: dbt: Model 'model.sales.sales' (models/sales.sql) depends on a node named 'orders' in package or project 'shopp'",
        "check the name in ref()",
    ),
    "a ref to a model that is not there": (
        lambda root: replace(root / SALES, "'orders'", "'order'"),
        f"{SALES}:2: dbt: Model 'model.sales.sales'",
        "shop has orders; its public models can be read",
    ),
    "a ring of products": (
        ring,
        "the products read each other in a ring: board -> shop -> board",
        "further upstream",
    ),
    "broken Jinja": (
        lambda root: replace(root / SALES, "ref('shop', 'orders')", "ref('shop', 'orders'"),
        f"{SALES}:2: dbt: unexpected '}}'",
        "",
    ),
    "broken YAML of dbt": (
        lambda root: write(root / "products/shop/models/bad.yml", "models: [\n"),
        "products/shop/models/bad.yml:2: not valid YAML",
        "check the indentation",
    ),
    "a contract that is no ODCS": (
        lambda root: replace(root / "products/shop/contracts/shop.odcs.yaml", "priceUnit", "priceUnti"),
        "products/shop/contracts/shop.odcs.yaml:11: price: the standard has no field 'priceUnti'",
        "did you mean 'priceUnit'?",
    ),
    "a version that is none": (
        lambda root: replace(root / "products/shop/contracts/shop.odcs.yaml", "1.0.0", "one"),
        "products/shop/contracts/shop.odcs.yaml:4: the version 'one' is not a semantic version",
        "1.0.0",
    ),
    "a contract whose name says no standard": (
        lambda root: write(root / "products/shop/contracts/more.yaml", "kind: DataContract\n"),
        "products/shop/contracts/more.yaml: the file is not read",
        "call it more.odcs.yaml",
    ),
    "an unknown dimension": (
        lambda root: replace(
            root / "products/shop/checks/shop.yml",
            "name: There are orders",
            "name: There are orders\n      attributes: {dimension: completness}",
        ),
        "products/shop/checks/shop.yml:2: 'completness' is no dimension",
        "did you mean 'completeness'?",
    ),
    "an unknown metric of SodaCL": (
        lambda root: replace(root / "products/shop/checks/shop.yml", "row_count", "row_cuont"),
        "products/shop/checks/shop.yml:2: 'row_cuont between 1 and 1000': 'row_cuont' is no metric of SodaCL",
        "did you mean 'row_count'?",
    ),
    "an environment variable that is not set": (
        lambda root: write(root / SALES, "\nselect {{ env_var('NOT_SET') }} as x\n"),
        f"{SALES}:2: dbt: Env var required but not provided: 'NOT_SET'",
        "set the variable",
    ),
    "no umbrella": (lambda root: (root / "dbt_project.yml").unlink(), "no dbt_project.yml", "factory init"),
    "no workspace": (
        lambda root: (root / "pyproject.toml").unlink(),
        "is not in a workspace",
        "factory init",
    ),
    "a setting with a typo": (
        lambda root: write(root / "pyproject.toml", "[tool.factory]\ntitel = 'x'\n"),
        "pyproject.toml:2: [tool.factory] has no setting 'titel'",
        "did you mean 'title'?",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_gets_one_clear_line_and_a_way_out(mesh: Path, factory: Command, name: str) -> None:
    change, message, hint = CASES[name]
    change(mesh)
    result = factory("build")
    assert result.code == 2, result.out + result.err
    assert message in result.err
    assert hint in result.err
    errors = [line for line in result.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert not (mesh / "registry").exists()


def test_several_mistakes_are_told_together(mesh: Path, factory: Command) -> None:
    (mesh / "products/sales/product.odps.yaml").unlink()
    replace(mesh / "products/shop/product.odps.yaml", "id: urn:dpf:trade:shop", "id: shop")
    result = factory("build", "--format", "json")
    assert result.code == 2
    assert [error["place"] for error in result.json["errors"]] == [
        "products/sales",
        "products/shop/product.odps.yaml:3",
    ]


def test_reading_a_product_that_was_never_published_says_how_to_build_it(
    mesh: Path, factory: Command
) -> None:
    result = factory("build", "board")
    assert result.code == 2
    assert "board reads sales, which is not published" in result.err
    assert "factory build +board" in result.err


@pytest.mark.parametrize(
    ("change", "reason", "line"),
    [
        (("sum(amount)", "sum(amount"), "Parser Error", 1),
        (("sum(amount)", "sum(amuont)"), 'Referenced column "amuont" not found', 1),
        (("{{ ref(", "{{ reff("), "'reff' is undefined", 2),
    ],
)
def test_sql_that_does_not_compile_names_its_line_and_leaves_the_others(
    mesh: Path, factory: Command, change: tuple[str, str], reason: str, line: int
) -> None:
    replace(mesh / SALES, *change)
    result = factory("build", "--format", "json")
    assert result.code == 2
    products = {product["name"]: product for product in result.json["products"]}
    assert products["shop"]["outcome"] == "certified"
    assert products["board"]["outcome"] == "blocked"
    first = products["sales"]["reasons"][0]
    assert first.startswith(f"{SALES}:{line}: ")
    assert reason in first


def test_a_read_of_another_products_seed_is_refused(mesh: Path, factory: Command) -> None:
    write(mesh / "products/shop/seeds/rates.csv", "code,rate\nUSD,1\n")
    write(mesh / "products/sales/models/peek.sql", "select * from {{ ref('shop', 'rates') }}")
    result = factory("build", "--format", "json")
    assert result.code == 2
    sales = next(p for p in result.json["products"] if p["name"] == "sales")
    assert "products/sales/models/peek.sql: peek reads the seed rates of shop" in sales["reasons"][0]


def test_a_duckdb_file_that_another_process_holds_is_named_with_its_holder(
    mesh: Path, factory: Command
) -> None:
    assert factory("build", "shop").code == 0
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    )
    file = mesh / "target/prod/duckdb/shop.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        result = factory("build", "--full")
        assert holder.stdin is not None
        holder.stdin.close()
    assert result.code == 2
    assert "target/prod/duckdb/shop.duckdb" in result.err
    assert f"(PID {holder.pid})" in result.err


def test_a_disk_that_is_full_is_said_and_the_next_run_converges(mesh: Path) -> None:
    """A real limit on the size of files stands in for the disk: the kernel refuses to write on."""
    import resource

    def limit() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    command = [sys.executable, "-m", "factory", "build", "--no-progress"]
    full = subprocess.run(command, cwd=mesh, capture_output=True, text=True, preexec_fn=limit)
    assert full.returncode == 2, full.stderr + full.stdout
    assert "Traceback" not in full.stderr
    again = subprocess.run(command, cwd=mesh, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr + again.stdout


def test_an_interrupt_ends_a_build_with_130_and_harms_nothing(mesh: Path) -> None:
    import signal

    command = [sys.executable, "-m", "factory", "build", "--no-progress"]
    assert subprocess.run(command, cwd=mesh, capture_output=True).returncode == 0
    before = {p: p.read_bytes() for p in (mesh / "registry/products").rglob("*") if p.is_file()}
    slow = "{{ config(materialized='table') }}\nselect max(hash(a.range + b.range)) as x from range(900000) a, range(900000) b"
    write(mesh / "products/sales/models/slow.sql", slow)
    for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        with subprocess.Popen(
            command, cwd=mesh, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as run:
            assert run.stderr is not None
            while "parse" not in run.stderr.readline():
                pass
            time.sleep(5)
            run.send_signal(number)
            _, err = run.communicate(timeout=60)
        assert run.returncode == code
        assert "Traceback" not in err
    assert {p: p.read_bytes() for p in before} == before
    (mesh / "products/sales/models/slow.sql").unlink()
    assert subprocess.run(command, cwd=mesh, capture_output=True).returncode == 0


def test_two_builds_at_once_wait_for_each_other(mesh: Path) -> None:
    command = [sys.executable, "-m", "factory", "build", "--full", "--no-progress"]
    runs = [
        subprocess.Popen(command, cwd=mesh, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for run in runs:
        _, err = run.communicate(timeout=120)
        assert run.returncode == 0, err
