"""The only door to Apprise: sends messages, and says which of them arrived.

Takes messages with their channels; gives a reason per message, empty where it arrived; opens connections to the
channels and to nothing else. It never raises, never takes much longer than it may, and never tells an address.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from factory.incidents.channels import Channel

_WORKERS = 8
_CONNECT_SECONDS = 3.0
_READ_SECONDS = 5.0
#: How long sending may hold up a run, in seconds.
PATIENCE = 10.0

_NO_ANSWER = "no connection, or no answer in time"
_LATE = "not sent: sending took too long"


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be sent on one channel: title and body are plain text."""

    channel: Channel
    title: str
    body: str
    is_good: bool = False


@dataclass
class _Post:
    """What the workers share: messages to send, what became of them, and channels that do not answer."""

    waiting: queue.SimpleQueue[tuple[int, Message, str]] = field(default_factory=queue.SimpleQueue)
    done: dict[int, str] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    until: float = 0.0


def send(messages: Sequence[Message], patience: float = PATIENCE) -> tuple[str, ...]:
    """Send messages side by side; return for each why it did not arrive, or an empty text.

    Args:
        messages: what to send, and where.
        patience: how long to wait for all of them, in seconds. One that is under way then counts as not arrived.

    """
    post = _Post(until=time.monotonic() + patience)
    waiting = 0
    for place, message in enumerate(messages):
        try:
            post.waiting.put((place, message, message.channel.url()))
            waiting += 1
        except LookupError as error:
            post.done[place] = str(error.args[0])
    if waiting:
        _quiet()
        # Daemons: a receiver that never ends its answer must not keep the process alive.
        workers = [
            threading.Thread(target=_work, args=(post,), daemon=True) for _ in range(min(_WORKERS, waiting))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(max(0.0, post.until - time.monotonic()))
    done: Mapping[int, str] = dict(post.done)
    return tuple(done.get(place, _LATE) for place in range(len(messages)))


def _work(post: _Post) -> None:
    while time.monotonic() < post.until:
        try:
            place, message, url = post.waiting.get_nowait()
        except queue.Empty:
            return
        setting = message.channel.setting
        reason = _NO_ANSWER if setting in post.dead else _send_one(message, url)
        if reason == _NO_ANSWER:
            post.dead.add(setting)
        post.done[place] = reason


def _send_one(message: Message, url: str) -> str:
    """Send a message; return why it did not arrive, or an empty text."""
    import apprise

    asset = apprise.AppriseAsset(
        app_id="factory", app_desc="Data Product Factory", async_mode=False, http_redirects=False,
        pgp_autogen=False, pem_autogen=False, secure_logging=True,
    )  # fmt: skip
    heard = _Heard()
    logger = logging.getLogger("apprise")
    logger.addHandler(heard)
    try:
        service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
        if not isinstance(service, apprise.NotifyBase):
            return "the channel's setting is no URL that Apprise knows"
        service.socket_connect_timeout = _CONNECT_SECONDS
        service.socket_read_timeout = _READ_SECONDS
        kind = apprise.NotifyType.SUCCESS if message.is_good else apprise.NotifyType.WARNING
        arrived = service.notify(
            body=message.body, title=message.title, notify_type=kind, body_format=apprise.NotifyFormat.TEXT
        )
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
        # A service of Apprise that trips over what a receiver says.
        return f"the channel failed ({type(error).__name__})"
    finally:
        logger.removeHandler(heard)
    return "" if arrived else heard.reason()


def _quiet() -> None:
    """Keep what Apprise logs, which names receivers, off the terminal."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)  # why a mail server turned a message away is told here only
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


class _Heard(logging.Handler):
    """Listens to what Apprise logs in this thread, and tells of it only what holds no address."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._thread = threading.get_ident()
        self._said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line of this thread."""
        if record.thread == self._thread:
            self._said.append(record.getMessage())

    def reason(self) -> str:
        """Return why a message did not arrive."""
        text = " ".join(self._said)
        code = re.search(r"error=(\d{3})\b|\((\d{3}), b['\"]", text)  # of the web, and of mail servers
        if code:
            return f"the receiver answered {code[1] or code[2]}"
        return _NO_ANSWER if "onnection" in text else "the receiver did not take it"
