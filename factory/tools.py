"""The versions of what takes part in a build, for fingerprints and records."""

from __future__ import annotations

import functools
from importlib import metadata

_DISTRIBUTIONS = ("data-product-factory", "dbt-core", "dbt-duckdb", "duckdb", "soda-core", "sqlglot")


@functools.cache
def tool_versions() -> dict[str, str]:
    """Return the version of each tool by its distribution's name; `unknown` where it is not installed as one."""
    versions = {}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "unknown"
    return versions
