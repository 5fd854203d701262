"""Stage 4, lineage: which column is made of which.

Takes dbt's relations with their compiled SQL; gives `Lineage`; touches nothing. The kinds are those of the
OpenLineage column lineage facet 1-2-0. The only door to sqlglot is `statement.py`.
"""

from factory.lineage.graph import ColumnTrace, Influence, Lineage, ModelTrace, Source
from factory.lineage.trace import trace_columns

__all__ = ["ColumnTrace", "Influence", "Lineage", "ModelTrace", "Source", "trace_columns"]
