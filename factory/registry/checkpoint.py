"""Checkpoints: one signed number over all that was published, so that a lost or changed past is noticed.

Takes the immutable files of a registry; gives `checkpoint.json`, signed with Ed25519 keys, and beside it the list of
the files, as `sha256sum` writes it; reads and writes those two. It is checked offline, with the public keys and the
memory of whoever holds them; whose keys are trusted, and when they change, is the holder's own business.

The root is the Merkle tree hash of RFC 6962 (section 2.1) over the sorted hashes of the list's lines, so that it does
not depend on an order. What is signed is `CONTEXT` and then the checkpoint without its signatures, as JSON with sorted
keys and no blanks. A signature by a key that is not trusted, or by an algorithm that is not known, counts for nothing,
and a key counts once (as in The Update Framework, sections 4.2 and 5).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.files import json_text, told_as, write_whole
from factory.registry.faults import RESTORE, Fault
from factory.registry.keys import PrivateKey, PublicKey, verifies
from factory.registry.tree import Tree, read_tree

CHECKPOINT_FILE = "checkpoint.json"
CONTEXT = b"data-product-factory registry checkpoint 1\n"
ALGORITHM = "ed25519"
SCHEMA_VERSION = 1
MAX_SIGNATURES = 32
MAX_BYTES = 16_384 + 1_024 * MAX_SIGNATURES
MAX_LIST = 1_000_000_000  # bytes; the list's own size stands in the checkpoint, and no more is read
_SKEW = timedelta(minutes=10)  # by which two clocks may differ
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_UNLISTED = re.compile(r"[\x00-\x1f\x7f\\]")
_LINE = re.compile(rb"[0-9a-f]{64}  [^\x00-\x1f\x7f\\]+")
_ANEW = "factory registry checkpoint --key FILE makes a new one"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature over a checkpoint.

    Attributes:
        key_id: sha256 of the public key's 32 bytes, in hexadecimal.
        algorithm: `ed25519`; another is not known, and counts for nothing.
        signature: 64 bytes in hexadecimal.
    """

    key_id: str
    algorithm: str
    signature: str

    def values(self) -> dict[str, str]:
        """Return the signature as the file has it."""
        return {"key_id": self.key_id, "algorithm": self.algorithm, "signature": self.signature}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says.

    Attributes:
        number: 1 for the first, one more for each further one.
        issued: when it was made.
        expires: from when on nobody is to rely on it: a registry that still shows it is frozen.
        count: how many files it covers.
        size: bytes of their list.
        root: the Merkle root, in hexadecimal.
        previous: `digest` of the checkpoint before, or empty for the first.
        signatures: who vouches for it.
    """

    number: int
    issued: datetime
    expires: datetime
    count: int
    size: int
    root: str
    previous: str
    signatures: tuple[Signature, ...] = ()

    def values(self) -> dict[str, Any]:
        """Return what is signed, in the file's order."""
        return {
            "schema_version": SCHEMA_VERSION,
            "number": self.number,
            "issued": _time(self.issued),
            "expires": _time(self.expires),
            "count": self.count,
            "size": self.size,
            "root": self.root,
            "previous": self.previous,
        }

    def message(self) -> bytes:
        """Return the bytes that are signed."""
        return CONTEXT + json.dumps(self.values(), sort_keys=True, separators=(",", ":")).encode()

    @property
    def digest(self) -> str:
        """sha256 of what is signed: what the next checkpoint names as `previous`."""
        return hashlib.sha256(self.message()).hexdigest()

    @property
    def list_file(self) -> str:
        """The name of the list beside the checkpoint, which has the root in it: two are never mistaken."""
        return f"checkpoint.{self.root[:16]}.sha256"

    def text(self) -> str:
        """Return the file's text."""
        return json_text(self.values() | {"signatures": [s.values() for s in self.signatures]})


@dataclass(frozen=True, slots=True)
class Trust:
    """What a holder brings along.

    Attributes:
        keys: the public keys that are trusted.
        threshold: how many of them must have signed.
    """

    keys: tuple[PublicKey, ...]
    threshold: int = 1


def merkle_root(lines: Iterable[bytes]) -> str:
    """Return the root over the lines of a list, in any order: leaves and nodes are hashed as RFC 6962 says."""
    sha256 = hashlib.sha256
    level = sorted(sha256(b"\x00" + line).digest() for line in lines)
    if not level:
        return sha256(b"").hexdigest()
    while len(level) > 1:
        # Pairs from the left, an odd one goes up as it is: the same tree as splitting at powers of two.
        odd = level[-1:] if len(level) % 2 else []
        level = [
            sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)
        ] + odd
    return level[0].hex()


def list_of(hashes: Mapping[str, str]) -> bytes:
    """Return the list of files, by path, as `sha256sum -c` reads it from the registry's folder.

    Raises:
        RegistryError: a path cannot stand in a list.

    """
    for path in hashes:
        if _UNLISTED.search(path) or not path.isprintable():
            raise RegistryError(
                f"the name {path!r} cannot be signed", where=Path(path), hint="remove the file"
            )
    return "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes)).encode()


