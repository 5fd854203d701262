"""What products declare of the data that comes into them: sources and seeds, with their columns.

Takes dbt's parsed manifest; gives a `Declared` per source or seed that declares columns; touches nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Declared:
    """A source or seed with declared columns.

    Attributes:
        product: whose it is.
        kind: source or seed.
        keys: where it stands in its properties file: `(source, table)`, or `(seed,)`.
        file: the properties file, below the product's folder.
        columns: declared type by column, in the order of the file; empty where YAML states none.
        relation: how SQL names it: a file or table function for an external source, else a table. Empty for a seed.
        database: the database of a table.
        data_file: for a seed its CSV file, below the product's folder.
        delimiter: for a seed what stands between its fields.
    """

    product: str
    kind: str
    keys: tuple[str, ...]
    file: str
    columns: tuple[tuple[str, str], ...]
    relation: str = ""
    database: str = ""
    data_file: str = ""
    delimiter: str = ","

    @property
    def name(self) -> str:
        """The name that people know: `source.table`, or the seed's."""
        return ".".join(self.keys)


def declared_inputs(manifest: Any, products: Collection[str]) -> dict[str, tuple[Declared, ...]]:
    """Return the sources and seeds of products that declare columns, by product and in order of their names."""
    found: dict[str, list[Declared]] = {}
    for node in manifest.sources.values():
        if node.package_name in products and node.columns:
            source = Declared(
                str(node.package_name),
                "source",
                (str(node.source_name), str(node.name)),
                _path(node.original_file_path),
                _columns(node),
                relation=str(node.relation_name or ""),
                database=str(node.database or ""),
            )
            found.setdefault(source.product, []).append(source)
    for node in manifest.nodes.values():
        if str(node.resource_type.value) == "seed" and node.package_name in products and node.columns:
            seed = Declared(
                str(node.package_name),
                "seed",
                (str(node.name),),
                _path(str(node.patch_path or "").partition("://")[2]),
                _columns(node),
                data_file=_path(node.original_file_path),
                delimiter=str(getattr(node.config, "delimiter", "") or ","),
            )
            found.setdefault(seed.product, []).append(seed)
    return {name: tuple(sorted(inputs, key=lambda each: each.keys)) for name, inputs in found.items()}


def _columns(node: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(column.name), str(column.data_type or "")) for column in node.columns.values())


def _path(text: Any) -> str:
    return str(text or "").replace("\\", "/")
