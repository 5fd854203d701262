"""What a run means for incidents: followed, traced to their cause, written, told.

Takes what a run found of one product; gives an `AfterRun`; writes facts and events, and notices at the end of the run.
The caller holds the workspace's lock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from factory.incidents.cause import Inputs, find_cause
from factory.incidents.channels import Channel, channels_of
from factory.incidents.facts import time_text
from factory.incidents.follow import NO_PRODUCT, SAME, follow
from factory.incidents.notice import message_of, notice_of
from factory.incidents.notify import PATIENCE, Message, send
from factory.incidents.route import addresses_of_channels, read_notify, runbook_of
from factory.incidents.store import IncidentStore
from factory.incidents.values import FILE, Delivery, Incident, Trouble, Worsening
from factory.products import Product
from factory.registry.store import Registry
from factory.workspace import Workspace

#: How long after its end somebody is still to be told of an incident.
_GIVE_UP = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class AfterRun:
    """What became of a product's incidents.

    Attributes:
        opened, closed: those that this run opened and closed.
        open: all that are open now, the oldest first.
    """

    opened: tuple[Incident, ...] = ()
    closed: tuple[Incident, ...] = ()
    open: tuple[Incident, ...] = ()


def after_run(
    ws: Workspace,
    product: Product,
    troubles: Iterable[Trouble],
    checked_keys: Collection[str],
    known_keys: Collection[str] | None,
    inputs: Inputs,
    now: datetime,
    run_id: str = "",
) -> AfterRun:
    """Open, keep, worsen and close a product's incidents by what a run found; tell nobody yet.

    Args:
        ws, product: whose incidents.
        troubles: what is bad now.
        checked_keys: the keys that the run looked at; none for a product that was not run.
        known_keys: every key that the product has now, or None where that is not known.
        inputs: what each table reads, as (product, table), across products.
        now: the moment of the run.
        run_id: what the run is called in the registry.

    Raises:
        FactoryError: `notify.yml` is wrong, or the registry cannot be written.

    """
    store = IncidentStore(ws.registry)
    store.sweep(product.domain, product.name)
    steps = follow(store.open_incidents(product.domain, product.name), troubles, checked_keys, known_keys)
    if not (steps.opened or steps.closed or steps.worsened or steps.disproved):
        return AfterRun(open=_sorted([*steps.still, *steps.waiting]))
    standard = read_notify(product, ws.settings)
    events = Registry(ws)
    for incident, trouble in steps.worsened:
        worsening = Worsening(now, trouble.reason, trouble.measured, standard.route("error", now))
        _tell(events, store.worsen(incident, worsening), "worsened", now)
    for incident in steps.disproved:
        store.disprove(incident, now)
    closed = []
    for incident, reason in steps.closed:
        closed.append(store.close(incident, reason, now))
        _tell(events, closed[-1], "closed", now)
    opened = []
    if steps.opened:
        around = _open_upstream(store, product, inputs)
        runbook = runbook_of(product)
        for trouble in steps.opened:
            incident = store.open(
                Incident(
                    id="",
                    trouble=trouble,
                    opened=now,
                    first_route=standard.route(trouble.severity, now),
                    run=run_id,
                    cause=find_cause(product.name, trouble.table, inputs, around),
                    runbook=ws.relative(runbook) if runbook else "",
                )
            )
            _tell(events, incident, "breach", now)
            opened.append(incident)
    return AfterRun(tuple(opened), tuple(closed), store.open_incidents(product.domain, product.name))


def close_gone(ws: Workspace, products: Mapping[str, Product], now: datetime) -> None:
    """Close the incidents of products that are not there any more: no run will ever look at them again.

    Raises:
        RegistryError: the registry cannot be written.

    """
    store = IncidentStore(ws.registry)
    for domain, name in store.products():
        product = products.get(name)
        if product is None or product.domain != domain:
            for incident in store.open_incidents(domain, name):
                _tell(Registry(ws), store.close(incident, NO_PRODUCT, now), "closed", now)


def _sorted(incidents: Iterable[Incident]) -> tuple[Incident, ...]:
    return tuple(sorted(incidents, key=lambda i: (i.opened, i.id)))


def _open_upstream(store: IncidentStore, product: Product, inputs: Inputs) -> tuple[Incident, ...]:
    """Return the open incidents of every product that is read, directly or through others."""
    names = {product.name}
    waiting = [product.name]
    reads: dict[str, set[str]] = {}
    for (reader, _), tables in inputs.items():
        reads.setdefault(reader, set()).update(name for name, _ in tables)
    while waiting:
        new = reads.get(waiting.pop(), set()) - names
        names |= new
        waiting += new
    return store.open_of(sorted(names - {product.name}))


def _tell(events: Registry, incident: Incident, kind: str, now: datetime) -> None:
    """Write the event of a change of state."""
    events.write_event(incident, kind, event_data(incident), now)


def event_data(incident: Incident) -> dict[str, Any]:
    """Return what an event says of an incident."""
    cause = incident.cause
    return {
        "incident": incident.id,
        "key": incident.key,
        "severity": incident.severity,
        "subject": incident.trouble.subject,
        "opened": time_text(incident.opened),
        "cause": {"product": cause.product, "incident": cause.incident} if cause else None,
        **({"reason": incident.closed_reason} if incident.closed else {}),
    }


# Telling


@dataclass(frozen=True, slots=True)
class _Pending:
    """News of one product for one channel; no channel for the file alone."""

    channel: Channel
    news: str
    incidents: tuple[Incident, ...]


def notify_pending(
    ws: Workspace, products: Mapping[str, Product], now: datetime, patience: float = PATIENCE
) -> int:
    """Tell of everything that is not told yet: as a file, and on the channels there are.

    What is new of one product goes out as one message per channel. A channel that fails is tried again in the next
    run, until it works or the incident has been over for a week. The news is noted as told right after it was sent,
    so a crash in between tells it twice rather than never.

    Args:
        ws: the workspace.
        products: the products that are there, by name.
        now: the moment that is noted.
        patience: how long sending may take, in seconds.

    Returns:
        How many messages arrived.

    Raises:
        RegistryError: the registry cannot be written.

    """
    store = IncidentStore(ws.registry)
    pending: list[_Pending] = []
    for domain, name in store.products():
        incidents = store.unfinished(domain, name)
        incidents = tuple(_filed(store, each, products.get(name), now) for each in incidents)
        pending += _pending(ws, incidents, now)
    messages = [
        Message(p.channel, *message_of(p.incidents, p.news), is_good=p.news == "closed") for p in pending
    ]
    reasons = send(messages, patience)
    for each, reason in zip(pending, reasons, strict=True):
        for incident in each.incidents:
            _note(store, incident, Delivery(now, each.news, each.channel.name, not reason, reason))
    for domain, name in store.products():
        for incident in store.unfinished(domain, name):
            if not incident.is_open and not any(_pending(ws, (incident,), now)):
                store.finish(incident)
    return sum(not reason for reason in reasons)


def news_of(incident: Incident) -> str:
    """Return the newest that there is to tell of an incident: opened, worsened or closed."""
    if not incident.is_open:
        return "closed"
    return "worsened" if incident.worsening else "opened"


def _filed(store: IncidentStore, incident: Incident, product: Product | None, now: datetime) -> Incident:
    """Write the newest notice of an incident as a file, if it is not there."""
    news = news_of(incident)
    if _is_told(incident, news, FILE):
        return incident
    addresses = addresses_of_channels(product) if product else {}
    store.write_notice(incident, news, notice_of(incident, news, addresses))
    return store.deliver(incident, [Delivery(now, news, FILE, ok=True)])


def _pending(ws: Workspace, incidents: Sequence[Incident], now: datetime) -> Iterator[_Pending]:
    """Yield what is still to be sent of one product's incidents, grouped by channel and news."""
    groups: dict[tuple[str, str], tuple[Channel, list[Incident]]] = {}
    for incident in incidents:
        if incident.closed and (now - incident.closed > _GIVE_UP or incident.closed_reason.startswith(SAME)):
            continue
        news = news_of(incident)
        for channel in channels_of(incident.route, ws):
            if not _is_told(incident, news, channel.name):
                groups.setdefault((channel.name, news), (channel, []))[1].append(incident)
    for (_, news), (channel, group) in groups.items():
        yield _Pending(channel, news, tuple(group))


def _is_told(incident: Incident, news: str, channel: str) -> bool:
    return any(d.ok and d.news == news and d.channel == channel for d in incident.deliveries)


def _note(store: IncidentStore, incident: Incident, delivery: Delivery) -> None:
    """Note a delivery, unless it failed as it did the last time."""
    before = [d for d in incident.deliveries if (d.news, d.channel) == (delivery.news, delivery.channel)]
    if delivery.ok or not before or before[-1].reason != delivery.reason:
        store.deliver(incident, [delivery])
