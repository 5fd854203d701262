"""Stage 4, lineage: which column is made of which.

Takes dbt's relations with their compiled SQL; gives `Lineage`; touches nothing but its cache. The kinds are those of
the OpenLineage column lineage facet 1-2-0. sqlglot is used here, and in `sql`, which
only asks whether SQL of others parses and reads.
"""

from factory.lineage.cache import Cache
from factory.lineage.graph import ColumnTrace, Influence, Lineage, ModelTrace, Source
from factory.lineage.projects import Graph, Node, graph_of, stitch
from factory.lineage.trace import trace_columns, trace_graph

__all__ = [
    "Cache",
    "ColumnTrace",
    "Graph",
    "Influence",
    "Lineage",
    "ModelTrace",
    "Node",
    "Source",
    "graph_of",
    "stitch",
    "trace_columns",
    "trace_graph",
]
