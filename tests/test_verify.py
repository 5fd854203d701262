"""`factory registry verify` and `rebuild`: whatever happens to a file of a registry is found, and named."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import FULL, Command
from mesh import write
from sealed import SHOP, copy_of, sealed_mesh

from factory.errors import RegistryError
from factory.files import json_text
from factory.git import git
from factory.registry import refresh_index
from factory.registry.checkpoint import write_checkpoint
from factory.registry.content import read_fact
from factory.registry.faults import Fault, Report
from factory.registry.keys import new_key, private_key
from factory.registry.paths import Kind, place_of
from factory.registry.seal import fact_text
from factory.registry.verify import Wishes, verify
from factory.workspace import Workspace

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def ws(common: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    found = copy_of(sealed_mesh(common), tmp_path / "mesh")
    monkeypatch.chdir(found.root)
    return found


def look(ws: Workspace, **wishes: object) -> Report:
    return verify(ws, NOW, Wishes(**wishes))  # type: ignore[arg-type]


def immutable(ws: Workspace) -> list[Path]:
    found = [
        file for top in ("products", "certificates", "events") for file in (ws.registry / top).rglob("*")
    ]
    return sorted(file for file in found if file.is_file())


def pointers(ws: Workspace) -> list[Path]:
    return sorted(ws.ports.rglob("current.json"))


def proven(ws: Workspace) -> list[Path]:
    """All files whose every byte somebody vouches for."""
    tables = sorted(ws.ports.rglob("*/*.parquet"))
    real = [file for file in tables if not any(part.is_symlink() for part in file.parents)]
    return [*immutable(ws), ws.registry / "registry.json", *pointers(ws), *real]


def kinds(ws: Workspace) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for file in immutable(ws):
        place = place_of(file.relative_to(ws.registry).as_posix())
        assert place is not None, file
        kind = f"{place.kind} {place.name}" if place.kind is Kind.FILE else str(place.kind)
        found.setdefault(kind, []).append(file)
    return found


def names(report: Report, file: Path, ws: Workspace) -> bool:
    place = ws.relative(file)
    return any(
        place == f.place or place.startswith(f"{f.place}/") for f in report.faults if f.weight == "fault"
    )


def test_a_registry_as_it_was_published_is_clean(ws: Workspace, factory: Command) -> None:
    report = look(ws)
    assert report.faults == ()
    assert report.counts["versions"] == 4
    assert len(kinds(ws)) == 7
    before = {file: file.read_bytes() for file in proven(ws)}
    result = factory("registry", "verify")
    assert result.code == 0, result.out
    assert "registry is as it was published: nothing is wrong." in result.out
    assert factory("registry", "verify", "--format", "json").json["clean"] is True
    assert {file: file.read_bytes() for file in proven(ws)} == before


def test_a_fact_that_is_cut_at_any_byte_is_found(ws: Workspace) -> None:
    for kind, files in kinds(ws).items():
        if files[0].name.endswith(".json") and "lineage" not in kind:
            raw = files[0].read_bytes()
            assert read_fact(raw)[1] == ""
            for end in range(len(raw)):
                assert read_fact(raw[:end])[1], (kind, end)


def test_a_file_that_is_cut_is_found_and_named(ws: Workspace) -> None:
    files = [files[0] for files in kinds(ws).values()] + proven(ws)[-1:] + pointers(ws)[:1]
    for file in [*files, ws.registry / "registry.json"]:
        raw = file.read_bytes()
        fact = any(file in files for files in kinds(ws).values())
        some = {0, 1, len(raw) // 3, len(raw) - 2, len(raw) - 1}
        for end in range(0, len(raw), 1 if fact else 9) if FULL else sorted(some):
            file.write_bytes(raw[:end])
            assert names(look(ws, fast=fact), file, ws), (file, end)
        file.write_bytes(raw)
    assert look(ws).clean


def test_a_flipped_bit_is_found_and_its_file_named(ws: Workspace) -> None:
    dice = random.Random(7)
    files, facts = proven(ws), set(immutable(ws))
    for _ in range(1000 if FULL else 100):
        file = dice.choice(files)
        raw = bytearray(file.read_bytes())
        place, bit = dice.randrange(len(raw)), dice.randrange(8)
        raw[place] ^= 1 << bit
        file.write_bytes(raw)
        assert names(look(ws, fast=file in facts), file, ws), (file, place, bit)
        raw[place] ^= 1 << bit
        file.write_bytes(raw)
    assert look(ws).clean


def test_two_files_of_a_kind_that_changed_places_are_found_and_both_named(ws: Workspace) -> None:
    groups = [*kinds(ws).values(), pointers(ws)]
    pairs = [(a, b) for files in groups for n, a in enumerate(files) for b in files[:n]]
    assert len(pairs) > 30
    for a, b in pairs:
        first, second = a.read_bytes(), b.read_bytes()
        if first == second:
            continue
        a.write_bytes(second)
        b.write_bytes(first)
        report = look(ws, fast=True)
        assert names(report, a, ws) and names(report, b, ws), (a, b, report.faults)
        a.write_bytes(first)
        b.write_bytes(second)
    assert look(ws).clean


def newest_event(ws: Workspace, file: Path) -> bool:
    return file.is_relative_to(ws.registry / "events") and file == max(file.parent.iterdir())


def test_a_file_that_was_deleted_is_missed(ws: Workspace, tmp_path: Path) -> None:
    """What nothing else names, a checkpoint misses: the newest event, a revocation, one certificate of several."""
    new_key(tmp_path / "key")
    write_checkpoint(ws.registry, [private_key(str(tmp_path / "key"))], NOW, datetime(2027, 1, 1, tzinfo=UTC))
    unnamed = set()
    for file in proven(ws):
        raw = file.read_bytes()
        file.unlink()
        report = look(ws)
        assert not report.clean, file
        codes = {fault.code for fault in report.faults if fault.weight == "fault"}
        if codes == {"checkpoint-missing-file"}:
            assert names(report, file, ws), (file, report.faults)
            unnamed.add(file)
        file.write_bytes(raw)
    assert look(ws).clean
    assert all(newest_event(ws, file) or file.name.endswith(".revoked.json") for file in unnamed), unnamed


@pytest.mark.parametrize(
    "name", ["bom", "crlf", "tabs", "blank", "empty", "nul", "latin", "deep", "key twice"]
)
def test_what_editors_and_attackers_do_to_a_file_is_found(ws: Workspace, name: str) -> None:
    change: Callable[[bytes], bytes] = {
        "bom": lambda raw: b"\xef\xbb\xbf" + raw,
        "crlf": lambda raw: raw.replace(b"\n", b"\r\n"),
        "tabs": lambda raw: raw.replace(b"  ", b"\t"),
        "blank": lambda raw: raw + b"\n",
        "empty": lambda raw: b"",
        "nul": lambda raw: raw + b"\x00",
        "latin": lambda raw: raw + b"\xff\xfe",
        "deep": lambda raw: b"[" * 200_000,
        "key twice": lambda raw: raw.replace(b"{\n", b'{\n  "x": 1,\n  "x": 2,\n', 1) + b"\n",
    }[name]
    for file in [*(files[0] for files in kinds(ws).values()), pointers(ws)[0], ws.registry / "registry.json"]:
        raw = file.read_bytes()
        if change(raw) == raw:
            continue
        file.write_bytes(change(raw))
        assert names(look(ws), file, ws), file
        file.write_bytes(raw)


def test_a_value_of_another_shape_in_a_good_seal_is_no_crash(ws: Workspace) -> None:
    """Who may write can seal, too: nothing that is read is taken for what it should be."""
    for values in ({}, {"files": [], "contract": 1}, {"files": {"contract.odcs.yaml": 3, "lineage.json": {}}},
                   {"type": "org.dataproductfactory.published", "source": "urn:dpf:trade:shop", "time": "x"},
                   {"type": "org.dataproductfactory.yanked", "source": "urn:dpf:trade:shop", "id": [1],
                    "time": "2026-01-01T00:00:00+00:00", "data": {"version": {}}, "previous": "x"},
                   {"type": "org.dataproductfactory.published", "source": "urn:dpf:trade:shop",
                    "time": "2026-01-01T00:00:00+00:00", "data": {"contracts": {"shop/x": None}, "product": {}}},
                   {"issued": 1, "expires": "0001-01-01T00:00:00+14:00"}):  # fmt: skip
        for files in kinds(ws).values():
            if files[0].suffix == ".json":
                raw = files[0].read_bytes()
                files[0].write_text(fact_text(values), "utf-8")
                assert names(look(ws, fast=True), files[0], ws), (files[0], values)
                files[0].write_bytes(raw)


def changed(value: Any, dice: random.Random) -> Any:
    """Return a value with something in it that is of another kind."""
    if isinstance(value, dict) and value and dice.random() < 0.8:
        key = dice.choice(list(value))
        return {**value, key: changed(value[key], dice)}
    return dice.choice(
        [None, 5, -1.5, True, "x", "urn:dpf:a:b:c", [], {}, [[]], {"a": {}}, "\ud800", "1.0.0", "9" * 9]
    )


def test_whatever_stands_in_a_good_seal_is_no_crash(ws: Workspace, factory: Command) -> None:
    dice = random.Random(11)
    files = [file for file in immutable(ws) if file.suffix == ".json" and file.name != "lineage.json"]
    for number in range(1500 if FULL else 120):
        file = dice.choice(files)
        raw = file.read_bytes()
        value = changed(json.loads(raw), dice)
        file.write_text(fact_text(value if isinstance(value, dict) else {}), "utf-8")
        look(ws, fast=bool(number % 4))
        if number % 20 == 0:
            assert factory("registry", "rebuild").code in (0, 2)
        file.write_bytes(raw)
    assert factory("registry", "rebuild").code == 0
    assert look(ws).clean


def test_a_name_that_is_no_text_is_told(ws: Workspace, factory: Command) -> None:
    Path(os.fsdecode(os.fsencode(ws.registry / "products") + b"/\xff\xfe\n.txt")).write_text("x", "utf-8")
    for arguments in ((), ("--format", "json")):
        result = factory("registry", "verify", *arguments)
        assert result.code == 1 and "udcff" in result.out.replace("\\xff", "udcff"), result.err


def test_what_is_no_file_is_told_and_never_opened(ws: Workspace) -> None:
    version = ws.registry / "products/trade/shop/shop/1.0.0"
    record, contract = version / "record.json", version / "contract.odcs.yaml"
    raw = record.read_bytes()
    record.unlink()
    record.symlink_to("/etc/passwd")
    assert names(look(ws), record, ws)
    record.unlink()
    record.mkdir()
    assert names(look(ws), record, ws)
    record.rmdir()
    os.mkfifo(record)
    assert names(look(ws), record, ws)
    record.unlink()
    record.write_bytes(raw)
    shutil.move(ws.registry / "events", ws.root / "elsewhere")
    (ws.registry / "events").symlink_to(ws.root / "elsewhere")
    assert any(f.code == "special-file" and f.place == "registry/events" for f in look(ws).faults)
    contract.unlink()
    assert any(f.code == "missing-file" for f in look(ws).faults)


def test_names_that_no_registry_has_are_told(ws: Workspace) -> None:
    shop = ws.registry / "products/trade/shop"
    for name in ("shop/1.0", "shop/01.0.0", "Shop/1.0.0", "shop/1.0.0/more", "\u017fhop/1.0.0"):
        shutil.copytree(shop / "shop/1.1.0", shop / name)
        found = [f.place for f in look(ws).faults if f.weight == "fault"]
        top = (shop / name).relative_to(shop).parts[0]
        assert any(place.startswith(ws.relative(shop / top)) for place in found), name
        if name[0] in "S\u017f":
            assert any(f.code == "name-clash" for f in look(ws).faults)
        shutil.rmtree(shop / (name if name.startswith("shop/") else top))
    for name in ("a\nb", "x" * 200, "notes.txt", "record.json~"):
        file = write(shop / "shop/1.0.0" / name, "x")
        assert names(look(ws), file, ws)
        file.unlink()
    write(ws.registry / "products/.DS_Store", "x")
    write(ws.registry / "notes.txt", "x")
    assert {f.code for f in look(ws).faults} == {"foreign-file"}
    assert look(ws).clean


def codes_after(ws: Workspace, change: Callable[[], object]) -> set[str]:
    change()
    return {fault.code for fault in look(ws).faults if fault.weight != "note"}


def test_a_version_folder_without_anybody_who_knows_it_is_told(ws: Workspace) -> None:
    def forget() -> None:
        shutil.rmtree(ws.registry / "certificates/trade/board")
        shutil.rmtree(ws.registry / "events/trade/board")

    assert "unknown-version" in codes_after(ws, forget)


def test_a_version_that_events_and_certificates_know_and_that_is_gone_is_told(ws: Workspace) -> None:
    found = codes_after(ws, lambda: shutil.rmtree(ws.registry / "products/trade/shop/shop/1.1.0"))
    assert {"version-missing", "link-broken"} <= found | {"link-broken"}
    assert any(f.place == "registry/products/trade/shop/shop/1.1.0" for f in look(ws).faults)


def test_an_index_that_is_not_what_the_folders_say_names_the_products(
    ws: Workspace, factory: Command
) -> None:
    file = ws.registry / "registry.json"
    good = file.read_bytes()
    for old, new, fast in (
        (b"What shop is for", b"What shop is", False),
        (b'"version": "1.1.0"', b'"version": "1.0.0"', True),
    ):
        file.write_bytes(good.replace(old, new).replace(b"/1.1.0/", b"/1.0.0/" if fast else b"/1.1.0/"))
        told = [f for f in look(ws, fast=fast).faults if f.weight == "fault"]
        assert {f.code for f in told} == {"index-differs"} and "urn:dpf:trade:shop" in told[0].what
        assert told[0].remedy == "factory registry rebuild"
    result = factory("registry", "rebuild")
    assert result.code == 0 and "changed urn:dpf:trade:shop" in result.out
    assert file.read_bytes() == good
    file.unlink()
    assert {f.code for f in look(ws).faults} == {"index-missing"}
    assert factory("registry", "rebuild", "--format", "json").json["added"]
    assert file.read_bytes() == good and look(ws).clean


def test_a_rebuild_clears_away_what_killed_runs_left_and_leaves_what_is_being_written(
    ws: Workspace, factory: Command
) -> None:
    old = write(ws.registry / "products/trade/shop/shop/.1.2.0.abcdef01.tmp/record.json", "x").parent
    new = write(ws.registry / "events/trade/shop/.x.json.tmp", "x")
    port = write(ws.ports / "trade/shop/shop/v1/.abc.tmp/orders.parquet", "x").parent
    past = time.time() - 7200
    for path in (old, port):
        os.utime(path, (past, past))
    found = look(ws).faults
    assert {f.code for f in found} == {"left-over"} and len(found) == 3
    cleared = factory("registry", "rebuild", "--format", "json").json["cleared"]
    assert cleared == sorted(ws.relative(path) for path in (old, port))
    assert not old.exists() and not port.exists() and new.exists()


def test_a_broken_database_of_ports_is_told_and_made_anew(ws: Workspace, factory: Command) -> None:
    ws.ports_database.write_bytes(b"x" * 5000)
    assert codes_after(ws, lambda: None) == {"ports-database"}
    assert factory("registry", "rebuild").code == 0
    assert look(ws).clean


def test_pointers_that_show_what_was_not_published_are_told(ws: Workspace) -> None:
    pointer = ws.ports / "trade/shop/shop/v1/current.json"
    good = pointer.read_bytes()
    data = json.loads(good)
    for key, value in (("version", "1.0.0"), ("version", "9.0.0"), ("snapshot", "0" * 20), ("tables", {}),
                       ("tables", {"orders": "../../../../../etc/passwd"}), ("contract", "urn:dpf:a:b:c"),
                       ("snapshots", ["../x"]), ("snapshots", [{"snapshot": data["snapshot"], "version": "7.0.0"}])):  # fmt: skip
        pointer.write_text(json.dumps({**data, key: value}, indent=2) + "\n", "utf-8")
        assert names(look(ws), pointer, ws), (key, value)
    pointer.unlink()
    assert names(look(ws), pointer, ws)
    pointer.write_bytes(good)
    link = ws.ports / "trade/shop/shop/v1/current"
    link.unlink()
    assert [(f.code, f.weight, f.remedy) for f in look(ws).faults] == [
        ("link-differs", "warning", "factory ports open")
    ]


def test_a_name_that_was_removed_and_is_published_again_is_told(ws: Workspace) -> None:
    from factory.registry.events import write_event

    urn = "urn:dpf:trade:board"
    published = next(iter((ws.registry / "events/trade/board").iterdir()))
    now = datetime(2030, 1, 1, tzinfo=UTC)
    write_event(ws.registry, urn, "removed", {"reason": "over", "by": "ann"}, now)
    event = write_event(ws.registry, urn, "published", json.loads(published.read_bytes())["data"], now)
    assert any(f.code == "removed-name-taken" and f.place == ws.relative(event.file) for f in look(ws).faults)


def test_links_that_lead_nowhere_are_warnings(ws: Workspace) -> None:
    for top in ("products", "certificates", "events"):
        shutil.rmtree(ws.registry / top / "trade/shop")
    shutil.rmtree(ws.ports / "trade/shop")
    found = {fault.code: fault for fault in look(ws).faults if fault.weight == "warning"}
    assert set(found) == {"link-outside", "lineage-end"}
    assert "urn:dpf:trade:shop:shop" in found["link-outside"].what
    assert "model.shop.orders" in found["lineage-end"].what


def test_records_of_runs_that_cannot_be_read_are_told(ws: Workspace) -> None:
    file = next((ws.registry / "runs/trade/shop").iterdir())
    file.write_bytes(file.read_bytes()[:-5])
    assert names(look(ws), file, ws)
    assert look(ws, fast=True).clean


def make_older(ws: Workspace) -> None:
    """Give the registry the form that the factory wrote before there were seals."""
    shutil.rmtree(ws.registry / "events/trade/shop")
    shutil.rmtree(ws.registry / "certificates/trade/shop")
    for file in immutable(ws):
        if file.suffix != ".json" or file.name == "lineage.json":
            continue
        data = json.loads(file.read_bytes())
        data.pop("seal")
        data.pop("sha256", None)
        target = file
        if file.is_relative_to(ws.registry / "certificates"):
            target = file.with_name("1.json")
        elif file.is_relative_to(ws.registry / "events"):
            data["data"] = {"contracts": {key: c["version"] for key, c in data["data"]["contracts"].items()}}
            name = f"{file.name[:15]}-{file.parent.name}-published-{data['id'][:8]}.json"
            target = ws.registry / "events/2026-11" / name
        file.unlink()
        write(target, json_text(data))
    for version in ("1.0.0", "1.1.0"):
        about = {"contract": f"{SHOP}:shop", "version": version, "issued": "2026-01-01T00:00:00Z"}
        text = json_text({**about, "expires": "2026-02-01T00:00:00Z", "evidence": {}})
        write(ws.registry / f"certificates/trade/shop/shop/{version}/1.json", text)
    for folder in ("board", "sales"):
        shutil.rmtree(ws.registry / f"events/trade/{folder}")
    index = ws.registry / "registry.json"
    index.unlink()
    refresh_index(ws, None)
    index.write_text(json_text(json.loads(index.read_bytes())), "utf-8")


def test_an_older_registry_has_no_faults_and_is_told_what_it_lacks(ws: Workspace) -> None:
    make_older(ws)
    report = look(ws)
    assert {(f.code, f.weight) for f in report.faults} == {("unsealed", "note"), ("index-older", "note")}
    for files in kinds(ws).values():
        raw = files[0].read_bytes()
        for forged in (raw[:-3], raw.replace(b"\n", b"\r\n"), b""):
            files[0].write_bytes(forged)
            assert names(look(ws), files[0], ws), files[0]
        files[0].write_bytes(raw)


def test_what_owners_say_later_leaves_a_registry_without_faults(ws: Workspace, factory: Command) -> None:
    base = commit(ws)
    why = ("--reason", "a test", "--by", "ann@example.org")
    for words in (
        ("yank", "shop", "1.0.0", "--undo"),
        ("yank", "shop", "1.1.0"),
        ("deprecate", "shop.shop/1"),
        ("rollback", "shop"),
        ("yank", "shop", "1.1.0", "--undo"),
        ("rollback", "shop", "--to", "1.1.0"),
        ("pause", "sales"),
        ("resume", "sales"),
        ("retire", "shop.shop/1", "--early"),
        ("registry", "remove", "board"),
    ):
        result = factory(*words, *why)
        assert result.code == 0, (words, result.err)
        report = look(ws, since=base)
        assert report.faults == (), (words, report.faults)
        assert look(ws, fast=True).clean, words


def test_an_unreadable_file_is_told(ws: Workspace) -> None:
    if os.geteuid() == 0:
        return  # nothing is out of reach for root
    file = kinds(ws)["record"][0]
    file.chmod(0)
    assert names(look(ws), file, ws)


def test_the_report_is_by_product_narrow_and_not_too_long(ws: Workspace, factory: Command) -> None:
    for number in range(60):
        write(ws.registry / f"products/trade/shop/shop/1.0.0/extra-{number}-{'x' * 60}.txt", "x")
    result = factory("registry", "verify")
    assert result.code == 1
    assert max(map(len, result.out.splitlines())) <= 80
    assert result.out.startswith("trade/shop\n")
    assert result.out.count("unknown-file") == 50 and "and 10 more" in result.out
    assert "registry is NOT as it was published: 60 faults." in result.out
    assert factory("registry", "verify", "--all").out.count("unknown-file") == 60
    told = factory("registry", "verify", "--format", "json").json
    assert len(told["faults"]) == 60 and told["clean"] is False


def commit(ws: Workspace, message: str = "more") -> str:
    if not (ws.root / ".git").is_dir():
        git("init", "-q", "-b", "main", cwd=ws.root)
        git("config", "user.email", "ann@example.org", cwd=ws.root)
        git("config", "user.name", "Ann", cwd=ws.root)
        git("config", "commit.gpgsign", "false", cwd=ws.root)
    git("add", "-A", "-f", "registry", "products", "pyproject.toml", cwd=ws.root)
    git("commit", "-q", "--allow-empty", "-m", message, cwd=ws.root)
    return git("rev-parse", "HEAD", cwd=ws.root).decode().strip()


def since(ws: Workspace, revision: str) -> list[Fault]:
    codes = ("published-", "removed-name", "nothing-published")
    return [fault for fault in look(ws, since=revision).faults if fault.code.startswith(codes)]


def test_the_remedy_of_a_changed_file_is_the_command_that_brings_it_back(ws: Workspace) -> None:
    commit(ws)
    file = kinds(ws)["record"][0]
    file.write_bytes(b"{}")
    told = next(f for f in look(ws).faults if f.place == ws.relative(file))
    assert told.remedy == f"git checkout HEAD -- {ws.relative(file)}"
    git(*told.remedy.split()[1:], cwd=ws.root)
    assert look(ws).clean
    file.write_bytes(b"{}")
    commit(ws)
    told = next(f for f in look(ws).faults if f.place == ws.relative(file))
    assert "HEAD has it so, too" in told.remedy and "git log" in told.remedy


@pytest.mark.parametrize("committed", [False, True])
def test_no_file_that_was_published_in_a_revision_may_change_go_or_move(
    ws: Workspace, committed: bool
) -> None:
    base = commit(ws)
    assert since(ws, base) == []
    for file in immutable(ws) if FULL and not committed else [files[0] for files in kinds(ws).values()]:
        for change in ("edited", "deleted", "renamed", "a link", "a folder"):
            raw, other = file.read_bytes(), file.with_name(f"{file.name}.bak")
            file.unlink()
            if change == "edited":
                file.write_bytes(raw + b" ")
            elif change == "renamed":
                other.write_bytes(raw)
            elif change == "a link":
                file.symlink_to("/etc/passwd")
            elif change == "a folder":
                write(file / "x", "x")
            if committed:
                commit(ws, change)
            told = {fault.place: fault for fault in since(ws, base)}
            assert ws.relative(file) in told, (file, change)
            assert told[ws.relative(file)].remedy == f"git checkout {base} -- {ws.relative(file)}"
            shutil.rmtree(file, ignore_errors=True)
            for path in (file, other):
                path.unlink(missing_ok=True)
            file.write_bytes(raw)
    if committed:
        commit(ws)
    assert since(ws, base) == []


def test_a_change_in_the_last_commit_is_found_though_the_files_are_as_before(ws: Workspace) -> None:
    base = commit(ws)
    file = kinds(ws)["record"][0]
    raw = file.read_bytes()
    file.write_bytes(b"{}")
    commit(ws)
    file.write_bytes(raw)
    assert [fault.place for fault in since(ws, base)] == [ws.relative(file)]


def test_a_clone_in_ci_has_no_index_and_no_ports_and_that_is_no_fault(ws: Workspace, tmp_path: Path) -> None:
    commit(ws)
    git("rm", "-q", "--cached", "registry/registry.json", cwd=ws.root)
    git("commit", "-q", "-m", "the index is made anew", cwd=ws.root)
    git("clone", "-q", str(ws.root), str(tmp_path / "clone"), cwd=tmp_path)
    report = look(Workspace(tmp_path / "clone"), since="origin/main")
    assert report.clean
    assert [(fault.code, fault.weight) for fault in report.faults] == [("index-missing", "note")]


def test_what_is_new_is_fine_and_what_grows_below_a_published_version_is_not(ws: Workspace) -> None:
    from factory.registry.events import write_event

    base = commit(ws)
    now = datetime(2030, 1, 1, tzinfo=UTC)
    write_event(ws.registry, "urn:dpf:trade:shop", "yanked", {"contract": "shop", "version": "1.1.0"}, now)
    shop = ws.registry / "products/trade/shop/shop"
    shutil.copytree(shop / "1.1.0", shop / "1.2.0")
    shutil.rmtree(ws.registry / "runs/trade/board")
    assert since(ws, base) == []
    more = write(shop / "1.0.0/notes.txt", "x")
    assert [(f.code, f.place) for f in since(ws, base)] == [("published-version-grown", ws.relative(more))]


def test_nothing_new_comes_below_a_name_that_was_removed(ws: Workspace) -> None:
    from factory.registry.events import write_event

    now = datetime(2030, 1, 1, tzinfo=UTC)
    write_event(ws.registry, "urn:dpf:trade:board", "removed", {"reason": "over"}, now)
    base = commit(ws)
    board = ws.registry / "products/trade/board/board"
    write_event(ws.registry, "urn:dpf:trade:board", "moved", {"to": "elsewhere"}, now)
    assert since(ws, base) == []
    shutil.copytree(board / "1.0.0", board / "2.0.0")
    assert {f.code for f in since(ws, base)} == {"removed-name-taken"}
    assert all("board/2.0.0" in f.place for f in since(ws, base))


def test_what_others_published_since_the_branch_began_is_nobodys_fault(ws: Workspace) -> None:
    commit(ws)
    git("branch", "mine", cwd=ws.root)
    shop = ws.registry / "products/trade/shop/shop"
    shutil.copytree(shop / "1.1.0", shop / "1.2.0")
    commit(ws, "another version on main")
    git("checkout", "-q", "mine", cwd=ws.root)
    assert not (shop / "1.2.0").exists()
    assert since(ws, "main") == []
    write(shop / "1.2.0/record.json", "another one of that version")
    assert {f.place for f in since(ws, "main")} == {ws.relative(shop / "1.2.0/record.json")}


def test_a_registry_in_a_folder_of_the_repository_and_one_that_is_gone(ws: Workspace, tmp_path: Path) -> None:
    git("init", "-q", "-b", "main", cwd=tmp_path)
    git("add", "-A", "-f", "mesh/registry", cwd=tmp_path)
    git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "x", cwd=tmp_path)
    file = kinds(ws)["record"][0]
    file.unlink()
    assert [f.place for f in since(ws, "HEAD")] == [ws.relative(file)]
    git(*since(ws, "HEAD")[0].remedy.split()[1:], cwd=ws.root)
    assert since(ws, "HEAD") == []
    count = len(immutable(ws))
    shutil.rmtree(ws.registry)
    assert len(since(ws, "HEAD")) == count


def test_a_registry_that_is_a_repository_of_its_own(ws: Workspace) -> None:
    git("init", "-q", "-b", "main", cwd=ws.registry)
    git("add", "-A", "-f", ".", cwd=ws.registry)
    git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "x", cwd=ws.registry)
    file = kinds(ws)["record"][0]
    file.unlink()
    (told,) = since(ws, "main")
    assert told.remedy == f"git -C registry checkout main -- {file.relative_to(ws.registry).as_posix()}"


def test_a_revision_that_is_not_there_is_an_error_with_a_way_out(ws: Workspace, factory: Command) -> None:
    with pytest.raises(RegistryError, match="not in a git repository"):
        look(ws, since="main")
    commit(ws)
    result = factory("registry", "verify", "--since", "origin/nothing")
    assert result.code == 2 and "git knows no revision" in result.err and "fetch-depth" in result.err
    assert factory("registry", "verify", "--since", "--output=x").code == 2
