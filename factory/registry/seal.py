"""Facts with a seal: JSON files that are written once, and that show whether they are as they were written.

Takes values; gives the text of a fact, and what is wrong with one. The seal is the sha256 of the fact without it, in
the one form in which facts are written, so that any other byte, lost or added, is found. It guards against accidents:
who may write to the registry can seal anew, and against them there is the signed checkpoint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.files import json_text, told_as, write_once

SEAL = "seal"


def sealed(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a fact with its seal as the last key; a seal that it had is made anew."""
    bare = {key: each for key, each in value.items() if key != SEAL}
    return {**bare, SEAL: f"sha256:{hashlib.sha256(_text(bare).encode()).hexdigest()}"}


def fact_text(value: Mapping[str, Any]) -> str:
    """Return the text of a fact, sealed."""
    return _text(sealed(value))


def seal_fault(raw: bytes) -> str:
    """Return what is wrong with the bytes of a sealed fact, in words; empty if they are as they were written."""
    try:
        value = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return "it is not JSON"
    if not isinstance(value, dict):
        return "it is no JSON object"
    if SEAL not in value:
        return "it has no seal"
    try:
        same = fact_text(value).encode() == raw
    except (UnicodeEncodeError, RecursionError):
        same = False
    return "" if same else "its seal does not fit: it was changed after it was written"


def write_fact(file: Path, value: Mapping[str, Any]) -> bool:
    """Write a fact, sealed and durably; say False if it was there already.

    Raises:
        RegistryError: it cannot be written, or another fact has its name.

    """
    text = fact_text(value)
    with told_as(RegistryError, "writing to the registry", file):
        if write_once(file, text):
            return True
        if file.read_bytes() == text.encode():
            return False
    raise RegistryError(
        "there is another fact of that name",
        where=file,
        hint="see what is wrong with it: factory registry verify",
    )


def _text(value: Mapping[str, Any]) -> str:
    text = json_text(value)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a pair of surrogates, which only an escape can write
        text = json.dumps(value, indent=2) + "\n"
    return text
