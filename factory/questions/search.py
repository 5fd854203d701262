"""Search by words over what is published.

Takes words; gives products, the best first; reads the registry file, and the current contracts once each: the words of
their columns are kept in `target/<target>/search.json` by the hash of the contract, which is made anew where it is
missing or out of date.

Every word has to be somewhere in a product: a word of a name counts more than one of a description (`WEIGHTS`), a whole
word more than the beginning of one. A word that nobody has is taken for those that differ by one letter. What is
active and certified comes before what is deprecated, retired or yanked.
"""

from __future__ import annotations

import contextlib
import difflib
import heapq
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from factory.documents import read_yaml
from factory.errors import DocumentError, RegistryError
from factory.files import json_text, within, write_whole
from factory.questions.tables import table
from factory.registry import Registry, read_index
from factory.registry.store import Place
from factory.workspace import Workspace

#: How much a whole word counts, by where it stands.
WEIGHTS = {
    "name": 10.0, "title": 6.0, "tags": 5.0, "contracts": 5.0, "tables": 5.0, "summary": 3.0, "columns": 3.0,
    "domain": 3.0, "people": 2.0, "descriptions": 1.0,
}  # fmt: skip
_BEGINNING, _TYPO = 0.7, 0.4
_TEXTS = ("name", "title", "summary", "domain")
#: Fields that the cache has words of.
_KEPT = ("tables", "columns", "descriptions")
_NAMED = ("tags", "contracts", "tables", "columns")
CACHE_FILE = "search.json"
_CACHE_VERSION = 1
_SECONDS = 3.0  # for contracts that were not read before; the others wait for the next search
_LOOKED_AT = 60
_SHORTEST_TYPO, _MOST_TYPOS = 4, 6
_RECORD, _BETWEEN = "\x01", " \x01 "
_TO_WORDS = bytes(c if chr(c).isalnum() or c >= 128 or c == 1 else 32 for c in range(256))


