"""Checkpoints: whoever holds the public key, and remembers what they saw, notices every attack on the past."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import FULL, Command
from mesh import make_workspace, write
from sealed import copy_of, sealed_mesh

from factory.errors import RegistryError
from factory.git import git
from factory.registry.checkpoint import (
    MAX_BYTES,
    Checkpoint,
    Signature,
    Trust,
    add_signatures,
    list_of,
    merkle_root,
    read_checkpoint,
    write_checkpoint,
)
from factory.registry.faults import Report
from factory.registry.holder import check, read_memory, remember
from factory.registry.keys import PrivateKey, new_key, private_key, public_key
from factory.registry.tree import read_tree
from factory.registry.verify import Wishes, verify
from factory.workspace import Workspace

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[PrivateKey, PrivateKey, PrivateKey]:
    folder = tmp_path_factory.mktemp("keys")
    made = []
    for name in "abc":
        new_key(folder / name)
        made.append(private_key(str(folder / name)))
    return made[0], made[1], made[2]


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A registry of files that are as good as any: what is in them is the business of other tests."""
    folder = tmp_path / "registry"
    for number in range(20):
        write(folder / f"products/trade/shop/shop/1.{number}.0/record.json", f"{number}\n")
        write(
            folder / f"events/trade/shop/20260101T0000{number:02}000000-published-0123abcd.json",
            f"{number}\n",
        )
    write(folder / "registry.json", "{}")
    write(folder / "runs/trade/shop/20260101T000000-01234567.json", "{}")
    return folder


Attack = Callable[[Path], object]


def sign(registry: Path, *keys: PrivateKey, now: datetime = NOW) -> Checkpoint:
    return write_checkpoint(registry, keys, now, now + timedelta(days=30))


def codes(
    registry: Path, trust: Trust, memory: Path | None = None, now: datetime = NOW, strict: bool = False
) -> set[str]:
    seen = read_memory(memory) if memory else None
    found = check(registry, read_tree(registry), now, trust, seen, strict=strict).faults
    return {fault.code for fault in found if fault.weight == "fault"}


def see(registry: Path, trust: Trust, memory: Path) -> None:
    done = check(registry, read_tree(registry), NOW, trust)
    assert done.faults == [] and done.checkpoint is not None
    remember(memory, done.checkpoint, done.lines)


def put(registry: Path, checkpoint: Checkpoint) -> None:
    (registry / "checkpoint.json").write_text(checkpoint.text(), "utf-8")


def test_the_root_is_that_of_rfc_6962_and_knows_no_order() -> None:
    def node(leaves: list[bytes]) -> bytes:
        """The definition of RFC 6962, section 2.1, over leaves that are hashed already."""
        if len(leaves) == 1:
            return leaves[0]
        k = 1
        while k * 2 < len(leaves):
            k *= 2
        return hashlib.sha256(b"\x01" + node(leaves[:k]) + node(leaves[k:])).digest()

    assert merkle_root([]) == hashlib.sha256(b"").hexdigest()
    dice = random.Random(1)
    for size in [*range(1, 70), 1000]:
        lines = [f"line {n}".encode() for n in range(size)]
        leaves = sorted(hashlib.sha256(b"\x00" + line).digest() for line in lines)
        expected = node(leaves).hex()
        for _ in range(3):
            dice.shuffle(lines)
            assert merkle_root(lines) == expected


def test_a_node_is_no_leaf() -> None:
    pair = sorted(hashlib.sha256(b"\x00" + line).digest() for line in (b"a", b"b"))
    assert merkle_root([b"a", b"b"]) != merkle_root([pair[0] + pair[1]])


def test_a_signed_registry_is_trusted_and_what_is_no_fact_is_not_signed(
    registry: Path, keys: tuple[PrivateKey, ...]
) -> None:
    made = sign(registry, keys[0])
    assert made.count == 40 and made.number == 1 and made.previous == ""
    trust = Trust((keys[0].public,))
    write(registry / "registry.json", "another")
    shutil.rmtree(registry / "runs")
    write(registry / "history/2026-01/x", "x")
    write(registry / "products/trade/.x.tmp", "x")
    write(registry / "products/trade/.DS_Store", "x")
    assert check(registry, read_tree(registry), NOW, trust).faults == []
    listed = (registry / made.list_file).read_text("utf-8")
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet"], cwd=registry, input=listed, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr


