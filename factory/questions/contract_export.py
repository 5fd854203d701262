"""A contract in the language of another tool, for people and programs.

Takes a contract that a user named, as a `Side`; gives the text, and what the other language has no words for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from factory.odcs.export import Exported, dbt_of, sodacl_of
from factory.questions.diff import Side

LANGUAGES: Mapping[str, Callable[[Mapping[str, Any]], Exported]] = {"sodacl": sodacl_of, "dbt": dbt_of}


def export_of(side: Side, language: str) -> Exported:
    """Return a contract in one of `LANGUAGES`."""
    return LANGUAGES[language](side.data)


def left_out_as_text(exported: Exported, language: str) -> str:
    """Return what was left out, a line each; empty where nothing was."""
    if not exported.left_out:
        return ""
    name = {"sodacl": "SodaCL", "dbt": "dbt"}[language]
    count = len(exported.left_out)
    head = f"{count} {'thing' if count == 1 else 'things'} of the contract not said in {name}:"
    return "\n".join([head, *(f"- {line}" for line in exported.left_out)])
