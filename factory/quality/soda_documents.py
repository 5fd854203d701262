"""Write a check as the SodaCL that is given to Soda: one document for each check.

Takes a check as it was read; gives YAML in which variables have their values, every name is quoted, filters stand
in brackets, and nothing asks for samples of rows. So one check's words cannot change another's, and what Soda
says of a document belongs to one check.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from factory.contract.sodacl import Check, substitute
from factory.contract.sodacl_text import RefusedError, bare, quoted_name, quoted_text, refuse_check
from factory.documents import dump_yaml, read_text
from factory.errors import QualityError

# What is for people, for Soda's service, or for samples of rows.
_LEFT_OUT = ("name", "attributes", "identity", "samples limit", "samples columns", "failed rows query")
_EACH = "factory_dataset"
_EXACT_NAMES = ("when forbidden column present", "when forbidden group present")


def document_of(check: Check, variables: Mapping[str, str]) -> str:
    """Return a check as a document of its own, with the dataset filters it uses.

    Raises:
        QualityError: a variable has no value, a query's file is not there, or a value makes it unreadable.

    """
    text: str = valued(check, check.text, variables)
    options = valued(check, _with_queries(check), variables)
    try:
        refuse_check(text, options)
    except RefusedError as error:
        raise _error(check, error.message, error.hint) from error
    body = _body(text, options)
    if check.alias:
        return dump_yaml({f"for each dataset {_EACH}": {"datasets": list(check.datasets), "checks": [body]}})
    if not check.table:
        return dump_yaml({"checks": [body]})
    table = quoted_name(valued(check, check.table, variables))
    document: dict[str, Any] = {}
    heading = f"checks for {table}"
    if check.partition:
        name = _filter(check, bare(table), check.partition, variables, document)
        heading += f" [{name}]"
    if found := re.fullmatch(r"row_count same as (\S+|\"[^\"]+\") \[(.+)\]", text.strip()):
        name = _filter(check, bare(found[1]), found[2], variables, document)
        body = f"row_count same as {quoted_name(found[1])} [{name}]"
    return dump_yaml(document | {heading: [body]})


def configurations_of(checks: Iterable[Check], variables: Mapping[str, str]) -> str:
    """Return the configurations of columns of all files as one document, or nothing; the last one counts."""
    found: dict[str, dict[str, Any]] = {}
    for check in checks:
        for table, stated in check.configurations.items():
            section = found.setdefault(f"configurations for {quoted_name(table)}", {})
            for key, value in stated.items():
                what, _, column = str(key).partition(" for ")
                section[f"{what} for {quoted_name(column.strip())}"] = valued(check, value, variables)
    return dump_yaml(found) if found else ""


def valued(check: Check, value: Any, variables: Mapping[str, str]) -> Any:
    """Return a value in which every variable is replaced; the name for each table is left to Soda."""
    if isinstance(value, dict):
        return {valued(check, k, variables): valued(check, v, variables) for k, v in value.items()}
    if isinstance(value, list):
        return [valued(check, item, variables) for item in value]
    if not isinstance(value, str):
        return value
    # Soda would look for the name in the environment first.
    each = {check.alias: f"${{{_EACH}}}"} if check.alias else {}
    known = {**check.variables, **variables, **each}
    # A value may use another variable, as in Soda.
    text, missing = substitute(value, {name: substitute(v, known)[0] for name, v in known.items()})
    if missing:
        hint = f"give it one with `--vars '{{{missing}: ...}}'`, or in the file: `variables:` with `{missing}: ...`"
        raise _error(check, f"the variable `{missing}` has no value", hint)
    return text


def _filter(
    check: Check, table: str, name: str, variables: Mapping[str, str], document: dict[str, Any]
) -> str:
    """Put a dataset filter into a document; it is called after its condition, so that none hides another."""
    stated = check.filters.get((table, name))
    if stated is None:
        hint = f"declare it in this file: `filter {table} [{name}]:` with `where:`"
        raise _error(check, f"the filter `{name}` of {table} is not declared", hint)
    where = f"({valued(check, stated, variables).strip()}\n)"
    called = "filter_" + hashlib.sha256(where.encode()).hexdigest()[:10]
    document[f"filter {quoted_name(table)} [{called}]"] = {"where": where}
    return called


def _with_queries(check: Check) -> dict[str, Any]:
    """Return a check's options with the text of the files that hold its queries."""
    options: dict[str, Any] = {}
    for key, value in check.options.items():
        if not str(key).endswith(" sql_file"):
            options[str(key)] = value
            continue
        folder = check.rule.file.parent
        file = (folder / str(value)).resolve()
        if not file.is_relative_to(folder.resolve()):
            raise _error(
                check, f"`{key}: {value}` is outside of the folder of the checks", "move the file there"
            )
        options[str(key).removesuffix(" sql_file") + " query"] = read_text(file)
    return options


def _body(text: str, options: Mapping[str, Any]) -> Any:
    kept = {key: value for key, value in options.items() if key not in _LEFT_OUT}
    for key, value in kept.items():
        # In brackets of its own, so that neither `or` nor a comment reaches beyond it.
        if isinstance(value, str) and (key in ("filter", "fail condition") or key.endswith(" expression")):
            kept[key] = f"({value.strip()}\n)"
    for key in ("fail query", *(key for key in kept if key.endswith(" query"))):
        if isinstance(kept.get(key), str):
            kept[key] = kept[key].strip().rstrip(";")
    for zone in ("warn", "fail"):
        if isinstance(kept.get(zone), dict):
            kept[zone] = {key: _exact(key, value) for key, value in kept[zone].items()}
    if text.strip() == "group by" and isinstance(kept.get("checks"), list):
        kept["checks"] = [_named(check) for check in kept["checks"]]
    return {quoted_text(text): kept} if kept else quoted_text(text)


def _exact(key: str, value: Any) -> Any:
    """Return forbidden names as Soda's patterns: the whole name has to match, `%` and `*` stand for any text."""
    if key not in _EXACT_NAMES or not isinstance(value, list):
        return value
    as_pattern: Callable[[str], str] = lambda name: "".join(  # noqa: E731
        "%" if sign in "%*" else re.escape(sign) for sign in name
    )
    return [as_pattern(name) + "$" if isinstance(name, str) else name for name in value]


def _named(check: Any) -> Any:
    """Return a check of groups with the name that Soda insists on."""
    text, options = next(iter(check.items())) if isinstance(check, dict) else (check, {})
    kept = (
        {k: v for k, v in (options or {}).items() if k not in _LEFT_OUT} if isinstance(options, dict) else {}
    )
    return {text: {**kept, "name": str(text)}}


def _error(check: Check, message: str, hint: str) -> QualityError:
    file: Path = check.rule.file
    return QualityError(message, where=file, line=check.rule.line, hint=hint)
