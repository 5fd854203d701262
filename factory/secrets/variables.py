"""Which variables of a run are secrets, by their name and their value, and in which forms a value may turn up.

Takes names and values; gives `Variable`s; touches nothing. The rules, in this order:

1. A value of fewer than 6 characters, a number, a date, a boolean, a version, or a common word is no secret: it stands
   in any text by chance, and nobody could tell the one from the other. Nor are fewer than 12 letters, all of one case.
2. A variable is a *secret* if its name says so (`NAMES`, or dbt's DBT_ENV_SECRET_), or if its value does: a known
   format of a token, or, of a variable that products name or that a person gave to the run, at least 16 characters of
   three kinds that look drawn by lot. Its value may stand nowhere.
3. An environment variable that products name in `env_var()` is *private* otherwise: its value is the machine's affair,
   and its name says more. It is replaced in SQL literals only; where people put it into a description, they meant to.
4. Any other variable of `--vars`, of the project or of a profile is *plain*: it belongs to the logic, and may be read.
"""

from __future__ import annotations

import base64
import binascii
import enum
import html
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

from factory.secrets.formats import is_random, is_token

#: Words in a variable's name that say that its value is a secret.
NAMES = frozenset(
    [
        "key", "keys", "apikey", "token", "tokens", "secret", "secrets", "password", "passwords", "passwd",
        "passphrase", "pwd", "pass", "credential", "credentials", "creds", "dsn", "auth", "authtoken",
        "pat", "salt", "cookie", "bearer", "signature", "sas"
    ]
)  # fmt: skip
#: Words at the end of a name that say that it only tells where or how a secret is kept.
_ABOUT = frozenset(
    [
        "file", "path", "dir", "name", "names", "type", "types", "url", "uri", "host", "port", "enabled",
        "length", "ttl", "expiry", "format", "algorithm", "column", "columns", "count", "field", "fields",
        "prefix", "suffix", "sock", "version", "mode", "method", "policy"
    ]
)  # fmt: skip
_DBT_SECRET = "DBT_ENV_SECRET"  # noqa: S105  (dbt's prefix, docs.getdbt.com/reference/dbt-jinja-functions/env_var)
SHORTEST, SHORTEST_WORD, SHORTEST_RANDOM, BOUNDED = 6, 12, 16, 12
_PLAIN = re.compile(
    r"[-+]?[\d.,_: ]+|\d{4}-\d\d-\d\d(?:[T ][\d:.+Z-]*)?|v?\d+(?:\.\d+)+\S{0,12}|\.{0,2}(?:/[a-z0-9_. -]+)+/?"
)
_COMMON = frozenset(
    [
        "password", "passwort", "changeme", "default", "example", "localhost", "postgres", "postgresql",
        "snowflake", "bigquery", "databricks", "redshift", "sqlserver", "production", "staging",
        "development", "integration", "warehouse", "analytics", "customer", "customers", "orders",
        "products", "unknown", "disabled", "enabled", "required", "optional", "anonymous", "readonly",
        "administrator", "test1234", "password1", "password123"
    ]
)  # fmt: skip


class Secrecy(enum.StrEnum):
    """How much of a variable may be read by others."""

    SECRET = "secret"  # noqa: S105
    PRIVATE = "private"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a run.

    Attributes:
        kind: `env`, `var`, or `profile` for what a profile or the settings hold in clear.
        name: what it is called.
        value: its value; never shown.
        secrecy: what may become of it.
    """

    kind: str
    name: str
    value: str
    secrecy: Secrecy

    @property
    def label(self) -> str:
        """What `secrets_allowed` calls it: `env:NAME`."""
        return f"{self.kind}:{self.name}"

    @property
    def words(self) -> str:
        """What it is, for people."""
        kinds = {"env": "environment variable", "var": "variable", "profile": "setting"}
        return f"{kinds[self.kind]} {self.name}"

    @property
    def call(self) -> str:
        """How dbt's Jinja reads it: what stands in the place of its value."""
        function = {"env": "env_var", "var": "var"}.get(self.kind, self.kind)
        return f"{{{{ {function}('{self.name}') }}}}"


