"""What a product's folder has to be, told so that a newcomer can mend it."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import ODPS, a_product, write_tree

from factory.documents import dump_yaml
from factory.errors import FactoryError, Problems
from factory.products import Member, discover
from factory.workspace import Workspace


def a_folder(root: Path, folder: str = "orders", *, dbt: str | None = None, **fields: object) -> Path:
    """Write a product's folder, with fields of its descriptor changed, or left out where they are None."""
    data = {key: value for key, value in {**ODPS, **fields}.items() if value is not None}
    tree = {f"products/{folder}/product.odps.yaml": dump_yaml(data)}
    tree[f"products/{folder}/dbt_project.yml"] = f"name: {data.get('name')}\n" if dbt is None else dbt
    return write_tree(root, tree)


def the_error(root: Path) -> FactoryError:
    with pytest.raises(FactoryError) as caught:
        discover(Workspace(root))
    assert not isinstance(caught.value, Problems)
    return caught.value


def test_products_are_found_sorted_by_name_with_what_their_file_says(tmp_path: Path) -> None:
    a_folder(
        tmp_path,
        "orders",
        type="aggregate",
        version="1.2.0",
        tags=["retail", "sales"],
        team={
            "name": "sales",
            "members": [
                {"username": "before@example.org", "role": "dpo", "dateOut": "2024-01-01"},
                {"username": "now@example.org", "role": "dpo", "dateIn": "2024-01-01"},
                {"username": "steward@example.org", "role": "steward"},
            ],
        },
        customProperties=[
            {"property": "title", "value": "All orders"},
            {"property": "costCenter", "value": "CC-1"},
        ],
    )
    a_folder(tmp_path, "customers", name="customers", id="urn:dpf:retail:customers")
    customers, orders = discover(Workspace(tmp_path))
    assert (customers.name, customers.title) == ("customers", "Customers")
    assert orders.urn == "urn:dpf:retail:orders"
    assert (orders.archetype, orders.status, orders.version) == ("aggregate", "active", "1.2.0")
    assert (orders.title, orders.cost_center, orders.tags) == ("All orders", "CC-1", ("retail", "sales"))
    assert (orders.owner, orders.steward, orders.team) == ("now@example.org", "steward@example.org", "sales")
    assert orders.members[0] == Member("before@example.org", "dpo", "2024-01-01")
    assert orders.summary == "What customers ordered, a row per order."
    assert orders.file == tmp_path / "products/orders/product.odps.yaml"


def test_a_product_without_an_open_owner_has_none() -> None:
    assert a_product(members=(Member("gone@example.org", "dpo", "2024-01-01"),)).owner == ""
    assert a_product(members=()).steward == ""


def test_a_custom_property_is_told_as_text() -> None:
    product = a_product(descriptor={"customProperties": [{"property": "layer", "value": 3}]})
    assert product.custom("layer") == "3"
    assert product.custom("region", "everywhere") == "everywhere"


@pytest.mark.parametrize("kind", ["sourceAligned", "source-aligned"])
def test_an_archetype_is_known_in_both_spellings(tmp_path: Path, kind: str) -> None:
    a_folder(tmp_path, type=kind)
    assert discover(Workspace(tmp_path))[0].archetype == "source-aligned"


def test_hidden_folders_and_files_are_no_products(tmp_path: Path) -> None:
    a_folder(tmp_path)
    write_tree(tmp_path, {"products/.cache/x": "", "products/_draft/x": "", "products/notes.md": ""})
    assert [product.name for product in discover(Workspace(tmp_path))] == ["orders"]


def test_a_workspace_without_products_has_none(tmp_path: Path) -> None:
    assert discover(Workspace(tmp_path)) == ()


# What newcomers do


def test_a_folder_without_a_descriptor_is_told_with_what_it_holds(tmp_path: Path) -> None:
    write_tree(tmp_path, {"products/orders/readme.md": "", "products/orders/models/orders.sql": ""})
    error = the_error(tmp_path)
    assert error.place(tmp_path) == "products/orders"
    assert (
        error.message
        == "the folder has no product.odps.yaml, so it is no product (it holds models, readme.md)"
    )
    assert "write product.odps.yaml" in error.hint


def test_a_descriptor_that_is_no_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    write_tree(tmp_path, {"products/orders/product.odps.yaml": "apiVersion: v1.1.0\nkind: a: b\n"})
    error = the_error(tmp_path)
    assert error.place(tmp_path) == "products/orders/product.odps.yaml:2"
    assert error.hint


@pytest.mark.parametrize("text", ["", "- a\n", "just text\n"])
def test_a_descriptor_that_holds_something_else_is_told(tmp_path: Path, text: str) -> None:
    write_tree(tmp_path, {"products/orders/product.odps.yaml": text})
    error = the_error(tmp_path)
    assert error.place(tmp_path) == "products/orders/product.odps.yaml:1"
    assert error.hint == "start with `apiVersion:` and `kind:`"


MEMBER = {"username": "x@example.org"}


