"""That a major version stays until its notice has run out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from factory.contract import Contract, version_key
from factory.evidence import Evidence, Finding, Published, Severity
from factory.lifecycle import Edition, Life, announced_on, in_days, life_faults, life_of


def kept(evidence: Evidence) -> Iterator[Finding]:
    """A published major version of a contract is kept beside the next one until its notice period has run out.

    The notice begins when the next major is first published, when a version of the old one is published with
    `status: deprecated`, or with `factory deprecate`, and lasts for the contract's `noticePeriod` (else the
    product's, else the setting `notice_period`: three months). Until then a major without a contract file, or whose
    file was raised to the next major in place, blocks; so it does if nobody is known to read it, since files can be
    read by anybody. An end of life has to lie at or behind the end of the notice. Two things end a major earlier,
    and are meant for emergencies: a published version of it with `status: retired`, and `factory retire --early`.
    In a workspace with `notice_period = "P0D"` nothing has to be kept.

    Advice from which day on an announced major may go. Dates and periods that cannot be read block. What happens to
    the contracts of a product whose folder is deleted is not judged here.
    """
    yield from _unreadable(evidence)
    for name, versions in sorted(evidence.previous.items()):
        here = {contract.major: contract for contract in evidence.contracts if contract.name == name}
        newest: dict[int, Published] = {}
        for each in versions:
            newest.setdefault(version_key(each.version)[0], each)
        for major, last in sorted(newest.items()):
            finding = _judge(major, last, here, (name, versions), evidence)
            if finding is not None:
                yield finding


def _judge(
    major: int,
    last: Published,
    here: dict[int, Contract],
    published: tuple[str, Sequence[Published]],
    evidence: Evidence,
) -> Finding | None:
    name, versions = published
    life = life_of(last.data, evidence.notice_period)
    key = f"{name}/{major}"
    if life.is_closed(evidence.today) or key in evidence.retired:
        return None
    days = (announced_on(major, _editions(name, versions, evidence)), evidence.announced.get(key))
    announced = min((day for day in days if day is not None), default=None)
    if major in here:
        return _too_soon(here[major], life, announced, evidence) or _advice(
            here[major], life, announced, evidence
        )
    told = announced or evidence.today
    earliest = life.may_go(told)
    if earliest <= evidence.today:
        return None
    old = f"{name} {major}.x"
    since = f"since {told}" if announced else "once it is announced, which it is not yet"
    message = (
        f"{old} is published and no contract promises it any more: "
        f"it may go on {earliest} at the earliest{'' if announced else ', if it is announced today'} "
        f"(notice period {life.notice.text} {since})"
    )
    above = min((n for n in here if n > major), default=None)
    beside = f" beside {above}.x" if above is not None else ""
    hint = (
        f"keep {name} {last.version}{beside}: contracts/{name}.v{major}.odcs.yaml with `name: {name}` and "
        f"`version: {last.version}` (or a higher one of {major}.x), its models as they are; "
        "announce its end with `factory deprecate`; where it has to go at once: `factory retire --early`"
    )
    where = evidence.place("contracts")
    if above is not None:
        document = here[above].promise.document
        where = evidence.place(f"contracts/{document.path.name}") + f":{document.line('version')}"
    return Finding("kept", Severity.BLOCKS, message, where, hint)


def _too_soon(contract: Contract, before: Life, announced: date | None, evidence: Evidence) -> Finding | None:
    """Return that a contract is given an end of life, or an earlier one, before its notice has run out."""
    life = life_of(contract.data, evidence.notice_period)
    notice = life.notice.after(announced or evidence.today)
    end = life.end_of_life
    is_new = end is not None and (before.end_of_life is None or end < before.end_of_life)
    if end is None or not is_new or end >= notice:
        return None
    message = (
        f"the end of life of {contract.name} {contract.major}.x, {end}, comes before its notice period "
        f"({life.notice.text}) has run out on {notice}"
    )
    where = evidence.place(f"contracts/{contract.promise.document.path.name}")
    return Finding(
        "kept",
        Severity.BLOCKS,
        message,
        where,
        f"name {notice} or later; `status: retired` closes a port at once",
    )


def _advice(contract: Contract, life: Life, announced: date | None, evidence: Evidence) -> Finding | None:
    """Return from which day on a major that is still there may go, once that is announced."""
    if announced is None:
        return None
    earliest, today = life.may_go(announced), evidence.today
    old = f"{contract.name} {contract.major}.x"
    where = evidence.place(f"contracts/{contract.promise.document.path.name}")
    since = f"notice period {life.notice.text} since {announced}"
    if earliest <= today:
        message = f"{old} may go: its notice has run out on {earliest} ({since})"
    else:
        message = f"{old} may go from {earliest} on, {in_days(today, earliest)} ({since})"
    return Finding("kept", Severity.ADVISES, message, where)


def _editions(name: str, versions: Sequence[Published], evidence: Evidence) -> list[Edition]:
    days = evidence.published_on.get(name, {})
    return [
        Edition(p.version, str(p.data.get("status") or "draft"), days.get(p.version)) for p in versions
    ]  # fmt: skip


def _unreadable(evidence: Evidence) -> Iterator[Finding]:
    product = evidence.product
    for path, message, hint in life_faults({"customProperties": product.descriptor.get("customProperties")}):
        where = f"{evidence.place(product.file.name)}:{product.document.line(*path)}"
        yield Finding("kept", Severity.BLOCKS, message, where, hint, input_fault=True)
    for contract in evidence.contracts:
        document = contract.promise.document
        for path, message, hint in life_faults(contract.promise.data):
            where = f"{evidence.place(f'contracts/{document.path.name}')}:{document.line(*path)}"
            yield Finding("kept", Severity.BLOCKS, message, where, hint, input_fault=True)