def read_checkpoint(registry: Path) -> Checkpoint | None:
    """Return the registry's checkpoint, whether or not anybody signed it; None if there is none.

    Raises:
        ValueError: it cannot be read, or is not written as one is; the message says why.

    """
    try:
        with (registry / CHECKPOINT_FILE).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"it cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES:,} bytes, which is the limit")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    found = _checkpoint_of(data)
    if found.text().encode() != raw:
        raise ValueError("it is not written as a checkpoint is")
    return found


def write_checkpoint(
    registry: Path, keys: Iterable[PrivateKey], now: datetime, expires: datetime, tree: Tree | None = None
) -> Checkpoint:
    """Sign all immutable files of a registry, and write the checkpoint and its list.

    `tree` are its files where they were read before. Raises:
        RegistryError: a file cannot be read, or one that the checkpoint before covers is gone or altered.

    """
    tree = tree or read_tree(registry)
    if tree.faults:
        first = tree.faults[0]
        raise RegistryError(
            first.what, where=registry / first.place, hint="factory registry verify says more"
        )
    before = _before(registry)
    if before is not None:
        _refuse_another_past(registry, before, tree)
    listed = list_of(tree.hashes)
    made = Checkpoint(
        number=before.number + 1 if before else 1,
        issued=now,
        expires=expires,
        count=len(tree.hashes),
        size=len(listed),
        root=merkle_root(listed.splitlines()),
        previous=before.digest if before else "",
    )
    made = replace(made, signatures=_signatures(made, keys))
    with told_as(RegistryError, "writing the checkpoint", registry / CHECKPOINT_FILE):
        write_whole(registry / made.list_file, listed)
        write_whole(registry / CHECKPOINT_FILE, made.text())
        for old in registry.glob("checkpoint.*.sha256"):
            if old.name != made.list_file:
                old.unlink(missing_ok=True)
    return made


def add_signatures(registry: Path, keys: Iterable[PrivateKey]) -> Checkpoint:
    """Sign the checkpoint that is there with further keys; one that signed already signs anew.

    Raises:
        RegistryError: there is none that can be read, or the files are not those that it covers.

    """
    found = _before(registry)
    if found is None:
        raise RegistryError("there is no checkpoint to sign", where=registry / CHECKPOINT_FILE, hint=_ANEW)
    _refuse_another_past(registry, found, read_tree(registry))
    new = _signatures(found, keys)
    kept = tuple(s for s in found.signatures if s.key_id not in {n.key_id for n in new})
    found = replace(found, signatures=(*kept, *new))
    if len(found.signatures) > MAX_SIGNATURES:
        raise RegistryError(f"a checkpoint has at most {MAX_SIGNATURES} signatures", where=registry)
    with told_as(RegistryError, "writing the checkpoint", registry / CHECKPOINT_FILE):
        write_whole(registry / CHECKPOINT_FILE, found.text())
    return found


def signature_faults(checkpoint: Checkpoint, trust: Trust) -> list[Fault]:
    """Say what is wrong with the signatures of a checkpoint, if fewer trusted keys signed it than must."""
    trusted = {key.key_id: key for key in trust.keys}
    good: set[str] = set()
    bad = []
    for signature in checkpoint.signatures:
        key = trusted.get(signature.key_id)
        named = signature.key_id[:16]
        if signature.algorithm != ALGORITHM:
            bad.append(("checkpoint-algorithm", f"the algorithm {signature.algorithm[:40]!r} is not known"))
        elif key is None:
            bad.append(("checkpoint-key", f"it is signed by {named}, a key that is not trusted"))
        elif not verifies(key, signature.signature, checkpoint.message()):
            bad.append(("checkpoint-signature", f"the signature by {named} is not that of this checkpoint"))
        else:
            good.add(signature.key_id)
    if len(good) >= trust.threshold:
        return []
    remedy = "do not rely on it; ask who publishes the registry, by another way than the registry"
    found = [Fault(code, CHECKPOINT_FILE, what, remedy) for code, what in bad]
    if not checkpoint.signatures:
        return [Fault("checkpoint-unsigned", CHECKPOINT_FILE, "nobody signed it", remedy)]
    if good or not found:
        what = f"signed by {len(good)} of the trusted keys, and {trust.threshold} are asked for"
        found.append(Fault("checkpoint-threshold", CHECKPOINT_FILE, what, remedy))
    return found


def time_faults(checkpoint: Checkpoint, now: datetime) -> list[Fault]:
    """Say whether a checkpoint is too old to rely on, or from the future."""
    found = []
    if now >= checkpoint.expires:
        what = (
            f"it expired at {_time(checkpoint.expires)}: the registry is frozen, or nobody signs it any more"
        )
        remedy = f"get the registry from its source again; who publishes it: {_ANEW}"
        found.append(Fault("checkpoint-expired", CHECKPOINT_FILE, what, remedy))
    if checkpoint.issued > now + _SKEW:
        what = f"it was issued at {_time(checkpoint.issued)}, which is in the future"
        found.append(Fault("checkpoint-future", CHECKPOINT_FILE, what, "set this machine's clock"))
    return found


