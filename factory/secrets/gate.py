"""The last gate: what is about to be published, or is, is looked through for secrets.

Takes places with their content; gives a `Leak` for each secret, with the place and never the secret; touches nothing.
What it finds: values of the run's variables that are secrets (see `variables`), as they are, in base64, in hexadecimal
or URL-encoded; tokens of known formats; URLs with a password; private keys; assignments of what looks like a secret.
"""

from __future__ import annotations

import bisect
import functools
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from factory.errors import LeakError
from factory.secrets.formats import Hit, hits_in
from factory.secrets.variables import BOUNDED, Secrecy, Variable, forms_of

MASK = "****"
_WIDTH = 80  # characters of an excerpt
_MOST = 5  # leaks that a refusal tells
_ROUNDS = 20_000  # of PBKDF2: a fingerprint in a log should not be a way to guess a short password
_PREFIX = re.compile(r"[A-Za-z]{2,6}[_-]|AKIA|ASIA|AIza|eyJ|-----BEGIN ")


@dataclass(frozen=True, slots=True)
class Place:
    """Something to look through.

    Attributes:
        where: what it is called: a file, or the document that is about to be written.
        text: its text; of values that have no text yet, empty.
        data: its values, if it is a document.
    """

    where: str
    text: str = ""
    data: Any = None


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret that stands where others can read it.

    Attributes:
        where: the file or document.
        line, column: where in its text, from 1; 0 where there is only a value.
        path: the field, such as `schema[0].properties[2].transformLogic`, or empty.
        kind: what it is.
        excerpt: the text around it, with every secret in it masked.
        fingerprint: what `secrets_allowed` may name, for a false alarm.
    """

    where: str
    line: int
    column: int
    path: str
    kind: str
    excerpt: str
    fingerprint: str

    @property
    def place(self) -> str:
        """Where it stands: `file:line:column (field)`, or `document: field`."""
        if not self.line:
            return f"{self.where}: {self.path}" if self.path else self.where
        return f"{self.where}:{self.line}:{self.column}" + (f" ({self.path})" if self.path else "")

    def words(self) -> str:
        """Return the leak as one line for people."""
        return f"{self.place} holds a secret: {self.kind}: {self.excerpt} [{self.fingerprint}]"

    def values(self) -> dict[str, Any]:
        """Return the leak for programs."""
        return {
            "where": self.where, "line": self.line, "column": self.column, "path": self.path, "kind": self.kind,
            "excerpt": self.excerpt, "fingerprint": self.fingerprint,
        }  # fmt: skip


class Gate:
    """Looks for the secrets of one run, and for any that it knows by their form."""

    def __init__(self, variables: Iterable[Variable] = (), allowed: Collection[str] = ()) -> None:
        self._allowed = frozenset(allowed)
        self._forms: dict[str, str] = {}
        for variable in variables:
            if variable.secrecy is Secrecy.SECRET:
                for form, how in forms_of(variable.value).items():
                    kind = f"value of the {variable.words}" + (f", {how}" if how else "")
                    self._forms.setdefault(form, kind)

    def look(self, places: Iterable[Place]) -> tuple[Leak, ...]:
        """Return the leaks in places, in their order; a secret that stands in one line twice is told once."""
        return tuple(leak for place in places for leak in self._leaks(place))

    def refuse(self, places: Iterable[Place]) -> None:
        """Refuse to publish what holds a secret.

        Raises:
            LeakError: something does; names each place.

        """
        refuse(self.look(places))

    def masked(self, text: str) -> str:
        """Return a text with every secret in it masked, of variables or of known formats, but for what is allowed."""
        for hit in reversed(self._hits(text)):
            secret = text[hit.start : hit.end]
            if fingerprint(secret) not in self._allowed:
                text = text[: hit.start] + masked(secret) + text[hit.end :]
        return text

    def _leaks(self, place: Place) -> Iterator[Leak]:
        told: set[tuple[int, str, str]] = set()
        known: set[str] = set()
        if place.data is not None:
            flat = _Flat(place.data)
            for hit in self._hits(flat.text):
                secret = flat.text[hit.start : hit.end]
                known.add(secret)
                yield from self._leak(place, flat, hit, secret, told)
        if place.text:
            for hit in self._hits(place.text):
                secret = place.text[hit.start : hit.end]
                if secret not in known:
                    yield from self._leak(place, None, hit, secret, told)

    def _leak(
        self, place: Place, flat: _Flat | None, hit: Hit, secret: str, told: set[tuple[int, str, str]]
    ) -> Iterator[Leak]:
        path = flat.path(hit.start) if flat is not None else ""
        line, column = _place_in(place.text, secret, hit.start if flat is None else -1)
        key = (line, path, secret)
        if key in told or fingerprint(secret) in self._allowed:
            return
        told.add(key)
        text = place.text if flat is None else flat.text
        yield Leak(place.where, line, column, path, hit.kind, self._excerpt(text, hit), fingerprint(secret))

    def _hits(self, text: str) -> list[Hit]:
        """Return what stands in a text, in its order; a variable's value says more than a form does."""
        found = [
            Hit(start, start + len(form), kind)
            for form, kind in self._forms.items()
            if form in text
            for start in occurrences(form, text)
        ]
        kept: list[Hit] = []
        for hit in sorted(found, key=lambda h: (h.start, -h.end)):
            if not kept or hit.start >= kept[-1].end:
                kept.append(hit)
        kept += [
            h
            for h in hits_in(text)
            if not any(h.start < k.end and k.start < h.end for k in kept[: len(found)])
        ]
        return sorted(kept, key=lambda h: h.start)

    def _excerpt(self, text: str, hit: Hit) -> str:
        """Return what stands around a hit in its line, with everything that looks like a secret masked."""
        first = max(text.rfind("\n", 0, hit.start) + 1, hit.start - 2 * _WIDTH)
        end = text.find("\n", hit.end)
        last = min(len(text) if end < 0 else end, hit.end + 2 * _WIDTH)
        shown, at, middle = "", first, 0
        # What is cut off could be recognised no longer, so that all of the line is looked at before.
        near = max(0, first - 4096)
        for each in self._hits(text[near : last + 4096]):
            start, stop = each.start + near, each.end + near
            if stop <= first or start >= last:
                continue
            if start <= hit.start < stop:
                middle = len(shown) + max(0, start - at)
            shown += text[at : max(at, start)] + masked(text[start:stop])
            at = max(at, stop)
        shown += text[at : max(at, last)]
        cut = shown[max(0, min(middle - _WIDTH // 2, len(shown) - _WIDTH)) :][:_WIDTH]
        return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", cut).split())


def refuse(leaks: Sequence[Leak]) -> None:
    """Refuse to publish what leaks were found in.

    Raises:
        LeakError: there is one; names the place of each.

    """
    if not leaks:
        return
    told = "; ".join(leak.words() for leak in leaks[:_MOST])
    more = f"; and {len(leaks) - _MOST} more" if len(leaks) > _MOST else ""
    raise LeakError(
        f"{told}{more}",
        hint="take it out where it comes from, and change it if others may have seen it; "
        "if it is no secret, put its [fingerprint] into secrets_allowed of [tool.factory]",
    )


class _Flat:
    """The texts in a document, a line each with its key before it, and where each stands."""

    def __init__(self, data: Any) -> None:
        lines, self._paths = [], []
        for path, key, value in _texts(data, "", ""):
            lines.append(f"{key}: {value}" if key else value)
            self._paths.append(path)
        self.text = "\n".join(lines)
        self._starts = [0, *accumulate(len(line) + 1 for line in lines)][:-1]

    def path(self, offset: int) -> str:
        """Return the field in which a place of the text lies."""
        return self._paths[bisect.bisect_right(self._starts, offset) - 1]


def _texts(value: Any, path: str, key: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, str):
        yield path, key, value
    elif isinstance(value, Mapping):
        named = value.get("property") or value.get("name")
        for name, each in value.items():
            inner = f"{path}.{name}" if path else str(name)
            # A value beside the name of what it is of: ODCS has `property` and `value`.
            called = str(named) if name == "value" and isinstance(named, str) else str(name)
            if isinstance(each, Mapping | list | tuple) and not isinstance(each, str):
                yield inner, "", str(name)
            yield from _texts(each, inner, called)
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from _texts(each, f"{path}[{number}]", key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, key, str(value)


def occurrences(form: str, text: str) -> Iterator[int]:
    """Yield where a value stands in a text; a short one only where no letter or digit joins it to something else."""
    start = text.find(form)
    while start >= 0:
        end = start + len(form)
        joined = (start and text[start - 1].isalnum()) or (end < len(text) and text[end].isalnum())
        if len(form) >= BOUNDED or not joined:
            yield start
        start = text.find(form, end)


def masked(secret: str) -> str:
    """Return what may be shown of a secret: what its format begins with, and nothing where it is short."""
    prefix = _PREFIX.match(secret)
    return (prefix[0] if prefix and len(secret) >= 20 else "") + MASK


@functools.lru_cache(1024)
def fingerprint(secret: str) -> str:
    """Return what names a secret without telling it: 16 hexadecimal digits of PBKDF2 with SHA-256."""
    raw = hashlib.pbkdf2_hmac(
        "sha256", secret.encode("utf-8", "surrogatepass"), b"data-product-factory", _ROUNDS, 8
    )
    return raw.hex()


def _place_in(text: str, secret: str, offset: int) -> tuple[int, int]:
    """Return line and column of a secret in a text; 0 where it does not stand there as it is."""
    if offset < 0:
        offset = text.find(secret) if text else -1
    if offset < 0:
        return 0, 0
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
