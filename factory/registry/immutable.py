"""Immutability against git: nothing that was published in a revision may change, go or be renamed afterwards.

Takes a workspace and a revision; gives faults; asks git a fixed number of questions, however long its history is.
Two states are compared with the revision: the files as they lie there, and the last commit, which a change of the index
cannot hide. What was published since the revision's branch and this one parted is nobody's fault: of files that are
gone only those count that both had; of files that are another one, those of the revision.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from factory.errors import RegistryError
from factory.git import GitError, commit_of, git, lines, repository_of
from factory.registry.faults import Fault, Weight, checkout
from factory.registry.paths import Kind, place_of, version_at
from factory.registry.tree import IMMUTABLE
from factory.workspace import Workspace

_CHANGED = {
    "D": ("published-file-gone", "it was published, and is gone"),
    "M": ("published-file-changed", "it was published, and is another one now"),
    "T": ("published-file-changed", "it was published as a file, and is something else now"),
}
_NEWER = "delete it; a change belongs in a new version"
_TAKEN = "delete it, and give the product another name: a name that was removed is not used again"


@dataclass(slots=True)
class _Change:
    """What differs between a revision and a later state, by path below the registry."""

    gone: set[str] = field(default_factory=set)
    altered: dict[str, str] = field(default_factory=dict)
    added: set[str] = field(default_factory=set)


def immutable_faults(ws: Workspace, revision: str) -> list[Fault]:
    """Say what was published in a revision and has changed since; places are paths below the registry.

    Raises:
        RegistryError: there is no git repository, or it has no such revision.

    """
    # A registry may be a repository of its own, within another one; one that is gone lay in the folder above.
    folder = ws.registry if ws.registry.is_dir() else ws.published
    prefix = "" if folder == ws.registry else f"{ws.registry.name}/"
    base = _commit(folder, revision)
    parted = _parted(folder, base)
    specs = [f"{prefix}{top}" for top in IMMUTABLE]
    before = _files(folder, base, specs)
    if not before:
        what = f"{revision} has no registry here: there is nothing to compare with"
        return [
            Fault("nothing-published", ".", what, "commit registry/, or name another revision", Weight.NOTE)
        ]
    change = _Change()
    for state in ([], ["HEAD"]):
        first = _difference(folder, base, state, specs)
        shared = first if parted == base else _difference(folder, parted, state, specs)
        change.gone |= shared.gone
        change.altered |= shared.altered | first.altered
        change.added |= first.added
    others = lines(git("ls-files", "--others", "-z", "--", *specs, cwd=folder))
    change.added |= {path for path in others if not Path(path).name.startswith(".")}
    change.altered |= _unlike(folder, before, [path for path in others if path in before])
    removed = _removed(folder, base, set(before))
    back = _back(ws, folder, revision)
    found = [_fault(path, "D", back) for path in change.gone]
    found += [_fault(path, mark, back) for path, mark in change.altered.items() if path not in change.gone]
    found += _added(change.added, set(before), removed, prefix)
    return [_below(fault, prefix) for fault in found]


def _commit(folder: Path, revision: str) -> str:
    if not folder.is_dir() or repository_of(folder) is None:
        hint = "--since compares with a revision of git; without git, checkpoints do: --seen"
        raise RegistryError("the registry is not in a git repository", where=folder, hint=hint)
    commit = commit_of(revision, folder)
    if not commit:
        hint = "in CI, fetch the whole history (fetch-depth: 0) and name the branch as origin/main"
        raise RegistryError(f"git knows no revision {revision!r}", where=folder, hint=hint)
    return commit


def _parted(folder: Path, base: str) -> str:
    """Return where the branch of a commit and this one parted; the commit itself where that is not known."""
    try:
        found = git("merge-base", base, "HEAD", cwd=folder, accept=(0, 1)).decode().split()
    except GitError as error:
        message = f"the last commit cannot be compared: {error.message}"
        raise RegistryError(message, where=folder, hint="commit something first") from error
    return found[0] if found else base


def _files(folder: Path, commit: str, specs: list[str]) -> dict[str, str]:
    """Return the files of a commit, with the ids of what is in them."""
    found = lines(git("ls-tree", "-r", "-z", commit, "--", *specs, cwd=folder))
    return {path: facts.split()[2] for facts, _, path in (entry.partition("\t") for entry in found)}


def _unlike(folder: Path, before: dict[str, str], paths: list[str]) -> dict[str, str]:
    """Return which files that git does not follow here are other ones than those of a commit."""
    altered = {path: "T" for path in paths if (folder / path).is_symlink() or not (folder / path).is_file()}
    files = [path for path in paths if path not in altered and "\n" not in path]
    if files:
        # git takes these from the repository's top, wherever it runs.
        top = folder.resolve()
        asked = "\n".join(os.fspath(top / path) for path in files).encode(errors="surrogateescape")
        ids = git("hash-object", "--no-filters", "--stdin-paths", cwd=folder, stdin=asked).decode().split()
        altered |= {path: "M" for path, found in zip(files, ids, strict=True) if found != before[path]}
    return altered


def _difference(folder: Path, commit: str, state: list[str], specs: list[str]) -> _Change:
    """Return what differs between a commit and another one, or the files as they lie there."""
    options = [
        "--raw",
        "-z",
        "--no-renames",
        "--no-ext-diff",
        "--no-textconv",
        "--relative",
        "--ignore-submodules=none",
    ]
    found = lines(git("diff", *options, commit, *state, "--", *specs, cwd=folder))
    change = _Change()
    for facts, path in zip(found[::2], found[1::2], strict=True):
        mark = facts[-1]
        if mark == "D":
            change.gone.add(path)
        elif mark == "A":
            change.added.add(path)
        else:
            change.altered[path] = mark if mark in _CHANGED else "M"
    return change


def _removed(folder: Path, commit: str, before: set[str]) -> dict[tuple[str, str], str]:
    """Return which names a commit's tombstones name: domain and product, and the contract or nothing."""
    stones = sorted(path for path in before if "-removed-" in path)
    if not stones:
        return {}
    top = os.fsdecode(git("rev-parse", "--show-prefix", cwd=folder).rstrip(b"\n"))
    asked = "".join(f"{commit}:{top}{path}\n" for path in stones).encode(errors="surrogateescape")
    output = git("cat-file", "--batch", cwd=folder, stdin=asked)
    found = {}
    for _ in stones:
        head, _, output = output.partition(b"\n")
        words = head.split()
        if len(words) != 3 or words[1] != b"blob":
            continue
        size = int(words[2])
        raw, output = output[:size], output[size + 1 :]
        try:
            names = str(json.loads(raw)["subject"]).split(":")[2:]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if len(names) >= 2:
            found[names[0], names[1]] = names[2] if len(names) > 2 else ""
    return found


