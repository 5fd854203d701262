"""Read the JSON that dbt writes tolerantly: what is missing, or of another kind, is empty.

Takes files and the values in them; gives values of the kind that is asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from factory.errors import DbtError


def read_artifact(path: Path | None, hint: str, *, needed: bool = False) -> dict[str, Any]:
    """Return a file's object; an empty one where there is no file and none is needed.

    Raises:
        DbtError: the file is needed and not there, or it holds no JSON object.

    """
    if path is None:
        return {}
    try:
        data = _loaded(path.read_bytes())
    except FileNotFoundError as error:
        if needed:
            raise DbtError("there is no manifest of dbt", where=path, hint=hint) from error
        return {}
    except (ValueError, RecursionError, OSError) as error:
        what = "it is empty" if path.is_file() and not path.stat().st_size else str(error)
        raise DbtError(f"not a dbt artifact: {what}", where=path, hint=hint) from error
    if not isinstance(data, dict):
        raise DbtError("not a dbt artifact: no JSON object", where=path, hint=hint)
    return data


def _loaded(raw: bytes) -> Any:
    """Return a file's values, with half characters (which no file can hold again) replaced."""
    values = json.loads(raw)
    if _HALF.search(raw):
        values = json.loads(json.dumps(values, ensure_ascii=False).encode("utf-8", "replace"))
    return values


_HALF = re.compile(rb"\\u[dD][89abAB]")


def kind_of(data: Mapping[str, Any]) -> str:
    """Return which artifact of dbt this says to be, by the address of its schema."""
    found = re.search(
        r"/dbt/([a-z-]+)/v\d+\.json", text_in(object_in(data, "metadata"), "dbt_schema_version")
    )
    return found[1] if found else ""


def object_in(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the object under a key."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def entries_in(data: Mapping[str, Any], key: str) -> dict[str, dict[str, Any]]:
    """Return the entries of an object that are objects themselves."""
    return {name: value for name, value in object_in(data, key).items() if isinstance(value, dict)}


def list_in(data: Mapping[str, Any], key: str) -> list[Any]:
    """Return the list under a key."""
    value = data.get(key)
    return value if isinstance(value, list) else []


def names_in(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the texts in the list under a key."""
    return tuple(str(name) for name in list_in(data, key) if isinstance(name, str))


def text_in(data: Mapping[str, Any], key: str) -> str:
    """Return what stands under a key as text; nothing is empty text."""
    value = data.get(key)
    return "" if value is None else str(value)
