"""The hand-kept part of a contract, and what is told of one that cannot be understood."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from builders import a_product, write_tree

from factory.contract import Promise, read_promises
from factory.errors import FactoryError, Problems

MINIMAL = "apiVersion: v3.2.0\nkind: DataContract\nversion: 1.0.0\n"


def promises(root: Path, **files: str) -> tuple[Promise, ...]:
    """Return the promises of the product `orders` with these contract files, named without `.odcs.yaml`."""
    tree = {f"products/orders/contracts/{name}.odcs.yaml": dedent(text) for name, text in files.items()}
    write_tree(root, tree)
    return read_promises(a_product(root=root))


def the_error(root: Path, text: str) -> FactoryError:
    with pytest.raises(FactoryError) as caught:
        promises(root, orders=text)
    assert not isinstance(caught.value, Problems)
    assert caught.value.where == root / "products/orders/contracts/orders.odcs.yaml"
    return caught.value


def test_the_least_one_can_promise_is_a_version(tmp_path: Path) -> None:
    (promise,) = promises(tmp_path, orders=MINIMAL)
    assert (promise.name, promise.version, promise.major) == ("orders", "1.0.0", 1)
    assert promise.status == "active", "the product's, as the file has none"
    assert promise.tables == ()


def test_a_promise_has_what_its_file_says(tmp_path: Path) -> None:
    text = """\
        apiVersion: v3.1.0
        kind: DataContract
        id: urn:dpf:retail:orders:sales
        name: sales
        domain: retail
        dataProduct: orders
        version: 2.10.0
        status: draft
        schema:
          - name: orders
            properties:
              - name: amount
                criticalDataElement: true
          - name: returns
        """
    (promise,) = promises(tmp_path, anything=text)
    assert (promise.name, promise.version, promise.major, promise.status) == ("sales", "2.10.0", 2, "draft")
    assert promise.tables == ("orders", "returns")
    assert promise.document.line("schema", 0, "properties", 0, "criticalDataElement") == 13


def test_promises_stand_by_name_and_major_version(tmp_path: Path) -> None:
    found = promises(
        tmp_path,
        b=MINIMAL + "name: sales\n",
        orders_v10=MINIMAL.replace("1.0.0", "10.0.0") + "name: orders\n",
        orders_v2=MINIMAL.replace("1.0.0", "2.1.0") + "name: orders\n",
    )
    assert [(p.name, p.version) for p in found] == [
        ("orders", "2.1.0"),
        ("orders", "10.0.0"),
        ("sales", "1.0.0"),
    ]


def test_a_product_without_contracts_promises_nothing(tmp_path: Path) -> None:
    assert promises(tmp_path) == ()
    write_tree(tmp_path, {"products/orders/contracts/readme.md": ""})
    assert promises(tmp_path) == ()


def test_a_version_that_looks_like_a_number_or_date_is_told(tmp_path: Path) -> None:
    assert "1.0 is not text" in the_error(tmp_path, MINIMAL.replace("1.0.0", "1.0")).message
    error = the_error(tmp_path, MINIMAL.replace("1.0.0", "2024-01-31"))
    assert error.message == "the version '2024-01-31' is not a semantic version"


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "1.0.0-rc1", "01.0.0", "1.0.0.0", "latest"])
def test_a_version_is_three_numbers(tmp_path: Path, version: str) -> None:
    error = the_error(tmp_path, MINIMAL.replace("1.0.0", f"'{version}'"))
    assert error.message == f"the version '{version}' is not a semantic version"
    assert error.line == 3
    assert error.hint == "write three numbers, such as 1.0.0"


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        (MINIMAL + "descripton: {}\n", 4, "has no field 'descripton'", "did you mean 'description'?"),
        (MINIMAL + "name: Orders\n", 4, "the contract's name 'Orders' is not allowed", "lower case"),
        (
            MINIMAL + "name: product\n",
            4,
            "the contract's name 'product' is not allowed",
            "`product` is taken",
        ),
        (MINIMAL + "name: o\n", 4, "the contract's name 'o' is not allowed", "2 to 63"),
        (MINIMAL + "name: '../x'\n", 4, "the contract's name '../x' is not allowed", "lower case"),
        (
            MINIMAL.replace("v3.2.0", "v2.2.2"),
            1,
            "apiVersion v2.2.2 is not read here",
            "write `apiVersion: v3.2.0`",
        ),
        (MINIMAL.replace("v3.2.0", "v9"), 1, "'v9' is not one of the standard's values", "v3.2.0"),
        (
            MINIMAL.replace("DataContract", "DataProduct"),
            2,
            "'DataProduct' is not one of",
            "did you mean 'DataContract'?",
        ),
        (MINIMAL + "id: other\n", 4, "id 'other' contradicts the product", "remove id; it is derived"),
        (MINIMAL + "domain: other\n", 4, "domain 'other' contradicts the product", "remove domain"),
        (
            MINIMAL + "dataProduct: other\n",
            4,
            "dataProduct 'other' contradicts the product",
            "remove dataProduct",
        ),
        (MINIMAL + "version: 1.0.1\n", 4, "the key 'version' stands twice, at lines 3 and 4", "keep one"),
        (MINIMAL + "schema:\n\t- name: x\n", 5, "not valid YAML", "spaces, not tabs"),
        ("", 1, "the file holds no mapping", "start with `apiVersion:` and `kind:`"),
    ],
)
def test_a_wrong_contract_is_told_with_its_line_and_a_way_out(
    tmp_path: Path, text: str, line: int, message: str, hint: str
) -> None:
    error = the_error(tmp_path, text)
    assert error.line == line
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("apiVersion: v3.2.0\nkind: DataContract\n", 1, "the document: 'version' is missing"),
        (MINIMAL + "schema:\n  - physicalName: x\n", 5, "schema[0]: 'name' is missing"),
        (MINIMAL + "schema: orders\n", 4, "schema: 'orders' is not a list"),
        (
            MINIMAL + "slaProperties:\n  - property: frequency\n",
            5,
            "slaProperties[frequency]: 'value' is missing",
        ),
    ],
)
def test_what_the_standard_does_not_allow_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    error = the_error(tmp_path, text)
    assert (error.line, error.message) == (line, message)


def test_one_contract_stands_once_in_a_major_version(tmp_path: Path) -> None:
    later = MINIMAL.replace("1.0.0", "1.1.0") + "name: orders\n"
    with pytest.raises(
        FactoryError, match=r"stands twice in major version 1: see orders\.odcs\.yaml"
    ) as caught:
        promises(tmp_path, orders=MINIMAL, orders_next=later)
    assert caught.value.place(tmp_path) == "products/orders/contracts/orders_next.odcs.yaml:3"
    assert caught.value.hint


def test_the_faults_of_several_files_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(Problems) as caught:
        promises(tmp_path, a=MINIMAL + "name: A\n", b="a: b: c", orders=MINIMAL)
    assert [p.place(tmp_path / "products/orders/contracts") for p in caught.value.problems] == [
        "a.odcs.yaml:4",
        "b.odcs.yaml:1",
    ]
