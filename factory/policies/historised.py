"""That a source-aligned product keeps what was there before."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from factory.artifacts import Relation
from factory.evidence import Evidence, Finding, Severity

_REPLACING = ("insert_overwrite", "microbatch")
_BY_KEY = ("", "default", "merge", "delete+insert")
_CHANGING = re.compile(
    r"\b(update\s+(?:\{\{.*?\}\}|\S+)\s+set|delete\s+from|truncate\b|merge\s+into|drop\s+table|insert\s+or\s+replace)",
    re.IGNORECASE,
)


def historised(evidence: Evidence) -> Iterator[Finding]:
    """A source-aligned product adds to its history, and never changes or deletes what it has recorded.

    Advice for an incremental model that replaces rows (`unique_key` with merge or delete+insert, insert_overwrite,
    microbatch), that drops columns with the source (`on_schema_change: sync_all_columns`) or that a full refresh
    would empty (no `full_refresh: false`), and for hooks that update, delete, truncate or drop. Snapshots and
    appending models keep history. A table or view is made anew from its source, which has to keep the history then.
    """
    if evidence.product.archetype != "source-aligned":
        return
    for model in evidence.models:
        if model.kind not in ("model", "snapshot", "seed"):
            continue
        for message, hint in (*_replaces(model), *_changes_in_hooks(model)):
            where = evidence.place(model.file)
            yield Finding("historised", Severity.ADVISES, f"{model.name} {message}", where, hint)


def _replaces(model: Relation) -> Iterator[tuple[str, str]]:
    if model.materialized != "incremental":
        return
    writing = model.writing
    strategy = str(writing.get("incremental_strategy", ""))
    clauses = json.dumps(writing.get("merge_clauses", "update")).lower()
    keyed = strategy in _BY_KEY and "unique_key" in writing and ("update" in clauses or "delete" in clauses)
    if keyed or strategy in _REPLACING:
        how = strategy if strategy not in ("", "default") else "unique_key"
        hint = "append new versions (incremental_strategy: append), or take a snapshot"
        yield f"overwrites rows that it has recorded ({how})", hint
    if writing.get("on_schema_change") == "sync_all_columns":
        hint = "use on_schema_change: append_new_columns"
        yield "drops a column, with all that it held, when the source drops it", hint
    if writing.get("full_refresh") is not False:
        hint = "set full_refresh: false for it"
        yield "would lose what it has recorded by a run with --full-refresh", hint


def _changes_in_hooks(model: Relation) -> Iterator[tuple[str, str]]:
    for key in ("pre-hook", "post-hook"):
        hooks = model.writing.get(key, ())
        for hook in hooks if isinstance(hooks, list | tuple) else (hooks,):
            text = str(hook.get("sql", "") if isinstance(hook, dict) else hook)
            found = _CHANGING.search(re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL))
            if found:
                words = " ".join(found[1].split())
                yield (
                    f"changes recorded rows in its {key} ({words} …)",
                    "leave them, and add rows that correct them",
                )