def _added(
    paths: set[str], before: set[str], removed: dict[tuple[str, str], str], prefix: str
) -> list[Fault]:
    folders = {
        path.rpartition("/")[0] for path in before if version_at(path[len(prefix) :].rpartition("/")[0])
    }
    found = []
    for path in sorted(paths - before):
        if path.rpartition("/")[0] in folders:
            what = "it was added to a version that was published without it"
            found.append(Fault("published-version-grown", path, what, _NEWER))
        place = place_of(path[len(prefix) :])
        if place is None or not place.product or (place.kind is Kind.EVENT and place.name != "published"):
            continue
        contract = removed.get((place.domain, place.product))
        if contract is not None and contract in ("", place.contract):
            what = f"{place.product} was removed, and is published again"
            found.append(Fault("removed-name-taken", path, what, _TAKEN))
    return found


def _back(ws: Workspace, folder: Path, revision: str) -> tuple[str, str, str]:
    """Return what the command needs that brings a file back: revision, where git runs, and how paths begin there."""
    own = repository_of(folder) == ws.registry.resolve()
    return revision, ws.relative(ws.registry) if own else "", "" if own else ws.relative(folder)


def _fault(path: str, mark: str, back: tuple[str, str, str]) -> Fault:
    revision, where, start = back
    code, what = _CHANGED[mark]
    command = checkout(revision, path if not start or start == "." else f"{start}/{path}")
    return Fault(code, path, what, command.replace("git ", f"git -C {where} ", 1) if where else command)


def _below(fault: Fault, prefix: str) -> Fault:
    return Fault(fault.code, fault.place.removeprefix(prefix), fault.what, fault.remedy, fault.weight)