def read_list(registry: Path, checkpoint: Checkpoint) -> list[bytes]:
    """Return the lines of a checkpoint's list.

    Raises:
        ValueError: it is not the one that the checkpoint covers; the message says why.

    """
    try:
        with (registry / checkpoint.list_file).open("rb") as file:
            raw = file.read(checkpoint.size + 1)
    except OSError as error:
        raise ValueError(f"it cannot be read: {error.strerror}") from error
    if len(raw) != checkpoint.size:
        raise ValueError("its size is not that which the checkpoint names")
    lines = lines_of(raw)
    if len(lines) != checkpoint.count or merkle_root(lines) != checkpoint.root:
        raise ValueError("it is not the list that the checkpoint covers")
    return lines


def lines_of(raw: bytes) -> list[bytes]:
    """Return the lines of a list of files.

    Raises:
        ValueError: it is not written as one.

    """
    lines = raw.split(b"\n")
    if lines.pop() or not all(map(_LINE.fullmatch, lines)):
        raise ValueError("it is not a list of files")
    paths = [line[66:] for line in lines]
    if any(a >= b for a, b in itertools.pairwise(paths)):
        raise ValueError("its paths are not in order, or one stands twice")
    return lines


def tree_faults(lines: list[bytes], tree: Tree) -> tuple[list[Fault], list[str]]:
    """Say which files of a list are gone or altered, and return the paths that are newer than the list."""
    listed = set(lines)
    there = {f"{digest}  {path}".encode(errors="surrogateescape") for path, digest in tree.hashes.items()}
    lost = {line[66:].decode(errors="surrogateescape") for line in listed - there}
    found = []
    for path in lost:
        code, what = ("altered", "is another one") if path in tree.hashes else ("missing", "is gone")
        what = f"the file that the checkpoint covers {what}"
        found.append(Fault(f"checkpoint-{code}-file", path, what, RESTORE))
    new = {line[66:].decode(errors="surrogateescape") for line in there - listed}
    return found, sorted(new - lost)


def _signatures(checkpoint: Checkpoint, keys: Iterable[PrivateKey]) -> tuple[Signature, ...]:
    made = {key.public.key_id: key.sign(checkpoint.message()).hex() for key in keys}
    return tuple(Signature(key_id, ALGORITHM, text) for key_id, text in sorted(made.items()))


def _before(registry: Path) -> Checkpoint | None:
    try:
        return read_checkpoint(registry)
    except ValueError as error:
        raise RegistryError(
            f"the checkpoint of before cannot be used: {error}",
            where=registry / CHECKPOINT_FILE,
            hint="restore it from git or a backup: the next one continues its numbers",
        ) from error


def _refuse_another_past(registry: Path, before: Checkpoint, tree: Tree) -> None:
    try:
        faults, _ = tree_faults(read_list(registry, before), tree)
    except ValueError as error:
        where = registry / before.list_file
        hint = "restore it from git or a backup"
        raise RegistryError(f"the list of the checkpoint before: {error}", where=where, hint=hint) from error
    if faults:
        first = min(faults, key=lambda fault: fault.place)
        more = f" ({len(faults)} files in all)" if len(faults) > 1 else ""
        raise RegistryError(
            f"{first.what}{more}",
            where=registry / first.place,
            hint="restore it (`factory registry verify` says how); nobody signs a past that has changed",
        )


def _checkpoint_of(data: Any) -> Checkpoint:
    if not isinstance(data, dict):
        raise ValueError("it holds no checkpoint")  # noqa: TRY004  (what a file holds is no type of ours)
    if data.get("schema_version") != SCHEMA_VERSION or isinstance(data["schema_version"], bool):
        raise ValueError("it is of another schema version: use the factory that wrote it")
    try:
        signatures = tuple(
            Signature(str(s["key_id"]), str(s["algorithm"]), str(s["signature"])) for s in data["signatures"]
        )
        found = Checkpoint(
            number=_whole(data["number"], 2**53),
            issued=_moment(data["issued"]),
            expires=_moment(data["expires"]),
            count=_whole(data["count"], MAX_LIST),
            size=_whole(data["size"], MAX_LIST),
            root=str(data["root"]),
            previous=str(data["previous"]),
            signatures=signatures,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("a checkpoint has other fields") from error
    if len(signatures) > MAX_SIGNATURES:
        raise ValueError(f"it has more than {MAX_SIGNATURES} signatures, which is the limit")
    if not _HEX.fullmatch(found.root) or (found.previous and not _HEX.fullmatch(found.previous)):
        raise ValueError("its hashes are not written as sha256 is")
    if (found.number == 1) != (not found.previous):
        raise ValueError("the first checkpoint follows none, and any other one does")
    return found


def _whole(value: Any, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError("a number in it is out of range")
    return value


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError("a time in it cannot be read") from error
    if moment.utcoffset() != timedelta(0):
        raise ValueError("a time in it is not in UTC")
    return moment


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
