"""The published standards that documents are held to: ODPS 1.1.0 and ODCS 3.0 to 3.2.

Takes plain values; gives the faults that the official JSON schemas (Bitol, Linux Foundation; Apache-2.0)
find in them, in words for people; reads the schemas that lie in `factory/schemas/`.

The standard's text wins over its JSON schema where they differ: a column needs no `logicalType` (the schema
of 3.2.0 takes one without for a map), and in 3.0, whose schema lets unknown fields pass in many places, a field
that the standard does not have is a fault as well.
"""

from __future__ import annotations

import difflib
import functools
import itertools
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from factory.documents import Path_

ODPS = "odps-1.1.0.schema.json"
ODCS = "odcs-3.2.0.schema.json"

#: The schema of each version of ODCS that is read. 3.0.1 corrected the schema of 3.0.0.
ODCS_SCHEMAS = {
    "v3.0.0": "odcs-3.0.1.schema.json",
    "v3.0.1": "odcs-3.0.1.schema.json",
    "v3.0.2": "odcs-3.0.2.schema.json",
    "v3.1.0": "odcs-3.1.0.schema.json",
    "v3.2.0": ODCS,
}

#: The operators of ODCS quality rules.
OPERATORS = (
    "mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan",
    "mustBeLessOrEqualTo", "mustBeBetween", "mustNotBeBetween",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """A place in a document that its standard does not allow.

    Attributes:
        path: keys and indexes that lead to the place.
        message: what is wrong there.
        hint: what to do, or empty.
        code: names the kind of fault, for programs; docs/contracts.md lists them.
        severity: error or warning.
    """

    path: Path_
    message: str
    hint: str = ""
    code: str = "wrong-value"
    severity: str = "error"


def odps_faults(data: Any) -> tuple[Fault, ...]:
    """Return what ODPS 1.1.0 does not allow in a product's descriptor."""
    return _faults(ODPS, data)


def odcs_faults(data: Any, version: str = "v3.2.0") -> tuple[Fault, ...]:
    """Return what a version of ODCS, one of `ODCS_SCHEMAS`, does not allow in a contract."""
    return _faults(ODCS_SCHEMAS[version], data)


def schema(name: str) -> dict[str, Any]:
    """Return one of the JSON schemas that lie in `factory/schemas/`, as published."""
    text = resources.files("factory").joinpath("schemas", name).read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def spot(data: Any, path: Path_) -> str:
    """Return a place in a document for people, items by their names: `schema[orders].properties[amount].quality[0]`."""
    shown = ""
    for part in path:
        data = data[part] if _has(data, part) else None
        if isinstance(part, int):
            names = (data.get(key) for key in _NAMES) if isinstance(data, dict) else ()
            shown += f"[{next((name for name in names if isinstance(name, str) and name), part)}]"
        else:
            shown += f".{part}" if shown else str(part)
    return shown or "the document"


_NAMES = ("name", "property", "server", "username", "channel", "role")


def _has(data: Any, part: str | int) -> bool:
    if isinstance(part, int):
        return isinstance(data, list) and part < len(data)
    return isinstance(data, dict) and part in data


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that was probably meant, or an empty string; of very many, only those that look like it."""
    by_folded = {each.lower(): each for each in known}
    folded = word[:200].lower()
    likely: Collection[str] = by_folded
    if len(by_folded) > _MOST_COMPARED:
        alike = (each for each in by_folded if abs(len(each) - len(folded)) < 3 and each[:1] == folded[:1])
        likely = list(itertools.islice(alike, _MOST_COMPARED))
    found = difflib.get_close_matches(folded, likely, 1)
    return by_folded[found[0]] if found else ""


_MOST_COMPARED = 100


# The schema of 3.0 leaves these open; what is no field of theirs is a typo all the same.
_LEFT_OPEN = (
    "Server", "DataQuality", "SupportItem", "Pricing", "Team", "Role", "ServiceLevelAgreementProperty",
    "CustomProperty",
)  # fmt: skip


def is_pattern(text: str) -> bool:
    """Say whether a text is a regular expression, by ECMA-262 (as ODCS wants it) or as Python reads it."""
    from jsonschema_rs import Draft201909Validator

    if re.search(r"(?<!\\)\(\?P[<=>]", text):
        return False  # named groups as only Python has them
    try:
        Draft201909Validator({"pattern": text})
    except ValueError:
        try:
            re.compile(text)
        except (re.error, RecursionError, OverflowError):
            return False
    return True


@functools.cache
def _schema(name: str) -> dict[str, Any]:
    """Return a schema as documents are held to it."""
    found = schema(name)
    if name.startswith("odcs"):
        found["properties"]["description"]["unevaluatedProperties"] = False
    if name.startswith("odcs-3.0"):
        parts = [found["$defs"][part] for part in _LEFT_OPEN]
        parts.append(found["$defs"]["AuthoritativeDefinitions"]["items"])
        for part in parts:
            part["unevaluatedProperties"] = False
    return found


@functools.cache
def _validator(name: str) -> Any:
    from jsonschema_rs import Draft201909Validator

    return Draft201909Validator(_schema(name))


#: So many faults of one document are told; one with more has one cause.
_MOST_FAULTS = 1_000


def _faults(name: str, data: Any) -> tuple[Fault, ...]:
    if not isinstance(data, dict):
        return (
            Fault(
                (), "the file holds no mapping", "start with `apiVersion:` and `kind:`", code="not-a-contract"
            ),
        )
    validator = _validator(name)
    if validator.is_valid(data):
        return ()
    found = list(itertools.islice(_leaves(validator.iter_errors(data)), _MOST_FAULTS))
    found.sort(key=lambda error: [str(part) for part in error.instance_path])
    real = [error for error in found if not _says_too_much(error, data)]
    told: dict[Fault, None] = {}
    explained = _explained(found, name)
    for error in real:
        told |= dict.fromkeys(_in_words(error, data, name, explained))
    if told or len(real) < len(found) or all(e.kind.name == "unevaluatedProperties" for e in found):
        return tuple(told)
    return (Fault((), f"the document is not valid by {name}"),)


def _leaves(errors: Iterable[Any], depth: int = 0) -> Iterator[Any]:
    """Yield errors; of a choice, those of the branch that was meant."""
    for error in errors:
        branches = [branch for branch in getattr(error.kind, "context", None) or () if branch]
        meant = max(branches, key=_likeness, default=())
        here = list(error.instance_path)
        is_choice = error.kind.name in ("oneOf", "anyOf") and depth < 8
        if is_choice and meant and not all(_is_operator(e) for e in meant):
            if all(e.kind.name == "type" and list(e.instance_path) == here for e in meant):
                yield error
            else:
                yield from _leaves(meant, depth + 1)
        else:
            yield error


def _likeness(branch: Sequence[Any]) -> tuple[int, int, int]:
    """Return how likely a branch of a choice was meant: it fails further inside, and not by its type."""
    deepest = max(len(error.instance_path) for error in branch)
    types = sum(error.kind.name == "type" for error in branch)
    return deepest, -types, -len(branch)


def _is_operator(error: Any) -> bool:
    return error.kind.name == "required" and error.kind.property in OPERATORS


def _says_too_much(error: Any, data: Any) -> bool:
    """Say whether the schema complains of a column without a logical type as if it had each of them."""
    path = list(error.schema_path)
    if "SchemaBaseProperty" not in path or "then" not in path:
        return False
    column = data
    inside: Any = data
    for part in error.instance_path:
        inside = inside[part]
        if part in ("logicalTypeOptions", "map"):
            break
        if isinstance(inside, dict):
            column = inside
    return isinstance(column, dict) and "logicalType" not in column


def _in_words(error: Any, data: Any, name: str, explained: Collection[Path_]) -> Iterator[Fault]:
    path: Path_ = tuple(error.instance_path)
    here = spot(data, path)
    kind = error.kind
    match kind.name:
        case "additionalProperties" | "unevaluatedProperties":
            yield from _unknown_fields(error, here, (data, name), explained)
        case "required":
            # One typo, one fault: the unknown field is told with what was meant.
            if not _misspelled(error, kind.property, name):
                yield Fault(path, f"{here}: {kind.property!r} is missing", code="missing-field")
        case "enum" | "const":
            options = kind.options if kind.name == "enum" else [kind.expected_value]
            allowed = [str(value) for value in (options if isinstance(options, list) else [options])]
            near = nearest(str(error.instance), allowed)
            hint = f"did you mean {near!r}?" if near else f"allowed: {', '.join(allowed[:12])}"
            shown = _short(error.instance)
            yield Fault(
                path, f"{here}: {shown} is not one of the standard's values", hint, code="wrong-value"
            )
        case "type":
            wanted = kind.types if isinstance(kind.types, list) else [kind.types]
            yield _wrong_type(path, here, error.instance, [str(each) for each in wanted])
        case "oneOf" | "anyOf":
            yield _no_choice(error, path, here)
        case "not" | "falseSchema":
            yield Fault(path, f"{here}: this is not allowed here", _not_hint(path, error), code="not-allowed")
        case _:
            yield Fault(
                path, f"{here}: {_clipped(str(error.message))}", code=_CODES.get(kind.name, "wrong-value")
            )


_CODES = {"pattern": "wrong-form", "format": "wrong-form", "uniqueItems": "duplicate-value"}


def _wrong_type(path: Path_, here: str, value: Any, wanted: list[str]) -> Fault:
    words = " or ".join(_TYPES.get(each, each) for each in wanted)
    hint = ""
    if "string" in wanted and not isinstance(value, dict | list) and value is not None:
        hint = "put it in quotes"
    elif wanted == ["array"] and not isinstance(value, dict | list):
        hint = "write a list, each entry after a dash"
    return Fault(path, f"{here}: {_short(value)} is not {words}", hint, code="wrong-type")


_TYPES = {
    "string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false", "array": "a list",
    "object": "a mapping", "null": "null",
}  # fmt: skip


def _no_choice(error: Any, path: Path_, here: str) -> Fault:
    operators = [each for each in OPERATORS if isinstance(error.instance, dict) and each in error.instance]
    if "quality" in path and isinstance(error.instance, dict) and len(operators) > 1:
        # The standard's text permits several; its schema, and Bitol's own negative tests, one.
        message = f"{here}: the rule has several operators, {', '.join(operators)}"
        hint = "write a rule for each: the standard's JSON schema allows one"
        return Fault((*path, operators[1]), message, hint, code="several-operators")
    if "quality" in path and isinstance(error.instance, dict):
        hint = "add mustBe, mustBeLessThan, mustBeGreaterThan, mustBeBetween or one of their like"
        return Fault(path, f"{here}: the rule has no operator", hint, code="no-operator")
    kinds = [e.kind.types for branch in error.kind.context for e in branch if e.kind.name == "type"]
    wanted = [str(each) for kind in kinds for each in (kind if isinstance(kind, list) else [kind])]
    if wanted:
        return _wrong_type(path, here, error.instance, list(dict.fromkeys(wanted)))
    return Fault(path, f"{here}: {_clipped(str(error.message))}")


def _not_hint(path: Path_, error: Any) -> str:
    if "relationships" in path and isinstance(error.instance, dict) and "from" in error.instance:
        return "remove `from`: below a column it is the column itself"
    return ""


@functools.cache
def _options(name: str) -> dict[str, set[str]]:
    """Return each of the `logicalTypeOptions`, and the logical types that have it."""
    found: dict[str, set[str]] = {}
    for branch in _schema(name)["$defs"].get("SchemaBaseProperty", {}).get("allOf", ()):
        condition = json.dumps(branch.get("if", {}))
        options = branch.get("then", {}).get("properties", {}).get("logicalTypeOptions", {})
        for option in options.get("properties", {}):
            found.setdefault(option, set()).update(re.findall(r'"const": "(\w+)"', condition))
    return found


def _type_around(data: Any, path: Path_) -> str:
    """Return the logical type of the column whose options stand at a path."""
    for part in path[:-1]:
        data = data[part]
    return str(data.get("logicalType")) if isinstance(data, dict) else "this type"


def _unknown_fields(
    error: Any, here: str, document: tuple[Any, str], explained: Collection[Path_]
) -> Iterator[Fault]:
    data, name = document
    path: Path_ = tuple(error.instance_path)
    part = _part_of(error)
    known = _fields(name, part)
    for key in error.kind.unexpected:
        if key in known:
            # "Unevaluated" are also the fields around another fault: only that is worth telling. The schema of
            # 3.0 lets a field of another type pass.
            if path not in explained and not name.startswith("odcs-3.0"):
                yield _misplaced(path, key, here, error.instance)
            continue
        if path and path[-1] == "logicalTypeOptions" and key in _options(name):
            message = f"{here}: {key!r} is no option of {_type_around(data, path)}"
            hint = f"it is one of {', '.join(sorted(_options(name)[key]))}; an option of this type, or another type?"
            yield Fault((*path, key), message, hint, code="misplaced-field")
            continue
        near = nearest(key, known)
        newer = next((v for v in _newer(name) if key in _fields(ODCS_SCHEMAS[v], part)), "")
        if newer:
            hint = f"it came with {newer[1:]}: set `apiVersion: {newer}`"
        else:
            hint = f"did you mean {near!r}?" if near else "own fields belong in customProperties"
        yield Fault((*path, key), f"{here}: the standard has no field {key!r}", hint, code="unknown-field")


def _misplaced(path: Path_, key: str, here: str, instance: Any) -> Fault:
    """Return the fault of a field that the standard has, but not with this type."""
    kind = instance.get("logicalType") or instance.get("type") if isinstance(instance, dict) else None
    with_ = f" of type {kind!r}" if kind else ""
    message = f"{here}: {key!r} does not go with what is described here{with_}"
    return Fault((*path, key), message, "remove it, or correct the type", code="misplaced-field")


def _explained(errors: Iterable[Any], name: str) -> set[Path_]:
    """Return the places at or above a fault of their own: the schema then takes all their fields for unknown."""
    found: set[Path_] = set()
    for error in errors:
        path = tuple(error.instance_path)
        unevaluated = error.kind.name == "unevaluatedProperties"
        if not unevaluated or set(error.kind.unexpected) - _fields(name, _part_of(error)):
            found |= {path[:end] for end in range(len(path) + 1)}
    return found


def _misspelled(error: Any, missing: str, name: str) -> str:
    """Return the unknown key that stands where a needed one is missing and looks like it."""
    known = _fields(name, _part_of(error))
    unknown = [key for key in error.instance if key not in known] if isinstance(error.instance, dict) else []
    return nearest(missing, unknown)


def _newer(name: str) -> list[str]:
    versions = list(ODCS_SCHEMAS)
    at = max(
        (n for n, version in enumerate(versions) if ODCS_SCHEMAS[version] == name), default=len(versions)
    )
    return versions[at + 1 :]


def _part_of(error: Any) -> tuple[str, ...]:
    """Return where in the schema the part is that a fault is about."""
    path = [str(part) for part in error.schema_path][:-1]
    if "$defs" in path:
        path = path[len(path) - 1 - path[::-1].index("$defs") :]
    elif "ServerSource" in path:
        path = ["$defs", *path]
    # A branch that depends on a type belongs to the whole; its options stand on their own.
    if "allOf" in path and "properties" not in path[path.index("allOf") :]:
        path = path[: path.index("allOf")]
    return tuple(path)


@functools.cache
def _fields(name: str, part: tuple[str, ...]) -> frozenset[str]:
    """Return the fields that a part of a schema names, those of the parts that it is made of included."""
    node: Any = _schema(name)
    for step in part:
        node = node[int(step)] if isinstance(node, list) else node.get(step, {})
    return frozenset(_named(node, _schema(name), set()))


def _named(node: Any, root: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    if not isinstance(node, dict):
        return
    yield from node.get("properties", {})
    reference = str(node.get("$ref", ""))
    if reference and reference not in seen:
        seen.add(reference)
        target: Any = root
        for step in reference.removeprefix("#/").split("/"):
            target = target.get(step, {})
        yield from _named(target, root, seen)
    for key in ("allOf", "anyOf", "oneOf"):
        for branch in node.get(key, ()):
            yield from _named(branch, root, seen)
    for key in ("if", "then", "else"):
        yield from _named(node.get(key), root, seen)


def _short(value: Any) -> str:
    return _clipped(repr(value), 80)


def _clipped(text: str, most: int = 150) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