def attacks(keys: tuple[PrivateKey, ...]) -> dict[str, tuple[Attack, set[str]]]:
    """The attacks of The Update Framework's own tests, on a registry with checkpoint 3 whose holder saw number 2."""
    mine, other, third = keys
    record = "products/trade/shop/shop/1.3.0/record.json"

    def resign(registry: Path, *signers: PrivateKey, **changes: object) -> None:
        found = read_checkpoint(registry)
        assert found is not None
        found = replace(found, **changes)  # type: ignore[arg-type]
        made = tuple(Signature(k.public.key_id, "ed25519", k.sign(found.message()).hex()) for k in signers)
        put(registry, replace(found, signatures=made))

    def roll_back(registry: Path) -> None:
        shutil.rmtree(registry)
        shutil.copytree(registry.parent / "first", registry)

    def drop(registry: Path) -> None:
        """Its own publisher drops a file, and signs that."""
        (registry / record).unlink()
        (registry / "checkpoint.json").rename(registry / "old")
        before = Checkpoint(**{f: getattr(read_checkpoint_in(registry / "old"), f) for f in
                               ("number", "issued", "expires", "count", "size", "root", "previous")})  # fmt: skip
        listed = list_of(read_tree(registry).hashes)
        made = replace(
            before, count=listed.count(b"\n"), size=len(listed), root=merkle_root(listed.splitlines())
        )
        (registry / made.list_file).write_bytes(listed)
        put(registry, made)
        (registry / "old").unlink()
        resign(registry, mine, other)

    def fork(registry: Path) -> None:
        resign(registry, mine, other, previous="0" * 64)

    def mix(registry: Path) -> None:
        """The checkpoint of today with the files and the list of before."""
        today = (registry / "checkpoint.json").read_bytes()
        roll_back(registry)
        (registry / "checkpoint.json").write_bytes(today)

    def algorithm(registry: Path) -> None:
        found = read_checkpoint(registry)
        assert found is not None
        put(
            registry, replace(found, signatures=tuple(replace(s, algorithm="none") for s in found.signatures))
        )

    def strip(registry: Path) -> None:
        found = read_checkpoint(registry)
        assert found is not None
        put(registry, replace(found, signatures=()))

    def twice(registry: Path) -> None:
        found = read_checkpoint(registry)
        assert found is not None
        put(registry, replace(found, signatures=(found.signatures[0], found.signatures[0])))

    def edited(registry: Path) -> None:
        found = read_checkpoint(registry)
        assert found is not None
        put(registry, replace(found, expires=found.expires + timedelta(days=900)))

    def swapped(registry: Path) -> None:
        found = read_checkpoint(registry)
        assert found is not None
        a, b = found.signatures
        put(
            registry,
            replace(found, signatures=(replace(a, signature=b.signature), replace(b, signature=a.signature))),
        )

    def relist(registry: Path) -> None:
        """A file is altered, and its line in the list."""
        write(registry / record, "forged")
        found = read_checkpoint(registry)
        assert found is not None
        (registry / found.list_file).write_bytes(list_of(read_tree(registry).hashes))

    return {
        "a file is altered": (lambda r: write(r / record, "forged"), {"checkpoint-altered-file"}),
        "a file is dropped": (lambda r: (r / record).unlink(), {"checkpoint-missing-file"}),
        "the registry is rolled back": (roll_back, {"checkpoint-rolled-back", "history-dropped"}),
        "the checkpoint is frozen": (lambda r: None, {"checkpoint-expired"}),
        "versions are mixed": (mix, {"checkpoint-list"}),
        "another key signed": (lambda r: resign(r, third), {"checkpoint-key"}),
        "the algorithm is unknown": (algorithm, {"checkpoint-algorithm"}),
        "one of two signed": (lambda r: resign(r, mine), {"checkpoint-threshold"}),
        "one signed twice": (twice, {"checkpoint-threshold"}),
        "the time is prolonged": (edited, {"checkpoint-signature"}),
        "nobody signed": (strip, {"checkpoint-unsigned"}),
        "the checkpoint is gone": (lambda r: (r / "checkpoint.json").unlink(), {"checkpoint-rolled-back"}),
        "the publisher drops a file": (drop, {"history-dropped"}),
        "the history is forked": (fork, {"checkpoint-forked"}),
        "signatures are swapped": (swapped, {"checkpoint-signature"}),
        "the list is forged": (relist, {"checkpoint-list"}),
        "the list is gone": (lambda r: next(r.glob("*.sha256")).unlink(), {"checkpoint-list"}),
        "the file is huge": (lambda r: (r / "checkpoint.json").write_bytes(b" " * 10_000_000), {"checkpoint-unreadable"}),
        "the file is deep": (lambda r: (r / "checkpoint.json").write_bytes(b"[" * 40_000), {"checkpoint-unreadable"}),
    }  # fmt: skip


