"""The veil: values of variables in texts that are made of them are replaced by the variables' names.

Takes texts and values; gives them with `{{ env_var('NAME') }}` in the place of what that variable held; touches
nothing. Secrets (see `variables`) are replaced wherever they stand, in every form; private values only in literals of
SQL. What is replaced once is not looked at again, so that a veiled text comes out as it went in, and the same variables
give the same bytes.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from factory.secrets.variables import BOUNDED, Secrecy, Variable, forms_of

T = TypeVar("T")
_PLACEHOLDER = r"\{\{ (?:env_var|var|profile)\('[^']*'\) \}\}"
_LITERAL = re.compile(r"'(?:[^']|'')*'")
#: Fields of a contract that are made from SQL, or by a machine from what dbt rendered.
MADE = frozenset(["transformLogic", "relationName", "constraints", "expression"])
#: Of a rule, what is run again from the contract: a name in it would break it, so that the gate has to refuse a secret.
_RUN = frozenset(["query", "implementation"])


class Veil:
    """Replaces the values of a run's variables."""

    def __init__(self, variables: Iterable[Variable] = ()) -> None:
        variables = tuple(variables)
        self._calls: dict[str, str] = {}
        self._private: dict[str, str] = {}
        for variable in variables:
            if variable.secrecy is Secrecy.SECRET:
                for form in forms_of(variable.value):
                    self._calls.setdefault(form, variable.call)
            elif variable.secrecy is Secrecy.PRIVATE:
                self._private.setdefault(variable.value.replace("'", "''"), variable.call)
        self._secret = _expression(self._calls)
        self._literal = _expression(self._private, apart=True)

    def text(self, text: str) -> str:
        """Return a text with every secret of the run replaced."""
        return _replaced(self._secret, self._calls, text)

    def sql(self, text: str) -> str:
        """Return SQL with every secret of the run replaced, and private values where they stand in literals."""
        text = self.text(text)
        if self._literal is None or "'" not in text:
            return text
        # A name that was put in holds quotes of its own: it is no literal.
        parts = re.split(f"({_PLACEHOLDER})", text)
        if len(parts) > 1:
            marks = {f"\0{n}\0": part for n, part in enumerate(parts) if n % 2}
            text = "".join(f"\0{n}\0" if n % 2 else part for n, part in enumerate(parts))
        else:
            marks = {}
        text = _LITERAL.sub(lambda found: _replaced(self._literal, self._private, found[0]), text)
        for mark, part in marks.items():
            text = text.replace(mark, part)
        return text

    def over(self, value: T) -> T:
        """Return a value with every secret of the run replaced in its texts: mappings, lists, tuples, dataclasses."""
        return value if self._secret is None else cast(T, self._over(value))

    def _over(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value) if type(value) is str else value
        if isinstance(value, Mapping):
            return {key: self._over(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._over(each) for each in value]
        if isinstance(value, tuple) and type(value) is tuple:
            return tuple(self._over(each) for each in value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type | Path):
            changed = {
                field.name: after
                for field in dataclasses.fields(value)
                if field.init and (after := self._over(before := getattr(value, field.name))) != before
            }
            return dataclasses.replace(value, **changed) if changed else value
        return value

    def document(self, data: T) -> T:
        """Return a contract with the values of variables replaced in what is made from SQL, and secrets in its rules.

        What people wrote themselves stays: a secret in it is theirs to take out, and the gate names the place.
        """
        if self._secret is None and self._literal is None:
            return data
        return cast(T, self._document(data, _same))

    def _document(self, value: Any, veil: Callable[[str], str]) -> Any:
        if isinstance(value, str):
            return veil(value)
        if isinstance(value, Mapping):
            made = value.get("property") in MADE
            return {
                key: self._document(each, self.sql if made or key in MADE else self._of(str(key), veil))
                for key, each in value.items()
            }
        if isinstance(value, list):
            return [self._document(each, veil) for each in value]
        return value

    def _of(self, key: str, around: Callable[[str], str]) -> Callable[[str], str]:
        """Return what is done to the texts below a key of a contract."""
        return self.text if key == "quality" else _same if key in _RUN else around


def _same(text: str) -> str:
    return text


def _expression(calls: Mapping[str, str], *, apart: bool = False) -> re.Pattern[str] | None:
    """Return what finds values, longest first, and passes over what was replaced already.

    Short values, or all if they are to stand `apart`, count only where no letter or digit joins them to something else.
    """
    if not calls:
        return None
    ordered = sorted(calls, key=lambda form: (-len(form), form))
    words = [
        rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])"
        if apart or len(form) < BOUNDED
        else re.escape(form)
        for form in ordered
    ]
    return re.compile("|".join((_PLACEHOLDER, *words)))


def _replaced(expression: re.Pattern[str] | None, calls: Mapping[str, str], text: str) -> str:
    if expression is None or not any(form in text for form in calls):
        return text
    return expression.sub(lambda found: calls.get(found[0], found[0]), text)
