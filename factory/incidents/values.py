"""What an incident is made of: the trouble, its cause, who is told, and what people said of it.

Takes plain values; gives frozen ones, and the times that are read from them. Pure.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

#: How bad a trouble may be, the worst first.
SEVERITIES = ("error", "warning")

#: The notice that is only a file.
FILE = "file"

_MOST_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is bad now, as one run found it.

    Attributes:
        key: what stays the same while the trouble lasts: `check:<key of the rule>`,
            `level:<contract>:<property>:<element>`, or `run:<what>` where the product was refused for another reason.
        kind: check, level or run.
        domain, product: whose trouble it is.
        severity: error or warning.
        subject: what is wrong, in a few words.
        reason: why, in a sentence or two.
        contract: the contract that promises otherwise, as `name/major`, or empty.
        table, column: where the trouble is; empty where it is in no one table or column.
        measured, promised: the value and the promise, in words; empty where there are none.
        guidance: what to do about it, or empty.
        file, line: where the promise is written, from the workspace's root; empty and 0 where that is not known.
        last_good: when it was last seen to be good, or None.
    """

    key: str
    kind: str
    domain: str
    product: str
    severity: str
    subject: str
    reason: str = ""
    contract: str = ""
    table: str = ""
    column: str = ""
    measured: str = ""
    promised: str = ""
    guidance: str = ""
    file: str = ""
    line: int = 0
    last_good: datetime | None = None

    @property
    def urn(self) -> str:
        """The permanent address of the product."""
        return f"urn:dpf:{self.domain}:{self.product}"


@dataclass(frozen=True, slots=True)
class Cause:
    """Where a trouble comes from: an incident of a product further upstream."""

    product: str
    incident: str


@dataclass(frozen=True, slots=True)
class Route:
    """Who is told, and by when.

    Attributes:
        first_line: who is to be told first: the platform team where there is one, else the domain team.
        second_line: who comes after that.
        told: all of them, each once, in this order.
        meaning: what the severity means to the product's team, in their words; may be empty.
        notify_by, repair_by: when they are to know it, and when it is to be right again; None where nothing is said.
    """

    first_line: tuple[str, ...]
    second_line: tuple[str, ...] = ()
    meaning: str = ""
    notify_by: datetime | None = None
    repair_by: datetime | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """Everybody who is told, each once, the first line first."""
        return tuple(dict.fromkeys((*self.first_line, *self.second_line)))


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said of an incident: who, when, and a note that may be empty."""

    at: datetime
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Worsening:
    """A warning that became an error: when, why, and who is told now."""

    at: datetime
    reason: str
    measured: str
    route: Route


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice on one channel.

    Attributes:
        at: when it was tried.
        news: what it told: opened, worsened or closed.
        channel: the channel's name, or `file`.
        ok: it arrived.
        reason: why it did not, without addresses and secrets.
    """

    at: datetime
    news: str
    channel: str
    ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """A trouble from the run that first found it to the run that found it good again.

    Attributes:
        id: the moment of its opening and eight hexadecimal digits, such as `20261120T230000-1f00c0de`.
        trouble: what was found when it opened.
        opened: when that was.
        run: the run that found it, or empty.
        cause: the incident upstream that it comes from, or None.
        first_route: who was to be told when it opened.
        runbook: the product's runbook, from the workspace's root, or empty.
        worsening: how the warning became an error, or None.
        deliveries: every notice on every channel, in the order in which they were tried.
        acknowledgement: who has taken it on, or None.
        repairs: who said that it is repaired, in order.
        disproved: when a run found it bad all the same, once for each of the first of `repairs`.
        closed: when it was good again, or None.
        closed_reason: why it is closed, or empty.
    """

    id: str
    trouble: Trouble
    opened: datetime
    first_route: Route
    run: str = ""
    cause: Cause | None = None
    runbook: str = ""
    worsening: Worsening | None = None
    deliveries: tuple[Delivery, ...] = ()
    acknowledgement: Said | None = None
    repairs: tuple[Said, ...] = ()
    disproved: tuple[datetime, ...] = ()
    closed: datetime | None = None
    closed_reason: str = ""

    @property
    def key(self) -> str:
        """What the incident is about, the same as its trouble's."""
        return self.trouble.key

    @property
    def domain(self) -> str:
        """The product's domain."""
        return self.trouble.domain

    @property
    def product(self) -> str:
        """The product's name."""
        return self.trouble.product

    # What `Registry.write_event` asks of the source of an event.
    @property
    def name(self) -> str:
        """The product's name."""
        return self.trouble.product

    @property
    def urn(self) -> str:
        """The product's permanent address."""
        return self.trouble.urn

    @property
    def severity(self) -> str:
        """How bad it is by now."""
        return "error" if self.worsening else self.trouble.severity

    @property
    def reason(self) -> str:
        """Why it is bad, by what was found last."""
        return self.worsening.reason if self.worsening else self.trouble.reason

    @property
    def measured(self) -> str:
        """What was measured when it opened, or when it worsened."""
        return self.worsening.measured if self.worsening else self.trouble.measured

    @property
    def route(self) -> Route:
        """Who is told, by how bad it is by now."""
        return self.worsening.route if self.worsening else self.first_route

    @property
    def is_open(self) -> bool:
        """No run has found it good again."""
        return self.closed is None

    @property
    def last_good(self) -> datetime | None:
        """When it was last seen to be good."""
        return self.trouble.last_good

    @property
    def acknowledged(self) -> datetime | None:
        """When somebody took it on."""
        return self.acknowledgement.at if self.acknowledgement else None

    @property
    def claim(self) -> Said | None:
        """Who says that it is repaired, if no run has found it bad since."""
        return self.repairs[-1] if len(self.repairs) > len(self.disproved) else None

    @property
    def is_disproved(self) -> bool:
        """It was said to be repaired, and a run found it bad all the same."""
        return bool(self.repairs) and self.claim is None

    @property
    def repaired(self) -> datetime | None:
        """When it was repaired: as somebody said and no run disproved, else when it closed."""
        return self.claim.at if self.claim else self.closed

    @property
    def notified(self) -> datetime | None:
        """When the first notice arrived: on a channel where there is one, else as a file."""
        sent = [d for d in self.deliveries if d.channel != FILE] or list(self.deliveries)
        return min((d.at for d in sent if d.ok), default=None)

    @property
    def time_to_detect(self) -> timedelta | None:
        """At most how long it went unseen: from the last good run to the opening."""
        return self.opened - self.last_good if self.last_good else None

    @property
    def time_to_notify(self) -> timedelta | None:
        """How long it took until somebody was told."""
        return self.notified - self.opened if self.notified else None

    @property
    def time_to_repair(self) -> timedelta | None:
        """How long it took until it was repaired; None while it is not."""
        return self.repaired - self.opened if self.repaired else None


def clean(text: str, limit: int = _MOST_CHARACTERS) -> str:
    """Return text from others on one line, without what steers a terminal or turns the direction of writing."""
    kept = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: 4 * limit])
    kept = " ".join(kept.split())
    return kept if len(kept) <= limit else f"{kept[: limit - 1].rstrip()}…"


def worst(severities: Iterable[str]) -> str:
    """Return the worst of severities; `warning` for none."""
    return "error" if "error" in set(severities) else "warning"