def read_checkpoint_in(file: Path) -> Checkpoint:
    folder = file.parent / "products/.one"
    folder.mkdir(parents=True)
    shutil.copy(file, folder / "checkpoint.json")
    found = read_checkpoint(folder)
    shutil.rmtree(folder)
    assert found is not None
    return found


NAMES = (
    "a file is altered", "a file is dropped", "the registry is rolled back", "the checkpoint is frozen",
    "versions are mixed", "another key signed", "the algorithm is unknown", "one of two signed", "one signed twice",
    "the time is prolonged", "nobody signed", "the checkpoint is gone", "the publisher drops a file",
    "the history is forked", "signatures are swapped", "the list is forged", "the list is gone", "the file is huge",
    "the file is deep",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_attack_is_detected_by_who_holds_the_keys_and_remembers(
    registry: Path, keys: tuple[PrivateKey, ...], tmp_path: Path, name: str
) -> None:
    trust = Trust((keys[0].public, keys[1].public), 2)
    memory = tmp_path / "seen"
    sign(registry, keys[0], keys[1])
    shutil.copytree(registry, tmp_path / "first")
    write(registry / "events/trade/shop/20260102T000000000000-yanked-0123abcd.json", "x")
    sign(registry, keys[0], keys[1])
    see(registry, trust, memory)
    write(registry / "events/trade/shop/20260103T000000000000-yanked-0123abcd.json", "x")
    sign(registry, keys[0], keys[1])
    assert codes(registry, trust, memory) == set()
    attack, expected = attacks(keys)[name]
    attack(registry)
    now = LATER if "frozen" in name else NOW
    found = codes(registry, trust, memory, now)
    assert expected <= found, found


def test_a_checkpoint_is_that_of_its_bytes_at_every_byte(
    registry: Path, keys: tuple[PrivateKey, ...]
) -> None:
    sign(registry, keys[0])
    trust = Trust((keys[0].public,))
    file = registry / "checkpoint.json"
    raw = file.read_bytes()
    dice = random.Random(3)
    for place in range(len(raw)):
        forged = bytearray(raw)
        forged[place] ^= 1 << dice.randrange(8)
        file.write_bytes(forged)
        assert codes(registry, trust), place
        if FULL or place % 8 == 0:
            file.write_bytes(raw[:place])
            assert codes(registry, trust), place
    file.write_bytes(raw)
    assert codes(registry, trust) == set()


def test_a_signature_that_does_not_count_does_no_harm(registry: Path, keys: tuple[PrivateKey, ...]) -> None:
    sign(registry, *keys)
    assert codes(registry, Trust((keys[1].public,))) == set()
    assert codes(registry, Trust((keys[0].public, keys[1].public), 2)) == set()


def test_a_new_file_is_newer_than_the_checkpoint_and_a_fault_only_where_that_is_asked_for(
    registry: Path, keys: tuple[PrivateKey, ...]
) -> None:
    sign(registry, keys[0])
    write(registry / "products/trade/shop/shop/2.0.0/record.json", "x")
    trust = Trust((keys[0].public,))
    assert codes(registry, trust) == set()
    (told,) = check(registry, read_tree(registry), NOW, trust).faults
    assert told.code == "checkpoint-newer-file" and told.place.endswith("2.0.0/record.json")
    assert codes(registry, trust, strict=True) == {"checkpoint-newer-file"}


def test_clocks_may_differ_a_little_and_no_more(registry: Path, keys: tuple[PrivateKey, ...]) -> None:
    sign(registry, keys[0])
    trust = Trust((keys[0].public,))
    assert codes(registry, trust, now=NOW - timedelta(minutes=9)) == set()
    assert codes(registry, trust, now=NOW - timedelta(minutes=11)) == {"checkpoint-future"}
    assert codes(registry, trust, now=LATER - timedelta(seconds=1)) == set()
    assert codes(registry, trust, now=LATER) == {"checkpoint-expired"}


def test_nobody_signs_a_past_that_has_changed(registry: Path, keys: tuple[PrivateKey, ...]) -> None:
    sign(registry, keys[0])
    before = (registry / "checkpoint.json").read_bytes()
    file = registry / "products/trade/shop/shop/1.3.0/record.json"
    for change in (file.unlink, lambda: write(file, "another")):
        change()
        with pytest.raises(RegistryError, match=r"is gone|is another one"):
            sign(registry, keys[0])
        with pytest.raises(RegistryError):
            add_signatures(registry, [keys[1]])
    assert (registry / "checkpoint.json").read_bytes() == before


def test_checkpoints_are_numbered_chained_and_leave_one_list(
    registry: Path, keys: tuple[PrivateKey, ...]
) -> None:
    first = sign(registry, keys[0])
    write(registry / "access/a.yaml", "x")
    second = sign(registry, keys[0])
    assert (second.number, second.previous, second.count) == (2, first.digest, 41)
    assert [f.name for f in registry.glob("*.sha256")] == [second.list_file]


def test_a_second_key_signs_what_the_first_one_signed(registry: Path, keys: tuple[PrivateKey, ...]) -> None:
    trust = Trust((keys[0].public, keys[1].public), 2)
    sign(registry, keys[0])
    assert codes(registry, trust) == {"checkpoint-threshold"}
    add_signatures(registry, [keys[1]])
    add_signatures(registry, [keys[1]])
    assert codes(registry, trust) == set()
    assert len(json.loads((registry / "checkpoint.json").read_bytes())["signatures"]) == 2


def test_what_was_seen_is_remembered_whole_or_is_an_error(
    registry: Path, keys: tuple[PrivateKey, ...], tmp_path: Path
) -> None:
    memory = tmp_path / "seen"
    assert read_memory(memory) is None
    sign(registry, keys[0])
    see(registry, Trust((keys[0].public,)), memory)
    raw = memory.read_bytes()
    for end in range(0, len(raw), 97):
        memory.write_bytes(raw[:end])
        with pytest.raises(RegistryError) as refusal:
            read_memory(memory)
        assert refusal.value.hint


def test_a_name_that_would_break_the_list_is_not_signed(registry: Path, keys: tuple[PrivateKey, ...]) -> None:
    write(registry / "access/a\nb.yaml", "x")
    with pytest.raises(RegistryError, match="cannot be signed"):
        sign(registry, keys[0])


def test_one_changed_file_among_many_versions_is_found(keys: tuple[PrivateKey, ...], tmp_path: Path) -> None:
    versions = 10_000 if FULL else 1_000
    registry = tmp_path / "registry"
    body = "x" * 3_000
    for number in range(versions):
        product, version = divmod(number, 10)
        folder = registry / f"products/d{product % 20}/p{product}/p{product}/1.{version}.0"
        folder.mkdir(parents=True)
        for name in ("contract.odcs.yaml", "lineage.json", "record.json"):
            (folder / name).write_text(f"{body}{number}{name}", "utf-8")
        events = registry / f"events/d{product % 20}/p{product}"
        events.mkdir(parents=True, exist_ok=True)
        (events / f"20260101T00000{version}000000-published-0123abcd.json").write_text(
            f"{body}{number}", "utf-8"
        )
    sign(registry, keys[0])
    trust = Trust((keys[0].public,))
    memory = tmp_path / "seen"
    see(registry, trust, memory)
    write(registry / "products/d0/p0/p0/1.0.0/record.json", "forged")
    assert codes(registry, trust, memory) == {"checkpoint-altered-file"}


def test_a_private_key_is_for_its_owners_eyes_and_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    public = new_key(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert private_key(str(file)).public == public
    before = file.read_bytes()
    with pytest.raises(RegistryError, match="there already"):
        new_key(file)
    assert file.read_bytes() == before
    (tmp_path / "key.pub").write_text(public.pem(), "utf-8")
    assert public_key(tmp_path / "key.pub") == public
    assert before.decode() not in repr(private_key(str(file)))


def test_keys_of_other_kinds_are_refused_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "ec.pem").write_bytes(pem)
    public = other.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "ec.pub").write_bytes(public)
    (tmp_path / "none").write_text("hunter2", "utf-8")
    monkeypatch.setenv("THE_KEY", "hunter2")
    new_key(tmp_path / "mine.pem")
    for read in (
        lambda: private_key(str(tmp_path / "ec.pem")),
        lambda: private_key(str(tmp_path / "none")),
        lambda: private_key(str(tmp_path / "missing")),
        lambda: private_key("env:THE_KEY"),
        lambda: private_key("env:NO_KEY"),
        lambda: public_key(tmp_path / "ec.pub"),
        lambda: public_key(tmp_path / "none"),
        lambda: public_key(tmp_path / "mine.pem"),
    ):
        with pytest.raises(RegistryError) as refusal:
            read()
        assert "hunter2" not in f"{refusal.value.message}{refusal.value.hint}"
        assert "hunter2" not in str(refusal.value.__cause__)


