"""The lines of dbt's tests, which dbt does not tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import a_relation, a_test, write_tree

from factory.contract.places import TestPlaces

MODELS = """\
models:
  - name: customers
    columns:
      - name: id
        data_tests: [unique, not_null]
  - name: orders
    data_tests:
      - dbt_utils.unique_combination_of_columns:
          arguments: {combination_of_columns: [id, day]}
      - dbt_utils.expression_is_true:
          name: first
          arguments: {expression: a > 1}
      - dbt_utils.expression_is_true:
          name: second
          arguments: {expression: a > 2}
    columns:
      - name: id
        tests:
          - unique
          - not_null:
              config: {severity: warn}
      - name: '"Order Date"'
        data_tests: [not_null]
sources:
  - name: raw
    tables:
      - name: orders
        columns:
          - name: id
            data_tests:
              - not_null
unit_tests:
  - name: adds_up
    model: orders
"""


@pytest.mark.parametrize(
    ("test", "relation", "line"),
    [
        ({"kind": "unique", "column": "id"}, {"name": "orders"}, 19),
        ({"kind": "not_null", "column": "ID"}, {"name": "orders"}, 20),
        ({"kind": "not_null", "column": "Order Date"}, {"name": "orders"}, 23),
        ({"kind": "unique", "column": "id"}, {"name": "customers"}, 5),
        ({"kind": "dbt_utils.unique_combination_of_columns", "column": ""}, {"name": "orders"}, 8),
        ({"kind": "dbt_utils.expression_is_true", "column": "", "name": "second"}, {"name": "orders"}, 13),
        ({"kind": "not_null", "column": "id"}, {"name": "raw.orders", "kind": "source"}, 31),
        ({"kind": "unit", "column": "", "name": "adds_up"}, {"name": "orders"}, 33),
        ({"kind": "singular", "column": "", "file": "tests/a.sql"}, {"name": "orders"}, 1),
        ({"kind": "accepted_values", "column": "id"}, {"name": "orders"}, 0),
        ({"kind": "not_null", "column": "nobody"}, {"name": "orders"}, 0),
        ({"kind": "not_null", "column": "id", "file": "models/gone.yml"}, {"name": "orders"}, 0),
        ({"kind": "not_null", "column": "id", "file": "models/broken.yml"}, {"name": "orders"}, 0),
    ],
)
def test_a_test_is_found_where_it_is_written(
    tmp_path: Path, test: dict[str, Any], relation: dict[str, Any], line: int
) -> None:
    folder = write_tree(tmp_path, {"models/a.yml": MODELS, "models/broken.yml": "models: [\n"})
    places = TestPlaces(folder)
    assert places.line(a_test(**{"file": "models/a.yml", **test}), a_relation(**relation)) == line
