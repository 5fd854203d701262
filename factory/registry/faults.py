"""Faults of a registry as values: what is wrong, where, and how it is mended.

Takes what the parts of `factory registry verify` found; gives one report; asks git how a file is restored.
"""

from __future__ import annotations

import enum
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from factory.git import GitError, git, lines, repository_of

#: A remedy that `with_remedies` writes out: the bytes of the file are to be those of before.
RESTORE = "restore"
#: The remedy of a cache.
REBUILD = "factory registry rebuild"
_BACKUP = "restore it from a backup; what has no backup is published as a new version"


class Weight(enum.StrEnum):
    """How much a fault counts: only faults make `verify` fail."""

    FAULT = "fault"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with a registry.

    Attributes:
        code: the kind of fault, for programs; it stays the same.
        place: the path, from the workspace's root, with slashes.
        what: what is wrong, in a few words.
        remedy: what to do; `RESTORE` until it is known how.
        weight: fault, warning or note.
    """

    code: str
    place: str
    what: str
    remedy: str = RESTORE
    weight: Weight = Weight.FAULT

    def values(self) -> dict[str, str]:
        """Return the fault as JSON has it."""
        return {
            "code": self.code,
            "weight": str(self.weight),
            "place": self.place,
            "what": self.what,
            "remedy": self.remedy,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What `factory registry verify` found.

    Attributes:
        registry: the registry's path, from the workspace's root.
        faults: all that was found, the heaviest first, then by place.
        counts: how many products, versions, certificates, events and files were looked at.
        checkpoint: the checkpoint's number and times, where there is one that was read.
    """

    registry: str
    faults: tuple[Fault, ...]
    counts: Mapping[str, int]
    checkpoint: Mapping[str, Any] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether there is no fault; warnings and notes are none."""
        return not self.of(Weight.FAULT)

    def of(self, weight: Weight) -> tuple[Fault, ...]:
        """Return the faults of a weight."""
        return tuple(fault for fault in self.faults if fault.weight == weight)

    def values(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        return {
            "schema_version": 1,
            "registry": self.registry,
            "clean": self.clean,
            "counts": dict(self.counts),
            "checkpoint": dict(self.checkpoint),
            "faults": [fault.values() for fault in self.faults],
        }


def in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return faults without repetition, the heaviest first, then by place and code."""
    weights = list(Weight)
    return tuple(sorted(set(faults), key=lambda f: (weights.index(f.weight), f.place, f.code, f.what)))


def with_remedies(faults: Iterable[Fault], root: Path) -> list[Fault]:
    """Return the faults with the words of their remedies; git is asked once, where a file has to come back.

    `root` is the workspace's folder, from which places are told.
    """
    found = list(faults)
    if not any(fault.remedy == RESTORE for fault in found):
        return found
    changed, tracked = _known_to_git(root)
    return [
        replace(fault, remedy=_restoring(fault.place, changed, tracked)) if fault.remedy == RESTORE else fault
        for fault in found
    ]


def checkout(revision: str, place: str) -> str:
    """Return the command that brings a path back from a revision of git."""
    return f"git checkout {shlex.quote(revision)} -- {shlex.quote(place)}"


def _restoring(place: str, changed: set[str], tracked: set[str]) -> str:
    if place in changed or any(path.startswith(f"{place}/") for path in changed):
        return checkout("HEAD", place)
    if place in tracked:
        quoted = shlex.quote(place)
        return f"HEAD has it so, too: find a good one with `git log -- {quoted}`, then git checkout REV -- {quoted}"
    return _BACKUP


def _known_to_git(root: Path) -> tuple[set[str], set[str]]:
    """Return what differs from the last commit below a folder, and what that commit has; empty without git."""
    try:
        if repository_of(root) is None:
            return set(), set()
        difference = lines(
            git("diff", "--raw", "-z", "--no-renames", "--relative", "HEAD", "--", ".", cwd=root)
        )
        tracked = lines(git("ls-tree", "-r", "-z", "--name-only", "HEAD", "--", ".", cwd=root))
    except GitError:
        return set(), set()
    pairs = zip(difference[::2], difference[1::2], strict=False)
    return {path for facts, path in pairs if not facts.endswith(" A")}, set(tracked)
