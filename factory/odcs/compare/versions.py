"""Semantic versions of contracts: their order, and the step that a change asks for.

Semantic Versioning 2.0.0, https://semver.org; the three numbers and a pre-release, build metadata is left out.
"""

from __future__ import annotations

import re

_VERSION = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")


def version_key(version: str) -> tuple[int, int, int]:
    """Return a version's three numbers, for comparing; missing ones are zero.

    Raises:
        ValueError: the text does not begin with a number.

    """
    return _parsed(version)[:3]


def order_of(version: str) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
    """Return what versions are ordered by: a pre-release comes before its release.

    Raises:
        ValueError: the text is no version.

    """
    major, minor, patch, pre = _parsed(version)
    parts = tuple(
        (not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in pre.split(".") if part
    )
    return major, minor, patch, not pre, parts


def _parsed(version: str) -> tuple[int, int, int, str]:
    found = _VERSION.fullmatch(version.strip())
    if not found:
        raise ValueError(f"{version!r} is no version")
    return int(found[1]), int(found[2] or 0), int(found[3] or 0), found[4] or ""


def bumped(version: str, severity: str) -> str:
    """Return the version that a change of the given severity asks for.

    >>> bumped("1.0.1", "patch"), bumped("1.0.2", "minor"), bumped("1.1.0", "major")
    ('1.0.2', '1.1.0', '2.0.0')

    Raises:
        ValueError: the text is no version.

    """
    major, minor, patch, pre = _parsed(version)
    if pre and severity in ("none", "patch"):
        return f"{major}.{minor}.{patch}"  # the release that the pre-release stands before
    if severity == "major":
        return f"{major + 1}.0.0"
    if severity == "minor":
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}" if severity == "patch" else version


def is_enough(old: str, new: str, severity: str) -> bool:
    """Say whether the step from one version to another is as large as the change asks for."""
    try:
        if severity == "none":
            return order_of(new) >= order_of(old)
        return order_of(new) > order_of(old) and version_key(new) >= version_key(bumped(old, severity))
    except ValueError:
        return False
