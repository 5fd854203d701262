"""Draft contracts of any dbt project.

Takes the files that a user named; gives contracts.
"""

from __future__ import annotations

from pathlib import Path

from factory.artifacts import Artifacts, read_manifest
from factory.contract.project import Draft, draft_project, lost_tests
from factory.errors import DbtError
from factory.lineage import trace_columns
from factory.loose_json import kind_of, read_artifact


def _must_be(file: Path, kind: str, *, given: bool) -> None:
    if given and kind_of(read_artifact(file, "")) not in ("", kind):
        raise DbtError(
            "this is another artifact of dbt than its run results", where=file, hint="name run_results.json"
        )


def drafts_of(
    manifest: Path, catalog: Path | None, results: Path | None, group_by: str, *, sources: bool
) -> tuple[tuple[Draft, ...], tuple[str, ...]]:
    """Return the contracts of a dbt project, and the names of tests that speak of no table in them.

    Args:
        manifest: its manifest.json, or the folder with it.
        catalog, results: its catalog.json and run_results.json; without, those beside the manifest.
        group_by: one of `GROUPINGS`.
        sources: also of its sources.

    Raises:
        DbtError: a file is not what it should be, or the project has no tables.

    """
    file = manifest / "manifest.json" if manifest.is_dir() else manifest
    artifacts: Artifacts = read_manifest(
        file, catalog or file.with_name("catalog.json"), results or file.with_name("run_results.json")
    )
    if artifacts.written_as not in ("", "manifest"):
        raise DbtError(
            f"this is dbt's {artifacts.written_as}, not its manifest", where=file, hint="name manifest.json"
        )
    _must_be(results or file.with_name("run_results.json"), "run-results", given=results is not None)
    packages = {relation.package for relation in artifacts.relations.values()}
    drafts = draft_project(artifacts, trace_columns(artifacts, packages), group_by, sources=sources)
    if not drafts:
        raise DbtError("the project has no models, seeds or snapshots", where=file, hint="compile it first")
    return drafts, lost_tests(artifacts, drafts)
