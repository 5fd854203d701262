"""What changed from version to version of a product's contracts: its release notes.

Takes a workspace and a product's name; gives a `Release` per published version; reads the registry alone, so that it
also tells of products whose folder is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from factory.contract import Change, compare, severity_of, version_key
from factory.contract.severities import severities_of
from factory.errors import RegistryError
from factory.evidence import Published
from factory.registry import Registry, read_index
from factory.standards import nearest
from factory.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Release:
    """One published version of a contract.

    Attributes:
        contract, version: which.
        status: as it was published.
        published: when it was first published, or None where the registry has no certificate of it.
        before: the version that it is compared with, or empty for the first one.
        changes: what changed since then, the gravest first.
    """

    contract: str
    version: str
    status: str
    published: datetime | None
    before: str
    changes: tuple[Change, ...]

    @property
    def severity(self) -> str:
        """How much changed: none, patch, minor or major; `first` for the first version."""
        return severity_of(self.changes) if self.before else "first"


def changelog(ws: Workspace, product: str, contract: str = "") -> tuple[Release, ...]:
    """Return every published version of a product's contracts, or of one of them: by contract, newest first.

    A version is compared with the one before it in its major version; the first of a major with the newest below it
    that was published by then.

    Raises:
        RegistryError: nothing of that name is published.

    """
    entries = {entry["name"]: entry for entry in read_index(ws)["products"]}
    if product not in entries:
        raise RegistryError(f"no product {product!r} is published", hint=_near(product, entries))
    domain = str(entries[product]["domain"])
    registry = Registry(ws)
    versions = registry.versions(domain, product)
    if contract and contract not in versions:
        raise RegistryError(
            f"{product} has published no contract {contract!r}", hint=f"it has {', '.join(sorted(versions))}"
        )
    moments = registry.first_published(domain, product)
    return tuple(
        release
        for name, published in sorted(versions.items())
        if contract in ("", name)
        for release in _releases(name, published, moments.get(name, {}), severities_of(ws))
    )


def _near(name: str, entries: Mapping[str, Any]) -> str:
    near = nearest(name, entries)
    return f"did you mean {near!r}?" if near else "see what is published with: factory list"


def _releases(
    name: str,
    published: Iterable[Published],
    moments: Mapping[str, datetime],
    severities: Mapping[str, str],
) -> Iterator[Release]:
    ordered = sorted(published, key=lambda p: version_key(p.version))
    for number in range(len(ordered) - 1, -1, -1):
        this = ordered[number]
        before = _before(this, ordered[:number], moments)
        changes = compare(before.data, this.data, severities) if before is not None else ()
        yield Release(
            name,
            this.version,
            str(this.data.get("status") or "draft"),
            moments.get(this.version),
            before.version if before is not None else "",
            changes,
        )


def _before(this: Published, older: list[Published], moments: Mapping[str, datetime]) -> Published | None:
    """Return the version that another follows: a patch of an old major that came later is not among them."""
    major = version_key(this.version)[0]
    same = [p for p in older if version_key(p.version)[0] == major]
    if same:
        return same[-1]
    moment = moments.get(this.version)
    by_then = [p for p in older if moment is None or p.version not in moments or moments[p.version] <= moment]
    found = by_then or older
    return found[-1] if found else None


def changelog_as_json(product: str, releases: Iterable[Release]) -> dict[str, Any]:
    """Return a changelog in the shape of `factory/schemas/changelog.schema.json`."""
    return {
        "product": product,
        "versions": [
            {
                "contract": r.contract,
                "version": r.version,
                "status": r.status,
                "published": None if r.published is None else r.published.isoformat().replace("+00:00", "Z"),
                "before": r.before or None,
                "severity": r.severity,
                "changes": [
                    {
                        "path": c.path,
                        "kind": c.kind,
                        "severity": c.severity,
                        "rule": c.rule,
                        "breaks_consumers": c.consumer == "breaking",
                        "old": c.old,
                        "new": c.new,
                        "words": c.words(),
                        "why": c.why,
                    }
                    for c in r.changes
                ],
            }
            for r in releases
        ],
    }


def changelog_as_text(releases: Iterable[Release]) -> str:
    """Return a changelog for people."""
    blocks = []
    for r in releases:
        lines = [f"{r.contract} {r.version}  {_day(r)}  {_summary(r)}"]
        lines += [f"  - {change.words()}" for change in r.changes]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def changelog_as_markdown(product: str, releases: Iterable[Release]) -> str:
    """Return a changelog as release notes: a heading per version, changes by what they mean for consumers."""
    lines = [f"# Changelog of {_escaped(product)}"]
    for r in releases:
        lines += [
            "",
            f"## {_escaped(r.contract)} {r.version} ({_day(r)})",
            "",
            f"{_summary(r).capitalize()}.",
        ]
        for title, severity in (
            ("Breaking", "major"),
            ("New and revised", "minor"),
            ("Information", "patch"),
        ):
            found = [change for change in r.changes if change.severity == severity]
            if found:
                lines += ["", f"### {title}", ""]
                lines += [f"- {_escaped(change.words())}" for change in found]
    return "\n".join(lines) + "\n"


def _day(release: Release) -> str:
    return "date unknown" if release.published is None else release.published.date().isoformat()


def _summary(release: Release) -> str:
    status = "" if release.status == "active" else f", {release.status}"
    if not release.before:
        return f"first version{status}"
    count = len(release.changes)
    what = "no change" if not count else f"{count} change{'s' if count > 1 else ''}"
    return (
        f"{release.severity} since {release.before}: {what}{status}"
        if count
        else f"{what} since {release.before}"
    )


def _escaped(text: str) -> str:
    """Return text from others so that Markdown shows it as it is."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(text.split()))