@pytest.fixture
def ws(common: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    found = copy_of(sealed_mesh(common), tmp_path / "mesh")
    monkeypatch.chdir(found.root)
    return found


def test_the_commands_sign_check_and_remember(
    ws: Workspace, factory: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = factory("registry", "key", tmp_path / "a.pem")
    assert made.code == 0 and made.out.startswith("-----BEGIN PUBLIC KEY-----") and "PRIVATE" not in made.out
    (tmp_path / "a.pub").write_text(made.out, "utf-8")
    (tmp_path / "b.pub").write_text(factory("registry", "key", tmp_path / "b.pem").out, "utf-8")
    trust = ("--trust", tmp_path / "a.pub", "--seen", tmp_path / "seen")
    result = factory("registry", "verify", *trust)
    assert result.code == 1 and "checkpoint-missing" in result.out
    assert factory("registry", "checkpoint", "--key", tmp_path / "a.pem", "--expires", "P7D").code == 0
    result = factory("registry", "verify", *trust)
    assert result.code == 0 and "Checkpoint 1 of" in result.out, result.out
    both = (*trust, "--trust", tmp_path / "b.pub", "--threshold", "2")
    assert factory("registry", "verify", *both).code == 1
    monkeypatch.setenv("B_KEY", (tmp_path / "b.pem").read_text("utf-8"))
    assert factory("registry", "checkpoint", "--key", "env:B_KEY", "--add").code == 0
    assert factory("registry", "verify", *both, "--strict").code == 0
    newest = max((ws.registry / "events/trade/shop").iterdir())
    raw = newest.read_bytes()
    newest.unlink()
    result = factory("registry", "verify", *both)
    assert result.code == 1 and newest.name[:21] in result.out.replace("\n", "").replace(" ", "")
    refused = factory("registry", "checkpoint", "--key", tmp_path / "a.pem")
    assert refused.code == 1 and "not signed" in refused.err
    newest.write_bytes(raw)
    shutil.copytree(ws.registry, tmp_path / "older")
    assert factory("registry", "checkpoint", "--key", tmp_path / "a.pem").code == 0
    assert factory("registry", "verify", *trust).code == 0
    shutil.rmtree(ws.registry)
    shutil.copytree(tmp_path / "older", ws.registry)
    assert factory("registry", "verify").code == 0  # who remembers nothing sees nothing
    result = factory("registry", "verify", *trust)
    assert result.code == 1 and "checkpoint-rolled-back" in result.out


def test_wrong_uses_of_the_commands_are_told(ws: Workspace, factory: Command, tmp_path: Path) -> None:
    public = factory("registry", "key", tmp_path / "a.pem").out
    (tmp_path / "a.pub").write_text(public, "utf-8")
    for arguments in (
        ("verify", "--seen", "x"),
        ("verify", "--threshold", "2"),
        ("verify", "--trust", tmp_path / "a.pub", "--trust", tmp_path / "a.pub", "--threshold", "2"),
        ("verify", "--trust", tmp_path / "a.pem"),
        ("checkpoint", "--key", tmp_path / "a.pub"),
        ("checkpoint", "--key", tmp_path / "a.pem", "--expires", "soon"),
        ("checkpoint", "--key", tmp_path / "a.pem", "--expires", "P0D"),
        ("checkpoint", "--key", tmp_path / "a.pem", "--add"),
        ("key", ws.registry / "key.pem"),
        ("key", tmp_path / "nowhere/key.pem"),
    ):
        result = factory("registry", *arguments)
        assert result.code == 2, arguments
    assert not (ws.registry / "key.pem").exists()
    assert not (ws.registry / "checkpoint.json").exists()


def test_a_key_in_a_repository_is_warned_of(ws: Workspace, factory: Command) -> None:
    git("init", "-q", cwd=ws.root)
    assert "never commit it" in factory("registry", "key", "key.pem").err
    write(ws.root / ".gitignore", "*.pem\n")
    assert "never commit it" not in factory("registry", "key", "other.pem").err


def test_an_empty_registry_is_an_error_or_clean(tmp_path: Path, factory: Command) -> None:
    root = make_workspace(tmp_path / "empty")
    new_key(tmp_path / "a.pem")
    assert factory("-C", root, "registry", "verify").code == 0
    assert factory("-C", root, "registry", "rebuild").code == 2
    result = factory("-C", root, "registry", "checkpoint", "--key", tmp_path / "a.pem")
    assert result.code == 2 and "there is no registry" in result.err


def test_a_whole_report_says_what_the_checkpoint_says(ws: Workspace, keys: tuple[PrivateKey, ...]) -> None:
    made = sign(ws.registry, keys[0])
    report: Report = verify(ws, NOW, Wishes(trust=Trust((keys[0].public,))))
    assert report.clean and report.checkpoint["root"] == made.root
    assert MAX_BYTES <= 64_000
