"""Stage 9, registry: what is published, immutable, as plain files.

Takes certified products; gives version folders, port snapshots and the registry file; reads and writes
`registry/`, `ports/` and `ports.duckdb`. The layout is in `docs/architecture.md`, section 3.
"""

from factory.registry.index import read_index, refresh_index
from factory.registry.ports import current_snapshot, export_ports, point_to
from factory.registry.store import LINEAGE_FILE, Publication, Registry
from factory.registry.views import refresh_ports_database

__all__ = [
    "LINEAGE_FILE",
    "Publication",
    "Registry",
    "current_snapshot",
    "export_ports",
    "point_to",
    "read_index",
    "refresh_index",
    "refresh_ports_database",
]