@dataclass(frozen=True, slots=True)
class Hit:
    """A product that was found.

    Attributes:
        entry: its registry entry.
        score: how well the words fit.
        where: where each word is: the field, and the name it is in, for fields of names.
        is_certified: one of its contracts has a certificate that holds.
        standing: `active`, or the reason why it comes later: draft, deprecated, retired, yanked.
    """

    entry: Mapping[str, Any]
    score: float
    where: tuple[str, ...]
    is_certified: bool
    standing: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        words: what was looked for.
        hits: the best, in their order.
        total: how many there are.
        taken_for: for words that nobody has, those that were looked for in their place.
        near: where nothing was found, words that are near.
        unread: how many contracts were not looked into for their columns yet.
    """

    words: tuple[str, ...]
    hits: tuple[Hit, ...]
    total: int
    taken_for: Mapping[str, tuple[str, ...]]
    near: tuple[str, ...]
    unread: int


def search(ws: Workspace, text: str, now: datetime, limit: int = 20, *, everything: bool = False) -> Found:
    """Return the products that have all words of a text.

    Args:
        ws: the workspace.
        text: the words.
        now: the moment that certificates must hold at.
        limit: how many products.
        everything: also what is yanked or retired as a whole.

    Raises:
        RegistryError: the registry file cannot be read.

    """
    entries = [
        e for e in read_index(ws)["products"] if everything or standing_of(e) not in ("yanked", "retired")
    ]
    columns, unread = column_words(ws, entries)
    found = find(Corpus(entries, columns), text)
    best = heapq.nsmallest(max(_LOOKED_AT, limit), found.ranks, key=lambda rank: rank[:3])
    hits = []
    for _, score, _, number in best:
        entry = entries[number]
        where = found.where(number)
        hits.append(Hit(entry, -score, where, _is_certified(ws, entry, now), standing_of(entry)))
    hits.sort(key=lambda hit: (_LAST.get(hit.standing, 0), not hit.is_certified))
    return Found(found.words, tuple(hits[:limit]), len(found.ranks), found.taken_for, found.near, unread)


_LAST = {"draft": 1, "proposed": 1, "deprecated": 2, "retired": 3, "yanked": 3}


def standing_of(entry: Mapping[str, Any]) -> str:
    """Return how a product stands as a whole: as the best of its contracts does."""
    found = ["yanked" if c.get("yanked") else str(c["status"]) for c in entry["contracts"]] or [
        entry["status"]
    ]
    return min(found, key=lambda status: _LAST.get(status, 0))


def _is_certified(ws: Workspace, entry: Mapping[str, Any], now: datetime) -> bool:
    registry, place = Registry(ws), Place(entry["domain"], entry["name"])
    moments = (registry.expires(place, c["name"], c["version"]) for c in entry["contracts"])
    return any(moment is not None and moment > now for moment in moments)


# The words


class Corpus:
    """The words of products, field by field."""

    def __init__(
        self, entries: Sequence[Mapping[str, Any]], columns: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        """Take registry entries, and of each contract by its hash the names and descriptions in it."""
        self.entries = entries
        self.columns = columns or {}
        self.lines = {field: self._lines(field) for field in WEIGHTS}

    def _lines(self, field: str) -> list[str]:
        """Return the words of a field, product by product, with a blank before and behind each."""
        kept = self._kept(field) if field in _KEPT else []
        if kept and field != "tables":
            return kept
        texts = self._texts(field)
        lines = _words(f" {_BETWEEN.join(texts)} ").split(_RECORD)
        if len(lines) != len(texts):  # a text has the mark between texts in it
            lines = [_words(f" {text} ".replace(_RECORD, " ")) for text in texts]
        return [line + more for line, more in zip(lines, kept, strict=True)] if kept else lines

    def _kept(self, field: str) -> list[str]:
        """Return the words that the cache has of a field, product by product."""
        words = {sha256: each["words"][field] for sha256, each in self.columns.items()}
        return [
            words.get(contracts[0]["sha256"], "")
            if len(contracts) == 1
            else "".join([words.get(contract["sha256"], "") for contract in contracts])
            for contracts in [entry["contracts"] for entry in self.entries]
        ]

    def _texts(self, field: str) -> list[str]:
        if field in _TEXTS:
            return [str(entry[field]) for entry in self.entries]
        if field == "tables":
            return [
                " ".join([port["table"] for c in entry["contracts"] for port in c["ports"]])
                for entry in self.entries
            ]
        return [" ".join(self.values(entry, field)) for entry in self.entries]

    def values(self, entry: Mapping[str, Any], field: str) -> list[str]:
        """Return the texts that a field of a product has."""
        if field in _TEXTS:
            return [str(entry[field])]
        if field == "people":
            return [str(entry["owner"]), str(entry["team"])]
        if field == "tags":
            return [str(tag) for tag in entry["tags"]]
        contracts = entry["contracts"]
        if field == "contracts":
            return [str(c["name"]) for c in contracts]
        found = [name for c in contracts for name in self.columns.get(c["sha256"], {}).get(field, ())]
        if field == "tables":
            found += [str(port["table"]) for c in contracts for port in c["ports"]]
        return list(dict.fromkeys(found))


def _words(text: str) -> str:
    return text.casefold().encode("utf-8", "replace").translate(_TO_WORDS).decode("utf-8", "replace")


@dataclass
class Match:
    """Which products have all words, before anything else is asked of them.

    Attributes:
        corpus: where they were looked for.
        words: the words.
        ranks: of each product: how it stands, how well the words fit (less is better), its name, its number.
        fields: where each word fits best, by the product's number.
        taken_for: what was looked for in place of a word.
        near: words that are near, where nothing was found.
    """

    corpus: Corpus
    words: tuple[str, ...]
    ranks: list[tuple[int, float, str, int]]
    fields: list[list[str]]
    taken_for: dict[str, tuple[str, ...]]
    near: tuple[str, ...] = ()

    def where(self, number: int) -> tuple[str, ...]:
        """Return where the words are in a product: the field, and the name it is in, for fields of names."""
        entry, found = self.corpus.entries[number], []
        for word, fields in zip(self.words, self.fields, strict=True):
            field = fields[number]
            looked_for = [f" {each}" for each in self.taken_for.get(word, (word,))]
            named = (
                value
                for value in (self.corpus.values(entry, field) if field in _NAMED else ())
                if any(each in f" {_words(value)} " for each in looked_for)
            )
            found.append(" ".join(part for part in (field.removesuffix("s"), next(named, "")) if part))
        return tuple(dict.fromkeys(found))


def find(corpus: Corpus, text: str) -> Match:
    """Return which products have all words of a text, and how well they fit."""
    words = tuple(dict.fromkeys(_words(text).replace(_RECORD, " ").split()))[:12]
    number = len(corpus.entries)
    match = Match(corpus, words, [], [], {})
    if not words:
        return match
    totals, alive = [0.0] * number, [True] * number
    vocabulary: list[str] = []
    for word in words:
        scores, fields = _scores(corpus, (word,), number)
        if not any(scores):
            vocabulary = vocabulary or _vocabulary(corpus)
            near = tuple(each for each in vocabulary if _is_one_edit(word, each))[:_MOST_TYPOS]
            if near:
                match.taken_for[word] = near
                scores, fields = _scores(corpus, near, number)
                scores = [score * _TYPO for score in scores]
            else:
                match.near += tuple(difflib.get_close_matches(word, vocabulary, 3, 0.7))
        match.fields.append(fields)
        for i, score in enumerate(scores):
            if score:
                totals[i] += score
            else:
                alive[i] = False
    wanted = "_".join(words)
    for i, entry in enumerate(corpus.entries):
        if alive[i]:
            bonus = WEIGHTS["name"] if entry["name"] == wanted else 0.0
            match.ranks.append((_LAST.get(standing_of(entry), 0), -totals[i] - bonus, entry["name"], i))
    return match


def _scores(corpus: Corpus, words: Sequence[str], number: int) -> tuple[list[float], list[str]]:
    """Return how well the best of some words fits each product, and in which field."""
    scores, fields = [0.0] * number, [""] * number
    for field, weight in sorted(WEIGHTS.items(), key=lambda item: -item[1]):
        for word in words:
            begins, whole = f" {word}", f" {word} "
            lines = corpus.lines[field]
            for i in [i for i, line in enumerate(lines) if begins in line]:
                score = weight if whole in lines[i] else weight * _BEGINNING
                if score > scores[i]:
                    scores[i], fields[i] = score, field
    return scores, fields


def _vocabulary(corpus: Corpus) -> list[str]:
    found: set[str] = set()
    for lines in corpus.lines.values():
        found.update("".join(lines).split())
    return sorted(found)


def _is_one_edit(one: str, other: str) -> bool:
    """Say whether two words differ by one letter: another, one more, one less, or two that changed places."""
    if len(one) < _SHORTEST_TYPO or abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    swapped = len(a) == len(b) > 1 and a[0] == b[1] and a[1] == b[0] and a[2:] == b[2:]
    return swapped or a[1:] == b[1:] or a[1:] == b or a == b[1:]


# The columns


def column_words(
    ws: Workspace, entries: Sequence[Mapping[str, Any]], seconds: float = _SECONDS
) -> tuple[dict[str, dict[str, Any]], int]:
    """Return the names and descriptions in the current contracts by their hash, and how many were not read yet."""
    file = ws.work / CACHE_FILE
    known: dict[str, dict[str, Any]] = {}
    with contextlib.suppress(OSError, ValueError, RecursionError):
        data = json.loads(file.read_bytes())
        if isinstance(data, dict) and data.get("version") == _CACHE_VERSION:
            known = {key: value for key, value in data["contracts"].items() if _is_whole(value)}
    wanted = {c["sha256"]: c["path"] for entry in entries for c in entry["contracts"]}
    missing = [sha256 for sha256 in wanted if sha256 not in known]
    until, unread = time.monotonic() + seconds, len(missing)
    for sha256 in missing:
        with contextlib.suppress(DocumentError, RegistryError):
            known[sha256] = contract_words(read_yaml(within(ws.registry, wanted[sha256])).data)
        unread -= 1
        if time.monotonic() > until:
            break
    if missing:
        kept = {key: value for key, value in known.items() if key in wanted}
        with contextlib.suppress(OSError):  # it only saves time
            write_whole(file, json_text({"version": _CACHE_VERSION, "contracts": kept}), durable=False)
    return known, unread


def _is_whole(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("words"), dict)
        and all(isinstance(value["words"].get(field), str) for field in _KEPT)
        and all(isinstance(value.get(field), list) for field in ("tables", "columns"))
    )


def contract_words(data: Any) -> dict[str, Any]:
    """Return the names of tables and columns of a contract, and the words of them and of their descriptions."""
    tables, columns, descriptions = list[str](), list[str](), list[str]()
    for each in (data.get("schema") or ()) if isinstance(data, dict) else ():
        _add(tables, descriptions, each)
        for column in each.get("properties") or ():
            _add(columns, descriptions, column)
    texts = {"tables": tables, "columns": columns, "descriptions": descriptions}
    words = {field: _words(f" {' '.join(each)} ").replace(_RECORD, " ") for field, each in texts.items()}
    return {"tables": tables, "columns": columns, "words": words}


def _add(names: list[str], descriptions: list[str], element: Mapping[str, Any]) -> None:
    names += [str(element[key]) for key in ("name", "businessName") if element.get(key)]
    if element.get("description"):
        descriptions.append(str(element["description"]))


# Text


def found_as_json(found: Found) -> dict[str, Any]:
    """Return what was found for programs."""
    return {
        "words": list(found.words),
        "total": found.total,
        "taken_for": {word: list(others) for word, others in found.taken_for.items()},
        "near": list(found.near),
        "unread": found.unread,
        "hits": [
            {
                "address": hit.entry["id"],
                "name": hit.entry["name"],
                "domain": hit.entry["domain"],
                "title": hit.entry["title"],
                "summary": hit.entry["summary"],
                "owner": hit.entry["owner"],
                "version": hit.entry["version"],
                "standing": hit.standing,
                "certified": hit.is_certified,
                "score": round(hit.score, 2),
                "where": list(hit.where),
            }
            for hit in found.hits
        ],
    }


def found_as_text(found: Found, width: int = 100) -> str:
    """Return what was found for people."""
    words = " ".join(found.words)
    if not found.hits:
        near = f" Did you mean {', '.join(found.near)}?" if found.near else ""
        return f"Nothing published has {words!r}.{near}" if words else "Name a word to look for."
    rows = []
    for hit in found.hits:
        mark = hit.standing if hit.standing != "active" else "" if hit.is_certified else "not certified"
        paused = "paused" if "paused" in hit.entry else ""
        marks = ", ".join(part for part in (mark, paused) if part)
        rows.append((hit.entry["name"], hit.entry["domain"], ", ".join(hit.where), marks, _line(hit.entry)))
    head = ("product", "domain", "found in", "", "title")
    lines = [line if len(line) <= width else f"{line[: width - 1]}…" for line in table(head, rows)]
    for word, others in found.taken_for.items():
        lines.append(f"Nothing has {word!r}; this is for {', '.join(others[:5])}.")
    if found.total > len(found.hits):
        lines.append(f"{len(found.hits)} of {found.total}; more with --limit, or with another word.")
    return "\n".join(lines)


def _line(entry: Mapping[str, Any]) -> str:
    title, summary = str(entry["title"]), " ".join(str(entry["summary"]).split())
    return f"{title}: {summary}" if summary else title
