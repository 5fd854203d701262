"""Formats of tokens, and assignments of what looks like a secret: where in a text they stand.

Takes a text; gives places in it; reads `formats.txt` beside this module, once. A format is looked for only where a text
that stands in each of its tokens is there at all, which is ten times as fast as one expression over all of them.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("formats.txt")
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_LONG_USER = 16  # characters
_FEWEST_BITS = 2.5  # per character: below that, a few characters are repeated
_ALNUM = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True, slots=True)
class Format:
    """A format of tokens.

    Attributes:
        name: what they are.
        anchors: texts of which one stands in each, as far as case goes, too.
        pattern: the token, or, `near` a name, its value.
        source: who says so.
        near: it is the value of something with this word (and one for a secret) in its name.
    """

    name: str
    anchors: tuple[str, ...]
    pattern: re.Pattern[str]
    source: str
    near: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """What looks like a secret: from where to where in a text, and of what kind."""

    start: int
    end: int
    kind: str


@functools.cache
def formats() -> tuple[Format, ...]:
    """Return all formats."""
    found = []
    for line in _FILE.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, anchors, pattern, source = re.split(r" \| ", line)
            pattern = pattern.replace("\\|", "|")
            near = anchors.startswith("~")
            if near:
                anchors = " ".join((anchors[1:], anchors[1:].upper(), anchors[1:].capitalize()))
                pattern = _near(pattern)
            found.append(Format(name, _anchors(anchors), re.compile(pattern), source, near))
    return tuple(found)


def _anchors(text: str) -> tuple[str, ...]:
    return tuple(each.replace("\\ ", " ") for each in re.split(r"(?<!\\) ", text))


def _near(value: str) -> str:
    """Return the pattern of a value that is assigned to something with a word for a secret in its name."""
    means = "key|token|secret|passw|auth|cred|api|iam|dsn"
    return (
        rf"(?=(?i:[\w.\- ]{{0,60}}?(?:{means})))[\w.\- ]{{0,60}}[\"']?\s{{0,2}}(?::=|=>|=|:)\s{{0,2}}[\"']?"
        rf"(?P<secret>{value})"
    )


# The name of something ends in a word for a secret, and a value follows: `password = '...'`, `"api_key": "..."`,
# SQL's `secret '...'`, a command's `--token ...`, a query's `?access_token=...`.
_WORDS = ("password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "key", "connection_string", "connection-string", "connectionstring", "identified by", "dsn")  # fmt: skip  # noqa: E501
_KEYS = re.compile(r"(?:api|access|secret|private|account|encryption|signing|auth|shared)[_-]?\Z")
_ASSIGNED = re.compile(
    r"s?(?:[\"'\]]?\s{0,3}(?::=|=>|==|=|:)\s{0,3}|\s{1,3}(?=['\"]))"
    r"[\"']?(?P<secret>[^\s'\"<>(),;]{8,200})"
)
_OPTION = re.compile(r"--(?:password|token|secret|api-key)[ =](?P<secret>[^\s'\"<>(),;]{8,200})")
_BEARER = re.compile(r"\b(?:[Bb]earer|[Bb]asic) (?P<secret>[\w.~+/-]{16,}={0,2})")
_IN_URL = re.compile(r"://(?P<user>[^\s/@:'\"<>]{0,100}):(?P<secret>[^\s/@'\"<>]{3,200})@")
_USER_IN_URL = re.compile(r"://(?P<secret>[^\s/@:'\"<>?]{16,200})@")
_PLACEHOLDER = re.compile(
    r"[*x•.#]{3,}|\$\{?[\w:-]+\}?|\{[^}]*\}{0,2}|<[^>]*>?|%\w+%|%\(?\w*\)?s|\[[^\]]*\]?"
    r"|[A-Za-z_-]*(?:password|passwd|example|placeholder|redacted|masked|changeme|change_me|your|dummy|secret|token"
    r"|pass|pwd)[A-Za-z_-]*\d{0,4}",
    re.IGNORECASE,
)
_HEX_OR_UUID = re.compile(r"(?:sha\d+[:-])?(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)  # fmt: skip  # noqa: E501
# Letters with up to four digits behind them, and marks between: names of things, paths, versions, moments.
_NAMES = re.compile(r"_*[A-Za-z]+\d{0,4}(?:[_.\-:/ ][A-Za-z]*\d{0,4})*|urn:\S+|https?://\S+|[\d.,:+TZ-]+")


def hits_in(text: str) -> list[Hit]:
    """Return what looks like a secret in a text, in its order; one that lies in another is left out."""
    found = [hit for format_ in formats() if _is_there(format_, text) for hit in _tokens(format_, text)]
    found += _urls(text)
    found += _assignments(text)
    kept: list[Hit] = []
    # A format says more than an assignment, so that it comes first where both begin at one place.
    for hit in sorted(found, key=lambda h: (h.start, -h.end)):
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return kept


@functools.lru_cache(4096)
def is_token(text: str) -> bool:
    """Say whether a text is a token of a known format, or a URL with a password in it."""
    hits = [h for f in formats() if not f.near and _is_there(f, text) for h in _tokens(f, text)]
    return bool(hits or list(_urls(text)))


def _is_there(format_: Format, text: str) -> bool:
    return any(anchor in text for anchor in format_.anchors)


def _tokens(format_: Format, text: str) -> Iterator[Hit]:
    for found in _found(format_, text):
        start, end = found.span("secret") if format_.near else found.span()
        token = text[start:end]
        joined = start and text[start - 1] in _ALNUM and token[0] in _ALNUM and not _escaped(text, start)
        if joined or (end < len(text) and text[end] in _ALNUM and token[-1] in _ALNUM):
            continue
        # What permits `_` and `-` could be a name in words.
        loose = "\\w" in format_.pattern.pattern
        if "PRIVATE KEY" in token or (_varies(token) if loose else _bits(token) >= _FEWEST_BITS):
            yield Hit(start, end, format_.name)


def _found(format_: Format, text: str) -> Iterator[re.Match[str]]:
    if not format_.near:
        yield from format_.pattern.finditer(text)
        return
    for word in format_.anchors:
        for start in _places(word, text):
            if found := format_.pattern.match(text, start):
                yield found


def _places(word: str, text: str) -> Iterator[int]:
    start = text.find(word)
    while start >= 0:
        yield start
        start = text.find(word, start + len(word))


def _escaped(text: str, start: int) -> bool:
    r"""Say whether the character before is the letter of an escape: `\n`, `%3D`."""
    return bool(re.search(r"\\[ntr]$|%[0-9A-Fa-f]{2}$", text[max(0, start - 3) : start]))


def _urls(text: str) -> Iterator[Hit]:
    if "://" not in text or "@" not in text:
        return
    for found in _IN_URL.finditer(text):
        if not _PLACEHOLDER.fullmatch(found["secret"]):
            # A long user is half of the secret.
            first = found.start("user" if len(found["user"]) >= _LONG_USER else "secret")
            yield Hit(first, found.end("secret"), "URL with a password")
    for found in _USER_IN_URL.finditer(text):
        secret = found["secret"]
        if not _PLACEHOLDER.fullmatch(secret) and _varies(secret) and not _NAMES.fullmatch(secret):
            yield Hit(*found.span("secret"), "URL with a token")


def _assignments(text: str) -> Iterator[Hit]:
    for found in _assigned(text):
        if is_random(found["secret"]):
            yield Hit(*found.span("secret"), "assignment of what looks like a secret")


def _assigned(text: str) -> Iterator[re.Match[str]]:
    lower = text.lower()
    if len(lower) != len(text):  # a letter that is two in lower case: places would not be the same
        lower = text.translate(_LOWER)
    for word in _WORDS:
        for start in _places(word, lower):
            if word == "key" and not _KEYS.search(lower, max(0, start - 12), start):
                continue
            if found := _ASSIGNED.match(text, start + len(word)):
                yield found
    if "--" in text:
        yield from _OPTION.finditer(text)
    if "earer " in text or "asic " in text:
        yield from _BEARER.finditer(text)


def is_random(value: str) -> bool:
    """Say whether an assigned value is no name, number, hash, id or placeholder: letters and digits in disorder."""
    value = value.rstrip(".:`\\")
    if len(value) < 8 or _PLACEHOLDER.fullmatch(value) or _HEX_OR_UUID.fullmatch(value):
        return False
    if _NAMES.fullmatch(value) and not _is_mixed(value):
        return False
    return _varies(value) and bool(re.search(r"[A-Za-z]", value))


def _varies(text: str) -> bool:
    """Say whether a text has a digit, or letters of both cases in disorder, and more than a few characters."""
    return _bits(text) >= _FEWEST_BITS and (any(char.isdigit() for char in text) or _is_mixed(text))


def _is_mixed(text: str) -> bool:
    """Say whether letters change their case as often as if drawn by lot, which those of `customerOrderId` do not."""
    return sum(a.isupper() != b.isupper() for a, b in itertools.pairwise(text)) >= 0.42 * len(text) > 3


def _bits(text: str) -> float:
    """Return Shannon's entropy of a text's characters, in bits per character."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())
