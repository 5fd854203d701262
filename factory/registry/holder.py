"""The holder's side of a checkpoint: whom they trust, and what they have seen of a registry before.

Takes a registry, public keys and a file that remembers; gives faults; writes that file only when all is well.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.files import told_as, write_whole
from factory.registry.checkpoint import (
    CHECKPOINT_FILE,
    MAX_LIST,
    Checkpoint,
    Trust,
    read_checkpoint,
    read_list,
    signature_faults,
    time_faults,
    tree_faults,
)
from factory.registry.faults import RESTORE, Fault, Weight
from factory.registry.tree import Tree

_LOST = "get the registry from its source again, and ask who publishes it: what you saw before is not in it"
_FORGET = "restore it; without it the next check begins anew, and finds nothing that was lost before"


@dataclass(frozen=True, slots=True)
class Memory:
    """The checkpoint that a holder saw last.

    Attributes:
        number: its number.
        digest: the hash of what was signed.
        lines: the lines of its list.
    """

    number: int
    digest: str
    lines: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Check:
    """What came of checking a checkpoint.

    Attributes:
        faults: what is wrong; places are paths below the registry.
        checkpoint: the checkpoint, if it could be read.
        lines: the lines of its list, if they are those it covers.
    """

    faults: list[Fault]
    checkpoint: Checkpoint | None = None
    lines: tuple[bytes, ...] = ()


def read_memory(file: Path) -> Memory | None:
    """Return what a holder remembers; None if there is no file yet.

    Raises:
        RegistryError: the file is there, and is not what was written.

    """
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_LIST)
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"what was seen before cannot be read: {error.strerror}"
        raise RegistryError(message, where=file, hint=_FORGET) from error
    head, _, listed = raw.partition(b"\n")
    try:
        facts = json.loads(head)
        memory = Memory(int(facts["number"]), str(facts["digest"]), frozenset(listed.split(b"\n")[:-1]))
        same = facts["sha256"] == hashlib.sha256(listed).hexdigest()
    except (ValueError, KeyError, TypeError, RecursionError):
        memory, same = None, False
    if memory is None or not same:
        raise RegistryError("it is not what was written about what was seen", where=file, hint=_FORGET)
    return memory


def remember(file: Path, checkpoint: Checkpoint, lines: tuple[bytes, ...]) -> None:
    """Write down the checkpoint that was seen last.

    Raises:
        RegistryError: it cannot be written.

    """
    listed = b"".join(line + b"\n" for line in lines)
    facts: dict[str, Any] = {
        "number": checkpoint.number,
        "digest": checkpoint.digest,
        "root": checkpoint.root,
        "sha256": hashlib.sha256(listed).hexdigest(),
    }
    with told_as(RegistryError, "writing down what was seen", file):
        write_whole(file, json.dumps(facts).encode() + b"\n" + listed)


def check(
    registry: Path,
    tree: Tree,
    now: datetime,
    trust: Trust | None = None,
    memory: Memory | None = None,
    *,
    strict: bool = False,
) -> Check:
    """Check a registry's files against its checkpoint, that against the keys, and all against what was seen before.

    Without `trust`, nothing is said about signatures or times. `strict` makes a fault of every file that is newer
    than the checkpoint.
    """
    try:
        checkpoint = read_checkpoint(registry)
    except ValueError as error:
        return Check([Fault("checkpoint-unreadable", CHECKPOINT_FILE, str(error))])
    if checkpoint is None:
        return Check(_without(trust, memory))
    found = signature_faults(checkpoint, trust) if trust else []
    if found:
        return Check(found)  # what nobody vouches for is not looked at
    found += time_faults(checkpoint, now) if trust else []
    found += _against_number(checkpoint, memory)
    try:
        lines = read_list(registry, checkpoint)
    except ValueError as error:
        found.append(
            Fault("checkpoint-list", checkpoint.list_file, f"{error}: checkpoint and files are mixed")
        )
        return Check(found, checkpoint)
    found += _against_lines(lines, memory)
    wrong, newer = tree_faults(lines, tree)
    found += wrong
    weight = Weight.FAULT if strict else Weight.NOTE
    remedy = "look who added it; the next checkpoint covers it"
    found += [
        Fault("checkpoint-newer-file", path, "newer than the checkpoint", remedy, weight) for path in newer
    ]
    return Check(found, checkpoint, tuple(lines))


def _without(trust: Trust | None, memory: Memory | None) -> list[Fault]:
    if memory is not None:
        what = f"there is no checkpoint, and number {memory.number} was seen before"
        return [Fault("checkpoint-rolled-back", CHECKPOINT_FILE, what, _LOST)]
    if trust is not None:
        return [Fault("checkpoint-missing", CHECKPOINT_FILE, "there is no checkpoint to trust", _LOST)]
    return []


def _against_number(checkpoint: Checkpoint, memory: Memory | None) -> list[Fault]:
    if memory is None:
        return []
    if checkpoint.number < memory.number:
        what = f"it has number {checkpoint.number}, and number {memory.number} was seen before"
        return [Fault("checkpoint-rolled-back", CHECKPOINT_FILE, what, _LOST)]
    same = checkpoint.number == memory.number and checkpoint.digest != memory.digest
    next_ = checkpoint.number == memory.number + 1 and checkpoint.previous != memory.digest
    if same or next_:
        what = f"it is not {'the number' if same else 'the one after number'} {memory.number} that was seen before"
        return [Fault("checkpoint-forked", CHECKPOINT_FILE, what, _LOST)]
    return []


def _against_lines(lines: list[bytes], memory: Memory | None) -> list[Fault]:
    lost = memory.lines.difference(lines) if memory else ()
    if not lost:
        return []
    paths = {line[66:] for line in lines}
    found = []
    for line in lost:
        path = line[66:].decode(errors="replace")
        if line[66:] in paths:
            what = "it is not the file that was seen before, and the checkpoint covers the other one"
            found.append(Fault("history-altered", path, what, RESTORE))
        else:
            what = "it was seen before, and the checkpoint does not cover it any more"
            found.append(Fault("history-dropped", path, what, RESTORE))
    return found
