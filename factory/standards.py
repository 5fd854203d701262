"""The published standards that documents are held to: ODPS 1.1.0 and ODCS 3.2.0.

Takes plain values; gives the faults that the official JSON schemas (Bitol, Linux Foundation; Apache-2.0)
find in them, in words for people; reads the schemas that lie in `factory/schemas/`.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

from factory.documents import Path_

ODPS = "odps-1.1.0.schema.json"
ODCS = "odcs-3.2.0.schema.json"


@dataclass(frozen=True, slots=True)
class Fault:
    """A place in a document that its standard does not allow.

    Attributes:
        path: keys and indexes that lead to the place.
        message: what is wrong there.
        hint: what to do, or empty.
    """

    path: Path_
    message: str
    hint: str = ""


def odps_faults(data: Any) -> tuple[Fault, ...]:
    """Return what ODPS 1.1.0 does not allow in a product's descriptor."""
    return _faults(ODPS, data)


def odcs_faults(data: Any) -> tuple[Fault, ...]:
    """Return what ODCS 3.2.0 does not allow in a contract."""
    return _faults(ODCS, data)


def schema(name: str) -> dict[str, Any]:
    """Return one of the JSON schemas that lie in `factory/schemas/`."""
    text = resources.files("factory").joinpath("schemas", name).read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@functools.cache
def _quick(name: str) -> Any:
    """Return the validator that only says yes or no, a hundred times as fast as the one that explains."""
    from jsonschema_rs import Draft201909Validator

    return Draft201909Validator(schema(name))


@functools.cache
def _validator(name: str) -> Any:
    from jsonschema import Draft201909Validator

    return Draft201909Validator(schema(name))


def _faults(name: str, data: Any) -> tuple[Fault, ...]:
    if not isinstance(data, dict):
        return (Fault((), "the file holds no mapping", "start with `apiVersion:` and `kind:`"),)
    if _quick(name).is_valid(data):
        return ()
    found = sorted(
        _validator(name).iter_errors(data), key=lambda e: ([str(p) for p in e.absolute_path], e.message)
    )
    # A value with a fault inside is "unevaluated" as a whole: only the inner fault is worth telling.
    inner = {tuple(e.absolute_path) for e in found if e.validator != "unevaluatedProperties"}
    errors = [
        e
        for e in found
        if e.validator != "unevaluatedProperties"
        or not any(path[: len(e.absolute_path)] == tuple(e.absolute_path) for path in inner)
    ]
    faults = tuple(dict.fromkeys(fault for error in errors for fault in _in_words(error)))
    return faults or (Fault((), f"the document is not valid by {name}"),)


def _in_words(error: Any) -> Iterator[Fault]:
    path: Path_ = tuple(error.absolute_path)
    spot = ".".join(str(part) for part in path) or "the document"
    if error.validator in ("additionalProperties", "unevaluatedProperties") and isinstance(
        error.instance, dict
    ):
        # The message names the keys at fault: ('domian' was unexpected)
        named = re.findall(r"'([^']*)'", error.message.rpartition("(")[2])
        known = _known_fields(error.schema)
        for key in [key for key in named if key in error.instance] or [""]:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else "own fields belong in customProperties"
            yield Fault((*path, key) if key else path, f"{spot}: the standard has no field {key!r}", hint)
    elif error.validator in ("oneOf", "anyOf") and "quality" in path:
        hint = "mustBe, mustNotBe, mustBeGreaterThan, mustBeLessThan, mustBeBetween and their like"
        yield Fault(path, f"{spot}: a rule needs exactly one operator", hint)
    elif error.validator == "required":
        yield Fault(path, f"{spot}: {error.message.replace(' is a required property', ' is missing')}")
    elif error.validator == "enum":
        allowed = [str(value) for value in error.validator_value]
        near = difflib.get_close_matches(str(error.instance), allowed, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(allowed[:12])}"
        yield Fault(path, f"{spot}: {error.instance!r} is not one of the standard's values", hint)
    else:
        text = error.message if len(error.message) < 160 else error.message[:150] + "…"
        quote = error.validator == "type" and error.validator_value == "string"
        plain = quote and not isinstance(error.instance, dict | list)
        yield Fault(path, f"{spot}: {text}", "put it in quotes" if plain else "")


def _known_fields(part: dict[str, Any]) -> list[str]:
    """Return the fields that a part of a schema names, those of the parts that it refers to included."""
    known = list(part.get("properties", {}))
    for name in (ODPS, ODCS):
        definitions = schema(name).get("$defs", {})
        for other in [*part.get("allOf", ()), {"$ref": part.get("$ref", "")}]:
            target = definitions.get(str(other.get("$ref", "")).rpartition("/")[2], {})
            known += target.get("properties", {})
            for deeper in target.get("allOf", ()):
                known += definitions.get(str(deeper.get("$ref", "")).rpartition("/")[2], {}).get(
                    "properties", {}
                )
    return known