@pytest.mark.parametrize(
    ("fields", "line", "message", "hint"),
    [
        ({"nmae": "x"}, "nmae:", "has no field 'nmae'", "did you mean 'name'?"),
        ({"team": {"nam": "x"}}, "nam:", "team: the standard has no field 'nam'", "did you mean 'name'?"),
        (
            {"team": {"members": [MEMBER | {"roll": "dpo"}]}},
            "roll:",
            "team.members[x@example.org]",
            "did you mean 'role'?",
        ),
        ({"zzz": "x"}, "zzz:", "has no field 'zzz'", "own fields belong in customProperties"),
        ({"kind": "DataContract"}, "kind:", "'DataContract' is not one of", "did you mean 'DataProduct'?"),
        ({"apiVersion": "v1"}, "apiVersion:", "'v1' is not one of the standard's values", "v1.1.0"),
        ({"name": "Orders"}, "name:", "the name 'Orders' is not allowed", "lower case"),
        ({"name": "o"}, "name:", "the name 'o' is not allowed", "2 to 63"),
        ({"name": "my-orders"}, "name:", "the name 'my-orders' is not allowed", "letters, digits and _"),
        ({"name": "o" * 64}, "name:", "is not allowed", "2 to 63"),
        ({"name": None}, "apiVersion:", "the product has no name", "2 to 63"),
        ({"name": "temp"}, "name:", "the name 'temp' is taken", "choose another name"),
        ({"domain": "Retail"}, "domain:", "the domain 'Retail' is not allowed", "lower case"),
        ({"domain": "my_domain"}, "domain:", "the domain 'my_domain' is not allowed", "digits and -"),
        ({"domain": None}, "apiVersion:", "the product has no domain", "2 to 63"),
        (
            {"type": "sourcealigned"},
            "type:",
            "the type 'sourcealigned' is no archetype",
            "sourceAligned, aggregate",
        ),
        ({"type": None}, "apiVersion:", "the product has no type", "sourceAligned, aggregate"),
        (
            {"id": "orders"},
            "id:",
            "the id 'orders' is not the product's address",
            "write `id: urn:dpf:retail:orders`",
        ),
    ],
)
def test_a_wrong_descriptor_is_told_with_its_line_and_a_way_out(
    tmp_path: Path, fields: dict[str, object], line: str, message: str, hint: str
) -> None:
    error = the_error(a_folder(tmp_path, **fields))
    lines = (tmp_path / "products/orders/product.odps.yaml").read_text().splitlines()
    assert lines[error.line - 1].strip(" -").startswith(line)
    assert error.where == tmp_path / "products/orders/product.odps.yaml"
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id": None}, "the document: 'id' is missing"),
        ({"version": 1.0}, "version: 1.0 is not text"),
        ({"tags": "retail"}, "tags: 'retail' is not a list"),
        ({"description": "text"}, "description: 'text' is not a mapping"),
        ({"team": []}, "team: [] is not a mapping"),
        ({"team": {"members": [{"role": "dpo"}]}}, "team.members[dpo]: 'username' is missing"),
        ({"customProperties": [{"property": "layer"}]}, "customProperties[layer]: 'value' is missing"),
    ],
)
def test_what_the_standard_does_not_allow_is_told_in_words(
    tmp_path: Path, fields: dict[str, object], message: str
) -> None:
    error = the_error(a_folder(tmp_path, **fields))
    assert error.message == message
    assert error.line > 0


def test_a_product_without_a_dbt_project_is_told(tmp_path: Path) -> None:
    a_folder(tmp_path)
    (tmp_path / "products/orders/dbt_project.yml").unlink()
    error = the_error(tmp_path)
    assert error.place(tmp_path) == "products/orders"
    assert error.hint == "write dbt_project.yml with `name: orders`"


@pytest.mark.parametrize(
    ("dbt", "line", "name"),
    [
        ("version: 1\nname: sales\n", 2, "'sales'"),
        ("version: 1\n", 1, "None"),
        ("", 1, "None"),
        ("- a", 1, "None"),
    ],
)
def test_a_dbt_project_of_another_name_is_told(tmp_path: Path, dbt: str, line: int, name: str) -> None:
    error = the_error(a_folder(tmp_path, dbt=dbt))
    assert error.place(tmp_path) == f"products/orders/dbt_project.yml:{line}"
    assert error.message == f"the dbt project is called {name}, the product 'orders'"
    assert "write `name: orders`" in error.hint


def test_two_products_with_one_name_are_told_with_both_places(tmp_path: Path) -> None:
    a_folder(tmp_path, "first")
    a_folder(tmp_path, "second")
    error = the_error(tmp_path)
    assert error.place(tmp_path) == "products/second/product.odps.yaml:4"
    assert error.message == "the name 'orders' is taken by products/first/product.odps.yaml:4"
    assert error.hint


def test_several_problems_are_told_together(tmp_path: Path) -> None:
    a_folder(tmp_path, "broken", name="Broken")
    a_folder(tmp_path, "good")
    a_folder(tmp_path, "twice")
    write_tree(tmp_path, {"products/empty/x": ""})
    with pytest.raises(Problems) as caught:
        discover(Workspace(tmp_path))
    assert [problem.place(tmp_path) for problem in caught.value.problems] == [
        "products/broken/product.odps.yaml:4",
        "products/empty",
        "products/twice/product.odps.yaml:4",
    ]
