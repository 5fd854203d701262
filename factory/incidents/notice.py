"""What people are told of incidents: a notice per incident as a file, and one message for all that is new of a product.

Takes incidents; gives text. Pure. Texts from others are told as they are, but on one line, and in a file indented, so
that nothing in them is read as markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from factory.incidents.follow import GOOD_AGAIN
from factory.incidents.values import Incident, Said, clean, worst

_MOST_TOLD = 10
_MOST_CHARACTERS = 8000

_HEADINGS = {
    "opened": "What is wrong",
    "worsened": "What was a warning is an error now",
    "closed": "What was wrong",
}


def notice_of(incident: Incident, news: str, addresses: Mapping[str, str]) -> str:
    """Return the notice of one incident as Markdown that also reads as plain text.

    Args:
        incident: what it is about.
        news: opened, worsened or closed.
        addresses: where people find each support channel, by its name.

    """
    lines = [f"# {_line(title_of((incident,), news))}", "", f"{_HEADINGS[news]}:", ""]
    lines += [f"    {line}" for line in facts_of(incident, news)]
    if news != "closed":
        lines += ["", "What to do:", "", *(f"    {line}" for line in _advice(incident))]
    lines += ["", "Who is told:", "", *(f"    {line}" for line in _people(incident, addresses))]
    return "\n".join(lines) + "\n"


def message_of(incidents: Sequence[Incident], news: str) -> tuple[str, str]:
    """Return title and body of one message about incidents of one product that have the same news."""
    parts = []
    for incident in incidents[:_MOST_TOLD]:
        lines = list(facts_of(incident, news))
        if news != "closed":
            lines += _advice(incident)
        parts.append("\n".join(lines))
    if len(incidents) > _MOST_TOLD:
        left = len(incidents) - _MOST_TOLD
        parts.append(f"... and {left} more. See all: factory incidents {incidents[0].product}")
    body = "\n\n".join(parts)
    if len(body) > _MOST_CHARACTERS:
        body = (
            f"{body[: _MOST_CHARACTERS - 80].rstrip()} ...\nSee all: factory incidents {incidents[0].product}"
        )
    return title_of(incidents, news), body


def title_of(incidents: Sequence[Incident], news: str) -> str:
    """Return what a message is about, on one line."""
    first = incidents[0]
    severity = worst(i.severity for i in incidents)
    if news == "closed":
        marks = {"good again" if i.closed_reason == GOOD_AGAIN else "closed" for i in incidents}
        mark = marks.pop() if len(marks) == 1 else "closed"
    else:
        mark = f"{severity}, worse" if news == "worsened" else severity
    about = clean(first.trouble.subject, 120) if len(incidents) == 1 else f"{len(incidents)} incidents"
    return f"[{mark}] {first.product}: {about}"


def facts_of(incident: Incident, news: str) -> Iterator[str]:
    """Yield what is known of an incident, a line each."""
    trouble = incident.trouble
    yield f"{trouble.product}: {_line(trouble.subject)}"
    yield f"severity:  {incident.severity}{f' ({_line(incident.route.meaning)})' if incident.route.meaning else ''}"
    if incident.reason:
        yield f"reason:    {_line(incident.reason)}"
    if incident.measured or trouble.promised:
        measured = _line(incident.measured) or "nothing"
        yield f"measured:  {measured}{f', promised {_line(trouble.promised)}' if trouble.promised else ''}"
    where = ".".join(filter(None, (trouble.table, trouble.column)))
    if where or trouble.contract:
        yield f"in:        {_line(where)}{f' of {_line(trouble.contract)}' if trouble.contract else ''}".rstrip()
    if trouble.file:
        yield f"written:   {_line(trouble.file)}{f':{trouble.line}' if trouble.line else ''}"
    since = f", last good {_when(incident.last_good)}" if incident.last_good else ""
    yield f"opened:    {_when(incident.opened)}{since}"
    if news == "closed" and incident.closed:
        yield f"closed:    {_when(incident.closed)}, {_line(incident.closed_reason)}"
    if incident.cause:
        yield f"perhaps:   because of {incident.cause.product}, upstream (incident {incident.cause.incident})"
    yield f"incident:  {incident.id}"


def _advice(incident: Incident) -> Iterator[str]:
    """Yield what to do, a line each."""
    if incident.cause:
        yield f"look first: factory incidents {incident.cause.product}"
    if incident.trouble.guidance:
        yield f"do:        {_line(incident.trouble.guidance)}"
    if incident.runbook:
        yield f"runbook:   {_line(incident.runbook)}"
    if incident.route.repair_by:
        yield f"repair by: {_when(incident.route.repair_by)}"
    yield f"take it on: factory incidents acknowledge {incident.id}"


def _people(incident: Incident, addresses: Mapping[str, str]) -> Iterator[str]:
    def named(names: Sequence[str]) -> str:
        return ", ".join(f"{_line(n)} ({addresses[n]})" if addresses.get(n) else _line(n) for n in names)

    route = incident.route
    yield f"first:     {named(route.first_line) or 'nobody: the product names no owner and no support channel'}"
    if route.second_line:
        yield f"then:      {named(route.second_line)}"
    if route.notify_by:
        yield f"told by:   {_when(route.notify_by)}"


def said_words(said: Said) -> str:
    """Return who said it, when and what, on one line."""
    return f"{_line(said.by)}, {_when(said.at)}{f': {_line(said.note)}' if said.note else ''}"


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _line(text: str) -> str:
    return clean(text, 500)