def variables_of(
    environment: Mapping[str, str],
    named: Iterable[str],
    values: Mapping[str, Any],
    profile: Mapping[str, Any] | None = None,
    allowed: Iterable[str] = (),
) -> tuple[Variable, ...]:
    """Return what is known of a run's variables, longest value first; those that are plain are left out.

    Args:
        environment: the environment variables.
        named: those that the products' files name in `env_var()`, or the settings.
        values: `--vars`, and those of the project.
        profile: the target's output, as the settings have it.
        allowed: labels of variables that are no secrets (`env:NAME`).

    """
    named, allowed = set(named), set(allowed)
    found = []
    for name, value in environment.items():
        secrecy = secrecy_of(name, value, named=name in named, judged=name in named)
        found.append(Variable("env", name, value.strip(), secrecy))
    for kind, tree in (("var", values), ("profile", profile or {})):
        for name, text in _leaves(tree):
            found.append(Variable(kind, name, text.strip(), secrecy_of(name, text)))
    kept = {each for each in found if each.secrecy is not Secrecy.PLAIN and each.label not in allowed}
    return tuple(sorted(kept, key=lambda v: (-len(v.value), v.kind, v.name, v.value)))


def secrecy_of(name: str, value: str, *, named: bool = False, judged: bool = True) -> Secrecy:
    """Return how much of a variable may be read by others.

    Args:
        name: what it is called.
        value: its value.
        named: it is one of the environment that products name.
        judged: its value counts if it looks drawn by lot. That of a variable which has nothing to do with the run does
            not: a machine has many, such as the user's name, that may well stand in a contract.

    """
    value = value.strip()
    if _is_common(value):
        return Secrecy.PLAIN
    if says_secret(name) or is_token(value) or (judged and is_drawn(value)):
        return Secrecy.SECRET
    return Secrecy.PRIVATE if named else Secrecy.PLAIN


def says_secret(name: str) -> bool:
    """Say whether a variable's name says that its value is a secret."""
    if name.upper().startswith(_DBT_SECRET):
        return True
    parts = [p.lower() for p in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    return bool(NAMES.intersection(parts)) and not (parts and parts[-1] in _ABOUT)


def is_drawn(text: str) -> bool:
    """Say whether a text looks drawn by lot: 16 characters or more without a space, of three kinds, and few twice."""
    if len(text) < SHORTEST_RANDOM or re.search(r"\s|://|[\\/].*[\\/]", text):
        return False
    kinds = sum(bool(re.search(kind, text)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return kinds == 3 and entropy(text) >= 3.5 and is_random(text)


def entropy(text: str) -> float:
    """Return Shannon's entropy of a text's characters, in bits per character."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values()) if size else 0.0


def _is_common(value: str) -> bool:
    if len(value) < SHORTEST or _PLAIN.fullmatch(value) or value.lower() in _COMMON:
        return True
    return len(value) < SHORTEST_WORD and value.isalpha() and (value.islower() or value.isupper())


def _leaves(tree: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _leaves(value, str(key) if not name or name.isdigit() else f"{name}.{key}")
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _leaves(value, name)
    elif isinstance(tree, str) and "{{" not in tree:
        yield name, tree


def forms_of(value: str) -> dict[str, str]:
    """Return the forms in which a value may turn up, with what each is called; the value itself is called nothing.

    A value of several lines counts by each of its lines that is long enough to be told.
    """
    forms = {value: ""}
    for line in value.splitlines():
        if len(line.strip()) >= SHORTEST_RANDOM:
            forms.setdefault(line.strip(), "")
    for text in list(forms):
        raw = text.encode("utf-8", "surrogateescape")
        for written in (
            text.replace("'", "''"),
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
        ):
            forms.setdefault(written, "")
        forms.setdefault(html.escape(text), "as HTML")
        for written in (quote(raw, safe=""), quote_plus(raw), quote(raw)):
            forms.setdefault(written, "URL-encoded")
            forms.setdefault(re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), written), "URL-encoded")
        forms.setdefault(binascii.hexlify(raw).decode(), "in hexadecimal")
        for core in _base64_cores(raw):
            forms.setdefault(core, "in base64")
            forms.setdefault(core.translate(str.maketrans("+/", "-_")), "in base64")
    return forms


def _base64_cores(raw: bytes) -> Iterator[str]:
    """Yield what stands in the base64 of any text around some bytes, for each of the three ways to lie in it."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        first = -(-offset * 8 // 6)
        last = (offset + len(raw)) * 8 // 6
        if last - first >= SHORTEST + 1:
            yield encoded[first:last]
