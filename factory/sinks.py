"""Webhooks: every event of the registry, posted to the addresses of the setting `event_sinks`.

Takes the registry's events and the addresses; gives notes for people where something went wrong. An event is one POST
of CloudEvents' structured mode. What arrived is remembered per sink in `target/<target>/sinks/`, so that each event
arrives at least once, and those of a product in their order; what did not arrive is sent after the next run. A sink
that is new gets what happens from then on.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from factory.endpoints import address_in, is_address, known_as, may_have_token, plain_session, post
from factory.errors import FactoryError, RegistryError
from factory.files import json_text, told_as, write_whole
from factory.locking import locked
from factory.registry.events import Event, read_event, waiting_events
from factory.workspace import Workspace

if TYPE_CHECKING:
    from requests import Session

TOKEN = "FACTORY_EVENT_TOKEN"  # noqa: S105  (the name of a variable)
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
#: Seconds that one answer may take, and that a run waits for all of them.
ANSWER, ALL = 5.0, 10.0
_THREADS = 4  # a sink; a product's events are sent by one of them
_REMEMBERED = 0.5  # seconds; what arrived since is sent again after a crash
_GONE = 410
_LATER = (408, 429)
_AGAIN = "factory events --send --since WHEN"


@dataclass
class _Bookmark:
    """What a sink got: everything before `since`, and of each product (`domain/name`) up to the file named here."""

    file: Path
    since: str
    reached: dict[str, str] = field(default_factory=dict)

    def save(self) -> None:
        """Remember it, on this machine."""
        values = {"since": self.since, "reached": dict(sorted(self.reached.items()))}
        with told_as(RegistryError, "noting what a webhook got", self.file):
            write_whole(self.file, json_text(values), durable=False)


def meet_sinks(ws: Workspace, now: datetime) -> None:
    """Note from when on sinks that are new get events: from now on.

    Raises:
        RegistryError: that cannot be noted.

    """
    for where in ws.settings.event_sinks:
        if not _bookmark_file(ws, where).exists():
            _Bookmark(_bookmark_file(ws, where), _stamp(now)).save()


def deliver_events(
    ws: Workspace,
    now: datetime,
    since: datetime | None = None,
    environment: Mapping[str, str] = os.environ,
    seconds: float = ALL,
) -> tuple[str, ...]:
    """Post the events that a sink has not got yet; return what went wrong, in one line each.

    Args:
        ws: the workspace, whose settings name the sinks.
        now: from when on a new sink gets events.
        since: also those since then, whether they arrived before or not.
        environment: has the addresses that settings do not name, and the token.
        seconds: how long all of it may take.

    """
    if not ws.settings.event_sinks:
        return ()
    until = time.monotonic() + seconds
    try:
        meet_sinks(ws, now)
        with locked(ws, min(seconds, ALL), "sinks"):
            posts = [_prepared(ws, where, since, environment) for where in ws.settings.event_sinks]
            threads = [thread for post in posts for thread in post.threads()]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(max(0.0, until - time.monotonic()))
            return tuple(note for post in posts for note in post.end())
    except FactoryError as error:
        return (f"Webhooks: {error.message} ({error.place()}); the events are sent after the next run",)


def _prepared(ws: Workspace, where: str, since: datetime | None, environment: Mapping[str, str]) -> _Post:
    bookmark = _read(_bookmark_file(ws, where))
    post = _Post(
        known_as(where), address_in(where, environment), environment.get(TOKEN, "").strip(), bookmark
    )
    if not is_address(post.address):
        post.notes.append("it holds no http or https address; set it, or take it out of event_sinks")
        return post
    first = min(bookmark.since, _stamp(since)) if since is not None else bookmark.since
    for place, listed in waiting_events(ws.registry, first, {} if since is not None else bookmark.reached):
        files = listed
        if since is not None:  # also those that are waiting
            reached = bookmark.reached.get(place, bookmark.since)
            files = [f for f in listed if f.name > reached or f.name >= _stamp(since)]
        if files:
            post.waiting.put((place, files))
            post.count += len(files)
    return post


@dataclass
class _Post:
    """What the threads of one sink have in common.

    Attributes:
        called: how the sink is called in notes.
        address, token: where to, and the bearer token, or empty.
        bookmark: what arrived.
        waiting: the files of events by product, in their order.
        count, arrived: how many there are, and how many arrived.
        notes: what went wrong, without the sink's name.
    """

    called: str
    address: str
    token: str
    bookmark: _Bookmark
    waiting: SimpleQueue[tuple[str, Sequence[Path]]] = field(default_factory=SimpleQueue)
    count: int = 0
    arrived: int = 0
    notes: list[str] = field(default_factory=list)
    _over: bool = False
    _closed: bool = False
    _saved: float = 0.0
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _working: int = 0

    def threads(self) -> list[threading.Thread]:
        """Return threads that post; daemons, so that an answer that never ends does not keep the process."""
        number = min(_THREADS, self.waiting.qsize())
        self._working = number
        return [threading.Thread(target=self._work, daemon=True) for _ in range(number)]

    def end(self) -> list[str]:
        """Let no thread go on, remember what arrived, and return what went wrong.

        Raises:
            RegistryError: it cannot be remembered.

        """
        with self._guard:
            late = self._working > 0 and not self._over
            self._over = self._closed = True
            if self.count:
                self.bookmark.save()
        if late:
            self.notes.append("it took too long")
        left = self.count - self.arrived
        wait = f"; {left} of {self.count} events wait for the next run" if left else ""
        return [f"Webhook {self.called}: {note}{wait}" for note in self.notes]

    def _work(self) -> None:
        try:
            with plain_session(self.address) as session:
                while not self._over:
                    place, files = self.waiting.get_nowait()
                    for file in files:
                        if self._over or not self._send(session, place, file):
                            return
        except Empty:
            pass
        finally:
            with self._guard:
                self._working -= 1

    def _send(self, session: Session, place: str, file: Path) -> bool:
        """Post an event; say whether the next one may follow."""
        try:
            event = read_event(file)
        except RegistryError as error:
            return self._done(place, file, f"{file.name} was passed over: {error.message}")
        try:
            status = self._status(session, event)
        except ValueError:
            return self._stop("its address cannot be used; mend it")
        except OSError:
            return self._stop(f"it cannot be reached, or does not answer within {ANSWER:g} seconds")
        if 200 <= status < 300:
            return self._done(place, file)
        if status == _GONE:
            gone = "it answers 410: it is gone for good; take it out of event_sinks"
            return self._done(place, file) and self._stop(gone)
        if 400 <= status < 500 and status not in _LATER:
            words = f"it answers {status} to {event.kind} of {event.subject}, which is given up"
            return self._done(place, file, f"{words}; send it again with: {_AGAIN}")
        if 300 <= status < 400:
            return self._stop(f"it answers {status}, so it has moved: name its new address")
        return self._stop(f"it answers {status}")

    def _status(self, session: Session, event: Event) -> int:
        headers = {"Content-Type": CONTENT_TYPE}
        if self.token and may_have_token(self.address):
            headers["Authorization"] = f"Bearer {self.token}"
        body = json_text(event.value).encode("utf-8", "backslashreplace")
        return post(session, self.address, body, headers, ANSWER)

    def _done(self, place: str, file: Path, note: str = "") -> bool:
        with self._guard:
            if self._closed:
                return False
            self.arrived += 1
            self.bookmark.reached[place] = max(self.bookmark.reached.get(place, ""), file.name)
            if note:
                self.notes.append(note)
            if time.monotonic() - self._saved > _REMEMBERED:
                self._saved = time.monotonic()
                with contextlib.suppress(RegistryError):  # the last one tells
                    self.bookmark.save()
        return True

    def _stop(self, note: str) -> bool:
        with self._guard:
            if not self._over:
                self.notes.append(note)
            self._over = True
        return False


def _bookmark_file(ws: Workspace, where: str) -> Path:
    return ws.work / "sinks" / f"{hashlib.sha256(where.encode()).hexdigest()[:16]}.json"


def _read(file: Path) -> _Bookmark:
    try:
        values = json.loads(file.read_bytes())
        reached = {str(place): str(name) for place, name in values["reached"].items()}
        return _Bookmark(file, str(values["since"]), reached)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RegistryError(
            "what a webhook got cannot be read",
            where=file,
            hint=f"remove the file, and send what it may have missed with: {_AGAIN}",
        ) from error


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S%f}"
