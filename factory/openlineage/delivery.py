"""Where events go: lines of a file, or an endpoint of HTTP.

Takes events and a destination; gives a note for people where something went wrong. A file is appended whole lines in
one go. An endpoint gets one request per event, by a few threads; it holds up a run for so long and no longer.

OpenLineage's own client is not used, since it reads configuration files and the environment: only its transport is,
with the values given here. The one variable that is read is `OPENLINEAGE_API_KEY`, and the one that a setting names.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from openlineage.client.event_v2 import RunEvent
from openlineage.client.serde import Serde
from openlineage.client.transport.http import (
    ApiKeyTokenProvider,
    HttpConfig,
    HttpTransport,
    TokenProvider,
    get_session,
)

from factory.endpoints import address_in, as_it_is, is_address, known_as
from factory.errors import WorkspaceError
from factory.files import told_as
from factory.workspace import Workspace

API_KEY = "OPENLINEAGE_API_KEY"
#: Where a server of OpenLineage takes events, where an address names no path.
ENDPOINT = "api/v1/lineage"
#: Seconds that one answer may take, and that a run waits for all of them.
ANSWER, ALL = 3.0, 10.0
_THREADS = 6
_REDIRECTS = 300
_KEPT = 'to keep the events of every run, write them to a file: openlineage = "target/openlineage.ndjson"'


def deliver(
    batches: Sequence[Sequence[RunEvent]],
    where: str,
    ws: Workspace,
    environment: Mapping[str, str] = os.environ,
) -> tuple[str, ...]:
    """Deliver events; return what went wrong, in one line each.

    Args:
        batches: events that are to arrive in their order; between batches there is none.
        where: a file below the workspace, an http or https address, or `env:NAME` for an address.
        ws: the workspace.
        environment: has the address, if it is there, and the API key.

    """
    if not batches:
        return ()
    variable = where.removeprefix("env:")
    if variable == where and not is_address(where):
        return append(ws.root / where, [event for batch in batches for event in batch])
    address = address_in(where, environment)
    if not address:
        hint = f"set it, or take {where} out of the setting openlineage"
        return (f"OpenLineage: the environment variable {variable} is not set, so nothing was sent; {hint}",)
    if not is_address(address):
        return (
            f"OpenLineage: {variable} holds no http or https address, so nothing was sent; mend its value",
        )
    return _post(batches, address, f"the endpoint {known_as(where)}", environment.get(API_KEY, "").strip())


def append(file: Path, events: Sequence[RunEvent]) -> tuple[str, ...]:
    """Append events to a file, a line of JSON each; return what went wrong, in one line.

    All lines go in one write behind the last whole line: what a crash left of a line stays alone on its line.
    """
    text = "".join(f"{Serde.to_json(event)}\n" for event in events).encode()
    try:
        with told_as(WorkspaceError, "writing the OpenLineage events", file):
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("ab+") as handle:
                if handle.tell() > 0:
                    handle.seek(-1, os.SEEK_END)
                    text = text if handle.read(1) == b"\n" else b"\n" + text
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
    except WorkspaceError as error:
        return (f"OpenLineage: {error.message} ({error.place()}); {error.hint}",)
    return ()


@dataclass
class _Post:
    """What threads that post have in common: what is still to be sent, how much arrived, and what went wrong."""

    waiting: SimpleQueue[Sequence[RunEvent]]
    arrived: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def work(self, transport: HttpTransport) -> None:
        """Send batches until none is left, or one event could not be sent: what follows it would fare no better."""
        try:
            while not self.is_over.is_set():
                for event in self.waiting.get_nowait():
                    if self.is_over.is_set():
                        return
                    status = transport.emit(event).status_code
                    if status >= _REDIRECTS:
                        self.fail(_of_status(status))
                        return
                    self.arrived.append(1)
        except Empty:
            return
        except (OSError, ValueError) as error:  # all errors of requests are one of these
            self.fail(_why(error))
        finally:
            transport.close()

    def fail(self, why: str) -> None:
        """Let all threads stop."""
        self.faults.append(why)
        self.is_over.set()


def _post(batches: Sequence[Sequence[RunEvent]], address: str, called: str, key: str) -> tuple[str, ...]:
    waiting: SimpleQueue[Sequence[RunEvent]] = SimpleQueue()
    for batch in batches:
        waiting.put(batch)
    post = _Post(waiting)
    count = sum(map(len, batches))
    try:
        transports = [_transport(address, key) for _ in range(min(_THREADS, len(batches)))]
    except ValueError:
        return (f"OpenLineage: {called} is no address; mend it",)
    # They are daemons, so that an endpoint that never ends its answer does not keep the process.
    threads = [threading.Thread(target=post.work, args=(each,), daemon=True) for each in transports]
    until = time.monotonic() + ALL
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    late = any(thread.is_alive() for thread in threads)
    post.is_over.set()
    if not late and not post.faults:
        return ()
    why = post.faults[0] if post.faults else f"it took longer than {ALL:g} seconds"
    return (f"OpenLineage: {len(post.arrived)} of {count} events arrived at {called}: {why}; {_KEPT}",)


def _transport(address: str, key: str) -> HttpTransport:
    session = get_session()
    session.max_redirects = (
        0  # a POST that is led elsewhere becomes a GET, and would pass for one that arrived
    )
    parts = urlsplit(address)
    if parts.username is None:
        session.auth = as_it_is  # or requests would look for a password in ~/.netrc
    auth = ApiKeyTokenProvider({"apiKey": key}) if key else TokenProvider({})
    endpoint = ENDPOINT if parts.path in ("", "/") and not parts.query else ""
    # Only a connection that was not made is tried again: an answer that does not come would take its time twice.
    retry: dict[str, Any] = {"total": 2, "read": 0, "status": 0, "other": 0, "backoff_factor": 0.1}
    return HttpTransport(
        HttpConfig(address, endpoint=endpoint, timeout=ANSWER, auth=auth, session=session, retry=retry)
    )


def _why(error: Exception) -> str:
    """Return why an event could not be sent, in our own words: those of the error may hold the address."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return _of_status(status)
    return f"it cannot be reached, or does not answer within {ANSWER:g} seconds; see that it runs"


def _of_status(status: int) -> str:
    if status in (401, 403):
        return f"it answers {status}, so it wants another key: see the environment variable {API_KEY}"
    if status < 400:
        return f"it answers {status}, so it has moved: name its new address"
    return f"it answers {status}; look at the endpoint's own log, and at its path"
